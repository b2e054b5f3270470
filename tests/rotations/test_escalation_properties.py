"""Whatever happens, in whatever order: the promises that hold for every escalation (domain §11)."""

from __future__ import annotations

from copy import deepcopy
from dataclasses import replace
from datetime import datetime, timedelta

from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from rotations.escalation import (
    Condition,
    Event,
    EventKind,
    Kind,
    Pager,
    Policy,
    State,
    Status,
    Step,
    Target,
    decide,
    next_due,
    run,
)
from rotations.escalation import effects as fx
from rotations.escalation.paging import SAME_PERSON_PAUSE
from rotations.escalation.policy import ALWAYS
from tests.rotations.escalation_cast import T, Team, start, told

CAST = ("alan", "bob", "carol", "dana", "erin")
ROLES = ("primary", "backup", "neighbour", "seniors", "duty_manager", "person:erin", "channel:#ops")
NEEDS_NEXT = {Status.TRIGGERED, Status.ACKNOWLEDGED, Status.EXHAUSTED, Status.SUPPRESSED}

lengths = st.integers(0, 300).map(lambda seconds: timedelta(seconds=seconds))
people = st.sampled_from(CAST)
conditions = st.sampled_from((ALWAYS, ALWAYS, ALWAYS, Condition(severities=frozenset({"P3"}))))
targets = st.lists(st.sampled_from(ROLES).map(Target.parse), min_size=1, max_size=3).map(tuple)
steps = st.builds(Step, targets, lengths, conditions)
chains = st.lists(steps, min_size=1, max_size=4).map(tuple)
manager_last = Step((Target.parse("manager"),), timedelta(minutes=1))


@st.composite
def policies(draw: st.DrawFn) -> Policy:
    repeat, pager = draw(st.integers(-1, 2)), draw(st.sampled_from(Pager))
    first, *more = draw(chains)
    if pager is Pager.PAGERDUTY:
        first = replace(first, targets=(*first.targets, Target(Kind.PAGERDUTY)))
    return Policy(
        "drawn",
        draw(st.integers(1, 99)),
        (first, *more, manager_last) if repeat == -1 else (first, *more),
        repeat=repeat,
        pager=pager,
        ack_timeout=timedelta(minutes=draw(st.integers(1, 30))),
        exhausted_every=timedelta(minutes=draw(st.integers(1, 10))),
        required_acks=draw(st.integers(1, 2)),
    )


@st.composite
def teams(draw: st.DrawFn) -> Team:
    some = st.lists(people, max_size=2, unique=True).map(tuple)
    slot = st.none() | people
    return Team(
        shifts=[(T - timedelta(days=1), draw(slot), draw(slot))],
        others={role: draw(some) for role in ("neighbour", "seniors", "duty_manager", "manager")},
        manager=draw(st.sampled_from(("dana", None))),
        unreachable=dict.fromkeys(draw(some), "no verified phone"),
    )


