"""Redis stopped, hung, slow, refusing, half dead."""

import contextlib
import re
import socket
import time

import pytest

from harness import check
from harness.cluster import (BOB, Crowd, all_refuse, copies, nonce_of,
                             passes, serves, storm, used)
from harness.link import BlackHole
from harness.scene import serve

TIMEOUT = 1.0                   # nonce_store.timeout of these scenarios
NOWHERE = ("127.255.255.254", 1)


# ---- what befalls Redis: begin(cluster), end(cluster)

def loading_begins(cluster):
    """A restart on so much data that it takes half a minute to read."""
    redis = cluster.redis
    redis.ask("EVAL", "for i = 1, 30000 do redis.call('SET', 'k' .. i, "
              "string.rep('x', 300), 'PX', 600000) end", "0")
    dump = redis.dump()
    redis.kill()
    with open(redis.conf, "a", encoding="ascii") as f:
        f.write("key-load-delay 1000\n"
                "loading-process-events-interval-bytes 1024\n")
    redis.start(dump)


def loading_ends(cluster):
    cluster.redis.set("key-load-delay", "0")
    cluster.redis.wait_for("loading", "0")


def password_begins(cluster):
    cluster.redis.set("requirepass", "changed")
    cluster.redis.password = "changed"
    cluster.redis.drop_clients()


def busy_begins(cluster):
    """Somebody else's script that does not end."""
    cluster.redis.set("busy-reply-threshold", "20")
    sock = socket.create_connection((cluster.redis.host, cluster.redis.port))
    sock.sendall(b"EVAL 'while true do end' 0\r\n")
    cluster.busy = sock
    cluster.redis.wait_busy()


def busy_ends(cluster):
    cluster.redis.ask("SCRIPT", "KILL")
    cluster.busy.close()


def on_links(do):
    def fault(cluster):
        for link in cluster.links.values():
            do(link)
    return fault


def slow(link):
    link.delay = 2 * TIMEOUT


FAULTS = {
    "stopped": (lambda c: c.redis.kill(), lambda c: c.redis.start()),
    "hung": (lambda c: c.redis.pause(), lambda c: c.redis.resume()),
    "full": (lambda c: c.redis.set("maxmemory", "1"),
             lambda c: c.redis.set("maxmemory", "0")),
    "read-only": (lambda c: c.redis.follow(*NOWHERE),
                  lambda c: c.redis.promote()),
    "password": (password_begins,
                 lambda c: c.redis.set("requirepass", "")),
    "loading": (loading_begins, loading_ends),
    "busy": (busy_begins, busy_ends),
    "slow": (on_links(slow), on_links(lambda x: x.heal())),
    "stalled": (on_links(lambda x: x.stall()), on_links(lambda x: x.heal())),
    "mute": (on_links(lambda x: x.mute()),
             on_links(lambda x: (x.heal(), x.break_open()))),
    "cut": (on_links(lambda x: x.cut()), on_links(lambda x: x.heal())),
}
each_fault = pytest.mark.parametrize("fault", FAULTS)


@pytest.fixture
def linked(cluster):
    """Each instance with a link of its own, so that both kinds of faults
    can befall it."""
    cluster.link("a", 21)
    cluster.link("b", 22)
    return cluster


def begin(cluster, policy, **more):
    cluster.start(store={"timeout": "%dms" % (TIMEOUT * 1000),
                         "on_failure": policy}, **more)
    return cluster.alice(), cluster.pbx()


# ---- in one request

def answered(phone, one, fits, **auth):
    """Answer the challenge there; the response, while the fault lasts."""
    phone.answer(flow=one.flow(phone), **auth)
    return phone.expect(fits)


def refuse(cluster, phone, requests):
    """Nobody takes what was used, and nobody waits for the end."""
    all_refuse(cluster, phone, requests, (407, 503))


def refused(phone, one, **auth):
    """What was asked is not counted there, and the next try passes."""
    assert check.is_stale(answered(phone, one, (407,), **auth))


def changes(one, kind):
    return [x for x in one.log.lines()
            if re.match(r"nonce\.redis\.%s$" % kind, x["event"])]


# ---- the two policies, under every fault

