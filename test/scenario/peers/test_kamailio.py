"""Kamailio is the registrar behind the door: RFC 3327 with a real one."""

import pytest

from harness.scene import ask, call_in

PRIVATE = ("192.168.1.20", 5062)


def register(phone, **parts):
    ask(phone, "REGISTER", "sip:example.com", **parts)
    return phone.expect(200)


def desk_phone(scene):
    """A phone on the PBX's side, which reaches the PBX without a door."""
    out = scene.phone("desk", 30, proxy=(scene.net.host(5), 5060))
    return out


SUPPORTED = (("Supported", "path"),)

# A peer's `path`, whether its registrar knows Path, what the phone sends.
MODES = [
    ("rfc", True, SUPPORTED),
    ("always", True, ()),
    ("contact", False, ()),
]


@pytest.mark.parametrize("transport", ["udp", "tcp"])
@pytest.mark.parametrize("mode, use_path, headers", MODES,
                         ids=[m[0] for m in MODES])
def test_a_call_from_the_pbx_reaches_the_phone_behind_nat(
        scene, peers, transport, mode, use_path, headers):
    scene.start(peers=[scene.pbx_peer(path=mode)])
    peers.kamailio(use_path=use_path)
    alice = scene.alice(claims=PRIVATE, transport=transport)
    desk = desk_phone(scene)
    answer = register(alice, headers=headers)
    assert PRIVATE[0] in answer["Contact"], "its own Contact comes back"

    invite = call_in(desk, alice, "sip:alice@example.com")
    assert PRIVATE[0] in invite.uri, "the phone is called as it said"
    desk.bye()
    alice.expect("BYE")
    alice.reply(200)
    desk.expect(200)


@pytest.mark.parametrize("mode, use_path, headers", MODES,
                         ids=[m[0] for m in MODES])
def test_the_phone_behind_nat_hangs_up(scene, peers, mode, use_path, headers):
    scene.start(peers=[scene.pbx_peer(path=mode)])
    peers.kamailio(use_path=use_path)
    alice = scene.alice(claims=PRIVATE)
    desk = desk_phone(scene)
    register(alice, headers=headers)

    call_in(desk, alice, "sip:alice@example.com")
    alice.bye()
    desk.expect("BYE")
    desk.reply(200)
    alice.expect(200)


def test_a_refreshed_registration_is_no_second_binding(scene, peers):
    scene.start(peers=[scene.pbx_peer(path="contact")])
    peers.kamailio(use_path=False)
    alice = scene.alice(claims=PRIVATE)
    register(alice, call_id="one-phone")
    again = register(alice, call_id="one-phone", cseq=10)
    assert len(again.values("Contact")) == 1


def test_an_unregistered_user_gets_the_registrars_404(scene, peers):
    scene.start()
    peers.kamailio()
    alice = scene.alice()
    ask(alice, "MESSAGE", "sip:bob@example.com")
    assert "Nobody Registered" in alice.expect(404).reason
