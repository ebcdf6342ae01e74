"""A stranger's first request is answered from the bytes of its datagram where
it is plain, and else the full way: nobody can tell which, but by a counter."""

import os
import random
import signal
import socket

import pytest

from harness import balancer, check, sip
from harness.scene import NO_RATES, ask, ringing, serve

TORTURE = os.path.join(os.path.dirname(__file__), "..", "data", "torture")
BOB = "sip:bob@example.com"

SDP = "v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\n" \
    "t=0 0\r\nm=audio 4000 RTP/AVP 0\r\n"


def text(method="OPTIONS", uri=BOB, body="", **changes):
    """A plain request.  changes: other values of headers, None: without it;
    with the other name if the value is a pair."""
    lines = {
        "via": ("Via", "SIP/2.0/UDP 127.0.0.1:5060;rport;branch=z9hG4bK776as"),
        "max_forwards": ("Max-Forwards", "70"),
        "from_": ("From", "\"Al\" <sip:alice@example.com>;tag=9fxced76sl"),
        "to": ("To", "<sip:bob@example.com>"),
        "call_id": ("Call-ID", "3848276298220188511@127.0.0.1"),
        "cseq": ("CSeq", "1 " + method),
        "contact": ("Contact", "<sip:alice@127.0.0.1:5070>"),
        "user_agent": ("User-Agent", "Phone 1.0 (x; y)"),
        "length": ("Content-Length", str(len(body)))}
    more = changes.pop("more", [])
    for key, value in changes.items():
        lines[key] = value if isinstance(value, (tuple, type(None))) \
            else (lines[key][0], value)
    head = ["%s %s SIP/2.0" % (method, uri)]
    head += ["%s: %s" % x for x in lines.values() if x is not None] + more
    return sip.octets("\r\n".join(head) + "\r\n\r\n" + body)


VIA = "SIP/2.0/UDP "
PLAIN = {
    "no rport": text(via=VIA + "10.1.1.1;branch=z9hG4bK1"),
    "rport at the end": text(via=VIA + "a.example;branch=z9hG4bK1;rport"),
    "a port in Via": text(via=VIA + "x-1.example:5062;branch=z9hG4bK-a.b_c"),
    "a host of ours": text(via=VIA + "@US@:5061;branch=z9hG4bK1"),
    "compact": text(
        via=("v", VIA + "10.1.1.1;rport;branch=z9hG4bK1"),
        from_=("f", "<sip:a@b.example>;tag=1"), to=("t", "<sip:c@d.example>"),
        call_id=("i", "x"), contact=("m", "<sip:a@10.1.1.1>"),
        length=("l", "0"), more=["c: application/sdp", "k: a,b", "s: x",
                                 "e: gzip", "u: presence", "o: presence",
                                 "x: 90"]),
    "other case": text(
        via=("VIA", VIA + "10.1.1.1;branch=z9hG4bK1"),
        from_=("from", "<sip:a@b.example>;tag=1"),
        to=("tO", "<sip:c@d.example>"), call_id=("call-id", "x"),
        cseq=("cseQ", "4 OPTIONS"), length=("content-lengtH", "0")),
    "a name": text(from_="Alice A <sip:a@b.example>;tag=1"),
    "names in quotes": text(from_="\"A. B-C\" <sip:a@b.example>;tag=a.b",
                            to="\"\" <sip:c@d.example>"),
    "parameters of URIs": text(
        from_="<sip:a@b.example;user=phone;x>;tag=1",
        to="<sip:+4930123@d.example:5070;transport=tcp>",
        contact="<sip:a@10.1.1.1;ob>;expires=60;q=0.5"),
    "no user": text(uri="sip:example.com", to="<sip:example.com:5060>"),
    "a number": text(uri="sip:+4930123456@example.com;user=phone"),
    "transport": text(uri="sip:b@example.com:5080;transport=udp"),
    "an address": text(uri="sip:b@192.0.2.1;transport=UDP;user=phone"),
    "no Max-Forwards": text(max_forwards=None),
    "Max-Forwards 1": text(max_forwards="1"),
    "Max-Forwards 255": text(max_forwards="255"),
    "CSeq 0": text(cseq="0 OPTIONS"),
    "a large CSeq": text(cseq="2147483647 OPTIONS"),
    "no length": text(length=None),
    "no length, a body": text("MESSAGE", length=None, body="hello"),
    "bytes behind the body": text("MESSAGE", length="3", body="hello"),
    "blank lines before": b"\r\n\r\n" + text(),
    "bytes in a body": text("INFO", body="\0\1\n\r\xff: x\r\n\r\n"),
    "bytes in a header": text(more=["Subject: \xff\t\x01;,<\""]),
    "an unread header that is broken": text(
        more=["Expires: soon", "Date: then", "Session-Expires: 9x",
              "Content-Type: /", "Event: ;;", "Accept: ,", "Allow: (",
              "Supported: x,", "Expires: 2"]),
    "User-Agents": text(more=["User-Agent: friendly-scanner"]),
    "no User-Agent": text(user_agent=None, contact=None),
    "a Call-ID": text(call_id="a:b.c-d'e!f@g:h"),
}
METHODS = ["INVITE", "REGISTER", "OPTIONS", "SUBSCRIBE", "NOTIFY", "PUBLISH",
           "MESSAGE", "INFO", "UPDATE", "PRACK", "REFER", "BYE", "FOO",
           "SERVICE", "PING", "A"]
