"""Bans that all instances know, through their Redis."""

import os
import re
import time

import pytest

from harness import sip
from harness.clock import shift_clock
from harness.cluster import BOB, PLACES, used
from harness.patience import until
from harness.phone import Phone

LIMITS = {"ban_after": 5, "ban_time": "1m", "failures_per_user": "off",
          "requests_per_source": "off", "requests_per_user": "off"}


def start(cluster, count=2, limits=(), **changes):
    cluster.start(count, limits=dict(LIMITS, **dict(limits)), **changes)
    for one in cluster:
        one.log.has(event="shared.up")
    return cluster


def guess(phone, one):
    """A wrong answer to an instance's own challenge, for a name each time,
    since for one there is a rate."""
    phone.user = sip.new_tag()
    phone.send("OPTIONS", BOB, flow=one.flow(phone))
    phone.expect(407)
    phone.answer(password="wrong", flow=one.flow(phone))
    phone.expect(407)


def get_banned(cluster, one, number=66, port=5060):
    mallory = cluster.mallory(user="bob") if number == 66 else \
        cluster.phone("m%d" % number, number, port, user="bob")
    for _ in range(LIMITS["ban_after"]):
        guess(mallory, one)
    said = one.log.has(event="guard.ban", source=mallory.host)
    assert said["from"] == "own"
    return mallory


def is_silenced(phone, one):
    phone.send("OPTIONS", BOB, flow=one.flow(phone))
    phone.expect_nothing(0.2)


def is_heard(phone, one):
    phone.send("OPTIONS", BOB, flow=one.flow(phone))
    phone.expect(407)


def hears_of(one, source, count=1):
    return one.log.has(event="guard.ban", source=source, count=count,
                       **{"from": "others"})


def v4(source):
    """As Redis has it."""
    return "0" * 20 + "ffff" + "".join("%02x" % int(x)
                                       for x in source.split("."))


def key(name):
    return "sipbouncer:{b}:" + name


def shares(one):
    return one.value("shared_up")


# ---- told

def test_a_ban_by_one_is_everywhere(cluster):
    start(cluster, 3)
    mallory = get_banned(cluster, cluster.a)
    for one in (cluster.b, cluster.c):
        said = hears_of(one, mallory.host)
        assert said["reason"] == "failures"
        assert 40 <= int(said["seconds"]) <= 60
    for one in cluster:
        is_silenced(mallory, one)
    # it was found out once
    for one, own in ((cluster.a, 1), (cluster.b, 0), (cluster.c, 0)):
        assert one.value("guard_bans_total") == own
        assert one.value("guard_bans_told_total") == 1 - own
        assert one.value("guard_banned") == 1
        assert shares(one) == 1
    used(cluster.alice(), cluster.pbx(), cluster.b)
    # and told once: it comes back to nobody
    time.sleep(1)
    for one in cluster:
        assert len(one.log.find(event="guard.ban")) == 1


def test_where_somebody_is_right_it_is_not_banned_for_others(cluster):
    # a guesser behind a NAT, at the instance that the others do not use
    start(cluster, 2)
    pbx = cluster.pbx()
    phone = cluster.phone("alice", 66, 5070)
    used(phone, pbx, cluster.b)
    mallory = get_banned(cluster, cluster.a)
    cluster.b.log.has_not(event="guard.ban", settle=1)
    used(phone, pbx, cluster.b)
    is_silenced(mallory, cluster.a)
    assert cluster.b.value("guard_banned") == 0


def test_who_is_started_later_knows_it(cluster):
    start(cluster, 2)
    mallory = get_banned(cluster, cluster.a)
    hears_of(cluster.b, mallory.host)
    late = cluster.place("c", limits=LIMITS).start()
    hears_of(late, mallory.host)
    is_silenced(mallory, late)


def test_a_ban_outlives_who_found_it_out(cluster):
    start(cluster, 2, {"ban_time": "8s"})
    mallory = get_banned(cluster, cluster.a)
    begun = time.monotonic()
    hears_of(cluster.b, mallory.host)
    cluster.a.kill()
    is_silenced(mallory, cluster.b)
    cluster.a.start()
    hears_of(cluster.a, mallory.host)
    # and ends by itself, everywhere
    for one in cluster:
        said = one.log.has(event="guard.unban", source=mallory.host)
        assert said["reason"] == "over"
        is_heard(mallory, one)
    assert time.monotonic() - begun > 3
    time.sleep(1)
    assert all(one.value("guard_banned") == 0 for one in cluster)


