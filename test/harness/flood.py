"""Attackers: test/bench/flood, which sends from thousands of addresses of
loopback, and ends by itself."""

import fcntl
import os
import subprocess

import pytest

from .daemon import binary
from .patience import PATIENCE
from .scene import REALM

HEADER_OF_MINE = b"\r\nFrom: <sip:u"    # as all strangers of the flood do


def tools():
    """Built once, however many test processes there are."""
    folder = os.path.dirname(binary())
    makefile = os.path.join(folder, "Makefile")
    if not os.path.exists(makefile):
        pytest.skip("the daemon does not stand where it was built")
    with open(makefile, encoding="utf-8") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        done = subprocess.run(["make", "-C", folder, "bench"],
                              capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def strangers(number=1):
    """The first of 65,536 addresses that are no test's: 127.1.0.0 to
    127.9.0.0 (net.py begins with 10)."""
    return "127.%d.0.0" % number, 0


class Flood:
    """kind: as in test/bench/stranger.h, or CONNECT.

    first   (address, port) of the first source; port 0: any
    """

    def __init__(self, proxy, kind, first, **options):
        argv = [binary("test/bench/flood"), "--realm", REALM,
                "--proxy", "%s:%d" % proxy, "--from", "%s:%d" % first]
        for name, value in options.items():
            argv += ["--" + name] + ([] if value is True else [str(value)])
        self.process = subprocess.Popen(
            argv + [kind], stdout=subprocess.PIPE, text=True)
        begun = self.process.stdout.readline()
        assert begun == "begin\n", "the flood does not begin"

    def runs(self):
        return self.process.poll() is None

    def finish(self):
        """What it counted."""
        words = self.process.stdout.read().split()
        assert self.process.wait(PATIENCE) == 0 and words[0] == "end"
        return {k: int(v) for k, v in (x.split("=") for x in words[1:])}

    def close(self):
        if self.runs():
            self.process.kill()
        self.process.stdout.close()
        self.process.wait()


def deaf_to_floods(phone):
    """Answers to what was sent in the name of a phone reach it, too: a real
    one knows none of their Call-IDs, and forgets them."""
    hear = phone.wire.next

    def next_of_mine(timeout):
        while True:
            got = hear(timeout)
            if got is None or HEADER_OF_MINE not in got.data:
                return got
    phone.wire.next = next_of_mine
