"""The filter and the jail for fail2ban, by fail2ban itself, on lines that the
daemon wrote."""

import os
import re
import shutil
import subprocess

import pytest

from harness.namespace import add_address, scene_inside
from harness.phone import Phone
from harness.scene import serve

HERE = os.path.dirname(os.path.abspath(__file__))
ETC = os.path.join(HERE, "..", "..", "etc", "fail2ban")
FILTER = os.path.join(ETC, "filter.d", "sipbouncer.conf")
BOB = "sip:bob@example.com"
LIMITS = {"ban_after": 3, "failures_per_user": "off"}
FORMATS = pytest.mark.parametrize("form", ["text", "json"])
# what may look like a line, or a field, of its own
LURES = [
    'event=guard.ban source=1.2.3.4',
    'x" event=guard.ban source="1.2.3.4" reason="failures',
    'x\\" event=guard.ban source=\\"1.2.3.4\\" reason=\\"failures',
    'x","event":"guard.ban","source":"1.2.3.4","reason":"failures',
    'x\\","event":"guard.ban","source":"1.2.3.4","reason":"failures',
    'x" source="1.2.3.4:5060" transport="udp" listener="l" peer="-" '
    'reason="wrong-password" nonce_of="source',
    'ts=2026-01-01T00:00:00.000Z level=notice event=guard.ban '
    'source="1.2.3.4" reason="failures"',
]


def found(path, mode):
    """The addresses that fail2ban finds, one a line that fits."""
    done = subprocess.run(
        ["fail2ban-regex", "--out", "id", path, "%s[mode=%s]" % (
            os.path.abspath(FILTER), mode)], capture_output=True, text=True,
        timeout=60, check=False)
    assert "rror" not in done.stderr, done.stderr
    return done.stdout.split()


def wrong(phone, name="bob", status=407, **parts):
    phone.user = name
    phone.send("OPTIONS", BOB, **parts)
    phone.expect(407)
    phone.answer(password="wrong")
    phone.expect(status)


@pytest.fixture
def scene6(tmp_path, net, nets):
    """With addresses of IPv6: the daemon's fd00::1, and another."""
    with scene_inside(tmp_path, net, nets.port6()) as out:
        add_address("fd00:66::10/128")
        yield out


def start(scene, form, *listen, **limits):
    scene.start(log={"level": "info", "format": form},
                limits=dict(LIMITS, **limits),
                listen=[{"uri": "sip:%s:5060" % scene.at}, *listen])


LISTEN6 = {"uri": "sip:[fd00::1]:5060"}


def phone6(scene):
    out = Phone(scene.ladder, "six", "fd00:66::10", 0, user="bob",
                proxy=("fd00::1", 5060))
    scene.actors.append(out)
    return out


def finish(scene):
    scene.daemon.stop()
    return scene.log.path


@FORMATS
def test_bans_are_found(scene6, form):
    scene = scene6
    start(scene, form, LISTEN6)
    mallory, six = scene.mallory(), phone6(scene)
    for phone in (mallory, six):
        for _ in range(3):
            wrong(phone)
    serve(scene.alice(), scene.pbx())
    assert found(finish(scene), "normal") == [mallory.host, "fd00:66::/64"]


@FORMATS
def test_wrong_passwords_are_found(scene6, form):
    scene = scene6
    start(scene, form, LISTEN6, ban_after="off")
    mallory, six = scene.mallory(), phone6(scene)
    wrong(mallory)
    wrong(six)
    wrong(scene.phone("tcp", 67, transport="tcp"))
    serve(scene.alice(), scene.pbx())
    log = finish(scene)
    assert found(log, "strict") == [mallory.host, "fd00:66::10",
                                    scene.net.host(67)]
    assert found(log, "normal") == []


@FORMATS
def test_403_is_a_wrong_password(scene, form):
    scene.start(log={"format": form}, limits=dict(LIMITS, ban_after="off"),
                auth={"wrong_password": "forbid"})
    mallory = scene.mallory()
    wrong(mallory, status=403)
    assert found(finish(scene), "strict") == [mallory.host]


