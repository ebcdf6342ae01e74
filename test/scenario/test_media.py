"""What is asked of session descriptions, and what becomes of others."""

import gzip

import pytest

from harness.scene import ask, refused, register
from harness.tls import Called, Caller

SESSION = ("v=0\r\no=- 1 1 IN IP4 192.0.2.1\r\ns=-\r\nc=IN IP4 192.0.2.1\r\n"
           "t=0 0\r\n")
AVP = SESSION + "m=audio 40000 RTP/AVP 0\r\n"
SAVP = SESSION + "m=audio 40000 RTP/SAVP 0\r\n"
SDES = SAVP + ("a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:"
               "WVNfX19zZW1jdGwgKCkgewkyMjA7fQp9CnVubGVz\r\n")
BARE_DTLS = SESSION + "m=audio 40000 UDP/TLS/RTP/SAVPF 0\r\n"
DTLS = BARE_DTLS + ("a=setup:actpass\r\na=fingerprint:sha-256 " +
                    ":".join(["AB"] * 32) + "\r\n")
FAX = SESSION + "m=image 40000 udptl t38\r\n"

# body, over TLS on both sides: what "require" says, and the Warning's code
REQUIRED = [
    (AVP, False, 488, 302), (AVP, True, 488, 302),
    (FAX, False, 488, 302),
    (SAVP, True, 488, 306),
    (SDES, False, 488, 399), (SDES, True, 200, None),
    (BARE_DTLS, False, 488, 306),
    (DTLS, False, 200, None), (DTLS, True, 200, None),
]
IDS = ["rtp", "rtp-tls", "fax", "no-keys", "sdes", "sdes-tls", "bare-dtls",
       "dtls", "dtls-tls"]


def peer_at(scene, name, number, secure, **changes):
    host = scene.net.host(number)
    out = {"name": name, "from": [host], "uri": "sip:%s:5060" % host}
    if secure:
        out.update(uri="sip:%s:5061;transport=tls" % host, verify="none")
    out.update(changes)
    return out


def endpoint(scene, pki, name, number, secure):
    """A PBX; over TLS it calls and is called by TLS alone."""
    if not secure:
        return scene.pbx(number, name)
    return scene.pbx(number, name, called=Called(pki.server), tls=Caller(),
                     transport="tls", proxy=(scene.at, 5061))


def start(scene, pki, secure=False, pbx=None, **changes):
    """One PBX; its group media is `pbx`."""
    peer = peer_at(scene, "pbx", 5, secure, media=pbx)
    changes.setdefault("listen", scene.listeners(
        scene.secure_listener(pki.server)))
    changes.setdefault("peers", [peer])
    scene.start(**changes)
    return endpoint(scene, pki, "pbx", 5, secure)


def alice_of(scene, secure=False):
    return scene.secure("alice", 10) if secure else scene.alice()


def passes(caller, callee, body, method="INVITE", **parts):
    """It gets there, to the byte."""
    ask(caller, method, body=body, **parts)
    got = callee.expect(method)
    assert got.body == (body if isinstance(body, bytes) else body.encode())
    callee.reply(486)
    caller.expect(486)
    if method == "INVITE":
        callee.expect("ACK")
    return got


def warned(response, code):
    assert response["Warning"].split()[0] == str(code)
    return response["Warning"]


# ---- who asks for it, and of whom

@pytest.mark.parametrize("body, secure, status, code", REQUIRED, ids=IDS)
def test_required_of_phones(scene, pki, body, secure, status, code):
    pbx = start(scene, pki, secure, media={"security": "require"})
    alice = alice_of(scene, secure)
    if status == 200:
        passes(alice, pbx, body)
        scene.log.has_not(0.05, event="media.unsafe")
        return
    got = refused(alice, status, "INVITE", body=body)
    assert scene.at in warned(got, code)
    pbx.expect_nothing(0.1)
    scene.log.has(reason="media-unsafe")
    scene.log.has(event="media.unsafe", passed="false")


@pytest.mark.parametrize("body, secure, status, code", REQUIRED, ids=IDS)
def test_required_by_a_peer_that_is_called(scene, pki, body, secure, status,
                                           code):
    pbx = start(scene, pki, secure, pbx={"security": "require"})
    alice = alice_of(scene, secure)
    if status == 200:
        passes(alice, pbx, body)
        return
    warned(refused(alice, status, "INVITE", body=body), code)
    pbx.expect_nothing(0.1)


