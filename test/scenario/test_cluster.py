"""One replay protection for all instances."""

import os
import re
import time

import pytest

from harness import check
from harness.clock import shift_clock
from harness.cluster import BOB, Crowd, copies, nonce_of, passes
from harness.patience import PATIENCE, until
from harness.phone import Dialog
from harness.scene import ask, call, serve


def captured(phone):
    """The last request, as somebody who overheard it sends it."""
    return copies(phone.sent)[0]


def serve_at(phone, pbx, first, second, method="MESSAGE", **auth):
    """Challenged by one instance, answered at another."""
    phone.send(method, BOB, flow=first.flow(phone))
    phone.expect(407)
    phone.answer(flow=second.flow(phone), **auth)
    pbx.expect(method)
    pbx.reply(200)
    phone.expect(200)


def refused_by(phone, one):
    """What was captured is stale there."""
    phone.post(captured(phone), flow=one.flow(phone))
    assert check.is_stale(phone.expect(407))


# ---- line 4: any instance, one answer

@pytest.mark.parametrize("transport", ["udp", "tcp"])
def test_the_answer_to_one_is_welcome_at_another(cluster, transport):
    cluster.start(3)
    alice, pbx = cluster.alice(transport=transport), cluster.pbx()
    for first in cluster:
        for second in cluster:
            serve_at(alice, pbx, first, second)
            asked = nonce_of(alice.challenge()[1])
            assert asked.instance == first.number and not asked.local


def test_the_manual_explains_the_counters_of_redis(cluster):
    cluster.start(1)
    check.manual_explains(name for name, _ in cluster.a.metrics())


def test_a_call_over_two_instances(cluster):
    cluster.start()
    alice, pbx = cluster.alice(), cluster.pbx()
    call(alice, pbx)
    alice.bye()
    alice.expect(407)
    alice.answer(flow=cluster.b.flow(alice))
    pbx.expect("BYE")
    pbx.reply(200)
    alice.expect(200)


@pytest.mark.parametrize("which", ["the answer's", "the early one's"])
def test_a_call_that_forked_over_two_instances(cluster, which):
    """Begun at one; what follows comes to the other, by whichever
    Record-Route the phone keeps."""
    cluster.start()
    alice, pbx = cluster.alice(), cluster.pbx()
    alice.send("INVITE", BOB)
    alice.expect(407)
    alice.answer()
    invite = pbx.expect("INVITE")
    pbx.reply(180, to=invite, tag="one")
    early = Dialog.of_caller(alice.invite, alice.expect(180))
    pbx.reply(200, to=invite, tag="two")
    alice.expect(200)
    if which == "the early one's":
        alice.dialog.routes = early.routes
    there = cluster.b.flow(alice)
    alice.ack(flow=there)
    pbx.expect("ACK")
    for method in ("INFO", "BYE"):
        alice.in_dialog(method, flow=there)
        alice.expect(407)
        alice.answer(flow=there)
        pbx.expect(method)
        pbx.reply(200)
        alice.expect(200)


def test_counts_of_one_nonce_at_all_instances_in_any_order(cluster):
    cluster.start(3)
    alice, pbx = cluster.alice(), cluster.pbx()
    alice.send("MESSAGE", BOB)
    alice.expect(407)
    first = alice.challenges
    for nc, one in ((9, cluster.b), (2, cluster.c), (1024, cluster.a),
                    (1, cluster.c), (3, cluster.b)):
        alice.answer(nc=nc, flow=one.flow(alice))
        passes(alice, pbx)
    for nc, one in ((9, cluster.a), (2, cluster.b), (1024, cluster.c)):
        alice.challenges = first
        alice.answer(nc=nc, flow=one.flow(alice))
        assert check.is_stale(alice.expect(407))
    pbx.expect_nothing(0.1)


# ---- line 3: the verdicts

@pytest.mark.parametrize("again", range(3))
@pytest.mark.parametrize("count", [2, 3])
def test_of_200_copies_one_is_accepted(cluster, count, again):
    cluster.start(count)
    alice, pbx = cluster.alice(), cluster.pbx()
    alice.send("MESSAGE", BOB)
    alice.expect(407)
    request = alice.authorize(alice.again())
    crowd = cluster.keep(Crowd(cluster.net.host(66)))
    for n, copy in enumerate(copies(request, 200)):
        crowd.send(copy, cluster.instances[n % count].address)
    pbx.expect("MESSAGE")
    pbx.reply(200)
    assert not crowd.gather()
    assert crowd.statuses() == {200: 1, 407: 199}
    assert all(check.is_stale(x) for x in crowd.answers.values()
               if x.status == 407)
    pbx.expect_nothing(0.3)


