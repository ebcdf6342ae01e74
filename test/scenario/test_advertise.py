"""Behind a cloud's NAT: another name for each network."""

import pytest

from harness import sip
from harness.scene import call, call_in, register

OUTSIDE = "203.0.113.7"


def begin(scene, inside="10.0.0.4", listen=None, **changes):
    """One listener, OUTSIDE to everybody but the PBX."""
    names = [{"net": scene.net.host(5), "host": inside},
             {"net": scene.net.host(66) + "/32", "host": "edge.example.net"}]
    scene.start(listen=[dict({"uri": "sip:%s:5060" % scene.at,
                              "advertise": OUTSIDE, "advertise_to": names},
                             **(listen or {}))], **changes)
    return scene.alice(), scene.pbx()


def hosts(values):
    return [sip.host_port(sip.uri_of(v))[0] for v in values]


def via_host(message):
    return sip.host_port(message.via.split()[1])[0]


def reached(phone, scene):
    """Phones and PBX find what the names stand for."""
    phone.flow_of_dialog = lambda dialog: phone.flow_to(
        scene.at, 5060, phone.transport)


def test_each_side_sees_its_name(scene):
    alice, pbx = begin(scene)
    reached(alice, scene)
    reached(pbx, scene)
    invite = call(alice, pbx)
    assert via_host(invite) == "10.0.0.4"
    routes = invite.values("Record-Route")
    assert hosts(routes) == ["10.0.0.4", OUTSIDE]
    assert [bool(sip.uri_user(sip.uri_of(r))) for r in routes] == [
        False, True]
    pbx.bye()
    got = alice.expect("BYE")
    assert via_host(got) == OUTSIDE
    assert not got.has("Route")
    alice.reply(200)
    pbx.expect(200)


def test_the_phone_speaks_in_its_dialog(scene):
    alice, pbx = begin(scene)
    reached(alice, scene)
    reached(pbx, scene)
    call(alice, pbx)
    alice.bye()
    alice.expect(407)
    alice.answer()
    got = pbx.expect("BYE")
    assert via_host(got) == "10.0.0.4"
    assert not got.has("Route")


def test_the_path_is_for_the_registrar(scene):
    alice, pbx = begin(scene)
    reached(alice, scene)
    reached(pbx, scene)
    contact, path = register(alice, pbx)
    assert hosts(path) == ["10.0.0.4"]
    invite = call_in(pbx, alice, contact, route=path)
    assert via_host(invite) == OUTSIDE
    assert hosts(invite.values("Record-Route")) == [OUTSIDE, "10.0.0.4"]


def test_so_is_the_contact(scene):
    alice, pbx = begin(scene, peers=[scene.pbx_peer(path="contact")])
    reached(pbx, scene)
    contact, _ = register(alice, pbx)
    assert sip.host_port(contact) == ("10.0.0.4", 5060)
    call_in(pbx, alice, contact)


@pytest.mark.parametrize("host", [OUTSIDE, "10.0.0.4", "edge.example.net"])
def test_all_names_are_ours(scene, host):
    """A Route that names us comes off, whoever was told the name."""
    alice, pbx = begin(scene)
    alice.send("MESSAGE", "sip:bob@example.com",
               route=["<sip:%s:5060;lr>" % host])
    alice.expect(407)
    alice.answer()
    got = pbx.expect("MESSAGE")
    assert not got.has("Route")


def test_a_name_is_a_domain_of_ours(scene):
    alice, pbx = begin(scene)
    alice.send("MESSAGE", "sip:bob@edge.example.net")
    alice.expect(407)
    alice.answer()
    pbx.expect("MESSAGE")


def test_our_name_on_top_is_refused_whichever_it_is(scene):
    alice, _ = begin(scene)
    for host in (OUTSIDE, "10.0.0.4", "edge.example.net"):
        request = alice.make("OPTIONS", "sip:bob@example.com")
        request.set("Via", request["Via"].replace(
            "%s:%d" % alice.claims, host + ":5060"))
        alice.post(request)
        alice.expect(400)


def test_one_name_for_both_is_one_record_route(scene):
    alice, pbx = begin(scene, inside=OUTSIDE)
    reached(alice, scene)
    reached(pbx, scene)
    invite = call(alice, pbx)
    assert hosts(invite.values("Record-Route")) == [OUTSIDE]


def test_ipv6_stands_in_brackets(scene):
    alice, pbx = begin(scene, inside="2001:db8::4")
    reached(alice, scene)
    contact, path = register(alice, pbx)
    assert "@[2001:db8::4]:5060" in path[0]


@pytest.mark.parametrize("entry, complaint", [
    ({"net": "10.0.0.1/8", "host": "x"}, "without host bits"),
    ({"net": "10.0.0.0/8", "host": "x:5060"}, "without port"),
    ({"net": "10.0.0.0/8"}, "missing")])
def test_what_is_no_network_or_no_host(scene, entry, complaint):
    scene.write_config(listen=[{"uri": "sip:%s:5060" % scene.at,
                                "advertise_to": [entry]}])
    done = scene.daemon.run("-t", "-c", scene.daemon.config_path)
    assert done.returncode == 1 and complaint in done.stderr
