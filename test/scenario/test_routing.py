"""Where a request goes: RFC 3261 section 16.3 to 16.6, and no open relay."""

import pytest

from harness import check, sip
from harness.phone import Phone
from harness.scene import ask, call, refused, serve


# ---- the way in and out

def test_an_authenticated_request_reaches_the_pbx(scene):
    scene.start()
    alice, pbx = scene.alice(), scene.pbx()
    alice.send("OPTIONS", "sip:bob@example.com")
    alice.expect(407)
    pbx.expect_nothing(0.1)
    alice.answer()
    got = pbx.expect("OPTIONS")
    assert check.via_hosts(got)[0] == scene.at
    assert got["Max-Forwards"] == "69"
    check.lacks(got, "Proxy-Authorization")
    pbx.reply(200)
    answer = alice.expect(200)
    assert check.via_hosts(answer) == [alice.host]
    scene.log.has(reason="relayed", user="alice")


def test_an_unknown_method_is_served_like_any_other(scene):
    scene.start()
    alice, pbx = scene.alice(), scene.pbx()
    ask(alice, "FROBNICATE")
    pbx.expect("FROBNICATE")
    alice.resend()
    pbx.expect_nothing(0.2)
    pbx.reply(200)
    alice.expect(200)


def test_first_matching_route_wins(scene):
    scene.start(
        peers=[scene.pbx_peer(),
               {"name": "gateway",
                "uri": "sip:%s:5060" % scene.net.host(6)}],
        routes=[{"uri": "sip:+*@*", "to": "gateway"}, {"to": "pbx"}])
    alice, pbx = scene.alice(), scene.pbx()
    gateway = scene.pbx(6, "gateway")
    ask(alice, uri="sip:+1555@example.com")
    gateway.expect("OPTIONS")
    gateway.reply(200)
    alice.expect(200)
    serve(alice, pbx)
    gateway.expect_nothing(0.1)


def test_no_route_is_404(scene):
    scene.start(routes=[{"uri": "sip:+*@*", "to": "pbx"}])
    alice, pbx = scene.alice(), scene.pbx()
    refused(alice, 404)
    pbx.expect_nothing(0.1)
    scene.log.has(reason="no-route")


def test_a_peer_is_not_led_back_to_itself(scene):
    scene.start()
    pbx = scene.pbx()
    pbx.send("OPTIONS", "sip:alice@example.com")
    pbx.expect(404)
    pbx.expect_nothing(0.1)


def test_a_route_that_names_the_peer_may_lead_back(scene):
    scene.start(routes=[{"from": "pbx", "to": "pbx"}])
    pbx = scene.pbx()
    pbx.send("OPTIONS", "sip:alice@example.com")
    pbx.expect("OPTIONS")
    pbx.reply(200)
    pbx.expect(200)


def test_request_uri_as_target_for_a_peer(scene):
    scene.start(routes=[{"from": "pbx", "to": "request-uri"}, {"to": "pbx"}])
    pbx, bob = scene.pbx(), scene.bob()
    pbx.send("OPTIONS", "sip:bob@%s" % bob.host)
    bob.expect("OPTIONS")
    bob.reply(200)
    pbx.expect(200)


def test_request_uri_as_target_is_not_for_strangers(scene):
    scene.start(routes=[{"to": "request-uri"}])
    alice = scene.alice()
    refused(alice, 404)


@pytest.mark.parametrize("uri", [
    "sip:bob@elsewhere.test", "sip:bob@127.0.0.1:9", "sip:elsewhere.test",
    "sip:bob@example.com.evil.test", "sip:example.com@elsewhere.test",
])
def test_foreign_domain_of_a_stranger_is_403(scene, uri):
    scene.start()
    alice, pbx = scene.alice(), scene.pbx()
    refused(alice, 403, uri=uri)
    pbx.expect_nothing(0.1)
    scene.log.has(reason="foreign-domain")


def test_our_own_address_and_listed_domains_are_ours(scene):
    scene.start()
    alice, pbx = scene.alice(), scene.pbx()
    serve(alice, pbx, uri="sip:bob@%s" % scene.at)
    serve(alice, pbx, uri="sip:bob@EXAMPLE.com")


