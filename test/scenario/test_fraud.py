"""What a stolen password, or a PBX that somebody broke into, may cost."""

import time

import pytest

from harness.clock import shift_clock
from harness.daemon import user_line
from harness.patience import until
from harness.phone import Dialog
from harness.scene import REALM, SDP, ask, call, call_in, ringing
from harness.sip import new_branch

NUMBER = "sip:+49301@example.com"
ALWAYS = ["00:00-24:00"]
DAYS = ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"]


def start(scene, *classes, carrier=None, **changes):
    """alice and bob are of the class "default"; the carrier of its own."""
    host = scene.net.host(6)
    peer = {"name": "carrier", "uri": "sip:%s:5060" % host, "from": [host]}
    peer.update(carrier or {})
    changes.setdefault("peers", [scene.pbx_peer(), peer])
    changes.setdefault("routes", [{"from": "pbx", "to": "carrier"},
                                  {"to": "pbx"}])
    if classes:
        changes["classes"] = list(classes)
    scene.start(**changes)
    return scene.pbx()


def default(**limits):
    return dict({"name": "default"}, **limits)


def told(phone, status, uri=NUMBER, phrase=None, **parts):
    """An INVITE, proved by digest if asked, ends with this status."""
    phone.auto_ack = True
    phone.send("INVITE", uri, body=SDP, **parts)
    got = phone.expect((status, 407))
    if got.status == 407:
        phone.answer()
        got = phone.expect(status)
    if phrase is not None:
        assert got.start.endswith(phrase), got.start
    return got


def passes(phone, pbx, uri=NUMBER, **parts):
    """It reaches the PBX, which is busy."""
    ask(phone, "INVITE", uri, body=SDP, **parts)
    got = pbx.expect("INVITE")
    pbx.reply(486)
    pbx.expect("ACK")
    phone.expect(486)
    return got


def begins(peer, pbx, uri=NUMBER):
    """The same of a peer by address, answered; returns its dialog."""
    peer.send("INVITE", uri, body=SDP)
    pbx.expect("INVITE")
    pbx.reply(200, body=SDP)
    peer.expect(200)
    peer.ack()
    pbx.expect("ACK")
    return peer.dialog


def bye(phone, other, status=200, **parts):
    """In the dialog, proved if asked."""
    phone.in_dialog("BYE", **parts)
    answered(phone, other, "BYE", status)


def answered(phone, other, method, status=200):
    if phone.password is not None:
        phone.expect(407)
        phone.answer()
    other.expect(method)
    other.reply(status)
    phone.expect(status)


def under_way(scene):
    return scene.daemon.metrics()[("calls_under_way", "")]


# ---- calls at once

def test_a_user_has_so_many_calls_at_once(scene):
    pbx = start(scene, default(calls=2))
    alice, bob = scene.alice(), scene.bob()
    call(alice, pbx)
    call(alice, pbx)
    told(alice, 480, phrase="Too Many Calls")
    scene.log.has(event="request.refused", reason="too-many-calls",
                  user="alice")
    scene.log.has(event="fraud.limit", of="calls", user="alice",
                  **{"class": "default"})
    call(bob, pbx)              # everybody for himself
    assert under_way(scene) == 3
    metrics = scene.daemon.metrics()
    assert metrics[("fraud_limited_total", "calls")] == 1
    pbx.expect_nothing(0.1)


@pytest.mark.parametrize("who", ["caller", "callee"])
def test_a_bye_ends_it(scene, who):
    pbx = start(scene, default(calls=1))
    alice = scene.alice()
    for _ in range(3):
        call(alice, pbx)
        told(alice, 480)
        if who == "caller":
            bye(alice, pbx)
        else:
            bye(pbx, alice)
        assert under_way(scene) == 0


@pytest.mark.parametrize("status", [481, 500, None])
def test_who_was_called_hangs_up_alone(scene, status):
    """The caller is gone, or does not care."""
    pbx = start(scene, default(calls=1), timers={"t1": "40ms"})
    alice = scene.alice()
    call(alice, pbx)
    pbx.in_dialog("BYE")
    alice.expect("BYE")
    if status is not None:
        alice.reply(status)
        pbx.expect(status)
    until(lambda: under_way(scene) == 0)
    passes(alice, pbx)


def test_who_was_called_hangs_up_on_a_lost_connection(scene):
    pbx = start(scene, default(calls=1))
    alice = scene.alice(transport="tcp")
    call(alice, pbx)
    alice.close()
    until(lambda: scene.daemon.metrics()[
        "transport_connections", "accepted"] == 0)
    pbx.in_dialog("BYE")
    pbx.expect(430)
    assert under_way(scene) == 0


def test_who_called_does_not_hang_up_in_the_name_of_the_other(scene):
    """With From and To changed about."""
    pbx = start(scene, default(calls=1))
    alice = scene.alice()
    call(alice, pbx)
    own, far = alice.dialog.local, alice.dialog.remote
    alice.in_dialog("BYE", from_=far, to=own)
    if alice.expect((403, 407)).status == 407:
        alice.answer()
        alice.expect(403)
    pbx.expect_nothing(0.1)
    assert under_way(scene) == 1


def test_what_the_pbx_calls_is_the_pbx_s(scene):
    pbx = start(scene, {"name": "pbx", "calls": 1}, default(calls=1),
                peers=[scene.pbx_peer(**{"class": "pbx"})],
                routes=[{"from": "pbx", "to": "request-uri",
                         "egress": "none"}, {"to": "pbx"}])
    alice = scene.alice()
    uri = "sip:alice@%s:5060" % alice.host
    for ends in ("pbx", "alice"):
        call_in(pbx, alice, uri)
        told(pbx, 480, uri)
        assert under_way(scene) == 1
        sender, other = (pbx, alice) if ends == "pbx" else (alice, pbx)
        sender.in_dialog("BYE")
        other.expect("BYE")
        other.reply(200)
        sender.expect(200)
        assert under_way(scene) == 0


