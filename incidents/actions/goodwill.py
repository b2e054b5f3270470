"""Exceptions: a manager gives one incident more than its contract does, for a while, and says why (ENT-12)."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime

from django.db import transaction

from incidents import clockwork, escalating, facts, owed, sla, telling, timeline
from incidents.actions import engaging
from incidents.actions.entitling import retarget
from incidents.actions.entry import locked, require_open, words
from incidents.models import FollowUp, GoodwillGrant, Incident
from incidents.timeline import CUSTOMER, Fact
from incidents.war_room import following
from supportdesk import instants
from supportdesk.actors import Actor
from supportdesk.audit import trail
from supportdesk.entitlements import (
    GOODWILL_LONGEST,
    GOODWILL_REASON_LENGTH,
    GOODWILL_SCOPES,
    GOODWILL_SOFT_LIMIT,
    GOODWILL_SOFT_PERIOD,
    Engagement,
)
from supportdesk.errors import Invalid, NotAllowed, WrongState
from supportdesk.integrations.lines import Lines
from supportdesk.queue import timers

END_GOODWILL = "incidents.tasks.end_goodwill"
SCOPE_WORDS = {
    "page": "an engineer is called now",
    "24x7": "we work on it around the clock",
    "war_room": "it gets a war room",
    "phone": "you may use the emergency line",
}


def grant_goodwill(
    incident_id: int, *, actor: Actor, scope: Collection[str], reason: str, expires_at: datetime
) -> GoodwillGrant:
    """Grant an exception. It holds at once and never waits for a second opinion; that is asked for afterwards."""
    with transaction.atomic():
        incident = locked(incident_id, actor, "grant_goodwill")
        require_open(incident, "an exception")
        now = instants.now()
        why = _check(incident, actor, scope, reason, expires_at, now)
        before = _already(incident, scope, why, expires_at, now)
        if before is not None:
            return before
        grant = GoodwillGrant.objects.create(
            incident=incident,
            scope=[what for what in GOODWILL_SCOPES if what in scope],
            reason=why,
            granted_by_id=actor.user_id,
            granted_at=now,
            expires_at=expires_at,
        )
        _record(incident, actor, grant)
        retarget(incident, now)
        _act(incident, actor)
        arm_expiry(grant)
        _ask_for_second(incident, actor)
    return grant


def _check(
    incident: Incident, actor: Actor, scope: Collection[str], reason: str, expires_at: datetime, now: datetime
) -> str:
    if incident.organization is None:
        raise WrongState("This is our own platform: it is worked around the clock and needs no exception.")
    if actor.user_id is None:
        raise NotAllowed("An exception needs the name of the manager who grants it.")
    if not scope or not set(scope) <= set(GOODWILL_SCOPES):
        raise Invalid(f"Choose from {', '.join(GOODWILL_SCOPES)}.", field="scope")
    why = words(reason, "reason", longest=2_000)
    if len(why) < GOODWILL_REASON_LENGTH:
        raise Invalid(f"Say why in at least {GOODWILL_REASON_LENGTH} characters.", field="reason")
    if not now < expires_at <= now + GOODWILL_LONGEST:
        raise Invalid("An exception ends within 24 hours from now.", field="expires_at")
    return why


def _already(
    incident: Incident, scope: Collection[str], reason: str, expires_at: datetime, now: datetime
) -> GoodwillGrant | None:
    """The same press a second time: a grant that still holds, covers all of this, for the same reason or longer."""
    for grant in GoodwillGrant.objects.filter(incident=incident, expires_at__gt=now):
        if set(scope) <= set(grant.scope) and (grant.reason == reason or grant.expires_at >= expires_at):
            return grant
    return None


def _record(incident: Incident, actor: Actor, grant: GoodwillGrant) -> None:
    until = facts.moment(grant.expires_at, incident.zone)
    scope_words = ", ".join(SCOPE_WORDS[what] for what in grant.scope)
    data = {"grant": grant.pk, "scope": grant.scope, "expires_at": grant.expires_at.isoformat()}
    timeline.record(
        incident,
        actor,
        Fact("goodwill", f"As an exception until {until}: {scope_words}.", CUSTOMER, data=data),
        Fact("goodwill_reason", grant.reason, data=data),
    )
    trail.record(actor, "grant_goodwill", incident.subject, after=data, reason=grant.reason)
    telling.tell(incident, "goodwill", str(grant.pk), who=actor.name, scope_words=scope_words, until_local=until)


def _act(incident: Incident, actor: Actor) -> None:
    """Do what the exception allows: page, work it now, open a war room."""
    now = instants.now()
    decision = owed.decide(incident, now)
    was_worked = incident.engagement == Engagement.NOW
    entry = engaging.adopt(incident, decision, is_worked=was_worked)
    incident.save(update_fields=engaging.FIELDS)
    timeline.record(incident, actor, entry)
    engaging.wait_for_opening(incident)
    if decision.pages and not incident.is_acknowledged:
        lines = Lines.load()
        escalating.start(incident, lines)
        said = engaging.promise(incident, decision)
        telling.tell(incident, "declared", f"declared:{incident.generation}", lines, **said)
    following.follow(incident)


def arm_expiry(grant: GoodwillGrant) -> None:
    """When a grant ends, its incident has to be looked at."""
    key = f"goodwill:{grant.pk}:{grant.incident.generation}"
    planned = timers.Planned(
        key,
        END_GOODWILL,
        grant.incident.subject,
        grant.expires_at,
        generation=grant.incident.generation,
        args={"grant": grant.pk},
    )
    timers.arm([planned])


def arm_expiries(incident: Incident) -> None:
    """The same for all grants of an incident whose timers were stopped and that goes on; what ended meanwhile ends."""
    for grant in GoodwillGrant.objects.filter(incident=incident):
        if not _has_ended(incident, grant):
            grant.incident = incident
            arm_expiry(grant)


def end_goodwill(grant_id: int, *, actor: Actor) -> Incident:
    """A grant has run out: the contract holds again. Whoever has the incident keeps it; nobody is woken any more."""
    with transaction.atomic():
        grant = GoodwillGrant.objects.get(pk=grant_id)
        incident = locked(grant.incident_id, actor, "grant_goodwill")
        now = instants.now()
        is_over = incident.is_resolved or not incident.is_open
        if is_over or now < grant.expires_at or _has_ended(incident, grant):
            return incident
        retarget(incident, _ended_at(incident, grant), sla.EventKind.GOODWILL_ENDED)
        decision = owed.decide(incident, now)
        was_worked = incident.engagement == Engagement.NOW
        stays = incident.is_acknowledged or decision.pages or decision.engagement is Engagement.NOW
        entry = engaging.adopt(incident, decision, is_worked=was_worked and stays)
        incident.save(update_fields=engaging.FIELDS)
        text = "The exception has ended: the contract applies again."
        timeline.record(incident, actor, Fact("goodwill_ended", text, CUSTOMER, data={"grant": grant.pk}), entry)
        if not decision.pages:
            engaging.stand_down(incident, actor, decision, why="the exception has ended")
        telling.tell(incident, "goodwill_ended", str(grant.pk), **engaging.promise(incident, decision))
    return incident


def _has_ended(incident: Incident, grant: GoodwillGrant) -> bool:
    return incident.timeline.filter(kind="goodwill_ended", data__grant=grant.pk).exists()


def _ended_at(incident: Incident, grant: GoodwillGrant) -> datetime:
    return max(grant.expires_at, clockwork.latest_event_at(incident) or grant.expires_at)


def _ask_for_second(incident: Incident, actor: Actor) -> None:
    """Beyond the soft limit a second manager's name is wanted, afterwards: at three in the morning nothing blocks."""
    recent = GoodwillGrant.objects.filter(
        incident__organization=incident.organization_id, granted_at__gt=instants.now() - GOODWILL_SOFT_PERIOD
    )
    count = recent.count()
    if count <= GOODWILL_SOFT_LIMIT:
        return
    FollowUp.objects.create(
        key=f"goodwill:{incident.pk}:{count}",
        kind=FollowUp.Kind.GOODWILL,
        incident=incident,
        text=f"Exception {count} for {incident.organization} in twelve months: a second manager's name is wanted.",
        not_by_id=actor.user_id,
        created_at=instants.now(),
    )
    telling.tell(incident, "second_manager", str(count), count=count, who=actor.name)
