"""What a message is refused for: a reason of its own, and which header."""

import pytest

from harness import check, sip
from harness.scene import ask, call, refused, ringing, serve
from harness.tls import Caller

EVERYBODYS = ["INVITE", "ACK", "CANCEL", "BYE", "OPTIONS"]


def good(phone, method="OPTIONS", uri="sip:bob@example.com", **parts):
    return phone.make(method, uri, **parts)


def is_refused(scene, request, reason, header=None, status=400):
    """A stranger who sends it hears that status, and the log and a counter
    say why; as an ACK it gets silence; nothing goes on."""
    scene.start()
    mallory, pbx = scene.mallory(), scene.pbx()
    mallory.post(request(mallory))
    assert mallory.receive().status == status
    line = scene.log.has(event="request.refused", reason=reason)
    assert line["header"] == (header or "-")
    assert scene.daemon.metrics()["requests_ended_total", reason] == 1
    pbx.expect_nothing(0)
    serve(scene.alice(), pbx)


@pytest.mark.parametrize("name", ["From", "To", "Call-ID", "CSeq"])
def test_a_missing_header(scene, name):
    is_refused(scene, lambda m: good(m).remove(name), "missing-header", name)


def test_a_missing_length_on_a_connection(scene):
    scene.start()
    mallory = scene.mallory(transport="tcp")
    mallory.post(good(mallory).remove("Content-Length"))
    mallory.expect(400)
    scene.log.has(reason="missing-header", header="Content-Length")


@pytest.mark.parametrize("name, value", [
    ("From", "<sip:x@y>;tag=2"), ("f", "<sip:x@y>"), ("To", "<sip:x@y>"),
    ("Call-ID", "2"), ("i", "2"), ("CSeq", "2 OPTIONS"),
    ("Max-Forwards", "70")])
def test_a_header_twice(scene, name, value):
    full = {"f": "From", "i": "Call-ID"}.get(name, name)
    is_refused(scene, lambda m: good(m).add(name, value), "header-twice",
               full)


@pytest.mark.parametrize("name, value, reason", [
    ("From", "<sip:a@b", "bad-header"), ("From", '"a <sip:a@b>',
                                         "bad-header"),
    ("To", "<sip:a@b> x", "bad-header"), ("To", "<sip:a@b>;;x", "bad-header"),
    ("Contact", "<sip:a@b>;;;", "bad-header"),
    ("Contact", "<sip:a@b>, <sip:a b@c>", "bad-header-uri"),
    ("Contact", "<sip:a@b>, \xfc<sip:a@c>", "bad-header-uri"),
    ("From", "<sip:a b@c>;tag=1", "bad-header-uri"),
    ("From", "<sip:a<b@c>;tag=1", "bad-header-uri"),
    ("To", "<sip:a@b@c>", "bad-header-uri"), ("To", "<>", "bad-header-uri"),
    ("To", "sip:a@b?x=y", "bad-header-uri"),
    ("To", "<sip:2001:db8::1>", "bad-header-uri"),
    ("To", "<sip:a@[2001:db8::1>", "bad-header-uri"),
    ("To", "<tel:+x>", "bad-tel"), ("From", "<tel:>;tag=1", "bad-tel"),
    ("From", "<sip:a@b>;tag=", "bad-tag"),
    ("From", "<sip:a@b>;tag", "bad-tag"),
    ("From", '<sip:a@b>;tag="1"', "bad-tag"),
    ("From", "<sip:a@b>;tag=1;tag=2", "bad-tag"),
    ("To", "<sip:a@b>;tag=1;Tag=1", "bad-tag"),
    ("Call-ID", "a b", "bad-call-id"), ("Call-ID", "", "bad-call-id"),
    ("Call-ID", "a@b@c", "bad-call-id"),
    ("CSeq", "x OPTIONS", "bad-cseq"), ("CSeq", "1", "bad-cseq"),
    ("CSeq", "2147483648 OPTIONS", "bad-cseq"),
    ("CSeq", "1 OPTIONS x", "bad-cseq"),
    ("CSeq", "1 INVITE", "cseq-method"), ("CSeq", "1 options", "cseq-method"),
    ("Max-Forwards", "256", "bad-max-forwards"),
    ("Max-Forwards", "x", "bad-max-forwards"),
    ("Max-Forwards", "4294967296", "bad-max-forwards"),
    ("Content-Length", "x", "bad-content-length"),
    ("Content-Length", "-1", "bad-content-length"),
    ("Content-Length", "99999999999999999999", "bad-content-length"),
    ("Content-Length", "0\r\n 0", "bad-content-length"),
    ("Content-Length", "5", "bad-content-length"),
])
def test_a_malformed_header(scene, name, value, reason):
    is_refused(scene, lambda m: good(m).set(name, value), reason, name)


