"""Bans that the kernel enforces (nftables), in a network of the test's own."""

import json
import os
import re
import signal
import socket
import stat
import subprocess
import threading

import pytest

from harness import sip
from harness.balancer import DATAGRAM, v2
from harness.daemon import binary
from harness.namespace import add_address, scene_inside
from harness.phone import Phone
from harness.patience import PATIENCE, until
from harness.programs import freeze
from harness.scene import call, serve

BOB = "sip:bob@example.com"
LIMITS = {"ban_after": 3, "ban_time": "1m", "failures_per_user": "off",
          "requests_per_source": "off"}
WALL = {"firewall": "nftables"}
V4, V6 = "banned4", "banned6"
LOOK = 10           # seconds between two looks at the table, or tries of it


@pytest.fixture(scope="module", autouse=True)
def built_in():
    done = subprocess.run([binary(), "-V"], capture_output=True, text=True,
                          check=True)
    if "firewalls: nftables" not in done.stdout:
        pytest.skip("built without nftables")


@pytest.fixture
def scene(tmp_path, net, nets):
    with scene_inside(tmp_path, net, nets.port6()) as out:
        yield out


def run(*words):
    """A program, in the network that we are in; what it printed."""
    return subprocess.run(words, check=True, capture_output=True, text=True,
                          timeout=20).stdout


def listing(*words):
    return json.loads(run("nft", "-j", "list", *words))["nftables"]


def tables():
    return [x["table"]["name"] for x in listing("tables") if "table" in x]


def elements(name, table="sipbouncer"):
    """{address: seconds that it lasts} of one of our sets."""
    for entry in listing("set", "inet", table, name):
        for one in entry.get("set", {}).get("elem", []):
            yield one["elem"]["val"], one["elem"]["timeout"]


def dropped():
    """Packets that our rules dropped."""
    return sum(part["counter"]["packets"]
               for entry in listing("table", "inet", "sipbouncer")
               for part in entry.get("rule", {}).get("expr", [])
               if "counter" in part)


def guess(phone):
    """At a name each time: for one there is a rate."""
    phone.user = sip.new_tag()
    phone.send("OPTIONS", BOB)
    phone.expect(407)
    phone.answer(password="wrong")
    phone.expect(407)


def get_banned(phone, failures=3):
    for _ in range(failures):
        guess(phone)


def start(scene, guard=None, **more):
    more.setdefault("limits", LIMITS)
    scene.start(guard=guard or WALL, **more)
    return scene.log.has(event="firewall.up")


def send_from(phone, count=5):
    for _ in range(count):
        phone.send("OPTIONS", BOB)
    phone.expect_nothing(0.1)


def children(pid):
    path = "/proc/%d/task/%d/children" % (pid, pid)
    with open(path, encoding="ascii") as f:
        return [int(x) for x in f.read().split()]


def worker(daemon):
    """Who talks to the kernel; between us is who starts it again."""
    keeper, = children(daemon.process.pid)
    one, = children(keeper)
    return one


def is_gone(pid):
    """Ended; who inherited it may not have noticed yet."""
    try:
        with open("/proc/%d/stat" % pid, encoding="ascii") as f:
            return f.read().rsplit(")", 1)[1].split()[0] == "Z"
    except FileNotFoundError:
        return True


def test_the_kernel_drops_what_is_banned(scene):
    assert start(scene)["bans"] == "0"
    mallory, alice, pbx = scene.mallory(user="bob"), scene.alice(), scene.pbx()
    get_banned(mallory)
    scene.log.has(event="guard.ban", source=mallory.host)
    until(lambda: dict(elements(V4)))
    lasts = dict(elements(V4))[mallory.host]
    assert 55 <= lasts <= 60
    until(lambda: scene.daemon.metrics()["firewall_elements", ""] == 1)
    before = scene.daemon.metrics()["transport_refused_total", "banned"]
    counted = dropped()
    send_from(mallory)
    assert dropped() == counted + 5
    got = scene.daemon.metrics()
    assert got["transport_refused_total", "banned"] == before
    assert got["guard_banned", ""] == 1
    assert got["firewall_failures_total", ""] == 0
    call(alice, pbx)


