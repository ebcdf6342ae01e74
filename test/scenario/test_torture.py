"""The messages of RFC 4475 and RFC 5118: one answer each to a stranger, and
what is legal goes through unharmed."""

import os
import re
import socket

import pytest

from harness import check, sip
from harness.daemon import user_line
from harness.patience import PATIENCE
from harness.phone import Phone
from harness.scene import ask, serve

DATA = os.path.join(os.path.dirname(__file__), "..", "data")
RESPONSES = ("unreason", "noreason")    # that are legal
ROUTED = ("wsinv",)                     # with a Route, of which only a peer
#                                         may bring one
NAMELESS = ("unksm2", "escnull")        # with a From that no user has
DOMAINS = ["example.com", "example.net", "example.org",
           "registrar.example.com", "host.example.net", "[2001:db8::10]",
           "[2001:db8::10:5070]"]


def cases(folder):
    with open(os.path.join(DATA, folder, "expect"), encoding="ascii") as f:
        for line in f:
            if not line.startswith("#"):
                yield line.split(None, 2)[:2]


def read(folder, name):
    with open(os.path.join(DATA, folder, name + ".sip"), "rb") as f:
        return f.read()


def answers_of(scene, phone):
    """Status of each answer to what was sent."""
    scene.daemon.settle()
    out = []
    while True:
        got = phone.receive(timeout=0)
        if got is None:
            return out
        out.append(got.status)


def wanted(word):
    return [] if word == "silence" else [int(word)]


def fit(folder):
    return [name for name, answer in cases(folder) if answer == "407"]


def as_one(data):
    """What of a datagram is the message, as the harness reads it."""
    out = sip.Message.parse(data)
    length = out.get("Content-Length")
    if length is not None:
        out.body = out.body[:int(length)]
    return out


def over_tcp(data):
    """The same, but for the transport in the top Via."""
    return re.sub(rb"(?i)(\r\nv(?:ia)?\s*:[^,;]*?)\bUDP\b", rb"\1TCP", data,
                  count=1)


def is_unharmed(sent, got):
    """A proxy's own headers aside, nothing was touched."""
    assert got.start == sent.start
    check.same_but_for_proxy(sent, got)
    _, senders, *below = got.values("Via")
    assert [" ".join(v.split()) for v in below] == \
        [" ".join(v.split()) for v in sent.values("Via")[1:]]
    host = sip.host_port(sent.via.split("UDP")[-1].split("TCP")[-1].strip())
    assert sip.host_port(
        senders.split("UDP")[-1].split("TCP")[-1].strip()) == host
    left = min(int(sent["Max-Forwards"]), 70) - 1 \
        if sent.has("Max-Forwards") else 70
    assert got["Max-Forwards"] == str(left)


# ---- strangers

@pytest.mark.parametrize("name, answer", list(cases("torture")),
                         ids=[c[0] for c in cases("torture")])
def test_a_stranger_gets_one_answer(scene, name, answer):
    scene.start()
    mallory, pbx = scene.mallory(), scene.pbx()
    mallory.raw(read("torture", name))
    assert answers_of(scene, mallory) == wanted(answer)
    pbx.expect_nothing(0)
    serve(scene.alice(), pbx)


def test_a_stranger_over_tcp(scene):
    # the same answers, on a connection each; but there a message that is
    # shorter than it says is waited for
    scene.start()
    for name, answer in cases("torture"):
        mallory = scene.mallory(transport="tcp", port=0)
        mallory.raw(over_tcp(read("torture", name)))
        want = [] if name == "clerr" else wanted(answer)
        got = [mallory.receive() for _ in want]
        assert [m and m.status for m in got] == want, name
        assert mallory.receive(timeout=0.02) is None, name
        mallory.wire.drop(mallory.wire.flows[0])
    serve(scene.alice(), scene.pbx())


# ---- those who may send it

def start_open(scene, **changes):
    """Alice may be anybody, and the one at .30 is a peer."""
    scene.write_config(
        domains=DOMAINS, routes=[{"to": "pbx"}],
        peers=[scene.pbx_peer(path="rfc", trusted=False),
               {"name": "near", "from": [scene.net.host(30)], "auth": "ip"}],
        **changes)
    scene.write_users([user_line("alice", "example.com", "wonderland",
                                 ["sip:*@*", "sips:*@*", "tel:*"])])
    scene.daemon.start()


def answered(sender, pbx, sent):
    """The target got what was sent; its answer comes back."""
    got = pbx.expect(sent.method)
    is_unharmed(sent, got)
    pbx.reply(200, to=got, contact=False)
    back = sender.expect(200)
    assert [" ".join(v.split()) for v in back.values("Via")][1:] == \
        [" ".join(v.split()) for v in sent.values("Via")][1:]
    assert back["CSeq"] == sent["CSeq"]