@pytest.mark.parametrize("via", [
    "SIP/2.0/UDP a:0;branch=z9hG4bK1", "SIP/2.0/UDP 127.1;branch=z9hG4bK1",
    "SIP/2.0/UDP [::g]:5060;branch=z9hG4bK1",
])
def test_a_malformed_via(scene, via):
    is_refused(scene, lambda m: good(m).set("Via", via), "bad-via", "Via")


@pytest.mark.parametrize("via", [
    "SIP/2.0/UDP a;branch=z9hG4bK1;;,,", "SIP/2.0/UDP a;x y",
    "SIP/2.0/UDP a:99999;branch=z9hG4bK1", "SIP/2.0/UDP [::x;branch=1",
    "SIP/2.0/UDP 2001:db8::1;branch=z9hG4bK1", "SIP/2.0/UDP a b",
])
def test_a_via_that_cannot_be_read_is_answered_at_its_source(scene, via):
    is_refused(scene, lambda m: good(m).set("Via", via), "bad-via", "Via")


@pytest.mark.parametrize("start, reason", [
    ("OPTIONS  sip:bob@example.com SIP/2.0", "bad-start-line"),
    ("OPTIONS sip:bob@example.com  SIP/2.0", "bad-start-line"),
    ("OPTIONS sip:bob@example.com SIP/2.0 ", "bad-start-line"),
    ("OPTIONS sip:bob@example.com SIP/2.0\t", "bad-start-line"),
    ("OPTIONS sip:bob@exa mple.com SIP/2.0", "bad-start-line"),
    ("OPTIONS sip:bob@exa\tmple.com SIP/2.0", "bad-uri"),
    ("OPTIONS sip:bob@example.com;transport=udp;transport=tcp SIP/2.0",
     "bad-uri"),
    ("OPTIONS sip:bob@example.com?Subject=x SIP/2.0", "bad-uri"),
    ("OPTIONS sip:b%zzb@example.com SIP/2.0", "bad-uri"),
    ("OPTIONS sip:2001:db8::1 SIP/2.0", "bad-uri"),
    ("OPTIONS sip:bob@[::1 SIP/2.0", "bad-uri"),
    ("OPTIONS sip:bob@127.1 SIP/2.0", "bad-uri"),
    ("OPTIONS sip:bob@example.com:0 SIP/2.0", "bad-uri"),
    ("OPTIONS bob SIP/2.0", "bad-uri"), ("OPTIONS * SIP/2.0", "bad-uri"),
    ("OPTIONS tel:+x SIP/2.0", "bad-tel"),
    ("OPTIONS tel:7042 SIP/2.0", "bad-tel"),
    ("OPTIONS tel:7;phone-context=a;phone-context=b SIP/2.0", "bad-tel"),
])
def test_a_malformed_start_line(scene, start, reason):
    def request(phone):
        out = good(phone)
        out.start = start
        return out
    is_refused(scene, request, reason)


@pytest.mark.parametrize("uri", [
    "sip:bob@example.com?Replaces=a%3Bto-tag%3D1", "sip:a b@example.com",
    "sip:bob\t@example.com", "sip:bob@example.com SIP/2.0 x",
    "sip:bob@example.com\r\n ", "http://example.com/ SIP/2.0 x", "x",
    "sip:bob@example.com;transport=udp;transport=tcp", "urn:service:sos",
    "sip:bob@example.com@example.net", "tel:7042",
    "tel:112#0900;phone-context=a",
])
@pytest.mark.parametrize("strict", ["before us", "behind us"])
def test_a_route_that_becomes_the_request_uri_is_judged_as_one(
        scene, uri, strict):
    # RFC 3261 16.4, 16.6 item 6
    called = "sip:%s:5060;lr" % scene.at if strict == "before us" else \
        "sip:bob@example.com"
    is_refused(scene, lambda m: good(m, uri=called, route=["<%s>" % uri]),
               "bad-header-uri", "Route")


def test_a_good_route_becomes_the_request_uri(scene):
    scene.start()
    got = serve(scene.alice(), scene.pbx(), uri="sip:%s:5060;lr" % scene.at,
                route=["<sip:bob@example.com;x=y>"])
    assert got.uri == "sip:bob@example.com;x=y"
    check.lacks(got, "Route")


