"""What happens when alerts are over, and when they cannot make up their minds (MON-5, MON-6)."""

from __future__ import annotations

from datetime import datetime

from incidents import actions, telling, timeline
from incidents.models import Alert, Incident
from incidents.monitoring import rules
from incidents.monitoring.rules import Ending, Recovery
from incidents.timeline import Fact
from supportdesk import actors
from supportdesk.actors import Actor
from supportdesk.queue import timers

RECOVERED = "incidents.monitoring.tasks.recovered"
CALMED = "incidents.monitoring.tasks.calmed"
ALL_WELL = "All alerts have been back to normal for ten minutes."


def note_change(alert: Alert, now: datetime) -> bool:
    """Remember a change of state on an alert (unsaved). True while it flaps: its incident is then left alone."""
    changes = (*rules.recent_changes(alert.changed_at, now), now)
    alert.changes = [at.isoformat() for at in changes]
    if alert.flapping_since is not None:
        return True
    if not rules.is_flapping(changes, now):
        return False
    alert.flapping_since = now
    if alert.pk is not None:
        watch(alert, now)
    return True


def watch(alert: Alert, now: datetime) -> None:
    """An alert began to flap: say so once, and look again when it could have calmed down."""
    _look_again(alert, now)
    if alert.incident is not None and alert.incident.is_open:
        text = f"{alert.title} is flapping: {len(alert.changes)} changes within half an hour. It pages nobody again."
        data = {"alert": alert.pk, "count": alert.count}
        timeline.record(alert.incident, actors.desk("monitor"), Fact("flapping", text, data=data))


def _look_again(alert: Alert, now: datetime) -> None:
    at = max(rules.calm_at(alert.changed_at), now)
    timers.arm([timers.Planned(f"calm:{alert.pk}:{at.isoformat()}", CALMED, f"alert:{alert.pk}", at)])


def is_calm(alert: Alert, now: datetime) -> bool:
    """Whether a flapping alert has calmed down by now; where it has not, look again later. Saves the end of it."""
    if alert.flapping_since is None:
        return False
    if now < rules.calm_at(alert.changed_at):
        _look_again(alert, now)
        return False
    alert.flapping_since = None
    alert.save(update_fields=["flapping_since"])
    return True


def alert_over(alert: Alert, incident: Incident, now: datetime, actor: Actor) -> None:
    """One alert of an incident is back to normal; after ten minutes without any the incident may be over (MON-6)."""
    if not incident.is_open or incident.is_resolved:
        return
    left = unsettled(incident)
    rest = f"{left} still firing." if left else "No alert is firing any more."
    said = Fact("alert_resolved", f"{alert.title}: back to normal. {rest}", data={"alert": alert.pk})
    timeline.record(incident, actor, said)
    if not left:
        at = now + rules.OK_FOR
        key = f"recovered:{incident.pk}:{incident.generation}:{at.isoformat()}"
        timers.arm([timers.Planned(key, RECOVERED, incident.subject, at, generation=incident.generation)])


def unsettled(incident: Incident) -> int:
    """How many alerts of an incident fire or flap."""
    alerts = Alert.objects.filter(incident=incident)
    return (alerts.filter(status=Alert.Status.FIRING) | alerts.filter(flapping_since__isnull=False)).count()


def settle(incident: Incident, now: datetime) -> None:
    """Ten minutes have passed: end what nobody had to touch, propose `monitoring` for the rest (MON-6)."""
    if incident.is_resolved or not incident.is_open:
        return
    seen = Recovery(
        is_monitor_only=incident.is_monitor_only,
        was_acknowledged=incident.acked_at is not None or incident.is_acknowledged,
        severity=incident.severity,
        ok_since=_ok_since(incident),
    )
    _ENDINGS[rules.ending(seen, now)](incident)


def _ok_since(incident: Incident) -> datetime | None:
    if unsettled(incident):
        return None
    ended = Alert.objects.filter(incident=incident).order_by("-resolved_at").values_list("resolved_at", flat=True)
    return ended.first()


def _nothing(incident: Incident) -> None:
    """Something fires or flaps again, or not for long enough."""


def _resolve(incident: Incident) -> None:
    actions.resolve(incident.pk, actor=actors.desk("monitor"), summary=f"{ALL_WELL} Nobody had to act.")


def _propose(incident: Incident) -> None:
    """A person has it, or it is a P1, or a customer reported it: they decide."""
    if incident.status == "monitoring":
        return
    text = f"{ALL_WELL} Set it to monitoring if you agree."
    timeline.record(incident, actors.desk("monitor"), Fact("monitoring_proposed", text))
    telling.tell(incident, "recovered", f"{incident.generation}:{_ok_since(incident)}", text=text)


_ENDINGS = {Ending.NOTHING: _nothing, Ending.RESOLVE: _resolve, Ending.PROPOSE: _propose}
