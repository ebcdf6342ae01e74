"""Several targets of a peer, one after the other."""

import pytest

from harness.scene import ask, call, ringing

# who is silent is waited for until these end, longer than a test waits
LONG = {"t1": "500ms", "target_timeout": "20s"}


def two(scene, transport="udp", **more):
    uris = ["sip:%s:5060;transport=%s" % (scene.net.host(n), transport)
            for n in (5, 6)]
    hosts = [scene.net.host(5), scene.net.host(6)]
    return dict({"peers": [scene.pbx_peer(uri=uris, **{"from": hosts})]},
                **more)


def start(scene, **more):
    """A phone, and the targets in the order in which they are asked."""
    scene.start(**two(scene, **more))
    return scene.alice(), scene.pbx(5, "first"), scene.pbx(6, "second")


@pytest.mark.parametrize("transport", ["udp", "tcp"])
def test_a_closed_port_is_passed_over(scene, transport):
    scene.start(**two(scene, transport, timers=LONG))
    alice, second = scene.alice(), scene.pbx(6, "second")
    call(alice, second)


def test_503_goes_to_the_next(scene):
    alice, first, second = start(scene)
    ask(alice, "INVITE")
    one = first.expect("INVITE")
    first.reply(503)
    first.expect("ACK")
    other = second.expect("INVITE")
    assert one.branch != other.branch and one.cseq == other.cseq
    assert one.call_id == other.call_id
    second.reply(180)
    alice.expect(180)
    second.reply(200)
    alice.expect(200)
    alice.ack()
    second.expect("ACK")
    alice.bye()
    alice.expect(407)
    alice.answer()
    second.expect("BYE")
    first.expect_nothing(0.1)


def test_silence_goes_to_the_next(scene):
    alice, first, second = start(scene, timers={"t1": "30ms"})
    ask(alice, "INVITE")
    first.expect("INVITE")
    second.expect("INVITE")
    second.reply(200)
    alice.expect(200)


@pytest.mark.parametrize("status", [302, 404, 407, 486, 600, 603])
def test_other_answers_are_final(scene, status):
    alice, first, second = start(scene)
    ask(alice, "INVITE")
    first.expect("INVITE")
    first.reply(status)
    alice.expect(status)
    second.expect_nothing(0.2)


def test_503_of_all_is_500(scene):
    alice, first, second = start(scene)
    ask(alice, "INVITE")
    first.expect("INVITE")
    first.reply(503)
    second.expect("INVITE")
    second.reply(503)
    alice.expect(500)
    scene.log.has(reason="target-failed")


def test_nobody_there_is_500_at_once(scene):
    scene.start(**two(scene, timers=LONG))
    alice = scene.alice()
    ask(alice, "INVITE")
    alice.expect(500)


def test_the_better_answer_comes_back(scene):
    # RFC 3261 16.7 item 6: 503 of one, 486 of the other
    alice, first, second = start(scene)
    ask(alice, "INVITE")
    first.expect("INVITE")
    first.reply(503)
    second.expect("INVITE")
    second.reply(486)
    alice.expect(486)


def test_cancel_ends_the_search(scene):
    alice, first, second = start(scene)
    invite = ringing(alice, first)
    alice.cancel()
    alice.expect(200)
    first.expect("CANCEL")
    first.reply(200)
    first.reply(503, to=invite)
    alice.expect(487)
    second.expect_nothing(0.2)


def test_a_non_invite_fails_over_too(scene):
    alice, first, second = start(scene)
    ask(alice, "MESSAGE")
    first.expect("MESSAGE")
    first.reply(503)
    second.expect("MESSAGE")
    second.reply(200)
    alice.expect(200)


def test_a_dialog_stays_with_the_member_that_has_it(scene):
    alice, first, second = start(scene)
    ask(alice, "INVITE")
    first.expect("INVITE")
    first.reply(503)
    second.expect("INVITE")
    second.reply(200)
    alice.expect(200)
    alice.ack()
    second.expect("ACK")
    alice.in_dialog("INFO")
    alice.expect(407)
    alice.answer()
    second.expect("INFO")
    first.expect("ACK")
    first.expect_nothing(0.1)


# ---- names

def named(scene, dns, uri):
    return {"peers": [scene.pbx_peer(uri=uri)], "resolv_conf": dns.conf}


def test_a_name_with_a_port_is_an_address_lookup(scene, dns):
    dns.add("pbx.test", "A", scene.net.host(5))
    scene.start(**named(scene, dns, "sip:pbx.test:5060"))
    alice, pbx = scene.alice(), scene.pbx()
    call(alice, pbx)


def test_srv_order_by_priority(scene, dns):
    dns.add("_sip._udp.pbx.test", "SRV", (20, 0, 5060, "two.pbx.test"))
    dns.add("_sip._udp.pbx.test", "SRV", (10, 0, 5060, "one.pbx.test"))
    dns.add("one.pbx.test", "A", scene.net.host(6))
    dns.add("two.pbx.test", "A", scene.net.host(5))
    scene.start(**named(scene, dns, "sip:pbx.test"))
    alice, first = scene.alice(), scene.pbx(6, "first")
    second = scene.pbx(5, "second")
    ask(alice, "INVITE")
    first.expect("INVITE")
    first.reply(503)
    second.expect("INVITE")
    second.reply(486)
    alice.expect(486)


def test_srv_with_a_port(scene, dns):
    dns.add("_sip._udp.pbx.test", "SRV", (1, 1, 5090, "one.pbx.test"))
    dns.add("one.pbx.test", "A", scene.net.host(5))
    scene.start(**named(scene, dns, "sip:pbx.test;transport=udp"))
    alice, pbx = scene.alice(), scene.pbx(port=5090)
    call(alice, pbx)


def test_several_addresses_of_one_name(scene, dns):
    dns.add("pbx.test", "A", scene.net.host(5))
    dns.add("pbx.test", "A", scene.net.host(6))
    scene.start(**named(scene, dns, "sip:pbx.test:5060"))
    alice = scene.alice()
    second = scene.pbx(6, "second")
    ask(alice, "MESSAGE")
    second.expect("MESSAGE")
    second.reply(200)
    alice.expect(200)


def test_a_name_that_does_not_exist_is_502(scene, dns):
    scene.start(**named(scene, dns, "sip:nowhere.test"))
    alice = scene.alice()
    ask(alice, "INVITE")
    alice.expect(502)
    scene.log.has(reason="no-such-name")


def test_a_name_server_that_is_silent_is_503(scene, dns):
    dns.silent = True
    with open(dns.conf, "a", encoding="ascii") as f:
        f.write("options timeout:4 attempts:1\n")
    scene.start(**named(scene, dns, "sip:pbx.test"))
    alice, other = scene.alice(), scene.mallory()
    ask(alice, "MESSAGE")
    other.send("OPTIONS", "sip:bob@example.com")
    other.expect(407)
    assert alice.receive(timeout=0) is None     # nobody waits but she
    alice.expect((500, 503))
    scene.log.has(reason="dns-away")


def test_cancel_while_a_name_is_looked_up(scene, dns):
    dns.silent = True
    scene.start(**named(scene, dns, "sip:pbx.test"))
    alice = scene.alice()
    ask(alice, "INVITE")
    alice.cancel()
    alice.expect(200)
    alice.expect(487)
