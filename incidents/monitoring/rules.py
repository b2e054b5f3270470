"""What a machine's signal means (MON-1 … MON-10). Pure: values in, values out.

Instants are aware datetimes in UTC. A machine cannot know what a failure costs a business, so nothing here makes a P1
but an explicit rule or two independent witnesses.
"""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

# MON-10: the severity a monitor names, and the incident it is a candidate for. Information opens none.
SEVERITIES = {"critical": "P2", "error": "P3", "warning": "P4"}
# The nearest impact and urgency, for lists that show them.
WEIGHTS = {"P1": (1, 1), "P2": (1, 2), "P3": (2, 2), "P4": (3, 3)}

REOPENS_WITHIN = timedelta(minutes=15)
JOINS_SERVICE_WITHIN = timedelta(minutes=5)
JOINS_GROUP_WITHIN = timedelta(minutes=30)
JOINS_INCIDENTS_YOUNGER_THAN = timedelta(hours=2)
FLAPS_AT = 4
FLAP_WINDOW = timedelta(minutes=30)
OK_FOR = timedelta(minutes=10)
STORM_ABOVE = 60
STORM_WINDOW = timedelta(minutes=1)
STORM_OVER_AFTER = timedelta(minutes=5)
TIER_ONE = 1


def dedup_key(given: str, *, source: str, service: str, component: str, check: str) -> str:
    """What names a condition: the sender's own key, else a hash of where it was seen (MON-1)."""
    if given:
        return given[:200]
    parts = f"{source}\x1f{service}\x1f{component}\x1f{check}"
    return f"seen:{hashlib.sha256(parts.encode()).hexdigest()[:40]}"


def is_late(event_at: datetime, last_event_at: datetime | None) -> bool:
    """Whether an event is older than the last one applied to its key: logged, not applied (MON-4)."""
    return last_event_at is not None and event_at < last_event_at


def reopens(resolved_at: datetime | None, now: datetime) -> bool:
    """Whether an alert that fires again is the same alert still (MON-2)."""
    return resolved_at is not None and now - resolved_at <= REOPENS_WITHIN


def recent_changes(changes: Iterable[datetime], now: datetime) -> tuple[datetime, ...]:
    """The state changes that still count towards flapping, oldest first (MON-5)."""
    return tuple(sorted(at for at in changes if now - at <= FLAP_WINDOW))


def is_flapping(changes: Iterable[datetime], now: datetime) -> bool:
    """Four changes within thirty minutes (MON-5)."""
    return len(recent_changes(changes, now)) >= FLAPS_AT


def calm_at(changes: Collection[datetime]) -> datetime:
    """When flapping ends, should nothing change any more. Raises ValueError without a single change."""
    return max(changes) + FLAP_WINDOW


def is_storm(new_alerts: int) -> bool:
    """Whether so many new alerts within a minute from one source are a storm (MON-9)."""
    return new_alerts > STORM_ABOVE


@dataclass(frozen=True, slots=True)
class Candidate:
    """An incident an alert might join. `last_alert_at` is of any of its alerts, `group_at` of those with the group."""

    incident_id: int
    received_at: datetime
    same_service: bool
    last_alert_at: datetime | None
    group_at: datetime | None = None


def may_join(candidate: Candidate, now: datetime) -> bool:
    """MON-3: the same service within five minutes, or the same group within thirty, while it is younger than two
    hours. That it belongs to the same organization is the caller's business: nothing ever crosses that line."""
    if now - candidate.received_at >= JOINS_INCIDENTS_YOUNGER_THAN:
        return False
    by_service = candidate.same_service and _within(candidate.last_alert_at, now, JOINS_SERVICE_WITHIN)
    return by_service or _within(candidate.group_at, now, JOINS_GROUP_WITHIN)


def best_to_join(candidates: Iterable[Candidate], now: datetime) -> Candidate | None:
    """The newest incident an alert may join."""
    open_ones = [one for one in candidates if may_join(one, now)]
    return max(open_ones, key=lambda one: (one.received_at, one.incident_id), default=None)


