"""TLS towards peers: who must be there, and what if it is somebody else."""

import time

import pytest

from harness.patience import until
from harness.pki import DAY, SIP_DOMAIN
from harness.scene import ask, call, serve
from harness.targets import Target
from harness.tls import Called, Caller
from harness.wire import connected

NAME = "pbx.example.test"
# who is silent is waited for until these end, longer than a test waits
TIMERS = {"t1": "500ms", "target_timeout": "20s"}


def start(scene, pki, dns, uris=("sips:%s:5061" % NAME,), tls=(), **changes):
    """The PBX has these targets; NAME is at .5.  What leaves over TLS leaves
    by a listener of TLS."""
    dns.add(NAME, "A", scene.net.host(5))
    changes["timers"] = dict(TIMERS, **changes.get("timers", {}))
    changes.setdefault("listen", scene.listeners(
        scene.secure_listener(pki.server)))
    changes.setdefault("peers", [scene.pbx_peer(
        uri=list(uris), **{"from": [scene.net.host(5), scene.net.host(6)]})])
    scene.start(resolv_conf=dns.conf, tls=dict(
        {"ca": pki.root.crt}, **dict(tls)), **changes)


def two(scene):
    """One over TLS, and then one that serves."""
    return "sips:%s:5061" % NAME, "sip:%s:5060" % scene.net.host(6)


def secure_pbx(scene, identity, number=5, name="pbx", **more):
    return scene.pbx(number, name, called=Called(identity, **more))


def good(pki):
    return pki.leaf("pbx", "DNS:" + NAME)


def the_second_serves(scene, method="MESSAGE"):
    """Returns how long it took to get there."""
    alice, second = scene.alice(), scene.pbx(6, "second")
    begun = time.monotonic()
    ask(alice, method)
    second.expect(method)
    taken = time.monotonic() - begun
    second.reply(200)
    alice.expect(200)
    return taken


def watch(scene, first, alice=None):
    """The first target has no thread: it does its part of the handshake when
    it looks.  The second serves."""
    alice, second = alice or scene.alice(), scene.pbx(6, "second")
    ask(alice, "MESSAGE")
    got = heard(second, first)
    assert got.method == "MESSAGE"
    second.reply(200, to=got)
    alice.expect(200)


def heard(phone, meanwhile):
    """What comes, while another one looks, too."""
    def looks():
        meanwhile.expect_nothing(0.02)
        return phone.receive(timeout=0.02)
    return until(looks)


@pytest.fixture
def target(scene):
    """Starts a Target at .5."""
    running = []

    def make(phase, called=None):
        running.append(Target(scene.net.host(5), phase, called))
        return running[-1]
    yield make
    for one in running:
        one.close()


# ---- as it should be

def test_a_pbx_that_says_its_address_in_the_dialog(scene, pki, dns):
    # its certificate has the name by which we call it, whatever it calls
    # itself
    start(scene, pki, dns)
    alice, pbx = scene.alice(), secure_pbx(scene, good(pki))
    pbx.contact = "sip:pbx@%s:5061;transport=tls" % pbx.host
    invite = call(alice, pbx)
    alice.bye()
    alice.expect(407)
    alice.answer()
    assert pbx.expect("BYE").flow is invite.flow
    scene.log.has_not(event="transport.refuse")


def test_a_strict_route_does_not_take_sips_away(scene, pki, dns):
    # the Request-URI is rewritten for it; the second target is not TLS
    start(scene, pki, dns, two(scene))
    alice, second = scene.alice(), scene.pbx(6, "second")
    call(alice, second)
    alice.in_dialog("INFO", uri="sips:bob@example.com",
                    route=alice.dialog.routes + ["<sip:strict.example>"])
    alice.expect(407)
    alice.answer()
    alice.expect((480, 500, 502, 503))
    second.expect_nothing(0.2)


@pytest.mark.parametrize("version", ["1.2", "1.3"])
def test_a_call_to_a_pbx_over_tls(scene, pki, dns, version):
    start(scene, pki, dns)
    alice, pbx = scene.alice(), secure_pbx(scene, good(pki), version=version)
    invite = call(alice, pbx)
    assert invite.flow.transport == "tls"
    assert invite.via.startswith("SIP/2.0/TLS ")
    assert invite.flow.remote[0] == scene.at
    alice.bye()
    alice.expect(407)
    alice.answer()
    assert pbx.expect("BYE").flow is invite.flow
    pbx.reply(200)
    alice.expect(200)


