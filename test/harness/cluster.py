"""Several instances that share users, master key and Redis: one scene.

    cluster.start(2)
    alice.send("MESSAGE", "sip:bob@example.com")        # to a
    alice.expect(407)
    alice.answer(flow=cluster.b.flow(alice))
"""

import base64
import collections
import os
import re
import secrets
import socket
import struct
import threading
import time

from . import check, digest, sip
from .daemon import Daemon
from .link import Link
from .patience import PATIENCE, until
from .redis import Redis
from .scene import NO_RATES, Scene

NAMES = "abc"
PLACES = {"a": 1, "b": 3, "c": 4}

Nonce = collections.namedtuple(
    "Nonce", "local key_id instance lifetime issued_ms generation")


def nonce_of(challenge):
    """What stands in a nonce: text, or a parsed challenge."""
    if isinstance(challenge, dict):
        challenge = challenge["nonce"]
    data = base64.urlsafe_b64decode(challenge)
    assert len(data) == 48 and data[0] >> 4 == 1, challenge
    key_id, instance, lifetime = struct.unpack("!3xBHH", data[:8])
    return Nonce(bool(data[0] & 4), key_id, instance, lifetime,
                 int.from_bytes(data[8:14], "big"),
                 int.from_bytes(data[24:28], "big"))


class Instance(Daemon):
    """One of them."""

    def __init__(self, folder, name, host):
        super().__init__(folder, name)
        self.host, self.address = host, (host, 5060)
        self.number = NAMES.index(name) + 1         # its instance_id

    def flow(self, phone):
        """From a phone to this instance."""
        return phone.flow_to(*self.address, phone.transport)

    def kill(self):
        """kill -9: it says nothing to anybody."""
        self.process.kill()
        self.process.wait()
        self.process = None

    def value(self, name, of=""):
        """A counter or a gauge, by the end of its name."""
        return sum(v for (n, o), v in self.metrics().items()
                   if n.endswith(name) and of in ("", o))


