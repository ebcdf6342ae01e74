"""Who a trunk is, and how what goes there is spelt."""

import pytest

from harness import check
from harness.daemon import user_line
from harness.scene import REALM, SDP, ask, call, refused, serve

CARRIER = 6


def carrier_peer(scene, **changes):
    """From its address, unless another `from` is given (None: none)."""
    out = {"name": "carrier", "uri": "sip:%s:5060" % scene.net.host(CARRIER),
           "from": [scene.net.host(CARRIER)]}
    out.update(changes)
    return {k: v for k, v in out.items() if v is not None}


def start(scene, *peers, routes=None, users=(), **changes):
    """The PBX and these; what the carriers send may go to the PBX alone."""
    names = [p["name"] for p in peers]
    scene.write_config(
        peers=[scene.pbx_peer(), *peers],
        routes=routes or [{"from": "pbx", "to": names[0]},
                          {"from": names, "to": "pbx"}], **changes)
    scene.write_users([user_line(u[0], REALM, u[1]) for u in scene.users] +
                      [user_line(*u) for u in users])
    scene.daemon.start()


def is_let_in(phone, pbx, uri="sip:100@example.com", **parts):
    phone.send("OPTIONS", uri, **parts)
    got = pbx.expect("OPTIONS")
    pbx.reply(200)
    phone.expect(200)
    return got


# ---- who it is

@pytest.mark.parametrize("number, user, status", [
    (CARRIER, "alice", 200),    # address and user
    (CARRIER, "bob", 404),      # half of it: a stranger, for whom no route is
    (7, "alice", 404),          # the other half
])
def test_address_and_digest(scene, number, user, status):
    start(scene, carrier_peer(scene, auth={"all": ["ip", "digest"]},
                              users=["alice"]))
    pbx = scene.pbx()
    phone = scene.phone("trunk", number, user=user)
    ask(phone, uri="sip:100@example.com")
    if status == 200:
        pbx.expect("OPTIONS")
        pbx.reply(200)
    phone.expect(status)
    if status == 200:
        scene.log.has(event="request.relayed", peer="carrier")
    else:
        scene.log.has(reason="no-route", peer="-")
        pbx.expect_nothing(0.1)


def test_a_wrong_password_is_nobodys(scene):
    start(scene, carrier_peer(scene, auth={"all": ["ip", "digest"]},
                              users=["alice"]))
    phone = scene.phone("trunk", CARRIER, user="alice", password="guess")
    ask(phone, uri="sip:100@example.com")
    phone.expect(407)


def test_either_is_enough(scene):
    start(scene, carrier_peer(scene, auth={"any": ["ip", "digest"]},
                              users=["alice"], trusted=True))
    pbx = scene.pbx()
    is_let_in(scene.phone("trunk", CARRIER), pbx)
    away = scene.phone("away", 7, user="alice")
    serve(away, pbx, uri="sip:100@example.com")
    scene.log.has(peer="carrier", user="alice", reason="relayed")
    other = scene.phone("other", 8, user="bob")
    refused(other, 404)


def test_digest_alone(scene):
    start(scene, carrier_peer(scene, **{
        "from": None, "auth": "digest", "users": ["alice"]}))
    pbx, trunk = scene.pbx(), scene.phone("trunk", 7, user="alice")
    # for strangers 100@elsewhere.test would be 403, and Routes, too
    ask(trunk, uri="sip:100@elsewhere.test")
    pbx.expect("OPTIONS")
    pbx.reply(200)
    trunk.expect(200)
    scene.log.has(peer="carrier", user="alice", reason="relayed")
    refused(scene.phone("other", 8, user="bob"), 403,
            uri="sip:100@elsewhere.test")


@pytest.mark.parametrize("how", [
    {"from": None, "auth": "digest"}, {"auth": {"all": ["ip", "digest"]}}])
