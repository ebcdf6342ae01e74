"""What scripts/soak does: many authenticated requests over several instances
while Redis is restarted under them, and what was overheard is sent again.

Counted: requests that were never served ("lost"), and answers to a challenge
that brought two requests to the PBX ("replays accepted").  Both must be 0.
"""

import argparse
import collections
import multiprocessing
import random
import re
import secrets
import socket
import sys
import tempfile
import threading
import time

from . import digest, sip
from .cluster import BOB, Cluster
from .net import Nets

REQUEST = (
    "MESSAGE %(uri)s SIP/2.0\r\nVia: SIP/2.0/UDP %(me)s;branch=%(branch)s;"
    "rport\r\nMax-Forwards: 70\r\nFrom: <sip:alice@example.com>;tag=%(tag)s"
    "\r\nTo: <%(uri)s>\r\nCall-ID: %(call)s\r\nCSeq: 1 MESSAGE\r\n"
    "%(auth)sContent-Length: 0\r\n\r\n")
TRIES = 8                       # stale=true answers that one request takes
OVERHEARD = 400                 # captured requests kept for later


# ---- the PBX: answers everything, and remembers what came how often

def pbx(host, report):
    """A process of its own, until it is told to end."""
    sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 23)
    sock.bind((host, 5060))
    sock.settimeout(0.2)
    seen = collections.defaultdict(set)     # use -> branches of ours
    report.send("ready")
    while not report.poll():
        try:
            data, remote = sock.recvfrom(65535)
        except socket.timeout:
            continue
        text = data.decode("latin-1")
        use = re.search(r"\nSubject: ([^\r]+)", text).group(1)
        seen[use].add(re.search(r"branch=([^;,\s]+)", text).group(1))
        kept = [line for line in text.split("\r\n")[1:]
                if re.match(r"(Via|From|To|Call-ID|CSeq):", line)]
        sock.sendto(("SIP/2.0 200 OK\r\n" + "\r\n".join(kept) +
                     ";tag=pbx\r\nContent-Length: 0\r\n\r\n").replace(
                         "MESSAGE;tag=pbx", "MESSAGE").encode("latin-1"),
                    remote)
    report.send((len(seen), [u for u, b in seen.items() if len(b) > 1]))


# ---- the phones

class Sent:
    """A datagram that waits for its final answer."""

    def __init__(self, data, to, kind, owner=None):
        self.data, self.to, self.kind, self.owner = data, to, kind, owner
        self.began = time.monotonic()
        self.again, self.pause = self.began + 0.5, 0.5


class Phone:
    """One after the other: a request, its challenge, its answer."""

    def __init__(self, number):
        self.number = number
        self.challenge, self.nc, self.tries = None, 0, 0