@pytest.mark.parametrize("status", [302, 401, 407, 404, 486, 503, 603])
def test_a_failure_ends_it(scene, status):
    pbx = start(scene, default(calls=1))
    alice = scene.alice()
    for _ in range(2):
        ask(alice, "INVITE", NUMBER, body=SDP)
        pbx.expect("INVITE")
        pbx.reply(status)
        pbx.expect("ACK")
        alice.expect(status if status != 503 else 500)
        assert under_way(scene) == 0


def test_the_same_call_may_be_tried_again_with_what_was_asked(scene):
    """A 401 or 407 from behind, a 422 or 302: the same Call-ID and From."""
    pbx = start(scene, default(calls=1))
    alice = scene.alice()
    ask(alice, "INVITE", NUMBER, body=SDP)
    pbx.expect("INVITE")
    pbx.reply(422, reason="Session Interval Too Small")
    pbx.expect("ACK")
    alice.expect(422)
    alice.post(alice.again())
    alice.expect(407)
    alice.answer()
    pbx.expect("INVITE")
    pbx.reply(200, body=SDP)
    alice.expect(200)


def test_a_cancel_ends_it(scene):
    pbx = start(scene, default(calls=1))
    alice = scene.alice()
    invite = ringing(alice, pbx, NUMBER)
    assert under_way(scene) == 1
    alice.cancel()
    alice.expect(200)
    pbx.expect("CANCEL")
    pbx.reply(200)
    pbx.reply(487, to=invite)
    pbx.expect("ACK")
    alice.expect(487)
    passes(alice, pbx)


def test_silence_ends_it(scene):
    pbx = start(scene, default(calls=1), timers={"t1": "20ms"})
    alice = scene.alice()
    ask(alice, "INVITE", NUMBER, body=SDP)
    pbx.expect("INVITE")
    alice.expect(408)
    assert under_way(scene) == 0


def test_it_is_forgotten_in_time(scene):
    pbx = start(scene, default(calls=1, calls_forgotten="4s"))
    alice = scene.alice()
    call(alice, pbx)
    told(alice, 480)
    until(lambda: under_way(scene) == 0)
    call(alice, pbx)


@pytest.mark.parametrize("method", ["INVITE", "UPDATE"])
@pytest.mark.parametrize("who", ["caller", "callee"])
def test_what_goes_on_is_not_forgotten(scene, method, who):
    pbx = start(scene, default(calls=1, calls_forgotten="4s"))
    alice = scene.alice()
    call(alice, pbx)
    sender, other = (alice, pbx) if who == "caller" else (pbx, alice)
    ends = time.monotonic() + 5
    while time.monotonic() < ends:
        sender.in_dialog(method, body=SDP)
        answered(sender, other, method)
        if method == "INVITE":
            sender.ack()
            other.expect("ACK")
        assert under_way(scene) == 1


def test_a_reinvite_is_no_call(scene):
    pbx = start(scene, default(calls=1, calls_started="1/m",
                               allow=["+4930"], hours=ALWAYS))
    alice = scene.alice()
    call(alice, pbx, NUMBER)
    for _ in range(3):
        alice.in_dialog("INVITE", body=SDP)
        answered(alice, pbx, "INVITE")
        alice.ack()
        pbx.expect("ACK")
    assert under_way(scene) == 1


def early_bye(alice, pbx):
    """In the early dialog, which the far side takes."""
    alice.in_dialog("BYE", dialog=alice.early)
    alice.expect(407)
    alice.answer()
    pbx.expect("BYE")
    pbx.reply(200)
    alice.expect(200)


def rings(alice, pbx, tag=None):
    """Like ringing(), and alice remembers the early dialog."""
    ask(alice, "INVITE", NUMBER, body=SDP)
    invite = pbx.expect("INVITE")
    early_dialog(alice, pbx, invite, tag)
    return invite


def early_dialog(alice, pbx, invite, tag=None):
    pbx.reply(183, to=invite, tag=tag)
    alice.early = Dialog.of_caller(alice.invite, alice.expect(183))


def test_a_bye_to_one_early_dialog_frees_nothing(scene):
    """RFC 3261 15: a PBX that forks says 200 to it, and another of its
    phones answers the call."""
    pbx = start(scene, default(calls=1))
    alice = scene.alice()
    invite = rings(alice, pbx, "one")
    early_bye(alice, pbx)
    assert under_way(scene) == 1
    told(scene.elsewhere(alice, "other", 12), 480)
    pbx.reply(200, to=invite, tag="two", body=SDP)
    alice.expect(200)
    alice.ack()
    pbx.expect("ACK")
    assert under_way(scene) == 1
    bye(alice, pbx)
    assert under_way(scene) == 0


def test_a_bye_to_the_only_early_dialog_ends_it_with_the_invite(scene):
    pbx = start(scene, default(calls=1))
    alice = scene.alice()
    invite = rings(alice, pbx)
    early_bye(alice, pbx)
    pbx.reply(487, to=invite)
    pbx.expect("ACK")
    alice.expect(487)
    assert under_way(scene) == 0
    passes(alice, pbx)


def test_a_call_that_rings_is_not_forgotten(scene):
    """By calls_forgotten, nor by what its early dialogs agree on."""
    pbx = start(scene, default(calls=1, calls_forgotten="1s"))
    alice = scene.alice()
    invite = rings(alice, pbx)
    alice.in_dialog("UPDATE", dialog=alice.early, body=SDP)
    answered(alice, pbx, "UPDATE")
    time.sleep(1.5)
    assert under_way(scene) == 1
    pbx.reply(200, to=invite, body=SDP)
    alice.expect(200)
    alice.ack()
    pbx.expect("ACK")
    until(lambda: under_way(scene) == 0)


