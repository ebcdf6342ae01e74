"""Digest from the client's side: RFC 7616, RFC 2069, RFC 8760.

Written apart from the daemon's arithmetic, and checked against the published
vectors in test_harness.py.
"""

import hashlib
import re
import secrets

HASHES = {"MD5": "md5", "SHA-256": "sha256", "SHA-512-256": "sha512_256"}


def hash_hex(algorithm, data):
    base = algorithm[:-5] if algorithm.lower().endswith("-sess") else algorithm
    name = {k.lower(): v for k, v in HASHES.items()}[base.lower()]
    if isinstance(data, str):
        data = data.encode("utf-8", "surrogateescape")
    return hashlib.new(name, data).hexdigest()


def ha1(algorithm, user, realm, password):
    return hash_hex(algorithm, "%s:%s:%s" % (user, realm, password))


def userhash(algorithm, user, realm):
    return hash_hex(algorithm, "%s:%s" % (user, realm))


def quote(value):
    return '"%s"' % re.sub(r'(["\\])', r"\\\1", value)


def parse(value):
    """Parameters of a challenge or of credentials, unquoted."""
    scheme, _, rest = value.strip().partition(" ")
    out = {"scheme": scheme}
    pattern = r'([A-Za-z0-9_*-]+)\s*=\s*("(?:[^"\\]|\\.)*"|[^,\s]*)'
    for name, val in re.findall(pattern, rest, re.S):
        if val.startswith('"'):
            val = re.sub(r"\\(.)", r"\1", val[1:-1], flags=re.S)
        out[name.lower()] = val
    return out


class Answer:
    """What goes into one credentials header; edit fields, then text()."""

    def __init__(self, challenge, method, uri, user, password, body=b""):
        self.algorithm = challenge.get("algorithm")
        self.method, self.body, self.password = method, body, password
        self.realm, self.user = challenge["realm"], user
        self.nonce, self.uri = challenge["nonce"], uri
        self.opaque = challenge.get("opaque")
        offered = [q.strip() for q in challenge.get("qop", "").split(",")]
        self.qop = offered[0] or None
        self.nc, self.cnonce = "00000001", secrets.token_hex(8)
        self.hash_user = False
        self.response = None
        self.extra = ""             # appended as it is
        self.drop = ()              # parameters left out
        self.name = None            # `username` as it stands in the header,
        #                             where it differs from `user`
        self.name_star = False      # username*=UTF-8''…

    def compute(self):
        alg = self.algorithm or "MD5"
        secret = ha1(alg, self.user, self.realm, self.password)
        if alg.lower().endswith("-sess"):
            secret = hash_hex(alg, "%s:%s:%s" % (
                secret, self.nonce, self.cnonce))
        a2 = "%s:%s" % (self.method, self.uri)
        if self.qop == "auth-int":
            a2 += ":" + hash_hex(alg, self.body)
        if self.qop is None:
            return hash_hex(alg, "%s:%s:%s" % (
                secret, self.nonce, hash_hex(alg, a2)))
        return hash_hex(alg, ":".join((
            secret, self.nonce, self.nc, self.cnonce, self.qop,
            hash_hex(alg, a2))))

    def pairs(self):
        name = self.user if self.name is None else self.name
        if self.hash_user:
            name = userhash(self.algorithm or "MD5", self.user, self.realm)
        if self.name_star:
            star = "".join("%%%02X" % b for b in name.encode("utf-8"))
            yield "username*", "UTF-8''" + star
        else:
            yield "username", quote(name)
        yield "realm", quote(self.realm)
        yield "nonce", quote(self.nonce)
        yield "uri", quote(self.uri)
        yield "response", quote(self.response or self.compute())
        if self.algorithm is not None:
            yield "algorithm", self.algorithm
        if self.opaque is not None:
            yield "opaque", quote(self.opaque)
        if self.qop is not None:
            yield "qop", self.qop
            yield "nc", self.nc
        if self.qop is not None or (
                self.algorithm or "").lower().endswith("-sess"):
            yield "cnonce", quote(self.cnonce)
        if self.hash_user:
            yield "userhash", "true"

    def text(self):
        parts = ["%s=%s" % p for p in self.pairs() if p[0] not in self.drop]
        return "Digest " + ", ".join(parts) + self.extra
