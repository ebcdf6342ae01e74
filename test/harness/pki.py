"""Authorities, certificates and revocations, made by the openssl command.

    pki.leaf("sip.example.com", "DNS:sip.example.com").chain
    pki.crl(revoked=[leaf])

A chain leads from a leaf by `issuing` to `root`; `other` is the authority of
somebody else, who is to be believed for himself alone.
"""

import collections
import functools
import os
import ssl
import subprocess
import time

from .programs import find

DAY = 86400

# Paths of PEM files; der: the certificate's bytes.  chain: crt and what stands
# between it and the root; combined: key and chain.
Identity = collections.namedtuple("Identity",
                                  "name crt chain key combined der")

CONFIG = """\
[ca]
default_ca = here
[here]
database = index.txt
serial = serial
unique_subject = no
new_certs_dir = .
default_md = sha256
default_crl_days = 7
policy = anything
[anything]
commonName = supplied
[authority]
basicConstraints = critical, CA:TRUE
keyUsage = critical, keyCertSign, cRLSign
subjectKeyIdentifier = hash
[leaf]
basicConstraints = CA:FALSE
keyUsage = digitalSignature
subjectKeyIdentifier = hash
authorityKeyIdentifier = keyid
"""

BOTH = "serverAuth, clientAuth"
SIP_DOMAIN = "1.3.6.1.5.5.7.3.20"       # RFC 5924


def when(seconds):
    """So long from now, as ASN.1 says it."""
    return time.strftime("%Y%m%d%H%M%SZ", time.gmtime(time.time() + seconds))


def read(path):
    with open(path, encoding="ascii") as f:
        return f.read()


def write(path, *texts):
    """In one go, as whoever reads it now must not see half of it."""
    with open(path + ".new", "w", encoding="ascii") as f:
        f.writelines(texts)
    os.chmod(path + ".new", 0o600)
    os.rename(path + ".new", path)
    return path


def openssl(folder, command, *args):
    done = subprocess.run([find("openssl"), command, *args], cwd=folder,
                          capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def new_key(path):
    openssl(None, "genpkey", "-algorithm", "EC", "-pkeyopt",
            "ec_paramgen_curve:P-256", "-out", path)
    return path


def leaf_config(path, sans, usage):
    section = "[leaf]\nextendedKeyUsage = %s\n" % usage
    if sans:
        section += "subjectAltName = %s\n" % ", ".join(sans)
    return write(path, CONFIG.replace("[leaf]\n", section))


def identity(name, base, above=""):
    crt, key = base + ".crt", base + ".key"
    chain = write(base + ".chain.pem", read(crt), above)
    combined = write(base + ".combined.pem", read(key), read(chain))
    with open(crt, encoding="ascii") as f:
        der = ssl.PEM_cert_to_DER_cert(f.read())
    return Identity(name, crt, chain, key, combined, der)


class Authority:
    """With an issuer, it stands between; without, it is a root."""

    def __init__(self, folder, name, issuer=None):
        self.name, self.issuer = name, issuer
        self.folder = os.path.join(folder, name)
        os.makedirs(self.folder)
        self.count = 0
        self.conf = write(self.path("authority.cnf"), CONFIG)
        self.key = new_key(self.path("authority.key"))
        self.crt = self.path("authority.crt")
        if issuer is None:
            openssl(self.folder, "req", "-config", self.conf, "-x509", "-new",
                    "-key", self.key, "-subj", "/CN=" + name, "-days", "60",
                    "-extensions", "authority", "-out", self.crt)
        else:
            request = self.request(name, self.path("authority"))
            issuer.sign(request, self.crt, issuer.conf, "authority")

    def path(self, name):
        return os.path.join(self.folder, name)

    # ---- certificates

    def request(self, name, base):
        openssl(self.folder, "req", "-config", self.conf, "-new", "-key",
                base + ".key", "-subj", "/CN=" + name, "-out", base + ".csr")
        return base + ".csr"

    def sign(self, request, out, conf, extensions, begins=-DAY,
             ends=30 * DAY):
        write(self.path("index.txt"))
        openssl(self.folder, "ca", "-config", conf, "-batch", "-notext",
                "-rand_serial", "-cert", self.crt, "-keyfile", self.key,
                "-in", request, "-out", out, "-extensions", extensions,
                "-startdate", when(begins), "-enddate", when(ends))

    def above(self):
        """What a leaf must show besides itself."""
        return read(self.crt) + self.issuer.above() if self.issuer else ""

    def leaf(self, name, *sans, usage=BOTH, begins=-DAY, ends=30 * DAY):
        """sans: in openssl's words, DNS:host, URI:sip:host, IP:number;
        begins, ends: seconds from now."""
        self.count += 1
        base = self.path("%d" % self.count)
        new_key(base + ".key")
        conf = leaf_config(base + ".cnf", sans, usage)
        self.sign(self.request(name, base), base + ".crt", conf, "leaf",
                  begins, ends)
        return identity(name, base, self.above())

    # ---- revocations

    def crl(self, revoked=(), ends=7 * DAY):
        """The text of a list that is good so long."""
        write(self.path("index.txt"), *(
            "R\t%s\t%s\t%s\tunknown\t/CN=x\n" % (
                when(DAY)[2:], when(-60)[2:], serial_of(one.crt))
            for one in revoked))
        openssl(self.folder, "ca", "-config", self.conf, "-gencrl",
                "-cert", self.crt, "-keyfile", self.key,
                "-crl_lastupdate", when(-2 * DAY), "-crl_nextupdate",
                when(ends), "-out", "list.crl")
        return read(self.path("list.crl"))


def serial_of(crt):
    done = subprocess.run(
        [find("openssl"), "x509", "-in", crt, "-noout", "-serial"],
        capture_output=True, text=True, check=True)
    return done.stdout.strip().split("=")[1]


class Pki:
    def __init__(self, folder):
        self.folder = str(folder)
        self.root = Authority(self.folder, "root")
        self.issuing = Authority(self.folder, "issuing", self.root)
        self.other = Authority(self.folder, "other")
        self.leaf = functools.lru_cache(maxsize=None)(self.issuing.leaf)
        self.count = 0

    def new_path(self):
        self.count += 1
        return os.path.join(self.folder, str(self.count))

    @functools.cached_property
    def server(self):
        """What the daemon shows where nothing else is said."""
        return self.leaf("sip.example.com", "DNS:sip.example.com",
                         "URI:sip:example.com")

    def self_signed(self, name, *sans):
        """Nobody vouches for it."""
        base = self.new_path()
        new_key(base + ".key")
        openssl(None, "req", "-config", leaf_config(base + ".cnf", sans, BOTH),
                "-x509", "-new", "-key", base + ".key", "-subj", "/CN=" + name,
                "-days", "2", "-extensions", "leaf", "-out", base + ".crt")
        return identity(name, base)

    def lists(self, revoked=(), ends=7 * DAY):
        """The text of what root and issuing revoke."""
        return self.root.crl((), ends) + self.issuing.crl(revoked, ends)

    def crl(self, revoked=(), ends=7 * DAY):
        """The same, in a file."""
        return write(self.new_path() + ".crl", self.lists(revoked, ends))
