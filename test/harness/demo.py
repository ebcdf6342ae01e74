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
    "no-credentials": "who are you? asked with a challenge",
    "replay": "the answer is right, but it was used before",
    "fenced": "right, but of a memory that is not here",
}


def who_is_who(scene):
    net = scene.net
    print("""
  alice       %-12s a phone, with a password
  mallory     %-12s a stranger, who overheard alice's call
  sipbouncer  %-12s at the door
  pbx         %-12s SIPp, which knows no passwords
""" % (net.host(10), net.host(66), scene.at, net.host(5)))


def start(scene, target):
    """The daemon, and the PBX behind it."""
    scene.start(nonce_store={"type": "memory"}, log={"level": "debug"},
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


def replay(mallory, overheard, flow=None):
    """The same credentials, in a call of mallory's own."""
    forged = overheard.copy()
    forged.set("Call-ID", "mallory-was-here")
    forged.set("Via", re.sub(r"branch=[^;]+", "branch=" + sip.new_branch(),
                             overheard["Via"]))
    mallory.post(forged, flow)
    return mallory.expect(407)


# ---- the ladder

def seen_by_phones(scene):
    """(unix time, sender, receiver, start line); notes have no sender."""
    offset = time.time() - time.monotonic() + scene.ladder.began
    for when, sender, receiver, data in scene.ladder.steps:
        if sender is not None:
            data = sip.text(data).split("\r\n")[0]
        yield when + offset, sender, receiver, data


def seen_by_pbx(pbx, phones):
    """The same; SIPp's clock lags, so an answer that a phone has seen was
    sent before, and what came in before it came before."""
    heard = [x for x in phones if x[1] == "sipbouncer"]
    out, latest = [], time.time()
    for when, sent, start_line in reversed(list(pbx.messages())):
        if sent:
            seen = [x for x in heard if x[3] == start_line]
            heard = [x for x in heard if x not in seen[-1:]]
            latest = min([latest, *(x[0] for x in seen[-1:])])
        latest = min(when, latest - 1e-6)
        ends = ("pbx", "sipbouncer") if sent else ("sipbouncer", "pbx")
        out.append((latest, *ends, start_line))
    return out


def because(reason):
    words = " (%s)" % WORDS[reason] if reason in WORDS else ""
    return "%sbecause: %s%s" % (" " * 32, reason, words)


def show(steps, reasons):
    """reasons: of the 407s, in order, by the name of who sent them."""
    began = min(x[0] for x in steps if x[1] is not None)
    for when, sender, receiver, words in steps:
        if sender is None:
            print("\n  -- %s" % words)
            continue
        print("  %6.3f  %-10s -> %-10s  %s" % (
            when - began, sender, receiver,
            words.removesuffix(" SIP/2.0").removeprefix("SIP/2.0 ")))
        if words.startswith("SIP/2.0 407") and reasons.get(sender):
            print(because(reasons[sender].pop(0)))
    print()


def reasons_of(log):
    return [x["reason"] for x in log.find(status="407")]


def ladder_of(scene, pbx):
    phones = [x for x in seen_by_phones(scene) if x[1] is not None]
    return sorted(phones + seen_by_pbx(pbx, phones))


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
        show(ladder_of(scene, pbx), {"sipbouncer": reasons_of(scene.log)})
        pbx.stop()


def main():
    nets = Nets()               # which keeps others away while it lives
    with tempfile.TemporaryDirectory() as folder:
        scene = Scene(folder, nets.next(), 0)
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
