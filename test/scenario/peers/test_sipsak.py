"""sipsak, the operator's first tool, asks through the door.  It knows MD5."""

import subprocess

from harness.programs import sipsak
from harness.scene import call


def start(scene, peers):
    scene.start(auth={"algorithms": ["MD5"]})
    peers.kamailio()


def ask(scene, *args, **more):
    """sipsak looks up the domain that it asks for: ask for our address; and
    its own host's name, which need not have one: -H."""
    here = scene.net.host(10)
    return sipsak("-H", here, "--local-ip", here, "-s",
                  "sip:bob@%s" % scene.at, *args, **more)


def test_sipsak_without_a_password_is_refused(scene, peers):
    start(scene, peers)
    asked = ask(scene)
    assert asked.returncode != 0
    assert "407 Proxy Authentication Required" in asked.stdout + asked.stderr
    scene.log.has_not(reason="relayed")


def test_sipsak_with_a_password_reaches_the_pbx(scene, peers):
    """sipsak says From: sipsak, so the user's list must allow it."""
    scene.users.append(("monitor", "watch", ("sip:sipsak@*",)))
    start(scene, peers)
    asked = ask(scene, "-u", "monitor", "-a", "watch")
    assert asked.returncode == 0, asked.stdout + asked.stderr
    assert "kamailio" in asked.stdout + asked.stderr


def test_sipsak_with_a_wrong_password_is_refused(scene, peers):
    start(scene, peers)
    asked = ask(scene, "-u", "alice", "-a", "guess")
    assert asked.returncode != 0
    scene.log.has(reason="wrong-password")
    scene.log.has_not(reason="relayed")


def test_calls_pass_beside_a_flood_of_sipsak(scene):
    """It ends by itself, or after these seconds.  What the kernel has no room
    for is lost over UDP, and nobody here sends again."""
    scene.start(limits={"requests_per_source": "5/s burst 50"},
                peers=[scene.pbx_peer(
                    uri="sip:%s:5060;transport=tcp" % scene.net.host(5))])
    try:
        ask(scene, "-F", "-e", "20000", timeout=3)
    except subprocess.TimeoutExpired:
        pass
    call(scene.bob(transport="tcp"), scene.pbx())
    got = scene.daemon.metrics()
    assert got["requests_ended_total", "over-rate"] > 1000
    assert got["requests_ended_total", "no-credentials"] < 100
