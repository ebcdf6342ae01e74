"""The daemon under test: configuration, start, log, signals, end."""

import json
import os
import re
import signal
import subprocess
import time

from . import digest
from .patience import PATIENCE, until
from .programs import die_with_us, freeze

SANITIZER = re.compile(
    r"ERROR: (Address|Leak)Sanitizer|runtime error:|SUMMARY: \w+Sanitizer"
    r"|Assertion .* failed")


def binary(name="sipbouncer"):
    """SIPBOUNCER names the daemon; its tools stand beside it."""
    here = os.path.dirname(os.path.abspath(__file__))
    default = os.path.join(here, "..", "..", "build", "sipbouncer")
    daemon = os.environ.get("SIPBOUNCER")
    if not daemon:
        daemon = "./sipbouncer" if os.path.exists("./sipbouncer") else default
    daemon = os.path.abspath(daemon)
    if name == "sipbouncer":
        return daemon
    return os.path.join(os.path.dirname(daemon), name)


# ---- configuration as text

def _value(value, indent):
    pad = "  " * indent
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int):
        return str(value)
    if isinstance(value, str):
        return '"%s"' % value.replace("\\", "\\\\").replace('"', '\\"')
    if isinstance(value, dict):
        inner = "".join("%s  %s = %s;\n" % (pad, k, _value(v, indent + 1))
                        for k, v in value.items() if v is not None)
        return "{\n%s%s}" % (inner, pad)
    if value and isinstance(value[0], dict):
        return "( %s )" % ", ".join(_value(v, indent + 1) for v in value)
    return "[ %s ]" % ", ".join(_value(v, indent) for v in value)


def config_text(config):
    return "".join("%s = %s;\n" % (k, _value(v, 0))
                   for k, v in config.items() if v is not None)


def user_line(user, realm, password, identities=(), algorithms=None):
    sums = ["%s=%s" % (a.lower(), digest.ha1(a, user, realm, password))
            for a in algorithms or digest.HASHES]
    line = "%s:%s:%s" % (user, realm, ",".join(sums))
    if identities:
        line += ":" + ",".join(identities)
    return line + "\n"


# ---- the log

def _unescape(value):
    return re.sub(
        r'\\(x[0-9a-fA-F]{2}|.)',
        lambda m: chr(int(m.group(1)[1:], 16)) if len(m.group(1)) == 3
        else m.group(1), value)


def parse_line(line):
    if line.startswith("{"):
        return {k: v if isinstance(v, str) else json.dumps(v)
                for k, v in json.loads(line).items()}
    out = {}
    for key, value in re.findall(
            r'([A-Za-z0-9_.-]+)=("(?:[^"\\]|\\.)*"|\S*)', line):
        if value.startswith('"'):
            value = _unescape(value[1:-1])
        out[key] = value
    return out


class Log:
    """Lines the daemon wrote to stderr, as dicts."""

    def __init__(self, path):
        self.path = path
        self.parsed, self.read = [], 0      # lines, and bytes, so far

    def text(self):
        try:
            with open(self.path, encoding="utf-8", errors="replace") as f:
                return f.read()
        except FileNotFoundError:
            return ""

    def lines(self):
        """Whole ones; each is parsed once."""
        try:
            with open(self.path, "rb") as f:
                f.seek(self.read)
                data = f.read()
        except FileNotFoundError:
            return []
        data = data[:data.rfind(b"\n") + 1]
        self.read += len(data)
        self.parsed += [
            parse_line(x) for x in data.decode("utf-8", "replace").splitlines()
            if x.startswith("{") or "event=" in x]
        return list(self.parsed)

    def find(self, **fields):
        def fits(line):
            return all(
                k in line and (v.search(line[k]) if hasattr(v, "search")
                               else line[k] == str(v))
                for k, v in fields.items())
        return [x for x in self.lines() if fits(x)]

    def has(self, timeout=PATIENCE, count=1, **fields):
        """Wait for `count` lines with these fields; returns the last."""
        def last():
            found = self.find(**fields)
            return len(found) >= count and found[-1]
        return until(last, lambda: "no log line %r in:\n%s" % (
            fields, self.text()[-4000:]), timeout)

    def has_not(self, settle=0.3, **fields):
        time.sleep(settle)
        found = self.find(**fields)
        assert not found, "unwanted log line: %r" % found[0]