def test_the_rate_of_who_must_bring_a_password(scene, how):
    start(scene, carrier_peer(scene, users=["alice"],
                              requests="1/m burst 2", **how))
    pbx = scene.pbx()
    trunk = scene.phone("trunk", CARRIER, user="alice")
    forger = scene.phone("forger", CARRIER, port=0, user="alice",
                         password="guess")
    for _ in range(3):                      # has its address, and no more
        ask(forger, uri="sip:100@example.com")
        forger.expect(407)
    for _ in range(2):
        serve(trunk, pbx, uri="sip:100@example.com")
    ask(trunk, uri="sip:100@example.com")
    assert int(trunk.expect(503)["Retry-After"]) > 0
    assert scene.log.has(event="guard.over-rate")["of"] == "peer"


def test_a_call_of_who_is_known_by_digest_alone(scene):
    start(scene, carrier_peer(scene, **{
        "from": None, "auth": "digest", "users": ["alice"]}))
    pbx, trunk = scene.pbx(), scene.phone("trunk", 7, user="alice")
    call(trunk, pbx, uri="sip:100@example.com")
    pbx.in_dialog("UPDATE")         # goes back where the call came from
    trunk.expect("UPDATE")
    trunk.reply(200)
    pbx.expect(200)
    trunk.bye()
    trunk.expect(407)
    trunk.answer()
    pbx.expect("BYE")
    pbx.reply(200)
    trunk.expect(200)


def test_its_users_may_call_themselves_what_they_may(scene):
    start(scene, carrier_peer(scene, **{
        "from": None, "auth": "digest", "users": ["alice"]}))
    trunk = scene.phone("trunk", 7, user="alice")
    refused(trunk, 403, from_="<sip:+4930@example.com>;tag=1")
    scene.log.has(reason="wrong-identity")


def test_a_trusted_one_calls_for_anybody(scene):
    start(scene, carrier_peer(scene, **{
        "from": None, "auth": "digest", "users": ["alice"],
        "trusted": True}))
    pbx, trunk = scene.pbx(), scene.phone("trunk", 7, user="alice")
    got = serve(trunk, pbx, from_="<sip:+4930@elsewhere.test>;tag=1",
                headers=[("P-Asserted-Identity", "<tel:+4930>")])
    assert got.all("P-Asserted-Identity") == ["<tel:+4930>"]


def test_who_was_let_in_as_a_stranger_stays_one_in_the_dialog(scene):
    start(scene, carrier_peer(scene, auth={"all": ["ip", "digest"]},
                              users=["alice"], trusted=True),
          routes=[{"to": "pbx"}], auth={"in_dialog": "token"})
    pbx = scene.pbx()
    half = scene.pbx(CARRIER, "half", user="bob")
    call(half, pbx, uri="sip:100@example.com")
    half.in_dialog("UPDATE", headers=[("P-Asserted-Identity", "<tel:+4930>")])
    check.lacks(pbx.expect("UPDATE"), "P-Asserted-Identity")
    pbx.reply(200)
    half.expect(200)
    scene.log.has(method="UPDATE", peer="-", reason="relayed")


def registered_at_a_roamer(scene):
    """A phone at a registrar that is known by digest alone."""
    start(scene, carrier_peer(scene, **{
        "from": None, "auth": "digest", "users": ["alice"],
        "trusted": True}), routes=[{"from": "strangers", "to": "carrier"}])
    phone, carrier = scene.bob(), scene.pbx(CARRIER, "carrier", user="alice")
    ask(phone, "REGISTER", "sip:example.com")
    path = carrier.expect("REGISTER")["Path"]
    carrier.reply(200)
    phone.expect(200)
    return phone, carrier, path


def test_a_registrar_known_by_digest_reaches_its_phones(scene):
    phone, carrier, path = registered_at_a_roamer(scene)
    ask(carrier, "OPTIONS", phone.contact, route=[path])
    phone.expect("OPTIONS")
    phone.reply(200)
    carrier.expect(200)


