"""Who comes too often, who fails too often, and who is no phone at all."""

import re
import time

import pytest

from harness import sip
from harness.clock import shift_clock
from harness.scene import ask, call, register, serve
from harness.wire import connected

BOB = "sip:bob@example.com"
GUESSED = {"ban_after": 5, "ban_time": "1s", "failures_per_user": "off"}


def knock(scene, phone, count=1, method="OPTIONS", uri=BOB, **parts):
    """Requests without credentials; the answers to those that had one."""
    for _ in range(count):
        phone.send(method, uri, **parts)
    scene.daemon.settle()
    answers = []
    while True:
        got = phone.receive(timeout=0)
        if got is None:
            return answers
        phone._note(got)
        answers.append(got)


def statuses(answers):
    return [a.status for a in answers]


def guess(phone, password="wrong", **fields):
    """One wrong answer that is answered by a challenge."""
    ask_wrong(phone, password, **fields)
    phone.expect(407)


def ask_wrong(phone, password="wrong", **fields):
    phone.send("OPTIONS", BOB)
    phone.expect(407)
    phone.answer(password=password, **fields)


def guess_users(phone, names, answered=True):
    """A wrong answer for each."""
    for name in names:
        phone.user = name
        phone.send("OPTIONS", BOB)
        phone.expect(407)
        phone.answer(password="wrong")
        if answered:
            phone.expect(407)
        else:
            phone.expect_nothing(0.05)


def strangers(count, first=0):
    return ["user%d" % n for n in range(first, first + count)]


def guess_five(phone):
    """A ban, however slow we are: slowly guessing at one user is none, so
    each time they are others."""
    user = phone.user
    guess_users(phone, [sip.new_tag() for _ in range(5)])
    phone.user = user


def banned(phone):
    phone.send("OPTIONS", BOB)
    phone.expect_nothing(0.2)


# ---- rates

def test_a_stranger_beyond_his_rate_meets_silence(scene):
    scene.start(limits={"requests_per_source": "5/s burst 5"})
    alice, pbx = scene.alice(), scene.pbx()
    answers = knock(scene, alice, 40)
    assert 5 <= len(answers) <= 20 and set(statuses(answers)) == {407}
    said = scene.log.has(event="guard.over-rate")
    assert said["of"] == "source" and alice.host in said["source"]
    assert said["user"] == "-"
    time.sleep(1)
    serve(alice, pbx)
    serve(scene.bob(), pbx)
    got = scene.daemon.metrics()
    assert got["guard_over_rate_total", "source"] >= 20
    assert got["requests_ended_total", "over-rate"] >= 20
    assert len(scene.log.find(event="guard.over-rate")) <= 5


def test_sources_have_rates_of_their_own(scene):
    scene.start(limits={"requests_per_source": "1/m burst 3"})
    assert len(knock(scene, scene.alice(), 6)) == 3
    assert len(knock(scene, scene.bob(), 6)) == 3


def test_a_network_may_be_one_source(scene):
    scene.start(limits={"requests_per_source": "1/m burst 3",
                        "ipv4_prefix": 24})
    assert len(knock(scene, scene.alice(), 6)) == 3
    assert not knock(scene, scene.bob(), 2)


def told(answer):
    assert answer.status == 503 and int(answer["Retry-After"]) > 0


def test_strangers_may_be_told(scene):
    scene.start(limits={"requests_per_source": "1/m burst 2", "over": "503"})
    answers = knock(scene, scene.alice(), 3)
    assert statuses(answers) == [407, 407, 503]
    told(answers[-1])


def test_a_connection_is_told(scene):
    scene.start(limits={"requests_per_source": "1/m burst 2"})
    answers = knock(scene, scene.alice(transport="tcp"), 3)
    assert statuses(answers) == [407, 407, 503]
    told(answers[-1])


def test_a_method_has_its_own_rate(scene):
    scene.start(limits={"methods": {"REGISTER": "1/m burst 2"}})
    alice, pbx = scene.alice(), scene.pbx()
    assert len(knock(scene, alice, 4, "REGISTER", "sip:example.com")) == 2
    assert scene.log.has(event="guard.over-rate")["of"] == "method"
    serve(alice, pbx)
    bob = scene.bob()
    assert len(knock(scene, bob, 1, "REGISTER", "sip:example.com")) == 1


def test_methods_are_counted_apart(scene):
    scene.start(limits={"methods": {"REGISTER": "1/m", "OPTIONS": "1/m"}})
    alice = scene.alice()
    for method, uri in (("REGISTER", "sip:example.com"), ("OPTIONS", BOB)):
        assert len(knock(scene, alice, 1, method, uri)) == 1
        assert not knock(scene, alice, 1, method, uri)


def test_a_user_has_a_rate_wherever_he_is(scene):
    scene.start(limits={"requests_per_user": "1/m burst 2"})
    alice, pbx = scene.alice(), scene.pbx()
    there = scene.phone("there", 12, user="alice")
    serve(alice, pbx)
    serve(there, pbx)
    ask(alice)
    told(alice.expect(503))
    ask(there)
    told(there.expect(503))
    assert scene.log.has(event="guard.over-rate")["of"] == "user"
    serve(scene.bob(), pbx)


