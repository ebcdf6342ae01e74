"""A SIP message as a scenario needs it: headers in order, raw bytes kept.

Text is held as str in which every byte survives (surrogateescape), so a
message that was parsed and not edited is written back byte for byte.
"""

import re
import secrets

COMPACT = {
    "a": "accept-contact", "b": "referred-by", "c": "content-type",
    "d": "request-disposition", "e": "content-encoding", "f": "from",
    "i": "call-id", "j": "reject-contact", "k": "supported",
    "l": "content-length", "m": "contact", "o": "event", "r": "refer-to",
    "s": "subject", "t": "to", "u": "allow-events", "v": "via",
    "x": "session-expires",
}

REASONS = {
    100: "Trying", 180: "Ringing", 181: "Call Is Being Forwarded",
    183: "Session Progress", 200: "OK", 202: "Accepted",
    302: "Moved Temporarily", 400: "Bad Request", 401: "Unauthorized",
    403: "Forbidden", 404: "Not Found",
    407: "Proxy Authentication Required", 408: "Request Timeout",
    420: "Bad Extension", 480: "Temporarily Unavailable", 486: "Busy Here",
    487: "Request Terminated", 500: "Server Internal Error",
    503: "Service Unavailable", 603: "Decline",
}


def text(data):
    return data.decode("utf-8", "surrogateescape")


def octets(string):
    return string.encode("utf-8", "surrogateescape")


def shown(data):
    """For people: what is not text stands as \\xNN."""
    return data.decode("utf-8", "backslashreplace").replace("\r\n", "\n")


def canonical(name):
    name = name.strip().lower()
    return COMPACT.get(name, name)


def split_commas(value):
    """Split at commas outside quotes and angle brackets."""
    parts, depth, quoted, start, skip = [], 0, False, 0, False
    for i, c in enumerate(value):
        if skip:
            skip = False
        elif quoted:
            skip = c == "\\"
            quoted = c != '"'
        elif c == '"':
            quoted = True
        elif c in "<>":
            depth += 1 if c == "<" else -1
        elif c == "," and depth == 0:
            parts.append(value[start:i].strip())
            start = i + 1
    parts.append(value[start:].strip())
    return [p for p in parts if p]


def uri_of(value):
    """The URI in a name-addr or addr-spec."""
    found = re.search(r"<([^>]*)>", value)
    return found.group(1) if found else value.split(";")[0].strip()


def params_of(value):
    """The header parameters behind a name-addr (or a Via's sent-by)."""
    rest = value.rsplit(">", 1)[1] if ">" in value else value
    out = {}
    for part in rest.split(";")[1:]:
        name, _, val = part.partition("=")
        out[name.strip().lower()] = val.strip()
    return out


def uri_params(uri):
    out = {}
    for part in uri.split("?")[0].split(";")[1:]:
        name, _, val = part.partition("=")
        out[name.strip().lower()] = val.strip()
    return out


def uri_user(uri):
    rest = uri.split(":", 1)[1]
    return rest.rsplit("@", 1)[0] if "@" in rest else ""


def host_port(uri, default=5060):
    """(host, port) of a SIP URI or of a Via's sent-by."""
    rest = re.sub(r"^sips?:", "", uri).rsplit("@", 1)[-1]
    rest = re.split(r"[;?]", rest)[0].strip()
    found = re.match(r"^\[([^\]]+)\](?::(\d+))?$", rest) \
        or re.match(r"^([^:]+)(?::(\d+))?$", rest)
    if found is None:
        raise ValueError("no host in %r" % uri)
    return found.group(1), int(found.group(2) or default)


def host_text(host):
    return "[%s]" % host if ":" in host else host


def new_branch():
    return "z9hG4bK" + secrets.token_hex(8)


def new_tag():
    return secrets.token_hex(4)