def test_connections_are_dropped_too(scene):
    start(scene)
    mallory = scene.phone("mallory", 66, user="bob", transport="tcp")
    get_banned(mallory)
    until(lambda: dict(elements(V4)))
    with socket.socket() as s:
        s.bind((mallory.host, 0))
        s.settimeout(0.3)
        with pytest.raises(TimeoutError):
            s.connect(scene.proxy)


def test_no_other_port_is_closed(scene):
    start(scene)
    mallory = scene.mallory(user="bob")
    get_banned(mallory)
    until(lambda: dict(elements(V4)))
    with socket.create_server((scene.at, 0)) as echo:
        with socket.create_connection(
                echo.getsockname(), PATIENCE, (mallory.host, 0)) as there:
            here, _ = echo.accept()
            with here:
                there.sendall(b"ssh")
                assert here.recv(3) == b"ssh"
    send_from(mallory)
    assert dropped() >= 5


def test_balancers_are_not_dropped(scene):
    balanced = {"uri": "sip:%s:5062" % scene.at,
                "proxy_protocol": [scene.net.host(9)]}
    start(scene, listen=scene.listeners(balanced))
    mallory = scene.phone("mallory", 9, port=0, user="bob")
    get_banned(mallory)
    until(lambda: dict(elements(V4)))
    alice = scene.phone(
        "alice", 9, proxy=(scene.at, 5062), before=v2(
            ("203.0.113.7", 40000), (scene.at, 5062), DATAGRAM))
    call(alice, scene.pbx())


def test_a_ban_ends_by_itself(scene):
    start(scene, limits=dict(LIMITS, ban_time="4s"))
    mallory = scene.mallory(user="bob")
    get_banned(mallory)
    until(lambda: mallory.host in dict(elements(V4)))
    scene.log.has(event="guard.unban")
    until(lambda: not dict(elements(V4)))
    guess(mallory)
    assert scene.daemon.metrics()["firewall_elements", ""] == 0


def test_a_ban_that_is_lifted_is_lifted_there(scene):
    start(scene, limits=dict(LIMITS, ban_time="1h"))
    mallory = scene.mallory(user="bob")
    get_banned(mallory)
    until(lambda: mallory.host in dict(elements(V4)))
    scene.write_config(guard=WALL, limits=dict(
        LIMITS, ban_time="1h", ban_never=[mallory.host]))
    scene.daemon.reload()
    until(lambda: not dict(elements(V4)))
    guess(mallory)


def test_a_longer_ban_replaces_a_shorter(scene):
    start(scene, limits=dict(LIMITS, ban_time="4s"))
    mallory = scene.mallory(user="bob")
    for count, lasts in ((1, range(1, 5)), (2, range(5, 9))):
        get_banned(mallory)
        scene.log.has(event="guard.ban", count=count)
        until(lambda: dict(elements(V4)).get(mallory.host) in lasts)
        scene.log.has(event="guard.unban", count=count)
        until(lambda: not dict(elements(V4)))
    assert not scene.log.find(event="firewall.fail")


def test_what_makes_room_is_let_in(scene):
    start(scene, limits=dict(LIMITS, bans_max=2))
    guessers = [scene.phone("g%d" % n, 60 + n, user="bob") for n in range(3)]
    for one in guessers:
        get_banned(one)
    hosts = [g.host for g in guessers]
    until(lambda: sorted(dict(elements(V4))) == hosts[1:])
    guess(guessers[0])


def test_ipv6_is_banned_by_its_network(scene):
    for address in ("fd00:66::10", "fd00:66::11", "fd00:67::10"):
        add_address(address + "/128")
    start(scene, listen=[{"uri": "sip:[fd00::1]:5060"},
                        {"uri": "sip:%s:5060" % scene.at}])
    phones = {host: Phone(scene.ladder, host, host, 5060, user="bob",
                          proxy=("fd00::1", 5060))
              for host in ("fd00:66::10", "fd00:66::11", "fd00:67::10")}
    scene.actors.extend(phones.values())
    get_banned(phones["fd00:66::10"])
    assert scene.log.has(event="guard.ban")["source"] == "fd00:66::/64"
    until(lambda: list(dict(elements(V6))) == ["fd00:66::"])
    send_from(phones["fd00:66::11"])
    assert dropped() == 5
    guess(phones["fd00:67::10"])