def test_nobody_else_does(scene):
    phone, _, path = registered_at_a_roamer(scene)
    thief = scene.phone("thief", 8, user="bob")
    thief.send("OPTIONS", phone.contact, route=[path])
    thief.expect(407)
    thief.answer()
    thief.expect(403)
    scene.log.has(reason="foreign-token")
    phone.expect_nothing(0.1)


def two_at_one_address(scene):
    host = [scene.net.host(CARRIER)]
    start(scene,
          {"name": "red", "from": host, "domains": ["red.example"]},
          {"name": "blue", "from": host, "domains": ["blue.example"]},
          routes=[{"from": "red", "to": "pbx"},
                  {"from": "blue", "reject": 488}])


def test_the_domain_tells_two_at_one_address_apart(scene):
    two_at_one_address(scene)
    pbx, trunk = scene.pbx(), scene.pbx(CARRIER, "trunk")
    is_let_in(trunk, pbx, "sip:100@Red.example")
    scene.log.has(peer="red", reason="relayed")
    trunk.send("OPTIONS", "sip:100@blue.example")
    trunk.expect(488)
    scene.log.has(peer="blue", reason="rejected-by-route")
    for uri in ("sip:100@green.example", "tel:+4930", "sip:red.example@x.y"):
        trunk.send("OPTIONS", uri)
        trunk.expect(407)       # neither: a stranger


@pytest.mark.parametrize("domain", ["[fd00::1]", "fd00::1", "fd00:0::01"])
def test_an_address_is_a_domain_however_it_is_spelt(scene, domain):
    start(scene, {"name": "red", "from": [scene.net.host(CARRIER)],
                  "domains": [domain]},
          routes=[{"from": "red", "to": "pbx"}])
    pbx, trunk = scene.pbx(), scene.pbx(CARRIER, "trunk")
    for host in ("[fd00::1]", "[FD00:0::1]"):
        is_let_in(trunk, pbx, "sip:100@" + host)
    trunk.send("OPTIONS", "sip:100@[fd00::2]")
    trunk.expect(407)


def test_in_a_dialog_the_token_tells_them_apart(scene):
    two_at_one_address(scene)
    pbx, trunk = scene.pbx(), scene.pbx(CARRIER, "trunk")
    trunk.send("INVITE", "sip:100@red.example", body=SDP)
    pbx.expect("INVITE")
    pbx.reply(200, body=SDP)
    trunk.expect(200)
    trunk.ack()
    pbx.expect("ACK")
    trunk.bye()                 # to the Contact, no domain of red's
    pbx.expect("BYE")
    pbx.reply(200)
    trunk.expect(200)
    scene.log.has(method="BYE", peer="red", reason="relayed")


def test_a_realm_of_its_own(scene):
    start(scene, carrier_peer(scene, auth="digest", users=["gw"],
                              realm="carrier realm", trusted=True),
          users=[("gw", "carrier realm", "secret"),
                 ("gw", REALM, "another")])
    pbx = scene.pbx()
    trunk = scene.phone("trunk", CARRIER, user="gw", password="secret")
    trunk.send("OPTIONS", "sip:100@example.com")
    got = check.challenges(trunk.expect(407))
    assert {c["realm"] for c in got} == {"carrier realm"}
    trunk.answer()
    check.lacks(pbx.expect("OPTIONS"), "Proxy-Authorization")
    pbx.reply(200)
    trunk.expect(200)
    # the same user elsewhere is a stranger in the realm for all
    other = scene.phone("other", 7, user="gw", password="secret")
    other.send("OPTIONS", "sip:100@example.com")
    got = check.challenges(other.expect(407))
    assert {c["realm"] for c in got} == {REALM}
    other.answer()
    other.expect(407)


def test_a_nonce_of_another_realm_is_worth_nothing(scene):
    start(scene, carrier_peer(scene, auth="digest", users=["gw"],
                              realm="carrier realm"),
          users=[("gw", "carrier realm", "secret"), ("gw", REALM, "secret")])
    trunk = scene.phone("trunk", CARRIER, user="gw", password="secret")
    other = scene.phone("other", 7, user="gw", password="secret")
    other.send("OPTIONS", "sip:100@example.com")
    other.expect(407)
    for fields in ({}, {"realm": "carrier realm"}):
        trunk.challenges = other.challenges
        trunk.post(trunk.authorize(
            trunk.make("OPTIONS", "sip:100@example.com"), **fields))
        trunk.expect(407)


