"""Fixtures of the harness and of the scenarios."""

import os
import re
import sys

import pytest

sys.dont_write_bytecode = True

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

from harness.cluster import Cluster  # noqa: E402
from harness.daemon import binary  # noqa: E402
from harness.dns import DnsServer  # noqa: E402
from harness.net import Nets  # noqa: E402
from harness.pki import Pki  # noqa: E402
from harness.scene import Scene  # noqa: E402
from harness.two_ways import Pair  # noqa: E402


@pytest.fixture(scope="session")
def nets():
    return Nets()


@pytest.fixture
def net(nets):
    return nets.next()


@pytest.fixture(scope="session")
def pki(tmp_path_factory):
    return Pki(tmp_path_factory.mktemp("pki"))


def need_daemon():
    if not os.path.exists(binary()):
        pytest.fail("no daemon at %s (set SIPBOUNCER)" % binary())


@pytest.fixture
def scene(tmp_path, net, nets):
    need_daemon()
    out = Scene(tmp_path, net, nets.port6())
    yield out
    out.close()


@pytest.fixture
def pair(scene):
    """Makes a Pair in this scene."""
    pairs = []

    def make(**changes):
        pairs.append(Pair(scene, **changes))
        return pairs[-1]
    yield make
    for x in pairs:
        x.close()


@pytest.fixture
def dns(scene, tmp_path):
    """A name server; its conf is a resolv.conf that names it alone."""
    server = DnsServer(scene.net.host(53))
    conf = tmp_path / "resolv.conf"
    conf.write_text("nameserver %s\nport %d\noptions timeout:1 attempts:1\n"
                    % (server.host, server.port))
    server.conf = str(conf)
    yield server
    server.close()


@pytest.fixture
def cluster(tmp_path, net, nets):
    need_daemon()
    out = Cluster(tmp_path, net, nets.port6())
    yield out
    out.close()


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item, call):
    """Show the ladder and the daemon's log of a scenario that failed."""
    outcome = yield
    report = outcome.get_result()
    known = getattr(item, "funcargs", {})
    out = known.get("scene") or known.get("cluster")
    if report.failed and out is not None:
        out.drain()
        report.sections.append(("ladder", str(out.ladder)))
        for name, log in out.logs():
            report.sections.append((name, log.text()[-6000:]))


def pytest_make_parametrize_id(val):
    """Whole messages would make the list of cases unreadable."""
    if not isinstance(val, (str, bytes)) or (len(val) <= 60 and
                                             str(val).isprintable()):
        return None
    text = val.decode("latin-1") if isinstance(val, bytes) else val
    return re.sub(r"[^!-~]+", "_", text)[:60]
