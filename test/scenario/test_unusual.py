"""Requests that are legal, and that hardly anybody sends: from a peer and from
a user each goes through unharmed, and its answer comes back."""

import re

import pytest

from harness import check, sip
from harness.daemon import user_line
from harness.scene import ask, call, refused, serve

SDP = "v=0\r\no=- 1 1 IN IP4 192.0.2.1\r\ns=-\r\nc=IN IP4 192.0.2.1\r\n" \
    "t=0 0\r\nm=audio 4000 RTP/AVP 0\r\n"
PARTS = b"--b\r\nContent-Type: multipart/alternative;boundary=\"b 2\"\r\n\r\n" \
    b"--b 2\r\nContent-Type: text/plain\r\n\r\nhi\r\n--b 2--\r\n--b\r\n" \
    b"Content-Type: application/octet-stream\r\n\r\n\0\1\r\r\n\n\r\n\xff\r\n" \
    b"--b--\r\n"
VIA = "SIP/2.0/UDP 192.0.2.7:5060;branch=z9hG4bK776;rport"
ALICE = "<sip:alice@example.com>;tag=1"
BOB = "sip:bob@example.com"
OURS = ["Path"]


def text(method="OPTIONS", uri=BOB, more=(), version="SIP/2.0", **changes):
    """changes: other values, None: without it; or a whole line in a list."""
    body = changes.pop("body", b"")
    body = body.encode() if isinstance(body, str) else body
    lines = {
        "Via": VIA, "Max-Forwards": "70", "From": ALICE,
        "To": "<%s>" % BOB, "Call-ID": "776@192.0.2.7",
        "CSeq": "1 " + method, "Contact": "<sip:alice@192.0.2.7>",
        "Content-Length": str(len(body))}
    lines.update((k.replace("_", "-"), v) for k, v in changes.items())
    head = ["%s %s %s" % (method, uri, version)]
    head += [v[0] if isinstance(v, list) else "%s: %s" % (k, v)
             for k, v in lines.items() if v is not None]
    return "\r\n".join(head + list(more)).encode() + b"\r\n\r\n" + body


def invite(uri=BOB, more=(), **changes):
    return text("INVITE", uri, more, body=SDP, **changes)


