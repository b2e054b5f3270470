"""Every state meets every event (domain §5.3). A dot: nothing changes and nobody is told."""

from __future__ import annotations

from dataclasses import replace

import pytest

from rotations.escalation import Event, EventKind, State, Status, decide, next_due
from rotations.escalation import effects as fx
from rotations.escalation.engine import MOVES
from tests.rotations.escalation_cast import Team, after, chain, full_team, happens, start, story, told

OLD = chain(("primary", 3), ("person:ada", 3))
NEW = chain(("person:nora", 5), ("primary", 5))

# The state after the event, and who is paged. Carol has it in `acknowledged`; bob is being rung in `triggered`.
TABLE = """\
event        | idle          | triggered         | acknowledged        | exhausted     | suppressed   | resolved
start        | triggered bob | .                 | .                   | .             | .            | .
due          | .             | triggered ada     | triggered bob carol | exhausted dana| triggered bob| .
ack          | .             | acknowledged      | acknowledged        | acknowledged  | acknowledged | .
unack        | .             | .                 | triggered ada       | .             | .            | .
hand_over    | .             | .                 | acknowledged        | .             | .            | .
activity     | .             | .                 | acknowledged        | .             | .            | .
severity_up  | triggered nora| triggered nora    | triggered nora carol| triggered nora| suppressed   | .
severity_down| .             | triggered         | acknowledged        | triggered nora| suppressed   | .
escalate     | .             | triggered ada     | triggered ada       | exhausted dana| triggered bob| .
unreachable  | .             | triggered dana ada| .                   | .             | .            | .
pager_failed | .             | .                 | .                   | .             | .            | .
rota         | .             | triggered         | .                   | exhausted     | .            | .
suppress     | .             | .                 | .                   | .             | suppressed   | .
unsuppress   | .             | .                 | .                   | .             | triggered bob| .
resolve      | resolved      | resolved          | resolved            | resolved      | resolved     | .
reopen       | .             | .                 | .                   | .             | .            | triggered bob
"""

BY = {"ack": "ben", "hand_over": "ben", "unack": "carol", "activity": "carol", "unreachable": "bob"}


def cells() -> list[tuple[str, str, str]]:
    header, *rows = [[cell.strip() for cell in line.split("|")] for line in TABLE.strip().splitlines()]
    return [(status, row[0], cell) for row in rows for status, cell in zip(header[1:], row[1:], strict=True)]


def state_of(status: str) -> State:
    """A state as it comes about: what had to happen, up to the minute before the event."""
    if status == "suppressed":
        monitor = State(suppressible=True)
        return decide(OLD, monitor, happens("suppress", "0:00", until=after("60:00")), full_team()).state
    before = {
        "idle": story(OLD, full_team(), until="0:00"),
        "triggered": story(OLD, full_team(), until="2:00"),
        "acknowledged": story(OLD, full_team(), happens("ack", "1:00", "carol"), until="2:00"),
        "exhausted": story(OLD, full_team(), until="9:00"),
        "resolved": story(OLD, full_team(), happens("resolve", "1:00"), until="2:00"),
    }
    return before[status].state


def event_for(kind: str, state: State) -> Event:
    if kind == "due":
        return Event(EventKind.DUE, next_due(OLD, state, full_team()) or after("60:00"))
    details = {"severity_up": {"policy": NEW, "severity": "P1"}, "severity_down": {"policy": NEW, "severity": "P2"}}
    at = "9:30" if state.status is Status.EXHAUSTED else "2:30"
    until = {"until": after("90:00")} if kind == "suppress" else {}
    return happens(kind, at, BY.get(kind, ""), **details.get(kind, {}), **until)


@pytest.mark.parametrize(("status", "kind", "expected"), cells())
def test_each_cell(status, kind, expected):
    state = state_of(status)
    assert state.status == status
    outcome = decide(OLD, state, event_for(kind, state), full_team())
    if expected == ".":
        assert outcome.state == state
        assert outcome.effects == ()
        return
    assert (outcome.policy, outcome.state) != (OLD, state)
    paged = [page.person for page in told(outcome.effects, fx.Page)]
    assert " ".join([outcome.state.status, *paged]) == expected


