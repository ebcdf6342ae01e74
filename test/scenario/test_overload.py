"""More than may be under way: who is refused, and who never is."""

import pytest

from harness.scene import SDP, ask, call, ringing

BUSY = range(5, 11)         # seconds of Retry-After


def start(scene, limits=None, carrier=None, **changes):
    peer = {"name": "carrier", "uri": "sip:%s:5060" % scene.net.host(6),
            "from": [scene.net.host(6)]}
    peer.update(carrier or {})
    scene.start(peers=[scene.pbx_peer(), peer],
                routes=[{"from": "pbx", "to": "carrier"}, {"to": "pbx"}],
                limits=limits or {}, **changes)
    return scene.pbx(), scene.pbx(6, "carrier")


def hold(phone, pbx, n, uri="sip:100@example.com"):
    """So many INVITEs of a peer, which ring."""
    out = []
    phone.auto_ack = False      # it would take the last for the refused one
    for _ in range(n):
        phone.send("INVITE", uri, body=SDP)
        out.append(pbx.expect("INVITE"))
    return out


def is_refused(phone, uri="sip:100@example.com", method="INVITE"):
    phone.send(method, uri)
    got = phone.expect(503)
    assert int(got["Retry-After"]) in BUSY
    return got


def pending(scene, peer="carrier"):
    got = scene.daemon.metrics()
    return got[("peer_requests_pending", peer)]


def test_who_is_none_of_a_peers_users_takes_none_of_its_places(scene):
    pbx, _ = start(scene, carrier={
        "auth": {"all": ["ip", "digest"]}, "users": ["bob"], "pending": 1})
    ringing(scene.phone("alice", 6, port=0), pbx)
    assert pending(scene) == 0
    ringing(scene.phone("bob", 6, port=0), pbx)
    assert pending(scene) == 1


def test_one_peer_does_not_take_all_places(scene):
    pbx, carrier = start(scene, carrier={"pending": 3})
    held = hold(carrier, pbx, 3)
    assert pending(scene) == 3
    is_refused(carrier)
    is_refused(carrier, method="OPTIONS")
    scene.log.has(reason="overload", peer="carrier")
    pbx.expect_nothing(0.1)
    alice = scene.alice()           # others go on
    ask(alice)
    pbx.expect("OPTIONS")
    pbx.reply(200)
    alice.expect(200)
    pbx.reply(486, to=held[0])      # one place is free
    pbx.expect("ACK")
    assert carrier.expect(486).call_id == held[0].call_id
    hold(carrier, pbx, 1)
    is_refused(carrier)
    assert pending(scene) == 3


def test_a_place_is_given_back_however_it_ends(scene):
    pbx, carrier = start(scene, carrier={"pending": 1},
                         timers={"t1": "40ms"})
    for end in ("answer", "cancel", "silence", "answer"):
        carrier.send("INVITE", "sip:100@example.com", body=SDP)
        invite = pbx.expect("INVITE")
        if end == "answer":
            pbx.reply(200, body=SDP)
            carrier.expect(200)
        elif end == "cancel":
            pbx.reply(180)
            carrier.expect(180)
            carrier.cancel()
            carrier.expect(200)
            pbx.expect("CANCEL")
            pbx.reply(200)
            pbx.reply(487, to=invite)
            pbx.expect("ACK")
            carrier.expect(487)
        else:
            carrier.expect((408, 500))
    assert pending(scene) == 0


def test_a_retransmission_takes_no_second_place(scene):
    pbx, carrier = start(scene, carrier={"pending": 2})
    hold(carrier, pbx, 1)
    for _ in range(5):
        carrier.resend()
    assert pending(scene) == 1
    hold(carrier, pbx, 1)


@pytest.mark.parametrize("limits, peer", [
    ({"pending": 2}, {}), ({}, {"pending": 2})])
def test_a_dialog_goes_on(scene, limits, peer):
    pbx, carrier = start(scene, limits, peer)
    carrier.send("INVITE", "sip:100@example.com", body=SDP)
    pbx.expect("INVITE")
    pbx.reply(200, body=SDP)
    carrier.expect(200)
    carrier.ack()
    pbx.expect("ACK")
    dialog = carrier.dialog
    hold(carrier, pbx, 2)
    is_refused(carrier)
    carrier.in_dialog("UPDATE", dialog)
    pbx.expect("UPDATE")
    pbx.reply(200)
    carrier.expect(200)
    carrier.bye(dialog=dialog)
    pbx.expect("BYE")
    pbx.reply(200)
    carrier.expect(200)