PLAIN.update(("method " + m, text(
    m, body=SDP, more=["Content-Type: application/sdp", "Supported: 100rel",
                       "Allow: INVITE, ACK", "Accept: */*", "Expires: 60"]))
    for m in METHODS)

BRANCH = "z9hG4bK" + "A" * 32       # as long as one of ours
ODD = {
    "ACK": text("ACK"), "CANCEL": text("CANCEL"),
    "invite in small letters": text("invite"),
    "a token for a method": text("a.b-C_d!", cseq="7 a.b-C_d!"),
    "signs in a method": text("a+b`", cseq="7 a+b`"),
    "our name in Via": text(via=VIA + "@US@;branch=z9hG4bK1"),
    "our name and port": text(via=VIA + "@US@:5060;branch=z9hG4bK1"),
    "a branch like ours": text(via=VIA + "10.1.1.1;branch=" + BRANCH),
    "no branch": text(via=VIA + "10.1.1.1;rport"),
    "an old branch": text(via=VIA + "10.1.1.1;branch=1"),
    "an empty branch": text(via=VIA + "10.1.1.1;branch=z9hG4bK"),
    "two branches": text(via=VIA + "x;branch=z9hG4bK1;branch=z9hG4bK2"),
    "a second branch, empty": text(
        via=VIA + "x;branch=z9hG4bK1;branch=z9hG4bK"),
    "one before rport": text(
        via=VIA + "x;branch=z9hG4bK1;branch=z9hG4bK;rport"),
    "two rports": text(via=VIA + "x;rport;branch=z9hG4bK2;rport"),
    "rport with a value": text(via=VIA + "x;rport=5;branch=z9hG4bK2"),
    "received": text(via=VIA + "x;received=1.2.3.4;branch=z9hG4bK2"),
    "maddr": text(via=VIA + "x;maddr=1.2.3.4;branch=z9hG4bK2"),
    "ttl": text(via=VIA + "x;ttl=1;branch=z9hG4bK2"),
    "a comment in Via": text(via=VIA + "x;branch=z9hG4bK2 (hello)"),
    "two in one Via": text(via=VIA + "x;branch=z9hG4bK2, " + VIA
                           + "y;branch=z9hG4bK3"),
    "two Vias": text(more=["Via: SIP/2.0/UDP y;branch=z9hG4bK3"]),
    "Via of TCP": text(via="SIP/2.0/TCP x;branch=z9hG4bK1"),
    "Via in pieces": text(via="SIP / 2.0 / UDP x ;branch=z9hG4bK1"),
    "Via of IPv6": text(via=VIA + "[::1]:5060;branch=z9hG4bK1"),
    "a port of 0": text(via=VIA + "x:0;branch=z9hG4bK1"),
    "a port too large": text(via=VIA + "x:65536;branch=z9hG4bK1"),
    "a port of zeros": text(via=VIA + "x:05060;branch=z9hG4bK1"),
    "no host": text(via=VIA + ";branch=z9hG4bK1"),
    "a host of dots": text(via=VIA + "a..b;branch=z9hG4bK1"),
    "a long host": text(via=VIA + "a" * 201 + ";branch=z9hG4bK1"),
    "a folded header": text(more=["Subject: a\r\n b"]),
    "a folded Via": text(via=VIA + "x\r\n ;branch=z9hG4bK1"),
    "a blank before the colon": text(more=["Subject : a"]),
    "no blank behind it": text(more=["Subject:a"]),
    "blanks at the end": text(call_id="x "),
    "an empty header": text(more=["Supported:"]),
    "a second From": text(more=["From: <sip:a@b>;tag=1"]),
    "a second f": text(more=["f: <sip:a@b>;tag=1"]),
    "a second Call-ID": text(more=["i: x"]),
    "a second CSeq": text(more=["CSeq: 1 OPTIONS"]),
    "a second Contact": text(more=["m: <sip:a@b>"]),
    "no From": text(from_=None), "no To": text(to=None),
    "no CSeq": text(cseq=None), "no Call-ID": text(call_id=None),
    "no Via": text(via=None),
    "From without a tag": text(from_="<sip:a@b>"),
    "From without brackets": text(from_="sip:a@b;tag=1"),
    "From with more": text(from_="<sip:a@b>;x=y;tag=1"),
    "From with an empty tag": text(from_="<sip:a@b>;tag="),
    "two tags": text(from_="<sip:a@b>;tag=1;tag=2"),
    "a tag in To": text(to="<sip:a@b>;tag=1"),
    "To with more": text(to="<sip:a@b>;x"),
    "a name with a dot": text(from_="A. B <sip:a@b>;tag=1"),
    "a name that is not closed": text(from_="\"A <sip:a@b>;tag=1"),
    "a name with a quoted pair": text(from_="\"A\\\"\" <sip:a@b>;tag=1"),
    "a name in UTF-8": text(from_="\"\xc3\xa4\" <sip:a@b>;tag=1"),
    "tel": text(uri="tel:+4930123"), "sips": text(uri="sips:bob@example.com"),
    "a large scheme": text(uri="SIP:bob@example.com"),
    "no scheme": text(uri="bob@example.com"),
    "another scheme": text(uri="http://example.com/"),
    "a line": text(uri="sip:bob@example.com;line=x"),
    "headers in the URI": text(uri="sip:bob@example.com?Route=x"),
    "an escape": text(uri="sip:b%6fb@example.com"),
    "a password": text(uri="sip:bob:x@example.com"),
    "lr": text(uri="sip:@US@;lr"), "maddr in the URI": text(
        uri="sip:bob@example.com;maddr=1.2.3.4"),
    "URI of IPv6": text(uri="sip:bob@[::1]"),
    "two blanks": text(uri=" sip:bob@example.com"),
    "brackets": text(uri="<sip:bob@example.com>"),
    "another version": text().replace(b" SIP/2.0\r", b" SIP/3.0\r", 1),
    "a small version": text().replace(b" SIP/2.0\r", b" sip/2.0\r", 1),
    "CSeq of another": text(cseq="1 INVITE"),
    "CSeq in other case": text(cseq="1 options"),
    "CSeq too large": text(cseq="4294967296 OPTIONS"),
    "CSeq beyond 31 bits": text(cseq="2147483648 OPTIONS"),
    "CSeq with zeros": text(cseq="01 OPTIONS"),
    "CSeq below 0": text(cseq="-1 OPTIONS"),
    "CSeq in two blanks": text(cseq="1  OPTIONS"),
    "Max-Forwards 0": text(max_forwards="0"),
    "Max-Forwards below 0": text(max_forwards="-1"),
    "Max-Forwards x": text(max_forwards="x"),
    "Max-Forwards 256": text(max_forwards="256"),
    "two Max-Forwards": text(more=["Max-Forwards: 70"]),
    "a body that is short": text(length="10", body="hello"),
    "a length of zeros": text("MESSAGE", length="05", body="hello"),
    "a Contact that is broken": text(contact="<sip:a@b"),
    "a Contact *": text("REGISTER", contact="*"),
    "Contacts": text(contact="<sip:a@b>, <sip:c@d>"),
    "Route": text(more=["Route: <sip:x@example.com;lr>"]),
    "our Route": text(more=["Route: <sip:x@@US@;lr>"]),
    "Record-Route": text(more=["Record-Route: <sip:x;lr>"]),
    "Path": text("REGISTER", more=["Path: <sip:x;lr>"]),
    "Proxy-Require": text(more=["Proxy-Require: foo"]),
    "Max-Breadth": text(more=["Max-Breadth: 0"]),
    "Replaces": text("INVITE", more=["Replaces: x;to-tag=1;from-tag=2"]),
    "Timestamp": text("INVITE", more=["Timestamp: 3"]),
    "an unknown header": text(more=["X-Foo: bar"]),
    "credentials": text(more=["Proxy-Authorization: Digest x"]),
    "other credentials": text(more=["Authorization: Digest x"]),
    "a scanner": text(user_agent="friendly-scanner"),
    "a scanner that is not plain": text(user_agent="sipvicious",
                                        more=["X-Foo: bar"]),
}


