"""A name server on loopback: A, AAAA, SRV and NAPTR from a table."""

import ipaddress
import socket
import struct
import threading

from .patience import PATIENCE

TYPES = {"A": 1, "AAAA": 28, "SRV": 33, "NAPTR": 35}
DATAGRAM = 512              # longer answers go over TCP


def encode_name(name):
    out = b""
    for label in name.rstrip(".").split("."):
        out += bytes([len(label)]) + label.encode("ascii")
    return b"\0" if name == "." else out + b"\0"


def read_name(data, at):
    labels = []
    while data[at]:
        labels.append(data[at + 1:at + 1 + data[at]].decode("latin-1"))
        at += 1 + data[at]
    return ".".join(labels).lower(), at + 1


def encode_string(text):
    return bytes([len(text)]) + text.encode("ascii")


def encode_value(kind, value):
    """SRV: priority, weight, port, target.  NAPTR: order, preference, flags,
    service, expression, replacement."""
    if kind == "SRV":
        return struct.pack("!HHH", *value[:3]) + encode_name(value[3])
    if kind == "NAPTR":
        return struct.pack("!HH", *value[:2]) + b"".join(
            encode_string(s) for s in value[2:5]) + encode_name(value[5])
    return ipaddress.ip_address(value).packed


class DnsServer:
    """
    silent   it hears, and says nothing
    failing  it answers SERVFAIL
    mangle   what makes other bytes of an answer: f(query, answer)
    asked    what it was asked, (name, type number)
    """

    def __init__(self, host, port=5353):
        self.host, self.port = host, port
        self.table = {}             # (name, type number) -> [bytes]
        self.silent = self.failing = False
        self.mangle = None
        self.ttl = 60
        self.asked = []
        self.over_tcp = 0           # questions
        self.sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.sock.bind((host, port))
        self.listener = socket.create_server((host, port))
        self.threads = [threading.Thread(target=f, daemon=True)
                        for f in (self._serve, self._serve_tcp)]
        for thread in self.threads:
            thread.start()

    def add(self, name, kind, value):
        key = (name.lower(), TYPES[kind])
        self.table.setdefault(key, []).append(encode_value(kind, value))

    def set(self, name, kind, value):
        """Instead of what there is."""
        self.table.pop((name.lower(), TYPES[kind]), None)
        self.add(name, kind, value)

    def naptr(self, name, order, service, replacement, preference=1):
        """One of those that RFC 3263 knows."""
        self.add(name, "NAPTR",
                 (order, preference, "s", service, "", replacement))

    def times_asked(self, name, kind):
        return self.asked.count((name.lower(), TYPES[kind]))

    def _serve(self):
        while True:
            try:
                query, remote = self.sock.recvfrom(4096)
            except OSError:
                return
            if not query:
                return
            if self.silent:
                continue
            answer = self._answer(query)
            if len(answer) > DATAGRAM:
                answer = self._truncated(query)
            self.sock.sendto(answer, remote)

    def _serve_tcp(self):
        while True:
            try:
                conn, _ = self.listener.accept()
            except OSError:
                return
            with conn:
                head = conn.recv(2)
                if not head:
                    return
                query = conn.recv(struct.unpack("!H", head)[0])
                self.over_tcp += 1
                answer = self._answer(query)
                conn.sendall(struct.pack("!H", len(answer)) + answer)

    def _truncated(self, query):
        _, end = read_name(query, 12)
        return query[:2] + struct.pack("!HHHHH", 0x8780, 1, 0, 0, 0) \
            + query[12:end + 4]

    def _answer(self, query):
        name, end = read_name(query, 12)
        kind = struct.unpack("!H", query[end:end + 2])[0]
        self.asked.append((name, kind))
        found = self.table.get((name, kind), [])
        known = any(n == name for n, _ in self.table)
        flags = 0x8580 | (2 if self.failing else 0 if known else 3)
        if self.failing:
            found = []
        out = query[:2] + struct.pack("!HHHHH", flags, 1, len(found), 0, 0)
        out += query[12:end + 4]
        for data in found:
            out += b"\xc0\x0c" + struct.pack(
                "!HHIH", kind, 1, self.ttl, len(data)) + data
        return self.mangle(query, out) if self.mangle else out

    def close(self):
        """Also in the middle of a scenario: nobody is there any more."""
        if self.sock.fileno() < 0:
            return
        poke = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        poke.sendto(b"", (self.host, self.port))
        poke.close()
        self.listener.shutdown(socket.SHUT_RDWR)
        for thread in self.threads:
            thread.join(PATIENCE)
        self.sock.close()
        self.listener.close()
