"""Fixtures of the harness and of the scenarios."""

import os
import sys

import pytest

sys.dont_write_bytecode = True

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

from harness.daemon import binary  # noqa: E402
from harness.net import Nets  # noqa: E402
from harness.scene import Scene  # noqa: E402


@pytest.fixture(scope="session")
def nets():
    return Nets()


@pytest.fixture
def net(nets):
    return nets.next()


@pytest.fixture
def scene(tmp_path, net, nets):
    if not os.path.exists(binary()):
        pytest.fail("no daemon at %s (set SIPBOUNCER)" % binary())
    out = Scene(tmp_path, net, nets.port6())
    yield out
    out.close()


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item, call):
    """Show the ladder and the daemon's log of a scenario that failed."""
    outcome = yield
    report = outcome.get_result()
    out = getattr(item, "funcargs", {}).get("scene")
    if report.failed and out is not None:
        out.drain()
        report.sections.append(("ladder", str(out.ladder)))
        report.sections.append(("log", out.log.text()[-6000:]))
