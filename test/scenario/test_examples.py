"""The sample configurations in etc are good as they stand."""

import glob
import os
import re

import pytest

from harness.daemon import Daemon, user_line
from harness.pki import read, write
from harness.redis import Redis, Sentinel

ETC = os.path.abspath(os.path.join(
    os.path.dirname(__file__), "..", "..", "etc"))
SAMPLES = sorted(glob.glob(ETC + "/*.cfg") + glob.glob(ETC + "/*/*.cfg"))


def test_there_are_samples():
    assert len(SAMPLES) >= 4


@pytest.fixture
def redis(tmp_path, net):
    """What a sample with a Redis needs: a server, and who watches it."""
    server = Redis(tmp_path, net.host(20))
    sentinel = Sentinel(tmp_path, net.host(21), server)
    yield server, sentinel
    sentinel.stop()
    server.stop()


def with_redis(text, redis):
    """The sample's addresses of Redis, for ones that are there."""
    server, sentinel = redis
    text = re.sub(r'redis://[0-9.]+:6379', server.url()[:-2], text)
    return re.sub(r'"[0-9.]+:26379"', '"%s"' % sentinel.address(), text)


def write_pem_files(folder, text, pki):
    """What a sample with TLS names."""
    server, root = read(pki.server.chain), read(pki.root.crt)
    for name in re.findall(r'"([\w.-]+\.(?:pem|key|crl))"', text):
        write(str(folder / name), root if name.endswith("-ca.pem") else
              pki.lists() if name.endswith(".crl") else
              read(pki.server.key) if name.endswith(".key") else server)


@pytest.mark.parametrize("sample", SAMPLES, ids=os.path.basename)
def test_a_sample_passes_the_check(tmp_path, sample, request):
    path = tmp_path / os.path.basename(sample)
    with open(sample, encoding="ascii") as f:
        text = f.read()
    if re.search(r'^ *type = "redis"', text, re.M):
        text = with_redis(text, request.getfixturevalue("redis"))
    if 'certificate = ' in text:
        write_pem_files(tmp_path, text, request.getfixturevalue("pki"))
    path.write_text(text + 'state_dir = "%s";\n' % tmp_path)
    users = tmp_path / "users"
    users.write_text(user_line("alice", "example.com", "wonderland"))
    users.chmod(0o600)
    for name in re.findall(r'"([a-z]+\.password)"', text):
        (tmp_path / name).write_text("secret\n")
        (tmp_path / name).chmod(0o400)
    checked = Daemon(str(tmp_path)).run("-t", "-c", str(path))
    assert checked.returncode == 0, checked.stdout + checked.stderr
