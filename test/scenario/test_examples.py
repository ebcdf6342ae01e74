"""The sample configurations in etc are good as they stand."""

import glob
import os
import shutil

import pytest

from harness.daemon import Daemon, user_line

ETC = os.path.abspath(os.path.join(
    os.path.dirname(__file__), "..", "..", "etc"))
SAMPLES = sorted(glob.glob(ETC + "/*.cfg") + glob.glob(ETC + "/*/*.cfg"))


def test_there_are_samples():
    assert len(SAMPLES) >= 4


@pytest.mark.parametrize("sample", SAMPLES, ids=os.path.basename)
def test_a_sample_passes_the_check(tmp_path, sample):
    path = shutil.copy(sample, tmp_path)
    users = tmp_path / "users"
    users.write_text(user_line("alice", "example.com", "wonderland"))
    users.chmod(0o600)
    with open(path, "a", encoding="ascii") as f:
        f.write('state_dir = "%s";\n' % tmp_path)
    checked = Daemon(str(tmp_path)).run("-t", "-c", path)
    assert checked.returncode == 0, checked.stdout + checked.stderr
