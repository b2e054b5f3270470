"""Beginning to page: which policy an incident gets, and what a new severity means for it (ESC-4, ESC-11, D12)."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from incidents import telling, timeline
from incidents.escalating import calling, keeping
from incidents.escalating.running import apply, feed
from incidents.models import Escalation, Incident
from incidents.routing import Audience
from incidents.timeline import Fact
from rotations import call_outs, policies
from rotations.escalation import Event, EventKind, Policy, State, Status
from rotations.escalation.chain import URGENT
from rotations.escalation.defaults import LAST_RESORT
from rotations.escalation.policy import Kind, Step, Target
from rotations.models import EscalationPolicy
from rotations.oncall import Directory, LivePeople
from supportdesk import actors, instants, sitting
from supportdesk.integrations.lines import Lines


def policy_for(incident: Incident) -> EscalationPolicy | None:
    """The policy this incident's severity gets under its plan; our own platform is worked under our own policy
    (MON-11)."""
    plan = incident.entitlement.get("plan", "")
    return policies.choose(
        incident.severity, plan=plan, organization_id=incident.organization_id, service_id=incident.service_id
    )


def start(incident: Incident, lines: Lines | None = None, *, kind: EventKind = EventKind.START) -> None:
    """Begin paging for an incident, by the policy as it stands now (ESC-4)."""
    lines = lines or Lines.load()
    row = policy_for(incident)
    if row is None:
        _without_policy(incident, lines)
        if incident.severity not in URGENT:
            return
    policy = row.value() if row else LAST_RESORT
    existing = None if sitting.is_new(incident.subject) else Escalation.objects.filter(incident=incident).first()
    if existing and existing.status == Status.RESOLVED:
        kind = EventKind.REOPEN
    relieves = _relieve_primary(incident, row, lines)
    event = Event(kind, instants.now(), severity=incident.severity, policy=policy, backup_first=relieves)
    escalation = existing or Escalation(incident=incident, started_at=instants.now())
    state = State.from_spec(existing.state) if existing else State(suppressible=incident.is_monitor_only)
    escalation.policy = row
    apply(incident, escalation, policy, state, event, lines)


def start_for(incident: Incident, user_id: int, lines: Lines) -> None:
    """A fire drill for one person: the same engine, with nobody behind them for as long as a drill lasts."""
    step = Step((Target(Kind.PERSON, str(user_id)),), timedelta(minutes=5))
    policy = Policy("Fire drill for one person", 1, (step,))
    event = Event(EventKind.START, instants.now(), severity=incident.severity, policy=policy, backup_first=False)
    escalation = Escalation(incident=incident, started_at=instants.now())
    apply(incident, escalation, policy, State(), event, lines)


def _relieve_primary(incident: Incident, row: EscalationPolicy | None, lines: Lines) -> bool:
    """Whether the primary has had enough this shift: the backup rings first, and the manager hears of it (FAT-5)."""
    now = instants.now()
    if row is None or incident.is_drill or incident.severity not in URGENT:
        return False
    if not call_outs.is_loaded(row.schedule, now):
        return False
    people = LivePeople(row.schedule, Directory(lines))
    primary = people.directory.user(people.schedule.who(now).primary or "")
    name = primary.name if primary else "The primary"
    text = f"{name} has taken enough urgent incidents this shift: the backup is paged first."
    timeline.record(incident, actors.desk("escalation"), Fact("backup_first", text))
    telling.tell(
        incident, "backup_first", f"{incident.generation}:{incident.severity}", lines, (Audience.DUTY_MANAGER,),
        primary=name,
    )  # fmt: skip
    return True


def _without_policy(incident: Incident, lines: Lines) -> None:
    """Nobody wrote a policy for this: said loudly; whoever stands in for everybody is paged for P1 and P2 (D12)."""
    trouble = f"No escalation policy covers {incident.severity} here."
    timeline.record(incident, actors.desk("escalation"), Fact("no_policy", trouble))
    telling.tell(incident, "no_answer", f"no-policy:{incident.generation}", lines, trouble=trouble)


def change_severity(incident: Incident, *, raised: bool) -> None:
    """The new severity's policy takes over (ESC-11). What a raise finds waiting for the end of somebody's quiet hours
    goes out now, or waits anew by the new severity (ESC-15)."""
    kept = keeping.withdraw(incident) if raised else []
    row = policy_for(incident)
    kind = EventKind.SEVERITY_UP if raised else EventKind.SEVERITY_DOWN
    details: dict[str, Any] = {"severity": incident.severity, "policy": row.value() if row else None}
    if raised:
        details["backup_first"] = _relieve_primary(incident, row, Lines.load())
    escalation = Escalation.objects.filter(incident=incident).first()
    if escalation is not None and row is not None:
        Escalation.objects.filter(pk=escalation.pk).update(policy=row)
    is_wanted = raised or not incident.is_acknowledged
    if not feed(incident, kind, **details) and row is not None and is_wanted:
        start(incident)
    calling.page_again(incident, kept)
