"""SLA clocks as pages show them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from incidents import sla
from incidents.models import SlaClock

LABELS = {
    "first_response": "First response",
    "next_update": "Next update",
    "resolution": "Resolution",
    "ack": "Acknowledge",
}
_SOON = 75  # percent used from which a clock shows amber
_ORDER = ("first_response", "next_update", "resolution", "ack")


@dataclass(frozen=True, slots=True)
class Face:
    """One clock, ready for `components/_clock.html`."""

    label: str
    state: str  # running | soon | overdue | paused | met | missed
    kind: str
    due_at: datetime | None
    percent: int
    target: timedelta
    starts_at: datetime | None = None
    soon_at: datetime | None = None
    settled_at: datetime | None = None
    left: timedelta | None = None
    took: timedelta | None = None
    overrun: timedelta | None = None
    note: str = ""


def faces(clocks: Iterable[sla.Clock], now: datetime, *, for_customer: bool = False) -> list[Face]:
    """The latest cycle of each kind, the customer's own promises only for customers."""
    latest = sla.by_kind(tuple(clocks))
    shown = [kind for kind in _ORDER if kind in latest and not (for_customer and kind == "ack")]
    return [face(latest[sla.ClockKind(kind)], now) for kind in shown]


def face(clock: sla.Clock, now: datetime) -> Face:
    """One clock as it stands."""
    thresholds = clock.thresholds or {}
    return Face(
        label=LABELS[clock.kind],
        state=_state(clock, now),
        kind=clock.commitment,
        due_at=clock.due_at,
        percent=min(clock.percent, 100),
        target=clock.target.duration,
        starts_at=clock.effective_start,
        soon_at=thresholds.get(_SOON),
        settled_at=clock.satisfied_at,
        left=clock.remaining,
        took=clock.elapsed if clock.satisfied_at else None,
        overrun=clock.overrun if clock.breached_at else None,
        note=_note(clock, now),
    )


def _state(clock: sla.Clock, now: datetime) -> str:
    if clock.state is sla.State.MISSED and clock.satisfied_at is None:
        return "overdue"
    if clock.state is not sla.State.RUNNING:
        return "met" if clock.state is sla.State.CANCELLED else str(clock.state)
    return "soon" if (clock.thresholds or {}).get(_SOON, now) < now else "running"


def _note(clock: sla.Clock, now: datetime) -> str:
    if clock.held_since is not None:
        return "waiting for the customer"
    return "starts when the desk opens" if clock.effective_start > now else ""


def next_face(rows: Iterable[SlaClock], now: datetime) -> Face | None:
    """The most pressing clock of a list row, from stored states: no replay for lists."""
    waiting = [
        row
        for row in rows
        if row.state in ("running", "missed") and row.satisfied_at is None and row.due_at and row.kind != "ack"
    ]
    promised = [row for row in waiting if row.promise == "guarantee"] or waiting
    row = min(promised, key=lambda one: one.due_at or now, default=None)
    if row is None or row.due_at is None:
        return None
    target = timedelta(seconds=row.target_seconds)
    soon_at = row.due_at - target * (100 - _SOON) / 100
    state = "overdue" if row.due_at < now else "soon" if soon_at < now else "running"
    return Face(LABELS[row.kind], state, row.promise, row.due_at, 0, target, soon_at=soon_at)
