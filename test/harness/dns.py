"""A name server on loopback: A, AAAA and SRV from a table."""

import ipaddress
import socket
import struct
import threading

TYPES = {"A": 1, "AAAA": 28, "SRV": 33}


def encode_name(name):
    out = b""
    for label in name.rstrip(".").split("."):
        out += bytes([len(label)]) + label.encode("ascii")
    return out + b"\0"


def read_name(data, at):
    labels = []
    while data[at]:
        labels.append(data[at + 1:at + 1 + data[at]].decode("latin-1"))
        at += 1 + data[at]
    return ".".join(labels).lower(), at + 1


def encode_value(kind, value):
    if kind == "SRV":
        return struct.pack("!HHH", *value[:3]) + encode_name(value[3])
    return ipaddress.ip_address(value).packed


class DnsServer:
    def __init__(self, host, port=5353):
        self.host, self.port = host, port
        self.table = {}             # (name, type number) -> [bytes]
        self.silent = False
        self.ttl = 60
        self.asked = []
        self.sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.sock.bind((host, port))
        self.thread = threading.Thread(target=self._serve, daemon=True)
        self.thread.start()

    def add(self, name, kind, value):
        key = (name.lower(), TYPES[kind])
        self.table.setdefault(key, []).append(encode_value(kind, value))

    def _serve(self):
        while True:
            try:
                query, remote = self.sock.recvfrom(4096)
            except OSError:
                return
            if not query:
                return
            if not self.silent:
                self.sock.sendto(self._answer(query), remote)

    def _answer(self, query):
        name, end = read_name(query, 12)
        kind = struct.unpack("!H", query[end:end + 2])[0]
        self.asked.append((name, kind))
        found = self.table.get((name, kind), [])
        known = any(n == name for n, _ in self.table)
        flags = 0x8580 | (0 if known else 3)
        out = query[:2] + struct.pack("!HHHHH", flags, 1, len(found), 0, 0)
        out += query[12:end + 4]
        for data in found:
            out += b"\xc0\x0c" + struct.pack(
                "!HHIH", kind, 1, self.ttl, len(data)) + data
        return out

    def close(self):
        poke = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        poke.sendto(b"", (self.host, self.port))
        self.thread.join(1)
        poke.close()
        self.sock.close()