@pytest.mark.parametrize("body, secure, status, code", REQUIRED, ids=IDS)
def test_required_of_a_peer_that_calls(scene, pki, body, secure, status,
                                       code):
    pbx = start(
        scene, pki, secure, peers=[
            peer_at(scene, "pbx", 5, secure, media={"security": "require"}),
            peer_at(scene, "carrier", 6, secure)],
        routes=[{"from": "pbx", "to": "carrier"}])
    carrier = endpoint(scene, pki, "carrier", 6, secure)
    pbx.send("INVITE", "sip:1@example.com", body=body)
    if status == 488:
        warned(pbx.expect(488), code)
        carrier.expect_nothing(0.1)
        return
    assert carrier.expect("INVITE").body == body.encode()


@pytest.mark.parametrize("body, secure, status, code", REQUIRED, ids=IDS)
def test_required_by_phones_that_are_called(scene, pki, body, secure, status,
                                            code):
    pbx = start(scene, pki, secure, media={"security": "require"})
    alice = alice_of(scene, secure)
    contact, path = register(alice, pbx)
    pbx.send("INVITE", contact, route=path, body=body)
    if status == 488:
        warned(pbx.expect(488), code)
        alice.expect_nothing(0.1)
        return
    assert alice.expect("INVITE").body == body.encode()


@pytest.mark.parametrize("body", [AVP, SDES, BARE_DTLS, DTLS, FAX])
@pytest.mark.parametrize("how", ["none", "prefer", "peer"])
def test_what_is_not_required_passes(scene, pki, body, how):
    # and a peer that says nothing is asked nothing
    changes = {"none": {"media": {"security": "none"}},
               "prefer": {"media": {"security": "prefer"}},
               "peer": {"pbx": {"security": "prefer"}}}[how]
    pbx = start(scene, pki, **changes)
    passes(scene.alice(), pbx, body)
    if how == "none" or body == DTLS:
        scene.log.has_not(0.05, event="media.unsafe")
    else:
        scene.log.has(event="media.unsafe", verdict="unsafe", passed="true",
                      method="INVITE")


def test_a_peer_does_not_have_the_phones_policy(scene, pki):
    pbx = start(
        scene, pki, media={"security": "require"}, peers=[
            peer_at(scene, "pbx", 5, False),
            peer_at(scene, "carrier", 6, False)],
        routes=[{"from": "pbx", "to": "carrier"}])
    carrier = scene.pbx(6, "carrier")
    pbx.send("INVITE", "sip:1@example.com", body=AVP)
    carrier.expect("INVITE")


@pytest.mark.parametrize("body, code", [
    (SDES + "a=tcap:1 RTP/AVP\r\na=pcfg:1 t=1\r\n", 302),
    (SDES + SDES[len(SAVP):].replace(":1 ", ":2 ").replace(
        "\r\n", " unencrypted_srtp\r\n"), 306),
    (SDES + "a=crypto:2 NULL inline:x\r\n", 306),
])
def test_what_is_offered_besides(scene, pki, body, code):
    # and what who answers may take
    pbx = start(scene, pki, True, media={"security": "require"})
    alice = alice_of(scene, True)
    passes(alice, pbx, SDES)
    warned(refused(alice, 488, "INVITE", body=body), code)
    pbx.expect_nothing(0.1)


# ---- keys, and who can read them on the way

@pytest.mark.parametrize("inward", [True, False])
@pytest.mark.parametrize("security", ["require", "prefer"])
def test_keys_over_tls_on_one_side_only(scene, pki, inward, security):
    # whoever of the two asks for it
    pbx = start(scene, pki, not inward,
                **({"media": {"security": security}} if inward else
                   {"pbx": {"security": security}}))
    alice = alice_of(scene, inward)
    if security == "require":
        warned(refused(alice, 488, "INVITE", body=SDES), 399)
        pbx.expect_nothing(0.1)
    else:
        passes(alice, pbx, SDES)
    scene.log.has(event="media.unsafe", hole="keys-not-over-tls")


