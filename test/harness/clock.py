"""Clocks that are wrong, for programs started from now on."""

import os
import subprocess

from .programs import DATA, find


def shift_clock(monkeypatch, folder, seconds):
    """Times of day are so far off; monotonic clocks stay true.  Undone by
    monkeypatch.undo() for what is started later."""
    library = os.path.join(str(folder), "clock_shift.so")
    if not os.path.exists(library):
        subprocess.run(
            [find("cc"), "-shared", "-fPIC", "-O2", "-o", library,
             os.path.join(DATA, "clock_shift.c")], check=True)
    monkeypatch.setenv("LD_PRELOAD", library)
    monkeypatch.setenv("CLOCK_SHIFT", str(seconds))
    # AddressSanitizer wants to be the first library
    monkeypatch.setenv("ASAN_OPTIONS", ":".join(filter(None, (
        os.environ.get("ASAN_OPTIONS"), "verify_asan_link_order=0"))))
