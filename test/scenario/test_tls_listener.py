"""TLS as phones meet it: certificates shown, versions, calls, bad manners."""

import re
import socket
import ssl
import subprocess
import threading
import time

import pytest

from harness import check, sip
from harness.patience import PATIENCE, until
from harness.programs import find
from harness.scene import ask, call, serve
from harness.tls import Caller
from harness.wire import connected

NAME = "sip.example.com"


def start(scene, pki, listener=(), **changes):
    scene.start(listen=scene.listeners(
        scene.secure_listener(pki.server, **dict(listener))), **changes)


def alice_of(scene, pki, **more):
    """She is particular about whom she talks to."""
    return scene.secure("alice", 10, Caller(pki.root.crt, name=NAME, **more))


def s_client(scene, *args, text=""):
    return subprocess.run(
        [find("openssl"), "s_client", "-connect", "%s:5061" % scene.at,
         *args], capture_output=True, text=True, input=text, timeout=60,
        check=False)


def accepted(scene):
    return scene.daemon.metrics()["transport_connections", "accepted"]


def handshake(scene, **caller):
    """One of a stranger's; a flow."""
    return Caller(**caller).connect(scene.net.host(66), (scene.at, 5061))


def is_closed(sock):
    """By the other end; what it says before does not matter."""
    sock.settimeout(PATIENCE)
    try:
        while sock.recv(4096):
            pass
    except socket.timeout:
        return False
    except OSError:
        pass
    return True


# ---- what is shown

def test_the_chain_is_whole(scene, pki):
    start(scene, pki)
    got = s_client(scene, "-CAfile", pki.root.crt, "-verify_return_error",
                   "-verify_hostname", NAME, "-servername", NAME,
                   "-showcerts")
    assert got.returncode == 0, got.stdout + got.stderr
    assert "Verify return code: 0 (ok)" in got.stdout
    assert got.stdout.count("BEGIN CERTIFICATE") == 2


def test_certificate_and_key_in_one_file(scene, pki):
    start(scene, pki, {"certificate": pki.server.combined, "key": None})
    assert handshake(scene).shown == pki.server.der


@pytest.mark.parametrize("version", ["1.2", "1.3"])
def test_versions_of_today(scene, pki, version):
    start(scene, pki)
    alice, pbx = alice_of(scene, pki, version=version), scene.pbx()
    serve(alice, pbx)
    assert alice.sent_flow.tls.version() == "TLSv" + version


@pytest.mark.parametrize("version", ["tls1", "tls1_1"])
def test_versions_of_yesterday(scene, pki, version):
    start(scene, pki)
    got = s_client(scene, "-" + version, "-cipher", "ALL:@SECLEVEL=0")
    assert re.search("protocol version|alert number 70", got.stderr), \
        got.stdout + got.stderr
    scene.log.has(event="transport.refuse", reason="tls-protocol")


def test_min_version(scene, pki):
    start(scene, pki, tls={"min_version": "1.3"})
    with pytest.raises(ssl.SSLError, match="(?i)protocol.version"):
        handshake(scene, version="1.2")
    assert handshake(scene).tls.version() == "TLSv1.3"


def test_ciphers(scene, pki):
    start(scene, pki, tls={"ciphers": "ECDHE-ECDSA-CHACHA20-POLY1305"})
    flow = handshake(scene, version="1.2")
    assert flow.tls.cipher()[0] == "ECDHE-ECDSA-CHACHA20-POLY1305"


@pytest.mark.parametrize("cipher", [
    "ECDHE-ECDSA-AES128-SHA", "ECDHE-ECDSA-AES256-SHA384", "aNULL", "eNULL"])
def test_ciphers_that_are_too_weak(scene, pki, cipher):
    start(scene, pki)
    got = s_client(scene, "-tls1_2", "-cipher", cipher + ":@SECLEVEL=0")
    assert "handshake failure" in got.stderr, got.stdout + got.stderr


