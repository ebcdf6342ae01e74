"""Clocks that are wrong: libfaketime, for programs started from now on."""

import glob
import os

import pytest

LIBRARY = (glob.glob("/usr/lib/*/faketime/libfaketime.so.1") or [""])[0]

needs_faketime = pytest.mark.skipif(
    not os.path.exists(LIBRARY), reason="libfaketime is not installed")


def fake_clock(monkeypatch, seconds):
    """Times of day are so far off; monotonic clocks stay true.  Undone by
    monkeypatch.undo() for what is started later."""
    monkeypatch.setenv("LD_PRELOAD", LIBRARY)
    monkeypatch.setenv("FAKETIME", "%+d" % seconds)
    monkeypatch.setenv("FAKETIME_DONT_FAKE_MONOTONIC", "1")
    # AddressSanitizer wants to be the first library
    monkeypatch.setenv("ASAN_OPTIONS", "verify_asan_link_order=0")