def test_of_copies_of_many_uses_each_is_accepted_once(cluster):
    cluster.start(3)
    alice, pbx = cluster.alice(), cluster.pbx()
    alice.send("MESSAGE", BOB)
    alice.expect(407)
    crowd = cluster.keep(Crowd(cluster.net.host(66)))
    for use in range(1, 31):
        request = alice.authorize(alice.again(), nc=use)
        request.set("Subject", "use-%d" % use)
        for n, copy in enumerate(copies(request, 6)):
            crowd.send(copy, cluster.instances[n % 3].address)
    seen = []
    for _ in range(30):
        seen.append(pbx.expect("MESSAGE")["Subject"])
        pbx.reply(200)
    assert sorted(seen) == sorted("use-%d" % n for n in range(1, 31))
    assert not crowd.gather()
    assert crowd.statuses() == {200: 30, 407: 150}
    pbx.expect_nothing(0.3)


@pytest.mark.parametrize("method", ["MESSAGE", "INVITE"])
def test_a_retransmission_at_another_instance_is_absorbed(cluster, method):
    cluster.start(timers={"t1": "30ms"})
    alice, pbx = cluster.alice(), cluster.pbx()
    ask(alice, method)
    request = pbx.expect(method)
    if method == "INVITE":
        pbx.reply(180)
        alice.expect(180)
    for _ in range(3):
        alice.resend(flow=cluster.b.flow(alice))
    cluster.b.log.has(reason="absorbed")
    if method == "MESSAGE":
        pbx.reply(200, to=request)
        alice.expect(200)
    alice.expect_nothing(64 * 0.03 + 0.5)       # no 100, and no 500 at the end
    pbx.expect_nothing(0)
    if method == "INVITE":
        pbx.reply(200, to=request)
        alice.expect(200)
    cluster.b.log.has_not(settle=0, event="authn.replay")


def test_a_retransmission_overtakes_what_it_repeats(cluster):
    """Both at once: one is served, nobody is refused."""
    cluster.start()
    alice, pbx = cluster.alice(), cluster.pbx()
    for _ in range(10):
        alice.send("MESSAGE", BOB)
        alice.expect(407)
        request = alice.authorize(alice.again())
        alice.post(request)
        alice.resend(flow=cluster.b.flow(alice))
        passes(alice, pbx)
        alice.expect_nothing(0.05)
        pbx.expect_nothing(0)


@pytest.mark.parametrize("number, port", [(10, 5070), (66, 5060)])
def test_the_same_bytes_from_elsewhere_are_no_retransmission(
        cluster, number, port):
    cluster.start()
    alice, pbx = cluster.alice(), cluster.pbx()
    serve(alice, pbx, method="MESSAGE")
    mallory = cluster.elsewhere(alice, "mallory", number, port=port)
    mallory.raw(alice.sent.raw, flow=cluster.b.flow(mallory))
    assert check.is_stale(mallory.expect(407))      # by rport
    cluster.b.log.has(event="authn.replay")
    pbx.expect_nothing(0.2)


def test_the_same_bytes_over_tcp_are_no_retransmission(cluster):
    cluster.start()
    alice, pbx = cluster.alice(transport="tcp"), cluster.pbx()
    serve(alice, pbx, method="MESSAGE")
    alice.resend(flow=cluster.b.flow(alice))
    assert check.is_stale(alice.expect(407))
    pbx.expect_nothing(0.2)


@pytest.mark.parametrize("method", ["MESSAGE", "INVITE"])
def test_a_client_that_fails_over(cluster, method):
    """RFC 3263 4.3: the same request to the next, with a branch of its own,
    though the first had it already."""
    cluster.start()
    alice, pbx = cluster.alice(), cluster.pbx()
    ask(alice, method)
    pbx.expect(method)
    cluster.a.kill()
    again = alice.sent.copy()
    again.set("Via", copies(again)[0]["Via"])
    alice.post(again, flow=cluster.b.flow(alice))
    assert check.is_stale(alice.expect(407))
    alice.answer()
    pbx.expect(method)
    pbx.reply(200)
    alice.expect(200)


def test_a_client_whose_instance_died_before_it_answered(cluster):
    cluster.start()
    alice, pbx = cluster.alice(), cluster.pbx()
    alice.send("MESSAGE", BOB)
    alice.expect(407)
    cluster.a.kill()
    alice.answer(flow=cluster.b.flow(alice))
    passes(alice, pbx)