def test_the_pbx_hangs_up(scene, pki, dns):
    start(scene, pki, dns)
    alice, pbx = scene.alice(), secure_pbx(scene, good(pki))
    invite = call(alice, pbx)
    pbx.bye(flow=invite.flow)
    alice.expect("BYE")
    alice.reply(200)
    pbx.expect(200)


def test_the_pbx_hangs_up_on_a_connection_of_its_own(scene, pki, dns):
    start(scene, pki, dns)
    alice, pbx = scene.alice(), secure_pbx(scene, good(pki))
    call(alice, pbx)
    pbx.tls = Caller(pki.root.crt, good(pki), "sip.example.com")
    flow = pbx.wire.connect((scene.at, 5061), tls=pbx.tls)
    pbx.bye(flow=flow)
    alice.expect("BYE")
    alice.reply(200)
    assert pbx.expect(200).flow is flow


def test_tls_on_both_sides(scene, pki, dns):
    start(scene, pki, dns)
    alice, pbx = scene.secure("alice", 10), secure_pbx(scene, good(pki))
    invite = call(alice, pbx)
    assert [v.split()[0] for v in invite.values("Via")] == [
        "SIP/2.0/TLS", "SIP/2.0/TLS"]
    pbx.bye(flow=invite.flow)
    alice.expect("BYE")


NAMES = [
    # (what, names in the certificate, does it bear the target's?)
    ("uri", ["URI:sip:" + NAME], True),
    ("capitals", ["DNS:PBX.Example.TEST"], True),
    ("one of several", ["DNS:a.example", "DNS:" + NAME], True),
    ("another", ["DNS:a.example"], False),
    ("star", ["DNS:*.example.test"], False),        # RFC 5922 section 7.2
    ("uri before dns", ["URI:sip:a.example", "DNS:" + NAME], False),
    ("no name but the common one", [], False),
    ("longer", ["DNS:%s.example" % NAME], False),
]


@pytest.mark.parametrize("what, sans, fits", NAMES, ids=[n[0] for n in NAMES])
def test_the_name_in_the_certificate(scene, pki, dns, what, sans, fits):
    start(scene, pki, dns, two(scene))
    identity = pki.leaf(NAME, *sans)
    if fits:
        serve(scene.alice(), secure_pbx(scene, identity))
    else:
        watch(scene, secure_pbx(scene, identity))
        scene.log.has(event="transport.refuse", reason="tls-wrong-name")


def test_by_address(scene, pki, dns):
    host = scene.net.host(5)
    start(scene, pki, dns, ["sips:" + host])
    alice = scene.alice()
    pbx = secure_pbx(scene, pki.issuing.leaf("number", "IP:" + host))
    serve(alice, pbx)


def test_the_other_spelling(scene, pki, dns):
    start(scene, pki, dns, ["sip:%s;transport=tls" % NAME])
    serve(scene.alice(), secure_pbx(scene, good(pki)))


def test_srv_of_sips(scene, pki, dns):
    # RFC 3263 section 4.1; the name to be shown is the one that was asked
    # for, not the host that DNS leads to (RFC 5922 section 4)
    dns.add("_sips._tcp." + NAME, "SRV", (1, 1, 5077, "host.example.test"))
    dns.add("host.example.test", "A", scene.net.host(5))
    start(scene, pki, dns, ["sips:" + NAME])
    serve(scene.alice(), scene.pbx(called=Called(good(pki)), tls_port=5077))


def test_the_name_that_is_asked_for(scene, pki, dns):
    start(scene, pki, dns)
    called, asked = Called(good(pki)), []
    called.context.sni_callback = lambda tls, name, ctx: asked.append(name)
    serve(scene.alice(), scene.pbx(called=called))
    assert asked == [NAME]


def test_the_purpose_of_sip_alone_will_do(scene, pki, dns):
    start(scene, pki, dns)      # RFC 5924 section 4
    leaf = pki.leaf("pbx", "DNS:" + NAME, usage=SIP_DOMAIN)
    serve(scene.alice(), secure_pbx(scene, leaf))


def test_what_we_show(scene, pki, dns):
    us = pki.server
    start(scene, pki, dns, tls={"certificate": us.chain, "key": us.key})
    pbx = secure_pbx(scene, good(pki), ca=pki.root.crt)
    assert serve(scene.alice(), pbx).flow.shown == us.der