def test_domains_option(scene):
    scene.start(domains=["example.com", "voice.example.net"])
    alice, pbx = scene.alice(), scene.pbx()
    serve(alice, pbx, uri="sip:bob@voice.example.net")
    refused(alice, 403, uri="sip:bob@other.example.net")


def test_a_tel_uri_travels(scene):
    scene.start()
    alice, pbx = scene.alice(), scene.pbx()
    ask(alice, uri="tel:+15551234")
    assert pbx.expect("OPTIONS").uri == "tel:+15551234"
    pbx.reply(200)
    alice.expect(200)


# ---- Route headers

def test_our_own_route_is_taken_off(scene):
    scene.start()
    alice, pbx = scene.alice(), scene.pbx()
    ask(alice, route=["<sip:%s:5060;lr>" % scene.at])
    check.lacks(pbx.expect("OPTIONS"), "Route")
    pbx.reply(200)
    alice.expect(200)


def test_a_strangers_foreign_route_is_403(scene):
    scene.start()
    alice, victim = scene.alice(), scene.phone("victim", 77)
    refused(alice, 403, route=[
        "<sip:%s:5060;lr>" % scene.at, "<sip:%s;lr>" % victim.host])
    victim.expect_nothing(0.1)
    scene.log.has(reason="foreign-route")


def test_a_peers_loose_route_is_followed(scene):
    scene.start(routes=[{"from": "pbx", "to": "request-uri"}])
    pbx, gateway = scene.pbx(), scene.phone("gateway", 6)
    pbx.send("OPTIONS", "sip:bob@elsewhere.test", route=[
        "<sip:%s:5060;lr>" % scene.at, "<sip:%s;lr>" % gateway.host,
        "<sip:further.test;lr>"])
    got = gateway.expect("OPTIONS")
    assert got.uri == "sip:bob@elsewhere.test"
    assert got.values("Route") == [
        "<sip:%s;lr>" % gateway.host, "<sip:further.test;lr>"]
    gateway.reply(200)
    pbx.expect(200)


def test_next_hop_is_a_strict_router(scene):
    # RFC 3261 section 16.6 item 6
    scene.start(routes=[{"from": "pbx", "to": "request-uri"}])
    pbx, gateway = scene.pbx(), scene.phone("gateway", 6)
    pbx.send("OPTIONS", "sip:bob@elsewhere.test", route=[
        "<sip:%s:5060;lr>" % scene.at, "<sip:%s>" % gateway.host])
    got = gateway.expect("OPTIONS")
    assert got.uri == "sip:%s" % gateway.host
    assert got.values("Route") == ["<sip:bob@elsewhere.test>"]
    gateway.reply(200)
    pbx.expect(200)


@pytest.mark.parametrize("rejected, hop, status", [
    ({"prefix": "0900"}, "sip:0-900@%s", 403),
    ({"uri": "sip:dear@*"}, "sip:dear@%s", 403),
    ({"uri_regex": "sip:(z+)*y@.*"}, "sip:" + 40 * "z" + "@%s", 400),
    ({"prefix": "0900"}, "sip:0800@%s", 200)])
def test_a_strict_router_is_told_nothing_that_is_rejected(
        scene, rejected, hop, status):
    scene.start(routes=[{"from": "pbx", "reject": 403, **rejected},
                        {"from": "pbx", "to": "request-uri"}])
    pbx, gateway = scene.pbx(), scene.phone("gateway", 6)
    hop %= gateway.host
    pbx.send("OPTIONS", "sip:2@elsewhere.test", route=["<%s>" % hop])
    if status == 200:
        assert gateway.expect("OPTIONS").uri == hop
        gateway.reply(200)
    pbx.expect(status)
    gateway.expect_nothing(0.05)


