"""Limits on what one can ask for at once."""

import resource
import socket
import time

import pytest

from harness.patience import PATIENCE, until
from harness.scene import ask, call, serve


def test_message_size_over_udp(scene):
    scene.start(limits={"message_size": 2000})
    alice, pbx = scene.alice(), scene.pbx()
    alice.send("MESSAGE", "sip:bob@example.com", body=b"x" * 3000)
    got = alice.receive(timeout=0.5)
    assert got is None or got.status in (400, 413)
    serve(alice, pbx)


def test_message_size_over_tcp(scene):
    scene.start(limits={"message_size": 2000})
    alice, pbx = scene.alice(transport="tcp"), scene.pbx()
    alice.send("MESSAGE", "sip:bob@example.com", body=b"x" * 3000)
    got = alice.receive(timeout=1)
    assert got is None or got.status in (400, 413)
    serve(scene.bob(transport="tcp"), pbx)


def test_header_count(scene):
    scene.start(limits={"headers": 50})
    alice, pbx = scene.alice(), scene.pbx()
    alice.send("MESSAGE", "sip:bob@example.com",
               headers=[("X-%d" % n, "y") for n in range(60)])
    got = alice.receive(timeout=0.5)
    assert got is None or got.status in (400, 413)
    serve(alice, pbx, headers=[("X-%d" % n, "y") for n in range(30)])


def test_pending_in_all(scene):
    scene.start(limits={"pending": 3})
    alice, pbx = scene.alice(), scene.pbx()
    held = []
    for _ in range(3):
        ask(alice, "INVITE")
        held.append(pbx.expect("INVITE"))
    ask(alice, "MESSAGE")
    alice.expect(503)
    scene.log.has(reason="overload")
    pbx.expect_nothing(0.1)
    for invite in held:
        pbx.reply(486, to=invite)
        pbx.expect("ACK")
    time.sleep(0.3)
    bob = scene.bob()
    serve(bob, pbx)


def test_pending_to_one_target(scene):
    scene.start(
        limits={"pending_per_target": 2},
        peers=[scene.pbx_peer(), {
            "name": "other", "uri": "sip:%s" % scene.net.host(6)}],
        routes=[{"uri": "sip:+*@*", "to": "other"}, {"to": "pbx"}])
    alice, pbx, other = scene.alice(), scene.pbx(), scene.pbx(6, "other")
    for _ in range(2):
        ask(alice, "INVITE")
        pbx.expect("INVITE")
    ask(alice, "MESSAGE")
    alice.expect(503)
    scene.log.has(reason="target-busy")
    ask(alice, "MESSAGE", "sip:+1@example.com")
    other.expect("MESSAGE")
    other.reply(200)
    alice.expect(200)


def connections(scene, kind):
    return scene.daemon.metrics()["transport_connections", kind]


def connect(scene, number=66):
    sock = socket.socket()
    sock.settimeout(PATIENCE)
    sock.bind((scene.net.host(number), 0))
    sock.connect(scene.proxy)
    return sock


def is_closed(sock, within=PATIENCE):
    sock.settimeout(within)
    try:
        return sock.recv(100) == b""
    except socket.timeout:
        return False
    except OSError:
        return True


def speaks(scene, number, known_to=None):
    """A connection over which a message came; known_to: with a password, of
    which the PBX heard."""
    phone = scene.phone("p%d" % number, number, port=0, transport="tcp",
                        user="alice")
    if known_to:
        serve(phone, known_to)
    else:
        phone.send("OPTIONS", "sip:bob@example.com")
        phone.expect(407)
    phone.wire.poll.unregister(phone.wire.flows[0].sock)
    return phone.wire.flows.pop().sock


def test_a_silent_connection_makes_room(scene):
    scene.start(limits={"connections": 3})
    held = [connect(scene, 60), speaks(scene, 61), connect(scene, 62)]
    extra = speaks(scene, 63)
    assert is_closed(held[0])
    assert [is_closed(sock, 0.1) for sock in held[1:] + [extra]] == \
        [False] * 3
    scene.log.has(reason="silent")
    for sock in held + [extra]:
        sock.close()


@pytest.mark.parametrize("why", ["banned", "connections-per-source"])
def test_who_is_refused_anyway_gets_no_room(scene, why):
    # or one source could end the handshakes of all others
    scene.start(limits={"connections": 3, "connections_per_source": 1},
                deny=[scene.net.host(66)])
    held = [connect(scene, 60), speaks(scene, 61), speaks(scene, 62)]
    extra = connect(scene, 66 if why == "banned" else 61)
    assert is_closed(extra)
    assert [is_closed(sock, 0.1) for sock in held] == [False] * 3
    scene.log.has(reason=why)
    for sock in held + [extra]:
        sock.close()


def test_connections_in_all(scene):
    scene.start(limits={"connections": 5})
    pbx = scene.pbx()
    held = [speaks(scene, 60 + n, known_to=pbx) for n in range(5)]
    assert not is_closed(held[0], 0.2)
    extra = connect(scene, 90)
    assert is_closed(extra)
    scene.log.has(reason="connections")
    held.pop().close()
    until(lambda: connections(scene, "accepted") == 4)
    again = connect(scene, 91)
    assert not is_closed(again, 0.3)
    for sock in held + [extra, again]:
        sock.close()


