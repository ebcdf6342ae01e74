"""The harness against published vectors, and phone against phone."""

import multiprocessing
import socket

import pytest

from harness import digest, sip
from harness.ladder import Ladder
from harness.link import Link
from harness.patience import PATIENCE
from harness.phone import SDP, Phone
from harness.redis import Client, Redis, RedisError
from harness.soak import pbx

MUFASA = {"realm": "http-auth@example.org", "qop": "auth",
          "nonce": "7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v",
          "opaque": "FQhe/qaU925kfnzjCev0ciny7QMkPqMAFRtzCUYo5tdS"}


@pytest.mark.parametrize("algorithm, want", [
    # RFC 7616 section 3.9.1
    ("MD5", "8ca523f5e9506fed4657c9700eebdbec"),
    ("SHA-256",
     "753927fa0e85d155564e2e272a28d1802ca10daf4496794697cf8db5856cb6c1"),
])
def test_response_of_rfc_7616(algorithm, want):
    answer = digest.Answer(dict(MUFASA, algorithm=algorithm), "GET",
                           "/dir/index.html", "Mufasa", "Circle of Life")
    answer.cnonce = "f2/wE4q74E6zIJEtWaHKaf5wv/H5QzzpXusqGemxURZJ"
    assert answer.compute() == want


def test_response_of_rfc_2617_and_2069():
    challenge = {"realm": "testrealm@host.com", "qop": "auth",
                 "nonce": "dcd98b7102dd2f0e8b11d0f600bfb0c093"}
    answer = digest.Answer(challenge, "GET", "/dir/index.html",
                           "Mufasa", "Circle Of Life")
    answer.cnonce = "0a4f113b"
    assert answer.compute() == "6629fae49393a05397450978507c4ef1"
    answer.qop = None
    assert answer.compute() == "670fd8c2df070c60b045671b8b24ff02"


def test_userhash_of_rfc_7616():
    # section 3.9.2, with erratum 4897
    assert digest.userhash("SHA-512-256", "J\u00e4s\u00f8n Doe",
                           "api@example.org") == (
        "793263caabb707a56211940d90411ea4"
        "a575adeccb7e360aeb624ed06ece9b0b")


def test_sha_512_256_of_fips_180_4():
    assert digest.hash_hex("SHA-512-256", "abc") == (
        "53048e2681941ef99b2e29b76b4c7dabe4c2d0c634fc6d46e0e2f13107e7af23")


def test_a_message_survives_bytes_it_does_not_understand():
    raw = (b"OPTIONS sip:a@b SIP/2.0\r\nv : SIP/2.0/UDP h\r\nX:  \xff\xfe\r\n"
           b" folded\r\nSubject:\r\n\r\nbody\x00")
    message = sip.Message.parse(raw)
    assert message.values("via") == ["SIP/2.0/UDP h"]
    assert message.lines()[1] == b"X:  \xff\xfe\r\n folded"
    assert message.body == b"body\x00"
    assert message.has("Subject") and message.get("Subject") == ""


def test_lists_split_outside_quotes():
    assert sip.split_commas('<sip:a@b;x=1>;q=1, "x, \\" y" <sip:c>') == [
        "<sip:a@b;x=1>;q=1", '"x, \\" y" <sip:c>']


def test_a_stream_is_cut_by_content_length():
    one = b"OPTIONS sip:a SIP/2.0\r\nContent-Length: 3\r\n\r\nabc"
    reader = sip.StreamReader()
    assert reader.feed(b"\r\n\r\n" + one[:20]) == []
    assert reader.feed(one[20:] + one + b"\r\n") == [one, one]


@pytest.mark.parametrize("transport", ["udp", "tcp"])
def test_a_call_without_a_proxy(net, transport):
    ladder = Ladder()
    bob = Phone(ladder, "bob", net.host(11), proxy=None, tcp_listen=True)
    alice = Phone(ladder, "alice", net.host(10), password="wonderland",
                  transport=transport, proxy=(net.host(11), 5060))
    alice.send("INVITE", "sip:bob@%s" % net.host(11), body=SDP)
    bob.expect("INVITE")
    bob.reply(407, headers=[(
        "Proxy-Authenticate",
        'Digest realm="example.com", nonce="abc", algorithm=SHA-256, '
        'qop="auth"')])
    alice.expect(407)
    bob.expect("ACK")
    alice.answer()
    got = digest.parse(bob.expect("INVITE")["Proxy-Authorization"])
    assert got["nc"] == "00000001" and got["username"] == "alice"
    bob.reply(180)
    alice.expect(180)
    bob.reply(200, body=SDP)
    alice.expect(200)
    alice.ack()
    bob.expect("ACK")
    alice.resend()
    bob.expect_nothing(0.1)
    bob.expect_nothing(0)
    if transport == "udp":
        bob.bye()
        alice.expect("BYE")
        alice.reply(200)
        bob.expect(200)
    text = str(ladder)
    assert "alice" in text and "407" in text and "(1 INVITE)" in text
    alice.close()
    bob.close()


def test_a_client_of_redis_reads_every_kind_of_answer(net, tmp_path):
    redis = Redis(tmp_path, net.host(20))
    try:
        assert redis.ask("SET", "k", "a\r\nb") == "OK"
        assert redis.ask("GET", "k") == "a\r\nb"
        assert redis.ask("GET", "absent") is None
        assert redis.ask("EVAL", "return {1, {'x', false}}", 0) == [
            1, ["x", None]]
        with pytest.raises(RedisError, match="ERR unknown command"):
            redis.ask("NO-SUCH")
        old = redis.dump()
        redis.ask("SET", "later", "1")
        redis.kill()
        redis.start(old)
        assert redis.ask("KEYS", "*") == ["k"]
        redis.restart()
        assert redis.keys() == 0
    finally:
        redis.stop()


def test_a_link_with_bad_days(net, tmp_path):
    redis = Redis(tmp_path, net.host(20))
    link = Link(net.host(21), (redis.host, redis.port))

    def ask(*words, wait=PATIENCE):
        client = Client(socket.create_connection(link.address, wait))
        try:
            return client(*words)
        finally:
            client.close()
    try:
        assert ask("INCR", "n") == 1
        link.mute()
        with pytest.raises(socket.timeout):
            ask("INCR", "n", wait=0.5)
        assert redis.ask("GET", "n") == "2" and link.swallowed
        link.heal()
        link.stall()
        with pytest.raises(socket.timeout):
            ask("INCR", "n", wait=0.5)
        assert redis.ask("GET", "n") == "2"
        link.cut()
        with pytest.raises(ConnectionError):
            ask("INCR", "n")
        link.heal()
        assert ask("PING") == "PONG"
    finally:
        link.close()
        redis.stop()


def test_the_pbx_of_the_soak_knows_what_came_twice(net):
    ours, theirs = multiprocessing.Pipe()
    server = multiprocessing.Process(target=pbx, args=(net.host(5), theirs))
    server.start()
    assert ours.recv() == "ready"
    sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    sock.bind((net.host(1), 5060))
    sock.settimeout(PATIENCE)
    for use, branch in (("one", 1), ("two", 2), ("two", 2), ("three", 3),
                        ("one", 4)):
        sock.sendto(b"MESSAGE sip:b SIP/2.0\r\nVia: SIP/2.0/UDP h;branch=%d"
                    b"\r\nSubject: %s\r\nCSeq: 1 MESSAGE\r\n\r\n"
                    % (branch, use.encode()), (net.host(5), 5060))
        assert sock.recv(65535).startswith(b"SIP/2.0 200")
    ours.send("end")
    assert ours.recv() == (3, ["one"])
    server.join()
    sock.close()
