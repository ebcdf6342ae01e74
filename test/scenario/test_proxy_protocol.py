"""Behind a balancer that says who is behind it."""

import socket
import struct
import time
import zlib

import pytest

from harness import balancer, sip
from harness.balancer import DATAGRAM, STREAM, v1, v2
from harness.scene import ask, call, serve
from harness.tls import Caller
from harness.wire import connected

CLIENT = ("203.0.113.7", 40000)
CLIENT6 = ("2001:db8::7", 40000)


def listener(scene, **changes):
    return dict({"name": "balanced", "uri": "sip:%s:5062" % scene.at,
                 "proxy_protocol": [scene.net.host(9)]}, **changes)


def start(scene, **changes):
    changes.setdefault("listen", scene.listeners(listener(scene)))
    scene.start(**changes)


def behind(scene, before, transport="tcp", number=9, port=5062, **more):
    """A phone that reaches us by the balancer."""
    more.setdefault("claims", ("192.168.1.10", 5060))
    return scene.phone("alice", number, port=5060, transport=transport,
                       proxy=(scene.at, port), before=before, **more)


def meant(scene):
    return scene.at, 5062


def asked_by(scene, phone):
    """Sends; returns who we think did, as the Via and the log say."""
    phone.send("OPTIONS", "sip:bob@example.com")
    params = sip.params_of(phone.expect(407).via)
    said = scene.log.has(reason="no-credentials")["source"]
    return (params["received"].strip("[]"), int(params["rport"])), said


# ---- who it is

HEADERS = {
    "v1": lambda scene: v1(CLIENT, meant(scene)),
    "v2": lambda scene: v2(CLIENT, meant(scene)),
    "v2 with more": lambda scene: v2(
        CLIENT, meant(scene),
        tlvs=balancer.tlv(2, b"sip.example.com") + balancer.tlv(4, bytes(9))),
}


@pytest.mark.parametrize("what", HEADERS)
def test_the_source_over_tcp(scene, what):
    start(scene)
    alice = behind(scene, HEADERS[what](scene))
    assert asked_by(scene, alice) == (CLIENT, "%s:%d" % CLIENT)


@pytest.mark.parametrize("make", [v1, v2])
def test_the_source_of_ipv6(scene, make):
    start(scene)
    alice = behind(scene, make(CLIENT6, ("2001:db8::1", 5062)))
    who, said = asked_by(scene, alice)
    assert who == CLIENT6 and said == "[%s]:%d" % CLIENT6


def test_the_source_over_udp(scene):
    start(scene)
    alice = behind(scene, v2(CLIENT, meant(scene), DATAGRAM), "udp")
    assert asked_by(scene, alice) == (CLIENT, "%s:%d" % CLIENT)


@pytest.mark.parametrize("make", [v1, v2])
def test_the_source_over_tls(scene, pki, make):
    start(scene, listen=scene.listeners(scene.secure_listener(
        pki.server, proxy_protocol=[scene.net.host(9)])))
    alice = behind(scene, make(CLIENT, (scene.at, 5061)), "tls", port=5061,
                   tls=Caller(pki.root.crt, name="sip.example.com"))
    assert asked_by(scene, alice) == (CLIENT, "%s:%d" % CLIENT)
    serve(alice, scene.pbx())


@pytest.mark.parametrize("transport", ["udp", "tcp"])
def test_a_whole_call(scene, transport):
    start(scene)
    kind = DATAGRAM if transport == "udp" else STREAM
    alice = behind(scene, v2(CLIENT, meant(scene), kind), transport)
    pbx = scene.pbx()
    invite = call(alice, pbx)
    assert sip.params_of(invite.values("Via")[1])["received"] == CLIENT[0]
    pbx.bye()
    alice.expect("BYE")
    alice.reply(200)
    pbx.expect(200)


def test_two_clients_behind_one_socket_of_the_balancer(scene):
    # over UDP each datagram says whose it is, and answers find the balancer
    start(scene)
    alice = behind(scene, b"", "udp")
    for n in (1, 2):
        alice.wire.before = v2(("203.0.113.%d" % n, 5060), meant(scene),
                               DATAGRAM)
        alice.send("OPTIONS", "sip:bob@example.com")
        got = alice.expect(407)
        assert sip.params_of(got.via)["received"] == "203.0.113.%d" % n


def test_a_peer_behind_the_balancer(scene):
    carrier = {"name": "carrier", "from": [CLIENT[0]], "auth": "ip"}
    start(scene, peers=[scene.pbx_peer(), carrier])
    phone, pbx = behind(scene, v1(CLIENT, meant(scene))), scene.pbx()
    phone.send("MESSAGE", "sip:bob@example.com")
    pbx.expect("MESSAGE")
    pbx.reply(200)
    phone.expect(200)