def test_connections_of_one_source(scene):
    scene.start(limits={"connections_per_source": 3})
    held = [connect(scene) for _ in range(3)]
    extra = connect(scene)
    assert is_closed(extra)
    alice, pbx = scene.alice(transport="tcp"), scene.pbx()
    serve(alice, pbx)
    for sock in held + [extra]:
        sock.close()


def test_a_connection_that_says_nothing_is_closed(scene):
    scene.start(limits={"first_message": "500ms"})
    begun = time.monotonic()
    sock = connect(scene)
    assert is_closed(sock)
    assert 0.3 < time.monotonic() - begun < 8      # 10 s by default
    sock.close()


def test_a_message_that_dribbles_in_is_cut_off(scene):
    scene.start(limits={"whole_message": "500ms"})
    sock = connect(scene)
    begun = time.monotonic()
    closed = False
    sock.settimeout(0.05)
    try:
        while not closed and time.monotonic() - begun < PATIENCE:
            sock.send(b"O")
            try:
                closed = sock.recv(1000) == b""
            except socket.timeout:
                pass
    except OSError:
        closed = True
    assert closed and time.monotonic() - begun < 4.5   # 5 s by default
    sock.close()


def test_keep_alives_do_not_hold_a_first_message_off(scene):
    scene.start(limits={"first_message": "500ms"})
    sock = connect(scene)
    begun = time.monotonic()
    try:
        while time.monotonic() - begun < PATIENCE:
            sock.send(b"\r\n\r\n")
            if is_closed(sock, 0.1):
                break
    except OSError:
        pass
    assert time.monotonic() - begun < 8            # 10 s by default
    sock.close()


def test_an_idle_connection_is_closed(scene):
    scene.start(limits={"idle": "1s"})
    alice, pbx = scene.alice(transport="tcp"), scene.pbx()
    serve(alice, pbx)
    assert alice.wire.wait_closed(alice.wire.flows[0])


def test_crlf_keep_alive_is_answered_over_tcp(scene):
    # RFC 5626 section 4.4.1
    scene.start()
    alice, pbx = scene.alice(transport="tcp"), scene.pbx()
    serve(alice, pbx)
    flow = alice.wire.flows[0]
    before = len(flow.got)
    flow.send(b"\r\n\r\n")
    deadline = time.monotonic() + PATIENCE
    while len(flow.got) == before and time.monotonic() < deadline:
        alice.wire.pump(0.05)
    assert flow.got[before:] == b"\r\n"
    serve(alice, pbx)


def test_crlf_over_udp_is_silence(scene):
    scene.start()
    alice, pbx = scene.alice(), scene.pbx()
    alice.raw(b"\r\n\r\n")
    alice.raw(b"\r\n")
    alice.raw(b"")
    alice.expect_nothing(0.2)
    serve(alice, pbx)


@pytest.mark.parametrize("count", [400])
def test_a_flood_of_connections(scene, count):
    scene.start(limits={"connections": 100, "connections_per_source": 80})
    held = []
    for n in range(count):
        try:
            held.append(connect(scene, 60 + n % 20))
        except OSError:
            pass
    alice, pbx = scene.alice(), scene.pbx()
    serve(alice, pbx)
    for sock in held:
        sock.close()
    time.sleep(0.3)
    call(scene.bob(transport="tcp"), pbx)


def test_one_user_does_not_use_up_connections_to_targets(scene):
    pbx_peer = scene.pbx_peer(
        uri="sip:%s:5060;transport=tcp" % scene.net.host(5))
    scene.start(limits={"connections": 10}, peers=[pbx_peer], routes=[
        {"from": "strangers", "uri": "*@127.*", "to": "request-uri",
         "egress": "none"}, {"to": "pbx"}])
    alice, bob, pbx = scene.alice(), scene.bob(), scene.pbx()
    serve(alice, pbx)
    for n in range(100, 140):
        target = scene.phone("t%d" % n, n, tcp_listen=True)
        ask(bob, "OPTIONS", "sip:x@%s;transport=tcp" % target.host)
        target.expect("OPTIONS")
        target.reply(200)
        bob.expect(200)
        if n % 5 == 0:
            serve(alice, pbx)
        assert connections(scene, "outgoing") <= 11
    assert scene.log.has(event="transport.refuse", reason="unused")
    # the PBX's was used all the time
    assert len(pbx.wire.flows) == 1
    call(alice, pbx)


def few_descriptors():
    resource.setrlimit(resource.RLIMIT_NOFILE, (600, 600))


def test_a_second_daemon_gets_none_of_our_packets(scene):
    scene.start(listen=[{"uri": "sip:%s:5060;transport=udp" % scene.at}])
    second = scene.daemon.run("-c", scene.daemon.config_path,
                              preexec_fn=few_descriptors)
    assert second.returncode == 1
    assert "event=listen.fail" in second.stderr
    assert "event=daemon.descriptors have=600 wanted=20500" in second.stderr
    alice, pbx = scene.alice(), scene.pbx()
    for _ in range(5):
        serve(alice, pbx)


def test_enough_descriptors_are_no_event(scene):
    scene.start(limits={"connections": 100})
    serve(scene.alice(), scene.pbx())
    assert "daemon.descriptors" not in scene.log.text()
