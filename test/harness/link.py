"""A TCP link with bad days, between an instance and its Redis."""

import socket
import threading
import time

from .patience import PATIENCE


class Link:
    """Listens at its own address and carries bytes to `target`.

    stall()      connections open, but no byte moves any more
    mute()       what is asked gets through, the answers are lost
    cut()        connections break, and no new ones are accepted
    heal()       all is well again
    delay        seconds that each chunk takes each way
    """

    def __init__(self, host, target, port=6379):
        self.address, self.target = (host, port), target
        self.delay = 0
        self.muted = False
        self.swallowed = 0          # bytes of answers lost
        self.open = threading.Event()
        self.open.set()
        self.pairs, self.lock = [], threading.Lock()
        self.listener = None
        self.heal()

    def url(self, db=0):
        return "redis://%s:%d/%d" % (*self.address, db)

    # ---- what befalls it

    def stall(self):
        self.open.clear()

    def mute(self):
        self.muted = True

    def break_open(self):
        """Every connection, at once."""
        with self.lock:
            pairs, self.pairs = self.pairs, []
        for sock in [s for pair in pairs for s in pair]:
            try:
                sock.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass

    def cut(self):
        if self.listener is not None:
            self.listener.shutdown(socket.SHUT_RDWR)
            self.listener.close()
            self.listener = None
        self.break_open()

    def heal(self):
        self.muted, self.delay = False, 0
        self.open.set()
        if self.listener is not None:
            return
        self.listener = socket.socket()
        self.listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self.listener.bind(self.address)
        self.listener.listen(64)
        self._run(self._accept, self.listener)

    def move(self, target):
        """New connections lead elsewhere; the old ones stay."""
        self.target = target

    def close(self):
        self.cut()
        self.open.set()

    # ---- how it works: a thread for each way of each connection

    @staticmethod
    def _run(what, *args):
        threading.Thread(target=what, args=args, daemon=True).start()

    def _accept(self, listener):
        while True:
            try:
                near, _ = listener.accept()
            except OSError:
                return
            self._run(self._carry, near, listener)

    def _carry(self, near, listener):
        try:
            far = socket.create_connection(self.target, PATIENCE)
        except OSError:
            near.close()
            return
        far.settimeout(None)
        for sock in (near, far):
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        with self.lock:
            self.pairs.append((near, far))
        if self.listener is not listener:
            self.break_open()           # cut meanwhile
        self._run(self._pump, near, far, False)
        self._pump(far, near, True)
        near.close()
        far.close()

    def _pump(self, source, sink, answers):
        try:
            while True:
                data = source.recv(65536)
                if not data:
                    break
                self.open.wait()
                time.sleep(self.delay)
                if answers and self.muted:
                    self.swallowed += len(data)
                else:
                    sink.sendall(data)
        except OSError:
            pass
        for sock in (source, sink):
            try:
                sock.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass


class BlackHole:
    """An address where a connection is never made: the queue of the listener
    is full, so the kernel drops every SYN."""

    def __init__(self, host, port=6379):
        self.listener = socket.socket()
        self.listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self.listener.bind((host, port))
        self.listener.listen(0)
        self.fillers = []
        for _ in range(3):
            sock = socket.socket()
            sock.setblocking(False)
            sock.connect_ex((host, port))
            self.fillers.append(sock)

    def close(self):
        for sock in [*self.fillers, self.listener]:
            sock.close()
