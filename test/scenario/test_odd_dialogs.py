"""Honest phones and PBXs that do odd things in dialogs: no ACK of theirs may
be lost, and whoever hangs up must be heard."""

import copy
import os
import time

import pytest

from harness import check, sip
from harness.phone import Dialog
from harness.scene import SDP, ask, call, call_in

LATER = ["ACK", "INFO", "UPDATE", "REFER", "MESSAGE", "BYE"]


def proved(phone):
    if phone.password is not None:
        phone.expect(407)
        phone.answer()


def passes(sender, other, method, dialog=None, **parts):
    """One request in the dialog, to its end."""
    sender.in_dialog(method, dialog, **parts)
    if method == "ACK":
        return other.expect("ACK")
    proved(sender)
    got = other.expect(method)
    other.reply(200)
    sender.expect(200)
    return got


def config(scene, **changes):
    """The PBX, and a carrier that calls it and is called by it."""
    host = scene.net.host(6)
    return scene.config(peers=[scene.pbx_peer(), {
        "name": "carrier", "uri": "sip:%s:5060" % host, "from": [host]}],
        routes=[{"from": "pbx", "to": "carrier"}, {"to": "pbx"}], **changes)


def start(scene, **changes):
    scene.start(**config(scene, **changes))
    return scene.pbx()


def caller_of(scene, who):
    return scene.alice() if who == "alice" else scene.pbx(6, "carrier")


def invites(caller, pbx):
    caller.send("INVITE", "sip:bob@example.com", body=SDP)
    proved(caller)
    return pbx.expect("INVITE")


def without_routes(answer):
    answer.remove("Record-Route")


def without_tag(answer):
    answer.set("To", answer["To"].partition(";tag=")[0])


def rings(caller, pbx, invite, tag="one", status=180, **parts):
    """Returns the early dialog."""
    pbx.reply(status, to=invite, tag=tag, **parts)
    return Dialog.of_caller(caller.invite, caller.expect(status))


def answers(caller, pbx, invite, tag="two", **parts):
    pbx.reply(200, to=invite, tag=tag, body=SDP, **parts)
    return Dialog.of_caller(caller.invite, caller.expect(200))


def keeps_the_first(early, answered):
    """What a phone does that reads Record-Route once."""
    out = copy.copy(answered)
    out.routes = early.routes
    return out


# ---- the far side has more than one voice

@pytest.mark.parametrize("who", ["alice", "carrier"])
@pytest.mark.parametrize("edit", [None, without_routes])
def test_the_route_set_of_a_180_after_another_answered(scene, who, edit):
    """Serial forking behind the PBX (to a mailbox), or a carrier whose early
    media and whose answer come of two switches."""
    pbx = start(scene)
    caller = caller_of(scene, who)
    invite = invites(caller, pbx)
    early = rings(caller, pbx, invite)
    answered = answers(caller, pbx, invite, edit=edit)
    dialog = keeps_the_first(early, answered)
    for method in LATER:
        got = passes(caller, pbx, method, dialog, **(
            {"cseq": invite.cseq[0]} if method == "ACK" else {}))
        check.lacks(got, "Route")


@pytest.mark.parametrize("kept", ["early", "answered"])
def test_the_same_over_tls(scene, pki, kept):
    """And with one Record-Route for each side (RFC 5658)."""
    shown = pki.issuing.leaf("sip", "IP:" + scene.at)
    pbx = start(scene, listen=scene.listeners(scene.secure_listener(shown)))
    alice = scene.secure("alice", 10)
    invite = invites(alice, pbx)
    assert len(invite.values("Record-Route")) == 2
    early = rings(alice, pbx, invite)
    dialog = answers(alice, pbx, invite)
    if kept == "early":
        dialog.routes = early.routes
    passes(alice, pbx, "ACK", dialog, cseq=alice.invite.cseq[0])
    if kept == "answered":
        passes(alice, pbx, "INVITE", dialog, body=SDP)
        passes(pbx, alice, "INVITE", body=SDP)
    passes(alice, pbx, "BYE", dialog)


def test_a_peer_that_keeps_it_may_put_on_hold(scene):
    """By its routes, as before there were tokens."""
    pbx = start(scene)
    carrier = scene.pbx(6, "carrier")
    invite = invites(carrier, pbx)
    early = rings(carrier, pbx, invite)
    dialog = keeps_the_first(early, answers(carrier, pbx, invite))
    passes(carrier, pbx, "ACK", dialog, cseq=invite.cseq[0])
    carrier.in_dialog("INVITE", dialog, body=SDP)
    pbx.expect("INVITE")
    pbx.reply(200, body=SDP)
    carrier.expect(200)