def test_a_route_to_a_peer_goes_to_no_strict_router(scene):
    """Its Request-URI was looked at, and is what the peer gets."""
    scene.start(peers=[scene.pbx_peer(), {
        "name": "carrier", "uri": "sip:%s:5060" % scene.net.host(6)}],
        routes=[{"from": "pbx", "prefix": ["0900"], "reject": 403},
                {"from": "pbx", "to": "carrier"}])
    pbx, carrier = scene.pbx(), scene.pbx(6, "carrier")
    hop = "<sip:0900@%s>" % carrier.host
    pbx.send("OPTIONS", "sip:2@example.com", route=[hop])
    got = carrier.expect("OPTIONS")
    assert got.uri == "sip:2@example.com"
    assert got.values("Route") == [hop]
    carrier.reply(200)
    pbx.expect(200)


def test_a_peers_strict_router_in_a_dialog(scene):
    """What the PBX recorded behind us is followed, by its rules."""
    scene.start()
    alice, pbx = scene.alice(), scene.pbx()
    call(alice, pbx)
    strict = "sip:inner@%s" % pbx.host
    alice.bye(route=alice.dialog.routes + ["<%s>" % strict])
    alice.expect(407)
    alice.answer()
    got = pbx.expect("BYE")
    assert got.uri == strict
    assert got.values("Route") == ["<%s>" % alice.dialog.target]
    pbx.reply(200)
    alice.expect(200)


def test_previous_hop_is_a_strict_router(scene):
    # RFC 3261 section 16.4: our Record-Route came back as Request-URI
    scene.start()
    alice, pbx = scene.alice(), scene.pbx()
    call(alice, pbx)
    ours = sip.uri_of(pbx.dialog.routes[0])
    pbx.in_dialog("BYE", uri=ours, route=["<%s>" % pbx.dialog.target])
    got = alice.expect("BYE")
    assert got.uri == alice.contact
    check.lacks(got, "Route")
    alice.reply(200)
    pbx.expect(200)


# ---- Record-Route

def test_one_record_route_on_one_listener(scene):
    scene.start()
    alice, pbx = scene.alice(), scene.pbx()
    invite = call(alice, pbx)
    routes = invite.values("Record-Route")
    assert len(routes) == 1
    check.is_loose(routes[0])
    assert sip.host_port(sip.uri_of(routes[0])) == (scene.at, 5060)
    back, = alice.response.values("Record-Route")
    # the token is made anew over both tags, the rest stays
    assert back.partition("@")[2] == routes[0].partition("@")[2]
    assert back != routes[0] and len(back) == len(routes[0])


def test_two_record_routes_where_the_sides_differ(scene):
    scene.start(**scene.inside_listener())
    alice, pbx = scene.alice(), scene.pbx()
    invite = call(alice, pbx)
    assert invite.flow.remote[0] == scene.net.host(2)
    hosts = [sip.host_port(sip.uri_of(r))[0]
             for r in invite.values("Record-Route")]
    assert hosts == [scene.net.host(2), scene.at]
    alice.bye()
    alice.expect(407)
    alice.answer()
    check.lacks(pbx.expect("BYE"), "Route")
    pbx.reply(200)
    alice.expect(200)


def test_two_record_routes_take_the_pbx_to_the_phone(scene):
    scene.start(**scene.inside_listener())
    alice, pbx = scene.alice(), scene.pbx()
    call(alice, pbx)
    pbx.bye()
    got = alice.expect("BYE")
    assert got.flow.remote[0] == scene.at
    check.lacks(got, "Route")
    alice.reply(200)
    pbx.expect(200)


def test_advertise_stands_in_via_and_record_route(scene):
    scene.start(listen=[{"uri": "sip:%s:5060" % scene.at,
                         "advertise": "203.0.113.7"}])
    alice, pbx = scene.alice(), scene.pbx()
    ask(alice, "INVITE")
    got = pbx.expect("INVITE")
    assert check.via_hosts(got)[0] == "203.0.113.7"
    ours = sip.uri_of(got.values("Record-Route")[0])
    assert sip.host_port(ours)[0] == "203.0.113.7"
    pbx.reply(486)
    pbx.expect("ACK")
    alice.expect(486)
    serve(alice, pbx, uri="sip:bob@203.0.113.7",
          route=["<sip:203.0.113.7;lr>"])


