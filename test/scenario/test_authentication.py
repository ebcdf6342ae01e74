"""Who must prove himself, how, and what he is told."""

import re
import time

import pytest

from harness import check
from harness.daemon import user_line
from harness.patience import PATIENCE
from harness.phone import first_of
from harness.scene import NO_RATES, REALM, ask, call, serve

ALL = ["SHA-512-256", "SHA-256", "MD5"]


# ---- the challenge

def test_the_challenge(scene):
    scene.start()
    alice, pbx = scene.alice(), scene.pbx()
    alice.send("INVITE", "sip:bob@example.com")
    got = alice.expect(407)
    check.has_to_tag(got)
    check.lacks(got, "WWW-Authenticate", "Record-Route")
    assert check.algorithms(got) == ["SHA-256", "MD5"]
    for one in check.challenges(got):
        assert one["scheme"] == "Digest" and one["realm"] == REALM
        assert re.fullmatch(r"[A-Za-z0-9_-]{64}", one["nonce"])
        assert one["qop"] == "auth" and one["opaque"]
        assert "stale" not in one or one["stale"] == "false"
    assert len(got.raw) < 1300
    pbx.expect_nothing(0.1)


def test_challenges_come_in_configured_order(scene):
    scene.start(auth={"algorithms": ALL, "qop": ["auth-int", "auth"]})
    alice = scene.alice()
    alice.send("OPTIONS", "sip:bob@example.com")
    got = alice.expect(407)
    assert check.algorithms(got) == ALL
    for one in check.challenges(got):
        assert [q.strip() for q in one["qop"].split(",")] == [
            "auth-int", "auth"]
    assert len(got.raw) < 1300


def test_quoting_of_challenge_parameters(scene):
    # RFC 7616 3.3: qop and realm are quoted, algorithm and stale are not
    scene.start()
    alice = scene.alice()
    alice.send("OPTIONS", "sip:bob@example.com")
    value = alice.expect(407)["Proxy-Authenticate"]
    assert 'qop="auth"' in value and 'realm="example.com"' in value
    assert re.search(r"algorithm=SHA-256\b", value)


def test_no_state_is_kept_for_a_stranger(scene):
    scene.start()
    alice = scene.alice()
    alice.send("OPTIONS", "sip:bob@example.com")
    first = alice.expect(407)
    alice.resend()
    again = alice.expect(407)
    assert first.to_tag == again.to_tag
    assert check.challenges(first)[0]["nonce"] != \
        check.challenges(again)[0]["nonce"]


@pytest.mark.parametrize("method", [
    "INVITE", "REGISTER", "MESSAGE", "SUBSCRIBE", "NOTIFY", "PUBLISH",
    "REFER", "INFO", "UPDATE", "BYE", "OPTIONS", "invites", "X-NEW"])
def test_every_method_of_a_stranger_is_challenged(scene, method):
    scene.start()
    mallory, pbx = scene.mallory(), scene.pbx()
    mallory.send(method, "sip:example.com")
    mallory.expect(407)
    pbx.expect_nothing(0.1)


def test_in_dialog_requests_are_challenged_too(scene):
    scene.start()
    alice, pbx = scene.alice(), scene.pbx()
    call(alice, pbx)
    for method in ("INFO", "UPDATE", "REFER", "MESSAGE", "X-NEW", "BYE"):
        alice.in_dialog(method)
        alice.expect(407)
        pbx.expect_nothing(0.05)
        alice.answer()
        pbx.expect(method)
        pbx.reply(200)
        alice.expect(200)


def test_a_peer_that_needs_digest_is_challenged(scene):
    scene.start(peers=[scene.pbx_peer(), {
        "name": "branch", "uri": "sip:%s" % scene.net.host(10),
        "from": [scene.net.host(10)], "auth": "digest"}])
    alice, pbx = scene.alice(), scene.pbx()
    serve(alice, pbx)


# ---- the answer