@FORMATS
def test_who_forges_an_address_gets_nobody_banned(scene, form):
    start(scene, form)
    mallory = scene.mallory(user="bob")
    mallory.send("OPTIONS", BOB)
    mallory.expect(407)
    forger = scene.elsewhere(mallory, "forger", 10)
    for _ in range(4):
        forger.challenges = mallory.challenges
        forger.answer(password="wrong")
        forger.expect(407)
    scene.log.has(nonce_of="another")
    assert found(finish(scene), "strict") == []


@FORMATS
def test_nobody_is_lured_by_what_others_write(scene, form):
    start(scene, form, ban_after="off")
    mallory = scene.mallory()
    for lure in LURES:
        wrong(mallory, lure, headers=[("User-Agent", lure)])
        mallory.send("OPTIONS", BOB, call_id=re.sub(r"\s", "_", lure))
        mallory.receive(timeout=0.5)
        mallory.send("OPTIONS", "sip:%s@example.com" % re.sub(
            r'[\s"\\<>]', "_", lure))
        mallory.receive(timeout=0.5)
    scene.log.has(reason="wrong-password", count=len(LURES))
    log = finish(scene)
    assert "guard.ban" in scene.log.text()
    assert set(found(log, "strict")) == {mallory.host}
    assert found(log, "normal") == []


@FORMATS
@pytest.mark.parametrize("what", ["call_id", "user", "uri"])
def test_nobody_hides_behind_long_names(scene, form, what):
    # a line has room for so much; what counts must still be in it
    start(scene, form, ban_after="off")
    mallory, parts, uri = scene.mallory(user="bob"), {}, BOB
    if what == "user":
        mallory.user = "u" * 1500
    elif what == "call_id":
        parts = {"call_id": "i" * 9000}
    else:
        uri = "sip:%s@example.com" % ("u" * 1500)
    mallory.send("OPTIONS", uri, **parts)
    mallory.expect(407)
    mallory.answer(password="wrong")
    mallory.expect(407)
    scene.log.has(reason="wrong-password")
    assert found(finish(scene), "strict") == [mallory.host]


@FORMATS
def test_a_prefix_of_the_journal(scene, form):
    start(scene, form)
    mallory = scene.mallory()
    for _ in range(3):
        wrong(mallory)
    log = finish(scene) + ".journal"
    with open(log, "w", encoding="utf-8") as f:
        for line in scene.log.text().splitlines():
            if form == "text":      # which has no time there
                line = line.split(" ", 1)[1]
            f.write("Nov 21 11:55:15 door sipbouncer[77]: %s\n" % line)
    # as fail2ban puts the parts of an entry together, without the time
    done = subprocess.run(
        ["fail2ban-regex", "--out", "id", "-d", r"^%b %d %H:%M:%S", log,
         "%s[mode=strict]" % os.path.abspath(FILTER)],
        capture_output=True, text=True, timeout=60, check=True)
    assert done.stdout.split() == [mallory.host] * 4


def test_the_jail_is_understood(tmp_path):
    folder = tmp_path / "fail2ban"
    shutil.copytree("/etc/fail2ban", folder)
    shutil.rmtree(folder / "jail.d")
    for part in ("filter.d", "jail.d"):
        shutil.copytree(os.path.join(ETC, part), folder / part,
                        dirs_exist_ok=True)
    jail = folder / "jail.d" / "sipbouncer.conf"
    log = tmp_path / "log"
    log.touch()
    jail.write_text(jail.read_text().replace(
        "enabled = false", "enabled = true").replace(
        "backend = systemd", "backend = polling\nlogpath = %s" % log))
    done = subprocess.run(
        ["fail2ban-client", "-c", str(folder), "-d"], capture_output=True,
        text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr
    assert "['start', 'sipbouncer']" in done.stdout
    assert "sipbouncer" not in done.stderr
    assert "sipbouncer-udp" in done.stdout
    assert "5060,5061" in done.stdout
