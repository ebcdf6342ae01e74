"""Phones whose connection another instance has."""

import os
import re
import signal

import pytest

from harness import check, sip
from harness.cluster import PLACES, copies
from harness.patience import until
from harness.phone import first_of
from harness.scene import ask, call, call_in, register

PRIVATE = ("192.168.1.10", 5060)
ANYWHERE = "sip:HERE:5060"
IDENTITY = ("P-Asserted-Identity", "<sip:+15551234@example.com>")


def natted(cluster, transport="udp", **more):
    """alice, at instance a; her own address is of no use to anybody."""
    return cluster.phone("alice", 10, port=40000, claims=PRIVATE,
                         transport=transport, **more)


def begin(cluster, count=2, inside=ANYWHERE, mode="always", **changes):
    """The instances, and a PBX that asks b."""
    changes.setdefault("timers", {"t1": "500ms"})
    cluster.start(count, inside=inside, peers=[cluster.pbx_peer(path=mode)],
                  **changes)
    pbx = cluster.pbx()
    pbx.proxy = cluster.b.address
    return pbx


def gone(cluster, pbx, contact, path):
    """It is known that there is no way to the phone, long before 64*T1 are
    over."""
    pbx.send("INVITE", contact, route=path)
    pbx.expect(430)
    cluster.b.log.has(reason="flow-gone")


# ---- what is for a phone finds it

@pytest.mark.parametrize("transport", ["udp", "tcp"])
@pytest.mark.parametrize("inside", [ANYWHERE, "sip:HERE;transport=udp",
                                    "listen1"])
def test_a_call_by_another_instance(cluster, transport, inside):
    pbx = begin(cluster, inside=inside)
    alice = natted(cluster, transport)
    contact, path = register(alice, pbx)
    invite = call_in(pbx, alice, contact, route=path, headers=[IDENTITY])
    assert invite.flow.transport == transport
    assert invite.flow.remote == cluster.a.address
    assert invite.uri == alice.contact
    assert invite["P-Asserted-Identity"] == IDENTITY[1]
    assert len(invite.values("Via")) == 3
    # she is told what she speaks, not what instances speak
    assert [sip.uri_params(sip.uri_of(r)).get("transport")
            for r in invite.values("Record-Route")] == {
                "udp": [None], "tcp": ["tcp", None]}[transport]
    check.lacks(invite, "Route")
    cluster.a.log.has(event="request.relayed", method="INVITE",
                      source=re.compile("^%s:" % cluster.b.host),
                      transport="udp" if "udp" in inside else "tcp")


@pytest.mark.parametrize("transport", ["udp", "tcp"])
def test_all_that_follows_in_the_dialog(cluster, transport):
    pbx = begin(cluster)
    alice = natted(cluster, transport)
    contact, path = register(alice, pbx)
    call_in(pbx, alice, contact, route=path)
    for asks, answers in ((pbx, alice), (alice, pbx)):
        for method in ("INVITE", "REFER"):
            asks.in_dialog(method)
            answers.expect(method)
            answers.reply(200)
            asks.expect(200)
            if method == "INVITE":
                asks.ack()
                answers.expect("ACK")
    pbx.bye()
    alice.expect("BYE")
    alice.reply(200)
    pbx.expect(200)


@pytest.mark.parametrize("transport", ["udp", "tcp"])
def test_the_far_side_of_her_own_call(cluster, transport):
    # a let her in; what the PBX sends comes to b
    pbx = begin(cluster)
    alice = natted(cluster, transport)
    call(alice, pbx)
    pbx.in_dialog("INVITE", headers=[IDENTITY])
    got = alice.expect("INVITE")
    assert got.flow.remote == cluster.a.address
    assert got["P-Asserted-Identity"] == IDENTITY[1]
    alice.reply(200)
    pbx.expect(200)
    pbx.ack()
    alice.expect("ACK")
    pbx.bye()
    alice.expect("BYE")
    alice.reply(200)
    pbx.expect(200)


def test_the_name_of_all_stands_in_the_contact(cluster):
    pbx = begin(cluster, mode="contact")
    alice = natted(cluster, "tcp")
    contact, _ = register(alice, pbx)
    assert sip.host_port(contact)[0] == "sip.example.com"
    invite = call_in(pbx, alice, contact)
    assert invite.uri == alice.contact
    pbx.bye()
    alice.expect("BYE")


def test_a_call_that_is_cancelled(cluster):
    pbx = begin(cluster)
    alice = natted(cluster, "tcp")
    contact, path = register(alice, pbx)
    pbx.send("INVITE", contact, route=path)
    invite = alice.expect("INVITE")
    alice.reply(180)
    pbx.expect(180)
    pbx.cancel()
    pbx.expect(200)
    alice.expect("CANCEL")
    alice.reply(200)
    alice.reply(487, to=invite)
    pbx.expect(487)


