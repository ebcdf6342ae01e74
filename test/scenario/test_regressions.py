"""Faults that were found, and must not come back."""

import re
import signal
import socket
import struct
import time

import pytest

from harness import sip
from harness.dns import DnsServer
from harness.phone import SDP
from harness.scene import ask, call, call_in, ringing, serve


def prove(phone):
    """Answer a challenge, if one comes; returns the last answer."""
    got = phone.receive()
    if got is not None and not got.is_request and got.status == 407:
        phone._note(got)
        phone.answer()
        got = phone.receive()
    return got


def tag_of(name_addr):
    return ";tag=" + sip.params_of(name_addr)["tag"]


# ---- what a dialog token is no ticket for

@pytest.mark.parametrize("method", ["REGISTER", "PUBLISH"])
@pytest.mark.parametrize("mode", ["challenge", "token"])
def test_a_token_does_not_register_another(scene, mode, method):
    scene.start(auth={"in_dialog": mode})
    alice, pbx = scene.alice(), scene.pbx()
    call(alice, pbx)
    alice.in_dialog(method, uri="sip:example.com", to="<sip:bob@example.com>",
                    from_="<sip:bob@example.com>" +
                    tag_of(alice.dialog.local))
    got = prove(alice)
    assert got is not None and got.status in (403, 407)
    pbx.expect_nothing(0.2)


@pytest.mark.parametrize("mode", ["challenge", "token"])
def test_a_token_does_not_open_a_call_as_another(scene, mode):
    # without a To tag it is a new call, whatever Call-ID and From tag say
    scene.start(auth={"in_dialog": mode})
    alice, pbx = scene.alice(), scene.pbx()
    call(alice, pbx)
    alice.in_dialog("INVITE", uri="sip:0900@example.com",
                    to="<sip:0900@example.com>",
                    from_="<sip:bob@example.com>" +
                    tag_of(alice.dialog.local))
    assert prove(alice).status == 403
    pbx.expect_nothing(0.2)


@pytest.mark.parametrize("tag", [";tag=", ";tag", ';tag=""', ";tag= ;x=y"])
def test_a_to_tag_that_is_none(scene, tag):
    scene.start(auth={"in_dialog": "token"})
    alice, pbx = scene.alice(), scene.pbx()
    call(alice, pbx)
    alice.in_dialog("INVITE", uri="sip:0900@example.com",
                    to="<sip:0900@example.com>" + tag,
                    from_="<sip:bob@example.com>" +
                    tag_of(alice.dialog.local))
    pbx.expect_nothing(0.3)


def test_who_was_called_does_not_register_without_a_password(scene):
    scene.start(routes=[{"from": "pbx", "to": "request-uri"}, {"to": "pbx"}])
    pbx, mallory = scene.pbx(), scene.mallory()
    pbx.send("INVITE", "sip:mallory@%s" % mallory.host, body=SDP)
    mallory.expect("INVITE")
    mallory.reply(200, body=SDP)
    pbx.expect(200)
    pbx.ack()
    mallory.expect("ACK")
    mallory.in_dialog("REGISTER", uri="sip:example.com",
                      to="<sip:bob@example.com>" +
                      tag_of(mallory.dialog.remote))
    mallory.expect(407)
    pbx.expect_nothing(0.2)


# ---- nobody comes back to us as a peer

def looping(scene):
    """A peer whose addresses hold one of ours, and a carrier."""
    inside = scene.net.host(2)
    scene.start(
        listen=[{"name": "public", "uri": "sip:%s:5060" % scene.at},
                {"name": "inside", "uri": "sip:%s:5060" % inside}],
        peers=[scene.pbx_peer(listener="inside",
                              **{"from": [inside, scene.net.host(5)]}),
               {"name": "carrier", "uri": "sip:%s" % scene.net.host(77)}],
        routes=[{"from": "pbx", "uri": "sip:+*@*", "to": "carrier"},
                {"from": "pbx", "to": "request-uri"}, {"to": "pbx"}])
    return inside, scene.phone("carrier", 77)


@pytest.mark.parametrize("transport", ["udp", "tcp"])
@pytest.mark.parametrize("host", ["%s", "[::ffff:%s]"])
def test_a_user_does_not_come_back_as_the_peer(scene, host, transport):
    inside, carrier = looping(scene)
    alice, pbx = scene.alice(), scene.pbx()
    call(alice, pbx)
    alice.in_dialog("INVITE", uri="sip:+49900@%s;transport=%s" % (
        host % inside, transport))
    prove(alice)
    carrier.expect_nothing(0.3)


