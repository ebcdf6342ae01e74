"""Programs of others as peers: SIPp, baresip, Kamailio, sipsak.

Each runs in a folder of the test, on a loopback address of the test, as a
session of its own, which is ended by its id.
"""

import ctypes
import json
import os
import re
import shutil
import signal
import socket
import subprocess
import time

from .patience import PATIENCE, until

DATA = os.path.abspath(
    os.path.join(os.path.dirname(__file__), "..", "data"))
REALM = "example.com"
PR_SET_PDEATHSIG = 1
LIBC = ctypes.CDLL(None)


def find(name):
    """Where a program is; Debian keeps some daemons out of a user's PATH."""
    path = shutil.which(name) or shutil.which(name, path="/usr/sbin:/sbin")
    assert path, "%s is not installed (scripts/install-deps)" % name
    return path


def die_with_us():
    """For preexec_fn.  A run that was broken off leaves nobody behind, on
    whose addresses the next one would fail."""
    LIBC.prctl(PR_SET_PDEATHSIG, signal.SIGKILL)


def is_frozen(pid):
    with open("/proc/%d/stat" % pid, encoding="ascii") as f:
        return f.read().rpartition(")")[2].split()[0] == "T"


def freeze(pid):
    """SIGSTOP, and until it stands still, which is not at once."""
    os.kill(pid, signal.SIGSTOP)
    until(lambda: is_frozen(pid), "process %d goes on" % pid)


class Program:
    """A process with a log; `what` names it in complaints."""

    def __init__(self, what, folder):
        self.what = what
        self.folder = os.path.join(str(folder), what)
        os.makedirs(self.folder)
        self.log_path = os.path.join(self.folder, "log")
        self.process = None

    def spawn(self, argv):
        with open(self.log_path, "wb") as log:
            self.process = subprocess.Popen(
                argv, cwd=self.folder, stdin=subprocess.DEVNULL, stdout=log,
                stderr=subprocess.STDOUT, start_new_session=True,
                preexec_fn=die_with_us,
                env=dict(os.environ, TERM="dumb", HOME=self.folder))

    def log(self):
        with open(self.log_path, encoding="utf-8", errors="replace") as f:
            return f.read()

    def complaint(self, words):
        return "%s %s:\n%s" % (self.what, words, self.log()[-5000:])

    def has_ended(self):
        """Without reaping it, so that its id stays its own."""
        return os.waitid(os.P_PID, self.process.pid,
                         os.WEXITED | os.WNOWAIT | os.WNOHANG) is not None

    def stop(self):
        """End it, and then what it left behind: its children are in the
        session that it leads."""
        if self.process is None or self.process.poll() is not None:
            return
        self.process.terminate()
        deadline = time.monotonic() + PATIENCE
        while not self.has_ended() and time.monotonic() < deadline:
            time.sleep(0.02)
        os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()
        self.process = None


# ---- SIPp

class Sipp(Program):
    """One end of a SIPp scenario from test/data/sipp.

    keys    what [key] in the scenario stands for
    remote  (host, port), for the end that begins
    """

    def __init__(self, what, folder, scenario, host, *, port=5060, calls=1,
                 remote=None, keys=(), options=(), limit=30, transport="u1"):
        super().__init__(what, folder)
        argv = [find("sipp"), "-sf",
                os.path.join(DATA, "sipp", scenario + ".xml"),
                "-i", host, "-mi", host, "-p", str(port), "-t", transport,
                "-m", str(calls), "-nostdin", "-trace_err",
                # what comes while it is late
                "-buff_size", "1000000",
                "-timeout", str(limit), "-timeout_error"]
        for key, value in dict(keys).items():
            argv += ["-key", key, value]
        argv += list(options)
        if remote is not None:
            argv.append("%s:%d" % remote)
        self.limit = limit
        self.spawn(argv)
        if remote is None:
            self.wait_bound(host, port, transport)

    def wait_bound(self, host, port, transport):
        """Until the port is taken, as the kernel lists it."""
        table = "/proc/net/" + ("tcp" if transport.startswith("t") else "udp")
        local = "%08X:%04X" % (
            int.from_bytes(socket.inet_aton(host), "little"), port)

        def is_bound():
            assert self.process.poll() is None, self.complaint("ended")
            with open(table, encoding="ascii") as f:
                return any(line.split()[1] == local for line in f)
        until(is_bound, lambda: self.complaint("does not listen"))

    def written(self, kind):
        """What SIPp wrote to its files of a kind: errors, shortmessages."""
        out = ""
        for name in sorted(os.listdir(self.folder)):
            if name.endswith("_%s.log" % kind):
                path = os.path.join(self.folder, name)
                with open(path, encoding="utf-8", errors="replace") as f:
                    out += f.read()
        return out

    def messages(self):
        """(unix time, sent, start line) of each; with -trace_shortmsg."""
        for line in self.written("shortmessages").splitlines():
            _, _, when, way, _, _, start = line.split("\t", 6)
            yield float(when), way == "S", start.strip()

    def finish(self):
        """Wait for the end of all calls; each must have passed."""
        status = self.process.wait(self.limit + 5)
        assert status == 0, self.complaint(
            "ended with %d\n%s" % (status, self.written("errors")[:3000]))


# ---- baresip

BARESIP_CONFIG = """\
sip_listen %(host)s:5060
net_interface %(host)s
module_path %(modules)s
module g711.so
module aubridge.so
module_app account.so
module_app menu.so
module_app ctrl_tcp.so
ctrl_tcp_listen %(host)s:4444
audio_player aubridge,%(what)s
audio_source aubridge,%(what)s
audio_alert aubridge,%(what)s
rtp_ports 10000-10100
%(cafile)s
"""

