"""Inside dialogs, and theft of the dialog token."""

import time

import pytest

from harness import check, sip
from harness.scene import call, ringing

TOKEN = {"auth": {"in_dialog": "token"}}


def answered(phone):
    """Challenged, then done."""
    phone.expect(407)
    phone.answer()


# ---- what must work

@pytest.mark.parametrize("method", ["BYE", "INVITE", "REFER", "INFO"])
def test_the_pbx_asks_the_phone(scene, method):
    scene.start()
    alice, pbx = scene.alice(), scene.pbx()
    call(alice, pbx)
    pbx.in_dialog(method)
    alice.expect(method)
    alice.reply(200)
    pbx.expect(200)


@pytest.mark.parametrize("method", ["BYE", "INVITE", "REFER", "INFO"])
def test_the_phone_asks_the_pbx_and_proves_it(scene, method):
    scene.start()
    alice, pbx = scene.alice(), scene.pbx()
    call(alice, pbx)
    alice.in_dialog(method)
    answered(alice)
    pbx.expect(method)
    pbx.reply(200)
    alice.expect(200)


def test_in_dialog_token_needs_no_challenge(scene):
    scene.start(**TOKEN)
    alice, pbx = scene.alice(), scene.pbx()
    call(alice, pbx)
    for method in ("INFO", "INVITE", "BYE"):
        alice.in_dialog(method)
        pbx.expect(method)
        pbx.reply(200)
        alice.expect(200)


def test_a_dialog_outlives_a_restart(scene):
    scene.start()
    alice, pbx = scene.alice(), scene.pbx()
    call(alice, pbx)
    scene.restart()
    pbx.in_dialog("INFO")
    alice.expect("INFO")
    alice.reply(200)
    pbx.expect(200)
    alice.bye()
    answered(alice)
    pbx.expect("BYE")


def test_a_caller_who_moved_proves_himself_again(scene):
    scene.start(**TOKEN)
    alice, pbx = scene.alice(), scene.pbx()
    call(alice, pbx)
    moved = scene.elsewhere(alice, "moved", 20)
    moved.bye(flow=moved.default_flow())
    answered(moved)
    pbx.expect("BYE")
    pbx.reply(200)
    moved.expect(200)


def test_a_token_ignores_the_table_of_routes(scene):
    scene.start(routes=[{"uri": "sip:bob@*", "to": "pbx"}])
    alice, pbx = scene.alice(), scene.pbx()
    call(alice, pbx)
    assert "bob@example.com" not in alice.dialog.target
    alice.bye()
    answered(alice)
    pbx.expect("BYE")


# ---- theft

def thief(scene, alice, **more):
    out = scene.elsewhere(alice, "mallory", 66, **more)
    out.password = "guess"
    return out


@pytest.mark.parametrize("method", ["BYE", "INVITE", "REFER", "MESSAGE"])
def test_a_token_from_another_address(scene, method):
    scene.start(**TOKEN)
    alice, pbx = scene.alice(), scene.pbx()
    call(alice, pbx)
    mallory = thief(scene, alice)
    mallory.in_dialog(method, flow=mallory.default_flow())
    mallory.expect(407)
    pbx.expect_nothing(0.2)
    alice.expect_nothing(0)


def test_a_token_from_another_port_of_the_same_address(scene):
    # behind one NAT stand many: an address is no person
    scene.start(**TOKEN)
    alice, pbx = scene.alice(), scene.pbx()
    call(alice, pbx)
    mallory = scene.elsewhere(alice, "mallory", 10, port=5099)
    mallory.in_dialog("BYE", flow=mallory.default_flow())
    mallory.expect(407)
    pbx.expect_nothing(0.2)


def test_a_token_over_another_transport(scene):
    scene.start(**TOKEN)
    alice, pbx = scene.alice(), scene.pbx()
    call(alice, pbx)
    mallory = scene.elsewhere(alice, "mallory", 10, transport="tcp")
    mallory.in_dialog("BYE", flow=mallory.default_flow())
    mallory.expect(407)
    pbx.expect_nothing(0.2)


def test_a_token_with_the_other_users_password(scene):
    scene.start(**TOKEN)
    alice, pbx = scene.alice(), scene.pbx()
    call(alice, pbx)
    mallory = thief(scene, alice)
    mallory.user, mallory.password = "bob", "builder"
    mallory.bye(flow=mallory.default_flow())
    answered(mallory)
    mallory.expect(403)
    pbx.expect_nothing(0.2)


def test_a_token_used_by_the_called_side_from_elsewhere(scene):
    scene.start()
    alice, pbx = scene.alice(), scene.pbx()
    call(alice, pbx)
    mallory = scene.mallory()
    mallory.in_dialog("BYE", pbx.dialog, flow=mallory.default_flow())
    mallory.expect((403, 407))
    alice.expect_nothing(0.2)