def test_who_copies_answers_does_not_use_up_a_users_rate(scene):
    scene.start(limits={"requests_per_user": "1/m burst 2"})
    alice, pbx = scene.alice(), scene.pbx()
    serve(alice, pbx)
    copy = alice.sent
    for _ in range(5):
        again = copy.copy()
        again.set("Via", alice.again()["Via"])
        alice.post(again)
        alice.expect(407)
    serve(alice, pbx)


def test_a_peer_is_free_of_the_rates_of_strangers(scene):
    scene.start(limits={"requests_per_source": "1/m burst 2"})
    alice, pbx = scene.alice(), scene.pbx()
    for _ in range(5):
        to_nobody(pbx)
        pbx.expect(404)
    assert len(knock(scene, alice, 3)) == 2


def to_nobody(pbx, **parts):
    """No route leads back to where a request came from."""
    pbx.send("OPTIONS", BOB, **parts)


def test_a_peer_that_must_bring_a_password_is_counted(scene):
    scene.start(limits={"requests_per_source": "1/m burst 2"},
                peers=[scene.pbx_peer(auth="digest")])
    assert statuses(knock(scene, scene.pbx(), 4)) == [407, 407]


@pytest.mark.parametrize("limits, peer", [
    ({}, {"requests": "1/m burst 2"}),
    ({"requests_per_source": "1/m burst 2", "exempt_peers": False}, {}),
])
def test_a_peer_may_have_a_rate(scene, limits, peer):
    scene.start(limits=limits, peers=[scene.pbx_peer(**peer)])
    pbx = scene.pbx()
    for _ in range(2):
        to_nobody(pbx)
        pbx.expect(404)
    to_nobody(pbx)
    told(pbx.expect(503))


# ---- a flood with a phone's address

def flood(scene, alice, count=30, number=10):
    """From her address; another port is all that loopback lets us forge."""
    forger = scene.phone("forger", number, port=0, user="alice")
    knock(scene, forger, count)
    assert not knock(scene, forger, 3), "the rate is not used up"
    return forger


FLOODED = {"requests_per_source": "1/m burst 20"}


@pytest.mark.parametrize("limits", [
    FLOODED, {"methods": {"OPTIONS": FLOODED["requests_per_source"]}}])
def test_a_flood_does_not_silence_who_has_a_nonce(scene, limits):
    scene.start(limits=limits)
    alice, pbx = scene.alice(), scene.pbx()
    serve(alice, pbx)
    flood(scene, alice)
    for _ in range(3):
        alice.post(alice.authorize(alice.again()))
        pbx.expect("OPTIONS")
        pbx.reply(200)
        alice.expect(200)


def test_nor_who_registers_by_the_other_header(scene):
    scene.start(limits=FLOODED, auth={"register_challenge": "www"})
    alice, pbx = scene.alice(), scene.pbx()
    register(alice, pbx)
    flood(scene, alice)
    alice.post(alice.authorize(alice.again()))
    pbx.expect("REGISTER")
    pbx.reply(200)
    alice.expect(200)


def test_a_nonce_of_another_source_is_no_way_around(scene):
    scene.start(limits=FLOODED)
    alice, bob = scene.alice(), scene.bob()
    bob.send("OPTIONS", BOB)
    bob.expect(407)
    flood(scene, alice)
    there = scene.elsewhere(bob, "there", 10)
    there.answer()
    there.expect_nothing(0.2)


def test_a_nonce_of_yesterday_is_no_way_around(scene, monkeypatch):
    # the address may be another's by now
    clock = shift_clock(monkeypatch, scene.folder, 0)
    scene.start(limits=FLOODED)
    alice = scene.alice()
    alice.send("OPTIONS", BOB)
    alice.expect(407)
    flood(scene, alice)
    clock.set(23 * 3600)
    alice.answer()
    alice.expect(407)
    clock.set(23 * 3600 + 25 * 3600)
    alice.answer()
    alice.expect_nothing(0.2)


def test_a_nonce_that_is_made_up_is_no_way_around(scene):
    scene.start(limits=FLOODED)
    alice = scene.alice()
    alice.send("OPTIONS", BOB)
    alice.expect(407)
    forger = flood(scene, alice)
    _, challenge = alice.challenge()
    nonce = challenge["nonce"]
    forger.send("OPTIONS", BOB, headers=[(
        "Proxy-Authorization", 'Digest realm="example.com", nonce="%s"' % (
            ("A" if nonce[0] != "A" else "B") + nonce[1:]))])
    forger.expect_nothing(0.2)


def test_a_flood_does_not_cut_off_a_call(scene):
    scene.start(limits=FLOODED, auth={"in_dialog": "token"})
    alice, pbx = scene.alice(), scene.pbx()
    call(alice, pbx)
    flood(scene, alice)
    alice.bye()
    pbx.expect("BYE")
    pbx.reply(200)
    alice.expect(200)