class Message:
    """A request or a response."""

    def __init__(self, start, headers=(), body=b"", raw=None):
        self.start = start
        self.headers = [(n, v) for n, v in headers]
        self.body = body
        self.raw = raw

    # ---- made and read

    @classmethod
    def parse(cls, raw):
        head, _, body = raw.partition(b"\r\n\r\n")
        lines = re.split(r"\r\n(?![ \t])", text(head))
        headers = []
        for line in lines[1:]:
            name, _, value = line.partition(":")
            headers.append((name, value.strip()))
        return cls(lines[0], headers, body, raw)

    def encode(self):
        head = [self.start] + ["%s: %s" % h for h in self.headers]
        return octets("\r\n".join(head) + "\r\n\r\n") + self.body

    def copy(self):
        return Message(self.start, self.headers, self.body)

    # ---- the start line

    @property
    def is_request(self):
        return not self.start.startswith("SIP/2.0 ")

    @property
    def method(self):
        if self.is_request:
            return self.start.split(" ")[0]
        return self.cseq[1]

    @property
    def uri(self):
        return self.start.split(" ")[1]

    @property
    def status(self):
        return None if self.is_request else int(self.start.split(" ")[1])

    @property
    def reason(self):
        return self.start.split(" ", 2)[2]

    # ---- headers

    def all(self, name):
        want = canonical(name)
        return [v for n, v in self.headers if canonical(n) == want]

    def get(self, name, default=None):
        found = self.all(name)
        return found[0] if found else default

    def has(self, name):
        return bool(self.all(name))

    def values(self, name):
        """Elements of a header that may be a comma-separated list."""
        return [p for v in self.all(name) for p in split_commas(v)]

    def __getitem__(self, name):
        found = self.all(name)
        assert found, "no %s in:\n%s" % (name, self)
        return found[0]

    def set(self, name, value):
        """Replace in place, or append."""
        want = canonical(name)
        for i, (n, _) in enumerate(self.headers):
            if canonical(n) == want:
                self.headers[i] = (n, value)
                return self
        self.headers.append((name, value))
        return self

    def add(self, name, value):
        self.headers.append((name, value))
        return self

    def push(self, name, value):
        """Put on top, as a proxy does with Via."""
        self.headers.insert(0, (name, value))
        return self

    def remove(self, name):
        want = canonical(name)
        self.headers = [h for h in self.headers if canonical(h[0]) != want]
        return self

    # ---- readings

    @property
    def call_id(self):
        return self["Call-ID"]

    @property
    def cseq(self):
        number, method = self["CSeq"].split()
        return int(number), method

    @property
    def from_tag(self):
        return params_of(self["From"]).get("tag")

    @property
    def to_tag(self):
        return params_of(self["To"]).get("tag")

    @property
    def via(self):
        return self.values("Via")[0]

    @property
    def branch(self):
        return params_of(self.via).get("branch")

    def lines(self):
        """Header lines as on the wire, folding and all."""
        head = (self.raw or self.encode()).partition(b"\r\n\r\n")[0]
        return re.split(rb"\r\n(?![ \t])", head)[1:]

    def __str__(self):
        return shown(self.raw or self.encode())


def response_to(request, status, reason=None, to_tag=None):
    """RFC 3261 8.2.6.2: what every response copies from its request."""
    out = Message("SIP/2.0 %d %s" % (
        status, reason or REASONS.get(status, "Whatever")))
    for value in request.all("Via"):
        out.add("Via", value)
    out.add("From", request["From"])
    to = request["To"]
    if to_tag and "tag" not in params_of(to) and status > 100:
        to += ";tag=" + to_tag
    out.add("To", to)
    out.add("Call-ID", request.call_id)
    out.add("CSeq", request["CSeq"])
    return out


class StreamReader:
    """Cuts messages out of a byte stream (RFC 3261 18.3)."""

    def __init__(self):
        self.data = b""

    def feed(self, data):
        self.data += data
        out = []
        while True:
            self.data = re.sub(rb"^(\r\n)+", b"", self.data)
            head, sep, rest = self.data.partition(b"\r\n\r\n")
            if not sep:
                return out
            found = re.search(rb"\r\n(?:content-length|l)[ \t]*:\s*(\d+)",
                              head, re.I)
            length = int(found.group(1)) if found else 0
            if len(rest) < length:
                return out
            size = len(head) + 4 + length
            out.append(self.data[:size])
            self.data = self.data[size:]