def test_a_retransmission_is_not_absorbed_for_the_dead(cluster):
    """Who has the bytes of a dead instance gets an answer in the end."""
    cluster.start(timers={"t1": "10ms"})
    alice, pbx = cluster.alice(), cluster.pbx()
    ask(alice, "MESSAGE")
    pbx.expect("MESSAGE")
    cluster.a.kill()
    deadline = time.monotonic() + 60
    while True:
        alice.resend(flow=cluster.b.flow(alice))
        got = alice.receive(0.9)
        if got is not None:
            break
        assert time.monotonic() < deadline, "silence for ever"
    assert got.status == 407 and check.is_stale(got)
    pbx.expect_nothing(0.1)


def test_a_replay_is_refused_by_all_and_names_the_issuer(cluster):
    cluster.start(3)
    alice, pbx = cluster.alice(), cluster.pbx()
    for issuer, server in ((cluster.a, cluster.b), (cluster.c, cluster.a)):
        serve_at(alice, pbx, issuer, server)
        overheard = alice.sent
        for one in cluster:
            alice.sent = overheard
            refused_by(alice, one)
            one.log.has(event="authn.replay", user="alice",
                        issued_by=issuer.number, call_id=alice.sent.call_id)
    pbx.expect_nothing(0.2)
    assert cluster.c.value("requests_ended_total", "replay") == 2
    assert cluster.c.value("nonce_redis_uses_total", "replay") == 2


def test_a_replay_from_elsewhere_by_another_transport(cluster):
    cluster.start()
    alice, pbx = cluster.alice(), cluster.pbx()
    serve_at(alice, pbx, cluster.a, cluster.b)
    mallory = cluster.elsewhere(alice, "mallory", 66, transport="tcp")
    for one in cluster:
        forged = captured(alice)
        forged.set("Via", forged["Via"].replace("/UDP", "/TCP"))
        mallory.post(forged, flow=one.flow(mallory))
        assert check.is_stale(mallory.expect(407))
    pbx.expect_nothing(0.1)


# ---- line 2: what a request costs

def test_a_right_answer_costs_one_script(cluster):
    cluster.start()
    alice, pbx = cluster.alice(), cluster.pbx()
    serve_at(alice, pbx, cluster.a, cluster.b)
    before, begun = cluster.redis.commands(), time.monotonic()
    for _ in range(50):
        serve_at(alice, pbx, cluster.a, cluster.b)
    after = cluster.redis.commands()
    # each looks every 400 ms for what others banned
    looks = 2 * (1 + (time.monotonic() - begun) / 0.4)
    # two of them would be 100
    assert after["evalsha"] - before["evalsha"] <= 50 + 20 + looks
    assert after.get("eval", 0) == before.get("eval", 0)
    assert after["script|load"] == before["script|load"]


def flood_of_strangers(alice, count):
    alice.send("MESSAGE", BOB)
    alice.expect(407)
    return copies(alice.again(), count)


def flood_of_guessers(alice, count):
    alice.send("MESSAGE", BOB)
    alice.expect(407)
    return copies(alice.authorize(alice.again(), password="guess"), count)


@pytest.mark.parametrize("flood", [flood_of_strangers, flood_of_guessers])
def test_strangers_write_nothing(cluster, flood):
    cluster.start(log={"level": "notice"})
    alice, pbx = cluster.alice(), cluster.pbx()
    serve(alice, pbx, method="MESSAGE")
    time.sleep(0.5)         # what was tried at connect lives a millisecond
    keys = set(cluster.redis.ask("KEYS", "*"))
    before = cluster.redis.commands()
    crowd = cluster.keep(Crowd(cluster.net.host(66)))
    said = crowd.flood((one, cluster.instances[n % 2].address)
                       for n, one in enumerate(flood(alice, 10000)))
    assert said == {407: 10000}
    assert set(cluster.redis.ask("KEYS", "*")) <= keys
    after = cluster.redis.commands()
    # looks for bans; one for each of them would be 10000
    assert after.get("evalsha", 0) - before["evalsha"] < 1000
    pbx.expect_nothing(0)


def test_what_is_kept_ends_with_the_nonce(cluster):
    cluster.start(auth={"nonce_lifetime": "10s"})
    alice, pbx = cluster.alice(), cluster.pbx()
    before = set(cluster.redis.ask("KEYS", "*"))
    serve(alice, pbx, method="MESSAGE")
    made = set(cluster.redis.ask("KEYS", "*")) - before
    assert made
    for key in made:
        assert 0 < cluster.redis.ask("PTTL", key) <= (10 + 60) * 1000, key