def test_a_token_of_another_source_is_no_way_around(scene):
    scene.start(limits=FLOODED)
    alice, pbx = scene.alice(), scene.pbx()
    call(alice, pbx)
    flood(scene, alice, number=20)
    there = scene.elsewhere(alice, "there", 20)
    there.in_dialog("OPTIONS")
    there.expect_nothing(0.2)


def test_a_flood_does_not_silence_a_connection(scene):
    scene.start(limits=FLOODED)
    alice, pbx = scene.alice(transport="tcp"), scene.pbx()
    flood(scene, alice)
    serve(alice, pbx)


# ---- failures and bans

def test_who_guesses_is_banned(scene):
    scene.start(limits=dict(GUESSED, ban_time="1m"))
    alice, mallory, pbx = scene.alice(), scene.mallory(user="bob"), scene.pbx()
    stays = scene.phone("stays", 66, port=0, user="bob", transport="tcp")
    stays.send("OPTIONS", BOB)
    stays.expect(407)
    guess_five(mallory)
    said = scene.log.has(event="guard.ban")
    assert said["source"] == mallory.host and said["reason"] == "failures"
    assert said["seconds"] == "60"
    banned(mallory)
    mallory.answer(password="builder")
    mallory.expect_nothing(0.2)
    stays.answer(password="builder")
    assert stays.wire.wait_closed(stays.wire.flows[0])
    serve(alice, pbx)
    got = scene.daemon.metrics()
    assert got["guard_bans_total", "failures"] == 1
    assert got["guard_banned", ""] == 1
    assert got["guard_failures_total", ""] == 5
    assert got["transport_refused_total", "banned"] >= 2


def test_four_are_not_five(scene):
    scene.start(limits=GUESSED)
    mallory, pbx = scene.mallory(user="bob"), scene.pbx()
    for _ in range(4):
        guess(mallory)
    serve(scene.phone("bob", 66, port=0), pbx)
    scene.log.has_not(event="guard.ban")


def test_bans_end_and_double(scene):
    scene.start(limits=dict(GUESSED, ban_time="3s"))
    mallory = scene.mallory(user="bob")
    for count, seconds in ((1, 3), (2, 6)):
        begun = time.monotonic()
        guess_users(mallory, strangers(5, 5 * count))
        said = scene.log.has(event="guard.ban", seconds=seconds)
        assert said["source"] == mallory.host
        banned(mallory)
        ended = scene.log.has(event="guard.unban", count=count)
        assert ended["reason"] == "over"
        assert seconds - 0.5 < time.monotonic() - begun
    guess(mallory)
    assert scene.daemon.metrics()["guard_banned", ""] == 0


def test_403_is_a_failure_too(scene):
    scene.start(limits=GUESSED, auth={"wrong_password": "forbid"})
    mallory = scene.mallory(user="bob")
    for _ in range(5):
        ask_wrong(mallory)
        mallory.expect(403)
    scene.log.has(event="guard.ban")


def copy_answer(phone, of, times):
    """The right answer of a request, sent again as requests of its own."""
    for _ in range(times):
        again = of.copy()
        via = of["Via"].replace("UDP", phone.transport.upper())
        again.set("Via", re.sub(r"branch=[^;,\s]+",
                                "branch=" + sip.new_branch(), via))
        phone.post(again)
        phone.expect(407)


def test_replays_are_failures(scene):
    scene.start(limits=GUESSED)
    alice, pbx = scene.alice(), scene.pbx()
    serve(alice, pbx)
    mallory = scene.mallory(transport="tcp")
    copy_answer(mallory, alice.sent, 5)
    assert scene.log.has(event="guard.ban")["source"] == mallory.host
    serve(alice, pbx)


def test_copies_from_a_forged_address_ban_nobody(scene):
    scene.start(limits=GUESSED)
    alice, pbx = scene.alice(), scene.pbx()
    serve(alice, pbx)
    copy_answer(scene.mallory(port=0), alice.sent, 10)
    assert scene.daemon.metrics()["guard_failures_total", ""] == 0
    scene.log.has_not(event="guard.ban")


def test_copies_harm_nobody_where_the_user_is_right(scene):
    scene.start(limits=GUESSED)
    alice, pbx = scene.alice(), scene.pbx()
    serve(alice, pbx)
    copy_answer(alice, alice.sent, 10)
    assert scene.daemon.metrics()["guard_failures_total", ""] == 10
    scene.log.has_not(event="guard.ban")
    scene.log.has_not(event="guard.source-slowed")
    serve(alice, pbx)
    serve(scene.phone("bob", 10, port=0), pbx)


def test_unknown_users_are_failures_of_their_source(scene):
    scene.start(limits=GUESSED)
    mallory = scene.mallory()
    for n in range(5):
        mallory.user = "nobody%d" % n
        guess(mallory)
    scene.log.has(event="guard.ban")


def test_nobody_gets_another_banned_by_forging_his_address(scene):
    # the nonce was given to mallory; its answers come from alice's address
    scene.start(limits=GUESSED)
    mallory, alice, pbx = scene.mallory(user="bob"), scene.alice(), scene.pbx()
    mallory.send("OPTIONS", BOB)
    mallory.expect(407)
    forger, of_mallory = scene.elsewhere(mallory, "forger", 10), \
        mallory.challenges
    for _ in range(10):
        forger.challenges = of_mallory
        forger.answer(password="wrong")
        forger.expect(407)
    serve(alice, pbx)
    scene.log.has_not(event="guard.ban")
    assert scene.daemon.metrics()["guard_failures_total", ""] == 0


