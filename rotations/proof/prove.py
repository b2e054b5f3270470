"""The coverage proof: at every instant of every claim somebody is rung in time, or the first that fails. Pure.

One sweep per policy, severity and promise serves every claim that hangs on it; a claim then only looks at the stretches
that fail within its own windows.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import NamedTuple, TypeVar

from rotations import bound
from rotations.bound import Kth
from rotations.proof.evidence import Claim, Evidence
from rotations.proof.firings import courses, longest
from rotations.proof.links import ORDER, Broken, Concern, Judge, Link, Weakness
from rotations.proof.meant import Desk
from rotations.shifts import Interval
from supportdesk.calendars import union

KEPT_PER_CLAIM = 50  # failing stretches listed for one claim; all of them are counted
_CONTRACT_REMEDY = "Correct the contract, its plan or its calendar."
_POLICY_REMEDY = "Add an escalation rule in the back office."

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Failure:
    """One stretch in which one claim cannot be kept: from `at` until `until`, at this link; `menders` can mend it."""

    organization: str
    severity: str
    service: str
    policy: str
    at: datetime
    until: datetime
    link: Link
    text: str
    remedy: str
    menders: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Verdict:
    """What the proof found for one claim. `failures` are the first stretches; `count` and `failing` are of all of them.

    `people`: when the first, second, … distinct person is paged at the latest, over every state of the schedule.
    """

    claim: Claim
    policy: str
    failures: tuple[Failure, ...] = ()
    count: int = 0
    failing: timedelta = timedelta(0)
    people: tuple[Kth, ...] = ()

    @property
    def holds(self) -> bool:
        return not self.failures


@dataclass(frozen=True, slots=True)
class Caution:
    """A weakness, in how many stretches and for how long together; the first runs from `at` until `until`."""

    kind: Weakness
    text: str
    menders: tuple[str, ...]
    severities: tuple[str, ...]
    at: datetime
    until: datetime
    count: int
    length: timedelta


@dataclass(frozen=True, slots=True)
class Certificate:
    """What was proved: so many claims of so many organizations, from `start` until `end`, on these versions."""

    claims: int
    organizations: int
    start: datetime
    end: datetime
    stamps: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Proof:
    """The outcome: every claim's verdict, and either a certificate or the first failure."""

    start: datetime
    end: datetime
    verdicts: tuple[Verdict, ...]
    warnings: tuple[Caution, ...] = ()
    stamps: Mapping[str, str] = field(default_factory=dict)

    @property
    def holds(self) -> bool:
        return all(verdict.holds for verdict in self.verdicts)

    @property
    def first(self) -> Failure | None:
        """The earliest failure; of several at one instant, the one nearest to the contract."""
        failures = (verdict.failures[0] for verdict in self.verdicts if verdict.failures)
        return min(failures, key=_when, default=None)

    @property
    def certificate(self) -> Certificate | None:
        if not self.holds:
            return None
        organizations = {verdict.claim.organization for verdict in self.verdicts}
        return Certificate(len(self.verdicts), len(organizations), self.start, self.end, self.stamps)


class _Stretch(NamedTuple):
    start: datetime
    end: datetime
    what: Broken | Concern


class _Swept(NamedTuple):
    """What one sweep found: failing and weak stretches, and the worst case over all courses."""

    broken: list[_Stretch]
    concerns: list[_Stretch]
    people: tuple[Kth, ...]


_Case = tuple[int, str, timedelta | None]  # policy, severity, promised first response


def prove(claims: Iterable[Claim], evidence: Evidence, start: datetime, end: datetime) -> Proof:
    """Prove every claim from `start` until `end`. Raises ValueError if `end` is not after `start`."""
    if start >= end:
        raise ValueError("a proof needs a stretch of time: its end must be after its start")
    told = list(claims)
    margin = max((longest(ladder.policy) for ladder in evidence.ladders.values()), default=timedelta(0))
    desk = Desk(evidence, start, end + margin + timedelta.resolution)
    swept = {case: _sweep(desk, case, start, end) for case in dict.fromkeys(map(_case, told)) if case is not None}
    verdicts = tuple(_verdict(claim, evidence, swept, start, end) for claim in told)
    return Proof(start, end, verdicts, tuple(_warnings(told, swept)), _stamps(evidence))


def _case(claim: Claim) -> _Case | None:
    return None if claim.policy is None else (claim.policy, claim.severity, claim.promised)


def _sweep(desk: Desk, case: _Case, start: datetime, end: datetime) -> _Swept:
    policy, severity, promised = case
    ladder = desk.evidence.ladders[policy]
    judge = Judge(desk.evidence, ladder, severity, promised, start)
    broken, concerns = _Joining(), _Joining()
    states: dict[tuple[Kth, ...], None] = {}
    for course in courses(desk, ladder, severity, start, end):
        judgement = judge.judge(course)
        broken.add(course.start, course.end, judgement.broken)
        concerns.add(course.start, course.end, judgement.concerns)
        states[judgement.reached] = None
    return _Swept(broken.stretches(), concerns.stretches(), bound.worst(states))


