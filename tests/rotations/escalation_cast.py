"""The cast of the escalation tests: a small team around bob, on a fixed morning, with ways to change who is there."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from rotations.escalation import Event, EventKind, Found, Policy, Run, Step, Target, run
from rotations.escalation import effects as fx

T = datetime(2026, 6, 10, 9, 0, tzinfo=UTC)
LONG = timedelta(hours=12)


def minutes(count: float) -> timedelta:
    return timedelta(minutes=count)


def after(clock: str) -> datetime:
    """`3:00` is three minutes after T; `1:02:30` is over an hour after."""
    hours, mins, secs = (["0"] * 3 + clock.split(":"))[-3:]
    return T + timedelta(hours=int(hours), minutes=int(mins), seconds=int(secs))


def clock(at: datetime) -> str:
    """The other way round: `3:00` minutes and seconds after T."""
    whole, seconds = divmod(int((at - T).total_seconds()), 60)
    return f"{whole}:{seconds:02d}"


@dataclass
class Team:
    """A People whose answers a test sets by hand. `shifts` are (from when, primary, backup), first one first."""

    shifts: list[tuple[datetime, str | None, str | None]] = field(default_factory=lambda: [(T - LONG, "bob", "carol")])
    others: dict[str, tuple[str, ...]] = field(default_factory=dict)
    manager: str | None = "dana"
    unreachable: dict[str, str] = field(default_factory=dict)

    def resolve(self, target: Target, at: datetime) -> Found:
        meant = self._meant(target, at)
        return Found(
            tuple(person for person in meant if person not in self.unreachable),
            tuple((person, self.unreachable[person]) for person in meant if person in self.unreachable),
        )

    def fallback(self, at: datetime) -> str | None:
        return self.manager

    def boundary_after(self, at: datetime) -> datetime | None:
        return min((start for start, _, _ in self.shifts if start > at), default=None)

    def _meant(self, target: Target, at: datetime) -> Iterable[str]:
        _, primary, backup = [shift for shift in self.shifts if shift[0] <= at][-1]
        named = {"primary": primary, "backup": backup, "person": target.ref}
        if target.kind in named:
            return [person for person in (named[target.kind],) if person]
        return self.others.get(str(target), ())


def full_team() -> Team:
    """Everybody the default P1 policy can mean: eight people."""
    return Team(
        others={
            "neighbour": ("erin",),
            "duty_manager": ("dana",),
            "emergency_phone": ("dana",),
            "seniors": ("sven", "susi"),
            "head_of_support": ("hana",),
        }
    )


def chain(*steps: tuple[str, float], **fields: object) -> Policy:
    """A policy from ("primary backup", minutes) pairs."""
    return Policy(
        "test",
        1,
        tuple(Step(tuple(map(Target.parse, names.split())), minutes(delay)) for names, delay in steps),
        **fields,
    )


def start(at: datetime = T, **fields: object) -> Event:
    return Event(EventKind.START, at, **fields)


def happens(kind: str, clock_time: str, by: str = "", **fields: object) -> Event:
    return Event(EventKind(kind), after(clock_time), by, **fields)


def story(policy: Policy, team: Team, *events: Event, until: str, started: Event | None = None) -> Run:
    """Start at T and let the events happen; timers are on time."""
    return run(policy, team, [started or start(), *events], after(until))


def pages(ran: Run) -> list[tuple[str, str, str]]:
    """(when, who, why) of every page, in order."""
    return [(clock(page.at), page.person, str(page.reason)) for page in ran.pages]


def told(effects: Iterable[fx.Effect], kind: type) -> list:
    return [effect for effect in effects if isinstance(effect, kind)]


def firings(ran: Run) -> list[tuple[str, int, int]]:
    """(when, pass, step) of every step that fired."""
    return [(clock(fired.at), fired.pass_number, fired.step) for fired in told(ran.effects, fx.StepFired)]
