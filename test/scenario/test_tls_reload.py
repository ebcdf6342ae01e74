"""Certificates, authorities and lists that change while we run."""

import os
import shutil
import time

import pytest

from harness.patience import PATIENCE, until
from harness.pki import DAY, read, write
from harness.scene import serve
from harness.tls import Called, Caller, refused_by

CARRIER = "carrier.example.net"
LOOK = 10                           # the files are looked at so often, in s


@pytest.fixture
def files(scene, pki):
    """A folder that the daemon reads, with what changes in it."""
    return Files(scene, pki)


class Files:
    def __init__(self, scene, pki):
        self.scene, self.pki = scene, pki
        self.chain, self.key, self.crl, self.ca = (
            os.path.join(scene.folder, name)
            for name in ("chain.pem", "key.pem", "list.crl", "ca.pem"))
        self.show(pki.server)
        self.revoke()
        self.trust(pki.root)

    def show(self, identity):
        write(self.key, read(identity.key))
        write(self.chain, read(identity.chain))

    def revoke(self, *revoked, **more):
        write(self.crl, self.pki.lists(revoked, **more))

    def trust(self, authority):
        write(self.ca, read(authority.crt))

    def listener(self, **changes):
        return self.scene.secure_listener(self.pki.server, **dict({
            "certificate": self.chain, "key": self.key, "client_ca": self.ca,
            "client_certificate": "optional", "crl": self.crl}, **changes))

    def config(self, **changes):
        changes.setdefault("listen", self.scene.listeners(self.listener()))
        changes.setdefault("peers", [
            self.scene.pbx_peer(),
            {"name": "carrier", "certificate": [CARRIER]}])
        return changes

    def start(self, **changes):
        self.scene.start(**self.config(**changes))

    def loaded(self):
        return len(self.scene.log.find(event="tls.load"))

    def reload(self, event="tls.load"):
        """SIGHUP, and until the log says how it went."""
        before = len(self.scene.log.find(event=event))
        self.scene.daemon.reload()
        return self.scene.log.has(event=event, count=before + 1)


def shown(scene, **caller):
    flow = Caller(**caller).connect(scene.net.host(66), (scene.at, 5061))
    flow.sock.close()
    return flow.shown


def newer(pki):
    return pki.leaf("newer", "DNS:sip.example.com")


def carrier_is_in(scene, caller):
    return refused_by(caller, scene.net.host(66), (scene.at, 5061)) is None


# ---- what we show

def test_a_new_certificate_by_signal(scene, pki, files):
    files.start()
    alice, pbx = scene.secure("alice", 10), scene.pbx()
    serve(alice, pbx)
    files.show(newer(pki))
    assert shown(scene) == pki.server.der
    files.reload()
    assert shown(scene) == newer(pki).der
    # who is here already stays
    serve(alice, pbx)
    assert len(alice.wire.flows) == 1
    assert alice.sent_flow.shown == pki.server.der


def test_a_new_certificate_is_seen(scene, pki, files):
    files.start()
    before = files.loaded()
    files.show(newer(pki))
    scene.log.has(event="tls.load", count=before + 1, timeout=LOOK + PATIENCE)
    assert shown(scene) == newer(pki).der


def test_files_that_did_not_change_are_not_read_again(scene, files):
    files.start()
    scene.log.has_not(settle=LOOK + 1, event="tls.keep")
    assert files.loaded() == 1


def test_another_path_by_signal(scene, pki, files):
    files.start()
    other = newer(pki)
    scene.write_config(**files.config(listen=scene.listeners(
        files.listener(certificate=other.combined, key=None))))
    files.reload()
    assert shown(scene) == other.der


BROKEN = {
    "empty": "", "text": "hello\n",
    "half": "-----BEGIN CERTIFICATE-----\nMIIB\n",
}


@pytest.mark.parametrize("which, what, how", [
    ("chain", "half", "seen"),      # one is enough to wait for
    *((which, what, "signal") for which in ("chain", "ca", "crl")
      for what in BROKEN)])
def test_a_broken_file_changes_nothing(scene, pki, files, which, what, how):
    files.start()
    before = files.loaded()
    path = getattr(files, which)
    write(path, BROKEN[what])
    if how == "signal":
        said = files.reload("tls.keep")
    else:
        said = scene.log.has(event="tls.keep", timeout=LOOK + PATIENCE)
    assert path in said["reason"]
    assert shown(scene) == pki.server.der
    assert files.loaded() == before
    assert carrier_is_in(scene, Caller(
        identity=pki.leaf("carrier", "DNS:" + CARRIER)))
    alice, pbx = scene.secure("alice", 10), scene.pbx()
    serve(alice, pbx)


def test_a_certificate_with_another_key_changes_nothing(scene, pki, files):
    # what is seen between the two files of a new certificate
    files.start()
    write(files.key, read(newer(pki).key))
    files.reload("tls.keep")
    assert shown(scene) == pki.server.der
    write(files.chain, read(newer(pki).chain))
    files.reload()
    assert shown(scene) == newer(pki).der


def test_a_file_that_is_gone_changes_nothing(scene, pki, files):
    files.start()
    os.unlink(files.chain)
    files.reload("tls.keep")
    assert shown(scene) == pki.server.der


def test_one_broken_file_holds_all_back(scene, pki, files):
    files.start()
    files.show(newer(pki))
    write(files.crl, BROKEN["half"])
    files.reload("tls.keep")
    assert shown(scene) == pki.server.der
    files.revoke()
    files.reload()
    assert shown(scene) == newer(pki).der


