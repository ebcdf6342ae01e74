"""Ways to a Redis, and what -t says of it."""

import os
import re
import time

import pytest

from harness import check
from harness.clock import shift_clock
from harness.cluster import BOB, Crowd, all_refuse, copies, used
from harness.dns import DnsServer
from harness.patience import until
from harness.phone import first_of
from harness.redis import ELECTION, Redis, Sentinel, certificate

# What the manual page tells the operator to allow.
# as sipbouncer.cfg(5) lists them
COMMANDS = ("+get +mget +set +setbit +pttl +pexpire +exists +watch +unwatch "
            "+multi +exec +discard +time +info +ping +select +evalsha +eval "
            "+script|load").split()


def works(cluster):
    """Challenged by one, answered at the other, refused by both."""
    alice, pbx = cluster.alice(), cluster.pbx()
    known = [used(alice, pbx, cluster.a, cluster.b),
             used(alice, pbx, cluster.b, cluster.a)]
    all_refuse(cluster, alice, known)
    return alice, pbx, known


def passes_at_both(cluster, alice, pbx):
    for one in cluster:
        used(alice, pbx, one)


def stays_away(cluster, why):
    """It never counts there, and says why; phones are served."""
    cluster.wait_local()
    for one in cluster:
        one.log.has(event=re.compile(r"^nonce\.redis"),
                    reason=re.compile(why, re.I))
    alice, pbx = cluster.alice(), cluster.pbx()
    known = [used(alice, pbx, one) for one in cluster]
    time.sleep(1)
    cluster.wait_local()
    all_refuse(cluster, alice, known)


def secret(cluster, text, name="redis.password", mode=0o600):
    path = os.path.join(cluster.folder, name)
    with open(path, "w", encoding="utf-8") as f:
        f.write(text)
    os.chmod(path, mode)
    return name


# ---- line 1: addresses

def test_a_unix_socket(cluster):
    cluster.redis = cluster.run_redis(unix=True)
    cluster.start(store={"url": cluster.redis.unix_url()})
    works(cluster)


def test_a_unix_socket_that_vanishes_and_comes_back(cluster):
    cluster.redis = cluster.run_redis(unix=True)
    cluster.start(store={"url": cluster.redis.unix_url()})
    alice, pbx, known = works(cluster)
    cluster.redis.kill()
    cluster.wait_local()
    known += [used(alice, pbx, one) for one in cluster]
    cluster.redis.start()
    cluster.wait_shared()
    all_refuse(cluster, alice, known)


def test_a_name_instead_of_an_address(cluster, tmp_path):
    """Looked up like any other, and looked up again."""
    dns = cluster.keep(DnsServer(cluster.net.host(53)))
    conf = tmp_path / "resolv.conf"
    conf.write_text("nameserver %s\nport %d\n" % (dns.host, dns.port))
    cluster.redis = cluster.run_redis()
    dns.ttl = 1
    dns.add("redis.test", "A", cluster.redis.host)
    cluster.start(store={"url": "redis://redis.test:6379/0"},
                  resolv_conf=str(conf))
    alice, pbx, known = works(cluster)
    elsewhere = cluster.run_redis("elsewhere", 26)
    dns.table.clear()
    dns.add("redis.test", "A", elsewhere.host)
    cluster.redis.kill()
    cluster.wait_local()
    cluster.wait_shared()
    all_refuse(cluster, alice, known)
    passes_at_both(cluster, alice, pbx)


def test_another_database(cluster):
    cluster.redis = cluster.run_redis()
    cluster.start(store={"url": cluster.redis.url(db=3)})
    works(cluster)
    assert cluster.redis.keys() == 0
    assert "db3" in cluster.redis.info("keyspace")


# ---- line 1: TLS

@pytest.fixture
def secure(cluster):
    cluster.redis = cluster.run_redis(tls=True)
    return cluster


def test_tls(secure):
    secure.start(store={"ca": secure.redis.ca})
    alice, pbx, known = works(secure)
    secure.redis.restart()
    all_refuse(secure, alice, known)
    secure.wait_shared()
    all_refuse(secure, alice, known)
    passes_at_both(secure, alice, pbx)


