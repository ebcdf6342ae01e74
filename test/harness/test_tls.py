"""The harness's own TLS against openssl, and against itself."""

import re
import ssl
import subprocess

import pytest

from harness.ladder import Ladder
from harness.patience import PATIENCE, until
from harness.phone import Phone
from harness.pki import DAY, read, write
from harness.programs import Program, find
from harness.targets import Target
from harness.tls import Called, Caller, refused_by
from harness.wire import connected

NAME = "sip.example.com"


@pytest.fixture
def s_server(tmp_path, net, pki):
    """Starts openssl s_server, which echoes lines backwards."""
    running = []

    def start(*args, identity=pki.server):
        program = Program("s_server%d" % len(running), tmp_path)
        running.append(program)
        program.spawn([
            find("openssl"), "s_server", "-accept", net.host(2) + ":5061",
            "-cert", identity.crt, "-cert_chain", identity.chain, "-key",
            identity.key, "-rev", *args])
        until(lambda: "ACCEPT" in program.log(),
              lambda: program.complaint("is silent"))
        return net.host(2), 5061
    yield start
    for program in running:
        program.stop()


@pytest.mark.parametrize("version", ["1.2", "1.3"])
def test_a_caller_and_openssl(net, pki, s_server, version):
    at = s_server()
    caller = Caller(pki.root.crt, name=NAME, version=version)
    flow = caller.connect(net.host(3), at)
    assert flow.tls.version() == "TLSv" + version
    assert flow.shown == pki.server.der
    flow.send(b"live\n")
    got = b""
    while got != b"evil\n":
        got += flow.opened(flow.sock.recv(65536))
    flow.sock.close()


@pytest.mark.parametrize("ca, name, words", [
    ("root", "other.example.com", "Hostname mismatch"),
    ("other", NAME, "unable to get local issuer"),
])
def test_a_caller_is_particular(net, pki, s_server, ca, name, words):
    caller = Caller(getattr(pki, ca).crt, name=name)
    with pytest.raises(ssl.SSLCertVerificationError, match=words):
        caller.connect(net.host(3), s_server())


BAD = {
    "good": ({}, None),
    "expired": (dict(begins=-3 * DAY, ends=-DAY), "expired"),
    "not yet": (dict(begins=DAY), "BAD_CERTIFICATE"),
    "purpose": (dict(usage="serverAuth"), "UNSUPPORTED_CERTIFICATE"),
    "revoked": ({}, "REVOKED"),
    "none": (None, "CERTIFICATE_REQUIRED|HANDSHAKE_FAILURE"),
}


@pytest.mark.parametrize("version", ["1.2", "1.3"])
@pytest.mark.parametrize("what", BAD)
def test_certificates_that_openssl_refuses(tmp_path, net, pki, s_server,
                                           version, what):
    how, words = BAD[what]
    leaf = how if how is None else pki.leaf("client-" + what, **how)
    trust = write(str(tmp_path / "trust.pem"), read(pki.root.crt),
                  pki.lists([leaf] if what == "revoked" else []))
    at = s_server("-Verify", "3", "-verify_return_error", "-crl_check_all",
                  "-CAfile", trust)
    caller = Caller(identity=leaf, version=version)
    said = refused_by(caller, net.host(3), at, b"live\n", b"evil\n")
    if words is None:
        assert said is None
    else:
        assert re.search("(?i)" + words, said), said


def s_client(at, *args):
    return subprocess.run(
        [find("openssl"), "s_client", "-connect", "%s:%d" % at,
         "-verify_return_error", *args], capture_output=True, text=True,
        input="", timeout=60, check=False)


def test_a_called_one_and_openssl(net, pki):
    target = Target(net.host(2), "asked", Called(pki.server))
    try:
        good = s_client((net.host(2), 5061), "-CAfile", pki.root.crt,
                        "-verify_hostname", NAME, "-showcerts")
        assert good.returncode == 0, good.stdout + good.stderr
        assert good.stdout.count("BEGIN CERTIFICATE") == 2
        bad = s_client((net.host(2), 5061), "-CAfile", pki.other.crt)
        assert bad.returncode == 1
    finally:
        target.close()