def test_who_was_called_does_not_come_back_as_the_peer(scene):
    inside, carrier = looping(scene)
    mallory, pbx = scene.mallory(), scene.pbx(proxy=(inside, 5060))
    pbx.send("INVITE", "sip:mallory@%s" % mallory.host, body=SDP)
    mallory.expect("INVITE")
    mallory.reply(200, body=SDP)
    pbx.expect(200)
    pbx.ack()
    mallory.expect("ACK")
    mallory.in_dialog("INVITE", uri="sip:+49900@%s" % inside)
    carrier.expect_nothing(0.3)


# ---- identities

@pytest.mark.parametrize("uri", [
    "sip:alice@example.com/.evil.test", "sip:alice@example.com?a=b@evil.test",
    "sip:alice@example.com;a=b@evil.test", "sip:alice@example.com#evil.test",
])
@pytest.mark.parametrize("header", ["From", "P-Preferred-Identity"])
def test_an_identity_that_can_be_read_in_two_ways(scene, header, uri):
    scene.start()
    alice, pbx = scene.alice(), scene.pbx()
    if header == "From":
        alice.send("OPTIONS", "sip:bob@example.com",
                   from_="<%s>;tag=1" % uri)
    else:
        alice.send("OPTIONS", "sip:bob@example.com",
                   headers=[(header, "<%s>" % uri)])
    assert prove(alice).status in (400, 403)
    pbx.expect_nothing(0.1)


def test_an_asserted_user_is_escaped(scene):
    scene.users = [("al@ice", "x")]
    scene.start()
    alice, pbx = scene.alice(user="al@ice", password="x"), scene.pbx()
    got = serve(alice, pbx, from_="<sip:anonymous@anonymous.invalid>;tag=1",
                contact=False)
    assert got.all("P-Asserted-Identity") == ["<sip:al%40ice@example.com>"]


@pytest.mark.parametrize("privacy", ["user;id", "id;critical", "id", "ID"])
def test_privacy_has_semicolons(scene, privacy):
    scene.start(routes=[{"from": "pbx", "to": "request-uri"}, {"to": "pbx"}])
    pbx, bob = scene.pbx(), scene.bob()
    pbx.send("INVITE", "sip:bob@%s" % bob.host, body=SDP, headers=[
        ("Privacy", privacy),
        ("P-Asserted-Identity", "<sip:secret@example.com>")])
    assert not bob.expect("INVITE").has("P-Asserted-Identity")


def test_a_stranger_asserts_nothing_in_an_answer(scene):
    scene.start(routes=[{"from": "pbx", "to": "request-uri"}, {"to": "pbx"}])
    pbx, bob = scene.pbx(), scene.bob()
    pbx.send("INVITE", "sip:bob@%s" % bob.host, body=SDP)
    bob.expect("INVITE")
    bob.reply(200, body=SDP, headers=[
        ("P-Asserted-Identity", "<sip:ceo@example.com>")])
    assert not pbx.expect(200).has("P-Asserted-Identity")
    bob.reply(200, body=SDP, tag="another", headers=[
        ("P-Asserted-Identity", "<sip:ceo@example.com>")])
    assert not pbx.expect(200).has("P-Asserted-Identity")


def test_a_peer_asserts_in_a_late_answer_what_is_not_private(scene):
    scene.start()
    alice, pbx = scene.alice(), scene.pbx()
    ringing(alice, pbx)
    asserted = [("P-Asserted-Identity", "<sip:bob@example.com>")]
    pbx.reply(200, body=SDP, headers=asserted)
    assert alice.expect(200).has("P-Asserted-Identity")
    pbx.reply(200, body=SDP, tag="another", headers=asserted)
    assert alice.expect(200).has("P-Asserted-Identity")
    pbx.reply(200, body=SDP, tag="third",
              headers=asserted + [("Privacy", "id")])
    assert not alice.expect(200).has("P-Asserted-Identity")


# ---- CANCEL

def test_a_foreign_cancel_in_other_letters(scene):
    # a branch is its bytes: in other letters it is another one
    scene.start()
    alice, pbx, mallory = scene.alice(), scene.pbx(), scene.mallory()
    ringing(alice, pbx)
    mallory.invite, branch = alice.invite, alice.invite.branch
    mallory.cancel(flow=mallory.default_flow(), via=alice.invite["Via"]
                   .replace(branch, "Z9HG4BK" + branch[7:].upper()))
    mallory.expect(481)
    pbx.expect_nothing(0.3)
    alice.expect_nothing(0)