def test_the_balancer_is_not_who_is_behind_it(scene):
    # whoever comes by way of a peer's address is not that peer
    start(scene, peers=[scene.pbx_peer(), {
        "name": "near", "from": [scene.net.host(9)], "auth": "ip"}])
    phone, pbx = behind(scene, v1(CLIENT, meant(scene))), scene.pbx()
    phone.send("OPTIONS", "sip:bob@example.com")
    phone.expect(407)
    pbx.expect_nothing(0.1)


def test_a_path_through_the_balancer(scene):
    start(scene, peers=[scene.pbx_peer(path="always")])
    alice, pbx = behind(scene, v1(CLIENT, meant(scene))), scene.pbx()
    ask(alice, "REGISTER", "sip:example.com")
    got = pbx.expect("REGISTER")
    pbx.reply(200)
    alice.expect(200)
    pbx.send("MESSAGE", sip.uri_of(got["Contact"]), route=got.values("Path"))
    assert alice.expect("MESSAGE").flow is alice.sent_flow


# ---- nobody in particular

LOCALS = {
    "v1 unknown": b"PROXY UNKNOWN\r\n",
    "v1 unknown and more": b"PROXY UNKNOWN ffff::1 ffff::2 1 2\r\n",
    "v2 local": balancer.v2_local(),
    "v2 local with an address": balancer.v2_block(
        0x11, balancer.LOCAL, bytes(12)),
    "v2 of no family": balancer.v2_block(0, balancer.PROXY, b""),
    "v2 of a unix socket": balancer.v2_block(
        0x31, balancer.PROXY, bytes(216)),
}


@pytest.mark.parametrize("what", LOCALS)
def test_the_balancer_itself(scene, what):
    start(scene)
    alice = behind(scene, LOCALS[what])
    who, _ = asked_by(scene, alice)
    assert who == alice.sent_flow.local


@pytest.mark.parametrize("what", ["v2 local", "v2 local with an address",
                                  "v2 of no family"])
def test_the_balancer_itself_over_udp(scene, what):
    start(scene)
    alice = behind(scene, LOCALS[what], "udp")
    who, _ = asked_by(scene, alice)
    assert who == alice.sent_flow.local


def test_a_health_check_says_nothing_else(scene):
    start(scene)
    for data in (balancer.v2_local(), b""):
        with connected(scene.net.host(9), meant(scene)) as sock:
            sock.sendall(data)
    asked_by(scene, behind(scene, v1(CLIENT, meant(scene))))
    scene.log.has_not(event="transport.refuse")


# ---- who has no right to say it

@pytest.mark.parametrize("transport", ["tcp", "tls"])
def test_an_address_that_is_no_balancer(scene, pki, transport):
    start(scene, listen=scene.listeners(
        listener(scene), scene.secure_listener(
            pki.server, proxy_protocol=[scene.net.host(9)])))
    port = 5062 if transport == "tcp" else 5061
    with connected(scene.net.host(8), (scene.at, port)) as sock:
        try:
            sock.sendall(v1(CLIENT, (scene.at, port)))
            assert sock.recv(1) == b""
        except ConnectionError:
            pass
    scene.log.has(event="transport.refuse", reason="not-a-balancer",
                  **{"from": sender(scene, 8)})


def sender(scene, number):
    class Starts:
        """As a pattern: any port."""

        def search(self, text):
            return text.startswith(scene.net.host(number) + ":")
    return Starts()


def test_a_datagram_from_no_balancer(scene):
    start(scene)
    for before in (b"", v2(CLIENT, meant(scene), DATAGRAM)):
        mallory = behind(scene, before, "udp", 8)
        mallory.send("OPTIONS", "sip:bob@example.com")
        mallory.expect_nothing(0.2)
        mallory.close()
        scene.actors.remove(mallory)
    count = scene.daemon.metrics()["transport_refused_total",
                                   "not-a-balancer"]
    assert count == 2


@pytest.mark.parametrize("transport", ["udp", "tcp"])
def test_a_header_where_none_is_expected(scene, transport):
    # on a listener without balancers nobody may say who he is
    start(scene)
    kind = DATAGRAM if transport == "udp" else STREAM
    mallory = behind(scene, v2(CLIENT, scene.proxy, kind), transport,
                     port=5060)
    mallory.send("OPTIONS", "sip:bob@example.com")
    mallory.expect_nothing(0.3)
    scene.log.has_not(source="%s:%d" % CLIENT)


# ---- what is no header

def crc(data):
    """A checksum that is wrong: zlib's is of another kind."""
    return balancer.tlv(3, struct.pack("!I", zlib.crc32(data)))


