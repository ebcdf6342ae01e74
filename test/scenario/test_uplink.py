"""Our own credentials at a peer: its challenges are answered by us."""

import signal
import time

import pytest

from harness import carrier as at
from harness.carrier import challenge, proves
from harness.phone import SDP
from harness.scene import ask, call, serve


def trunk(scene, **changes):
    """The peer behind us is a carrier where we have an account."""
    if "credentials" not in changes:
        changes["credentials"] = at.credentials(scene)
    return scene.pbx_peer(**changes)


def start(scene, **changes):
    scene.start(peers=[trunk(scene, **changes)])
    return scene.alice(), scene.pbx()


def asked_again(carrier, status=407, method="OPTIONS", **parts):
    """One challenge; returns the request before and after it."""
    before = carrier.expect(method)
    at.ask(carrier, status, **parts)
    if method == "INVITE":
        carrier.expect("ACK")
    return before, carrier.expect(method)


# ---- success

@pytest.mark.parametrize("status", [401, 407])
@pytest.mark.parametrize("algorithm", [None, "MD5", "SHA-256", "SHA-512-256"])
def test_a_challenge_is_answered_by_us(scene, status, algorithm):
    alice, carrier = start(scene)
    ask(alice, "INVITE", body=SDP)
    before, after = asked_again(carrier, status, "INVITE",
                                algorithm=algorithm)
    assert at.bears_nothing(before)
    got = proves(after, status)
    assert got.get("algorithm", "MD5") == (algorithm or "MD5")
    # RFC 3261 22.3: another branch, the same CSeq
    assert before.branch != after.branch and before.cseq == after.cseq
    assert before.call_id == after.call_id and before.body == after.body
    assert len(after.all("Via")) == 2
    carrier.reply(180)
    alice.expect(180)
    carrier.reply(200, body=SDP)
    alice.expect(200)
    alice.ack()
    carrier.expect("ACK")


def test_a_known_nonce_is_used_from_the_start_and_counted(scene):
    alice, carrier = start(scene)
    ask(alice)
    _, after = asked_again(carrier)
    proves(after, nc=1)
    carrier.reply(200)
    alice.expect(200)
    for nc in (2, 3, 4):
        alice.post(alice.again())
        alice.expect(407)
        alice.answer()
        proves(carrier.expect("OPTIONS"), nc=nc)
        carrier.reply(200)
        alice.expect(200)


def test_requests_in_the_dialog_are_answered_too(scene):
    alice, carrier = start(scene)
    ask(alice, "INVITE", body=SDP)
    _, after = asked_again(carrier, method="INVITE")
    carrier.reply(200, body=SDP)
    alice.expect(200)
    alice.ack()
    assert at.bears_nothing(carrier.expect("ACK"))
    alice.bye()
    alice.expect(407)
    alice.answer()
    proves(carrier.expect("BYE"), nc=2)
    at.ask(carrier, nonce="n2")
    proves(carrier.expect("BYE"), nonce="n2")
    carrier.reply(200)
    alice.expect(200)


def test_stale_is_answered_once_more(scene):
    alice, carrier = start(scene)
    ask(alice)
    _, after = asked_again(carrier)
    proves(after)
    at.ask(carrier, nonce="n2", extra=", stale=TRUE")
    proves(carrier.expect("OPTIONS"), nonce="n2")
    carrier.reply(200)
    alice.expect(200)


def test_what_was_put_on_from_the_start_is_no_answer_yet(scene):
    alice, carrier = start(scene)
    ask(alice)
    asked_again(carrier)
    carrier.reply(200)
    alice.expect(200)
    ask(alice)
    _, after = asked_again(carrier, nonce="n2")
    proves(after, nonce="n2")
    at.ask(carrier, nonce="n3", extra=", stale=true")
    proves(carrier.expect("OPTIONS"), nonce="n3")
    carrier.reply(200)
    alice.expect(200)


def test_the_proxy_and_the_server_of_a_carrier_ask_one_after_the_other(scene):
    alice, carrier = start(scene)
    ask(alice)
    _, after = asked_again(carrier, 407)
    proves(after, 407)
    at.ask(carrier, 401, nonce="m1")
    both = carrier.expect("OPTIONS")
    proves(both, 407, nc=2)
    proves(both, 401, nonce="m1")
    carrier.reply(200)
    alice.expect(200)


