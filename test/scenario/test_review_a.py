"""Review: token misuse, loops through ourselves."""
import time
import pytest
from harness import check, sip
from harness.scene import ask, call, call_in, ringing, serve
from harness.phone import SDP

TOKEN = {"auth": {"in_dialog": "token"}}


def done(phone):
    got = phone.expect((200, 202, 403, 404, 407, 481, 400))
    if got.status == 407:
        phone.answer()
        got = phone.expect((200, 202, 403, 404, 481, 400, 407))
    return got


# a user's own token: REGISTER of somebody else's AOR
@pytest.mark.parametrize("mode", ["challenge", "token"])
def test_register_by_token_for_another(scene, mode):
    scene.start(auth={"in_dialog": mode})
    alice, pbx = scene.alice(), scene.pbx()
    call(alice, pbx)
    alice.in_dialog("REGISTER", uri="sip:example.com",
                    to="<sip:bob@example.com>")
    got = alice.receive(timeout=1)
    if got is not None and got.status == 407:
        alice._note(got)
        alice.answer()
    pbx.expect_nothing(0.5)


# a user's own token: fresh INVITE with another From
@pytest.mark.parametrize("mode", ["challenge", "token"])
def test_invite_by_token_as_another(scene, mode):
    scene.start(auth={"in_dialog": mode})
    alice, pbx = scene.alice(), scene.pbx()
    call(alice, pbx)
    tag = sip.params_of(alice.dialog.local)["tag"]
    alice.in_dialog("INVITE", uri="sip:0900@example.com",
                    to="<sip:0900@example.com>",
                    from_="<sip:bob@example.com>;tag=" + tag)
    got = alice.receive(timeout=1)
    if got is not None and got.status == 407:
        alice._note(got)
        alice.answer()
    pbx.expect_nothing(0.5)


# a stranger that the PBX called once: REGISTER without a password
def test_callee_by_address_registers(scene):
    scene.start(routes=[{"from": "pbx", "to": "request-uri"}, {"to": "pbx"}])
    pbx = scene.pbx()
    mallory = scene.mallory()
    pbx.send("INVITE", "sip:mallory@%s" % mallory.host, body=SDP)
    mallory.expect("INVITE")
    mallory.reply(200, body=SDP)
    pbx.expect(200)
    pbx.ack()
    mallory.expect("ACK")
    mallory.in_dialog("REGISTER", uri="sip:example.com",
                      to="<sip:bob@example.com>;tag=" + sip.params_of(
                          mallory.dialog.remote)["tag"])
    pbx.expect_nothing(0.5)


# the loop through ourselves
@pytest.mark.parametrize("transport", ["udp", "tcp"])
def test_a_user_comes_back_as_the_peer(scene, transport):
    net = "%s/24" % scene.net.host(0)
    carrier_host = scene.net.host(77)
    scene.start(
        listen=[{"name": "public", "uri": "sip:%s:5060" % scene.at},
                {"name": "inside", "uri": "sip:%s:5060" % scene.net.host(2)}],
        peers=[scene.pbx_peer(listener="inside",
                              **{"from": [scene.net.host(2), scene.net.host(5)]}),
               {"name": "carrier", "uri": "sip:%s" % carrier_host}],
        routes=[{"from": "pbx", "uri": "sip:+*@*", "to": "carrier"},
                {"to": "pbx"}])
    alice, pbx = scene.alice(), scene.pbx()
    carrier = scene.phone("carrier", 77)
    call(alice, pbx)
    tag = sip.params_of(alice.dialog.local)["tag"]
    alice.in_dialog("INVITE", uri="sip:+49900@example.com",
                    route=alice.dialog.routes + [
                        "<sip:%s;lr;transport=%s>" % (scene.net.host(2), transport)],
                    from_="<sip:ceo@example.com>;tag=" + tag)
    got = alice.receive(timeout=1)
    if got is not None and got.status == 407:
        alice._note(got)
        alice.answer()
    carrier.expect_nothing(0.5)


