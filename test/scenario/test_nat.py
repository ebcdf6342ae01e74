"""Phones behind NAT in front of a PBX."""

import pytest

from harness import check, sip
from harness.patience import until
from harness.scene import ask, call, call_in, register, serve

PRIVATE = ("192.168.1.10", 5060)


def natted(scene, transport="udp", number=10, **more):
    """The source is the NAT's outside; the phone knows its inside only."""
    return scene.phone("alice", number, port=40000, claims=PRIVATE,
                       transport=transport, **more)


def registrar(scene, mode="rfc", **more):
    scene.start(peers=[scene.pbx_peer(path=mode, **more)])
    return scene.pbx()


# ---- symmetric answers

def test_a_stranger_is_answered_where_he_is(scene):
    # without asking for rport (RFC 3581), and whatever his Via says
    scene.start()
    alice = natted(scene)
    request = alice.make("OPTIONS", "sip:bob@example.com")
    request.set("Via", request["Via"].replace(";rport", ""))
    alice.post(request)
    got = alice.expect(407)
    params = sip.params_of(got.via)
    assert params["received"] == alice.host
    assert params["rport"] == "40000"


def test_rport_is_filled_in(scene):
    scene.start()
    alice = natted(scene)
    alice.send("OPTIONS", "sip:bob@example.com")
    params = sip.params_of(alice.expect(407).via)
    assert params["rport"] == "40000" and params["received"] == alice.host


def test_received_is_added_even_where_it_says_nothing_new(scene):
    # RFC 3581 section 4: MUST, where rport was asked for
    scene.start()
    alice = scene.alice()
    alice.send("OPTIONS", "sip:bob@example.com")
    assert sip.params_of(alice.expect(407).via)["received"] == alice.host


def test_a_peer_is_answered_by_the_rfc(scene):
    # no rport: to the port in the Via, from whatever port it sent
    scene.start()
    other = scene.phone("pbx-out", 5, port=5061, claims=(
        scene.net.host(5), 5060))
    pbx = scene.pbx()
    request = other.make("OPTIONS", "sip:bob@example.com")
    request.set("Via", request["Via"].replace(";rport", ""))
    other.post(request)
    pbx.expect(404)
    other.expect_nothing(0.1)


def test_a_peer_with_rport_is_answered_there(scene):
    scene.start()
    other = scene.phone("pbx-out", 5, port=5061, claims=(
        scene.net.host(5), 5060))
    pbx = scene.pbx()
    other.send("OPTIONS", "sip:bob@example.com")
    other.expect(404)
    pbx.expect_nothing(0.1)


@pytest.mark.parametrize("transport", ["udp", "tcp"])
def test_a_call_of_a_phone_with_a_private_contact(scene, transport):
    scene.start()
    alice, pbx = natted(scene, transport), scene.pbx()
    call(alice, pbx)
    assert "192.168.1.10" in pbx.dialog.target
    for method in ("INVITE", "REFER", "BYE"):
        pbx.in_dialog(method)
        got = alice.expect(method)
        assert got.uri == alice.contact
        alice.reply(200)
        pbx.expect(200)
        if method == "INVITE":
            pbx.ack()
            alice.expect("ACK")


@pytest.mark.parametrize("transport", ["udp", "tcp"])
def test_requests_of_such_a_phone_in_its_call(scene, transport):
    scene.start()
    alice, pbx = natted(scene, transport), scene.pbx()
    call(alice, pbx)
    for method in ("INVITE", "REFER", "BYE"):
        alice.in_dialog(method)
        alice.expect(407)
        alice.answer()
        pbx.expect(method)
        pbx.reply(200)
        alice.expect(200)
        if method == "INVITE":
            alice.ack()
            pbx.expect("ACK")


# ---- registrations

def test_register_carries_a_path(scene):
    pbx = registrar(scene)
    alice = natted(scene)
    contact, path = register(alice, pbx)
    assert contact == alice.contact
    assert len(path) == 1
    check.is_loose(path[0])
    assert sip.host_port(sip.uri_of(path[0])) == (scene.at, 5060)
    assert sip.uri_user(sip.uri_of(path[0]))


def test_the_path_of_the_listener_that_faces_the_pbx(scene):
    scene.start(**scene.inside_listener())
    alice, pbx = natted(scene), scene.pbx()
    _, path = register(alice, pbx)
    assert sip.host_port(sip.uri_of(path[0]))[0] == scene.net.host(2)
    pbx.proxy = (scene.net.host(2), 5060)
    call_in(pbx, alice, alice.contact, route=path)


def test_a_refresh_has_the_same_path(scene):
    pbx = registrar(scene)
    alice = natted(scene)
    assert register(alice, pbx) == register(alice, pbx)


def test_path_rfc_needs_a_phone_that_supports_it(scene):
    pbx = registrar(scene)
    alice = natted(scene)
    _, path = register(alice, pbx, supported=False)
    assert path == []