def test_no_cell_is_missing():
    assert {(status, kind) for status, kind, _ in cells()} == {(s.value, k.value) for s in Status for k in EventKind}
    assert all(set(row) == set(EventKind) for row in MOVES.values())
    assert set(MOVES) == set(Status)


@pytest.mark.parametrize(
    ("status", "expected"),
    [
        ("idle", "suppressed"),
        ("triggered", "suppressed"),
        ("acknowledged", "acknowledged"),
        ("exhausted", "exhausted"),
    ],
)
def test_a_maintenance_window_holds_back_what_only_a_monitor_found(status, expected):
    state = replace(state_of(status), suppressible=True)
    outcome = decide(OLD, state, happens("suppress", "2:30", until=after("60:00")), full_team())
    assert outcome.state.status == expected
    assert outcome.effects == ()
    if expected == "suppressed":
        assert outcome.state.rung == ()


def test_a_window_that_ends_with_nobody_saying_so_still_ends():
    state = state_of("suppressed")
    assert next_due(OLD, state, full_team()) == after("60:00")
    longer = decide(OLD, state, happens("suppress", "10:00", until=after("90:00")), full_team()).state
    assert next_due(OLD, longer, full_team()) == after("90:00")


@pytest.mark.parametrize(
    ("status", "expected"),
    [("triggered", ["erin"]), ("exhausted", ["erin"]), ("acknowledged", []), ("suppressed", [])],
)
def test_a_shift_change_pages_whoever_comes_on_while_nobody_has_it(status, expected):
    team = full_team()
    state = state_of(status)
    boundary = after("9:20")
    team.shifts.append((boundary, "erin", "emil"))
    if status == "triggered":
        state = replace(state, planned_at=after("10:00"))
    outcome = decide(OLD, state, Event(EventKind.DUE, boundary), team)
    assert [(page.person, page.reason) for page in told(outcome.effects, fx.Page)] == [
        (p, "shift_change") for p in expected
    ]
    assert outcome.state.status == status
    assert outcome.state.planned_at == state.planned_at


@pytest.mark.parametrize("status", ["idle", "triggered", "acknowledged", "exhausted", "suppressed"])
def test_a_severity_without_a_policy_pages_nobody_new(status):
    """Not entitled, or only queued: a raise leaves what runs running; a lowering sends it back to the queue."""
    state = state_of(status)
    raised = decide(OLD, state, happens("severity_up", "9:30", severity="P1"), Team())
    assert (raised.state.status, raised.effects) == (status, ())
    raised_to = decide(OLD, state, happens("severity_up", "9:30", severity="P2"), Team()).state.severity
    assert raised_to == "P2"
    lowered = decide(OLD, state, happens("severity_down", "9:30", severity="P4"), Team())
    assert lowered.effects == ()
    stays = status in ("idle", "acknowledged")  # an acknowledgement is kept, with the timeout it had
    assert lowered.state.status == (status if stays else "idle")
    assert lowered.state.severity == ("P1" if status == "idle" else "P4")
    if not stays:
        assert lowered.state.generation == state.generation + 1


@pytest.mark.parametrize("status", ["idle", "acknowledged", "resolved"])
@pytest.mark.parametrize("before", ["triggered", "exhausted", "suppressed"])
def test_a_chain_that_stopped_rings_nobody_and_plans_nothing(before, status):
    how = {
        "idle": happens("severity_down", "9:30", severity="P4"),
        "acknowledged": happens("ack", "9:30", "bob"),
        "resolved": happens("resolve", "9:30"),
    }
    stopped = decide(OLD, state_of(before), how[status], full_team()).state
    assert (stopped.status, stopped.planned_at, stopped.rung) == (status, None, ())
    due = next_due(OLD, stopped, full_team())
    assert due == (after("39:30") if status == "acknowledged" else None)


def test_every_state_survives_its_stored_form():
    for status in Status:
        state = state_of(status)
        assert State.from_spec(state.to_spec()) == state


def test_events_that_could_not_be_understood_are_refused():
    with pytest.raises(ValueError, match="who"):
        happens("ack", "1:00")
    with pytest.raises(ValueError, match="end"):
        happens("suppress", "1:00")
    with pytest.raises(ValueError, match="time zone"):
        start(after("1:00").replace(tzinfo=None))