class Desk(RuleBasedStateMachine):
    """A desk at work: people press things, come and go, and the worker is sometimes late."""

    @initialize(policy=policies(), team=teams(), monitor=st.booleans(), severity=st.sampled_from(("P1", "P3")))
    def open_incident(self, policy: Policy, team: Team, monitor: bool, severity: str) -> None:
        self.policy, self.team, self.state = policy, team, State(suppressible=monitor, severity=severity)
        self.begun_with = policy, self.state
        self.now = T
        self.rung_at: dict[str, datetime] = {}
        self.diary: list[tuple[Event, Team]] = []
        self.happen(EventKind.START, severity=severity)

    def happen(self, kind: EventKind, at: datetime | None = None, **details: object) -> tuple[fx.Effect, ...]:
        event = Event(kind, at or self.now, **details)
        self.diary.append((event, deepcopy(self.team)))
        before, self.now = self.state, event.at
        outcome = decide(self.policy, self.state, event, self.team)
        if kind in (EventKind.SEVERITY_UP, EventKind.REOPEN) and (outcome.effects or outcome.state != before):
            self.rung_at.clear()  # the one reason to ring somebody again within a minute
        self.policy, self.state = outcome.policy, outcome.state
        self.check_pages(before, event, told(outcome.effects, fx.Page))
        return outcome.effects

    def check_pages(self, before: State, event: Event, pages: list[fx.Page]) -> None:
        if before.status in (Status.IDLE, Status.RESOLVED) and event.kind is EventKind.DUE:
            assert not pages
        if self.state.status in (Status.RESOLVED, Status.ACKNOWLEDGED, Status.SUPPRESSED, Status.IDLE):
            assert not pages
        for page in pages:
            assert page.at <= event.at
            assert page.person not in self.team.unreachable or page.person == self.team.manager
            if page.pager is Pager.INTERNAL:
                last = self.rung_at.get(page.person)
                assert last is None or event.at - last >= SAME_PERSON_PAUSE
                self.rung_at[page.person] = event.at

    @rule(lateness=st.sampled_from((0, 0, 0, 1, 45, 900)))
    def the_worker_wakes(self, lateness: int) -> None:
        due = next_due(self.policy, self.state, self.team)
        if due is None:
            assert self.happen(EventKind.DUE) == ()
            return
        before, was_due = self.state, max(self.now, due)
        effects = self.happen(EventKind.DUE, was_due + timedelta(seconds=lateness))
        assert (self.state, effects) != (before, ())
        after = next_due(self.policy, self.state, self.team)
        assert after is not None
        assert after > self.now

    @rule(by=people)
    def somebody_acknowledges(self, by: str) -> None:
        self.happen(EventKind.ACK, by=by)

    @rule(by=people)
    def somebody_hands_back(self, by: str) -> None:
        self.happen(EventKind.UNACK, by=by)

    @rule(by=people)
    def somebody_is_active(self, by: str) -> None:
        self.happen(EventKind.ACTIVITY, by=by)

    @rule(by=people)
    def somebody_turns_out_unreachable(self, by: str) -> None:
        self.happen(EventKind.UNREACHABLE, by=by)

    @rule()
    def the_pager_of_record_fails(self) -> None:
        self.happen(EventKind.PAGER_FAILED)

    @rule()
    def somebody_escalates(self) -> None:
        self.happen(EventKind.ESCALATE)

    @rule(policy=policies(), kind=st.sampled_from((EventKind.SEVERITY_UP, EventKind.SEVERITY_DOWN)))
    def the_severity_changes(self, policy: Policy, kind: EventKind) -> None:
        self.happen(kind, policy=policy, severity="P1" if kind is EventKind.SEVERITY_UP else "P3")

    @rule(length=lengths)
    def maintenance_begins(self, length: timedelta) -> None:
        self.happen(EventKind.SUPPRESS, until=self.now + length)

    @rule()
    def maintenance_ends(self) -> None:
        self.happen(EventKind.UNSUPPRESS)

    @rule()
    @precondition(lambda self: self.state.status is not Status.RESOLVED)
    def it_is_resolved(self) -> None:
        generation = self.state.generation
        self.happen(EventKind.RESOLVE)
        assert self.happen(EventKind.DUE, self.now + timedelta(hours=9), generation=generation) == ()

    @rule()
    def it_is_reopened(self) -> None:
        self.happen(EventKind.REOPEN)

    @rule(primary=st.none() | people, backup=st.none() | people)
    def a_shift_changes(self, primary: str | None, backup: str | None) -> None:
        self.now += timedelta(seconds=1)
        self.team.shifts.append((self.now, primary, backup))

    @rule(person=people)
    def somebody_comes_or_goes(self, person: str) -> None:
        if self.team.unreachable.pop(person, None) is None:
            self.team.unreachable[person] = "phone switched off"

    @rule(length=lengths)
    def time_passes(self, length: timedelta) -> None:
        self.now += length

    @invariant()
    def there_is_always_a_next_instant(self) -> None:
        due = next_due(self.policy, self.state, self.team)
        assert (due is not None) == (self.state.status in NEEDS_NEXT)

    @invariant()
    def a_chain_that_runs_has_rung_somebody(self) -> None:
        if self.state.status is Status.TRIGGERED:
            assert self.state.rung

    @invariant()
    def enough_have_it_when_it_counts_as_acknowledged(self) -> None:
        if self.state.status is Status.ACKNOWLEDGED:
            assert self.state.ackers

    @invariant()
    def nobody_both_has_it_and_handed_it_back(self) -> None:
        assert not set(self.state.excluded) & {*self.state.ackers, *self.state.responders}
        assert not set(self.state.ackers) & set(self.state.responders)

    @invariant()
    def everything_survives_its_stored_form(self) -> None:
        assert State.from_spec(self.state.to_spec()) == self.state
        assert Policy.from_spec(self.policy.to_spec()) == self.policy

    def teardown(self) -> None:
        """INV-3: the events alone lead to the same state."""
        if not hasattr(self, "begun_with"):
            return
        policy, state = self.begun_with
        for event, team in self.diary:
            outcome = decide(policy, state, event, team)
            policy, state = outcome.policy, outcome.state
        assert (policy, state) == (self.policy, self.state)