CASES = {
    # ---- the start line
    "a small version": text(
        version="sip/2.0", Via=VIA.replace("SIP/2.0/UDP", "sip/2.0/udp")),
    "a method of every sign": text("MY-METHOD.v1!%*_+`'~"),
    "an escaped user": text(uri="sip:%62ob%20smith@example.com"),
    "a user of every sign": text(uri="sip:a-_.!~*'()&=+$,;?/@example.com"),
    "a password": text(uri="sip:bob:secret@example.com"),
    "a host in large letters": text(uri="SIP:bob@EXAMPLE.com"),
    "a host of the root": text(uri="sip:bob@example.com."),
    "a parameter of every sign": text(
        uri=BOB + ";a=[]/:&+$-_.!~*'()%41;b"),
    "a GRUU": text(uri=BOB + ";gr=urn:uuid:f81d4fae-7dec-11d0-a765-0a0c91"),
    "blank lines before": b"\r\n\r\n" + text(),
    # ---- other schemes
    "a subaddress": invite("tel:+1-201-555-0123;isub=1411"),
    "an extension": invite("tel:+49(30)1234;ext=55"),
    "a local number": invite("tel:863-1234;phone-context=+1-914-555"),
    "a number in a domain": invite("tel:7042;phone-context=example.com"),
    "parameters of others": invite("tel:+4930123;cpc=priority;tsp=x.example"),
    "a ported number": invite("tel:+4930123;enumdi;npdi;rn=+49-40"),
    "TEL": invite("TEL:+4930123"),
    "an emergency": invite("urn:service:sos", To="<urn:service:sos>"),
    "the police": invite("URN:service:Sos.Police"),
    "counselling": invite("urn:service:counseling.mental-health"),
    "To elsewhere": text(To="<http://example.com/x?y=z>"),
    "From a number": text(From="<tel:+4930123>;tag=1"),
    # ---- whom it is from and to
    "quoted pairs": text(From='"A \\"the\\\\ man\\" \\B" ' + ALICE,
                         To='"\\"" <%s>' % BOB),
    "an escape in From": text(From="<sip:al%69ce@example.com>;tag=1"),
    "a name of every sign": text(From="A!%*_+`'~.-B C " + ALICE),
    "a name in UTF-8": text(From='"J\u00fcrgen" ' + ALICE),
    "the same without quotes": text(From="J\u00fcrgen \u00c4 " + ALICE),
    "no name in quotes": text(From='"" ' + ALICE, To='""<%s>' % BOB),
    "no blank behind a name": text(From='"A"' + ALICE, To="B<%s>" % BOB),
    "no brackets": text(From="sip:alice@example.com;tag=1;x=y", To=BOB,
                        Contact="sip:alice@192.0.2.7;q=0.7;expires=60"),
    "a tag of every sign": text(
        From="<sip:alice@example.com>;tag=-.!%*_+`'~"),
    "TAG": text(From="<sip:alice@example.com>;TAG=1"),
    "values like hosts": text(From=ALICE + ";x=[2001:db8::1];y=a.example"),
    "nobody": invite(
        From='"Anonymous" <sip:anonymous@anonymous.invalid>;tag=1',
        more=["Privacy: user;id"]),
    # ---- blanks
    "blanks in Via": text(
        Via=["Via  :  SIP / 2.0 / UDP   192.0.2.7 : 5060 ; branch = "
             "z9hG4bK776 ;\r\n\trport"]),
    "folded": text(From='\r\n "A"\r\n\t<sip:alice@example.com>\r\n ;\r\n tag'
                   "\r\n =\r\n x", To='"B" \t <%s>  ;  x  =  y' % BOB),
    "folded behind a URI": text(
        From="sip:alice@example.com\r\n ;tag=1", To="tel:+49\r\n\t ;x=y",
        Contact="sip:alice@192.0.2.7:5060\r\n ;q=1"),
    "folded behind a number": invite(From="tel:+4930\r\n ;tag=1"),
    "folded, of another method": text(
        "SERVICE", From="sip:alice@example.com\r\n ;tag=1"),
    "a name in UTF-8, of another method": text(
        "a+b", From="J\u00fcrgen \u00c4 " + ALICE),
    "folded behind an address": text(
        From="sip:alice@[2001:db8::1]:5070\r\n ;tag=1",
        Contact="sip:alice@[2001:db8::9]\r\n ;q=1"),
    "blanks in CSeq": text(CSeq="1 \t\r\n  OPTIONS"),
    "zeros": text(CSeq="0009 OPTIONS", Max_Forwards="0070",
                  Content_Length="0000"),
    "compact": text(
        Via=["v:" + VIA], From=["f:" + ALICE], To=["t:<%s>" % BOB],
        Call_ID=["i:776"], Contact=["m: <sip:alice@192.0.2.7>"],
        Content_Length=["l:0"], more=["k:100rel,,path", "s:x", "y:z"]),
    "names in other case": text(
        Via=["vIA:" + VIA], From=["FROM:" + ALICE], To=["tO: <%s>" % BOB],
        Call_ID=["CALL-ID: 776"], CSeq=["cSEQ: 1 OPTIONS"]),
    "nothing in headers": text(more=[
        "Supported:", "Accept: ", "Allow:", "Subject:", "Organization: ",
        "Accept-Encoding:", "Server:", "Proxy-Require:"]),
    # ---- Via, Call-ID, Contact
    "several in one Via": text(
        Via=VIA + ", SIP/2.0/UDP b.example;branch=z9hG4bKb ,SIP/2.0/TLS-SCTP "
        "c.example:5061;received=192.0.2.1;maddr=192.0.2.2"),
    "parameters of Via": text(
        Via=VIA + ";alias;keep;oc;oc-algo=\"loss\";comp=sigcomp;"
        "sigcomp-id=\"<urn:uuid:0C67446E-F1A1-11D9-94D3-000A95A0E128>\""),
    "a comment in Via": text(Via=VIA + " (Acme (server))"),
    "a branch of every sign": text(
        Via="SIP/2.0/UDP x--y.a-b.example.;branch=z9hG4bK776-a.b!c%*_+`'i~"),
    "Via of IPv6": text(
        Via=VIA.replace("192.0.2.7", "[2001:db8::9]"),
        Contact="<sip:alice@[2001:db8::9]:5060>"),
    "a Call-ID of every sign": text(
        Call_ID="776-.!%*_+`'~()<>:\\\"/[]?{}@-.!%*_+`'~()<>:\\\"/[]?{}"),
    "parameters of Contact": invite(
        Contact='<sip:alice@192.0.2.7>;ob;+sip.instance="<urn:uuid:1>";'
        '+sip.ice;reg-id=1;x="a;b,c>\\"d<"'),
    "headers in Contact": invite(
        Contact="<sip:alice@192.0.2.7?Subject=x%20y&Replaces=a%40b%3Bto-tag"
        "%3Dc>"),
    "Contact a number": invite(Contact="<tel:+4930123>"),
    # ---- others
    "no Max-Forwards": text(Max_Forwards=None),
    "Record-Route in one line": invite(more=[
        "Record-Route: <sip:a.example;lr>,<sip:b.example;lr> , \"x\" "
        "<sip:c.example>"]),
    "UTF-8": invite(more=[
        "Subject: \u00c4pfel \u65e5\u672c", "Organization: \u00d6",
        "Alert-Info: <urn:alert:service:call-waiting>"]),
    "unknown headers": text(more=["X!%*_+`'~.-: y", "1: 2", "x-a:",
                                  "X-Long: " + "y" * 5000]),
    "another's credentials": text(more=[
        'Authorization: Digest username="x", realm="other", nonce="n", '
        'uri="sip:o", response="%032d"' % 0, "Authorization: Bearer x"]),
    "what only the far end must know": text(more=["Require: 100rel, timer"]),
    "headers of others": text(more=[
        'Warning: 307 a.example "foo", 301 x:5060 "y"', "In-Reply-To: a@b, c",
        "Timestamp: 54.21 0.1", "Max-Breadth: 60"]),
    # ---- methods, and bodies
    "parts": text("INVITE", body=PARTS,
                  more=["Content-Type: multipart/mixed ; boundary = b"]),
    "NOTIFY that nobody asked for": text(
        "NOTIFY", body="Messages-Waiting: yes\r\n",
        more=["Event: message-summary", "Subscription-State: active"]),
    "PUBLISH": text("PUBLISH", body="<presence/>", more=[
        "SIP-If-Match: dx200xyz", "Event: presence",
        "Content-Type: application/pidf+xml"]),
    "PRACK": text("PRACK", To="<%s>;tag=3" % BOB, more=["RAck: 7 1 INVITE"]),
    "UPDATE": text("UPDATE", To="<%s>;tag=3" % BOB, body=SDP,
                   more=["Session-Expires: 1800;refresher=uac"]),
    "REFER": text("REFER", more=[
        "Refer-To: <sip:c@example.com?Replaces=12%40x%3Bto-tag%3D5>",
        "Referred-By: %s;cid=\"x@y\"" % ALICE[:-6]]),
    "no type": text("MESSAGE", body="hi"),
    "a large one of another method": text("SERVICE", body="x" * 20000),
    "no length": text("MESSAGE", body="hi", Content_Length=None),
    "an end of bindings": text("REGISTER", "sip:example.com", Contact="*",
                               more=["Expires: 0"]),
}


