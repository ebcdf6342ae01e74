"""sipbouncer-passwd."""

import os
import re
import stat
import subprocess

import pytest

from harness import digest
from harness.daemon import binary
from harness.scene import REALM, serve


class Tool:
    def __init__(self, folder):
        self.folder = str(folder)
        self.path = os.path.join(self.folder, "users")

    def __call__(self, *args, typed=""):
        return subprocess.run(
            [binary("sipbouncer-passwd"), *args], input=typed, text=True,
            capture_output=True, timeout=20, cwd=self.folder, check=False)

    def create(self, user, password="secret", realm=REALM, *more):
        return self("create", "-f", self.path, "-r", realm, "--stdin", *more,
                    user, typed=password + "\n")

    def lines(self):
        with open(self.path, encoding="utf-8") as f:
            return f.read().splitlines()


@pytest.fixture
def passwd(tmp_path):
    if not os.path.exists(binary("sipbouncer-passwd")):
        pytest.fail("no sipbouncer-passwd beside the daemon")
    return Tool(tmp_path)


def test_create(passwd):
    done = passwd.create("alice", "wonderland")
    assert done.returncode == 0, done.stderr
    assert stat.S_IMODE(os.stat(passwd.path).st_mode) == 0o600
    line = passwd.lines()[0].lower()
    for algorithm in digest.HASHES:
        assert digest.ha1(algorithm, "alice", REALM, "wonderland") in line
    assert "wonderland" not in line


def test_create_again_replaces(passwd):
    passwd.create("alice", "one")
    passwd.create("bob", "two")
    done = passwd.create("alice", "three")
    lines = [x for x in passwd.lines() if x.startswith("alice:")]
    if done.returncode == 0:
        assert len(lines) == 1 and digest.ha1(
            "MD5", "alice", REALM, "three") in lines[0]
    else:
        assert digest.ha1("MD5", "alice", REALM, "one") in lines[0]
    assert any(x.startswith("bob:") for x in passwd.lines())


def test_several_realms(passwd):
    passwd.create("alice", "one")
    passwd.create("alice", "two", "other.test")
    assert len([x for x in passwd.lines() if x.startswith("alice:")]) == 2


def test_list(passwd):
    passwd.create("alice")
    passwd.create("bob")
    done = passwd("list", "-f", passwd.path)
    assert done.returncode == 0
    assert "alice" in done.stdout and "bob" in done.stdout
    assert not re.search(r"[0-9a-f]{32}", done.stdout)


def rights(passwd):
    return passwd.lines()[0].split(":", 3)[3:]


def test_class_and_prefixes(passwd):
    done = passwd.create("alice", "one", REALM, "-i", "sip:alice@example.com",
                         "--class", "staff", "--prefix", "+49",
                         "--prefix", "0800")
    assert done.returncode == 0, done.stderr
    want = "sip:alice@example.com,class=staff,prefixes=+49|0800"
    assert rights(passwd) == [want]
    assert want in passwd("list", "-f", passwd.path).stdout
    passwd.create("alice", "two")           # what is not said stays
    assert rights(passwd) == [want]
    passwd.create("alice", "two", REALM, "--class", "", "--prefix", "")
    assert rights(passwd) == ["sip:alice@example.com"]


@pytest.mark.parametrize("more", [
    ["--class", "a b"], ["--class", "x" * 33], ["--prefix", "49x"],
    ["--prefix", "+49|+43"],
])
def test_wrong_class_or_prefix(passwd, more):
    done = passwd.create("alice", "one", REALM, *more)
    assert done.returncode == 2 and done.stderr
    assert not os.path.exists(passwd.path)


def test_delete(passwd):
    passwd.create("alice")
    passwd.create("bob")
    done = passwd("delete", "-f", passwd.path, "-r", REALM, "alice")
    assert done.returncode == 0, done.stderr
    assert [x.split(":")[0] for x in passwd.lines()] == ["bob"]
    assert passwd("delete", "-f", passwd.path, "-r", REALM,
                  "alice").returncode != 0


@pytest.mark.parametrize("user, password, right", [
    ("alice", "wonderland", True), ("alice", "wrong", False),
    ("nobody", "wonderland", False)])
def test_verify(passwd, user, password, right):
    passwd.create("alice", "wonderland")
    done = passwd("verify", "-f", passwd.path, "-r", REALM, "--stdin", user,
                  typed=password + "\n")
    assert (done.returncode == 0) == right


def test_import_of_htdigest(passwd, tmp_path):
    old = tmp_path / "htdigest"
    old.write_text("carol:%s:%s\n" % (
        REALM, digest.ha1("MD5", "carol", REALM, "pass")))
    done = passwd("import", "-f", passwd.path, str(old))
    assert done.returncode == 0, done.stderr
    assert digest.ha1("MD5", "carol", REALM, "pass") in passwd.lines()[0]


def test_no_password_in_argv(passwd):
    done = passwd("create", "-f", passwd.path, "-r", REALM, "alice", "secret")
    assert done.returncode != 0


@pytest.mark.parametrize("user", ["a:b", "", "a\nb", "x" * 300])
def test_a_name_that_cannot_stand_in_the_file(passwd, user):
    assert passwd.create(user).returncode != 0


def test_other_lines_are_kept(passwd):
    passwd.create("alice")
    with open(passwd.path, "a", encoding="utf-8") as f:
        f.write("# a comment\n")
    passwd.create("bob")
    assert "# a comment" in passwd.lines()


def test_key(passwd):
    path = os.path.join(passwd.folder, "my.key")
    done = passwd("key", path)
    assert done.returncode == 0, done.stderr
    assert os.path.getsize(path) == 32
    assert stat.S_IMODE(os.stat(path).st_mode) == 0o400
    with open(path, "rb") as f:
        first = f.read()
    assert passwd("key", path).returncode != 0   # never over an existing one
    with open(path, "rb") as f:
        assert f.read() == first


def test_what_it_makes_the_daemon_takes(scene, passwd):
    scene.start()
    os.unlink(passwd.path)
    passwd.create("alice", "wonderland")
    scene.restart()
    serve(scene.alice(), scene.pbx())


def test_identities(scene, passwd):
    scene.start()
    os.unlink(passwd.path)
    passwd.create("alice", "wonderland", REALM,
                  "-i", "sip:7001@example.com", "-i", "tel:+49*")
    scene.restart()
    alice, pbx = scene.alice(), scene.pbx()
    serve(alice, pbx, from_="<sip:7001@example.com>;tag=1")
    serve(alice, pbx, from_="<tel:+4930>;tag=1")