def test_path_always(scene):
    pbx = registrar(scene, "always")
    alice = natted(scene)
    ask(alice, "REGISTER", "sip:example.com")
    got = pbx.expect("REGISTER")
    assert len(got.values("Path")) == 1
    assert "path" in got.values("Supported")


def test_a_path_of_somebody_before_us_is_kept_below(scene):
    pbx = registrar(scene)
    alice = natted(scene)
    _, path = register(alice, pbx, headers=[
        ("Path", "<sip:edge.example.net;lr>")])
    assert path[1:] == ["<sip:edge.example.net;lr>"] and len(path) == 2


@pytest.mark.parametrize("transport", ["udp", "tcp"])
@pytest.mark.parametrize("mode", ["rfc", "always"])
def test_the_pbx_calls_the_phone(scene, transport, mode):
    pbx = registrar(scene, mode)
    alice = natted(scene, transport)
    contact, path = register(alice, pbx, supported=mode == "rfc")
    invite = call_in(pbx, alice, contact, route=path)
    assert invite.uri == alice.contact
    check.lacks(invite, "Route")
    assert invite.flow.transport == transport
    pbx.in_dialog("INVITE")
    alice.expect("INVITE")
    alice.reply(200)
    pbx.expect(200)
    pbx.ack()
    alice.expect("ACK")
    pbx.bye()
    alice.expect("BYE")
    alice.reply(200)
    pbx.expect(200)


@pytest.mark.parametrize("transport", ["udp", "tcp"])
def test_the_called_phone_asks_back(scene, transport):
    # it never proved a user in this dialog: its token and source count
    pbx = registrar(scene)
    alice = natted(scene, transport)
    contact, path = register(alice, pbx)
    call_in(pbx, alice, contact, route=path)
    for method in ("INVITE", "REFER", "BYE"):
        alice.in_dialog(method)
        pbx.expect(method)
        pbx.reply(200)
        alice.expect(200)
        if method == "INVITE":
            alice.ack()
            pbx.expect("ACK")


@pytest.mark.parametrize("transport", ["udp", "tcp"])
def test_path_contact(scene, transport):
    # for a PBX that knows no Path: the token stands in the Contact
    pbx = registrar(scene, "contact")
    alice = natted(scene, transport)
    ask(alice, "REGISTER", "sip:example.com", contact=(
        '"Alice" <%s>;q=0.7;expires=300' % alice.contact))
    got = pbx.expect("REGISTER")
    check.lacks(got, "Path")
    contact = sip.uri_of(got["Contact"])
    assert "192.168" not in contact
    assert sip.host_port(contact) == (scene.at, 5060)
    assert sip.params_of(got["Contact"]) == {"q": "0.7", "expires": "300"}
    pbx.reply(200, contact=got["Contact"])
    answer = alice.expect(200)
    assert sip.uri_of(answer["Contact"]) == alice.contact
    assert sip.params_of(answer["Contact"])["expires"] == "300"
    invite = call_in(pbx, alice, contact)
    assert invite.uri == alice.contact
    assert invite.flow.transport == transport
    pbx.bye()
    alice.expect("BYE")


def test_path_contact_and_star(scene):
    pbx = registrar(scene, "contact")
    alice = natted(scene)
    ask(alice, "REGISTER", "sip:example.com", contact="*",
        headers=[("Expires", "0")])
    assert pbx.expect("REGISTER")["Contact"] == "*"
    pbx.reply(200)
    alice.expect(200)


def test_path_contact_with_several_contacts(scene):
    pbx = registrar(scene, "contact")
    alice = natted(scene)
    other = "<sip:alice@10.9.8.7:5555;transport=tcp>;q=0.1"
    ask(alice, "REGISTER", "sip:example.com",
        contact="<%s>, %s" % (alice.contact, other))
    got = pbx.expect("REGISTER")
    contacts = got.values("Contact")
    assert len(contacts) == 2 and contacts[0] != contacts[1]
    foreign = "<sip:alice@192.0.2.99>;expires=3"
    pbx.reply(200, contact=", ".join(contacts + [foreign]))
    back = [sip.uri_of(c) for c in alice.expect(200).values("Contact")]
    assert back == [alice.contact, sip.uri_of(other), sip.uri_of(foreign)]


def test_path_contact_answered_in_several_lines(scene):
    pbx = registrar(scene, "contact")
    alice = natted(scene)
    foreign = "<sip:alice@192.0.2.99>;expires=3"
    ask(alice, "REGISTER", "sip:example.com", contact="<%s>" % alice.contact)
    sealed = pbx.expect("REGISTER")["Contact"]
    pbx.reply(200, contact=foreign, headers=[("Contact", sealed)])
    back = alice.expect(200).all("Contact")
    assert back[0] == foreign and sip.uri_of(back[1]) == alice.contact


