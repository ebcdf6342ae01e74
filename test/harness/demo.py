"""What scripts/demo shows: a call through sipbouncer, and its replay."""

import re
import sys
import tempfile
import time

from . import sip
from .check import is_stale
from .net import Nets
from .programs import Sipp
from .scene import SDP, Scene

WORDS = {
    "no-credentials": "it did not say who it is: asked",
    "replay": "the right answer, but it was used before",
}


def who_is_who(scene):
    net = scene.net
    print("""
  alice       %-12s a phone, with a password
  mallory     %-12s a stranger, who overheard alice's call
  sipbouncer  %-12s at the door
  pbx         %-12s SIPp, which takes calls from sipbouncer only
""" % (net.host(10), net.host(66), scene.at, net.host(5)))


def start(scene, target):
    """The daemon, and the PBX behind it."""
    scene.start(nonce_store={"type": "memory"},
                auth={"algorithms": ["SHA-256", "MD5"]})
    return Sipp("pbx", scene.folder, "uas_call", scene.net.host(5),
                keys={"target": target}, options=["-trace_shortmsg"])


def call(alice):
    """A whole call; returns the INVITE that carried the credentials."""
    alice.send("INVITE", "sip:bob@example.com", body=SDP)
    alice.expect(407)
    invite = alice.answer(pick="SHA-256")
    alice.expect(180)
    alice.expect(200)
    alice.ack()
    time.sleep(0.1)
    alice.bye()
    alice.expect(407)
    alice.answer(pick="SHA-256")
    alice.expect(200)
    return invite


def replay(mallory, overheard):
    """The same credentials, in a call of mallory's own."""
    forged = overheard.copy()
    forged.set("Call-ID", "mallory-was-here")
    forged.set("Via", re.sub(r"branch=[^;]+", "branch=" + sip.new_branch(),
                             overheard["Via"]))
    mallory.post(forged)
    return mallory.expect(407)


# ---- the ladder

def seen_by_phones(scene):
    """(unix time, sender, receiver, start line, Call-ID, 407?)"""
    offset = time.time() - time.monotonic() + scene.ladder.began
    for when, sender, receiver, data in scene.ladder.steps:
        if sender is not None:
            yield when + offset, sender, receiver, \
                sip.text(data).split("\r\n")[0]


def seen_by_pbx(pbx):
    for when, sent, start_line in pbx.messages():
        ends = ("pbx", "sipbouncer") if sent else ("sipbouncer", "pbx")
        yield (when, *ends, start_line.strip())


def show(scene, pbx):
    refusals = scene.log.find(status="407")
    lines = sorted([*seen_by_phones(scene), *seen_by_pbx(pbx)])
    for when, sender, receiver, start_line in lines:
        print("  %6.3f  %-10s -> %-10s  %s" % (
            when - lines[0][0], sender, receiver,
            start_line.removesuffix(" SIP/2.0").removeprefix("SIP/2.0 ")))
        if start_line.startswith("SIP/2.0 407") and refusals:
            reason = refusals.pop(0)["reason"]
            print("%36s: %s%s" % (
                "because", reason,
                " (%s)" % WORDS[reason] if reason in WORDS else ""))
    print()


def play(scene):
    pbx = start(scene, "bob@%s:5060" % scene.net.host(5))
    try:
        who_is_who(scene)
        overheard = call(scene.alice())
        pbx.finish()
        refused = replay(scene.mallory(), overheard)
        assert is_stale(refused), "the replay was not known as one"
        scene.log.has(reason="replay")
    finally:
        show(scene, pbx)
        pbx.stop()


def main():
    with tempfile.TemporaryDirectory() as folder:
        scene = Scene(folder, Nets().next(), 0)
        try:
            play(scene)
        except AssertionError as why:
            print("FAILED: %s" % why)
            return 1
        finally:
            scene.close()
    print("The call went through, and its replay was refused.")
    return 0


if __name__ == "__main__":
    sys.exit(main())
