"""Peers known by their certificate, and everybody else who shows one."""

import pytest

from harness.pki import DAY, SIP_DOMAIN, read, write
from harness.scene import ask, serve
from harness.tls import Called, Caller, refused_by

CARRIER = "carrier.example.net"


def carrier_peer(**changes):
    return dict({"name": "carrier", "certificate": [CARRIER]}, **changes)


def listener(scene, pki, **changes):
    return scene.secure_listener(pki.server, **dict(
        {"client_ca": pki.root.crt, "client_certificate": "optional"},
        **changes))


def start(scene, pki, secure=(), carrier=(), **changes):
    changes.setdefault("peers", [
        scene.pbx_peer(), carrier_peer(**dict(carrier))])
    scene.start(listen=scene.listeners(listener(scene, pki, **dict(secure))),
                **changes)


def good(pki):
    return pki.leaf("carrier", "DNS:" + CARRIER)


def carrier_of(scene, identity, number=7, **more):
    return scene.secure("carrier", number, Caller(identity=identity), **more)


def is_peer(carrier, pbx):
    """Let in without a password."""
    carrier.send("OPTIONS", "sip:bob@example.com")
    pbx.expect("OPTIONS")
    pbx.reply(200)
    carrier.expect(200)


def is_stranger(phone, pbx):
    phone.send("OPTIONS", "sip:bob@example.com")
    phone.expect(407)
    pbx.expect_nothing(0.1)


def is_refused(scene, identity, reason, version="1.3", before=0):
    said = refused_by(Caller(identity=identity, version=version),
                      scene.net.host(66), (scene.at, 5061))
    assert said is not None, "it was let in"
    scene.log.has(event="transport.refuse", reason=reason)
    got = scene.daemon.metrics()["transport_refused_total", reason]
    assert got == before + 1
    return said


# ---- who is the peer

@pytest.mark.parametrize("version", ["1.2", "1.3"])
@pytest.mark.parametrize("ask_for", ["optional", "required"])
def test_a_peer_by_certificate(scene, pki, ask_for, version):
    start(scene, pki, {"client_certificate": ask_for})
    carrier = scene.secure("carrier", 7, Caller(
        identity=good(pki), version=version))
    is_peer(carrier, scene.pbx())
    scene.log.has(reason="relayed", source="%s:%d" % carrier.sent_flow.local)


def test_who_guesses_beside_a_peer_does_not_shut_it(scene, pki):
    start(scene, pki, limits={"ban_after": 3, "failures_per_user": "off"})
    carrier, pbx = carrier_of(scene, good(pki)), scene.pbx()
    is_peer(carrier, pbx)
    mallory = scene.phone("mallory", 7, port=0, user="bob")
    for n in range(5):
        mallory.user = "user%d" % n
        mallory.send("OPTIONS", "sip:bob@example.com")
        mallory.expect(407)
        mallory.answer(password="wrong")
        mallory.expect(407)
    scene.log.has_not(event="guard.ban")
    is_peer(carrier, pbx)


def established(carrier, pbx):
    """The carrier called."""
    carrier.send("INVITE", "sip:bob@example.com", body="v=0\r\n")
    pbx.expect("INVITE")
    pbx.reply(200)
    carrier.expect(200)
    carrier.ack()
    pbx.expect("ACK")


def test_a_call_from_a_peer_by_certificate(scene, pki):
    start(scene, pki)
    carrier, pbx = carrier_of(scene, good(pki)), scene.pbx()
    established(carrier, pbx)
    carrier.bye()
    pbx.expect("BYE")
    pbx.reply(200)
    carrier.expect(200)


def test_what_goes_back_to_a_peer_without_address(scene, pki):
    # known by certificate alone, it is where its connection is
    start(scene, pki)
    carrier, pbx = carrier_of(scene, good(pki)), scene.pbx()
    established(carrier, pbx)
    pbx.bye()
    assert carrier.expect("BYE").flow is carrier.sent_flow
    carrier.reply(200)
    pbx.expect(200)


