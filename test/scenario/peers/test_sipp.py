"""SIPp calls SIPp through the door.  SIPp 3.6 knows MD5 only, and checks on
the PBX's side that no credentials come through and that the caller is named.
"""

import pytest


def ends(scene, peers, scenario, **more):
    """(caller's options, PBX): SIPp cannot tell which Request-URI it used, so
    the callee's Contact is the URI that was called."""
    target = "bob@%s:5060" % scene.net.host(5)
    keys = {"target": target, "domain": "example.com"}
    caller = {"remote": scene.proxy, "keys": keys, **more}
    caller["options"] = ["-s", "alice", "-au", "alice", "-auth_uri", target,
                         *more.get("options", ())]
    if "-ap" not in caller["options"]:
        caller["options"] += ["-ap", "wonderland"]
    pbx = peers.sipp("pbx", scenario, 5, keys=keys,
                     calls=more.get("calls", 1),
                     transport=more.get("transport", "u1"))
    return caller, pbx


def start(scene, **changes):
    scene.start(auth={"algorithms": ["MD5"]},
                domains=["example.com", scene.net.host(5)], **changes)


@pytest.mark.parametrize("transport", ["u1", "t1"])
def test_sipp_calls_through_the_door(scene, peers, transport):
    start(scene)
    caller, pbx = ends(scene, peers, "uas_call", transport=transport)
    peers.sipp("phone", "uac_call", 10, **caller).finish()
    pbx.finish()
    done = scene.log.has(reason="relayed", method="INVITE", status=200)
    assert done["user"] == "alice"


def test_250_authenticated_calls_at_50_a_second(scene, peers):
    start(scene)
    load = ["-r", "50", "-l", "250"]
    caller, pbx = ends(scene, peers, "uas_call", calls=250, options=load)
    peers.sipp("phone", "uac_call", 10, **caller).finish()
    pbx.finish()
    for method in ("INVITE", "BYE"):
        scene.log.has(reason="relayed", method=method, status=200,
                      count=250)
    assert len(scene.log.find(reason="relayed", method="INVITE",
                              status=200)) == 250


def test_sipp_with_a_wrong_password_reaches_nobody(scene, peers):
    start(scene)
    pbx = scene.pbx()
    caller, _ = {}, None
    target = "bob@%s:5060" % scene.net.host(5)
    caller = peers.sipp(
        "phone", "uac_refused", 10, remote=scene.proxy,
        keys={"target": target, "domain": "example.com"},
        options=["-s", "alice", "-au", "alice", "-ap", "guess",
                 "-auth_uri", target])
    caller.finish()
    pbx.expect_nothing()