@pytest.mark.parametrize("algorithm", ALL)
@pytest.mark.parametrize("sess", ["", "-sess"])
@pytest.mark.parametrize("qop", ["auth", "auth-int"])
def test_algorithms(scene, algorithm, sess, qop):
    scene.start(auth={"algorithms": ALL, "qop": ["auth", "auth-int"]})
    alice, pbx = scene.alice(), scene.pbx()
    alice.send("MESSAGE", "sip:bob@example.com", body=b"hello\r\n\x00bytes")
    alice.expect(407)
    alice.answer(pick=algorithm, algorithm=algorithm + sess, qop=qop)
    pbx.expect("MESSAGE")
    pbx.reply(200)
    alice.expect(200)
    alice.password = "wrong"
    alice.answer(pick=algorithm, algorithm=algorithm + sess, qop=qop)
    assert check.is_plain(alice.expect(407))
    pbx.expect_nothing(0.1)


def test_no_algorithm_means_md5(scene):
    scene.start()
    alice, pbx = scene.alice(), scene.pbx()
    alice.send("OPTIONS", "sip:bob@example.com")
    alice.expect(407)
    alice.answer(pick="MD5", drop=("algorithm",))
    pbx.expect("OPTIONS")


def test_auth_int_covers_the_body(scene):
    scene.start(auth={"qop": ["auth-int"]})
    alice, pbx = scene.alice(), scene.pbx()
    alice.send("MESSAGE", "sip:bob@example.com", body="send 10")
    alice.expect(407)
    request = alice.authorize(alice.again())
    request.body = b"send 99"
    alice.post(request)
    assert check.is_plain(alice.expect(407))
    pbx.expect_nothing(0.1)


def test_auth_int_with_an_empty_body(scene):
    scene.start(auth={"qop": ["auth-int"]})
    alice, pbx = scene.alice(), scene.pbx()
    serve(alice, pbx)


def test_legacy_answers_pass_once_where_they_are_on(scene):
    scene.start(auth={"legacy": True})
    alice, pbx = scene.alice(), scene.pbx()
    alice.send("OPTIONS", "sip:bob@example.com")
    alice.expect(407)
    alice.answer(pick="MD5", qop=None)
    pbx.expect("OPTIONS")
    pbx.reply(200)
    alice.expect(200)
    alice.answer(pick="MD5", qop=None)
    assert check.is_stale(alice.expect(407))
    pbx.expect_nothing(0.1)


def test_a_nonce_of_legacy_mode_is_one_time_for_others_too(scene):
    scene.start(auth={"legacy": True})
    alice, pbx = scene.alice(), scene.pbx()
    alice.send("OPTIONS", "sip:bob@example.com")
    alice.expect(407)
    alice.answer()
    pbx.expect("OPTIONS")
    pbx.reply(200)
    alice.expect(200)
    alice.answer(pick="MD5", qop=None)
    assert check.is_stale(alice.expect(407))
    pbx.expect_nothing(0.1)


def test_legacy_answers_are_refused_where_they_are_off(scene):
    scene.start()
    alice, pbx = scene.alice(), scene.pbx()
    alice.send("OPTIONS", "sip:bob@example.com")
    alice.expect(407)
    alice.answer(pick="MD5", qop=None)
    alice.expect(407)
    pbx.expect_nothing(0.1)
    scene.log.has(reason="not-offered")


@pytest.mark.parametrize("algorithm", ["MD5", "SHA-256"])
def test_userhash(scene, algorithm):
    scene.start()
    alice, pbx = scene.alice(), scene.pbx()
    alice.send("OPTIONS", "sip:bob@example.com")
    got = alice.expect(407)
    assert all(c.get("userhash") == "true" for c in check.challenges(got))
    alice.answer(pick=algorithm, hash_user=True)
    seen = pbx.expect("OPTIONS")
    assert "alice@example.com" in seen["P-Asserted-Identity"]
    pbx.reply(200)
    alice.expect(200)
    scene.log.has(user="alice", reason="relayed")


def test_userhash_of_nobody(scene):
    scene.start()
    mallory, pbx = scene.mallory(), scene.pbx()
    mallory.send("OPTIONS", "sip:bob@example.com")
    mallory.expect(407)
    mallory.answer(hash_user=True)
    assert check.is_plain(mallory.expect(407))
    pbx.expect_nothing(0.1)


@pytest.mark.parametrize("star", [False, True])
def test_utf8_user_name(scene, star):
    scene.users.append(("J\u00e4s\u00f8n", "Ge\u00e4lle",
                        ["sip:jason@example.com"]))
    scene.start()
    jason = scene.phone("jason", 20, user="J\u00e4s\u00f8n")
    jason.aor, pbx = "sip:jason@example.com", scene.pbx()
    jason.contact = "sip:jason@%s" % jason.host
    jason.send("OPTIONS", "sip:bob@example.com")
    jason.expect(407)
    jason.answer(name_star=star)
    pbx.expect("OPTIONS")
    pbx.reply(200)
    jason.expect(200)


