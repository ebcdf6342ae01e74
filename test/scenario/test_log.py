"""What the operator sees."""

import json
import os
import re
import subprocess

import pytest

from harness import check
from harness.daemon import binary, parse_line
from harness.scene import NO_RATES, ask, call, serve


def of_call(scene, call_id):
    return [x for x in scene.log.lines() if call_id in x.values()]


def test_one_line_at_the_end_of_a_request(scene):
    scene.start()
    alice, pbx = scene.alice(), scene.pbx()
    sent = alice.send("MESSAGE", "sip:bob@example.com")
    alice.expect(407)
    alice.answer()
    pbx.expect("MESSAGE")
    pbx.reply(202)
    alice.expect(202)
    scene.log.has(reason="relayed", method="MESSAGE")
    lines = of_call(scene, sent.call_id)
    assert [x["reason"] for x in lines] == ["no-credentials", "relayed"]
    last = lines[1]
    assert last["user"] == "alice" and last["status"] == "202"
    assert last["source"] == "%s:5060" % alice.host
    assert last["peer"] == "-"
    assert "%s:5060" % pbx.host in last.values()
    assert int(last["us"]) > 0
    assert lines[0]["user"] in ("-", "") and lines[0]["status"] == "407"


def test_the_usual_first_request_is_no_news(scene):
    scene.start(log={"level": "info"})
    alice = scene.alice()
    alice.send("MESSAGE", "sip:bob@example.com")
    alice.expect(407)
    scene.log.has_not(reason="no-credentials")


def test_a_peers_request_names_the_peer(scene):
    scene.start()
    pbx = scene.pbx()
    pbx.send("OPTIONS", "sip:alice@example.com")
    pbx.expect(404)
    line = scene.log.has(reason="no-route")
    assert line["peer"] == "pbx" and line["user"] in ("-", "")


HOSTILE = [
    'bob" verdict="accept" x="', "bob\\\" result=ok", "a b=c",
    "evil\tname", "\u2028line", "=", "event=daemon.stop",
]


@pytest.mark.parametrize("name", HOSTILE)
def test_a_user_name_cannot_forge_a_field(scene, name):
    scene.start()
    mallory = scene.mallory(user="mallory")
    mallory.send("OPTIONS", "sip:bob@example.com")
    mallory.expect(407)
    mallory.user = name
    mallory.answer()
    mallory.expect(407)
    line = scene.log.has(method="OPTIONS", reason=re.compile(
        "wrong-password|bad-credentials"))
    assert "result" not in line and line.get("verdict") != "accept"
    assert line.get("x") is None and "b" not in line
    assert not scene.log.find(event="daemon.stop")


@pytest.mark.parametrize("call_id", HOSTILE + ["x" * 3000, "\x7f\x80"])
def test_a_call_id_cannot_forge_a_field(scene, call_id):
    scene.start()
    mallory = scene.mallory()
    mallory.raw(
        "OPTIONS sip:bob@example.com SIP/2.0\r\n"
        "Via: SIP/2.0/UDP %s:5060;branch=z9hG4bKx;rport\r\n"
        "From: <sip:m@example.com>;tag=1\r\nTo: <sip:b@example.com>\r\n"
        "Call-ID: %s\r\nCSeq: 1 OPTIONS\r\nContent-Length: 0\r\n\r\n" % (
            mallory.host, call_id))
    mallory.receive(timeout=0.5)
    scene.log.has_not(result="ok")
    for line in scene.log.lines():
        assert "x" not in line and line.get("verdict") != "accept"
    assert not scene.log.find(event="daemon.stop")


def test_a_method_and_a_folded_header_cannot_forge_a_line(scene):
    scene.start()
    mallory = scene.mallory()
    mallory.send("OPTIONS", "sip:bob@example.com",
                 from_="<sip:m@example.com>;tag=1\r\n level=error event=x")
    mallory.receive(timeout=0.5)
    mallory.send("level=error", "sip:bob@example.com")
    mallory.receive(timeout=0.5)
    scene.log.has_not(event="x")
    for line in scene.log.text().splitlines():
        assert not line.startswith("level=error event=x")


def test_no_secret_in_the_log(scene):
    scene.start(log={"level": "debug"})
    alice, pbx = scene.alice(), scene.pbx()
    serve(alice, pbx)
    alice.answer(password="wrong")
    alice.expect(407)
    text = scene.log.text()
    assert "wonderland" not in text
    for value in re.findall(r'(?:response|cnonce)="([^"]+)"',
                            str(alice.sent)):
        assert value not in text
    with open(scene.folder + "/users", encoding="utf-8") as f:
        for digest in re.findall(r"[0-9a-f]{32,}", f.read()):
            assert digest not in text


def test_json(scene):
    scene.start(log={"format": "json"})
    alice, pbx = scene.alice(), scene.pbx()
    serve(alice, pbx)
    alice.answer(user='a"b\\c\u00e9', password="x")
    alice.expect(407)
    scene.log.has(reason="wrong-password")
    lines = [x for x in scene.log.text().splitlines() if x]
    for line in lines:
        assert isinstance(json.loads(line), dict)
    last = json.loads(lines[-1])
    assert isinstance(last["status"], int)


def test_log_level(scene):
    scene.start(log={"level": "notice"})
    alice, pbx = scene.alice(), scene.pbx()
    call(alice, pbx)
    scene.log.has_not(reason="relayed")


def test_counters(scene):
    scene.start()
    alice, pbx = scene.alice(), scene.pbx()
    serve(alice, pbx)
    alice.answer(password="wrong")
    alice.expect(407)
    counted = scene.daemon.metrics()
    assert counted[("requests_ended_total", "relayed")] == 1
    assert counted[("requests_ended_total", "no-credentials")] == 1
    assert counted[("requests_ended_total", "wrong-password")] == 1
    assert counted[("requests_ended_total", "replay")] == 0


def test_the_manual_explains_every_counter(scene, pki):
    scene.start(listen=scene.listeners(scene.secure_listener(pki.server)))
    check.manual_explains(name for name, _ in scene.daemon.metrics())


def test_requests_of_one_call_can_be_found_together(scene):
    scene.start()
    alice, pbx = scene.alice(), scene.pbx()
    invite = call(alice, pbx)
    alice.bye()
    alice.expect(407)
    alice.answer()
    pbx.expect("BYE")
    pbx.reply(200)
    alice.expect(200)
    scene.log.has(method="BYE", reason="relayed")
    methods = [(x["method"], x["reason"])
               for x in of_call(scene, invite.call_id) if "method" in x]
    assert ("INVITE", "relayed") in methods and ("BYE", "relayed") in methods


def test_the_parser_of_the_harness_reads_what_is_escaped():
    line = parse_line('level=notice user="bob\\" result=ok\\x0a" n=12')
    assert line == {"level": "notice", "user": 'bob" result=ok\n', "n": "12"}


def test_a_slow_reader_does_not_stop_the_daemon(scene):
    # stderr is a pipe that nobody reads
    scene.write_config(limits=NO_RATES)
    reading, writing = os.pipe()
    with subprocess.Popen([binary(), "-c", scene.daemon.config_path],
                          stderr=writing, cwd=scene.folder) as process:
        try:
            os.close(writing)
            said = b""
            while b"event=daemon.start" not in said:
                said += os.read(reading, 4096)
            alice, pbx = scene.alice(), scene.pbx()
            for _ in range(1500):
                alice.send("OPTIONS", "sip:bob@example.com")
                alice.expect(407)
            ask(alice)
            pbx.expect("OPTIONS")
        finally:
            process.kill()
            os.close(reading)