def test_keys_go_to_the_target_that_is_secure(scene, pki):
    host = scene.net.host(5)
    pbx = start(scene, pki, True, peers=[peer_at(
        scene, "pbx", 5, True, uri=["sip:%s:5060" % scene.net.host(6),
                                    "sip:%s:5061;transport=tls" % host])],
                media={"security": "require"})
    first = scene.pbx(6, "first")
    passes(alice_of(scene, True), pbx, SDES)
    first.expect_nothing(0.1)


@pytest.mark.parametrize("body, number", [(SDES, 5), (DTLS, 6)])
def test_keys_ask_dns_for_the_secure_way(scene, pki, dns, body, number):
    # which is the second choice of all others
    name = "pbx.example.test"
    dns.add(name, "NAPTR", (1, 1, "s", "SIP+D2U", "", "_sip._udp." + name))
    dns.add(name, "NAPTR", (2, 1, "s", "SIPS+D2T", "",
                            "_sips._tcp." + name))
    dns.add("_sip._udp." + name, "SRV", (0, 0, 5060, "a." + name))
    dns.add("_sips._tcp." + name, "SRV", (0, 0, 5061, "b." + name))
    dns.add("a." + name, "A", scene.net.host(6))
    dns.add("b." + name, "A", scene.net.host(5))
    pbx = start(scene, pki, True, peers=[peer_at(
        scene, "pbx", 5, True, uri="sip:" + name)],
                media={"security": "require"}, resolv_conf=dns.conf)
    both = {5: pbx, 6: scene.pbx(6, "other")}
    got = passes(alice_of(scene, True), both[number], body)
    assert got.flow.transport == ("tls" if number == 5 else "udp")


def test_keys_that_find_no_secure_way(scene, pki, dns):
    # the name leads elsewhere
    name = "pbx.example.test"
    dns.add(name, "A", scene.net.host(5))
    start(scene, pki, peers=[peer_at(scene, "pbx", 5, False,
                                     uri="sip:" + name)],
          media={"security": "require"}, resolv_conf=dns.conf)
    warned(refused(alice_of(scene, True), 488, "INVITE", body=SDES), 399)
    scene.log.has(reason="media-unsafe")


def test_keys_that_find_no_secure_target_after_a_failure(scene, pki):
    # the one over TLS is gone; the other one is not told
    host = scene.net.host(6)
    start(scene, pki, True, peers=[peer_at(
        scene, "pbx", 5, True, uri=[
            "sip:%s:5069;transport=tls" % scene.net.host(5),
            "sip:%s:5060" % host])], media={"security": "require"})
    second = scene.pbx(6, "second")
    alice = alice_of(scene, True)
    ask(alice, "INVITE", body=SDES)
    assert alice.expect((488, 500)).status == 500
    second.expect_nothing(0.1)


# ---- several legs

def fork(scene, pki, first=None, second=None):
    pbx = start(scene, pki, peers=[
        peer_at(scene, "pbx", 5, False, media=first),
        peer_at(scene, "other", 6, False, media=second)],
                routes=[{"to": ["pbx", "other"]}])
    return pbx, scene.pbx(6, "other")


@pytest.mark.parametrize("strict", [0, 1])
def test_a_leg_that_refuses_is_left_out(scene, pki, strict):
    both = fork(scene, pki, **{("first", "second")[strict]:
                               {"security": "require"}})
    alice = scene.alice()
    ask(alice, "INVITE", body=AVP)
    both[1 - strict].expect("INVITE")
    both[1 - strict].reply(404)
    alice.expect(404)
    both[strict].expect_nothing(0.1)


def test_no_leg_is_left(scene, pki):
    both = fork(scene, pki, {"security": "require"}, {"streams": 1})
    got = refused(scene.alice(), 488, "INVITE",
                  body=AVP + "m=video 40002 RTP/AVP 31\r\n")
    assert got.has("Warning")
    for one in both:
        one.expect_nothing(0.1)


# ---- bounds and grammar

BAD = ["", "v=0\r\n", "x", SESSION + "m=audio\r\n", "\r\n" + AVP,
       AVP + "\r\n", AVP.replace("s=-\r\n", ""), AVP.replace("0 0", "x")]


@pytest.mark.parametrize("body", BAD[1:])
def test_grammar(scene, pki, body):
    pbx = start(scene, pki, pbx={"grammar": True})
    alice = scene.alice()
    got = refused(alice, 400, "INVITE", body=body)
    assert "line" in warned(got, 399)
    scene.log.has(reason="bad-sdp")
    scene.log.has(event="media.unsafe", verdict="malformed")
    passes(alice, pbx, AVP)