def test_an_ack_with_a_fault_gets_silence(scene):
    scene.start()
    mallory, pbx = scene.mallory(), scene.pbx()
    for name, value in (("From", "<sip:a b@c>;tag=1"), ("CSeq", "1 INVITE"),
                        ("Call-ID", "a b"), ("Content-Length", "x"),
                        ("Via", "SIP/2.0/UDP a;;")):
        mallory.post(good(mallory, "ACK").set(name, value))
    request = good(mallory, "ACK")
    request.start = "ACK  sip:bob@example.com  SIP/2.0"
    mallory.post(request)
    mallory.expect_nothing(0.3)
    pbx.expect_nothing(0)
    scene.log.has(reason="ack-bad", header="CSeq")


@pytest.mark.parametrize("uri", [
    "tel:7042;phone-context=example.com", "tel:+1-201-555-0123;ext=5",
    "sip:*21#@example.com", "sip:a;b?c=d&e@example.com",
    "sip:bob:@example.com:5060;x=%25;lr", "tel:*21#;phone-context=example.com",
    "sip:bob@example.com;thinfo=VG8+PoIUYHSD/sWAZZw=",
    'sip:bob@example.com;x-tiu="VGhkczoaJVQaHyQ3Hg=="',
])
def test_what_is_only_unusual_passes(scene, uri):
    scene.start()
    alice, pbx = scene.alice(), scene.pbx()
    assert serve(alice, pbx, uri=uri).uri == uri


@pytest.mark.parametrize("transport", ["udp", "tcp"])
@pytest.mark.parametrize("method", [
    "SERVICE", "PING", "INV", "A", "SETUP", "MSG", "KDMQ", "ACKS", "X+`"])
def test_methods_that_nobody_knows_pass(scene, method, transport):
    # and so do their answers
    scene.start()
    alice, pbx = scene.alice(transport=transport), scene.pbx()
    got = serve(alice, pbx, method=method)
    assert got.method == method and got["CSeq"].endswith(" " + method)


@pytest.mark.parametrize("transport", ["udp", "tcp"])
@pytest.mark.parametrize("method", [
    "invite", "Invite", "INVITe", "register", "Refer", "bye", "ack",
    "cancel", "MESSAGe"])
def test_a_known_method_in_other_letters(scene, method, transport):
    """Some PBXs would take it for that, by other rules than ours."""
    scene.start()
    alice, pbx = scene.alice(transport=transport), scene.pbx()
    for phone in (alice, pbx):
        phone.send(method, "sip:bob@example.com")
        phone.expect(400)
    alice.send("OPTIONS", "sip:bob@example.com")
    alice.expect(407)
    alice.send(method, "sip:bob@example.com", auth={})
    alice.expect(400)
    pbx.expect_nothing(0.1)
    scene.log.has(event="request.refused", reason="bad-start-line")


@pytest.mark.parametrize("name, value", [
    ("Call-ID", "DLGCH_K0IEXzVwYzJiQlwKMGRkMX5GSAxi+/=="),
    ("Contact", "<sip:192.0.2.7;thinfo=VG8+PoIUYHSD/sWAZZw/BCEaSdGA=>"),
    ("Contact", '<sip:a@192.0.2.7;x-tiu="VGhkczoaJVQaHyQ3Hg==">'),
    ("Contact", "<sip:j\xc3\xbcrgen@192.0.2.7>"),
    ("Contact", "<sip:a@192.0.2.7;>"),
    ("Contact", "<sip:a@192.0.2.7;pn-prid=;x=1>"),
    ("Contact", "J\xc3\xbcrgen <sip:a@192.0.2.7>"),
    ("From", "J\xc3\xbcrgen M <sip:a@192.0.2.7>;tag=1"),
    ("From", "M J\xc3\xbcrgen<sip:a@192.0.2.7>;tag=1"),
    ("To", "\xe5\xbc\xa0<sip:a@192.0.2.7>"),
    ("Call-ID", "a#b$c&d|e@192.0.2.7"),
    ("To", "<tel:+1;npdi=yes;rn=+12>"),
])
def test_what_pbxs_are_known_to_send_passes(scene, name, value):
    scene.start(routes=[{"from": "pbx", "to": "request-uri"}])
    pbx, bob = scene.pbx(), scene.bob()
    sent = good(pbx, uri="sip:bob@%s" % bob.host).set(name, value)
    pbx.raw(sent.encode())
    assert bob.expect("OPTIONS")[name] == value


