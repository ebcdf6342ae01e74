"""A scripted carrier: it asks who is there, and judges the answer."""

import os

from . import digest
from .sip import params_of, uri_params, uri_of

REALM = "carrier.example"
USER, PASSWORD = "trunk-1", "open sesame"
ASKS = {401: ("WWW-Authenticate", "Authorization"),
        407: ("Proxy-Authenticate", "Proxy-Authorization")}


def credentials(scene, password=PASSWORD, **changes):
    """The group `credentials` of a peer, and the file that it names."""
    path = os.path.join(scene.folder, "password")
    if os.path.exists(path):
        os.unlink(path)
    with open(path, "w", encoding="utf-8") as f:
        f.write(password + "\n")
    os.chmod(path, 0o400)
    return dict({"user": USER, "realm": REALM, "password_file": path},
                **changes)


def challenge(nonce="n1", realm=REALM, algorithm="SHA-256", qop="auth",
              extra=""):
    out = 'Digest realm="%s", nonce="%s"' % (realm, nonce)
    if algorithm is not None:
        out += ", algorithm=" + algorithm
    if qop is not None:
        out += ', qop="%s"' % qop
    return out + extra


def ask(carrier, status=407, *challenges, **parts):
    """Answer the last request with 401 or 407."""
    name = ASKS[status][0]
    return carrier.reply(status, headers=[
        (name, c) for c in challenges or [challenge(**parts)]])


def answer_in(request, status=407):
    """The parameters of our credentials; there is one header of them."""
    values = request.all(ASKS[status][1])
    assert len(values) == 1, values
    return digest.parse(values[0])


def proves(request, status=407, nonce="n1", nc=1, password=PASSWORD,
           realm=REALM, user=USER):
    """Assert that the request bears the right answer; returns it."""
    got = answer_in(request, status)
    assert got["realm"] == realm and got["nonce"] == nonce
    assert got["uri"] == request.uri
    right = digest.Answer(got, request.method, request.uri, user, password,
                          request.body)
    right.qop = got.get("qop")
    right.cnonce = got.get("cnonce", "")
    right.nc = got.get("nc", "")
    name = user
    if got.get("userhash") == "true":
        name = digest.userhash(got.get("algorithm", "MD5"), user, realm)
    assert got["username"] == name
    if right.qop is not None:
        assert int(got["nc"], 16) == nc, got
        assert len(got["cnonce"]) >= 16
    assert got["response"] == right.compute()
    return got


def bears_nothing(request):
    return not request.has("Authorization") and \
        not request.has("Proxy-Authorization")


def contact_of(request):
    """URI and its parameters, and how long it shall last."""
    value = request["Contact"]
    uri = uri_of(value)
    expires = params_of(value).get("expires", request.get("Expires"))
    return uri, uri_params(uri), int(expires)


def grant(carrier, request=None, expires=None, **parts):
    """200 to a REGISTER, with its Contact."""
    request = request or carrier.request
    uri, _, asked = contact_of(request)
    expires = asked if expires is None else expires
    value = "<%s>;expires=%d" % (uri, expires)
    return carrier.reply(200, to=request, contact=value, **parts)
