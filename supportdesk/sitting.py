"""One sitting at the desk: what a verb reads once, and what it hands in together at its end.

A verb posts deliveries, arms timers and tells listeners in many places. Inside `with sitting.atomic():` these are
collected and written by one statement a table, before the transaction commits: still the same transaction, rows before
queues. Outside of one, everything is written at once, as it always was.

Whoever reads or changes rows that may lie here unwritten calls `hand_in()` first, or looks into `waiting()`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any, TypeVar

from django.db import connection, transaction

T = TypeVar("T")
Write = Callable[[Sequence[Any]], None]

_NOTIFY = "SELECT pg_notify(channel, payload) FROM unnest(%s::text[], %s::text[]) AS said (channel, payload)"


class _Sitting:
    """What lies on the desk."""

    def __init__(self) -> None:
        self.piles: dict[Write, list[Any]] = {}
        self.notices: dict[tuple[str, str], None] = {}
        self.read: dict[str, Any] = {}
        self.begun: set[str] = set()

    def hand_in(self) -> None:
        self.begun.clear()
        while self.piles:
            write = next(iter(self.piles))
            write(self.piles.pop(write))
        notices, self.notices = list(self.notices), {}
        _notify(notices)


_now: ContextVar[_Sitting | None] = ContextVar("sitting", default=None)


@contextmanager
def atomic() -> Iterator[None]:
    """A transaction whose verb sits down: written when the block ends well, forgotten when it raises.

    A sitting within another begins with what the outer one has so far, written. Inside one, whoever goes on after a
    failure makes a sitting of what may fail, and not a plain savepoint: that would keep what was collected in it.
    """
    hand_in()
    with transaction.atomic():
        mine = _Sitting()
        before = _now.set(mine)
        try:
            yield
            mine.hand_in()
        finally:
            _now.reset(before)


def collect(write: Write, things: Iterable[Any]) -> None:
    """Have `write` called with these and all the others collected for it; now if nobody sits."""
    found, mine = list(things), _now.get()
    if not found:
        return
    if mine is None:
        write(found)
    else:
        mine.piles.setdefault(write, []).extend(found)


def waiting(write: Write) -> list[Any]:
    """What is collected and not written yet; the list itself, so that it can be taken back."""
    mine = _now.get()
    return mine.piles.get(write, []) if mine is not None else []


def hand_in() -> None:
    """Write what is collected so far: somebody wants to see the rows."""
    mine = _now.get()
    if mine is not None:
        mine.hand_in()


def begin(*subjects: str) -> None:
    """Say that subjects were made in this sitting: whatever waits for them lies on the desk, not in the tables."""
    mine = _now.get()
    if mine is not None:
        mine.begun.update(subjects)


def is_new(subject: str) -> bool:
    """Whether nothing about a subject has been written yet, so that nobody has to look."""
    mine = _now.get()
    return mine is not None and subject in mine.begun


def once(name: str, read: Callable[[], T]) -> T:
    """Something read once a sitting; every time if nobody sits."""
    mine = _now.get()
    if mine is None:
        return read()
    if name not in mine.read:
        mine.read[name] = read()
    found: T = mine.read[name]
    return found


def notify(channel: str, payload: str = "") -> None:
    """Tell listeners at commit; the same twice is told once."""
    mine = _now.get()
    if mine is None:
        _notify([(channel, payload)])
    else:
        mine.notices[channel, payload] = None


def _notify(notices: Sequence[tuple[str, str]]) -> None:
    if notices:
        with connection.cursor() as cursor:
            cursor.execute(_NOTIFY, [list(said) for said in zip(*notices, strict=True)])
