"""What routes ask for, what they do, and forks: RFC 3261 16.6 and 16.7."""

import pytest

from harness import check
from harness.daemon import user_line
from harness.patience import until
from harness.phone import SDP
from harness.scene import REALM, ask, call, refused, ringing, serve


def peers(scene, *numbers):
    """pbx at .5, and one more peer for each number: peer6, peer7 ..."""
    more = [{"name": "peer%d" % n, "uri": "sip:%s:5060" % scene.net.host(n),
             "from": [scene.net.host(n)]} for n in numbers]
    return [scene.pbx_peer(), *more]


def user(name, *attributes):
    return user_line(name, REALM, {"alice": "wonderland",
                                   "bob": "builder"}[name], attributes)


# ---- what a route fits

@pytest.mark.parametrize("route, parts, fits", [
    ({"method": ["MESSAGE", "OPTIONS"]}, {}, True),
    ({"method": "INVITE"}, {}, False),
    ({"listener": "public"}, {}, True),
    ({"listener": "inside"}, {}, False),
    ({"from": "strangers"}, {}, True),
    ({"from": ["pbx", "strangers"]}, {}, True),
    ({"from": "pbx"}, {}, False),
    ({"from_uri": "sip:al*@example.com"}, {}, True),
    ({"from_uri": "sip:bob@*"}, {}, False),
    ({"uri_regex": "sip:b[aeiou]b@.*"}, {}, True),
    ({"uri_regex": "sip:b[xyz]b@.*"}, {}, False),
    ({"uri_regex": "b.b"}, {}, False),
    ({"prefix": ["+43", "+49"]}, {"uri": "sip:+4930123@example.com"}, True),
    ({"prefix": "+49"}, {"uri": "sip:+49-(30)-1.2@example.com"}, True),
    ({"prefix": "+49"}, {"uri": "sip:%2B49301@example.com"}, True),
    ({"prefix": "+49"}, {"uri": "tel:+49-30-1"}, True),
    ({"prefix": "+49"}, {"uri": "sip:+4x9301@example.com"}, False),
    ({"prefix": "+49"}, {"uri": "sip:+49a@example.com"}, False),
    ({"prefix": "+49"}, {}, False),
    ({"class": "staff"}, {}, True),
    ({"class": ["guest", "clerk"]}, {}, False),
])
def test_what_a_route_fits(scene, route, parts, fits):
    scene.write_config(
        listen=[{"name": "public", "uri": "sip:%s:5060" % scene.at},
                {"name": "inside", "uri": "sip:%s:5060" % scene.net.host(2)}],
        peers=peers(scene, 6),
        routes=[{**route, "to": "peer6"}, {"to": "pbx"}])
    scene.write_users([user("alice", "sip:alice@example.com",
                            "class=staff")])
    scene.daemon.start()
    alice, pbx, other = scene.alice(), scene.pbx(), scene.pbx(6, "peer6")
    serve(alice, other if fits else pbx, **parts)
    (pbx if fits else other).expect_nothing(0.05)


@pytest.mark.parametrize("user, refused", [
    ("+1900123", True), ("+1900123;x=y", True), ("+1900123;npdi", True),
    ("+1900123*", True), ("+1900123,1", True), ("+1900123a", True),
    ("+1%20900%20123", True), ("%20+1900123", True), ("+1-(900).1", True),
    ("%2B1%39001", True), ("+1900123%3Bx", True),
    ("900;phone-context=+1", True), ("2;rn=+1900", True),
    ("2%3brn=%2b1900", True), ("2;rn=900;rn-context=+1", True),
    ("+1900;x=1;rn=2;rn=3", True),
    # nobody can tell which of two, or what is behind so much
    ("2;rn=+1900;rn=+1900", True), ("2%3brn=+1900%3brn=3", True),
    ("2;x=" + 1100 * "a" + ";rn=+1900", True),
    ("2;x=" + 900 * "a", False), ("2;x=1;x=1", False),
    ("+1800;rn=+1901", False), ("900;phone-context=+2", False),
    ("+1800123;x=y", False), ("bob+1900", False), ("+18;x=+1900", False),
])
def test_what_is_too_dear_stays_so_with_more_behind_it(scene, user, refused):
    scene.start(routes=[{"prefix": "+1900", "reject": 403}, {"to": "pbx"}])
    alice, pbx = scene.alice(), scene.pbx()
    uri = "sip:%s@example.com" % user
    if not refused:
        serve(alice, pbx, uri=uri)
        return
    ask(alice, uri=uri)
    alice.expect(403)
    pbx.expect_nothing(0.05)