def test_a_refusal_comes_back(cluster):
    pbx = begin(cluster)
    alice = natted(cluster, "tcp")
    contact, path = register(alice, pbx)
    pbx.send("MESSAGE", contact, route=path)
    alice.expect("MESSAGE")
    alice.reply(486)
    pbx.expect(486)
    cluster.b.log.has_not(reason="flow-gone")


def test_a_strict_router_behind_the_phone(cluster):
    # RFC 3261 16.6 item 6, once and not twice
    pbx = begin(cluster)
    alice = natted(cluster, "tcp")
    contact, path = register(alice, pbx)
    strict = "<sip:strict.example.net>"
    pbx.send("MESSAGE", contact, route=path + [strict])
    got = alice.expect("MESSAGE")
    assert got.uri == sip.uri_of(strict)
    assert [sip.uri_of(x) for x in got.values("Route")] == [contact]


def test_a_secure_request_is_not_handed_over_in_the_clear(cluster):
    pbx = begin(cluster)
    alice = natted(cluster, "tcp")
    contact, path = register(alice, pbx)
    pbx.send("MESSAGE", contact.replace("sip:", "sips:"), route=path)
    pbx.expect(480)
    alice.expect_nothing(0.2)


def test_members_have_no_rate_and_are_no_scanners(cluster):
    # whoever is behind them was judged where he came in
    scanners = os.path.join(cluster.folder, "scanners")
    with open(scanners, "w", encoding="ascii") as f:
        f.write("friendly*\n")
    pbx = begin(cluster, guard={"scanners": scanners},
                limits={"requests_per_source": "1/s burst 4"})
    alice = natted(cluster, "tcp")
    contact, path = register(alice, pbx)
    for _ in range(9):
        pbx.send("MESSAGE", contact, route=path,
                 headers=[("User-Agent", "friendly-pbx")])
        alice.expect("MESSAGE")
        alice.reply(200)
        pbx.expect(200)


def over_tls(cluster, pki, shown):
    """a and b with an inside listener for TLS; shown: by which name."""
    cluster.redis = cluster.run_redis()
    cluster.write_users()
    for name in "ab":
        host = cluster.net.host(PLACES[name])
        leaf = pki.issuing.leaf(name, shown.replace("HERE", host))
        cluster.place(
            name, inside="sips:HERE", tls={"ca": pki.root.crt},
            timers={"t1": "500ms"},
            peers=[cluster.pbx_peer(path="always")],
            listen=[{"name": "plain", "uri": "sip:%s:5060" % host},
                    {"name": "inside", "uri": "sips:%s:5061" % host,
                     "certificate": leaf.chain, "key": leaf.key}]).start()
    cluster.wait_shared()
    pbx = cluster.pbx()
    pbx.proxy = cluster.b.address
    return pbx


def test_instances_that_speak_tls(cluster, pki):
    pbx = over_tls(cluster, pki, "IP:HERE")
    alice = natted(cluster, "tcp")
    contact, path = register(alice, pbx)
    call_in(pbx, alice, contact, route=path)
    cluster.a.log.has(event="request.relayed", method="INVITE",
                      transport="tls")


def test_who_is_not_certified_for_the_address_gets_nothing(cluster, pki):
    pbx = over_tls(cluster, pki, "IP:127.99.99.99")
    alice = natted(cluster, "tcp")
    contact, path = register(alice, pbx)
    gone(cluster, pbx, contact, path)
    alice.expect_nothing(0.1)


# ---- who is gone

def test_the_holder_says_that_the_connection_is_gone(cluster):
    pbx = begin(cluster)
    alice = natted(cluster, "tcp")
    contact, path = register(alice, pbx)
    alice.wire.drop(alice.wire.flows[0])
    until(lambda: cluster.a.metrics()[
        "transport_connections", "accepted"] == 0)
    pbx.send("INVITE", contact, route=path)
    pbx.expect(430)
    cluster.a.log.has(reason="flow-gone")


def test_a_connection_dies_with_its_instance(cluster):
    pbx = begin(cluster)
    alice = natted(cluster, "tcp")
    contact, path = register(alice, pbx)
    cluster.a.kill()
    gone(cluster, pbx, contact, path)


@pytest.mark.parametrize("inside", [ANYWHERE, "sip:HERE;transport=udp"])
def test_an_instance_that_hangs(cluster, inside):
    pbx = begin(cluster, inside=inside, timers={
        "t1": "500ms", "target_timeout": "300ms"})
    alice = natted(cluster, "tcp")
    contact, path = register(alice, pbx)
    cluster.a.signal(signal.SIGSTOP)
    try:
        gone(cluster, pbx, contact, path)
    finally:
        cluster.a.signal(signal.SIGCONT)


def test_a_restarted_instance_has_no_connections(cluster):
    pbx = begin(cluster)
    alice = natted(cluster, "tcp")
    contact, path = register(alice, pbx)
    cluster.a.stop()
    cluster.a.start()
    cluster.wait_shared(cluster.a)
    pbx.send("INVITE", contact, route=path)
    pbx.expect(430)