def test_record_route_option_names_the_cluster(scene):
    scene.start(record_route="sip.example.com")
    alice, pbx = scene.alice(), scene.pbx()
    invite = call(alice, pbx)
    ours = sip.uri_of(invite.values("Record-Route")[0])
    assert sip.host_port(ours)[0] == "sip.example.com"
    pbx.bye(flow=pbx.wire.udp_to(scene.proxy))
    alice.expect("BYE")
    alice.reply(200)
    pbx.expect(200)


# ---- transports and families

def test_tcp_phone_udp_pbx(scene):
    scene.start()
    alice, pbx = scene.alice(transport="tcp"), scene.pbx()
    invite = call(alice, pbx)
    assert invite.via.startswith("SIP/2.0/UDP")
    pbx.bye()
    got = alice.expect("BYE")
    assert got.flow.transport == "tcp"
    alice.reply(200)
    pbx.expect(200)


def test_udp_phone_tcp_pbx(scene):
    scene.start(peers=[scene.pbx_peer(
        uri="sip:%s:5060;transport=tcp" % scene.net.host(5))])
    alice, pbx = scene.alice(), scene.pbx()
    invite = call(alice, pbx)
    assert invite.flow.transport == "tcp"
    assert invite.via.startswith("SIP/2.0/TCP")
    alice.bye()
    alice.expect(407)
    alice.answer()
    assert pbx.expect("BYE").flow.transport == "tcp"
    pbx.reply(200)
    alice.expect(200)


@pytest.mark.parametrize("odd", [
    ":5060;transport=sctp", ";transport=a-very-long-one-of-no-use", ":6060"])
def test_an_odd_contact_leads_to_the_peers_own_targets(scene, odd):
    scene.start()
    alice, pbx = scene.alice(), scene.pbx()
    ask(alice, "INVITE")
    pbx.expect("INVITE")
    pbx.reply(200, contact="<sip:bob@%s%s>" % (scene.net.host(5), odd))
    alice.expect(200)
    alice.ack()
    assert pbx.expect("ACK").flow.transport == "udp"


@pytest.mark.parametrize("transport", ["udp", "tcp"])
def test_ipv6(scene, transport):
    daemon, peer = scene.port6, scene.port6 + 5000
    scene.start(
        listen=[{"uri": "sip:[::1]:%d" % daemon}],
        peers=[{"name": "pbx", "uri": "sip:[::1]:%d;transport=%s" % (
            peer, transport)}])
    alice = Phone(scene.ladder, "alice", "::1", 0, password="wonderland",
                  proxy=("::1", daemon), transport=transport)
    pbx = Phone(scene.ladder, "pbx", "::1", peer, proxy=("::1", daemon),
                tcp_listen=True)
    scene.actors += [alice, pbx]
    invite = call(alice, pbx)
    assert "[::1]:%d" % daemon in invite.via
    assert "[::1]:%d" % daemon in invite["Record-Route"]
    alice.bye()
    alice.expect(407)
    alice.answer()
    pbx.expect("BYE")
    pbx.reply(200)
    alice.expect(200)


def test_ipv6_phone_ipv4_pbx(scene):
    scene.start(listen=[{"uri": "sip:[::1]:%d" % scene.port6},
                        {"uri": "sip:%s:5060" % scene.at}])
    alice = Phone(scene.ladder, "alice", "::1", 0, password="wonderland",
                  proxy=("::1", scene.port6))
    scene.actors.append(alice)
    pbx = scene.pbx()
    invite = call(alice, pbx)
    hosts = [sip.host_port(sip.uri_of(r))[0]
             for r in invite.values("Record-Route")]
    assert hosts == [scene.at, "::1"]
    pbx.bye()
    alice.expect("BYE")
    alice.reply(200)
    pbx.expect(200)


# ---- validation, RFC 3261 section 16.3

def test_max_forwards_zero_is_483(scene):
    scene.start()
    alice, pbx = scene.alice(), scene.pbx()
    alice.send("OPTIONS", "sip:bob@example.com", max_forwards="0")
    alice.expect(483)
    pbx.expect_nothing(0.1)
    scene.log.has(reason="too-many-hops")


