"""Where a name leads: RFC 3263, and name servers that lead nowhere."""

import struct
import time

import pytest

from harness.dns import DnsServer
from harness.phone import first_of
from harness.scene import ask
from harness.tls import Called

NAME = "pbx.test"


def start(scene, dns, uri="sip:" + NAME, **changes):
    changes.setdefault("peers", [scene.pbx_peer(
        uri=uri, **{"from": [scene.net.host(5), scene.net.host(6)]})])
    scene.start(resolv_conf=dns.conf, **changes)


def way(scene, dns, name, port, number=5):
    """A name with one SRV record, whose target has one address."""
    dns.add(name, "SRV", (1, 1, port, "host%d.test" % number))
    dns.set("host%d.test" % number, "A", scene.net.host(number))


def served(alice, pbx, uri="sip:bob@example.com"):
    """Whoever of the PBX's hosts gets it answers; returns what came."""
    ask(alice, "MESSAGE", uri)
    got = pbx.expect("MESSAGE")
    pbx.reply(200)
    alice.expect(200)
    return got


def who_serves(alice, phones):
    ask(alice, "MESSAGE")
    phone, _ = first_of(*phones)
    phone.reply(200)
    alice.expect(200)
    return phone


# ---- NAPTR (RFC 3263 section 4.1)

def test_naptr_chooses_tcp(scene, dns):
    dns.naptr(NAME, 20, "SIP+D2U", "_sip._udp.way.test")
    dns.naptr(NAME, 10, "SIP+D2T", "_sip._tcp.way.test")
    way(scene, dns, "_sip._tcp.way.test", 5070)
    way(scene, dns, "_sip._udp.way.test", 5070)
    start(scene, dns)
    alice, pbx = scene.alice(), scene.pbx(port=5070)
    assert served(alice, pbx).flow.transport == "tcp"
    # the higher order is not even looked at
    assert dns.times_asked("_sip._udp.way.test", "SRV") == 0


def test_preference_within_one_order(scene, dns):
    dns.naptr(NAME, 10, "SIP+D2T", "_sip._tcp.way.test", preference=20)
    dns.naptr(NAME, 10, "SIP+D2U", "_sip._udp.way.test", preference=10)
    way(scene, dns, "_sip._tcp.way.test", 5070)
    way(scene, dns, "_sip._udp.way.test", 5071)     # nobody is there
    start(scene, dns)
    alice, pbx = scene.alice(), scene.pbx(port=5070)
    assert served(alice, pbx).flow.transport == "tcp"
    scene.log.has(event="request.relayed", tries="2")


def offers_tls(scene, dns):
    dns.naptr(NAME, 10, "SIPS+D2T", "_sips._tcp.way.test")
    dns.naptr(NAME, 20, "SIP+D2T", "_sip._tcp.way.test")
    way(scene, dns, "_sips._tcp.way.test", 5061)
    way(scene, dns, "_sip._tcp.way.test", 5060)


def test_tls_where_we_speak_it(scene, dns, pki):
    offers_tls(scene, dns)
    start(scene, dns, tls={"ca": pki.root.crt},
          listen=scene.listeners(scene.secure_listener(pki.server)))
    # the certificate is for the name in the URI, not where DNS led to
    alice = scene.alice()
    pbx = scene.pbx(called=Called(pki.leaf("pbx", "DNS:" + NAME)))
    assert served(alice, pbx).flow.transport == "tls"


def test_a_certificate_for_where_dns_led_to(scene, dns, pki):
    offers_tls(scene, dns)
    start(scene, dns, tls={"ca": pki.root.crt},
          listen=scene.listeners(scene.secure_listener(pki.server)))
    alice = scene.alice()
    pbx = scene.pbx(called=Called(pki.leaf("pbx", "DNS:host5.test",
                                           "DNS:way.test")))
    ask(alice, "MESSAGE")
    # nor is it reached by TCP: the order is no list of what else may do
    pbx.expect_nothing(0.5)
    alice.expect((500, 503))


def test_tls_is_passed_over_where_we_do_not(scene, dns):
    offers_tls(scene, dns)
    start(scene, dns)
    alice, pbx = scene.alice(), scene.pbx()
    assert served(alice, pbx).flow.transport == "tcp"


def test_sips_takes_nothing_less(scene, dns, pki):
    dns.naptr(NAME, 10, "SIP+D2T", "_sip._tcp.way.test")
    dns.naptr(NAME, 20, "SIPS+D2T", "_sips._tcp.way.test")
    way(scene, dns, "_sips._tcp.way.test", 5061)
    way(scene, dns, "_sip._tcp.way.test", 5060)
    start(scene, dns, "sips:" + NAME, tls={"ca": pki.root.crt},
          listen=scene.listeners(scene.secure_listener(pki.server)))
    alice = scene.alice()
    pbx = scene.pbx(called=Called(pki.leaf("pbx", "DNS:" + NAME)))
    assert served(alice, pbx).flow.transport == "tls"
    assert dns.times_asked("_sip._tcp.way.test", "SRV") == 0


