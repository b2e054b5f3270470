"""The law of the war room: no P1 has fifteen minutes without an update, or a miss that is recorded and escalated.

Any sequence of what people do may happen under the moved clock; the law is read from the rows afterwards.
"""

from __future__ import annotations

import contextlib
from datetime import datetime, timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from incidents import actions
from incidents.clockwork import THRESHOLD
from incidents.models import Breach, Incident, Page
from incidents.states import Status
from supportdesk.errors import DeskError
from supportdesk.queue.models import Timer
from tests.cast import World
from tests.fakes import Fakes

INTERVAL, WATCHING = timedelta(minutes=15), timedelta(minutes=30)
DOINGS = (
    "nothing",
    "update",
    "update",
    "monitoring",
    "fix_failed",
    "acknowledge",
    "note",
    "message",
    "answer",
    "hold",
    "hand_back",
    "escalate",
    "decide",
    "lower_and_raise",
)
STEPS = st.lists(st.tuples(st.integers(1, 21), st.sampled_from(DOINGS)), min_size=1, max_size=5)


@pytest.fixture
def desk(db: None, fakes: Fakes, settings: Any, moved_clock: None) -> Any:
    """The demo world with one wire: the law is about rows, not about letters."""
    settings.EMERGENCY_NUMBER = "+4930555000"
    made = World(fakes, vendors=("sms",))
    yield made
    made.assert_healthy()


def _do(world: World, incident: Incident, doing: str) -> None:
    """What somebody does; what the desk refuses at this moment is left undone, as it is in life."""
    bob, alice = world.people["bob"].user.actor("console"), world.people["alice"].user.actor("portal")
    told: dict[str, Any] = {"actor": bob, "state": "Orders fail.", "doing": "We look."}
    with contextlib.suppress(DeskError):
        if doing == "update":
            actions.post_update(incident.pk, **told)
        elif doing == "monitoring":
            actions.post_update(incident.pk, status="monitoring", **told)
        elif doing == "fix_failed":
            actions.change_status(incident.pk, actor=bob, status="investigating")
        elif doing == "acknowledge":
            actions.acknowledge(incident.pk, actor=bob)
        elif doing == "note":
            actions.write_note(incident.pk, actor=bob, text="The disk is full.")
        elif doing == "message":
            actions.write_message(incident.pk, actor=bob, text="Which shop is it?")
        elif doing == "answer":
            actions.write_message(incident.pk, actor=alice, text="All of them.")
        elif doing == "hold":
            actions.claim(incident.pk, actor=bob)
            actions.hold(incident.pk, actor=bob, kind="customer", question="May we restart it?")
        elif doing == "hand_back":
            actions.hand_back(incident.pk, actor=bob)
        elif doing == "escalate":
            actions.escalate(incident.pk, actor=bob)
        elif doing == "decide":
            actions.record_decision(incident.pk, actor=bob, text="We roll back.")
        elif doing == "lower_and_raise":
            code = "workaround"
            actions.change_severity(incident.pk, actor=bob, severity="P2", reason="it is better", code=code)
            actions.change_severity(incident.pk, actor=bob, severity="P1", reason="it is not")
    world.settle()


def holes(incident: Incident, begins: datetime, ends: datetime) -> list[str]:
    """Where the law is broken, in words."""
    found, before = [], begins
    interval, promised = INTERVAL, begins + INTERVAL
    for entry in incident.timeline.filter(at__gte=begins, at__lte=ends).order_by("at", "pk"):
        is_word = entry.kind == "update" and entry.is_from_human and entry.visibility == "customer"
        is_miss = entry.kind == "sla_missed" and entry.data["clock"] == "next_update"
        status = entry.data.get("status", "") if entry.kind in ("update", "status_changed") else ""
        if status:
            interval = WATCHING if status == Status.MONITORING else INTERVAL
        if is_word or is_miss:
            if entry.at > promised:
                found.append(f"silence from {before} to {entry.at}")
            before, promised = entry.at, entry.at + interval
        elif entry.kind == "severity_changed":
            promised = entry.at + interval
        elif status:
            promised = before + WATCHING if interval == WATCHING else min(promised, entry.at + INTERVAL)
        if is_miss and not _is_escalated(incident, entry.at):
            found.append(f"the miss of {entry.at} called nobody")
    if ends > promised:
        found.append(f"silence from {before} on")
    return found


def _is_escalated(incident: Incident, due: datetime) -> bool:
    """It stands in the ledger of misses, and somebody who can mend it was paged at that instant."""
    stands = Breach.objects.filter(incident=incident, kind="next_update", due_at=due).exists()
    paged = Page.objects.filter(incident=incident, reason__in=("breach", "update_late"))
    return stands and paged.filter(planned_at__range=(due, due + timedelta(seconds=5))).exists()


def _declared(world: World) -> Incident:
    return world.people["alice"].reports("Checkout is down")


@settings(max_examples=8, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(steps=STEPS)
def test_no_p1_has_fifteen_minutes_without_an_update_or_an_escalated_miss(desk: World, steps: list[Any]) -> None:
    incident = _declared(desk)
    begins = desk.now
    for minutes, doing in steps:
        desk.advance(minutes=minutes)
        _do(desk, incident, doing)
    desk.advance(minutes=16)
    ends = desk.now
    actions.cancel(incident.pk, actor=desk.people["dana"].user.actor("console"), reason="The play is over.")
    desk.settle()
    assert holes(incident, begins, ends) == []


def test_the_law_can_be_broken(desk: World) -> None:
    """Without its timers the desk would say nothing: the law notices."""
    incident = _declared(desk)
    begins = desk.now
    Timer.objects.filter(subject=incident.subject, run=THRESHOLD).delete()
    desk.advance(minutes=16)
    assert holes(incident, begins, desk.now)


def test_a_miss_that_calls_nobody_breaks_the_law(desk: World) -> None:
    incident = _declared(desk)
    begins = desk.now
    desk.advance(minutes=16)
    assert holes(incident, begins, desk.now) == []
    Page.objects.filter(incident=incident, reason__in=("breach", "update_late")).update(reason="primary")
    assert holes(incident, begins, desk.now)
