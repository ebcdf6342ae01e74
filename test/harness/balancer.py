"""What a balancer says about who is behind it: the PROXY protocol.

v1 is a line of text, v2 is binary; for UDP there is v2 alone.
"""

import ipaddress
import struct

SIGNATURE = b"\r\n\r\n\0\r\nQUIT\n"
LOCAL, PROXY = 0x20, 0x21
STREAM, DATAGRAM = 1, 2


def v1(source, target):
    """(host, port) of the client, and of whom it meant."""
    kind = "TCP6" if ":" in source[0] else "TCP4"
    return ("PROXY %s %s %s %d %d\r\n" % (
        kind, source[0], target[0], source[1], target[1])).encode("ascii")


def v2_block(kind, command, data):
    return SIGNATURE + struct.pack("!BBH", command, kind, len(data)) + data


def v2(source, target, kind=STREAM, tlvs=b""):
    client, meant = (ipaddress.ip_address(a[0]) for a in (source, target))
    family = 0x10 if client.version == 4 else 0x20
    data = client.packed + meant.packed + struct.pack(
        "!HH", source[1], target[1])
    return v2_block(family | kind, PROXY, data + tlvs)


def v2_local():
    """The balancer speaks for itself: a health check."""
    return v2_block(0, LOCAL, b"")


def tlv(kind, data):
    return struct.pack("!BH", kind, len(data)) + data
