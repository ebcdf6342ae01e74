"""A real Redis for a scenario, the faults that can befall it, and a client.

    redis = Redis(folder, net.host(20))
    redis.ask("DBSIZE")
    redis.pause()                   # it hangs: SIGSTOP
    redis.kill()                    # kill -9
    redis.start()                   # and again, empty

Every server has an address of the test's own, so ports may be the usual ones.
"""

import os
import shutil
import signal
import socket
import ssl
import subprocess

from .patience import PATIENCE, until
from .programs import Program, find, freeze

ELECTION = 2 * PATIENCE     # sentinels look every 10 s who is there


class RedisError(Exception):
    """What stands behind the minus sign."""


class Client:
    """RESP2, one command after the other."""

    def __init__(self, sock):
        self.sock, self.file = sock, sock.makefile("rb")

    def __call__(self, *words):
        parts = [str(w).encode("utf-8", "surrogateescape") for w in words]
        self.sock.sendall(b"*%d\r\n" % len(parts) + b"".join(
            b"$%d\r\n%s\r\n" % (len(p), p) for p in parts))
        return self.read()

    def read(self):
        line = self.file.readline()
        if not line.endswith(b"\r\n"):
            raise ConnectionError("Redis closed the connection")
        kind, rest = line[:1], line[1:-2].decode("utf-8", "surrogateescape")
        if kind == b"-":
            raise RedisError(rest)
        if kind == b"+":
            return rest
        number = int(rest)
        if kind == b":":
            return number
        if number < 0:
            return None
        if kind == b"*":
            return [self.read() for _ in range(number)]
        return self.file.read(number + 2)[:-2].decode(
            "utf-8", "surrogateescape")

    def close(self):
        self.file.close()
        self.sock.close()


def certificate(folder, host, name="redis"):
    """A certificate that is its own authority; returns (certificate, key)."""
    crt, key = (os.path.join(str(folder), name + end)
                for end in (".crt", ".key"))
    subprocess.run(
        [find("openssl"), "req", "-x509", "-newkey", "ec", "-pkeyopt",
         "ec_paramgen_curve:P-256", "-nodes", "-days", "2", "-subj",
         "/CN=" + name, "-addext", "subjectAltName=IP:" + host,
         "-keyout", key, "-out", crt], check=True, capture_output=True)
    return crt, key


class Server(Program):
    """redis-server on a file of options, each a word and its value.  Paths
    begin at its folder, whose own may have blanks in it."""

    mode = ()

    def __init__(self, folder, what, host, port, options=()):
        super().__init__(what, folder)
        self.host, self.port = host, port
        self.conf = os.path.join(self.folder, "redis.conf")
        self.admin = None
        self.password = None        # of the administrator: us
        lines = [("bind", host), ("port", str(port)), ("dir", "."),
                 ("protected-mode", "no"), *options]
        with open(self.conf, "w", encoding="ascii") as f:
            f.writelines("%s %s\n" % line for line in lines)

    # ---- its life

    def start(self):
        self.spawn([find("redis-server"), self.conf, *self.mode])
        return self.wait_ready()

    def wait_ready(self):
        """Until it answers, be it that it is still loading."""
        until(self.answers, lambda: self.complaint("does not answer"))
        return self

    def answers(self):
        try:
            return self.ask("PING")
        except RedisError as why:
            return why
        except OSError:
            assert self.process.poll() is None, self.complaint("ended")
            return None

    def state(self):
        """For complaints."""
        ended = self.process.poll()
        return "%s %s" % (self.what, "runs" if ended is None else
                          "ended with %d:\n%s" % (ended, self.log()[-2000:]))

    def forget_admin(self):
        if self.admin is not None:
            self.admin.close()
            self.admin = None

    def kill(self):
        self.forget_admin()
        self.process.kill()
        self.process.wait()

    def pause(self):
        """It hangs: connections open, nobody answers."""
        freeze(self.process.pid)

    def resume(self):
        os.kill(self.process.pid, signal.SIGCONT)

    def stop(self):
        self.forget_admin()
        if self.process is not None and self.process.poll() is None:
            self.resume()
        super().stop()

    # ---- asked

    def connect(self, timeout=PATIENCE):
        return Client(socket.create_connection((self.host, self.port),
                                               timeout))

    def ask(self, *words):
        """Over a connection of ours, kept; made anew if Redis dropped it,
        as it does when a replica becomes a master."""
        for kept in (self.admin is not None, False):
            try:
                return self.administrator()(*words)
            except OSError:
                self.forget_admin()
                if not kept:
                    raise

    def administrator(self):
        if self.admin is None:
            self.admin = self.connect()
            if self.password is not None:
                self.admin("AUTH", self.password)
        return self.admin

    def info(self, section="all"):
        lines = self.ask("INFO", section).splitlines()
        return dict(x.split(":", 1) for x in lines if ":" in x)

    def wait_for(self, what, wanted):
        """Until INFO says so."""
        until(lambda: self.info().get(what) == wanted,
              lambda: "%s: %s is %s, not %s" % (
                  self.what, what, self.info().get(what), wanted))


