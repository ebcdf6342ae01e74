"""Floods, and a customer beside them whose calls all pass."""

import contextlib
import os
import resource
import socket
import struct
import subprocess
import time

import pytest

from harness import siege
from harness.flood import Flood, deaf_to_floods, strangers, tools
from harness.namespace import Namespace
from harness.patience import until
from harness.scene import SDP, Scene, ask, call, call_in, register, serve

BOB = "sip:bob@example.com"
CALM = {"level": "info"}
PAUSE = 0.2         # between calls, lest the customer meet his own rate
NOT_ROOT = pytest.mark.skipif(os.geteuid() != 0,
                              reason="only root forges addresses")


@pytest.fixture(scope="module", autouse=True)
def the_tools():
    tools()


@pytest.fixture
def lean(monkeypatch):
    """A sanitizer would keep what was freed, to see it used."""
    monkeypatch.setenv("ASAN_OPTIONS", "quarantine_size_mb=1:"
                       "thread_local_quarantine_size_kb=64")


@pytest.fixture
def flood(scene):
    begun = []

    def begin(kind, first=None, **options):
        begun.append(Flood(scene.proxy, kind, first or strangers(),
                           **options))
        return begun[-1]
    yield begin
    for one in begun:
        one.close()


def start(scene, **changes):
    """As an operator would: the default limits, and log.level."""
    scene.start(log=CALM, peers=[scene.pbx_peer(path="always")], **changes)


# ---- a customer

def hang_up(phone, pbx):
    phone.bye()
    phone.expect(407)
    phone.answer()
    pbx.expect("BYE")
    pbx.reply(200)
    phone.expect(200)


def call_out(phone, pbx):
    call(phone, pbx)
    hang_up(phone, pbx)


def call_to(phone, pbx, where):
    contact, path = where
    call_in(pbx, phone, contact, route=path)
    pbx.bye()
    phone.expect("BYE")
    phone.reply(200)
    pbx.expect(200)


def calls_beside(scene, attack):
    """Out and in, one after the other, while it lasts; how many?"""
    alice, bob, pbx = scene.alice(), scene.bob(), scene.pbx()
    where, n = register(bob, pbx), 0
    while attack.runs():
        call_out(alice, pbx)
        call_to(bob, pbx, where)
        serve(alice, pbx)
        time.sleep(PAUSE)
        n += 2
    assert n > 2, "the flood was over before it could do harm"
    return n


def reason(scene, word):
    return scene.daemon.metrics().get(("requests_ended_total", word), 0)


# ---- memory

@pytest.mark.usefixtures("lean")
def test_made_up_sources_cost_no_memory(scene, flood):
    """The first flood fills the tables; a source of the second that left
    anything behind would show: 8 bytes of each."""
    start(scene)
    flood("OPTIONS", sources=100000, total=100000, rate=30000).finish()
    before = scene.daemon.rss_kb()
    attack = flood("REGISTER", strangers(4), sources=100000, total=100000,
                   rate=10000)
    calls_beside(scene, attack)
    got = attack.finish()
    assert got["sent"] == 100000 and got["challenged"] > 80000
    assert scene.daemon.rss_kb() - before < 800
    assert scene.daemon.metrics()["transactions", "server"] < 500


@NOT_ROOT
@pytest.mark.usefixtures("lean")
def test_forged_sources_cost_no_memory(scene, flood):
    """Nobody is there to take the answers: the network says so, which costs
    nothing either."""
    start(scene)
    first = (strangers(2)[0], 5060)
    flood("INVITE", first, forged=True, sources=50000, total=50000,
          rate=20000).finish()
    before = scene.daemon.rss_kb()
    attack = flood("INVITE", (strangers(3)[0], 5060), forged=True,
                   sources=50000, total=50000, rate=8000)
    calls_beside(scene, attack)
    attack.finish()
    assert reason(scene, "no-credentials") > 80000
    assert scene.daemon.rss_kb() - before < 800


@pytest.mark.parametrize("kind", ["MALFORMED", "HUGE", "RESPONSE", "ACK",
                                  "CANCEL", "BYE"])
