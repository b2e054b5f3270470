"""An unusual figure pages nobody by itself; with a second witness of another kind it becomes a P2 (§9.2 (3))."""

from __future__ import annotations

from datetime import datetime, timedelta

from django.db.models import Q

from incidents import timeline
from incidents.models import Alert, Incident
from incidents.models.incident import Source
from incidents.monitoring import joining
from incidents.timeline import Fact
from supportdesk import actors
from supportdesk.actors import Actor

WITHIN = timedelta(minutes=15)
SEVERITY = "P2"
OWN_SOURCES = (Source.MONITOR, Source.HEARTBEAT, Source.ANOMALY)


def by_alert(alert: Alert, incident: Incident, now: datetime) -> None:
    """Another kind of signal came for a service: anomalies that waited for one join its incident."""
    if alert.service_id is None or alert.origin == Alert.Origin.ANOMALY:
        return
    waiting = Alert.objects.select_for_update(of=("self",)).select_related("service", "organization")
    for anomaly in waiting.filter(
        origin=Alert.Origin.ANOMALY,
        status=Alert.Status.FIRING,
        incident=None,
        service=alert.service_id,
        organization=alert.organization_id,
        first_at__gt=now - WITHIN,
    ):
        _link(anomaly, incident)


def of_anomaly(anomaly: Alert, now: datetime, actor: Actor) -> Incident | None:
    """The incident of an anomaly that something else bears out: another signal, or a customer's report."""
    if anomaly.service_id is None or anomaly.incident is not None or now - anomaly.first_at > WITHIN:
        return anomaly.incident
    other = (
        Alert.objects.filter(
            service=anomaly.service_id,
            organization=anomaly.organization_id,
            incident__status__in=joining.LIVE,
            last_at__gt=now - WITHIN,
        )
        .exclude(origin=Alert.Origin.ANOMALY)
        .select_related("incident")
        .order_by("-last_at")
        .first()
    )
    if other is not None and other.incident is not None:
        _link(anomaly, other.incident)
    elif (reported := _report(anomaly, now)) is not None:
        incident, _ = joining.place(anomaly, SEVERITY, now, actor=actor, source=Source.ANOMALY)
        _link(anomaly, incident)
        text = f"{anomaly.title}. {incident.ref} follows what our own figures say."
        timeline.record(reported, actors.desk("monitor"), Fact("anomaly_seen", text, data={"incident": incident.pk}))
    return anomaly.incident


def _report(anomaly: Alert, now: datetime) -> Incident | None:
    """A customer said so too: about this service, and of this customer unless it is everybody's."""
    whose = Q(organization=anomaly.organization_id) if anomaly.organization_id else Q(organization__isnull=False)
    reports = Incident.objects.filter(
        whose, service=anomaly.service_id, status__in=joining.LIVE, received_at__gt=now - WITHIN, is_drill=False
    )
    return reports.exclude(source__in=OWN_SOURCES).order_by("-received_at").first()


def _link(anomaly: Alert, incident: Incident) -> None:
    Alert.objects.filter(pk=anomaly.pk).update(incident=incident)
    anomaly.incident = incident
    said = Fact("alert_joined", anomaly.title, data={"alert": anomaly.pk, "severity": SEVERITY})
    timeline.record(incident, actors.desk("monitor"), said)
    joining.weigh(anomaly, incident, SEVERITY)