@pytest.mark.parametrize("uri", [
    "tel:900;phone-context=+1", "tel:2;phone-context=a;rn=+1900"])
def test_what_is_too_dear_stays_so_as_tel(scene, uri):
    scene.start(routes=[{"prefix": "+1900", "reject": 403}, {"to": "pbx"}])
    alice, pbx = scene.alice(), scene.pbx()
    ask(alice, uri=uri)
    alice.expect(403)
    pbx.expect_nothing(0.05)


def test_who_proved_nothing_has_no_class(scene):
    scene.start(peers=peers(scene, 6), routes=[
        {"class": "staff", "to": "pbx"}])
    other = scene.pbx(6, "peer6")
    other.send("OPTIONS", "sip:bob@example.com")
    other.expect(404)


def test_the_log_names_the_route(scene):
    scene.start(routes=[{"uri": "sip:x@*", "reject": 403}, {"to": "pbx"}])
    alice, pbx = scene.alice(), scene.pbx()
    serve(alice, pbx)
    with open(scene.daemon.config_path, encoding="utf-8") as f:
        lines = f.read().split("\n")
    line = int(scene.log.has(reason="relayed")["route"])
    assert "to = \"pbx\"" in " ".join(lines[line - 1:line + 2])


# ---- which numbers a user may call

@pytest.mark.parametrize("uri, allowed", [
    ("sip:+4930@example.com", True), ("sip:+4366@example.com", True),
    ("tel:+49-30", True), ("sip:%2B4930@example.com", True),
    ("sip:+1900@example.com", False), ("sip:+4@example.com", False),
    ("sip:bob@example.com", False), ("sip:+49bob@example.com", False),
    ("sip:+4930;x=+1900@example.com", False), ("sip:4930@example.com", False),
])
def test_prefixes_of_a_user(scene, uri, allowed):
    scene.write_config()
    scene.write_users([user("alice", "sip:alice@example.com",
                            "prefixes=+49|+43")])
    scene.daemon.start()
    alice, pbx = scene.alice(), scene.pbx()
    if allowed:
        serve(alice, pbx, method="MESSAGE", uri=uri)
        return
    refused(alice, 403, method="INVITE", uri=uri)
    pbx.expect_nothing(0.1)
    scene.log.has(reason="wrong-number", user="alice")


def test_prefixes_leave_registrations_and_dialogs_alone(scene):
    scene.write_config()
    scene.write_users([user("alice", "sip:alice@example.com",
                            "prefixes=+49")])
    scene.daemon.start()
    alice, pbx = scene.alice(), scene.pbx()
    serve(alice, pbx, method="REGISTER", uri="sip:example.com",
          to="sip:alice@example.com")
    serve(alice, pbx, method="SUBSCRIBE", uri="sip:alice@example.com")
    call(alice, pbx, "sip:+4930@example.com")
    alice.bye()
    alice.expect(407)
    alice.answer()
    pbx.expect("BYE")
    pbx.reply(200)
    alice.expect(200)


# ---- what becomes of it

def test_reject(scene):
    scene.start(routes=[
        {"prefix": "+1900", "reject": 603, "phrase": "Too dear"},
        {"prefix": "+1901", "reject": 488}, {"to": "pbx"}])
    alice, pbx = scene.alice(), scene.pbx()
    got = refused(alice, 603, "INVITE", "sip:+19005@example.com")
    assert got.start == "SIP/2.0 603 Too dear"
    check.has_to_tag(got)
    got = refused(alice, 488, "INVITE", "sip:+19015@example.com")
    assert got.start == "SIP/2.0 488 Not Acceptable Here"
    pbx.expect_nothing(0.1)
    scene.log.has(reason="rejected-by-route", status="603")


def test_reject_is_not_told_to_who_proves_nothing(scene):
    scene.start(routes=[{"reject": 603}])
    alice = scene.alice()
    alice.send("OPTIONS", "sip:bob@example.com")
    alice.expect(407)


def test_redirect(scene):
    scene.start(routes=[
        {"uri_regex": "sip:(old)-([0-9]+)@.*",
         "redirect": "sip:\\2@new.example.com;was=\\1"},
        {"uri": "sip:help@*", "redirect": "tel:+49800"}, {"to": "pbx"}])
    alice, pbx = scene.alice(), scene.pbx()
    got = refused(alice, 302, "INVITE", "sip:old-12@example.com")
    assert got["Contact"] == "<sip:12@new.example.com;was=old>"
    got = refused(alice, 302, "INVITE", "sip:help@example.com")
    assert got["Contact"] == "<tel:+49800>"
    pbx.expect_nothing(0.1)
    scene.log.has(reason="redirected", status="302")