@pytest.mark.parametrize("body", BAD)
def test_without_a_policy_anything_passes(scene, pki, body):
    passes(scene.alice(), start(scene, pki), body)


@pytest.mark.parametrize("body", [
    "\r\n" + DTLS, " " + DTLS, DTLS + " m=audio 1 RTP/AVP 0\r\n",
    DTLS + "m=audio 1 RTP/AVP\r\n", DTLS + DTLS, DTLS + "a=x\ry\r\n",
    DTLS + "a=x\0y\r\n"])
def test_what_others_may_read_otherwise_is_not_safe(scene, pki, body):
    pbx = start(scene, pki, media={"security": "require"})
    refused(scene.alice(), 400, "INVITE", body=body)
    pbx.expect_nothing(0.1)


def test_size(scene, pki):
    body = AVP + "a=x:" + "y" * 800 + "\r\n"
    pbx = start(scene, pki, media={"size": len(body)})
    alice = scene.alice()
    passes(alice, pbx, body)
    refused(alice, 413, "INVITE", body=body + "a=z\r\n")
    scene.log.has(reason="sdp-too-large")


def test_streams(scene, pki):
    more = "m=video 40002 RTP/AVP 31\r\n"
    pbx = start(scene, pki, media={"streams": 2})
    alice = scene.alice()
    passes(alice, pbx, AVP + more)
    warned(refused(alice, 488, "INVITE", body=AVP + more + more), 399)
    scene.log.has(reason="too-many-streams")


# ---- where in a body

def multipart(*parts):
    return "".join("--b\r\nContent-Type: %s\r\n\r\n%s\r\n" % p
                   for p in parts) + "--b--\r\n"


ALTERNATIVE = [("Content-Type", 'multipart/alternative;boundary="b"')]


@pytest.mark.parametrize("body, fits", [
    (multipart(("text/plain", AVP), ("application/sdp", DTLS)), True),
    (multipart(("application/sdp", DTLS), ("application/sdp", AVP)), False),
    (multipart(("application/sdp", AVP), ("application/sdp", DTLS)), False),
    (multipart(('multipart/mixed;boundary="c"', "--c\r\nContent-Type: "
                "application/sdp\r\n\r\n" + AVP + "\r\n--c--")), False),
])
def test_multipart(scene, pki, body, fits):
    pbx = start(scene, pki, media={"security": "require"})
    alice = scene.alice()
    if fits:
        passes(alice, pbx, body, headers=ALTERNATIVE)
    else:
        refused(alice, 488, "INVITE", body=body, headers=ALTERNATIVE)
        pbx.expect_nothing(0.1)


OPAQUE = [
    ([("Content-Encoding", "gzip")], gzip.compress(DTLS.encode(), mtime=0)),
    ([("e", "gzip"), ("c", "application/sdp")], b"x"),
    ([("Content-Type", "application/pkcs7-mime")], b"x"),
    ([("Content-Type", "text/plain"), ("c", "application/sdp")],
     AVP.encode()),
    ([("Content-Type", "text/plain"), ("Content-Type", "application/sdp")],
     AVP.encode()),
    ([("Content-Type", "multipart/mixed")], AVP.encode()),
    ([("Content-Type", "multipart/mixed;boundary=c")], AVP.encode()),
]


SDP_PART = "Content-Type: application/sdp\r\n\r\n" + AVP
TEXT_PART = "--b\r\nContent-Type: text/plain\r\n\r\nx"

