"""Sockets of a scripted endpoint: one UDP port, connections, a listener.

No threads: what arrived is read when the scenario waits for it.
"""

import collections
import selectors
import socket
import time

from . import sip

Received = collections.namedtuple("Received", "data flow when")


def family_of(host):
    return socket.AF_INET6 if ":" in host else socket.AF_INET


class UdpFlow:
    transport = "udp"

    def __init__(self, sock, local, remote):
        self.sock, self.local, self.remote = sock, local, remote

    def send(self, data):
        self.sock.sendto(data, self.remote)

    def to(self, remote):
        return UdpFlow(self.sock, self.local, remote)


class TcpFlow:
    transport = "tcp"

    def __init__(self, sock):
        self.sock = sock
        self.local = sock.getsockname()[:2]
        self.remote = sock.getpeername()[:2]
        self.reader = sip.StreamReader()
        self.closed = False
        self.got = b""              # everything, for scenarios on bytes

    def send(self, data):
        self.sock.sendall(data)


class Wire:
    def __init__(self, host, port, udp=True, tcp_listen=False):
        self.host, self.port = host, port
        self.poll = selectors.DefaultSelector()
        self.inbox = collections.deque()
        self.flows = []             # TCP connections, newest last
        self.udp = self.listener = None
        if udp:
            self.udp = socket.socket(family_of(host), socket.SOCK_DGRAM)
            self.udp.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 22)
            self.udp.bind((host, port))
            self.port = self.udp.getsockname()[1]
            self.poll.register(self.udp, selectors.EVENT_READ, self._datagram)
        if tcp_listen:
            self.listener = socket.socket(family_of(host), socket.SOCK_STREAM)
            self.listener.setsockopt(
                socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            self.listener.bind((host, self.port))
            self.listener.listen(64)
            self.poll.register(
                self.listener, selectors.EVENT_READ, self._accept)

    def udp_to(self, remote):
        return UdpFlow(self.udp, (self.host, self.port), remote)

    def connect(self, remote, timeout=3):
        sock = socket.socket(family_of(self.host), socket.SOCK_STREAM)
        sock.settimeout(timeout)
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        sock.bind((self.host, 0))
        sock.connect(remote)
        return self._adopt(sock)

    def _adopt(self, sock):
        flow = TcpFlow(sock)
        self.flows.append(flow)
        self.poll.register(sock, selectors.EVENT_READ,
                           lambda: self._stream(flow))
        return flow

    def _accept(self):
        self._adopt(self.listener.accept()[0])

    def _datagram(self):
        data, remote = self.udp.recvfrom(65535)
        self.inbox.append(
            Received(data, self.udp_to(remote[:2]), time.monotonic()))

    def _stream(self, flow):
        try:
            data = flow.sock.recv(65536)
        except OSError:
            data = b""
        if not data:
            flow.closed = True
            self.poll.unregister(flow.sock)
            flow.sock.close()
            return
        flow.got += data
        for message in flow.reader.feed(data):
            self.inbox.append(Received(message, flow, time.monotonic()))

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

    def wait_closed(self, flow, timeout):
        deadline = time.monotonic() + timeout
        while not flow.closed and time.monotonic() < deadline:
            self.pump(min(0.05, deadline - time.monotonic()))
        return flow.closed

    def close(self):
        for flow in list(self.flows):
            self.drop(flow)
        for sock in (self.udp, self.listener):
            if sock is not None:
                sock.close()
        self.poll.close()