def test_an_authority_of_the_peers_own(scene, pki, dns):
    start(scene, pki, dns, peers=[scene.pbx_peer(
        uri="sips:%s" % NAME, ca=pki.other.crt)])
    serve(scene.alice(), secure_pbx(
        scene, pki.other.leaf("pbx", "DNS:" + NAME)))


# ---- somebody else

BAD = {
    "self-signed": (None, "tls-self-signed"),
    "of another authority": (None, "tls-unknown-authority"),
    "without its chain": (None, "tls-unknown-authority"),
    "expired": (dict(begins=-3 * DAY, ends=-DAY), "tls-expired"),
    "not yet valid": (dict(begins=DAY), "tls-expired"),
    "of a client": (dict(usage="clientAuth"), "tls-wrong-purpose"),
    "revoked": ({}, "tls-revoked"),
}


def bad(pki, what):
    name = "DNS:" + NAME
    if what == "self-signed":
        return pki.self_signed("pbx", name)
    if what == "of another authority":
        return pki.other.leaf("pbx", name)
    if what == "without its chain":
        return good(pki)._replace(chain=good(pki).crt)
    return pki.leaf("pbx-" + what.replace(" ", "-"), name, **BAD[what][0])


@pytest.mark.parametrize("version", ["1.2", "1.3"])
@pytest.mark.parametrize("what", BAD)
def test_a_bad_certificate_is_passed_over(scene, pki, dns, what, version):
    identity = bad(pki, what)
    tls = {"crl": pki.crl([identity])} if what == "revoked" else {}
    start(scene, pki, dns, two(scene), tls)
    first = secure_pbx(scene, identity, version=version)
    watch(scene, first)
    scene.log.has(event="transport.refuse", reason=BAD[what][1])
    scene.log.has(event="target.fail")


def test_a_list_that_is_out_of_date(scene, pki, dns):
    start(scene, pki, dns, two(scene), {"crl": pki.crl(ends=-DAY)})
    watch(scene, secure_pbx(scene, good(pki)))
    scene.log.has(event="transport.refuse", reason="tls-crl")


def test_a_list_that_is_out_of_date_accepted(scene, pki, dns):
    start(scene, pki, dns, tls={"crl": pki.crl(ends=-DAY),
                                "crl_expired": "accept"})
    serve(scene.alice(), secure_pbx(scene, good(pki)))


def test_the_authority_of_another_is_not_the_peers(scene, pki, dns):
    # root may vouch for everybody, but not for who has one of its own
    start(scene, pki, dns, peers=[scene.pbx_peer(
        uri=list(two(scene)), ca=pki.other.crt,
        **{"from": [scene.net.host(5), scene.net.host(6)]})])
    watch(scene, secure_pbx(scene, good(pki)))
    scene.log.has(event="transport.refuse", reason="tls-unknown-authority")


def test_verify_none_takes_anybody_and_is_warned_about(scene, pki, dns):
    start(scene, pki, dns, peers=[scene.pbx_peer(
        uri="sips:" + NAME, verify="none")])
    scene.log.has(event="tls.unverified", level="warning", peer="pbx")
    serve(scene.alice(), secure_pbx(
        scene, pki.self_signed("me", "DNS:a.example")))


def test_verify_none_of_one_peer_is_not_of_another(scene, pki, dns):
    first, second = two(scene)
    start(scene, pki, dns, peers=[
        scene.pbx_peer(uri=[first, second]),
        {"name": "lax", "uri": first, "verify": "none"}],
        routes=[{"uri": "sip:+*@*", "to": "lax"}, {"to": "pbx"}])
    pbx = secure_pbx(scene, pki.self_signed("me", "DNS:" + NAME))
    alice = scene.alice()
    ask(alice, "MESSAGE", "sip:+1@example.com")
    pbx.expect("MESSAGE")
    pbx.reply(200)
    alice.expect(200)
    # the open connection was verified for nobody
    watch(scene, pbx, alice)
    scene.log.has(event="transport.refuse", reason="tls-self-signed")


@pytest.mark.parametrize("version, reason", [
    ("1.2", "tls-protocol"),        # it says no more than "failure"
    ("1.3", "tls-refused-us")])