BARESIP_ACCOUNT = (
    '<sip:%(user)s@%(realm)s;transport=%(transport)s>;auth_user=%(user)s;'
    'auth_pass=%(password)s;outbound="sip:%(proxy)s:%(port)d;'
    'transport=%(transport)s";regint=60;answermode=auto;'
    'audio_codecs=pcmu%(more)s\n')


def baresip_modules():
    listing = subprocess.run(["dpkg", "-L", "baresip-core"],
                             capture_output=True, text=True, check=True)
    for line in listing.stdout.splitlines():
        if line.endswith("/account.so"):
            return os.path.dirname(line)
    raise AssertionError("baresip-core has no account.so")


class Baresip(Program):
    """A phone without a sound card: sound goes in a circle (aubridge).
    Told what to do, and asked what happened, over its control socket."""

    def __init__(self, folder, host, user, password, proxy, *,
                 transport="udp", cafile=None, more=""):
        super().__init__("baresip-" + user, folder)
        names = {"host": host, "what": self.what, "user": user,
                 "password": password, "realm": REALM, "proxy": proxy,
                 "transport": transport, "more": more,
                 "port": 5061 if transport == "tls" else 5060,
                 "cafile": "sip_cafile " + cafile if cafile else "",
                 "modules": baresip_modules()}
        for name, text in (("config", BARESIP_CONFIG % names),
                           ("accounts", BARESIP_ACCOUNT % names),
                           ("contacts", "")):
            with open(os.path.join(self.folder, name), "w",
                      encoding="ascii") as f:
                f.write(text)
        self.data, self.events = b"", []
        self.spawn([find("baresip"), "-f", self.folder, "-s", "-v"])
        self.control = self.connect((host, 4444))

    def connect(self, address):
        def connection():
            try:
                return socket.create_connection(address, PATIENCE)
            except OSError:
                assert self.process.poll() is None, self.complaint("ended")
                return None
        return until(connection,
                     lambda: self.complaint("has no control socket"))

    def tell(self, command, params=""):
        """A netstring of JSON, as module ctrl_tcp takes it."""
        order = json.dumps({"command": command, "params": params}).encode()
        self.control.sendall(b"%d:%s," % (len(order), order))

    def read(self, timeout):
        self.control.settimeout(max(timeout, 0.01))
        try:
            self.data += self.control.recv(65536)
        except socket.timeout:
            return
        while True:
            size, colon, rest = self.data.partition(b":")
            if not colon or len(rest) <= int(size):
                return
            self.events.append(json.loads(rest[:int(size)]))
            self.data = rest[int(size) + 1:]

    def expect(self, kind):
        """Wait for an event, and forget those before it."""
        deadline = time.monotonic() + PATIENCE
        while True:
            while self.events:
                event = self.events.pop(0)
                if event.get("type") == kind:
                    return event
            assert time.monotonic() < deadline, \
                self.complaint("waited in vain for " + kind)
            self.read(deadline - time.monotonic())

    def wait_log(self, pattern):
        """Wait for words in its log: what happened before we could listen."""
        until(lambda: re.search(pattern, self.log()),
              lambda: self.complaint("never said " + pattern))

    def wait_registered(self):
        self.wait_log(r"@%s: \{0.*\} 200 OK" % re.escape(REALM))

    def stop(self):
        self.control.close()
        super().stop()


# ---- Kamailio

class AnyKamailio(Program):
    """Kamailio with a configuration of test/data/kamailio.

    definitions     what it is told besides, by -A
    ready           how its answer to an OPTIONS begins
    """

    def __init__(self, folder, host, config, definitions, *,
                 options=("-m", "32", "-M", "4"), ready=b"SIP/2.0 200"):
        super().__init__("kamailio", folder)
        self.host, self.ready = host, ready
        argv = [find("kamailio"), "-DD", "-E", *options,
                "-f", os.path.join(DATA, "kamailio", config),
                "-Y", self.folder, "-P", os.path.join(self.folder, "pid")]
        for definition in definitions:
            argv += ["-A", definition]
        self.spawn(argv)
        try:
            self.wait_ready()
        except AssertionError:
            self.stop()
            raise

    def wait_ready(self):
        """Until it answers an OPTIONS."""
        deadline = time.monotonic() + PATIENCE
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
            sock.bind((self.host, 0))
            sock.settimeout(0.2)
            me = "%s:%d" % sock.getsockname()
            ask = ("OPTIONS sip:%s SIP/2.0\r\n"
                   "Via: SIP/2.0/UDP %s;rport;branch=z9hG4bKready\r\n"
                   "Max-Forwards: 70\r\nFrom: <sip:ready@%s>;tag=r\r\n"
                   "To: <sip:%s>\r\nCall-ID: ready\r\nCSeq: 1 OPTIONS\r\n"
                   "Content-Length: 0\r\n\r\n"
                   % (REALM, me, me, REALM)).encode()
            while time.monotonic() < deadline:
                assert self.process.poll() is None, self.complaint("ended")
                try:
                    sock.sendto(ask, (self.host, 5060))
                    if sock.recv(65535).startswith(self.ready):
                        return
                except OSError:
                    time.sleep(0.05)
        raise AssertionError(self.complaint("does not answer"))


class Kamailio(AnyKamailio):
    """The PBX of test/data/kamailio/pbx.cfg."""

    def __init__(self, folder, host, *, use_path=True):
        super().__init__(folder, host, "pbx.cfg", [
            "PBX=" + host, "USE_PATH=%d" % use_path])


# ---- sipsak

def sipsak(*args, timeout=4 * PATIENCE):
    """Run to the end; returns the finished process."""
    return subprocess.run(
        [find("sipsak"), "-vv", "-l", "0", *args], capture_output=True,
        text=True, timeout=timeout, check=False, stdin=subprocess.DEVNULL)
