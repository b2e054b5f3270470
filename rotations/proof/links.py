"""Where the chain from a promise to a ringing phone breaks, said in words and with who can mend it. Pure.

The order of `Link` is the order of the chain: contract, policy, bound, step, schedule, leave, person, method, backup,
fallback. What is not broken but weak is a `Concern`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from rotations import bound
from rotations.bound import Kth
from rotations.escalation.chain import URGENT
from rotations.escalation.paging import SAME_PERSON_PAUSE
from rotations.escalation.policy import Kind, Pager, Target
from rotations.escalation.reach import ENOUGH_PEOPLE, LAST_NEW_PERSON, Reached, clock
from rotations.proof.evidence import Evidence, Ladder
from rotations.proof.firings import Course, Firing
from rotations.proof.meant import Meant
from rotations.responders import CALL, EMERGENCY, QUIET

DRILL_HOLDS = timedelta(days=30)  # a method that was tried longer ago proves little


class Link(StrEnum):
    """A link of the chain, in the order of the chain."""

    CONTRACT = "contract"
    POLICY = "policy"
    BOUND = "bound"
    STEP = "step"
    SCHEDULE = "schedule"
    LEAVE = "leave"
    PERSON = "person"
    METHOD = "method"
    BACKUP = "backup"
    FALLBACK = "fallback"


ORDER = {link: place for place, link in enumerate(Link)}
# Links whose break leaves nobody to be rung when the report comes in.
NOBODY = frozenset({Link.POLICY, Link.STEP, Link.SCHEDULE, Link.LEAVE, Link.PERSON, Link.METHOD})


class Weakness(StrEnum):
    """What a concern is about."""

    THIN = "thin"  # a primary without a backup who can be paged
    EMPTY_STEP = "empty_step"  # a later step finds nobody
    FEW = "few"  # fewer than three different people (E-10)
    SILENT = "silent"  # a primary whom a P1 cannot call, or can only call (ESC-14)
    UNDRILLED = "undrilled"  # a primary who has not passed a drill lately
    ENDING = "ending"  # a contract ends


@dataclass(frozen=True, slots=True)
class Broken:
    """A broken link: what is wrong, what to do, and the people (by id) who can."""

    link: Link
    text: str
    remedy: str
    menders: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Concern:
    """A weakness: it breaks nothing today."""

    kind: Weakness
    text: str
    menders: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Judgement:
    """What is wrong and what is weak with every incident that takes one course, and whom it reaches when."""

    broken: tuple[Broken, ...]
    concerns: tuple[Concern, ...]
    reached: tuple[Kth, ...]


class Judge:
    """Judges the courses of one policy, for one severity and one promised first response, as things stand at `at`."""

    def __init__(
        self, evidence: Evidence, ladder: Ladder, severity: str, promised: timedelta | None, at: datetime
    ) -> None:
        self.evidence = evidence
        self.ladder = ladder
        self.severity = severity
        self.promised = promised
        self.at = at
        self.roster = evidence.rosters[ladder.roster]
        self._own_people = {
            target.kind for step in ladder.policy.steps for target in step.targets if not target.is_channel
        }
        self._always = tuple(self._of_the_policy())
        self._made: dict[tuple[object, ...], Judgement] = {}

    @property
    def keepers(self) -> tuple[str, ...]:
        """Who looks after the schedule."""
        return (self.roster.manager,) if self.roster.manager else self.evidence.managers

    def judge(self, course: Course) -> Judgement:
        """The judgement of a course; equal courses are judged once."""
        key = (course.firings, course.seats, course.fallback)
        if key not in self._made:
            reached = tuple(self._reached(course.firings))
            self._made[key] = Judgement(
                (*self._always, *self._breaks(course, reached)), tuple(self._concerns(course, reached)), reached
            )
        return self._made[key]

    # --- what holds whoever is on duty -------------------------------------------------------------------------------

    def _of_the_policy(self) -> Iterator[Broken]:
        policy = self.ladder.policy
        if self.promised is not None:
            checked = bound.check(policy, self.promised, self.severity)
            if not checked.passes:
                yield self._by_managers(Link.BOUND, " ".join(checked.lines), "Shorten the delays of the policy.")
        if policy.pager is Pager.PAGERDUTY and not self.evidence.has_pagerduty:
            text = f"PagerDuty is the pager of record of “{policy.name}”, and the desk is not connected to it."
            yield self._by_managers(Link.METHOD, text, "Connect PagerDuty, or let the desk page by itself.")

    # --- what depends on who is on duty ------------------------------------------------------------------------------

    def _breaks(self, course: Course, reached: tuple[Kth, ...]) -> Iterator[Broken]:
        first = course.firings[0] if course.firings else None
        name = self.ladder.policy.name
        if first is None:
            yield self._by_managers(
                Link.STEP, f"No step of “{name}” applies at this time.", "Add a step without a condition."
            )
        elif not first.rung.found and not first.rung.missed:
            text = f"Step {first.step} of “{name}” tells channels only: it pages nobody."
            yield self._by_managers(Link.STEP, text, "Name a person in this step: the primary.")
        elif not first.rung.found:
            yield self._missing(first)
        elif not any(self.evidence.attempts(person, self.severity, kind) for person, kind in first.rung.found):
            yield self._without_attempt(first)
        elif self.promised is not None and reached:
            yield from self._too_late(reached[0], self.promised)
        yield from self._same_seats(course.seats)
        yield from self._last_resort(course.fallback)

    def _missing(self, firing: Firing) -> Broken:
        """The first target that means nobody who can be paged, in the order they are written."""
        target, meant = firing.rung.missed[0]
        return self._unreachable(meant.people[0]) if meant.people else self._vacant(target, meant)

    def _unreachable(self, person: str) -> Broken:
        why, name = self.evidence.why_not(person), self.evidence.name(person)
        known = self.evidence.people.get(person)
        if known is None or not known.is_active:
            return Broken(Link.PERSON, f"{name} {why}.", "Put somebody else on duty.", self.keepers)
        if not known.is_verified:
            return Broken(
                Link.METHOD,
                f"{name} {why}.",
                f"{name} verifies a phone in their settings, or somebody else takes the shift.",
                (person, *self.keepers),
            )
        return self._by_managers(Link.METHOD, f"{name} {why}.", "Connect the desk to a vendor who reaches them.")

    def _vacant(self, target: Target, meant: Meant) -> Broken:
        """Nobody holds what the target names: somebody is away, or nobody was ever planned."""
        where = _WHERE.get(target.kind, lambda judge, ref: f"target {ref or target.kind}")(self, target.ref)
        away = [cause.rpartition(":") for cause in meant.causes]
        resting = [self.evidence.name(person) for person, _, why in away if why in ("leave", "resting")]
        gone = [self.evidence.name(person) for person, _, why in away if why == "inactive"]
        if resting:
            text = f"{_are(resting)} away and nobody else can take {where}."
            return Broken(Link.LEAVE, text, "Cover the leave by an override or a swap.", self.keepers)
        if gone:
            text = f"{_are(gone)} no longer active and nobody else can take {where}."
            return Broken(Link.PERSON, text, "Put somebody else on duty.", self.keepers)
        return Broken(
            Link.SCHEDULE, f"Nobody is planned as {where}.", "Add an override, or extend a layer.", self.keepers
        )

    def _without_attempt(self, firing: Firing) -> Broken:
        person, _ = firing.rung.found[0]
        if person == EMERGENCY:
            text = "There is nobody but the emergency number, and none is set or the desk cannot call."
            return self._by_managers(Link.METHOD, text, "Set the emergency number and connect the desk to a phone.")
        name, kinds = self.evidence.name(person), _and(sorted(self.evidence.kinds(person)))
        return Broken(
            Link.METHOD,
            f"A {self.severity} page rings nothing at {name}: they have {kinds} only.",
            f"{name} adds a text message, Slack or e-mail in their settings.",
            (person, *self.keepers),
        )

    def _too_late(self, first: Kth, promised: timedelta) -> Iterator[Broken]:
        """Somebody's own rules may wait longer than the promise allows."""
        numerator, denominator = LAST_NEW_PERSON
        limit = promised * numerator / denominator
        if first.latest is not None and first.latest > limit:
            text = (
                f"The first person is rung at T+{clock(first.latest)} at the latest, counting their own rules; "
                f"80 % of the promised {clock(promised)} is T+{clock(limit)}."
            )
            yield Broken(Link.BOUND, text, "Whoever is on duty lets their first attempt begin at once.", self.keepers)

    def _same_seats(self, seats: tuple[Meant, Meant]) -> Iterator[Broken]:
        primary, backup = seats
        if primary.people and primary.people == backup.people:
            name = self.evidence.name(primary.people[0])
            text = f"{name} is primary and backup of {self.roster.name} at once."
            yield Broken(Link.BACKUP, text, "Give one of the two slots to somebody else.", self.keepers)

    def _last_resort(self, fallback: str) -> Iterator[Broken]:
        if CALL in self.evidence.kinds(fallback):
            return
        name = self.evidence.name(fallback)
        text = (
            f"If nobody answers, {name} is the last resort of {self.roster.name}, and cannot be called: no phone works."
            if fallback != EMERGENCY
            else f"{self.roster.name} has no last resort: no fallback, duty manager or emergency number can be called."
        )
        remedy = "Set a fallback with a verified phone, or the emergency number."
        yield Broken(Link.FALLBACK, text, remedy, self.keepers)

    # --- weaknesses --------------------------------------------------------------------------------------------------

    def _concerns(self, course: Course, reached: tuple[Kth, ...]) -> Iterator[Concern]:
        name = self.ladder.policy.name
        yield from self._thin(course.seats)
        for firing in course.firings[1:]:
            if not firing.rung.found:
                text = f"Step {firing.step} of “{name}” finds nobody; the last resort is paged instead."
                yield Concern(Weakness.EMPTY_STEP, text, self.keepers)
        if self.severity in URGENT and len(reached) < ENOUGH_PEOPLE:
            text = f"“{name}” reaches {len(reached)} different people: {len(reached)} < {ENOUGH_PEOPLE}."
            yield Concern(Weakness.FEW, text, self.keepers)
        for person in course.seats[0].people:
            if not self.evidence.why_not(person):
                yield from self._silent(person)
                yield from self._undrilled(person)

    def _thin(self, seats: tuple[Meant, Meant]) -> Iterator[Concern]:
        primary, backup = seats
        if Kind.BACKUP not in self._own_people or not primary.people:
            return
        if not backup.people:
            yield Concern(Weakness.THIN, f"{self.roster.name} has a primary and no backup.", self.keepers)
        for person in backup.people:
            if why := self.evidence.why_not(person):
                text = f"{self.evidence.name(person)}, backup of {self.roster.name}, {why}."
                yield Concern(Weakness.THIN, text, (person, *self.keepers))

    def _silent(self, person: str) -> Iterator[Concern]:
        if self.severity not in URGENT:
            return
        kinds, name = self.evidence.kinds(person), self.evidence.name(person)
        missing = [] if CALL in kinds else ["a phone"]
        missing += [] if kinds & QUIET else ["text messages or Slack"]
        if missing:
            text = f"{name} is primary of {self.roster.name} without {_and(missing)}."
            yield Concern(Weakness.SILENT, text, (person, *self.keepers))

    def _undrilled(self, person: str) -> Iterator[Concern]:
        drilled = self.evidence.drilled
        if drilled is None or (person in drilled and self.at - drilled[person] <= DRILL_HOLDS):
            return
        name, days = self.evidence.name(person), DRILL_HOLDS.days
        text = f"{name}, primary of {self.roster.name}, has not passed a fire drill in {days} days."
        yield Concern(Weakness.UNDRILLED, text, (person, *self.keepers))

    # --- whom it reaches ---------------------------------------------------------------------------------------------

    def _reached(self, firings: Iterable[Firing]) -> Iterator[Kth]:
        """Every distinct person the pass really rings, and when, the soonest first.

        A page that rang nothing counts for the one-minute pause all the same (ESC-6): the next one is spared.
        """
        met: dict[str, tuple[Reached, timedelta]] = {}
        paged: dict[str, timedelta] = {}
        for firing in firings:
            for person, kind in _meant_by(firing):
                if person in paged and firing.after - paged[person] < SAME_PERSON_PAUSE:
                    continue
                paged[person] = firing.after
                attempts = self.evidence.attempts(person, self.severity, kind)
                if attempts and person not in met:
                    met[person] = (Reached(person, firing.step, firing.after), min(a.after for a in attempts))
        yield from bound.in_order(self.ladder.policy, met.values())

    def _by_managers(self, link: Link, text: str, remedy: str) -> Broken:
        return Broken(link, text, remedy, self.evidence.managers)