def test_another_user_of_that_realm_is_nobody(scene):
    start(scene, carrier_peer(scene, auth="digest", users=["gw"],
                              realm="carrier realm"),
          users=[("alice", "carrier realm", "x")])
    trunk = scene.phone("trunk", CARRIER, user="alice", password="x")
    refused(trunk, 403, uri="sip:100@example.com")
    scene.log.has(reason="wrong-user")


# ---- how it is spelt

def outwards(scene, method="OPTIONS", uri="sip:0049301@example.com",
             status=200, peer=None, **parts):
    """The PBX asks the carrier; returns what the one got and the other."""
    start(scene, carrier_peer(scene, **peer))
    pbx, carrier = scene.pbx(), scene.pbx(CARRIER, "carrier")
    pbx.send(method, uri, **parts)
    got = carrier.expect(method)
    carrier.reply(status)
    return got, pbx.expect(status)


@pytest.mark.parametrize("uri, want", [
    ("sip:0049301@example.com", "sip:+49301@carrier.example"),
    ("sip:00-49-(30)1@example.com", "sip:+-49-(30)1@carrier.example"),
    ("sip:030@example.com", "sip:+030@carrier.example"),
    ("sip:+4930@example.com:5070", "sip:+4930@carrier.example"),
    ("sip:alice@example.com", "sip:alice@carrier.example"),
    ("sip:00alice@example.com", "sip:00alice@carrier.example"),
    ("sip:0049;isub=1@example.com;user=phone",
     "sip:+49;isub=1@carrier.example;user=phone"),
    ("sip:0049;isub=1@example.com", "sip:0049;isub=1@carrier.example"),
    ("sip:example.com;x=1", "sip:carrier.example;x=1"),
    ("tel:0049301;phone-context=+49",
     "sip:+49301;phone-context=+49@carrier.example;user=phone"),
    ("tel:0049301;isub=2;phone-context=+49",
     "sip:+49301;isub=2;phone-context=+49@carrier.example;user=phone"),
    ("sip:" + "0" * 500 + "@example.com",
     "sip:" + "0" * 500 + "@carrier.example"),
])
def test_the_number_called(scene, uri, want):
    got, _ = outwards(scene, uri=uri, peer={
        "strip": ["00", "011"], "prefix": "+", "domain": "carrier.example"})
    assert got.uri == want


def test_numbers_keep_their_scheme_without_a_domain(scene):
    got, _ = outwards(scene, uri="tel:0049301;isub=2;phone-context=+49",
                      peer={"strip": ["00"], "prefix": "+"})
    assert got.uri == "tel:+49301;isub=2;phone-context=+49"


FROM = '"Desk 7" <sip:207@10.0.0.5:5070;x=1>;tag=abc;y=2'
TO = '"Some, \\"one\\"" <sip:0049301@example.com>;z=3'


def test_the_house_in_to(scene):
    got, back = outwards(scene, to=TO, peer={"domain": "carrier.example"})
    assert got["To"].replace(" ", "") == TO.replace(
        "example.com", "carrier.example").replace(" ", "")
    assert back["To"].startswith('"Some, \\"one\\"" <sip:0049301@example.com>')
    assert "tag=" in back["To"]