def made_up(dialog):
    """The To of another dialog."""
    return dialog.remote.split(";tag=")[0] + ";tag=made-up"


def test_a_bye_that_the_far_side_refuses_frees_nothing(scene):
    """It was led past it, perhaps."""
    pbx = start(scene, default(calls=1))
    alice = scene.alice()
    call(alice, pbx)
    bye(alice, pbx, 481)
    told(scene.elsewhere(alice, "other", 12), 480)
    assert under_way(scene) == 1
    bye(alice, pbx)
    assert under_way(scene) == 0


@pytest.mark.parametrize("status", [481, 200])
def test_a_made_up_bye_frees_nothing(scene, status):
    """The token is of another dialog, whatever the PBX says to it."""
    pbx = start(scene, default(calls=1))
    alice = scene.alice()
    call(alice, pbx)
    bye(alice, pbx, status, to=made_up(alice.dialog))
    assert under_way(scene) == 1
    told(alice, 480)
    bye(alice, pbx)
    assert under_way(scene) == 0


def test_a_cancel_that_comes_too_late_frees_nothing(scene):
    pbx = start(scene, default(calls=1))
    alice = scene.alice()
    invite = ringing(alice, pbx, NUMBER)
    alice.cancel()
    alice.expect(200)
    pbx.expect("CANCEL")
    pbx.reply(481)
    pbx.reply(200, to=invite, body=SDP)
    alice.expect(200)
    alice.ack()
    pbx.expect("ACK")
    assert under_way(scene) == 1
    told(scene.elsewhere(alice, "other", 12), 480)
    bye(alice, pbx)
    assert under_way(scene) == 0


# ---- those who do not cheat find their place again

def referred(alice, pbx, to):
    alice.in_dialog("REFER", headers=[("Refer-To", "<%s>" % to)])
    answered(alice, pbx, "REFER", 202)


def test_who_transfers_a_call_is_free(scene):
    """Blind: a PBX calls whom it was told to, and hangs up."""
    pbx = start(scene, default(calls=1))
    alice = scene.alice()
    for _ in range(2):
        call(alice, pbx)
        referred(alice, pbx, "sip:bob@example.com")
        assert under_way(scene) == 1
        bye(pbx, alice)
        assert under_way(scene) == 0


@pytest.mark.parametrize("ends", ["alice", "pbx"])
def test_who_joins_two_calls_is_free(scene, ends):
    """Attended: he tells the PBX to put the one in the place of the other."""
    pbx = start(scene, default(calls=2))
    alice = scene.alice()
    call(alice, pbx)
    first, far = alice.dialog, pbx.dialog
    alice.dialog = None
    call(alice, pbx)
    second, other = alice.dialog, pbx.dialog
    alice.in_dialog("REFER", first, headers=[
        ("Refer-To", "<sip:bob@example.com?Replaces=%s>" % second.call_id)])
    answered(alice, pbx, "REFER", 202)
    assert under_way(scene) == 2
    for mine, theirs in ((first, far), (second, other)):
        if ends == "alice":
            bye(alice, pbx, dialog=mine)
        else:
            pbx.in_dialog("BYE", theirs)
            answered(pbx, alice, "BYE")
    assert under_way(scene) == 0


def test_what_takes_the_place_of_a_call_is_a_call(scene):
    """INVITE with Replaces (RFC 3891), whatever token it brings; the call
    that it picks up ends by itself."""
    pbx = start(scene, default(calls=1, deny=["+1900"]))
    alice = scene.alice()
    call(alice, pbx)
    dialog = alice.dialog
    replaces = [("Replaces", "%s;to-tag=1;from-tag=2" % dialog.call_id)]
    told(alice, 480, route=dialog.routes, cseq=50, from_=dialog.local,
         to=dialog.remote, call_id=dialog.call_id, headers=replaces)
    told(alice, 403, "sip:+1900@example.com", headers=replaces)
    bye(alice, pbx, dialog=dialog)
    alice.dialog = None
    call(alice, pbx, headers=replaces)
    bye(pbx, alice)
    assert under_way(scene) == 0


# ---- dialogs that are none

@pytest.mark.parametrize("uri, status", [
    ("sip:+1900@example.com", 403), (NUMBER, 480)])
def test_a_made_up_reinvite_is_a_call(scene, uri, status):
    """With the token of an open call, and a To tag of nobody's: a PBX might
    take it for a new one."""
    pbx = start(scene, default(calls=1, deny=["+1900"]))
    alice = scene.alice()
    call(alice, pbx)
    told(alice, status, uri, route=alice.dialog.routes, cseq=50,
         from_=alice.dialog.local, call_id=alice.dialog.call_id,
         to=made_up(alice.dialog))
    pbx.expect_nothing(0.1)


def test_the_token_of_a_call_that_failed_opens_nothing(scene):
    """It is of that early dialog, which the PBX knows no more."""
    pbx = start(scene, default(calls=1, deny=["+1900"]))
    alice = scene.alice()
    invite = rings(alice, pbx)
    pbx.reply(486, to=invite)
    pbx.expect("ACK")
    alice.expect(486)
    told(alice, 403, "sip:+1900@example.com", route=alice.early.routes,
         cseq=50, from_=alice.early.local, call_id=alice.early.call_id,
         to=made_up(alice.early))
    pbx.expect_nothing(0.1)


