"""The terms an incident runs under: which promise holds for which severity, counted in which hours (ENT-1, D3).

An incident stores its terms as JSON when it is received, so that a later change of plan, contract or calendar cannot
rewrite what was promised (D8).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from enum import StrEnum
from typing import Any

from supportdesk.calendars import Calendar
from supportdesk.entitlements import SEVERITIES
from supportdesk.plain import expect, read_member, read_seconds, read_text, refuse_unknown, write_seconds

_FIELDS = ("plan", "version", "calendars", "targets", "after_mitigation", "cadence_from_declaration", "goodwill")


class ClockKind(StrEnum):
    """What is measured. `ACK` is our own objective, the others are the customer's."""

    FIRST_RESPONSE = "first_response"
    NEXT_UPDATE = "next_update"
    RESOLUTION = "resolution"
    ACK = "ack"


class Commitment(StrEnum):
    """A guarantee is promised; an objective is tracked and reported, never promised (D3)."""

    GUARANTEE = "guarantee"
    OBJECTIVE = "objective"


@dataclass(frozen=True, slots=True)
class Target:
    """How much time one clock has, in the hours of which calendar (a key of `Terms.calendars`)."""

    duration: timedelta
    calendar: str
    kind: Commitment = Commitment.GUARANTEE


@dataclass(frozen=True)
class Terms:
    """One plan version with its calendars. A severity without a target for a kind has no such clock.

    `after_mitigation` is the update interval that holds once a P1 is mitigated, `cadence_from_declaration` the
    severities whose updates are due from the declaration on (those with a war room). `goodwill` terms are a granted
    exception: their clocks are objectives and count in no attainment (ENT-12).
    """

    plan: str
    version: str
    calendars: Mapping[str, Calendar]
    targets: Mapping[str, Mapping[ClockKind, Target]]
    after_mitigation: Mapping[str, timedelta] = field(default_factory=dict)
    cadence_from_declaration: frozenset[str] = frozenset()
    goodwill: bool = False

    def target(self, severity: str, kind: ClockKind) -> Target | None:
        """What is promised, or None where no clock exists."""
        return self.targets.get(severity, {}).get(kind)

    @classmethod
    def from_spec(cls, spec: Any) -> Terms:
        """Read what `to_spec` wrote. Raises ValueError, beginning with the path of the field that is wrong."""
        expect(spec, Mapping, "terms", "a mapping")
        refuse_unknown(spec, _FIELDS, "terms")
        calendars = _calendars(spec.get("calendars"))
        return cls(
            plan=read_text(spec.get("plan"), "terms.plan"),
            version=read_text(spec.get("version"), "terms.version"),
            calendars=calendars,
            targets=_targets(spec.get("targets"), calendars),
            after_mitigation=_after_mitigation(spec.get("after_mitigation", {})),
            cadence_from_declaration=_declared(spec.get("cadence_from_declaration", [])),
            goodwill=expect(spec.get("goodwill", False), bool, "terms.goodwill", "true or false"),
        )

    def to_spec(self) -> dict[str, Any]:
        """The terms as plain JSON values, durations in seconds; `from_spec` reads them back."""
        return {
            "plan": self.plan,
            "version": self.version,
            "calendars": {key: calendar.to_spec() for key, calendar in self.calendars.items()},
            "targets": {
                severity: {str(kind): _write_target(target) for kind, target in targets.items()}
                for severity, targets in self.targets.items()
            },
            "after_mitigation": {
                severity: write_seconds(interval) for severity, interval in self.after_mitigation.items()
            },
            "cadence_from_declaration": sorted(self.cadence_from_declaration),
            "goodwill": self.goodwill,
        }


def check_severity(value: Any, path: str) -> str:
    """Return `value` if it is P1 … P4. Raises ValueError, beginning with `path`."""
    if value not in SEVERITIES:
        raise ValueError(f"{path}: {value!r} is not one of {', '.join(SEVERITIES)}")
    return str(value)


def _calendars(value: Any) -> dict[str, Calendar]:
    expect(value, Mapping, "terms.calendars", "a mapping from names to calendars")
    calendars = {}
    for key, spec in value.items():
        try:
            calendars[key] = Calendar.from_spec(spec)
        except ValueError as error:
            raise ValueError(f"terms.calendars.{key}: {error}") from error
    return calendars


def _targets(value: Any, calendars: Mapping[str, Calendar]) -> dict[str, dict[ClockKind, Target]]:
    expect(value, Mapping, "terms.targets", "a mapping from severities to targets")
    read: dict[str, dict[ClockKind, Target]] = {}
    for severity, targets in value.items():
        path = f"terms.targets.{severity}"
        check_severity(severity, path)
        expect(targets, Mapping, path, "a mapping from clocks to targets")
        read[severity] = {
            read_member(ClockKind, kind, path): _read_target(target, calendars, f"{path}.{kind}")
            for kind, target in targets.items()
        }
    return read


def _read_target(value: Any, calendars: Mapping[str, Calendar], path: str) -> Target:
    expect(value, Mapping, path, "a mapping with seconds, calendar and kind")
    refuse_unknown(value, ("seconds", "calendar", "kind"), path)
    if value.get("calendar") not in calendars:
        raise ValueError(f"{path}.calendar: {value.get('calendar')!r} is not one of the calendars of these terms")
    return Target(
        duration=read_seconds(value.get("seconds"), f"{path}.seconds"),
        calendar=value["calendar"],
        kind=read_member(Commitment, value.get("kind"), f"{path}.kind"),
    )


def _write_target(target: Target) -> dict[str, Any]:
    return {"seconds": write_seconds(target.duration), "calendar": target.calendar, "kind": str(target.kind)}


def _after_mitigation(value: Any) -> dict[str, timedelta]:
    path = "terms.after_mitigation"
    expect(value, Mapping, path, "a mapping from severities to seconds")
    return {
        check_severity(severity, path): read_seconds(seconds, f"{path}.{severity}")
        for severity, seconds in value.items()
    }


def _declared(value: Any) -> frozenset[str]:
    path = "terms.cadence_from_declaration"
    expect(value, list, path, "a list of severities")
    return frozenset(check_severity(severity, f"{path}[{index}]") for index, severity in enumerate(value))
