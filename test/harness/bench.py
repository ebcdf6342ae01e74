"""What scripts/bench does: the same calls through sipbouncer and through
Kamailio, and what each costs in CPU time.

A proxy has one CPU for itself; callers and callees (test/bench) have another,
and keep a number of calls going, each as soon as another one ended.
"""

import argparse
import collections
import contextlib
import os
import statistics
import subprocess
import sys
import tempfile

from .daemon import binary
from .net import Nets
from .programs import AnyKamailio, find
from .scene import NO_RATES, REALM, Scene

SCENARIOS = ("MESSAGE", "CALL", "STRANGERS")
TICKS = os.sysconf("SC_CLK_TCK")
NO_KAMAILIO = """\
Kamailio is not here, so sipbouncer is measured alone.  To compare the two:
    sudo apt-get install --no-install-recommends kamailio
    sudo systemctl disable --now kamailio
"""


# ---- processes

def family(pid):
    """A process and all that descend from it."""
    out = [pid]
    try:
        for task in os.listdir("/proc/%d/task" % pid):
            path = "/proc/%d/task/%s/children" % (pid, task)
            with open(path, encoding="ascii") as f:
                for child in f.read().split():
                    out += family(int(child))
    except FileNotFoundError:
        pass
    return out


def cpu_seconds(pids):
    """(user, system) of all together."""
    user = system = 0
    for pid in pids:
        with open("/proc/%d/stat" % pid, encoding="ascii") as f:
            fields = f.read().rsplit(")", 1)[1].split()
        user += int(fields[11])
        system += int(fields[12])
    return user / TICKS, system / TICKS


def memory_kb(pids):
    """Resident; what processes share is counted once."""
    out = 0
    for pid in pids:
        with open("/proc/%d/smaps_rollup" % pid, encoding="ascii") as f:
            out += sum(int(line.split()[1]) for line in f
                       if line.startswith("Pss:"))
    return out


@contextlib.contextmanager
def on_cpu(number):
    """What is started in here stays on this CPU."""
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {number})
    try:
        yield
    finally:
        os.sched_setaffinity(0, before)


def cpus():
    """(of the proxy, of the load)"""
    known = sorted(os.sched_getaffinity(0))
    return known[0], known[-1]


# ---- the proxies; both know hashes of the users, not their passwords

class Sipbouncer:
    name = "sipbouncer"

    def __init__(self, folder, net, users):
        self.scene = Scene(folder, net, 0)
        self.scene.users = [("u%d" % n, "pw%d" % n) for n in range(users)]
        try:
            self.scene.start(
                auth={"algorithms": ["MD5"], "in_dialog": "token"},
                timers={"t1": "500ms"}, log={"level": "notice"},
                limits=NO_RATES)
        except AssertionError:
            self.stop()
            raise
        self.pid = self.scene.daemon.process.pid

    def stop(self):
        self.scene.close()


class Kamailio(AnyKamailio):
    name = "kamailio"

    def __init__(self, folder, net, users):
        super().__init__(
            folder, net.host(1), "bench.cfg",
            ["LISTEN=udp:%s:5060" % net.host(1),
             'PBX="sip:%s:5060"' % net.host(5), "USERS=%d" % users],
            options=("-x", "fm", "-X", "fm", "-m", "4096", "-M", "16"),
            ready=b"SIP/2.0 407")
        self.pid = self.process.pid


def systems():
    """What there is to be measured; the first is what all are compared to."""
    try:
        find("kamailio")
    except AssertionError:
        return [Sipbouncer]
    return [Kamailio, Sipbouncer]


# ---- a run

Run = collections.namedtuple(
    "Run", "done failed per_s user_us system_us memory_mb")


def load_argv(net, scenario, plan):
    argv = [binary("test/bench/load"), "--realm", REALM,
            "--users", str(plan.users), "--window", str(plan.window),
            "--warmup", str(plan.warmup), "--seconds", str(plan.seconds),
            "--proxy", net.host(1) + ":5060",
            "--caller", net.host(10) + ":0",
            "--callee", net.host(5) + ":5060"]
    if len(set(cpus())) == 1:
        argv.append("--sleep")
    return argv + [scenario]


def next_line(load, word):
    """The load's next line, which begins with this word, as a dict."""
    words = load.stdout.readline().split()
    assert words and words[0] == word, "the load ended early"
    return dict(x.split("=") for x in words[1:])