def test_a_phone_that_keeps_it_begins_no_call_by_it(scene):
    """What it asks for is judged as new, and not as in the dialog."""
    pbx = start(scene)
    alice = scene.alice()
    invite = invites(alice, pbx)
    early = rings(alice, pbx, invite)
    dialog = keeps_the_first(early, answers(alice, pbx, invite))
    passes(alice, pbx, "ACK", dialog, cseq=alice.invite.cseq[0])
    alice.in_dialog("INVITE", dialog, body=SDP)
    alice.expect(407)
    alice.answer()
    alice.expect(403)
    pbx.expect_nothing(0.1)
    passes(alice, pbx, "BYE", dialog)


@pytest.mark.parametrize("early_edit, edit", [
    (without_routes, None), (None, without_routes), (without_tag, None),
    (without_tag, without_routes)])
def test_record_route_in_one_answer_only(scene, early_edit, edit):
    pbx = start(scene)
    alice = scene.alice()
    invite = invites(alice, pbx)
    early = rings(alice, pbx, invite, edit=early_edit)
    answered = answers(alice, pbx, invite, tag="one", edit=edit)
    dialog = answered if edit is None else keeps_the_first(early, answered)
    for method in LATER + ["BYE"]:
        passes(alice, pbx, method, dialog, **(
            {"cseq": alice.invite.cseq[0]} if method == "ACK" else {}))


def test_two_answer(scene):
    """Both are acknowledged, and the one that is not wanted is hung up."""
    pbx = start(scene)
    alice = scene.alice()
    invite = invites(alice, pbx)
    first = answers(alice, pbx, invite, tag="one")
    second = answers(alice, pbx, invite, tag="two")
    cseq = alice.invite.cseq[0]
    for dialog in (first, second):
        passes(alice, pbx, "ACK", dialog, cseq=cseq)
    passes(alice, pbx, "BYE", second)
    for method in ("INVITE", "BYE"):
        passes(alice, pbx, method, first)


@pytest.mark.parametrize("who", ["alice", "carrier"])
def test_an_early_dialog_that_talks(scene, who):
    """Reliable provisional answers (RFC 3262), UPDATE both ways (RFC 3311),
    two early dialogs side by side."""
    pbx = start(scene)
    caller = caller_of(scene, who)
    invite = invites(caller, pbx)
    for tag, rseq in (("one", "1"), ("two", "1"), ("one", "2")):
        early = rings(caller, pbx, invite, tag, 183, headers=[
            ("Require", "100rel"), ("RSeq", rseq)])
        early.cseq = 10 * int(rseq) + len(tag)
        caller.in_dialog("PRACK", early, headers=[
            ("RAck", "%s %d INVITE" % (rseq, invite.cseq[0]))])
        pbx.expect("PRACK")
        pbx.reply(200)
        caller.expect(200)
        passes(caller, pbx, "UPDATE", early, body=SDP)
    answer = pbx.reply(200, to=invite, tag="two", body=SDP)
    dialog = Dialog.of_caller(caller.invite, caller.expect(200))
    dialog.cseq = 100
    passes(caller, pbx, "ACK", dialog, cseq=caller.invite.cseq[0])
    passes(caller, pbx, "INVITE", dialog, body=SDP)
    passes(pbx, caller, "UPDATE", Dialog.of_callee(invite, answer))
    passes(caller, pbx, "BYE", dialog)


@pytest.mark.parametrize("joined", ["lines", "one line", "among others"])
def test_record_route_as_others_write_it(scene, joined):
    """A PBX that is a proxy has its own there, too."""
    scene.start(**scene.inside_listener())
    alice, pbx = scene.alice(), scene.pbx()
    theirs = '"x, y" <sip:10.0.0.9:5070;lr=on;ftag=a%2Cb;transport=udp>;p="q,"'

    def edit(answer):
        ours = answer.values("Record-Route")
        assert len(ours) == 2
        answer.remove("Record-Route")
        if joined == "among others":
            ours.insert(0, theirs)
        for value in [",".join(ours)] if joined != "lines" else ours:
            answer.push("Record-Route", value)
        if joined == "lines":
            answer.headers[:2] = reversed(answer.headers[:2])

    invite = invites(alice, pbx)
    dialog = answers(alice, pbx, invite, edit=edit)
    passes(alice, pbx, "ACK", dialog, cseq=alice.invite.cseq[0])
    if joined == "among others":
        assert dialog.routes[2].endswith(theirs.partition("<")[2])
        dialog.routes.pop()
    passes(alice, pbx, "INVITE", dialog, body=SDP)
    passes(alice, pbx, "BYE", dialog)


# ---- who asks what, and how