@pytest.mark.parametrize("version", ["1.2", "1.3"])
def test_phones_over_tls_without_a_proxy(net, pki, version):
    ladder = Ladder()
    leaf = pki.leaf("client", "DNS:client.example.com")
    bob = Phone(ladder, "bob", net.host(11), proxy=None,
                called=Called(pki.server, ca=pki.root.crt))
    alice = Phone(ladder, "alice", net.host(10), proxy=(net.host(11), 5061),
                  transport="tls", tls=Caller(None, leaf, NAME, version))
    try:
        # the server's part comes when it looks: it has no thread
        alice.wire.adopt(handshake(alice, bob))
        alice.send("MESSAGE", "sip:bob@example.com", body=b"x" * 50000)
        got = bob.expect("MESSAGE")
        assert got.via.startswith("SIP/2.0/TLS") and len(got.body) == 50000
        assert got.flow.shown == leaf.der
        bob.reply(200)
        assert alice.expect(200).flow.shown == pki.server.der
        bob.wire.drop(got.flow)
        assert alice.wire.wait_closed(alice.wire.flows[0])
    finally:
        alice.close()
        bob.close()


def handshake(alice, bob):
    """Both ends are in this thread: turn by turn."""
    sock = connected(alice.host, alice.proxy)
    sock.settimeout(0.05)
    recv, flow = sock.recv, None

    class Turns:
        """A socket whose reader lets the other end work first."""

        def __getattr__(self, name):
            return getattr(sock, name)

        def recv(self, size):
            bob.wire.pump(1)
            bob.wire.pump(0.05)
            return recv(size)
    flow = alice.tls.over(Turns())
    flow.sock = sock
    sock.settimeout(PATIENCE)
    return flow


PHASES = {
    "silent": "timed out", "hello": "EOF|reset", "cut": "EOF|reset",
    "plain": "wrong version|record layer",
}


@pytest.mark.parametrize("phase", PHASES)
def test_targets_break_off_in_the_handshake(net, pki, phase):
    target = Target(net.host(2), phase, Called(pki.server))
    try:
        with pytest.raises(OSError, match="(?i)" + PHASES[phase]):
            Caller().connect(net.host(3), (net.host(2), 5061),
                             0.5 if phase == "silent" else PATIENCE)
        assert target.accepted == 1
    finally:
        target.close()


@pytest.mark.parametrize("called", [True, False], ids=["tls", "tcp"])
@pytest.mark.parametrize("phase", ["asked", "half", "stuck"])
def test_targets_break_off_after_a_request(net, pki, phase, called):
    called = Called(pki.server) if called else None
    target = Target(net.host(2), phase, called)
    alice = Phone(Ladder(), "alice", net.host(10), proxy=(net.host(2), 5061),
                  transport="tls" if called else "tcp", tls=Caller())
    try:
        alice.send("MESSAGE", "sip:bob@example.com")
        flow = alice.sent_flow
        if phase == "stuck":
            until(lambda: alice.wire.pump(0.02) or flow.got)
            assert not alice.wire.wait_closed(flow, 0.3)
        else:
            assert alice.wire.wait_closed(flow)
        assert flow.got.startswith(b"SIP/2.0 200") == (phase != "asked")
        assert b"\r\n\r\n" not in flow.got
        assert target.requests[0].call_id == alice.sent.call_id
    finally:
        alice.close()
        target.close()


def test_a_session_is_resumed(net, pki, s_server):
    at = s_server()
    caller = Caller(pki.root.crt, name=NAME)
    for resumed in (False, True):
        flow = caller.connect(net.host(3), at)
        assert flow.tls.session_reused == resumed
        flow.send(b"live\n")
        while flow.opened(flow.sock.recv(65536)) == b"":
            pass
        caller.session = flow.tls.session
        flow.sock.close()


