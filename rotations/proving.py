"""The coverage proof from rows and back: gather once in a constant number of queries, prove, keep what came of it."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta

from django.conf import settings
from django.db.models import Prefetch
from django.utils.module_loading import import_string

from rotations import claims, coverage, oncall
from rotations.models import PolicyRule
from rotations.models import Proof as ProofRow
from rotations.models import Schedule as ScheduleRow
from rotations.proof import Caution, Claim, Evidence, Ladder, Proof, Roster, prove
from rotations.proof.written import written
from rotations.responders import CALL, EMERGENCY
from supportdesk import instants
from supportdesk.accounts.models import User
from supportdesk.actors import Role
from supportdesk.integrations.lines import Lines
from supportdesk.organizations.models import Contract, Organization

NIGHTLY, ON_SAVE = coverage.NIGHTLY, coverage.ON_SAVE


def run(kind: str, length: timedelta) -> tuple[Proof, ProofRow]:
    """Prove everything from now on and keep the result with what it took."""
    start = instants.now()
    began = time.monotonic()
    proof = current(start, start + length)
    spent = int((time.monotonic() - began) * 1000)
    row = ProofRow.objects.create(
        kind=kind, at=start, until=proof.end, ok=proof.holds, summary=written(proof, names()), duration_ms=spent
    )
    return proof, row


def names() -> Callable[[str], str]:
    """People's names by the ids the proof knows them by."""
    known = {str(pk): name for pk, name in User.objects.exclude(role=Role.CUSTOMER).values_list("pk", "name")}
    known[EMERGENCY] = "the emergency number"
    return lambda person: known.get(person, "somebody who left")


def current(start: datetime, end: datetime) -> Proof:
    """The proof from the rows as they stand, kept nowhere."""
    rules = handed_out()
    told: list[Claim] = []
    cautions: list[Caution] = []
    for organization, contracts in _organizations():
        told += claims.of_organization(organization, contracts, rules, start, end)
        cautions += claims.endings(organization, contracts, start, end)
    proof = prove(told, evidence(rules), start, end)
    warnings = sorted((*proof.warnings, *cautions), key=lambda caution: caution.at)
    return replace(proof, warnings=tuple(warnings))


def handed_out() -> list[PolicyRule]:
    """Every rule that gives a policy to incidents, with what it names. One query."""
    return list(PolicyRule.objects.select_related("plan", "service", "policy__schedule"))


def claimed(rules: list[PolicyRule], start: datetime, end: datetime) -> list[Claim]:
    """What every organization was promised from `start` until `end`, under these rules."""
    return [
        claim
        for organization, contracts in _organizations()
        for claim in claims.of_organization(organization, contracts, rules, start, end)
    ]


def _organizations() -> list[tuple[Organization, list[Contract]]]:
    contracts = Contract.objects.select_related(
        "plan_version__plan", "plan_version__business_hours", "plan_version__extended_hours", "calendar"
    )
    rows = (
        Organization.objects.filter(is_hidden=False)
        .select_related("calendar")
        .prefetch_related(Prefetch("contracts", queryset=contracts))
        .order_by("name", "pk")
    )
    return [(organization, list(organization.contracts.all())) for organization in rows]


def evidence(rules: list[PolicyRule], lines: Lines | None = None) -> Evidence:
    """What the proof stands on besides the claims, from rows."""
    lines = lines or Lines.load()
    schedules = list(ScheduleRow.objects.order_by("pk"))
    compiled = oncall.schedules(schedules)
    users = list(
        User.objects.exclude(role=Role.CUSTOMER)
        .order_by("pk")
        .prefetch_related("contact_methods", "page_rules__method")
    )
    return Evidence(
        rosters={
            row.slug: Roster(row.name, made, _key(row.fallback_id), _key(row.manager_id), str(row.stamp))
            for row, made in zip(schedules, compiled, strict=True)
        },
        ladders={rule.policy_id: Ladder(rule.policy.value(), rule.policy.schedule.slug) for rule in rules},
        people={str(user.pk): oncall.responder(user, lines) for user in users},
        duty=tuple(row.slug for row in schedules if row.duty),
        seniors=tuple(str(user.pk) for user in users if user.is_senior and user.is_active),
        managers=tuple(str(user.pk) for user in users if user.role == Role.MANAGER and user.is_active),
        has_emergency_number=bool(settings.EMERGENCY_NUMBER) and lines.has(CALL),
        has_pagerduty=lines.has("pagerduty"),
        drilled=import_string(settings.LAST_DRILLS)(),
    )


def _key(pk: int | None) -> str | None:
    return str(pk) if pk is not None else None