def test_what_the_far_side_got_is_good_for_the_far_side(scene):
    """The token of the INVITE as the PBX saw it is bound to no dialog."""
    pbx = start(scene, default(calls=1, deny=["+1900"]))
    alice = scene.alice()
    got = call(alice, pbx)
    shown = got.values("Record-Route")
    assert shown != list(reversed(alice.dialog.routes))
    told(alice, 403, "sip:+1900@example.com", route=shown, cseq=50,
         from_=alice.dialog.local, call_id=alice.dialog.call_id,
         to=alice.dialog.remote)
    pbx.in_dialog("INVITE", body=SDP)
    answered(pbx, alice, "INVITE")
    pbx.ack()
    alice.expect("ACK")
    bye(pbx, alice)


@pytest.mark.parametrize("method", ["SUBSCRIBE", "REFER"])
def test_no_call_begins_in_a_dialog_that_is_none(scene, method):
    """RFC 5057: a PBX may take the INVITE for a call beside what is there."""
    pbx = start(scene, default(calls=1, deny=["+1900"], hours=ALWAYS))
    alice = scene.alice()
    ask(alice, method, NUMBER, headers=[("Event", "presence"),
                                        ("Refer-To", "<%s>" % NUMBER)])
    pbx.expect(method)
    pbx.reply(202)
    dialog = Dialog.of_caller(alice.sent, alice.expect(202))
    for uri in ("sip:+1900@%s" % pbx.host, dialog.target):
        dialog.cseq += 1
        told(alice, 403, uri, phrase="Not A Call", route=dialog.routes,
             cseq=dialog.cseq, from_=dialog.local, to=dialog.remote,
             call_id=dialog.call_id)
        dialog.cseq += 1
    scene.log.has(event="request.refused", reason="not-a-call", user="alice")
    pbx.expect_nothing(0.1)
    # and what is for that dialog goes on
    alice.in_dialog(method, dialog, headers=[("Event", "presence"),
                                             ("Refer-To", "<%s>" % NUMBER)])
    answered(alice, pbx, method)


def test_no_peer_begins_one_either(scene):
    pbx = start(scene, {"name": "trunk", "calls": 1},
                carrier={"class": "trunk"})
    carrier = scene.pbx(6, "carrier")
    carrier.send("SUBSCRIBE", NUMBER, headers=[("Event", "presence")])
    pbx.expect("SUBSCRIBE")
    pbx.reply(200)
    dialog = Dialog.of_caller(carrier.sent, carrier.expect(200))
    carrier.in_dialog("INVITE", dialog, body=SDP)
    carrier.expect(403)
    pbx.expect_nothing(0.1)


@pytest.mark.parametrize("edit", ["call_id", "from_", "route"])
def test_a_bye_of_another_call_frees_nothing(scene, edit):
    pbx = start(scene, default(calls=1))
    alice = scene.alice()
    call(alice, pbx)
    parts = {"call_id": "another", "route": (),
             "from_": "<%s>;tag=another" % alice.aor}
    alice.in_dialog("BYE", **{edit: parts[edit]})
    if alice.expect((403, 407)).status == 407:
        alice.answer()
        alice.expect(403)
    pbx.expect_nothing(0.1)
    assert under_way(scene) == 1
    told(alice, 480)


def test_one_call_id_hides_no_second_call(scene):
    """And each BYE ends the call of its own token."""
    pbx = start(scene, default(calls=2))
    alice = scene.alice()
    call(alice, pbx)
    first = alice.dialog
    same = {"call_id": first.call_id, "from_": first.local}
    alice.dialog = None
    alice.send("INVITE", NUMBER, body=SDP, cseq=50, **same)
    alice.expect(407)
    alice.answer()
    pbx.expect("INVITE")
    pbx.reply(200, body=SDP, tag="other")
    alice.expect(200)
    second = alice.dialog
    alice.ack()
    pbx.expect("ACK")
    assert under_way(scene) == 2
    alice.send("INVITE", NUMBER, body=SDP, cseq=60, **same)
    alice.expect(407)
    alice.answer()
    alice.expect(480)
    bye(alice, pbx, dialog=second)
    bye(alice, pbx, 481, dialog=second)
    assert under_way(scene) == 1
    bye(alice, pbx, dialog=first)
    assert under_way(scene) == 0


def test_an_early_dialog_ends_no_other_call(scene):
    """That rings under the Call-ID of one that goes on."""
    pbx = start(scene, default(calls=2))
    alice = scene.alice()
    call(alice, pbx)
    first = alice.dialog
    alice.send("INVITE", NUMBER, body=SDP, call_id=first.call_id,
               from_=first.local, cseq=50)
    alice.expect(407)
    alice.answer()
    invite = pbx.expect("INVITE")
    early_dialog(alice, pbx, invite, "other")
    alice.early.cseq = 60
    bye(alice, pbx, dialog=alice.early, route=first.routes)
    pbx.reply(487, to=invite, tag="other")
    pbx.expect("ACK")
    alice.expect(487)
    assert under_way(scene) == 1
    bye(alice, pbx, dialog=first)
    assert under_way(scene) == 0


def test_the_tokens_of_two_calls_are_not_added(scene):
    """A BYE that bears both ends one."""
    pbx = start(scene, default(calls=2))
    alice = scene.alice()
    call(alice, pbx)
    first = alice.dialog
    alice.dialog = None
    alice.send("INVITE", NUMBER, body=SDP, call_id=first.call_id,
               from_=first.local, cseq=50)
    alice.expect(407)
    alice.answer()
    pbx.expect("INVITE")
    pbx.reply(200, body=SDP, tag="other")
    alice.expect(200)
    alice.ack()
    pbx.expect("ACK")
    both = first.routes + alice.dialog.routes
    bye(alice, pbx, dialog=first, route=both)
    assert under_way(scene) == 1


