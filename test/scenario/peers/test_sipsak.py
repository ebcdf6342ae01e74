"""sipsak, the operator's first tool, asks through the door."""

from harness.programs import sipsak


def ask(scene, *args):
    """sipsak looks up the domain that it asks for: ask for our address."""
    return sipsak("--local-ip", scene.net.host(10), "-s",
                  "sip:bob@%s" % scene.at, *args)


def test_sipsak_without_a_password_is_refused(scene, peers):
    scene.start()
    peers.kamailio()
    asked = ask(scene)
    assert asked.returncode != 0
    assert "407 Proxy Authentication Required" in asked.stdout


def test_sipsak_with_a_password_reaches_the_pbx(scene, peers):
    """sipsak says From: sipsak, so the user's list must allow it."""
    scene.users.append(("monitor", "watch", ("sip:sipsak@*",)))
    scene.start()
    peers.kamailio()
    asked = ask(scene, "-u", "monitor", "-a", "watch")
    assert asked.returncode == 0, asked.stdout + asked.stderr
    assert "kamailio" in asked.stdout


def test_sipsak_with_a_wrong_password_is_refused(scene, peers):
    scene.start()
    peers.kamailio()
    asked = ask(scene, "-u", "alice", "-a", "guess")
    assert asked.returncode != 0
    assert "kamailio" not in asked.stdout