def test_keys_stand_under_the_prefix_and_in_one_shard(cluster):
    """A script may touch keys of one hash tag only, for Redis Cluster."""
    cluster.start(store={"prefix": "door"})
    alice, pbx = cluster.alice(), cluster.pbx()
    serve(alice, pbx, method="MESSAGE")
    keys = cluster.redis.ask("KEYS", "*")
    assert keys and all(k.startswith("door") for k in keys)
    assert [k for k in keys if re.search(r"\{[^{}]+\}", k)]


def test_two_prefixes_are_two_worlds(cluster):
    cluster.redis = cluster.run_redis()
    cluster.write_users()
    cluster.place("a", store={"prefix": "one"}).start()
    cluster.place("b", store={"prefix": "two"}).start()
    cluster.wait_shared()
    alice, pbx = cluster.alice(), cluster.pbx()
    alice.send("MESSAGE", BOB)
    alice.expect(407)
    alice.answer(flow=cluster.b.flow(alice))
    assert check.is_stale(alice.expect(407))
    cluster.b.log.has(reason="fenced")
    pbx.expect_nothing(0.1)


# ---- line 4: keys and epochs

def test_two_master_keys_while_one_is_replaced(cluster):
    """Added as second everywhere, swapped, removed; one instance after the
    other, and no phone is refused in between."""
    new = cluster.write_key("new.key", os.urandom(32))
    old = cluster.key_path
    cluster.start()
    alice, pbx = cluster.alice(), cluster.pbx()

    def change(one, **auth):
        alice.send("MESSAGE", BOB, flow=one.flow(alice))
        alice.expect(407)
        one.stop()
        one.configure(cluster.config_of(one.name, auth=auth))
        one.start()
        cluster.wait_shared(one)
        for target in cluster:          # asked before, answered after
            alice.answer(flow=target.flow(alice))
            passes(alice, pbx)
        for first in cluster:
            for second in cluster:
                serve_at(alice, pbx, first, second)

    for auth in ({"key_file": old, "second_key_file": new},
                 {"key_file": new, "second_key_file": old}):
        for one in cluster:
            change(one, **auth)
    # the old one goes: its nonces are unknown from then on
    alice.send("MESSAGE", BOB)
    alice.expect(407)
    for one in cluster:
        change(one, key_file=new)


def test_another_master_key_is_another_house(cluster):
    cluster.redis = cluster.run_redis()
    cluster.write_users()
    other = cluster.write_key("other.key", os.urandom(32))
    cluster.place("a").start()
    cluster.wait_shared()
    cluster.place("b", auth={"key_file": other}).start()
    alice, pbx = cluster.alice(), cluster.pbx()
    alice.send("MESSAGE", BOB)
    alice.expect(407)
    alice.answer(flow=cluster.b.flow(alice))
    assert check.is_plain(alice.expect(407))
    pbx.expect_nothing(0.1)
    cluster.b.log.has(event=re.compile(r"^nonce\.redis"),
                      level=re.compile("warning|error"))


def test_key_epochs_roll_over(cluster, monkeypatch):
    """The hour is full while requests are in flight."""
    ahead = 3600 - int(time.time()) % 3600 - 12     # time to start
    shift_clock(monkeypatch, cluster.folder, ahead)
    cluster.start()
    monkeypatch.undo()
    alice, pbx = cluster.alice(), cluster.pbx()
    epochs, over = set(), 0
    alice.send("MESSAGE", BOB)
    alice.expect(407)
    kept = alice.challenges                 # of the old hour
    deadline = time.monotonic() + 2 * PATIENCE
    while over < 10:
        assert time.monotonic() < deadline, "the hour does not end"
        serve_at(alice, pbx, cluster.a, cluster.b)
        serve_at(alice, pbx, cluster.b, cluster.a)
        epochs.add(nonce_of(alice.challenge()[1]).key_id)
        over += len(epochs) > 1
    alice.challenges = kept
    for one in cluster:
        alice.answer(flow=one.flow(alice))
        passes(alice, pbx)
    assert len(epochs) == 2


# ---- line 8

def test_a_number_given_twice_is_noticed(cluster):
    cluster.redis = cluster.run_redis()
    cluster.write_users()
    cluster.place("a").start()
    cluster.wait_shared()
    cluster.place("b", instance_id=1).start()
    until(lambda: [x for one in cluster for x in one.log.lines()
                   if "instance" in x["event"] or "twin" in x["event"]],
          "nobody noticed", 2 * PATIENCE)      # by heartbeats


def test_a_restart_is_not_taken_for_a_twin(cluster):
    cluster.start()
    for end in (cluster.a.stop, cluster.a.kill):
        end()
        cluster.a.start()
        cluster.wait_shared()
    time.sleep(1)
    assert not [x for one in cluster for x in one.log.lines()
                if "instance" in x["event"] or "twin" in x["event"]]