def lift(cluster, one, source, name):
    """The operator puts it into ban_never, here only."""
    one.configure(cluster.config_of(name, limits=dict(
        LIMITS, ban_never=[source])))
    one.reload()
    said = one.log.has(event="guard.unban", source=source)
    assert (said["reason"], said["from"]) == ("taken back", "own")


def test_a_ban_that_is_lifted_by_one_is_lifted_everywhere(cluster):
    start(cluster, 3)
    mallory = get_banned(cluster, cluster.a)
    other = get_banned(cluster, cluster.a, 67)
    for one in (cluster.b, cluster.c):
        hears_of(one, mallory.host)
        hears_of(one, other.host)
    lift(cluster, cluster.b, mallory.host, "b")
    for one in (cluster.a, cluster.c):
        said = one.log.has(event="guard.unban", source=mallory.host)
        assert (said["reason"], said["from"]) == ("taken back", "others")
    for one in cluster:
        is_heard(mallory, one)
        assert one.value("guard_banned") == 1
    # who guesses again is banned again, but where he is in the list
    for _ in range(LIMITS["ban_after"]):
        guess(mallory, cluster.a)
    cluster.a.log.has(event="guard.ban", source=mallory.host, count=2)
    hears_of(cluster.c, mallory.host, count=2)
    cluster.b.log.has_not(event="guard.ban", source=mallory.host,
                          seconds="120")
    is_heard(mallory, cluster.b)


def test_who_was_away_hears_that_a_ban_was_lifted(cluster):
    """... before he tells the others of it anew."""
    cluster.link("b", 22)
    start(cluster, 2)
    mallory = get_banned(cluster, cluster.a)
    hears_of(cluster.b, mallory.host)
    cluster.links["b"].cut()
    cluster.b.log.has(event="shared.down")
    lift(cluster, cluster.a, mallory.host, "a")
    is_silenced(mallory, cluster.b)
    cluster.links["b"].heal()
    cluster.b.log.has(event="guard.unban", source=mallory.host)
    is_heard(mallory, cluster.b)
    cluster.a.configure(cluster.config_of("a", limits=LIMITS))
    cluster.a.reload()
    cluster.a.log.has(event="daemon.reload", count=2)
    late = cluster.place("c", limits=LIMITS).start()
    late.log.has(event="shared.up")
    is_heard(mallory, late)
    late.log.has_not(event="guard.ban", settle=1)


def test_who_was_away_keeps_what_he_found_out_since(cluster):
    cluster.link("b", 22)
    start(cluster, 2)
    cluster.b.stop()
    cluster.links["b"].cut()
    mallory = get_banned(cluster, cluster.a)
    lift(cluster, cluster.a, mallory.host, "a")
    # so that the second ban ends later by more than their clocks differ
    time.sleep(4)
    cluster.b.start()
    for _ in range(LIMITS["ban_after"]):
        guess(mallory, cluster.b)
    cluster.b.log.has(event="guard.ban", source=mallory.host)
    cluster.links["b"].heal()
    late = cluster.place("c", limits=LIMITS).start()
    hears_of(late, mallory.host)
    is_silenced(mallory, cluster.b)
    assert not cluster.b.log.find(event="guard.unban")


def test_what_was_lifted_without_redis_is_lifted_with_it(cluster):
    cluster.link("a", 21)
    start(cluster, 2)
    mallory = get_banned(cluster, cluster.a)
    hears_of(cluster.b, mallory.host)
    cluster.links["a"].cut()
    cluster.a.log.has(event="shared.down")
    lift(cluster, cluster.a, mallory.host, "a")
    is_silenced(mallory, cluster.b)
    cluster.links["a"].heal()
    said = cluster.b.log.has(event="guard.unban", source=mallory.host)
    assert (said["reason"], said["from"]) == ("taken back", "others")
    # once: what is banned after it is banned
    for _ in range(LIMITS["ban_after"]):
        guess(mallory, cluster.b)
    cluster.b.log.has(event="guard.ban", source=mallory.host, count=2)
    cluster.links["a"].break_open()
    cluster.a.log.has(event="shared.up", count=3)
    time.sleep(1)
    assert len(cluster.b.log.find(event="guard.unban")) == 1


