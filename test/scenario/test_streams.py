"""Streams as they come: in pieces, in heaps, too slow, too much, too many."""

import resource
import socket
import time

import pytest

from harness import sip
from harness.patience import PATIENCE, until
from harness.scene import ask, call, serve
from harness.tls import Caller
from harness.wire import connected

UNTOLD = 4.5            # seconds; whole_message is 5 s by default


@pytest.fixture(params=["tcp", "tls"])
def stream(request, scene, pki):
    return Stream(request.param, scene, pki)


class Stream:
    """The same scenario over either transport."""

    def __init__(self, transport, scene, pki):
        self.transport, self.scene, self.pki = transport, scene, pki
        self.remote = (scene.at, 5060 if transport == "tcp" else 5061)

    def start(self, **changes):
        self.scene.start(listen=self.scene.listeners(
            self.scene.secure_listener(self.pki.server)), **changes)

    def phone(self, name="alice", number=10, **more):
        if self.transport == "tls":
            return self.scene.secure(name, number, **more)
        return self.scene.phone(name, number, transport="tcp", **more)

    def connect(self, phone):
        return phone.flow_to(*self.remote, self.transport)

    def refused(self, reason, count=1):
        self.scene.log.has(event="transport.refuse", reason=reason)
        got = self.scene.daemon.metrics()["transport_refused_total", reason]
        assert got == count


def accepted(scene):
    return scene.daemon.metrics()["transport_connections", "accepted"]


def request_of(phone, flow, **parts):
    return phone.make("OPTIONS", "sip:bob@example.com",
                      transport=flow.transport, **parts)


def is_closed(phone, flow):
    return phone.wire.wait_closed(flow)


# ---- where a message ends

def test_split_at_every_byte(scene, stream):
    stream.start()
    alice = stream.phone()
    flow = stream.connect(alice)
    waits = 0
    for at in range(len(request_of(alice, flow, body=b"hello").encode())):
        data = request_of(alice, flow, body=b"hello").encode()
        flow.send(data[:at])
        time.sleep(0.0005)
        flow.send(data[at:])
        waits += 1
        if waits == 20:
            while waits > 0:
                alice.expect(407)
                waits -= 1
    scene.log.has_not(event="transport.refuse")


def test_byte_by_byte(scene, stream):
    stream.start()
    alice, pbx = stream.phone(), scene.pbx()
    flow = stream.connect(alice)
    alice.send("MESSAGE", "sip:bob@example.com", body=b"\r\n\r\n" * 5)
    alice.expect(407)
    request = alice.authorize(alice.again())
    data = request.encode()
    alice.sent = request
    for at in range(len(data)):
        flow.send(data[at:at + 1])
    assert pbx.expect("MESSAGE").body == request.body
    pbx.reply(200)
    alice.expect(200)


@pytest.mark.parametrize("between", [b"", b"\r\n", b"\r\n\r\n\r\n"],
                         ids=["nothing", "crlf", "three"])
def test_several_in_a_segment(scene, stream, between):
    stream.start()
    alice = stream.phone()
    flow = stream.connect(alice)
    sent = [request_of(alice, flow, body=b"x" * n) for n in range(30)]
    flow.send(between.join(m.encode() for m in sent))
    got = [alice.expect(407).call_id for _ in sent]
    assert got == [m.call_id for m in sent]


def test_one_and_a_half(scene, stream):
    stream.start()
    alice = stream.phone()
    flow = stream.connect(alice)
    first, second = (request_of(alice, flow).encode() for _ in range(2))
    flow.send(first + second[:50])
    alice.expect(407)
    time.sleep(0.2)
    flow.send(second[50:])
    alice.expect(407)


def test_a_long_message_among_short_ones(scene, stream):
    stream.start()
    alice, pbx = stream.phone(), scene.pbx()
    serve(alice, pbx)
    body = bytes(range(256)) * 120          # 30 kB, several records of TLS
    got = serve(alice, pbx, method="MESSAGE", body=body)
    assert got.body == body
    serve(alice, pbx)


def test_a_long_answer(scene, stream):
    stream.start()
    alice, pbx = stream.phone(), scene.pbx(transport="tcp")
    body = b"y" * 40000
    ask(alice)
    request = pbx.expect("OPTIONS")
    pbx.reply(200, to=request, body=body)
    assert alice.expect(200).body == body


def test_a_message_that_is_too_large(scene, stream):
    stream.start(limits={"message_size": 4000})
    alice = stream.phone()
    flow = stream.connect(alice)
    flow.send(request_of(alice, flow, body=b"z" * 5000).encode())
    got = alice.receive(timeout=2)
    assert got is None or got.status == 413
    assert is_closed(alice, flow)