class Cluster(Scene):
    """Instances a, b, c at .1, .3, .4; Redis at .20; the rest as in Scene."""

    def __init__(self, folder, net, port6):
        super().__init__(folder, net, port6)
        self.instances, self.helpers, self.links = [], [], {}
        self.a = self.b = self.c = self.redis = None
        self.key_path = self.write_key("nonce.key", secrets.token_bytes(32))

    def __iter__(self):
        return iter(self.instances)

    # ---- built

    def write_key(self, name, data):
        path = os.path.join(self.folder, name)
        if os.path.exists(path):
            os.unlink(path)
        with open(path, "wb") as f:
            f.write(data)
        os.chmod(path, 0o400)
        return path

    def keep(self, helper):
        """To be stopped with the scene: Redis, a link, a sentinel."""
        self.helpers.append(helper)
        return helper

    def run_redis(self, what="redis", number=20, **more):
        return self.keep(Redis(self.folder, self.net.host(number), what,
                               **more))

    def store(self, name="", **changes):
        """nonce_store of an instance: by its own link, if it has one."""
        url = self.links[name].url() if name in self.links else \
            self.redis.url()
        # a Redis that is only late is not away
        return dict({"type": "redis", "url": url, "timeout": "3s"},
                    **changes)

    def config_of(self, name, store=(), **changes):
        """inside: where the others reach it, HERE being its address."""
        number = NAMES.index(name) + 1
        inside = changes.pop("inside", None)
        if inside is not None:
            changes["cluster"] = {
                "inside": inside.replace("HERE", self.net.host(PLACES[name])),
                "members": [self.net.host(n) for n in PLACES.values()]}
        changes.setdefault("nonce_store", self.store(name, **dict(store)))
        changes.setdefault("limits", NO_RATES)
        auth = dict({"key_file": self.key_path}, **changes.pop("auth", {}))
        return self.config(**dict({
            "instance_id": number,
            "state_dir": self.state_dir(name),
            "listen": [{"uri": "sip:%s:5060" %
                        self.net.host(PLACES[name])}],
            "auth": auth, "record_route": "sip.example.com",
            "domains": ["example.com", "sip.example.com"]}, **changes))

    def state_dir(self, name):
        path = os.path.join(self.folder, "state-" + name)
        os.makedirs(path, mode=0o700, exist_ok=True)
        return path

    def place(self, name, **changes):
        """An instance, configured and not yet started."""
        one = Instance(self.folder, name, self.net.host(PLACES[name]))
        self.ladder.call(one.address, name)
        self.ladder.call((one.host, None), name)
        one.configure(self.config_of(name, **changes))
        self.instances.append(one)
        setattr(self, name, one)
        return one

    def start(self, count=2, store=(), shared=True, **changes):
        """Redis if there is none yet, and the instances; ready when each
        counts in Redis (shared), or at once."""
        if self.redis is None:
            self.redis = self.run_redis()
        self.write_users()
        for name in NAMES[:count]:
            self.place(name, store=store, **changes).start()
        self.log, self.daemon = self.a.log, self.a
        if shared:
            self.wait_shared()
        return self

    def link(self, name, number):
        """A link of its own for an instance that is yet to start."""
        if self.redis is None:
            self.redis = self.run_redis()
        self.links[name] = self.keep(
            Link(self.net.host(number), (self.redis.host, self.redis.port)))
        return self.links[name]

    # ---- looked at

    def probe(self, one):
        """What an instance asks of a stranger: a Nonce; None: it does not
        challenge now (503)."""
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
            sock.bind((self.net.host(99), 0))
            sock.settimeout(PATIENCE)
            me = "%s:%d" % sock.getsockname()
            sock.sendto(sip.octets(
                "OPTIONS sip:bob@example.com SIP/2.0\r\n"
                "Via: SIP/2.0/UDP %s;branch=%s;rport\r\nMax-Forwards: 70\r\n"
                "From: <sip:probe@example.com>;tag=1\r\n"
                "To: <sip:bob@example.com>\r\nCall-ID: %s\r\n"
                "CSeq: 1 OPTIONS\r\nContent-Length: 0\r\n\r\n"
                % (me, sip.new_branch(), secrets.token_hex(6))), one.address)
            got = sip.Message.parse(sock.recv(65535))
        if got.status == 503:
            return None
        assert got.status == 407, got
        return nonce_of(digest.parse(got["Proxy-Authenticate"]))

    def wait(self, one, fits, words, wait=PATIENCE):
        """Until its challenges are so; returns what the last was."""
        seen = None

        def it_fits():
            nonlocal seen
            seen = self.probe(one)
            return fits(seen)
        until(it_fits, lambda: "%s is not %s: %r\n%s" % (
            one.name, words, seen, self.redis.state()), wait)
        return seen

    def wait_shared(self, *which, wait=PATIENCE):
        """Until they count in Redis; what they have there in common."""
        for one in which or self.instances:
            seen = self.wait(one, lambda n: n is not None and not n.local,
                             "connected to Redis", wait)
        return seen.generation

    def wait_local(self, *which):
        for one in which or self.instances:
            self.wait(one, lambda n: n is not None and n.local,
                      "counting by itself")

    def wait_denied(self, *which):
        for one in which or self.instances:
            self.wait(one, lambda n: n is None, "refusing")

    def wait_generation(self, other_than, *which):
        for one in which or self.instances:
            self.wait(one, lambda n: n is not None and not n.local
                      and n.generation != other_than,
                      "of another generation")

    def logs(self):
        return [(one.name, one.log) for one in self.instances]

    def close(self):
        """Everything is ended, whatever complains; the first complaint."""
        complaints = []
        for actor in self.actors:
            actor.close()
        for end in [one.stop for one in self.instances] + [
                getattr(h, "stop", None) or h.close
                for h in reversed(self.helpers)]:
            try:
                end()
            except AssertionError as why:
                complaints.append(why)
        if complaints:
            raise complaints[0]


# ---- a user, and somebody who overhears

BOB = "sip:bob@example.com"


def passes(phone, pbx):
    """What was sent last is accepted."""
    pbx.expect(phone.sent.method)
    pbx.reply(200)
    phone.expect(200)
    return phone.sent


def used(phone, pbx, one, then=None):
    """Challenged by one instance, and served there or by another; returns
    the request that was good."""
    phone.send("MESSAGE", BOB, flow=one.flow(phone))
    phone.expect(407)
    phone.answer(flow=(then or one).flow(phone))
    return passes(phone, pbx)


def serves(pbx, seen):
    """What has come to the PBX is answered, and joins what it has seen."""
    while True:
        got = pbx.receive(timeout=0)
        if got is None:
            return
        pbx.reply(200, to=got)
        seen.append(got)


