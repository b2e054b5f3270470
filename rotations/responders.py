"""People who may be paged: whether a page can reach them, and how it rings them (ESC-14). Pure."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from rotations.escalation.chain import URGENT
from rotations.escalation.policy import Kind
from supportdesk.accounts import reach
from supportdesk.accounts.reach import Attempt, Method

# Stands in for a person where only the deployment's emergency number is left (§1.4 "Fallback manager").
EMERGENCY = "emergency"
CALL = "phone"  # the kind of method that makes a noise
GONE = "is no longer active"
QUIET = frozenset({"slack", "sms"})  # what goes before the call; a P1 needs one of these too


def attempts(
    methods: Iterable[Method], own: Iterable[Attempt], *, severity: str, reason: str = ""
) -> tuple[Attempt, ...]:
    """The attempts of a page, in order; none where a severity that wakes nobody meets a person with only a phone.

    `methods` are the ways that would work now, `own` the person's own rules for this severity. On the emergency phone
    there are only calls.
    """
    usable = list(methods)
    phones = [method for method in usable if method.kind == CALL]
    if reason == Kind.EMERGENCY_PHONE and phones:
        return reach.chain(phones, important=True)
    kept = [attempt for attempt in own if attempt.method in usable]
    return reach.chain(usable, important=severity in URGENT, rules=kept)


@dataclass(frozen=True, slots=True)
class Responder:
    """Somebody who may be paged. `methods` would work now: verified, enabled, and the desk is connected to the vendor.

    `is_verified`: any method is verified and enabled, connected or not. `important` and `default` are their own rules
    for P1 and P2, and for the rest.
    """

    id: str
    name: str
    is_active: bool = True
    is_verified: bool = True
    methods: tuple[Method, ...] = ()
    important: tuple[Attempt, ...] = ()
    default: tuple[Attempt, ...] = ()

    def why_not(self) -> str:
        """Why they cannot be paged at all; empty if they can."""
        if not self.is_active:
            return GONE
        if not self.is_verified:
            return "has no verified contact method"
        return "" if self.methods else "has no method the desk is connected to"

    def attempts(self, severity: str, reason: str = "") -> tuple[Attempt, ...]:
        """How a page of this severity rings them."""
        own = self.important if severity in URGENT else self.default
        return attempts(self.methods, own, severity=severity, reason=reason)

    @property
    def kinds(self) -> frozenset[str]:
        """The kinds of method that would work now."""
        return frozenset(method.kind for method in self.methods)