def test_a_longer_ban_is_told_again(cluster):
    start(cluster, 2, {"ban_time": "4s", "ban_after": 5})
    mallory = get_banned(cluster, cluster.a)
    hears_of(cluster.b, mallory.host)
    for one in cluster:
        one.log.has(event="guard.unban")
    for _ in range(5):
        guess(mallory, cluster.a)
    said = hears_of(cluster.b, mallory.host, count=2)
    assert 5 <= int(said["seconds"]) <= 8


def test_who_was_banned_elsewhere_is_no_beginner(cluster):
    """Or one instance after the other would give him the shortest."""
    start(cluster, 2, {"ban_time": "4s"})
    mallory = get_banned(cluster, cluster.a)
    hears_of(cluster.b, mallory.host)
    for one in cluster:
        one.log.has(event="guard.unban")
    for _ in range(LIMITS["ban_after"]):
        guess(mallory, cluster.b)
    said = cluster.b.log.has(event="guard.ban", **{"from": "own"})
    assert said["seconds"] == "8"


def test_ipv6_goes_by_prefix(cluster):
    start(cluster, 2)
    redis_ban(cluster, "20010db8000000010000000000000000")
    said = hears_of(cluster.b, "2001:db8:0:1::/64")
    assert said["reason"] == "scanner"


def test_a_ban_of_a_prefix_silences_it_everywhere(cluster):
    """Of ::/64, as far as loopback goes."""
    cluster.redis = cluster.run_redis()
    cluster.write_users()
    for name, port in (("a", cluster.port6), ("b", cluster.port6 + 1)):
        one = cluster.place(name, limits=LIMITS, listen=[
            {"uri": "sip:%s:5060" % cluster.net.host(PLACES[name])},
            {"uri": "sip:[::1]:%d" % port}])
        one.address = ("::1", port)
        one.start()
        one.log.has(event="shared.up")
    cluster.log, cluster.daemon = cluster.a.log, cluster.a
    mallory = Phone(cluster.ladder, "mallory", "::1", 0, user="bob",
                    password="guess", proxy=cluster.a.address)
    cluster.actors.append(mallory)
    is_heard(mallory, cluster.b)
    for _ in range(LIMITS["ban_after"]):
        guess(mallory, cluster.a)
    cluster.a.log.has(event="guard.ban", source="::/64")
    hears_of(cluster.b, "::/64")
    for one in cluster:
        is_silenced(mallory, one)


def test_bans_are_bounded_there_too(cluster):
    start(cluster, 2, {"bans_max": 2})
    bad = [get_banned(cluster, cluster.a, n) for n in (61, 62, 63)]
    hears_of(cluster.b, bad[2].host)
    there = cluster.redis.ask("ZRANGE", key("u"), 0, -1)
    assert sorted(there) == sorted(v4(m.host) for m in bad[1:])
    assert cluster.redis.ask("ZCARD", key("n")) == 2
    assert cluster.redis.ask("HLEN", key("r")) == 2
    late = cluster.place("c", limits=dict(LIMITS, bans_max=2)).start()
    for m in bad[1:]:
        hears_of(late, m.host)
    is_heard(bad[0], late)


def test_no_member_is_banned(cluster):
    """Who guesses on the machine of an instance gets it banned by no other,
    which would take its phones from them."""
    start(cluster, inside="sip:HERE:5060")
    guesser = cluster.phone("guesser", PLACES["b"], 40000, user="bob")
    for _ in range(LIMITS["ban_after"] + 1):
        guess(guesser, cluster.a)
    is_heard(guesser, cluster.a)
    assert not cluster.a.log.find(event="guard.ban")
    get_banned(cluster, cluster.a)


