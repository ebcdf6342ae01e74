"""What scans the internet for telephones, and what it finds here: nothing."""

import subprocess
import sys

from harness.programs import find
from harness.scene import NO_RATES, call

# The same tools without the name that they send: there is no option for it.
HIDDEN = """
import sys
sys.path.insert(0, "/usr/share/sipvicious")
from sipvicious import %(tool)s
from sipvicious.libs import svhelper
makes = svhelper.makeRequest
makes.__defaults__ = tuple("phone" if x == "friendly-scanner" else x
                           for x in makes.__defaults__)
sys.argv[0] = "%(tool)s"
%(tool)s.main()
"""


def hidden(tool):
    return [sys.executable, "-c", HIDDEN % {"tool": tool}]


def run(scene, tool, *args):
    """Its output; it may look for as long as it likes, but not here.
    tool: a name, or what hidden() makes of one."""
    argv = [find(tool)] if isinstance(tool, str) else tool
    try:
        done = subprocess.run(
            [*argv, *args, "udp://%s:5060" % scene.at],
            capture_output=True, text=True, timeout=4, check=False,
            cwd=scene.folder)
        return done.stdout + done.stderr
    except subprocess.TimeoutExpired as over:
        return ((over.stdout or b"") + (over.stderr or b"")).decode()


def start(scene, **changes):
    """An old scanner knows MD5."""
    scene.users = [("100", "1234")]
    scene.start(auth={"algorithms": ["MD5"]}, **changes)


def calls_pass(scene):
    phone = scene.phone("phone", 10, user="100")
    call(phone, scene.pbx())


def test_svmap_finds_nobody(scene):
    start(scene)
    said = subprocess.run(
        [find("svmap"), scene.at], capture_output=True, text=True,
        timeout=20, check=False, cwd=scene.folder)
    assert scene.at not in said.stdout
    assert scene.daemon.metrics()["requests_ended_total", "scanner"] > 0
    calls_pass(scene)


def test_svwar_finds_no_extensions(scene):
    start(scene)
    said = run(scene, "svwar", "-e98-102")
    assert "reqauth" not in said and "noauth" not in said, said
    assert scene.daemon.metrics()["requests_ended_total", "scanner"] > 0
    calls_pass(scene)


def test_to_svwar_that_hides_its_name_all_look_the_same(scene):
    """100 is there, the others are not.  It proves nothing and answers no
    challenge, so it is not banned: all this may be forged."""
    start(scene)
    said = run(scene, hidden("svwar"), "-v", "--force", "-e98-102")
    assert "found nothing" in said and "exists" not in said, said
    assert scene.daemon.metrics()["requests_ended_total",
                                  "no-credentials"] > 1
    scene.log.has_not(event="guard.ban")
    calls_pass(scene)


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
    calls_pass(scene)


def test_svcrack_by_another_name_is_banned(scene):
    start(scene, limits={"ban_after": 5})
    run(scene, hidden("svcrack"), "-u100", "-r1200-1240")
    scene.log.has_not(user="100")
    scene.log.has(event="guard.ban", reason="failures")
    assert len(scene.log.find(reason="wrong-password")) == 5
    assert scene.daemon.metrics()["transport_refused_total", "banned"] > 0
    calls_pass(scene)


def test_svcrack_would_find_it_where_all_is_off(scene):
    start(scene, guard={"scanners": "off"}, limits=NO_RATES)
    run(scene, "svcrack", "-u100", "-r1230-1240")
    scene.log.has(user="100")