def test_an_emergency_call_needs_no_context(scene):
    scene.start(limits={"emergency": ["112"]})
    alice, pbx = scene.alice(), scene.pbx()
    assert serve(alice, pbx, uri="tel:112").uri == "tel:112"
    refused(alice, 400, uri="tel:113")


# ---- responses

@pytest.mark.parametrize("name, value, reason", [
    ("From", None, "missing-header"), ("To", None, "missing-header"),
    ("Call-ID", None, "missing-header"), ("CSeq", None, "missing-header"),
    ("To", "<sip:a b@c>;tag=1", "bad-header-uri"),
    ("To", "<sip:bob@example.com>;tag=1;tag=2", "bad-tag"),
    ("To", '<sip:bob@example.com>;tag="1"', "bad-tag"),
    ("CSeq", "2 OPTIONS x", "bad-cseq"),
    ("CSeq", "4294967295 OPTIONS", "bad-cseq"),
    ("+To", "<sip:bob@example.com>;tag=5", "header-twice"),
    ("+Call-ID", "5", "header-twice"),
])
def test_a_response_with_a_fault_is_dropped(scene, name, value, reason):
    scene.start()
    alice, pbx = scene.alice(), scene.pbx()
    ask(alice)
    pbx.expect("OPTIONS")
    bare = name.lstrip("+")

    def damage(answer):
        if name[0] == "+":
            answer.add(bare, value)
        elif value is None:
            answer.remove(bare)
        else:
            answer.set(bare, value)

    pbx.reply(200, edit=damage)
    line = scene.log.has(event="response.dropped", reason=reason)
    assert line["header"] == bare
    alice.expect_nothing(0.1)
    pbx.reply(200)                      # a good one is still waited for
    alice.expect(200)


def test_a_response_that_errs_elsewhere_passes(scene):
    scene.start()
    alice, pbx = scene.alice(), scene.pbx()
    ask(alice)
    pbx.expect("OPTIONS")
    pbx.reply(200, headers=[("Max-Forwards", "x"), ("Contact", "<sip:")])
    alice.expect(200)


# ---- methods

def limited(scene, mine, peers=None):
    changes = {} if mine is None else {"auth": {"methods": mine}}
    peer = {} if peers is None else {"methods": peers}
    scene.start(peers=[scene.pbx_peer(**peer)],
                routes=[{"from": "pbx", "to": "request-uri"}, {"to": "pbx"}],
                **changes)
    return scene.alice(), scene.pbx()


def test_methods_of_strangers(scene):
    alice, pbx = limited(scene, EVERYBODYS)
    alice.send("MESSAGE", "sip:bob@example.com")
    got = alice.expect(405)             # before any challenge
    assert got["Allow"] == ", ".join(EVERYBODYS)
    check.lacks(got, "Proxy-Authenticate")
    scene.log.has(event="request.refused", reason="method-not-allowed")
    call(alice, pbx)
    alice.bye()
    alice.expect(407)
    alice.answer()
    pbx.expect("BYE")
    pbx.reply(200)
    alice.expect(200)


def test_methods_of_strangers_are_not_the_peers(scene):
    alice, pbx = limited(scene, EVERYBODYS)
    bob = scene.bob()
    pbx.send("MESSAGE", "sip:bob@%s" % bob.host)
    bob.expect("MESSAGE")
    bob.reply(200)
    pbx.expect(200)


def test_methods_of_a_peer(scene):
    alice, pbx = limited(scene, None, EVERYBODYS)
    pbx.send("REFER", "sip:bob@example.com")
    assert pbx.expect(405)["Allow"] == ", ".join(EVERYBODYS)
    assert scene.daemon.metrics()[
        "requests_ended_total", "method-not-allowed"] == 1
    bob = scene.bob()
    pbx.send("OPTIONS", "sip:bob@%s" % bob.host)
    bob.expect("OPTIONS")
    serve(alice, pbx, method="MESSAGE")


def test_methods_and_cancel(scene):
    alice, pbx = limited(scene, EVERYBODYS)
    ringing(alice, pbx)
    alice.cancel()
    assert alice.expect(200).cseq[1] == "CANCEL"
    pbx.expect("CANCEL")


def test_an_ack_of_no_allowed_method_gets_silence(scene):
    alice, pbx = limited(scene, ["OPTIONS"])
    alice.post(good(alice, "ACK"))
    alice.expect_nothing(0.2)
    pbx.expect_nothing(0)
    refused(alice, 405, "CANCEL")
    refused(alice, 405, "INVITE")
    serve(alice, pbx)