def test_a_peer_of_one_is_not_banned_there(cluster):
    """What is a peer's address here may be a stranger's elsewhere."""
    cluster.redis = cluster.run_redis()
    cluster.write_users()
    cluster.place("a", limits=LIMITS).start()
    trunk = {"name": "trunk", "uri": "sip:%s:5060" % cluster.net.host(66),
             "from": [cluster.net.host(66)], "auth": "ip"}
    cluster.place("b", limits=LIMITS,
                  peers=[cluster.pbx_peer(), trunk]).start()
    cluster.log, cluster.daemon = cluster.a.log, cluster.a
    cluster.wait_shared()
    mallory = get_banned(cluster, cluster.a)
    other = get_banned(cluster, cluster.a, 67)
    hears_of(cluster.b, other.host)
    cluster.b.log.has_not(event="guard.ban", source=mallory.host)
    mallory.send("OPTIONS", BOB, flow=cluster.b.flow(mallory))
    assert mallory.receive() is not None


def test_every_key_ends_by_itself(cluster):
    start(cluster, 2)
    hears_of(cluster.b, get_banned(cluster, cluster.a).host)
    for name in "mnur":
        assert 60000 < cluster.redis.ask("PTTL", key(name)) <= 1260000


# ---- Redis away, and back

def test_a_dead_redis_leaves_each_with_its_own(cluster):
    start(cluster, 2)
    known = get_banned(cluster, cluster.a)
    hears_of(cluster.b, known.host)
    cluster.redis.kill()
    for one in cluster:
        one.log.has(event="shared.down")
        assert shares(one) == 0
        is_silenced(known, one)
    mine = get_banned(cluster, cluster.a, 67)
    is_silenced(mine, cluster.a)
    is_heard(mine, cluster.b)
    # said once, however long it lasts
    time.sleep(2)
    for one in cluster:
        assert len(one.log.find(event="shared.down")) == 1
    # it comes back without its data, and learns all from us
    cluster.redis.start()
    hears_of(cluster.b, mine.host)
    is_silenced(mine, cluster.b)
    until(lambda: cluster.redis.ask("ZCARD", key("u")) == 2)
    for one in cluster:
        assert len(one.log.find(event="shared.up")) == 2


def test_a_ban_outlives_redis_and_who_found_it_out(cluster):
    start(cluster, 2)
    mallory = get_banned(cluster, cluster.a)
    hears_of(cluster.b, mallory.host)
    cluster.a.kill()
    cluster.redis.kill()
    cluster.b.log.has(event="shared.down")
    cluster.redis.start()
    cluster.b.log.has(event="shared.up", count=2)
    cluster.a.start()
    hears_of(cluster.a, mallory.host)


def test_flushall_is_noticed(cluster):
    start(cluster, 2)
    mallory = get_banned(cluster, cluster.a)
    hears_of(cluster.b, mallory.host)
    cluster.redis.ask("FLUSHALL")
    until(lambda: cluster.redis.ask("ZSCORE", key("u"), v4(mallory.host)),
          "nobody told it again")
    late = cluster.place("c", limits=LIMITS).start()
    hears_of(late, mallory.host)
    for one in (cluster.a, cluster.b):
        assert len(one.log.find(event="guard.ban")) == 1
        assert not one.log.find(event="shared.down")


def test_older_data_is_noticed(cluster):
    """The numbers go back."""
    start(cluster, 2)
    first = get_banned(cluster, cluster.a)
    hears_of(cluster.b, first.host)
    old = cluster.redis.dump()
    second = get_banned(cluster, cluster.a, 67)
    hears_of(cluster.b, second.host)
    cluster.redis.kill()
    cluster.redis.start(old)
    late = cluster.place("c", limits=LIMITS).start()
    for m in (first, second):
        hears_of(late, m.host)


def test_a_replica_takes_over(cluster):
    """With the bans that it has; a ban at one that is none is no loss."""
    cluster.link("a", 21)
    cluster.link("b", 22)
    replica = cluster.run_redis("replica", 25, replica_of=cluster.redis)
    replica.wait_synced()
    start(cluster, 2)
    first = get_banned(cluster, cluster.a)
    hears_of(cluster.b, first.host)
    for link in cluster.links.values():     # too early: not yet a master
        link.move((replica.host, replica.port))
        link.break_open()
    for one in cluster:
        one.log.has(event="shared.down")
    second = get_banned(cluster, cluster.a, 67)
    replica.ask("REPLICAOF", "NO", "ONE")
    hears_of(cluster.b, second.host)
    there = replica.ask("ZRANGE", key("u"), 0, -1)
    assert sorted(there) == sorted([v4(first.host), v4(second.host)])