def test_the_name_asked_for_chooses_the_certificate(scene, pki):
    shown = {
        "sip.example.com": pki.server,
        "voip.example.net": pki.leaf("voip", "DNS:voip.example.net"),
        "example.org": pki.leaf("org", "URI:sip:example.org"),
        "a.pool.example": pki.leaf("pool", "DNS:*.pool.example"),
    }
    start(scene, pki, {"certificate": [i.chain for i in shown.values()],
                       "key": [i.key for i in shown.values()]})
    shown.update({
        "VOIP.Example.NET": shown["voip.example.net"],
        "b.pool.example": shown["a.pool.example"],
        "a.b.pool.example": pki.server,     # a star is one label
        "pool.example": pki.server,
        "nobody.example": pki.server, None: pki.server})
    for name, identity in shown.items():
        assert handshake(scene, name=name).shown == identity.der, name


@pytest.mark.parametrize("offered, chosen", [
    (["sip/2"], "sip/2"), (["h2", "sip/2"], "sip/2"), (["h2"], None),
    ([], None)])
def test_alpn(scene, pki, offered, chosen):
    start(scene, pki)
    alice, pbx = alice_of(scene, pki, alpn=offered), scene.pbx()
    serve(alice, pbx)
    assert alice.sent_flow.tls.selected_alpn_protocol() == chosen


@pytest.mark.parametrize("version", ["1.2", "1.3"])
def test_a_session_is_resumed(scene, pki, version):
    start(scene, pki)
    alice, pbx = alice_of(scene, pki, version=version), scene.pbx()
    serve(alice, pbx)
    assert not alice.sent_flow.tls.session_reused
    alice.tls.session = alice.sent_flow.tls.session
    alice.wire.drop(alice.sent_flow)
    serve(alice, pbx)
    assert alice.sent_flow.tls.session_reused


# ---- SIP

def test_a_message_and_its_way_back(scene, pki):
    start(scene, pki)
    alice, pbx = alice_of(scene, pki), scene.pbx()
    got = serve(alice, pbx, method="MESSAGE", body=b"hello")
    via = got.values("Via")[1]
    assert via.startswith("SIP/2.0/TLS ")
    assert sip.params_of(via)["received"] == alice.host
    assert sip.params_of(via)["rport"] == str(alice.sent_flow.local[1])
    assert alice.response.flow is alice.sent_flow
    assert len(alice.wire.flows) == 1
    assert scene.daemon.metrics()["transport_messages_total", "tls"] == 2


def test_the_source_is_in_the_log(scene, pki):
    start(scene, pki)
    alice = alice_of(scene, pki)
    alice.send("OPTIONS", "sip:bob@example.com")
    alice.expect(407)
    scene.log.has(reason="no-credentials",
                  source="%s:%d" % alice.sent_flow.local)


def test_a_whole_call(scene, pki):
    start(scene, pki)
    alice, pbx = alice_of(scene, pki), scene.pbx()
    call(alice, pbx)
    alice.in_dialog("INFO")
    alice.expect(407)
    alice.answer()
    pbx.expect("INFO")
    pbx.reply(200)
    alice.expect(200)
    pbx.bye()
    assert alice.expect("BYE").flow.transport == "tls"
    alice.reply(200)
    pbx.expect(200)
    assert len(alice.wire.flows) == 1


def test_the_caller_hangs_up(scene, pki):
    start(scene, pki)
    alice, pbx = alice_of(scene, pki), scene.pbx()
    call(alice, pbx)
    alice.bye()
    alice.expect(407)
    alice.answer()
    pbx.expect("BYE")
    pbx.reply(200)
    alice.expect(200)


