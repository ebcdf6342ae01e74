"""Calls that all instances count together, through their Redis."""

import time

import pytest

from harness.clock import shift_clock
from harness.cluster import Crowd
from harness.patience import PATIENCE, until
from harness.phone import Dialog
from harness.scene import SDP

NUMBER = "sip:+49301@example.com"


def start(cluster, count=2, link=None, **limits):
    """alice is of the class "default", the PBX of "pbx", which is the
    same."""
    limits = dict({"calls": 1}, **limits)
    cluster.users = [("alice", "wonderland")]
    cluster.start(count, classes=[dict({"name": n}, **limits)
                                  for n in ("default", "pbx")],
                  peers=[cluster.pbx_peer(**{"class": "pbx"}),
                         {"name": "carrier",
                          "uri": "sip:%s:5060" % cluster.net.host(6),
                          "from": [cluster.net.host(6)]}],
                  routes=[{"from": "pbx", "to": "carrier"}, {"to": "pbx"}],
                  timers={"t1": "50ms"})
    for one in cluster:
        one.log.has(event="shared.up")
    return cluster.alice(), cluster.pbx()


def invite(phone, one, **parts):
    phone.send("INVITE", NUMBER, body=SDP, flow=one.flow(phone), **parts)
    if phone.password is not None:
        phone.expect(407)
        phone.answer(flow=one.flow(phone))


def begins(phone, other, one, headers=()):
    invite(phone, one)
    other.expect("INVITE")
    other.reply(200, body=SDP, headers=headers)
    phone.expect(200)
    phone.in_dialog("ACK", cseq=phone.invite.cseq[0], flow=one.flow(phone))
    other.expect("ACK")
    return phone.dialog


def refused(phone, one, status=480):
    invite(phone, one)
    return phone.expect(status)


def bye(phone, other, one, dialog=None):
    dialog = dialog or phone.dialog
    phone.in_dialog("BYE", dialog, flow=one.flow(phone))
    if phone.password is not None:
        phone.expect(407)
        phone.answer(flow=one.flow(phone))
    other.expect("BYE")
    other.reply(200)
    phone.expect(200)


def keys(cluster):
    return [k if isinstance(k, str) else k.decode()
            for k in cluster.redis.ask("KEYS", "*:{c}:*")]


def wait_empty(cluster, kinds="ca"):
    """Until no call is counted there."""
    until(lambda: not any(":{c}:%s:" % kind in k for k in keys(cluster)
                          for kind in kinds),
          lambda: keys(cluster))


@pytest.mark.parametrize("at", ["a", "b"])
@pytest.mark.parametrize("who", ["caller", "callee"])
def test_a_call_counts_everywhere(cluster, who, at):
    alice, pbx = start(cluster)
    begins(alice, pbx, cluster.a)
    dialog, far = alice.dialog, pbx.dialog
    for one in cluster:
        refused(alice, one)
        one.log.has(event="fraud.limit", of="calls", user="alice")
        assert one.value("calls_under_way") == 0        # it counts there
    one = getattr(cluster, at)
    if who == "caller":
        bye(alice, pbx, one, dialog)
    else:
        bye(pbx, alice, one, far)
    wait_empty(cluster)
    begins(alice, pbx, cluster.b)
    refused(alice, cluster.a)


def test_a_call_that_rings_ends_with_its_instance(cluster):
    """Whoever asks it to stop a second time does not wait."""
    alice, pbx = start(cluster)
    invite(alice, cluster.a)
    pbx.expect("INVITE")
    pbx.reply(180)
    alice.expect(180)
    assert any(":{c}:c:" in k for k in keys(cluster))
    cluster.a.process.terminate()
    cluster.a.log.has(event="daemon.drain")
    cluster.a.process.terminate()
    pbx.expect("CANCEL")
    wait_empty(cluster)


def test_a_peer_counts_everywhere(cluster):
    _, pbx = start(cluster, calls=2)
    carrier = cluster.pbx(6, "carrier")
    begins(pbx, carrier, cluster.a)
    first = pbx.dialog
    begins(pbx, carrier, cluster.b)
    for one in cluster:
        refused(pbx, one)
    bye(pbx, carrier, cluster.b, first)
    begins(pbx, carrier, cluster.b)


def test_how_fast_counts_everywhere(cluster):
    alice, pbx = start(cluster, calls="off", calls_started="2/m")
    for one in cluster:
        invite(alice, one)
        pbx.expect("INVITE")
        pbx.reply(486)
        pbx.expect("ACK")
        alice.expect(486)
    assert not any(":{c}:c:" in k for k in keys(cluster))
    for one in cluster:
        refused(alice, one)
        one.log.has(event="fraud.limit", of="calls_started")


