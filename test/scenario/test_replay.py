"""A use is consumed once."""

import time

import pytest

from harness import check, sip
from harness.daemon import Daemon
from harness.scene import ask, call, ringing, serve


def captured(phone, **edit):
    """The last request in a new transaction, credentials and all."""
    out = phone.sent.copy()
    out.set("Via", out["Via"].replace(
        sip.params_of(out["Via"])["branch"], sip.new_branch()))
    for name, value in edit.items():
        out.set(name.replace("_", "-"), value)
    return out


@pytest.mark.parametrize("method", [
    "INVITE", "REGISTER", "MESSAGE", "OPTIONS", "SUBSCRIBE", "X-NEW"])
def test_a_captured_request_is_refused(scene, method):
    scene.start()
    alice, pbx = scene.alice(), scene.pbx()
    ask(alice, method, "sip:bob@example.com", to=alice.aor)
    pbx.expect(method)
    pbx.reply(486)
    if method == "INVITE":
        pbx.expect("ACK")
    alice.expect(486)
    alice.post(captured(alice))
    assert check.is_stale(alice.expect(407))
    pbx.expect_nothing(0.2)
    scene.log.has(reason="replay", user="alice")


def test_a_captured_request_of_a_dialog_is_refused(scene):
    scene.start()
    alice, pbx = scene.alice(), scene.pbx()
    call(alice, pbx)
    alice.in_dialog("INFO")
    alice.expect(407)
    alice.answer()
    pbx.expect("INFO")
    pbx.reply(200)
    alice.expect(200)
    alice.post(captured(alice))
    assert check.is_stale(alice.expect(407))
    pbx.expect_nothing(0.2)


def test_the_same_bytes_after_the_transaction_over_tcp(scene):
    scene.start()
    alice, pbx = scene.alice(transport="tcp"), scene.pbx()
    serve(alice, pbx, method="MESSAGE")
    time.sleep(0.2)
    alice.resend()
    assert check.is_stale(alice.expect(407))
    pbx.expect_nothing(0.2)


def test_the_same_bytes_after_the_transaction_over_udp(scene):
    scene.start(timers={"t1": "30ms"})
    alice, pbx = scene.alice(), scene.pbx()
    serve(alice, pbx, method="MESSAGE")
    time.sleep(64 * 0.03 + 0.6)
    alice.resend()
    assert check.is_stale(alice.expect(407))
    pbx.expect_nothing(0.2)


def test_a_captured_request_from_another_address(scene):
    scene.start()
    alice, pbx = scene.alice(), scene.pbx()
    serve(alice, pbx, method="MESSAGE")
    mallory = scene.elsewhere(alice, "mallory", 66)
    mallory.post(captured(alice))
    assert check.is_stale(mallory.expect(407))
    pbx.expect_nothing(0.2)


def test_verbatim_bytes_from_another_address(scene):
    # the branch is the same, the transaction must not be: it would answer
    scene.start()
    alice, pbx = scene.alice(), scene.pbx()
    serve(alice, pbx, method="MESSAGE")
    mallory = scene.elsewhere(alice, "mallory", 66)
    mallory.raw(alice.sent.raw)
    pbx.expect_nothing(0.3)


def test_a_retransmission_is_no_replay(scene):
    scene.start()
    alice, pbx = scene.alice(), scene.pbx()
    ask(alice, "MESSAGE")
    pbx.expect("MESSAGE")
    for _ in range(3):
        alice.resend()
    pbx.reply(200)
    alice.expect(200)
    alice.resend()
    alice.expect_again(200)
    alice.expect_nothing(0.1)
    pbx.expect_nothing(0.1)
    scene.log.has_not(reason="replay")


def test_a_retransmitted_invite_is_no_replay(scene):
    scene.start()
    alice, pbx = scene.alice(), scene.pbx()
    ringing(alice, pbx)
    alice.resend()
    alice.expect_again(180)
    pbx.expect_nothing(0.2)
    scene.log.has_not(reason="replay")


def test_nonce_counts_in_any_order(scene):
    scene.start()
    alice, pbx = scene.alice(), scene.pbx()
    alice.send("MESSAGE", "sip:bob@example.com")
    alice.expect(407)
    for nc in (7, 3, 1024, 1, 5, 4):
        alice.answer(nc=nc)
        pbx.expect("MESSAGE")
        pbx.reply(200)
        alice.expect(200)
    alice.answer(nc=3)
    assert check.is_stale(alice.expect(407))
    pbx.expect_nothing(0.2)


def test_every_nonce_count_once(scene):
    scene.start(auth={"nc_max": 40})
    alice, pbx = scene.alice(), scene.pbx()
    alice.send("MESSAGE", "sip:bob@example.com")
    alice.expect(407)
    first = alice.challenges
    for nc in range(1, 41):
        alice.answer(nc=nc)
        pbx.expect("MESSAGE")
        pbx.reply(200)
        alice.expect(200)
    for nc in (*range(1, 41), 41, 42):
        alice.challenges = first
        alice.answer(nc=nc)
        alice.expect(407)
    pbx.expect_nothing(0)


def test_a_used_count_with_another_cnonce_is_a_replay(scene):
    scene.start()
    alice, pbx = scene.alice(), scene.pbx()
    ask(alice, "MESSAGE")
    pbx.expect("MESSAGE")
    pbx.reply(200)
    alice.expect(200)
    alice.answer(nc=1)
    assert check.is_stale(alice.expect(407))