def test_a_phone_that_hears_everybody_outlives_its_instance(cluster):
    pbx = begin(cluster)
    alice = natted(cluster)
    contact, path = register(alice, pbx)
    cluster.a.kill()
    alice.proxy = cluster.b.address
    invite = call_in(pbx, alice, contact, route=path)
    assert invite.flow.remote == cluster.b.address


def hangs_up(asks, answers):
    asks.bye()
    who, got = first_of(asks, answers)
    if who is asks and got.status == 407:
        asks.answer()
        got = answers.expect("BYE")
    assert got.method == "BYE"
    answers.reply(200)
    asks.expect(200)


@pytest.mark.parametrize("first", ["alice", "pbx"])
def test_a_dialog_outlives_the_instance_that_let_it_in(cluster, first):
    pbx = begin(cluster)
    alice = natted(cluster)
    call(alice, pbx)
    cluster.a.kill()
    alice.proxy = cluster.b.address
    pbx.in_dialog("INVITE")
    alice.expect("INVITE")
    alice.reply(200)
    pbx.expect(200)
    pbx.ack()
    alice.expect("ACK")
    hangs_up(*((alice, pbx) if first == "alice" else (pbx, alice)))


# ---- who is let in

def overheard(cluster, pbx):
    """What b hands to a for alice; a is gone, somebody else sits there."""
    alice = natted(cluster)
    contact, path = register(alice, pbx)
    cluster.a.kill()
    spy = cluster.phone("spy", PLACES["a"])
    pbx.send("MESSAGE", contact, route=path)
    got = spy.expect("MESSAGE")
    assert sip.uri_user(sip.uri_of(got.values("Route")[0]))
    spy.reply(200)
    pbx.expect(200)
    return alice, got


def replayed(who, request, at, **edit):
    """The same from somewhere else; Route names who gets it."""
    one = copies(request)[0]
    one.set("From", request["From"])
    one.set("Call-ID", edit.get("call_id", request.call_id))
    one.set("Via", "SIP/2.0/UDP %s:%d;rport;branch=%s" % (
        who.host, who.port, sip.new_branch()))
    one.set("Route", request["Route"].replace(
        sip.host_port(sip.uri_of(request["Route"]))[0], at.host))
    who.post(one, flow=at.flow(who))


def test_who_is_no_member_hands_nothing_over(cluster):
    pbx = begin(cluster, 3, inside="sip:HERE;transport=udp")
    alice, request = overheard(cluster, pbx)
    mallory = cluster.mallory()
    replayed(mallory, request, cluster.c)
    mallory.expect(407)
    alice.expect_nothing(0.1)


def test_it_is_not_handed_on(cluster):
    pbx = begin(cluster, 3, inside="sip:HERE;transport=udp")
    alice, request = overheard(cluster, pbx)
    member = cluster.phone("member", PLACES["b"], port=5099)
    replayed(member, request, cluster.c)
    member.expect(430)
    alice.expect_nothing(0.1)


def test_the_token_is_for_one_request(cluster):
    pbx = begin(cluster, 3, inside="sip:HERE;transport=udp")
    alice, request = overheard(cluster, pbx)
    member = cluster.phone("member", PLACES["b"], port=5099)
    replayed(member, request, cluster.c, call_id="another")
    member.expect(407)
    alice.expect_nothing(0.1)


def test_what_else_a_member_sends_is_a_strangers(cluster):
    pbx = begin(cluster)
    alice = natted(cluster)
    contact, path = register(alice, pbx)
    member = cluster.phone("member", PLACES["b"], port=5099)
    for request in (member.make("INVITE", "sip:bob@example.com"),
                    member.make("MESSAGE", contact, route=path)):
        member.post(request, flow=cluster.a.flow(member))
        member.expect(407)
    alice.expect_nothing(0.1)


def test_phones_of_two_instances(cluster):
    """alice at a calls bob at b, by the PBX, which asks a and stays out of
    the dialog."""
    pbx = begin(cluster)
    pbx.proxy = cluster.a.address
    alice = natted(cluster, "tcp")
    bob = cluster.phone("bob", 11, port=41000, claims=PRIVATE,
                        transport="tcp", proxy=cluster.b.address)
    contact, path = register(bob, pbx)
    ask(alice, "INVITE")
    got = pbx.expect("INVITE")
    onward = got.copy()
    onward.start = "INVITE %s SIP/2.0" % contact
    onward.push("Via", "SIP/2.0/UDP %s:5060;branch=%s" % (
        pbx.host, sip.new_branch()))
    onward.push("Route", path[0])
    pbx.put(onward.encode())
    seen = bob.expect("INVITE")
    assert seen.uri == contact
    assert seen.flow.remote == cluster.b.address
    bob.reply(200)
    answer = pbx.expect(200)
    answer.headers.remove(("Via", answer.via))
    pbx.put(answer.encode())
    alice.expect(200)
    alice.ack()
    assert bob.expect("ACK").flow.remote == cluster.b.address
    bob.bye()
    assert alice.expect("BYE").flow.remote == cluster.a.address
    alice.reply(200)
    bob.expect(200)
    pbx.expect_nothing(0.1)