@pytest.mark.parametrize("name", fit("torture"))
def test_a_peers_goes_through_unharmed(scene, name):
    start_open(scene)
    near, pbx = scene.phone("near", 30), scene.pbx()
    data = read("torture", name)
    if name in ROUTED:                  # to where it can be seen
        data = data.replace(b"services.example.com",
                            scene.net.host(5).encode())
    near.raw(data)
    answered(near, pbx, as_one(data))


def credentials(phone, data):
    """The answer to the challenge that the phone just got, as a line."""
    message = as_one(data)
    header = phone.authorize(message).all("Proxy-Authorization")[-1]
    return b"Proxy-Authorization: " + header.encode() + b"\r\n"


def prove(phone, data):
    """Sent, challenged, and sent with credentials on top."""
    phone.raw(data)
    phone.expect(407)
    at = data.index(b"\r\n") + 2
    phone.raw(data[:at] + credentials(phone, data) + data[at:])
    return as_one(data)


@pytest.mark.parametrize("transport", ["udp", "tcp"])
@pytest.mark.parametrize("name", [n for n in fit("torture")
                                  if n not in ROUTED + NAMELESS])
def test_a_users_goes_through_unharmed(scene, name, transport):
    start_open(scene)
    alice, pbx = scene.alice(transport=transport), scene.pbx()
    data = read("torture", name)
    if transport == "tcp":              # of two the first one
        data = over_tcp(data[:data.index(b"\r\n\r\nINVITE") + 4]
                        if name == "dblreq" else data)
    sent = prove(alice, data)
    answered(alice, pbx, sent)


@pytest.mark.parametrize("name", RESPONSES)
def test_a_response_passes_back_unharmed(scene, name):
    scene.start()
    alice, pbx = scene.alice(), scene.pbx()
    torture = sip.Message.parse(read("torture", name))
    ask(alice, "INVITE", body="v=0\r\n")
    request = pbx.expect("INVITE")
    # 100 is for the next hop alone
    start = torture.start.replace("SIP/2.0 100", "SIP/2.0 183")
    ours = ("via", "from", "to", "call-id", "cseq", "content-length")
    more = [h for h in torture.headers if sip.canonical(h[0]) not in ours]

    def as_tortured(answer):
        answer.start = start
        answer.headers[-1:-1] = [
            ("s ", "folded\r\n \tand\r\n   odd"), ("X-Empty", ""),
            ("TIMESTAMP  ", ";;,,;"), *more]

    sent = pbx.reply(200, to=request, edit=as_tortured)
    got = alice.expect(183 if "183" in start else 200)
    assert got.start == start
    check.same_but_for_proxy(sent, got)


# ---- IPv6

def scene6(scene):
    at = "sip:[::1]:%d;transport=udp" % scene.port6
    scene.write_config(
        domains=DOMAINS,
        listen=[{"name": "plain", "uri": "sip:%s:5060" % scene.at},
                {"name": "six", "uri": at}],
        peers=[scene.pbx_peer(path="rfc", trusted=False)])
    scene.write_users([user_line("alice", "example.com", "wonderland",
                                 ["sip:*@*"])])
    scene.daemon.start()
    return sip6(scene, "alice", "wonderland")


def sip6(scene, name, password):
    out = Phone(scene.ladder, name, "::1", 0,
                proxy=("::1", scene.port6), password=password)
    scene.actors.append(out)
    return out


@pytest.mark.parametrize("name, answer", list(cases("torture6")),
                         ids=[c[0] for c in cases("torture6")])
def test_a_stranger_of_ipv6_gets_one_answer(scene, name, answer):
    alice, pbx = scene6(scene), scene.pbx()
    mallory = sip6(scene, "mallory", "guess")
    mallory.raw(read("torture6", name))
    assert answers_of(scene, mallory) == wanted(answer)
    pbx.expect_nothing(0)
    serve(alice, pbx)


@pytest.mark.parametrize("name", fit("torture6"))
def test_a_user_of_ipv6_goes_through_unharmed(scene, name):
    alice, pbx = scene6(scene), scene.pbx()
    sent = prove(alice, read("torture6", name))
    answered(alice, pbx, sent)


def test_received_of_ipv6_has_no_brackets(scene):
    # RFC 5118 4.5: what the sender wrote there is not believed, either
    alice, pbx = scene6(scene), scene.pbx()
    for name in ("delimited", "undelimited"):
        prove(alice, read("torture6", name))
        got = pbx.receive()
        via = sip.params_of(got.values("Via")[1])
        assert via["received"] == "::1"
        assert via["rport"] == str(alice.port)


def test_connections_end_after_a_bad_length(scene):
    # nobody knows where the next message begins
    scene.start()
    for name in ("ncl", "mcl01"):
        with socket.create_connection(scene.proxy, PATIENCE) as sock:
            sock.sendall(over_tcp(read("torture", name)) * 2)
            data = b""
            while True:
                got = sock.recv(65536)
                if not got:
                    break
                data += got
        assert data.count(b"SIP/2.0 400 ") == 1, name
