"""How phones keep the way through their NAT open (RFC 5626 section 3.5)."""

import os
import socket
import struct

import pytest

from harness.patience import PATIENCE, until
from harness.scene import serve

COOKIE = 0x2112a442


def start(scene, pki, **changes):
    scene.start(listen=scene.listeners(
        scene.secure_listener(pki.server)), **changes)


def phone_over(scene, transport):
    if transport == "tls":
        return scene.secure("alice", 10)
    return scene.alice(transport=transport)


def pongs(phone, flow, ping, count=1, seconds=0.2):
    """What comes back: so many are waited for, and then no more."""
    before = len(flow.got)
    flow.send(ping)

    def came():
        phone.wire.pump(0.02)
        return len(flow.got) - before >= 2 * count
    until(came)
    phone.wire.wait_closed(flow, seconds)
    return flow.got[before:]


# ---- CRLF

@pytest.mark.parametrize("transport", ["tcp", "tls"])
@pytest.mark.parametrize("first", [True, False], ids=["first", "later"])
def test_a_ping_and_its_pong(scene, pki, transport, first):
    start(scene, pki)
    alice, pbx = phone_over(scene, transport), scene.pbx()
    if not first:
        serve(alice, pbx)
    flow = alice.default_flow()
    for _ in range(3):
        assert pongs(alice, flow, b"\r\n\r\n") == b"\r\n"
    serve(alice, pbx)
    assert len(alice.wire.flows) == 1


@pytest.mark.parametrize("transport", ["tcp", "tls"])
def test_a_pong_is_not_answered(scene, pki, transport):
    start(scene, pki)
    alice, pbx = phone_over(scene, transport), scene.pbx()
    serve(alice, pbx)
    assert pongs(alice, alice.sent_flow, b"\r\n", 0) == b""


@pytest.mark.parametrize("transport", ["tcp", "tls"])
def test_a_ping_in_two_pieces(scene, pki, transport):
    start(scene, pki)
    alice, pbx = phone_over(scene, transport), scene.pbx()
    serve(alice, pbx)
    flow = alice.sent_flow
    assert pongs(alice, flow, b"\r\n\r", 0) == b""
    assert pongs(alice, flow, b"\n") == b"\r\n"


@pytest.mark.parametrize("transport", ["tcp", "tls"])
def test_a_ping_and_a_request_in_one(scene, pki, transport):
    start(scene, pki)
    alice = phone_over(scene, transport)
    flow = alice.default_flow()
    flow.send(b"\r\n\r\n" + alice.make(
        "OPTIONS", "sip:bob@example.com", transport=transport).encode())
    alice.expect(407)
    serve(alice, scene.pbx())


@pytest.mark.parametrize("transport", ["tcp", "tls"])
def test_a_heap_of_pings_is_no_heap_of_pongs(scene, pki, transport):
    start(scene, pki)
    alice, pbx = phone_over(scene, transport), scene.pbx()
    serve(alice, pbx)
    got = pongs(alice, alice.sent_flow, b"\r\n\r\n" * 5000, seconds=1)
    assert 2 <= len(got) <= 10000 and got.replace(b"\r\n", b"") == b""
    serve(alice, pbx)


@pytest.mark.parametrize("ping", [b"", b"\r\n", b"\r\n\r\n", b"\0\0\0\0"])
def test_over_udp_there_is_silence(scene, pki, ping):
    start(scene, pki)
    alice, pbx = scene.alice(), scene.pbx()
    alice.raw(ping)
    alice.expect_nothing(0.2)
    serve(alice, pbx)


# ---- STUN (RFC 8489)

def binding(attributes=b"", kind=1, cookie=COOKIE, length=None):
    return struct.pack("!HHI", kind, len(attributes) if length is None
                       else length, cookie) + os.urandom(12) + attributes