@each_fault
def test_local(linked, fault):
    """Service goes on for who stays with an instance, and no replay passes:
    before, during and after."""
    alice, pbx = begin(linked, "local")
    a, b = linked
    start, end = FAULTS[fault]
    known = [used(alice, pbx, a), used(alice, pbx, b)]
    alice.send("MESSAGE", BOB, flow=a.flow(alice))
    alice.expect(407)
    asked_before = alice.challenges
    start(linked)
    # the first to notice: not accepted, not kept waiting
    answered(alice, a, (407,))
    linked.wait_local()
    known += [used(alice, pbx, a), used(alice, pbx, b)]
    refuse(linked, alice, known)
    alice.challenges = asked_before
    refused(alice, b, nc=2)             # of the lost memory
    alice.send("MESSAGE", BOB, flow=a.flow(alice))
    alice.expect(407)
    of_a = alice.challenges
    refused(alice, b, nc=7)             # of another's memory
    pbx.expect_nothing(0)
    end(linked)
    linked.wait_shared()
    refuse(linked, alice, known)
    alice.challenges = of_a
    refused(alice, b, nc=8)
    pbx.expect_nothing(0)
    alice.challenges = of_a                     # kept to its end
    alice.answer(nc=8, flow=a.flow(alice))
    passes(alice, pbx)
    refuse(linked, alice, [alice.sent])
    alice.send("MESSAGE", BOB, flow=a.flow(alice))
    alice.expect(407)
    alice.answer(flow=b.flow(alice))
    passes(alice, pbx)


@each_fault
def test_deny(linked, fault):
    """503 for what needs digest; peers known by address go on."""
    alice, pbx = begin(linked, "deny", routes=[
        {"from": "pbx", "to": "request-uri"}, {"to": "pbx"}])
    a, b = linked
    start, end = FAULTS[fault]
    known = [used(alice, pbx, a)]
    alice.send("MESSAGE", BOB, flow=a.flow(alice))
    alice.expect(407)
    start(linked)
    answered(alice, a, (407, 503))
    linked.wait_denied()
    alice.send("MESSAGE", BOB, flow=b.flow(alice))
    got = alice.expect(503)
    assert int(got["Retry-After"]) > 0
    refuse(linked, alice, known)
    pbx.send("MESSAGE", "sip:alice@%s:%d" % (alice.host, alice.port),
             flow=a.flow(pbx))
    alice.expect("MESSAGE")
    alice.reply(200)
    pbx.expect(200)
    end(linked)
    linked.wait_shared()
    refuse(linked, alice, known)
    serve(alice, pbx, method="MESSAGE")


@pytest.mark.parametrize("fault", ["stopped", "hung", "cut"])
def test_an_outage_is_said_once(linked, fault):
    """One event and one gauge for each change of state, however many
    requests notice."""
    alice, pbx = begin(linked, "local")
    a, _ = linked
    start, end = FAULTS[fault]
    for one in linked:
        one.log.has(event="nonce.redis.up")
    for n in (1, 2):
        start(linked)
        linked.wait_local()
        for _ in range(20):
            used(alice, pbx, a)
        time.sleep(2)                           # it tries again and again
        for one in linked:
            assert len(changes(one, "down")) == n
            assert one.value("nonce_redis_up") == 0
        end(linked)
        linked.wait_shared()
        for one in linked:
            one.log.has(event="nonce.redis.up", count=n + 1)
            assert len(changes(one, "up")) == n + 1
            assert one.value("nonce_redis_up") == 1


# ---- only one of two

def test_one_of_two_is_cut_off(linked):
    alice, pbx = begin(linked, "local")
    a, b = linked
    known = [used(alice, pbx, a), used(alice, pbx, b)]
    alice.send("MESSAGE", BOB, flow=a.flow(alice))
    alice.expect(407)
    of_a = alice.challenges
    linked.links["b"].cut()
    linked.wait_local(b)
    refused(alice, b, nc=1)             # a may have counted it
    alice.challenges = of_a
    alice.answer(flow=a.flow(alice))
    passes(alice, pbx)
    known += [alice.sent, used(alice, pbx, a), used(alice, pbx, b)]
    refuse(linked, alice, known)
    alice.send("MESSAGE", BOB, flow=b.flow(alice))
    alice.expect(407)
    of_b = alice.challenges
    refused(alice, a)                   # b alone counts it
    linked.links["b"].heal()
    linked.wait_shared(b)
    refuse(linked, alice, known)
    alice.challenges = of_b
    refused(alice, a, nc=3)
    alice.challenges = of_a
    alice.answer(nc=5, flow=b.flow(alice))
    passes(alice, pbx)
    refuse(linked, alice, [alice.sent])


