"""The user group behind @oncall is kept equal to who is on call: at every shift change, after every change of the rota.

It is never emptied. If nobody on call has a Slack address the last ones stay in it, and the managers hear of it.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from incidents.slack.rooms import slack_ids
from rotations import oncall, telling
from rotations.models import Schedule
from supportdesk import instants, readable
from supportdesk.accounts.models import User
from supportdesk.integrations import kinds
from supportdesk.integrations.models import Connection
from supportdesk.queue import outbox, timers
from supportdesk.queue.models import Delivery
from supportdesk.queue.outbox import Post

KEEP = "incidents.tasks.keep_oncall_group"
LOOK_AGAIN = timedelta(minutes=10)  # for what no shift change tells: an address that was verified, somebody gone


def keep_all() -> None:
    """Every Slack connection that has a group."""
    for line in Connection.objects.filter(vendor="slack", is_enabled=True):
        keep(line)


def keep(line: Connection) -> None:
    """Make one connection's group who is on call now, and look again when that changes."""
    group = line.settings.get("oncall_group", "")
    row = _schedule(line.settings.get("oncall_schedule", ""))
    if not group or row is None:
        timers.cancel(_subject(line), run=KEEP)
        return
    now = instants.now()
    held = oncall.now_on_call(row, now)
    wanted = [key for key in (held.primary, held.backup) if key and key.isdigit()]
    users = {str(user.pk): user for user in User.objects.filter(pk__in=wanted)}
    people = [users[key] for key in wanted if key in users]
    _fill(line, group, row, people, now)
    _look_again(line, min(held.changes_at or now + LOOK_AGAIN, now + LOOK_AGAIN))


def in_words(line: Connection, zone: str) -> str:
    """Who is on call by the schedule of a connection, and until when, for a reader in `zone`."""
    row, now = _schedule(line.settings.get("oncall_schedule", "")), instants.now()
    if row is None:
        return "There is no schedule, so nobody is on call."
    held = oncall.now_on_call(row, now)
    people = {str(user.pk): user.name for user in User.objects.filter(is_active=True)}
    until = f", until {readable.moment(held.changes_at, zone)}" if held.changes_at else ""
    primary, backup = (people.get(key or "", "nobody") for key in (held.primary, held.backup))
    return f"{row.name}: {primary} is on call, {backup} is the backup{until}."


def _schedule(slug: str) -> Schedule | None:
    rows = Schedule.objects.filter(duty=False).order_by("pk")
    return (rows.filter(slug=slug) if slug else rows).first()


def _fill(line: Connection, group: str, row: Schedule, people: list[User], now: datetime) -> None:
    ids = sorted(slack_ids(people))
    posted = Delivery.objects.filter(connection=line, kind=kinds.ONCALL_GROUP, to=group)
    last = posted.exclude(state=Delivery.State.FAILED).order_by("-pk").first()
    before = list(last.facts.get("users", [])) if last else []
    if not ids:
        kept = last.facts.get("names", "") if last else "as it is"
        key = f"{line.pk}:{now:%Y%m%d}"
        subject = row.subject
        telling.tell("oncall_group_empty", key, subject, telling.managers([row]), page="rotations:oncall", kept=kept)
        return
    if ids == before:
        return
    names = ", ".join(user.name for user in people)
    outbox.post(
        [
            Post(
                key=f"oncall_group:{line.pk}:{group}:{now.isoformat()}",
                kind=kinds.ONCALL_GROUP,
                connection=line,
                vendor="slack",
                to=group,
                subject=_subject(line),
                recipient="@oncall",
                facts={"users": ids, "names": names, "ref": "", "thread": "", "token": ""},
            )
        ]
    )


def _look_again(line: Connection, at: datetime) -> None:
    planned = timers.Planned(f"{KEEP}:{line.pk}:{at.isoformat()}", KEEP, _subject(line), at, args={"line": line.pk})
    timers.replace(_subject(line), KEEP, [planned])


def _subject(line: Connection) -> str:
    return f"connection:{line.pk}"
