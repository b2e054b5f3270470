"""What a schedule is made of: layers, overrides, leave, swaps, and the rules as one value. Pure values, no resolution.

All instants are aware UTC datetimes, all intervals half-open, all people opaque ids.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from enum import StrEnum
from itertools import pairwise
from typing import Literal, NamedTuple

from rotations.rotation import Revision
from supportdesk import zones

Slot = Literal["primary", "backup"]
PRIMARY: Slot = "primary"
BACKUP: Slot = "backup"
SLOTS: tuple[Slot, ...] = (PRIMARY, BACKUP)


@dataclass(frozen=True)
class Layer:
    """A rotation that is on duty in a daily local window (None: around the clock).

    A window whose end is not after its start runs into the next day. It opens at the first and closes at the last
    occurrence of its local times (D9). `weekdays` (Monday is 0) are the local dates on which a window may start, None
    for all; a layer with weekdays but no window is on duty from midnight to midnight. Who holds a window is decided
    when it starts (ROT-3). Higher `priority` goes first (ROT-4).
    `max_overlap`: how long this layer may overlap a sibling of the same priority before coverage mentions it.
    Raises ValueError for an unknown zone or slot, a weekday outside 0..6, or revisions out of order.
    """

    name: str
    time_zone: str
    revisions: tuple[Revision, ...]
    window: tuple[time, time] | None = None
    weekdays: frozenset[int] | None = None
    priority: int = 0
    slot: Slot = PRIMARY
    max_overlap: timedelta = timedelta(hours=1)

    def __post_init__(self) -> None:
        zones.check_zone(self.time_zone)
        if self.slot not in SLOTS:
            raise ValueError(f"{self.slot!r} is not a slot; use primary or backup")
        if self.weekdays is not None and not self.weekdays <= frozenset(range(7)):
            raise ValueError("weekdays are numbers from 0 (Monday) to 6 (Sunday)")
        for earlier, later in pairwise(self.revisions):
            begun = earlier.effective_from
            if later.effective_from is None or (begun is not None and later.effective_from <= begun):
                raise ValueError("revisions are ordered by the instant they take effect")

    @property
    def daily_window(self) -> tuple[time, time] | None:
        """The window windows are cut by: weekdays alone mean whole local days."""
        if self.window is None and self.weekdays is not None:
            return time.min, time.min
        return self.window


class Override(NamedTuple):
    """`person` holds `slot` from `start` until `end`, whatever the layers say. Those of one slot never overlap."""

    slot: Slot
    person: str
    start: datetime
    end: datetime


class Leave(NamedTuple):
    """`person` must not be on duty from `start` until `end`."""

    person: str
    start: datetime
    end: datetime


class Block(NamedTuple):
    """`person` is resting by the fatigue rules from `start` until `end` and is not put on duty."""

    person: str
    start: datetime
    end: datetime


class SwapState(StrEnum):
    """Where a swap stands. Only accepted and applied ones move duty."""

    OPEN = "open"
    ACCEPTED = "accepted"
    APPLIED = "applied"
    EXPIRED = "expired"
    WITHDRAWN = "withdrawn"


@dataclass(frozen=True)
class Swap:
    """`giver` gives their duty in `slot` from `start` until `end` to `taker`, perhaps for a span in return (ROT-8).

    The return span is both or neither of `return_start` and `return_end`. Where the giver would not be on duty, the
    swap moves nothing.
    """

    id: str
    slot: Slot
    giver: str
    taker: str | None
    start: datetime
    end: datetime
    return_start: datetime | None = None
    return_end: datetime | None = None
    state: SwapState = SwapState.OPEN

    def state_at(self, now: datetime) -> SwapState:
        """The state as it is at `now`: from its start an open swap has expired and an accepted one is applied."""
        if now < self.start:
            return self.state
        return {SwapState.OPEN: SwapState.EXPIRED, SwapState.ACCEPTED: SwapState.APPLIED}.get(self.state, self.state)

    def moves(self) -> tuple[Move, ...]:
        """The transfers of duty it stands for: none, one, or two with a return span."""
        if self.taker is None or self.state not in (SwapState.ACCEPTED, SwapState.APPLIED):
            return ()
        given = Move(self.slot, self.giver, self.taker, self.start, self.end, self)
        if self.return_start is None or self.return_end is None:
            return (given,)
        return given, Move(self.slot, self.taker, self.giver, self.return_start, self.return_end, self)


class Move(NamedTuple):
    """Duty in `slot` that would be `giver`'s is `taker`'s from `start` until `end`. One swap moves a duty once."""

    slot: Slot
    giver: str
    taker: str
    start: datetime
    end: datetime
    swap: Swap


@dataclass(frozen=True)
class Rules:
    """Everything that decides who is on duty. Order counts among layers and swaps (a later one sees the earlier).

    `backup_offset`: where the walk along the ring for a derived backup begins, counted from the primary's place: 1
    warms up the next primary, -1 keeps the last one (ROT-6). `inactive`: people who are never put on duty. `blocked`:
    people resting by the fatigue rules. `fallback`: who is called when nobody is on duty (the duty manager), if anyone.
    """

    layers: tuple[Layer, ...]
    overrides: tuple[Override, ...] = ()
    leave: tuple[Leave, ...] = ()
    swaps: tuple[Swap, ...] = ()
    backup_offset: int = 1
    inactive: frozenset[str] = frozenset()
    blocked: tuple[Block, ...] = ()
    fallback: str | None = None


def overlapping(overrides: Iterable[Override]) -> tuple[Override, Override] | None:
    """The first two overrides that claim one slot at the same time, or None. Such a pair is refused on save (ROT-5)."""
    ordered = sorted(overrides, key=lambda override: (override.slot, override.start, override.end))
    for earlier, later in pairwise(ordered):
        if earlier.slot == later.slot and later.start < earlier.end:
            return earlier, later
    return None
