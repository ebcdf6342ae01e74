"""What we do not know passes byte for byte, in both directions."""

import pytest

from harness import check, sip
from harness.scene import ask, call, serve

# Nothing here is canonical, and nothing of it is a proxy's business.
NASTY = [
    ("Subject", "I know you're there,   pick up!"),
    ("s", "a second Subject, in compact form"),
    ("User-Agent", "nasty/1.0"), ("USER-AGENT", "and/2.0 (twice)"),
    ("Date", "no date at all"), ("Date", "Sat, 13 Nov 2010 23:29:00 GMT"),
    ("Expires", "never"), ("Expires", "99999999999999999999"),
    ("Session-Expires", ";;;"), ("Refer-To", "not a <uri"),
    ("X-Folded", "first\r\n   second\r\n\tthird"),
    ("X-Empty", ""), ("X-Utf8", "J\u00e4s\u00f8n \u260e"),
    ("X-Percent", "%41%00%zz"), ("x-CaSe", "MiXeD"),
    ("Unknown-Header", "a=\"b,c\" ; d , <sip:x@y>;z"),
    ("Supported", "100rel,   timer  ,replaces"), ("k", "path"),
    ("Allow", "INVITE,ACK"), ("Allow", "BYE"),
    ("Authorization", 'Digest realm="pbx", username="x", response="1"'),
    ("Privacy", "none"), ("Reason", "x;y;z"),
    ("X-Long", "l" * 3000), ("Warning", "no warning either"),
    ("Content-Disposition", "session ; handling = required"),
]
BODY = bytes(range(256)) + b"\r\n\r\nINVITE sip:in@body SIP/2.0\r\n"
CHANGED = ("P-Asserted-Identity",)


@pytest.mark.parametrize("transport", ["udp", "tcp"])
def test_a_nasty_invite(scene, transport):
    scene.start()
    alice, pbx = scene.alice(transport=transport), scene.pbx()
    uri = "sip:b%6Fb;day=tuesday@EXAMPLE.com;unknown=%41;lr;x"
    to = '"B\\"ob, <x>" <sip:b%6Fb@example.com;x=1>;odd="a;b,c"'
    alice.send("INVITE", uri, to=to, body=BODY, headers=NASTY,
               contact='"A, \\"lice" <%s>;+sip.instance="<urn:uuid:1>"'
               % alice.contact)
    alice.expect(407)
    sent = alice.answer()
    got = pbx.expect("INVITE")
    assert got.uri == uri
    check.same_but_for_proxy(sent, got, CHANGED)


def test_compact_forms_stay_compact(scene):
    scene.start()
    alice, pbx = scene.alice(), scene.pbx()
    alice.send("OPTIONS", "sip:bob@example.com")
    alice.expect(407)
    request = alice.authorize(alice.again())
    short = {"From": "f", "To": "t", "Call-ID": "i", "Contact": "m",
             "Content-Length": "l", "Via": "v"}
    request.headers = [(short.get(n, n), v) for n, v in request.headers]
    sent = alice.post(request)
    got = pbx.expect("OPTIONS")
    check.same_but_for_proxy(sent, got, CHANGED)
    pbx.reply(200)
    alice.expect(200)


def test_a_nasty_response(scene):
    scene.start()
    alice, pbx = scene.alice(), scene.pbx()
    ask(alice)
    pbx.expect("OPTIONS")
    nasty = [h for h in NASTY if h[0] != "Authorization"]
    sent = pbx.reply(200, reason="  Fine,\tthanks \u260e", body=BODY,
                     headers=nasty + [("P-Asserted-Identity", "<sip:b@x>")])
    got = alice.expect(200)
    assert got.start == sent.start
    check.same_but_for_proxy(sent, got, ("P-Asserted-Identity",))


def test_spacing_of_header_lines_survives(scene):
    scene.start()
    alice, pbx = scene.alice(), scene.pbx()
    alice.send("MESSAGE", "sip:bob@example.com")
    alice.expect(407)
    request = alice.authorize(alice.again())
    lines = request.encode()[:-2] + \
        b"X-A:no-space\r\nX-B  :  both  \r\nX-C:\ttab\t\r\n\r\n"
    alice.raw(lines)
    got = pbx.expect("MESSAGE").lines()
    for line in (b"X-A:no-space", b"X-B  :  both  ", b"X-C:\ttab\t"):
        assert line in got
    pbx.reply(200)
    alice.expect(200)


