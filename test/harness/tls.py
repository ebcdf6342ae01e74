"""TLS for scripted endpoints, over bytes in memory: no call of it waits."""

import ssl

from .patience import PATIENCE
from .wire import TcpFlow, connected

VERSIONS = {"1.2": ssl.TLSVersion.TLSv1_2, "1.3": ssl.TLSVersion.TLSv1_3}


def new_context(side, version, identity, alpn):
    out = ssl.SSLContext(side)
    if version is not None:
        out.minimum_version = out.maximum_version = VERSIONS[version]
    if identity is not None:
        out.load_cert_chain(identity.chain, identity.key)
    if alpn:
        out.set_alpn_protocols(list(alpn))
    return out


class Caller:
    """What a phone brings to TLS.

    ca        file of the authorities that it believes; None: believes all
    identity  its own certificate (pki.py), or None
    name      whom it calls (SNI), and who must be there if it has a ca
    version   "1.2" or "1.3" and no other; None: either
    """

    def __init__(self, ca=None, identity=None, name=None, version=None,
                 alpn=()):
        self.name = name
        self.session = None         # to be resumed by the next flow
        self.context = new_context(ssl.PROTOCOL_TLS_CLIENT, version, identity,
                                   alpn)
        self.context.check_hostname = False
        self.context.verify_mode = ssl.CERT_NONE
        if ca is not None:
            self.context.load_verify_locations(ca)
            self.context.verify_mode = ssl.CERT_REQUIRED
            self.context.check_hostname = name is not None

    def connect(self, host, remote, timeout=PATIENCE, before=b""):
        """From an address; `before` goes out ahead of TLS."""
        sock = connected(host, remote, timeout)
        sock.sendall(before)
        return self.over(sock)

    def over(self, sock):
        """A flow, its handshake done."""
        flow = TlsFlow(sock, self.context.wrap_bio, server_hostname=self.name,
                       session=self.session)
        try:
            while not flow.ready:
                flow.handshake()
                if not flow.ready:
                    flow.take_raw(sock.recv(65536))
        except OSError:
            sock.close()
            raise
        return flow


class Called:
    """What a scripted server shows, and asks for."""

    def __init__(self, identity, ca=None, version=None, alpn=()):
        self.context = new_context(ssl.PROTOCOL_TLS_SERVER, version, identity,
                                   alpn)
        if ca is not None:
            self.context.load_verify_locations(ca)
            self.context.verify_mode = ssl.CERT_REQUIRED

    def over(self, sock):
        """A flow, its handshake yet to come."""
        return TlsFlow(sock, self.context.wrap_bio, server_side=True)


class TlsFlow(TcpFlow):
    transport = "tls"

    def __init__(self, sock, wrap, **how):
        super().__init__(sock)
        self.incoming, self.outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        self.tls = wrap(self.incoming, self.outgoing, **how)
        self.ready = False

    @property
    def shown(self):
        """The certificate of the other end, its bytes; or None."""
        return self.tls.getpeercert(True)

    def flush(self):
        data = self.outgoing.read()
        if data:
            self.sock.sendall(data)

    def handshake(self):
        try:
            self.tls.do_handshake()
            self.ready = True
        except ssl.SSLWantReadError:
            pass
        finally:
            self.flush()

    def take_raw(self, data):
        if data:
            self.incoming.write(data)
        else:
            self.incoming.write_eof()

    def opened(self, data):
        """What was said in these bytes from the socket."""
        self.take_raw(data)
        if not self.ready:
            self.handshake()
        out = b""
        try:
            while self.ready and not self.ended:
                piece = self.tls.read(65536)
                self.ended = not piece      # it said goodbye
                out += piece
        except ssl.SSLWantReadError:
            self.flush()
        except ssl.SSLError as why:
            self.failure = why
            self.ended = True
        return out

    def sealed(self, data):
        """A record of it, as it goes out."""
        self.tls.write(data)
        return self.outgoing.read()

    def send(self, data):
        self.sock.sendall(self.sealed(data))


def refused_by(caller, host, remote, ask=b"\r\n\r\n", answer=b"\r\n",
               timeout=PATIENCE):
    """The words of TLS when the other end turns a caller away; None: it
    answers.  In TLS 1.3 a refusal comes after the caller's part of the
    handshake."""
    try:
        flow = caller.connect(host, remote, timeout)
    except ssl.SSLError as why:
        return str(why)
    except ConnectionError:
        return "broken off"
    try:
        flow.send(ask)
        while not flow.ended:
            if flow.opened(flow.sock.recv(65536)) == answer:
                return None
        return str(flow.failure or "closed")
    except ConnectionError:
        return str(flow.failure or "broken off")
    finally:
        flow.sock.close()
