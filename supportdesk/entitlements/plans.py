"""What a plan can promise: hours, targets and features. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from typing import Any

SEVERITIES = ("P1", "P2", "P3", "P4")
_TARGETS = ("first_response", "next_update", "next_update_mitigated", "resolution")


class Coverage(StrEnum):
    """Which hours a severity is worked in, the widest first."""

    ALWAYS = "24x7"
    EXTENDED = "extended"
    BUSINESS = "business"


class Feature(StrEnum):
    """What a plan includes beside targets."""

    EMERGENCY_PHONE = "emergency_phone"
    DEDICATED_SLACK = "dedicated_slack"
    SHARED_SLACK = "shared_slack"
    WAR_ROOM = "war_room"
    PRIVATE_STATUS_PAGE = "private_status_page"
    REPORT_ALWAYS = "report_always"
    REPORT_ON_REQUEST = "report_on_request"
    SENIORS_FIRST = "seniors_first"


@dataclass(frozen=True, slots=True)
class Level:
    """The service level of one severity. A missing target means that no clock is created, not a target of zero."""

    coverage: Coverage
    first_response: timedelta | None = None
    next_update: timedelta | None = None
    next_update_mitigated: timedelta | None = None
    resolution: timedelta | None = None

    @property
    def worth(self) -> tuple[int, timedelta, timedelta, timedelta]:
        """Less is better: wider hours, then a sooner answer, more frequent updates, a faster solution."""
        targets = (self.first_response, self.next_update, self.resolution)
        return (list(Coverage).index(self.coverage), *(target or timedelta.max for target in targets))  # type: ignore[return-value]

    def to_spec(self) -> dict[str, Any]:
        seconds = {name: int(value.total_seconds()) for name in _TARGETS if (value := getattr(self, name)) is not None}
        return {"coverage": self.coverage.value, **seconds}

    @classmethod
    def from_spec(cls, spec: Mapping[str, Any]) -> Level:
        """Read a level as plan versions store it: coverage, and targets in seconds.

        Raises ValueError naming the key.
        """
        if unknown := set(spec) - {"coverage", *_TARGETS}:
            raise ValueError(f"{sorted(unknown)[0]} is not part of a service level")
        targets = {}
        for name in _TARGETS:
            value = spec.get(name)
            if value is not None and (isinstance(value, bool) or not isinstance(value, int) or value <= 0):
                raise ValueError(f"{name} must be a positive number of seconds")
            targets[name] = timedelta(seconds=value) if value is not None else None
        return cls(Coverage(spec["coverage"]), **targets)


@dataclass(frozen=True, slots=True)
class Plan:
    """One version of a plan; immutable once any contract uses it."""

    code: str
    name: str
    version: int
    levels: Mapping[str, Level]
    features: frozenset[Feature] = frozenset()
    channels: tuple[str, ...] = ()

    def has_24x7(self, severity: str | None = None) -> bool:
        """Whether this severity is worked around the clock; without one, whether any is."""
        wanted = [severity] if severity else list(self.levels)
        return any(s in self.levels and self.levels[s].coverage is Coverage.ALWAYS for s in wanted)

    @property
    def label(self) -> str:
        return f"{self.code} {self.name} v{self.version}"

    @property
    def worth(self) -> tuple[Any, ...]:
        """Less is better: the most severe first, so that a plan is what it does for a P1 (§2.4 upgrade, downgrade)."""
        nothing = Level(Coverage.BUSINESS).worth
        return tuple(self.levels[s].worth if s in self.levels else nothing for s in SEVERITIES)

    def to_spec(self) -> dict[str, Any]:
        return {
            "plan": self.code,
            "name": self.name,
            "version": self.version,
            "levels": {severity: level.to_spec() for severity, level in self.levels.items()},
            "features": sorted(self.features),
            "channels": list(self.channels),
        }

    @classmethod
    def from_spec(cls, spec: Mapping[str, Any]) -> Plan:
        """Read what `to_spec` wrote. Raises ValueError or KeyError where it is not one."""
        return cls(
            code=spec["plan"],
            name=spec["name"],
            version=spec["version"],
            levels={severity: Level.from_spec(level) for severity, level in spec["levels"].items()},
            features=frozenset(Feature(feature) for feature in spec["features"]),
            channels=tuple(spec["channels"]),
        )