@pytest.mark.parametrize("end", ["busy", "cancel", "silence"])
def test_a_failure_ends_it_everywhere(cluster, end):
    alice, pbx = start(cluster)
    invite(alice, cluster.a)
    got = pbx.expect("INVITE")
    if end == "busy":
        pbx.reply(486)
        alice.expect(486)
    elif end == "cancel":
        pbx.reply(180)
        alice.expect(180)
        alice.cancel()
        alice.expect(200)
        pbx.expect("CANCEL")
        pbx.reply(200)
        pbx.reply(487, to=got)
        alice.expect(487)
    else:
        alice.expect(408)
    wait_empty(cluster)
    assert cluster.b.value("calls_under_way") == 0


def test_one_call_id_hides_no_second_call_anywhere(cluster):
    alice, pbx = start(cluster, calls=1)
    begins(alice, pbx, cluster.a)
    first = alice.dialog
    invite(alice, cluster.b, call_id=first.call_id, from_=first.local,
           cseq=70)
    alice.expect(480)
    bye(alice, pbx, cluster.b, first)
    wait_empty(cluster)


def test_a_call_goes_on_at_another_instance(cluster):
    """The first died before it could answer: both count, the first until it
    is forgotten."""
    alice, pbx = start(cluster, calls=2)
    invite(alice, cluster.a)
    pbx.expect("INVITE")
    again = alice.sent
    cluster.a.kill()
    invite(alice, cluster.b, call_id=again.call_id, from_=again["From"],
           cseq=90)
    pbx.expect("INVITE")
    pbx.reply(200, body=SDP)
    alice.expect(200)
    refused(alice, cluster.b)


def test_it_is_forgotten_everywhere(cluster):
    alice, pbx = start(cluster, calls_forgotten="4s")
    begins(alice, pbx, cluster.a)
    refused(alice, cluster.b)
    wait_empty(cluster, kinds="c")
    begins(alice, pbx, cluster.b)


def test_a_bye_to_an_early_dialog_frees_nothing_anywhere(cluster):
    """At another instance than its INVITE, either."""
    alice, pbx = start(cluster)
    invite(alice, cluster.a)
    got = pbx.expect("INVITE")
    pbx.reply(183, to=got, tag="one")
    early = Dialog.of_caller(alice.invite, alice.expect(183))
    bye(alice, pbx, cluster.b, early)
    time.sleep(0.5)             # each has a link of its own to Redis
    pbx.reply(200, to=got, tag="two", body=SDP)
    alice.expect(200)
    alice.in_dialog("ACK", cseq=alice.invite.cseq[0],
                    flow=cluster.a.flow(alice))
    pbx.expect("ACK")
    dialog = alice.dialog
    for one in cluster:
        refused(alice, one)
    bye(alice, pbx, cluster.b, dialog)
    wait_empty(cluster)
    begins(alice, pbx, cluster.a)


def lasts(cluster):
    """How long the one call counts, in s, at most."""
    call, = [k for k in keys(cluster) if ":{c}:c:" in k]
    return cluster.redis.ask("PTTL", call) / 1000


@pytest.mark.parametrize("header, least, most", [
    (("Session-Expires", "1800;refresher=uac"), 1800, 1860),
    (("x", "600"), 600, 660),
    (("Session-Expires", "10"), 7000, 7200),        # RFC 4028: 90 at least
    (("Session-Expires", "99999"), 7000, 7200),
    (("Session-Expires", "soon"), 7000, 7200),
    (("Subject", "1800"), 7000, 7200)])
def test_a_session_timer_shortens_it(cluster, header, least, most):
    alice, pbx = start(cluster, 1)
    begins(alice, pbx, cluster.a, headers=[header])
    until(lambda: least <= lasts(cluster) <= most, lambda: lasts(cluster))
    alice.in_dialog("UPDATE", flow=cluster.a.flow(alice))
    alice.expect(407)
    alice.answer(flow=cluster.a.flow(alice))
    pbx.expect("UPDATE")
    pbx.reply(200, headers=[("Session-Expires", "90")])
    alice.expect(200)
    until(lambda: 90 <= lasts(cluster) <= 150, lambda: lasts(cluster))


@pytest.mark.parametrize("asked, least, most", [
    ((), 7000, 7200), ([("Session-Expires", "1800")], 90, 150)])