def test_of_several_the_strongest_is_answered(scene):
    alice, carrier = start(scene)
    ask(alice)
    carrier.expect("OPTIONS")
    at.ask(carrier, 407, challenge("a", algorithm="MD5"),
           challenge("b", algorithm="SHA-512-256-sess"),
           challenge("c", realm="other", algorithm="SHA-512-256"),
           challenge("d", algorithm="SHA-256"))
    proves(carrier.expect("OPTIONS"), nonce="d")
    carrier.reply(200)
    alice.expect(200)


def test_the_body_is_proved_where_nothing_else_is_offered(scene):
    alice, carrier = start(scene)
    ask(alice, "MESSAGE", body="hello")
    _, after = asked_again(carrier, method="MESSAGE", qop="auth-int")
    assert proves(after)["qop"] == "auth-int"
    carrier.reply(200)
    alice.expect(200)


def test_the_name_is_hashed_where_that_is_asked_for(scene):
    alice, carrier = start(scene)
    ask(alice)
    _, after = asked_again(carrier, extra=', userhash=true, opaque="x\\"y"')
    got = proves(after)
    assert got["userhash"] == "true" and got["opaque"] == 'x"y'
    carrier.reply(200)
    alice.expect(200)


def test_a_server_without_qop_is_answered_only_if_allowed(scene):
    alice, carrier = start(scene, credentials=at.credentials(
        scene, legacy=True))
    ask(alice)
    _, after = asked_again(carrier, qop=None, algorithm="MD5")
    assert "nc" not in proves(after)
    carrier.reply(200)
    alice.expect(200)


def test_a_caller_who_gave_up_is_not_asked_for(scene):
    alice, carrier = start(scene)
    ask(alice, "INVITE", body=SDP)
    carrier.expect("INVITE")
    invite = carrier.request
    carrier.reply(180)
    alice.expect(180)
    alice.cancel()
    alice.expect(200)
    carrier.expect("CANCEL")
    carrier.reply(200)
    carrier.request = invite
    at.ask(carrier)
    carrier.expect("ACK")
    alice.expect(487)
    carrier.expect_nothing(0.3)


def test_after_the_challenge_the_next_target_may_be_tried(scene):
    hosts = [scene.net.host(n) for n in (5, 6)]
    scene.start(timers={"t1": "30ms"}, peers=[trunk(
        scene, uri=["sip:%s" % h for h in hosts], **{"from": hosts})])
    alice, first = scene.alice(), scene.pbx(5, "first")
    second = scene.pbx(6, "second")
    ask(alice)
    _, after = asked_again(first)
    proves(after)
    first.reply(503)
    # the other target has not asked yet, and its nonce is its own
    before, after = asked_again(second, nonce="m1")
    assert at.bears_nothing(before)
    proves(after, nonce="m1")
    second.reply(200)
    alice.expect(200)


# ---- failure

def refused_once(scene, alice, reason="uplink-refused"):
    got = alice.expect(502)
    assert not got.has("Proxy-Authenticate")
    assert not got.has("WWW-Authenticate")
    scene.log.has(event="request.refused", reason=reason, status=502)


def test_a_wrong_password_is_said_and_not_passed_on(scene):
    alice, carrier = start(scene, credentials=at.credentials(
        scene, password="guess"))
    ask(alice, "INVITE", body=SDP)
    _, after = asked_again(carrier, method="INVITE")
    with pytest.raises(AssertionError):
        proves(after)
    at.ask(carrier, nonce="n2")
    carrier.expect("ACK")
    refused_once(scene, alice)
    carrier.expect_nothing(0.2)
    scene.log.has(event="uplink.refused", peer="pbx", reason="credentials",
                  status=407)
    assert "guess" not in scene.log.text()
    # what did not help is not put on from the start
    ask(alice)
    assert at.bears_nothing(carrier.expect("OPTIONS"))
    carrier.reply(200)
    alice.expect(200)