Desk.TestCase.settings = settings(max_examples=60, stateful_step_count=25, deadline=None)
TestDesk = Desk.TestCase


def meant(effects: tuple[fx.Effect, ...]) -> set[tuple[datetime, str, int, int]]:
    """Everybody a step meant, rung or spared because they had just been rung."""
    rung = [(p.at, p.person, p.pass_number, p.step) for p in told(effects, fx.Page)]
    spared = told(effects, fx.Skipped)
    return {*rung, *((s.at, s.person, s.pass_number, s.step) for s in spared if s.why == fx.Why.JUST_PAGED)}


HORIZON = T + timedelta(minutes=40)
wakes = st.lists(st.integers(0, 2400), max_size=12).map(sorted)


@settings(max_examples=80, deadline=None)
@given(policy=policies(), team=teams(), seconds=wakes)
def test_a_late_worker_fires_the_same_steps_at_the_same_planned_instants(
    policy: Policy, team: Team, seconds: list[int]
):
    """ESC-2, ESC-13. Pages of an exhausted chain aside: of those only the latest missed one is made up for."""
    on_time = run(policy, team, [start()], HORIZON + timedelta(microseconds=1))
    outcome = decide(policy, State(), start(), team)
    effects = outcome.effects
    for at in (*(T + timedelta(seconds=offset) for offset in seconds), HORIZON):
        outcome = decide(policy, outcome.state, Event(EventKind.DUE, at), team)
        effects += outcome.effects
    assert told(effects, fx.StepFired) == told(on_time.effects, fx.StepFired)
    assert told(effects, fx.Exhausted) == told(on_time.effects, fx.Exhausted)
    gone = told(effects, fx.Exhausted)
    ends = gone[0].at if gone else HORIZON + timedelta(seconds=1)
    assert {m for m in meant(effects) if m[0] < ends} == {m for m in meant(on_time.effects) if m[0] < ends}
    assert next_due(policy, outcome.state, team) == next_due(policy, on_time.state, team)


@settings(max_examples=50, deadline=None)
@given(policy=policies(), team=teams())
def test_some_human_is_paged_at_once_if_there_is_any_to_be_had(policy: Policy, team: Team):
    """F15: a chain with holes reaches a person at the instant it starts."""
    outcome = decide(policy, State(), start(), team)
    paged = told(outcome.effects, fx.Page)
    assert paged or team.manager is None
    assert all(page.at == T for page in paged)


@settings(max_examples=50, deadline=None)
@given(policy=policies(), presses=st.lists(st.tuples(people, st.integers(0, 1)), min_size=2, max_size=50))
def test_of_many_presses_at_one_instant_the_first_is_the_first_and_nobody_is_rung_after(policy: Policy, presses):
    """F31: the order in which the presses are taken in decides, and the chain stops once."""
    team = Team()
    acks = [Event(EventKind.ACK, T + timedelta(seconds=after), by=who) for who, after in presses]
    ran = run(policy, team, [start(), *acks], T + policy.ack_timeout)
    taken = told(ran.effects, fx.Acknowledged)
    in_order = list(dict.fromkeys(event.by for event in sorted(acks, key=lambda event: event.at)))
    assert [ack.person for ack in taken] == in_order
    assert ran.state.ackers == tuple(in_order[: policy.required_acks])
    if len(in_order) >= policy.required_acks:
        enough = taken[policy.required_acks - 1].at
        assert all(page.at <= enough for page in ran.pages)
