"""Who may call himself what, RFC 3325, RFC 3323."""

import pytest

from harness import check
from harness.scene import ask, call, refused, ringing, serve

ALIAS = ["sip:alice@example.com", "sip:7???@example.com", "tel:+4930*"]


@pytest.mark.parametrize("from_", [
    "<sip:bob@example.com>;tag=1", "<sip:alice@elsewhere.test>;tag=1",
    "<sip:example.com>;tag=1", "<tel:+1555>;tag=1",
    '"alice" <sip:bob@example.com>;tag=1', "<sip:Alice@example.com>;tag=1",
    "<sip:alice%00@example.com>;tag=1",
    "<sip:alice@example.com.evil.test>;tag=1",
])
def test_a_from_of_somebody_else_is_403(scene, from_):
    scene.start()
    alice, pbx = scene.alice(), scene.pbx()
    refused(alice, 403, from_=from_)
    pbx.expect_nothing(0.1)
    scene.log.has(reason="wrong-identity", user="alice", claims=from_)


@pytest.mark.parametrize("from_", [
    "<sips:alice@example.com>;tag=1", "<sip:al%69ce@EXAMPLE.COM>;tag=1",
    '"Mad Hatter" <sip:alice@example.com:5060;x=y>;tag=1',
    "sip:alice@example.com;tag=1",
])
def test_the_own_name_in_other_words(scene, from_):
    scene.start()
    alice, pbx = scene.alice(), scene.pbx()
    serve(alice, pbx, from_=from_)


@pytest.mark.parametrize("from_", [
    '"Anonymous" <sip:anonymous@anonymous.invalid>;tag=1'])
def test_an_anonymous_from_is_known_to_the_pbx(scene, from_):
    scene.start()
    alice, pbx = scene.alice(), scene.pbx()
    got = serve(alice, pbx, from_=from_, headers=[("Privacy", "id")])
    assert got["From"] == from_
    assert got.all("P-Asserted-Identity") == ["<sip:alice@example.com>"]
    assert got["Privacy"] == "id"


@pytest.mark.parametrize("uri, status", [
    ("sip:alice@example.com", 200), ("sip:7001@example.com", 200),
    ("sip:70011@example.com", 403), ("tel:+4930123456", 200),
    ("tel:+4940123456", 403), ("sip:bob@example.com", 403),
    ("sip:7001@elsewhere.test", 403),
])
def test_a_list_of_identities(scene, uri, status):
    scene.users = [("alice", "wonderland", ALIAS)]
    scene.start()
    alice, pbx = scene.alice(), scene.pbx()
    from_ = "<%s>;tag=1" % uri
    if status == 200:
        serve(alice, pbx, from_=from_)
    else:
        refused(alice, 403, from_=from_)
        pbx.expect_nothing(0.1)


def test_a_list_without_the_own_name_excludes_it(scene):
    scene.users = [("alice", "wonderland", ["sip:7001@example.com"])]
    scene.start()
    alice, pbx = scene.alice(), scene.pbx()
    refused(alice, 403)
    serve(alice, pbx, from_="<sip:7001@example.com>;tag=1")


def test_two_users_may_share_a_name(scene):
    shared = ["sip:sales@example.com"]
    scene.users = [("alice", "wonderland", shared), ("bob", "builder", shared)]
    scene.start()
    alice, bob, pbx = scene.alice(), scene.bob(), scene.pbx()
    for phone in (alice, bob):
        serve(phone, pbx, from_="<sip:sales@example.com>;tag=1")


def test_registering_somebody_else_is_403(scene):
    scene.start()
    alice, pbx = scene.alice(), scene.pbx()
    refused(alice, 403, "REGISTER", "sip:example.com",
            to="sip:bob@example.com")
    pbx.expect_nothing(0.1)
    scene.log.has(reason="wrong-identity", claims="<sip:bob@example.com>")


@pytest.mark.parametrize("value", [
    "<sip:bob@example.com>", "<sip:alice@example.com>, <sip:bob@example.com>",
    "<sip:alice@example.com>, <tel:+1555>", "nonsense <",
    # which others may read as what stands behind the last bracket
    "<sip:alice@example.com;<tel:+1555>",
    "<sip:alice@example.com;x=\t<tel:+1555>", "<sip:alice:<x@example.com>",
    "", "\xfc", "\xfc <", "\xfc<sip:alice@example.com>, \xfc<tel:+1555>",
    '\xfc" <sip:alice@example.com>', "\xfc\\<sip:alice@example.com>",
    "\xfc;x=<sip:alice@example.com>", "sip:alic\xfc@example.com",
    '"\xfc <sip:alice@example.com>, " <sip:bob@example.com>'])
def test_preferring_another_identity_is_403(scene, value):
    scene.start()
    alice, pbx = scene.alice(), scene.pbx()
    refused(alice, 403, headers=[("P-Preferred-Identity", value)])
    pbx.expect_nothing(0.1)


@pytest.mark.parametrize("name", [
    "Alice", "Alice\xe9 ", "\xe9", "\xe9\xe9\r\n "])
def test_a_name_does_not_hide_who_it_is(scene, name):
    # with UTF-8, and without quotes
    scene.start()
    alice, pbx = scene.alice(), scene.pbx()
    refused(alice, 403, from_=name + "<sip:bob@example.com>;tag=1")
    got = serve(alice, pbx, from_=name + "<sip:alice@example.com>;tag=1")
    assert got.all("P-Asserted-Identity") == ["<sip:alice@example.com>"]


