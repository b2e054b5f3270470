"""Maintenance windows at work: what they hold back, and what pages when they end (MON-7)."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from django.db import transaction

from incidents.models import MaintenanceWindow
from incidents.monitoring import windows
from incidents.monitoring.rules import Seen
from supportdesk import instants
from supportdesk.actors import Actor
from supportdesk.audit import rows, trail
from supportdesk.errors import Invalid, NotAllowed, NotFound
from supportdesk.organizations.models import Service
from supportdesk.queue import timers

RELEASE = "incidents.monitoring.tasks.release_held_back"
SUBJECT = "maintenance"


def quiet_until(seen: Seen, now: datetime) -> datetime | None:
    """Until when maintenance holds such an alert back; None: not at all."""
    return windows.quiet_until((row.value() for row in _enabled() if row.covers(seen)), now)


def _enabled() -> list[MaintenanceWindow]:
    enabled = MaintenanceWindow.objects.filter(is_enabled=True).select_related("organization")
    return list(enabled.prefetch_related("services"))


def release_at(at: datetime) -> None:
    """Look again at what is held back when the window ends."""
    timers.arm([timers.Planned(f"maintenance:{at.isoformat()}", RELEASE, SUBJECT, at)])


def changed() -> None:
    """Windows were made, changed or removed: what they no longer hold back pages now."""
    now = instants.now()
    timers.arm([timers.Planned(f"maintenance:changed:{now.isoformat()}", RELEASE, SUBJECT, now)])


def save(window: MaintenanceWindow, services: Iterable[Service] | None = None, *, actor: Actor) -> MaintenanceWindow:
    """Schedule or change maintenance; `services` of None leaves them as they are. Raises `NotAllowed`, `Invalid`."""
    _require_staff(actor)
    with transaction.atomic():
        before = rows.plain(MaintenanceWindow.objects.get(pk=window.pk)) if window.pk else None
        if before is None:
            window.created_by_id = actor.user_id
        window.save()
        if services is not None:
            window.services.set(services)
        if window.matching.is_empty and not window.covers_everything:
            raise Invalid("Say what it is about: a service, a condition, or everything.", field="services")
        rows.record_save(actor, window, before)
        changed()
    return window


def call_off(pk: int, *, actor: Actor) -> MaintenanceWindow:
    """End it now, or never let it begin: what it held back and still fires pages at once."""
    _require_staff(actor)
    with transaction.atomic():
        window = MaintenanceWindow.objects.select_for_update(of=("self",)).filter(pk=pk).first()
        if window is None:
            raise NotFound("There is no such maintenance window.")
        if window.is_enabled:
            window.is_enabled = False
            window.save(update_fields=["is_enabled"])
            trail.record(actor, "call_off_maintenance", f"maintenance:{pk}")
            changed()
    return window


def _require_staff(actor: Actor) -> None:
    if not actor.is_staff:
        raise NotAllowed("Maintenance is scheduled by the desk's own people.")
