"""Places for connections: who is known keeps his, strangers make room."""

import os
import resource

import pytest

from harness.balancer import v1
from harness.patience import PATIENCE
from harness.scene import ask, call, call_in, register, serve
from harness.tls import Caller
from harness.wire import connected

PLACES = 20


@pytest.fixture
def crowd(scene):
    made = Crowd(scene)
    yield made
    made.close()


@pytest.fixture(params=["tcp", "tls"])
def phone(request, scene):
    """How alice comes."""
    def make(name="alice", number=10, **more):
        if request.param == "tls":
            return scene.secure(name, number, **more)
        return scene.phone(name, number, transport="tcp", **more)
    return make


class Crowd:
    """Strangers who have asked something, got a 407 each, and stay."""

    def __init__(self, scene):
        self.scene = scene
        self.socks = []

    def add(self, count):
        mallory = self.scene.mallory(port=0, transport="tcp")
        for n in range(count):
            sock = connected(self.scene.net.host(100 + n % 20),
                             self.scene.proxy)
            self.socks.append(sock)
            sock.sendall(mallory.make(
                "OPTIONS", "sip:bob@example.com").encode())
            assert sock.recv(4096).startswith(b"SIP/2.0 407 ")
        return self

    def close(self):
        for sock in self.socks:
            sock.close()


def start(scene, pki, limits=(), **changes):
    changes.setdefault("peers", [scene.pbx_peer(path="always")])
    changes.setdefault("listen", scene.listeners(
        scene.secure_listener(pki.server)))
    scene.start(limits=dict({"connections": PLACES}, **dict(limits)),
                **changes)


def is_over(sock, within=PATIENCE):
    sock.settimeout(within)
    try:
        return sock.recv(4096) == b""
    except TimeoutError:
        return False
    except OSError:
        return True


def is_cut(phone, flow, within=PATIENCE):
    return phone.wire.wait_closed(flow, within)


def stays(phone):
    """All that it ever sent went over one connection, which is open."""
    assert len(phone.wire.flows) == 1
    assert not is_cut(phone, phone.wire.flows[0], 0.1)


def taken(scene):
    return scene.daemon.metrics()["transport_connections", "accepted"]


def refusals(scene, reason):
    return scene.daemon.metrics()["transport_refused_total", reason]


# ---- strangers everywhere

def test_a_phone_finds_a_place(scene, pki, phone, crowd):
    start(scene, pki)
    crowd.add(PLACES)
    alice, pbx = phone(), scene.pbx()
    register(alice, pbx)
    call(alice, pbx)
    stays(alice)
    assert is_over(crowd.socks[0])
    assert not any(is_over(sock, 0.02) for sock in crowd.socks[1:])
    assert taken(scene) == PLACES
    scene.log.has(event="transport.refuse", reason="unproved")
    assert refusals(scene, "unproved") == 1


def test_her_connection_outlives_the_flood(scene, pki, phone, crowd):
    start(scene, pki)
    alice, pbx = phone(), scene.pbx()
    contact, path = register(alice, pbx)
    crowd.add(PLACES * 2)
    call_in(pbx, alice, contact, route=path)
    crowd.add(PLACES * 2)
    pbx.bye()
    alice.expect("BYE")
    alice.reply(200)
    pbx.expect(200)
    serve(alice, pbx)
    stays(alice)
    assert taken(scene) == PLACES
    assert refusals(scene, "unproved") == PLACES * 3 + 1
    assert refusals(scene, "connections") == 0


def test_between_its_407_and_its_answer(scene, pki, phone, crowd):
    start(scene, pki)
    crowd.add(PLACES)
    alice, pbx = phone(), scene.pbx()
    alice.send("OPTIONS", "sip:bob@example.com")
    alice.expect(407)
    crowd.add(PLACES - 1)
    alice.answer()
    pbx.expect("OPTIONS")
    pbx.reply(200)
    alice.expect(200)
    stays(alice)


