"""CANCEL: RFC 3261 sections 9 and 16.10."""

import pytest

from harness import check
from harness.scene import ask, call, ringing


def towards(scene, transport):
    return [scene.pbx_peer(uri="sip:%s:5060;transport=%s" % (
        scene.net.host(5), transport))]


@pytest.mark.parametrize("phone", ["udp", "tcp"])
@pytest.mark.parametrize("target", ["udp", "tcp"])
def test_cancel_while_it_rings(scene, phone, target):
    scene.start(peers=towards(scene, target))
    alice, pbx = scene.alice(transport=phone), scene.pbx()
    invite = ringing(alice, pbx)
    alice.cancel()
    assert alice.expect(200).method == "CANCEL"
    cancel = pbx.expect("CANCEL")
    assert cancel.via == invite.via and cancel.uri == invite.uri
    pbx.reply(200)
    pbx.reply(487, to=invite)
    ack = pbx.expect("ACK")
    assert ack.via == invite.via
    assert alice.expect(487).method == "INVITE"
    scene.log.has(method="INVITE", status="487")


@pytest.mark.parametrize("target", ["udp", "tcp"])
def test_cancel_before_any_provisional_waits_for_one(scene, target):
    scene.start(peers=towards(scene, target))
    alice, pbx = scene.alice(), scene.pbx()
    ask(alice, "INVITE")
    invite = pbx.expect("INVITE")
    alice.cancel()
    assert alice.expect(200).method == "CANCEL"
    pbx.expect_nothing(0.2)
    pbx.reply(100, to=invite)
    pbx.expect("CANCEL")
    pbx.reply(200)
    pbx.reply(487, to=invite)
    pbx.expect("ACK")
    assert alice.expect(487).method == "INVITE"


def test_cancel_towards_a_target_that_never_answers(scene):
    scene.start(timers={"t1": "30ms"})
    alice, pbx = scene.alice(), scene.pbx()
    ask(alice, "INVITE")
    pbx.expect("INVITE")
    alice.cancel()
    alice.expect(200)
    alice.expect((408, 487))
    pbx.expect_nothing(0.1)


@pytest.mark.parametrize("target", ["udp", "tcp"])
def test_cancel_that_the_target_ignores(scene, target):
    # RFC 3261 9.1: after 64*T1 the caller is told all the same
    scene.start(peers=towards(scene, target), timers={"t1": "30ms"})
    alice, pbx = scene.alice(), scene.pbx()
    ringing(alice, pbx)
    alice.cancel()
    alice.expect(200)
    pbx.expect("CANCEL")
    pbx.reply(200)
    alice.expect(487)


def test_cancel_crosses_a_200(scene):
    scene.start()
    alice, pbx = scene.alice(), scene.pbx()
    invite = ringing(alice, pbx)
    alice.cancel()
    alice.expect(200)
    pbx.expect("CANCEL")
    pbx.reply(481)
    pbx.reply(200, to=invite)
    assert alice.expect(200).method == "INVITE"
    alice.ack()
    pbx.expect("ACK")


def test_cancel_after_the_final_answer_does_nothing(scene):
    scene.start()
    alice, pbx = scene.alice(), scene.pbx()
    call(alice, pbx)
    alice.cancel()
    alice.expect((200, 481))
    pbx.expect_nothing(0.3)
    alice.expect_nothing(0.1)


def test_cancel_of_nothing_is_481_and_never_challenged(scene):
    scene.start()
    alice, pbx = scene.alice(), scene.pbx()
    alice.invite = alice.make("INVITE", "sip:bob@example.com")
    alice.invite_flow = alice.default_flow()
    alice.cancel()
    check.lacks(alice.expect(481), "Proxy-Authenticate")
    pbx.expect_nothing(0.1)


def test_cancel_by_somebody_else_does_nothing(scene):
    scene.start()
    alice, pbx = scene.alice(), scene.pbx()
    ringing(alice, pbx)
    mallory = scene.elsewhere(alice, "mallory", 66)
    mallory.cancel(flow=mallory.default_flow())
    mallory.expect(481)
    pbx.expect_nothing(0.3)
    alice.expect_nothing(0.1)


def test_cancel_of_a_challenged_invite_is_481(scene):
    scene.start()
    alice = scene.alice()
    alice.send("INVITE", "sip:bob@example.com")
    alice.expect(407)
    alice.cancel()
    alice.expect(481)


def test_credentials_in_a_cancel_end_here(scene):
    scene.start()
    alice, pbx = scene.alice(), scene.pbx()
    invite = ringing(alice, pbx)
    alice.cancel(headers=[
        ("Proxy-Authorization", alice.invite["Proxy-Authorization"])])
    alice.expect(200)
    check.lacks(pbx.expect("CANCEL"), "Proxy-Authorization")
    pbx.reply(200)
    pbx.reply(487, to=invite)
    pbx.expect("ACK")
    alice.expect(487)