def test_a_foreign_cancel_of_a_branch_without_the_cookie(scene):
    # all of its bytes, whatever the first seven are
    scene.start()
    alice, pbx, mallory = scene.alice(), scene.pbx(), scene.mallory()
    alice.send("INVITE", "sip:bob@example.com", body=SDP)
    alice.expect(407)
    request = alice.authorize(alice.again())
    alice.post(request.set("Via", request["Via"].replace(
        "z9hG4bK", "old-one")))
    pbx.expect("INVITE")
    pbx.reply(180)
    alice.expect(180)
    mallory.invite = alice.invite
    mallory.cancel(flow=mallory.default_flow(), via=alice.invite["Via"]
                   .replace("old-one", "z9hG4bK"))
    mallory.expect(481)
    pbx.expect_nothing(0.3)


def ringing_over_tcp(scene, bob, pbx, path):
    pbx.send("INVITE", bob.contact, route=path, body=SDP)
    bob.expect("INVITE")
    bob.reply(180)
    pbx.expect(180)


def test_a_cancel_that_finds_the_connection_broken(scene):
    # it fails while it is being sent, and with it the INVITE
    scene.start(peers=[scene.pbx_peer(path="always")])
    pbx = scene.pbx()
    for i in range(6):
        bob = scene.bob(transport="tcp")
        ask(bob, "REGISTER", "sip:example.com")
        path = pbx.expect("REGISTER").values("Path")
        pbx.reply(200)
        bob.expect(200)
        ringing_over_tcp(scene, bob, pbx, path)
        scene.daemon.signal(signal.SIGSTOP)
        pbx.cancel()
        flow = bob.wire.flows[-1]
        flow.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER,
                             struct.pack("ii", 1, 0))
        bob.wire.drop(flow)
        time.sleep(0.05)
        scene.daemon.signal(signal.SIGCONT)
        got = [pbx.expect((200, 487, 500)), pbx.expect((200, 487, 500))]
        assert sorted(x.cseq[1] for x in got) == ["CANCEL", "INVITE"]


def test_a_cancel_says_why(scene):
    # RFC 3326: or every phone of a group shows a missed call
    reason = 'SIP;cause=200;text="Call completed elsewhere"'
    scene.start()
    alice, pbx = scene.alice(), scene.pbx()
    ringing(alice, pbx)
    alice.cancel(headers=[("Reason", reason)])
    alice.expect(200)
    assert pbx.expect("CANCEL").all("Reason") == [reason]


def test_what_rings_is_cancelled_when_we_stop(scene):
    scene.start()
    alice, pbx = scene.alice(), scene.pbx()
    ringing(alice, pbx)
    scene.daemon.signal(signal.SIGTERM)
    scene.log.has(event="daemon.drain")
    scene.daemon.signal(signal.SIGTERM)
    alice.expect(503)
    pbx.expect("CANCEL")


def test_dialogs_go_on_while_we_stop(scene):
    scene.start(auth={"in_dialog": "token"})
    alice, bob, pbx = scene.alice(), scene.bob(), scene.pbx()
    call(alice, pbx)
    ringing(bob, pbx)               # this holds the end off
    scene.daemon.signal(signal.SIGTERM)
    scene.log.has(event="daemon.drain")
    carol = scene.phone("carol", 12, user="bob", password="builder")
    carol.send("OPTIONS", "sip:bob@example.com")
    carol.expect(503)
    alice.bye()
    pbx.expect("BYE")
    pbx.reply(200)
    alice.expect(200)
    bob.cancel()
    pbx.expect("CANCEL")
    bob.expect(200)


# ---- lost

def test_the_ack_of_a_caller_who_moved(scene):
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


def test_a_reinvite_without_a_branch(scene):
    # RFC 2543: the Call-ID alone does not make it a retransmission
    scene.start(auth={"in_dialog": "token"})
    alice, pbx = scene.alice(), scene.pbx()

    def without_branch(request):
        return request.set("Via", re.sub(r";branch=[^;]+", "",
                                         request["Via"]))
    alice.send("INVITE", "sip:bob@example.com", body=SDP)
    alice.expect(407)
    alice.post(without_branch(alice.authorize(alice.again())))
    pbx.expect("INVITE")
    pbx.reply(200, body=SDP)
    alice.expect(200)
    alice.ack()
    pbx.expect("ACK")
    d = alice.dialog
    alice.post(without_branch(alice.make(
        "INVITE", d.target, cseq=d.cseq + 1, from_=d.local, to=d.remote,
        call_id=d.call_id, route=d.routes, body=SDP)))
    pbx.expect("INVITE")