@pytest.mark.parametrize("caller, from_, asserted", [
    ({"domain": "carrier.example"},
     "sip:207@carrier.example;x=1", "<sip:207@carrier.example>"),
    ({"user": "+4930100", "header": "from"},
     "sip:+4930100@10.0.0.5:5070;x=1", "<sip:207@10.0.0.5>"),
    ({"prefix": "+4930", "header": "pai"},
     "sip:207@10.0.0.5:5070;x=1", "<sip:+4930207@10.0.0.5>"),
    ({"strip": ["2"], "prefix": "+4930", "domain": "c.example"},
     "sip:+493007@c.example;x=1", "<sip:+493007@c.example>"),
])
def test_the_caller(scene, caller, from_, asserted):
    got, back = outwards(
        scene, from_=FROM, peer={"caller": caller},
        headers=[("P-Asserted-Identity", "<sip:207@10.0.0.5>")])
    assert got["From"].replace(" ", "") == \
        ('"Desk 7" <%s>;tag=abc;y=2' % from_).replace(" ", "")
    assert got.all("P-Asserted-Identity") == [asserted]
    assert back["From"].replace(" ", "") == FROM.replace(" ", "")


def test_the_callers_name_stays(scene):
    # also one that should have been in quotes
    got, back = outwards(
        scene, from_="J\xfcrgen M <sip:207@10.0.0.5>;tag=abc",
        peer={"caller": {"domain": "carrier.example"}})
    assert got["From"].replace(" ", "") == \
        "J\xfcrgenM<sip:207@carrier.example>;tag=abc"
    assert back["From"].replace(" ", "") == \
        "J\xfcrgenM<sip:207@10.0.0.5>;tag=abc"


def test_several_asserted_identities(scene):
    got, _ = outwards(
        scene, peer={"caller": {"prefix": "+4930", "domain": "c.example"}},
        headers=[("P-Asserted-Identity", '"A, B" <sip:207@x.y>'),
                 ("P-Asserted-Identity", "M J\xfc <sip:207@x.y>"),
                 ("P-Asserted-Identity", "<tel:207>")])
    assert ", ".join(got.all("P-Asserted-Identity")) == \
        '"A, B" <sip:+4930207@c.example>, ' \
        '"M J\xfc" <sip:+4930207@c.example>, ' \
        "<sip:+4930207@c.example;user=phone>"


def test_an_anonymous_caller_stays_so(scene):
    from_ = '"Anonymous" <sip:anonymous@anonymous.invalid>;tag=1'
    got, _ = outwards(
        scene, from_=from_,
        peer={"caller": {"user": "100", "domain": "c.example"}},
        headers=[("P-Asserted-Identity", "<sip:207@x.y>"),
                 ("Privacy", "id")])
    assert got["From"] == from_
    assert got.all("P-Asserted-Identity") == ["<sip:100@c.example>"]


@pytest.mark.parametrize("value", ["nonsense <", "*", "<http://x>", "<>", ""])
def test_asserted_nonsense_does_no_harm(scene, value):
    got, _ = outwards(
        scene, peer={"caller": {"user": "100", "domain": "c.example"}},
        headers=[("P-Asserted-Identity", value)])
    assert "100@c.example" in got["From"]


def test_an_asserted_identity_that_cannot_be_read_stays(scene):
    got, _ = outwards(
        scene, peer={"caller": {"user": "100", "domain": "c.example"}},
        headers=[("P-Asserted-Identity", "\\\xe9<sip:207@x.y>")])
    assert got.all("P-Asserted-Identity") == ["\\\xe9<sip:207@x.y>"]


SPELT = {"strip": ["00"], "prefix": "+", "domain": "carrier.example",
         "caller": {"user": "100", "domain": "us.example"}}


def test_a_whole_call_keeps_what_both_sides_know(scene):
    start(scene, carrier_peer(scene, **SPELT))
    pbx, carrier = scene.pbx(), scene.pbx(CARRIER, "carrier")
    sent = pbx.send("INVITE", "sip:0049301@example.com", body=SDP)
    got = carrier.expect("INVITE")
    assert got.uri == "sip:+49301@carrier.example"
    carrier.reply(180)
    assert pbx.expect(180)["From"] == sent["From"]
    carrier.reply(200, body=SDP)
    back = pbx.expect(200)
    assert back["From"] == sent["From"]
    assert back["To"].startswith(sent["To"])
    pbx.ack()
    assert carrier.expect("ACK").uri == "sip:carrier@%s:5060" % carrier.host
    carrier.in_dialog("UPDATE")         # in its words
    update = pbx.expect("UPDATE")
    assert "us.example" in update["To"]
    pbx.reply(200)
    assert "us.example" in carrier.expect(200)["To"]
    pbx.bye()                           # in those of the PBX
    bye = carrier.expect("BYE")
    assert bye["From"] == sent["From"]
    carrier.reply(200)
    pbx.expect(200)