def test_legs_of_one_call_count_once(scene):
    host = scene.net.host(7)
    pbx = start(scene, default(calls=1), peers=[
        scene.pbx_peer(), {"name": "two", "uri": "sip:%s:5060" % host,
                           "from": [host]}],
        routes=[{"to": ["pbx", "two"]}])
    two, alice = scene.pbx(7, "two"), scene.alice()
    ask(alice, "INVITE", NUMBER, body=SDP)
    pbx.expect("INVITE")
    two.expect("INVITE")
    pbx.reply(486)
    pbx.expect("ACK")
    assert under_way(scene) == 1
    two.reply(200, body=SDP)
    alice.expect(200)
    alice.ack()
    two.expect("ACK")
    bye(alice, two)
    assert under_way(scene) == 0


# ---- peers

def test_a_peer_has_so_many_calls(scene):
    pbx = start(scene, {"name": "trunk", "calls": 2},
                carrier={"class": "trunk"})
    carrier, alice = scene.pbx(6, "carrier"), scene.alice()
    first = begins(carrier, pbx)
    begins(carrier, pbx)
    told(carrier, 480)
    scene.log.has(event="fraud.limit", peer="carrier", peer_class="trunk")
    call(alice, pbx)            # no class, no limit
    call(alice, pbx)
    call(alice, pbx)
    carrier.bye(dialog=first)
    pbx.expect("BYE")
    pbx.reply(200)
    carrier.expect(200)
    begins(carrier, pbx)
    told(carrier, 480)


def start_proxies(scene, **limits):
    """The PBX is a proxy and sends on to the carrier, and that to "far",
    which answers; all three are peers of a class."""
    peers = [scene.pbx_peer(**{"class": "pbx"})]
    for number, name in ((6, "carrier"), (7, "far")):
        host = scene.net.host(number)
        peers.append({"name": name, "uri": "sip:%s:5060" % host,
                      "from": [host], "class": "pbx"})
    pbx = start(scene, default(**limits), dict({"name": "pbx"}, **limits),
                peers=peers, routes=[{"from": "pbx", "to": "carrier"},
                                     {"from": "carrier", "to": "far"},
                                     {"to": "pbx"}])
    return [pbx, scene.pbx(6, "carrier"), scene.pbx(7, "far")]


def sends_on(scene, proxy):
    """With the same Call-ID, and stays out of the dialog."""
    on = proxy.expect("INVITE").copy()
    on.push("Via", "SIP/2.0/UDP %s:5060;branch=%s" % (
        proxy.host, new_branch()))
    on.set("Max-Forwards", "60")
    proxy.put(on.encode(), proxy.flow_to(scene.at, 5060, "udp"))


def sends_back(scene, proxy, status):
    back = proxy.expect(status)
    back.headers.pop(0)
    assert back.via
    proxy.put(back.encode(), proxy.flow_to(scene.at, 5060, "udp"))


def call_by(scene, alice, proxies, other, **parts):
    """Returns alice's dialog."""
    ask(alice, "INVITE", NUMBER, body=SDP, **parts)
    for proxy in proxies:
        sends_on(scene, proxy)
    other.expect("INVITE")
    other.reply(200, body=SDP)
    for proxy in reversed(proxies):
        sends_back(scene, proxy, 200)
    alice.expect(200)
    alice.ack()
    other.expect("ACK")
    return alice.dialog


@pytest.mark.parametrize("who", ["caller", "callee"])
@pytest.mark.parametrize("nproxies", [1, 2])
def test_a_call_that_comes_by_twice_is_counted_where_it_counts(
        scene, nproxies, who):
    peers = start_proxies(scene, calls=2)
    alice, other = scene.alice(), peers[nproxies]
    call_by(scene, alice, peers[:nproxies], other)
    assert under_way(scene) == 1 + nproxies
    if who == "caller":
        bye(alice, other)
    else:
        bye(other, alice)
    assert under_way(scene) == 0


@pytest.mark.parametrize("who", ["caller", "callee"])
def test_a_far_side_ends_no_call_but_its_own(scene, who):
    """Two calls of one Call-ID, one by a proxy: its token leads past the
    PBX, to somebody who says 200 to a BYE for the other."""
    pbx, friend, _ = start_proxies(scene, calls=2)
    alice = scene.alice()
    past = call_by(scene, alice, [pbx], friend)
    friends = friend.dialog
    alice.dialog = None
    dear = call_by(scene, alice, [], pbx, call_id=past.call_id,
                   from_=past.local, cseq=50)
    assert under_way(scene) == 3
    if who == "caller":
        bye(alice, pbx, 481, dialog=dear, route=dear.routes + past.routes[1:])
    else:
        route = friends.routes[:1] + dear.routes
        friend.in_dialog("BYE", friends, route=route)
        pbx.expect("BYE")
        pbx.reply(481)
        friend.expect(481)
    # what the PBX called of that one, its far side has hung up
    assert under_way(scene) == (3 if who == "caller" else 2)
    bye(alice, friend, dialog=past)
    assert under_way(scene) == 1


def test_what_a_peer_forks_are_calls_of_their_own(scene):
    """A PBX that is a proxy rings two phones with one Call-ID."""
    pbx = start(scene, {"name": "trunk", "calls": 2},
                carrier={"class": "trunk"})
    carrier = scene.pbx(6, "carrier")
    carrier.auto_ack = False
    first = carrier.make("INVITE", NUMBER, body=SDP)
    carrier.post(first)
    one = pbx.expect("INVITE")
    for uri, passes_on in (("sip:2@example.com", True),
                           ("sip:3@example.com", False)):
        fork = carrier.make("INVITE", uri, body=SDP, from_=first["From"],
                            to=first["To"], call_id=first.call_id)
        carrier.post(fork)
        if passes_on:
            two = pbx.expect("INVITE")
        else:
            carrier.expect(480)
    assert under_way(scene) == 2
    for got in (one, two):
        pbx.reply(486, to=got)
        pbx.expect("ACK")
        carrier.expect(486)
    assert under_way(scene) == 0