def of_transport(data, transport):
    return re.sub(rb"(?i)((?:^|\n)v(?:ia)?\s*:[^,;]*?)\bUDP\b",
                  rb"\1" + transport.upper().encode(), data, count=1)


def cases(transport):
    """Each with ids of its own."""
    for n, (what, data) in enumerate(CASES.items()):
        if transport == "udp" or what != "no length":
            yield what, of_transport(data.replace(
                b"776", b"776%d" % n), transport)


def start(scene, **changes):
    """Alice may be anybody, and the one at .30 is a peer."""
    scene.write_config(
        domains=["example.com"],
        peers=[scene.pbx_peer(path="rfc", trusted=False),
               {"name": "near", "from": [scene.net.host(30)], "auth": "ip"}],
        **changes)
    scene.write_users([user_line("alice", "example.com", "wonderland",
                                 ["sip:*@*", "tel:*"])])
    scene.daemon.start()


def values(message, name):
    return [" ".join(v.split()) for v in message.values(name)]


def passes(sender, pbx, data):
    sent = sip.Message.parse(data.lstrip())
    got = pbx.expect(sent.method)
    assert got.start == sent.start
    check.same_but_for_proxy(sent, got, OURS)
    assert values(got, "Via")[2:] == values(sent, "Via")[1:]
    assert int(got["Max-Forwards"]) == int(sent.get("Max-Forwards", "71")) - 1
    pbx.reply(200, to=got, contact=False)
    back = sender.expect(200)
    for name in ("From", "Call-ID", "CSeq"):
        assert values(back, name) == values(sent, name)


@pytest.mark.parametrize("transport", ["udp", "tcp"])
def test_a_peers_goes_through_unharmed(scene, transport):
    start(scene)
    near, pbx = scene.phone("near", 30, transport=transport), scene.pbx()
    for what, data in cases(transport):
        scene.ladder.note(what)
        near.raw(data)
        passes(near, pbx, data)