def ask_slowly(phone, times):
    """Wrong answers as a phone with an old password sends them."""
    for _ in range(times):
        guess(phone)
        time.sleep(2)


def test_an_old_password_does_not_take_its_neighbours_down(scene):
    # nobody was right there yet
    scene.start(limits=dict(GUESSED, ban_window="20s"))
    alice, pbx = scene.alice(), scene.pbx()
    old = scene.phone("old", 10, port=0, user="bob", password="was good")
    ask_slowly(old, 5)
    # he alone, and there alone, is not looked at but for now and then
    for _ in range(9):
        ask_wrong(old)
        scene.daemon.settle()
        old.receive(timeout=0)
    assert scene.log.has(event="guard.user-slowed")["user"] == "bob"
    serve(alice, pbx)
    serve(scene.bob(), pbx)
    # and he comes in when it is his turn
    time.sleep(4)
    old.password = "builder"
    serve(old, pbx)
    got = scene.daemon.metrics()
    assert 5 <= got["guard_failures_total", ""] <= 8
    assert got["guard_banned", ""] == 0
    scene.log.has_not(event="guard.ban")


def test_nor_where_they_were_right(scene):
    """However fast it asks."""
    scene.users.append(("carol", "christmas"))
    scene.start(limits=GUESSED)
    alice, pbx = scene.alice(), scene.pbx()
    serve(alice, pbx)
    old = scene.phone("old", 10, port=0, user="bob", password="was good")
    for _ in range(5):
        guess(old)
    for _ in range(12):
        ask_wrong(old)
        old.expect_nothing(0.02)
    assert scene.log.has(event="guard.user-slowed")["user"] == "bob"
    serve(alice, pbx)
    serve(scene.phone("new", 10, port=0, user="carol"), pbx)
    scene.log.has_not(event="guard.ban")
    scene.log.has_not(event="guard.source-slowed")


def test_several_users_are_no_old_password(scene):
    """However slowly they are guessed at."""
    scene.start(limits=dict(GUESSED, ban_time="1m"))
    mallory = scene.mallory()
    for n in range(4):
        mallory.user = "user%d" % n
        guess(mallory)
        time.sleep(0.5)
    mallory.user = "user4"
    guess(mallory)
    scene.log.has(event="guard.ban")


def test_one_good_account_does_not_help_to_guess_others(scene):
    scene.start(limits=dict(GUESSED, ban_time="1m"))
    alice, pbx = scene.alice(), scene.pbx()
    n = 0
    while scene.daemon.metrics()["guard_slowed_total", ""] == 0:
        serve(alice, pbx)
        guess_users(alice, ["user%d" % n])
        alice.user = "alice"
        n += 1
    assert 5 <= n <= 11
    guess_users(alice, strangers(3, n), answered=False)
    scene.log.has_not(event="guard.ban")


def test_a_guesser_behind_a_nat_does_not_get_the_others_banned(scene):
    scene.start(limits=dict(GUESSED, ban_time="1m"))
    alice, pbx = scene.alice(), scene.pbx()
    serve(alice, pbx)
    guesser = scene.phone("guesser", 10, port=0, user="nobody")
    guess_users(guesser, strangers(5))
    said = scene.log.has(event="guard.source-slowed")
    assert said["source"] == alice.host and said["seconds"] == "60"
    # he learns nothing any more, were he right or not
    guess_users(guesser, strangers(5, 5), answered=False)
    guesser.user = "bob"
    ask_wrong(guesser, "builder")
    guesser.expect_nothing(0.1)
    pbx.expect_nothing(0.1)
    scene.log.has(reason="source-slowed")
    # who was right there still is, by whatever flow
    serve(alice, pbx)
    serve(scene.phone("alice", 10, port=0, transport="tcp"), pbx)
    # and other sources are no part of it
    serve(scene.bob(), pbx)
    got = scene.daemon.metrics()
    assert got["guard_slowed_total", ""] == 1
    assert got["guard_banned", ""] == 0
    assert got["guard_failures_total", ""] == 5
    assert got["requests_ended_total", "source-slowed"] == 6


def test_a_right_answer_of_another_place_speaks_for_nobody(scene):
    # the nonce was given to alice; her answer comes from elsewhere
    scene.start(limits=dict(GUESSED, ban_time="1m"))
    alice, pbx = scene.alice(), scene.pbx()
    alice.send("OPTIONS", BOB)
    alice.expect(407)
    forger = scene.elsewhere(alice, "forger", 20)
    forger.answer()
    pbx.expect("OPTIONS")
    pbx.reply(200)
    forger.expect(200)
    guess_users(scene.phone("guesser", 20, port=0), strangers(5))
    assert scene.log.has(event="guard.ban")["source"] == forger.host


