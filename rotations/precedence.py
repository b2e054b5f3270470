"""Which rule hands out an escalation policy: the most specific that matches; service, organization, plan. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Protocol, TypeVar


class Rule(Protocol):
    """A rule names a severity and, where it is special, a plan, an organization or a service."""

    @property
    def severity(self) -> str: ...
    @property
    def plan_code(self) -> str: ...
    @property
    def organization_id(self) -> int | None: ...
    @property
    def service_id(self) -> int | None: ...


R = TypeVar("R", bound=Rule)


def most_specific(
    rules: Iterable[R],
    severity: str,
    *,
    plan: str = "",
    organization_id: int | None = None,
    service_id: int | None = None,
) -> R | None:
    """The rule for an incident; None where no rule covers it. A service goes before an organization before a plan."""
    matching = (
        rule
        for rule in rules
        if rule.severity == severity
        and rule.plan_code in ("", plan)
        and rule.organization_id in (None, organization_id)
        and rule.service_id in (None, service_id)
    )
    return max(matching, key=_precision, default=None)


def _precision(rule: Rule) -> tuple[bool, bool, bool]:
    return rule.service_id is not None, rule.organization_id is not None, rule.plan_code != ""
