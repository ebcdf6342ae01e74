"""Where requests may not go: judged by address, after DNS."""

import pytest

from harness import check
from harness.scene import ask, call, refused, serve

OUT = {"from": "strangers", "uri": "*@out.test", "to": "request-uri"}


def gates(scene, **more):
    """A list that denies .6 and .7, which stand for gateways."""
    return {"name": "gates", "deny": [
        {"net": scene.net.host(6)}, {"net": scene.net.host(7)}], **more}


def start(scene, dns, *routes, **more):
    more.setdefault("egress", [gates(scene)])
    scene.start(resolv_conf=dns.conf, routes=[*routes, {"to": "pbx"}], **more)


def denied(phone, scene, **parts):
    got = refused(phone, 473, **parts)
    assert got.start == "SIP/2.0 473 Destination Filtered"
    scene.log.has(reason="filtered", status="473")
    return scene.log.has(event="egress.filtered")


# ---- users may call other domains, if a route says so

def test_a_user_reaches_another_domain(scene, dns):
    dns.add("out.test", "A", scene.net.host(11))
    start(scene, dns, {**OUT, "egress": "gates"})
    alice, bob = scene.alice(), scene.bob()
    invite = call(alice, bob, "sip:bob@out.test")
    check.lacks(invite, "P-Asserted-Identity", "Proxy-Authorization")
    bob.bye()
    alice.expect("BYE")
    alice.reply(200)
    bob.expect(200)
    call(alice, bob, "sip:bob@out.test")
    alice.bye()
    alice.expect(407)
    alice.answer()
    bob.expect("BYE")
    bob.reply(200)
    alice.expect(200)


def test_without_a_password_nobody_does(scene, dns):
    dns.add("out.test", "A", scene.net.host(11))
    start(scene, dns, {**OUT, "egress": "none"})
    mallory, bob = scene.mallory(user="alice"), scene.bob()
    mallory.send("INVITE", "sip:bob@out.test")
    mallory.expect(407)
    mallory.answer()
    mallory.expect(407)
    bob.expect_nothing(0.2)


@pytest.mark.parametrize("route", [
    {"to": "request-uri", "egress": "none"},
    {"from": "pbx", "to": "request-uri", "egress": "none"},
    {"uri": "*@out.test", "to": "pbx"},
    {"from": "strangers", "uri": "*@out.test", "to": "pbx"},
    {"from": "strangers", "uri": "*@other.test", "to": "request-uri",
     "egress": "none"},
])
def test_no_open_relay(scene, dns, route):
    dns.add("out.test", "A", scene.net.host(11))
    start(scene, dns, route)
    alice, bob, pbx = scene.alice(), scene.bob(), scene.pbx()
    refused(alice, 403, uri="sip:bob@out.test")
    bob.expect_nothing(0.1)
    pbx.expect_nothing(0.05)
    scene.log.has(reason="foreign-domain")


def test_our_own_domain_does_not_go_out(scene, dns):
    start(scene, dns, {"from": "strangers", "to": "request-uri",
                       "egress": "none"})
    alice, pbx = scene.alice(), scene.pbx()
    serve(alice, pbx)


def test_a_route_header_is_no_way_out(scene, dns):
    dns.add("out.test", "A", scene.net.host(11))
    start(scene, dns, {**OUT, "egress": "none"})
    alice, victim = scene.alice(), scene.phone("victim", 77)
    refused(alice, 403, uri="sip:bob@out.test", route=[
        "<sip:%s:5060;lr>" % scene.at, "<sip:%s;lr>" % victim.host])
    victim.expect_nothing(0.1)
    scene.log.has(reason="foreign-route")


# ---- lists

def test_a_name_that_stands_for_a_gateway(scene, dns):
    dns.add("out.test", "A", scene.net.host(6))
    start(scene, dns, {**OUT, "egress": "gates"})
    alice, gateway = scene.alice(), scene.pbx(6, "gateway")
    said = denied(alice, scene, uri="sip:bob@out.test")
    assert said["list"] == "gates" and said["user"] == "alice"
    assert said["target"] == "%s:5060" % gateway.host
    gateway.expect_nothing(0.1)
    counted = scene.daemon.metrics()
    assert counted[("requests_ended_total", "filtered")] == 1


def test_srv_that_leads_to_a_gateway(scene, dns):
    dns.add("_sip._udp.out.test", "SRV", (1, 1, 5060, "inner.test"))
    dns.add("inner.test", "A", scene.net.host(6))
    start(scene, dns, {**OUT, "egress": "gates"})
    alice, gateway = scene.alice(), scene.pbx(6, "gateway")
    denied(alice, scene, uri="sip:bob@out.test")
    gateway.expect_nothing(0.1)


def test_maddr_that_names_a_gateway(scene, dns):
    dns.add("out.test", "A", scene.net.host(11))
    start(scene, dns, {**OUT, "egress": "gates"})
    alice, gateway = scene.alice(), scene.pbx(6, "gateway")
    denied(alice, scene, uri="sip:bob@out.test;maddr=%s" % gateway.host)
    gateway.expect_nothing(0.1)


@pytest.mark.parametrize("order", [(6, 11), (11, 6)])
def test_one_denied_address_ends_it(scene, dns, order):
    for number in order:
        dns.add("out.test", "A", scene.net.host(number))
    start(scene, dns, {**OUT, "egress": "gates"})
    alice, gateway, bob = scene.alice(), scene.pbx(6, "gateway"), scene.bob()
    denied(alice, scene, uri="sip:bob@out.test")
    gateway.expect_nothing(0.1)
    bob.expect_nothing(0.05)