def test_slowing_ends_and_doubles(scene):
    scene.start(limits=dict(GUESSED, ban_time="3s"))
    alice, pbx = scene.alice(), scene.pbx()
    serve(alice, pbx)
    guesser = scene.phone("guesser", 10, port=0, user="nobody")
    for turn, seconds in enumerate((3, 6)):
        guess_users(guesser, strangers(5, 10 * turn))
        scene.log.has(event="guard.source-slowed", seconds=seconds)
        guess_users(guesser, ["x"], answered=False)
        time.sleep(seconds + 1)
    serve(scene.phone("bob", 10, port=0), pbx)


def test_who_guesses_at_his_neighbour_is_slowed_and_the_phone_is_not(scene):
    scene.start(limits=dict(GUESSED, failures_per_user="3/m"))
    alice, pbx = scene.alice(), scene.pbx()
    serve(alice, pbx)
    guesser = scene.phone("guesser", 10, port=0, user="alice")
    for _ in range(3):
        guess(guesser)
    ask_wrong(guesser)
    guesser.expect_nothing(0.1)
    ask_wrong(guesser, "wonderland")
    guesser.expect_nothing(0.1)
    assert scene.log.has(event="guard.user-slowed")["user"] == "alice"
    serve(alice, pbx)
    # nor is she elsewhere
    serve(scene.phone("alice", 12), pbx)


def test_a_phone_with_an_old_password_uses_up_nobodys_rate(scene):
    scene.start(limits=dict(GUESSED, failures_per_user="3/m"))
    alice, pbx = scene.alice(), scene.pbx()
    serve(alice, pbx)
    for _ in range(10):
        guess(alice)
    serve(scene.phone("other", 10, port=0, user="alice",
                      password="wonderland"), pbx)
    serve(alice, pbx)
    scene.log.has_not(event="guard.ban")


def test_a_peers_address_is_never_banned(scene):
    scene.start(limits=GUESSED, **scene.inside_listener())
    pbx, alice = scene.pbx(), scene.alice()
    mallory = scene.phone("mallory", 5, port=0, user="bob")
    guess_users(mallory, strangers(8))
    scene.log.has_not(event="guard.ban")
    serve(alice, pbx)


def trunk_peer(scene):
    """One that is known by its address and bob's password."""
    trunk = scene.net.host(7)
    return {"name": "trunk", "uri": "sip:%s:5060" % trunk, "from": [trunk],
            "auth": {"all": ["ip", "digest"]}, "users": ["bob"]}


def test_an_old_password_of_a_peer_is_looked_at_each_time(scene):
    scene.start(limits=GUESSED, peers=[scene.pbx_peer(), trunk_peer(scene)])
    bob = scene.phone("trunk", 7, user="bob", password="builder")
    for _ in range(8):
        guess(bob, password="was good")
    serve(bob, scene.pbx())
    # it is the operator's affair, and no guessing of a stranger
    assert scene.daemon.metrics()["guard_failures_total", ""] == 0


def named_pbx(scene, dns, **limits):
    """A PBX that is known by its name alone, and who guesses beside it."""
    dns.set("pbx.test", "A", scene.net.host(5))
    scene.start(resolv_conf=dns.conf, limits=dict(GUESSED, **limits),
                peers=[{"name": "pbx", "uri": "sip:pbx.test"}])
    return scene.pbx(), scene.phone("mallory", 5, port=0, user="bob")


def test_a_peer_with_a_name_is_never_banned(scene, dns):
    pbx, mallory = named_pbx(scene, dns)
    alice = scene.alice()
    serve(alice, pbx)
    guess_users(mallory, strangers(8))
    scene.log.has_not(event="guard.ban")
    serve(alice, pbx)


def test_a_peer_with_a_name_is_banned_until_we_turn_to_it(scene, dns):
    pbx, mallory = named_pbx(scene, dns, ban_time="1h")
    guess_five(mallory)
    scene.log.has(event="guard.ban", source=pbx.host)
    serve(scene.alice(), pbx)
    said = scene.log.has(event="guard.unban", source=pbx.host)
    assert said["reason"] == "taken back"


def test_a_peer_with_a_name_is_known_by_its_probes(scene, dns):
    pbx, mallory = named_pbx(scene, dns, ban_time="1h")
    guess_five(mallory)
    scene.log.has(event="guard.ban", source=pbx.host)
    probe = {"interval": "1s", "timeout": "500ms"}
    scene.write_config(
        resolv_conf=dns.conf, limits=GUESSED,
        peers=[{"name": "pbx", "uri": "sip:pbx.test", "probe": probe}])
    scene.daemon.reload()
    scene.log.has(event="guard.unban", source=pbx.host, reason="taken back")


def test_who_is_no_longer_a_peer_is_banned_again(scene, dns):
    pbx, mallory = named_pbx(scene, dns)
    serve(scene.alice(), pbx)
    guess_users(mallory, strangers(5))
    scene.write_config(resolv_conf=dns.conf, limits=GUESSED, peers=[{
        "name": "pbx", "uri": "sip:%s" % scene.net.host(7)}])
    scene.daemon.reload()
    scene.log.has(event="daemon.reload")
    guess_users(mallory, strangers(5, 10))
    assert scene.log.has(event="guard.ban")["source"] == pbx.host


