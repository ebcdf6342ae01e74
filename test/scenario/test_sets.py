"""Several targets that share the load, and who of them is out."""

import os
import signal
import subprocess
import sys
import threading
import time

import pytest

from harness.members import Member
from harness.patience import until

# nobody is down who is late by half a second
QUICK = {"interval": "500ms", "timeout": "400ms", "rise": 2, "fall": 2}


@pytest.fixture
def members(scene):
    """members(5, 6) starts targets at .5 and .6."""
    made = []

    def make(*numbers):
        made.extend(Member(scene.net.host(n)) for n in numbers)
        return made[-len(numbers):]
    yield make
    for member in made:
        member.close()


def target(scene, number, **more):
    return dict({"uri": "sip:%s:5060" % scene.net.host(number)}, **more)


def peer(scene, targets, **more):
    """peers: a PBX of these targets, and alice as one who needs no digest."""
    hosts = [t["uri"][4:].split(":")[0] for t in targets]
    return {"peers": [
        dict({"name": "pbx", "targets": targets, "from": hosts}, **more),
        {"name": "alice", "from": [scene.net.host(10)]}],
        "routes": [{"to": "pbx"}]}


def asked(alice, n, method="MESSAGE", uri="sip:bob@example.com",
          want=200, **parts):
    for _ in range(n):
        alice.send(method, uri, **parts)
        alice.expect(want)


def counts(members):
    return [m.count() for m in members]


def is_up(scene, number):
    return scene.daemon.metrics()[(
        "target_up", "pbx sip:%s:5060" % scene.net.host(number))]


# ---- whose turn it is

def test_the_lowest_priority_serves_alone(scene, members):
    scene.start(**peer(scene, [
        target(scene, 5, priority=2), target(scene, 6, priority=1),
        target(scene, 7, priority=2)], balance="round-robin"))
    three = members(5, 6, 7)
    asked(scene.alice(), 6)
    assert counts(three) == [0, 6, 0]


def test_round_robin(scene, members):
    scene.start(**peer(scene, [
        target(scene, n, weight=n) for n in (5, 6, 7)],
        balance="round-robin"))
    three = members(5, 6, 7)
    asked(scene.alice(), 9)
    assert counts(three) == [3, 3, 3]


def test_turns_by_weight(scene, members):
    scene.start(**peer(scene, [
        target(scene, 5, weight=5), target(scene, 6, weight=3),
        target(scene, 7, weight=2)], balance="weight"))
    three = members(5, 6, 7)
    asked(scene.alice(), 20)
    assert counts(three) == [10, 6, 4]
    metrics = scene.daemon.metrics()
    assert metrics[("target_requests_total", "pbx sip:%s:5060"
                    % scene.net.host(5))] == 10


@pytest.mark.parametrize("balance, parts", [
    ("call-id", lambda k: {"call_id": "call-%d@x" % k}),
    ("from", lambda k: {"from_": "<sip:user%d@example.com>" % k}),
    ("user", lambda k: {"uri": "sip:user%d@example.com" % k})])
def test_the_same_key_goes_to_the_same_target(scene, members, balance, parts):
    scene.start(**peer(scene, [target(scene, n) for n in (5, 6, 7)],
                       balance=balance))
    three, alice = members(5, 6, 7), scene.alice()
    firsts = []
    for k in range(12):
        before = counts(three)
        asked(alice, 1, **parts(k))
        asked(alice, 1, **parts(k))
        got = [b - a for a, b in zip(before, counts(three))]
        assert sorted(got) == [0, 0, 2]
        firsts.append(got.index(2))
    assert len(set(firsts)) > 1


def test_the_fewest_under_way(scene, members):
    scene.start(**peer(scene, [target(scene, n) for n in (5, 6)],
                       balance="least"), timers={"target_timeout": "20s"})
    alice, busy = scene.alice(), scene.pbx(5, "busy")
    (idle,) = members(6)
    alice.send("MESSAGE", "sip:bob@example.com")
    busy.expect("MESSAGE")
    asked(alice, 4)
    assert idle.count() == 4