def test_fail_over_does_not_go_round_it(scene, dns):
    dns.add("one.test", "A", scene.net.host(5))
    dns.add("two.test", "A", scene.net.host(6))
    dns.add("three.test", "A", scene.net.host(8))
    start(scene, dns, {"to": "pbx", "egress": "gates"}, peers=[
        {"name": "pbx", "uri": ["sip:one.test:5060", "sip:two.test:5060",
                                "sip:three.test:5060"]}])
    alice, pbx = scene.alice(), scene.pbx()
    gateway, third = scene.pbx(6, "gateway"), scene.pbx(8, "third")
    ask(alice)
    pbx.expect("OPTIONS")
    pbx.reply(503)
    alice.expect(473)
    gateway.expect_nothing(0.1)
    third.expect_nothing(0.05)
    scene.log.has(reason="filtered")


def test_one_leg_of_a_fork_is_denied(scene, dns):
    start(scene, dns, {"to": ["pbx", "gateway"], "egress": "gates"}, peers=[
        {"name": "pbx", "uri": "sip:%s:5060" % scene.net.host(5)},
        {"name": "gateway", "uri": "sip:%s:5060" % scene.net.host(6)}])
    alice, pbx, gateway = scene.alice(), scene.pbx(), scene.pbx(6, "gateway")
    serve(alice, pbx)
    gateway.expect_nothing(0.1)
    scene.log.has(event="egress.filtered")


@pytest.mark.parametrize("rule, is_denied", [
    ({"port": "5060"}, True), ({"port": "5000-5059"}, False),
    ({"port": "5050-5070"}, True), ({"proto": "udp"}, True),
    ({"proto": "tcp"}, False), ({"uri": "sip:bob@*"}, True),
    ({"uri": "sip:alice@*"}, False), ({}, True),
    ({"net": "127.0.0.0/8", "port": "5060", "proto": "udp",
      "uri": "*@out.test"}, True),
    ({"net": "127.0.0.0/8", "port": "5061"}, False),
])
def test_rules(scene, dns, rule, is_denied):
    dns.add("out.test", "A", scene.net.host(11))
    start(scene, dns, {**OUT, "egress": "list"},
          egress=[{"name": "list", "deny": [rule]}])
    alice, bob = scene.alice(), scene.bob()
    if is_denied:
        denied(alice, scene, uri="sip:bob@out.test:5060;transport=udp")
        bob.expect_nothing(0.1)
    else:
        serve(alice, bob, uri="sip:bob@out.test:5060;transport=udp")


def test_allow_comes_first(scene, dns):
    dns.add("out.test", "A", scene.net.host(11))
    dns.add("other.out.test", "A", scene.net.host(6))
    start(scene, dns, {**OUT, "uri": "*out.test", "egress": "list"}, egress=[
        {"name": "list", "allow": [{"net": scene.net.host(11)}],
         "deny": [{}]}])
    alice, bob, gateway = scene.alice(), scene.bob(), scene.pbx(6, "gateway")
    serve(alice, bob, uri="sip:bob@out.test")
    denied(alice, scene, uri="sip:bob@other.out.test")
    gateway.expect_nothing(0.1)


# ---- what is built in

@pytest.mark.parametrize("address", [
    "127.0.0.1", "10.1.2.3", "192.168.1.1", "169.254.1.1", "224.0.1.75",
    "172.16.5.5", "0.0.0.0",
])
def test_what_is_not_public_is_not_for_users(scene, dns, address):
    dns.add("out.test", "A", address)
    start(scene, dns, OUT)
    assert denied(scene.alice(), scene,
                  uri="sip:bob@out.test")["list"] == "default"


def test_ipv6_is_judged_too(scene, dns):
    dns.add("out.test", "AAAA", "::1")
    scene.start(resolv_conf=dns.conf, routes=[OUT, {"to": "pbx"}], listen=[
        {"uri": "sip:[::1]:%d" % scene.port6},
        {"uri": "sip:%s:5060" % scene.at}])
    denied(scene.alice(), scene, uri="sip:bob@out.test")


@pytest.mark.parametrize("address", ["169.254.1.1", "224.0.1.75"])
def test_what_is_nobodys_is_not_for_peers(scene, dns, address):
    dns.add("out.test", "A", address)
    start(scene, dns, {"from": "pbx", "to": "request-uri"})
    denied(scene.pbx(), scene, uri="sip:bob@out.test")


def test_our_own_addresses_are_for_nobody(scene, dns):
    dns.add("out.test", "A", scene.at)
    start(scene, dns, OUT, {"from": "pbx", "to": "request-uri"})
    denied(scene.alice(), scene, uri="sip:bob@out.test:7777")
    refused(scene.pbx(), 473, uri="sip:bob@out.test:7777")


def test_a_peer_on_loopback_reaches_loopback(scene, dns):
    dns.add("out.test", "A", scene.net.host(11))
    start(scene, dns, {"from": "pbx", "to": "request-uri"})
    pbx, bob = scene.pbx(), scene.bob()
    pbx.send("OPTIONS", "sip:bob@out.test")
    bob.expect("OPTIONS")
    bob.reply(200)
    pbx.expect(200)