BAD = {
    "none": b"OPTIONS sip:bob@example.com SIP/2.0\r\n",
    "lower case": b"proxy TCP4 1.2.3.4 5.6.7.8 1 2\r\n",
    "a name": b"PROXY TCP4 example.com 5.6.7.8 1 2\r\n",
    "the wrong family": b"PROXY TCP4 ::1 ::2 1 2\r\n",
    "an octet too large": b"PROXY TCP4 1.2.3.256 5.6.7.8 1 2\r\n",
    "a port too large": b"PROXY TCP4 1.2.3.4 5.6.7.8 65536 2\r\n",
    "a negative port": b"PROXY TCP4 1.2.3.4 5.6.7.8 -1 2\r\n",
    "a port less": b"PROXY TCP4 1.2.3.4 5.6.7.8 1\r\n",
    "a bare lf": b"PROXY TCP4 1.2.3.4 5.6.7.8 1 2\n",
    "two blanks": b"PROXY TCP4  1.2.3.4 5.6.7.8 1 2\r\n",
    "no end": b"PROXY TCP4 " + b"1" * 200,
    "v2 half a signature": balancer.SIGNATURE[:8] + b"xxxxxxxxxxxxxxxx",
    "v3": balancer.SIGNATURE + b"\x31\x11\0\x0c" + bytes(12),
    "v2 no such command": balancer.v2_block(0x11, 0x22, bytes(12)),
    "v2 too short": balancer.v2_block(0x11, balancer.PROXY, bytes(11)),
    "v2 ipv6 too short": balancer.v2_block(0x21, balancer.PROXY, bytes(35)),
    "v2 a tlv too long": v2(CLIENT, CLIENT, tlvs=b"\x02\x00\x09ab"),
    "v2 half a tlv": v2(CLIENT, CLIENT, tlvs=b"\x02\x00"),
    "v2 too long": balancer.v2_block(0x11, balancer.PROXY, bytes(60000)),
    "v2 a wrong checksum": v2(CLIENT, CLIENT, tlvs=crc(b"x")),
}


@pytest.mark.parametrize("what", BAD)
def test_a_header_that_is_none(scene, what):
    start(scene)
    with connected(scene.net.host(9), meant(scene)) as sock:
        try:
            sock.sendall(BAD[what] + b"\r\n\r\n" + bytes(600))
            assert sock.recv(1) == b""
        except ConnectionError:
            pass
    scene.log.has(event="transport.refuse", reason="proxy-header")
    asked_by(scene, behind(scene, v1(CLIENT, meant(scene))))


@pytest.mark.parametrize("before", [
    b"", v1(CLIENT, CLIENT), v2(CLIENT, CLIENT, STREAM),
    balancer.v2_block(0x12, balancer.PROXY, bytes(60000))[:28]],
    ids=["none", "v1", "of a stream", "longer than the datagram"])
def test_a_datagram_without_its_header(scene, before):
    start(scene)
    alice = behind(scene, before, "udp")
    alice.send("OPTIONS", "sip:bob@example.com")
    alice.expect_nothing(0.2)
    scene.log.has(event="transport.refuse", reason="proxy-header")


@pytest.mark.parametrize("make", [v1, v2])
def test_byte_by_byte(scene, make):
    start(scene)
    alice = behind(scene, b"")
    flow = alice.default_flow()
    data = make(CLIENT, meant(scene)) + alice.make(
        "OPTIONS", "sip:bob@example.com").encode()
    for at in range(len(data)):
        flow.send(data[at:at + 1])
    assert sip.params_of(alice.expect(407).via)["received"] == CLIENT[0]


@pytest.mark.parametrize("part", [0, 5, 20])
def test_a_header_that_does_not_come(scene, part):
    start(scene, limits={"handshake": "600ms", "first_message": "60s"})
    begun = time.monotonic()
    with connected(scene.net.host(9), meant(scene)) as sock:
        sock.sendall(v2(CLIENT, meant(scene))[:part])
        assert sock.recv(1) == b""
    assert 0.3 < time.monotonic() - begun < 4.5    # 5 s by default
    scene.log.has(event="transport.refuse", reason="handshake")


# ---- limits, and who is denied

def test_connections_of_one_true_source(scene):
    start(scene, limits={"connections_per_source": 2})
    alice = behind(scene, v1(CLIENT, meant(scene)))
    flows = [alice.wire.connect(meant(scene)) for _ in range(3)]
    assert alice.wire.wait_closed(flows[2])
    assert not any(alice.wire.wait_closed(f, 0.2) for f in flows[:2])
    scene.log.has(event="transport.refuse", reason="connections-per-source",
                  **{"from": "%s:%d" % CLIENT})
    alice.wire.before = v1(("203.0.113.8", 5060), meant(scene))
    alice.send("OPTIONS", "sip:bob@example.com",
               flow=alice.wire.connect(meant(scene)))
    alice.expect(407)