# ---- the fall and rise of targets

def down(scene, number, **more):
    return scene.log.has(event="target.down", uri="sip:%s:5060"
                         % scene.net.host(number), **more)


def up(scene, number):
    return scene.log.has(event="target.up", uri="sip:%s:5060"
                         % scene.net.host(number))


def both(scene, **more):
    return peer(scene, [target(scene, n) for n in (5, 6)],
                balance="round-robin", probe=dict(QUICK, **more))


def test_an_options_is_what_it_should_be(scene, members):
    scene.start(**both(scene))
    five, _ = members(5, 6)
    until(lambda: five.count("OPTIONS") >= 3)
    one, two = five.seen[:2]
    assert one.uri == "sip:%s:5060" % scene.net.host(5)
    assert one["To"] == "<%s>" % one.uri
    assert one["Max-Forwards"] == "70" and one["Content-Length"] == "0"
    assert "tag=" in one["From"] and scene.at in one["Contact"]
    assert len(one.all("Via")) == 1 and scene.at in one["Via"]
    assert one.call_id == two.call_id and one.branch != two.branch
    # the very first may have been sent before anybody listened
    first = int(one["CSeq"].split()[0])
    assert one["CSeq"] == "%d OPTIONS" % first
    assert two["CSeq"] == "%d OPTIONS" % (first + 1)
    asked(scene.alice(), 2)


FAULTS = [
    ("silent", "timeout", True), ("probe", "status", 503),
    ("mangle", "timeout", lambda raw: b"\xff\x00garbage\r\n\r\n"),
    ("mangle", "timeout", lambda raw: raw.replace(b"200", b"999", 1)),
    ("mangle", "timeout", lambda raw: raw.replace(b"OPTIONS", b"INVITE")),
    ("mangle", "timeout", lambda raw: raw.replace(b"z9hG4bK", b"z9hG4bL")),
    ("mangle", "timeout", lambda raw: raw[:30]),
    ("mangle", "timeout", lambda raw: raw.replace(b"200 OK", b"100 OK")),
    ("mangle", "timeout", lambda raw: b"")]


@pytest.mark.parametrize("fault, reason, value", FAULTS)
def test_a_target_that_fails_its_probes_is_out(scene, members, fault, reason,
                                               value):
    scene.start(**both(scene))
    five, six = members(5, 6)
    setattr(five, fault, value)
    down(scene, 5, reason=reason)
    before = counts([five, six])
    asked(scene.alice(), 4)
    assert counts([five, six]) == [before[0], before[1] + 4]
    assert is_up(scene, 5) == 0 and is_up(scene, 6) == 1
    setattr(five, fault, False if fault == "silent" else None)
    up(scene, 5)
    asked(scene.alice(port=5070), 4)
    assert counts([five, six]) == [2, 6]


def test_a_closed_port_is_out_at_once(scene, members):
    scene.start(**both(scene))
    members(6)
    down(scene, 5, reason="transport")
    asked(scene.alice(), 4)
    scene.log.has_not(event="target.fail", settle=0)


@pytest.mark.parametrize("accept, status, good", [
    (None, 404, True), (None, 405, True), (None, 500, False),
    (["200"], 404, False), (["4xx"], 486, True), ("any", 603, True)])
def test_which_answers_are_good(scene, members, accept, status, good):
    scene.start(**both(scene, accept=accept))
    five, _ = members(5, 6)
    five.probe = status
    if good:
        scene.log.has_not(event="target.down", settle=2, uri="sip:%s:5060"
                          % scene.net.host(5))
    else:
        down(scene, 5, status=status)


def stopped(host):
    """A target in a process of its own, which a signal can stop."""
    code = ("import time; from harness.members import Member; Member(%r); "
            "print('ready', flush=True); time.sleep(60)" % host)
    here = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
    out = subprocess.Popen([sys.executable, "-B", "-c", code], cwd=here,
                           stdout=subprocess.PIPE)
    assert out.stdout.readline() == b"ready\n"
    return out