class Load:
    """All phones on one socket."""

    def __init__(self, cluster, plan):
        self.targets = [one.address for one in cluster]
        self.plan, self.total = plan, plan.requests
        self.sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 23)
        self.sock.bind((cluster.net.host(10), 0))
        self.me = "%s:%d" % self.sock.getsockname()
        self.phones = [Phone(n) for n in range(plan.in_flight)]
        self.open = {}              # branch -> Sent
        self.count = collections.Counter()
        self.begun = self.done = 0
        self.limit = self.total     # begun at most, as Trouble says
        self.idle = []              # phones that wait for more
        self.overheard = collections.deque(maxlen=OVERHEARD)
        self.replay_due = False
        self.longest = 0.0
        self.random = random.Random(1)

    # -- sending

    def text(self, auth=""):
        """Credentials are told apart by a Subject that goes with them."""
        branch = sip.new_branch()
        return branch, (REQUEST % {
            "uri": BOB, "me": self.me, "branch": branch, "auth": auth,
            "tag": sip.new_tag(), "call": secrets.token_hex(6)}).encode()

    def send(self, branch, data, to, kind, owner=None):
        self.open[branch] = Sent(data, to, kind, owner)
        self.sock.sendto(data, to)

    def begin(self, phone):
        """The next request: with the challenge that it has, or without."""
        if self.begun >= self.limit:
            self.idle.append(phone)
            return
        self.begun += 1
        phone.tries = 0
        to = self.random.choice(self.targets)
        if phone.challenge is not None and phone.nc < self.plan.uses:
            self.answer(phone, to)
        else:
            branch, data = self.text()
            self.send(branch, data, to, "ask", phone)

    def answer(self, phone, to):
        phone.nc += 1
        answer = digest.Answer(phone.challenge, "MESSAGE", BOB, "alice",
                               "wonderland")
        answer.nc = "%08x" % phone.nc
        auth = "Subject: %s\r\nProxy-Authorization: %s\r\n" % (
            secrets.token_hex(8), answer.text())
        branch, data = self.text(auth)
        self.send(branch, data, to, "answer", phone)
        self.overheard.append(auth)

    def replay(self, auth):
        branch, data = self.text(auth)
        self.send(branch, data, self.random.choice(self.targets), "replay")
        self.count["replays sent"] += 1

    # -- receiving

    def read(self, timeout):
        self.sock.settimeout(timeout)
        try:
            data = self.sock.recv(65535)
        except socket.timeout:
            return
        head = data.decode("latin-1")
        status = int(head[8:11])
        branch = re.search(r"branch=([^;,\s]+)", head).group(1)
        if status < 200 or branch not in self.open:
            return
        sent = self.open.pop(branch)
        if sent.kind == "replay":
            self.count["replays answered %d" % status] += 1
            return
        self.longest = max(self.longest, time.monotonic() - sent.began)
        self.answered(sent, status, head)

    def answered(self, sent, status, head):
        phone = sent.owner
        self.count["%s %d" % (sent.kind, status)] += 1
        if status == 200:
            self.served(phone)
        elif phone.tries >= TRIES:
            self.lose(phone, "refused %d times" % TRIES)
        elif status == 407:
            value = re.search(r"\r\nProxy-Authenticate: ([^\r]*)",
                              head).group(1)
            phone.challenge, phone.nc = digest.parse(value), 0
            phone.tries += 1
            # the first at any instance, as SRV has it; whoever was refused
            # stays with the one that asked again
            to = sent.to if sent.kind == "answer" else \
                self.random.choice(self.targets)
            self.answer(phone, to)
        else:
            self.lose(phone, "answered %d" % status)

    def served(self, phone):
        self.done += 1
        if self.random.random() < self.plan.replays:
            self.replay(self.random.choice(self.overheard))
        self.begin(phone)

    def lose(self, phone, why):
        self.count["lost: " + why] += 1
        self.done += 1
        self.begin(phone)

    def repeat(self):
        """RFC 3261 17.1.2: what has no answer is sent again."""
        now = time.monotonic()
        for branch, sent in list(self.open.items()):
            if now - sent.began > 16:
                del self.open[branch]
                if sent.owner is not None:
                    self.lose(sent.owner, "no answer")
                else:
                    self.count["replays without an answer"] += 1
            elif now > sent.again:
                sent.pause = min(4, 2 * sent.pause)
                sent.again = now + sent.pause
                self.sock.sendto(sent.data, sent.to)
                self.count["retransmissions"] += 1

    def run(self):
        for phone in self.phones:
            self.begin(phone)
        checked = time.monotonic()
        while self.done < self.total or self.open:
            self.read(0.1 if self.open else 0.01)
            idle, self.idle = self.idle, []
            for phone in idle:
                self.begin(phone)
            if time.monotonic() - checked > 0.1:
                checked = time.monotonic()
                self.repeat()
            if self.replay_due:             # Redis has just come back
                self.replay_due = False
                for auth in list(self.overheard):
                    self.replay(auth)

    def lost(self):
        return sum(n for what, n in self.count.items()
                   if what.startswith("lost"))


# ---- what befalls Redis

