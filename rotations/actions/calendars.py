"""Calendars in and out: the secret address of one's shifts, and leave read from a file or from a calendar elsewhere."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import timedelta

from django.db import transaction

from rotations import absences, planning, telling
from rotations.absences import Absence, NotACalendar
from rotations.actions.absence import touch_all
from rotations.actions.entry import require, require_staff
from rotations.models import CalendarFeed, Leave, LeaveCalendar, Schedule
from supportdesk import actors, instants
from supportdesk.accounts.models import User
from supportdesk.actors import Actor
from supportdesk.audit import trail
from supportdesk.errors import Invalid, NotFound
from supportdesk.integrations import guarded
from supportdesk.integrations.base import IntegrationError
from supportdesk.queue import timers
from supportdesk.queue.handover import hand_over
from supportdesk.queue.models import Lane

READ = "rotations.tasks.read_leave_calendar"
FETCH = "rotations.tasks.fetch_leave_calendar"
AHEAD = timedelta(days=400)
LARGEST = 1_048_576  # bytes


@dataclass(frozen=True, slots=True)
class Read:
    """What reading a calendar changed. `waiting`: leave that hits shifts, so a manager has to decide."""

    added: int = 0
    changed: int = 0
    gone: int = 0
    waiting: int = 0


def open_feed(*, actor: Actor, schedule_id: int | None = None) -> CalendarFeed:
    """The feed of one's own shifts, or of a schedule as one reads it oneself."""
    require_staff(actor)
    if schedule_id is not None and not Schedule.objects.filter(pk=schedule_id).exists():
        raise NotFound("There is no such schedule.")
    feed, _ = CalendarFeed.objects.get_or_create(user_id=actor.user_id, schedule_id=schedule_id)
    return feed


def renew_feed(*, actor: Actor, schedule_id: int | None = None) -> CalendarFeed:
    """A new secret address; whoever has the old one reads nothing any more."""
    with transaction.atomic():
        feed = CalendarFeed.objects.select_for_update().get(pk=open_feed(actor=actor, schedule_id=schedule_id).pk)
        feed.version += 1
        feed.save(update_fields=["version"])
        trail.record(actor, "renew_feed", f"feed:{feed.pk}")
    return feed


def close_feed(*, actor: Actor, schedule_id: int | None = None) -> None:
    """Take the secret address away: whoever has it reads nothing any more. Opened again, it is another one."""
    require_staff(actor)
    with transaction.atomic():
        feed = CalendarFeed.objects.filter(user_id=actor.user_id, schedule_id=schedule_id).first()
        if feed is not None:
            trail.record(actor, "close_feed", f"feed:{feed.pk}", before={"schedule": schedule_id})
            feed.delete()


def import_leave(*, actor: Actor, data: bytes, user_id: int | None = None) -> Read:
    """Read leave from a file. What hits no shift is approved at once, the rest waits for a manager."""
    owner = user_id or actor.user_id or 0
    require(actor, "ask_leave", own=owner == actor.user_id, what="this for somebody else")
    if len(data) > LARGEST:
        raise Invalid("The file is larger than 1 MB.", field="file")
    with transaction.atomic():
        user = _owner(owner)
        try:
            found = _read(data, user)
        except NotACalendar as error:
            raise Invalid(str(error), field="file") from error
        return _take(user, found, Leave.Source.FILE, actor)


def follow_calendar(*, actor: Actor, address: str, user_id: int | None = None) -> LeaveCalendar:
    """Read leave from a calendar elsewhere, now and every night. Only addresses on the public internet are read."""
    owner = user_id or actor.user_id or 0
    require(actor, "ask_leave", own=owner == actor.user_id, what="this for somebody else")
    wanted = address.strip().replace("webcal://", "https://", 1)
    try:
        host = guarded.parsed(wanted).host
    except guarded.Forbidden as error:
        raise Invalid(f"This cannot be read: {error.detail}.", field="address") from error
    with transaction.atomic():
        user = _owner(owner)
        calendar = LeaveCalendar.objects.filter(user=user).first() or LeaveCalendar(user=user)
        if calendar.pk and calendar.address == wanted and not calendar.error:
            return calendar
        calendar.set_address(wanted, host[:255])
        calendar.error, calendar.read_at, calendar.tried_at = "", None, None
        calendar.save()
        trail.record(actor, "follow_calendar", f"leave_calendar:{calendar.pk}", after={"user": user.pk, "host": host})
        _plan(calendar, at_once=True)
    return calendar


def forget_calendar(*, actor: Actor, user_id: int | None = None) -> None:
    """Stop reading; the leave that was read stays."""
    owner = user_id or actor.user_id or 0
    require(actor, "ask_leave", own=owner == actor.user_id, what="this for somebody else")
    with transaction.atomic():
        calendar = LeaveCalendar.objects.filter(user=owner).first()
        if calendar is None:
            return
        timers.cancel(_subject(calendar))
        trail.record(actor, "forget_calendar", f"leave_calendar:{calendar.pk}", before={"host": calendar.host})
        calendar.delete()


def read_calendar(calendar_id: int) -> Read:
    """Fetch and read one calendar. What went wrong is kept for its owner to see.

    A task on the lane of bulk work, outside any transaction: nothing ever waits for somebody's calendar server.
    """
    calendar = LeaveCalendar.objects.select_related("user").filter(pk=calendar_id).first()
    if calendar is None:
        return Read()
    now, result, error = instants.now(), Read(), ""
    try:
        found = _read(_fetched(calendar.address), calendar.user)
    except IntegrationError as trouble:
        error = f"It could not be read: {trouble.detail}"
    except NotACalendar as trouble:
        error = str(trouble)
    else:
        with transaction.atomic():
            _owner(calendar.user_id)
            result = _take(calendar.user, found, Leave.Source.CALENDAR, actors.desk("calendar"))
    calendar.tried_at, calendar.error = now, error[:300]
    calendar.read_at = calendar.read_at if error else now
    calendar.save(update_fields=["tried_at", "error", "read_at"])
    return result


