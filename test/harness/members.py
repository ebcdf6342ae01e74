"""Targets that answer by themselves, over UDP: one thread each.

    Member(host)                   serves, and counts what it got
    member.status = 503            answers that, with member.headers
    member.probe = 503             the same, to OPTIONS only
    member.mangle = lambda raw:    other bytes of an answer; None: none
    member.silent = True           hears, and says nothing
    member.close()                 the port is closed
"""

import collections
import socket
import threading

from . import sip
from .patience import PATIENCE


class Member:
    def __init__(self, host, port=5060):
        self.host, self.port = host, port
        self.status, self.probe = 200, None
        self.headers = []
        self.mangle = None
        self.silent = False
        self.seen = []              # requests, without retransmissions
        self.answers = {}           # by branch and method
        self.sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.sock.bind((host, port))
        self.thread = threading.Thread(target=self.run, daemon=True)
        self.thread.start()

    def run(self):
        while True:
            try:
                raw, source = self.sock.recvfrom(65536)
            except OSError:
                return
            if not raw:
                return
            if raw.strip() and not self.silent:
                self.take(sip.Message.parse(raw), source)

    def take(self, request, source):
        key = (request.branch, request.method)
        if key not in self.answers:
            self.seen.append(request)
            self.answers[key] = self.answer(request)
        if self.answers[key] is not None:
            try:
                self.sock.sendto(self.answers[key], source)
            except OSError:
                pass

    def answer(self, request):
        if request.method == "ACK":
            return None
        probe = request.method == "OPTIONS" and \
            "sipbouncer@" in request["From"]
        status = self.probe if probe and self.probe else self.status
        out = sip.response_to(request, status, to_tag=sip.new_tag())
        if request.method == "INVITE" and status < 300:
            out.add("Contact", "<sip:%s:%d>" % (self.host, self.port))
        for name, value in self.headers:
            out.add(name, value)
        out.add("Content-Length", "0")
        raw = out.encode()
        return self.mangle(raw) if self.mangle and probe else raw

    def count(self, *methods):
        """How many requests it got; without names: all but probes."""
        methods = methods or ("INVITE", "MESSAGE", "BYE")
        return sum(n for m, n in collections.Counter(
            x.method for x in self.seen).items() if m in methods)

    def close(self):
        try:
            self.sock.sendto(b"", (self.host, self.port))
        except OSError:
            pass
        self.thread.join(PATIENCE)
        self.sock.close()
