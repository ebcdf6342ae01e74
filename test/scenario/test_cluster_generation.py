"""Redis lost what it knew."""

import re
import time

import pytest

from harness import check
from harness.clock import shift_clock
from harness.cluster import (BOB, Crowd, all_refuse, copies, passes, serves,
                             storm, used)
from harness.phone import first_of
from harness.redis import Redis
from harness.scene import serve


def all_pass(cluster, phone, pbx):
    """Challenged by each, answered at each, as ever."""
    for first in cluster:
        for second in cluster:
            for _ in range(3):      # an instance may yet have to learn
                phone.send("MESSAGE", BOB, flow=first.flow(phone))
                phone.expect(407)
                phone.answer(flow=second.flow(phone))
                who, got = first_of(phone, pbx)
                if who is pbx:
                    pbx.reply(200)
                    phone.expect(200)
                    break
                assert check.is_stale(got)
            else:
                raise AssertionError("%s to %s: never accepted" % (
                    first.name, second.name))


# ---- the ways to lose memory

def flushed(cluster, _):
    cluster.redis.ask("FLUSHALL")


def emptied_key_by_key(cluster, _):
    for key in cluster.redis.ask("KEYS", "*"):
        cluster.redis.ask("DEL", key)


def restarted_empty(cluster, _):
    cluster.redis.restart()


def restarted_from_an_old_dump(cluster, dump):
    cluster.redis.kill()
    cluster.redis.start(dump)


LOSSES = [flushed, emptied_key_by_key, restarted_empty,
          restarted_from_an_old_dump]


@pytest.mark.parametrize("lose", LOSSES, ids=lambda f: f.__name__)
def test_what_was_used_before_is_refused(cluster, lose):
    cluster.start()
    alice, pbx = cluster.alice(), cluster.pbx()
    before = cluster.wait_shared()
    dump = cluster.redis.dump()                 # knows of no use
    known = [used(alice, pbx, cluster.a), used(alice, pbx, cluster.b)]
    alice.send("MESSAGE", BOB)
    alice.expect(407)
    kept = alice.challenges
    lose(cluster, dump)
    all_refuse(cluster, alice, known)
    cluster.wait_generation(before)
    all_refuse(cluster, alice, known)
    alice.challenges = kept                     # not used, but of that memory
    alice.answer(flow=cluster.b.flow(alice), nc=9)
    assert check.is_stale(alice.expect(407))
    pbx.expect_nothing(0.1)
    all_pass(cluster, alice, pbx)
    all_refuse(cluster, alice, known)


@pytest.mark.parametrize("times", range(2))
def test_200_copies_while_the_memory_is_lost(cluster, times):
    """FLUSHALL in the middle of them: still only one."""
    cluster.start(3)
    alice, pbx = cluster.alice(), cluster.pbx()
    for again in range(5):
        alice.send("MESSAGE", BOB, flow=cluster.b.flow(alice))
        alice.expect(407)
        request = alice.authorize(alice.again())
        request.set("Subject", "round %d.%d" % (times, again))
        crowd = cluster.keep(Crowd(cluster.net.host(66)))
        for n, copy in enumerate(copies(request, 200)):
            if n % 50 == 25:
                cluster.redis.ask("FLUSHALL")
            crowd.send(copy, cluster.instances[n % 3].address)
        seen = []
        assert not crowd.gather(lambda: serves(pbx, seen))
        said = crowd.statuses()
        assert said[200] == len(seen) <= 1, said
        assert said[200] + said[407] == 200, said
        pbx.expect_nothing(0.1)
        time.sleep(0.2)


def test_a_restart_with_all_data_is_a_new_memory_too(cluster):
    """Nothing says that the dump is the newest: the run id has changed."""
    cluster.start()
    alice, pbx = cluster.alice(), cluster.pbx()
    before = cluster.wait_shared()
    known = used(alice, pbx, cluster.a)
    cluster.redis.restart(keep=True)
    all_refuse(cluster, alice, [known])
    cluster.wait_generation(before)
    all_pass(cluster, alice, pbx)


# ---- fail-over

@pytest.fixture
def pair(cluster):
    """A master, its replica, and a link for each instance."""
    cluster.link("a", 21)
    cluster.link("b", 22)
    cluster.replica = cluster.run_redis("replica", 25,
                                        replica_of=cluster.redis)
    cluster.replica.wait_synced()
    cluster.start()
    return cluster