def test_always_stale_ends(scene):
    alice, carrier = start(scene)
    ask(alice)
    carrier.expect("OPTIONS")
    for n in range(2):
        at.ask(carrier, nonce="s%d" % n, extra=", stale=true")
        carrier.expect("OPTIONS")
    at.ask(carrier, nonce="s2", extra=", stale=true")
    refused_once(scene, alice)


@pytest.mark.parametrize("text,reason", [
    ({"qop": None}, "no qop"),
    ({"qop": "token"}, "unknown qop"),
    ({"algorithm": "MD5-sess"}, "algorithm"),
    ({"algorithm": "AKAv1-MD5"}, "unknown algorithm"),
    ({"nonce": "n" * 600}, "too long"),
    ({"extra": ', nonce="twice"'}, "doubled parameter"),
    ({"extra": ', opaque="open'}, "malformed"),
    ({"extra": ', opaque="a\tb"'}, "control character"),
    ({"nonce": ""}, "no nonce"),
])
def test_what_cannot_be_answered_is_said(scene, text, reason):
    alice, carrier = start(scene)
    ask(alice)
    carrier.expect("OPTIONS")
    at.ask(carrier, 407, challenge(**text))
    refused_once(scene, alice)
    scene.log.has(event="uplink.refused", reason=reason)


# ---- hostile, and others' business

@pytest.mark.parametrize("realm", [
    "other.example", "Carrier.example", "carrier.example ", ""])
def test_another_realm_is_the_callers(scene, realm):
    alice, carrier = start(scene)
    ask(alice)
    carrier.expect("OPTIONS")
    at.ask(carrier, 401, challenge(realm=realm))
    got = alice.expect(401)
    assert got["WWW-Authenticate"] == challenge(realm=realm)
    carrier.expect_nothing(0.2)


def test_two_realms_are_answered_by_two(scene):
    alice, carrier = start(scene)
    ask(alice)
    carrier.expect("OPTIONS")
    at.ask(carrier, 407, challenge("o1", realm="other"), challenge())
    proves(carrier.expect("OPTIONS"))
    at.ask(carrier, 407, challenge("o1", realm="other"))
    got = alice.expect(407)
    assert got.all("Proxy-Authenticate") == [challenge("o1", realm="other")]


def test_another_peer_gets_none_of_it(scene):
    other = scene.net.host(7)
    scene.start(peers=[
        trunk(scene),
        {"name": "other", "uri": "sip:%s" % other, "from": [other]}],
        routes=[{"uri": "sip:other@*", "to": "other"}, {"to": "pbx"}])
    alice, carrier = scene.alice(), scene.pbx()
    thief = scene.pbx(7, "thief")
    ask(alice)
    asked_again(carrier)
    carrier.reply(200)
    alice.expect(200)
    ask(alice, uri="sip:other@example.com")
    assert at.bears_nothing(thief.expect("OPTIONS"))
    at.ask(thief, 407)
    got = alice.expect(407)
    assert 'realm="%s"' % at.REALM in got["Proxy-Authenticate"]
    thief.expect_nothing(0.2)


def test_credentials_of_a_caller_for_that_realm_do_not_travel(scene):
    alice, carrier = start(scene)
    mine = 'Digest username="eve", realm="%s", nonce="n", uri="sip:x", ' \
        'response="%s"' % (at.REALM, "0" * 32)
    ask(alice)
    asked_again(carrier)
    carrier.reply(200)
    alice.expect(200)
    request = alice.again()
    request.add("Proxy-Authorization", mine)
    alice.post(request)
    alice.expect(407)
    request = alice.authorize(alice.again())
    request.add("Proxy-Authorization", mine)
    alice.post(request)
    proves(carrier.expect("OPTIONS"), nc=2)
    carrier.reply(200)
    alice.expect(200)


@pytest.mark.parametrize("many", [15, 60])
def test_many_challenges_cost_little(scene, many):
    alice, carrier = start(scene)
    ask(alice)
    carrier.expect("OPTIONS")
    junk = [challenge("j%d" % i, realm="r%d" % i) for i in range(many)]
    at.ask(carrier, 407, *junk, challenge())
    if many < 16:
        proves(carrier.expect("OPTIONS"))
        carrier.reply(200)
        alice.expect(200)
    else:                       # it was not looked for so far down
        alice.expect(407)


