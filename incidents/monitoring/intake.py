"""Machine signals into alerts, and alerts into incidents (MON-1 … MON-11)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from django.db import transaction
from django.db.models import F

from incidents import actions, timeline
from incidents.actions.finishing import REOPEN_WINDOW
from incidents.models import Alert, AlertRule, Incident
from incidents.models.incident import Source
from incidents.monitoring import corroboration, joining, locks, maintenance, recovery, rules
from incidents.states import Status
from incidents.timeline import Fact
from supportdesk import actors, instants
from supportdesk.integrations.models import Connection
from supportdesk.organizations.models import Organization, Service

SOONEST_FUTURE = timedelta(minutes=5)  # a sender's clock may be wrong; what it says of tomorrow must not block today
_SOURCES: dict[str, Source] = {
    Alert.Origin.MONITOR: Source.MONITOR,
    Alert.Origin.HEARTBEAT: Source.HEARTBEAT,
    Alert.Origin.ANOMALY: Source.ANOMALY,
}


@dataclass(frozen=True, slots=True)
class Sender:
    """Who says so: a connection, or the desk itself."""

    name: str
    connection: Connection | None = None
    origin: str = Alert.Origin.MONITOR

    @classmethod
    def over(cls, connection: Connection) -> Sender:
        return cls(connection.name, connection)

    @property
    def key(self) -> str:
        return f"connection:{self.connection.pk}" if self.connection else str(self.origin)


@dataclass(frozen=True, slots=True)
class Taken:
    """What became of one signal, for whoever asks."""

    alert: Alert | None
    words: str


def take(sender: Sender, signal: Mapping[str, Any]) -> Taken:
    """Apply one signal: the alert is kept whatever comes of it."""
    with transaction.atomic():
        return _Signal(sender, signal, instants.now()).apply()


def preview(sender: Sender, signal: Mapping[str, Any]) -> Taken:
    """What `take` would do, done and taken back: the truth about the rules as they stand, and no trace of it."""
    with transaction.atomic():
        taken = _Signal(sender, signal, instants.now()).apply()
        transaction.set_rollback(True)
    return taken


class _Signal:
    """One signal on its way to an alert and an incident."""

    def __init__(self, sender: Sender, signal: Mapping[str, Any], now: datetime) -> None:
        self.sender, self.signal, self.now = sender, signal, now
        self.at = min(datetime.fromisoformat(signal["at"]).astimezone(UTC), now + SOONEST_FUTURE)
        self.key = rules.dedup_key(
            signal["dedup_key"],
            source=sender.key,
            service=signal.get("service", ""),
            component=signal.get("component", ""),
            check=signal.get("check", ""),
        )

    def apply(self) -> Taken:
        locks.hold(f"alert:{self.sender.key}:{self.key}")
        latest = self._latest()
        if latest is not None and rules.is_late(self.at, latest.event_at):
            return Taken(latest, "Older than what is known of it: logged, not applied.")
        if self.signal["status"] == "resolved":
            return self._end(latest)
        if latest is not None and latest.is_firing:
            return self._repeat(latest)
        if latest is not None and self._is_same_again(latest):
            return self._fire_again(latest)
        return self._begin(latest)

    def _latest(self) -> Alert | None:
        """The alert alone: nearly every signal is one said again, and needs no more of it."""
        return (
            Alert.objects.select_for_update()
            .filter(connection=self.sender.connection, dedup_key=self.key)
            .order_by("-last_at", "-pk")
            .first()
        )

    def _is_same_again(self, latest: Alert) -> bool:
        """MON-2. What a person cancelled as a false alarm stays cancelled: it begins anew."""
        if not latest.count or not rules.reopens(latest.resolved_at, self.now):
            return False
        return latest.incident is None or latest.incident.status not in (Status.CANCELLED, Status.MERGED)

    # --- firing ------------------------------------------------------------------------------------------------------

    def _repeat(self, alert: Alert) -> Taken:
        """MON-1: said again is counted, and pages nobody again, unless it says something worse."""
        changed: dict[str, Any] = {"count": F("count") + 1, "last_at": self.now, "event_at": self.at}
        is_worse = rules.SEVERITIES.get(self.signal["severity"], "P9") < rules.SEVERITIES.get(alert.severity, "P9")
        if is_worse:
            changed |= {"severity": self.signal["severity"], "signal": dict(self.signal)}
        Alert.objects.filter(pk=alert.pk).update(**changed)
        if not is_worse or alert.suppressed_until is not None:
            return Taken(alert, "Known already: counted again.")
        alert.severity, alert.signal = self.signal["severity"], dict(self.signal)
        return self._belong(alert)

    def _fire_again(self, alert: Alert) -> Taken:
        """MON-2: within a quarter of an hour it is the same alert, and the same incident."""
        alert.status, alert.resolved_at = Alert.Status.FIRING, None
        alert.count += 1
        alert.last_at, alert.event_at = self.now, self.at
        alert.severity, alert.signal = self.signal["severity"], dict(self.signal)
        is_flapping = recovery.note_change(alert, self.now)
        alert.suppressed_until = None if is_flapping else maintenance.quiet_until(seen_of(alert), self.now)
        alert.save()
        if is_flapping:
            return Taken(alert, f"Flapping: {alert.count} times now. It pages nobody again.")
        return self._belong(alert)

    def _begin(self, previous: Alert | None) -> Taken:
        organization, service = self._about()
        alert = Alert(
            connection=self.sender.connection,
            origin=self.sender.origin,
            dedup_key=self.key,
            status=Alert.Status.FIRING,
            severity=self.signal["severity"],
            title=self.signal["title"][:200],
            organization=organization,
            service=service,
            group=str(self.signal.get("group") or "")[:200],
            previous=previous,
            signal=dict(self.signal),
            changes=list(previous.changes) if previous else [],
            first_at=self.now,
            last_at=self.now,
            event_at=self.at,
        )
        recovery.note_change(alert, self.now)
        alert.suppressed_until = maintenance.quiet_until(seen_of(alert), self.now)
        alert.save()
        if alert.flapping_since is not None:
            recovery.watch(alert, self.now)
        return self._belong(alert)

    def _belong(self, alert: Alert) -> Taken:
        """Find the alert its incident, unless maintenance holds it back or it is only information."""
        if alert.suppressed_until is not None:
            maintenance.release_at(alert.suppressed_until)
            return Taken(alert, "Maintenance: kept, and nobody is paged while it lasts.")
        return Taken(alert, belong(alert, self.now))

    def _about(self) -> tuple[Organization | None, Service | None]:
        """Whom and what it concerns (MON-11). A connection that belongs to an organization speaks for that one only."""
        own = self.sender.connection.organization if self.sender.connection else None
        named = self.signal.get("organization") or ""
        organization = own or (Organization.objects.filter(slug=named).first() if named else None)
        slug = self.signal.get("service") or ""
        service = Service.objects.select_related("organization").filter(slug=slug).first() if slug else None
        if service is None and self.sender.connection is not None:
            service = self.sender.connection.service
        if service is not None and service.organization_id is not None:
            if organization is None:
                organization = service.organization
            elif service.organization_id != organization.pk:
                service = None
        return organization, service

    # --- over --------------------------------------------------------------------------------------------------------

    def _end(self, alert: Alert | None) -> Taken:
        if alert is None:
            return Taken(self._remember(), "Resolved without ever having fired: remembered, nothing done.")
        if not alert.is_firing:
            Alert.objects.filter(pk=alert.pk).update(last_at=self.now, event_at=self.at)
            return Taken(alert, "Resolved already.")
        alert.status, alert.resolved_at, alert.suppressed_until = Alert.Status.RESOLVED, self.now, None
        alert.last_at, alert.event_at = self.now, self.at
        is_flapping = recovery.note_change(alert, self.now)
        alert.save()
        if is_flapping:
            return Taken(alert, "Flapping: the incident stays open until it has been calm.")
        if alert.incident is not None:
            recovery.alert_over(alert, alert.incident, self.now, actor_for(alert))
        return Taken(alert, "Back to normal.")

    def _remember(self) -> Alert:
        """A resolve that overtook its trigger: when the trigger comes it is older, and changes nothing (MON-4)."""
        return Alert.objects.create(
            connection=self.sender.connection,
            origin=self.sender.origin,
            dedup_key=self.key,
            status=Alert.Status.RESOLVED,
            severity=self.signal["severity"],
            title=self.signal["title"][:200],
            signal=dict(self.signal),
            count=0,
            first_at=self.now,
            last_at=self.now,
            event_at=self.at,
            resolved_at=self.now,
        )


def belong(alert: Alert, now: datetime) -> str:
    """Give a firing alert its incident: the one it has, one it may join, or a new one. Saves the link, and says what
    became of it."""
    severity = rules.severity_of(alert.severity, seen_of(alert), _explicit())
    if severity is None:
        return "Information: kept, and it opens no incident."
    current = _current(alert.incident)
    if current is not None:
        return _again(alert, current, severity)
    incident, words = joining.place(alert, severity, now, actor=actor_for(alert), source=_SOURCES[alert.origin])
    alert.incident = incident
    Alert.objects.filter(pk=alert.pk).update(incident=incident)
    joining.weigh(alert, incident, severity)
    corroboration.by_alert(alert, incident, now)
    return words


def _current(incident: Incident | None) -> Incident | None:
    """The incident that can still be worked on: the one it was merged into, none where it was cancelled or is too old
    to be opened again."""
    if incident is not None and incident.status == Status.MERGED:
        incident = incident.merged_into
    if incident is None or incident.status in (Status.CANCELLED, Status.MERGED, Status.CLOSED):
        return None
    is_old = incident.resolved_at is not None and instants.now() - incident.resolved_at > REOPEN_WINDOW
    return None if incident.is_resolved and is_old else incident


def _again(alert: Alert, incident: Incident, severity: str) -> str:
    """The alert has an incident: an open one goes on, one that was resolved is opened again (SLA-9)."""
    if incident.is_resolved:
        actions.reopen(incident.pk, actor=actors.desk("monitor"), reason=f"{alert.title}: it fires again.")
        incident.refresh_from_db()
        joining.weigh(alert, incident, severity)
        return f"{incident.ref} is open again."
    timeline.record(
        incident, actor_for(alert), Fact("alert_again", f"{alert.title} fires again.", data={"alert": alert.pk})
    )
    joining.weigh(alert, incident, severity)
    return f"Fires again on {incident.ref}."


def _explicit() -> list[tuple[rules.Condition, str]]:
    enabled = AlertRule.objects.filter(is_enabled=True).select_related("organization").prefetch_related("services")
    return [(rule.matching, rule.severity) for rule in enabled]


def seen_of(alert: Alert) -> rules.Seen:
    """An alert as conditions read it."""
    return rules.Seen(
        service=alert.service.slug if alert.service else "",
        component=str(alert.signal.get("component", "")),
        check=str(alert.signal.get("check", "")),
        organization=alert.organization.slug if alert.organization else "",
        source=alert.source,
        labels=alert.signal.get("labels") or {},
    )


def actor_for(alert: Alert) -> actors.Actor:
    """The monitor, as the timeline names it."""
    name = alert.connection.name if alert.connection else _OWN_NAMES[alert.origin]
    return actors.machine(name, alert.origin, alert.organization_id)


_OWN_NAMES: dict[str, str] = {
    Alert.Origin.MONITOR: "Monitoring",
    Alert.Origin.HEARTBEAT: "Heartbeats",
    Alert.Origin.ANOMALY: "Anomaly detection",
}