def test_a_made_up_dialog_does_not(scene):
    pbx, carrier = start(scene, carrier={"pending": 1})
    hold(carrier, pbx, 1)
    carrier.send("UPDATE", "sip:100@example.com",
                 to="<sip:100@example.com>;tag=made-up")
    carrier.expect(503)
    pbx.expect_nothing(0.1)


@pytest.mark.parametrize("limits, peer", [
    ({"pending": 2}, {}), ({}, {"pending": 2}),
    ({"pending_per_target": 2}, {})])
@pytest.mark.parametrize("uri", ["sip:112@example.com", "tel:112",
                                 "sip:911@example.com;user=phone"])
def test_an_emergency_finds_a_place(scene, limits, peer, uri):
    pbx, carrier = start(scene, limits, peer)
    hold(carrier, pbx, 2)
    carrier.send("INVITE", "sip:100@example.com")
    carrier.expect(503)
    hold(carrier, pbx, 2, uri)
    carrier.send("INVITE", uri)     # but even they are bounded
    carrier.expect(503)


@pytest.mark.parametrize("uri", [
    "sip:1120@example.com", "sip:112@112.example:5060;x=112",
    "sip:x@h112", "sip:0112@example.com", "sip:110@example.com"])
def test_what_only_looks_like_one_does_not(scene, uri):
    pbx, carrier = start(scene, carrier={"pending": 1},
                         limits={"emergency": ["911"]})
    hold(carrier, pbx, 1)
    is_refused(carrier, uri)


def test_the_numbers_are_the_operators(scene):
    pbx, carrier = start(scene, {"emergency": ["110", "sos"]},
                         {"pending": 1})
    hold(carrier, pbx, 1)
    is_refused(carrier, "sip:112@example.com")
    hold(carrier, pbx, 1, "sip:sos@example.com")


def test_a_call_for_help_needs_no_number(scene):
    # RFC 5031 4.2
    pbx, carrier = start(scene, {"emergency": ["110"]}, {"pending": 1})
    hold(carrier, pbx, 1)
    is_refused(carrier, "urn:service:counseling")
    hold(carrier, pbx, 1, "urn:service:sos.fire")
    is_refused(carrier, "urn:service:sos")


def test_a_number_is_no_uri(scene):
    scene.write_config(limits={"emergency": ["112", "urn:service:sos"]})
    got = scene.daemon.run("-t", "-c", scene.daemon.config_path)
    assert got.returncode != 0
    assert "limits.emergency" in got.stderr


def test_who_is_known_by_digest_alone_is_counted(scene):
    pbx, _ = start(scene, carrier={
        "from": None, "auth": "digest", "users": ["alice"], "pending": 1})
    trunk = scene.phone("trunk", 7, user="alice")
    ask(trunk, "INVITE", "sip:100@example.com", body=SDP)
    invite = pbx.expect("INVITE")
    assert pending(scene) == 1
    ask(trunk, "INVITE", "sip:100@example.com", body=SDP)
    assert trunk.expect(503).has("Retry-After")
    pbx.reply(486, to=invite)
    trunk.expect(486)
    assert pending(scene) == 0


def test_not_all_come_back_at_once(scene):
    pbx, carrier = start(scene, carrier={"pending": 1})
    hold(carrier, pbx, 1)
    said = {is_refused(carrier)["Retry-After"] for _ in range(30)}
    assert len(said) > 2


def test_the_count_outlives_a_reload(scene):
    pbx, carrier = start(scene, carrier={"pending": 2})
    held = hold(carrier, pbx, 2)
    scene.daemon.reload()
    scene.log.has(event="daemon.reload")
    is_refused(carrier)
    assert pending(scene) == 2
    for invite in held:
        pbx.reply(486, to=invite)
        carrier.expect(486)
    assert pending(scene) == 0


def test_a_flood_of_a_peer_leaves_its_dialogs_alone(scene):
    pbx, carrier = start(scene, carrier={"pending": 10})
    alice = scene.alice()
    call(alice, pbx)
    hold(carrier, pbx, 10)
    for _ in range(200):
        carrier.put(carrier.make("INVITE", "sip:100@example.com").encode())
    alice.in_dialog("UPDATE")
    alice.expect((200, 407))
    assert pending(scene) == 10