def test_a_thousand_headers_are_no_answer(scene):
    alice, carrier = start(scene)
    ask(alice)
    carrier.expect("OPTIONS")
    at.ask(carrier, 407, *['Digest realm="r%d"' % i for i in range(1000)])
    carrier.expect_nothing(0.3)
    assert scene.daemon.alive()
    assert serve(scene.bob(), carrier)


def test_odd_quoting_does_not_leave_its_quotes(scene):
    alice, carrier = start(scene)
    ask(alice)
    carrier.expect("OPTIONS")
    odd = 'a\\", response=\\"b, realm=\\"c'
    at.ask(carrier, 407, challenge(nonce=odd))
    after = carrier.expect("OPTIONS")
    got = proves(after, nonce='a", response="b, realm="c')
    assert got["realm"] == at.REALM
    carrier.reply(200)
    alice.expect(200)


# ---- configuration

@pytest.mark.parametrize("mode,text,said", [
    (0o440, "secret\n", "must not be open to group or others"),
    (0o404, "secret\n", "must not be open to group or others"),
    (0o400, "", "holds no password"),
    (0o400, "\n", "holds no password"),
    (0o400, "two\nlines\n", "more than one line"),
    (0o400, "x" * 2000, "too long"),
    (None, None, "No such file"),
])
def test_a_password_file_is_judged(scene, tmp_path, mode, text, said):
    path = tmp_path / "carrier.password"
    if mode is not None:
        path.write_text(text)
        path.chmod(mode)
    scene.write_config(peers=[trunk(scene, credentials=at.credentials(
        scene, password_file=str(path)))])
    got = scene.daemon.run("-t", "-c", scene.daemon.config_path)
    assert got.returncode != 0
    assert "peers.credentials.password_file" in got.stderr
    assert said in got.stderr
    assert "secret" not in got.stderr + got.stdout


def test_a_reload_brings_another_password(scene):
    alice, carrier = start(scene, credentials=at.credentials(
        scene, password="old"))
    ask(alice)
    _, after = asked_again(carrier)
    proves(after, password="old")
    carrier.reply(200)
    alice.expect(200)
    # nothing changed: the nonce stays
    scene.daemon.reload()
    scene.log.has(event="daemon.reload")
    ask(alice)
    proves(carrier.expect("OPTIONS"), password="old", nc=2)
    carrier.reply(200)
    alice.expect(200)
    at.credentials(scene, password="new")
    scene.daemon.reload()
    scene.log.has(event="daemon.reload", count=2)
    ask(alice)
    _, after = asked_again(carrier)
    proves(after, password="new")
    carrier.reply(200)
    alice.expect(200)
    assert "old" not in scene.daemon.run(
        "-T", "-c", scene.daemon.config_path).stdout


# ---- registrations

def registers(scene, *numbers, **changes):
    """The peer knows us by our registration: it has no `from`."""
    hosts = [scene.net.host(n) for n in numbers or (5,)]
    entry = dict({"aor": "sip:trunk-1@carrier.example", "retry": "1s",
                  "retry_max": "2s"}, **changes.pop("register", {}))
    uris = ["sip:%s%s" % (h, changes.get("uri_end", "")) for h in hosts]
    changes.pop("uri_end", None)
    if "credentials" not in changes:
        changes["credentials"] = at.credentials(scene)
    carrier = dict({"name": "carrier", "uri": uris, "register": entry},
                   **changes)
    return {"peers": [carrier, scene.pbx_peer(uri="sip:%s" % scene.net.host(
        8), **{"from": [scene.net.host(8)]})],
        "routes": [{"from": "carrier", "to": "pbx"}, {"to": "carrier"}]}


