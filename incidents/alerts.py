"""Machine signals into alerts, and alerts into incidents (MON-1 … MON-4, MON-10, MON-11)."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from django.db import transaction
from django.db.models import F

from incidents import timeline
from incidents.actions import Report, report
from incidents.models import Alert, Incident
from incidents.models.incident import Source
from incidents.timeline import Fact
from supportdesk import actors, instants
from supportdesk.actors import Actor
from supportdesk.integrations.models import Connection
from supportdesk.organizations.models import Organization, Service

# MON-10: a machine cannot know business impact, so none of these is a P1.
SEVERITIES = {"critical": "P2", "error": "P3", "warning": "P4"}
# The nearest impact and urgency, for lists that show them.
WEIGHTS = {"P1": (1, 1), "P2": (1, 2), "P3": (2, 2), "P4": (3, 3)}
JOIN_WITHIN = timedelta(minutes=5)
JOIN_INCIDENTS_YOUNGER_THAN = timedelta(hours=2)


def take(connection: Connection, signal: Mapping[str, Any]) -> Incident | None:
    """Apply one signal. Returns the incident it belongs to, None where it opened none (information, a late or lone
    resolve)."""
    with transaction.atomic():
        at, now = _instant(signal["at"]), instants.now()
        latest = (
            Alert.objects.select_for_update()
            .filter(connection=connection, dedup_key=signal["dedup_key"])
            .order_by("-last_at", "-pk")
            .first()
        )
        if latest is not None and at < latest.event_at:
            return latest.incident  # older than what we know: logged by the vendor, not applied (MON-4)
        if signal["status"] == "resolved":
            return _end(latest, at, now, connection)
        if latest is not None and latest.status == Alert.Status.FIRING:
            Alert.objects.filter(pk=latest.pk).update(count=F("count") + 1, last_at=now, event_at=at)
            return latest.incident
        return _begin(connection, signal, latest, at, now)


def _begin(
    connection: Connection, signal: Mapping[str, Any], previous: Alert | None, at: datetime, now: datetime
) -> Incident | None:
    organization, service = _about(connection, signal)
    severity = SEVERITIES.get(signal["severity"])
    alert = Alert.objects.create(
        connection=connection,
        dedup_key=signal["dedup_key"],
        status=Alert.Status.FIRING,
        severity=signal["severity"],
        title=signal["title"][:200],
        organization=organization,
        service=service,
        previous=previous,
        signal=dict(signal),
        first_at=now,
        last_at=now,
        event_at=at,
    )
    if severity is None:
        return None  # information is kept, nothing more
    incident = _joinable(organization, service, now)
    actor = actors.machine(connection.name, "monitor", organization.pk if organization else None)
    if incident is None:
        incident = _open(alert, severity, actor)
    else:
        timeline.record(incident, actor, Fact("alert_joined", alert.title, data={"alert": alert.pk}))
    Alert.objects.filter(pk=alert.pk).update(incident=incident)
    return incident


def _about(connection: Connection, signal: Mapping[str, Any]) -> tuple[Organization | None, Service | None]:
    """Whom and what it concerns. A connection that belongs to an organization speaks for that one only."""
    organization = (
        connection.organization or Organization.objects.filter(slug=signal.get("organization") or "-").first()
    )
    service = Service.objects.filter(slug=signal.get("service") or "-").first() or connection.service
    if service is not None and service.organization_id is not None:
        if organization is None:
            organization = service.organization
        elif service.organization_id != organization.pk:
            service = None
    return organization, service


def _joinable(organization: Organization | None, service: Service | None, now: datetime) -> Incident | None:
    """MON-3: the same service within five minutes of the incident's last alert. Never another customer's."""
    if service is None:
        return None
    return (
        Incident.objects.open()
        .select_for_update(of=("self",))
        .filter(
            service=service,
            organization=organization,
            received_at__gt=now - JOIN_INCIDENTS_YOUNGER_THAN,
            alerts__last_at__gt=now - JOIN_WITHIN,
            resolved_at=None,
        )
        .order_by("-received_at")
        .first()
    )


def _open(alert: Alert, severity: str, actor: Actor) -> Incident:
    impact, urgency = WEIGHTS[severity]
    said = Report(
        title=alert.title,
        description=alert.signal.get("description", ""),
        source=Source.MONITOR,
        impact=impact,
        urgency=urgency,
        severity=severity,
        organization=alert.organization,
        service=alert.service,
        detected_at=alert.event_at,
        data={"alert": alert.pk, "url": alert.signal.get("url", "")},
    )
    return report(said, actor=actor)


def _end(alert: Alert | None, at: datetime, now: datetime, connection: Connection) -> Incident | None:
    """A resolve without a trigger is ignored (MON-4)."""
    if alert is None or alert.status == Alert.Status.RESOLVED:
        return None
    Alert.objects.filter(pk=alert.pk).update(status=Alert.Status.RESOLVED, resolved_at=now, last_at=now, event_at=at)
    incident = alert.incident
    if incident is not None and incident.is_open:
        actor = actors.machine(connection.name, "monitor")
        left = incident.alerts.filter(status=Alert.Status.FIRING).count()
        text = f"{alert.title}: back to normal." + (
            f" {left} still firing." if left else " No alert is firing any more."
        )
        timeline.record(incident, actor, Fact("alert_resolved", text, data={"alert": alert.pk}))
    return incident


def _instant(text: str) -> datetime:
    return datetime.fromisoformat(text).astimezone(UTC)
