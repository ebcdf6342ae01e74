"""Scripted endpoints: a phone, a PBX, a stranger.

A scenario reads like a ladder:

    alice.send("INVITE", "sip:bob@example.com")
    alice.expect(407)
    alice.answer()
    pbx.expect("INVITE")
    pbx.reply(180)
    alice.expect(180)
    pbx.reply(200)
    alice.expect(200)
    alice.ack()
    pbx.expect("ACK")

A phone does by itself only what a transaction layer must: it acknowledges
final answers other than 2xx to its INVITE, and does not show retransmissions
of what it has seen (expect_again() does).
"""

import copy
import re
import secrets
import time

from . import digest, sip
from .patience import PATIENCE
from .sip import Message, host_port, host_text, params_of, uri_of, uri_params
from .wire import Wire

ANSWERED_IN = {"Proxy-Authenticate": "Proxy-Authorization",
               "WWW-Authenticate": "Authorization"}
SDP = ("v=0\r\no=- 1 1 IN IP4 192.0.2.1\r\ns=-\r\nc=IN IP4 192.0.2.1\r\n"
       "t=0 0\r\nm=audio 40000 RTP/AVP 0\r\n")


class Dialog:
    """RFC 3261 12: what either side remembers."""

    def __init__(self, call_id, local, remote, routes, target, cseq=1):
        self.call_id = call_id
        self.local, self.remote = local, remote     # with tags
        self.routes, self.target = routes, target
        self.cseq = cseq

    @classmethod
    def of_caller(cls, request, response):
        return cls(request.call_id, request["From"], response["To"],
                   list(reversed(response.values("Record-Route"))),
                   uri_of(response.get("Contact", request.uri)),
                   request.cseq[0])

    @classmethod
    def of_callee(cls, request, response):
        return cls(request.call_id, response["To"], request["From"],
                   request.values("Record-Route"),
                   uri_of(request.get("Contact", request["From"])),
                   secrets.randbelow(1000) + 1)