class Redis(Server):
    """A data node; it starts at once.

    unix     it listens on a socket in its folder as well
    tls      it speaks TLS only; ca is the certificate to trust
    replica_of  another Redis
    options  pairs for its file
    """

    def __init__(self, folder, host, what="redis", *, port=6379, unix=False,
                 tls=False, replica_of=None, options=()):
        more = [("save", '""'), ("appendonly", "no"),
                ("enable-debug-command", "yes"), ("hz", "50"),
                ("repl-diskless-sync-delay", "0")]
        super().__init__(folder, what, host, 0 if tls else port,
                         more + list(options))
        self.port, self.ca = port, None
        self.socket_path = os.path.join(self.folder, "socket")
        lines = []
        if unix:
            lines.append(("unixsocket", "socket"))
        if tls:
            self.ca, key = certificate(self.folder, host)
            lines += [("tls-port", str(port)), ("tls-auth-clients", "no"),
                      ("tls-cert-file", os.path.basename(self.ca)),
                      ("tls-key-file", os.path.basename(key)),
                      ("tls-ca-cert-file", os.path.basename(self.ca))]
        if replica_of is not None:
            lines += [("bind-source-addr", host),
                      ("replica-announce-ip", host),
                      ("replicaof", "%s %d" % (replica_of.host,
                                               replica_of.port))]
        with open(self.conf, "a", encoding="ascii") as f:
            f.writelines("%s %s\n" % line for line in lines)
        self.start()

    def url(self, login="", db=0):
        return "%s://%s%s:%d/%d" % ("rediss" if self.ca else "redis",
                                    login and login + "@", self.host,
                                    self.port, db)

    def unix_url(self):
        return "unix://" + self.socket_path

    def connect(self, timeout=PATIENCE):
        sock = socket.create_connection((self.host, self.port), timeout)
        if self.ca is not None:
            context = ssl.create_default_context(cafile=self.ca)
            sock = context.wrap_socket(sock, server_hostname=self.host)
        return Client(sock)

    # ---- what it holds

    def dump_path(self):
        return os.path.join(self.folder, "dump.rdb")

    def dump(self):
        """Its data as of now, for start(dump)."""
        self.ask("SAVE")
        return shutil.move(self.dump_path(),
                           os.path.join(self.folder, "dump.old"))

    def start(self, dump=None):
        """With the data of a dump, or with none."""
        if dump is not None:
            shutil.copy(dump, self.dump_path())
        elif os.path.exists(self.dump_path()):
            os.unlink(self.dump_path())
        return super().start()

    def restart(self, keep=False):
        dump = self.dump() if keep else None
        self.kill()
        return self.start(dump)

    def keys(self):
        return self.ask("DBSIZE")

    def commands(self):
        """How often each command was called."""
        return {name[len("cmdstat_"):]: int(value.split(",")[0][6:])
                for name, value in self.info("commandstats").items()
                if name.startswith("cmdstat_")}

    # ---- what befalls it

    def set(self, *options):
        """Each option and its value, all at once."""
        self.ask("CONFIG", "SET", *options)

    def drop_clients(self):
        """All connections but ours."""
        return self.ask("CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes")

    def wait_synced(self):
        """A replica: until it has all that its master has."""
        self.wait_for("master_link_status", "up")

    def wait_busy(self):
        """Until a script that was sent runs, and for long enough."""
        until(lambda: str(self.answers()).startswith("BUSY"),
              "%s is not busy" % self.what)

    def promote(self):
        self.ask("REPLICAOF", "NO", "ONE")

    def follow(self, host, port=6379):
        self.ask("REPLICAOF", host, port)


class Sentinel(Server):
    """Watches one master, alone: its own word is the quorum."""

    mode = ("--sentinel",)

    def __init__(self, folder, host, master, name="sipbouncer", *,
                 what="sentinel", port=26379):
        super().__init__(folder, what, host, port, [
            ("sentinel monitor", "%s %s %d 1" % (name, master.host,
                                                 master.port)),
            ("sentinel down-after-milliseconds", name + " 500"),
            ("sentinel failover-timeout", name + " 2000")])
        self.name = name
        self.start()

    def address(self):
        return "%s:%d" % (self.host, self.port)

    def master(self):
        """(host, port) of the master, as it sees things."""
        host, port = self.ask("SENTINEL", "GET-MASTER-ADDR-BY-NAME",
                              self.name)
        return host, int(port)

    def wait_replicas(self, count=1):
        until(lambda: len(self.ask("SENTINEL", "REPLICAS",
                                   self.name)) >= count,
              "the replica was not found", ELECTION)

    def wait_master(self, redis):
        until(lambda: self.master() == (redis.host, redis.port),
              lambda: self.complaint("did not choose " + redis.what),
              ELECTION)

    def fail_over(self):
        """Now; it may first have to learn what its replicas are good for."""
        until(self.fails_over, lambda: self.complaint("does not fail over"),
              ELECTION)

    def fails_over(self):
        try:
            return self.ask("SENTINEL", "FAILOVER", self.name)
        except RedisError:
            return None
