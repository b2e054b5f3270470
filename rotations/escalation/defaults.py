"""The escalation policies a new desk starts with (domain §5.1). Managers edit them as new versions. Pure."""

from __future__ import annotations

from datetime import timedelta

from rotations.escalation.policy import Kind, Policy, Step, Target, ack_timeout


def _step(minutes: int, *targets: Kind) -> Step:
    return Step(tuple(Target(kind) for kind in targets), timedelta(minutes=minutes))


P1 = Policy(
    "P1, around the clock",
    1,
    (
        Step((Target(Kind.PRIMARY), Target(Kind.CHANNEL, "@oncall")), timedelta(minutes=3)),
        _step(3, Kind.BACKUP, Kind.PRIMARY),
        _step(2, Kind.EMERGENCY_PHONE, Kind.NEIGHBOUR),
        _step(2, Kind.SENIORS, Kind.HEAD_OF_SUPPORT),
    ),
    repeat=2,
    ack_timeout=ack_timeout("P1"),
)
P2 = Policy(
    "P2, around the clock",
    1,
    (
        _step(5, Kind.PRIMARY),
        _step(10, Kind.BACKUP, Kind.PRIMARY),
        _step(15, Kind.DUTY_MANAGER, Kind.NEIGHBOUR),
    ),
    repeat=1,
    ack_timeout=ack_timeout("P2"),
)
P3 = Policy(
    "P3, business hours",
    1,
    (_step(60, Kind.PRIMARY),),
    ack_timeout=ack_timeout("P3"),
    exhausted_every=timedelta(hours=1),
)
# What holds where nobody wrote a policy: whoever stands in for everybody, again and again (D12).
LAST_RESORT = Policy("Last resort", 1, (_step(5, Kind.MANAGER),), ack_timeout=ack_timeout("P1"))
DEFAULTS = {"P1": P1, "P2": P2, "P3": P3}  # P4 stays in the queue: it has no policy
