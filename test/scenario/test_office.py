"""Many phones behind one address; one of them has an old password, and tries
for ever.  The limits are those that the daemon has by default."""

import pytest

from harness.scene import ask, call, call_in, register, serve

TRIES = 80          # as a phone makes in some minutes


@pytest.fixture
def office(scene):
    """The registrar, and a phone that was right today."""
    scene.start(log={"level": "info"},
                peers=[scene.pbx_peer(path="always")])
    pbx, alice = scene.pbx(), scene.alice()
    return pbx, alice, register(alice, pbx)


def behind(scene, name, user, **more):
    """Another port of alice's address."""
    return scene.phone(name, 10, port=0, user=user, **more)


def try_to_register(phone):
    """It answers the challenge, and is told no, or nothing at all."""
    phone.send("REGISTER", "sip:example.com")
    phone.expect(407)
    phone.answer()
    got = phone.receive(timeout=0.02)
    assert got is None or got.status == 407


def goes_on(phone, pbx, where):
    """Its registration, and calls from it and to it."""
    assert register(phone, pbx)[0] == where[0]
    call(phone, pbx)
    pbx.bye()
    phone.expect("BYE")
    phone.reply(200)
    pbx.expect(200)
    contact, path = where
    call_in(pbx, phone, contact, route=path)
    pbx.bye()
    phone.expect("BYE")
    phone.reply(200)
    pbx.expect(200)


def nobody_is_banned(scene):
    scene.log.has_not(event="guard.ban")
    assert scene.daemon.metrics()["guard_banned", ""] == 0


def test_the_others_do_not_notice(scene, office):
    pbx, alice, where = office
    old = behind(scene, "old", "bob", password="was good")
    for n in range(TRIES):
        try_to_register(old)
        if n % 20 == 19:
            goes_on(alice, pbx, where)
    nobody_is_banned(scene)
    scene.log.has(reason="wrong-password", claims="bob", count=5)


def test_nor_does_another_phone_of_the_same_user(scene, office):
    """Bob's new phone was told the new password; his old one was not."""
    pbx = office[0]
    new = behind(scene, "new", "bob")
    where = register(new, pbx)
    old = behind(scene, "old", "bob", password="was good")
    for n in range(TRIES):
        try_to_register(old)
        if n % 20 == 19:
            goes_on(new, pbx, where)
    nobody_is_banned(scene)


def test_a_phone_that_joins_later_is_let_in(scene, office):
    pbx = office[0]
    old = behind(scene, "old", "bob", password="was good")
    for _ in range(TRIES):
        try_to_register(old)
    scene.users.append(("carol", "sesame"))
    scene.write_users()
    scene.log.has(event="users.load", count=2)
    serve(behind(scene, "carol", "carol", password="sesame"), pbx)
    nobody_is_banned(scene)


def test_it_is_let_in_with_the_new_password(scene):
    """Slowed it may be, but a rate lets somebody in again and again."""
    scene.start(limits={"ban_window": "40s"},
                peers=[scene.pbx_peer(path="always")])
    pbx, alice = scene.pbx(), scene.alice()
    register(alice, pbx)
    old = behind(scene, "old", "bob", password="was good")
    for _ in range(TRIES):
        try_to_register(old)
    old.password = "builder"
    for _ in range(20):
        ask(old, "REGISTER", "sip:example.com")
        got = pbx.receive(timeout=0.5)
        if got is not None:
            break
    assert got is not None and got.method == "REGISTER"
    nobody_is_banned(scene)
