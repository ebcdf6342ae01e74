"""What nobody should send: a clear 4xx where an answer is due, silence where
not, and the next good request is served."""

import random
import socket
import time

import pytest

from harness import check, sip
from harness.patience import PATIENCE
from harness.phone import first_of
from harness.scene import ask, call, serve

def answers_of(phone, seconds=0.4):
    """Status of each answer within that time."""
    out = []
    while True:
        got = phone.receive(timeout=seconds)
        if got is None:
            return out
        out.append(got.status)


def good(phone, method="OPTIONS", **parts):
    return phone.make(method, "sip:bob@example.com", **parts)


GARBAGE = {
    "nothing": b"", "one byte": b"x", "zeros": bytes(100),
    "noise": bytes(random.Random(1).randbytes(1000)),
    "text": b"hello, are you there?\r\n\r\n",
    "http": b"GET / HTTP/1.1\r\nHost: x\r\n\r\n",
    "only a start line": b"OPTIONS sip:bob@example.com SIP/2.0\r\n\r\n",
    "no end": b"OPTIONS sip:bob@example.com SIP/2.0\r\nVia: SIP/2.0/UDP x",
    "tls": b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + bytes(100),
    "start line of blanks": b"   \r\n\r\n",
    "response line": b"SIP/2.0\r\n\r\n", "status": b"SIP/2.0 99999 x\r\n\r\n",
    "folded start": b"OPTIONS sip:bob@example.com\r\n SIP/2.0\r\n\r\n",
    "stun": bytes.fromhex("000100002112a442") + bytes(12),
}


@pytest.mark.parametrize("what", GARBAGE)
def test_garbage_is_silence_or_400(scene, what):
    scene.start()
    mallory, pbx = scene.mallory(), scene.pbx()
    mallory.raw(GARBAGE[what])
    assert answers_of(mallory, 0.3) in ([], [400])
    serve(scene.alice(), pbx)


def lone_lines(data, at, into):
    """The at-th CRLF replaced."""
    parts = data.split(b"\r\n")
    return b"\r\n".join(parts[:at]) + into + b"\r\n".join(parts[at:])


@pytest.mark.parametrize("transport", ["udp", "tcp"])
@pytest.mark.parametrize("into", [b"\r", b"\n", b"\r\r\n", b"\r\n\x00"],
                         ids=["cr", "lf", "crcrlf", "nul"])
@pytest.mark.parametrize("at", [1, 3])
def test_bare_line_ends_and_nul_are_refused(scene, transport, into, at):
    # the library takes them for line ends; the next hop may not
    scene.start()
    mallory = scene.mallory(transport=transport)
    pbx = scene.pbx()
    mallory.raw(lone_lines(good(mallory).encode(), at, into))
    assert answers_of(mallory, 0.3) in ([], [400])
    pbx.expect_nothing(0)
    serve(scene.alice(transport=transport), pbx)


@pytest.mark.parametrize("where", ["value", "quoted", "end"])
@pytest.mark.parametrize("byte", [b"\r", b"\n", b"\x00"],
                         ids=["cr", "lf", "nul"])
def test_a_header_cannot_be_smuggled_in(scene, byte, where):
    scene.start()
    alice, pbx = scene.alice(), scene.pbx()
    alice.send("OPTIONS", "sip:bob@example.com")
    alice.expect(407)
    request = alice.authorize(alice.again())
    value = {"value": "a@P-Asserted-Identity: <sip:boss@x>", "end": "a@",
             "quoted": '"a@P-Asserted-Identity: <sip:boss@x>"'}[where]
    data = request.add("X-Note", value).encode()
    alice.raw(data.replace(b"a@", b"a" + byte))
    assert answers_of(alice, 0.3) in ([], [400])
    pbx.expect_nothing(0.1)


def test_a_missing_via_is_silence(scene):
    scene.start()
    mallory, pbx = scene.mallory(), scene.pbx()
    mallory.post(good(mallory).remove("Via"))
    assert answers_of(mallory, 0.3) == []
    serve(scene.alice(), pbx)


@pytest.mark.parametrize("name, value", [
    ("Content-Length", "5, 5"), ("Route", "<sip:"), ("Route", "not a route"),
    ("From", ""), ("Max-Forwards", ""), ("Max-Forwards", "-1"),
    ("CSeq", "99999999999999999999 OPTIONS"), ("l", "0"),
])
def test_a_malformed_header_is_400(scene, name, value):
    scene.start()
    mallory, pbx = scene.mallory(), scene.pbx()
    request = good(mallory)
    mallory.post(request.add(name, value) if name == "l"
                 else request.set(name, value))
    assert mallory.receive().status == 400
    pbx.expect_nothing(0)
    serve(scene.alice(), pbx)


@pytest.mark.parametrize("value", ["SIP/2.0/UDP", ";;;"])
def test_a_via_that_says_nothing_is_silence(scene, value):
    scene.start()
    mallory, pbx = scene.mallory(), scene.pbx()
    mallory.post(good(mallory).set("Via", value))
    assert answers_of(mallory, 0.3) == []
    serve(scene.alice(), pbx)