@pytest.mark.parametrize("how", [signal.SIGSTOP, signal.SIGKILL])
def test_a_target_that_dies_loses_no_request(scene, members, how):
    """What was on its way to it goes to the other; then nothing more does."""
    scene.start(**both(scene), timers={"t1": "100ms",
                                       "target_timeout": "1s"})
    (six,) = members(6)
    program = stopped(scene.net.host(5))
    try:
        alice = scene.alice()
        asked(alice, 4)
        program.send_signal(how)
        for _ in range(20):
            alice.send("INVITE", "sip:bob@example.com")
            alice.expect(200)
            alice.ack()
        down(scene, 5)
        before = len(scene.log.find(event="request.relayed", tries=2))
        asked(alice, 10)
        assert before == len(
            scene.log.find(event="request.relayed", tries=2))
        if how == signal.SIGSTOP:
            program.send_signal(signal.SIGCONT)
            up(scene, 5)
    finally:
        program.kill()
        program.wait()
        program.stdout.close()
    assert six.count("INVITE") > 10


def test_all_down_is_503_and_nobody_is_asked(scene):
    scene.start(**both(scene))
    down(scene, 5)
    down(scene, 6)
    alice = scene.alice()
    alice.send("INVITE", "sip:bob@example.com")
    assert alice.expect(503).has("Retry-After")
    scene.log.has(reason="targets-down", tries=0)


def test_without_probes_nobody_is_down(scene, members):
    config = both(scene)
    scene.start(**config)
    five, six = members(5, 6)
    five.probe = 503
    down(scene, 5)
    del config["peers"][0]["probe"]
    scene.daemon.configure(scene.config(**config))
    scene.daemon.reload()
    scene.log.has(event="daemon.reload")
    before = counts([five, six])
    asked(scene.alice(), 4)
    assert counts([five, six]) == [before[0] + 2, before[1] + 2]
    probes = five.count("OPTIONS")
    time.sleep(1)
    assert five.count("OPTIONS") == probes


def test_who_is_down_stays_so_over_a_reload(scene, members):
    config = both(scene)
    scene.start(**config)
    five, six = members(5, 6)
    five.probe = 503
    down(scene, 5)
    config["peers"][0]["balance"] = "weight"
    config["peers"][0]["targets"].append(target(scene, 7))
    (seven,) = members(7)
    scene.daemon.configure(scene.config(**config))
    scene.daemon.reload()
    scene.log.has(event="daemon.reload")
    asked(scene.alice(), 4)
    assert counts([five, six, seven]) == [0, 2, 2]
    five.probe = None
    up(scene, 5)


def test_states_are_shown(scene, members):
    scene.start(**both(scene))
    members(6)
    down(scene, 5)
    scene.daemon.metrics()
    for number, state in (5, "down"), (6, "up"):
        scene.log.has(event="target.state", peer="pbx", state=state,
                      uri="sip:%s:5060" % scene.net.host(number))


# ---- who failed just now

def two(scene, **more):
    return peer(scene, [target(scene, n) for n in (5, 6)], **more)


def test_who_asked_for_a_rest_is_asked_last(scene, members):
    scene.start(**two(scene))
    five, six = members(5, 6)
    five.status, five.headers = 503, [("Retry-After", "4 (busy)")]
    alice = scene.alice()
    asked(alice, 1)
    scene.log.has(event="target.grey", reason="busy", for_s=4)
    asked(alice, 3)
    assert counts([five, six]) == [1, 4]
    time.sleep(4.1)
    five.status = 200
    asked(alice, 3)
    assert counts([five, six]) == [4, 4]


def test_retry_after_has_an_end(scene, members):
    scene.start(**two(scene))
    (five, _) = members(5, 6)
    five.status, five.headers = 503, [("Retry-After", "4000000000")]
    asked(scene.alice(), 1)
    scene.log.has(event="target.grey", reason="busy", for_s=5)