@pytest.mark.parametrize("line", [
    "Content-Length: 5", "l: 5", "content-LENGTH  :\t 5",
    "Content-Length: 00000000000000005"])
def test_content_length_as_it_may_be_written(scene, stream, line):
    stream.start()
    alice = stream.phone()
    flow = stream.connect(alice)
    for _ in range(2):
        data = request_of(alice, flow, body=b"hello").encode()
        flow.send(data.replace(b"Content-Length: 5", sip.octets(line)))
    alice.expect(407)
    alice.expect(407)


WRONG = {
    "missing": None, "empty": "", "negative": "-5", "a word": "five",
    "a plus": "+5", "hex": "0x5", "two numbers": "5 5", "a list": "5, 5",
    "a fraction": "5.0", "huge": "99999999999999999999999",
    "4 GB": "4294967301", "with a parameter": "5;x",
}


@pytest.mark.parametrize("what", WRONG)
def test_content_length_that_is_wrong(scene, stream, what):
    # RFC 3261 section 18.3: nobody knows where the next message begins
    stream.start()
    alice, pbx = stream.phone(), scene.pbx()
    flow = stream.connect(alice)
    data = request_of(alice, flow, body=b"hello").encode()
    line = b"" if WRONG[what] is None else \
        b"Content-Length: %s\r\n" % sip.octets(WRONG[what])
    flow.send(data.replace(b"Content-Length: 5\r\n", line) +
              request_of(alice, flow).encode())
    got = alice.receive(timeout=2)
    assert got is None or got.status in (400, 413), got
    assert is_closed(alice, flow)
    assert alice.receive(timeout=0) is None
    pbx.expect_nothing(0)


def test_two_lengths(scene, stream):
    stream.start()
    alice = stream.phone()
    flow = stream.connect(alice)
    data = request_of(alice, flow, body=b"hello").encode()
    flow.send(data.replace(b"\r\n\r\n", b"\r\nContent-Length: 0\r\n\r\n", 1))
    got = alice.receive(timeout=2)
    assert got is None or got.status == 400
    assert is_closed(alice, flow)


def test_a_length_that_is_too_small(scene, stream):
    # what is over is no message: it must not be taken for one
    stream.start()
    alice, pbx = stream.phone(), scene.pbx()
    flow = stream.connect(alice)
    data = request_of(alice, flow, body=b"hello, world\r\n\r\n").encode()
    flow.send(data.replace(b"Content-Length: 16", b"Content-Length: 5"))
    alice.expect(407)
    got = alice.receive(timeout=0.5)
    assert got is None or got.status == 400
    assert is_closed(alice, flow)
    pbx.expect_nothing(0)


def test_a_length_that_is_too_large(scene, stream):
    stream.start(limits={"whole_message": "500ms"})
    alice = stream.phone()
    flow = stream.connect(alice)
    data = request_of(alice, flow, body=b"hello").encode()
    begun = time.monotonic()
    flow.send(data.replace(b"Content-Length: 5", b"Content-Length: 6"))
    assert is_closed(alice, flow)
    assert 0.3 < time.monotonic() - begun < UNTOLD
    assert alice.receive(timeout=0) is None
    stream.refused("slow-message")


GARBAGE = {
    "zeros": bytes(100), "text": b"hello\r\n\r\n", "stun":
    bytes.fromhex("000100002112a442") + bytes(12),
    "http": b"GET / HTTP/1.1\r\nHost: x\r\n\r\n",
    "a proxy header": b"PROXY TCP4 1.2.3.4 5.6.7.8 1 2\r\n\r\n",
    "nul": b"OPTIONS sip:bob@example.com SIP/2.0\r\nSubject: \0\r\n\r\n",
    "no end": b"OPTIONS sip:bob@example.com SIP/2.0\r\n" + b"X: y\r\n" * 20000,
    "a line without end": b"OPTIONS sip:" + b"a" * 100000,
}


@pytest.mark.parametrize("what", GARBAGE)
def test_garbage(scene, stream, what):
    stream.start()
    alice, pbx = stream.phone(), scene.pbx()
    flow = stream.connect(alice)
    try:
        flow.send(GARBAGE[what])
    except OSError:
        pass
    assert is_closed(alice, flow)
    serve(stream.phone("bob", 11), pbx)


# ---- ends

def test_what_was_asked_before_the_end_is_answered(scene, stream):
    # our half is closed, theirs is open
    stream.start()
    alice = stream.phone()
    flow = stream.connect(alice)
    flow.send(request_of(alice, flow).encode())
    flow.sock.shutdown(socket.SHUT_WR)
    alice.expect(407)
    assert is_closed(alice, flow)


