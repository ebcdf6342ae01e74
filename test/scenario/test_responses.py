"""Responses on their way back: RFC 3261 section 16.7, RFC 4320, RFC 6026."""

import time

import pytest

from harness import check, sip
from harness.scene import ask, call, ringing, serve


def test_provisional_answers_pass_but_never_a_100(scene):
    scene.start()
    alice, pbx = scene.alice(), scene.pbx()
    ask(alice, "INVITE")
    pbx.expect("INVITE")
    pbx.reply(100, headers=[("X-Mark", "hop by hop")])
    pbx.reply(180)
    pbx.reply(183)
    seen = []
    while 183 not in seen:
        got = alice.receive()
        assert got is not None and not got.has("X-Mark")
        seen.append(got.status)
    assert [s for s in seen if s != 100] == [180, 183]


def test_an_invite_is_answered_100_at_once(scene):
    scene.start()
    alice, pbx = scene.alice(), scene.pbx()
    ask(alice, "INVITE", headers=[("Timestamp", "54.5")])
    # RFC 3261 section 8.2.6.1
    assert alice.expect(100)["Timestamp"] == "54.5"
    pbx.expect("INVITE")


def test_no_100_before_the_answer_was_judged(scene):
    scene.start()
    alice = scene.alice()
    alice.send("INVITE", "sip:bob@example.com")
    assert alice.receive().status == 407


def test_a_second_2xx_passes(scene):
    # RFC 3261 section 16.7 item 5: from another fork behind the PBX
    scene.start()
    alice, pbx = scene.alice(), scene.pbx()
    ringing(alice, pbx)
    pbx.reply(200, tag="one")
    assert alice.expect(200).to_tag == "one"
    pbx.reply(200, tag="two")
    assert alice.expect(200).to_tag == "two"
    pbx.reply(486, tag="three")
    alice.expect_nothing(0.2)


def test_2xx_retransmissions_pass(scene):
    scene.start()
    alice, pbx = scene.alice(), scene.pbx()
    ringing(alice, pbx)
    sent = pbx.reply(200)
    alice.expect(200)
    for _ in range(3):
        pbx.put(sent.raw)
        alice.expect_again(200)
    alice.ack()
    pbx.expect("ACK")
    pbx.put(sent.raw)
    alice.expect_again(200)
    alice.ack()
    pbx.expect("ACK")


def test_2xx_retransmissions_pass_for_64_t1(scene):
    # RFC 6026: the library keeps the transaction for 5 s only
    scene.start(timers={"t1": "200ms"})
    alice, pbx = scene.alice(), scene.pbx()
    ringing(alice, pbx)
    sent = pbx.reply(200)
    alice.expect(200)
    time.sleep(5.4)
    pbx.put(sent.raw)
    alice.expect_again(200)


@pytest.mark.parametrize("status", [302, 404, 486, 488, 600, 603])
def test_final_answers_pass_as_they_are(scene, status):
    scene.start()
    alice, pbx = scene.alice(), scene.pbx()
    ringing(alice, pbx)
    pbx.reply(status, reason="As It Is", headers=[("X-Why", "because")])
    ack = pbx.expect("ACK")
    got = alice.expect(status)
    assert got.reason == "As It Is" and got["X-Why"] == "because"
    assert check.via_hosts(ack) == [scene.at]
    pbx.expect_nothing(0.2)


def test_503_becomes_500(scene):
    # RFC 3261 section 16.7 item 6
    scene.start()
    alice, pbx = scene.alice(), scene.pbx()
    ask(alice, "INVITE")
    pbx.expect("INVITE")
    pbx.reply(503, headers=[("Retry-After", "3600")])
    pbx.expect("ACK")
    alice.expect(500)


def test_a_challenge_of_the_pbx_passes_and_both_are_answered(scene):
    scene.start()
    alice, pbx = scene.alice(), scene.pbx()
    ask(alice)
    pbx.expect("OPTIONS")
    theirs = 'Digest realm="pbx", nonce="theirs", qop="auth"'
    second = 'Digest realm="more", nonce="second"'
    pbx.reply(407, headers=[("Proxy-Authenticate", theirs),
                            ("Proxy-Authenticate", second)])
    ours = alice.challenges
    got = alice.expect(407)
    assert got.all("Proxy-Authenticate") == [theirs, second]
    alice.challenges = ours
    request = alice.again()
    request.add("Proxy-Authorization", 'Digest realm="pbx", nonce="theirs"')
    alice.post(alice.authorize(request))
    got = pbx.expect("OPTIONS")
    assert got.all("Proxy-Authorization") == [
        'Digest realm="pbx", nonce="theirs"']


def test_a_registrars_own_401_passes(scene):
    scene.start()
    alice, pbx = scene.alice(), scene.pbx()
    ask(alice, "REGISTER", "sip:example.com")
    pbx.expect("REGISTER")
    pbx.reply(401, headers=[(
        "WWW-Authenticate", 'Digest realm="pbx", nonce="n"')])
    got = alice.expect(401)
    assert got["WWW-Authenticate"] == 'Digest realm="pbx", nonce="n"'