def lead_to(cluster, name, redis):
    """From now on the instance talks to that one."""
    link = cluster.links[name]
    link.move((redis.host, redis.port))
    link.break_open()


def cut_replication(cluster):
    """The replica is promoted while it knows nothing of what follows."""
    cluster.replica.promote()


def test_a_fail_over_that_lost_writes(pair):
    alice, pbx = pair.alice(), pair.pbx()
    before = pair.wait_shared()
    used(alice, pbx, pair.b)
    cut_replication(pair)
    known = [used(alice, pbx, pair.a), used(alice, pbx, pair.b)]
    pair.redis.kill()
    for name in "ab":
        lead_to(pair, name, pair.replica)
    all_refuse(pair, alice, known)
    pair.wait_generation(before)
    all_refuse(pair, alice, known)
    all_pass(pair, alice, pbx)


def test_one_instance_still_talks_to_the_old_master(pair):
    """Split in two: each half has its own memory, and neither takes what
    the other counted."""
    alice, pbx = pair.alice(), pair.pbx()
    cut_replication(pair)
    lead_to(pair, "b", pair.replica)
    pair.wait_shared()
    known = [used(alice, pbx, one) for one in (pair.a, pair.b) * 2]
    all_refuse(pair, alice, known)
    for first, second in ((pair.a, pair.b), (pair.b, pair.a)):
        alice.send("MESSAGE", BOB, flow=first.flow(alice))
        alice.expect(407)
        alice.answer(flow=second.flow(alice))
        assert check.is_stale(alice.expect(407))
        alice.answer()                          # and there it passes
        known.append(passes(alice, pbx))
    lead_to(pair, "a", pair.replica)
    all_refuse(pair, alice, known)
    pair.wait_shared()
    all_refuse(pair, alice, known)
    all_pass(pair, alice, pbx)


def test_there_and_back_with_connections_kept(pair):
    """The old master became a replica of the new one and then master again,
    by hand, and lost what the new one counted in between; nobody's
    connection broke, and its run id is what it was."""
    alice, pbx = pair.alice(), pair.pbx()
    old, new = pair.redis, pair.replica
    cut_replication(pair)
    lead_to(pair, "b", new)
    pair.wait_shared()
    known = [used(alice, pbx, pair.a), used(alice, pbx, pair.b)]
    old.follow(new.host)
    old.wait_synced()
    known.append(used(alice, pbx, pair.b))
    pair.wait_local(pair.a)
    old.promote()
    known += [used(alice, pbx, pair.b) for _ in range(3)]   # unknown to old
    pair.wait_shared(pair.a)
    all_refuse(pair, alice, known)
    pbx.expect_nothing(0.1)


def test_a_replica_that_is_promoted_under_a_connection(cluster):
    """An instance waits at a replica until it may write there."""
    master = Redis(cluster.folder, cluster.net.host(25), "master")
    cluster.keep(master)
    cluster.redis = cluster.run_redis(replica_of=master)
    cluster.redis.wait_synced()
    cluster.start(shared=False)
    cluster.wait_local()
    alice, pbx = cluster.alice(), cluster.pbx()
    known = [used(alice, pbx, one) for one in cluster]
    cluster.redis.promote()
    cluster.wait_shared()
    all_refuse(cluster, alice, known)
    all_pass(cluster, alice, pbx)


# ---- clocks and lifetimes

@pytest.mark.parametrize("off", [-3, 3])
def test_the_clock_of_redis_is_a_little_off(cluster, monkeypatch, off):
    shift_clock(monkeypatch, cluster.folder, off)
    cluster.redis = cluster.run_redis()
    monkeypatch.undo()
    cluster.start(auth={"nonce_lifetime": "10s"})
    alice, pbx = cluster.alice(), cluster.pbx()
    known = [used(alice, pbx, one) for one in cluster]
    for _ in range(10):
        all_refuse(cluster, alice, known)
        time.sleep(0.3)
    all_pass(cluster, alice, pbx)