@pytest.mark.parametrize("part", [1, 10, 200])
def test_an_end_in_the_middle(scene, stream, part):
    stream.start()
    alice, pbx = stream.phone(), scene.pbx()
    flow = stream.connect(alice)
    flow.send(request_of(alice, flow).encode()[:part])
    time.sleep(0.1)
    alice.wire.drop(flow)
    serve(stream.phone("bob", 11), pbx)
    until(lambda: accepted(scene) == 1)


def test_a_phone_that_is_gone_when_the_answer_comes(scene, stream):
    stream.start()
    alice, pbx = stream.phone(), scene.pbx()
    ask(alice)
    pbx.expect("OPTIONS")
    alice.wire.drop(alice.sent_flow)
    time.sleep(0.2)
    pbx.reply(200)
    serve(stream.phone("bob", 11), pbx)


# ---- too slow

def test_a_connection_that_says_nothing(scene, stream):
    stream.start(limits={"first_message": "600ms"})
    alice = stream.phone()
    begun = time.monotonic()
    assert is_closed(alice, stream.connect(alice))
    assert 0.3 < time.monotonic() - begun < 8      # 10 s by default
    stream.refused("first-message")


@pytest.mark.parametrize("what", ["head", "body"])
def test_a_message_that_dribbles_in(scene, stream, what):
    stream.start(limits={"whole_message": "600ms"})
    alice, pbx = stream.phone(), scene.pbx()
    serve(alice, pbx)
    flow = alice.sent_flow
    data = request_of(alice, flow, body=b"x" * 500).encode()
    at = 0 if what == "head" else len(data) - 500
    begun = time.monotonic()
    flow.send(data[:at])
    # by itself it would be whole after 25 s
    while not flow.closed and time.monotonic() - begun < PATIENCE:
        try:
            flow.send(data[at:at + 1])
        except OSError:
            break
        at += 1
        alice.wire.pump(0.05)
    assert time.monotonic() - begun < UNTOLD
    stream.refused("slow-message")


def test_a_connection_that_is_idle(scene, stream):
    stream.start(limits={"idle": "1s"})
    alice, pbx = stream.phone(), scene.pbx()
    begun = time.monotonic()
    serve(alice, pbx)
    assert is_closed(alice, alice.sent_flow)
    assert time.monotonic() - begun > 0.7
    stream.refused("idle")


def test_keep_alives_keep_it_alive(scene, stream):
    stream.start(limits={"idle": "3s"})
    alice, pbx = stream.phone(), scene.pbx()
    serve(alice, pbx)
    for _ in range(6):
        alice.sent_flow.send(b"\r\n\r\n")
        assert not alice.wire.wait_closed(alice.sent_flow, 0.7)
    serve(alice, pbx)
    assert len(alice.wire.flows) == 1


@pytest.mark.parametrize("part", [0, 1, 100])
def test_handshakes_that_stay_open(scene, pki, part):
    scene.start(limits={"handshake": "2s", "first_message": "60s"},
                listen=scene.listeners(scene.secure_listener(pki.server)))
    stream = Stream("tls", scene, pki)
    held, begun = [], time.monotonic()
    for _ in range(20):
        sock = connected(scene.net.host(66), stream.remote)
        sock.sendall((b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" +
                      bytes(300))[:part])
        held.append(sock)
    serve(scene.secure("alice", 10), scene.pbx())
    for sock in held:
        while sock.recv(100):
            pass
        sock.close()
    assert time.monotonic() - begun > 1.5
    stream.refused("handshake", 20)


# ---- too many