def test_who_calls_does_not_shorten_it_alone(cluster, asked, least, most):
    """By the answer to what the far side sends, which does not expect it."""
    alice, pbx = start(cluster, 1)
    begins(alice, pbx, cluster.a)
    pbx.in_dialog("UPDATE", flow=cluster.a.flow(pbx), headers=asked)
    alice.expect("UPDATE")
    alice.reply(200, headers=[("Session-Expires", "90;refresher=uac")])
    pbx.expect(200)
    if not asked:
        time.sleep(0.3)
    until(lambda: least <= lasts(cluster) <= most, lambda: lasts(cluster),
          PATIENCE if asked else 0)


def test_another_dialog_does_not_shorten_it(cluster):
    """Whose far side agrees to it, by the token of this one."""
    alice, pbx = start(cluster, 1)
    begins(alice, pbx, cluster.a)
    to = alice.dialog.remote.partition(";tag=")[0] + ";tag=other"
    alice.in_dialog("UPDATE", flow=cluster.a.flow(alice), to=to)
    alice.expect(407)
    alice.answer(flow=cluster.a.flow(alice))
    pbx.expect("UPDATE")
    pbx.reply(200, headers=[("Session-Expires", "90")])
    alice.expect(200)
    time.sleep(0.3)
    assert 7000 <= lasts(cluster) <= 7200


def test_a_cancel_before_redis_answered(cluster):
    """It is not counted then, or not any more."""
    _, pbx = start(cluster)
    carrier = cluster.pbx(6, "carrier")
    cluster.redis.pause()
    try:
        invite(pbx, cluster.a)
        pbx.cancel()
        pbx.expect(200)
        pbx.expect(487)
    finally:
        cluster.redis.resume()
    cluster.wait_shared()
    wait_empty(cluster)
    carrier.expect_nothing(0.1)
    until(lambda: cluster.a.value("shared_up") == 1)
    begins(pbx, carrier, cluster.a)


def test_without_redis_each_counts_its_own(cluster):
    alice, pbx = start(cluster)
    carrier = cluster.pbx(6, "carrier")
    cluster.redis.kill()
    for one in cluster:
        one.log.has(event="shared.down")
    cluster.wait_local()
    begins(alice, pbx, cluster.a)
    refused(alice, cluster.a)
    assert cluster.a.value("calls_under_way") == 1
    first = alice.dialog
    begins(alice, pbx, cluster.b)       # it knows of none
    refused(alice, cluster.b)
    bye(alice, pbx, cluster.b)
    assert cluster.b.value("calls_under_way") == 0
    assert cluster.a.value("calls_under_way") == 1
    bye(alice, pbx, cluster.a, first)
    assert cluster.a.value("calls_under_way") == 0
    begins(pbx, carrier, cluster.a)
    refused(pbx, cluster.a)


@pytest.mark.parametrize("method", ["BYE", "UPDATE"])
def test_what_is_handed_over_ends_it_where_it_was_counted(cluster, method):
    """The PBX asks the other instance, which has not the phone."""
    cluster.users = [("alice", "wonderland")]
    cluster.start(2, inside="sip:HERE:5060", classes=[
        {"name": "default", "calls": 1, "calls_forgotten": "5s"}])
    alice, pbx = cluster.alice(transport="tcp"), cluster.pbx()
    cluster.redis.kill()
    cluster.wait_local()
    begins(alice, pbx, cluster.a)
    assert cluster.a.value("calls_under_way") == 1
    ends = time.monotonic() + 6
    while method == "UPDATE" and time.monotonic() < ends:
        pbx.in_dialog("UPDATE", flow=cluster.b.flow(pbx))
        alice.expect("UPDATE")
        alice.reply(200)
        pbx.expect(200)
        assert cluster.a.value("calls_under_way") == 1
    pbx.in_dialog("BYE", flow=cluster.b.flow(pbx))
    alice.expect("BYE")
    alice.reply(200)
    pbx.expect(200)
    assert cluster.a.value("calls_under_way") == 0


def test_when_redis_is_back_it_counts_again(cluster):
    alice, pbx = start(cluster)
    cluster.redis.kill()
    for one in cluster:
        one.log.has(event="shared.down")
    cluster.wait_local()
    begins(alice, pbx, cluster.a)
    first = alice.dialog
    cluster.redis.start()
    cluster.wait_shared()
    for one in cluster:
        one.log.has(event="shared.up", count=2)
    bye(alice, pbx, cluster.a, first)
    assert cluster.a.value("calls_under_way") == 0
    begins(alice, pbx, cluster.a)
    refused(alice, cluster.b)
    assert cluster.a.value("calls_under_way") == 0


