"""When one primary next follows another."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import NamedTuple

from rotations import oncall
from rotations.models import Schedule

STILL_OPEN = timedelta(hours=1)  # a note can be written so long after the shift: better late than never
_AHEAD = (timedelta(days=2), timedelta(days=40), timedelta(days=400))


class Change(NamedTuple):
    """The next time one primary follows another; None is nobody."""

    at: datetime
    outgoing: str | None
    incoming: str | None
    has_overlap: bool


def next_change(row: Schedule, now: datetime) -> Change | None:
    """When the primary of a schedule is next somebody else, within 400 days."""
    compiled = oncall.schedule(row)
    holder = compiled.who(now).primary
    for ahead in _AHEAD:
        reached = now
        for shift in compiled.shifts(now, now + ahead).primary:
            if shift.start > reached and holder is not None:
                return Change(reached, holder, None, has_overlap=False)
            if shift.person != holder:
                contact = compiled.who(shift.start).handover_contact
                return Change(shift.start, holder, shift.person, has_overlap=contact is not None)
            reached = shift.end
        if holder is not None and reached < now + ahead:
            return Change(reached, holder, None, has_overlap=False)
    return None