def statuses(answers):
    return [int(x.split()[1]) for x in answers]


@pytest.mark.parametrize("challenge", ["proxy", "www"])
@pytest.mark.parametrize("how", [
    {}, {"algorithms": ["SHA-256"], "qop": ["auth-int", "auth"]},
    {"algorithms": ["SHA-512-256", "SHA-256", "MD5"], "legacy": True}],
    ids=["usual", "one", "legacy"])
def test_both_ways_answer_alike(pair, how, challenge):
    two = pair(auth=dict(how, register_challenge=challenge))
    for what, data in PLAIN.items():
        want = [401 if data.startswith(b"REGISTER") and challenge == "www"
                else 407]
        assert statuses(two.same(data, what)) == want, what
    assert two.challenged() == len(PLAIN)
    two.same_counters()
    for what, data in ODD.items():
        two.same(data, what)
    assert two.challenged() == len(PLAIN), "something odd was plain"
    two.same_counters()


def test_methods_that_strangers_may_not_use(pair):
    two = pair(auth={"methods": ["INVITE", "ACK", "CANCEL", "BYE"]})
    for method in METHODS:
        want = 407 if method in ("INVITE", "BYE") else 405
        assert statuses(two.same(PLAIN["method " + method])) == [want]
    assert two.challenged() == 2
    two.same_counters()