def test_both_sides_in_the_record_route(scene, pki):
    # UDP behind, TLS before: each side has its own address to come back to
    start(scene, pki)
    alice, pbx = alice_of(scene, pki), scene.pbx()
    routes = [sip.uri_of(r) for r in
              call(alice, pbx).values("Record-Route")]
    assert [sip.host_port(r) for r in routes] == [
        (scene.at, 5060), (scene.at, 5061)]
    assert routes[1].startswith("sips:") or \
        sip.uri_params(routes[1])["transport"].lower() == "tls"


def test_a_phone_behind_nat(scene, pki):
    start(scene, pki, peers=[scene.pbx_peer(path="always")])
    alice = scene.secure("alice", 10, claims=("192.168.1.10", 5061))
    pbx = scene.pbx()
    ask(alice, "REGISTER", "sip:example.com")
    got = pbx.expect("REGISTER")
    pbx.reply(200, contact=got["Contact"])
    alice.expect(200)
    pbx.send("MESSAGE", sip.uri_of(got["Contact"]), route=got.values("Path"))
    assert alice.expect("MESSAGE").flow is alice.sent_flow
    alice.reply(200)
    pbx.expect(200)


def test_a_flow_that_is_gone(scene, pki):
    start(scene, pki, peers=[scene.pbx_peer(path="always")])
    alice, pbx = alice_of(scene, pki), scene.pbx()
    ask(alice, "REGISTER", "sip:example.com")
    got = pbx.expect("REGISTER")
    pbx.reply(200)
    alice.expect(200)
    alice.wire.drop(alice.sent_flow)
    until(lambda: accepted(scene) == 0)
    pbx.send("MESSAGE", sip.uri_of(got["Contact"]), route=got.values("Path"))
    pbx.expect(430)


@pytest.mark.parametrize("said", ["udp", "tcp"])
def test_a_via_that_says_another_transport(scene, pki, said):
    start(scene, pki)
    alice = alice_of(scene, pki)
    alice.send("OPTIONS", "sip:bob@example.com", transport=said)
    alice.expect_nothing(0.2)
    scene.log.has(event="transport.refuse", reason="via")


def test_many_phones_at_once(scene, pki):
    start(scene, pki)
    pbx = scene.pbx()
    phones = [scene.secure("alice", 20 + n) for n in range(20)]
    for phone in phones:
        phone.send("MESSAGE", "sip:bob@example.com")
    for phone in phones:
        phone.expect(407)
        phone.answer()
        pbx.expect("MESSAGE")
        pbx.reply(200)
        phone.expect(200)
    assert accepted(scene) == 20


def test_goodbye_is_said_and_understood(scene, pki):
    start(scene, pki)
    alice, pbx = alice_of(scene, pki), scene.pbx()
    serve(alice, pbx)
    flow = alice.sent_flow
    try:
        flow.tls.unwrap()               # close_notify
    except ssl.SSLError:
        pass
    flow.flush()
    assert is_closed(flow.sock)
    scene.log.has_not(event="transport.refuse")


# ---- bad manners

PLAIN = {
    "sip": b"OPTIONS sip:bob@example.com SIP/2.0\r\n\r\n",
    "http": b"GET / HTTP/1.1\r\nHost: example.com\r\n\r\n",
    "crlf": b"\r\n\r\n\r\n\r\n", "zeros": bytes(200),
    "ssl 2": b"\x80\x2e\x01\x00\x02\x00\x15\x00\x00\x00\x10" + bytes(40),
    "a record of 64 kB": b"\x16\x03\x01\xff\xff" + bytes(70000),
}


@pytest.mark.parametrize("what", PLAIN)
def test_what_is_no_tls_is_closed(scene, pki, what):
    start(scene, pki)
    with connected(scene.net.host(66), (scene.at, 5061)) as sock:
        try:
            sock.sendall(PLAIN[what])
        except OSError:
            pass
        assert is_closed(sock)
    scene.log.has(event="transport.refuse", reason="tls-protocol")
    assert scene.daemon.metrics()[
        "transport_refused_total", "tls-protocol"] == 1
    serve(alice_of(scene, pki), scene.pbx())


