"""The sample configurations in etc/examples are good as they stand."""

import os
import shutil

import pytest

from harness.daemon import Daemon, user_line

EXAMPLES = os.path.abspath(os.path.join(
    os.path.dirname(__file__), "..", "..", "etc", "examples"))


@pytest.mark.parametrize("name", sorted(os.listdir(EXAMPLES)))
def test_an_example_passes_the_check(tmp_path, name):
    path = shutil.copy(os.path.join(EXAMPLES, name), tmp_path)
    users = tmp_path / "users"
    users.write_text(user_line("alice", "example.com", "wonderland"))
    users.chmod(0o600)
    with open(path, "a", encoding="ascii") as f:
        f.write('state_dir = "%s";\n' % tmp_path)
    checked = Daemon(str(tmp_path)).run("-t", "-c", path)
    assert checked.returncode == 0, checked.stdout + checked.stderr