@pytest.mark.parametrize("off", [-3600, 3600])
def test_the_clock_of_redis_is_far_off(cluster, monkeypatch, off):
    """Ends that were told as times of day would lie in the past there, and
    every use would be forgotten at once."""
    shift_clock(monkeypatch, cluster.folder, off)
    cluster.redis = cluster.run_redis()
    monkeypatch.undo()
    cluster.start(shared=False)
    cluster.wait_local()
    alice, pbx = cluster.alice(), cluster.pbx()
    known = [used(alice, pbx, one) for one in cluster]
    all_refuse(cluster, alice, known)
    for one in cluster:
        one.log.has(reason=re.compile("clock"))


def test_one_instance_is_ahead(cluster, monkeypatch):
    """3 s: its nonces come from the future elsewhere, and are welcome."""
    cluster.redis = cluster.run_redis()
    cluster.write_users()
    cluster.place("a").start()
    shift_clock(monkeypatch, cluster.folder, 3)
    cluster.place("b").start()
    monkeypatch.undo()
    cluster.wait_shared()
    alice, pbx = cluster.alice(), cluster.pbx()
    all_pass(cluster, alice, pbx)
    known = [used(alice, pbx, one) for one in cluster]
    all_refuse(cluster, alice, known)
    assert cluster.a.value("nonce_redis_clock_offset_ms") < 1000
    assert 2000 < cluster.b.value("nonce_redis_clock_offset_ms") < 4000


def test_one_instance_is_too_far_ahead(cluster, monkeypatch):
    """A minute: it counts as cut off, and says why."""
    cluster.redis = cluster.run_redis()
    cluster.write_users()
    cluster.place("a").start()
    cluster.wait_shared()
    shift_clock(monkeypatch, cluster.folder, 60)
    cluster.place("b").start()
    monkeypatch.undo()
    cluster.wait_local(cluster.b)
    cluster.b.log.has(reason=re.compile("clock"))
    alice, pbx = cluster.alice(), cluster.pbx()
    known = [used(alice, pbx, one) for one in cluster]
    all_refuse(cluster, alice, known)


def test_instances_with_different_lifetimes(cluster):
    """A use is remembered as long as its nonce lives, whoever counts it."""
    cluster.redis = cluster.run_redis()
    cluster.write_users()
    cluster.place("a", auth={"nonce_lifetime": "10s"}).start()
    cluster.place("b", auth={"nonce_lifetime": "600s"}).start()
    cluster.wait_shared()
    alice, pbx = cluster.alice(), cluster.pbx()
    alice.send("MESSAGE", BOB, flow=cluster.b.flow(alice))
    alice.expect(407)
    alice.answer(flow=cluster.a.flow(alice))
    known = passes(alice, pbx)
    ends = [cluster.redis.ask("PTTL", key)
            for key in cluster.redis.ask("KEYS", "*")]
    assert max(ends) > 590 * 1000
    # a use with less to live does not shorten what is kept
    alice.answer(flow=cluster.b.flow(alice))
    passes(alice, pbx)
    all_refuse(cluster, alice, [known, alice.sent])
    assert max(cluster.redis.ask("PTTL", key)
               for key in cluster.redis.ask("KEYS", "*")) > 590 * 1000


# ---- the answer of the script is lost

def test_an_answer_that_never_came_accepts_nothing(pair):
    """Redis has counted the use, the instance does not know: stale, and the
    same answer is good nowhere any more."""
    alice, pbx = pair.alice(), pair.pbx()
    alice.send("MESSAGE", BOB)
    alice.expect(407)
    pair.links["a"].mute()
    alice.answer()
    assert check.is_stale(alice.expect(407))
    lost = alice.sent
    pair.links["a"].heal()
    pair.links["a"].break_open()
    pair.wait_shared()
    all_refuse(pair, alice, [lost])
    pbx.expect_nothing(0.1)
    all_pass(pair, alice, pbx)


def test_answers_lost_over_and_over(pair):
    """Every connection of both breaks with answers under way, many times;
    each use passes once at most."""
    alice, pbx = pair.alice(), pair.pbx()
    links = [pair.links["a"], pair.links["b"]]

    def lose_answers():
        for link in links:
            link.mute()
        time.sleep(0.01)
        for link in links:
            link.break_open()
            link.heal()

    storm(pair, alice, pbx, 60, lose_answers)
    serve(alice, pbx, method="MESSAGE")