def test_a_request_to_sips_lets_naptr_choose_tls_only(scene, dns, pki):
    dns.naptr(NAME, 10, "SIP+D2T", "_sip._tcp.way.test")
    dns.naptr(NAME, 20, "SIPS+D2T", "_sips._tcp.way.test")
    way(scene, dns, "_sips._tcp.way.test", 5061)
    way(scene, dns, "_sip._tcp.way.test", 5060)
    start(scene, dns, tls={"ca": pki.root.crt},
          listen=scene.listeners(scene.secure_listener(pki.server)))
    phone = scene.secure("alice", 10)
    pbx = scene.pbx(called=Called(pki.leaf("pbx", "DNS:" + NAME)))
    assert served(phone, pbx, "sips:bob@example.com").flow.transport == "tls"


@pytest.mark.parametrize("uri,port,transport", [
    ("sip:%s;transport=udp" % NAME, 5060, "udp"),
    ("sip:%s:5070" % NAME, 5070, "udp"),
])
def test_what_the_uri_says_comes_first(scene, dns, uri, port, transport):
    dns.naptr(NAME, 10, "SIP+D2T", "_sip._tcp.way.test")
    dns.add(NAME, "A", scene.net.host(5))
    start(scene, dns, uri)
    alice, pbx = scene.alice(), scene.pbx(port=port)
    assert served(alice, pbx).flow.transport == transport
    assert dns.times_asked(NAME, "NAPTR") == 0


def test_a_server_that_cannot_tell_of_naptr(scene, dns):
    def refuse_naptr(query, answer):
        kind = query[12:].split(b"\0", 1)[1][:2]
        if kind != struct.pack("!H", 35):
            return answer
        return answer[:2] + struct.pack("!H", 0x8582) + answer[4:]
    dns.mangle = refuse_naptr
    way(scene, dns, "_sip._tcp." + NAME, 5060)
    start(scene, dns)
    alice, pbx = scene.alice(), scene.pbx()
    assert served(alice, pbx).flow.transport == "tcp"


# ---- SRV (RFC 2782)

def both(scene, dns, first, second):
    """Two hosts with SRV records of this priority and weight."""
    for number, record in ((5, first), (6, second)):
        host = "host%d.test" % number
        dns.add("_sip._udp." + NAME, "SRV", (*record, 5060, host))
        dns.add(host, "A", scene.net.host(number))


def test_weights_share_the_requests(scene, dns):
    both(scene, dns, (1, 50), (1, 50))
    start(scene, dns)
    alice, phones = scene.alice(), [scene.pbx(), scene.pbx(6, "second")]
    times = [who_serves(alice, phones) for _ in range(40)]
    # fewer than 6 of 40 happen once in a million runs
    assert 6 <= times.count(phones[0]) <= 34
    assert dns.times_asked("_sip._udp." + NAME, "SRV") == 1


def test_a_closed_port_leads_to_the_next_target(scene, dns):
    both(scene, dns, (1, 0), (2, 0))
    # by silence the way there would be longer than a test waits
    start(scene, dns, timers={"t1": "500ms", "target_timeout": "20s"})
    alice, second = scene.alice(), scene.pbx(6, "second")
    served(alice, second)


def test_silence_leads_to_the_next_target(scene, dns):
    both(scene, dns, (1, 0), (2, 0))
    start(scene, dns, timers={"t1": "50ms"})
    alice, first = scene.alice(), scene.pbx()
    second = scene.pbx(6, "second")
    ask(alice, "INVITE")
    first.expect("INVITE")
    second.expect("INVITE")
    second.reply(486)
    alice.expect(486)


def test_no_such_service_is_no_way(scene, dns):
    dns.add("_sip._udp." + NAME, "SRV", (0, 0, 0, "."))
    dns.add(NAME, "A", scene.net.host(5))
    start(scene, dns, "sip:%s;transport=udp" % NAME)
    alice, pbx = scene.alice(), scene.pbx()
    ask(alice, "INVITE")
    alice.expect(502)
    pbx.expect_nothing(0.2)


def test_an_answer_too_long_for_a_datagram(scene, dns):
    for i in range(60):
        dns.add("_sip._udp." + NAME, "SRV",
                (100 + i, 0, 5060, "a-long-name-%d.test" % i))
    dns.add("_sip._udp." + NAME, "SRV", (1, 0, 5060, "host5.test"))
    dns.add("host5.test", "A", scene.net.host(5))
    start(scene, dns)
    alice, pbx = scene.alice(), scene.pbx()
    served(alice, pbx)
    assert dns.over_tcp == 1


# ---- how long what is known

def test_the_ttl_is_kept_to(scene, dns):
    dns.ttl = 4
    dns.add(NAME, "A", scene.net.host(5))
    start(scene, dns, "sip:%s:5060" % NAME)
    alice, first = scene.alice(), scene.pbx()
    second = scene.pbx(6, "second")
    served(alice, first)
    dns.set(NAME, "A", scene.net.host(6))
    served(alice, first)
    assert dns.times_asked(NAME, "A") == 1
    time.sleep(4.3)
    served(alice, second)
    assert dns.times_asked(NAME, "A") == 2


