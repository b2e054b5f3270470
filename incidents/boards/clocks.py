"""SLA clocks as pages show them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
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
    due_at: datetime | None  # of the promise shown
    percent: int
    target: timedelta
    starts_at: datetime | None = None
    soon_at: datetime | None = None
    settled_at: datetime | None = None
    left: timedelta | None = None
    used: timedelta | None = None
    took: timedelta | None = None
    overrun: timedelta | None = None
    note: str = ""
    then_at: datetime | None = None  # when the next one is due, while an earlier one is late


def faces(clocks: Iterable[sla.Clock], now: datetime, *, for_customer: bool = False) -> list[Face]:
    """One face a kind, the customer's own promises only for customers."""
    seen = tuple(clocks)
    kinds = [sla.ClockKind(kind) for kind in _ORDER if not (for_customer and kind == "ack")]
    return [shown for kind in kinds if (shown := face_of(kind, seen, now)) is not None]


def face_of(kind: sla.ClockKind, clocks: tuple[sla.Clock, ...], now: datetime) -> Face | None:
    """The latest cycle of a kind; while an earlier one is late and still owed, that one comes first (D16)."""
    latest = sla.by_kind(clocks).get(kind)
    if latest is None:
        return None
    late = next(
        (c for c in clocks if c.kind is kind and c.state is sla.State.MISSED and c.satisfied_at is None), latest
    )
    return face(late, now) if late is latest else replace(face(late, now), then_at=latest.due_at)


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
        used=clock.elapsed,
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