@pytest.mark.parametrize("transport", ["udp", "tcp"])
def test_a_denied_source_behind_the_balancer(scene, transport):
    start(scene, deny=["203.0.113.0/24"])
    kind = DATAGRAM if transport == "udp" else STREAM
    mallory = behind(scene, v2(CLIENT, meant(scene), kind), transport)
    mallory.send("OPTIONS", "sip:bob@example.com")
    mallory.expect_nothing(0.3)
    scene.log.has(event="transport.refuse", reason="banned")
    mallory.wire.before = v2(("198.51.100.1", 5060), meant(scene), kind)
    mallory.send("OPTIONS", "sip:bob@example.com")
    mallory.expect(407)


# ---- silence for those who are denied, without a balancer

@pytest.mark.parametrize("transport", ["udp", "tcp", "tls"])
def test_a_denied_source(scene, pki, transport):
    scene.start(listen=scene.listeners(scene.secure_listener(pki.server)),
                deny=[scene.net.host(66)])
    if transport == "udp":
        mallory = scene.mallory()
        mallory.send("OPTIONS", "sip:bob@example.com")
        mallory.expect_nothing(0.3)
    else:
        port = 5060 if transport == "tcp" else 5061
        with connected(scene.net.host(66), (scene.at, port)) as sock:
            try:
                assert sock.recv(1) == b""
            except ConnectionError:
                pass
    scene.log.has(event="transport.refuse", reason="banned")
    serve(scene.alice(), scene.pbx())


def test_who_is_denied_changes_with_a_reload(scene):
    scene.start(deny=[scene.net.host(66)])
    mallory = scene.mallory()
    mallory.send("OPTIONS", "sip:bob@example.com")
    mallory.expect_nothing(0.3)
    scene.write_config(deny=[])
    scene.daemon.reload()
    scene.log.has(event="daemon.reload")
    mallory.send("OPTIONS", "sip:bob@example.com")
    mallory.expect(407)


def test_ports_stay_open_for_udp_errors(scene):
    # a datagram that cannot be answered must not end the socket
    start(scene)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.bind((scene.net.host(9), 0))
        alice = behind(scene, b"", "udp")
        sock.sendto(v2(("240.0.0.1", 0), meant(scene), DATAGRAM) +
                    alice.make("OPTIONS", "sip:bob@example.com").encode(),
                    meant(scene))
    alice.wire.before = v2(CLIENT, meant(scene), DATAGRAM)
    alice.send("OPTIONS", "sip:bob@example.com")
    alice.expect(407)


def test_who_is_denied_later_is_heard_no_more(scene):
    scene.start()
    alice = scene.alice(transport="tcp")
    alice.send("OPTIONS", "sip:bob@example.com")
    alice.expect(407)
    scene.write_config(deny=[alice.host])
    scene.daemon.reload()
    scene.log.has(event="daemon.reload")
    alice.send("OPTIONS", "sip:bob@example.com")
    assert alice.wire.wait_closed(alice.wire.flows[-1])
    scene.log.has(event="transport.refuse", reason="banned")


def test_a_balancer_is_not_called_where_a_via_says(scene):
    # RFC 3261 18.2.2 is for who sent the request, and he is behind it
    start(scene)
    alice = behind(scene, v2(CLIENT, meant(scene)), "tcp")
    pbx, balancer_ = scene.pbx(), scene.pbx(9, "balancer", port=5555)
    alice.claims = ("192.168.1.10", 5555)
    ask(alice)
    pbx.expect("OPTIONS")
    alice.wire.drop(alice.wire.flows[-1])
    pbx.reply(200)
    balancer_.expect_nothing(0.3)
    assert not balancer_.wire.flows


@pytest.mark.parametrize("transport", ["udp", "tcp"])
def test_who_guesses_beside_a_balancer_does_not_shut_it(scene, transport):
    start(scene, limits={"ban_after": 2, "failures_per_user": "off"})
    mallory = scene.phone("mallory", 9, port=0, user="bob")
    for _ in range(2):
        mallory.send("OPTIONS", "sip:bob@example.com")
        mallory.expect(407)
        mallory.answer(password="wrong")
        mallory.expect(407)
    scene.log.has(event="guard.ban", source=mallory.host)
    kind = DATAGRAM if transport == "udp" else STREAM
    alice, pbx = behind(scene, v2(CLIENT, meant(scene), kind),
                        transport), scene.pbx()
    serve(alice, pbx)
