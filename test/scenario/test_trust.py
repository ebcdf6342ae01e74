"""What crosses the border of those who trust each other: RFC 3323, 3325."""

import pytest

from harness import check
from harness.scene import SDP, ask, call, serve

PRIVATE = [
    ("P-Preferred-Identity", "<sip:a@b.c>"),
    ("P-Charging-Vector", "icid-value=1234"),
    ("P-Charging-Function-Addresses", "ccf=192.0.2.1"),
    ("P-Access-Network-Info", "3GPP-UTRAN-TDD;utran-cell-id-3gpp=1"),
    ("P-Visited-Network-ID", '"visited"'),
    ("P-Called-Party-ID", "<sip:b@c.d>"),
    ("P-Profile-Key", "<sip:!.*!@c.d>"),
    ("P-Served-User", "<sip:a@b.c>"),
    ("P-DCS-Billing-Info", "1/2@b.c"),
    ("P-Charge-Info", "<sip:a@b.c>"),
    ("Additional-Identity", "<sip:a@b.c>"),
    ("Attestation-Info", "A"),
    ("Cellular-Network-Info", "3GPP-E-UTRAN-FDD;cell-info-age=1"),
    ("Origination-Id", "123e4567-e89b-12d3-a456-426655440000"),
    ("Relayed-Charge", "ab"),
    ("p-cHARGING-vECTOR", "icid-value=in-other-letters"),
]
ASSERTED = [("P-Asserted-Identity", "<tel:+4930>"),
            ("Remote-Party-ID", "<sip:+4930@example.com>;party=calling")]
HISTORY = [("History-Info", "<sip:bob@example.com>;index=1"),
           ("Diversion", "<sip:bob@example.com>;reason=unconditional")]
OTHERS = [("Identity", "aaa;info=<https://x.y/z>;alg=ES256"),
          ("y", "bbb;info=<https://x.y/z>"),
          ("Session-ID", "ab30317f1a784dc48ff824d0d3715d86;remote=0")]
ALL = PRIVATE + ASSERTED + HISTORY + OTHERS


def names(headers):
    return sorted({n.lower() for n, _ in headers})


def arrived(message, headers=ALL):
    """Which of these names are in it, as they were written."""
    there = {line.split(b":")[0].decode().strip().lower()
             for line in message.lines()}
    return [n for n in names(headers) if n in there]


def start(scene, **carrier):
    """The PBX, which is trusted, and a carrier that is as it is said."""
    peer = {"name": "carrier", "uri": "sip:%s:5060" % scene.net.host(6),
            "from": [scene.net.host(6)]}
    peer.update(carrier)
    scene.start(peers=[scene.pbx_peer(), peer],
                routes=[{"from": "pbx", "uri": "sip:+*@*", "to": "carrier"},
                        {"from": "pbx", "to": "request-uri"},
                        {"to": "pbx"}])
    return scene.pbx(), scene.pbx(6, "carrier")


def across(sender, receiver, uri="sip:+4930@example.com", headers=(),
           back=()):
    sender.send("OPTIONS", uri, headers=list(headers))
    got = receiver.expect("OPTIONS")
    receiver.reply(200, headers=list(back))
    return got, sender.expect(200)


@pytest.mark.parametrize("carrier, there", [
    ({}, ALL),
    ({"trusted": True, "auth": "ip"}, ALL),
    ({"trusted": False}, OTHERS),
    ({"trusted": False, "pass": ["session-id", "diversion"]},
     OTHERS[2:] + HISTORY[1:]),
    ({"pass": ["identity"]}, PRIVATE + ASSERTED + OTHERS[:2]),
])
def test_towards_a_carrier_and_back_from_us(scene, carrier, there):
    pbx, carrier = start(scene, **carrier)
    got, _ = across(pbx, carrier, headers=ALL)
    assert arrived(got) == names(there)
    # an answer to its request takes the same way
    _, back = across(carrier, pbx, "sip:100@example.com", back=ALL)
    assert arrived(back) == names(there)


@pytest.mark.parametrize("trusted", [True, False])
def test_from_a_carrier(scene, trusted):
    # what it may not say is gone; what its callers sign, and where a call
    # has been, may come in
    pbx, carrier = start(scene, trusted=trusted)
    want = names(ALL if trusted else OTHERS + HISTORY)
    got, _ = across(carrier, pbx, "sip:100@example.com", headers=ALL)
    assert arrived(got) == want
    _, back = across(pbx, carrier, back=ALL)
    assert arrived(back) == want


def test_of_a_stranger_only_what_we_assert_remains(scene):
    scene.start()
    alice, pbx = scene.alice(), scene.pbx()
    headers = [h for h in ALL if h[0] != "P-Preferred-Identity"]
    got = serve(alice, pbx, headers=headers)
    assert got.all("P-Asserted-Identity") == ["<sip:alice@example.com>"]
    assert arrived(got) == names(ASSERTED[:1] + HISTORY + OTHERS)


def test_nothing_is_asserted_to_an_untrusted_one(scene):
    scene.start(peers=[scene.pbx_peer(trusted=False)])
    got = serve(scene.alice(), scene.pbx())
    check.lacks(got, "P-Asserted-Identity")