def test_quoted_pairs(scene):
    scene.users.append(('al"i\\ce', "pass", ["sip:ali@example.com"]))
    scene.start()
    pbx = scene.pbx()
    ali = scene.phone("ali", 20, user='al"i\\ce')
    ali.aor, ali.contact = "sip:ali@example.com", "sip:ali@%s" % ali.host
    ali.send("OPTIONS", "sip:bob@example.com")
    ali.expect(407)
    ali.answer()
    pbx.expect("OPTIONS")


def test_needless_quoted_pairs(scene):
    # RFC 7616 gives \a the value a, and the digest is over values
    scene.start()
    alice, pbx = scene.alice(), scene.pbx()
    alice.send("OPTIONS", "sip:bob@example.com")
    alice.expect(407)
    alice.answer(drop=("username", "realm"), extra=(
        ', username="\\a\\lice", realm="ex\\ample.com"'))
    pbx.expect("OPTIONS")


@pytest.mark.parametrize("extra", [
    ', future="x, y"', ",odd=1 ,, ", ", charset=UTF-8",
    ', auth-param="\\"quoted\\""'])
def test_unknown_parameters_are_skipped(scene, extra):
    scene.start()
    alice, pbx = scene.alice(), scene.pbx()
    alice.send("OPTIONS", "sip:bob@example.com")
    alice.expect(407)
    alice.answer(extra=extra)
    pbx.expect("OPTIONS")


def test_parameter_names_and_algorithm_ignore_case(scene):
    scene.start()
    alice, pbx = scene.alice(), scene.pbx()
    alice.send("OPTIONS", "sip:bob@example.com")
    alice.expect(407)
    request = alice.authorize(alice.again())
    value = request["Proxy-Authorization"]
    value = value.replace("Digest ", "dIGEST  ") \
        .replace("username=", "UserName = ").replace("SHA-256", "sha-256") \
        .replace("qop=auth", 'QOP="auth"')
    alice.post(request.set("Proxy-Authorization", value))
    pbx.expect("OPTIONS")


# ---- several credentials

@pytest.mark.parametrize("top", [True, False])
def test_credentials_of_several_realms(scene, top):
    scene.start()
    alice, pbx = scene.alice(), scene.pbx()
    alice.send("OPTIONS", "sip:bob@example.com")
    alice.expect(407)
    theirs = 'Digest realm="other.test", username="a", response="b"'
    request = alice.again().add("Proxy-Authorization", theirs)
    alice.post(alice.authorize(request, top=top))
    assert pbx.expect("OPTIONS").all("Proxy-Authorization") == [theirs]


def test_the_strongest_of_several_is_judged(scene):
    # RFC 8760: a wrong MD5 beside a right SHA-256 does no harm
    scene.start()
    alice, pbx = scene.alice(), scene.pbx()
    alice.send("OPTIONS", "sip:bob@example.com")
    alice.expect(407)
    request = alice.again()
    alice.authorize(request, pick="MD5", nc=1, password="wrong")
    alice.authorize(request, pick="SHA-256", nc=1)
    alice.post(request)
    check.lacks(pbx.expect("OPTIONS"), "Proxy-Authorization")
    pbx.reply(200)
    alice.expect(200)


def test_a_right_md5_does_not_help_a_wrong_sha_256(scene):
    scene.start()
    alice, pbx = scene.alice(), scene.pbx()
    alice.send("OPTIONS", "sip:bob@example.com")
    alice.expect(407)
    request = alice.again()
    alice.authorize(request, pick="MD5", nc=1)
    alice.authorize(request, pick="SHA-256", nc=1, password="wrong")
    alice.post(request)
    assert check.is_plain(alice.expect(407))
    pbx.expect_nothing(0.1)


# ---- wrong answers

