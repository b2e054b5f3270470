"""What timers call: thin doors, named by dotted strings in the rows that call them."""

from __future__ import annotations

from django.db.models import QuerySet

from incidents.models import Alert, Incident, Series
from incidents.monitoring import intake, maintenance, recovery, scraping, series, watching
from supportdesk import instants
from supportdesk.queue.models import Timer


def recovered(timer: Timer) -> None:
    """An incident's alerts have been over for ten minutes."""
    incident = Incident.objects.lock(int(timer.subject.removeprefix("incident:")))
    if incident.generation == timer.generation:
        recovery.settle(incident, instants.now())


def calmed(timer: Timer) -> None:
    """A flapping alert may have calmed down: its last state applies then."""
    alert = _alerts().filter(pk=int(timer.subject.removeprefix("alert:"))).first()
    now = instants.now()
    if alert is None or not recovery.is_calm(alert, now):
        return
    if alert.is_firing:
        intake.belong(alert, now)
    elif alert.incident is not None:
        recovery.alert_over(alert, alert.incident, now, intake.actor_for(alert))
        recovery.settle(Incident.objects.lock(alert.incident.pk), now)


def release_held_back(timer: Timer) -> None:
    """A maintenance window ended or changed: what still fires and is no longer held back pages now."""
    now = instants.now()
    for alert in _alerts().filter(status=Alert.Status.FIRING, suppressed_until__isnull=False).order_by("pk"):
        until = maintenance.quiet_until(intake.seen_of(alert), now)
        Alert.objects.filter(pk=alert.pk).update(suppressed_until=until)
        if until is not None:
            maintenance.release_at(until)
        else:
            alert.suppressed_until = None
            intake.belong(alert, now)


def _alerts() -> QuerySet[Alert]:
    return Alert.objects.select_for_update(of=("self",)).select_related(
        "incident", "service__organization", "organization", "connection"
    )


def heartbeat_due(timer: Timer) -> None:
    """A ping should have come by now."""
    watching.due(int(timer.subject.removeprefix("heartbeat:")))


def scrape_due(timer: Timer) -> None:
    """A figure is to be asked for."""
    scraping.due(int(timer.subject.removeprefix("series:")), timer.planned_at)


def scrape(pk: int) -> bool:
    """What the queue of integrations does for `scrape_due`."""
    return scraping.scrape(pk)


def replay_series(pk: int) -> bool:
    """What the bulk queue does for a replay, which takes seconds."""
    found = Series.objects.filter(pk=pk).first()
    if found is None:
        return False
    series.run_replay(found)
    series.forget_old(found)
    return True