def test_cseq_at_its_bound(scene):
    # RFC 3261 8.1.1.5: less than 2**31
    scene.start()
    alice, pbx = scene.alice(), scene.pbx()
    alice.send("OPTIONS", "sip:bob@example.com", cseq=2147483646)
    alice.expect(407)
    alice.answer()
    assert pbx.expect("OPTIONS").cseq[0] == 2147483647


@pytest.mark.parametrize("uri", [
    "sip:", "sip:@", "sip:@example.com", "sip:bob@", "sip:bob@ex ample.com",
    "sip:bob@[::1", "sip:bob@example.com:99999", "sip:bob@example.com:x",
    "*", "bob@example.com", "sip:%@%:%",
    "sip:bob@example.com;" + ";" * 500,
])
def test_a_malformed_request_uri(scene, uri):
    scene.start()
    mallory, pbx = scene.mallory(), scene.pbx()
    mallory.post(mallory.make("OPTIONS", uri, to="<sip:b@example.com>"))
    mallory.expect(400)
    mallory.expect_nothing(0.1)
    pbx.expect_nothing(0)
    serve(scene.alice(), pbx)


@pytest.mark.parametrize("header, count", [
    (("Via", "SIP/2.0/UDP h;branch=z9hG4bKx"), 10000),
    (("v", "SIP/2.0/UDP h"), 300), (("Route", "<sip:h;lr>"), 2000),
    (("X", "y"), 10000), (("Proxy-Authorization", "Digest realm=\"r\""), 900),
    (("Contact", "<sip:a@b>"), 900), (("Record-Route", "<sip:r;lr>"), 900),
    (("Supported", "a,b,c,d,e,f"), 900),
], ids=lambda v: v[0] if isinstance(v, tuple) else str(v))
def test_a_header_bomb(scene, header, count):
    scene.start()
    mallory, pbx = scene.mallory(), scene.pbx()
    request = good(mallory)
    data = request.encode()
    line = ("%s: %s\r\n" % header).encode()
    bomb = data[:-2] + line * count
    mallory.raw(bomb[:65000] + b"\r\n")
    got = answers_of(mallory, 0.5)
    assert got == [] or got[0] in (400, 407, 413, 483), got
    serve(scene.alice(), pbx)


def test_ten_thousand_vias_over_tcp(scene):
    scene.start()
    mallory, pbx = scene.mallory(transport="tcp"), scene.pbx()
    data = good(mallory).encode()[:-2]
    try:
        mallory.raw(data + b"Via: SIP/2.0/TCP h\r\n" * 10000 + b"\r\n")
    except OSError:
        pass                        # it may hang up on us at once
    got = answers_of(mallory, 0.5)
    assert got == [] or got[0] in (400, 413, 483), got
    serve(scene.alice(), pbx)


def test_a_line_that_never_ends(scene):
    scene.start()
    mallory, pbx = scene.mallory(transport="tcp"), scene.pbx()
    flow = mallory.default_flow()
    try:
        flow.send(b"OPTIONS sip:bob@example.com SIP/2.0\r\nX: ")
        for _ in range(100):
            flow.send(b"y" * 10000)
    except OSError:
        pass
    assert mallory.wire.wait_closed(flow)
    serve(scene.alice(), pbx)


@pytest.mark.parametrize("length", ["5", "0"])
def test_content_length_is_obeyed_over_udp(scene, length):
    # what stands behind the body is no part of the message
    scene.start()
    alice, pbx = scene.alice(), scene.pbx()
    alice.send("MESSAGE", "sip:bob@example.com", body="hello, trailing")
    alice.expect(407)
    request = alice.authorize(alice.again())
    alice.post(request.set("Content-Length", length))
    got = pbx.expect("MESSAGE")
    assert got.body == b"hello, trailing"[:int(length)]


def test_content_length_short_of_the_body_over_tcp_is_two_messages(scene):
    scene.start()
    alice, pbx = scene.alice(transport="tcp"), scene.pbx()
    one = good(alice, body="X").encode()
    two = good(alice).encode()
    alice.raw(one + two)
    alice.expect(407)
    alice.expect(407)
    serve(alice, pbx)


def test_a_missing_content_length_over_tcp(scene):
    # RFC 3261 18.3: without it nobody knows where the message ends
    scene.start()
    mallory, pbx = scene.mallory(transport="tcp"), scene.pbx()
    mallory.post(good(mallory).remove("Content-Length"))
    mallory.expect(400)
    mallory.expect_nothing(0.1)
    serve(scene.alice(), pbx)


def test_byte_by_byte_over_tcp(scene):
    scene.start()
    alice, pbx = scene.alice(transport="tcp"), scene.pbx()
    alice.send("MESSAGE", "sip:bob@example.com", body="hello")
    alice.expect(407)
    flow = alice.default_flow()
    for byte in alice.authorize(alice.again()).encode():
        flow.send(bytes([byte]))
    assert pbx.expect("MESSAGE").body == b"hello"


def test_many_requests_in_one_segment(scene):
    scene.start()
    alice = scene.alice(transport="tcp")
    alice.raw(b"".join(good(alice).encode() for _ in range(100)))
    for _ in range(100):
        alice.expect(407)