def test_missing_max_forwards_is_added(scene):
    scene.start()
    alice, pbx = scene.alice(), scene.pbx()
    ask(alice, max_forwards=None)
    assert pbx.expect("OPTIONS")["Max-Forwards"] == "70"
    pbx.reply(200)
    alice.expect(200)


def test_absurd_max_forwards_is_capped(scene):
    scene.start()
    alice, pbx = scene.alice(), scene.pbx()
    ask(alice, max_forwards="255")
    assert int(pbx.expect("OPTIONS")["Max-Forwards"]) <= 70
    pbx.reply(200)
    alice.expect(200)


def test_proxy_require_lists_every_unknown_option(scene):
    scene.start()
    alice = scene.alice()
    alice.send("OPTIONS", "sip:bob@example.com", headers=[
        ("Proxy-Require", "foo, bar"), ("Proxy-Require", "baz")])
    got = alice.expect(420)
    assert got.values("Unsupported") == ["foo", "bar", "baz"]


@pytest.mark.parametrize("more", [[""], ["", ","], ["", "foo"]])
def test_proxy_require_that_names_nothing_asks_for_nothing(scene, more):
    scene.start()
    alice, pbx = scene.alice(), scene.pbx()
    headers = [("Proxy-Require", v) for v in more]
    if "foo" in more:
        alice.send("OPTIONS", "sip:bob@example.com", headers=headers)
        assert alice.expect(420).values("Unsupported") == ["foo"]
    else:
        serve(alice, pbx, headers=headers)


@pytest.mark.parametrize("uri", [
    "http://example.com/", "xmpp:bob@example.com", "nobodyKnows:thisScheme"])
def test_unknown_scheme_is_416(scene, uri):
    scene.start()
    alice, pbx = scene.alice(), scene.pbx()
    alice.send("OPTIONS", uri, to="sip:bob@example.com")
    alice.expect(416)
    pbx.expect_nothing(0.1)


def bounce(pbx, got, uri=None):
    """What a proxy that sends it back would send."""
    back = got.copy()
    back.push("Via", "SIP/2.0/UDP %s:5060;branch=%s" % (
        pbx.host, sip.new_branch()))
    back.set("Max-Forwards", str(int(got["Max-Forwards"]) - 1))
    if uri:
        back.start = "%s %s SIP/2.0" % (got.method, uri)
    pbx.put(back.encode())


def test_a_loop_is_482(scene):
    # RFC 5393: it comes back with all that decides its way unchanged
    scene.start(routes=[{"to": "pbx"}, {"from": "pbx", "to": "pbx"}])
    alice, pbx = scene.alice(), scene.pbx()
    ask(alice)
    for _ in range(3):
        got = pbx.expect(("OPTIONS", 482))
        if not got.is_request:
            break
        bounce(pbx, got)
    assert got.status == 482
    scene.log.has(reason="loop")


def test_a_spiral_passes(scene):
    scene.start(routes=[{"to": "pbx"}, {"from": "pbx", "to": "pbx"}])
    alice, pbx = scene.alice(), scene.pbx()
    ask(alice)
    for turn in range(3):
        got = pbx.expect("OPTIONS")
        bounce(pbx, got, "sip:turn%d@example.com" % turn)
    got = pbx.expect("OPTIONS")
    assert got.uri == "sip:turn2@example.com"
    assert check.via_hosts(got).count(scene.at) == 4


def test_max_breadth_zero_is_440(scene):
    # RFC 5393 section 5.3.3
    scene.start()
    alice, pbx = scene.alice(), scene.pbx()
    refused(alice, 440, headers=[("Max-Breadth", "0")])
    pbx.expect_nothing(0.1)


def test_max_breadth_one_suffices_for_one_target(scene):
    scene.start()
    alice, pbx = scene.alice(), scene.pbx()
    got = serve(alice, pbx, headers=[("Max-Breadth", "1")])
    assert got["Max-Breadth"] == "1"


def test_our_own_via_from_somebody_else_is_refused(scene):
    scene.start()
    alice, pbx = scene.alice(claims=(scene.at, 5060)), scene.pbx()
    alice.send("OPTIONS", "sip:bob@example.com")
    alice.expect(400)
    pbx.expect_nothing(0.1)
    scene.log.has(reason="own-via")