class _Joining:
    """Joins what goes on from one course to the next into one stretch."""

    def __init__(self) -> None:
        self._open: dict[Broken | Concern, datetime] = {}
        self._done: list[_Stretch] = []
        self._reached: datetime | None = None

    def add(self, start: datetime, end: datetime, found: Sequence[Broken | Concern]) -> None:
        if found or self._open:
            for what in [what for what in self._open if what not in found]:
                self._done.append(_Stretch(self._open.pop(what), start, what))
            for what in found:
                self._open.setdefault(what, start)
        self._reached = end

    def stretches(self) -> list[_Stretch]:
        if self._reached is not None:
            self._done += [_Stretch(start, self._reached, what) for what, start in self._open.items()]
            self._open = {}
        return sorted(self._done, key=lambda stretch: stretch.start)


def _verdict(
    claim: Claim, evidence: Evidence, swept: Mapping[_Case, _Swept], start: datetime, end: datetime
) -> Verdict:
    if claim.problem:
        broken = Broken(Link.CONTRACT, claim.problem, _CONTRACT_REMEDY, claim.menders)
        return _listed(claim, "", [_Stretch(*span, broken) for span in claim.held or ((start, end),)], ())
    case = _case(claim)
    if case is None:
        text = f"No escalation rule covers {claim.severity} of {claim.organization} on plan {claim.plan}."
        broken = Broken(Link.POLICY, text, _POLICY_REMEDY, evidence.managers)
        return _listed(claim, "", [_Stretch(*window, broken) for window in claim.windows], ())
    found = swept[case]
    stretches = list(_within(found.broken, claim.windows))
    return _listed(claim, evidence.ladders[case[0]].policy.name, stretches, found.people)


def _listed(claim: Claim, policy: str, stretches: list[_Stretch], people: tuple[Kth, ...]) -> Verdict:
    failures = [_failure(claim, policy, stretch) for stretch in stretches]
    failures.sort(key=_when)
    return Verdict(
        claim,
        policy,
        tuple(failures[:KEPT_PER_CLAIM]),
        len(failures),
        _length((failure.at, failure.until) for failure in failures),
        people,
    )


def _failure(claim: Claim, policy: str, stretch: _Stretch) -> Failure:
    what = stretch.what
    assert isinstance(what, Broken)
    return Failure(
        claim.organization,
        claim.severity,
        claim.service,
        policy,
        stretch.start,
        stretch.end,
        what.link,
        what.text,
        what.remedy,
        what.menders,
    )


def _when(failure: Failure) -> tuple[datetime, int, str, str]:
    return failure.at, ORDER[failure.link], failure.organization, failure.severity


def _within(stretches: Sequence[_Stretch], windows: Sequence[Interval]) -> Iterator[_Stretch]:
    """The parts of the stretches that lie in the windows; both are in order of their start, windows do not overlap."""
    first = 0
    for start, end, what in stretches:
        while first < len(windows) and windows[first][1] <= start:
            first += 1
        for opens, closes in windows[first:]:
            if opens >= end:
                break
            yield _Stretch(max(start, opens), min(end, closes), what)


def _length(intervals: Iterable[Interval]) -> timedelta:
    """How long intervals last together, what overlaps counted once; they are in order of their start."""
    total, reached = timedelta(0), None
    for start, end in intervals:
        begins = start if reached is None or reached < start else reached
        if end > begins:
            total += end - begins
            reached = end
    return total


def _warnings(claims: Sequence[Claim], swept: Mapping[_Case, _Swept]) -> Iterator[Caution]:
    """Each weakness once, however many severities and claims it concerns, where any claim is entitled at all."""
    met: dict[Concern, list[tuple[str, _Stretch]]] = {}
    for case, found in swept.items():
        if found.concerns:
            windows = union(window for claim in claims if _case(claim) == case for window in claim.windows)
            for stretch in _within(found.concerns, windows):
                assert isinstance(stretch.what, Concern)
                met.setdefault(stretch.what, []).append((case[1], stretch))
    for concern, places in sorted(met.items(), key=lambda item: min(stretch.start for _, stretch in item[1])):
        spans = union((stretch.start, stretch.end) for _, stretch in places)
        yield Caution(
            concern.kind,
            concern.text,
            concern.menders,
            tuple(sorted({severity for severity, _ in places})),
            spans[0][0],
            spans[0][1],
            len(spans),
            _length(spans),
        )


def _stamps(evidence: Evidence) -> dict[str, str]:
    """The version of everything the proof stands on."""
    schedules = {f"schedule {roster.name}": roster.stamp for roster in evidence.rosters.values()}
    policies = {
        f"policy {ladder.policy.name}": f"version {ladder.policy.version}" for ladder in evidence.ladders.values()
    }
    return schedules | policies