def test_a_connection_cut_in_the_middle(scene):
    scene.start()
    alice, pbx = scene.alice(), scene.pbx()
    for cut in range(1, 300, 7):
        with socket.create_connection(scene.proxy, PATIENCE) as sock:
            sock.sendall(good(alice).encode()[:cut])
    serve(alice, pbx)


def test_a_connection_closed_before_the_answer(scene):
    scene.start()
    alice, pbx = scene.alice(transport="tcp"), scene.pbx()
    ask(alice, "INVITE")
    invite = pbx.expect("INVITE")
    alice.wire.drop(alice.wire.flows[0])
    time.sleep(0.1)
    pbx.reply(180, to=invite)
    pbx.reply(200, to=invite)
    serve(scene.bob(), pbx)


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("transport", ["udp", "tcp"])
def test_mutations(scene, seed, transport):
    # a good request with random damage, many times: it must live on
    scene.start()
    alice, pbx = scene.alice(), scene.pbx()
    alice.send("INVITE", "sip:bob@example.com", body="v=0\r\n")
    alice.expect(407)
    data = alice.authorize(alice.again(), nc=9).encode()
    rng = random.Random(seed)
    mallory = scene.mallory(transport=transport)
    bits = [b"\r\n", b",", b";", b"<", b'"', b"\x00", b"\xff", b"%", b":",
            b"SIP/2.0", b" ", b"=", b"@", b"9" * 20, b"\\", b"*"]
    for _ in range(300):
        damaged = bytearray(data)
        for _ in range(rng.randint(1, 6)):
            at = rng.randrange(len(damaged))
            end = at + rng.choice((0, 1, 4, 30))
            damaged[at:end] = rng.choice(bits)
        try:
            flow = mallory.default_flow()
            flow.send(bytes(damaged))
        except OSError:
            continue
        mallory.wire.pump(0)
        mallory.wire.inbox.clear()
    time.sleep(0.2)
    while pbx.receive(timeout=0.05):
        pass
    bob = scene.bob()
    ask(bob, "MESSAGE")
    while pbx.expect(("MESSAGE", "INVITE", "ACK", "CANCEL")).method \
            != "MESSAGE":
        pass
    pbx.reply(200)
    bob.expect(200)


def test_an_answer_is_no_larger_than_it_must_be(scene):
    # nobody should gain by forging a victim's address
    scene.start()
    alice = scene.alice()
    alice.send("OPTIONS", "sip:bob@example.com")
    got = alice.expect(407)
    assert len(got.raw) < 4 * len(alice.sent.raw)


@pytest.mark.parametrize("maddr", ["slow.example.org", "127.0.0.1",
                                   "224.0.1.75"])
def test_a_strangers_via_cannot_aim_our_answers(scene, maddr):
    scene.start()
    mallory, victim = scene.mallory(), scene.phone("victim", 77)
    where = maddr if maddr != "127.0.0.1" else victim.host
    request = good(mallory)
    request.set("Via", "SIP/2.0/UDP %s:5060;branch=z9hG4bK1;maddr=%s" % (
        victim.host, where))
    mallory.post(request)
    victim.expect_nothing(0.3)
    got = mallory.receive(timeout=0.3)
    assert got is None or got.status in (400, 407)


@pytest.mark.parametrize("uri", [
    "sip:bob@example.com;maddr=127.0.0.1", "sip:bob@example.com:9",
    "sip:bob@example.com;transport=tcp"])
def test_a_request_uri_cannot_aim_our_requests(scene, uri):
    scene.start()
    alice, pbx = scene.alice(), scene.pbx()
    ask(alice, uri=uri)
    who, got = first_of(alice, pbx)
    assert got.method == "OPTIONS" if who is pbx else \
        got.status in (400, 403)


def test_memory_does_not_grow_under_strangers(scene, monkeypatch):
    # a sanitizer would keep what was freed, to see it used
    monkeypatch.setenv("ASAN_OPTIONS", "quarantine_size_mb=1")
    scene.start()
    mallory = scene.mallory()
    flow = mallory.default_flow()

    def flood(count):
        for n in range(count):
            flow.send(good(mallory, call_id="c%d" % n).encode())
            if n % 50 == 0:
                time.sleep(0.005)
                while mallory.wire.next(0):
                    pass

    flood(3000)
    before = scene.daemon.rss_kb()
    flood(9000)
    grown = scene.daemon.rss_kb() - before
    assert grown < 4000, "%d kB" % grown
    serve(scene.alice(), scene.pbx())


def test_calls_do_not_leak_into_one_another(scene):
    scene.start()
    alice, bob, pbx = scene.alice(), scene.bob(), scene.pbx()
    same = "the-same-call-id"
    call(alice, pbx, call_id=same)
    call(bob, pbx, call_id=same)
    bob.bye()
    bob.expect(407)
    bob.answer()
    assert sip.params_of(pbx.expect("BYE")["From"])["tag"] in \
        bob.dialog.local
    pbx.reply(200)
    bob.expect(200)
    alice.expect_nothing(0.1)
    check.has_to_tag(bob.response)