def test_an_orderly_end_leaves_nothing(scene):
    start(scene)
    get_banned(scene.mallory(user="bob"))
    until(lambda: dict(elements(V4)))
    scene.daemon.stop()
    assert tables() == []


def test_after_a_crash_it_is_made_anew(scene):
    start(scene)
    mallory = scene.mallory(user="bob")
    get_banned(mallory)
    until(lambda: dict(elements(V4)))
    both = children(scene.daemon.process.pid) + [worker(scene.daemon)]
    scene.daemon.signal(signal.SIGKILL)
    scene.daemon.process.wait()
    scene.daemon.process = None
    until(lambda: all(is_gone(pid) for pid in both))
    assert dict(elements(V4))
    scene.daemon.start()
    scene.log.has(event="firewall.up", count=2)
    assert tables() == ["sipbouncer"] and not dict(elements(V4))
    guess(mallory)


def test_a_table_that_others_deleted_comes_back(scene):
    start(scene)
    mallory, other = scene.mallory(user="bob"), scene.phone("o", 67, user="bob")
    get_banned(mallory)
    until(lambda: dict(elements(V4)))
    run("nft", "flush", "ruleset")
    # we drop ourselves meanwhile
    send_from(mallory, 1)
    get_banned(other)
    assert "No such file" in scene.log.has(event="firewall.fail")["reason"]
    # not more often than each ten seconds, and without another ban
    scene.log.has(event="firewall.up", count=2, timeout=LOOK + PATIENCE)
    assert {mallory.host, other.host} == set(dict(elements(V4)))
    assert len(scene.log.find(event="firewall.fail")) == 1


def test_another_name_of_the_table(scene):
    start(scene, dict(WALL, firewall_table="door_2"))
    assert tables() == ["door_2"]


def test_another_ones_tables_stay(scene):
    run("nft", "add table inet mine; add table ip sipbouncer")
    start(scene)
    scene.daemon.stop()
    assert sorted(tables()) == ["mine", "sipbouncer"]


@pytest.mark.parametrize("more", ["", "; add set inet filter banned4 "
                                  "{ type inet_service; }"])
def test_another_ones_table_of_that_name_stays(scene, more):
    run("nft", "add table inet filter; add chain inet filter input "
        "{ type filter hook input priority 0; policy accept; }; "
        "add rule inet filter input tcp dport 22 accept" + more)
    before = run("nft", "list", "table", "inet", "filter")
    scene.start(guard=dict(WALL, firewall_table="filter"), limits=LIMITS)
    assert "not ours" in scene.log.has(event="firewall.fail")["reason"]
    mallory = scene.mallory(user="bob")
    get_banned(mallory)
    send_from(mallory)
    scene.daemon.stop()
    assert run("nft", "list", "table", "inet", "filter") == before


def test_when_another_ones_table_goes_ours_is_made(scene):
    """Without a ban that asks for it."""
    run("nft", "add table inet sipbouncer")
    scene.start(guard=WALL, limits=LIMITS)
    scene.log.has(event="firewall.fail")
    run("nft", "delete table inet sipbouncer")
    scene.log.has(event="firewall.up", timeout=LOOK + PATIENCE)


def with_rights(scene, monkeypatch, rights):
    """The daemon runs with these alone, in the words of setpriv."""
    path = os.path.join(scene.folder, "with-rights")
    with open(path, "w", encoding="ascii") as f:
        f.write("#!/bin/sh\nexec setpriv --no-new-privs --bounding-set=%s "
                "%s \"$@\"\n" % (rights, binary()))
    os.chmod(path, stat.S_IRWXU)
    monkeypatch.setenv("SIPBOUNCER", path)


def powerless(scene, monkeypatch):
    with_rights(scene, monkeypatch, "-net_admin")