def test_a_silent_target_of_an_invite_is_408(scene):
    scene.start(timers={"t1": "30ms"})
    alice, pbx = scene.alice(), scene.pbx()
    ask(alice, "INVITE")
    pbx.expect("INVITE")
    alice.expect(408)
    scene.log.has(reason="target-timeout")


def test_a_silent_target_of_another_request_is_silence(scene):
    # RFC 4320 section 4.2: no 408 to a non-INVITE, which nobody waits for
    scene.start(timers={"t1": "30ms"})
    alice, pbx = scene.alice(), scene.pbx()
    ask(alice, "MESSAGE")
    pbx.expect("MESSAGE")
    alice.expect_nothing(2.6)
    scene.log.has(reason="target-timeout")


def test_no_provisional_answer_to_a_non_invite(scene):
    # RFC 4320 section 4.1
    scene.start()
    alice, pbx = scene.alice(), scene.pbx()
    ask(alice, "MESSAGE")
    pbx.expect("MESSAGE")
    assert alice.receive(timeout=0.5) is None
    pbx.reply(200)
    alice.expect(200)


def test_timer_c_ends_a_call_that_rings_for_ever(scene):
    scene.start(timers={"t1": "100ms", "c": "2s"})
    alice, pbx = scene.alice(), scene.pbx()
    invite = ringing(alice, pbx)
    pbx.expect("CANCEL")
    pbx.reply(200)
    pbx.reply(487, to=invite)
    pbx.expect("ACK")
    alice.expect((408, 487))


def test_timer_c_begins_anew_with_each_provisional(scene):
    scene.start(timers={"t1": "100ms", "c": "3s"})
    alice, pbx = scene.alice(), scene.pbx()
    ringing(alice, pbx)
    for status in (183, 181, 183):
        time.sleep(1.2)
        pbx.reply(status, headers=[("X-Time", str(time.monotonic()))])
        alice.expect(status)
    pbx.expect_nothing(0.2)
    pbx.reply(200)
    alice.expect(200)


def test_timer_c_when_the_target_ignores_the_cancel(scene):
    scene.start(timers={"t1": "30ms", "c": "2s"})
    alice, pbx = scene.alice(), scene.pbx()
    ringing(alice, pbx)
    pbx.expect("CANCEL")
    alice.expect((408, 487))


def forged(scene, victim, method="OPTIONS", status=200, branch=None):
    vias = ["SIP/2.0/UDP %s:5060;branch=%s" % (
        scene.at, branch or sip.new_branch()),
        "SIP/2.0/UDP %s:5060;branch=z9hG4bKvictim" % victim.host]
    out = sip.Message("SIP/2.0 %d OK" % status)
    for via in vias:
        out.add("Via", via)
    out.add("From", "<sip:a@example.com>;tag=1")
    out.add("To", "<sip:b@example.com>;tag=2")
    out.add("Call-ID", "forged").add("CSeq", "1 " + method)
    return out.add("Content-Length", "0").encode()


@pytest.mark.parametrize("method", ["OPTIONS", "INVITE"])
@pytest.mark.parametrize("status", [180, 200, 404])
def test_a_response_to_nothing_is_dropped(scene, method, status):
    # else anybody could send what he likes to whom he likes through us
    scene.start()
    alice, mallory = scene.alice(), scene.mallory()
    mallory.raw(forged(scene, alice, method, status))
    alice.expect_nothing(0.3)
    scene.log.has(reason="response-stray")


def test_a_late_answer_to_what_was_answered_is_dropped(scene):
    scene.start()
    alice, pbx = scene.alice(), scene.pbx()
    serve(alice, pbx)
    pbx.reply(404)
    alice.expect_nothing(0.3)


def test_an_invite_retransmission_is_absorbed(scene):
    scene.start()
    alice, pbx = scene.alice(), scene.pbx()
    ringing(alice, pbx)
    alice.resend()
    alice.expect_again(180)
    pbx.expect_nothing(0.2)


def test_a_lost_2xx_of_a_non_invite_is_said_again(scene):
    scene.start()
    alice, pbx = scene.alice(), scene.pbx()
    serve(alice, pbx, method="MESSAGE")
    alice.resend()
    alice.expect_again(200)
    pbx.expect_nothing(0.1)


def test_a_failure_is_repeated_until_it_is_acknowledged(scene):
    scene.start()
    alice, pbx = scene.alice(), scene.pbx()
    ringing(alice, pbx)
    alice.auto_ack = False
    pbx.reply(486)
    alice.expect(486)
    got = alice.expect_again(486)
    alice.ack_failure(got)
    scene.daemon.settle()
    while alice.receive(timeout=0, again=True):
        pass
    assert alice.receive(timeout=0.8, again=True) is None


def test_a_response_comes_back_by_the_first_hop(scene):
    scene.start()
    alice, pbx = scene.alice(transport="tcp"), scene.pbx()
    got = serve(alice, pbx)
    assert len(alice.wire.flows) == 1
    assert got.via.startswith("SIP/2.0/UDP")
    call(alice, pbx)
    assert len(alice.wire.flows) == 1
