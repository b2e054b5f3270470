"""Escalation policies: who is paged, in which order, and how long each step waits. Pure.

A policy is a value. A running escalation keeps its own copy (ESC-4), so it round-trips through JSON; an edit is a new
version and affects later escalations. Targets name roles, never people: who that is, is asked at each firing (D11).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from enum import StrEnum
from typing import Any

from rotations.escalation import reading
from supportdesk import zones
from supportdesk.entitlements import SEVERITIES

FOR_EVER = -1
EXHAUSTED_EVERY = timedelta(minutes=5)
ACK_TIMEOUTS = {"P1": timedelta(minutes=30), "P2": timedelta(minutes=60)}
ACK_TIMEOUT_OTHERWISE = timedelta(hours=24)  # ESC-9 names P1 and P2 only; an acknowledgement still never lasts for ever


class Kind(StrEnum):
    """What a target names."""

    PRIMARY = "primary"
    BACKUP = "backup"
    NEIGHBOUR = "neighbour"  # primary of the neighbouring site (ESC-5a)
    SCHEDULE = "schedule"  # primary of another schedule
    PERSON = "person"
    TEAM = "team"
    SENIORS = "seniors"
    DUTY_MANAGER = "duty_manager"
    EMERGENCY_PHONE = "emergency_phone"  # the duty manager, by phone only
    MANAGER = "manager"  # the fallback manager
    HEAD_OF_SUPPORT = "head_of_support"
    CHANNEL = "channel"
    PAGERDUTY = "pagerduty"


_POLICY_FIELDS = (
    "name",
    "version",
    "steps",
    "repeat",
    "ack_timeout_seconds",
    "exhausted_every_seconds",
    "required_acks",
    "pager",
)
NAMED = frozenset({Kind.PERSON, Kind.SCHEDULE, Kind.TEAM, Kind.CHANNEL})  # these need to say which one
MAY_BE_NAMED = NAMED | {Kind.PAGERDUTY}
CHANNELS = frozenset({Kind.CHANNEL, Kind.PAGERDUTY})
MANAGERS = frozenset({Kind.DUTY_MANAGER, Kind.EMERGENCY_PHONE, Kind.MANAGER})


class Pager(StrEnum):
    """Whose pages count: the pager of record (D14)."""

    INTERNAL = "internal"
    PAGERDUTY = "pagerduty"


@dataclass(frozen=True, slots=True)
class Target:
    """Whom a step pages, or which channel it tells. Written `primary`, `person:ada`, `channel:#ops`."""

    kind: Kind
    ref: str = ""

    def __post_init__(self) -> None:
        if self.kind in NAMED and not self.ref:
            raise ValueError(f"{self.kind} needs a name: {self.kind}:…")
        if self.ref and self.kind not in MAY_BE_NAMED:
            raise ValueError(f"{self.kind} takes no name, got {self.ref!r}")

    @property
    def is_channel(self) -> bool:
        """Channels are told, but they are not somebody (ESC-7)."""
        return self.kind in CHANNELS

    def __str__(self) -> str:
        return f"{self.kind}:{self.ref}" if self.ref else str(self.kind)

    @classmethod
    def parse(cls, value: Any, path: str = "target") -> Target:
        kind, _, ref = reading.text(value, path).partition(":")
        reading.one_of(kind, path, list(Kind))
        try:
            return cls(Kind(kind), ref)
        except ValueError as error:
            raise ValueError(f"{path}: {error}") from error


@dataclass(frozen=True, slots=True)
class Condition:
    """When a step applies; empty means always. Weekdays (Monday is 0) and window are wall-clock time of `zone`.

    `window` is half-open and may run over midnight; its weekday is the one of the instant asked about, so a night
    that starts on Friday needs Saturday too.
    """

    weekdays: frozenset[int] = frozenset()
    window: tuple[time, time] | None = None
    zone: str = "UTC"
    severities: frozenset[str] = frozenset()

    def holds(self, at: datetime, severity: str) -> bool:
        if self.severities and severity not in self.severities:
            return False
        wall = zones.local(at, self.zone)
        if self.weekdays and wall.weekday() not in self.weekdays:
            return False
        if self.window is None:
            return True
        opens, closes = self.window
        inside = opens <= wall.time() < closes
        return inside if opens < closes else wall.time() >= opens or wall.time() < closes

    def to_spec(self) -> dict[str, Any]:
        spec: dict[str, Any] = {}
        if self.severities:
            spec["severities"] = sorted(self.severities)
        if self.weekdays:
            spec["weekdays"] = sorted(self.weekdays)
        if self.window:
            spec["from"], spec["to"] = (edge.isoformat("minutes") for edge in self.window)
        return {**spec, "zone": self.zone} if self.zone != "UTC" else spec

    @classmethod
    def from_spec(cls, spec: Any, path: str = "condition") -> Condition:
        spec = reading.mapping(spec, path, allowed=("weekdays", "from", "to", "zone", "severities"))
        zone = reading.text(spec.get("zone", "UTC"), f"{path}.zone")
        try:
            zones.check_zone(zone)
        except ValueError as error:
            raise ValueError(f"{path}.zone: {error}") from error
        return cls(
            frozenset(_weekdays(spec.get("weekdays", ()), f"{path}.weekdays")),
            _window(spec, path),
            zone,
            frozenset(_severities(spec.get("severities", ()), f"{path}.severities")),
        )


ALWAYS = Condition()


@dataclass(frozen=True, slots=True)
class Step:
    """Fires at its targets, then waits `delay` before the next one (ESC-2).

    A step whose condition does not hold is skipped without waiting, and that is recorded.
    """

    targets: tuple[Target, ...]
    delay: timedelta
    condition: Condition = ALWAYS

    def to_spec(self) -> dict[str, Any]:
        spec: dict[str, Any] = {"targets": [str(t) for t in self.targets], "delay_seconds": _seconds(self.delay)}
        return {**spec, "condition": self.condition.to_spec()} if self.condition != ALWAYS else spec

    @classmethod
    def from_spec(cls, spec: Any, path: str = "step") -> Step:
        needed = ("targets", "delay_seconds")
        spec = reading.mapping(spec, path, allowed=(*needed, "condition"), required=needed)
        targets = reading.sequence(spec["targets"], f"{path}.targets")
        return cls(
            tuple(Target.parse(target, f"{path}.targets[{i}]") for i, target in enumerate(targets)),
            timedelta(seconds=reading.whole(spec["delay_seconds"], f"{path}.delay_seconds", least=0)),
            Condition.from_spec(spec.get("condition", {}), f"{path}.condition"),
        )


@dataclass(frozen=True, slots=True)
class Policy:
    """The whole chain for one severity. A severity without a policy (P4: queue only) has none, not an empty one.

    `repeat` is the number of additional passes, `FOR_EVER` only with a manager in the loop (ESC-3). `ack_timeout` is
    counted from the last activity of whoever acknowledged (ESC-9). After the last pass the fallback manager is paged
    every `exhausted_every`. `required_acks` people have to acknowledge before the paging stops.
    """

    name: str
    version: int
    steps: tuple[Step, ...]
    repeat: int = 0
    ack_timeout: timedelta = ACK_TIMEOUTS["P1"]
    exhausted_every: timedelta = EXHAUSTED_EVERY
    required_acks: int = 1
    pager: Pager = Pager.INTERNAL

    def __post_init__(self) -> None:
        if not self.steps:
            raise ValueError("steps: a policy needs at least one step")
        for i, step in enumerate(self.steps):
            if not step.targets:
                raise ValueError(f"steps[{i}].targets: a step needs at least one target")
            if step.delay < timedelta(0):
                raise ValueError(f"steps[{i}].delay: a step cannot wait less than nothing")
        if min(self.ack_timeout, self.exhausted_every) <= timedelta(0):
            raise ValueError("ack_timeout and exhausted_every must be longer than nothing")
        if self.required_acks < 1:
            raise ValueError("required_acks: at least one person has to acknowledge")
        told = {target.kind for target in self.steps[0].targets}
        if self.pager is Pager.PAGERDUTY and Kind.PAGERDUTY not in told:
            raise ValueError("steps[0].targets: the pager of record has to be told in the first step")
        if self.repeat < FOR_EVER:
            raise ValueError("repeat: a number of additional passes, or -1 for ever")
        if self.repeat == FOR_EVER and not any(map(_always_pages_a_manager, self.steps)):
            raise ValueError("repeat: -1 needs a step that always pages a manager")

    def to_spec(self) -> dict[str, Any]:
        return {
            "name": self.name,
            "version": self.version,
            "steps": [step.to_spec() for step in self.steps],
            "repeat": self.repeat,
            "ack_timeout_seconds": _seconds(self.ack_timeout),
            "exhausted_every_seconds": _seconds(self.exhausted_every),
            "required_acks": self.required_acks,
            "pager": self.pager.value,
        }

    @classmethod
    def from_spec(cls, spec: Any, path: str = "policy", *, severity: str = "P1") -> Policy:
        """Read a policy from JSON; `severity` decides the acknowledgement timeout where none is given.

        Raises ValueError naming the path of the wrong field.
        """
        fields = _policy_fields(spec, path, severity)
        try:
            return cls(**fields)
        except ValueError as error:
            raise ValueError(reading.join(path, error)) from error


def ack_timeout(severity: str) -> timedelta:
    """How long an acknowledgement holds without activity, by default (ESC-9)."""
    return ACK_TIMEOUTS.get(severity, ACK_TIMEOUT_OTHERWISE)


def _policy_fields(spec: Any, path: str, severity: str) -> dict[str, Any]:
    spec = reading.mapping(spec, path, allowed=_POLICY_FIELDS, required=("steps",))

    def number(key: str, default: int, least: int) -> int:
        return reading.whole(spec.get(key, default), f"{path}.{key}", least=least)

    steps = reading.sequence(spec["steps"], f"{path}.steps")
    return {
        "name": reading.text(spec.get("name", "policy"), f"{path}.name"),
        "version": number("version", 1, 0),
        "steps": tuple(Step.from_spec(step, f"{path}.steps[{i}]") for i, step in enumerate(steps)),
        "repeat": number("repeat", 0, FOR_EVER),
        "ack_timeout": timedelta(seconds=number("ack_timeout_seconds", _seconds(ack_timeout(severity)), 1)),
        "exhausted_every": timedelta(seconds=number("exhausted_every_seconds", _seconds(EXHAUSTED_EVERY), 1)),
        "required_acks": number("required_acks", 1, 1),
        "pager": Pager(reading.one_of(spec.get("pager", Pager.INTERNAL), f"{path}.pager", list(Pager))),
    }


def _always_pages_a_manager(step: Step) -> bool:
    return step.condition == ALWAYS and any(target.kind in MANAGERS for target in step.targets)


def _seconds(length: timedelta) -> int:
    return int(length.total_seconds())


def _weekdays(value: Any, path: str) -> Iterator[int]:
    for i, item in enumerate(reading.sequence(value, path)):
        yield reading.whole(item, f"{path}[{i}]", least=0, most=6)


def _severities(value: Any, path: str) -> Iterator[str]:
    for i, item in enumerate(reading.sequence(value, path)):
        yield reading.one_of(item, f"{path}[{i}]", SEVERITIES)


def _window(spec: Mapping[str, Any], path: str) -> tuple[time, time] | None:
    if "from" not in spec and "to" not in spec:
        return None
    opens, closes = (_wall_time(spec.get(edge), f"{path}.{edge}") for edge in ("from", "to"))
    if opens == closes:
        raise ValueError(f"{path}.to: a window needs two different times; leave both out for the whole day")
    return opens, closes


def _wall_time(value: Any, path: str) -> time:
    try:
        return datetime.strptime(str(value), "%H:%M").time()  # noqa: DTZ007 - a reading of a wall clock has no zone
    except ValueError as error:
        raise ValueError(f"{path}: expected a time such as 22:00, got {value!r}") from error
