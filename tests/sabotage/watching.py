"""A desk under watch, with a clock that only moves when told: beats, canaries, and the auditor's rounds."""

from __future__ import annotations

from datetime import timedelta

from supportdesk.auditor import canary, rounds
from supportdesk.auditor.rounds import Round
from supportdesk.queue import clock
from tests.cast import World

CANARY = timedelta(seconds=20)


class Watched:
    """Lets time pass as it does on a running desk. What is sabotaged is switched off here or broken in the rows."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.clock_runs = True
        self.lanes_work = True
        self.last: Round | None = None
        self.alarms: list[str] = []
        self.minute()
        self.minute()

    def minute(self) -> Round:
        """A minute of a running desk, and the auditor's round at its end."""
        for _ in range(3):
            canary.send(self.world.now)
            self._pass(CANARY)
        self.last, news = rounds.hold(self.world.now)
        self.alarms += [row.invariant for row in news.to_say]
        for row in news.to_say:
            row.alarmed_at = self.world.now
            row.save()
        return self.last

    def _pass(self, length: timedelta) -> None:
        end = self.world.now + length
        if self.clock_runs and self.lanes_work:
            self.world.until(end)
        else:
            self.world.stand_still_until(end)
            if self.lanes_work:
                self.world.work()
        if self.clock_runs:
            clock.beat("clock", self.world.now, 1)

    def detects(self, name: str, within: timedelta = timedelta(seconds=120)) -> str:
        """The detail of a finding the auditor makes within two minutes."""
        end = self.world.now + within
        while self.world.now < end:
            found = {violation.invariant.name: violation.detail for violation in self.minute().violations}
            if name in found:
                return found[name]
        raise AssertionError(f"{name} was not found; found: {found}")