def _fetched(address: str) -> bytes:
    """What the address answers. Raises `IntegrationError` or `NotACalendar`."""
    answer = guarded.fetch(
        address, headers={"Accept": "text/calendar", "User-Agent": "supportdesk"}, most_bytes=LARGEST
    )
    if not answer.is_success:
        raise NotACalendar(f"It answered {answer.status} instead of a calendar.")
    if not answer.is_whole:
        raise NotACalendar("It is larger than 1 MB.")
    return answer.body


def plan_reading(calendar_id: int) -> None:
    """Have one calendar read now, and again tomorrow night."""
    calendar = LeaveCalendar.objects.filter(pk=calendar_id).first()
    if calendar is not None:
        hand_over(Lane.BULK, FETCH, [(calendar.pk,)])
        _plan(calendar)


def _owner(user_id: int) -> User:
    """The person, locked, so that two readings do not meet."""
    user = User.objects.select_for_update(no_key=True).filter(pk=user_id, is_active=True).first()
    if user is None or not user.works_here:
        raise NotFound("There is no such colleague.")
    return user


def _read(data: bytes, user: User) -> list[Absence]:
    now = instants.now()
    return [each for each in absences.read(data, user.time_zone, now, now + AHEAD) if each.end > now]


def _take(user: User, found: Iterable[Absence], source: Leave.Source, actor: Actor) -> Read:
    """Make the leave on record say what the calendar says; decided by hand stays decided."""
    known = {row.uid: row for row in Leave.objects.filter(user=user).exclude(uid="")}
    added, changed, waiting, touches, kept = 0, 0, 0, False, set()
    for absence in found:
        kept.add(absence.uid)
        row = known.get(absence.uid)
        if row is not None and (row.start, row.end) == (absence.start, absence.end):
            if row.state == Leave.State.CANCELLED:
                changed += 1
                touches |= _settle(row, actor)
            waiting += row.state == Leave.State.ASKED
            continue
        touches |= row is not None and row.state == Leave.State.APPROVED
        row, was_new = _written(row, user, absence, source)
        added, changed = added + was_new, changed + (not was_new)
        touches |= _settle(row, actor)
        waiting += row.state == Leave.State.ASKED
    gone = _drop(user, known, kept, actor) if source == Leave.Source.CALENDAR else 0
    read = Read(added, changed, gone, waiting)
    if added or changed or gone:
        trail.record(
            actor, "read_leave", f"user:{user.pk}",
            after={"added": added, "changed": changed, "gone": gone, "waiting": waiting, "source": source},
        )  # fmt: skip
    if touches or gone:
        touch_all(planning.schedules_of(user.pk))
    return read


def _written(row: Leave | None, user: User, absence: Absence, source: Leave.Source) -> tuple[Leave, bool]:
    was_new = row is None
    row = row or Leave(user=user, uid=absence.uid, source=source)
    row.start, row.end, row.note, row.state = absence.start, absence.end, absence.title, Leave.State.ASKED
    row.save()
    return row, was_new


def _settle(row: Leave, actor: Actor) -> bool:
    """Approve what hits no shift, ask a manager about the rest. True if it was approved."""
    now = instants.now()
    hit = planning.hits(row.user_id, row.start, row.end, now)
    row.state = Leave.State.ASKED if hit else Leave.State.APPROVED
    row.decided_at, row.reason = (None, "") if hit else (now, "hits no shift")
    row.save(update_fields=["state", "decided_at", "reason"])
    if hit:
        telling.tell(
            "leave_asked", f"{row.pk}:{row.start.isoformat()}:{row.end.isoformat()}", f"leave:{row.pk}",
            [one for one in telling.managers(planning.schedules_of(row.user_id)) if one.pk != actor.user_id],
            times={"start": row.start, "end": row.end}, page="rotations:leave", person=row.user.name,
            kind_words=row.get_kind_display(), state=row.get_state_display(), shifts=len(hit),
            open_shifts=sum(one.is_uncovered for one in hit), note=row.note, reason="", who=row.user.name,
        )  # fmt: skip
    return not hit


def _drop(user: User, known: dict[str, Leave], kept: set[str], actor: Actor) -> int:
    """What the calendar does not hold any more, as far as it lies ahead."""
    now, standing = instants.now(), (Leave.State.ASKED, Leave.State.APPROVED)
    gone = [
        row
        for uid, row in known.items()
        if uid not in kept and row.source == Leave.Source.CALENDAR and row.state in standing and row.start > now
    ]
    for row in gone:
        row.state, row.decided_at, row.reason = Leave.State.CANCELLED, now, "not in the calendar any more"
        row.save(update_fields=["state", "decided_at", "reason"])
    return len(gone)


def _plan(calendar: LeaveCalendar, *, at_once: bool = False) -> None:
    now = instants.now()
    at = now if at_once else calendar.next_reading(now)
    planned = timers.Planned(
        f"leave-calendar:{calendar.pk}:{at.isoformat()}", READ, _subject(calendar), at,
        args={"calendar": calendar.pk},
    )  # fmt: skip
    timers.replace(_subject(calendar), READ, [planned])


def _subject(calendar: LeaveCalendar) -> str:
    return f"leave_calendar:{calendar.pk}"