def test_without_the_right_we_drop_ourselves(scene, monkeypatch):
    powerless(scene, monkeypatch)
    scene.start(guard=WALL, limits=LIMITS)
    assert "not permitted" in scene.log.has(event="firewall.fail")["reason"]
    mallory = scene.mallory(user="bob")
    get_banned(mallory)
    send_from(mallory)
    serve(scene.alice(), scene.pbx())
    got = scene.daemon.metrics()
    assert got["guard_banned", ""] == 1
    assert got["firewall_elements", ""] == 0
    assert got["firewall_failures_total", ""] >= 1
    assert got["transport_refused_total", "banned"] == 5
    assert len(scene.log.find(event="firewall.fail")) == 1
    assert tables() == []


def test_the_one_right_is_enough(scene, monkeypatch):
    with_rights(scene, monkeypatch, "-all,+net_admin")
    start(scene)
    get_banned(scene.mallory(user="bob"))
    until(lambda: dict(elements(V4)))
    scene.daemon.stop()
    assert tables() == []


def test_the_daemon_itself_keeps_no_right(scene):
    start(scene)
    with open("/proc/%d/status" % scene.daemon.process.pid,
              encoding="ascii") as f:
        rights = dict(x.split(":\t") for x in f.read().splitlines()
                      if x.startswith("Cap"))
    for which in ("CapEff", "CapPrm", "CapInh", "CapAmb"):
        assert int(rights[which], 16) & 1 << 12 == 0
    assert not scene.log.find(event="firewall.right")


@pytest.mark.parametrize("command", [
    ("flush", "ruleset"), ("flush", "table", "inet", "sipbouncer"),
    ("flush", "set", "inet", "sipbouncer", "here4")])
def test_it_is_noticed_though_nobody_is_banned_then(scene, command):
    """Nothing is handed over that could fail."""
    start(scene)
    mallory = scene.mallory(user="bob")
    get_banned(mallory)
    until(lambda: dict(elements(V4)))
    run("nft", *command)
    scene.log.has(event="firewall.fail", timeout=LOOK + PATIENCE)
    scene.log.has(event="firewall.up", count=2, timeout=LOOK + PATIENCE)
    assert list(dict(elements(V4))) == [mallory.host]
    before = dropped()
    send_from(mallory)
    assert dropped() == before + 5
    assert scene.daemon.metrics()["firewall_elements", ""] == 1


def test_tables_of_others_may_change(scene):
    start(scene)
    get_banned(scene.mallory(user="bob"))
    until(lambda: dict(elements(V4)))
    run("nft", "add", "table", "inet", "another")
    # longer than between two looks
    scene.log.has_not(event="firewall.fail", settle=11)
    assert len(scene.log.find(event="firewall.up")) == 1


def test_who_talks_to_the_kernel_is_started_again(scene):
    """It lost the table, and knows no bans."""
    start(scene)
    mallory = scene.mallory(user="bob")
    get_banned(mallory)
    until(lambda: dict(elements(V4)))
    first = worker(scene.daemon)
    os.kill(first, signal.SIGKILL)
    assert "has ended" in scene.log.has(event="firewall.fail")["reason"]
    run("nft", "flush", "ruleset")
    serve(scene.alice(), scene.pbx())
    scene.log.has(event="firewall.up", count=2, timeout=LOOK + PATIENCE)
    assert worker(scene.daemon) != first
    assert list(dict(elements(V4))) == [mallory.host]
    get_banned(scene.phone("o", 67, user="bob"))
    until(lambda: len(dict(elements(V4))) == 2)
    scene.daemon.stop()
    assert tables() == []


def test_a_second_failure_does_not_end_it(scene):
    start(scene)
    mallory = scene.mallory(user="bob")
    get_banned(mallory)
    until(lambda: dict(elements(V4)))
    run("nft", "flush ruleset; add table inet sipbouncer")
    os.kill(worker(scene.daemon), signal.SIGKILL)
    # it ended, and the next one finds a table that is not its own
    until(lambda: scene.daemon.metrics()["firewall_failures_total", ""] >= 2,
          wait=LOOK + PATIENCE)
    run("nft", "delete table inet sipbouncer")
    scene.log.has(event="firewall.up", count=2, timeout=2 * LOOK + PATIENCE)
    assert list(dict(elements(V4))) == [mallory.host]
    assert len(scene.log.find(event="firewall.fail")) == 1