def test_tls_under_load(secure):
    secure.start(store={"ca": secure.redis.ca})
    alice, pbx = secure.alice(), secure.pbx()
    for _ in range(100):
        used(alice, pbx, secure.a, secure.b)
    for one in secure:
        assert not one.log.find(event="nonce.redis.down")


def test_tls_of_somebody_else(secure):
    other, _ = certificate(secure.folder, secure.redis.host, "other")
    secure.start(store={"ca": other}, shared=False)
    stays_away(secure, "certificate|verif")


def test_tls_for_another_name(secure):
    """The certificate is trusted, and not for the host that was named."""
    host = secure.net.host(31)
    crt, key = certificate(secure.folder, secure.net.host(32), "elsewhere")
    elsewhere = secure.keep(Redis(secure.folder, host, "elsewhere", tls=True))
    elsewhere.set("tls-cert-file", crt, "tls-key-file", key)
    secure.start(store={"url": elsewhere.url(), "ca": crt}, shared=False)
    stays_away(secure, "certificate|verif|name|match|address")


def test_tls_where_none_is_spoken(cluster):
    cluster.redis = cluster.run_redis()
    crt, _ = certificate(cluster.folder, cluster.redis.host)
    cluster.start(store={"url": cluster.redis.url().replace(
        "redis:", "rediss:"), "ca": crt, "timeout": "200ms"}, shared=False)
    stays_away(cluster, ".")


def test_none_where_tls_is_spoken(secure):
    secure.start(store={"url": secure.redis.url().replace(
        "rediss:", "redis:"), "timeout": "200ms"}, shared=False)
    stays_away(secure, ".")


# ---- line 1: users

@pytest.fixture
def guarded(cluster):
    """A Redis that wants a user with no more rights than we need."""
    cluster.redis = cluster.run_redis()
    cluster.redis.ask("ACL", "SETUSER", "bouncer", "on", ">s3cret@:/",
                      "~sipbouncer*", "-@all", *COMMANDS)
    cluster.redis.ask("ACL", "SETUSER", "default", "resetpass", ">admin")
    cluster.redis.password = "admin"
    return cluster


def test_an_acl_user_in_the_url(guarded):
    guarded.start(store={"url": guarded.redis.url("bouncer:s3cret%40%3a%2f")})
    works(guarded)
    for one in guarded:
        assert "s3cret" not in one.log.text()


def test_an_acl_user_with_a_password_file(guarded):
    name = secret(guarded, "s3cret@:/\n")
    guarded.start(store={"url": guarded.redis.url("bouncer"),
                         "password_file": name})
    works(guarded)


def test_a_password_without_a_user(cluster):
    cluster.redis = cluster.run_redis()
    cluster.redis.set("requirepass", "open")
    cluster.redis.password = "open"
    name = secret(cluster, "open\n")
    cluster.start(store={"password_file": name})
    works(cluster)


def test_a_wrong_password(guarded):
    guarded.start(store={"url": guarded.redis.url("bouncer:guess")},
                  shared=False)
    stays_away(guarded, "WRONGPASS|password|auth")


def test_a_user_who_may_not(guarded):
    guarded.redis.ask("ACL", "SETUSER", "bouncer", "-setbit")
    guarded.start(store={"url": guarded.redis.url("bouncer:s3cret%40%3a%2f")},
                  shared=False)
    stays_away(guarded, "NOPERM|permission|setbit")


def test_a_user_who_may_run_no_scripts(guarded):
    """Then transactions do the same."""
    guarded.redis.ask("ACL", "SETUSER", "bouncer", "-evalsha", "-eval",
                      "-script|load")
    guarded.start(store={"url": guarded.redis.url("bouncer:s3cret%40%3a%2f")})
    alice, pbx, known = works(guarded)
    alice.send("MESSAGE", BOB)
    alice.expect(407)
    alice.answer()
    pbx.expect("MESSAGE")
    alice.resend(flow=guarded.b.flow(alice))
    guarded.b.log.has(reason="absorbed")
    pbx.reply(200)
    alice.expect(200)
    alice.send("MESSAGE", BOB)
    alice.expect(407)
    crowd = guarded.keep(Crowd(guarded.net.host(66)))
    for n, copy in enumerate(copies(alice.authorize(alice.again()), 200)):
        crowd.send(copy, guarded.instances[n % 2].address)
    pbx.expect("MESSAGE")
    pbx.reply(200)
    assert not crowd.gather()
    assert crowd.statuses() == {200: 1, 407: 199}
    guarded.redis.ask("FLUSHALL")
    all_refuse(guarded, alice, known)
    assert "evalsha" not in guarded.redis.commands()