def test_path_contact_refresh_is_no_new_binding(scene):
    pbx = registrar(scene, "contact")
    alice = natted(scene)
    assert register(alice, pbx) == register(alice, pbx)


# ---- tokens that are not as they should be

def test_a_forged_path_token_is_403(scene):
    pbx = registrar(scene)
    alice = natted(scene)
    contact, path = register(alice, pbx)
    token = sip.uri_user(sip.uri_of(path[0]))
    forged = token[:8] + ("A" if token[8] != "A" else "B") + token[9:]
    pbx.send("INVITE", contact, route=[path[0].replace(token, forged)])
    pbx.expect(403)
    alice.expect_nothing(0.2)
    scene.log.has(reason="foreign-token")


def test_a_forged_contact_token_is_403(scene):
    pbx = registrar(scene, "contact")
    alice = natted(scene)
    contact, _ = register(alice, pbx)
    token = sip.uri_user(contact)
    forged = token[:60] + ("A" if token[60] != "A" else "B") + token[61:]
    pbx.send("INVITE", contact.replace(token, forged))
    pbx.expect(403)
    alice.expect_nothing(0.2)


def test_a_path_token_is_good_from_its_registrar_only(scene):
    scene.start(peers=[scene.pbx_peer(), {
        "name": "carrier", "uri": "sip:%s" % scene.net.host(6),
        "from": [scene.net.host(6)], "auth": "ip"}])
    alice, pbx, carrier = natted(scene), scene.pbx(), scene.pbx(6, "carrier")
    contact, path = register(alice, pbx)
    carrier.send("INVITE", contact, route=path)
    carrier.expect(403)
    alice.expect_nothing(0.2)


def test_a_path_token_is_nothing_in_a_strangers_hand(scene):
    pbx = registrar(scene)
    alice, mallory = natted(scene), scene.mallory()
    contact, path = register(alice, pbx)
    mallory.send("MESSAGE", contact, route=path)
    mallory.expect((403, 407))
    alice.expect_nothing(0.2)


def test_a_path_token_is_nothing_in_a_users_hand(scene):
    pbx = registrar(scene)
    alice, bob = natted(scene), scene.bob()
    contact, path = register(alice, pbx)
    ask(bob, "MESSAGE", "sip:alice@example.com", route=path)
    alice.expect_nothing(0.2)


def test_a_dialog_token_is_no_path_token(scene):
    pbx = registrar(scene)
    alice = natted(scene)
    invite = call(alice, pbx)
    pbx.send("MESSAGE", alice.contact, route=invite.values("Record-Route"))
    pbx.expect((403, 404))
    alice.expect_nothing(0.2)


def test_a_path_token_is_no_dialog_token(scene):
    scene.start(auth={"in_dialog": "token"})
    alice, pbx = natted(scene), scene.pbx()
    _, path = register(alice, pbx)
    alice.send("MESSAGE", "sip:bob@example.com", route=path,
               to="<sip:bob@example.com>;tag=1")
    alice.expect(407)
    pbx.expect_nothing(0.1)


def test_a_flow_that_is_gone_is_430(scene):
    pbx = registrar(scene)
    alice = natted(scene, "tcp")
    contact, path = register(alice, pbx)
    alice.wire.drop(alice.wire.flows[0])
    until(lambda: scene.daemon.metrics()[
        "transport_connections", "accepted"] == 0)
    pbx.send("INVITE", contact, route=path)
    pbx.expect(430)
    scene.log.has(reason="flow-gone")


def test_another_connection_is_another_flow(scene):
    pbx = registrar(scene)
    alice = natted(scene, "tcp")
    contact, path = register(alice, pbx)
    alice.wire.drop(alice.wire.flows[0])
    bob = natted(scene, "tcp", number=10, user="bob")
    serve(bob, pbx)
    pbx.send("INVITE", contact, route=path)
    pbx.expect(430)
    bob.expect_nothing(0.1)


def test_a_path_outlives_a_restart_over_udp(scene):
    pbx = registrar(scene)
    alice = natted(scene)
    contact, path = register(alice, pbx)
    scene.restart()
    call_in(pbx, alice, contact, route=path)


def test_a_connection_does_not_outlive_a_restart(scene):
    pbx = registrar(scene)
    alice = natted(scene, "tcp")
    contact, path = register(alice, pbx)
    scene.restart()
    pbx.send("INVITE", contact, route=path)
    pbx.expect(430)


def test_phone_to_phone_through_the_pbx(scene):
    # the PBX as a proxy that forwards by what it registered
    pbx = registrar(scene)
    alice = natted(scene)
    bob = scene.phone("bob", 11, port=41000, claims=("192.168.1.10", 5060))
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
    assert len(seen.values("Record-Route")) == 2
    bob.reply(200)
    pbx.expect(200)