def _within(at: datetime | None, now: datetime, length: timedelta) -> bool:
    return at is not None and now - at <= length


class Ending(StrEnum):
    """What becomes of an incident all of whose alerts are over."""

    NOTHING = "nothing"
    PROPOSE = "propose"  # a person decides: `monitoring` is proposed to them
    RESOLVE = "resolve"


@dataclass(frozen=True, slots=True)
class Recovery:
    """What is known of an incident when its last alert has been OK for a while."""

    is_monitor_only: bool
    was_acknowledged: bool
    severity: str
    ok_since: datetime | None  # None while anything fires or flaps


def ending(seen: Recovery, now: datetime) -> Ending:
    """MON-6: it ends by itself only where nobody has touched it, it is no P1, and it has been OK for ten minutes."""
    if seen.ok_since is None or now - seen.ok_since < OK_FOR:
        return Ending.NOTHING
    alone = seen.is_monitor_only and not seen.was_acknowledged and seen.severity != "P1"
    return Ending.RESOLVE if alone else Ending.PROPOSE


@dataclass(frozen=True, slots=True)
class Condition:
    """Which alerts something is about. Whatever is empty matches all; everything else must match."""

    services: frozenset[str] = frozenset()
    components: frozenset[str] = frozenset()
    checks: frozenset[str] = frozenset()
    labels: Mapping[str, str] = field(default_factory=dict)
    organization: str = ""
    source: str = ""

    @property
    def is_empty(self) -> bool:
        return not (self.services or self.components or self.checks or self.labels or self.organization or self.source)

    def matches(self, seen: Seen) -> bool:
        return (
            (not self.services or seen.service in self.services)
            and (not self.components or seen.component in self.components)
            and (not self.checks or seen.check in self.checks)
            and (not self.organization or seen.organization == self.organization)
            and (not self.source or seen.source == self.source)
            and all(seen.labels.get(name) == value for name, value in self.labels.items())
        )

    @classmethod
    def from_spec(cls, spec: Mapping[str, Any], **more: Any) -> Condition:
        """From JSON: `{"components": […], "checks": […], "labels": {…}}`. Raises ValueError naming what is wrong."""
        unknown = set(spec) - {"components", "checks", "labels"}
        if unknown:
            raise ValueError(f"{sorted(unknown)[0]} is not known; use components, checks and labels")
        labels = spec.get("labels", {})
        if not isinstance(labels, Mapping) or not all(isinstance(v, str) for v in labels.values()):
            raise ValueError("labels is a map of texts")
        lists: dict[str, Any] = {}
        for name in ("components", "checks"):
            value = spec.get(name, [])
            if not isinstance(value, list) or not all(isinstance(v, str) for v in value):
                raise ValueError(f"{name} is a list of texts")
            lists[name] = frozenset(value)
        return cls(labels=dict(labels), **lists, **more)


@dataclass(frozen=True, slots=True)
class Seen:
    """An alert as conditions read it. `source` names the connection, or heartbeats, or anomalies."""

    service: str = ""
    component: str = ""
    check: str = ""
    organization: str = ""
    source: str = ""
    labels: Mapping[str, str] = field(default_factory=dict)


def severity_of(named: str, seen: Seen, explicit: Iterable[tuple[Condition, str]] = ()) -> str | None:
    """The severity of the incident an alert is a candidate for; None: it opens none (MON-10).

    The first explicit rule that matches wins; only such a rule makes a single signal a P1.
    """
    for condition, severity in explicit:
        if condition.matches(seen):
            return severity or None
    return SEVERITIES.get(named)


def is_corroborated_p1(tier: int, critical_sources: Collection[str]) -> bool:
    """Two independent witnesses, which means two sources, of a critical failure on a tier-1 service (MON-10)."""
    return tier == TIER_ONE and len(set(critical_sources)) >= 2


def worst(severities: Iterable[str]) -> str | None:
    """The most severe of P1 … P4."""
    return min(severities, default=None)