# ---- how fast

def test_a_user_begins_so_many_a_minute(scene):
    pbx = start(scene, default(calls_started="3/m"))
    alice, bob = scene.alice(), scene.bob()
    for _ in range(3):
        passes(alice, pbx)
    told(alice, 480, phrase="Too Many Calls A Minute")
    scene.log.has(event="request.refused", reason="calls-too-fast")
    scene.log.has(event="fraud.limit", of="calls_started", user="alice")
    passes(bob, pbx)
    assert under_way(scene) == 0        # nothing to count at once


def test_a_challenge_is_no_beginning(scene):
    pbx = start(scene, default(calls_started="1/m"))
    alice = scene.alice()
    for _ in range(3):
        alice.send("INVITE", NUMBER, body=SDP)
        alice.expect(407)
    alice.answer()
    pbx.expect("INVITE")
    pbx.reply(486)


# ---- where to

NUMBERS = {"allow": ["+49", "110", "2"], "deny": ["+49900", "+4918", "29"]}

FORBIDDEN = [
    "sip:+49900123@example.com", "sip:+49-900-123@example.com",
    "sip:+49.(900)123@example.com", "sip:+49%39%30%30123@example.com",
    "sip:%2B49900123@example.com", "sip:+49%2D900@example.com",
    "sip:+49900123;x=y@example.com",
    "sip:+49900;phone-context=a@example.com",
    "sip:+49%2539%30%300@example.com", "sip:+49%20900@example.com",
    "sip:+49&900@example.com", "sip:+49900:pw@example.com",
    "sip:+49900@example.com;user=phone", "tel:+49-900-123",
    "tel:+49900;isub=1", "tel:+4930;npdi;rn=+1900",
    "sip:+4930;rn=900;rn-context=+49@example.com;user=phone",
    "tel:900123;phone-context=+49",
    "sip:900;phone-context=+49@example.com;user=phone",
    "sip:+1900@example.com", "sip:0049@example.com", "sip:alice@example.com",
    "sip:112x@example.com", "sip:%3B2@example.com",
    "sip:;2@example.com", "sip:example.com", "sip:29@example.com",
    "sip:+@example.com", "sip:2+9@example.com", "sips:+49900@example.com",
    "tel:112;phone-context=+49900",
    "tel:112;phone-context=a.b;rn=+1900",
    "tel:911;phone-context=a.b;rn=29",
    "tel:2#;phone-context=+49900", "tel:110#;phone-context=a.b;rn=+1900",
    "tel:#2;phone-context=a.b"]


@pytest.mark.parametrize("uri", FORBIDDEN)
def test_a_forbidden_number(scene, uri):
    pbx = start(scene, default(**NUMBERS))
    alice = scene.alice()
    told(alice, 403, uri, phrase="Forbidden Number")
    scene.log.has(event="request.refused", reason="forbidden-number")
    pbx.expect_nothing(0.1)


@pytest.mark.parametrize("uri", [
    "sip:+4930123@example.com", "sip:+49-30-123@example.com",
    "sip:+49(30)123@example.com", "sip:+49%33%30123@example.com",
    "sip:110@example.com", "sip:1-1-0@example.com", "tel:+49-30-1;ext=2",
    "sip:+4930;phone-context=x@example.com", "sip:23@example.com",
    "sip:+4930123@example.com;user=phone",
    "sip:112@example.com", "sip:911@example.com",
    "tel:112;phone-context=+49", "tel:112;phone-context=example.com",
    "tel:2*1#;phone-context=example.com"])
def test_a_number_that_is_allowed(scene, uri):
    pbx = start(scene, default(**NUMBERS))
    alice = scene.alice()
    passes(alice, pbx, uri)


DENIED = ["sip:0900@example.com", "sip:0-900@example.com",
          "sip:%30900@example.com", "sip:%2530900@example.com",
          "sip:%000900@example.com", "sip:%20%0d0900@example.com",
          "sip:0900;a=b@example.com", "sip:&0900@example.com",
          "sip:0900abc@example.com", "tel:0900;phone-context=example.com",
          "sip:0(9)00.1@example.com",
          "sip:1;%70hone-context=+1900@example.com",
          "sip:1%3bphone-context=+1900@example.com",
          "sip:1;phone-context=+4;phone-context=+1900@example.com",
          "sip:1;rn=2;rn=0900@example.com", "sip:1@example.com;rn=+1900",
          "sip:1@example.com;user=phone;phone-context=+1900",
          "sip:1;rn=2@example.com;rn=0900",
          # digits of another width or script, and a + of another width
          "sip:%EF%BC%90900@example.com", "sip:09%D9%A00@example.com",
          "sip:%EF%BC%8B1900@example.com",
          "sip:1;phone-context=%EF%BC%8B1900@example.com",
          "sip:%25EF%25BC%2590900@example.com"]


@pytest.mark.parametrize("uri", DENIED)
def test_a_denied_number_where_all_else_is_allowed(scene, uri):
    pbx = start(scene, default(deny=["0900", "+1900", "BAD"]))
    alice = scene.alice()
    told(alice, 403, uri)
    pbx.expect_nothing(0.1)


def test_all_else_is_allowed(scene):
    pbx = start(scene, default(deny=["0900", "BAD"]))
    alice = scene.alice()
    for uri in ("sip:0800@example.com", "sip:+0900@example.com",
                "sip:bob@example.com", "sip:x0900@example.com"):
        passes(alice, pbx, uri)
    told(alice, 403, "sip:badguy@example.com")