def test_a_used_count_with_another_algorithm_is_a_replay(scene):
    # the same nonce stands in each challenge of one 407
    scene.start()
    alice, pbx = scene.alice(), scene.pbx()
    alice.send("MESSAGE", "sip:bob@example.com")
    alice.expect(407)
    alice.answer(pick="SHA-256", nc=1)
    pbx.expect("MESSAGE")
    pbx.reply(200)
    alice.expect(200)
    alice.answer(pick="MD5", nc=1)
    alice.expect(407)
    pbx.expect_nothing(0.1)


def test_a_wrong_answer_uses_nothing_up(scene):
    scene.start()
    alice, pbx = scene.alice(), scene.pbx()
    alice.send("MESSAGE", "sip:bob@example.com")
    alice.expect(407)
    first = alice.challenges
    alice.answer(nc=1, password="wrong")
    alice.expect(407)
    alice.challenges = first
    alice.answer(nc=1)
    pbx.expect("MESSAGE")


def test_credentials_do_not_fit_another_method_or_uri(scene):
    scene.start()
    alice, pbx = scene.alice(), scene.pbx()
    serve(alice, pbx, method="MESSAGE")
    other = captured(alice, CSeq="9 INVITE")
    other.start = other.start.replace("MESSAGE", "INVITE")
    alice.post(other)
    assert check.is_plain(alice.expect(407))
    other = captured(alice, CSeq="10 MESSAGE")
    other.start = "MESSAGE sip:carol@example.com SIP/2.0"
    alice.post(other)
    assert check.is_plain(alice.expect(407))
    pbx.expect_nothing(0.1)


def test_a_replay_is_answered_with_a_nonce_that_works(scene):
    scene.start()
    alice, pbx = scene.alice(), scene.pbx()
    serve(alice, pbx, method="MESSAGE")
    alice.post(captured(alice))
    assert check.is_stale(alice.expect(407))
    alice.answer()
    pbx.expect("MESSAGE")


def test_after_a_restart_with_the_same_key(scene):
    scene.start()
    alice, pbx = scene.alice(), scene.pbx()
    serve(alice, pbx, method="MESSAGE")
    used = alice.challenges
    alice.send("MESSAGE", "sip:bob@example.com")
    alice.expect(407)
    unused = alice.challenges
    scene.restart()
    alice.post(captured(alice))
    alice.expect(407)
    for nonce, nc in ((used, 1), (used, 2), (unused, 1)):
        alice.challenges = nonce
        alice.answer(nc=nc)
        assert check.is_stale(alice.expect(407))
        pbx.expect_nothing(0.1)
    scene.log.has(reason="fenced")
    alice.answer()
    pbx.expect("MESSAGE")


def test_a_twin_with_the_same_key_and_number(scene, tmp_path):
    # a generation is a random number: no clock, no instance id is trusted
    scene.start()
    twin = Daemon(str(tmp_path), "twin")
    twin.configure(scene.config(
        listen=[{"uri": "sip:%s:5060" % scene.net.host(3)}]))
    twin.start()
    try:
        alice, pbx = scene.alice(), scene.pbx()
        alice.send("MESSAGE", "sip:bob@example.com")
        alice.expect(407)
        alice.answer(flow=alice.wire.udp_to((scene.net.host(3), 5060)))
        assert check.is_stale(alice.expect(407))
        pbx.expect_nothing(0.1)
        twin.log.has(reason="fenced")
    finally:
        twin.stop()


def test_bind_source(scene):
    scene.start(auth={"bind": "source"})
    alice, pbx = scene.alice(), scene.pbx()
    alice.send("MESSAGE", "sip:bob@example.com")
    alice.expect(407)
    moved = scene.elsewhere(alice, "moved", 20)
    moved.sent_flow = moved.default_flow()
    moved.answer()
    assert check.is_stale(moved.expect(407))
    scene.log.has(reason="other-source")
    pbx.expect_nothing(0)
    moved.answer()
    pbx.expect("MESSAGE")


def test_bind_source_and_a_wrong_answer(scene):
    scene.start(auth={"bind": "source"})
    alice = scene.alice()
    alice.send("MESSAGE", "sip:bob@example.com")
    alice.expect(407)
    moved = scene.elsewhere(alice, "moved", 20)
    moved.answer(flow=moved.default_flow(), password="wrong")
    assert check.is_plain(moved.expect(407))


def test_another_port_of_the_same_address_is_the_same_source(scene):
    scene.start(auth={"bind": "source"})
    alice, pbx = scene.alice(), scene.pbx()
    alice.send("MESSAGE", "sip:bob@example.com")
    alice.expect(407)
    moved = scene.elsewhere(alice, "moved", 10, port=5070)
    moved.answer(flow=moved.default_flow())
    pbx.expect("MESSAGE")


def test_without_bind_a_phone_may_move(scene):
    scene.start()
    alice, pbx = scene.alice(), scene.pbx()
    alice.send("MESSAGE", "sip:bob@example.com")
    alice.expect(407)
    moved = scene.elsewhere(alice, "moved", 20)
    moved.answer(flow=moved.default_flow())
    pbx.expect("MESSAGE")


def test_the_memory_store_is_bounded(scene):
    # when full it forgets the oldest, and what was issued before is stale
    scene.start(nonce_store={"type": "memory", "size": 100})
    alice, pbx = scene.alice(), scene.pbx()
    alice.send("MESSAGE", "sip:bob@example.com")
    alice.expect(407)
    oldest = alice.challenges
    time.sleep(0.01)
    for _ in range(120):
        serve(alice, pbx, method="MESSAGE")
    alice.challenges = oldest
    alice.answer()
    assert check.is_stale(alice.expect(407))
    scene.log.has(reason="fenced")