@pytest.mark.parametrize("method", ["INVITE", "UPDATE", "NOTIFY", "BYE"])
@pytest.mark.parametrize("who", ["caller", "callee"])
def test_another_identity_in_the_middle(scene, who, method):
    """RFC 4916: the URIs of From and To are others, the tags stay."""
    pbx = start(scene)
    alice = scene.alice()
    call(alice, pbx)
    asks, other = (alice, pbx) if who == "caller" else (pbx, alice)
    asks.dialog.remote = "<sip:front.desk@example.com>;tag=" + \
        sip.params_of(asks.dialog.remote)["tag"]
    if who == "callee":
        asks.dialog.local = '"Carol" <sip:carol@example.com>;tag=' + \
            sip.params_of(asks.dialog.local)["tag"]
    passes(asks, other, method)


@pytest.mark.parametrize("method", ["BYE", "INFO"])
def test_a_strict_router_between_in_a_dialog(scene, method):
    pbx = start(scene)
    alice = scene.alice()
    call(alice, pbx)
    us = sip.uri_of(alice.dialog.routes[0])
    got = passes(alice, pbx, method, uri=us,
                 route=["<%s>" % alice.dialog.target])
    assert got.uri == alice.dialog.target


def test_a_subscription_and_its_first_notice(scene):
    """NOTIFY may come before the 200 (RFC 6665 4.1.2.4)."""
    pbx = start(scene)
    alice = scene.alice()
    ask(alice, "SUBSCRIBE", headers=[("Event", "presence")])
    request = pbx.expect("SUBSCRIBE")
    answer = sip.response_to(request, 200, None, "one")
    notifier = Dialog.of_callee(request, answer)
    notice = [("Event", "presence"), ("Subscription-State", "active")]
    passes(pbx, alice, "NOTIFY", notifier, headers=notice)
    pbx.reply(200, to=request, tag="one")
    dialog = Dialog.of_caller(alice.sent, alice.expect(200))
    passes(alice, pbx, "SUBSCRIBE", dialog, headers=[("Event", "presence")])
    passes(pbx, alice, "NOTIFY", notifier, headers=notice)


@pytest.mark.parametrize("who", ["caller", "callee"])
def test_the_notices_of_a_transfer(scene, who):
    """REFER in a call subscribes to what becomes of it (RFC 3515)."""
    pbx = start(scene)
    alice = scene.alice()
    call(alice, pbx)
    asks, other = (alice, pbx) if who == "caller" else (pbx, alice)
    passes(asks, other, "REFER",
           headers=[("Refer-To", "<sip:carol@example.com>")])
    passes(other, asks, "NOTIFY", headers=[
        ("Event", "refer"), ("Subscription-State", "terminated")])
    passes(asks, other, "BYE")


# ---- a long time passes

@pytest.mark.parametrize("who", ["caller", "callee"])
def test_who_hangs_up_after_dialog_max_is_heard(scene, who):
    pbx = start(scene, auth={"dialog_max": "1s"})
    alice = scene.alice()
    call(alice, pbx)
    asks, other = (alice, pbx) if who == "caller" else (pbx, alice)
    time.sleep(2.5)
    for method in ("INFO", "INVITE"):
        asks.in_dialog(method)
        asks.expect(481)
    other.expect_nothing(0.1)
    passes(asks, other, "BYE")


@pytest.mark.parametrize("who", ["caller", "callee"])
def test_a_call_outlives_a_change_of_keys(scene, who):
    """What the old key signed is good as long as it is the second one."""
    keys = [os.path.join(scene.folder, name) for name in ("old", "new")]
    for path in keys:
        with open(os.open(path, os.O_CREAT | os.O_WRONLY, 0o400), "wb") as f:
            f.write(os.urandom(32))
    old, new = keys
    pbx = start(scene, auth={"key_file": old})
    alice = scene.alice()
    call(alice, pbx)
    scene.daemon.configure(config(scene, auth={"key_file": new,
                                               "second_key_file": old}))
    scene.restart()
    asks, other = (alice, pbx) if who == "caller" else (pbx, alice)
    for method in ("INVITE", "UPDATE", "BYE"):
        passes(asks, other, method)


def test_a_call_to_a_phone_that_the_pbx_began(scene):
    """The PBX is the caller: its tokens are of the dialog, too."""
    scene.start(routes=[{"from": "pbx", "to": "request-uri"}, {"to": "pbx"}])
    alice, pbx = scene.alice(), scene.pbx()
    call_in(pbx, alice, "sip:alice@%s:%d" % (alice.host, alice.port))
    for method in ("INVITE", "UPDATE", "BYE"):
        passes(pbx, alice, method)