def test_a_2xx_again_after_a_long_ring(scene):
    # longer than Timer C, which each provisional answer starts anew
    scene.start(timers={"t1": "50ms", "c": "3s"})
    alice, pbx = scene.alice(), scene.pbx()
    ask(alice, "INVITE", body=SDP)
    pbx.expect("INVITE")
    for i in range(12):
        pbx.reply(180, headers=[("X-Number", str(i))])
        alice.expect(180)
        time.sleep(0.5)
    pbx.reply(200, body=SDP)
    alice.expect(200)
    pbx.reply(200, body=SDP)
    alice.expect_again(200)


def test_a_non_invite_ends_with_its_callers_patience(scene):
    # 64*T1 after it was sent nobody waits for the next target's answer
    hosts = [scene.net.host(i) for i in (6, 7)]
    scene.start(peers=[scene.pbx_peer(uri=["sip:%s" % h for h in hosts])],
                timers={"t1": "20ms"})
    alice = scene.alice()
    first, second = scene.phone("first", 6), scene.phone("second", 7)
    ask(alice, "MESSAGE", body="x")
    first.expect("MESSAGE")
    second.expect_nothing(2)


def test_a_subscription_older_than_its_token_is_481(scene):
    # 403 would end it for good; after 481 the phone subscribes again
    scene.start(auth={"dialog_max": "3s"})
    alice, pbx = scene.alice(), scene.pbx()
    call(alice, pbx)
    time.sleep(4.1)
    pbx.in_dialog("NOTIFY")
    pbx.expect(481)
    alice.in_dialog("SUBSCRIBE", uri="sip:pbx@%s" % pbx.host)
    assert prove(alice).status == 481


# ---- the process

def test_record_route_outlives_a_reload(scene):
    scene.start(record_route="sip.example.com")
    scene.daemon.reload()
    scene.log.has(event="daemon.reload")
    alice, pbx = scene.alice(), scene.pbx()
    assert "@sip.example.com" in ringing(alice, pbx)["Record-Route"]


def test_the_end_while_an_ack_waits_for_a_name(scene, tmp_path):
    server = DnsServer(scene.net.host(53))
    server.silent = True
    conf = tmp_path / "resolv.conf"
    conf.write_text("nameserver %s\nport %d\n" % (server.host, server.port))
    scene.start(routes=[{"from": "pbx", "to": "request-uri"}],
                resolv_conf=str(conf))
    pbx = scene.pbx()
    pbx.raw(pbx.make("ACK", "sip:x@slow.test:5060",
                     to="<sip:x@slow.test>;tag=1").encode())
    time.sleep(0.2)
    scene.daemon.stop()
    server.close()


# ---- ways of a dialog

def test_no_other_port_of_the_peers_network(scene):
    # the sender names the next hop, and is let into no other service there
    inner_host = scene.net.host(90)
    scene.start(peers=[scene.pbx_peer(
        **{"from": [scene.net.host(5), inner_host]})])
    alice, pbx = scene.alice(), scene.pbx()
    inner = scene.phone("inner", 90, port=6379)
    call(alice, pbx)
    alice.in_dialog("INFO", uri="sip:x@%s:6379" % inner_host)
    alice.expect(407)
    alice.answer()
    pbx.expect("INFO")
    inner.expect_nothing(0.3)


def test_a_pbx_that_stays_out_of_the_dialog(scene):
    # it routes the call back through us and does not record-route
    scene.start(auth={"in_dialog": "token"})
    alice, pbx = scene.alice(), scene.pbx()
    bob = scene.bob(claims=("192.168.1.10", 5060), port=40001)
    ask(bob, "REGISTER", "sip:example.com")
    path = pbx.expect("REGISTER").values("Path")
    pbx.reply(200)
    bob.expect(200)
    ask(alice, "INVITE", body=SDP)
    onward = pbx.expect("INVITE").copy()
    onward.start = "INVITE %s SIP/2.0" % bob.contact
    onward.headers.insert(0, ("Via", "SIP/2.0/UDP %s:5060;branch=%s" % (
        pbx.host, sip.new_branch())))
    for one in path:
        onward.headers.insert(1, ("Route", one))
    pbx.raw(onward.encode())
    bob.expect("INVITE")
    bob.reply(200, body=SDP)
    back = pbx.expect(200).copy()
    vias = back.values("Via")[1:]
    back.remove("Via")
    for via in reversed(vias):
        back.push("Via", via)
    pbx.raw(back.encode())
    alice.expect(200)
    alice.ack()
    bob.expect("ACK")
    bob.in_dialog("INFO")
    alice.expect("INFO")
    alice.reply(200)
    bob.expect(200)


