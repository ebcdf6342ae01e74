"""What scans the internet for telephones, and what it finds here: nothing."""

import subprocess

from harness.programs import find
from harness.scene import NO_RATES


def run(scene, tool, *args):
    """Its output; it may look for as long as it likes, but not here."""
    try:
        done = subprocess.run(
            [find(tool), *args, "udp://%s:5060" % scene.at],
            capture_output=True, text=True, timeout=4, check=False,
            cwd=scene.folder)
        return done.stdout + done.stderr
    except subprocess.TimeoutExpired as over:
        return ((over.stdout or b"") + (over.stderr or b"")).decode()


def start(scene, **changes):
    """An old scanner knows MD5."""
    scene.users = [("100", "1234")]
    scene.start(auth={"algorithms": ["MD5"]}, **changes)


def test_svwar_finds_no_extensions(scene):
    start(scene)
    said = run(scene, "svwar", "-e98-102")
    assert "reqauth" not in said and "noauth" not in said, said
    assert scene.daemon.metrics()["requests_ended_total", "scanner"] > 0


def test_svcrack_finds_no_password(scene):
    start(scene)
    run(scene, "svcrack", "-u100", "-r1230-1240")
    scene.log.has_not(user="100")


def test_svcrack_that_hides_its_name_is_banned(scene):
    """The list is off: as if it called itself a phone."""
    start(scene, guard={"scanners": "off"}, limits={"ban_after": 5})
    run(scene, "svcrack", "-u100", "-r1200-1240")
    scene.log.has_not(user="100")
    scene.log.has(event="guard.ban", reason="failures")
    assert len(scene.log.find(reason="wrong-password")) == 5


def test_svcrack_would_find_it_where_all_is_off(scene):
    start(scene, guard={"scanners": "off"}, limits=NO_RATES)
    run(scene, "svcrack", "-u100", "-r1230-1240")
    scene.log.has(user="100")
