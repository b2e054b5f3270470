"""Fire drills: a synthetic emergency through the real path, from the report to a key on somebody's phone.

It belongs to a hidden organization and is marked as a drill in every text. It starts no clock, tells no customer and
counts in no figure. Whoever has answered one lately has proved that the desk can wake them.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from django.db import transaction
from django.db.models import Max, QuerySet

from incidents import actions
from incidents.actions.entry import locked
from incidents.models import Incident, Page
from incidents.models.incident import Impact, Source, Urgency
from incidents.states import Status
from rotations import oncall
from rotations.models import Schedule
from rotations.proof.links import DRILL_HOLDS
from supportdesk import actors, instants, zones
from supportdesk.accounts.models import User
from supportdesk.actors import Actor, Role
from supportdesk.errors import Invalid, NotAllowed
from supportdesk.organizations import catalogue
from supportdesk.organizations.models import Contract, Organization
from supportdesk.queue import timers
from supportdesk.queue.models import Delivery

END = "incidents.tasks.end_drill"
PLAN = "incidents.tasks.plan_drill"
SUBJECT = "drill"
HOLDS = DRILL_HOLDS  # so long a passed drill proves something
ONE_PERSON = timedelta(minutes=4, seconds=30)  # before the escalation would go to the fallback manager
WHOLE_CHAIN = timedelta(minutes=15)
LOOK_EVERY = timedelta(hours=1)
BY_DAY = range(10, 16)  # the hours of a person's own day in which planned drills ring
# Doors a page opens; pressing a button in the console proves nothing about a phone.
_WIRES = {"email": "e-mail", "sms": "text message", "phone": "phone call", "slack": "Slack", "pagerduty": "PagerDuty"}
_ANSWERED = {"sms": "text", "slack": "Slack", "link": "the link", "pagerduty": "PagerDuty"}
PROVING = ("phone", "sms", "slack", "link", "pagerduty")


@dataclass(frozen=True, slots=True)
class Hop:
    """One stretch of the way: what happened, how long after the report, and how long it took by itself."""

    what: str
    after: float
    took: float
    is_well: bool = True


@transaction.atomic
def start(*, actor: Actor, person: User | None = None) -> Incident:
    """Begin a drill: for one person, or for whoever is on call, with everybody who stands behind them."""
    if not (actor.is_staff or actor.kind is actors.Kind.DESK):
        raise NotAllowed("Drills are held by the desk's own people.")
    if person is not None and (not person.is_active or not person.works_here):
        raise Invalid("Only somebody who works here can be drilled.", field="person")
    if Incident.objects.filter(is_drill=True).exclude(status=Status.CANCELLED).exists():
        raise Invalid("A drill is running. Wait until it is over; that takes a quarter of an hour at most.")
    said = actions.Report(
        title="Fire drill. Nothing has happened",
        description="This is a drill. Acknowledge it as you would a real emergency, by the way that woke you.",
        source=Source.STAFF,
        impact=Impact.WIDESPREAD,
        urgency=Urgency.CRITICAL,
        severity="P1",
        organization=hidden_organization(),
        is_drill=True,
        drill_for=person.pk if person else None,
    )
    incident = actions.report(said, actor=actor)
    ends = incident.received_at + (ONE_PERSON if person else WHOLE_CHAIN)
    timers.arm([timers.Planned(f"drill:{incident.pk}:late", END, incident.subject, ends, incident.generation)])
    return incident


def hidden_organization() -> Organization:
    """Whose emergency a drill is: nobody's. On plan M, so that the whole chain answers."""
    made, is_new = Organization.objects.get_or_create(
        slug="fire-drill", defaults={"name": "Fire drill", "time_zone": "UTC", "is_hidden": True}
    )
    if is_new or not made.contracts.exists():
        versions = catalogue.install()
        begins = (instants.now() - timedelta(days=1)).date()
        Contract.objects.create(organization=made, plan_version=versions["M"], valid_from=begins)
    return made


def end(incident_id: int) -> None:
    """Whatever has come of it, the drill is over: nothing rings any more."""
    actor = replace(actors.desk("drill"), role=Role.MANAGER)
    with transaction.atomic():
        incident = locked(incident_id, actor, "cancel")
        if not incident.is_drill or incident.status == Status.CANCELLED:
            return
        answered = answers(incident)
        page = answered.first()
        words = "The drill is over: nobody answered."
        if page is not None and page.ended_at is not None:
            seconds = (page.ended_at - incident.received_at).total_seconds()
            words = f"The drill is over: {page.recipient} answered by {page.acknowledged_via} after {seconds:.0f} s."
        actions.cancel(incident_id, actor=actor, reason=words)


def answers(incident: Incident) -> QuerySet[Page]:
    """The pages of a drill somebody answered by the way they came."""
    return Page.objects.filter(
        incident=incident, state=Page.State.ACKNOWLEDGED, acknowledged_via__in=PROVING, user__isnull=False
    ).order_by("ended_at")


def last_passed() -> dict[str, datetime] | None:
    """When everybody last passed a drill, by the id the schedules know them by; None where no drill was ever held."""
    if not Incident.objects.filter(is_drill=True).exists():
        return None
    rows = (
        Page.objects.filter(
            incident__is_drill=True,
            state=Page.State.ACKNOWLEDGED,
            acknowledged_via__in=PROVING,
            user__isnull=False,
            ended_at__isnull=False,
        )
        .values_list("user_id")
        .annotate(last=Max("ended_at"))
    )
    return {str(user): last for user, last in rows}


