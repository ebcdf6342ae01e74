"""Servers that break off, each in another phase of a connection.

    Target(host, "silent")                  accepts, and says nothing
    Target(host, "cut", called)             hangs up after some handshake

TLS is spoken by a Called of tls.py; without one, a Target speaks plain TCP.
One thread a server: a scenario waits elsewhere meanwhile.
"""

import socket
import threading

from . import sip
from .patience import PATIENCE
from .wire import TcpFlow

HTTP = b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n"


class Target:
    def __init__(self, host, phase, called=None, port=5061):
        self.called, self.act = called, PHASES[phase]
        self.accepted = 0           # connections
        self.requests = []          # as they came
        self.held = []
        self.listener = socket.socket()
        self.listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self.listener.bind((host, port))
        self.listener.listen(64)
        self.thread = threading.Thread(target=self.run, daemon=True)
        self.thread.start()

    def run(self):
        while True:
            try:
                sock = self.listener.accept()[0]
            except OSError:
                return
            self.accepted += 1
            sock.settimeout(PATIENCE)
            try:
                self.act(self, sock)
            except OSError:
                sock.close()

    # ---- what they have in common

    def flow(self, sock):
        return TcpFlow(sock) if self.called is None else self.called.over(sock)

    def request(self, sock):
        """Read one, handshake and all; returns (flow, it)."""
        flow, got = self.flow(sock), []
        while not got and not flow.ended:
            got = flow.reader.feed(flow.opened(sock.recv(65536)))
        if not got:
            raise OSError("nothing was asked")
        self.requests.append(sip.Message.parse(got[0]))
        return flow, self.requests[-1]

    # ---- the phases

    def silent(self, sock):
        self.held.append(sock)

    def hello(self, sock):
        """The handshake begins, and is all."""
        sock.recv(65536)
        sock.close()

    def cut(self, sock):
        """Our part of the handshake ends in the middle."""
        flow = self.flow(sock)
        flow.take_raw(sock.recv(65536))
        try:
            flow.tls.do_handshake()
        except OSError:
            pass
        answer = flow.outgoing.read()
        sock.sendall(answer[:len(answer) // 2])
        sock.close()

    def plain(self, sock):
        """Another protocol."""
        sock.recv(65536)
        sock.sendall(HTTP)
        self.held.append(sock)

    def asked(self, sock):
        """Hears a request, and hangs up."""
        self.request(sock)
        sock.close()

    def half(self, sock, goes=True):
        """Answers half a message, and hangs up."""
        flow, request = self.request(sock)
        answer = sip.response_to(request, 200, to_tag="half").encode()
        flow.send(answer[:len(answer) // 2])
        if goes:
            sock.close()
        else:
            self.held.append(sock)

    def stuck(self, sock):
        """Answers half a message, and nothing more."""
        self.half(sock, goes=False)

    def close(self):
        self.listener.shutdown(socket.SHUT_RDWR)
        self.listener.close()
        self.thread.join(2 * PATIENCE)
        for sock in self.held:
            sock.close()


PHASES = {name: getattr(Target, name) for name in (
    "silent", "hello", "cut", "plain", "asked", "half", "stuck")}
