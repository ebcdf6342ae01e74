"""baresip registers and calls through the door, Kamailio behind it.

baresip 1.0 gives up when it sees a challenge with another algorithm than MD5,
also where there is one with MD5 beside it.
"""

import pytest

from harness.scene import SDP


def start(scene, **changes):
    scene.start(peers=[scene.pbx_peer(path="always")],
                auth={"algorithms": ["MD5"]}, **changes)


@pytest.mark.parametrize("transport", ["udp", "tcp"])
def test_baresip_calls_baresip(scene, peers, transport):
    """Both register through the door; the call goes in to the PBX, and comes
    out again on the flow that the callee registered over."""
    start(scene)
    peers.kamailio()
    alice = peers.baresip("alice", 10, transport=transport)
    bob = peers.baresip("bob", 11, transport=transport)
    alice.wait_registered()
    bob.wait_registered()

    alice.tell("dial", "sip:bob@example.com")
    bob.expect("CALL_ESTABLISHED")
    alice.expect("CALL_ESTABLISHED")
    alice.tell("hangup")
    alice.expect("CALL_CLOSED")
    bob.expect("CALL_CLOSED")
    scene.log.has(reason="relayed", method="BYE", status=200, count=2)


def test_baresip_calls_baresip_over_tls(scene, peers, pki):
    shown = pki.issuing.leaf("sip", "IP:" + scene.at)
    start(scene, listen=scene.listeners(scene.secure_listener(shown)))
    peers.kamailio()
    alice, bob = (peers.baresip(
        user, number, transport="tls", cafile=pki.root.crt)
        for user, number in (("alice", 10), ("bob", 11)))
    alice.wait_registered()
    bob.wait_registered()

    alice.tell("dial", "sip:bob@example.com")
    bob.expect("CALL_ESTABLISHED")
    alice.expect("CALL_ESTABLISHED")
    bob.tell("hangup")
    bob.expect("CALL_CLOSED")
    alice.expect("CALL_CLOSED")
    assert scene.daemon.metrics()["transport_messages_total", "tls"] > 8


def test_the_called_one_hangs_up(scene, peers):
    start(scene)
    peers.kamailio()
    alice = peers.baresip("alice", 10)
    bob = peers.baresip("bob", 11)
    alice.wait_registered()
    bob.wait_registered()

    alice.tell("dial", "sip:bob@example.com")
    alice.expect("CALL_ESTABLISHED")
    bob.expect("CALL_ESTABLISHED")
    bob.tell("hangup")
    bob.expect("CALL_CLOSED")
    alice.expect("CALL_CLOSED")


def test_baresip_with_a_wrong_password_does_not_register(scene, peers):
    start(scene)
    pbx = scene.pbx()
    peers.baresip("alice", 10, password="guess")
    scene.log.has(reason="wrong-password", method="REGISTER")
    pbx.expect_nothing()


def test_a_mailbox_answers_what_rang_elsewhere(scene, peers):
    """The 200 has another To tag than the 180: what the phone says then
    is of the dialog that it holds, and arrives."""
    start(scene)
    pbx = scene.pbx()
    alice = peers.baresip("alice", 10)
    register = pbx.expect("REGISTER")
    pbx.reply(200, contact=register["Contact"] + ";expires=600",
              headers=[("Path", v) for v in register.all("Path")])
    alice.wait_registered()
    alice.tell("dial", "sip:bob@example.com")
    invite = pbx.expect("INVITE")
    pbx.reply(180, to=invite, tag="one")
    pbx.reply(200, to=invite, tag="two", body=SDP)
    ack = pbx.expect("ACK")
    assert ack.to_tag == "two"
    alice.expect("CALL_ESTABLISHED")
    alice.tell("hold")
    again = pbx.expect("INVITE")
    assert again.to_tag == "two"
    pbx.reply(200, to=again, body=SDP)
    pbx.expect("ACK")
    alice.tell("hangup")
    assert pbx.expect("BYE").to_tag == "two"
    pbx.reply(200)
    scene.log.has(reason="relayed", method="BYE", status=200)