@pytest.mark.parametrize("how", ["uri", "route", "both"])
def test_a_token_towards_another_target(scene, how):
    scene.start(**TOKEN)
    alice, pbx = scene.alice(), scene.pbx()
    victim = scene.phone("victim", 77)
    call(alice, pbx)
    parts = {}
    if how in ("uri", "both"):
        parts["uri"] = "sip:victim@%s" % victim.host
    if how in ("route", "both"):
        parts["route"] = alice.dialog.routes + [
            "<sip:%s;lr>" % victim.host]
    alice.in_dialog("INFO", **parts)
    victim.expect_nothing(0.3)
    got = pbx.receive(timeout=0)
    assert got is None or got.method == "INFO"


def test_a_token_under_another_call_id(scene):
    scene.start(**TOKEN)
    alice, pbx = scene.alice(), scene.pbx()
    call(alice, pbx)
    alice.in_dialog("INFO", call_id="another")
    alice.expect(407)
    pbx.expect_nothing(0.2)


def test_a_token_under_other_tags(scene):
    scene.start(**TOKEN)
    alice, pbx = scene.alice(), scene.pbx()
    call(alice, pbx)
    alice.in_dialog("INFO", from_="<sip:alice@example.com>;tag=other")
    alice.expect(407)
    pbx.expect_nothing(0.2)


def test_a_token_with_replaces(scene):
    scene.start(**TOKEN)
    alice, pbx = scene.alice(), scene.pbx()
    call(alice, pbx)
    alice.in_dialog("INVITE", headers=[
        ("Replaces", "other@call;to-tag=1;from-tag=2")])
    alice.expect(407)
    pbx.expect_nothing(0.2)


@pytest.mark.parametrize("at, method", [
    (0, "INFO"), (5, "INFO"), (30, "INFO"), (-15, "INFO"), (-15, "BYE"),
    (-1, "INVITE")])
def test_a_token_that_was_changed(scene, at, method):
    """In its end it says whose dialog of the call it is."""
    scene.start(**TOKEN)
    alice, pbx = scene.alice(), scene.pbx()
    call(alice, pbx)
    token = sip.uri_user(sip.uri_of(alice.dialog.routes[0]))
    at %= len(token)
    other = token[:at] + ("A" if token[at] != "A" else "Q") + token[at + 1:]
    alice.dialog.routes[0] = alice.dialog.routes[0].replace(token, other)
    alice.in_dialog(method)
    alice.expect(407)
    pbx.expect_nothing(0.2)


def test_a_token_after_its_end(scene):
    scene.start(auth=dict(TOKEN["auth"], dialog_max="3s"))
    alice, pbx = scene.alice(), scene.pbx()
    call(alice, pbx)
    alice.in_dialog("INFO")
    pbx.expect("INFO")
    pbx.reply(200)
    alice.expect(200)
    time.sleep(4.1)
    alice.in_dialog("INFO")
    alice.expect(481)
    pbx.expect_nothing(0.2)


def test_no_token_at_all(scene):
    scene.start(**TOKEN)
    alice, pbx = scene.alice(), scene.pbx()
    call(alice, pbx)
    alice.dialog.routes = ["<sip:%s;lr>" % scene.at]
    alice.in_dialog("INFO")
    alice.expect(407)
    pbx.expect_nothing(0.2)


def test_the_token_of_one_call_in_another(scene):
    scene.start(**TOKEN)
    alice, pbx = scene.alice(), scene.pbx()
    call(alice, pbx)
    first = alice.dialog.routes
    call(alice, pbx)
    alice.in_dialog("INFO", route=first)
    alice.expect(407)
    pbx.expect_nothing(0.2)


def test_another_peer_with_the_pbxs_token(scene):
    scene.start(
        peers=[scene.pbx_peer(), {
            "name": "carrier", "uri": "sip:%s" % scene.net.host(6),
            "from": [scene.net.host(6)], "auth": "ip"}],
        routes=[{"from": "carrier", "uri": "sip:+*@*", "to": "pbx"},
                {"to": "pbx"}])
    alice, pbx, carrier = scene.alice(), scene.pbx(), scene.pbx(6, "carrier")
    call(alice, pbx)
    carrier.in_dialog("BYE", pbx.dialog, flow=carrier.default_flow())
    alice.expect_nothing(0.3)


def test_a_token_of_a_call_that_was_never_answered_gives_nothing(scene):
    scene.start(**TOKEN)
    alice, pbx = scene.alice(), scene.pbx()
    invite = ringing(alice, pbx)
    mallory = scene.mallory()
    mallory.send("MESSAGE", "sip:bob@example.com",
                 call_id=invite.call_id, from_=invite["From"],
                 route=invite.values("Record-Route"))
    mallory.expect(407)
    pbx.expect_nothing(0.2)


def test_the_token_shows_no_user_and_no_address(scene):
    scene.start()
    alice, pbx = scene.alice(), scene.pbx()
    invite = call(alice, pbx)
    assert len(invite["Record-Route"]) < 400
    check.is_loose(invite["Record-Route"])