def test_who_becomes_a_peer_is_slowed_no_more(scene):
    limits = dict(GUESSED, ban_time="1h")
    scene.start(limits=limits)
    pbx = scene.pbx()
    serve(scene.phone("alice", 7, port=0), pbx)
    guess_users(scene.phone("guesser", 7, port=0), strangers(5))
    scene.log.has(event="guard.source-slowed")
    bob = scene.phone("bob", 7, port=0)
    ask(bob)
    bob.expect_nothing(0.2)
    scene.write_config(limits=limits,
                       peers=[scene.pbx_peer(), trunk_peer(scene)])
    scene.daemon.reload()
    scene.log.has(event="daemon.reload")
    serve(bob, pbx)


def test_a_peer_from_anywhere_speaks_for_nobody(scene):
    scene.start(limits=GUESSED, peers=[scene.pbx_peer(), {
        "name": "roamer", "from": ["0.0.0.0/0"], "certificate": "x.example"}])
    mallory = scene.mallory()
    guess_users(mallory, strangers(5))
    assert scene.log.has(event="guard.ban")["source"] == mallory.host


@pytest.mark.parametrize("transport", ["udp", "tcp"])
def test_a_peer_with_a_password_alone_speaks_for_nobody_beside_it(
        scene, transport):
    scene.users.append(("trunk", "secret"))
    scene.start(limits=GUESSED, peers=[
        scene.pbx_peer(),
        {"name": "trunk", "users": ["trunk"], "auth": "digest"}])
    pbx = scene.pbx()
    trunk = scene.phone("trunk", 20, transport=transport)
    serve(trunk, pbx)
    mallory = scene.phone("mallory", 20, port=0, transport=transport)
    guess_users(mallory, strangers(5))
    assert scene.log.has(event="guard.source-slowed")["source"] == trunk.host
    serve(trunk, pbx)


def test_a_large_limit_lets_nobody_guess_at_one_user_more(scene):
    # a source has it for each user who is guessed at slowly
    scene.start(limits=dict(GUESSED, ban_after=1000))
    mallory = scene.mallory(user="bob")
    for _ in range(20):
        guess(mallory)
    ask_wrong(mallory)
    mallory.expect_nothing(0.1)
    mallory.user = "alice"
    guess(mallory)


def test_times_of_day_lengthen_no_ban(scene, monkeypatch):
    clock = shift_clock(monkeypatch, scene.folder, 0)
    scene.start(limits=dict(GUESSED, first_message="1s"))
    mallory = scene.mallory(user="bob")
    guess_five(mallory)
    with connected(scene.net.host(20), scene.proxy) as silent:
        clock.set(-3600)
        scene.log.has(event="guard.unban")
        assert silent.recv(1) == b""
    guess_users(mallory, ["x"])


def test_bans_outlive_a_reload(scene):
    scene.start(limits=dict(GUESSED, ban_time="1m"))
    mallory = scene.mallory(user="bob")
    guess_five(mallory)
    scene.log.has(event="guard.ban")
    scene.daemon.reload()
    scene.log.has(event="daemon.reload")
    banned(mallory)


def test_a_network_that_becomes_a_peer_is_banned_no_more(scene):
    limits = dict(GUESSED, ban_after=1, ban_time="1h")
    scene.start(limits=limits)
    for number in range(128, 228):
        guess(scene.phone("g%d" % number, number, port=0, user="bob"))
    assert scene.daemon.metrics()["guard_banned", ""] == 100
    scene.write_config(limits=limits, peers=[
        scene.pbx_peer(), scene.pbx_peer(
            name="trunk", uri="sip:%s:5060" % scene.net.host(128),
            **{"from": ["%s/25" % scene.net.host(128)]})])
    scene.daemon.reload()
    scene.log.has(event="guard.unban", reason="taken back", count=100)
    assert scene.daemon.metrics()["guard_banned", ""] == 0


def test_who_becomes_a_peer_is_banned_no_more(scene):
    limits = dict(GUESSED, ban_time="1h")
    scene.start(limits=limits)
    pbx, mallory = scene.pbx(), scene.mallory(user="bob")
    other = scene.phone("m2", 67, user="bob")
    for phone in (mallory, other):
        guess_five(phone)
        scene.log.has(event="guard.ban", source=phone.host)
    scene.write_config(limits=limits, peers=[
        scene.pbx_peer(), scene.pbx_peer(
            name="trunk", uri="sip:%s:5060" % mallory.host,
            **{"from": [mallory.host]})])
    scene.daemon.reload()
    said = scene.log.has(event="guard.unban", source=mallory.host)
    assert said["reason"] == "taken back"
    mallory.send("OPTIONS", BOB)
    pbx.expect("OPTIONS")
    banned(other)


def never(*nets, **limits):
    return dict(GUESSED, ban_time="1h", ban_never=list(nets), **limits)


def reloaded(scene, **changes):
    scene.write_config(**changes)
    scene.daemon.reload()
    scene.log.has(event="daemon.reload")


