"""Sockets of a scripted endpoint: one UDP port, connections, listeners.

No threads: what arrived is read when the scenario waits for it.
"""

import collections
import selectors
import socket
import time

from . import sip
from .patience import PATIENCE

Received = collections.namedtuple("Received", "data flow when")


def family_of(host):
    return socket.AF_INET6 if ":" in host else socket.AF_INET


class UdpFlow:
    transport = "udp"

    def __init__(self, sock, local, remote, before=b""):
        self.sock, self.local, self.remote = sock, local, remote
        self.before = before        # each datagram begins with it

    def send(self, data):
        self.sock.sendto(self.before + data, self.remote)


class TcpFlow:
    transport = "tcp"

    def __init__(self, sock):
        self.sock = sock
        self.local = sock.getsockname()[:2]
        self.remote = sock.getpeername()[:2]
        self.reader = sip.StreamReader()
        self.closed = self.ended = False
        self.failure = None         # why it ended, where TLS tells
        self.got = b""              # everything, for scenarios on bytes

    def opened(self, data):
        """What was said in these bytes from the socket."""
        self.ended = not data
        return data

    def send(self, data):
        self.sock.sendall(data)


def connected(host, remote, timeout=PATIENCE, port=0):
    """A socket, from an address to another."""
    sock = socket.socket(family_of(host), socket.SOCK_STREAM)
    sock.settimeout(timeout)
    sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    try:
        sock.bind((host, port))
        sock.connect(remote)
    except OSError:
        sock.close()
        raise
    return sock


class Wire:
    """before: goes out at the head of each datagram and connection, as a
    balancer's word about who is behind it."""

    def __init__(self, host, port, udp=True, tcp_listen=False, before=b""):
        self.host, self.port, self.before = host, port, before
        self.poll = selectors.DefaultSelector()
        self.inbox = collections.deque()
        self.flows = []             # connections, newest last
        self.listeners = []
        self.udp = None
        if udp:
            self.udp = socket.socket(family_of(host), socket.SOCK_DGRAM)
            self.udp.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 22)
            self.udp.bind((host, port))
            self.port = self.udp.getsockname()[1]
            self.poll.register(self.udp, selectors.EVENT_READ, self._datagram)
        if tcp_listen:
            self.listen(self.port, TcpFlow)

    def listen(self, port, flow_over):
        """Take connections; flow_over makes a flow of a socket."""
        sock = socket.socket(family_of(self.host), socket.SOCK_STREAM)
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        sock.bind((self.host, port))
        sock.listen(64)
        self.listeners.append(sock)
        self.poll.register(sock, selectors.EVENT_READ,
                           lambda: self._accept(sock, flow_over))

    def udp_to(self, remote):
        return UdpFlow(self.udp, (self.host, self.port), remote, self.before)

    def connect(self, remote, timeout=PATIENCE, tls=None):
        """tls: a Caller of tls.py, who does the handshake."""
        if tls is not None:
            return self.adopt(
                tls.connect(self.host, remote, timeout, self.before))
        flow = TcpFlow(connected(self.host, remote, timeout))
        flow.send(self.before)
        return self.adopt(flow)

    def adopt(self, flow):
        self.flows.append(flow)
        self.poll.register(flow.sock, selectors.EVENT_READ,
                           lambda: self._stream(flow))
        return flow

    def _accept(self, listener, flow_over):
        sock = listener.accept()[0]
        sock.settimeout(PATIENCE)
        try:
            self.adopt(flow_over(sock))
        except OSError:
            sock.close()            # it is gone already

    def _datagram(self):
        data, remote = self.udp.recvfrom(65535)
        self.inbox.append(
            Received(data, self.udp_to(remote[:2]), time.monotonic()))

    def _stream(self, flow):
        data = b""
        try:
            data = flow.opened(flow.sock.recv(65536))
        except OSError as why:
            flow.failure, flow.ended = why, True
        flow.got += data
        for message in flow.reader.feed(data):
            self.inbox.append(Received(message, flow, time.monotonic()))
        if flow.ended:
            self.drop(flow)

    def drop(self, flow):
        """Close a connection from our side."""
        if not flow.closed:
            flow.closed = True
            self.poll.unregister(flow.sock)
            flow.sock.close()

    def pump(self, timeout):
        for key, _ in self.poll.select(max(timeout, 0)):
            key.data()

    def next(self, timeout):
        """The next message, or None."""
        deadline = time.monotonic() + timeout
        while not self.inbox:
            left = deadline - time.monotonic()
            self.pump(left)
            if not self.inbox and left <= 0:
                return None
        return self.inbox.popleft()

    def wait_closed(self, flow, timeout=PATIENCE):
        deadline, left = time.monotonic() + timeout, timeout
        while not flow.closed and left > 0:
            left = deadline - time.monotonic()
            self.pump(min(0.05, left))
        return flow.closed

    def close(self):
        for flow in list(self.flows):
            self.drop(flow)
        for sock in filter(None, (self.udp, *self.listeners)):
            sock.close()
        self.poll.close()
