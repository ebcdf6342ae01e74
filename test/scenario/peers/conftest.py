"""Fixtures for scenarios with programs of others."""

import pytest

from harness.programs import Baresip, Kamailio, Sipp


class Peers:
    """Programs on the scene's addresses, ended with the test, last first."""

    def __init__(self, scene):
        self.scene = scene
        self.running = []

    def keep(self, program):
        self.running.append(program)
        return program

    def sipp(self, what, scenario, number, **more):
        return self.keep(Sipp(what, self.scene.folder, scenario,
                              self.scene.net.host(number), **more))

    def baresip(self, user, number, password=None, **more):
        if password is None:
            password = dict(u[:2] for u in self.scene.users)[user]
        return self.keep(Baresip(
            self.scene.folder, self.scene.net.host(number), user, password,
            self.scene.at, **more))

    def kamailio(self, **more):
        return self.keep(Kamailio(
            self.scene.folder, self.scene.net.host(5), **more))

    def stop(self):
        for program in reversed(self.running):
            program.stop()


@pytest.fixture
def peers(scene):
    out = Peers(scene)
    yield out
    out.stop()