def test_a_ban_is_lifted_by_a_reload(scene):
    scene.start(limits=dict(GUESSED, ban_time="1h"))
    mallory = scene.mallory(user="bob")
    other = scene.phone("m2", 67, user="bob")
    for phone in (mallory, other):
        guess_five(phone)
        scene.log.has(event="guard.ban", source=phone.host)
    reloaded(scene, limits=never("192.0.2.1", mallory.host))
    said = scene.log.has(event="guard.unban", source=mallory.host)
    assert (said["reason"], said["from"]) == ("taken back", "own")
    assert scene.daemon.metrics()["guard_banned", ""] == 1
    # nor is he banned again, and each wrong answer is still refused
    for _ in range(3):
        guess_five(mallory)
    assert len(scene.log.find(event="guard.ban", source=mallory.host)) == 1
    banned(other)
    reloaded(scene, limits=dict(GUESSED, ban_time="1h"))
    scene.log.has(event="daemon.reload", count=2)
    guess_five(mallory)
    scene.log.has(event="guard.ban", source=mallory.host, count=2)


def test_a_network_is_never_banned(scene):
    scene.start(limits=never(scene.net.host(64) + "/30"))
    mallory = scene.mallory(user="bob")
    for _ in range(3):
        guess_five(mallory)
    scene.log.has_not(event="guard.ban")
    beside = scene.phone("m2", 68, user="bob")
    guess_five(beside)
    scene.log.has(event="guard.ban", source=beside.host)


def test_a_slowed_source_is_let_in_by_a_reload(scene):
    scene.start(limits=dict(GUESSED, ban_time="1h"))
    alice, pbx = scene.alice(), scene.pbx()
    serve(alice, pbx)
    guesser = scene.phone("guesser", 10, port=0, user="nobody")
    guess_users(guesser, strangers(5))
    scene.log.has(event="guard.source-slowed", source=alice.host)
    bob = scene.phone("bob", 10, port=0)
    ask(bob)
    said = scene.log.has(event="guard.dropped", reason="source-slowed")
    assert said["source"] == "%s:%d" % (bob.host, bob.port)
    assert (said["claims"], said["method"]) == ("bob", "OPTIONS")
    reloaded(scene, limits=never(alice.host))
    serve(bob, pbx)


def test_bans_are_bounded(scene):
    scene.start(limits=dict(GUESSED, ban_time="1m", bans_max=2))
    guessers = [scene.phone("g%d" % n, 60 + n, user="bob")
                for n in range(3)]
    for one in guessers:
        guess_five(one)
    gone = scene.log.has(event="guard.unban")
    assert gone["source"] == guessers[0].host
    assert gone["reason"] == "bans_max"
    knock(scene, guessers[0])
    assert scene.daemon.metrics()["guard_banned", ""] == 2
    banned(guessers[2])


def test_what_makes_room_fills_no_log(scene):
    scene.start(limits=dict(GUESSED, ban_time="1h", bans_max=1,
                            log_lines="1/m"))
    for number in (60, 61, 62):
        guesser = scene.phone("g%d" % number, number, user="bob")
        guess_five(guesser)
        scene.log.has(event="guard.ban", source=guesser.host)
    assert len(scene.log.find(event="guard.unban")) == 1
    assert scene.daemon.metrics()["log_withheld_total", ""] >= 1


def test_bans_may_be_off(scene):
    scene.start(limits=dict(GUESSED, ban_after="off"))
    mallory = scene.mallory(user="bob")
    for _ in range(30):
        guess(mallory)
    scene.log.has_not(event="guard.ban")


# ---- users whose password is guessed at

SLOWED = {"ban_after": "off", "failures_per_user": "3/m"}


def test_a_user_is_slowed_but_not_locked_out(scene):
    scene.start(limits=SLOWED)
    bob, pbx = scene.bob(), scene.pbx()
    serve(bob, pbx)
    for number in (66, 67, 68):
        guess(scene.phone("m%d" % number, number, user="bob"))
    mallory = scene.phone("mallory", 69, user="bob")
    ask_wrong(mallory)
    mallory.expect_nothing(0.2)
    # also the right password: a guesser learns nothing
    ask(scene.phone("luck", 70, user="bob"))
    pbx.expect_nothing(0.2)
    said = scene.log.has(event="guard.user-slowed")
    assert said["user"] == "bob"
    serve(bob, pbx)
    serve(scene.alice(), pbx)
    got = scene.daemon.metrics()
    assert got["requests_ended_total", "user-slowed"] == 2


def test_a_peer_with_a_password_is_not_locked_out_either(scene):
    scene.start(limits=SLOWED, peers=[scene.pbx_peer(), trunk_peer(scene)])
    trunk, pbx = scene.phone("trunk", 7, user="bob", password="builder"), \
        scene.pbx()
    serve(trunk, pbx)
    for number in (66, 67, 68):
        guess(scene.phone("m%d" % number, number, user="bob"))
    mallory = scene.phone("mallory", 69, user="bob")
    ask_wrong(mallory)
    mallory.expect_nothing(0.2)
    serve(trunk, pbx)