# The description stands where one reader sees it, and another one does not.
HIDDEN = [
    ([("Content-Type", "text/plain, application/sdp")], AVP),
    ([("Content-Type", "application/sdp(x)")], AVP),
    ([("Content-Type", "message/external-body;access-type=URL;"
       "URL=\"http://192.0.2.1/\"")], SDP_PART),
    (ALTERNATIVE, TEXT_PART + "\r\n--B\r\n" + SDP_PART + "\r\n--b--"),
    (ALTERNATIVE, TEXT_PART + "\r\n--bc\r\n" + SDP_PART + "\r\n--b--"),
    (ALTERNATIVE, TEXT_PART + "--b\r\n" + SDP_PART + "\r\n--b--"),
    (ALTERNATIVE, "x--b\r\n" + SDP_PART + TEXT_PART + "\r\n--b--"),
    (ALTERNATIVE, TEXT_PART + "\r\n--b--\r\n--b\r\n" + SDP_PART),
    (ALTERNATIVE, TEXT_PART + "\r\n--b\r\nX: y\r" + SDP_PART + "--b--"),
    (ALTERNATIVE, "--b\r\nX: y\r" + SDP_PART + "--b--"),
    (ALTERNATIVE, "--b\r\nContent-Type: application/sdp\0\r\n\r\n" + AVP +
     "--b--"),
    ([("Content-Type", "multipart/mixed;boundary=b;boundary=c")],
     TEXT_PART + "\r\n--b--\r\n--c\r\n" + SDP_PART + "--c--"),
]


@pytest.mark.parametrize("headers, body", HIDDEN)
def test_where_some_would_find_one(scene, pki, headers, body):
    pbx = start(scene, pki, media={"security": "require"})
    refused(scene.alice(), 415, "INVITE", body=body, headers=headers)
    pbx.expect_nothing(0.1)


@pytest.mark.parametrize("headers, body", OPAQUE)
def test_what_cannot_be_looked_into(scene, pki, headers, body):
    pbx = start(scene, pki, media={"security": "require"})
    got = refused(scene.alice(), 415, "INVITE", body=body, headers=headers)
    assert got["Accept-Encoding"] == "identity"
    assert "application/sdp" in got["Accept"]
    pbx.expect_nothing(0.1)
    scene.log.has(reason="media-opaque")


@pytest.mark.parametrize("headers, body", OPAQUE[:3])
def test_it_is_told_where_safety_is_preferred(scene, pki, headers, body):
    pbx = start(scene, pki, media={"security": "prefer"})
    passes(scene.alice(), pbx, body, headers=headers)
    scene.log.has(event="media.unsafe", verdict="opaque", passed="true")


@pytest.mark.parametrize("headers, status", [
    ([("c", "application/sdp")], 488),
    ([("Content-Type", "APPLICATION / SDP;x=y")], 488),
    ([("Content-Type", "application/\r\n sdp")], 488),
    ([("Content-Type", "application/sdp"), ("Content-Encoding", "identity")],
     488),
    ([("Content-Type", "text/plain")], 486),
    ([("Content-Type", "application/sdp-not")], 486),
])
def test_how_a_type_is_written(scene, pki, headers, status):
    pbx = start(scene, pki, media={"security": "require"})
    alice = scene.alice()
    if status == 486:
        passes(alice, pbx, AVP, headers=headers)
    else:
        refused(alice, status, "INVITE", body=AVP, headers=headers)


def test_a_body_without_a_type(scene, pki):
    start(scene, pki, media={"security": "require"})
    alice = scene.alice()
    ask(alice)
    alice.sent = alice.make("INVITE", "sip:bob@example.com", body=AVP)
    alice.sent.remove("Content-Type")
    alice.post(alice.authorize(alice.sent))
    alice.expect(488)


def test_no_body_is_no_offer(scene, pki):
    pbx = start(scene, pki, media={"security": "require", "grammar": True})
    passes(scene.alice(), pbx, b"")


@pytest.mark.parametrize("method", ["MESSAGE", "INFO", "OPTIONS"])
def test_what_is_no_offer(scene, pki, method):
    pbx = start(scene, pki, media={"security": "require"})
    passes(scene.alice(), pbx, AVP, method)


# ---- in a dialog, and back

def safe_call(scene, pki, **changes):
    """A call whose offer and answer are fine; its phone is strict."""
    pbx = start(scene, pki, media={"security": "require"}, **changes)
    alice = scene.alice()
    ask(alice, "INVITE", body=DTLS)
    pbx.expect("INVITE")
    pbx.reply(200, body=DTLS)
    alice.expect(200)
    alice.ack()
    pbx.expect("ACK")
    return alice, pbx