@pytest.fixture
def many_files():
    """As many as the system lets us have; the daemon gets them too."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if hard < 6000:
        pytest.skip("at most %d open files" % hard)
    resource.setrlimit(resource.RLIMIT_NOFILE, (6000, hard))
    yield
    resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


@pytest.mark.parametrize("count, secure", [(2000, 0), (1700, 300)],
                         ids=["tcp", "some tls"])
def test_2000_idle_connections(scene, pki, many_files, count, secure):
    scene.start(
        listen=scene.listeners(scene.secure_listener(pki.server)),
        limits={"connections": 3000, "connections_per_source": 3000,
                "first_message": "60s"})
    caller = Caller()
    held = [connected(scene.net.host(60 + n % 20), scene.proxy)
            for n in range(count)]
    held += [caller.connect(scene.net.host(60 + n % 20),
                            (scene.at, 5061)).sock for n in range(secure)]
    until(lambda: accepted(scene) == 2000)
    before = scene.daemon.cpu_seconds()
    call(scene.alice(), scene.pbx())
    time.sleep(1)
    assert scene.daemon.cpu_seconds() - before < 0.3, "idle ones cost time"
    assert accepted(scene) == 2000
    for sock in held:
        sock.close()


def test_connections_in_all(scene, stream):
    stream.start(limits={"connections": 4})
    phones = [stream.phone("alice", 20 + n) for n in range(5)]
    pbx = scene.pbx()
    for phone in phones[:4]:
        serve(phone, pbx)
    is_turned_away(stream, 30)
    stream.refused("connections")
    phones[0].wire.drop(phones[0].sent_flow)
    until(lambda: accepted(scene) == 3)
    phones[4].send("OPTIONS", "sip:bob@example.com")
    phones[4].expect(407)


def is_turned_away(stream, number):
    with connected(stream.scene.net.host(number), stream.remote) as sock:
        try:
            assert sock.recv(1) == b""
        except ConnectionError:
            pass


def keep_alive_timers(scene, phone):
    """Of the daemon's connections to it: what the kernel's timer waits for
    (proc(5), 2: a keep-alive), and for how many seconds."""
    def hex_of(host, port):
        octets = socket.inet_aton(host)
        return "%s:%04X" % (octets[::-1].hex().upper(), port)

    with open("/proc/net/tcp", encoding="ascii") as f:
        rows = [line.split() for line in f]
    tick = 100
    return [(int(row[5].split(":")[0], 16),
             int(row[5].split(":")[1], 16) / tick) for row in rows
            if row[2].startswith(hex_of(phone.host, 0)[:8]) and
            row[1].startswith(hex_of(scene.at, 0)[:8]) and row[3] == "01"]


def test_the_kernel_looks_whether_who_is_silent_is_there(scene, stream):
    """Whose power failed hangs up on nobody, and must not hold the places of
    his office until limits.idle."""
    stream.start()
    alice = stream.phone()
    alice.send("OPTIONS", "sip:bob@example.com")
    alice.expect(407)
    (what, seconds), = until(lambda: [
        x for x in keep_alive_timers(scene, alice) if x[0] == 2])
    assert 0 < seconds <= 120


def test_an_office_comes_back_beside_its_dead_connections(scene):
    """200 phones behind one address, with the limits by default."""
    scene.start(log={"level": "info"})
    dead = [connected(scene.net.host(10), scene.proxy) for _ in range(200)]
    alice = scene.phone("alice", 10, transport="tcp")
    back = [alice.flow_to(*scene.proxy, "tcp") for _ in range(200)]
    for flow in back:
        alice.send("OPTIONS", "sip:bob@example.com", flow=flow)
        alice.expect(407)
    assert not scene.log.find(event="transport.refuse")
    for sock in dead:
        sock.close()


def test_connections_of_one_source(scene, stream):
    stream.start(limits={"connections_per_source": 2})
    alice = stream.phone()
    for _ in range(2):
        flow = alice.wire.connect(stream.remote, tls=alice.tls)
        alice.send("OPTIONS", "sip:bob@example.com", flow=flow)
        alice.expect(407)
    is_turned_away(stream, 10)
    stream.refused("connections-per-source")
    bob = stream.phone("bob", 11)
    bob.send("OPTIONS", "sip:bob@example.com")
    bob.expect(407)


def test_one_who_asks_and_does_not_listen(scene, stream):
    # he gets a bounded queue, and the others do not notice
    stream.start(limits={"unsent_bytes": 65536})
    bob, pbx = stream.phone("bob", 11), scene.pbx()
    alice = stream.phone()
    sock = socket.socket()
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    sock.bind((alice.host, 0))
    sock.settimeout(PATIENCE)
    sock.connect(stream.remote)
    flow = alice.tls.over(sock) if alice.tls else None
    data = b"".join(alice.make(
        "OPTIONS", "sip:bob@example.com", transport=stream.transport,
        headers=[("Subject", "s" * 500)]).encode() for _ in range(20))
    begun = time.monotonic()
    with pytest.raises(ConnectionError):
        while time.monotonic() - begun < 60:
            sock.sendall(flow.sealed(data) if flow else data)
    sock.close()
    stream.refused("unsent-bytes")
    serve(bob, pbx)
    assert scene.daemon.rss_kb() < 300000


def test_a_target_that_does_not_listen(scene, stream):
    # many messages to a PBX that reads nothing: its queue is bounded too
    stream.start(
        limits={"unsent_bytes": 65536}, timers={"t1": "500ms"},
        peers=[scene.pbx_peer(uri="sip:%s:5060;transport=tcp" %
                              scene.net.host(5))])
    deaf = socket.socket()
    deaf.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    deaf.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    deaf.bind((scene.net.host(5), 5060))
    deaf.listen(8)
    alice, statuses = stream.phone(), set()
    for _ in range(300):
        alice.send("MESSAGE", "sip:bob@example.com", body=b"x" * 30000)
        # to this one, or to one before
        got = alice.expect((407, 500, 503))
        if got.status != 407:
            statuses.add(got.status)
            break
        alice.answer()
    deaf.close()
    assert statuses & {500, 503}, statuses
    stream.scene.log.has(event="transport.refuse", reason="unsent-bytes")
