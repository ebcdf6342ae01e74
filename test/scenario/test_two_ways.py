"""Requests that are plain but for a thing or two, from all sorts of sources:
what is answered from the bytes of a datagram is what the full way answers."""

import random

from harness import sip

SEED = 7
EACH = 4000

# Of each the first few are plain.
METHODS = 9, [
    "INVITE", "REGISTER", "OPTIONS", "SUBSCRIBE", "NOTIFY", "MESSAGE", "BYE",
    "FOO", "INVITE2", "Invite", "ACK", "CANCEL", "", "IN-VITE", "INVIT"]
URIS = 6, ["sip:" + u for u in (
    "bob@example.com", "example.com", "bob@red.example", "b@foreign.example",
    "bob@192.0.2.1:5060", "+4930@example.com;user=phone;transport=udp",
    "bob@[2001:db8::10]", "b@example.com;transport=tcp", "b@example.com;lr",
    "b@example.com;user=phone;user=phone", "b@example.com;line=1",
    "b@example.com;maddr=192.0.2.9", "b@example.com.", "b@exa_mple.com",
    "b@example-.com", "b@-a", "b@1.2.3", "b@256.1.1.1", "b@01.2.3.4", "b@0x7f",
    "b@example.com:0", "b@example.com:65536", "b@example.com:05060",
    "b@example.com:", "b@", "@example.com", "b%62@example.com", "b:c@d",
    "b%00@example.com", "b;c@d", "*69@d", "#31#@d", "b@d?x=y", "b@d;", "b@@d",
    "b@@US@", "@US@;lr", "\xe4@d", "b`@d", "b@a..b", "b@a--b.c5", "b@5")] + [
        "tel:+4930", "tel:112", "urn:service:sos", "SIP:b@d", "sips:b@d", "*"]
VERSIONS = 1, [" SIP/2.0", " sip/2.0", " SIP/3.0", "  SIP/2.0", " SIP/2.0 ",
               "", "\tSIP/2.0", " SIP/2.00"]
PROTOCOLS = 1, ["SIP/2.0/UDP ", "SIP/2.0/udp ", "SIP / 2.0 / UDP ",
                "SIP/2.0/UDP  ", "SIP/2.0/TCP ", "SIP/2.0/UDP\r\n ", "UDP "]
HOSTS = 3, [
    "192.0.2.99", "a.example:5062", "@US@:5061", "@US@", "@US@:5060", "[::1]",
    "1.2.3", "a_b", "a.", "a..b", "-a", "a-", "a:0", "a:65536", "a:05", "a:",
    "a :5060", "a\t", "\xe4", "a" * 201, "", "x (c)", "192.0.2.5"]
VIA_PARAMS = 0, [
    ";branch=z9hG4bKa", ";branch=z9hG4bK", ";branch=", ";branch", ";branch=a",
    ";BRANCH=z9hG4bKa", ";branch =z9hG4bKa", ";branch=z9hG4bKa@b", ";rport",
    ";branch=z9hG4bK" + "A" * 32, ";branch=\"z9hG4bKa\"", ";rport=", ";Rport",
    ";rport=5", ";rportx", ";received=192.0.2.9", ";received", ";ttl=5", ";x",
    ";maddr=192.0.2.9", ";x=y", "; rport", ";", ";alias", ";branch=z9hG4bK%41"]
PARTIES = 3, [
    "<sip:a@example.com>", "\"Al\" <sip:a@b>", "Al B <sip:a@b>",
    "\"\" <sip:b>",
    "Al<sip:a@b>", "\"Al\"<sip:a@b>", "sip:a@b", "<tel:+49>", "<SIP:a@b>",
    "<sip:a@b >", "< sip:a@b>", "<sip:a@b;tag=x>", "<sip:a@b?x=y>", "<a@b>",
    "<sip:a@b;lr;LR>", "<sip:a@b;a;b;c;d>", "<sip:a@b;a;b;c;d;e>", "<>", "",
    "\"A\\\"\" <sip:a@b>", "\"A\\\" <sip:a@b>", "\"\xe4\" <sip:a@b>", "*",
    "\xe4 <sip:a@b>", "\"a;tag=1\" <sip:a@b>", "sip:x <sip:a@b>", "<sip:a@b",
    "A.B <sip:a@b>", "A'B <sip:a@b>", "9 <sip:a@[::1]>", "<urn:service:sos>",
    "<sip:a@b;ttl>", "<sip:a@b;x=>", "<sip:a@b;=x>", "<sip:a@b;maddr;maddr>"]
