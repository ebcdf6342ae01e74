"""What scenarios assert about messages, in words."""

import os
import re

from . import digest
from .sip import canonical, host_port, params_of, uri_of, uri_params

# Headers that a proxy may change on the way of a request.
EDITED = {"via", "max-forwards", "record-route", "route",
          "proxy-authorization", "content-length"}

MANUAL = os.path.join(os.path.dirname(__file__), "..", "..", "man",
                      "sipbouncer.8")


def challenges(response, header=None):
    header = header or (
        "WWW-Authenticate" if response.status == 401 else "Proxy-Authenticate")
    return [digest.parse(v) for v in response.all(header)]


def is_stale(response):
    found = challenges(response)
    assert found, "no challenge in:\n%s" % response
    stale = {c.get("stale", "false").lower() == "true" for c in found}
    assert len(stale) == 1, "challenges disagree about stale"
    return stale.pop()


def is_plain(response):
    return not is_stale(response)


def algorithms(response):
    return [c.get("algorithm", "MD5") for c in challenges(response)]


def lacks(message, *names):
    for name in names:
        assert not message.has(name), "%s in:\n%s" % (name, message)


def forwarded_lines(message, but=()):
    """Header lines as on the wire, without those a proxy edits."""
    skip = EDITED | {canonical(n) for n in but}
    return [line for line in message.lines()
            if canonical(line.split(b":")[0].decode("latin-1")) not in skip]


def same_but_for_proxy(sent, got, but=()):
    """Every other header byte for byte and in order, and the body."""
    assert forwarded_lines(got, but) == forwarded_lines(sent, but)
    assert got.body == sent.body


def via_hosts(message):
    return [host_port(v.split()[1])[0] for v in message.values("Via")]


def token_of(message, header="Record-Route"):
    """User part of our Record-Route or Path."""
    uri = uri_of(message.values(header)[0])
    return uri.split(":", 1)[1].rsplit("@", 1)[0]


def is_loose(value):
    assert "lr" in uri_params(uri_of(value)), "%s lacks lr" % value


def has_to_tag(response):
    assert params_of(response["To"]).get("tag"), "no To tag:\n%s" % response


def manual_explains(words):
    """Each has an entry of its own."""
    with open(MANUAL, encoding="utf-8") as f:
        entries = set(re.findall(r"^\.It Li (\S+)$", f.read(), re.M))
    words = set(words)
    assert words and words - entries == set()