def test_who_was_apart_learns_what_the_others_know(cluster):
    cluster.link("a", 21)
    cluster.link("b", 22)
    other = cluster.run_redis("other", 25)
    cluster.links["b"].move((other.host, other.port))
    start(cluster, 2)
    at_a = get_banned(cluster, cluster.a)
    at_b = get_banned(cluster, cluster.b, 67)
    cluster.links["b"].move((cluster.redis.host, cluster.redis.port))
    cluster.links["b"].break_open()
    hears_of(cluster.a, at_b.host)
    hears_of(cluster.b, at_a.host)


def test_forgotten_scripts_are_loaded_again(cluster):
    start(cluster, 2)
    cluster.redis.ask("SCRIPT", "FLUSH")
    hears_of(cluster.b, get_banned(cluster, cluster.a).host)
    for one in cluster:
        assert not one.log.find(event="shared.down")


def test_a_hung_redis_holds_nobody(cluster):
    start(cluster, 2)
    cluster.redis.pause()
    mallory = get_banned(cluster, cluster.a)
    is_silenced(mallory, cluster.a)
    for one in cluster:
        one.log.has(event="shared.down")
    cluster.redis.resume()
    hears_of(cluster.b, mallory.host)


# ---- Redis is hostile, or denies

def redis_ban(cluster, source, rest_ms=60000, reason="scanner", number=None):
    """Written by hand."""
    seconds, micros = cluster.redis.ask("TIME")
    if number is None:
        number = cluster.redis.ask("HINCRBY", key("m"), "n", 1)
    cluster.redis.ask("ZADD", key("n"), number, source)
    cluster.redis.ask("ZADD", key("u"), rest_ms if isinstance(rest_ms, str)
                      else int(seconds) * 1000 + int(micros) // 1000 + rest_ms,
                      source)
    if reason is not None:
        cluster.redis.ask("HSET", key("r"), source, reason)


GOOD = "20010db8000000010000000000000000"


def test_hostile_values_are_not_believed(cluster):
    start(cluster, 1)
    for source in ("", "x", "zz" * 16, GOOD[:-1], GOOD + "0", "2" * 100000,
                   "20010db8000000010000000000000001",
                   "\0" * 32, "20010db8 00000010000000000000000"):
        redis_ban(cluster, source)
    redis_ban(cluster, "20010db8000000020000000000000000", -1000)
    redis_ban(cluster, "20010db8000000030000000000000000", "-inf")
    redis_ban(cluster, "20010db8000000040000000000000000", "+inf")
    redis_ban(cluster, "20010db8000000050000000000000000", reason=None)
    redis_ban(cluster, "20010db8000000060000000000000000", reason="x" * 9999)
    redis_ban(cluster, "20010db8000000070000000000000000", number="+inf")
    redis_ban(cluster, GOOD)
    hears_of(cluster.a, "2001:db8:0:1::/64")
    said = {x["source"]: x for x in cluster.a.log.find(event="guard.ban")}
    assert sorted(said) == ["2001:db8:0:%d::/64" % n for n in (1, 4, 5, 6)]
    assert int(said["2001:db8:0:4::/64"]["seconds"]) <= 366 * 86400
    assert said["2001:db8:0:5::/64"]["reason"] == "given"
    assert said["2001:db8:0:6::/64"]["reason"] == "given"
    assert shares(cluster.a) == 1


@pytest.mark.parametrize("words", [
    ("HSET", "n", "x"), ("HSET", "n", "nan"), ("HSET", "n", "-1"),
    ("HSET", "n", "1e300"), ("HSET", "epoch", "short"),
    ("HSET", "epoch", "y" * 100000), ("HDEL", "epoch"), ("HDEL", "n"),
    ("UNLINK",)])
def test_a_ledger_that_is_none_is_made_anew(cluster, words):
    start(cluster, 2)
    mallory = get_banned(cluster, cluster.a)
    hears_of(cluster.b, mallory.host)
    cluster.redis.ask(words[0], key("m"), *words[1:])
    second = get_banned(cluster, cluster.a, 67)
    hears_of(cluster.b, second.host)
    until(lambda: cluster.redis.ask("ZCARD", key("u")) == 2)