def test_what_goes_back_to_a_peer_with_a_target(scene, pki, dns):
    dns.add(CARRIER, "A", scene.net.host(7))
    start(scene, pki, carrier={"uri": "sips:" + CARRIER},
          resolv_conf=dns.conf, tls={"ca": pki.root.crt})
    carrier = carrier_of(scene, good(pki), called=Called(good(pki)))
    pbx = scene.pbx()
    established(carrier, pbx)
    pbx.bye()
    carrier.expect("BYE")
    carrier.reply(200)
    pbx.expect(200)


def test_a_route_for_a_peer_by_certificate(scene, pki):
    start(scene, pki, routes=[{"from": "carrier", "to": "pbx"}])
    pbx = scene.pbx()
    is_peer(carrier_of(scene, good(pki)), pbx)
    bob = scene.secure("bob", 11)
    ask(bob)
    bob.expect(404)


NAMES = [
    # (what, names in the certificate, is it the peer?)
    ("dns", ["DNS:" + CARRIER], True),
    ("uri", ["URI:sip:" + CARRIER], True),
    ("one of several", ["DNS:a.example", "DNS:" + CARRIER], True),
    ("capitals", ["DNS:Carrier.EXAMPLE.net"], True),
    ("capitals in a uri", ["URI:SIP:Carrier.EXAMPLE.net"], True),
    # RFC 5922 section 7.1: with a SIP URI, the DNS names do not count
    ("uri before dns", ["URI:sip:a.example", "DNS:" + CARRIER], False),
    ("another uri and dns", ["URI:http://a.example/", "DNS:" + CARRIER], True),
    ("a user is no domain", ["URI:sip:x@" + CARRIER], False),
    ("a mail address", ["email:x@" + CARRIER], False),
    # RFC 5922 section 7.2: no stars
    ("star", ["DNS:*.example.net"], False),
    ("longer", ["DNS:x." + CARRIER], False),
    ("shorter", ["DNS:example.net"], False),
    ("no name", [], False),
]


@pytest.mark.parametrize("what, sans, fits", NAMES, ids=[n[0] for n in NAMES])
def test_the_names_of_a_certificate(scene, pki, what, sans, fits):
    start(scene, pki)
    # the common name never counts
    carrier = carrier_of(scene, pki.leaf(CARRIER, *sans))
    (is_peer if fits else is_stranger)(carrier, scene.pbx())


def test_by_an_address_in_the_certificate(scene, pki):
    host = scene.net.host(7)
    start(scene, pki, carrier={"certificate": [host]})
    carrier = carrier_of(scene, pki.issuing.leaf("number", "IP:" + host))
    is_peer(carrier, scene.pbx())


def test_the_purpose_of_sip_alone_will_do(scene, pki):
    # RFC 5924 section 4
    start(scene, pki)
    leaf = pki.leaf("carrier", "DNS:" + CARRIER, usage=SIP_DOMAIN)
    is_peer(carrier_of(scene, leaf), scene.pbx())


def test_one_of_several_names_of_a_peer(scene, pki):
    start(scene, pki, carrier={"certificate": ["a.example", CARRIER]})
    is_peer(carrier_of(scene, good(pki)), scene.pbx())


@pytest.mark.parametrize("number, fits", [(7, True), (8, False)])
def test_address_and_certificate_are_both_needed(scene, pki, number, fits):
    start(scene, pki, carrier={"from": [scene.net.host(7)]})
    carrier = carrier_of(scene, good(pki), number)
    (is_peer if fits else is_stranger)(carrier, scene.pbx())


@pytest.mark.parametrize("transport", ["udp", "tcp", "tls"])
def test_the_address_alone_is_nobody(scene, pki, transport):
    start(scene, pki, carrier={"from": [scene.net.host(7)]})
    if transport == "tls":
        carrier = carrier_of(scene, None)
    else:
        carrier = scene.phone("carrier", 7, transport=transport)
    is_stranger(carrier, scene.pbx())


def test_the_certificate_and_digest(scene, pki):
    start(scene, pki, carrier={"auth": "digest"})
    carrier = carrier_of(scene, good(pki), user="alice",
                         password="wonderland")
    serve(carrier, scene.pbx())