def registered(scene, carrier, expires=None):
    """The first REGISTER, challenged and granted; returns the last."""
    first = carrier.expect("REGISTER")
    assert at.bears_nothing(first)
    at.ask(carrier, 401)
    second = carrier.expect("REGISTER")
    proves(second, 401)
    assert second.cseq[0] == first.cseq[0] + 1
    assert second.call_id == first.call_id
    at.grant(carrier, expires=expires)
    scene.log.has(event="uplink.registered", peer="carrier")
    return second


def gauge(scene):
    return scene.daemon.metrics()[("uplink_registered", "carrier")]


def ends(scene, carrier, status=200):
    """SIGTERM; it is taken back first."""
    scene.daemon.signal(signal.SIGTERM)
    last = carrier.expect("REGISTER")
    assert at.contact_of(last)[2] == 0
    if status is not None:
        carrier.reply(status)
    return last


@pytest.mark.parametrize("transport", ["udp", "tcp"])
def test_an_address_is_registered_and_taken_back(scene, transport):
    carrier = scene.pbx(tcp_listen=True)
    scene.start(**registers(scene, uri_end=";transport=" + transport))
    got = registered(scene, carrier)
    assert got.uri == "sip:carrier.example"
    assert got["To"] == "<sip:trunk-1@carrier.example>"
    uri, params, expires = at.contact_of(got)
    assert uri.startswith("sip:trunk-1@%s:5060;" % scene.at)
    assert len(params["line"]) == 16 and expires == 3600
    assert params.get("transport", "udp") == transport
    assert gauge(scene) == 1
    last = ends(scene, carrier)
    proves(last, 401, nc=2)
    assert at.contact_of(last)[0] == uri
    scene.daemon.stop()


def test_it_is_renewed_at_half_its_time(scene):
    carrier = scene.pbx()
    scene.start(**registers(scene))
    begun = time.monotonic()
    registered(scene, carrier, expires=12)
    again = carrier.expect("REGISTER")
    # long before all of it is over
    assert 4.5 < again.when - begun < 10
    proves(again, 401, nc=2)
    at.grant(carrier, expires=4)
    proves(carrier.expect("REGISTER"), 401, nc=3)
    at.grant(carrier)
    # said once
    assert len(scene.log.find(event="uplink.registered")) == 1
    ends(scene, carrier)


@pytest.mark.parametrize("how", ["header", "among others", "odd"])
def test_what_is_granted_is_read_with_care(scene, how):
    carrier = scene.pbx()
    scene.start(**registers(scene))
    uri, _, _ = at.contact_of(carrier.expect("REGISTER"))
    headers = {
        "header": [("Expires", "2"), ("Contact", "<%s>" % uri)],
        "among others": [("Expires", "3600"), ("Contact", "<sip:trunk-1@"
                         "192.0.2.9>;expires=900, <%s>;expires=2" % uri)],
        "odd": [("Expires", "2 (soon)"), ("Contact", "*")],
    }[how]
    carrier.reply(200, headers=headers)
    scene.log.has(event="uplink.registered")
    carrier.expect("REGISTER")
    at.grant(carrier)
    ends(scene, carrier)


def test_a_grant_of_nothing_is_none(scene):
    carrier = scene.pbx()
    scene.start(**registers(scene))
    carrier.expect("REGISTER")
    at.grant(carrier, expires=0)
    scene.log.has(event="uplink.failed", reason="not-registered")
    registered(scene, carrier)
    ends(scene, carrier)


def test_a_lost_connection_is_made_again(scene):
    carrier = scene.pbx(tcp_listen=True)
    scene.start(**registers(scene, uri_end=";transport=tcp"))
    got = registered(scene, carrier)
    carrier.wire.drop(got.flow)
    again = carrier.expect("REGISTER")
    assert again.flow is not got.flow
    at.grant(carrier)
    ends(scene, carrier)


def test_what_is_not_renewed_is_over(scene):
    carrier = scene.pbx()
    scene.start(**registers(scene))
    registered(scene, carrier, expires=2)
    until = time.monotonic() + 2.2
    while time.monotonic() < until:
        carrier.expect("REGISTER")
        carrier.reply(500)
    assert gauge(scene) == 0
    scene.log.has(event="uplink.failed", peer="carrier", status=500)


