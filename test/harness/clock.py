"""Clocks that are wrong, for programs started from now on."""

import os
import struct
import subprocess
import tempfile
import time

from .programs import DATA, find


class Shift:
    """How far off it is, for programs that run, too."""

    def __init__(self, folder, seconds):
        fd, self.path = tempfile.mkstemp(prefix="clock_shift", dir=str(folder))
        os.close(fd)
        self.set(seconds)

    def set(self, seconds):
        with open(self.path, "r+b") as f:
            f.write(struct.pack("=q", seconds))


def shift_clock(monkeypatch, folder, seconds):
    """Times of day are so far off; monotonic clocks stay true.  Undone by
    monkeypatch.undo() for what is started later."""
    library = os.path.join(str(folder), "clock_shift.so")
    if not os.path.exists(library):
        subprocess.run(
            [find("cc"), "-shared", "-fPIC", "-O2", "-o", library,
             os.path.join(DATA, "clock_shift.c")], check=True)
    shift = Shift(folder, seconds)
    # no path, which must not have blanks in it
    monkeypatch.setenv("LD_PRELOAD", os.path.basename(library))
    monkeypatch.setenv("LD_LIBRARY_PATH", str(folder), prepend=os.pathsep)
    monkeypatch.setenv("CLOCK_SHIFT", shift.path)
    # AddressSanitizer wants to be the first library
    monkeypatch.setenv("ASAN_OPTIONS", ":".join(filter(None, (
        os.environ.get("ASAN_OPTIONS"), "verify_asan_link_order=0"))))
    seen = subprocess.run([find("date"), "+%s"], check=True, text=True,
                          stdout=subprocess.PIPE).stdout
    assert abs(int(seen) - time.time() - seconds) < 60, "it is not wrong"
    return shift