class Trouble(threading.Thread):
    """Restarts Redis in the middle of the requests, as often as planned:
    empty, with all of its data, from an old dump; after a moment or after a
    while.  So many requests fall into each outage, and as many between."""

    def __init__(self, cluster, load, restarts):
        super().__init__(daemon=True)
        self.cluster, self.load, self.restarts = cluster, load, restarts
        self.done = 0
        self.share = load.total // (2 * restarts + 1)
        if restarts:
            load.limit = 2 * self.share

    def run(self):
        redis = self.cluster.redis
        old = redis.dump() if self.restarts else None
        for n in range(self.restarts):
            while self.load.done < (2 * n + 1) * self.share:
                time.sleep(0.005)
            data = (None, redis.dump, lambda: old)[n % 3]
            data = data and data()
            redis.kill()
            time.sleep((0.1, 1.5, 0.5)[n % 3])
            redis.start(data)
            self.cluster.wait_shared()
            self.done += 1
            self.load.replay_due = True
            self.load.limit += 2 * self.share
        self.load.limit = self.load.total


# ---- figures

def redis_cpu_s(redis):
    said = redis.info("cpu")
    return float(said["used_cpu_user"]) + float(said["used_cpu_sys"])


class Figures:
    def __init__(self, cluster):
        self.cluster = cluster
        self.cpu = {one.name: one.cpu_seconds() for one in cluster}
        self.rss = {one.name: one.rss_kb() for one in cluster}
        self.commands = cluster.redis.commands()
        self.redis_cpu = redis_cpu_s(cluster.redis)
        self.began = time.monotonic()

    def show(self, served, restarts):
        seconds = time.monotonic() - self.began
        cpu = sum(one.cpu_seconds() - self.cpu[one.name]
                  for one in self.cluster)
        print("%d requests in %.1f s, %.0f/s" % (
            served, seconds, served / seconds))
        print("CPU of the instances: %.0f us a request (challenges and "
              "replays included)" % (1e6 * cpu / served))
        if not restarts:
            after = self.cluster.redis.commands()
            cpu = redis_cpu_s(self.cluster.redis) - self.redis_cpu
            print("Redis: %.2f scripts, %.2f commands with what these call, "
                  "%.0f us CPU a request" % (
                      (after["evalsha"] - self.commands.get("evalsha", 0))
                      / served, (sum(after.values()) -
                                 sum(self.commands.values())) / served,
                      1e6 * cpu / served))
        for one in self.cluster:
            print("memory of %s: %d kB, %+d kB" % (
                one.name, one.rss_kb(), one.rss_kb() - self.rss[one.name]))


def soak(cluster, plan):
    """Returns (requests lost, replays accepted)."""
    ours, theirs = multiprocessing.Pipe()
    server = multiprocessing.Process(
        target=pbx, args=(cluster.net.host(5), theirs), daemon=True)
    server.start()
    ours.recv()
    load = Load(cluster, plan)
    trouble = Trouble(cluster, load, plan.restarts)
    figures = Figures(cluster)
    trouble.start()
    load.run()
    trouble.join(30)
    ours.send("end")
    uses, twice = ours.recv()
    server.join()
    figures.show(load.done - load.lost(), plan.restarts)
    for what, n in sorted(load.count.items()):
        print("  %6d  %s" % (n, what))
    print("longest wait %.2f s; Redis restarted %d times; the PBX saw %d "
          "uses" % (load.longest, trouble.done, uses))
    print("lost %d, replays accepted %d" % (load.lost(), len(twice)))
    assert trouble.done == plan.restarts, "Redis was not restarted as often"
    return load.lost(), len(twice)


def plan_of(args=()):
    parser = argparse.ArgumentParser(prog="soak", description=__doc__)
    for name, default, what in (
            ("requests", 20000, "authenticated requests"),
            ("instances", 2, "of sipbouncer: 1, 2 or 3"),
            ("restarts", 5, "of Redis"),
            ("in-flight", 32, "phones"),
            ("uses", 8, "of each challenge"),
            ("replays", 0.5, "sent for each request")):
        parser.add_argument("--" + name, type=type(default), default=default,
                            help="%s (%s)" % (what, default), metavar="N")
    return parser.parse_args(args)


def main(args):
    plan = plan_of(args)
    nets = Nets()               # which keeps others away while it lives
    with tempfile.TemporaryDirectory() as folder:
        cluster = Cluster(folder, nets.next(), 0)
        try:
            cluster.start(plan.instances, store={"timeout": "50ms"},
                          log={"level": "notice"})
            return any(soak(cluster, plan))
        finally:
            cluster.close()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