@pytest.mark.parametrize("method", ["INVITE", "UPDATE"])
def test_in_a_dialog_from_a_phone(scene, pki, method):
    alice, pbx = safe_call(scene, pki)
    alice.in_dialog(method, body=AVP)
    alice.expect(407)
    alice.answer()
    alice.expect(488)
    pbx.expect_nothing(0.1)
    # the call goes on
    alice.bye()
    alice.expect(407)
    alice.answer()
    pbx.expect("BYE")
    pbx.reply(200)
    alice.expect(200)


@pytest.mark.parametrize("method", ["INVITE", "UPDATE"])
def test_in_a_dialog_from_the_pbx(scene, pki, method):
    alice, pbx = safe_call(scene, pki)
    pbx.in_dialog(method, body=AVP)
    pbx.expect(488)
    alice.expect_nothing(0.1)
    pbx.in_dialog(method, body=DTLS)
    assert alice.expect(method).body == DTLS.encode()


@pytest.mark.parametrize("status", [183, 200])
def test_an_answer_that_breaks_it_is_told_and_passes(scene, pki, status):
    pbx = start(scene, pki, media={"security": "require"})
    alice = scene.alice()
    ask(alice, "INVITE", body=DTLS)
    pbx.expect("INVITE")
    pbx.reply(status, body=AVP)
    assert alice.expect(status).body == AVP.encode()
    scene.log.has(event="media.unsafe", status=status, passed="true",
                  peer="pbx", hole="in-the-clear")
    counts = scene.daemon.metrics()
    assert counts["media_judged_total", "sound"] == 1
    assert counts["media_judged_total", "unsafe"] == 1
    assert counts["media_passed_total", ""] == 1


def test_an_answer_by_the_policy_of_who_answers(scene, pki):
    pbx = start(scene, pki, pbx={"security": "prefer"})
    alice = scene.alice()
    ask(alice, "INVITE", body=DTLS)
    pbx.expect("INVITE")
    pbx.reply(200, body=SDES)
    alice.expect(200)
    scene.log.has(event="media.unsafe", hole="keys-not-over-tls")


def test_an_ack_that_breaks_it_is_told_and_passes(scene, pki):
    pbx = start(scene, pki, media={"security": "require"})
    alice = scene.alice()
    ask(alice, "INVITE")
    pbx.expect("INVITE")
    pbx.reply(200, body=DTLS)
    alice.expect(200)
    alice.ack(body=AVP)
    assert pbx.expect("ACK").body == AVP.encode()
    scene.log.has(event="media.unsafe", method="ACK", passed="true")


def test_keys_in_an_ack(scene, pki):
    # they came over TLS, and go on in the clear
    pbx = start(scene, pki, media={"security": "require"})
    alice = alice_of(scene, True)
    ask(alice, "INVITE")
    pbx.expect("INVITE")
    pbx.reply(200, body=DTLS)
    alice.expect(200)
    alice.ack(body=SDES)
    assert pbx.expect("ACK").body == SDES.encode()
    scene.log.has(event="media.unsafe", method="ACK",
                  hole="keys-not-over-tls")


def test_a_second_answer_is_judged_too(scene, pki):
    pbx = start(scene, pki, pbx={"security": "prefer"})
    alice = scene.alice()
    ask(alice, "INVITE", body=DTLS)
    pbx.expect("INVITE")
    pbx.reply(200, body=DTLS)
    alice.expect(200)
    pbx.reply(200, body=AVP, tag="another")
    assert alice.expect(200).body == AVP.encode()
    scene.log.has(event="media.unsafe", status=200, peer="pbx")


def test_what_options_can_do_is_no_answer(scene, pki):
    pbx = start(scene, pki, pbx={"security": "require"})
    alice = scene.alice()
    ask(alice)
    pbx.expect("OPTIONS")
    pbx.reply(200, body=AVP)
    alice.expect(200)
    scene.log.has_not(0.05, event="media.unsafe")


@pytest.mark.parametrize("body, status", [(DTLS, 200), (AVP, 488)])
def test_a_phone_of_another_instance(cluster, body, status):
    # both know the policy, and the one that has the phone asks again
    cluster.start(inside="sip:HERE:5060", media={"security": "require"},
                  peers=[cluster.pbx_peer(path="always")])
    alice = cluster.phone("alice", 10, port=40000)
    pbx = cluster.pbx()
    pbx.proxy = cluster.b.address
    contact, path = register(alice, pbx)
    pbx.send("INVITE", contact, route=path, body=body)
    if status == 488:
        warned(pbx.expect(488), 302)
        alice.expect_nothing(0.1)
        return
    assert alice.expect("INVITE").body == body.encode()
    alice.reply(200, body=AVP)
    assert pbx.expect(200).body == AVP.encode()
    for one in (cluster.a, cluster.b):
        one.log.has(event="media.unsafe", status=200, passed="true")