def test_torture(pair):
    two = pair()
    for name in sorted(os.listdir(TORTURE)):
        if name.endswith(".sip"):
            with open(os.path.join(TORTURE, name), "rb") as f:
                two.same(f.read(), name)
    two.same_counters()


PIECES = [b" ", b"\t", b"\r\n ", b"\r\n", b",", b";", b"<", b">", b"\"", b":",
          b"@", b"%00", b"\\", b"0", b"-1", b"[", b"]", b"?", b"=", b";tag=2",
          b";lr", b";line=x", b"\xff", b"\0", b"\r", b"\n", b"sip:", b"SIP",
          b"/", b"(", b")", b"a", b"UDP", b"CANCEL", b"ACK", b"*", b"#"]


def mutated(rng, data):
    """Some of it lost, doubled, moved, in other case, or with more in it."""
    out = bytearray(data)
    for _ in range(rng.choice([1, 1, 1, 2, 3])):
        at = rng.randrange(len(out))
        end = min(len(out), at + rng.choice([1, 1, 2, 5, 30]))
        how = rng.randrange(6)
        if how == 0:
            del out[at:end]
        elif how == 1:
            out[at:at] = rng.choice(PIECES)
        elif how == 2:
            out[at:end] = rng.choice(PIECES)
        elif how == 3:
            out[at:end] = bytes(out[at:end]).swapcase()
        elif how == 4:
            lines = bytes(out).split(b"\r\n")
            lines.insert(rng.randrange(1, len(lines)), rng.choice(lines))
            out = bytearray(b"\r\n".join(lines))
        else:
            other = text("INVITE", body=SDP).split(b"\r\n")
            lines = bytes(out).split(b"\r\n")
            lines[rng.randrange(len(lines))] = rng.choice(other)
            out = bytearray(b"\r\n".join(lines))
        out = out or bytearray(b"x")
    return bytes(out)


def test_both_ways_answer_what_is_damaged_alike(pair):
    two = pair()
    rng = random.Random(5)
    cases = list(PLAIN.values())
    for _ in range(3000):
        two.same(mutated(rng, rng.choice(cases)))
    assert 300 < two.challenged() < 2700, "a test of one way only"
    two.same_counters()


def test_answers_end_in_one_ack(scene):
    scene.start(log={"level": "info"}, limits=NO_RATES)
    alice = scene.alice()
    alice.send("INVITE", BOB)
    got = alice.expect(407)
    check.has_to_tag(got)
    counted = scene.daemon.metrics()
    assert counted["plain_challenges_total", ""] == 1
    assert counted["requests_ended_total", "ack-ours"] == 1


def test_who_answers_is_let_in(scene):
    scene.start(log={"level": "info"})
    serve(scene.alice(), scene.pbx())
    counted = scene.daemon.metrics()
    assert counted["plain_challenges_total", ""] == 1
    assert counted["requests_ended_total", "no-credentials"] == 1
    assert counted["requests_ended_total", "relayed"] == 1
    assert counted["requests_total", ""] == 2


def test_a_repeat_is_no_stranger(scene):
    # a transaction is there: whoever knows its ids gets its answer
    scene.start(log={"level": "info"})
    alice, pbx = scene.alice(), scene.pbx()
    ask(alice)
    pbx.expect("OPTIONS")
    pbx.reply(200)
    alice.expect(200)
    again = alice.sent.copy().remove("Proxy-Authorization")
    alice.raw(again.encode())
    alice.expect_again(200)
    assert scene.daemon.metrics()["plain_challenges_total", ""] == 1


