"""RFC 5626, as the proxy next to the phone: `ob` in its Path."""

import pytest

from harness import sip
from harness.scene import ask

ASKS = [("Supported", "path, outbound")]
INSTANCE = '+sip.instance="<urn:uuid:00000000-0000-1000-8000-AABBCCDDEEFF>"'
STUN = {"limits": {"stun": "answer"}}


def path_of(scene, phone, headers=ASKS, reg_id=";reg-id=1", edit=None):
    """What the registrar is told about the way back."""
    pbx = scene.pbx()
    contact = "<%s>;%s%s" % (phone.contact, INSTANCE, reg_id)
    if edit is None:
        ask(phone, "REGISTER", "sip:example.com", contact=contact,
            headers=headers)
    else:
        phone.send("REGISTER", "sip:example.com", contact=contact,
                   headers=headers)
        phone.expect(407)
        request = phone.authorize(phone.again())
        edit(request)
        phone.post(request)
    return sip.uri_of(pbx.expect("REGISTER").values("Path")[0])


def has_ob(uri):
    params = sip.uri_params(uri)
    assert "lr" in params and sip.uri_user(uri)
    return "ob" in params


@pytest.mark.parametrize("transport", ["udp", "tcp"])
def test_who_asks_for_it_gets_it(scene, transport):
    scene.start(**STUN)
    assert has_ob(path_of(scene, scene.alice(transport=transport)))


def test_the_short_form_of_supported(scene):
    scene.start(**STUN)
    assert has_ob(path_of(scene, scene.alice(), [("k", "path, outbound")]))


def test_without_stun_no_flow_over_udp_would_last(scene):
    scene.start()
    assert not has_ob(path_of(scene, scene.alice()))


def test_a_connection_needs_no_stun(scene):
    scene.start()
    assert has_ob(path_of(scene, scene.alice(transport="tcp")))


@pytest.mark.parametrize("what", [
    {"headers": [("Supported", "path")]}, {"reg_id": ""}])
def test_who_does_not_ask(scene, what):
    scene.start(**STUN)
    assert not has_ob(path_of(scene, scene.alice(), **what))


def test_not_behind_another_proxy(scene):
    scene.start(**STUN)
    below = "SIP/2.0/UDP 192.168.1.10:5060;branch=%s" % sip.new_branch()
    assert not has_ob(path_of(
        scene, scene.alice(), edit=lambda request: request.headers.insert(
            1, ("Via", below))))


def test_it_can_be_switched_off(scene):
    scene.start(outbound=False, **STUN)
    assert not has_ob(path_of(scene, scene.alice()))


def test_the_flow_is_used_and_its_end_is_told(scene):
    scene.start()
    alice = scene.alice(transport="tcp")
    path = path_of(scene, alice)
    pbx = scene.pbx(name="pbx2", number=5, port=5062)
    pbx.send("MESSAGE", alice.contact, route=["<%s>" % path])
    alice.expect("MESSAGE")
    alice.reply(200)
    pbx.expect(200)
    alice.wire.drop(alice.wire.flows[0])
    scene.log.has(event="request.relayed", method="MESSAGE")
    for _ in range(20):
        pbx.send("MESSAGE", alice.contact, route=["<%s>" % path])
        if pbx.expect((430, 408, 503)).status == 430:
            break
    scene.log.has(reason="flow-gone")
