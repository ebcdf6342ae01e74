"""Peers by address, and addresses in the wrong place."""

import pytest

from harness.scene import ask, call, serve


def test_a_peer_by_address_is_let_in(scene):
    scene.start(routes=[{"from": "pbx", "to": "request-uri"}, {"to": "pbx"}])
    pbx, bob = scene.pbx(), scene.bob()
    pbx.send("INVITE", "sip:bob@%s" % bob.host)
    bob.expect("INVITE")


def test_a_peers_network(scene):
    net = scene.net.host(0).rsplit(".", 1)[0] + ".4/30"
    scene.start(
        peers=[scene.pbx_peer(**{"from": [net]})],
        routes=[{"from": "pbx", "to": "request-uri"}])
    bob = scene.bob()
    inside, outside = scene.phone("in", 7), scene.phone("out", 8)
    inside.send("OPTIONS", "sip:bob@%s" % bob.host)
    bob.expect("OPTIONS")
    outside.send("OPTIONS", "sip:bob@%s" % bob.host)
    outside.expect((403, 407))
    bob.expect_nothing(0.1)


def test_a_peer_without_from_is_only_a_target(scene):
    scene.start(peers=[{"name": "pbx",
                        "uri": "sip:%s" % scene.net.host(5)}])
    alice, pbx = scene.alice(), scene.pbx()
    serve(alice, pbx)
    pbx.send("OPTIONS", "sip:bob@example.com")
    pbx.expect(407)


@pytest.mark.parametrize("transport, number, status", [
    ("udp", 1, 407),            # the public one: a stranger, over UDP
    ("udp", 2, 404),            # its own: a peer (and no way back)
])
def test_a_peers_address_on_another_listener(scene, transport, number,
                                             status):
    scene.start(**scene.inside_listener())
    pbx = scene.pbx()
    pbx.proxy = (scene.net.host(number), 5060)
    pbx.send("OPTIONS", "sip:bob@example.com")
    pbx.expect(status)
    if status == 407:
        scene.log.has(event="peer.misplaced", source="%s:5060" % pbx.host,
                      peer="pbx")


def test_a_misplaced_peer_may_prove_himself(scene):
    scene.start(**scene.inside_listener())
    pbx = scene.pbx(user="alice", password="wonderland")
    ask(pbx)
    pbx.expect("OPTIONS")


def test_a_peer_over_tcp_is_known_on_any_listener(scene):
    # a source address over TCP cannot be forged
    scene.start(**scene.inside_listener())
    pbx = scene.pbx()
    pbx.send("OPTIONS", "sip:bob@example.com", transport="tcp",
             flow=pbx.wire.connect(scene.proxy))
    pbx.expect(404)


def test_answers_leave_by_the_listener_of_the_request(scene):
    scene.start(**scene.inside_listener())
    pbx = scene.pbx()
    pbx.proxy = (scene.net.host(2), 5060)
    pbx.send("OPTIONS", "sip:bob@example.com")
    assert pbx.expect(404).flow.remote[0] == scene.net.host(2)


def test_a_peer_that_calls_out_and_is_called(scene):
    scene.start(
        peers=[scene.pbx_peer(), {
            "name": "carrier", "uri": "sip:%s" % scene.net.host(6),
            "from": [scene.net.host(6)], "auth": "ip"}],
        routes=[{"from": "pbx", "uri": "sip:+*@*", "to": "carrier"},
                {"to": "pbx"}])
    pbx, carrier = scene.pbx(), scene.pbx(6, "carrier")
    pbx.send("INVITE", "sip:+1555@example.com", body="v=0\r\n")
    carrier.expect("INVITE")
    carrier.reply(200)
    pbx.expect(200)
    pbx.ack()
    carrier.expect("ACK")
    carrier.bye()
    pbx.expect("BYE")
    pbx.reply(200)
    carrier.expect(200)
    carrier.send("OPTIONS", "sip:100@example.com")
    pbx.expect("OPTIONS")
    pbx.reply(200)
    carrier.expect(200)


def test_phone_and_peer_at_the_same_time(scene):
    scene.start()
    alice, bob, pbx = scene.alice(), scene.bob(), scene.pbx()
    call(alice, pbx)
    call(bob, pbx)
    scene.log.has(user="alice", reason="relayed")
    scene.log.has(user="bob", reason="relayed")
