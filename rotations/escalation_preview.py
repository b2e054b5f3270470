"""What if: plays an escalation policy on a schedule and says who would have been paged, when, and why. Pure.

    {"policy": {"steps": [{"targets": ["primary"], "delay_seconds": 180}], "repeat": 2},
     "schedule": …as the schedule preview takes it…, "manager": "dana", "seniors": ["sven"],
     "start": "2026-07-15T06:58:30Z", "until": "2026-07-15T07:30:00Z",
     "events": [{"at": "2026-07-15T07:02:00Z", "type": "ack", "person": "erin"}]}

Time runs over `[start, until)`: what happens, or falls due, at `until` is left out. Optional are `severity` (P1),
`backup_first`, and the people of the targets `seniors` and `head_of_support`; `manager` is the fallback manager and
every kind of manager a policy can name.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from rotations.escalation import Event, EventKind, Kind, Policy, run
from rotations.escalation.effects import Page
from rotations.escalation.reading import instant, mapping, one_of, sequence, text, written, yes_or_no
from rotations.escalation.roles import SchedulePeople
from rotations.escalation.state import BY_SOMEBODY
from rotations.rules import Rules
from rotations.schedule import Schedule
from rotations.schedule_preview import rules_from_case
from supportdesk.entitlements import SEVERITIES

_REQUIRED = ("policy", "schedule", "start", "until")
_ALLOWED = (*_REQUIRED, "events", "manager", "severity", "backup_first", "seniors", "head_of_support")
_EVENT_FIELDS = ("at", "type", "person", "severity", "policy")
_NOT_PLAYED = {EventKind.START, EventKind.DUE, EventKind.SUPPRESS, EventKind.UNSUPPRESS}
_TYPES = {kind.value: kind for kind in EventKind if kind not in _NOT_PLAYED} | {"handback": EventKind.UNACK}
_CHANGES = {EventKind.SEVERITY_UP, EventKind.SEVERITY_DOWN}
_LONGEST = timedelta(days=92)
_ELSEWHERE = {Kind.SCHEDULE, Kind.TEAM}  # a what-if knows one schedule and no teams


def preview(case: dict[str, Any]) -> dict[str, Any]:
    """Play a case: its pages in order, and the status it ends in. A ValueError names the path of the wrong field."""
    mapping(case, "", allowed=_ALLOWED, required=_REQUIRED)
    severity = one_of(case.get("severity", "P1"), "severity", SEVERITIES)
    policy = _policy(case["policy"], "policy", severity)
    start, until = instant(case["start"], "start"), instant(case["until"], "until")
    if until <= start:
        raise ValueError(f"until: has to be after the start, {written(start)}")
    if until - start > _LONGEST:
        raise ValueError(f"until: a preview plays at most {_LONGEST.days} days")
    backup_first = yes_or_no(case.get("backup_first", False), "backup_first")
    started = Event(EventKind.START, start, severity=severity, backup_first=backup_first)
    specs = sequence(case.get("events", ()), "events")
    events = [_event(spec, f"events[{i}]", policy, start) for i, spec in enumerate(specs)]
    ran = run(policy, _people(case), [started, *events], until)
    return {"pages": [_page(page) for page in ran.pages], "state": str(ran.state.status)}


def _policy(spec: Any, path: str, severity: str) -> Policy:
    policy = Policy.from_spec(spec, path, severity=severity)
    for i, step in enumerate(policy.steps):
        for j, target in enumerate(step.targets):
            if target.kind in _ELSEWHERE:
                raise ValueError(f"{path}.steps[{i}].targets[{j}]: a preview cannot know whom {target} means")
    return policy


def _people(case: Mapping[str, Any]) -> SchedulePeople:
    manager = case.get("manager")
    return SchedulePeople(
        Schedule(_rules(case["schedule"])),
        manager=None if manager is None else text(manager, "manager"),
        others={role: _names(case.get(role, ()), role) for role in ("seniors", "head_of_support")},
    )


def _rules(case: Any) -> Rules:
    if not isinstance(case, Mapping):
        raise ValueError(f"schedule: expected an object, got {case!r}")
    try:
        return rules_from_case(case)
    except ValueError as error:
        raise ValueError(f"schedule.{error}") from error


def _names(value: Any, path: str) -> tuple[str, ...]:
    return tuple(text(name, f"{path}[{i}]") for i, name in enumerate(sequence(value, path)))


def _event(value: Any, path: str, policy: Policy, start: datetime) -> Event:
    """One event. A change of severity that brings no policy of its own starts the case's policy anew."""
    spec = mapping(value, path, allowed=_EVENT_FIELDS, required=("at", "type"))
    kind = _TYPES[one_of(spec["type"], f"{path}.type", list(_TYPES))]
    at = instant(spec["at"], f"{path}.at")
    if at < start:
        raise ValueError(f"{path}.at: is before the start, {written(start)}")
    if kind not in _CHANGES:
        by = text(spec.get("person"), f"{path}.person") if kind in BY_SOMEBODY else ""
        return Event(kind, at, by)
    severity = one_of(spec["severity"], f"{path}.severity", SEVERITIES) if "severity" in spec else ""
    own = _policy(spec["policy"], f"{path}.policy", severity) if "policy" in spec else policy
    return Event(kind, at, severity=severity, policy=own)


def _page(page: Page) -> dict[str, Any]:
    return {"at": written(page.at), "step": page.step, "person": page.person, "reason": str(page.reason)}