def test_200_copies_at_the_beginning_of_an_outage(linked):
    """a still asks Redis while b counts by itself: at most one passes."""
    alice, pbx = begin(linked, "local")
    a, b = linked
    for _ in range(5):
        alice.send("MESSAGE", BOB, flow=a.flow(alice))
        alice.expect(407)
        request = alice.authorize(alice.again())
        request.set("Subject", "round")
        crowd = Crowd(linked.net.host(66))
        for n, copy in enumerate(copies(request, 200)):
            if n == 60:
                linked.links["b"].cut()
            crowd.send(copy, (a, b)[n % 2].address)
        seen = []
        assert not crowd.gather(lambda: serves(pbx, seen))
        said = crowd.statuses()
        crowd.close()
        assert said[200] == len(seen) <= 1, said
        assert said[200] + said[407] + said[503] == 200, said
        pbx.expect_nothing(0.1)
        linked.links["b"].heal()
        linked.wait_shared()


# ---- the answer that is lost, and the loop

@pytest.mark.parametrize("fault", ["mute", "stalled", "hung"])
def test_64_in_flight_wait_no_longer_than_one(linked, fault):
    alice, pbx = begin(linked, "local")
    alice.send("MESSAGE", BOB)
    alice.expect(407)
    start, end = FAULTS[fault]
    crowd = linked.keep(Crowd(linked.net.host(66)))
    requests = [alice.authorize(alice.again()) for _ in range(64)]
    start(linked)
    for request in requests:
        crowd.send(copies(request)[0], linked.a.address)
    assert not crowd.gather()
    assert crowd.statuses() == {407: 64}
    # one after the other they would take 64 of them
    assert max(crowd.waits) < 16 * TIMEOUT
    end(linked)
    linked.wait_shared()
    if fault == "mute":             # Redis has counted them all
        refuse(linked, alice, requests[:5])
    pbx.expect_nothing(0.1)


