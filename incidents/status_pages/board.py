"""What a page says, as plain values: the one source of every form of it. Only what is named here leaves the desk."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from django.db.models import Prefetch, QuerySet

from incidents.models import Component, ComponentState, Notice, NoticeUpdate, StatusPage
from incidents.status_pages import health
from incidents.status_pages.health import Change, Day, Part

HISTORY = timedelta(days=14)
OVERALL = {
    "major_outage": "Major outage",
    "partial_outage": "Partial outage",
    "degraded_performance": "Some services are slower than usual",
    "under_maintenance": "Maintenance is under way",
    "operational": "Everything is working",
}


@dataclass(frozen=True, slots=True)
class Update:
    """One entry of a notice."""

    state: str
    word: str
    text: str
    at: datetime


@dataclass(frozen=True, slots=True)
class Said:
    """One notice. `is_planned`: maintenance; its `ends_at` is planned until it is over."""

    pk: int
    title: str
    state: str
    word: str
    is_planned: bool
    is_over: bool
    starts_at: datetime
    ends_at: datetime | None
    components: tuple[str, ...]
    updates: tuple[Update, ...]


@dataclass(frozen=True, slots=True)
class Health:
    """One component as a reader sees it. `uptime` is a share, None where nothing is known yet."""

    pk: int
    name: str
    description: str
    group: str
    state: str
    word: str
    affected_by: tuple[str, ...]
    days: tuple[Day, ...]
    uptime: float | None

    @property
    def uptime_text(self) -> str:
        """Rounded down: what is not wholly up never reads 100 %."""
        return "" if self.uptime is None else f"{int(self.uptime * 10_000) / 100:g} %"


def summary(page: StatusPage, now: datetime) -> dict[str, Any]:
    """Everything the page says now."""
    components = healths(page, now)
    said = notices(page)
    overall = health.worst(each.state for each in components)
    groups: dict[str, list[Health]] = defaultdict(list)
    for each in components:
        groups[each.group].append(each)
    return {
        **_about(page),
        "now": now,
        "overall": overall,
        "headline": page.headline if page.headline and overall == health.OPERATIONAL else OVERALL[overall],
        "groups": sorted(groups.items()),
        "current": [n for n in said if not n.is_over and n.state != Notice.State.SCHEDULED],
        "planned": sorted((n for n in said if n.state == Notice.State.SCHEDULED), key=lambda n: n.starts_at),
        "past": [n for n in said if n.is_over and n.starts_at > now - HISTORY],
    }


def month(page: StatusPage, first: date, now: datetime) -> dict[str, Any]:
    """What was said of one month, oldest last, and the months beside it."""
    zone = ZoneInfo(page.time_zone)
    begins = datetime.combine(first, time(), zone)
    following = (first + timedelta(days=32)).replace(day=1)
    ends = datetime.combine(following, time(), zone)
    rows = posted(page).filter(starts_at__gte=begins, starts_at__lt=ends).exclude(state=Notice.State.SCHEDULED)
    earliest = _first_month(page, now)
    return {
        **_about(page),
        "now": now,
        "month": first,
        "notices": [_said(row) for row in rows],
        "before": (first - timedelta(days=1)).replace(day=1) if first > earliest else None,
        "after": following if following <= now.astimezone(zone).date() else None,
    }


def months(page: StatusPage, now: datetime) -> list[date]:
    """Every month there is something to read about, newest first."""
    first, found = _first_month(page, now), []
    each = now.astimezone(ZoneInfo(page.time_zone)).date().replace(day=1)
    while each >= first:
        found.append(each)
        each = (each - timedelta(days=1)).replace(day=1)
    return found


def _first_month(page: StatusPage, now: datetime) -> date:
    oldest = posted(page).order_by("starts_at").values_list("starts_at", flat=True).first()
    return min(oldest or now, now).astimezone(ZoneInfo(page.time_zone)).date().replace(day=1)


def _about(page: StatusPage) -> dict[str, Any]:
    return {
        "name": page.name,
        "slug": page.slug,
        "zone": page.time_zone,
        "is_public": page.is_public,
        "status_name": page.name,
    }


def posted(page: StatusPage) -> QuerySet[Notice]:
    """The page's notices that a person posted, newest first."""
    return Notice.objects.filter(page=page, is_posted=True).prefetch_related(
        "updates", Prefetch("components", Component.objects.filter(page=page, is_shown=True))
    )