# ---- the process

class Daemon:
    def __init__(self, folder, name="sipbouncer"):
        self.folder, self.name = folder, name
        self.config_path = os.path.join(folder, name + ".cfg")
        self.log = Log(os.path.join(folder, name + ".log"))
        self.process = None

    def configure(self, config):
        text = config if isinstance(config, str) else config_text(config)
        with open(self.config_path, "w", encoding="utf-8") as f:
            f.write(text)

    def run(self, *args, timeout=4 * PATIENCE, **more):
        """Run to the end, as with -t; returns the finished process."""
        return subprocess.run(
            [binary(), *args], capture_output=True, text=True,
            timeout=timeout, cwd=self.folder, check=False, **more)

    def start(self):
        begun = len(self.log.find(event="daemon.start"))
        with open(self.log.path, "ab") as log:
            self.process = subprocess.Popen(
                [binary(), "-c", self.config_path], stderr=log,
                stdout=subprocess.DEVNULL, stdin=subprocess.DEVNULL,
                cwd=self.folder, preexec_fn=die_with_us)
        until(lambda: self.is_ready(begun), "the daemon is not ready")
        return self

    def is_ready(self, begun):
        """It said so once more than before."""
        assert self.alive(), "the daemon ended with %s:\n%s" % (
            self.process.returncode, self.log.text())
        return len(self.log.find(event="daemon.start")) > begun

    def alive(self):
        return self.process is not None and self.process.poll() is None

    def signal(self, number):
        assert self.alive(), "the daemon is gone:\n" + self.log.text()
        if number == signal.SIGSTOP:
            freeze(self.process.pid)
        else:
            os.kill(self.process.pid, number)

    def reload(self):
        self.signal(signal.SIGHUP)

    def metrics(self):
        """Counters as {(name, value of the label or ""): count}, asked for
        by SIGUSR1; what they say is whole when they begin once more."""
        before = len(self.batches())
        for count in (1, 2):
            self.signal(signal.SIGUSR1)
            until(lambda: len(self.batches()) >= before + count,
                  "no counters in the log")
        return {(x["name"], x.get("of", "")): int(x["value"])
                for x in self.batches()[before]}

    def batches(self):
        """The counters each time they were asked for: all begin alike."""
        out, first = [], None
        for line in self.log.find(event="metric"):
            key = line["name"], line.get("of")
            first = first or key
            if key == first:
                out.append([])
            out[-1].append(line)
        return out

    def settle(self):
        """What was sent before has been looked at: after two rounds of the
        loop for sure, and these are four."""
        self.metrics()
        self.metrics()

    def cpu_seconds(self):
        """Of its one thread; finer than the ticks of stat."""
        path = "/proc/%d/schedstat" % self.process.pid
        with open(path, encoding="ascii") as f:
            return int(f.read().split()[0]) / 1e9

    def rss_kb(self):
        path = "/proc/%d/status" % self.process.pid
        with open(path, encoding="ascii") as f:
            return int(re.search(r"VmRSS:\s+(\d+)", f.read()).group(1))

    def stop(self):
        """SIGTERM; a clean end is part of every scenario."""
        if self.process is None:
            return
        if self.alive():
            os.kill(self.process.pid, signal.SIGTERM)
        try:
            status = self.process.wait(PATIENCE)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
            raise AssertionError("no end after SIGTERM") from None
        finally:
            self.process = None
        text = self.log.text()
        found = SANITIZER.search(text)
        assert not found, "the daemon complained:\n" + \
            text[max(found.start() - 2000, 0):found.start() + 6000]
        assert status == 0, "exit status %d:\n%s" % (status, text[-4000:])