def test_a_phone_learns_who_calls_and_no_more(scene):
    scene.start(routes=[{"from": "pbx", "to": "request-uri"}])
    pbx, bob = scene.pbx(), scene.bob()
    got, _ = across(pbx, bob, "sip:bob@%s" % bob.host, headers=ALL)
    assert arrived(got) == names(ASSERTED + OTHERS)


def test_in_a_dialog_it_is_the_same_border(scene):
    scene.start()
    alice, pbx = scene.alice(), scene.pbx()
    call(alice, pbx)
    pbx.in_dialog("UPDATE", headers=PRIVATE)
    assert arrived(alice.expect("UPDATE")) == []
    alice.reply(200, headers=PRIVATE)
    assert arrived(pbx.expect(200)) == []


@pytest.mark.parametrize("privacy, phone, carrier", [
    (None, True, False),
    ("none", True, True),
    ("id", False, False),
    ("header;id", False, False),
    ("user", True, False),
    ("nonesuch", True, False),
])
def test_who_calls_by_privacy(scene, privacy, phone, carrier):
    pbx, far = start(scene, trusted=False)
    headers = ASSERTED + ([("Privacy", privacy)] if privacy else [])
    bob = scene.bob()
    got, _ = across(pbx, bob, "sip:bob@%s" % bob.host, headers=headers)
    assert got.has("P-Asserted-Identity") == phone
    assert got.has("Remote-Party-ID") == phone
    got, _ = across(pbx, far, headers=headers)
    assert got.has("P-Asserted-Identity") == carrier


@pytest.mark.parametrize("privacy", ["history", "header", "session"])
def test_a_history_that_is_private(scene, privacy):
    pbx, carrier = start(scene, trusted=False,
                         **{"pass": ["history-info", "diversion"]})
    got, _ = across(pbx, carrier, headers=HISTORY + [("Privacy", privacy)])
    assert arrived(got) == ["diversion"]
    got, _ = across(pbx, carrier, headers=HISTORY)
    assert arrived(got) == names(HISTORY)


@pytest.mark.parametrize("privacy, status", [
    ("critical;id", 200), ("critical", 200), ("id;user", 200),
    ("critical;user", 500), ("session;critical", 500),
    ("header;id;CRITICAL", 500),
])
def test_privacy_that_we_cannot_give(scene, privacy, status):
    # RFC 3323 section 4.2
    pbx, carrier = start(scene, trusted=False)
    pbx.send("OPTIONS", "sip:+4930@example.com",
             headers=[("Privacy", privacy)])
    if status == 200:
        carrier.expect("OPTIONS")
        carrier.reply(200)
    else:
        carrier.expect_nothing(0.1)
    pbx.expect(status)
    if status == 500:
        scene.log.has(reason="no-privacy")


def test_somebody_inside_may_give_it(scene):
    scene.start()
    got = serve(scene.alice(), scene.pbx(),
                headers=[("Privacy", "critical;user")])
    assert got["Privacy"] == "critical;user"


def test_hanging_up_is_never_too_private(scene):
    scene.start(peers=[scene.pbx_peer(trusted=False)])
    alice, pbx = scene.alice(), scene.pbx()
    call(alice, pbx)
    pbx.bye(headers=[("Privacy", "critical;user")])
    alice.expect("BYE")


@pytest.mark.parametrize("line", [
    "P-Asserted-Identity : <sip:boss@example.com>",
    "P-Asserted-Identity\t: <sip:boss@example.com>",
    "P-Asserted-Identity:\r\n <sip:boss@example.com>",
    "P-Asserted-Identity:<sip:boss@example.com>",
    "P-ASSERTED-IDENTITY: <sip:boss@example.com>",
    "X: 1\r\nP-Asserted-Identity: <sip:boss@example.com>\r\nX: 2",
])
def test_a_name_that_is_hard_to_read(scene, line):
    scene.start(peers=[scene.pbx_peer(trusted=False)])
    alice, pbx = scene.alice(), scene.pbx()
    ask(alice)
    pbx.expect("OPTIONS")
    pbx.reply(200)
    alice.expect(200)
    request = alice.authorize(alice.again()).encode()
    head, body = request.split(b"\r\n\r\n", 1)
    alice.raw(head + b"\r\n" + line.encode() + b"\r\n\r\n" + body)
    got = pbx.expect("OPTIONS")
    assert b"boss" not in b"\n".join(got.lines())


def test_hundreds_of_them(scene):
    scene.start(limits={"headers": 5000})
    alice, pbx = scene.alice(transport="tcp"), scene.pbx()
    got = serve(alice, pbx, headers=[
        ("P-Asserted-Identity", "<sip:%d@x>" % i) for i in range(700)])
    assert got.all("P-Asserted-Identity") == ["<sip:alice@example.com>"]


def test_a_second_answer_crosses_the_border_too(scene):
    scene.start()
    alice, pbx = scene.alice(), scene.pbx()
    ask(alice, "INVITE", body=SDP)
    pbx.expect("INVITE")
    pbx.reply(200, body=SDP)
    alice.expect(200)
    pbx.reply(200, body=SDP, tag="another", headers=ALL)
    assert arrived(alice.expect(200)) == names(ASSERTED + OTHERS)