def _meant_by(firing: Firing) -> Iterator[tuple[str, str]]:
    """Whom a step pages, each with the reason; where it finds nobody, the last resort."""
    yield from firing.rung.found
    if firing.fallback is not None:
        yield firing.fallback, ""


def _of_this(judge: Judge, ref: str) -> str:
    return f"primary of {judge.roster.name}"


def _of_another(judge: Judge, ref: str) -> str:
    other = judge.evidence.rosters.get(ref)
    return f"primary of {other.name}" if other else f"the schedule {ref}, which does not exist"


# How a target that means nobody is called in a sentence.
_WHERE: dict[Kind, Callable[[Judge, str], str]] = {
    Kind.PRIMARY: _of_this,
    Kind.SCHEDULE: _of_another,
    Kind.BACKUP: lambda judge, ref: f"backup of {judge.roster.name}",
    Kind.NEIGHBOUR: lambda judge, ref: f"primary of the site that follows in {judge.roster.name}",
    Kind.DUTY_MANAGER: lambda judge, ref: "duty manager",
    Kind.EMERGENCY_PHONE: lambda judge, ref: "duty manager",
    Kind.SENIORS: lambda judge, ref: "senior engineer",
    Kind.HEAD_OF_SUPPORT: lambda judge, ref: "head of support",
}


def _and(names: list[str]) -> str:
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"


def _are(names: list[str]) -> str:
    return f"{_and(names)} {'is' if len(names) == 1 else 'are'}"