def test_a_phone_with_a_certificate_of_its_own(scene, pki):
    start(scene, pki)
    alice = scene.secure("alice", 10, Caller(
        identity=pki.leaf("alice", "DNS:alice.example.com")))
    serve(alice, scene.pbx())


def test_a_resumed_session_is_the_same_peer(scene, pki):
    start(scene, pki)
    carrier, pbx = carrier_of(scene, good(pki)), scene.pbx()
    for _ in range(3):
        is_peer(carrier, pbx)
        carrier.tls.session = carrier.sent_flow.tls.session
        carrier.wire.drop(carrier.sent_flow)


def test_a_ticket_of_nobody_is_nobodys(scene, pki):
    start(scene, pki)
    pbx, bare = scene.pbx(), carrier_of(scene, None)
    for _ in range(2):
        is_stranger(bare, pbx)
        bare.tls.session = bare.sent_flow.tls.session
        bare.wire.drop(bare.sent_flow)


# ---- what is asked for

def test_required_and_none_shown(scene, pki):
    start(scene, pki, {"client_certificate": "required"})
    for before, version in enumerate(("1.2", "1.3")):
        is_refused(scene, None, "tls-no-certificate", version, before)
    is_peer(carrier_of(scene, good(pki)), scene.pbx())


def test_optional_and_none_shown(scene, pki):
    start(scene, pki)
    alice, pbx = scene.secure("alice", 10), scene.pbx()
    is_stranger(alice, pbx)
    alice.answer()
    pbx.expect("OPTIONS")


def test_none_asked_for(scene, pki):
    start(scene, pki, {"client_certificate": "none", "client_ca": None})
    is_stranger(carrier_of(scene, good(pki)), scene.pbx())


def test_asking_one_listener_is_not_asking_the_other(scene, pki):
    entry = scene.secure_listener(
        pki.server, name="phones", uri="sips:%s:5071" % scene.at,
        client_certificate="none")
    scene.start(
        listen=scene.listeners(entry, listener(scene, pki,
                                               client_certificate="required")),
        peers=[scene.pbx_peer(), carrier_peer()])
    alice = scene.secure("alice", 10, proxy=(scene.at, 5071))
    pbx = scene.pbx()
    serve(alice, pbx)
    is_peer(carrier_of(scene, good(pki)), pbx)
    is_refused(scene, None, "tls-no-certificate")


# ---- certificates that are worth nothing

BAD = {
    "expired": (dict(begins=-3 * DAY, ends=-DAY), "tls-expired"),
    "not yet valid": (dict(begins=DAY), "tls-expired"),
    "of a server": (dict(usage="serverAuth"), "tls-wrong-purpose"),
    "of mail": (dict(usage="emailProtection"), "tls-wrong-purpose"),
    "self-signed": (None, "tls-self-signed"),
    "of another authority": (None, "tls-unknown-authority"),
    "without its chain": (None, "tls-unknown-authority"),
}


def bad(pki, what):
    name = "DNS:" + CARRIER
    if what == "self-signed":
        return pki.self_signed("carrier", name)
    if what == "of another authority":
        return pki.other.leaf("carrier", name)
    if what == "without its chain":
        return good(pki)._replace(chain=good(pki).crt)
    return pki.leaf("carrier", name, **BAD[what][0])


@pytest.mark.parametrize("ask_for", ["optional", "required"])
@pytest.mark.parametrize("what", BAD)
def test_a_bad_certificate(scene, pki, what, ask_for):
    start(scene, pki, {"client_certificate": ask_for})
    identity, reason = bad(pki, what), BAD[what][1]
    for before, version in enumerate(("1.2", "1.3")):
        is_refused(scene, identity, reason, version, before)
    is_peer(carrier_of(scene, good(pki)), scene.pbx())


# ---- each authority for its own

def two_carriers(scene, pki):
    start(scene, pki, peers=[
        scene.pbx_peer(), carrier_peer(ca=pki.root.crt),
        {"name": "b", "certificate": ["b.example.net"],
         "ca": pki.other.crt}], secure={"client_ca": None})