def test_cancel_and_ack_are_spelt_as_the_invite(scene):
    start(scene, carrier_peer(scene, **SPELT))
    pbx, carrier = scene.pbx(), scene.pbx(CARRIER, "carrier")
    sent = pbx.send("INVITE", "sip:0049301@example.com", body=SDP)
    got = carrier.expect("INVITE")
    carrier.reply(180)
    pbx.expect(180)
    pbx.cancel()
    pbx.expect(200)
    cancel = carrier.expect("CANCEL")
    assert (cancel.uri, cancel["From"], cancel["To"]) == \
        (got.uri, got["From"], got["To"])
    carrier.reply(200)
    carrier.reply(487, to=got)
    ack = carrier.expect("ACK")
    assert (ack.uri, ack["From"]) == (got.uri, got["From"])
    assert pbx.expect(487)["From"] == sent["From"]


def test_our_own_answers_tell_what_was_asked(scene):
    start(scene, carrier_peer(scene, **SPELT), timers={"t1": "20ms"})
    pbx = scene.pbx()
    sent = pbx.send("INVITE", "sip:0049301@example.com", body=SDP)
    got = pbx.expect((408, 500))
    assert got["From"] == sent["From"]
    assert got["To"].startswith(sent["To"])


def test_each_way_of_a_fork_is_spelt_for_itself(scene):
    start(scene, carrier_peer(scene, **SPELT),
          carrier_peer(scene, name="plain",
                       uri="sip:%s" % scene.net.host(7), **{"from": None}),
          routes=[{"to": ["carrier", "plain"]}])
    pbx, carrier = scene.pbx(), scene.pbx(CARRIER, "carrier")
    plain = scene.pbx(7, "plain")
    sent = pbx.send("INVITE", "sip:0049301@example.com", body=SDP)
    assert carrier.expect("INVITE").uri == "sip:+49301@carrier.example"
    got = plain.expect("INVITE")
    assert got.uri == sent.uri and got["From"] == sent["From"]
    carrier.reply(486)
    carrier.expect("ACK")
    plain.reply(200)
    assert pbx.expect(200)["From"] == sent["From"]


def test_a_register_is_spelt_too(scene):
    start(scene, carrier_peer(scene, domain="carrier.example",
                              caller={"domain": "carrier.example"}))
    pbx, carrier = scene.pbx(), scene.pbx(CARRIER, "carrier")
    pbx.send("REGISTER", "sip:example.com")
    got = carrier.expect("REGISTER")
    assert got.uri == "sip:carrier.example"
    assert "pbx@carrier.example" in got["From"]
    assert "pbx@carrier.example" in got["To"]
    carrier.reply(200)
    assert "pbx@example.com" in pbx.expect(200)["To"]


@pytest.mark.parametrize("bad, said", [
    ({"auth": {"all": ["ip", "digest"]}, "from": None}, "goes with from"),
    ({"auth": "certificate"}, "goes with certificate"),
    ({"prefix": "a b"}, "may not"),
    ({"domain": "carrier.example:5060"}, "is not a host"),
    ({"users": ["alice"]}, "go with auth"),
    ({"realm": "x"}, "is asked of nobody"),
])
def test_what_cannot_be_is_said(scene, bad, said):
    scene.write_config(peers=[scene.pbx_peer(), carrier_peer(scene, **bad)])
    got = scene.daemon.run("-t", "-c", scene.daemon.config_path)
    assert got.returncode != 0 and said in got.stderr
