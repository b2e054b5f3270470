"""A storm: more new alerts within a minute than anybody can read (MON-9). One page a service, and said so once."""

from __future__ import annotations

from datetime import datetime

from django.db.models import F

from incidents import telling, timeline
from incidents.models import Alert, AlertStorm, Incident
from incidents.monitoring import rules
from incidents.timeline import Fact
from supportdesk.actors import Actor


def note(alert: Alert, now: datetime) -> tuple[AlertStorm | None, bool]:
    """The storm a new alert is part of, and whether it began with it; `(None, False)` in calm weather."""
    if alert.connection_id is None:
        return None, False
    storm = AlertStorm.objects.filter(connection=alert.connection_id, last_at__gt=now - rules.STORM_OVER_AFTER).first()
    if storm is not None:
        AlertStorm.objects.filter(pk=storm.pk).update(count=F("count") + 1, last_at=now)
        return storm, False
    fresh = Alert.objects.filter(connection=alert.connection_id, first_at__gt=now - rules.STORM_WINDOW)
    count = fresh.order_by().values("pk")[: rules.STORM_ABOVE + 1].count()
    if not rules.is_storm(count):
        return None, False
    return AlertStorm.objects.create(connection_id=alert.connection_id, started_at=now, last_at=now, count=count), True


def announce(storm: AlertStorm, incident: Incident, actor: Actor) -> None:
    """Say it once, on the incident it began with."""
    text = (
        f"Alert storm: more than {rules.STORM_ABOVE} new alerts within a minute from {actor.name}. They are kept, "
        "grouped by service, and page once a service."
    )
    timeline.record(incident, actor, Fact("alert_storm", text, data={"storm": storm.pk}))
    telling.tell(incident, "alert_storm", f"storm:{storm.pk}", text=text)