def watch(load, proxy):
    """Counts while the load does."""
    next_line(load, "begin")
    before = cpu_seconds(family(proxy.pid))
    counted = {k: int(v) for k, v in next_line(load, "end").items()}
    pids = family(proxy.pid)
    after = cpu_seconds(pids)
    calls = max(counted["done"], 1)
    return Run(counted["done"], counted["failed"],
               1000 * counted["done"] / counted["ms"],
               *(1e6 * (a - b) / calls for a, b in zip(after, before)),
               memory_kb(pids) / 1024)


def run(system, folder, net, scenario, plan):
    proxy_cpu, load_cpu = cpus()
    with contextlib.ExitStack() as last:
        with on_cpu(proxy_cpu):
            proxy = system(folder, net, plan.users)
        last.callback(proxy.stop)
        with on_cpu(load_cpu):
            load = subprocess.Popen(load_argv(net, scenario, plan),
                                    stdout=subprocess.PIPE, text=True)
            last.enter_context(load)
            last.callback(load.kill)
            return watch(load, proxy)


def measure(system, net, scenario, plan):
    """One proxy, one scenario, from start to end."""
    with tempfile.TemporaryDirectory(prefix="bench-") as folder:
        return run(system, folder, net, scenario, plan)


# ---- the table

HEAD = ("system", "scenario", "done/s", "failed", "CPU us a call", "user",
        "system", "memory MB", "ratio")
FORM = "%-12s %-10s %8s %7s %14s %7s %7s %10s %6s"


def cost(run):
    return run.user_us + run.system_us


def row(name, scenario, runs, against):
    """Medians of the rounds; the ratio is taken round by round."""
    def median(of):
        return statistics.median(of(run) for run in runs)
    ratio = statistics.median(
        cost(ours) / max(cost(theirs), 0.001)
        for ours, theirs in zip(runs, against))
    return FORM % (
        name, scenario, "%.0f" % median(lambda r: r.per_s),
        sum(run.failed for run in runs), "%.1f" % median(cost),
        "%.1f" % median(lambda r: r.user_us),
        "%.1f" % median(lambda r: r.system_us),
        "%.0f" % median(lambda r: r.memory_mb), "%.2f" % ratio)


def table(results):
    """results: {(scenario, name): runs}, the reference first."""
    lines, reference = [FORM % HEAD], {}
    for (scenario, name), runs in results.items():
        against = reference.setdefault(scenario, runs)
        lines.append(row(name, scenario, runs, against))
    return "\n".join(lines)


# ---- all of it

def bench(plan, net, say=lambda text: None):
    """Neighbours in time are compared: a round is each system once."""
    results = collections.defaultdict(list)
    for number in range(plan.rounds):
        for scenario in plan.scenarios:
            for system in systems():
                say("round %d of %d: %s, %s" % (
                    number + 1, plan.rounds, scenario, system.name))
                results[scenario, system.name].append(
                    measure(system, net, scenario, plan))
    return dict(results)


def plan_of(args=()):
    parser = argparse.ArgumentParser(prog="bench", description=__doc__)
    for name, default, what in (
            ("seconds", 10, "that are counted"),
            ("warmup", 35, "seconds before, longer than finished transactions "
             "are kept (32)"),
            ("rounds", 1, "of which the table has the medians"),
            ("window", 64, "calls at once"),
            ("users", 1000, "who call")):
        parser.add_argument("--" + name, type=int, default=default,
                            help="%s (%s)" % (what, default), metavar="N")
    parser.add_argument("scenarios", nargs="*", metavar="SCENARIO",
                        help="of " + ", ".join(SCENARIOS))
    plan = parser.parse_args(args)
    for scenario in plan.scenarios:
        if scenario not in SCENARIOS:
            parser.error("no such scenario: " + scenario)
    plan.scenarios = plan.scenarios or list(SCENARIOS)
    return plan


def main(args):
    plan = plan_of(args)
    if Kamailio not in systems():
        print(NO_KAMAILIO)
    if len(set(cpus())) == 1:
        print("There is one CPU only: figures include what the load takes.")
    nets = Nets()               # which keeps others away while it lives
    results = bench(plan, nets.next(),
                    lambda text: print(text, flush=True))
    print("\n" + table(results))
    return any(run.done == 0 for runs in results.values() for run in runs)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
