"""The list of cases is the same for every worker, whenever it is asked."""

import os
import subprocess
import sys

from .clock import shift_clock

TESTS = os.path.join(os.path.dirname(__file__), "..")


def cases(seed):
    """Their names, as a new process collects them."""
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "--collect-only", "-q",
         "harness", "scenario"], cwd=TESTS, text=True, timeout=60,
        stdout=subprocess.PIPE,
        env={**os.environ, "PYTHONHASHSEED": str(seed)})
    return [line for line in done.stdout.splitlines() if "::" in line]


def test_names_do_not_depend_on_time_or_chance(monkeypatch, tmp_path):
    """Workers that disagree about them run nothing at all."""
    now = cases(1)
    assert len(now) > 1000
    shift_clock(monkeypatch, tmp_path, 0x2b2b2b2b)  # each byte of it changes
    assert cases(2) == now