def test_peers_are_no_strangers(scene):
    scene.start(log={"level": "info"}, routes=[
        {"from": "pbx", "to": "other"}, {"to": "pbx"}],
        peers=[scene.pbx_peer(), {
            "name": "other", "uri": "sip:%s:5060" % scene.net.host(6)},
            {"name": "far", "uri": "sip:%s:5060" % scene.net.host(7),
             "from": [scene.net.host(7)], "auth": "ip",
             "listener": "elsewhere"}],
        listen=[{"uri": "sip:%s:5060" % scene.at},
                {"name": "elsewhere", "uri": "sip:%s:5060"
                 % scene.net.host(2)}])
    pbx, other = scene.pbx(), scene.pbx(6, "other")
    pbx.send("OPTIONS", BOB)
    other.expect("OPTIONS")
    other.reply(200)
    pbx.expect(200)
    # a peer's address where the peer does not live: told, and challenged
    far = scene.pbx(7, "far")
    far.send("OPTIONS", BOB)
    far.expect(407)
    counted = scene.daemon.metrics()
    assert counted["plain_challenges_total", ""] == 0
    assert counted["peers_misplaced_total", ""] == 1


def test_a_daemon_that_ends_takes_no_strangers(scene):
    # a call that only rings lets it wait
    scene.start(log={"level": "info"}, limits=NO_RATES)
    alice, pbx = scene.alice(), scene.pbx()
    ringing(alice, pbx)
    scene.daemon.signal(signal.SIGTERM)
    scene.log.has(event="daemon.drain")
    mallory = scene.mallory()
    mallory.send("OPTIONS", BOB)
    mallory.expect(503)
    pbx.reply(486)
    alice.expect(486)


RATES = {"source": {"requests_per_source": "1/m burst 4"},
         "method": {"requests_per_source": "off",
                    "methods": {"OPTIONS": "1/m burst 4"}}}


@pytest.mark.parametrize("of", RATES)
@pytest.mark.parametrize("over", ["silence", "503"])
@pytest.mark.parametrize("level", ["info", "debug"])
def test_rates_are_drawn_on_once(pair, over, of, level):
    two = pair(limits=dict(NO_RATES, **RATES[of], over=over))
    host = two.hosts[level == "debug"]
    got = []
    for i in range(10):
        two.sock.sendto(text(call_id="c%d" % i), (host, 5060))
    daemon = two.full if level == "debug" else two.plain
    counted = daemon.metrics()
    two.sock.setblocking(False)
    try:
        while True:
            got.append(two.sock.recv(65536))
    except BlockingIOError:
        pass
    assert statuses(got) == [407] * 4 + [503] * (6 if over == "503" else 0)
    assert counted["requests_total", ""] == 10
    assert counted["guard_over_rate_total", of] == 6
    assert counted["requests_ended_total", "over-rate-told"
                   if over == "503" else "over-rate"] == 6
    assert counted["requests_ended_total", "no-credentials"] == 4
    assert counted["plain_challenges_total", ""] == \
        (4 if level == "info" else 0)
    if of == "source":
        assert daemon.log.has(event="guard.over-rate")["of"] == of


def test_scanners_meet_silence(pair):
    two = pair()
    for agent in ("friendly-scanner", "SIPVicious", "pplsip"):
        assert two.same(text(user_agent=agent)) == []
    assert two.plain.metrics()["requests_ended_total", "scanner"] == 3
    two.same_counters()


def test_behind_a_balancer(scene):
    # the source is who the balancer says, and answers go to the balancer
    scene.start(log={"level": "info"}, limits=NO_RATES, listen=[
        {"uri": "sip:%s:5060" % scene.at,
         "proxy_protocol": [scene.net.host(66)]}])
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.bind((scene.net.host(66), 0))
        sock.settimeout(5)
        sock.sendto(balancer.v2(("192.0.2.9", 4711), ("192.0.2.1", 5060),
                                balancer.DATAGRAM) + text(), scene.proxy)
        got = sock.recv(65536)
    assert statuses([got]) == [407]
    assert b";rport=4711;branch=z9hG4bK776as;received=192.0.2.9\r\n" in got
    assert scene.daemon.metrics()["plain_challenges_total", ""] == 1


def test_the_manual_names_it():
    check.manual_explains(["plain_challenges_total"])