def notices(page: StatusPage) -> list[Said]:
    """What was posted, newest first."""
    return [_said(row) for row in posted(page)[:200]]


def _said(row: Notice) -> Said:
    return Said(
        pk=row.pk,
        title=row.title,
        state=row.state,
        word=row.get_state_display(),
        is_planned=row.is_planned,
        is_over=row.is_over,
        starts_at=row.starts_at,
        ends_at=row.ends_at,
        components=tuple(each.name for each in row.components.all()),
        updates=tuple(_update(each) for each in row.updates.all()),
    )


def _update(row: NoticeUpdate) -> Update:
    return Update(row.state, row.get_state_display(), row.text, row.at)


def healths(page: StatusPage, now: datetime) -> list[Health]:
    """The page's components, in order. What they depend on elsewhere is not said."""
    rows = list(Component.objects.filter(page=page, is_shown=True).order_by("group", "position", "name"))
    names = {row.pk: row.name for row in rows}
    shown = health.shown(_parts(rows))
    changes, zone = _changes(rows), ZoneInfo(page.time_zone)
    length = timedelta(days=health.DAYS)
    return [
        Health(
            pk=row.pk,
            name=row.name,
            description=row.description,
            group=row.group,
            state=shown[row.pk].state,
            word=Component.State(shown[row.pk].state).label,
            affected_by=tuple(names[other] for other in shown[row.pk].affected_by),
            days=tuple(health.days(changes[row.pk], _since(row, changes[row.pk]), now, zone)),
            uptime=health.uptime(changes[row.pk], _since(row, changes[row.pk]), now, length),
        )
        for row in rows
    ]


def _since(row: Component, changes: list[Change]) -> datetime:
    """From when on something is known of it."""
    return min([row.created_at, *(change.at for change in changes[:1])])


def _parts(rows: list[Component]) -> dict[int, Part]:
    needs: dict[int, list[int]] = defaultdict(list)
    mine = {row.pk for row in rows}
    for link in Component.depends_on.through.objects.filter(from_component_id__in=mine, to_component_id__in=mine):
        needs[link.from_component_id].append(link.to_component_id)
    return {row.pk: Part(row.state, tuple(needs[row.pk]), row.follows) for row in rows}


def _changes(rows: list[Component]) -> dict[int, list[Change]]:
    found: dict[int, list[Change]] = defaultdict(list)
    for row in ComponentState.objects.filter(component__in=rows):
        found[row.component_id].append(Change(row.at, row.state))
    return found


def as_json(said: dict[str, Any]) -> dict[str, Any]:
    """The page for machines, from `summary`."""
    return {
        "page": {"name": said["name"], "slug": said["slug"]},
        "status": said["overall"],
        "headline": said["headline"],
        "as_of": said["now"].astimezone(UTC).isoformat(),
        "components": [_component(each) for _, components in said["groups"] for each in components],
        "notices": [_notice(each) for each in (*said["current"], *said["planned"], *said["past"])],
    }


def _component(each: Health) -> dict[str, Any]:
    return {
        "name": each.name,
        "group": each.group,
        "status": each.state,
        "affected_by": list(each.affected_by),
        "uptime_90_days": None if each.uptime is None else round(each.uptime, 5),
    }


def _notice(each: Said) -> dict[str, Any]:
    return {
        "title": each.title,
        "status": each.state,
        "is_maintenance": each.is_planned,
        "starts_at": each.starts_at.isoformat(),
        "ends_at": each.ends_at.isoformat() if each.ends_at else None,
        "components": list(each.components),
        "updates": [{"status": u.state, "text": u.text, "at": u.at.isoformat()} for u in each.updates],
    }
