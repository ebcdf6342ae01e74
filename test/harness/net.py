"""Loopback addresses of a test's own: 127.A.B.0/24, so that tests run side by
side on port 5060.  A belongs to a test process, B counts its tests."""

import socket

PORT_OF_GUARD = 5059


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


class Nets:
    """Hands out a Net a test.  A held socket keeps A from other runs."""

    def __init__(self):
        self.guard = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        for self.a in range(10, 250):
            try:
                self.guard.bind(("127.%d.0.1" % self.a, PORT_OF_GUARD))
                break
            except OSError:
                continue
        else:
            raise RuntimeError("no free loopback network")
        self.b = 0

    def next(self):
        self.b = self.b % 250 + 1
        return Net(self.a, self.b)

    def port6(self):
        """A port on [::1], which there is only once."""
        return 20000 + (self.a - 10) * 100 + self.b % 90