# ---- bodies stay as they are

@pytest.mark.parametrize("body", [
    DTLS.replace("\r\n", "\n"),
    DTLS[:-2],
    DTLS + "a=X-odd:\t \x7f\r\na=fmtp:0 ;;;\r\n",
    DTLS.replace("s=-", "s= "),
    DTLS + "i=out of order\r\n",
    DTLS + "x=a letter of its own\r\n",
    DTLS + "\r\n\r\n",
    DTLS.replace("192.0.2.1", "2001:DB8::1").replace("IP4", "IP6"),
    DTLS.encode() + b"a=title:\xff\xfe\xc3\x28\r\n",
])
def test_odd_bodies_pass_to_the_byte(scene, pki, body):
    pbx = start(scene, pki, media={"security": "require"},
                pbx={"security": "require"})
    passes(scene.alice(), pbx, body)


# ---- how it is told, and changed

def test_once_a_second(scene, pki):
    pbx = start(scene, pki, media={"security": "prefer"})
    alice = scene.alice()
    for _ in range(4):
        passes(alice, pbx, AVP)
    counts = scene.daemon.metrics()
    assert counts["media_passed_total", ""] == 4
    told = scene.log.find(event="media.unsafe")
    assert 1 <= len(told) < 4
    assert told[0]["unsaid"] == "0"


def test_what_the_log_does_not_say(scene, pki):
    start(scene, pki, media={"security": "require"})
    refused(scene.alice(), 488, "INVITE", body=SDES)
    assert "WVNfX19z" not in scene.log.text()


def test_reload(scene, pki):
    pbx = start(scene, pki)
    alice = scene.alice()
    passes(alice, pbx, AVP)
    for i, (media, pbx_media, status) in enumerate([
            ({"security": "require"}, None, 488),
            ({"security": "prefer"}, None, 486),
            (None, {"security": "require"}, 488),
            (None, None, 486)]):
        scene.write_config(
            listen=scene.listeners(scene.secure_listener(pki.server)),
            peers=[peer_at(scene, "pbx", 5, False, media=pbx_media)],
            media=media)
        scene.daemon.reload()
        scene.log.has(event="daemon.reload", count=i + 1)
        if status == 486:
            passes(alice, pbx, AVP)
        else:
            refused(alice, status, "INVITE", body=AVP)
    assert not scene.log.find(event="daemon.restart-needed")


@pytest.mark.parametrize("media, complaint", [
    ({"security": "maybe"}, "media.security"),
    ({"size": 99}, "media.size: out of range"),
    ({"size": 65536}, "media.size: out of range"),
    ({"streams": 0}, "media.streams: out of range"),
    ({"streams": 1001}, "media.streams: out of range"),
    ({"grammar": 1}, "media.grammar: wrong type"),
    ({"secure": True}, "media.secure: unknown option"),
])
@pytest.mark.parametrize("of", ["all", "peer"])
def test_a_wrong_group(scene, media, complaint, of):
    if of == "all":
        scene.write_config(media=media)
    else:
        scene.write_config(peers=[scene.pbx_peer(media=media)])
    out = scene.daemon.run("-t", "-c", scene.daemon.config_path)
    assert out.returncode == 1
    assert complaint.split(":")[0] in out.stderr


@pytest.mark.parametrize("of", ["all", "peer"])
def test_keys_without_a_listener_of_tls(scene, pki, of):
    media = {"security": "require"}
    changes = {"media": media} if of == "all" else {
        "peers": [scene.pbx_peer(media=media)]}
    scene.write_config(**changes)
    out = scene.daemon.run("-t", "-c", scene.daemon.config_path)
    assert out.returncode == 0
    assert "media.security: warning: no listener is TLS" in out.stderr
    scene.write_config(listen=scene.listeners(
        scene.secure_listener(pki.server)), **changes)
    out = scene.daemon.run("-t", "-c", scene.daemon.config_path)
    assert "media.security" not in out.stderr