def test_calls_beside_what_nobody_should_send(scene, flood, kind):
    start(scene)
    total = 4000 if kind == "HUGE" else 20000
    attack = flood(kind, sources=1000, total=total, rate=total // 2)
    calls_beside(scene, attack)
    attack.finish()


# ---- the log

LIES = ('Proxy-Authorization: Digest username="bob", realm="example.com", '
        'nonce="%s", uri="sip:bob@example.com", response="%s"' % (
            "x" * 40, "0" * 32))


@pytest.mark.parametrize("kind, more", [
    ("OPTIONS", {"header": LIES}), ("RESPONSE", {}), ("ACK", {}),
    ("CANCEL", {}), ("MALFORMED", {})])
def test_a_flood_does_not_fill_the_log(scene, flood, kind, more):
    start(scene, limits={"log_lines": "10/s burst 50"})
    before, begun = os.path.getsize(scene.log.path), time.monotonic()
    flood(kind, sources=20000, total=20000, rate=15000, **more).finish()
    serve(scene.alice(), scene.pbx())
    lines = len(scene.log.lines())
    seconds = time.monotonic() - begun
    assert lines < 130 + 11 * seconds
    assert os.path.getsize(scene.log.path) - before < 600 * lines
    if kind != "MALFORMED":
        said = scene.log.find(event="log.withheld")
        assert 1 <= len(said) <= 2 + seconds
        counted = scene.daemon.metrics()
        untold = counted["log_withheld_total", ""]
        assert untold > counted["transport_messages_total", "udp"] - lines
        assert sum(int(x["lines"]) for x in said) <= untold


def test_a_line_of_a_user_is_written_beside_a_flood(scene, flood):
    start(scene, limits={"log_lines": "1/m burst 1"})
    attack = flood("ACK", sources=1000, total=4000, rate=4000)
    alice, pbx = scene.alice(), scene.pbx()
    serve(alice, pbx)
    attack.finish()
    ask(alice, uri="sip:bob@elsewhere.example")
    alice.expect(403)
    scene.log.has(reason="relayed", user="alice")
    scene.log.has(reason="foreign-domain", user="alice")


def test_a_flood_hides_no_wrong_password(scene, flood):
    # it costs a forger nothing, and a guesser a challenge that he got
    start(scene, limits={"log_lines": "1/m burst 5", "ban_after": "off"})
    attack = flood("ACK", sources=1000, total=8000, rate=4000)
    mallory = scene.mallory(user="bob")
    scene.log.has(event="log.withheld")
    for _ in range(5):
        mallory.send("OPTIONS", BOB)
        mallory.expect(407)
        mallory.answer(password="wrong")
        mallory.expect(407)
    assert attack.runs()
    scene.log.has(reason="wrong-password", nonce_of="source", count=5)
    attack.finish()


def test_an_address_of_a_peer_with_a_password_fills_no_log(scene):
    # anybody can forge it, and it lets nobody in
    users = {"name": "trunk", "from": [scene.net.host(7)],
             "auth": {"all": ["ip", "digest"]}, "users": ["bob"],
             "uri": "sip:%s:5060" % scene.net.host(7)}
    scene.start(log=CALM, limits={"log_lines": "1/m burst 5"},
                peers=[scene.pbx_peer(), users])
    trunk = scene.phone("trunk", 7)
    for _ in range(20):
        trunk.send("OPTIONS", BOB, headers=[("Proxy-Require", "foo")])
        trunk.expect(420)
    assert len(scene.log.find(event="request.refused", peer="trunk")) == 5
    assert scene.daemon.metrics()["log_withheld_total", ""] == 15


def test_all_lines_may_be_written(scene, flood):
    start(scene, limits={"log_lines": "off"})
    flood("ACK", sources=1000, total=2000, rate=4000).finish()
    scene.log.has(reason="ack-stray", count=2000)
    scene.log.has_not(event="log.withheld")


# ---- rates

def told(got):
    return got["challenged"], got["refused"], got["answered"]


def test_a_thousand_sources_have_a_rate_each(scene, flood):
    start(scene, limits={"requests_per_source": "1/m burst 3"})
    attack = flood("OPTIONS", sources=1000, total=20000, rate=10000)
    got = attack.finish()
    assert told(got) == (3000, 0, 3000)
    assert reason(scene, "over-rate") == 17000


def test_a_network_of_ipv4_has_one(scene, flood):
    start(scene, limits={"requests_per_source": "1/m burst 20",
                         "ipv4_prefix": 24})
    got = flood("OPTIONS", sources=256, total=2000, rate=4000).finish()
    assert told(got) == (20, 0, 20)
    got = flood("OPTIONS", sources=1024, total=2048, rate=4000).finish()
    assert told(got) == (60, 0, 60)


def test_a_method_has_its_own(scene, flood):
    start(scene, limits={"methods": {"REGISTER": "1/m burst 10"}})
    got = flood("REGISTER", total=300).finish()
    assert told(got) == (10, 0, 10)
    got = flood("OPTIONS", total=100).finish()
    assert told(got) == (100, 0, 100)


def test_strangers_may_be_told(scene, flood):
    start(scene, limits={"requests_per_source": "1/m burst 20",
                         "over": "503"})
    got = flood("OPTIONS", total=500).finish()
    assert told(got) == (20, 480, 500)
    asks = scene.phone("asks", 12)
    for _ in range(21):
        asks.send("OPTIONS", BOB)
        answer = asks.expect((407, 503))
    assert answer.status == 503 and int(answer["Retry-After"]) > 0


def of_pbx(scene):
    return scene.net.host(5), 0


def test_a_peer_is_exempt(scene, flood):
    start(scene, limits={"requests_per_source": "1/m burst 5"})
    got = flood("OPTIONS", of_pbx(scene), total=500).finish()
    assert told(got) == (0, 0, 500)
    assert reason(scene, "no-route") == 500


def test_a_peer_may_have_its_own(scene, flood):
    scene.start(log=CALM, peers=[scene.pbx_peer(requests="1/m burst 20")])
    got = flood("OPTIONS", of_pbx(scene), total=500).finish()
    assert told(got) == (0, 480, 500)
    got = flood("OPTIONS", total=100).finish()
    assert told(got) == (100, 0, 100)


@pytest.fixture
def room():
    if os.geteuid() != 0:
        pytest.skip("only root makes network namespaces")
    out = Namespace()
    yield out
    out.close()


def test_a_network_of_ipv6_has_one(scene, room):
    """fd00:1::5 and fd00:1::6 are one source, fd00:1:1::5 another."""
    proxy = ("[fd00::1]", 5060)
    with room.inside():
        scene.start(log=CALM, listen=[{"uri": "sip:[fd00::1]:5060"}],
                    limits={"requests_per_source": "1/m burst 3"},
                    peers=[scene.pbx_peer(uri="sip:[fd00::5]:5060",
                                          **{"from": ["fd00::5"]})])
        for first, sources, challenged in (
                ("[fd00:1::5]", 1, 3), ("[fd00:1::6]", 1, 0),
                ("[fd00:1:1::5]", 1, 3), ("[fd00:2::5]", 1000, 3000)):
            one = Flood(proxy, "OPTIONS", (first, 0), sources=sources,
                        total=10 * sources, rate=5000)
            assert told(one.finish()) == (challenged, 0, challenged)
            one.close()


class Lan:
    """A network on which nobody answers but those who are here."""
    SETUP = ("ip link add v0 type veth peer name v1 && "
             "ip address add 10.9.0.1/16 dev v0 && "
             "ip address add 10.9.0.5 dev lo && "
             "ip address add 10.9.0.6 dev lo && "
             "ip address add 10.9.0.7 dev lo && "
             "ip link set v0 up && ip link set v1 up")

    @staticmethod
    def host(number):
        return "10.9.0.%d" % number


def from_neighbours(raw, proxy, count):
    """A question from each of 250 that nobody has, and again."""
    for n in range(count):
        text = (b"OPTIONS sip:a@b SIP/2.0\r\n"
                b"Via: SIP/2.0/UDP x;branch=z9hG4bK%d\r\n"
                b"From: <sip:%s@b>;tag=1\r\nTo: <sip:a@b>\r\n"
                b"Call-ID: %d\r\nCSeq: 1 OPTIONS\r\n\r\n"
                % (n, b"x" * 300, n))
        raw.sendto(struct.pack(
            "!BBHHHBBH4B4sHHHH", 0x45, 0, 0, 0, 0, 64, socket.IPPROTO_UDP, 0,
            10, 9, 1, 1 + n % 250, socket.inet_aton(proxy[0]),
            5060, proxy[1], 8 + len(text), 0) + text, proxy)


@NOT_ROOT
def test_forged_neighbours_keep_nobody_from_being_sent_to(tmp_path, room):
    # the kernel keeps for seconds what is for them
    with room.inside(), contextlib.closing(Scene(tmp_path, Lan, 0)) as scene:
        subprocess.run(Lan.SETUP, shell=True, check=True)
        pbx, other = scene.pbx(), scene.pbx(6, "other")
        alice = scene.phone("alice", 7)
        scene.start(
            log=CALM, routes=[{"to": "other"}],
            listen=[{"name": "lan", "uri": "sip:10.9.0.1:5060"}],
            peers=[scene.pbx_peer(listener="lan"),
                   {"name": "other", "uri": "sip:10.9.0.6:5060"}])
        with socket.socket(socket.AF_INET, socket.SOCK_RAW,
                           socket.IPPROTO_RAW) as raw:
            alice.send("OPTIONS", BOB)
            alice.expect(407)
            for n in range(40):
                from_neighbours(raw, scene.proxy, 500)
                pbx.send("OPTIONS", BOB)
                other.expect("OPTIONS")
                other.reply(200)
                pbx.expect(200)
                # nothing is kept for such answers
                pbx.send("OPTIONS", BOB, headers=[("Proxy-Require", "foo")])
                pbx.expect(420)
                if n % 10 == 0:
                    alice.answer(password="old")
                    alice.expect(407)
        counted = scene.daemon.metrics()
        assert counted["transport_send_dropped_total", "full"] > 1000


# ---- in the name of a customer

@NOT_ROOT
def test_a_flood_in_a_phones_name_does_not_silence_it(scene, flood):
    """Address and port are its own; but it shows nonces and tokens that were
    given to it."""
    start(scene)
    alice, pbx = scene.alice(), scene.pbx()
    deaf_to_floods(alice)
    where = register(alice, pbx)
    attack = flood("OPTIONS", (alice.host, alice.port), forged=True,
                   total=12000, rate=4000)
    scene.log.has(event="guard.over-rate")
    n = 0
    while attack.runs():
        alice.send("INVITE", BOB, body=SDP, auth={})
        pbx.expect("INVITE")
        pbx.reply(200, body=SDP)
        alice.expect(200)
        alice.ack()
        pbx.expect("ACK")
        alice.bye(auth={})
        pbx.expect("BYE")
        pbx.reply(200)
        alice.expect(200)
        call_to(alice, pbx, where)
        time.sleep(PAUSE)
        n += 1
    assert n > 2
    assert reason(scene, "over-rate") > 5000


def wrong_answer(phone):
    """The line of a wrong answer to the nonce that the phone was given."""
    phone.send("OPTIONS", "sip:u0@example.com")
    phone.expect(407)
    request = phone.authorize(phone.again(), password="wrong", pick="MD5")
    return "Proxy-Authorization: " + request["Proxy-Authorization"]


@NOT_ROOT
@pytest.mark.parametrize("kind", ["wrong", "scanner"])
def test_nobody_is_banned_for_what_others_forge(scene, flood, kind):
    start(scene, limits={"ban_after": 2})
    alice, pbx = scene.alice(), scene.pbx()
    deaf_to_floods(alice)
    serve(alice, pbx)
    header = wrong_answer(scene.mallory(user="u0")) if kind == "wrong" \
        else "User-Agent: friendly-scanner"
    attack = flood("OPTIONS", (alice.host, alice.port), forged=True,
                   total=400, users=1, header=header)
    attack.finish()
    serve(alice, pbx)
    serve(scene.bob(), pbx)
    got = scene.daemon.metrics()
    assert got["guard_failures_total", ""] == 0
    assert got["guard_bans_total", "failures"] == 0
    assert got["guard_bans_total", "scanner"] == 0
    assert got["requests_ended_total", "scanner" if kind == "scanner" else
               "wrong-password"] > 20


# ---- guesses

def test_a_thousand_guessers_are_banned(scene, flood):
    """Each has ban_after tries; then its packets are not even parsed.  Each
    is at another user: at one, slowly, it would be that one's affair."""
    start(scene, limits={"ban_after": 3})
    attack = flood("GUESS", sources=1000, total=10000, rate=4000, users=10000)
    calls_beside(scene, attack)
    got = attack.finish()
    assert got["answered"] <= 2 * 3 * 1000
    counted = scene.daemon.metrics()
    assert counted["guard_bans_total", "failures"] == 1000
    assert counted["guard_failures_total", ""] == 3000
    assert counted["transport_refused_total", "banned"] > 5000


# ---- scripts/flood

@pytest.mark.usefixtures("lean")
def test_a_siege(net, capsys):
    said = []
    plan = siege.plan_of(["--requests", "20000", "many", "connect"])
    results = siege.siege(plan, net, said.append)
    assert len(said) == 3 and all(siege.is_good(r) for r in results)
    many, connect = results
    assert many.sent == 20000 and many.answered > 15000 and many.us > 0
    assert connect.sent == 1000 and connect.answered == 0
    with pytest.raises(SystemExit):
        siege.plan_of(["tsunami"])
    assert "no such attack: tsunami" in capsys.readouterr().err


def test_a_siege_that_hurts_is_told():
    good = siege.Result("many", 1, 1, 0, 0, 1.0, 1000, 1000, 1000, 0, 5, 0)
    assert siege.is_good(good)
    assert not siege.is_good(good._replace(failed=1))
    assert not siege.is_good(good._replace(done=0))
    assert not siege.is_good(good._replace(after=20000))


# ---- connections

def descriptors(scene):
    return len(os.listdir("/proc/%d/fd" % scene.daemon.process.pid))


def test_connections_are_bounded(scene, flood):
    start(scene, limits={"connections": 150, "connections_per_source": 50})
    before = descriptors(scene)
    alice, pbx = scene.alice(transport="tcp"), scene.pbx()
    serve(alice, pbx)
    attack = flood("CONNECT", sources=10, total=6000, rate=2000, held=600)
    most = n = 0
    while attack.runs():
        serve(alice, pbx)
        call_out(alice, pbx)
        most, n = max(most, descriptors(scene)), n + 1
        time.sleep(PAUSE)
    got = attack.finish()
    assert n > 2 and got["closed"] > 3000
    assert most - before <= 150 + 10
    until(lambda: descriptors(scene) <= before + 2,
          "connections are left over")


@pytest.mark.parametrize("places", ["limits", "descriptors"])
def test_a_new_phone_finds_a_place(scene, flood, places):
    """All are taken by those who say nothing."""
    start(scene, limits={"connections": 100} if places == "limits" else {})
    if places == "descriptors":
        resource.prlimit(scene.daemon.process.pid, resource.RLIMIT_NOFILE,
                         (100, 100))
    pbx = scene.pbx()
    attack = flood("CONNECT", sources=10, total=2000, rate=800, held=1000)
    scene.log.has(event="transport.refuse", reason="silent")
    n = 0
    while attack.runs():
        phone = scene.phone("new%d" % n, 20 + n, user="alice",
                            transport="tcp")
        call_out(phone, pbx)
        phone.close()
        time.sleep(PAUSE)
        n += 1
    got = attack.finish()
    assert n > 2 and got["closed"] > 800
