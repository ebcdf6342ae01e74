"""A scene: one daemon, a PBX behind it, phones before it, one ladder."""

import os
from unittest import SkipTest

from .daemon import Daemon, user_line
from .ladder import Ladder
from .net import has_ipv6
from .phone import SDP, Phone
from .sip import uri_of
from .tls import Caller

REALM = "example.com"
# for those who mean to ask, or to fail, more often than anybody should
NO_RATES = {"requests_per_source": "off", "requests_per_user": "off",
            "ban_after": "off", "failures_per_user": "off"}


class Scene:
    """The daemon is at .1, its inner listener (if any) at .2, the PBX at .5,
    alice at .10, bob at .11, mallory at .66."""

    def __init__(self, folder, net, port6):
        self.folder, self.net, self._port6 = str(folder), net, port6
        self.ladder = Ladder()
        self.daemon = Daemon(self.folder)
        self.log = self.daemon.log
        self.actors = []
        self.users = [("alice", "wonderland"), ("bob", "builder")]
        self.at = net.host(1)
        self.proxy = (self.at, 5060)
        self.ladder.call(self.proxy, "sipbouncer")
        self.ladder.call((self.at, None), "sipbouncer")
        self.ladder.call((net.host(2), None), "sipbouncer")

    @property
    def port6(self):
        """A port on [::1], which not every machine has."""
        if not has_ipv6():
            raise SkipTest("no IPv6 here")
        return self._port6

    # ---- the daemon

    def config(self, **changes):
        """The smallest useful configuration, with quick timers."""
        out = {
            "realm": REALM,
            "state_dir": os.path.join(self.folder, "state"),
            "listen": [{"uri": "sip:%s:5060" % self.at}],
            "users": {"type": "file", "path": "users"},
            "peers": [self.pbx_peer()],
            "routes": [{"to": "pbx"}],
            "timers": {"t1": "100ms"},
            "log": {"level": "debug"},
        }
        out.update(changes)
        return out

    def pbx_peer(self, **changes):
        host = self.net.host(5)
        out = {"name": "pbx", "uri": "sip:%s:5060" % host,
               "from": [host], "auth": "ip"}
        out.update(changes)
        return out

    def inside_listener(self):
        """listen and peers with the PBX behind a listener of its own."""
        return {
            "listen": [
                {"name": "public", "uri": "sip:%s:5060" % self.at},
                {"name": "inside", "uri": "sip:%s:5060" % self.net.host(2)}],
            "peers": [self.pbx_peer(listener="inside")]}

    def listeners(self, *secure):
        """listen: the plain one, and what secure_listener() made."""
        return [{"name": "plain", "uri": "sip:%s:5060" % self.at}, *secure]

    def secure_listener(self, shown, **changes):
        """An entry of listen for TLS; shown: an identity of pki.py."""
        out = {"name": "secure", "uri": "sips:%s:5061" % self.at,
               "certificate": shown.chain, "key": shown.key}
        out.update(changes)
        return out

    def write_users(self, lines=None):
        path = os.path.join(self.folder, "users")
        if lines is None:
            lines = [user_line(u[0], REALM, u[1], *u[2:]) for u in self.users]
        with open(path + ".new", "w", encoding="utf-8") as f:
            f.writelines(lines)
        os.chmod(path + ".new", 0o600)
        os.rename(path + ".new", path)
        return path

    def write_config(self, **changes):
        os.makedirs(os.path.join(self.folder, "state"), mode=0o700,
                    exist_ok=True)
        self.write_users()
        self.daemon.configure(self.config(**changes))

    def start(self, **changes):
        self.write_config(**changes)
        self.daemon.start()
        self.ladder.note("sipbouncer started")
        return self

    def restart(self):
        self.daemon.stop()
        self.daemon.start()
        self.ladder.note("sipbouncer restarted")

    # ---- the others

    def phone(self, name, number, port=5060, **more):
        more.setdefault("proxy", self.proxy)
        more.setdefault("password", dict(
            (u[0], u[1]) for u in self.users).get(more.get("user", name)))
        out = Phone(self.ladder, name, self.net.host(number), port, **more)
        self.actors.append(out)
        return out

    def alice(self, **more):
        return self.phone("alice", 10, **more)

    def bob(self, **more):
        return self.phone("bob", 11, **more)

    def mallory(self, **more):
        more.setdefault("password", "guess")
        return self.phone("mallory", 66, **more)

    def secure(self, name, number, caller=None, **more):
        """A phone over TLS."""
        more.setdefault("proxy", (self.at, 5061))
        return self.phone(name, number, transport="tls",
                          tls=caller or Caller(), **more)

    def pbx(self, number=5, name="pbx", **more):
        more.setdefault("tcp_listen", True)
        return self.phone(name, number, **more)

    def elsewhere(self, phone, name, number, **more):
        out = phone.elsewhere(name, self.net.host(number), **more)
        self.actors.append(out)
        return out

    def drain(self):
        """Bring what nobody waited for into the ladder."""
        for actor in self.actors:
            try:
                while actor.receive(timeout=0.02):
                    pass
            except (OSError, ValueError, KeyError):
                pass

    def logs(self):
        return [("log", self.log)]

    def close(self):
        for actor in self.actors:
            actor.close()
        self.daemon.stop()


# ---- ladders that many scenarios begin with

def ask(phone, method="OPTIONS", uri="sip:bob@example.com", **parts):
    """Send, get the 407, answer it."""
    phone.send(method, uri, **parts)
    phone.expect((401, 407))
    return phone.answer()


def serve(phone, pbx, status=200, method="OPTIONS", **parts):
    """A whole authenticated transaction; returns what the PBX got."""
    ask(phone, method, **parts)
    got = pbx.expect(method)
    pbx.reply(status)
    phone.expect(status)
    return got


def ringing(caller, callee, uri="sip:bob@example.com", **parts):
    """An authenticated INVITE that rings."""
    ask(caller, "INVITE", uri, body=SDP, **parts)
    invite = callee.expect("INVITE")
    callee.reply(180)
    caller.expect(180)
    return invite


def call(caller, callee, uri="sip:bob@example.com", **parts):
    """An established call; returns the INVITE that the callee got."""
    invite = ringing(caller, callee, uri, **parts)
    callee.reply(200, body=SDP)
    caller.expect(200)
    caller.ack()
    callee.expect("ACK")
    return invite


def call_in(pbx, phone, uri, **parts):
    """The PBX calls a phone; returns the INVITE that the phone got."""
    pbx.send("INVITE", uri, body=SDP, **parts)
    invite = phone.expect("INVITE")
    phone.reply(180)
    pbx.expect(180)
    phone.reply(200, body=SDP)
    pbx.expect(200)
    pbx.ack()
    phone.expect("ACK")
    return invite


def register(phone, pbx, supported=True, **parts):
    """Returns what the registrar remembers: (contact URI, path)."""
    headers = [("Supported", "path, gruu")] if supported else []
    ask(phone, "REGISTER", "sip:example.com",
        headers=headers + parts.pop("headers", []), **parts)
    got = pbx.expect("REGISTER")
    contact = got["Contact"]
    echo = [("Path", v) for v in got.all("Path")]
    pbx.reply(200, contact=contact + ";expires=600", headers=echo)
    phone.expect(200)
    return uri_of(contact), got.values("Path")


def refused(phone, status, method="OPTIONS", uri="sip:bob@example.com",
            **parts):
    """Sent, and proved by digest if asked to, it ends with this status."""
    phone.send(method, uri, **parts)
    got = phone.expect((status, 401, 407))
    if got.status != status:
        phone.answer()
        got = phone.expect(status)
    return got