def hops(incident: Incident) -> list[Hop]:
    """The way of a drill, stretch by stretch, in seconds."""
    begun = incident.received_at
    found: list[tuple[datetime, str, datetime, bool]] = []
    for page in incident.pages.select_related("user"):
        found.append((page.created_at, f"{page.recipient} is to be paged", page.planned_at, True))
        for row in Delivery.objects.filter(key__startswith=page.key_prefix).order_by("planned_at", "pk"):
            found += _of_delivery(page.recipient, row)
        if page.ended_at and page.state == Page.State.ACKNOWLEDGED:
            via = page.acknowledged_via
            by = f"{page.recipient} answers by {_ANSWERED.get(via, via) or 'the console'}"
            found.append((page.ended_at, by, _last_sent(page), page.acknowledged_via in PROVING))
    found.sort(key=lambda one: one[0])
    return [
        Hop(what, max((at - begun).total_seconds(), 0.0), max((at - since).total_seconds(), 0.0), is_well)
        for at, what, since, is_well in found
    ]


def _of_delivery(recipient: str, row: Delivery) -> list[tuple[datetime, str, datetime, bool]]:
    found = []
    way = f"{_WIRES.get(row.vendor, row.vendor)} to {recipient}"
    if row.handed_at and row.sent_at:
        found.append((row.handed_at, f"{way}: taken up", row.planned_at, True))
    if row.sent_at:
        found.append((row.sent_at, f"{way}: accepted by the vendor", row.handed_at or row.planned_at, True))
    if row.settled_at and row.sent_at and row.settled_at > row.sent_at:
        is_well = row.state == Delivery.State.CONFIRMED
        found.append((row.settled_at, f"{way}: {row.get_state_display()}", row.sent_at, is_well))
    if row.state == Delivery.State.FAILED and row.sent_at is None and row.settled_at:
        found.append((row.settled_at, f"{way}: {row.error[:80]}", row.planned_at, False))
    return found


def _last_sent(page: Page) -> datetime:
    sent = Delivery.objects.filter(key__startswith=page.key_prefix, sent_at__isnull=False)
    return sent.aggregate(last=Max("sent_at"))["last"] or page.created_at


# --- planned drills --------------------------------------------------------------------------------------------------


def plan(every_days: int | None) -> str:
    """Drill whoever is on call and has not passed for so many days, by day; None ends that. Returns words."""
    timers.cancel(SUBJECT, run=PLAN)
    if every_days is None:
        return "No drills are planned any more."
    if not 1 <= every_days <= 90:
        raise Invalid("Drills are held every 1 to 90 days.", field="every_days")
    _arm(instants.now(), every_days)
    return f"Whoever is on call and has not passed a drill for {every_days} days gets one, between 10:00 and 16:00."


def _arm(at: datetime, every_days: int) -> None:
    key = f"drill-plan:{every_days}:{at.isoformat()}"
    timers.arm([timers.Planned(key, PLAN, SUBJECT, at, args={"every_days": every_days})])


def carry_on(every_days: int, planned_at: datetime) -> None:
    """Look who is due, drill one of them, and look again in an hour; after an outage once, not for every hour."""
    now = instants.now()
    person = whose_turn(every_days, now)
    is_running = Incident.objects.filter(is_drill=True, received_at__gt=now - timedelta(hours=20)).exists()
    if person is not None and not is_running:
        start(actor=actors.desk("drill"), person=person)
    _arm(max(planned_at, now) + LOOK_EVERY, every_days)


def whose_turn(every_days: int, now: datetime) -> User | None:
    """Who of those on call now has waited longest, where it is day for them and they are due."""
    passed, never = last_passed() or {}, datetime.min.replace(tzinfo=now.tzinfo)
    by_wait = sorted(on_call_now(now), key=lambda user: passed.get(str(user.pk), never))
    for user in by_wait:
        if _is_day(user, now) and now - passed.get(str(user.pk), never) > timedelta(days=every_days):
            return user
    return None


def _is_day(user: User, now: datetime) -> bool:
    wall = zones.local(now, user.time_zone)
    return wall.hour in BY_DAY and wall.weekday() < 5


def on_call_now(now: datetime) -> list[User]:
    """Whoever holds a slot of any schedule."""
    people: list[str] = []
    for row in Schedule.objects.order_by("pk"):
        who = oncall.now_on_call(row, now)
        people += [person for person in (who.primary, who.backup) if person and person.isdigit()]
    users = {str(user.pk): user for user in User.objects.filter(pk__in=[int(p) for p in people], is_active=True)}
    return [users[person] for person in dict.fromkeys(people) if person in users]


def board(now: datetime) -> dict[str, Any]:
    """What the page shows: who has proved it and who has not, and the last drills with their hops."""
    passed = last_passed() or {}
    staff = User.objects.exclude(role=Role.CUSTOMER).filter(is_active=True).order_by("name")
    on_call = {user.pk for user in on_call_now(now)}
    rows = Incident.objects.filter(is_drill=True).order_by("-received_at")[:10]
    return {
        "people": [
            {
                "user": user,
                "passed": passed.get(str(user.pk)),
                "is_fresh": str(user.pk) in passed and now - passed[str(user.pk)] <= HOLDS,
                "is_on_call": user.pk in on_call,
            }
            for user in staff
        ],
        "drills": [{"incident": row, "hops": hops(row), "answer": answers(row).first()} for row in rows],
        "running": any(row.status != Status.CANCELLED for row in rows),
    }