def asked(scene, data, wait=PATIENCE, host=None):
    """An answer over UDP, or None; and where it was asked from."""
    with socket.socket(socket.AF_INET6 if ":" in (host or "") else
                       socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.bind((host or scene.net.host(10), 0))
        sock.settimeout(wait)
        at = scene.proxy if host is None else (host, scene.port6)
        sock.sendto(data, at)
        try:
            return sock.recv(2000), sock.getsockname()[:2]
        except TimeoutError:
            return None, sock.getsockname()[:2]


def mapped(answer):
    """(host, port) of XOR-MAPPED-ADDRESS."""
    at = 20
    while at < len(answer):
        kind, size = struct.unpack("!HH", answer[at:at + 4])
        value = answer[at + 4:at + 4 + size]
        if kind == 0x20:
            mask = answer[4:4 + size - 4]
            host = bytes(a ^ b for a, b in zip(value[4:], mask))
            family = {1: socket.AF_INET, 2: socket.AF_INET6}[value[1]]
            port = struct.unpack("!H", value[2:4])[0] ^ (COOKIE >> 16)
            return socket.inet_ntop(family, host), port
        at += 4 + (size + 3) // 4 * 4
    return None


def test_stun_is_dropped(scene, pki):
    start(scene, pki)
    assert asked(scene, binding(), 0.5)[0] is None
    assert scene.daemon.metrics()["transport_refused_total", "stun"] == 1


def test_stun_is_answered(scene, pki):
    start(scene, pki, limits={"stun": "answer"})
    request = binding()
    answer, me = asked(scene, request)
    kind, size, cookie = struct.unpack("!HHI", answer[:8])
    assert (kind, size, cookie) == (0x101, len(answer) - 20, COOKIE)
    assert answer[8:20] == request[8:20]
    assert mapped(answer) == me
    serve(scene.alice(), scene.pbx())


def test_stun_over_ipv6(scene):
    scene.start(limits={"stun": "answer"}, listen=[
        {"uri": "sip:[::1]:%d" % scene.port6}],
        peers=[{"name": "pbx", "uri": "sip:[::1]:9"}])
    answer, me = asked(scene, binding(), host="::1")
    assert mapped(answer) == me


SOFTWARE = b"\x80\x22\x00\x04test"


@pytest.mark.parametrize("attributes", [
    SOFTWARE, b"\x80\x22\x00\x01t\0\0\0", SOFTWARE * 20],
    ids=["one", "padded", "many"])
def test_stun_with_attributes_that_may_be_passed_over(scene, pki, attributes):
    start(scene, pki, limits={"stun": "answer"})
    answer, me = asked(scene, binding(attributes))
    assert mapped(answer) == me


NO_STUN = {
    "an indication": binding(kind=0x11), "an answer": binding(kind=0x101),
    "an error": binding(kind=0x111), "another method": binding(kind=3),
    "no cookie": binding(cookie=1), "too short": binding()[:19],
    "shorter than it says": binding(SOFTWARE, length=16),
    "longer than it says": binding(SOFTWARE, length=0),
    "an odd length": binding(b"\0\0\0", length=3),
    "an attribute beyond the end": binding(b"\x80\x22\x00\x40test"),
}


@pytest.mark.parametrize("mode", ["drop", "answer"])
@pytest.mark.parametrize("what", NO_STUN)
def test_what_is_not_answered(scene, pki, what, mode):
    start(scene, pki, limits={"stun": mode})
    assert asked(scene, NO_STUN[what], 0.2)[0] is None
    serve(scene.alice(), scene.pbx())


def test_stun_that_asks_for_what_we_do_not_know(scene, pki):
    # RFC 8489 section 6.3.1 has an error for it, but nobody needs one
    start(scene, pki, limits={"stun": "answer"})
    assert asked(scene, binding(b"\x00\x7f\x00\x04abcd"), 0.3)[0] is None


def test_a_stun_answer_is_hardly_longer_than_the_question(scene, pki):
    # whoever forges a source gains nothing by our answer
    start(scene, pki, limits={"stun": "answer"})
    answer, _ = asked(scene, binding())
    assert len(answer) <= 20 + 12


@pytest.mark.parametrize("mode", ["drop", "answer"])
@pytest.mark.parametrize("transport", ["tcp", "tls"])
def test_stun_over_a_stream_is_garbage(scene, pki, transport, mode):
    start(scene, pki, limits={"stun": mode})
    alice = phone_over(scene, transport)
    flow = alice.default_flow()
    flow.send(binding())
    assert alice.wire.wait_closed(flow) and flow.got == b""