def test_a_called_phone_that_reconnects_hangs_up(scene):
    scene.start()
    pbx = scene.pbx()
    bob = scene.bob(transport="tcp")
    ask(bob, "REGISTER", "sip:example.com")
    path = pbx.expect("REGISTER").values("Path")
    pbx.reply(200)
    bob.expect(200)
    call_in(pbx, bob, bob.contact, route=path)
    bob.wire.drop(bob.wire.flows[-1])
    bob.in_dialog("BYE", flow=bob.default_flow())
    bob.expect(407)
    bob.answer()
    pbx.expect("BYE")
    pbx.reply(200)
    bob.expect(200)


# ---- where a message ends

SMUGGLED = sip.octets(
    "INVITE sip:0900@example.com SIP/2.0\r\n"
    "Via: SIP/2.0/TCP 192.0.2.1;branch=z9hG4bKx\r\n"
    "From: <sip:boss@example.com>;tag=x\r\nTo: <sip:0900@example.com>\r\n"
    "Call-ID: x\r\nCSeq: 1 INVITE\r\nContent-Length: 0\r\n\r\n")


def without_length(message):
    message.remove("Content-Length")
    message.body = SMUGGLED
    return message


def is_one_message(pbx):
    end = b"\r\nContent-Length: %d\r\n" % len(SMUGGLED)
    assert end in pbx.wire.flows[-1].got
    pbx.expect_nothing(0.2)


def test_a_body_does_not_become_a_request_on_a_stream(scene):
    # a datagram need not say how long its body is; a stream must
    host = scene.net.host(5)
    scene.start(peers=[scene.pbx_peer(
        uri="sip:%s:5060;transport=tcp" % host)])
    alice, pbx = scene.alice(), scene.pbx()
    alice.send("MESSAGE", "sip:bob@example.com")
    alice.expect(407)
    alice.post(without_length(alice.authorize(alice.again())))
    assert pbx.expect("MESSAGE").body == SMUGGLED
    is_one_message(pbx)


def test_the_body_of_an_answer_does_not_become_a_request(scene):
    scene.start(routes=[{"from": "pbx", "to": "request-uri"}, {"to": "pbx"}])
    pbx, bob = scene.pbx(transport="tcp"), scene.bob()
    pbx.send("OPTIONS", "sip:bob@%s" % bob.host)
    bob.expect("OPTIONS")
    bob.reply(200, edit=without_length)
    assert pbx.expect(200).body == SMUGGLED
    is_one_message(pbx)


# ---- where an answer goes

def test_a_peer_that_listens_at_another_port_than_it_sends_from(scene):
    # RFC 3261 18.2.2: without rport the answer goes to the port of sent-by
    scene.start()
    alice, pbx, sender = scene.alice(), scene.pbx(), scene.pbx(
        name="sender", port=5099, tcp_listen=False)
    sender.claims = (pbx.host, 5060)
    request = sender.make("OPTIONS", "sip:alice@example.com",
                          max_forwards="0")
    sender.post(request.set("Via", request["Via"].replace(";rport", "")))
    pbx.expect(483)
    sender.post(sender.make("OPTIONS", "sip:alice@example.com",
                            max_forwards="0"))
    sender.expect(483)
    alice.expect_nothing(0)


@pytest.mark.parametrize("status", ["700", "999", "1200", "200200"])
def test_a_status_that_is_none(scene, status):
    scene.start()
    alice, pbx = scene.alice(), scene.pbx()
    ask(alice)
    pbx.expect("OPTIONS")
    pbx.reply(200, edit=lambda m: setattr(m, "start",
                                          "SIP/2.0 %s Odd" % status))
    alice.expect_nothing(0.3)
    pbx.reply(200)
    alice.expect(200)


# ---- what rings

def test_an_unreachable_target_does_not_end_what_rings(scene):
    # RFC 3261 17.1.1.2: an INVITE that rings sends nothing that could fail
    scene.start()
    alice, bob, pbx = scene.alice(), scene.bob(), scene.pbx()
    ringing(alice, pbx)
    pbx.wire.poll.unregister(pbx.wire.udp)
    pbx.wire.udp.close()
    ask(bob)
    bob.expect(500)
    alice.expect_nothing(0.3)


def test_timer_c_after_a_call_that_was_cancelled(scene):
    scene.start(timers={"t1": "100ms", "c": "2s"})
    alice, bob, pbx = scene.alice(), scene.bob(), scene.pbx()
    invite = ringing(alice, pbx)
    alice.cancel()
    pbx.reply(200, to=pbx.expect("CANCEL"))
    pbx.reply(487, to=invite)
    alice.expect({200, 487})
    alice.expect({200, 487})
    pbx.expect("ACK")
    ringing(bob, pbx)
    pbx.expect("CANCEL")