def test_a_silent_target_is_asked_last(scene, members):
    scene.start(**two(scene), timers={"t1": "100ms",
                                      "target_timeout": "1s"})
    five, six = members(5, 6)
    five.silent = True
    alice = scene.alice()
    asked(alice, 1)
    scene.log.has(event="target.grey", reason="silence", for_s=10)
    before = five.count()
    asked(alice, 5)
    assert five.count() == before and six.count() == 6


def test_the_only_target_is_asked_all_the_same(scene, members):
    scene.start(**peer(scene, [target(scene, 5)]))
    (five,) = members(5)
    five.status = 503
    alice = scene.alice()
    asked(alice, 1, want=500)
    scene.log.has(event="target.grey")
    five.status = 200
    asked(alice, 2)
    assert five.count() == 3


def test_who_serves_again_is_believed(scene, members):
    scene.start(**two(scene))
    five, six = members(5, 6)
    five.status = 503
    alice = scene.alice()
    asked(alice, 1)
    five.status, six.status = 200, 503
    asked(alice, 1)
    six.status = 200
    asked(alice, 2)
    assert five.count() == 4


# ---- dialogs

def test_a_dialog_goes_on_at_a_target_that_is_down(scene):
    scene.start(**both(scene))
    alice, five = scene.alice(), scene.pbx(5, "five")
    alice.send("INVITE", "sip:bob@example.com")
    while True:
        got = five.receive()
        if got.method == "INVITE":
            break
        five.reply(200, to=got)
    five.reply(200, to=got)
    alice.expect(200)
    alice.ack()
    down(scene, 5)
    alice.bye()
    while got.method != "BYE":
        got = five.receive()
    five.reply(200, to=got)
    alice.expect(200)


# ---- load

def test_calls_under_load_are_not_lost(scene, members):
    """One of three dies and comes back, another drags: every call is taken."""
    scene.start(**peer(scene, [target(scene, n) for n in (5, 6, 7)],
                       balance="least", probe=QUICK),
                timers={"t1": "100ms", "target_timeout": "1s"})
    five, six, seven = members(5, 6, 7)
    failed, served = [], []

    def calls(number):
        phone = scene.phone("p%d" % number, 10, port=6000 + number)
        for _ in range(40):
            phone.send("INVITE", "sip:bob@example.com")
            got = phone.expect(range(200, 700))
            if got.status != 200:
                failed.append(got.start)
                return
            phone.ack()
        served.append(number)

    threads = [threading.Thread(target=calls, args=(n,)) for n in range(6)]
    for thread in threads:
        thread.start()
    time.sleep(0.05)
    five.silent = True
    time.sleep(0.4)
    six.status = 503
    five.silent = False
    for thread in threads:
        thread.join(60)
    assert not failed and len(served) == 6
    assert seven.count("INVITE") > 40


# ---- the file

@pytest.mark.parametrize("changes, said", [
    ({"uri": "sip:127.0.0.1"}, "stands instead of uri"),
    ({"balance": "random"}, "is not one of"),
    ({"probe": {"interval": "1s", "timeout": "1s"}}, "shorter than"),
    ({"probe": {"interval": "1s", "accept": ["100"]}}, "neither a final"),
    ({"probe": {"interval": "1s", "accept": ["7xx"]}}, "neither a final"),
    ({"targets": [{"uri": "sip:a"}, {"uri": "sip:a"}]}, "twice"),
    ({"targets": [{"uri": "sip:a", "weight": 0}]}, "out of range"),
    ({"targets": [{"uri": "http://a"}]}, "not a SIP URI")])
def test_wrong_files(scene, changes, said):
    changes = dict({"targets": [target(scene, 5)]}, **changes)
    scene.write_config(**peer(scene, changes.pop("targets"), **changes))
    got = scene.daemon.run("-t", "-c", scene.daemon.config_path)
    assert got.returncode != 0 and said in got.stderr + got.stdout
