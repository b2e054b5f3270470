"""Asking a Prometheus for the figures of a series, on time, from the queue."""

from __future__ import annotations

from datetime import datetime, timedelta

from incidents.models import Series
from incidents.monitoring import series as series_work
from incidents.monitoring.anomaly import Point
from supportdesk import instants
from supportdesk.integrations.base import IntegrationError
from supportdesk.integrations.prometheus import Prometheus
from supportdesk.queue import outbox, timers
from supportdesk.queue.handover import hand_over
from supportdesk.queue.models import Lane, Timer

DUE = "incidents.monitoring.tasks.scrape_due"
SCRAPE = "incidents.monitoring.tasks.scrape"


def plan(series: Series) -> None:
    """Ask from now on, or never again where there is nobody to ask."""
    subject = f"series:{series.pk}"
    planned = [_planned(series, instants.now())] if series.connection_id else []
    timers.replace(subject, DUE, planned)


def due(pk: int, planned_at: datetime) -> None:
    """It is time: leave the call to the queue, and plan the next one."""
    series = Series.objects.filter(pk=pk, connection__is_enabled=True).first()
    if series is None:
        return
    Timer.objects.filter(subject=f"series:{pk}", run=DUE, state=Timer.State.DONE).delete()
    hand_over(Lane.INTEGRATIONS, SCRAPE, [(pk,)])
    following = max(planned_at + timedelta(seconds=series.interval_seconds), instants.now())
    timers.arm([_planned(series, following)])


def _planned(series: Series, at: datetime) -> timers.Planned:
    return timers.Planned(f"scrape:{series.pk}:{at.isoformat()}", DUE, f"series:{series.pk}", at)


def scrape(pk: int) -> bool:
    """Ask once, outside any transaction. What went wrong stands on the series; the next time comes anyway."""
    series = Series.objects.select_related("connection").filter(pk=pk).first()
    if series is None or series.connection is None:
        return False
    asked = outbox.build(series.connection)
    assert isinstance(asked, Prometheus)
    try:
        value = asked.ask(series.query)
    except IntegrationError as error:
        Series.objects.filter(pk=pk).update(trouble=error.detail[:500])
        return False
    series_work.push(series, [Point(instants.now().replace(microsecond=0), value)])
    return True