def test_tls_on_the_plain_port(scene, pki):
    start(scene, pki)
    with pytest.raises(OSError):
        Caller().connect(scene.net.host(66), scene.proxy)
    serve(scene.alice(), scene.pbx())


def hello(caller):
    """The first bytes of a handshake."""
    incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
    tls = caller.context.wrap_bio(incoming, outgoing)
    with pytest.raises(ssl.SSLWantReadError):
        tls.do_handshake()
    return outgoing.read()


@pytest.mark.parametrize("reset", [False, True], ids=["end", "reset"])
@pytest.mark.parametrize("part", [0, 1, 5, 100, None])
def test_a_handshake_that_breaks_off(scene, pki, part, reset):
    start(scene, pki)
    sock = connected(scene.net.host(66), (scene.at, 5061))
    sock.sendall(hello(Caller())[:part])
    time.sleep(0.1)
    if reset:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER,
                        b"\1\0\0\0\0\0\0\0")
    sock.close()
    if part != 0:
        scene.log.has(event="transport.refuse", reason="tls-closed")
    serve(alice_of(scene, pki), scene.pbx())
    until(lambda: accepted(scene) == 1)


def test_handshakes_have_the_rate_of_requests(scene, pki):
    start(scene, pki, limits={"requests_per_source": "1/m burst 3"})
    for _ in range(3):
        handshake(scene).sock.close()
    with pytest.raises(OSError):
        handshake(scene)
    scene.log.has(event="transport.refuse", reason="handshakes")
    # who is beside him, and peers
    pbx = scene.pbx()
    for _ in range(5):
        Caller().connect(pbx.host, (scene.at, 5061)).sock.close()
    serve(scene.secure("alice", 10), pbx)
    got = scene.daemon.metrics()
    assert got["transport_refused_total", "handshakes"] == 1


def test_handshakes_are_counted_apart_from_requests(scene, pki):
    start(scene, pki, limits={"requests_per_source": "1/m burst 2"})
    alice, pbx = scene.secure("alice", 10), scene.pbx()
    serve(alice, pbx)           # two requests, over one connection


def test_a_handshake_byte_by_byte(scene, pki):
    start(scene, pki)

    class Dribble:
        """A socket that sends every byte alone."""

        def __init__(self, sock):
            self.sock = sock

        def __getattr__(self, name):
            return getattr(self.sock, name)

        def sendall(self, data):
            for at in range(len(data)):
                self.sock.sendall(data[at:at + 1])
    alice, pbx = alice_of(scene, pki), scene.pbx()
    sock = connected(alice.host, alice.proxy)
    flow = alice.tls.over(Dribble(sock))
    flow.sock = sock
    alice.wire.adopt(flow)
    serve(alice, pbx)
    assert alice.sent_flow is flow


def test_bytes_that_were_changed_on_the_way(scene, pki):
    start(scene, pki)
    alice, pbx = alice_of(scene, pki), scene.pbx()
    serve(alice, pbx)
    flow = alice.sent_flow
    sealed = bytearray(flow.sealed(b"OPTIONS sip:x SIP/2.0\r\n\r\n"))
    sealed[-1] ^= 1
    flow.sock.sendall(sealed)
    assert is_closed(flow.sock)
    serve(scene.secure("bob", 11), pbx)


def test_renegotiation_is_refused(scene, pki):
    start(scene, pki)
    process = subprocess.Popen(
        [find("openssl"), "s_client", "-connect", "%s:5061" % scene.at,
         "-tls1_2"], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT, text=True)
    # it would wait for more commands
    ends = threading.Timer(PATIENCE, process.kill)
    ends.start()
    try:
        # it takes commands when it is connected
        said = "".join(iter(process.stdout.readline, "---\n"))
        while "Verify return code" not in said:
            said += "".join(iter(process.stdout.readline, "---\n"))
        process.stdin.write("R\n")
        process.stdin.flush()
        said = process.stdout.read()
    finally:
        ends.cancel()
        process.kill()
        process.wait()
    assert "RENEGOTIATING" in said
    assert "no renegotiation" in said, said
    serve(alice_of(scene, pki), scene.pbx())