def test_a_longer_time_is_asked_for_if_it_must_be(scene):
    carrier = scene.pbx()
    scene.start(**registers(scene, register={"expires": "60s"}))
    got = carrier.expect("REGISTER")
    assert at.contact_of(got)[2] == 60
    carrier.reply(423, headers=[("Min-Expires", "900")])
    got = carrier.expect("REGISTER")
    assert at.contact_of(got)[2] == 900
    at.grant(carrier)
    scene.log.has(event="uplink.registered")
    ends(scene, carrier)


def test_a_longer_time_is_asked_for_once(scene):
    carrier = scene.pbx()
    scene.start(**registers(scene, register={
        "expires": "60s", "retry": "1m", "retry_max": "2m"}))
    for least in (61, 62):
        carrier.expect("REGISTER")
        carrier.reply(423, headers=[("Min-Expires", str(least))])
    scene.log.has(event="uplink.refused", peer="carrier", status=423)
    carrier.expect_nothing(0.3)


def test_the_next_target_is_asked(scene):
    first, second = scene.pbx(5, "first"), scene.pbx(6, "second")
    scene.start(**registers(scene, 5, 6))
    first.expect("REGISTER")
    first.reply(503)
    registered(scene, second, expires=2)
    # where it stands is asked first from now on
    second.expect("REGISTER")
    at.grant(second)
    first.expect_nothing(0.2)
    ends(scene, second)


def test_silence_is_no_answer(scene):
    first, second = scene.pbx(5, "first"), scene.pbx(6, "second")
    scene.start(timers={"t1": "50ms", "target_timeout": "2s"},
                **registers(scene, 5, 6))
    first.expect("REGISTER")
    registered(scene, second)
    scene.log.has(event="uplink.failed", reason="silence")
    ends(scene, second, status=None)
    scene.daemon.stop()


def test_a_refusal_is_said_and_tried_again_later(scene):
    carrier = scene.pbx()
    scene.start(**registers(scene))
    carrier.expect("REGISTER")
    carrier.reply(403)
    scene.log.has(event="uplink.refused", peer="carrier", status=403)
    carrier.expect_nothing(0.5)
    registered(scene, carrier)
    ends(scene, carrier)


def test_a_wrong_password_does_not_hammer(scene):
    carrier = scene.pbx()
    scene.start(**registers(scene, credentials=at.credentials(
        scene, password="guess")))
    carrier.expect("REGISTER")
    at.ask(carrier, 401)
    carrier.expect("REGISTER")
    at.ask(carrier, 401, nonce="n2")
    scene.log.has(event="uplink.refused", reason="credentials")
    carrier.expect_nothing(0.5)
    assert gauge(scene) == 0


def test_a_call_to_our_contact_is_the_peers(scene):
    carrier, pbx = scene.pbx(), scene.pbx(8, "inner")
    scene.start(**registers(scene))
    uri, params, _ = at.contact_of(registered(scene, carrier))
    carrier.send("INVITE", uri, body=SDP)
    got = pbx.expect("INVITE")
    assert got.uri == uri.replace(";line=" + params["line"], "")
    pbx.reply(180)
    carrier.expect(180)
    pbx.reply(200, body=SDP)
    carrier.expect(200)
    carrier.ack()
    pbx.expect("ACK")
    scene.log.has(event="request.relayed", peer="carrier", method="INVITE")
    # in the dialog it is still that peer
    carrier.bye()
    pbx.expect("BYE")
    pbx.reply(200)
    carrier.expect(200)
    ends(scene, carrier)


def test_the_number_that_was_called_stays(scene):
    carrier, pbx = scene.pbx(), scene.pbx(8, "inner")
    scene.start(**registers(scene))
    uri, _, _ = at.contact_of(registered(scene, carrier))
    carrier.send("OPTIONS", uri.replace("trunk-1@", "+4930123@"))
    assert pbx.expect("OPTIONS").uri.startswith("sip:+4930123@")
    pbx.reply(200)
    carrier.expect(200)
    ends(scene, carrier)