def test_a_name_beside_an_odd_method_passes_as_it_came(scene):
    # of both the parser reads neither by itself
    scene.start()
    name = "\xe9<sip:alice@example.com>;tag=1"
    got = serve(scene.alice(), scene.pbx(), method="X+Y", from_=name)
    assert got["From"] == name
    assert got.all("P-Asserted-Identity") == ["<sip:alice@example.com>"]


def test_a_preferred_identity_is_asserted(scene):
    scene.users = [("alice", "wonderland", ALIAS)]
    scene.start()
    alice, pbx = scene.alice(), scene.pbx()
    got = serve(alice, pbx, headers=[
        ("P-Preferred-Identity", '"Desk" <sip:7001@example.com>')])
    assert "sip:7001@example.com" in got["P-Asserted-Identity"]
    check.lacks(got, "P-Preferred-Identity")


@pytest.mark.parametrize("value", [
    "Alice <sip:alice@example.com>", "\xfc<sip:alice@example.com>",
    "M J\xfcrgen <sip:alice@example.com>", "sip:alice@example.com",
    '"\xfc\\"<" <sip:alice@example.com>'])
def test_a_name_does_not_hide_who_it_prefers_to_be(scene, value):
    scene.start()
    alice, pbx = scene.alice(), scene.pbx()
    for given in (value, "%s, J\xfc %s" % (value, "<sip:alice@example.com>")):
        got = serve(alice, pbx, headers=[("P-Preferred-Identity", given)])
        assert set(got.values("P-Asserted-Identity")) == \
            {"<sip:alice@example.com>"}


def test_what_a_stranger_asserts_is_removed(scene):
    scene.start()
    alice, pbx = scene.alice(), scene.pbx()
    got = serve(alice, pbx, headers=[
        ("P-Asserted-Identity", '"Boss" <sip:boss@example.com>'),
        ("p-asserted-identity", "<tel:+1>")])
    assert got.all("P-Asserted-Identity") == ["<sip:alice@example.com>"]


def test_what_a_peer_asserts_reaches_another_peer(scene):
    scene.start(
        peers=[scene.pbx_peer(), {
            "name": "carrier", "uri": "sip:%s" % scene.net.host(6),
            "from": [scene.net.host(6)], "auth": "ip"}],
        routes=[{"from": "pbx", "to": "carrier"}, {"to": "pbx"}])
    pbx, carrier = scene.pbx(), scene.pbx(6, "carrier")
    pbx.send("OPTIONS", "sip:+1555@elsewhere.test", headers=[
        ("P-Asserted-Identity", "<tel:+4930>")])
    got = carrier.expect("OPTIONS")
    assert got.all("P-Asserted-Identity") == ["<tel:+4930>"]


def test_privacy_id_hides_the_identity_from_a_phone(scene):
    # RFC 3325 section 7: it leaves the trust domain
    scene.start()
    alice, pbx = scene.alice(), scene.pbx()
    call(alice, pbx)
    pbx.in_dialog("UPDATE", headers=[
        ("P-Asserted-Identity", "<tel:+4930>"), ("Privacy", "id")])
    check.lacks(alice.expect("UPDATE"), "P-Asserted-Identity")
    alice.reply(200)
    pbx.expect(200)
    pbx.in_dialog("UPDATE", headers=[
        ("P-Asserted-Identity", "<tel:+4930>")])
    assert alice.expect("UPDATE")["P-Asserted-Identity"] == "<tel:+4930>"


def test_privacy_id_hides_the_identity_in_a_response(scene):
    scene.start()
    alice, pbx = scene.alice(), scene.pbx()
    ask(alice)
    pbx.expect("OPTIONS")
    pbx.reply(200, headers=[("P-Asserted-Identity", "<tel:+4930>"),
                            ("Privacy", "id")])
    check.lacks(alice.expect(200), "P-Asserted-Identity")


def test_in_a_dialog_the_tokens_user_counts(scene):
    # who was called under another name may use it there
    scene.start()
    alice, pbx = scene.alice(), scene.pbx()
    ringing(alice, pbx, uri="sip:bob@example.com")
    pbx.reply(200)
    alice.expect(200)
    alice.ack()
    pbx.expect("ACK")
    tag = alice.dialog.local.rsplit(";", 1)[1]
    alice.bye(from_="<sip:someone-else@elsewhere.test>;" + tag)
    alice.expect(407)
    alice.answer()
    pbx.expect("BYE")
    pbx.reply(200)
    alice.expect(200)


def test_another_user_in_the_dialog_is_403(scene):
    scene.start()
    alice, pbx = scene.alice(), scene.pbx()
    call(alice, pbx)
    alice.user, alice.password = "bob", "builder"
    alice.bye()
    alice.expect(407)
    alice.answer()
    alice.expect(403)
    pbx.expect_nothing(0.1)
    scene.log.has(reason="wrong-user")


def test_the_display_name_is_nobodys_business(scene):
    scene.start()
    alice, pbx = scene.alice(), scene.pbx()
    got = serve(alice, pbx, from_='"<sip:bob@example.com>" '
                '<sip:alice@example.com>;tag=1')
    assert got.all("P-Asserted-Identity") == ["<sip:alice@example.com>"]


def test_in_a_dialog_a_caller_stays_who_he_is(scene):
    scene.start()
    alice, pbx = scene.alice(), scene.pbx()
    call(alice, pbx)
    other = alice.dialog.local.replace("alice", "bob")
    alice.in_dialog("INFO", from_=other)
    alice.expect(407)
    alice.answer()
    alice.expect(403)
    pbx.expect_nothing(0.1)
    alice.bye(from_=other)          # to hang up, any will do
    alice.expect(407)
    alice.answer()
    pbx.expect("BYE")
    pbx.reply(200)
    alice.expect(200)
