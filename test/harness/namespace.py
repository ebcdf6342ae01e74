"""A network namespace of a test's own (root): loopback and nothing else, with
fd00::/8 all to itself."""

import contextlib
import ctypes
import os
import subprocess

import pytest

from .patience import PATIENCE
from .scene import Scene

CLONE_NEWNET = 0x40000000
SETUP = ("ip link set lo up && ip -6 route add local fd00::/8 dev lo && "
         "ip -6 addr add fd00::1/128 dev lo nodad && "
         "echo ready && exec cat")


def enter(path):
    """This thread's new sockets, and processes, are there."""
    libc = ctypes.CDLL(None, use_errno=True)
    with open(path, encoding="ascii") as f:
        if libc.setns(f.fileno(), CLONE_NEWNET) != 0:
            raise OSError(ctypes.get_errno(), "setns")


class Namespace:
    """It lives as long as the process that waits in it."""

    def __init__(self):
        self.keeper = subprocess.Popen(
            ["unshare", "--net", "sh", "-c", SETUP], text=True,
            stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        assert self.keeper.stdout.readline() == "ready\n", "no namespace"

    @contextlib.contextmanager
    def inside(self):
        home = "/proc/%d/task/%d/ns/net" % (os.getpid(), os.getpid())
        back = os.open(home, os.O_RDONLY)
        try:
            enter("/proc/%d/ns/net" % self.keeper.pid)
            yield
        finally:
            enter("/proc/self/fd/%d" % back)
            os.close(back)

    def close(self):
        self.keeper.stdin.close()
        self.keeper.wait(PATIENCE)
        self.keeper.stdout.close()


@contextlib.contextmanager
def scene_inside(folder, net, port6):
    """A scene whose daemon and phones are in a network of its own."""
    try:
        network = Namespace()
    except AssertionError:
        pytest.skip("no network namespaces here")
    try:
        with network.inside():
            scene = Scene(folder, net, port6)
            try:
                yield scene
            finally:
                scene.close()
    finally:
        network.close()


def add_address(address):
    """One to bind to."""
    subprocess.run(["ip", "address", "add", address, "dev", "lo", "nodad"],
                   check=True, timeout=20)