def test_a_folder_of_lists(scene, pki, files):
    revoked = pki.leaf("revoked", "DNS:" + CARRIER)
    folder = os.path.join(scene.folder, "lists")
    os.mkdir(folder)
    shutil.copy(files.crl, folder + "/all.pem")
    files.start(listen=scene.listeners(files.listener(crl=folder)))
    caller = Caller(identity=revoked)
    assert carrier_is_in(scene, caller)
    write(folder + "/more.pem", pki.issuing.crl([revoked]))
    os.unlink(folder + "/all.pem")
    write(folder + "/root.pem", pki.root.crl())
    files.reload()
    assert not carrier_is_in(scene, caller)


# ---- whom we believe

def test_a_list_that_grew_refuses_newcomers(scene, pki, files):
    revoked = pki.leaf("revoked", "DNS:" + CARRIER)
    files.start()
    carrier = scene.secure("carrier", 7, Caller(identity=revoked))
    pbx = scene.pbx()
    carrier.send("OPTIONS", "sip:bob@example.com")
    pbx.expect("OPTIONS")
    pbx.reply(200)
    carrier.expect(200)
    files.revoke(revoked)
    files.reload()
    # the connection that was good when it began stays
    carrier.send("OPTIONS", "sip:bob@example.com")
    pbx.expect("OPTIONS")
    pbx.reply(200)
    carrier.expect(200)
    assert not carrier_is_in(scene, Caller(identity=revoked))
    scene.log.has(event="transport.refuse", reason="tls-revoked")


@pytest.mark.parametrize("version", ["1.2", "1.3"])
def test_a_ticket_does_not_outlive_a_revocation(scene, pki, files, version):
    revoked = pki.leaf("revoked", "DNS:" + CARRIER)
    files.start()
    caller = Caller(identity=revoked, version=version)
    carrier, pbx = scene.secure("carrier", 7, caller), scene.pbx()
    carrier.send("OPTIONS", "sip:bob@example.com")
    pbx.expect("OPTIONS")
    pbx.reply(200)
    carrier.expect(200)
    caller.session = carrier.sent_flow.tls.session
    assert carrier_is_in(scene, caller)
    files.revoke(revoked)
    files.reload()
    assert not carrier_is_in(scene, caller)


def test_a_list_that_is_seen(scene, pki, files):
    revoked = pki.leaf("revoked", "DNS:" + CARRIER)
    files.start()
    before = files.loaded()
    files.revoke(revoked)
    scene.log.has(event="tls.load", count=before + 1, timeout=LOOK + PATIENCE)
    assert not carrier_is_in(scene, Caller(identity=revoked))


def test_a_list_that_is_renewed_lets_in_again(scene, pki, files):
    files.revoke(ends=-DAY)
    files.start()
    caller = Caller(identity=pki.leaf("carrier", "DNS:" + CARRIER))
    assert not carrier_is_in(scene, caller)
    files.revoke()
    files.reload()
    assert carrier_is_in(scene, caller)


def test_another_authority(scene, pki, files):
    write(files.crl, pki.lists(), pki.other.crl())
    files.start()
    ours = Caller(identity=pki.leaf("carrier", "DNS:" + CARRIER))
    theirs = Caller(identity=pki.other.leaf("carrier", "DNS:" + CARRIER))
    assert carrier_is_in(scene, ours) and not carrier_is_in(scene, theirs)
    files.trust(pki.other)
    files.reload()
    assert carrier_is_in(scene, theirs) and not carrier_is_in(scene, ours)


def test_whom_we_believe_as_a_client(scene, pki, files, dns):
    name = "pbx.example.test"
    dns.add(name, "A", scene.net.host(5))
    files.start(resolv_conf=dns.conf, tls={"ca": files.ca},
                peers=[scene.pbx_peer(uri="sips:" + name)])
    pbx = scene.pbx(called=Called(pki.leaf("pbx", "DNS:" + name)))
    alice = scene.alice()
    first = serve(alice, pbx).flow
    files.trust(pki.other)
    write(files.crl, pki.lists(), pki.other.crl())
    files.reload()
    pbx.wire.drop(first)
    until(lambda: scene.daemon.metrics()[
        "transport_connections", "outgoing"] == 0)
    alice.send("OPTIONS", "sip:bob@example.com")
    alice.expect(407)
    alice.answer()

    def heard():
        pbx.expect_nothing(0.02)
        return alice.receive(timeout=0.02)
    assert until(heard).status == 500
    scene.log.has(event="transport.refuse", reason="tls-unknown-authority")


# ---- the end comes near

@pytest.mark.parametrize("days, warned", [(3, True), (20, False)])
def test_a_certificate_that_ends_soon(scene, pki, days, warned):
    ends = days * DAY
    identity = pki.leaf("sip", "DNS:sip.example.com", ends=ends)
    scene.start(listen=scene.listeners(scene.secure_listener(identity)))
    gauge = scene.daemon.metrics()[
        "tls_certificate_expires_seconds", "secure"]
    assert abs(gauge - time.time() - ends) < 600
    if warned:
        said = scene.log.has(event="tls.expires", of="secure")
        assert said["days_left"] in ("2", "3")
    else:
        scene.log.has_not(event="tls.expires")


def test_a_certificate_that_has_ended_still_serves(scene, pki):
    # better than nothing: phones that verify will say so
    identity = pki.leaf("old", "DNS:sip.example.com", begins=-3 * DAY,
                        ends=-DAY)
    scene.start(listen=scene.listeners(scene.secure_listener(identity)))
    scene.log.has(event="tls.expires", of="secure")
    assert shown(scene) == identity.der