def test_a_large_body_over_udp(scene):
    scene.start(limits={"udp_max": "off"})
    alice, pbx = scene.alice(), scene.pbx()
    got = serve(alice, pbx, method="MESSAGE", body=b"x" * 40000,
                headers=[("Content-Type", "text/plain")])
    assert got.flow.transport == "udp" and got.body == b"x" * 40000


def test_credentials_of_other_realms_pass(scene):
    scene.start()
    alice, pbx = scene.alice(), scene.pbx()
    theirs = 'Digest   username="x",realm="pbx.example" , response="1"'
    alice.send("OPTIONS", "sip:bob@example.com")
    alice.expect(407)
    request = alice.again().add("Proxy-Authorization", theirs)
    request.add("Authorization", 'Digest realm="example.com", x="kept"')
    alice.authorize(request)
    request.add("Proxy-Authorization", "Basic Zm9vOmJhcg==")
    alice.post(request)
    got = pbx.expect("OPTIONS")
    assert got.all("Proxy-Authorization") == [theirs, "Basic Zm9vOmJhcg=="]
    assert got.all("Authorization") == ['Digest realm="example.com", x="kept"']
    assert b"Proxy-Authorization: " + theirs.encode() in got.lines()
    pbx.reply(200)
    alice.expect(200)


def test_credentials_of_other_realms_alone_are_told(scene):
    scene.start(log={"level": "info"})
    alice = scene.alice()
    alice.send("REGISTER", "sip:example.com")
    alice.expect(407)
    alice.answer(realm="asterisk")
    alice.expect(407)
    scene.log.has(event="request.refused", reason="other-realm", status="407")


def test_only_our_via_is_taken_off_a_response(scene):
    scene.start()
    alice, pbx = scene.alice(), scene.pbx()
    alice.send("OPTIONS", "sip:bob@example.com")
    alice.expect(407)
    request = alice.authorize(alice.again())
    request.headers.insert(1, (
        "Via", "SIP/2.0/UDP 192.0.2.9;branch=z9hG4bKdeep, "
        "SIP / 2.0 / TCP  other.test : 99 ;branch=z9hG4bKdeeper;odd"))
    alice.post(request)
    got = pbx.expect("OPTIONS")
    assert len(got.values("Via")) == 4
    pbx.reply(200)
    vias = alice.expect(200).values("Via")
    assert len(vias) == 3
    assert sip.params_of(vias[0])["rport"] == "5060"
    assert "deeper;odd" in vias[2]


@pytest.mark.parametrize("more", [
    "", ";maddr=192.0.2.7", ";received=192.0.2.7"])
def test_the_vias_of_one_line_all_pass(scene, more):
    # the parser keeps the bytes of a line with its first value only
    scene.start()
    alice, pbx = scene.alice(), scene.pbx()
    below = ["SIP/2.0/UDP 192.0.2.9;branch=z9hG4bKdeep",
             "SIP/2.0/TCP other.test:99;branch=z9hG4bKdeeper;odd"]
    alice.send("OPTIONS", "sip:bob@example.com")
    alice.expect(407)
    request = alice.authorize(alice.again())
    alice.post(request.set("Via", ", ".join(
        [request["Via"] + more] + below)))
    got = pbx.expect("OPTIONS").values("Via")
    assert len(got) == 4 and got[2:] == below
    assert "192.0.2.7" not in got[1]
    pbx.reply(200)
    assert alice.expect(200).values("Via") == got[1:]


def test_in_dialog_requests_pass_byte_for_byte(scene):
    scene.start()
    alice, pbx = scene.alice(), scene.pbx()
    call(alice, pbx)
    sent = pbx.in_dialog("INFO", headers=NASTY, body=BODY)
    got = alice.expect("INFO")
    check.same_but_for_proxy(sent, got, CHANGED)
    alice.reply(200)
    pbx.expect(200)