def test_what_a_caller_writes_stays_inside_the_contact(scene):
    scene.start(routes=[{"uri_regex": "sip:(.*)@.*",
                         "redirect": "sip:\\1@new.example.com"}])
    alice = scene.alice()
    got = refused(alice, 302, uri="sip:a%3E%0D%0AX-Evil%3A%20b@example.com")
    assert got["Contact"] == \
        "<sip:a%3E%0D%0AX-Evil%3A%20b@new.example.com>"
    check.lacks(got, "X-Evil")


def test_an_expression_that_would_explode_is_bounded(scene):
    scene.start(routes=[{"uri_regex": "sip:(a+)+b@.*", "reject": 403},
                        {"to": "pbx"}])
    alice, pbx = scene.alice(), scene.pbx()
    before = scene.daemon.cpu_seconds()
    for n in (40, 200, 900, 2000):
        refused(alice, 400, uri="sip:%sc@example.com" % ("a" * n))
    assert scene.daemon.cpu_seconds() - before < 0.5
    scene.log.has(reason="route-gave-up", count=4)
    pbx.expect_nothing(0.1)
    refused(alice, 403, uri="sip:aaab@example.com")
    serve(alice, pbx)


def test_a_reload_changes_routes_and_expressions(scene):
    scene.start(routes=[{"uri_regex": "sip:b(.)b@.*", "reject": 480},
                        {"to": "pbx"}])
    alice, pbx = scene.alice(), scene.pbx()
    refused(alice, 480)
    scene.write_config(routes=[{"uri_regex": "sip:b(.)x@.*", "reject": 480},
                               {"to": "pbx"}])
    scene.daemon.reload()
    scene.log.has(event="daemon.reload")
    serve(alice, pbx)


# ---- forks

def fork(scene, *numbers, **more):
    """A call of alice to all of them; their INVITEs."""
    names = ["peer%d" % n for n in numbers]
    scene.start(peers=peers(scene, *numbers)[1:],
                routes=[{"to": names}], **more)
    return scene.alice(), [scene.pbx(n, "peer%d" % n) for n in numbers]


def forked(scene, *numbers, **more):
    alice, called = fork(scene, *numbers, **more)
    ask(alice, "INVITE", body=SDP)
    return alice, called, [one.expect("INVITE") for one in called]


def cancelled(one, invite):
    one.expect("CANCEL")
    one.reply(200)
    one.reply(487, to=invite)
    one.expect("ACK")


def test_a_fork_asks_all_at_once(scene):
    alice, called, invites = forked(scene, 6, 7, 8)
    branches = {i.via.split("branch=")[1] for i in invites}
    assert len(branches) == 3
    assert [i["Max-Breadth"] for i in invites] == ["20", "20", "20"]
    for one in called:
        one.reply(180)
        alice.expect(180)
    called[1].reply(200, body=SDP)
    alice.expect(200)
    alice.ack()
    called[1].expect("ACK")
    cancelled(called[0], invites[0])
    cancelled(called[2], invites[2])
    called[0].expect_nothing(0.1)
    alice.expect_nothing(0.1)


def test_a_call_through_a_fork_stands_and_ends(scene):
    alice, (one, two), invites = forked(scene, 6, 7)
    two.reply(200, body=SDP)
    alice.expect(200)
    alice.ack()
    two.expect("ACK")
    two.bye()
    alice.expect("BYE")
    alice.reply(200)
    two.expect(200)
    one.reply(486, to=invites[0])
    one.expect("ACK")
    alice.expect_nothing(0.1)


@pytest.mark.parametrize("breadth, want", [
    ("2", ["1", "1"]), ("7", ["4", "3"]), ("60", ["30", "30"]),
    ("garbage", ["30", "30"]),
])
def test_max_breadth_is_shared(scene, breadth, want):
    # RFC 5393 section 5.3.3
    alice, called = fork(scene, 6, 7)
    ask(alice, headers=[("Max-Breadth", breadth)])
    got = [one.expect("OPTIONS") for one in called]
    assert [g.values("Max-Breadth") for g in got] == [[w] for w in want]
    for one in called:
        one.reply(200)
    alice.expect(200)


def test_a_fork_that_is_too_broad_is_440(scene):
    alice, called = fork(scene, 6, 7)
    refused(alice, 440, headers=[("Max-Breadth", "1")])
    for one in called:
        one.expect_nothing(0.1)
    scene.log.has(reason="too-broad")


