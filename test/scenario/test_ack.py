"""ACK and PRACK: never challenged, never answered, and no way in."""

import pytest

from harness import check, sip
from harness.phone import Dialog
from harness.scene import call, ringing


def test_ack_to_our_407_goes_no_further(scene):
    scene.start()
    alice, pbx = scene.alice(), scene.pbx()
    alice.send("INVITE", "sip:bob@example.com")
    alice.expect(407)
    pbx.expect_nothing(0.3)
    alice.expect_nothing(0.1)


def test_ack_to_our_407_in_a_dialog_goes_no_further(scene):
    # the To tag is the callee's there, and the Route has our token
    scene.start()
    alice, pbx = scene.alice(), scene.pbx()
    call(alice, pbx)
    alice.in_dialog("INVITE")
    alice.expect(407)
    pbx.expect_nothing(0.3)
    alice.answer()
    pbx.expect("INVITE")
    pbx.reply(200)
    alice.expect(200)
    alice.ack()
    pbx.expect("ACK")


def test_ack_to_a_2xx_passes_without_our_credentials(scene):
    scene.start()
    alice, pbx = scene.alice(), scene.pbx()
    ringing(alice, pbx)
    pbx.reply(200)
    alice.expect(200)
    theirs = 'Digest realm="pbx", response="1"'
    alice.ack(headers=[
        ("Proxy-Authorization", alice.invite["Proxy-Authorization"]),
        ("Proxy-Authorization", theirs)], body="v=0\r\n")
    got = pbx.expect("ACK")
    assert got.all("Proxy-Authorization") == [theirs]
    assert got.body == b"v=0\r\n"
    assert got["Max-Forwards"] == "69"
    check.lacks(got, "Route")


def test_ack_retransmission_passes_again(scene):
    scene.start()
    alice, pbx = scene.alice(), scene.pbx()
    call(alice, pbx)
    alice.ack()
    pbx.expect("ACK")


def test_ack_to_a_failure_of_the_pbx_is_hop_by_hop(scene):
    scene.start()
    alice, pbx = scene.alice(), scene.pbx()
    ringing(alice, pbx)
    pbx.reply(486)
    pbx.expect("ACK")
    alice.expect(486)
    pbx.expect_nothing(0.3)


def stray_ack(phone, **parts):
    request = phone.make("ACK", "sip:bob@example.com", **parts)
    phone.raw(request.encode())


def test_a_stray_ack_is_dropped(scene):
    scene.start()
    alice, pbx = scene.alice(), scene.pbx()
    stray_ack(alice)
    stray_ack(alice, to="<sip:bob@example.com>;tag=x",
              route=["<sip:%s;lr>" % scene.at])
    pbx.expect_nothing(0.3)
    alice.expect_nothing(0)
    scene.log.has(reason="ack-stray")


@pytest.mark.parametrize("parts", [
    {"max_forwards": "0"}, {"max_forwards": "x"},
    {"headers": [("Proxy-Require", "foo")]},
    {"cseq": 4294967296},
    {"from_": "<sip:a@b"},
    {"route": ["<sip:victim.test;lr>"]},
    {"headers": [("Call-ID", "twice")]},
])
def test_a_bad_ack_is_never_answered(scene, parts):
    scene.start()
    mallory, pbx = scene.mallory(), scene.pbx()
    stray_ack(mallory, **parts)
    mallory.expect_nothing(0.3)
    pbx.expect_nothing(0)


def test_ack_with_a_stolen_token_is_dropped(scene):
    scene.start()
    alice, pbx = scene.alice(), scene.pbx()
    ringing(alice, pbx)
    pbx.reply(200)
    alice.expect(200)
    mallory = scene.elsewhere(alice, "mallory", 66)
    mallory.ack(flow=mallory.default_flow())
    pbx.expect_nothing(0.3)
    mallory.expect_nothing(0)
    alice.ack()
    pbx.expect("ACK")


def test_ack_with_a_token_goes_to_the_other_side_only(scene):
    scene.start()
    alice, pbx = scene.alice(), scene.pbx()
    victim = scene.phone("victim", 77)
    call(alice, pbx)
    alice.ack(uri="sip:victim@%s" % victim.host)
    pbx.expect("ACK")
    alice.ack(route=alice.dialog.routes + ["<sip:%s;lr>" % victim.host])
    victim.expect_nothing(0.3)


def reliable(alice, pbx):
    ringing(alice, pbx, headers=[("Supported", "100rel")])
    pbx.reply(183, headers=[("Require", "100rel"), ("RSeq", "1")])
    got = alice.expect(183)
    alice.dialog = Dialog.of_caller(alice.invite, got)


def test_prack_passes_by_the_token(scene):
    scene.start()
    alice, pbx = scene.alice(), scene.pbx()
    reliable(alice, pbx)
    invite = pbx.request
    alice.in_dialog("PRACK", headers=[
        ("RAck", "1 %d INVITE" % alice.invite.cseq[0]),
        ("Proxy-Authorization", alice.invite["Proxy-Authorization"])])
    got = pbx.expect("PRACK")
    check.lacks(got, "Proxy-Authorization")
    pbx.reply(200)
    alice.expect(200)
    pbx.reply(200, to=invite)
    alice.expect(200)


def test_prack_of_a_stranger_is_no_way_in(scene):
    scene.start()
    mallory, pbx = scene.mallory(), scene.pbx()
    mallory.send("PRACK", "sip:bob@example.com", headers=[
        ("RAck", "1 1 INVITE")], to="<sip:bob@example.com>;tag=1")
    mallory.expect((403, 407, 481))
    pbx.expect_nothing(0.2)


def test_prack_with_a_stolen_token_is_no_way_in(scene):
    scene.start()
    alice, pbx = scene.alice(), scene.pbx()
    reliable(alice, pbx)
    mallory = scene.elsewhere(alice, "mallory", 66)
    mallory.in_dialog("PRACK", headers=[("RAck", "1 1 INVITE")],
                      flow=mallory.default_flow())
    mallory.expect((403, 407, 481))
    pbx.expect_nothing(0.2)


def test_ack_without_a_to_tag_of_ours_but_our_route(scene):
    scene.start()
    alice, pbx = scene.alice(), scene.pbx()
    call(alice, pbx)
    token = sip.uri_of(alice.dialog.routes[0])
    stray_ack(scene.mallory(), route=["<%s>" % token])
    pbx.expect_nothing(0.3)