# prefer_member: any port of the peer's network
def test_internal_port(scene):
    scene.start(peers=[scene.pbx_peer(**{"from": [scene.net.host(5), scene.net.host(90)]})])
    alice, pbx = scene.alice(), scene.pbx()
    inner = scene.phone("inner", 90, port=6379)
    call(alice, pbx)
    alice.in_dialog("INFO", uri="sip:x@%s:6379" % inner.host)
    got = alice.receive(timeout=1)
    if got is not None and got.status == 407:
        alice._note(got)
        alice.answer()
    inner.expect_nothing(0.5)


# moved caller: re-INVITE and its ACK
def test_moved_caller_reinvite_ack(scene):
    scene.start()
    alice, pbx = scene.alice(), scene.pbx()
    call(alice, pbx)
    moved = scene.elsewhere(alice, "moved", 20)
    moved.in_dialog("INVITE", flow=moved.default_flow(), body=SDP)
    moved.expect(407)
    moved.answer()
    pbx.expect("INVITE")
    pbx.reply(200, body=SDP)
    moved.expect(200)
    moved.ack(flow=moved.default_flow())
    pbx.expect("ACK")


def test_foreign_cancel_other_case(scene):
    scene.start()
    alice, pbx = scene.alice(), scene.pbx()
    mallory = scene.mallory()
    ringing(alice, pbx)
    mallory.invite = alice.invite
    mallory.cancel(flow=mallory.default_flow(), via=alice.invite["Via"].replace(
        alice.invite.branch, "Z9HG4BK" + alice.invite.branch[7:].upper()))
    mallory.receive(timeout=0.3)
    pbx.expect_nothing(0.4)
    alice.expect_nothing(0)


def test_privacy_semicolon(scene):
    scene.start(routes=[{"from": "pbx", "to": "request-uri"}, {"to": "pbx"}])
    pbx = scene.pbx()
    bob = scene.bob()
    pbx.send("INVITE", "sip:bob@%s" % bob.host, body=SDP, headers=[
        ("Privacy", "user;id"), ("P-Asserted-Identity", "<sip:secret@example.com>")])
    got = bob.expect("INVITE")
    assert not got.all("P-Asserted-Identity")


def test_pai_in_response_of_stranger(scene):
    scene.start(routes=[{"from": "pbx", "to": "request-uri"}, {"to": "pbx"}])
    pbx = scene.pbx()
    bob = scene.bob()
    pbx.send("INVITE", "sip:bob@%s" % bob.host, body=SDP)
    bob.expect("INVITE")
    bob.reply(200, body=SDP, headers=[("P-Asserted-Identity", "<sip:ceo@example.com>")])
    got = pbx.expect(200)
    assert not got.all("P-Asserted-Identity")


def test_reload_with_record_route(scene):
    scene.start(record_route="sip.example.com")
    scene.daemon.reload()
    scene.log.has(event="config.reload") if 0 else time.sleep(0.5)
    alice, pbx = scene.alice(), scene.pbx()
    got = ringing(alice, pbx)
    assert "sip.example.com" in got["Record-Route"]


def test_cancel_of_a_pending_options(scene):
    scene.start()
    alice, pbx = scene.alice(), scene.pbx()
    ask(alice, "OPTIONS")
    pbx.expect("OPTIONS")
    alice.invite = alice.sent
    alice.invite_flow = alice.sent_flow
    alice.cancel()
    alice.expect(200)
    pbx.reply(200)
    alice.expect(200)


def test_expired_subscription_notify(scene):
    scene.start(auth={"dialog_max": "1s"})
    alice, pbx = scene.alice(), scene.pbx()
    call(alice, pbx)
    time.sleep(2.1)
    pbx.in_dialog("NOTIFY")
    got = pbx.receive(timeout=1)
    alice.in_dialog("SUBSCRIBE", uri="sip:asterisk@%s" % pbx.host)
    alice.expect(407)
    alice.answer()
    got2 = alice.receive(timeout=1)
    assert (got.status, got2.status) == (481, 481)


def test_username_with_at(scene):
    scene.users = [("alice", "wonderland"), ("al@ice", "x", ["sip:alice@example.com"])]
    scene.start()
    alice, pbx = scene.alice(user="al@ice"), scene.pbx()
    alice.password = "x"
    got = serve(alice, pbx, from_='"Anonymous" <sip:anonymous@anonymous.invalid>;tag=1')
    assert got.all("P-Asserted-Identity") == ["<sip:al%40ice@example.com>"]
