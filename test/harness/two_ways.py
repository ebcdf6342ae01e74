"""The daemon twice: what one answers from the bytes of a datagram, the other
takes the full way."""

import os
import re
import socket

from . import balancer
from .daemon import Daemon
from .patience import PATIENCE
from .scene import NO_RATES

# What differs from challenge to challenge.
ONCE = re.compile(rb'(nonce|opaque)="[^"]*"')
# ... by a key of each process, and by a clock
OWN = re.compile(rb"(?<=\r\nRetry-After: )\d+")
TIMED = "log_withheld_total", ""


class Pair:
    """Both have one key, and one of them tells all in its log, and so goes
    the full way each time.  One socket asks both."""

    def __init__(self, scene, listener=None, **changes):
        """listener: more that each listener says."""
        changes.setdefault("limits", NO_RATES)
        self.hosts = scene.at, scene.net.host(3)
        at, beside = [[dict({"uri": "sip:%s:5060" % host}, **listener or {})]
                      for host in self.hosts]
        self.plain = scene.daemon
        scene.start(log={"level": "info"}, listen=at, **changes)
        config = scene.config(log={"level": "debug"}, listen=beside,
                              **changes)
        key = os.path.join(config["state_dir"], "nonce.key")
        config["auth"] = dict(config.get("auth", {}), key_file=key)
        config["state_dir"] = os.path.join(scene.folder, "full")
        os.mkdir(config["state_dir"], 0o700)
        self.full = Daemon(scene.folder, "full")
        self.full.configure(config)
        self.full.start()
        self.sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.sock.bind((scene.net.host(66), 0))
        self.sock.settimeout(PATIENCE)
        self.here = "%s:%d" % self.sock.getsockname()
        self.asked = 0

    def close(self):
        self.sock.close()
        self.full.stop()

    def send(self, host, data, source=None):
        """source: whom a balancer names, and that is we."""
        before = b"" if source is None else balancer.v2(
            source, ("2001:db8::1" if ":" in source[0] else "192.0.2.1",
                     5060), balancer.DATAGRAM)
        self.sock.sendto(before + data, (host, 5060))

    def ask(self, host, data, source=None):
        """All that comes back before the answer to a second question, which
        is none for the plain way."""
        self.asked += 1
        mark = b"mark%d" % self.asked
        self.send(host, data.replace(b"@US@", host.encode()), source)
        # ... nor is it from a source that gets silence
        self.send(host, b"OPTIONS sip:a@b SIP/2.0\r\n"
                  b"Via: SIP/2.0/UDP %s;branch=z9hG4bK%s\r\n"
                  b"From: <sip:a@b>;tag=1\r\nTo: <sip:a@b>\r\n"
                  b"Call-ID: %s\r\nCSeq: 1 OPTIONS\r\nX-Not-Plain: 1\r\n\r\n"
                  % (self.here.encode(), mark, mark),
                  source and ("10.1.1.1", 5060))
        out = []
        while True:
            got, sender = self.sock.recvfrom(65536)
            assert sender == (host, 5060)
            if mark in got:
                return out
            out.append(OWN.sub(b"5", ONCE.sub(rb'\1="..."', got)).replace(
                host.encode(), b"@US@"))

    def same(self, data, what="", source=None):
        """What both answer."""
        plain, full = [self.ask(host, data, source) for host in self.hosts]
        assert plain == full, (what, source, data)
        return plain

    def challenged(self):
        return self.plain.metrics()["plain_challenges_total", ""]

    def same_counters(self):
        plain, full = self.plain.metrics(), self.full.metrics()
        assert full.pop(("plain_challenges_total", "")) == 0
        plain.pop(("plain_challenges_total", ""))
        plain[TIMED] = full[TIMED]
        assert plain == full
