"""Who sent what to whom, for the reader of a failed scenario."""

import time

from . import sip


class Ladder:
    def __init__(self):
        self.began = time.monotonic()
        self.steps = []
        self.names = {}             # address -> name

    def call(self, address, name):
        self.names[address] = name

    def name_of(self, host, port):
        return self.names.get((host, port)) or self.names.get((host, None)) \
            or "%s:%d" % (host, port)

    def step(self, sender, receiver, data):
        self.steps.append(
            (time.monotonic() - self.began, sender, receiver, data))

    def note(self, words):
        self.steps.append((time.monotonic() - self.began, None, None, words))

    def lines(self):
        for when, sender, receiver, data in self.steps[-200:]:
            if sender is None:
                yield "%8.3f  -- %s" % (when, data)
                continue
            head = sip.shown(data[:200]).split("\n")[0]
            cseq = ""
            if head.startswith("SIP/2.0 "):
                try:
                    cseq = "  (%s %s)" % sip.Message.parse(data).cseq
                except (AssertionError, ValueError):
                    pass
            yield "%8.3f  %-10s -> %-10s  %s%s" % (
                when, sender, receiver, head, cseq)

    def last_messages(self, count=3):
        for when, sender, receiver, data in self.steps[-count:]:
            if sender is not None:
                yield "---- %.3f %s -> %s\n%s" % (
                    when, sender, receiver, sip.shown(data[:4000]))

    def __str__(self):
        return "\n".join(self.lines()) + "\n\n" + \
            "\n".join(self.last_messages())
