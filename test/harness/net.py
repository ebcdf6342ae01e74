"""Loopback addresses of a test's own: 127.A.B.0/24, so that tests run side by
side on port 5060.  A belongs to a test process, B counts its tests."""

import socket

PORT_OF_GUARD = 5059
TIME_WAIT = "06"


def has_ipv6():
    try:
        with socket.socket(socket.AF_INET6, socket.SOCK_DGRAM) as sock:
            sock.bind(("::1", 0))
    except OSError:
        return False
    return True


class Net:
    def __init__(self, a, b):
        self.a, self.b = a, b

    def host(self, number):
        return "127.%d.%d.%d" % (self.a, self.b, number)


def in_use():
    """Every A at which there are sockets, as the kernel lists them."""
    out = set()
    for name in ("udp", "tcp"):
        with open("/proc/net/" + name, encoding="ascii") as f:
            rows = [line.split() for line in f][1:]
        # the address is written last octet first
        out |= {int(row[1][4:6], 16) for row in rows
                if row[1][6:8] == "7F" and row[3] != TIME_WAIT}
    return out


class Nets:
    """Hands out a Net a test.  A held socket keeps A from other runs; what
    a run that was broken off left behind does, too, while it lives."""

    def __init__(self):
        used = in_use()
        for self.a in range(10, 250):
            if self.a not in used and self.holds():
                break
        else:
            raise RuntimeError("no free loopback network")
        self.b = 0

    def holds(self):
        self.guard = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        try:
            self.guard.bind(("127.%d.0.1" % self.a, PORT_OF_GUARD))
            return True
        except OSError:
            self.guard.close()
            return False

    def next(self):
        self.b = self.b % 250 + 1
        return Net(self.a, self.b)

    def port6(self):
        """A port on [::1], which there is only once."""
        return 20000 + (self.a - 10) * 100 + self.b % 90