def hangs_up(cluster, alice, pbx):
    """A call at a; its end is as near as the answer of the PBX."""
    begins(alice, pbx, cluster.a)
    alice.in_dialog("BYE", flow=cluster.a.flow(alice))
    alice.expect(407)
    alice.answer(flow=cluster.a.flow(alice))
    pbx.expect("BYE")


def test_an_end_that_was_refused_is_told_again(cluster):
    """By a master that is none any more, or whose disk is full, or as here."""
    alice, pbx = start(cluster)
    hangs_up(cluster, alice, pbx)
    cluster.redis.ask("ACL", "SETUSER", "default", "-unlink")
    pbx.reply(200)
    alice.expect(200)
    cluster.a.log.has(event="shared.down")
    assert lasts(cluster) > 0
    cluster.redis.ask("ACL", "SETUSER", "default", "+@all")
    wait_empty(cluster)


def test_a_fail_over_loses_no_end(cluster):
    alice, pbx = start(cluster)
    hangs_up(cluster, alice, pbx)
    cluster.redis.follow("127.0.0.1", 1)
    pbx.reply(200)
    alice.expect(200)
    for one in cluster:
        one.log.has(event="shared.down")
    cluster.redis.promote()
    wait_empty(cluster)


def test_an_end_finds_its_script_forgotten(cluster):
    """Nothing else happens there that would tell it later."""
    alice, pbx = start(cluster)
    hangs_up(cluster, alice, pbx)
    cluster.redis.ask("SCRIPT", "FLUSH")
    pbx.reply(200)
    alice.expect(200)
    wait_empty(cluster)
    begins(alice, pbx, cluster.b)


def test_calls_of_its_own_push_out_no_end(cluster):
    """While Redis is away, and more of them than it remembers ends."""
    cluster.link("a", 21)
    alice, pbx = start(cluster, calls=100000)
    begins(alice, pbx, cluster.a)
    cluster.links["a"].cut()
    cluster.a.log.has(event="shared.down")
    cluster.wait_local(cluster.a)
    bye(alice, pbx, cluster.a)
    crowd = Crowd(cluster.net.host(5))
    try:
        # where the PBX calls there is nobody: each is over at once
        for n in range(4300):
            crowd.send(pbx.make("INVITE", "sip:%d@127.0.0.1:9" % n),
                       cluster.a.address)
            if n % 50 == 49:
                assert not crowd.gather()
    finally:
        crowd.close()
    assert cluster.a.value("shared_calls_total", "unavailable") > 4200
    cluster.links["a"].heal()
    wait_empty(cluster)


def test_what_rings_counts_no_longer_than_it_may_ring(cluster):
    """If its instance dies nobody else can end it; once it is answered any
    other can."""
    alice, pbx = start(cluster)
    invite(alice, cluster.a)
    pbx.expect("INVITE")
    pbx.reply(180)
    alice.expect(180)
    assert 100 < lasts(cluster) < 260
    # told again, as long as it rings
    time.sleep(10.5)
    before = lasts(cluster)
    pbx.reply(183)
    alice.expect(183)
    until(lambda: lasts(cluster) > before + 5)
    pbx.reply(200, body=SDP)
    alice.expect(200)
    until(lambda: lasts(cluster) > 7000)


def test_what_is_agreed_on_while_it_rings_lengthens_nothing(cluster):
    """Or else it would count for hours when its instance dies."""
    alice, pbx = start(cluster)
    invite(alice, cluster.a)
    pbx.expect("INVITE")
    pbx.reply(183, tag="one")
    early = Dialog.of_caller(alice.invite, alice.expect(183))
    alice.in_dialog("UPDATE", early, flow=cluster.b.flow(alice))
    alice.expect(407)
    alice.answer(flow=cluster.b.flow(alice))
    pbx.expect("UPDATE")
    pbx.reply(200)
    alice.expect(200)
    time.sleep(0.3)
    assert 100 < lasts(cluster) < 260