def test_a_6xx_stops_all(scene):
    # RFC 3261 16.7 item 5
    alice, (one, two), invites = forked(scene, 6, 7)
    two.reply(180)
    alice.expect(180)
    one.reply(603)
    one.expect("ACK")
    cancelled(two, invites[1])
    alice.expect(603)


@pytest.mark.parametrize("answers, best", [
    ((486, 404, 480), (404, 480, 486)), ((486, 503, 503), (486,)),
    ((302, 486, 500), (302,)), ((500, 503, 503), (500,)),
    ((503, 503, 503), (500,)), ((480, 484, 500), (484,)),
])
def test_the_best_of_all_answers(scene, answers, best):
    alice, called, _ = forked(scene, 6, 7, 8)
    for one, status in zip(called, answers):
        one.reply(status)
        one.expect("ACK")
    alice.expect(best)
    scene.log.has(method="INVITE", status=str(alice.response.status))


def test_challenges_of_all_come_in_one(scene):
    # RFC 3261 16.7 item 7
    alice, (one, two), _ = forked(scene, 6, 7)
    one.reply(401, headers=[("WWW-Authenticate",
                             'Digest realm="one.test", nonce="1"')])
    two.reply(407, headers=[("Proxy-Authenticate",
                             'Digest realm="two.test", nonce="2"')])
    got = alice.expect((401, 407))
    assert 'realm="one.test"' in got["WWW-Authenticate"]
    assert 'realm="two.test"' in got["Proxy-Authenticate"]
    one.expect("ACK")
    two.expect("ACK")


def test_who_rings_after_the_answer_is_cancelled(scene):
    alice, (one, two), invites = forked(scene, 6, 7)
    one.reply(200, body=SDP)
    alice.expect(200)
    alice.ack()
    one.expect("ACK")
    two.expect_nothing(0.1)     # no CANCEL before a provisional (9.1)
    two.reply(180, to=invites[1])
    cancelled(two, invites[1])
    alice.expect_nothing(0.1)


def test_a_second_2xx_of_another_leg_passes(scene):
    # RFC 3261 16.7 item 5, RFC 6026: the caller ends one of the two
    alice, (one, two), invites = forked(scene, 6, 7)
    one.reply(200, body=SDP)
    alice.expect(200)
    alice.ack()
    one.expect("ACK")
    two.reply(200, to=invites[1], body=SDP)
    alice.expect(200)
    alice.ack()
    two.expect("ACK")
    alice.bye()
    alice.expect(407)
    alice.answer()
    two.expect("BYE")
    two.reply(200)
    alice.expect(200)


def test_the_caller_cancels_all(scene):
    alice, called, invites = forked(scene, 6, 7)
    for one in called:
        one.reply(180)
        alice.expect(180)
    alice.cancel()
    assert alice.expect(200).method == "CANCEL"
    for one, invite in zip(called, invites):
        cancelled(one, invite)
    alice.expect(487)


def test_one_dead_leg_does_not_hold_the_others(scene, dns):
    dns.add("there.test", "A", scene.net.host(6))
    scene.start(resolv_conf=dns.conf, peers=[
        {"name": "gone", "uri": "sip:nowhere.test:5060"},
        {"name": "there", "uri": "sip:there.test:5060"}],
        routes=[{"to": ["gone", "there"]}])
    alice, there = scene.alice(), scene.pbx(6, "there")
    ask(alice)
    there.expect("OPTIONS")
    there.reply(200)
    alice.expect(200)


def test_a_fork_without_any_target_says_why(scene, dns):
    scene.start(resolv_conf=dns.conf, peers=[
        {"name": "gone", "uri": "sip:nowhere.test:5060"},
        {"name": "lost", "uri": "sip:neither.test:5060"}],
        routes=[{"to": ["gone", "lost"]}])
    alice = scene.alice()
    refused(alice, 502)
    scene.log.has(reason="no-such-name")


def test_a_fork_does_not_lead_back(scene):
    scene.start(peers=peers(scene, 6, 7),
                routes=[{"to": ["peer6", "peer7"]}])
    one, two = scene.pbx(6, "peer6"), scene.pbx(7, "peer7")
    one.send("OPTIONS", "sip:bob@example.com")
    got = two.expect("OPTIONS")
    check.lacks(got, "Max-Breadth")
    two.reply(200)
    one.expect(200)
    one.expect_nothing(0.05)