@pytest.mark.parametrize("transport", ["udp", "tcp"])
def test_a_users_goes_through_unharmed(scene, transport):
    start(scene)
    alice, pbx = scene.alice(transport=transport), scene.pbx()
    for what, data in cases(transport):
        scene.ladder.note(what)
        prove(alice, data)
        passes(alice, pbx, data)


def prove(phone, data):
    phone.raw(data)
    phone.expect(407)
    proof = phone.authorize(sip.Message.parse(data.lstrip())).headers[-1]
    at = data.index(b"\r\n", 4) + 2
    phone.raw(data[:at] + ("%s: %s\r\n" % proof).encode() + data[at:])


def test_a_fold_is_no_part_of_an_identity(scene):
    scene.write_config(peers=[scene.pbx_peer(trusted=True)])
    scene.write_users([user_line("alice", "example.com", "wonderland",
                                 ["tel:+4930"])])
    scene.daemon.start()
    alice, pbx = scene.alice(), scene.pbx()
    prove(alice, invite(From="tel:+4930\r\n ;tag=1"))
    assert pbx.expect("INVITE").all("P-Asserted-Identity") == ["<tel:+4930>"]
    pbx.reply(486)
    alice.expect(486)


@pytest.mark.parametrize("method", ["OPTIONS", "SERVICE", "X+`"])
@pytest.mark.parametrize("end", ["", "\r\n ", "\r\n\t \r\n "])
def test_a_fold_hides_nobody_from_a_route(scene, end, method):
    start(scene, routes=[{"from_uri": "sip:alice@example.com", "reject": 603},
                         {"to": "pbx"}])
    near = scene.phone("near", 30)
    near.raw(text(method, From="sip:alice@example.com%s;tag=1" % end))
    near.expect(603)


# ---- service URNs (RFC 5031)

def test_services_have_routes_of_their_own(scene):
    start(scene, routes=[
        {"uri": "urn:service:sos*", "to": "pbx"},
        {"uri_regex": "urn:service:[a-z.]+", "reject": 404},
        {"uri": "*", "reject": 410}])
    alice, pbx = scene.alice(), scene.pbx()
    got = serve(alice, pbx, uri="urn:service:SOS.fire")
    assert got.uri == "urn:service:SOS.fire"
    refused(alice, 404, uri="urn:service:Counseling.children")
    refused(alice, 410, uri="urn:service:x-1")
    refused(alice, 410)


def test_a_call_for_help_is_a_call(scene):
    start(scene, routes=[{"to": "pbx"}])
    alice, pbx = scene.alice(), scene.pbx()
    call(alice, pbx, "urn:service:sos")
    pbx.bye()
    alice.expect("BYE")
    alice.reply(200)
    pbx.expect(200)


@pytest.mark.parametrize("source", [None, "near"])
def test_a_service_is_no_address(scene, source):
    # nor a host "service", with or without a name server that knows one
    start(scene, routes=[{"from": ["strangers", "near"],
                          "to": "request-uri"}])
    sender = scene.phone(source, 30) if source else scene.alice()
    refused(sender, 404, uri="urn:service:sos")


@pytest.mark.parametrize("uri", [
    "urn:service:", "urn:service", "urn:service:.sos", "urn:service:sos.",
    "urn:service:sos;x=y", "urn:service:sos@example.com", "urn:service:-a",
    "urn:service:sos:5060", "urn:services:sos", "urn:service:%73os",
    "urn:service:" + "a" * 28, "urn:uuid:f81d4fae", "urn:"])
def test_no_other_urn_is_let_in(scene, uri):
    scene.start()
    mallory = scene.mallory()
    mallory.send("OPTIONS", uri, to=BOB)
    mallory.expect(400 if uri == "urn:" else 416)


def test_help_comes_for_whom_calls_are_barred(scene):
    # limits.emergency names numbers; sos needs none
    start(scene, limits={"emergency": ["112"]},
          classes=[{"name": "default", "allow": ["+49"]}])
    alice, pbx = scene.alice(), scene.pbx()
    refused(alice, 403, "INVITE", "urn:service:counseling", body=SDP)
    refused(alice, 403, "INVITE", "urn:service:sosx", body=SDP)
    ask(alice, "INVITE", "urn:service:sos.police", body=SDP)
    pbx.expect("INVITE")
    pbx.reply(486)
    alice.expect(486)