TAGS = 1, [";tag=a.b-1", "", ";tag=", ";tag", ";TAG=1", ";tag=1;tag=2",
           "; tag=1", ";tag= 1", ";tag=a:b", ";tag=\"q\"", ";x;tag=1",
           ";tag=1;x", ";tag=%41", ";tag=a@b", ";tag=\xe4", ";tag=1,"]
CONTACTS = 3, ["", ";expires=60", ";+x;q=0.5", ";expires=", ";x;x", ";tag=1",
               ";a;b;c;d;e", "; x", ", <sip:b@c>", ";x=\"y\""]
CALL_IDS = 1, ["%d@h", "%da@b@c", "", "%d a", "%d@", "@%d", "\"%d\"", "%d,a",
               "%d;a", "%d=", "%d%%41", "\xe4%d", "a`%d", "%d\ta", "(%d)"]
CSEQS = 1, [
    "1 %s", "0 %s", "2147483647 %s", "2147483648 %s", "4294967296 %s", "01 %s",
    "+1 %s", "1  %s", "1\t%s", "%s", "1 ", "1 %sX", "1 %s x", "1 INVITE"]
HOPS = 2, ["70", "1", "255", "0", "256", "-1", "x", "", "070", "70;x", "70,1"]
LENGTHS = 1, ["%d", "0", "%d ", "0%d", "+%d", "x", "", "%d, %d", "99999"]
COLONS = 1, [": ", ":", ":  ", ":\t", " : ", ":\r\n ", ": \r\n\t"]
BODIES = 2, ["", "hello", "\0\1\r\n\r\n", "\xff" * 3000]
MORE = 0, [
    "Route: <sip:example.com;lr>", "Route: <sip:@US@;lr>", "Route:", "Join: a",
    "Record-Route: <sip:x;lr>", "Require: 100rel", "Proxy-Require: foo",
    "Proxy-Require:", "Proxy-Authorization: Digest x",
    "Authorization: Basic x",
    "Max-Breadth: 0", "Replaces: a;to-tag=b;from-tag=c", "Timestamp: 5",
    "Via: SIP/2.0/UDP y;branch=z9hG4bKy", "v: x", "f: <sip:z@z>;tag=2",
    "t: <sip:z@z>", "i: z", "CSeq: 1 INVITE", "Max-Forwards: 0", "l: 0",
    "Contact: *", "m: <sip:z", "User-Agent: friendly-scanner", "Path: <sip:p>",
    "user-agent:sipvicious", "Server: friendly-scanner", "Subject: \xe4\xff",
    "Subject:", "Subject: a\r\n b", "X-Foo: bar", "k: 100rel", "Supported : x",
    "o: presence", "Expires: -1", "Privacy: id", "y: x", "b: <sip:a@b>",
    "c: multipart/mixed", "e: gzip", "a: x", "x: 60", ": x", " x", "x"]
NAMES = {"Via": "v", "From": "f", "To": "t", "Call-ID": "i", "Contact": "m",
         "Content-Length": "l", "CSeq": "cSEQ", "Max-Forwards": "max-forwards"}
# Strangers mostly; then peers, one of them elsewhere, one that has to prove
# it, one for a domain; the banned.
SOURCES = [("192.0.2.66", 5060)] * 6 + [
    ("203.0.113.9", 33333), ("2001:db8:1::9", 5061), ("::ffff:192.0.2.66", 7),
    ("192.0.2.5", 5060), ("2001:db8::5", 5060), ("192.0.2.6", 5060),
    ("192.0.2.7", 5060), ("192.0.2.8", 5060), ("198.51.100.7", 5060)]