@pytest.mark.parametrize("uri", ["sip:2@example.com", "sip:112@example.com"])
@pytest.mark.parametrize("to", ["pbx", "request-uri"])
def test_a_strict_router_is_told_no_denied_number(scene, uri, to):
    """RFC 3261 16.6 item 6 would make it the Request-URI."""
    pbx = start(scene, {"name": "trunk", "deny": ["+1900"]},
                carrier={"class": "trunk"},
                routes=[{"from": "carrier", "to": to, "egress": "none"}])
    carrier = scene.pbx(6, "carrier")
    hop = "<sip:+1900@%s>" % pbx.host
    told(carrier, 403, uri, route=[hop])
    scene.log.has(event="fraud.limit", of="number", peer="carrier")
    pbx.expect_nothing(0.1)
    carrier.send("INVITE", uri, body=SDP, route=[hop.replace(">", ";lr>")])
    assert pbx.expect("INVITE").uri == uri


def test_a_class_is_for_its_users(scene):
    scene.write_config()
    lines = [user_line("alice", REALM, "wonderland", ["class=guest"]),
             user_line("bob", REALM, "builder", ["class=label"])]
    pbx = start(scene, default(deny=["+"]),
                {"name": "guest", "allow": ["2"]})
    scene.write_users(lines)
    scene.daemon.reload()
    scene.log.has(event="daemon.reload")
    alice, bob = scene.alice(), scene.bob()
    told(alice, 403)
    passes(alice, pbx, "sip:2@example.com")
    told(bob, 403)              # a word for routes alone lifts no limit
    passes(bob, pbx, "sip:3@example.com")


@pytest.mark.parametrize("method", ["MESSAGE", "REFER", "OPTIONS"])
def test_other_methods_are_no_calls(scene, method):
    pbx = start(scene, default(calls=1, calls_started="1/m",
                               deny=["+"], hours=ALWAYS))
    alice = scene.alice()
    for _ in range(2):
        ask(alice, method, NUMBER)
        pbx.expect(method)
        pbx.reply(200)
        alice.expect(200)


# ---- a user's own prefixes, judged the same way

def start_prefixes(scene):
    pbx = start(scene)
    scene.write_users([user_line("alice", REALM, "wonderland",
                                 ["prefixes=+4930|2"])])
    scene.daemon.reload()
    scene.log.has(event="daemon.reload")
    return pbx


@pytest.mark.parametrize("uri", [
    "sip:+49900@example.com", "sip:+49%39@example.com", "tel:+49-31",
    "sip:+49&30@example.com", "tel:1;phone-context=+4930",
    "sip:2;phone-context=+1900@example.com", "sip:alice@example.com",
    "sip:+4930;x=y@example.com", "tel:2;phone-context=+1900",
    "tel:+4930;rn=+1900", "sip:+4930bob@example.com",
    "tel:112;phone-context=+1900",
    "tel:112;phone-context=a.b;rn=+1900"])
def test_prefixes_of_a_user_refuse(scene, uri):
    pbx = start_prefixes(scene)
    told(scene.alice(), 403, uri)
    scene.log.has(event="request.refused", reason="wrong-number")
    pbx.expect_nothing(0.1)


@pytest.mark.parametrize("uri", [
    "sip:+4930@example.com", "sip:+49-30@example.com", "tel:+49-30",
    "tel:+4930;isub=1", "sip:112@example.com", "tel:911"])
def test_prefixes_of_a_user_let(scene, uri):
    pbx = start_prefixes(scene)
    passes(scene.alice(), pbx, uri)


@pytest.mark.parametrize("user, status", [("+1900", 403), ("22", 200)])
def test_prefixes_of_a_trunk_and_a_strict_router(scene, user, status):
    """RFC 3261 16.6 item 6 makes the Route the Request-URI."""
    pbx = start(scene, peers=[
        scene.pbx_peer(), {"name": "trunk", "users": ["alice"],
                           "auth": "digest"}],
        routes=[{"from": "trunk", "to": "request-uri", "egress": "none"}])
    scene.write_users([user_line("alice", REALM, "wonderland",
                                 ["prefixes=2"])])
    scene.daemon.reload()
    scene.log.has(event="daemon.reload")
    alice = scene.alice()
    ask(alice, "MESSAGE", "sip:2@%s" % pbx.host,
        route=["<sip:%s@%s>" % (user, pbx.host)])
    if status == 200:
        assert pbx.expect("MESSAGE").uri == "sip:22@" + pbx.host
        pbx.reply(200)
    alice.expect(status)


# ---- when

def clock(shift=0):
    return time.localtime(time.time() + shift)


def open_in(days):
    """Hours in which it is open then, also past midnight, and not now."""
    return ["%s,%s 00:00-24:00" % tuple(
        DAYS[clock(n * 86400).tm_wday] for n in (days, days + 1))]


def test_outside_hours(scene):
    pbx = start(scene, default(hours=open_in(3)))
    alice = scene.alice()
    told(alice, 403, phrase="Outside Hours")
    scene.log.has(event="request.refused", reason="outside-hours")
    scene.log.has(event="fraud.limit", of="hours")
    pbx.expect_nothing(0.1)
    passes(alice, pbx, "sip:112@example.com")


def test_the_clock_on_the_wall_counts(scene, monkeypatch):
    """Three days later it is open."""
    pbx = start(scene, default(hours=open_in(3)))
    alice = scene.alice()
    told(alice, 403)
    scene.daemon.stop()
    shift_clock(monkeypatch, scene.folder, 3 * 86400)
    scene.daemon.start()
    passes(alice, pbx)


def test_hours_are_of_the_zone(scene, monkeypatch):
    """Half a day away it is another hour."""
    now = time.gmtime()
    open_now = "%02d:00-%02d:00" % ((now.tm_hour + 11) % 24,
                                    (now.tm_hour + 14) % 24 or 24)
    monkeypatch.setenv("TZ", "UTC-12")
    pbx = start(scene, default(hours=[open_now]))
    alice = scene.alice()
    passes(alice, pbx)
    scene.daemon.stop()
    monkeypatch.setenv("TZ", "UTC")
    scene.daemon.start()
    told(alice, 403)


