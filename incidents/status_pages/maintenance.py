"""Planned maintenance begins and ends by timers, and is said to subscribers each time."""

from __future__ import annotations

from datetime import datetime

from incidents.models import Notice
from incidents.status_pages import posting
from supportdesk import instants
from supportdesk.queue import timers
from supportdesk.queue.models import Timer

BEGIN = "incidents.status_pages.maintenance.begin"
END = "incidents.status_pages.maintenance.end"
State = Notice.State


def arm(notice: Notice) -> None:
    """Make the timers what the notice says: begin and end while it is ahead, end while it lasts, else nothing."""
    ends_at = notice.ends_at or notice.starts_at
    wanted = {State.SCHEDULED: {BEGIN: notice.starts_at, END: ends_at}, State.IN_PROGRESS: {END: ends_at}}
    for run in (BEGIN, END):
        at = wanted.get(State(notice.state), {}).get(run)
        timers.replace(_subject(notice), run, [_firing(notice, run, at)] if at else [])


def _firing(notice: Notice, run: str, at: datetime) -> timers.Planned:
    return timers.Planned(f"{run}:{notice.pk}:{at.isoformat()}", run, _subject(notice), at)


def begin(timer: Timer) -> None:
    """The hour has come."""
    notice = _of(timer)
    if notice.state == State.SCHEDULED and notice.starts_at <= instants.now():
        posting.say(notice, State.IN_PROGRESS, f"{notice.title} has begun.", instants.now())


def end(timer: Timer) -> None:
    """The time is up; whoever needs longer moves the end before."""
    notice = _of(timer)
    if notice.state in (State.SCHEDULED, State.IN_PROGRESS) and (notice.ends_at or notice.starts_at) <= instants.now():
        posting.say(notice, State.COMPLETED, f"{notice.title} is over.", instants.now())


def _of(timer: Timer) -> Notice:
    pk = int(timer.subject.rpartition(":")[2])
    return Notice.objects.select_for_update(of=("self",)).select_related("page").get(pk=pk)


def _subject(notice: Notice) -> str:
    return f"notice:{notice.pk}"