class Phone:
    """One endpoint.

    claims   the address it writes into Via and Contact; a phone behind NAT
             claims a private one
    proxy    where it sends what has no Route, (host, port)
    tls      how it calls over TLS (tls.py: Caller)
    called   what it shows as a server of TLS (Called), at tls_port
    """

    def __init__(self, ladder, name, host, port=5060, *, proxy,
                 transport="udp", claims=None, user=None, password=None,
                 domain="example.com", tcp_listen=False, tls=None,
                 called=None, tls_port=5061, before=b""):
        self.ladder, self.name, self.tls = ladder, name, tls
        self.wire = Wire(host, port, udp=transport == "udp" or tcp_listen,
                         tcp_listen=tcp_listen, before=before)
        if called is not None:
            self.wire.listen(tls_port, called.over)
        self.host, self.port = host, self.wire.port or 5060
        self.proxy, self.transport = proxy, transport
        self.claims = claims or (host, self.port)
        self.user, self.password = user or name, password
        self.aor = "sip:%s@%s" % (self.user, domain)
        self.contact = "sip:%s@%s:%d%s" % (
            self.user, host_text(self.claims[0]), self.claims[1],
            "" if transport == "udp" else ";transport=" + transport)
        self.sent = None            # last request sent
        self.invite = None          # last INVITE sent
        self.sent_flow = None       # and how that went out
        self.response = None        # last response received
        self.request = None         # last request received but ACK
        self.tags = {}              # our To tag by Call-ID
        self.dialog = None
        self.challenges = []        # of the last 401 or 407
        self.nc = {}                # uses by nonce
        self.seen = set()           # bytes received
        self.auto_ack = True
        ladder.call((host, self.port), name)
        ladder.call((host, None), name)

    # ---- sending

    def flow_to(self, host, port, transport):
        if transport == "udp":
            return self.wire.udp_to((host, port))
        for flow in reversed(self.wire.flows):
            if flow.remote == (host, port) and not flow.closed \
                    and flow.transport == transport:
                return flow
        return self.wire.connect(
            (host, port), tls=self.tls if transport == "tls" else None)

    def default_flow(self):
        return self.flow_to(*self.proxy, self.transport)

    def put(self, data, flow=None):
        """Bytes on the wire."""
        flow = flow or self.default_flow()
        self.ladder.step(self.name, self.ladder.name_of(*flow.remote), data)
        flow.send(data)
        return flow

    def raw(self, data, flow=None):
        if isinstance(data, str):
            data = sip.octets(data)
        return self.put(data, flow)

    def make(self, method, uri, *, to=None, from_=None, call_id=None, cseq=1,
             branch=None, route=(), contact=True, headers=(), body=b"",
             max_forwards="70", transport=None):
        """A request of ours; None for a header leaves it out."""
        if isinstance(body, str):
            body = sip.octets(body)
        transport = transport or self.transport
        out = Message("%s %s SIP/2.0" % (method, uri))
        out.add("Via", "SIP/2.0/%s %s:%d;branch=%s;rport" % (
            transport.upper(), host_text(self.claims[0]), self.claims[1],
            branch or sip.new_branch()))
        if max_forwards is not None:
            out.add("Max-Forwards", max_forwards)
        for hop in route:
            out.add("Route", hop)
        out.add("From", from_ or "<%s>;tag=%s" % (self.aor, sip.new_tag()))
        if to is None:
            to = self.aor if method == "REGISTER" else uri
        out.add("To", to if "<" in to else "<%s>" % to)
        out.add("Call-ID", call_id or secrets.token_hex(8))
        out.add("CSeq", "%d %s" % (cseq, method))
        if contact is True and method not in ("ACK", "CANCEL", "BYE"):
            out.add("Contact", "<%s>" % self.contact)
        elif contact and contact is not True:
            out.add("Contact", contact)
        for name, value in headers:
            out.add(name, value)
        if body and not out.has("Content-Type"):
            out.add("Content-Type", "application/sdp")
        out.add("Content-Length", str(len(body)))
        out.body = body
        return out

    def post(self, request, flow=None):
        """Send a request that was made."""
        self.sent = request
        request.raw = request.encode()
        flow = self.put(request.raw, flow)
        self.sent_flow = flow
        if request.method == "INVITE":
            self.invite, self.invite_flow = request, flow
        return request

    def send(self, method, uri, *, auth=None, flow=None, **parts):
        request = self.make(method, uri, **parts)
        if auth is not None:
            self.authorize(request, **auth)
        return self.post(request, flow)

    def resend(self, flow=None):
        """The same bytes once more: a retransmission."""
        return self.put(self.sent.raw, flow or self.sent_flow)

    # ---- credentials

    def challenge(self, pick=None):
        """The challenge to answer: by algorithm, or the first."""
        for name, value in self.challenges:
            got = digest.parse(value)
            if pick is None or got.get("algorithm", "MD5") == pick:
                return name, got
        raise AssertionError("%s was not challenged with %s" % (
            self.name, pick or "anything"))

    def authorize(self, request, *, pick=None, header=None, header_name=None,
                  nc=None, password=None, top=False, **fields):
        """Add credentials; any field of digest.Answer can be overridden."""
        if header is not None:
            name = header_name or "Proxy-Authorization"
            request.add(name, header)
            return request
        challenged_in, got = self.challenge(pick)
        name = header_name or challenged_in
        answer = digest.Answer(
            got, request.method, request.uri, self.user,
            self.password if password is None else password, request.body)
        for field, value in fields.items():
            assert hasattr(answer, field), field
            setattr(answer, field, value)
        if nc is None:
            nc = self.nc[answer.nonce] = self.nc.get(answer.nonce, 0) + 1
        answer.nc = nc if isinstance(nc, str) else "%08x" % nc
        (request.push if top else request.add)(name, answer.text())
        return request

    def again(self, **edit):
        """The last request as a new one: next CSeq, new branch, no
        credentials.  edit: method-independent parts to set."""
        out = self.sent.copy()
        number, method = out.cseq
        out.set("CSeq", "%d %s" % (number + 1, method))
        out.set("Via", re.sub(r"branch=[^;,\s]+",
                              "branch=" + sip.new_branch(), out["Via"]))
        out.remove("Proxy-Authorization").remove("Authorization")
        if "body" in edit:
            out.body = sip.octets(edit["body"])
            out.set("Content-Length", str(len(out.body)))
        return out

    def answer(self, flow=None, **credentials):
        """Send the last request again with credentials."""
        if self.dialog and self.sent.call_id == self.dialog.call_id:
            self.dialog.cseq = self.sent.cseq[0] + 1
        request = self.authorize(self.again(), **credentials)
        return self.post(request, flow or self.sent_flow)

    # ---- in dialogs

    def in_dialog(self, method, dialog=None, *, auth=None, flow=None, **parts):
        """A request inside a dialog, routed as RFC 3261 12.2.1.1 says."""
        dialog = dialog or self.dialog
        if method not in ("ACK", "CANCEL"):
            dialog.cseq += 1
        uri, routes = parts.pop("uri", dialog.target), list(dialog.routes)
        if routes and "lr" not in uri_params(uri_of(routes[0])):
            routes.append("<%s>" % uri)
            uri = uri_of(routes.pop(0))
        parts.setdefault("cseq", dialog.cseq)
        parts.setdefault("from_", dialog.local)
        parts.setdefault("to", dialog.remote)
        parts.setdefault("call_id", dialog.call_id)
        parts.setdefault("route", routes)
        flow = flow or self.flow_of_dialog(dialog)
        parts.setdefault("transport", flow.transport)
        request = self.make(method, uri, **parts)
        if auth is not None:
            self.authorize(request, **auth)
        if method == "ACK":
            request.raw = request.encode()
            self.put(request.raw, flow)
            return request
        return self.post(request, flow)

    def flow_of_dialog(self, dialog):
        if self.claims != (self.host, self.port) or self.transport != "udp":
            return self.default_flow()
        hop = uri_of(dialog.routes[0]) if dialog.routes else dialog.target
        transport = uri_params(hop).get("transport", "udp").lower()
        if hop.startswith("sips:"):
            transport = "tls"
        host, port = host_port(hop, 5061 if transport == "tls" else 5060)
        if not re.match(r"^[0-9.]+$|:", host):
            return self.default_flow()
        return self.flow_to(host, port, transport)

    def ack(self, **parts):
        """ACK to the 2xx."""
        parts.setdefault("cseq", self.invite.cseq[0])
        return self.in_dialog("ACK", **parts)

    def bye(self, **parts):
        return self.in_dialog("BYE", **parts)

    def ack_failure(self, response):
        """ACK to another final answer: same hop, same branch."""
        invite = self.invite
        out = Message("ACK %s SIP/2.0" % invite.uri)
        out.add("Via", invite["Via"])
        for hop in invite.all("Route"):
            out.add("Route", hop)
        out.add("From", invite["From"]).add("To", response["To"])
        out.add("Call-ID", invite.call_id)
        out.add("CSeq", "%d ACK" % invite.cseq[0])
        out.add("Max-Forwards", "70").add("Content-Length", "0")
        self.put(out.encode(), self.invite_flow)
        return out

    def cancel(self, *, flow=None, headers=(), **edit):
        """RFC 3261 9.1."""
        invite = self.invite
        out = Message("CANCEL %s SIP/2.0" % invite.uri)
        out.add("Via", edit.get("via", invite["Via"]))
        for hop in invite.all("Route"):
            out.add("Route", hop)
        out.add("From", invite["From"]).add("To", invite["To"])
        out.add("Call-ID", invite.call_id)
        out.add("CSeq", "%d CANCEL" % invite.cseq[0])
        out.add("Max-Forwards", "70")
        for name, value in headers:
            out.add(name, value)
        out.add("Content-Length", "0")
        self.put(out.encode(), flow or self.invite_flow)
        return out

    # ---- replying

    def reply(self, status, *, to=None, reason=None, headers=(), body=b"",
              contact=True, tag=None, flow=None, edit=None):
        """Answer the last request received (or the one given as `to`)."""
        request = to or self.request
        assert request is not None, "%s has nothing to answer" % self.name
        tag = tag or self.tags.setdefault(request.call_id, sip.new_tag())
        if isinstance(body, str):
            body = sip.octets(body)
        out = sip.response_to(request, status, reason, tag)
        creates = request.method in ("INVITE", "SUBSCRIBE", "REFER")
        if creates and 100 < status < 300:
            for value in request.all("Record-Route"):
                out.add("Record-Route", value)
            if contact is True:
                out.add("Contact", "<%s>" % self.contact)
        if contact and contact is not True:
            out.add("Contact", contact)
        for name, value in headers:
            out.add(name, value)
        if body and not out.has("Content-Type"):
            out.add("Content-Type", "application/sdp")
        out.add("Content-Length", str(len(body)))
        out.body = body
        if edit is not None:
            edit(out)
        out.raw = out.encode()
        self.put(out.raw, flow or self.flow_back(request))
        if request.method == "INVITE" and 200 <= status < 300 \
                and "tag" not in params_of(request["To"]):
            self.dialog = Dialog.of_callee(request, out)
        return out

    def flow_back(self, request):
        """RFC 3261 18.2.2 and RFC 3581."""
        flow = request.flow
        if flow.transport != "udp":
            return flow
        params = params_of(request.via)
        host, port = flow.remote[0], flow.remote[1]
        if "rport" not in params:
            port = host_port(request.via.split()[1])[1]
        return self.wire.udp_to((host, port))

    # ---- receiving

    def receive(self, timeout=PATIENCE, again=False):
        """The next message that is not a retransmission, or None."""
        deadline = time.monotonic() + timeout
        while True:
            got = self.wire.next(deadline - time.monotonic())
            if got is None:
                return None
            self.ladder.step(self.ladder.name_of(*got.flow.remote),
                             self.name, got.data)
            if not got.data.strip():
                continue            # keep-alive
            key = (got.data, got.flow.remote)
            if (key in self.seen) != again:
                continue
            self.seen.add(key)
            message = Message.parse(got.data)
            message.flow = got.flow
            message.when = got.when
            return message

    def expect(self, what, timeout=PATIENCE, again=False):
        """The next message must be this method, or this status."""
        deadline = time.monotonic() + timeout
        while True:
            got = self.receive(deadline - time.monotonic(), again)
            if got is None or what == 100 or got.status != 100:
                break
        assert got is not None, "%s waited %.1f s for %s in vain" % (
            self.name, timeout, what)
        found = got.method if got.is_request else got.status
        if isinstance(what, (tuple, list, set, range)):
            fits = found in what
        else:
            fits = found == what
        assert fits, "%s expected %s, got: %s" % (
            self.name, what, got.start)
        self._note(got)
        return got

    def expect_again(self, what, timeout=PATIENCE):
        """A retransmission of something seen."""
        return self.expect(what, timeout, again=True)

    def _note(self, got):
        if got.is_request:
            if got.method != "ACK":
                self.request = got
            return
        self.response = got
        if got.status in (401, 407):
            self.challenges = [
                (ANSWERED_IN[n], v) for n, v in got.headers
                if n in ANSWERED_IN]
        if got.cseq[1] != "INVITE" or self.invite is None:
            return
        if got.status >= 300 and self.auto_ack:
            self.ack_failure(got)
        if 200 <= got.status < 300 and not params_of(
                self.invite["To"]).get("tag"):
            self.dialog = Dialog.of_caller(self.invite, got)

    def expect_nothing(self, seconds=0.3, but=()):
        """Silence, apart from retransmissions, 100 and what `but` allows."""
        deadline = time.monotonic() + seconds
        while True:
            got = self.receive(deadline - time.monotonic())
            if got is None:
                return
            found = got.method if got.is_request else got.status
            assert found == 100 or found in but, \
                "%s expected silence, got: %s" % (self.name, got.start)

    # ---- other places

    def elsewhere(self, name, host, port=0, **more):
        """The same user from another address, remembering the challenge."""
        other = Phone(self.ladder, name, host, port, proxy=self.proxy,
                      user=self.user, password=self.password,
                      transport=more.pop("transport", self.transport), **more)
        other.challenges, other.nc = self.challenges, self.nc
        other.sent, other.invite = self.sent, self.invite
        other.aor = self.aor
        other.dialog = copy.copy(self.dialog)
        return other

    def close(self):
        self.wire.close()


def first_of(*phones):
    """Whichever of them hears something first, and what."""
    deadline = time.monotonic() + PATIENCE
    while True:
        late = time.monotonic() > deadline
        for phone in phones:
            got = phone.receive(timeout=0.01)
            if got is not None and got.status != 100:
                phone._note(got)
                return phone, got
        assert not late, "%s waited in vain" % " and ".join(
            phone.name for phone in phones)