# ---- no limit at all

def test_emergency_calls_have_none(scene):
    pbx = start(scene, default(calls=1, calls_started="1/m", allow=["2"],
                               hours=open_in(3)))
    alice = scene.alice()
    for uri in ("sip:112@example.com", "tel:112", "sip:911@example.com"):
        passes(alice, pbx, uri)
    assert under_way(scene) == 0


def test_without_classes_nothing_is_limited(scene):
    pbx = start(scene)
    alice = scene.alice()
    for _ in range(3):
        call(alice, pbx)
    assert under_way(scene) == 0


def test_users_without_a_class_have_no_limit_unless_there_is_a_default(scene):
    pbx = start(scene, {"name": "guest", "calls": 1})
    alice = scene.alice()
    for _ in range(3):
        call(alice, pbx)


# ---- the operator

def test_a_reload_changes_the_limits(scene):
    pbx = start(scene, default(calls=1))
    alice = scene.alice()
    call(alice, pbx)
    told(alice, 480)
    host = scene.net.host(6)
    peers = [scene.pbx_peer(), {"name": "carrier",
                                "uri": "sip:%s:5060" % host, "from": [host]}]

    def reload(**limits):
        before = len(scene.log.find(event="daemon.reload"))
        scene.write_config(classes=[default(**limits)], peers=peers)
        scene.daemon.reload()
        scene.log.has(event="daemon.reload", count=before + 1)

    reload(calls=2)
    call(alice, pbx)            # what was under way still counts
    told(alice, 480)
    reload(deny=["+"])
    told(alice, 403)
    reload()
    passes(alice, pbx)


@pytest.mark.parametrize("uri, more, said", [
    ("sip:+4930@example.com", ["--user", "alice"],
     ["class default: may call this number\n"]),
    ("sip:+4990%30@example.com", ["--user", "alice"],
     ["class default: may not call this number\n"]),
    ("tel:900;phone-context=+49", ["--user", "bob"],
     ["class night: may not call this number, and not at this time\n"]),
    ("tel:1#;phone-context=+49900", ["--user", "alice"],
     ["class default: may not call this number\n"]),
    ("sip:+4930@example.com", ["--source", "PBX"],
     ["class night: may call this number, and not at this time\n"]),
    ("sip:+49900@example.com", [], [])])
def test_a_class_is_explained(scene, uri, more, said):
    scene.write_config(
        peers=[scene.pbx_peer(**{"class": "night"})],
        classes=[default(deny=["+49900"]),
                 {"name": "night", "deny": ["+49900"], "hours": open_in(3)}])
    scene.write_users([user_line("alice", REALM, "wonderland"),
                       user_line("bob", REALM, "builder", ["class=night"])])
    more = [scene.net.host(5) if x == "PBX" else x for x in more]
    done = scene.daemon.run(
        "-c", scene.daemon.config_path, "-r", "-", *more,
        input="INVITE %s SIP/2.0\r\nVia: SIP/2.0/UDP 192.0.2.1;branch=z9hG4bKa"
        "\r\nFrom: <sip:alice@example.com>;tag=1\r\nTo: <sip:b@a.b>\r\n"
        "Call-ID: a\r\nCSeq: 1 INVITE\r\nContent-Length: 0\r\n\r\n" % uri)
    for words in said:
        assert words in done.stdout, done.stdout + done.stderr
    if not said:
        assert "\nclass " not in done.stdout


BAD = [
    ({"calls": 0}, "classes.calls"), ({"calls": "many"}, "classes.calls"),
    ({"calls_started": "10/h"}, "classes.calls_started"),
    ({"calls_forgotten": "10ms"}, "classes.calls_forgotten"),
    ({"allow": []}, "classes.allow: is empty"),
    ({"deny": ["+"]}, None), ({"deny": ["+49;x"]}, "classes.deny"),
    ({"deny": ["--"]}, "classes.deny"), ({"deny": ["0+9"]}, "classes.deny"),
    ({"hours": ["Mon 7-8"]}, "classes.hours"),
    ({"hours": ["Mo 07:00-08:00"]}, "classes.hours"),
    ({"hours": ["08:00-08:00"]}, "classes.hours"),
    ({"hours": []}, "classes.hours: is empty"),
    ({"holidays": 1}, "classes.holidays")]


@pytest.mark.parametrize("limits, says", BAD)
def test_what_cannot_be_is_told(scene, limits, says):
    scene.write_config(classes=[default(**limits)])
    got = scene.daemon.run("-t", "-c", scene.daemon.config_path)
    if says is None:
        assert got.returncode == 0, got.stderr
    else:
        assert got.returncode != 0
        assert says in got.stderr


def test_names_must_be_right(scene):
    scene.write_config(classes=[default(), default()])
    got = scene.daemon.run("-t", "-c", scene.daemon.config_path)
    assert got.returncode != 0 and "another class" in got.stderr
    scene.write_config(classes=[default()],
                       peers=[scene.pbx_peer(**{"class": "nobody"})])
    got = scene.daemon.run("-t", "-c", scene.daemon.config_path)
    assert got.returncode != 0
    assert 'peers.class: no entry of classes is named "nobody"' in got.stderr


def test_one_line_a_second(scene):
    start(scene, default(deny=["+"]))
    alice = scene.alice()
    for _ in range(20):
        told(alice, 403)
    lines = scene.log.find(event="fraud.limit")
    assert len(lines) < 15
    metrics = scene.daemon.metrics()
    assert metrics[("fraud_limited_total", "number")] == 20
    assert len(scene.log.find(event="request.refused",
                              reason="forbidden-number")) == 20
