"""What is too big for a datagram (RFC 3261 18.1.1)."""

import socket

import pytest

from harness import sip
from harness.scene import ask, call_in, register, serve

BIG = {"method": "MESSAGE", "body": b"x" * 2000,
       "headers": [("Content-Type", "text/plain")]}


def over(alice, pbx):
    """The transport that a MESSAGE took."""
    return serve(alice, pbx, **BIG).flow.transport


def deaf(scene, number=5):
    """A PBX without TCP: the port refuses."""
    return scene.pbx(number, tcp_listen=False)


@pytest.mark.parametrize("limits, size, transport", [
    ({}, 200, "udp"), ({}, 2000, "tcp"),
    ({"udp_max": 5000}, 2000, "udp"), ({"udp_max": 5000}, 6000, "tcp"),
    ({"udp_max": "off"}, 6000, "udp")])
def test_the_limit(scene, limits, size, transport):
    scene.start(limits=limits)
    alice, pbx = scene.alice(), scene.pbx()
    got = serve(alice, pbx, **dict(BIG, body=b"x" * size))
    assert got.flow.transport == transport
    assert got.via.split()[0] == "SIP/2.0/" + transport.upper()
    assert got.body == b"x" * size


@pytest.mark.parametrize("of_peer, limit, transport", [
    ("off", 1300, "udp"), (5000, 1300, "udp"), (1000, 5000, "tcp"),
    (0, 1300, "tcp")])
def test_a_limit_of_the_peer(scene, of_peer, limit, transport):
    scene.start(limits={"udp_max": limit},
                peers=[scene.pbx_peer(udp_max=of_peer)])
    alice, pbx = scene.alice(), scene.pbx()
    assert over(alice, pbx) == transport


def test_the_limit_counts_what_leaves(scene):
    """Our Via and the rest on top are part of it."""
    scene.start()
    alice, pbx = scene.alice(), scene.pbx()
    sizes = {"udp": [], "tcp": []}
    for size in range(600, 1300, 50):
        got = serve(alice, pbx, **dict(BIG, body=b"x" * size))
        sizes[got.flow.transport].append(len(got.encode()))
    # over TCP it is longer by a letter or two, never shorter
    assert max(sizes["udp"]) <= 1300 <= min(sizes["tcp"])


def test_udp_in_the_uri_is_meant(scene):
    host = scene.net.host(5)
    scene.start(peers=[scene.pbx_peer(
        uri="sip:%s:5060;transport=udp" % host)])
    assert over(scene.alice(), scene.pbx()) == "udp"


def test_both_transports_in_the_record_route(scene):
    scene.start()
    alice, pbx = scene.alice(), scene.pbx()
    ask(alice, **dict(BIG, method="INVITE"))
    got = pbx.expect("INVITE")
    assert got.flow.transport == "tcp"
    routes = [sip.uri_params(sip.uri_of(r)).get("transport")
              for r in got.values("Record-Route")]
    assert routes == ["tcp", None]


def test_never_to_a_phone(scene):
    scene.start()
    alice = scene.phone("alice", 10, port=40000)
    pbx = scene.pbx()
    contact, path = register(alice, pbx)
    invite = call_in(pbx, alice, contact, route=path, headers=[
        ("X-Filler", "y" * 2000)])
    assert invite.flow.transport == "udp"


def test_in_a_dialog_too(scene):
    scene.start()
    alice, pbx = scene.alice(), scene.pbx()
    ask(alice, "INVITE")
    pbx.expect("INVITE")
    pbx.reply(200)
    alice.expect(200)
    alice.ack()
    pbx.expect("ACK")
    alice.in_dialog("INFO", body=BIG["body"], headers=BIG["headers"])
    alice.expect(407)
    alice.answer()
    assert pbx.expect("INFO").flow.transport == "tcp"


def test_who_has_no_tcp_gets_it_over_udp(scene):
    scene.start()
    alice, pbx = scene.alice(), deaf(scene)
    assert over(alice, pbx) == "udp"
    scene.log.has(event="target.fail", reason="no-tcp")


def test_that_is_remembered(scene):
    scene.start()
    alice, pbx = scene.alice(), deaf(scene)
    for _ in range(3):
        assert over(alice, pbx) == "udp"
    assert len(scene.log.find(event="target.fail", reason="no-tcp")) == 1


def test_no_other_target_is_asked_for_that(scene):
    scene.start(peers=[scene.pbx_peer(uri=[
        "sip:" + scene.net.host(5), "sip:" + scene.net.host(6)])])
    alice, first, second = scene.alice(), deaf(scene), scene.pbx(6, "second")
    assert over(alice, first) == "udp"
    second.expect_nothing(0.1)


def silent_listener(host):
    """Full: the kernel drops every further SYN."""
    sock = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    sock.bind((host, 5060))
    sock.listen(0)
    fill = []
    for _ in range(4):
        one = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        one.setblocking(False)
        one.connect_ex((host, 5060))
        fill.append(one)
    return [sock, *fill]


def test_a_connection_that_is_never_made(scene):
    scene.start(timers={"t1": "100ms", "connect": "400ms"})
    alice, pbx = scene.alice(), deaf(scene)
    socks = silent_listener(pbx.host)
    try:
        assert over(alice, pbx) == "udp"
    finally:
        for sock in socks:
            sock.close()


def test_a_connection_that_breaks(scene):
    scene.start()
    alice, pbx = scene.alice(), scene.pbx()
    ask(alice, **BIG)
    got = pbx.expect("MESSAGE")
    assert got.flow.transport == "tcp"
    pbx.wire.drop(got.flow)
    again = pbx.expect("MESSAGE")
    assert again.flow.transport == "udp"
    pbx.reply(200)
    alice.expect(200)


def test_a_listener_without_tcp_has_no_way(scene):
    scene.start(listen=[{"uri": "sip:%s:5060;transport=udp" % scene.at}])
    assert over(scene.alice(), scene.pbx()) == "udp"
    scene.log.has_not(event="target.fail", settle=0)


def test_the_peers_listener_is_kept(scene):
    scene.start(listen=[
        {"name": "public", "uri": "sip:%s:5060" % scene.at},
        {"name": "inside",
         "uri": "sip:%s:5060;transport=udp" % scene.net.host(2)}],
        peers=[scene.pbx_peer(listener="inside")])
    assert over(scene.alice(), scene.pbx()) == "udp"


def test_an_egress_list_may_deny_it(scene):
    scene.start(routes=[{"to": "pbx", "egress": "no-tcp"}],
                egress=[{"name": "no-tcp", "deny": [
                    {"net": scene.net.host(5), "proto": "tcp"}]}])
    assert over(scene.alice(), scene.pbx()) == "udp"
    scene.log.has(event="egress.filtered", transport="tcp")
