"""Messages as phones, PBXs, session border controllers and handsets are known
to write them (test/data/devices): from a peer and from a user each goes
through unharmed, and its answer comes back."""

import glob
import os
import re

import pytest

from harness import check, sip
from harness.daemon import user_line

DATA = os.path.join(os.path.dirname(__file__), "..", "data", "devices")
# what of a user, who is not trusted, stays here or is said anew
NOT_HIS = ["P-Asserted-Identity", "P-Preferred-Identity", "Remote-Party-ID",
           "P-Charging-Vector", "P-Access-Network-Info",
           "P-Visited-Network-ID", "P-Preferred-Service",
           "Attestation-Info", "Origination-Id"]
OURS = ["Path"]                         # on a REGISTER


def names():
    return sorted(os.path.basename(path)[:-4]
                  for path in glob.glob(os.path.join(DATA, "*.sip")))


def read(name, transport):
    with open(os.path.join(DATA, name + ".sip"), "rb") as f:
        return re.sub(rb"(?i)(\r\nv(?:ia)?:\s*SIP/2.0/)UDP",
                      rb"\1" + transport.upper().encode(), f.read(), count=1)


def start(scene):
    """Alice may be anybody, and the one at .30 is a peer."""
    scene.write_config(
        routes=[{"to": "pbx"}],
        domains=["example.com",
                 "geo-local.ims.mnc001.mcc262.example.com"],
        peers=[scene.pbx_peer(path="rfc"),
               {"name": "near", "from": [scene.net.host(30)], "auth": "ip"}])
    scene.write_users([user_line("alice", "example.com", "wonderland",
                                 ["sip:*", "sip:*@*", "tel:*"])])
    scene.daemon.start()


def values(message, name):
    return [" ".join(v.split()) for v in message.values(name)]


def passes(sender, pbx, sent, but):
    got = pbx.expect(sent.method)
    assert got.start == sent.start
    check.same_but_for_proxy(sent, got, but)
    assert values(got, "Via")[2:] == values(sent, "Via")[1:]
    assert got["Max-Forwards"] == str(
        int(sent.get("Max-Forwards", "71")) - 1)
    pbx.reply(200, to=got, contact=False)
    back = sender.expect(200)
    assert values(back, "Via")[1:] == values(sent, "Via")[1:]
    assert [values(back, n) for n in ("From", "Call-ID", "CSeq")] == \
        [values(sent, n) for n in ("From", "Call-ID", "CSeq")]


@pytest.mark.parametrize("transport", ["udp", "tcp"])
@pytest.mark.parametrize("name", names())
def test_a_peers_goes_through_unharmed(scene, name, transport):
    start(scene)
    near, pbx = scene.phone("near", 30, transport=transport), scene.pbx()
    data = read(name, transport)
    near.raw(data)
    passes(near, pbx, sip.Message.parse(data), OURS)


@pytest.mark.parametrize("transport", ["udp", "tcp"])
@pytest.mark.parametrize("name", names())
def test_a_users_goes_through_unharmed(scene, name, transport):
    start(scene)
    alice, pbx = scene.alice(transport=transport), scene.pbx()
    data = read(name, transport)
    alice.raw(data)
    alice.expect(407)
    sent = sip.Message.parse(data)
    proof = alice.authorize(sent).headers.pop()
    at = data.index(b"\r\n") + 2
    alice.raw(data[:at] + ("%s: %s\r\n" % proof).encode() + data[at:])
    passes(alice, pbx, sent, OURS + NOT_HIS)