def test_over_the_connection_that_we_made_it_is_the_peer(scene):
    carrier, pbx = scene.pbx(tcp_listen=True), scene.pbx(8, "inner")
    scene.start(**registers(scene, uri_end=";transport=tcp"))
    got = registered(scene, carrier)
    uri, _, _ = at.contact_of(got)
    carrier.send("OPTIONS", uri, flow=got.flow, transport="tcp")
    pbx.expect("OPTIONS")
    pbx.reply(200)
    carrier.expect(200)
    ends(scene, carrier)


def test_others_with_that_contact_are_strangers(scene):
    carrier, pbx = scene.pbx(), scene.pbx(8, "inner")
    scene.start(**registers(scene))
    uri, params, _ = at.contact_of(registered(scene, carrier))
    mallory = scene.mallory()
    mallory.send("OPTIONS", uri)            # from elsewhere
    mallory.expect(407)
    line = params["line"]
    wrong = ("A" if line[0] != "A" else "B") + line[1:]
    for text in (wrong, line[:-1], line + "A", "A"):
        carrier.send("OPTIONS", uri.replace(line, text))
        carrier.expect(407)
    carrier.send("OPTIONS", uri.split(";")[0])
    carrier.expect(407)
    pbx.expect_nothing(0.2)
    ends(scene, carrier)


def test_a_reload_takes_back_what_is_gone(scene):
    carrier = scene.pbx()
    scene.start(**registers(scene))
    registered(scene, carrier)
    scene.daemon.reload()                   # nothing changed
    scene.log.has(event="daemon.reload")
    carrier.expect_nothing(0.4)
    scene.write_config(**registers(scene, register={
        "aor": "sip:trunk-2@carrier.example"}))
    scene.daemon.reload()
    seen = {}
    for _ in range(2):
        got = carrier.expect("REGISTER")
        seen[got["To"]] = at.contact_of(got)[2]
        at.grant(carrier)
    assert seen == {"<sip:trunk-1@carrier.example>": 0,
                    "<sip:trunk-2@carrier.example>": 3600}
    ends(scene, carrier)


def test_a_reload_leaves_who_is_no_target_any_more(scene):
    before, after = scene.pbx(), scene.pbx(6, "after")
    scene.start(**registers(scene))
    uri, _, _ = at.contact_of(registered(scene, before))
    scene.write_config(**registers(scene, 6))
    scene.daemon.reload()
    got = before.expect("REGISTER")
    assert at.contact_of(got)[2] == 0
    at.grant(before)
    assert at.contact_of(after.expect("REGISTER"))[2] == 3600
    at.grant(after)
    scene.log.has(event="uplink.registered", target="%s:5060" % after.host)
    before.send("OPTIONS", uri)             # it is a stranger now
    before.expect(407)
    ends(scene, after)


@pytest.mark.parametrize("entry,said", [
    ({"aor": "sip:carrier.example"}, "peers.register.aor"),
    ({"aor": "sip:a@b;x=y"}, "peers.register.aor"),
    ({"aor": "tel:+49"}, "peers.register.aor"),
    ({"contact": "sip:a@b>"}, "peers.register.contact"),
    ({"retry": "5m", "retry_max": "1m"}, "peers.register.retry_max"),
])
def test_what_cannot_be_registered_is_said(scene, entry, said):
    scene.write_config(**registers(scene, register=entry))
    got = scene.daemon.run("-t", "-c", scene.daemon.config_path)
    assert got.returncode != 0 and said in got.stderr


def test_calls_go_out_with_what_the_registrar_asked(scene):
    """One account for both, each with its own nonce."""
    carrier, pbx = scene.pbx(), scene.pbx(8, "inner")
    scene.start(**registers(scene))
    registered(scene, carrier)
    call_out = "sip:+4930@%s" % scene.at
    pbx.send("INVITE", call_out, body=SDP)
    _, after = asked_again(carrier, 407, "INVITE", nonce="p1")
    proves(after, 407, nonce="p1")
    carrier.reply(200, body=SDP)
    pbx.expect(200)
    pbx.ack()
    carrier.expect("ACK")
    ends(scene, carrier)


def test_nobody_asks_and_all_is_as_before(scene):
    alice, carrier = start(scene)
    assert at.bears_nothing(call(alice, carrier))