class Author:
    """Writes requests."""

    def __init__(self):
        self.rng = random.Random(SEED)
        self.written = 0
        self.odd = set()

    def pick(self, what, chosen):
        plain, all_ = chosen
        return self.rng.choice(all_ if what in self.odd else all_[:plain])

    def some(self, chosen):
        return self.rng.choice(chosen[1])

    def via(self):
        params = [";branch=z9hG4bK%d" % self.written] + self.rng.choice(
            [[], [";rport"]])
        if "via" in self.odd:
            for _ in range(self.rng.choice([1, 1, 2])):
                params.insert(self.rng.randrange(len(params) + 1),
                              self.some(VIA_PARAMS))
        if "rport" in self.odd:
            self.rng.shuffle(params)
        return self.pick("protocol", PROTOCOLS) + self.pick("host", HOSTS) + \
            "".join(params)

    def lines(self, method, body):
        lines = [
            ("Via", self.via()),
            ("From", self.pick("from", PARTIES) + self.pick("tag", TAGS)),
            ("To", self.pick("to", PARTIES) + (
                self.some(TAGS) if "to tag" in self.odd else "")),
            ("Call-ID", self.pick("id", CALL_IDS).replace(
                "%d", str(self.written))),
            ("CSeq", self.pick("cseq", CSEQS).replace("%s", method)),
            ("Max-Forwards", self.pick("hops", HOPS)),
            ("Contact", self.pick("contact", PARTIES)
             + self.pick("params", CONTACTS)),
            ("Content-Length", self.pick("length", LENGTHS).replace(
                "%d", str(len(body))))]
        return [(NAMES[name] if "name" in self.odd and self.rng.random() < .4
                 else name) + self.pick("colon", COLONS) + value
                for name, value in lines]

    def lose_and_add(self, lines):
        if "more" in self.odd:
            lines.insert(self.rng.randrange(9), self.some(MORE))
        if "lost" in self.odd:
            lines.pop(self.rng.randrange(len(lines)))
        if "twice" in self.odd:
            lines.append(self.rng.choice(lines))
        if "order" in self.odd:
            self.rng.shuffle(lines)

    def write(self):
        self.written += 1
        self.odd = set(self.rng.sample([
            "method", "uri", "version", "protocol", "host", "via", "via ",
            "rport", "from", "tag", "to", "to tag", "id", "cseq", "hops",
            "contact", "params", "length", "name", "colon", "body", "more",
            "more ", "lost", "twice", "order"],
            self.rng.choice([0, 1, 1, 1, 2, 3])))
        self.odd = {x.strip() for x in self.odd}
        method, body = self.pick("method", METHODS), self.pick("body", BODIES)
        lines = self.lines(method, body)
        self.lose_and_add(lines)
        return sip.octets("\r\n".join(
            [method + " " + self.pick("uri", URIS)
             + self.pick("version", VERSIONS)] + lines) + "\r\n\r\n" + body)


def peer(name, source, **more):
    out = {"name": name, "uri": "sip:%s:5060" % source, "from": [
        source.strip("[]")], "auth": "ip", "listener": "outer"}
    return dict(out, **more)


def test_both_ways_answer_alike(scene, pair):
    two = pair(
        listener={"name": "outer", "proxy_protocol": [scene.net.host(66)]},
        domains=["example.com", "red.example"], deny=["198.51.100.0/24"],
        peers=[peer("pbx", "192.0.2.5"), peer("six", "[2001:db8::5]"),
               peer("proves", "192.0.2.6", auth="digest", users=["alice"]),
               peer("red", "192.0.2.8", domains=["red.example"]),
               peer("far", "192.0.2.7", listener=None)],
        routes=[{"reject": 404}])
    author = Author()
    for _ in range(EACH):
        two.same(author.write(), source=author.rng.choice(SOURCES))
    assert EACH / 10 < two.challenged() < EACH / 2, "a test of one way only"
    two.same_counters()