def test_an_epoch_of_other_bytes_is_none(cluster):
    """Or it would look like a new one with each answer."""
    start(cluster, 1)
    cluster.redis.ask("HSET", key("m"), "epoch", "\0" * 16)
    until(lambda: re.fullmatch("[0-9a-f]{16}", str(
        cluster.redis.ask("HGET", key("m"), "epoch"))))


@pytest.mark.parametrize("name", "mnur")
def test_a_key_of_another_type_is_made_anew(cluster, name):
    """Or all that is shared would be lost for it, calls included."""
    start(cluster, 2)
    first = get_banned(cluster, cluster.a)
    hears_of(cluster.b, first.host)
    cluster.redis.ask("UNLINK", key(name))
    cluster.redis.ask("SET", key(name), "x")
    second = get_banned(cluster, cluster.a, 67)
    hears_of(cluster.b, second.host)
    until(lambda: cluster.redis.ask("TYPE", key("u")) == "zset" and
          cluster.redis.ask("ZCARD", key("u")) == 2)
    for one in cluster:
        assert not one.log.find(event="shared.down")


def test_where_keys_are_thrown_away_nothing_is_shared(cluster):
    """A call whose own key is gone could not be ended any more."""
    cluster.redis = cluster.run_redis(
        options=[("maxmemory-policy", "allkeys-lru")])
    cluster.start(2, limits=LIMITS, shared=False)
    for one in cluster:
        one.log.has(event="shared.down",
                    reason="maxmemory-policy is not noeviction")
    mallory = get_banned(cluster, cluster.a)
    is_heard(mallory, cluster.b)
    cluster.redis.set("maxmemory-policy", "noeviction")
    hears_of(cluster.b, mallory.host)


@pytest.mark.parametrize("jump", [3600, -3600])
def test_the_clock_of_redis_jumps(cluster, monkeypatch, jump):
    """Bans that are known end as they would have; others are told of."""
    shift = shift_clock(monkeypatch, cluster.folder, 0)
    cluster.redis = cluster.run_redis()
    monkeypatch.undo()
    start(cluster, 2, {"ban_time": "12s", "ban_max": "12s"})
    mallory = get_banned(cluster, cluster.a)
    hears_of(cluster.b, mallory.host)
    shift.set(jump)
    other = get_banned(cluster, cluster.b, 67)
    assert int(hears_of(cluster.a, other.host)["seconds"]) <= 12
    for one in cluster:
        for source in (mallory, other):
            one.log.has(event="guard.unban", source=source.host)
            is_heard(source, one)
            assert len(one.log.find(event="guard.ban",
                                    source=source.host)) == 1
        assert not one.log.find(event="shared.down")


def test_no_ban_lasts_longer_than_ours(cluster):
    """The server's clock was set back, or others have another ban_max."""
    start(cluster, 2, {"ban_max": "2m"})
    redis_ban(cluster, GOOD, 3600 * 1000)
    for one in cluster:
        assert hears_of(one, "2001:db8:0:1::/64")["seconds"] == "120"


@pytest.mark.parametrize("rule", ["-@scripting", "-zadd", "-time", "-hset"])
def test_where_the_acl_denies_bans_are_not_shared(cluster, rule):
    """And all else goes on, as far as it is allowed."""
    cluster.redis = cluster.run_redis()
    cluster.redis.ask("ACL", "SETUSER", "proxy", "on", ">secret", "~*",
                      "+@all", rule)
    cluster.start(2, limits=LIMITS, shared=rule != "-time", store={
        "url": cluster.redis.url("proxy:secret")})
    for one in cluster:
        one.log.has(event="shared.down",
                    reason=re.compile("ACL"))
    mallory = get_banned(cluster, cluster.a)
    is_silenced(mallory, cluster.a)
    is_heard(mallory, cluster.b)
    if rule != "-time":
        used(cluster.alice(), cluster.pbx(), cluster.a, cluster.b)
    time.sleep(2)
    for one in cluster:
        assert len(one.log.find(event="shared.down")) == 1
        assert not one.log.find(event="shared.up")
    got = cluster.a.run("-t", "-c", cluster.a.config_path)
    if rule != "-time":
        assert got.returncode == 0 and "bans and calls are not shared" in \
            got.stdout
    # the operator allows it: no restart is needed
    cluster.redis.ask("ACL", "SETUSER", "proxy", "+@all")
    hears_of(cluster.b, mallory.host)