def copies(message, count=1, **edit):
    """A captured request in transactions and calls of their own: the digest
    covers neither Call-ID nor From tag nor branch."""
    out = []
    for _ in range(count):
        one = message.copy()
        one.set("Via", re.sub(r"branch=[^;,\s]+",
                              "branch=" + sip.new_branch(), one["Via"]))
        one.set("From", re.sub(r";tag=[^;,\s]+", ";tag=" + sip.new_tag(),
                               one["From"]))
        one.set("Call-ID", secrets.token_hex(8))
        for name, value in edit.items():
            one.set(name.replace("_", "-"), value)
        out.append(one)
    return out


def all_refuse(cluster, phone, requests, fits=(407,)):
    """No instance takes again what was used: stale, or not now."""
    for request in requests:
        for one in cluster:
            phone.post(copies(request)[0], flow=one.flow(phone))
            got = phone.expect(fits)
            assert got.status == 503 or check.is_stale(got)


class Crowd:
    """One UDP port that sends many requests at once, and sorts the answers
    by branch.  What gets no answer is sent again, as RFC 3261 17.1 says."""

    def __init__(self, host):
        self.sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 22)
        self.sock.bind((host, 0))
        self.waits = []             # seconds that each answer took
        self.answers = {}           # branch -> final answer
        self.sent = {}              # branch -> (data, address, time)

    def send(self, message, address):
        data = message.encode()
        self.sent[message.branch] = (data, address, time.monotonic())
        self.sock.sendto(data, address)

    def read(self, timeout):
        self.sock.settimeout(max(timeout, 0.001))
        try:
            got = sip.Message.parse(self.sock.recv(65535))
        except (socket.timeout, BlockingIOError):
            return None
        if got.status >= 200 and got.branch not in self.answers:
            self.answers[got.branch] = got
            self.waits.append(time.monotonic() - self.sent[got.branch][2])
        return got

    def pump(self):
        """What has come so far."""
        while self.read(0) is not None:
            pass

    def gather(self, meanwhile=None, wait=PATIENCE, again=0.5):
        """Until each request has its final answer; those without are told.
        meanwhile: what else is to be done, over and over."""
        deadline = time.monotonic() + wait
        repeat = time.monotonic() + again
        while len(self.answers) < len(self.sent):
            now = time.monotonic()
            if now > deadline:
                break
            if now > repeat:
                repeat, again = now + 2 * again, 2 * again
                for branch, (data, address, _) in self.sent.items():
                    if branch not in self.answers:
                        self.sock.sendto(data, address)
            if meanwhile is not None:
                meanwhile()
            self.read(min(deadline, repeat, now + 0.05) - now)
        return [b for b in self.sent if b not in self.answers]

    def statuses(self):
        return collections.Counter(x.status for x in self.answers.values())

    def flood(self, requests, window=50):
        """Many, never more than a window of them unanswered."""
        statuses = collections.Counter()
        for message, address in requests:
            self.send(message, address)
            if len(self.sent) >= window:
                assert not self.gather(), "a flood was not answered"
                statuses += self.statuses()
                self.sent, self.answers = {}, {}
        assert not self.gather(), "a flood was not answered"
        return statuses + self.statuses()

    def close(self):
        self.sock.close()


def storm(cluster, alice, pbx, rounds, disturb):
    """Copies of each right answer come to both instances, while disturb() is
    called again and again: each use passes once at most."""
    ends = threading.Event()

    def disturb_on():
        while not ends.wait(0.03):
            disturb()

    disturber = threading.Thread(target=disturb_on)
    disturber.start()
    crowd = cluster.keep(Crowd(cluster.net.host(66)))
    seen = []
    try:
        for n in range(rounds):
            one = cluster.instances[n % 2]
            alice.send("MESSAGE", BOB, flow=one.flow(alice))
            alice.expect(407)
            request = alice.authorize(alice.again())
            request.set("Subject", "use-%d" % n)
            for k, copy in enumerate(copies(request, 4)):
                crowd.send(copy, cluster.instances[(n + k) % 2].address)
            serves(pbx, seen)
            crowd.pump()
    finally:
        ends.set()
        disturber.join()
    assert not crowd.gather(lambda: serves(pbx, seen))
    uses = [got["Subject"] for got in seen]
    assert len(uses) == len(set(uses)), uses
    cluster.wait_shared()
