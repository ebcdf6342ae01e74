"""What scripts/flood does: attackers from made-up addresses, and a paying
customer beside them, whose calls must all pass.

The limits are those that the daemon has by default.  One CPU is the daemon's,
another one that of all others.
"""

import argparse
import collections
import contextlib
import os
import subprocess
import sys
import tempfile
import time

from .bench import cpus, next_line, on_cpu
from .daemon import binary
from .flood import Flood
from .net import Nets
from .scene import REALM, Scene

FIRST = "127.100.0.0"           # and those after it
GROWTH_KB = 8192                # tables of a fixed size that fill up
CALLERS = 4

# One row of the table: what is sent by how many.
Attack = collections.namedtuple("Attack", "kind sources share options")
ATTACKS = {
    "made-up": Attack("OPTIONS", 1000000, 1, {}),
    "forged": Attack("INVITE", 1000000, 1, {"forged": True}),
    "many": Attack("REGISTER", 10000, 1, {}),
    "few": Attack("INVITE", 100, 1, {}),
    "scanner": Attack("OPTIONS", 10000, 1, {
        "header": "User-Agent: friendly-scanner"}),
    "malformed": Attack("MALFORMED", 10000, 1, {}),
    "responses": Attack("RESPONSE", 10000, 1, {}),
    "huge": Attack("HUGE", 10000, 20, {}),
    "guess": Attack("GUESS", 2000, 10, {}),
    "connect": Attack("CONNECT", 1000, 20, {"held": 1000}),
}

Result = collections.namedtuple(
    "Result", "name sent answered dropped lost us before most after log_kb "
    "done failed")
HEAD = ("attack", "sent", "answered", "dropped", "lost", "CPU us",
        "kB before", "most", "after", "log kB", "calls", "failed")
FORM = "%-10s %8s %8s %8s %6s %7s %9s %6s %6s %7s %6s %6s"


def caller_argv(scene, seconds):
    """Few enough calls that the customer keeps to his own rate."""
    return [binary("test/bench/load"), "--sleep", "--realm", REALM,
            "--users", str(CALLERS), "--window", str(CALLERS),
            "--rest", "600", "--warmup", "1", "--seconds", str(seconds),
            "--proxy", "%s:5060" % scene.at,
            "--caller", scene.net.host(10) + ":0",
            "--callee", scene.net.host(5) + ":5060", "CALL"]


def lost_by_kernel(host):
    """Datagrams for which the daemon's socket had no room."""
    local = "%02X%02X%02X%02X:13C4" % tuple(
        int(x) for x in reversed(host.split(".")))
    with open("/proc/net/udp", encoding="ascii") as f:
        return sum(int(line.split()[-1]) for line in f
                   if line.split()[1] == local)


def dropped(counted):
    """What met silence, as the daemon counted it."""
    silent = ("over-rate", "scanner", "user-slowed", "ack-stray",
              "response-stray")
    return sum(counted.get(("requests_ended_total", word), 0)
               for word in silent) + sum(
        n for (name, _), n in counted.items()
        if name == "transport_refused_total")


class Siege:
    """One attack on one daemon."""

    def __init__(self, scene, name, plan):
        self.scene, self.name = scene, name
        self.attack = ATTACKS[name]
        self.total = max(plan.requests // self.attack.share, 1)
        self.rate = max(plan.rate // self.attack.share, 1)
        self.most = 0

    def start(self):
        self.scene.users = [("u%d" % n, "pw%d" % n) for n in range(CALLERS)]
        self.scene.start(auth={"algorithms": ["MD5"], "in_dialog": "token"},
                         timers={"t1": "500ms"}, log={"level": "info"})

    def seconds(self):
        return self.total // self.rate + 3

    def strike(self):
        """Until it ends, the daemon's memory is looked at."""
        sources = min(self.attack.sources, self.total)
        port = 5062 if "forged" in self.attack.options else 0
        flood = Flood(self.scene.proxy, self.attack.kind, (FIRST, port),
                      total=self.total, rate=self.rate, sources=sources,
                      users=100000, seconds=self.seconds(),
                      **self.attack.options)
        try:
            while flood.runs():
                self.most = max(self.most, self.scene.daemon.rss_kb())
                time.sleep(0.2)
            return flood.finish()
        finally:
            flood.close()

    def result(self, calls):
        """The customer calls before the attack, during it and after it."""
        daemon, log = self.scene.daemon, self.scene.log
        next_line(calls, "begin")
        before = daemon.rss_kb()
        cpu, written = daemon.cpu_seconds(), os.path.getsize(log.path)
        sent = self.strike()
        cpu = daemon.cpu_seconds() - cpu
        written = os.path.getsize(log.path) - written
        counted = {k: int(v) for k, v in next_line(calls, "end").items()}
        return Result(self.name, sent["sent"], sent["answered"],
                      dropped(daemon.metrics()),
                      lost_by_kernel(self.scene.at),
                      1e6 * cpu / max(sent["sent"], 1), before, self.most,
                      daemon.rss_kb(), written // 1024, counted["done"],
                      counted["failed"])

    def run(self):
        with contextlib.ExitStack() as last:
            last.callback(self.scene.close)
            with on_cpu(cpus()[0]):
                self.start()
            with on_cpu(cpus()[1]):
                calls = subprocess.Popen(
                    caller_argv(self.scene, self.seconds()),
                    stdout=subprocess.PIPE, text=True)
                last.enter_context(calls)
                last.callback(calls.kill)
                return self.result(calls)


def row(result):
    return FORM % (*result[:5], "%.1f" % result.us, *result[6:])


def is_good(result):
    return result.done > 0 and result.failed == 0 and \
        result.after - result.before <= GROWTH_KB


def siege(plan, net, say=lambda text: None):
    say(FORM % HEAD)
    results = []
    for name in plan.attacks:
        with tempfile.TemporaryDirectory(prefix="flood-") as folder:
            results.append(
                Siege(Scene(folder, net, 0), name, plan).run())
        say(row(results[-1]))
    return results


def plan_of(args=()):
    parser = argparse.ArgumentParser(prog="flood", description=__doc__)
    parser.add_argument("--requests", type=int, default=1000000, metavar="N",
                        help="of an attack; of dear ones fewer (1000000)")
    parser.add_argument("--rate", type=int, default=20000, metavar="N",
                        help="of them in a second, fewer of dear ones "
                        "(20000)")
    parser.add_argument("attacks", nargs="*", metavar="ATTACK",
                        help="of " + ", ".join(ATTACKS))
    plan = parser.parse_args(args)
    for name in plan.attacks:
        if name not in ATTACKS:
            parser.error("no such attack: " + name)
    if "forged" in plan.attacks and os.geteuid() != 0:
        parser.error("forged: only root forges addresses")
    plan.attacks = plan.attacks or [
        name for name in ATTACKS if name != "forged" or os.geteuid() == 0]
    return plan


def main(args):
    plan = plan_of(args)
    nets = Nets()               # which keeps others away while it lives
    results = siege(plan, nets.next(), lambda text: print(text, flush=True))
    return 0 if all(is_good(result) for result in results) else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