WRONG = {
    "password": ({"password": "wrong"}, "wrong-password"),
    "user": ({"user": "nobody"}, "wrong-password"),
    "uri": ({"uri": "sip:carol@example.com"}, "wrong-uri"),
    "uri host": ({"uri": "sip:bob@example.net"}, "wrong-uri"),
    "empty uri": ({"uri": ""}, None),
    "opaque": ({"opaque": "0" * 22}, "foreign-nonce"),
    "algorithm not offered": (
        {"algorithm": "SHA-512-256"}, "not-offered"),
    "algorithm unknown": ({"algorithm": "MD5",
                           "extra": ", algorithm=MD4"}, "bad-credentials"),
    "qop not offered": ({"qop": "auth-int"}, "not-offered"),
    "realm twice": ({"extra": ', realm="example.com"'}, "bad-credentials"),
    "username twice": ({"extra": ', username="bob"'}, "bad-credentials"),
    "no username": ({"drop": ("username",)}, "bad-credentials"),
    "no nonce": ({"drop": ("nonce",)}, "bad-credentials"),
    "no uri": ({"drop": ("uri",)}, "bad-credentials"),
    "no response": ({"drop": ("response",)}, "bad-credentials"),
    "no cnonce": ({"drop": ("cnonce",)}, "bad-credentials"),
    "no nc": ({"drop": ("nc",)}, "bad-credentials"),
    "no qop": ({"drop": ("qop",)}, "bad-credentials"),
    "short response": ({"response": "0123"}, "bad-credentials"),
    "response not hex": ({"response": "z" * 64}, "bad-credentials"),
    "nc=0": ({"nc": "00000000"}, "bad-credentials"),
    "nc not hex": ({"nc": "0000000g"}, "bad-credentials"),
    "nc of 7 digits": ({"nc": "0000001"}, "bad-credentials"),
    "nc of 9 digits": ({"nc": "000000001"}, "bad-credentials"),
    "nc overflows": ({"nc": "100000001"}, "bad-credentials"),
    "nc with sign": ({"nc": "+0000001"}, "bad-credentials"),
    "both names": ({"extra": ", username*=UTF-8''alice"},
                   "bad-credentials"),
    "control character": ({"extra": ', x="\x01"'}, "bad-credentials"),
    "endless": ({"extra": ', x="%s"' % ("y" * 5000)}, "bad-credentials"),
}


@pytest.mark.parametrize("what", WRONG)
def test_what_is_wrong_is_challenged_anew(scene, what):
    fields, reason = WRONG[what]
    scene.start()
    alice, pbx = scene.alice(), scene.pbx()
    alice.send("OPTIONS", "sip:bob@example.com")
    alice.expect(407)
    alice.answer(**fields)
    assert check.is_plain(alice.expect(407))
    pbx.expect_nothing(0.1)
    if reason:
        scene.log.has(reason=reason)


@pytest.mark.parametrize("nc", ["00000401", "ffffffff"])
def test_a_nonce_that_is_used_up_is_stale(scene, nc):
    # the answer is right: an honest phone comes here after nc_max requests
    scene.start()
    alice, pbx = scene.alice(), scene.pbx()
    alice.send("OPTIONS", "sip:bob@example.com")
    alice.expect(407)
    alice.answer(nc=nc)
    assert check.is_stale(alice.expect(407))
    alice.answer(nc=nc, password="wrong")
    assert check.is_plain(alice.expect(407))
    pbx.expect_nothing(0.1)


@pytest.mark.parametrize("nc", ["00000400", "0000000A", "0000000a"])
def test_nc_within_bounds(scene, nc):
    scene.start()
    alice, pbx = scene.alice(), scene.pbx()
    alice.send("OPTIONS", "sip:bob@example.com")
    alice.expect(407)
    alice.answer(nc=nc)
    pbx.expect("OPTIONS")


def flipped(text, at):
    return text[:at] + ("A" if text[at] != "A" else "B") + text[at + 1:]


@pytest.mark.parametrize("forge", [
    lambda n: flipped(n, 0), lambda n: flipped(n, 20),
    lambda n: flipped(n, 62), lambda n: n[:-1], lambda n: n + "A",
    lambda n: "", lambda n: "A" * 64, lambda n: n[:-4] + "====",
    lambda n: n.replace("_", "/") + "\u00e9", lambda n: "x" * 2000],
    ids=["version", "random", "mac", "short", "long", "empty", "zeros",
         "padding", "utf8", "endless"])