def test_a_pbx_that_wants_a_certificate_that_we_lack(scene, pki, dns,
                                                     version, reason):
    start(scene, pki, dns, two(scene))
    first = secure_pbx(scene, good(pki), ca=pki.root.crt, version=version)
    watch(scene, first)
    scene.log.has(event="transport.refuse", reason=reason)


def test_a_pbx_that_does_not_believe_us(scene, pki, dns):
    us = pki.self_signed("us", "DNS:us.example.com")
    start(scene, pki, dns, two(scene), {"certificate": us.chain,
                                        "key": us.key})
    first = secure_pbx(scene, good(pki), ca=pki.root.crt)
    watch(scene, first)
    scene.log.has(event="transport.refuse", reason="tls-refused-us")


# ---- nobody, or half of one

@pytest.mark.parametrize("method", ["MESSAGE", "INVITE"])
def test_a_refused_port(scene, pki, dns, method):
    start(scene, pki, dns, two(scene))
    the_second_serves(scene, method)


def test_a_server_that_is_silent(scene, pki, dns, target):
    start(scene, pki, dns, two(scene), timers={"connect": "700ms"})
    first = target("silent")
    assert 0.5 < the_second_serves(scene) < 4.5    # 5 s by default
    scene.log.has(event="transport.refuse", reason="connect")
    assert first.accepted == 1


@pytest.mark.parametrize("phase, reason", [
    ("hello", "tls-closed"), ("cut", "tls-closed"),
    ("plain", "tls-protocol")])
def test_a_handshake_that_fails(scene, pki, dns, target, phase, reason):
    start(scene, pki, dns, two(scene))
    first = target(phase, Called(good(pki)))
    the_second_serves(scene)
    scene.log.has(event="transport.refuse", reason=reason)
    assert first.accepted == 1 and not first.requests


@pytest.mark.parametrize("method", ["MESSAGE", "INVITE"])
@pytest.mark.parametrize("phase", ["asked", "half"])
def test_a_server_that_hangs_up(scene, pki, dns, target, phase, method):
    start(scene, pki, dns, two(scene))
    first = target(phase, Called(good(pki)))
    the_second_serves(scene, method)
    assert len(first.requests) == 1


def test_a_server_that_stops_in_the_middle(scene, pki, dns, target):
    start(scene, pki, dns, two(scene), limits={"whole_message": "700ms"})
    target("stuck", Called(good(pki)))
    assert 0.3 < the_second_serves(scene) < 4.5    # 5 s by default
    scene.log.has(event="transport.refuse", reason="slow-message")


def test_nobody_serves(scene, pki, dns, target):
    start(scene, pki, dns)
    target("hello")
    alice = scene.alice()
    ask(alice, "INVITE")
    alice.expect(500)
    scene.log.has(reason="target-failed")


def test_cancel_while_the_handshake_hangs(scene, pki, dns, target):
    # RFC 3261 section 9.1: until something comes back there is nothing to
    # cancel; but nobody else is asked
    start(scene, pki, dns, two(scene), timers={"connect": "3s"})
    target("silent")
    alice, second = scene.alice(), scene.pbx(6, "second")
    ask(alice, "INVITE")
    time.sleep(0.2)
    alice.cancel()
    alice.expect(200)
    alice.expect(487)
    second.expect_nothing(0.2)


def test_a_pbx_that_was_restarted(scene, pki, dns):
    # the old connection is gone: a new one, and a session that is not known
    start(scene, pki, dns)
    alice, pbx = scene.alice(), secure_pbx(scene, good(pki))
    serve(alice, pbx)
    pbx.close()
    scene.actors.remove(pbx)
    until(lambda: scene.daemon.metrics()[
        "transport_connections", "outgoing"] == 0)
    serve(alice, secure_pbx(scene, good(pki)))


# ---- one connection, and whose

def test_one_connection_for_all(scene, pki, dns):
    start(scene, pki, dns)
    alice, bob, pbx = scene.alice(), scene.bob(), secure_pbx(scene, good(pki))
    flows = {serve(phone, pbx).flow for phone in (alice, bob, alice)}
    assert len(flows) == 1 and len(pbx.wire.flows) == 1


def test_many_at_once_wait_for_one_handshake(scene, pki, dns):
    start(scene, pki, dns)
    alice = scene.alice()
    pbx = secure_pbx(scene, good(pki))
    for n in range(10):
        ask(alice, "MESSAGE", body="%d" % n)
    # whose name was looked up first goes first
    bodies = {pbx.expect("MESSAGE").body for _ in range(10)}
    assert bodies == {b"%d" % n for n in range(10)}
    assert len(pbx.wire.flows) == 1