# ---- line 1: sentinel

@pytest.fixture
def watched(cluster):
    """A master, a replica and a sentinel."""
    cluster.redis = cluster.run_redis()
    cluster.replica = cluster.run_redis("replica", 25,
                                        replica_of=cluster.redis)
    cluster.replica.wait_synced()
    cluster.sentinel = cluster.keep(Sentinel(
        cluster.folder, cluster.net.host(27), cluster.redis))
    cluster.sentinel.wait_replicas()
    return cluster


def by_sentinel(cluster, *before):
    return {"url": "redis://master/0", "master": cluster.sentinel.name,
            "sentinel": [*before, cluster.sentinel.address()]}


def test_sentinel_names_the_master(watched):
    watched.start(store=by_sentinel(watched))
    works(watched)
    assert watched.redis.commands().get("evalsha")


def test_a_sentinel_that_is_dead_is_passed_over(watched):
    dead = "%s:26379" % watched.net.host(40)
    watched.start(store=by_sentinel(watched, dead))
    works(watched)


def test_sentinel_is_followed_when_the_master_dies(watched):
    watched.start(store=by_sentinel(watched))
    alice, pbx, known = works(watched)
    watched.redis.kill()
    watched.wait_local()
    known += [used(alice, pbx, one) for one in watched]
    all_refuse(watched, alice, known)
    watched.sentinel.wait_master(watched.replica)
    watched.wait_shared(wait=ELECTION)
    all_refuse(watched, alice, known)
    known.append(used(alice, pbx, watched.a, watched.b))
    all_refuse(watched, alice, known)
    assert watched.replica.commands().get("evalsha")


def test_sentinel_is_followed_when_the_master_lives(watched):
    """Told to change places; the old master may still answer for a while."""
    watched.start(store=by_sentinel(watched))
    alice, pbx, known = works(watched)
    watched.sentinel.fail_over()
    deadline = time.monotonic() + ELECTION
    while watched.replica.commands().get("evalsha", 0) < 2:
        alice.send("MESSAGE", BOB)
        alice.expect(407)
        for _ in range(3):          # stale=true, until it knows
            alice.answer()
            who, got = first_of(alice, pbx)
            if who is pbx:
                pbx.reply(200)
                alice.expect(200)
                known.append(alice.sent)
                break
            assert check.is_stale(got)
        all_refuse(watched, alice, known[-5:])
        assert time.monotonic() < deadline, "the new master was not found"
    watched.wait_shared(wait=ELECTION)
    all_refuse(watched, alice, known)


# ---- line 1: what is not supported says so

def test_redis_cluster_works_or_says_what_is_not_supported(cluster):
    cluster.redis = cluster.run_redis(options=[("cluster-enabled", "yes")])
    cluster.redis.ask("CLUSTER", "ADDSLOTSRANGE", 0, 16383)
    cluster.redis.wait_for("cluster_enabled", "1")
    until(lambda: "cluster_state:ok" in cluster.redis.ask("CLUSTER", "INFO"))
    cluster.start(shared=False)
    done = checked(cluster)
    if done.returncode == 0:
        cluster.wait_shared()
        works(cluster)
    else:
        assert re.search("cluster", said(done), re.I)
        stays_away(cluster, "cluster")


# ---- line 7: what -t says

def checked(cluster, name="a"):
    one = getattr(cluster, name)
    return one.run("-t", "-c", one.config_path)


def said(done):
    return done.stdout + done.stderr


def is_fit(cluster, *words):
    done = checked(cluster)
    assert done.returncode == 0, said(done)
    for word in words:
        assert re.search(word, said(done), re.I), said(done)


def is_not_fit(cluster, *words):
    done = checked(cluster)
    assert done.returncode == 1, said(done)
    for word in words:
        assert re.search(word, said(done), re.I), said(done)