def test_a_cancel_that_is_repeated_is_answered_again(scene):
    scene.start()
    alice, pbx = scene.alice(), scene.pbx()
    invite = ringing(alice, pbx)
    alice.cancel()
    alice.expect(200)
    pbx.expect("CANCEL")
    pbx.reply(200)
    cancel = alice.cancel()
    assert cancel.method == "CANCEL"
    assert alice.expect_again(200).method == "CANCEL"
    pbx.reply(487, to=invite)
    pbx.expect("ACK")
    alice.expect(487)


def test_the_pbx_cancels_a_reinvite(scene):
    scene.start()
    alice, pbx = scene.alice(), scene.pbx()
    call(alice, pbx)
    pbx.in_dialog("INVITE")
    invite = alice.expect("INVITE")
    alice.reply(180)
    pbx.expect(180)
    pbx.cancel()
    pbx.expect(200)
    alice.expect("CANCEL")
    alice.reply(200)
    alice.reply(487, to=invite)
    alice.expect("ACK")
    pbx.expect(487)


# ---- CANCEL while the daemon itself waits for a user's secret

def slow(**more):
    return {"users": dict({"type": "slow", "path": "users"}, **more)}


def needs_slow_store(scene, **more):
    """Only builds with --enable-test-modules have the store `slow`."""
    scene.write_config(**slow(**more))
    done = scene.daemon.run("-t", "-c", scene.daemon.config_path)
    if done.returncode != 0 and '"slow"' in done.stderr:
        pytest.skip("built without --enable-test-modules")
    scene.start(**slow(**more))


def test_slow_users_late_answer(scene):
    needs_slow_store(scene, delay="2s", answer="late")
    alice, pbx = scene.alice(), scene.pbx()
    ask(alice, "MESSAGE")
    pbx.expect_nothing(0.2)
    pbx.expect("MESSAGE")
    pbx.reply(200)
    alice.expect(200)


def test_slow_users_wrong_password(scene):
    needs_slow_store(scene, delay="100ms", answer="late")
    alice, pbx = scene.alice(password="wrong"), scene.pbx()
    ask(alice, "MESSAGE")
    assert check.is_plain(alice.expect(407))
    pbx.expect_nothing(0.1)


def test_slow_users_cancel_meanwhile(scene):
    needs_slow_store(scene, delay="1500ms", answer="late")
    alice, pbx = scene.alice(), scene.pbx()
    ask(alice, "INVITE")
    alice.cancel()
    assert alice.expect(200).method == "CANCEL"
    assert alice.expect(487).method == "INVITE"
    pbx.expect_nothing(2)


def test_slow_users_retransmission_meanwhile(scene):
    needs_slow_store(scene, delay="500ms", answer="late")
    alice, pbx = scene.alice(), scene.pbx()
    ask(alice, "INVITE")
    for _ in range(3):
        alice.resend()
    pbx.expect("INVITE")
    pbx.expect_nothing(0.3)
    pbx.reply(486)
    pbx.expect("ACK")
    alice.expect(486)


def test_slow_users_no_answer_is_503(scene):
    needs_slow_store(scene, answer="never")
    alice, pbx = scene.alice(), scene.pbx()
    ask(alice, "MESSAGE")
    alice.expect(503)
    pbx.expect_nothing(0.1)
    scene.log.has(reason="users-away")


@pytest.mark.parametrize("answer", ["unavailable", "full"])
def test_slow_users_that_cannot_tell_is_503(scene, answer):
    needs_slow_store(scene, delay="50ms", answer=answer)
    alice, pbx = scene.alice(), scene.pbx()
    ask(alice, "MESSAGE")
    alice.expect(503)
    pbx.expect_nothing(0.1)


def test_slow_users_and_the_end_of_the_daemon(scene):
    needs_slow_store(scene, answer="never")
    alice = scene.alice()
    ask(alice, "MESSAGE")
    alice.expect_nothing(0.2)
    scene.daemon.stop()


def test_the_first_reason_is_the_one_that_counts(scene):
    scene.start()
    alice, pbx = scene.alice(), scene.pbx()
    ask(alice, "INVITE")
    invite = pbx.expect("INVITE")
    for cause in (200, 480, 600):           # it has not rung yet
        alice.cancel(headers=[("Reason", "SIP ;cause=%d" % cause)])
    assert alice.expect(200).method == "CANCEL"
    pbx.reply(180, to=invite)
    cancel = pbx.expect("CANCEL")
    assert cancel.all("Reason") == ["SIP ;cause=200"]
    pbx.reply(200)
    pbx.reply(487, to=invite)
    pbx.expect("ACK")
    alice.expect(180)
    alice.expect(487)
