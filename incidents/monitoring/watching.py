"""Heartbeats at work: pings come in, silence becomes an alert, the next ping ends it (MON-8)."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.db import transaction

from incidents.models import Alert, HeartbeatMonitor, HeartbeatPing
from incidents.monitoring import intake
from incidents.monitoring.intake import Sender
from supportdesk import instants, links
from supportdesk.actors import Actor
from supportdesk.audit import rows, trail
from supportdesk.errors import Invalid, NotAllowed, NotFound
from supportdesk.queue import timers

DUE = "incidents.monitoring.tasks.heartbeat_due"
SENDER = Sender("Heartbeats", origin=Alert.Origin.HEARTBEAT)
KEPT_PINGS = 100
State = HeartbeatMonitor.State


def ping(code: str, *, failed: bool = False) -> HeartbeatMonitor:
    """A job called its address, or its failure address. Raises `NotFound` for a code nobody has."""
    with transaction.atomic():
        row = _locked(code=code)
        now = instants.now()
        HeartbeatPing.objects.create(monitor=row, at=now, kind="fail" if failed else "ping")
        row.pings += 1
        row.last_ping_at = now
        if row.pings % KEPT_PINGS == 0:
            _forget_old(row)
        if row.state == State.PAUSED:
            row.save(update_fields=["pings", "last_ping_at"])
            return row
        was_alarming = row.is_alarming
        row.state = State.FAILED if failed else State.UP
        _expect(row, now)
        if failed:
            _say(row, "firing", f"{row.name} reported a failure", now)
        elif was_alarming:
            _say(row, "resolved", f"{row.name} is back", now)
    return row


def due(pk: int) -> None:
    """The instant has come at which a ping is missed, unless one came meanwhile."""
    row = HeartbeatMonitor.objects.select_for_update(of=("self",)).filter(pk=pk).first()
    now = instants.now()
    if row is None or row.state not in (State.UP, State.LATE, State.FAILED) or row.late_at is None:
        return
    if now < row.late_at:
        _arm(row)
        row.save(update_fields=["check_at"])
        return
    if row.state == State.UP:
        row.state = State.LATE
        row.save(update_fields=["state"])
        _say(row, "firing", f"{row.name} did not call", now)


def save(row: HeartbeatMonitor, *, actor: Actor) -> HeartbeatMonitor:
    """Make or change a heartbeat; what it expects next follows from its last ping. Raises `Invalid`."""
    _require_staff(actor)
    with transaction.atomic():
        before = rows.plain(HeartbeatMonitor.objects.get(pk=row.pk)) if row.pk else None
        row.save()
        if row.last_ping_at is not None and row.state != State.PAUSED:
            _expect(row, row.last_ping_at)
        rows.record_save(actor, row, before)
    return row


def pause(pk: int, *, actor: Actor) -> HeartbeatMonitor:
    """Stop expecting anything. What it alarmed about is over."""
    _require_staff(actor)
    with transaction.atomic():
        row = _locked(pk=pk)
        if row.state == State.PAUSED:
            return row
        was_alarming = row.is_alarming
        row.state, row.expected_at, row.late_at, row.check_at = State.PAUSED, None, None, None
        row.save()
        timers.cancel(f"heartbeat:{row.pk}")
        trail.record(actor, "pause_heartbeat", f"heartbeat:{row.pk}")
        if was_alarming:
            _say(row, "resolved", f"{row.name} was paused", instants.now())
    return row


def resume(pk: int, *, actor: Actor) -> HeartbeatMonitor:
    """Expect pings again: the next one arms it, as the first one did."""
    _require_staff(actor)
    with transaction.atomic():
        row = _locked(pk=pk)
        if row.state != State.PAUSED:
            return row
        row.state = State.NEW
        row.save(update_fields=["state"])
        trail.record(actor, "resume_heartbeat", f"heartbeat:{row.pk}")
    return row


def address(row: HeartbeatMonitor) -> str:
    """Where the job calls."""
    return links.absolute("heartbeat-ping", row.code)


def _locked(**which: Any) -> HeartbeatMonitor:
    row = (
        HeartbeatMonitor.objects.select_for_update(of=("self",))
        .select_related("organization", "service")
        .filter(**which)
        .first()
    )
    if row is None:
        raise NotFound("There is no such heartbeat.")
    return row


def _require_staff(actor: Actor) -> None:
    if not actor.is_staff:
        raise NotAllowed("Heartbeats are set up by the desk's own people.")


def _expect(row: HeartbeatMonitor, since: datetime) -> None:
    """Write down when the ping after `since` should come, and look at the instant it is missed."""
    try:
        rhythm = row.rhythm()
    except ValueError as error:
        raise Invalid(str(error)) from error
    row.expected_at = rhythm.expected_after(since)
    row.late_at = row.expected_at + rhythm.grace
    if row.check_at is None or row.check_at <= instants.now() or row.late_at < row.check_at:
        _arm(row)
    row.save()


def _arm(row: HeartbeatMonitor) -> None:
    """One timer ahead is enough: it looks whether pings came meanwhile, so that a ping costs no timer."""
    assert row.late_at is not None
    row.check_at = max(row.late_at, instants.now())
    key = f"heartbeat:{row.pk}:{row.check_at.isoformat()}"
    timers.arm([timers.Planned(key, DUE, f"heartbeat:{row.pk}", row.check_at)])


def _say(row: HeartbeatMonitor, status: str, title: str, now: datetime) -> None:
    signal = {
        "dedup_key": f"heartbeat:{row.pk}",
        "status": status,
        "severity": row.severity,
        "title": title,
        "at": now.isoformat(),
        "service": row.service.slug if row.service else "",
        "organization": row.organization.slug if row.organization else "",
        "check": row.name,
        "description": _words(row),
    }
    intake.take(SENDER, signal)


def _words(row: HeartbeatMonitor) -> str:
    expected = f"It was expected at {row.expected_at:%F %H:%M} UTC." if row.expected_at else ""
    last = f"Its last call came at {row.last_ping_at:%F %H:%M} UTC." if row.last_ping_at else ""
    return "\n\n".join(filter(None, (f"{expected} {last}".strip(), row.description)))


def _forget_old(row: HeartbeatMonitor) -> None:
    kept = HeartbeatPing.objects.filter(monitor=row).values("pk")[:KEPT_PINGS]
    HeartbeatPing.objects.filter(monitor=row).exclude(pk__in=kept).delete()