def test_a_kernel_that_hangs_is_said(scene):
    start(scene)
    child = worker(scene.daemon)
    freeze(child)
    try:
        mallory = scene.mallory(user="bob")
        get_banned(mallory)
        send_from(mallory)
        assert "does not answer" in scene.log.has(
            event="firewall.fail", timeout=2 * LOOK + PATIENCE)["reason"]
        assert scene.daemon.metrics()["firewall_elements", ""] == 0
        serve(scene.alice(), scene.pbx())
    finally:
        os.kill(child, signal.SIGCONT)
    scene.log.has(event="firewall.up", count=2)
    assert list(dict(elements(V4))) == [mallory.host]
    assert len(scene.log.find(event="firewall.fail")) == 1


def test_one_that_hangs_at_the_end_is_left_behind_by_nobody(scene):
    start(scene)
    keeper, = children(scene.daemon.process.pid)
    child = worker(scene.daemon)
    freeze(child)
    scene.daemon.stop()
    until(lambda: is_gone(child) and is_gone(keeper))


def test_when_both_die_we_go_on(scene):
    start(scene)
    keeper, = children(scene.daemon.process.pid)
    child = worker(scene.daemon)
    os.kill(keeper, signal.SIGKILL)
    os.kill(child, signal.SIGKILL)
    scene.log.has(event="firewall.fail",
                 reason="the process for nftables has ended")
    mallory = scene.mallory(user="bob")
    get_banned(mallory)
    send_from(mallory)
    serve(scene.alice(), scene.pbx())
    assert len(scene.log.find(event="firewall.fail")) == 1
    # and no corpse is left, at the latest when the next table is tried
    until(lambda: children(scene.daemon.process.pid) == [],
          wait=LOOK + PATIENCE)


# ---- many

def scan_from(host, at):
    """One failure, over a connection: a ban where one is enough."""
    with socket.socket() as s:
        s.bind((host, 0))
        s.settimeout(PATIENCE)
        s.connect(at)
        s.sendall((
            "OPTIONS sip:x@example.com SIP/2.0\r\n"
            "Via: SIP/2.0/TCP %s;branch=z9hG4bK%s\r\n"
            "From: <sip:x@example.com>;tag=1\r\nTo: <sip:x@example.com>\r\n"
            "Call-ID: %s\r\nCSeq: 1 OPTIONS\r\nMax-Forwards: 70\r\n"
            "User-Agent: friendly-scanner\r\nContent-Length: 0\r\n\r\n" % (
                host, host.replace(".", ""), host)).encode())