def test_what_is_known_outlives_the_server(scene, dns):
    way(scene, dns, "_sip._tcp.way.test", 5060)
    dns.naptr(NAME, 10, "SIP+D2T", "_sip._tcp.way.test")
    start(scene, dns)
    alice, pbx = scene.alice(), scene.pbx()
    served(alice, pbx)
    dns.close()
    served(alice, pbx)


def test_a_host_that_comes_to_be(scene, dns):
    dns.ttl = 1
    start(scene, dns, "sip:%s:5060" % NAME)
    alice, pbx = scene.alice(), scene.pbx()

    def no_name(query, answer):
        """NXDOMAIN, with a SOA that lets it be kept for a second."""
        soa = b"\xc0\x0c" + struct.pack("!HHIH", 6, 1, 60, 22) \
            + b"\0\0" + struct.pack("!IIIII", 1, 1, 1, 1, 1)
        return answer[:8] + struct.pack("!HH", 1, 0) + answer[12:] + soa
    dns.mangle = no_name
    ask(alice, "MESSAGE")
    alice.expect(502)
    dns.mangle = None
    dns.add(NAME, "A", scene.net.host(5))
    time.sleep(1.2)
    served(alice, pbx)


# ---- name servers that do not help

def test_a_server_that_is_gone_is_503(scene, dns):
    dns.close()
    start(scene, dns)
    alice = scene.alice()
    ask(alice, "MESSAGE")
    alice.expect((500, 503))
    scene.log.has(reason="dns-away")


def test_a_server_that_fails_is_503(scene, dns):
    dns.failing = True
    start(scene, dns)
    alice = scene.alice()
    ask(alice, "MESSAGE")
    alice.expect((500, 503))
    scene.log.has(reason="dns-away")


def test_the_second_server_helps(scene, dns, tmp_path):
    dns.failing = True
    helper = DnsServer(scene.net.host(54))
    helper.add(NAME, "A", scene.net.host(5))
    conf = tmp_path / "both.conf"
    conf.write_text("port %d\nnameserver %s\nnameserver %s\n" % (
        dns.port, dns.host, helper.host))
    dns.conf = str(conf)
    start(scene, dns, "sip:%s:5060" % NAME)
    alice, pbx = scene.alice(), scene.pbx()
    served(alice, pbx)
    helper.close()


def test_many_at_once_ask_once(scene, dns, tmp_path):
    conf = tmp_path / "patient.conf"
    conf.write_text("port %d\nnameserver %s\n" % (dns.port, dns.host))
    dns.conf = str(conf)
    dns.silent = True
    dns.add(NAME, "A", scene.net.host(5))
    start(scene, dns, "sip:%s:5060" % NAME)
    pbx = scene.pbx()
    phones = [scene.phone("alice%d" % i, 20 + i, user="alice",
                          password="wonderland") for i in range(5)]
    for phone in phones:
        ask(phone, "MESSAGE")
    time.sleep(0.1)
    dns.silent = False
    for _ in phones:
        pbx.expect("MESSAGE")
        pbx.reply(200)
    for phone in phones:
        phone.expect(200)
    assert dns.times_asked(NAME, "A") == 1


HEAD = struct.pack("!HHHHH", 0x8180, 1, 1, 0, 0)


def after_question(query, data):
    """An answer with one record, which is this."""
    return query[:2] + HEAD + query[12:] + data


MALICE = {
    "a name that points to itself":
        lambda query, answer: query[:2] + HEAD + b"\xc0\x0c\0\1\0\1",
    "an owner that points to itself":
        lambda query, answer: after_question(query, struct.pack(
            "!HHHIH", 0xc000 | len(query), 1, 1, 60, 4) + b"\x7f" * 4),
    "more records than there are":
        lambda query, answer: answer[:6] + b"\xff\xff" + answer[8:],
    "the question alone": lambda query, answer: query,
    "another number":
        lambda query, answer: bytes([answer[0] ^ 1]) + answer[1:],
    "less than a head": lambda query, answer: answer[:11],
}


@pytest.mark.parametrize("what", MALICE)
def test_a_malicious_answer_is_none(scene, dns, what):
    dns.add(NAME, "A", scene.net.host(66))
    dns.mangle = MALICE[what]
    start(scene, dns, "sip:%s:5060" % NAME)
    alice, other = scene.alice(), scene.mallory()
    ask(alice, "MESSAGE")
    time.sleep(0.2)
    other.send("OPTIONS", "sip:bob@example.com")
    other.expect(407)
    alice.expect((500, 503))
    scene.log.has(reason="dns-away")


def test_a_circle_of_aliases_is_502(scene, dns):
    dns.mangle = lambda query, answer: after_question(
        query, struct.pack("!HHHIHH", 0xc00c, 5, 1, 60, 2, 0xc00c))
    start(scene, dns, "sip:%s:5060" % NAME)
    alice = scene.alice()
    ask(alice, "MESSAGE")
    alice.expect(502)
    assert len(dns.asked) < 20
