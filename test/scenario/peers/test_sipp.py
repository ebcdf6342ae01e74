"""SIPp calls SIPp through the door.  SIPp 3.6 knows MD5 only, and checks on
the PBX's side that no credentials come through and that the caller is named.
"""

import pytest

from harness import carrier
from harness.scene import NO_RATES, call


def target_of(scene):
    """SIPp cannot tell which Request-URI it used, so the callee's Contact is
    the URI that was called."""
    return "bob@%s:5060" % scene.net.host(5)


def start(scene, **changes):
    """SIPp takes an INVITE that comes again for another, at times: it does
    so later than with the usual timers."""
    scene.start(auth={"algorithms": ["MD5"]}, timers={"t1": "500ms"},
                domains=["example.com", scene.net.host(5)], **changes)


def phone(scene, peers, scenario, password="wonderland", options=(), **more):
    target = target_of(scene)
    return peers.sipp(
        "phone", scenario, 10, remote=scene.proxy,
        keys={"target": target, "domain": "example.com"},
        options=["-s", "alice", "-au", "alice", "-ap", password,
                 "-auth_uri", target, *options], **more)


def pbx(scene, peers, **more):
    return peers.sipp("pbx", "uas_call", 5,
                      keys={"target": target_of(scene)}, **more)


@pytest.mark.parametrize("transport", ["udp", "tcp"])
def test_sipp_calls_through_the_door(scene, peers, transport):
    uri = "sip:%s:5060;transport=%s" % (scene.net.host(5), transport)
    start(scene, peers=[scene.pbx_peer(uri=uri)])
    kind = {"udp": "u1", "tcp": "t1"}[transport]
    callee = pbx(scene, peers, transport=kind)
    phone(scene, peers, "uac_call", transport=kind).finish()
    callee.finish()
    done = scene.log.has(reason="relayed", method="INVITE", status=200)
    assert done["user"] == "alice"


def test_250_authenticated_calls_at_50_a_second(scene, peers):
    # whoever is late, and sends all of it at once, is no flood
    start(scene, limits={"requests_per_source": "off"})
    callee = pbx(scene, peers, calls=250)
    phone(scene, peers, "uac_call", calls=250,
          options=["-r", "50", "-l", "250"]).finish()
    callee.finish()
    for method in ("INVITE", "BYE"):
        scene.log.has(reason="relayed", method=method, status=200, count=250)
        assert len(scene.log.find(reason="relayed", method=method)) == 250


def test_sipp_with_a_wrong_password_reaches_nobody(scene, peers):
    start(scene)
    callee = scene.pbx()
    phone(scene, peers, "uac_refused", password="guess").finish()
    scene.log.has(reason="wrong-password")
    callee.expect_nothing()


def test_sipp_that_guesses_by_the_hundred_is_banned(scene, peers):
    start(scene)
    phone(scene, peers, "uac_refused", password="guess", calls=500,
          options=["-r", "500"])
    said = scene.log.has(event="guard.ban")
    assert said["source"] == scene.net.host(10)
    call(scene.bob(), scene.pbx())
    assert scene.daemon.metrics()["guard_failures_total", ""] == 20


def test_sipp_beyond_its_rate_takes_nobody_down(scene, peers):
    start(scene, limits=dict(NO_RATES, requests_per_source="10/s burst 100"))
    # with the right one some would reach the PBX beside the call
    phone(scene, peers, "uac_refused", password="guess", calls=5000,
          options=["-r", "5000"])
    scene.log.has(event="guard.over-rate")
    call(scene.bob(), scene.pbx())


def test_a_carrier_that_asks_is_answered_by_us(scene, peers):
    start(scene, peers=[scene.pbx_peer(
        credentials=carrier.credentials(scene))])
    callee = peers.sipp("pbx", "uas_asks", 5,
                        keys={"target": target_of(scene)}, calls=3)
    phone(scene, peers, "uac_call", calls=3).finish()
    callee.finish()
    scene.log.has(reason="relayed", method="INVITE", status=200, count=3)