@pytest.mark.parametrize("fault", ["hung", "stalled", "stopped"])
def test_the_loop_does_not_block(linked, fault):
    """Strangers are asked as quickly as ever while others wait for Redis."""
    alice, _ = begin(linked, "local")
    alice.send("MESSAGE", BOB)
    alice.expect(407)
    requests = [alice.authorize(alice.again()) for _ in range(64)]
    crowd = linked.keep(Crowd(linked.net.host(66)))
    start, end = FAULTS[fault]
    start(linked)
    for request in requests:
        crowd.send(request, linked.a.address)
    waits = []
    ends = time.monotonic() + 3 * TIMEOUT
    while time.monotonic() < ends:
        begun = time.monotonic()
        linked.probe(linked.a)
        waits.append(time.monotonic() - begun)
    end(linked)
    waits.sort()
    assert len(waits) > 30 and waits[len(waits) * 9 // 10] < TIMEOUT / 4
    assert not crowd.gather()
    linked.wait_shared()


def test_connections_killed_under_load(linked):
    """CLIENT KILL with answers under way: what was accepted was accepted
    once, and who was not may try again."""
    alice, pbx = begin(linked, "local", log={"level": "notice"})
    admin = linked.redis.connect()
    storm(linked, alice, pbx, 100, lambda: admin(
        "CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes"))
    admin.close()
    serve(alice, pbx, method="MESSAGE")


def test_a_script_that_redis_forgot(cluster):
    """SCRIPT FLUSH: loaded again, and nobody notices."""
    cluster.start()
    alice, pbx = cluster.alice(), cluster.pbx()
    for _ in range(3):
        cluster.redis.ask("SCRIPT", "FLUSH")
        request = used(alice, pbx, cluster.b)
        refuse(cluster, alice, [request])
    for one in cluster:
        assert len(changes(one, "down")) == 0


# ---- what waits for Redis is a request like any other

def test_nothing_is_said_before_the_verdict(linked):
    """A 100 would tell the client that we have it, and end its tries
    elsewhere; a retransmission meanwhile is absorbed."""
    alice, pbx = linked.alice(), linked.pbx()
    linked.start(store={"timeout": "5s"})
    alice.send("INVITE", BOB)
    alice.expect(407)
    linked.links["a"].stall()
    alice.answer()
    for _ in range(3):
        alice.resend()
    assert alice.receive(0.6) is None
    linked.links["a"].heal()
    pbx.expect("INVITE")
    alice.expect(100)
    pbx.reply(200)
    alice.expect(200)
    pbx.expect_nothing(0.3)


def test_a_call_is_cancelled_while_redis_is_asked(linked):
    alice, pbx = linked.alice(), linked.pbx()
    linked.start(store={"timeout": "5s"})
    alice.send("INVITE", BOB)
    alice.expect(407)
    linked.links["a"].stall()
    alice.answer()
    alice.cancel()
    alice.expect(200)
    alice.expect(487)
    linked.links["a"].heal()
    pbx.expect_nothing(0.5)
    refuse(linked, alice, [alice.sent.copy()])


def test_a_restart_in_the_middle_of_an_outage(linked):
    """What a process counted by itself ends with it."""
    alice, pbx = begin(linked, "local")
    a, _ = linked
    linked.redis.kill()
    linked.wait_local()
    for end in (a.stop, a.kill):
        known = used(alice, pbx, a)
        end()
        a.start()
        linked.wait_local()
        refuse(linked, alice, [known])
        used(alice, pbx, a)


def test_a_reload_changes_nothing(cluster):
    cluster.start()
    alice, pbx = cluster.alice(), cluster.pbx()
    known = [used(alice, pbx, cluster.a, cluster.b)]
    for one in cluster:
        one.reload()
        one.log.has(event="daemon.reload")
    refuse(cluster, alice, known)
    used(alice, pbx, cluster.a, cluster.b)
    for one in cluster:
        assert len(changes(one, "up")) == 1


# ---- at start

@pytest.mark.parametrize("policy", ["local", "deny"])
def test_started_while_redis_is_away(cluster, policy):
    cluster.redis = cluster.run_redis()
    cluster.redis.kill()
    alice, pbx = cluster.alice(), cluster.pbx()
    cluster.start(store={"on_failure": policy}, shared=False)
    if policy == "deny":
        cluster.wait_denied()
    else:
        cluster.wait_local()
        known = used(alice, pbx, cluster.a)
        refuse(cluster, alice, [known])
    cluster.redis.start()
    cluster.wait_shared()
    if policy == "local":
        refuse(cluster, alice, [known])
    alice.send("MESSAGE", BOB)
    alice.expect(407)
    alice.answer(flow=cluster.b.flow(alice))
    passes(alice, pbx)


def test_started_before_an_address_that_never_answers(cluster):
    """Not even the connection is made."""
    hole = cluster.keep(BlackHole(cluster.net.host(30)))
    cluster.redis = cluster.run_redis()
    cluster.start(store={"url": "redis://%s:6379/0" % cluster.net.host(30)},
                  shared=False)
    cluster.wait_local()
    alice, pbx = cluster.alice(), cluster.pbx()
    known = used(alice, pbx, cluster.a)
    refuse(cluster, alice, [known])
    assert hole.listener.fileno() >= 0


def test_an_eviction_policy_is_not_fit(cluster):
    """All our keys have an end, so any policy forgets uses early; judged at
    every connect."""
    cluster.start()
    alice, pbx = cluster.alice(), cluster.pbx()
    known = used(alice, pbx, cluster.a)
    cluster.redis.set("maxmemory-policy", "volatile-ttl")
    cluster.redis.drop_clients()
    cluster.wait_local()
    for one in cluster:
        one.log.has(reason=re.compile("evict|policy|maxmemory|noeviction"))
    refuse(cluster, alice, [known])
    cluster.redis.set("maxmemory-policy", "noeviction")
    cluster.wait_shared()
    refuse(cluster, alice, [known])


def test_taken_down_in_an_outage(linked):
    """SIGTERM with uses under way: a clean end."""
    alice, _ = begin(linked, "local")
    alice.send("MESSAGE", BOB)
    alice.expect(407)
    linked.redis.pause()
    alice.answer()
    with contextlib.suppress(AssertionError):
        alice.expect(407, timeout=0.05)
    linked.a.stop()
    linked.b.stop()


def test_what_is_asked_locally_names_its_issuer(linked):
    alice, _ = begin(linked, "local")
    linked.redis.kill()
    linked.wait_local()
    for one in linked:
        alice.send("MESSAGE", BOB, flow=one.flow(alice))
        alice.expect(407)
        asked = nonce_of(alice.challenge()[1])
        assert asked.local and asked.instance == one.number
