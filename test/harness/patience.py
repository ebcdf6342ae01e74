"""How long a scenario waits, so that a busy machine fails none.

What must come is waited for until PATIENCE ends: it costs nothing when all is
well.  Only what must not come is waited for a given, short time.
"""

import time

PATIENCE = 15.0         # seconds


def until(true, words="it did not come to pass", wait=PATIENCE):
    """Wait for something to be true; returns what it was.  words: the
    complaint, or what makes it."""
    deadline = time.monotonic() + wait
    while True:
        late = time.monotonic() > deadline
        found = true()
        if found:
            return found
        assert not late, words() if callable(words) else words
        time.sleep(0.02)