def test_many_forks_leave_nothing_behind(scene):
    alice, called = fork(scene, 6, 7, 8)
    for turn in range(20):
        ask(alice, "INVITE", body=SDP)
        invites = [one.expect("INVITE") for one in called]
        called[turn % 3].reply(200, body=SDP)
        alice.expect(200)
        alice.ack()
        for i, one in enumerate(called):
            if i != turn % 3:
                one.reply(486, to=invites[i])
            one.expect("ACK")
    until(lambda: scene.daemon.metrics()[("requests_pending", "")] == 0)


# ---- -r: which route, and why

REQUEST = ("INVITE %s SIP/2.0\r\nVia: SIP/2.0/UDP 192.0.2.1;branch=z9hG4bKa"
           "\r\nFrom: <sip:alice@example.com>;tag=1\r\nTo: <sip:b@example.com>"
           "\r\nCall-ID: a\r\nCSeq: 1 INVITE\r\nContent-Length: 0\r\n\r\n")


def explain(scene, uri, *more):
    return scene.daemon.run("-c", scene.daemon.config_path, "-r", "-", *more,
                            input=REQUEST % uri)


def explained(scene):
    scene.write_config(
        peers=[scene.pbx_peer(), {"name": "carrier", "uri": [
            "sip:10.1.2.3", "sip:carrier.test"]}],
        egress=[{"name": "gates", "deny": [{"net": "10.0.0.0/8"}]}],
        routes=[{"prefix": "+1900", "reject": 603},
                {"class": "staff", "to": "carrier", "egress": "gates"},
                {"uri_regex": "sip:old(.*)@.*", "redirect": "sip:new\\1@a.b"},
                {"from": "pbx", "to": "request-uri"},
                {"method": "INVITE", "uri": "sip:b*", "to": "pbx"}])
    scene.write_users([user("alice", "sip:alice@example.com", "class=staff"),
                       user("bob")])


@pytest.mark.parametrize("uri, more, status, said", [
    ("sip:+19001@example.com", [], 0, ["answer: 603"]),
    ("sip:bob@example.com", [], 0, [
        "a stranger", "challenged first", "no prefix fits",
        "the user is not of its class", "uri_regex does not match",
        "from does not name", "to peer pbx:"]),
    ("sip:bob@example.com", ["--user", "alice"], 0, [
        "as user alice of class staff", "to peer carrier:",
        'sip:10.1.2.3: denied by egress "gates"',
        'sip:carrier.test: by DNS, each address judged by egress "gates"']),
    ("sip:old7@example.com", ["--user", "bob"], 0, [
        "of class -", "answer: 302, Contact: <sip:new7@a.b>"]),
    ("sip:zoe@example.com", [], 3, [
        "uri does not match", "no route fits: 404"]),
    ("sip:zoe@foreign.test", [], 3, [
        "the domain is not ours", "no route fits: 403"]),
])
def test_what_is_explained(scene, uri, more, status, said):
    explained(scene)
    done = explain(scene, uri, *more)
    assert done.returncode == status, done.stdout + done.stderr
    for words in said:
        assert words in done.stdout


def test_a_peers_request_is_explained(scene):
    explained(scene)
    source = "%s:5060/udp" % scene.net.host(5)
    done = explain(scene, "sip:169.254.1.1", "--source", source)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "from: pbx, at %s:5060 over udp" % scene.net.host(5) in done.stdout
    assert 'sip:169.254.1.1: denied by egress "default"' in done.stdout


@pytest.mark.parametrize("more", [
    ["--source", "nowhere"], ["--source", "10.0.0.1/sctp"],
    ["--source", "10.0.0.1:99999"], ["--listener", "nowhere"],
    ["--source", "10.0.0.1/tls"], ["--frobnicate"],
])
def test_wrong_arguments_of_an_explanation(scene, more):
    explained(scene)
    assert explain(scene, "sip:b@example.com", *more).returncode == 1


@pytest.mark.parametrize("text", ["", "garbage", "SIP/2.0 200 OK\r\n\r\n",
                                  "INVITE sip:a@b SIP/2.0\r\n\r\n"])
def test_what_is_no_request_is_not_explained(scene, text):
    explained(scene)
    done = scene.daemon.run("-c", scene.daemon.config_path, "-r", "-",
                            input=text)
    assert done.returncode == 1 and "not a SIP request" in done.stdout


def test_an_explanation_is_what_happens(scene):
    explained(scene)
    scene.daemon.start()
    alice, pbx = scene.alice(), scene.pbx()
    bob = scene.bob()
    refused(alice, 603, uri="sip:+19001@example.com")
    ringing(bob, pbx)
    bob.cancel()