def test_no_compression_and_no_weak_digest(scene, pki):
    start(scene, pki)
    got = s_client(scene, "-tls1_2")
    assert "Compression: NONE" in got.stdout
    assert "Secure Renegotiation IS supported" in got.stdout


def test_a_certificate_that_a_phone_refuses(scene, pki):
    start(scene, pki)
    with pytest.raises(ssl.SSLCertVerificationError):
        handshake(scene, ca=pki.other.crt)
    scene.log.has(event="transport.refuse", reason="tls-refused-us")


# ---- how it is configured

BAD = {
    "no certificate": dict(certificate=None, key=None),
    "no such file": dict(certificate="nowhere.pem"),
    "another's key": dict(key="other"),
    "no key": dict(key=None),
    "not a certificate": dict(certificate="users", key="users"),
    "a key too few": dict(certificate="two"),
    "a word that is none": dict(client_certificate="perhaps"),
    "required of whom": dict(client_certificate="required"),
    "no such crl": dict(client_ca="root", client_certificate="optional",
                        crl="nowhere.pem"),
    "no such network": dict(proxy_protocol=["example.com"]),
}


@pytest.mark.parametrize("what", BAD)
def test_what_cannot_be_is_said_with_its_line(scene, pki, what):
    words = {"other": pki.leaf("somebody").key, "root": pki.root.crt,
             "two": [pki.server.chain, pki.leaf("somebody").chain]}
    changes = {k: words.get(v, v) if isinstance(v, str) else v
               for k, v in BAD[what].items()}
    entry = scene.secure_listener(pki.server, **changes)
    scene.write_config(listen=scene.listeners(entry))
    got = scene.daemon.run("-t", "-c", scene.daemon.config_path)
    assert got.returncode != 0
    option = list(BAD[what])[-1]
    assert re.search(r"^.+\.cfg:\d+: \S*(%s|certificate|key|client_ca)"
                     % option, got.stderr, re.M), got.stderr


@pytest.mark.parametrize("option", ["certificate", "client_ca", "crl"])
def test_options_of_tls_need_tls(scene, pki, option):
    scene.write_config(listen=[{"uri": "sip:%s:5060" % scene.at,
                                option: pki.server.combined}])
    got = scene.daemon.run("-t", "-c", scene.daemon.config_path)
    assert got.returncode != 0 and option in got.stderr


def test_the_usual_port_and_the_other_spelling(scene, pki):
    entry = scene.secure_listener(
        pki.server, uri="sip:%s;transport=tls" % scene.at)
    scene.start(listen=scene.listeners(entry))
    serve(alice_of(scene, pki), scene.pbx())


def test_what_is_effective_reads_back(scene, pki):
    start(scene, pki, tls={"ca": pki.root.crt, "min_version": "1.3"})
    got = scene.daemon.run("-T", "-c", scene.daemon.config_path)
    assert got.returncode == 0, got.stderr
    assert pki.server.chain in got.stdout and "1.3" in got.stdout
    scene.daemon.configure(got.stdout)
    again = scene.daemon.run("-T", "-c", scene.daemon.config_path)
    assert again.stdout == got.stdout


def test_a_tls_listener_alone(scene, pki):
    scene.start(
        listen=[scene.secure_listener(pki.server)], tls={"ca": pki.root.crt},
        peers=[scene.pbx_peer(uri="sips:%s" % scene.net.host(5))])
    alice = alice_of(scene, pki)
    alice.send("OPTIONS", "sip:bob@example.com")
    got = alice.expect(407)
    check.has_to_tag(got)