def test_a_forged_nonce_gets_a_plain_challenge(scene, forge):
    scene.start()
    alice, pbx = scene.alice(), scene.pbx()
    alice.send("OPTIONS", "sip:bob@example.com")
    alice.expect(407)
    alice.answer(nonce=forge(alice.challenge()[1]["nonce"]), opaque=None)
    assert check.is_plain(alice.expect(407))
    pbx.expect_nothing(0.1)


def test_a_nonce_of_another_instance_with_another_key(scene, tmp_path):
    scene.start()
    alice, pbx = scene.alice(), scene.pbx()
    alice.send("OPTIONS", "sip:bob@example.com")
    alice.expect(407)
    scene.daemon.stop()
    for key in (tmp_path / "state").iterdir():
        key.unlink()
    scene.daemon.start()
    alice.answer()
    assert check.is_plain(alice.expect(407))
    pbx.expect_nothing(0.1)
    scene.log.has(reason="foreign-nonce")


def anonymised(response):
    """A 407 without what differs between any two."""
    text = str(response)
    text = re.sub(r'(nonce|opaque)="[^"]*"', r'\1=""', text)
    return re.sub(r"(branch|tag)=[^;\r\n]*|(Call-ID|CSeq): .*", "", text)


def test_the_same_answer_whatever_was_wrong(scene):
    scene.start()
    alice = scene.alice()
    alice.send("OPTIONS", "sip:bob@example.com")
    none = alice.expect(407)
    alice.answer(password="wrong")
    wrong = alice.expect(407)
    alice.answer(user="nobody")
    unknown = alice.expect(407)
    assert anonymised(none) == anonymised(wrong) == anonymised(unknown)


def test_unknown_user_and_wrong_password_cost_the_same(scene):
    scene.start(limits=NO_RATES)
    alice = scene.alice()
    alice.send("OPTIONS", "sip:bob@example.com")
    alice.expect(407)

    def cost(**fields):
        before = scene.daemon.cpu_seconds()
        for _ in range(200):
            alice.answer(nc=1, **fields)
            alice.expect(407)
        return scene.daemon.cpu_seconds() - before

    cost(password="wrong")
    # what disturbs makes it more, so the least of several is the truth
    costs = [(cost(password="wrong"), cost(user="nobody")) for _ in range(4)]
    wrong, unknown = (min(c) for c in zip(*costs))
    assert 0.5 < wrong / unknown < 2


def test_stale_only_when_the_answer_was_right(scene):
    scene.start(auth={"nonce_lifetime": "10s"})
    alice, pbx = scene.alice(), scene.pbx()
    alice.send("OPTIONS", "sip:bob@example.com")
    alice.expect(407)
    old = alice.challenges
    time.sleep(10.3)
    alice.answer(password="wrong")
    assert check.is_plain(alice.expect(407))
    alice.challenges = old
    alice.answer(uri="sip:carol@example.com")
    assert check.is_plain(alice.expect(407))
    alice.challenges = old
    alice.answer()
    assert check.is_stale(alice.expect(407))
    scene.log.has(reason="stale")
    pbx.expect_nothing(0)
    alice.answer()
    pbx.expect("OPTIONS")


def test_wrong_password_forbid(scene):
    scene.start(auth={"wrong_password": "forbid"})
    alice, pbx = scene.alice(), scene.pbx()
    ask(alice)
    pbx.expect("OPTIONS")
    pbx.reply(200)
    alice.expect(200)
    alice.answer(password="wrong")
    alice.expect(403)
    alice.answer(user="nobody")
    alice.expect(403)
    scene.log.has(reason="wrong-password-forbidden", count=2)


@pytest.mark.parametrize("value", [
    "Basic YWxpY2U6d29uZGVybGFuZA==", "Basic realm=\"example.com\"",
    "Bearer abc", "Digest realm=\"example.com\""])
def test_other_schemes_are_challenged(scene, value):
    scene.start()
    alice, pbx = scene.alice(), scene.pbx()
    alice.send("OPTIONS", "sip:bob@example.com",
               auth={"header": value})
    assert check.is_plain(alice.expect(407))
    pbx.expect_nothing(0.1)


@pytest.mark.parametrize("value", [
    "Digest", "Digest ", "", ",,,", 'Digest realm="example.com',
    "Digest =,=,=", "Digest username=\"alice\", realm=\"example.com"])