def test_a_bye_elsewhere_is_told_before_the_answer(cluster):
    """The instance of the INVITE is cut off from Redis meanwhile."""
    cluster.link("a", 21)
    alice, pbx = start(cluster)
    invite(alice, cluster.a)
    pbx.expect("INVITE")
    cluster.links["a"].cut()
    cluster.a.log.has(event="shared.down")
    pbx.reply(200, body=SDP)
    alice.expect(200)
    alice.in_dialog("ACK", cseq=alice.invite.cseq[0],
                    flow=cluster.b.flow(alice))
    pbx.expect("ACK")
    # alice's nonce is of a Redis that b has
    bye(alice, pbx, cluster.b)
    assert lasts(cluster) < 260
    cluster.links["a"].heal()
    wait_empty(cluster)
    cluster.a.log.has(event="shared.up", count=2)
    begins(alice, pbx, cluster.b)


def test_what_is_not_told_at_the_end_is_said(cluster):
    cluster.link("a", 21)
    alice, pbx = start(cluster)
    invite(alice, cluster.a)
    pbx.expect("INVITE")
    cluster.links["a"].cut()
    cluster.a.log.has(event="shared.down")
    pbx.reply(486)
    pbx.expect("ACK")
    alice.expect(486)
    cluster.a.process.terminate()
    cluster.a.log.has(event="shared.lost", calls=1)


def test_that_it_was_answered_is_told_when_redis_is_back(cluster):
    cluster.link("a", 21)
    alice, pbx = start(cluster)
    invite(alice, cluster.a)
    pbx.expect("INVITE")
    pbx.reply(180)
    alice.expect(180)
    cluster.links["a"].cut()
    cluster.a.log.has(event="shared.down")
    pbx.reply(200, body=SDP)
    alice.expect(200)
    assert lasts(cluster) < 260
    cluster.links["a"].heal()
    until(lambda: lasts(cluster) > 7000)


@pytest.mark.parametrize("which", ["a", "s", "c"])
def test_a_key_of_another_type_stops_nobody(cluster, which):
    alice, pbx = start(cluster, calls=2, calls_started="100/m")
    begins(alice, pbx, cluster.a)
    bad = [k for k in keys(cluster) if ":{c}:%s:" % which in k]
    assert bad
    for k in bad:
        cluster.redis.ask("UNLINK", k)
        cluster.redis.ask("LPUSH", k, "x")
    bye(alice, pbx, cluster.a)
    begins(alice, pbx, cluster.b)
    if which != "c":            # or else its place is not free
        begins(alice, pbx, cluster.a)
    refused(alice, cluster.b)
    for one in cluster:
        assert not one.log.find(event="shared.down")


@pytest.mark.parametrize("jump", [3600, -3600])
def test_the_clock_of_redis_jumps(cluster, monkeypatch, jump):
    """By less than a call counts: nobody gets more calls, nor fewer."""
    shift = shift_clock(monkeypatch, cluster.folder, 0)
    cluster.redis = cluster.run_redis()
    monkeypatch.undo()
    alice, pbx = start(cluster, calls=2)
    begins(alice, pbx, cluster.a)
    first = alice.dialog
    until(lambda: lasts(cluster) > 7000)    # it was told to be answered
    shift.set(jump)
    cluster.wait_local()            # nonces go by it
    begins(alice, pbx, cluster.b)
    second = alice.dialog
    for one in cluster:
        refused(alice, one)
    bye(alice, pbx, cluster.b, first)
    shift.set(0)
    cluster.wait_shared()
    begins(alice, pbx, cluster.a)
    refused(alice, cluster.b)
    bye(alice, pbx, cluster.a)
    bye(alice, pbx, cluster.b, second)
    wait_empty(cluster)
    for one in cluster:
        assert not one.log.find(event="shared.down")


def test_a_reload_changes_the_limit_of_calls_under_way(cluster):
    alice, pbx = start(cluster, calls=1)
    begins(alice, pbx, cluster.a)
    first = alice.dialog
    refused(alice, cluster.b)
    for one in cluster:
        one.configure(cluster.config_of(
            one.name, peers=[cluster.pbx_peer()], routes=[{"to": "pbx"}],
            timers={"t1": "50ms"}, classes=[{"name": "default", "calls": 2}]))
        one.reload()
    begins(alice, pbx, cluster.b)
    refused(alice, cluster.a)
    bye(alice, pbx, cluster.a, first)
    begins(alice, pbx, cluster.a)
    refused(alice, cluster.b)


def test_what_an_instance_counted_outlives_it(cluster):
    alice, pbx = start(cluster)
    begins(alice, pbx, cluster.a)
    first = alice.dialog
    cluster.a.kill()
    refused(alice, cluster.b)
    bye(alice, pbx, cluster.b, first)
    wait_empty(cluster)
    begins(alice, pbx, cluster.b)
