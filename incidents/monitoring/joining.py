"""Which incident an alert belongs to: one that is about the same thing, or a new one (MON-3, MON-9, MON-10)."""

from __future__ import annotations

from datetime import datetime

from django.db.models import Max, Q

from incidents import actions, timeline
from incidents.actions import Report
from incidents.models import Alert, Incident
from incidents.monitoring import locks, rules, storms
from incidents.monitoring.rules import Candidate
from incidents.states import Status
from incidents.timeline import Fact
from supportdesk import actors
from supportdesk.actors import Actor

# What an alert may join: not resolved, and not over.
LIVE = (
    Status.NEW,
    Status.TRIAGING,
    Status.INVESTIGATING,
    Status.IDENTIFIED,
    Status.MITIGATING,
    Status.MONITORING,
)
CORROBORATED = "Two independent monitors report a critical failure of a tier-1 service."


def place(alert: Alert, severity: str, now: datetime, *, actor: Actor, source: str) -> tuple[Incident, str]:
    """The incident for an alert that has none yet, and what to say about it."""
    locks.hold(f"alerts of:{alert.organization_id}:{alert.service_id}")
    storm, has_begun = storms.note(alert, now)
    pk = _in_storm(alert, storm.started_at) if storm else _joinable(alert, now)
    if pk is None:
        incident = _open(alert, severity, actor, source)
        words = f"Opened {incident.ref}, {severity}."
    else:
        incident = Incident.objects.lock(pk)
        words = f"Joined {incident.ref}."
        if storm is None:
            said = Fact("alert_joined", alert.title, data={"alert": alert.pk, "severity": severity})
            timeline.record(incident, actor, said)
    if storm and has_begun:
        storms.announce(storm, incident, actor)
    return incident, words


def _joinable(alert: Alert, now: datetime) -> int | None:
    """MON-3, among the incidents of the same organization only."""
    same = Q(incident__service=alert.service) if alert.service_id else Q(pk__in=[])
    if alert.group:
        same |= Q(group=alert.group)
    if not alert.service_id and not alert.group:
        return None
    found = (
        Alert.objects.filter(
            same,
            incident__status__in=LIVE,
            incident__organization=alert.organization_id,
            incident__received_at__gt=now - rules.JOINS_INCIDENTS_YOUNGER_THAN,
        )
        .order_by()
        .values_list("incident_id", "incident__received_at", "incident__service_id")
        .annotate(last=Max("last_at"), grouped=Max("last_at", filter=Q(group=alert.group) & ~Q(group="")))
    )
    candidates = [
        Candidate(pk, received_at, service_id is not None and service_id == alert.service_id, last, grouped)
        for pk, received_at, service_id, last, grouped in found
    ]
    best = rules.best_to_join(candidates, now)
    return best.incident_id if best else None


def _in_storm(alert: Alert, since: datetime) -> int | None:
    """MON-9: in a storm there is one incident a service, also for alerts that name none."""
    return (
        Incident.objects.filter(
            status__in=LIVE,
            organization=alert.organization_id,
            service=alert.service_id,
            source__in=("monitor_alert", "heartbeat", "anomaly"),
            received_at__gte=since - rules.STORM_WINDOW,
        )
        .order_by("-received_at")
        .values_list("pk", flat=True)
        .first()
    )


def _open(alert: Alert, severity: str, actor: Actor, source: str) -> Incident:
    impact, urgency = rules.WEIGHTS[severity]
    said = Report(
        title=alert.title,
        description=alert.signal.get("description", ""),
        source=source,
        impact=impact,
        urgency=urgency,
        severity=severity,
        organization=alert.organization,
        service=alert.service,
        detected_at=alert.event_at,
        data={"alert": alert.pk, "url": alert.signal.get("url", "")},
    )
    return actions.report(said, actor=actor)


def weigh(alert: Alert, incident: Incident, severity: str) -> None:
    """A more severe alert raises its incident, and two independent witnesses make a P1; nothing ever lowers it."""
    wanted, why = severity, f"{alert.title} is more severe."
    if incident.severity != "P1" and _is_corroborated(alert, incident):
        wanted, why = "P1", CORROBORATED
    if wanted < incident.severity:
        actions.change_severity(incident.pk, actor=actors.desk("monitor"), severity=wanted, reason=why)
        incident.refresh_from_db()


def _is_corroborated(alert: Alert, incident: Incident) -> bool:
    service = alert.service
    if service is None or service.tier != rules.TIER_ONE or alert.severity != "critical":
        return False
    firing = Alert.objects.filter(incident=incident, status=Alert.Status.FIRING, severity="critical")
    sources = {one.source for one in firing.only("connection_id", "origin")[:50]} | {alert.source}
    return rules.is_corroborated_p1(service.tier, sources)