@pytest.fixture
def placed(cluster):
    """An instance that is configured and not started."""
    cluster.redis = cluster.run_redis()
    cluster.write_users()
    cluster.place("a")
    return cluster


def test_check_of_a_store_that_is_fit(placed):
    version = placed.redis.info("server")["redis_version"]
    is_fit(placed, re.escape(version), "noeviction", "clock|offset|time")
    assert placed.redis.keys() == 0     # it only looks


@pytest.mark.parametrize("off, fits", [(2, True), (-2, True), (60, False)])
def test_check_of_clocks(placed, monkeypatch, off, fits):
    shift_clock(monkeypatch, placed.folder, off)
    shown = r"clock is (%d|%d)\d\d\d ms %s" % (
        abs(off) - 1, abs(off), "behind" if off > 0 else "ahead")
    if fits:
        is_fit(placed, shown)
    else:
        is_not_fit(placed, shown, "clock is more than 5 s off")


def test_check_beside_instances_with_the_same_key(cluster):
    cluster.start()
    done = cluster.a.run("-t", "-c", cluster.b.config_path)
    assert done.returncode == 0, said(done)
    assert re.search("key", said(done))
    works(cluster)


def test_check_with_another_key(cluster):
    cluster.start()
    other = cluster.write_key("other.key", os.urandom(32))
    cluster.place("c", auth={"key_file": other})
    done = checked(cluster, "c")
    assert re.search("master key|key_file", said(done), re.I), said(done)
    assert re.search("differ|another|other|not the same", said(done), re.I)
    assert done.returncode == 1, said(done)


def test_check_without_the_key_that_the_others_have(cluster):
    cluster.start()
    cluster.place("c", auth={"key_file": "absent.key"})
    done = checked(cluster, "c")
    assert done.returncode == 1, said(done)
    assert "copy it first" in done.stderr, said(done)


def test_check_of_a_store_that_is_away(placed):
    placed.redis.kill()
    is_not_fit(placed, re.escape(placed.redis.host), "refused|reach")


def test_check_of_a_store_that_hangs(placed):
    placed.redis.pause()
    is_not_fit(placed, re.escape(placed.redis.host))


@pytest.mark.parametrize("policy", ["allkeys-lru", "volatile-ttl"])
def test_check_of_an_eviction_policy(placed, policy):
    placed.redis.set("maxmemory-policy", policy)
    is_not_fit(placed, policy, "noeviction")


def test_check_of_a_wrong_password(placed):
    placed.redis.set("requirepass", "open")
    placed.redis.password = "open"
    is_not_fit(placed, "password|auth")


def test_check_of_a_replica(placed):
    placed.redis.follow(placed.net.host(40))
    is_not_fit(placed, "replica|read.only|master")


def test_check_of_missing_rights(guarded):
    guarded.redis.ask("ACL", "SETUSER", "bouncer", "-setbit")
    guarded.write_users()
    guarded.place("a", store={
        "url": guarded.redis.url("bouncer:s3cret%40%3a%2f")})
    is_not_fit(guarded, "setbit")


@pytest.mark.parametrize("option, words", [
    ({"url": "http://127.0.0.1"}, "redis://"),
    ({"url": "redis://"}, "host"),
    ({"url": "redis://h:x/0"}, "port"),
    ({"url": "redis://127.0.0.1/x"}, "database"),
    ({"url": "unix://relative"}, "absolute"),
    ({"on_failure": "allow"}, "on_failure"),
    ({"timeout": "0ms"}, "timeout"),
    ({"prefix": ""}, "prefix"),
    ({"prefix": "a{b}"}, "prefix"),
    ({"sentinel": ["127.0.0.1:1"]}, "sentinel.*master"),
    ({"master": "m"}, "sentinel.*master"),
    ({"typo": 1}, "typo"),
    ({"password_file": "absent"}, "password_file"),
    ({"url": "rediss://127.0.0.1", "ca": "absent"}, r"\(ca\)"),
], ids=str)
def test_check_of_a_wrong_option(placed, option, words):
    placed.a.configure(placed.config_of("a", store=option))
    is_not_fit(placed, r"a\.cfg:\d+: nonce_store", words)