def test_methods_of_a_peer_by_digest(scene):
    peers = [scene.pbx_peer(),
             {"name": "trunk", "auth": "digest", "users": ["alice"],
              "methods": ["OPTIONS"]}]
    scene.start(peers=peers)
    alice, pbx = scene.alice(), scene.pbx()
    refused(alice, 405, "MESSAGE")      # once it is known who he is
    scene.log.has(reason="method-not-allowed", peer="trunk")
    serve(alice, pbx)


@pytest.mark.parametrize("where", ["auth", "peers"])
@pytest.mark.parametrize("methods, said", [
    (["INVITE", "ACK"], "INVITE needs CANCEL as well"),
    (["INVITE", "CANCEL"], "INVITE needs ACK as well"),
    (["IN VITE"], '"IN VITE" cannot be a method'),
    (["X" * 33], "methods"),
    ([""], "methods"),
])
def test_methods_that_make_no_sense(scene, where, methods, said):
    changes = {"auth": {"methods": methods}} if where == "auth" else \
        {"peers": [scene.pbx_peer(methods=methods)]}
    scene.write_config(**changes)
    done = scene.daemon.run("-t", "-c", scene.daemon.config_path)
    assert done.returncode == 1
    assert said in done.stderr and "%s.methods: " % where in done.stderr


def test_invite_without_bye_is_a_warning(scene):
    scene.write_config(auth={"methods": ["INVITE", "ACK", "CANCEL"]})
    done = scene.daemon.run("-t", "-c", scene.daemon.config_path)
    assert done.returncode == 0
    assert "without BYE calls can begin, but not end" in done.stderr


# ---- the top Via against the source

def test_our_own_via_over_tcp(scene):
    scene.start()
    mallory = scene.mallory(transport="tcp", claims=(scene.at, 5060))
    mallory.send("OPTIONS", "sip:bob@example.com")
    mallory.expect(400)
    scene.log.has(reason="own-via")


def test_our_own_via_over_tls(scene, pki):
    scene.start(listen=scene.listeners(scene.secure_listener(pki.server)))
    mallory = scene.secure("mallory", 66, Caller(), claims=(scene.at, 5061),
                           password="guess")
    mallory.send("OPTIONS", "sip:bob@example.com")
    mallory.expect(400)
    scene.log.has(reason="own-via")


@pytest.mark.parametrize("name, status", [
    ("203.0.113.7", 400), ("Edge.Example.NET", 400), ("10.0.0.4", 400),
    ("203.0.113.8", 407)])
def test_an_advertised_name_of_ours(scene, name, status):
    scene.start(listen=[{
        "uri": "sip:%s:5060" % scene.at, "advertise": "203.0.113.7",
        "advertise_to": [
            {"net": scene.net.host(5), "host": "10.0.0.4"},
            {"net": scene.net.host(66), "host": "edge.example.net"}]}])
    mallory = scene.mallory(claims=(name, 5060))
    mallory.send("OPTIONS", "sip:bob@example.com")
    mallory.expect(status)


def test_our_name_at_another_port_is_another(scene):
    scene.start()
    mallory = scene.mallory(claims=(scene.at, 5090))
    mallory.send("OPTIONS", "sip:bob@example.com")
    mallory.expect(407)


@pytest.mark.parametrize("transport", ["udp", "tcp"])
def test_a_spiral_passes_with_our_via_below(scene, transport):
    # ours on top only means something if it is the sender's
    scene.start(routes=[{"to": "pbx"}, {"from": "pbx", "to": "pbx"}])
    alice, pbx = scene.alice(), scene.pbx()
    ask(alice)
    got = pbx.expect("OPTIONS")
    back = got.copy()
    back.push("Via", "SIP/2.0/%s %s:5060;branch=%s" % (
        transport.upper(), pbx.host, sip.new_branch()))
    back.start = "OPTIONS sip:turn@example.com SIP/2.0"
    pbx.put(back.encode(), pbx.flow_to(scene.at, 5060, transport))
    again = pbx.expect("OPTIONS")
    assert again.uri == "sip:turn@example.com"
    assert check.via_hosts(again).count(scene.at) == 2


def test_the_same_back_without_a_via_is_refused(scene):
    # what we sent, sent back to us as it was: our own Via on top
    scene.start(routes=[{"to": "pbx"}, {"from": "pbx", "to": "pbx"}])
    alice, pbx = scene.alice(), scene.pbx()
    ask(alice)
    got = pbx.expect("OPTIONS")
    pbx.raw(got.raw)
    assert scene.log.has(reason="own-via")["peer"] == "pbx"
    pbx.expect_nothing(0.1, but=(400,))