def test_a_hidden_name_is_the_same_user(scene):
    scene.start(limits=SLOWED)
    for number in (66, 67, 68):
        guess(scene.phone("m%d" % number, number, user="bob"),
              hash_user=True)
    mallory = scene.phone("mallory", 69, user="bob")
    ask_wrong(mallory)
    mallory.expect_nothing(0.2)


def test_forged_answers_slow_forged_answers_only(scene):
    scene.start(limits=SLOWED)
    mallory, pbx = scene.mallory(user="bob"), scene.pbx()
    mallory.send("OPTIONS", BOB)
    mallory.expect(407)
    for number in (20, 21, 22):
        forger = scene.elsewhere(mallory, "f%d" % number, number)
        forger.answer(password="wrong")
        forger.expect(407)
    forger = scene.elsewhere(mallory, "forger", 23)
    forger.answer(password="wrong")
    forger.expect_nothing(0.2)
    serve(scene.bob(), pbx)


# ---- scanners

def scan(scene, number=66, transport="udp"):
    """As svwar does: extensions by REGISTER."""
    one = scene.phone("scanner", number, port=0, user="100",
                      transport=transport)
    return one, [("User-Agent", "friendly-scanner")]


def test_to_a_scanner_nobody_is_here(scene):
    scene.start(limits=GUESSED)
    one, agent = scan(scene)
    for method, uri in (("OPTIONS", "sip:100@" + scene.at),
                        ("REGISTER", "sip:" + scene.at),
                        ("INVITE", "sip:900@" + scene.at)) * 4:
        assert not knock(scene, one, 1, method, uri, headers=agent)
    # over UDP somebody else may have sent all this
    scene.log.has_not(event="guard.ban")
    assert knock(scene, scene.phone("phone", 66, port=0))
    got = scene.daemon.metrics()
    assert got["requests_ended_total", "scanner"] == 12
    first = scene.log.find(event="guard.dropped")[0]
    assert first["reason"] == "scanner" and first["unsaid"] == "0"
    assert first["source"].startswith(one.host + ":")
    assert first["user_agent"] == "friendly-scanner"


@pytest.mark.parametrize("level", ["notice", "debug"])
def test_a_scanner_is_told_of_once_a_second(scene, level):
    """In the plainest way as in the other, which debug asks for."""
    scene.start(log={"level": level})
    one, agent = scan(scene)
    for _ in range(50):
        one.send("OPTIONS", BOB, headers=agent)
    scene.daemon.settle()
    time.sleep(1.1)
    assert not knock(scene, one, headers=agent)
    said = scene.log.find(event="guard.dropped", reason="scanner")
    assert sum(1 + int(x["unsaid"]) for x in said) == 51
    assert len(said) < 25


def test_a_scanner_that_is_real_is_banned(scene):
    scene.start(limits=GUESSED)
    one, agent = scan(scene, transport="tcp")
    for _ in range(5):
        assert not knock(scene, one, headers=agent)
    assert scene.log.has(event="guard.ban")["reason"] == "scanner"


def test_a_scanner_behind_a_nat_does_not_get_the_others_banned(scene):
    scene.start(limits=GUESSED)
    alice, pbx = scene.alice(), scene.pbx()
    serve(alice, pbx)
    one, agent = scan(scene, 10, transport="tcp")
    for _ in range(20):
        assert not knock(scene, one, headers=agent)
    serve(alice, pbx)
    serve(scene.phone("bob", 10, port=0), pbx)
    scene.log.has_not(event=re.compile(r"guard\.(ban|source-slowed)"))


def test_a_scanner_that_shows_a_nonce_is_banned(scene):
    scene.start(limits=GUESSED)
    mallory = scene.mallory(user="bob")
    mallory.send("OPTIONS", BOB)
    mallory.expect(407)
    for _ in range(5):
        request = mallory.authorize(mallory.again())
        request.set("User-Agent", "sipvicious")
        mallory.post(request)
        mallory.expect_nothing(0.05)
    assert scene.log.has(event="guard.ban")["reason"] == "scanner"


def test_scanners_may_be_let_in(scene):
    scene.start(guard={"scanners": "off"})
    one, agent = scan(scene)
    assert statuses(knock(scene, one, 1, headers=agent)) == [407]


def test_a_peer_is_no_scanner(scene):
    scene.start()
    pbx = scene.pbx()
    to_nobody(pbx, headers=[("User-Agent", "sipcli/v1.8")])
    pbx.expect(404)


def test_the_list_is_a_file_and_read_again(scene, tmp_path):
    path = tmp_path / "scanners"
    path.write_text("# mine\nnosy-*\n")
    scene.start(guard={"scanners": "scanners"})
    alice = scene.alice()
    nosy = [("User-Agent", "Nosy-1.0")]
    assert not knock(scene, alice, 1, headers=nosy)
    one, agent = scan(scene)
    assert knock(scene, one, 1, headers=agent)
    path.write_text("other\n")
    scene.daemon.reload()
    scene.log.has(event="daemon.reload")
    assert knock(scene, alice, 1, headers=nosy)