def two_names(scene, dns, other):
    dns.add(other, "A", scene.net.host(5))
    return {"peers": [
        scene.pbx_peer(uri="sips:" + NAME),
        {"name": "other", "uri": [
            "sips:" + other, "sip:%s:5060" % scene.net.host(6)]}],
        "routes": [{"uri": "sip:+*@*", "to": "other"}, {"to": "pbx"}]}


def test_another_name_is_another_connection(scene, pki, dns):
    start(scene, pki, dns, **two_names(scene, dns, "other.example.test"))
    alice = scene.alice()
    pbx = secure_pbx(scene, pki.leaf(
        "both", "DNS:" + NAME, "DNS:other.example.test"))
    serve(alice, pbx)
    ask(alice, "MESSAGE", "sip:+1@example.com")
    pbx.expect("MESSAGE")
    assert len(pbx.wire.flows) == 2


def test_a_connection_is_not_for_a_name_that_was_not_shown(scene, pki, dns):
    start(scene, pki, dns, **two_names(scene, dns, "other.example.test"))
    alice, pbx = scene.alice(), secure_pbx(scene, good(pki))
    second = scene.pbx(6, "second")
    serve(alice, pbx)
    ask(alice, "MESSAGE", "sip:+1@example.com")
    assert heard(second, pbx).method == "MESSAGE"
    scene.log.has(event="transport.refuse", reason="tls-wrong-name")


def test_a_strangers_connection_is_not_the_peers(scene, pki, dns):
    # somebody at the PBX's address and port calls us first
    start(scene, pki, dns, two(scene))
    alice, second = scene.alice(), scene.pbx(6, "second")
    sock = connected(scene.net.host(5), (scene.at, 5061), port=5061)
    flow = Caller().over(sock)
    ask(alice, "MESSAGE")
    second.expect("MESSAGE")
    sock.settimeout(0.2)
    with pytest.raises(TimeoutError):
        while not flow.ended and not flow.opened(sock.recv(4096)):
            pass
    sock.close()


# ---- a SIPS URI is a promise (RFC 5630)

@pytest.mark.parametrize("transport", ["udp", "tcp"])
@pytest.mark.parametrize("method", ["MESSAGE", "INVITE"])
def test_sips_does_not_leave_in_the_clear(scene, pki, dns, method, transport):
    start(scene, pki, dns,
          ["sip:%s:5060;transport=%s" % (scene.net.host(5), transport)])
    alice, pbx = scene.secure("alice", 10), scene.pbx()
    ask(alice, method, "sips:bob@example.com")
    alice.expect((480, 500, 502))
    pbx.expect_nothing(0.1)
    serve(alice, pbx)


def test_sips_takes_the_target_that_it_may(scene, pki, dns):
    start(scene, pki, dns, ["sip:%s:5060" % scene.net.host(6),
                            "sips:%s:5061" % NAME])
    alice, pbx = scene.secure("alice", 10), secure_pbx(scene, good(pki))
    clear = scene.pbx(6, "clear")
    ask(alice, "MESSAGE", "sips:bob@example.com")
    assert pbx.expect("MESSAGE").uri == "sips:bob@example.com"
    pbx.reply(200)
    alice.expect(200)
    clear.expect_nothing(0.1)
    ask(alice, "MESSAGE")
    assert clear.expect("MESSAGE").uri == "sip:bob@example.com"


def test_tls_rewrites_no_scheme(scene, pki, dns):
    start(scene, pki, dns)
    alice, pbx = scene.alice(), secure_pbx(scene, good(pki))
    got = serve(alice, pbx)
    assert got.uri == "sip:bob@example.com"


def test_sips_by_its_own_uri(scene, pki, dns):
    carrier = {"name": "carrier", "from": [scene.net.host(7)]}
    start(scene, pki, dns, peers=[carrier], routes=[{"to": "request-uri"}])
    phone = scene.secure("carrier", 7)
    pbx = secure_pbx(scene, good(pki))
    phone.send("MESSAGE", "sips:bob@" + NAME)
    got = pbx.expect("MESSAGE")
    assert got.flow.transport == "tls"
    assert got.uri == "sips:bob@" + NAME