def test_what_ends_at_once_is_not_said_over_and_over(cluster):
    """What is tried at connect is allowed, and all else is not."""
    cluster.redis = cluster.run_redis()
    cluster.redis.ask("ACL", "SETUSER", "proxy", "on", ">secret", "+@all",
                      "~sipbouncer:{[0-9]*", "~sipbouncer:{?}:t*")
    cluster.start(1, limits=LIMITS, store={
        "url": cluster.redis.url("proxy:secret")})
    cluster.a.log.has(event="shared.down", count=3)
    time.sleep(6)
    assert len(cluster.a.log.find(event="shared.down")) <= 4
    assert len(cluster.a.log.find(event="shared.up")) <= 4
    cluster.redis.ask("ACL", "SETUSER", "proxy", "~*")
    said = len(cluster.a.log.find(event="shared.up"))
    cluster.a.log.has(event="shared.up", count=said + 1)
    assert shares(cluster.a) == 1


MANUAL = os.path.join(os.path.dirname(__file__), "..", "..", "man",
                      "sipbouncer.cfg.5")


def rights_of_the_manual():
    with open(MANUAL, encoding="ascii") as f:
        text = " ".join(f.read().split())
    first = re.search(r"and the commands (.*?) and (script\|load)\.", text)
    more = re.search(r"it needs (.*?), too\.", text)
    words = re.split(r", (?:and )?| and ", ", ".join(
        first.groups() + more.groups()))
    assert len(words) > 30
    return ["+" + w for w in words]


def test_the_rights_of_the_manual_are_enough(cluster):
    cluster.redis = cluster.run_redis()
    cluster.redis.ask("ACL", "SETUSER", "proxy", "on", ">secret",
                      "~sipbouncer*", "-@all", *rights_of_the_manual())
    start(cluster, 2, store={"url": cluster.redis.url("proxy:secret")})
    hears_of(cluster.b, get_banned(cluster, cluster.a).host)


# ---- many

def write_many(client):
    """Bans of 20000 networks, from 2001:db8:0:1::/64 on."""
    client("EVAL", """
        for i = 1, 20000 do
          local s = string.format('20010db8%08x0000000000000000', i)
          redis.call('ZADD', KEYS[1], i, s)
          redis.call('ZADD', KEYS[2], ARGV[1] * 1000 + 600000, s)
        end
        redis.call('HSET', KEYS[3], 'n', 20000)""", 3, key("n"), key("u"),
           key("m"), client("TIME")[0])


def test_thousands_are_lifted_by_one_network(cluster):
    many = dict(LIMITS, bans_max=50000)
    start(cluster, 2, many)
    client = cluster.redis.connect()
    write_many(client)
    client.close()
    for one in cluster:
        until(lambda one=one: one.value("guard_banned") == 20000)
    cluster.a.configure(cluster.config_of("a", limits=dict(
        many, ban_never=["2001:db8::/33"])))
    cluster.a.reload()
    for one in cluster:
        until(lambda one=one: one.value("guard_banned") == 0)
    used(cluster.alice(), cluster.pbx(), cluster.b)


def test_many_are_learned_in_portions(cluster):
    """While a call is served."""
    start(cluster, 1, {"bans_max": 50000})
    client = cluster.redis.connect()
    write_many(client)
    alice, pbx = cluster.alice(), cluster.pbx()
    def serving(count):
        used(alice, pbx, cluster.a)
        return count() >= 20000
    until(lambda: serving(lambda: cluster.a.value("guard_banned")))
    assert cluster.a.value("guard_bans_told_total") == 20000
    assert len(cluster.a.log.find(event="guard.ban")) < 20000
    # and told, by one that has them all
    cluster.redis.ask("UNLINK", *[key(name) for name in "mnur"])
    until(lambda: serving(lambda: cluster.redis.ask("ZCARD", key("u"))),
          lambda: cluster.redis.ask("ZCARD", key("u")))
    client.close()