@pytest.mark.parametrize("authority, name, fits", [
    ("issuing", CARRIER, True), ("other", "b.example.net", True),
    ("issuing", "b.example.net", False), ("other", CARRIER, False)])
def test_an_authority_vouches_for_its_own_peer_alone(scene, pki, authority,
                                                     name, fits):
    two_carriers(scene, pki)
    identity = getattr(pki, authority).leaf("x", "DNS:" + name)
    carrier = carrier_of(scene, identity)
    (is_peer if fits else is_stranger)(carrier, scene.pbx())


def test_a_ticket_keeps_who_vouched(scene, pki):
    two_carriers(scene, pki)
    identity = pki.other.leaf("x", "DNS:" + CARRIER)
    carrier, pbx = carrier_of(scene, identity), scene.pbx()
    for _ in range(2):
        is_stranger(carrier, pbx)
        carrier.tls.session = carrier.sent_flow.tls.session
        carrier.wire.drop(carrier.sent_flow)


def test_the_listeners_authority_is_not_a_peers(scene, pki):
    # who is vouched for by client_ca is not a peer that has a ca of its own
    start(scene, pki, carrier={"ca": pki.other.crt})
    pbx = scene.pbx()
    is_stranger(carrier_of(scene, good(pki)), pbx)
    is_peer(carrier_of(scene, pki.other.leaf("c", "DNS:" + CARRIER)), pbx)


# ---- revocations

@pytest.mark.parametrize("folder", [False, True], ids=["file", "folder"])
def test_a_revoked_certificate(scene, pki, tmp_path, folder):
    revoked = pki.leaf("revoked", "DNS:" + CARRIER)
    crl = pki.crl([revoked])
    if folder:
        crl = str(tmp_path / "crl")
        (tmp_path / "crl").mkdir()
        write(crl + "/root.pem", pki.root.crl())
        write(crl + "/issuing.pem", pki.issuing.crl([revoked]))
    start(scene, pki, {"crl": crl})
    for before, version in enumerate(("1.2", "1.3")):
        is_refused(scene, revoked, "tls-revoked", version, before)
    is_peer(carrier_of(scene, good(pki)), scene.pbx())


def test_nobody_looks_at_lists_that_are_not_configured(scene, pki):
    start(scene, pki)
    is_peer(carrier_of(scene, pki.leaf("revoked", "DNS:" + CARRIER)),
            scene.pbx())


def test_a_list_that_is_out_of_date_refuses(scene, pki):
    start(scene, pki, {"crl": pki.crl(ends=-DAY)})
    is_refused(scene, good(pki), "tls-crl")


def test_a_list_that_is_out_of_date_accepted(scene, pki):
    revoked = pki.leaf("revoked", "DNS:" + CARRIER)
    start(scene, pki, {"crl": pki.crl([revoked], ends=-DAY),
                       "crl_expired": "accept"})
    is_peer(carrier_of(scene, good(pki)), scene.pbx())
    is_refused(scene, revoked, "tls-revoked")


@pytest.mark.parametrize("there", ["root", "issuing"])
def test_each_authority_of_the_chain_needs_a_list(scene, pki, tmp_path,
                                                  there):
    crl = write(str(tmp_path / "one.crl"), getattr(pki, there).crl())
    start(scene, pki, {"crl": crl, "crl_expired": "accept"})
    is_refused(scene, good(pki), "tls-crl")


def test_a_list_of_another_authority_revokes_nothing(scene, pki, tmp_path):
    # the same serial number, revoked by somebody else
    crl = write(str(tmp_path / "both.crl"), read(pki.crl()),
                pki.other.crl([good(pki)]))
    start(scene, pki, {"crl": crl})
    is_peer(carrier_of(scene, good(pki)), scene.pbx())


def test_a_phone_without_certificate_needs_no_list(scene, pki):
    start(scene, pki, {"crl": pki.crl(ends=-DAY)})
    alice, pbx = scene.secure("alice", 10), scene.pbx()
    ask(alice)
    pbx.expect("OPTIONS")
