"""Holes in a rota that open within three days: whoever answers for it is paged, once a hole (§4.2).

What lies further ahead is in the proof, which tells the managers by mail. A hole counts only where an organization was
promised that somebody would be there then: a desk that is closed at night is not short of people.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import datetime, timedelta

from django.conf import settings
from django.db import transaction

from rotations import coverage, oncall, proving
from rotations.coverage import Action, Finding, Kind, Sweep
from rotations.models import GapPage, Schedule
from rotations.oncall import EMERGENCY, Directory, LivePeople
from rotations.proof import Claim
from supportdesk import actors, instants, links, readable
from supportdesk.accounts.reach import Attempt, Method
from supportdesk.audit import trail
from supportdesk.integrations.lines import Lines
from supportdesk.queue import outbox
from supportdesk.queue.models import Lane
from supportdesk.queue.outbox import Post

KIND = "coverage_gap"
SWEPT = coverage.GAP_BLOCKS_WITHIN  # further than a page is for: where a hole ends is a part of what it says
TIME_TO_ACT = timedelta(hours=12)  # a hole further off than this lets its manager sleep through their quiet hours


def sweep() -> list[GapPage]:
    """Page for every hole that opens soon and that nobody was paged for; forget those that are closed."""
    now = instants.now()
    rows = list(Schedule.objects.select_related("manager").order_by("pk"))
    holes = {
        row: [gap for gap in coverage.findings(made, now, now + SWEPT, Sweep(now)) if gap.kind is Kind.GAP]
        for row, made in zip(rows, oncall.schedules(rows), strict=True)
    }
    is_missed = _missed(now) if any(holes.values()) else lambda row, gap: False
    made = []
    for row, gaps in holes.items():
        made += _page_for(row, [gap for gap in gaps if is_missed(row, gap)], now)
    return made


def _missed(now: datetime) -> Callable[[Schedule, Finding], bool]:
    """Whether somebody was promised that this schedule has a primary at some time of a hole."""
    rules = proving.handed_out()
    schedules = {rule.policy_id: rule.policy.schedule_id for rule in rules}
    claims = proving.claimed(rules, now, now + SWEPT)

    def is_missed(row: Schedule, gap: Finding) -> bool:
        own = (claim for claim in claims if row.duty or schedules.get(claim.policy or 0) == row.pk)
        return any(_meets(claim, gap) for claim in own)

    return is_missed


def _meets(claim: Claim, gap: Finding) -> bool:
    return any(opens < gap.end and closes > gap.start for opens, closes in claim.windows)


def _page_for(row: Schedule, gaps: list[Finding], now: datetime) -> list[GapPage]:
    """Page for the holes of one schedule that are news; two sweeps at once do not meet."""
    with transaction.atomic():
        Schedule.objects.select_for_update(no_key=True).get(pk=row.pk)
        told = list(GapPage.objects.filter(schedule=row))
        closed = [page.pk for page in told if not any(page.overlaps(gap.start, gap.end) for gap in gaps)]
        GapPage.objects.filter(pk__in=closed).delete()
        news = [gap for gap in gaps if gap.action is Action.PAGE]
        news = [gap for gap in news if not any(page.covers(gap.start, _end(gap, now)) for page in told)]
        return _page(row, news, now) if news else []


def _end(gap: Finding, now: datetime) -> datetime | None:
    """Where a hole ends; None for one that goes on beyond what was swept."""
    return gap.end if gap.end < now + SWEPT else None


def _page(row: Schedule, gaps: list[Finding], now: datetime) -> list[GapPage]:
    """One page for all that is news, in the words of what opens first."""
    lines = Lines.load()
    people = LivePeople(row, Directory(lines))
    person = _whom(row, people, now)
    pages = [GapPage.objects.create(schedule=row, start=gap.start, end=_end(gap, now), paged_at=now) for gap in gaps]
    outbox.post(_posts(pages, person, people, lines, now))
    spans = [[page.start.isoformat(), page.end.isoformat() if page.end else None] for page in pages]
    trail.record(actors.desk("coverage"), "page_for_gap", row.subject, after={"person": person, "gaps": spans})
    return pages


def _whom(row: Schedule, people: LivePeople, now: datetime) -> str:
    """The schedule's manager, or whoever stands in for them, down to the emergency number."""
    manager = str(row.manager_id) if row.manager_id else ""
    if manager and not people.directory.why_not(manager):
        return manager
    return people.fallback(now) or EMERGENCY


def _posts(pages: list[GapPage], person: str, people: LivePeople, lines: Lines, now: datetime) -> list[Post]:
    """Every way of theirs once: there is nothing to acknowledge, so nothing is rung twice."""
    page = min(pages, key=lambda page: page.start)
    user = people.directory.user(person)
    zone = user.time_zone if user else "UTC"
    begins = _not_before(page, user.quiet_hours.end_of(now) if user and user.quiet_hours else None, now)
    said = {
        "schedule": page.schedule.name,
        "start_local": readable.moment(page.start, zone),
        "end_local": readable.moment(page.end, zone) if page.end else "",
        "others": len(pages) - 1,
        "reader": user.name if user else "",
        "url": links.absolute("rotations:calendar"),
        "button": "Open the calendar",
        **dict.fromkeys(("thread", "ref", "token"), ""),
    }
    return [
        Post(
            key=f"gap:{page.pk}:{number}",
            kind=KIND,
            connection=lines.line(attempt.method.kind),
            vendor=attempt.method.kind,
            to=attempt.method.address,
            subject=page.schedule.subject,
            recipient=user.name if user else "the emergency number",
            user_id=user.pk if user else None,
            facts=said,
            at=begins + attempt.after,
            lane=Lane.PAGE,
            urgent=True,
        )
        for number, attempt in enumerate(_ways(person, people))
    ]


def _not_before(page: GapPage, quiet_until: datetime | None, now: datetime) -> datetime:
    """Now, or the end of their quiet hours where there is time enough to act afterwards."""
    return quiet_until if quiet_until is not None and quiet_until + TIME_TO_ACT <= page.start else now


def _ways(person: str, people: LivePeople) -> Iterable[Attempt]:
    found = people.directory.responder(person)
    if found is None:
        number = settings.EMERGENCY_NUMBER
        return [Attempt(Method("phone", number), timedelta(0))] if number else []
    first: dict[Method, Attempt] = {}
    for attempt in found.attempts("P1"):
        first.setdefault(attempt.method, attempt)
    return first.values()