def test_who_takes_his_time_is_one_of_them(scene, pki, phone, crowd):
    start(scene, pki)
    alice = phone()
    alice.send("OPTIONS", "sip:bob@example.com")
    alice.expect(407)
    crowd.add(PLACES)
    assert is_cut(alice, alice.sent_flow)


def test_in_its_handshake(scene, pki, crowd):
    """It is silent yet, among strangers who are not."""
    start(scene, pki)
    crowd.add(PLACES)
    alice, pbx = scene.secure("alice", 10), scene.pbx()
    sock = connected(alice.host, alice.proxy)
    crowd.add(PLACES // 2)
    alice.wire.adopt(alice.tls.over(sock))
    crowd.add(PLACES // 2 - 1)
    serve(alice, pbx)
    stays(alice)


# ---- what proves something, and what does not

def test_a_wrong_answer_proves_nothing(scene, pki, phone, crowd):
    start(scene, pki)
    mallory = phone("alice", 66, password="guess")
    ask(mallory)
    mallory.expect(407)
    crowd.add(PLACES)
    assert is_cut(mallory, mallory.sent_flow)
    scene.log.has(reason="wrong-password")


def test_a_copied_answer_proves_nothing(scene, pki, crowd):
    start(scene, pki)
    alice, pbx = scene.phone("alice", 10, transport="tcp"), scene.pbx()
    serve(alice, pbx)
    mallory = scene.mallory(transport="tcp")
    flow = mallory.flow_to(*scene.proxy, "tcp")
    copy = alice.sent.copy()
    copy.set("Via", mallory.make("OPTIONS", "sip:x@example.com")["Via"])
    flow.send(copy.encode())
    mallory.expect(407)
    scene.log.has(reason="replay")
    crowd.add(PLACES - 1)
    assert is_cut(mallory, flow)
    stays(alice)


def test_damage_proves_nothing(scene, pki, crowd):
    """Nor does it hold its place to the end of our last words."""
    start(scene, pki, limits={"connections": 1})
    mallory = scene.mallory(transport="tcp")
    flow = mallory.flow_to(*scene.proxy, "tcp")
    flow.send(mallory.make("OPTIONS", "sip:bob@example.com").encode()
              .replace(b"Content-Length: 0\r\n", b""))
    mallory.expect(400)
    serve(scene.phone("alice", 10, transport="tcp"), scene.pbx())
    assert refusals(scene, "connections") == 0


def test_a_user_who_may_not_is_known_all_the_same(scene, pki, phone, crowd):
    start(scene, pki)
    alice, pbx = phone(), scene.pbx()
    ask(alice, from_="<sip:bob@example.com>;tag=1")
    alice.expect(403)
    crowd.add(PLACES * 2)
    serve(alice, pbx)
    stays(alice)


def test_a_peer_by_address(scene, pki, crowd):
    start(scene, pki)
    pbx = scene.pbx(transport="tcp")
    pbx.send("OPTIONS", "sip:nobody@%s" % scene.net.host(99))
    pbx.receive()
    crowd.add(PLACES * 2)
    stays(pbx)


def test_a_peer_by_certificate(scene, pki, crowd):
    """With its first request: an authority may have signed for others."""
    start(scene, pki, listen=scene.listeners(scene.secure_listener(
        pki.server, client_ca=pki.root.crt,
        client_certificate="optional")), peers=[
            scene.pbx_peer(),
            {"name": "carrier", "certificate": ["carrier.example.net"]}])
    pbx = scene.pbx()
    carrier = scene.secure("carrier", 7, Caller(
        identity=pki.leaf("carrier", "DNS:carrier.example.net")))
    other = scene.secure("other", 8, Caller(
        identity=pki.leaf("other", "DNS:other.example.net")))
    carrier.send("OPTIONS", "sip:bob@example.com")
    pbx.expect("OPTIONS")
    pbx.reply(200)
    carrier.expect(200)
    other.send("OPTIONS", "sip:bob@example.com")
    other.expect(407)
    crowd.add(PLACES * 2)
    assert is_cut(other, other.sent_flow)
    stays(carrier)


def test_an_ack_of_a_peer(scene, pki, crowd):
    """On a connection that brings nothing else."""
    start(scene, pki)
    alice, pbx = scene.alice(), scene.pbx(transport="tcp")
    contact, path = register(alice, pbx)
    pbx.send("INVITE", contact, route=path)
    alice.expect("INVITE")
    alice.reply(200)
    pbx.expect(200)
    flow = pbx.wire.connect(scene.proxy)
    pbx.ack(flow=flow)
    alice.expect("ACK")
    crowd.add(PLACES * 2)
    assert not is_cut(pbx, flow, 0.1)


# ---- behind a balancer

def test_clients_behind_a_balancer(scene, pki):
    """One address, as we see it; each proves himself."""
    start(scene, pki, limits={"connections": 3}, listen=scene.listeners(
        {"name": "balanced", "uri": "sip:%s:5062" % scene.at,
         "proxy_protocol": [scene.net.host(9)]}))
    at, pbx = (scene.at, 5062), scene.pbx()

    def client(name, number, password=None):
        return scene.phone(name, 9, port=0, transport="tcp", proxy=at,
                           before=v1(("203.0.113.%d" % number, 4000), at),
                           **({"password": password} if password else {}))
    alice = client("alice", 1)
    serve(alice, pbx)
    strangers = [client("mallory", n, "guess") for n in range(60, 64)]
    for mallory in strangers:
        mallory.send("OPTIONS", "sip:bob@example.com")
        mallory.expect(407)
    serve(alice, pbx)
    stays(alice)
    assert all(is_cut(m, m.sent_flow) for m in strangers[:2])
    assert not any(is_cut(m, m.sent_flow, 0.3) for m in strangers[2:])


# ---- descriptors

def descriptors(scene):
    return len(os.listdir("/proc/%d/fd" % scene.daemon.process.pid))


def test_a_stranger_gives_his_descriptor(scene, pki, phone, crowd):
    start(scene, pki)
    alice, pbx = phone(), scene.pbx()
    register(alice, pbx)
    resource.prlimit(scene.daemon.process.pid, resource.RLIMIT_NOFILE,
                     (descriptors(scene) + 10,) * 2)
    crowd.add(PLACES * 2)
    bob = phone("bob", 11)
    register(bob, pbx)
    crowd.add(PLACES * 2)
    call(alice, pbx)
    serve(bob, pbx)
    stays(alice)
    stays(bob)
    assert refusals(scene, "descriptors") == 0
    scene.log.has(event="transport.refuse", reason="unproved")


@pytest.mark.parametrize("connections", [1000, "off"])
def test_callers_leave_descriptors_for_targets(scene, crowd, connections):
    scene.start(limits={"connections": connections}, peers=[scene.pbx_peer(
        uri="sip:%s:5060;transport=tcp" % scene.net.host(5))])
    alice, pbx = scene.alice(), scene.pbx(transport="tcp")
    resource.prlimit(scene.daemon.process.pid, resource.RLIMIT_NOFILE,
                     (120, 120))
    scene.daemon.reload()
    scene.log.has(event="daemon.reload")
    crowd.add(150)
    serve(alice, pbx)
    assert taken(scene) == (120 - 120 // 8) // 2
    assert refusals(scene, "descriptors") == 0


# ---- a stolen password

def test_one_account_holds_what_its_sources_may(scene, pki, phone, crowd):
    start(scene, pki, limits={"connections_per_source": 4})
    mallory, pbx = phone("alice", 66), scene.pbx()
    flows = []
    for _ in range(4):
        flows.append(mallory.wire.connect(mallory.proxy, tls=mallory.tls))
        mallory.send("OPTIONS", "sip:bob@example.com", flow=flows[-1])
        mallory.expect(407)
        mallory.answer()
        pbx.expect("OPTIONS")
        pbx.reply(200)
        mallory.expect(200)
    with connected(mallory.host, scene.proxy) as sock:
        assert is_over(sock)
    crowd.add(PLACES)
    serve(phone("bob", 11), pbx)
    assert not any(is_cut(mallory, flow, 0.02) for flow in flows)
    assert refusals(scene, "connections-per-source") == 1
    assert taken(scene) == PLACES