def test_scraps_are_refused(scene, value):
    scene.start()
    alice, pbx = scene.alice(), scene.pbx()
    alice.send("OPTIONS", "sip:bob@example.com", auth={"header": value})
    alice.expect((400, 407))
    pbx.expect_nothing(0.1)
    serve(alice, pbx)


def test_credentials_in_the_wrong_header(scene):
    scene.start()
    alice, pbx = scene.alice(), scene.pbx()
    alice.send("OPTIONS", "sip:bob@example.com")
    alice.expect(407)
    alice.answer(header_name="Authorization")
    alice.expect(407)
    pbx.expect_nothing(0.1)


# ---- REGISTER as a registrar would ask

def test_register_www(scene):
    scene.start(auth={"register_challenge": "www"})
    alice, pbx = scene.alice(), scene.pbx()
    alice.send("REGISTER", "sip:example.com")
    got = alice.expect(401)
    check.lacks(got, "Proxy-Authenticate")
    check.has_to_tag(got)
    alice.answer()
    check.lacks(pbx.expect("REGISTER"), "Authorization")
    pbx.reply(200)
    alice.expect(200)
    alice.send("INVITE", "sip:bob@example.com")
    alice.expect(407)


def test_register_www_reads_authorization_only(scene):
    scene.start(auth={"register_challenge": "www"})
    alice, pbx = scene.alice(), scene.pbx()
    alice.send("REGISTER", "sip:example.com")
    alice.expect(401)
    alice.answer(header_name="Proxy-Authorization")
    alice.expect(401)
    pbx.expect_nothing(0.1)


def test_register_is_challenged_as_by_a_proxy_by_default(scene):
    scene.start()
    alice, pbx = scene.alice(), scene.pbx()
    alice.send("REGISTER", "sip:example.com")
    alice.expect(407)
    alice.answer()
    pbx.expect("REGISTER")


# ---- what the users file can tell

def test_an_algorithm_that_a_user_lacks_is_not_offered(scene):
    scene.users = [("alice", "wonderland"),
                   ("bob", "builder", (), ["MD5"])]
    scene.start()
    alice, pbx = scene.alice(), scene.pbx()
    alice.send("OPTIONS", "sip:bob@example.com")
    assert check.algorithms(alice.expect(407)) == ["MD5"]
    alice.answer()
    pbx.expect("OPTIONS")
    assert "SHA-256" in scene.log.text()


@pytest.mark.parametrize("hup", [True, False])
def test_a_new_users_file_is_read(scene, hup):
    scene.start()
    alice, pbx = scene.alice(), scene.pbx()
    serve(alice, pbx)
    scene.users[0] = ("alice", "looking-glass")
    time.sleep(0.05)
    scene.write_users()
    if hup:
        scene.daemon.reload()
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline:
        time.sleep(0.2)
        ask(alice)
        who, _ = first_of(alice, pbx)
        if who is alice:
            break
        pbx.reply(200)
        alice.expect(200)
    alice.password = "looking-glass"
    serve(alice, pbx)


def test_a_broken_users_file_keeps_the_old_one(scene, tmp_path):
    scene.start()
    alice, pbx = scene.alice(), scene.pbx()
    serve(alice, pbx)
    scene.write_users(["alice:example.com:md5=not hex\n", "###:::\n"])
    scene.daemon.reload()
    scene.log.has(event="users.keep", line="1")
    serve(alice, pbx)
    scene.write_users([user_line("alice", REALM, "new")])
    scene.daemon.reload()
    scene.log.has(event="users.load", count=2)
    alice.password = "new"
    serve(alice, pbx)


def test_several_realms_in_the_users_file(scene):
    scene.start()
    scene.write_users([user_line("alice", "other.test", "wonderland")])
    scene.daemon.reload()
    scene.log.has(event="users.load", count=2)
    alice, pbx = scene.alice(), scene.pbx()
    ask(alice)
    assert check.is_plain(alice.expect(407))
    pbx.expect_nothing(0.1)


def test_a_deleted_user_is_out(scene):
    scene.start()
    alice, pbx = scene.alice(), scene.pbx()
    serve(alice, pbx)
    scene.users = [("bob", "builder")]
    scene.write_users()
    scene.daemon.reload()
    scene.log.has(event="users.load", count=2)
    ask(alice)
    assert check.is_plain(alice.expect(407))