def test_a_flood_of_bans_stalls_no_call(scene):
    start(scene, limits=dict(LIMITS, ban_after=1, ban_time="5m",
                            connections="off"))
    alice, pbx = scene.alice(), scene.pbx()
    sources = ["127.200.%d.%d" % (1 + i // 250, 1 + i % 250)
               for i in range(3000)]

    def flood():
        for source in sources:
            scan_from(source, scene.proxy)
    # a thread has the network that its maker is in
    flooder = threading.Thread(target=flood)
    flooder.start()
    calls = 0
    while flooder.is_alive():
        serve(alice, pbx)
        calls += 1
    flooder.join()
    assert calls > 5
    until(lambda: len(dict(elements(V4))) == len(sources))
    got = scene.daemon.metrics()
    assert got["firewall_elements", ""] == len(sources)
    assert got["firewall_failures_total", ""] == 0
    call(alice, pbx)


def test_what_finds_no_place_is_handed_over_later(scene):
    # the process for it stands still, and the queue is full
    start(scene, limits=dict(LIMITS, ban_after=1, ban_time="5m",
                            connections="off"))
    child = worker(scene.daemon)
    sources = ["127.201.%d.%d" % (1 + i // 250, 1 + i % 250)
               for i in range(1500)]
    freeze(child)
    try:
        for source in sources:
            scan_from(source, scene.proxy)
        scene.log.has(event="guard.ban", source=sources[-1])
    finally:
        os.kill(child, signal.SIGCONT)
    until(lambda: len(dict(elements(V4))) == len(sources))
    got = scene.daemon.metrics()
    assert got["firewall_elements", ""] == len(sources)
    assert got["firewall_lost_total", ""] > 0


def test_a_small_table_takes_many_changes_at_once(scene):
    """Of which most make room for others."""
    start(scene, limits=dict(LIMITS, ban_after=1, ban_time="5m",
                            connections="off", bans_max=2))
    child = worker(scene.daemon)
    sources = ["127.202.1.%d" % (1 + i) for i in range(40)]
    freeze(child)
    try:
        for source in sources:
            scan_from(source, scene.proxy)
            # of connections that wait the first need not be read first
            scene.log.has(event="guard.ban", source=source)
    finally:
        os.kill(child, signal.SIGCONT)
    until(lambda: set(dict(elements(V4))) == set(sources[-2:]))
    assert not scene.log.find(event="firewall.fail")


def test_a_reload_makes_room_for_more(scene):
    start(scene, limits=dict(LIMITS, bans_max=2))
    scene.write_config(guard=WALL, limits=dict(LIMITS, bans_max=30000))
    scene.daemon.reload()
    scene.log.has(event="firewall.up", count=2, timeout=LOOK + PATIENCE)
    size, = {entry["set"]["size"] for name in (V4, V6) for entry in listing(
        "set", "inet", "sipbouncer", name) if "set" in entry}
    assert size >= 60000


@pytest.mark.parametrize("ban_time, least_s", [
    ("2d", 172790), ("365d", 31535990)])
def test_a_ban_may_last_for_long(scene, ban_time, least_s):
    start(scene, limits=dict(LIMITS, ban_time=ban_time, ban_max="365d"))
    mallory = scene.mallory(user="bob")
    get_banned(mallory)
    until(lambda: dict(elements(V4)))
    assert least_s <= dict(elements(V4))[mallory.host] <= least_s + 10
    assert not scene.log.find(event="firewall.fail")


# ---- the file

@pytest.mark.parametrize("guard, option", [
    ({"firewall": "iptables"}, "firewall"),
    ({"firewall": "nftables", "firewall_table": "a b"}, "firewall_table"),
    ({"firewall": "nftables", "firewall_table": "9a"}, "firewall_table"),
    ({"firewall": "nftables", "firewall_table": "x;flush"}, "firewall_table"),
    ({"firewall": "nftables", "firewall_table": "a" * 32}, "firewall_table"),
])
def test_a_wrong_option(scene, guard, option):
    scene.write_config(guard=guard)
    done = scene.daemon.run("-t", "-c", scene.daemon.config_path)
    assert done.returncode == 1 and "guard." + option in done.stderr


def test_more_bans_than_can_be_handed_over(scene):
    scene.write_config(guard=WALL, limits={"bans_max": 1000001})
    done = scene.daemon.run("-t", "-c", scene.daemon.config_path)
    assert done.returncode == 1 and "limits.bans_max" in done.stderr


def test_the_check_says_that_the_right_is_missing(scene, monkeypatch):
    scene.write_config(guard=WALL)
    done = scene.daemon.run("-t", "-c", scene.daemon.config_path)
    assert done.returncode == 0 and "CAP_NET_ADMIN" not in done.stderr
    powerless(scene, monkeypatch)
    done = scene.daemon.run("-t", "-c", scene.daemon.config_path)
    assert done.returncode == 0
    assert re.search(r"guard\.firewall: .*CAP_NET_ADMIN", done.stderr)
    assert tables() == []


def test_a_reload_cannot_turn_it_on(scene):
    scene.start()
    scene.write_config(guard=WALL)
    scene.daemon.reload()
    assert scene.log.has(event="daemon.restart-needed")["option"] == \
        "guard.firewall"
    assert tables() == []
