"""What would happen: if this organization reported this severity at that instant, who would be contacted when, by what.

The same decision, the same engine and the same people as for a real report, played forward. Stores nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import groupby
from operator import attrgetter
from typing import Any

from django.conf import settings

from rotations import policies
from rotations.escalation import Event, EventKind, Policy, run
from rotations.escalation import effects as fx
from rotations.escalation.chain import URGENT
from rotations.escalation.defaults import LAST_RESORT
from rotations.escalation.policy import Kind, Pager, Target
from rotations.escalation.reach import clock
from rotations.escalation.reading import written as instant
from rotations.models import Schedule
from rotations.oncall import EMERGENCY, Directory, LivePeople
from rotations.responders import CALL
from supportdesk import entitlements, instants
from supportdesk.accounts.models import ContactMethod
from supportdesk.accounts.quiet import kept_until
from supportdesk.accounts.reach import Attempt, Method, chain
from supportdesk.calendars import ALWAYS
from supportdesk.entitlements import SEVERITIES, Decision, Engagement
from supportdesk.errors import Invalid
from supportdesk.integrations.lines import Lines
from supportdesk.organizations import terms
from supportdesk.organizations.models import Organization, Service

PLAYED = timedelta(hours=2)
FURTHEST = timedelta(days=800)
_METHODS = dict(ContactMethod.Kind.choices)
_REASONS: dict[str, str] = {
    Kind.PRIMARY: "primary",
    Kind.BACKUP: "backup",
    Kind.NEIGHBOUR: "primary of the next site",
    Kind.SCHEDULE: "primary of another schedule",
    Kind.PERSON: "named in the policy",
    Kind.TEAM: "named in the policy",
    Kind.SENIORS: "senior engineer",
    Kind.DUTY_MANAGER: "duty manager",
    Kind.EMERGENCY_PHONE: "duty manager, by phone",
    Kind.MANAGER: "last resort",
    Kind.HEAD_OF_SUPPORT: "head of support",
    fx.Reason.NO_TARGET: "last resort: the step found nobody",
    fx.Reason.SHIFT_CHANGE: "their shift begins",
    fx.Reason.EXHAUSTED: "last resort: nobody answered",
}


@dataclass(frozen=True, slots=True)
class Contact:
    """One attempt to reach somebody: by which method, at which address, planned for when."""

    method: str
    address: str
    at: datetime


@dataclass(frozen=True, slots=True)
class Planned:
    """Something the desk would do at `at`: page a person, tell a channel, or find nobody.

    `contacts` are the attempts of a page, in order; `is_trouble` marks what should not happen.
    """

    at: datetime
    after: timedelta
    step: int
    turn: int
    who: str
    why: str
    contacts: tuple[Contact, ...] = ()
    is_trouble: bool = False

    @property
    def after_in_words(self) -> str:
        return f"T+{clock(self.after)}"

    @property
    def ways(self) -> list[tuple[datetime, list[Contact]]]:
        """The attempts by when they leave."""
        return [(at, list(together)) for at, together in groupby(self.contacts, key=attrgetter("at"))]


@dataclass(frozen=True, slots=True)
class Answer:
    """What would happen. `begins_at`: when the paging begins, None where nobody is paged; `policy`: by which policy."""

    organization: Organization
    service: Service | None
    severity: str
    at: datetime
    decision: Decision
    begins_at: datetime | None
    policy: str
    planned: tuple[Planned, ...]
    outcome: str

    @property
    def passes(self) -> list[tuple[int, list[Planned]]]:
        """What is planned, pass by pass."""
        return [(turn, list(of_pass)) for turn, of_pass in groupby(self.planned, key=attrgetter("turn"))]

    def to_spec(self) -> dict[str, Any]:
        """As plain JSON values."""
        return {
            "organization": self.organization.slug,
            "service": self.service.slug if self.service else None,
            "severity": self.severity,
            "at": instant(self.at),
            "decision": self.decision.to_spec(),
            "paging_begins_at": instant(self.begins_at) if self.begins_at else None,
            "policy": self.policy or None,
            "planned": [_planned_spec(planned) for planned in self.planned],
            "outcome": self.outcome,
        }


def what_if(organization: Organization, severity: str, at: datetime, service: Service | None = None) -> Answer:
    """What the desk would do with a report at `at`, by the contracts, policies, schedules and methods it has now.

    Nobody acknowledges. Raises `Invalid` for an unknown severity, a service that is not theirs, or an instant more than
    800 days away.
    """
    if abs(at - instants.now()) > FURTHEST:
        raise Invalid(f"Ask about a time within {FURTHEST.days} days of now.", field="at")
    if severity not in SEVERITIES:
        raise Invalid(f"Severity is one of {', '.join(SEVERITIES)}.", field="severity")
    if service is not None and service.organization_id not in (None, organization.pk):
        raise Invalid("There is no such service.", field="service")
    owed = terms.entitlement(organization, at)
    decision = entitlements.decide(owed, severity, at)
    begins_at = _begins(owed, decision, at)
    if begins_at is None:
        return Answer(
            organization, service, severity, at, decision, None, "", (), _without_pages(decision, organization)
        )
    row = policies.choose(
        severity,
        plan=owed.plan.code if owed.plan else "",
        organization_id=organization.pk,
        service_id=service.pk if service else None,
    )
    if row is None and severity not in URGENT:
        said = f"No escalation policy covers {severity} here: nobody would be paged."
        return Answer(organization, service, severity, at, decision, begins_at, "", (), said)
    policy = row.value() if row else LAST_RESORT
    schedule = row.schedule if row else Schedule.objects.filter(duty=True).first()
    people = LivePeople(schedule, Directory(Lines.load()))
    always = owed.calendar(severity) is ALWAYS
    planned = tuple(_Play(policy, people, severity, begins_at, around_the_clock=always).played())
    return Answer(
        organization, service, severity, at, decision, begins_at, policy.name, planned, _ending(policy, planned)
    )


def _begins(owed: entitlements.Entitlement, decision: Decision, at: datetime) -> datetime | None:
    """When somebody is paged: now, when the desk opens, or never."""
    if decision.pages:
        return at
    if decision.engagement is Engagement.QUEUED and decision.opens_at is not None:
        opened = entitlements.decide(owed, decision.severity, decision.opens_at)
        return decision.opens_at if opened.pages else None
    return None


def _without_pages(decision: Decision, organization: Organization) -> str:
    if decision.engagement is Engagement.UNENTITLED:
        manager = organization.account_manager.name if organization.account_manager else "a manager"
        return f"Nobody is paged. It is stored and queued, and {manager} is told."
    if decision.pages_duty_manager:
        return "Nobody is paged for it, and the duty manager is told: its hours never come."
    return f"Nobody is paged: {decision.severity} joins the queue."


class _Play:
    """One escalation played forward with nobody answering."""

    def __init__(
        self, policy: Policy, people: LivePeople, severity: str, start: datetime, *, around_the_clock: bool
    ) -> None:
        self.policy = policy
        self.people = people
        self.severity = severity
        self.start = start
        self.around_the_clock = around_the_clock
        self.waiting: set[tuple[str, datetime]] = set()  # who is told in the morning, and when

    def played(self) -> Iterator[Planned]:
        """What it does, in order, until the first round after the last pass or for two hours."""
        start = Event(EventKind.START, self.start, severity=self.severity)
        exhausted = False
        for effect in run(self.policy, self.people, [start], self.start + PLAYED).effects:
            if exhausted and isinstance(effect, fx.Page):
                yield self._page(effect)
                return
            exhausted = exhausted or isinstance(effect, fx.Exhausted)
            if (said := _SAID.get(type(effect))) is not None:
                yield said(self, effect)

    def _page(self, effect: fx.Page) -> Planned:
        name = "the emergency number" if effect.person == EMERGENCY else self._name(effect.person)
        by_vendor = effect.pager is not Pager.INTERNAL
        kept = None if by_vendor else self._kept_until(effect)
        is_told_then = kept is not None and (effect.person, kept) in self.waiting
        contacts = () if by_vendor or is_told_then else tuple(self._contacts(effect, kept or effect.at))
        why = _REASONS.get(effect.reason, effect.reason) + (", rung by PagerDuty" if by_vendor else "")
        if kept is not None:
            self.waiting.add((effect.person, kept))
            why += ", kept for the end of their quiet hours" + (" like the page before" if is_told_then else "")
        return self._planned(effect, name, why, contacts, is_trouble=not (by_vendor or is_told_then or contacts))

    def _kept_until(self, effect: fx.Page) -> datetime | None:
        """When somebody's quiet hours let a page through (ESC-15)."""
        user = self.people.directory.user(effect.person)
        hours = user.quiet_hours if user else None
        return kept_until(hours, effect.at, severity=self.severity, around_the_clock=self.around_the_clock)

    def _contacts(self, effect: fx.Page, begins: datetime) -> Iterator[Contact]:
        for attempt in self._attempts(effect):
            method = _METHODS.get(attempt.method.kind, attempt.method.kind)
            yield Contact(method, attempt.method.address, begins + attempt.after)

    def _attempts(self, effect: fx.Page) -> tuple[Attempt, ...]:
        if effect.person == EMERGENCY:
            number = settings.EMERGENCY_NUMBER
            return chain([Method(CALL, number)] if number else [], important=True)
        found = self.people.directory.responder(effect.person)
        return found.attempts(self.severity, effect.reason) if found else ()

    def _channel(self, effect: fx.Channel) -> Planned:
        return self._planned(effect, _channel_name(effect.target), "told as well")

    def _nobody(self, effect: fx.NobodyOnCall) -> Planned:
        return self._planned(effect, "Nobody", "the step finds nobody who can be paged", is_trouble=True)

    def _skipped(self, effect: fx.Skipped) -> Planned:
        return self._planned(effect, self._name(effect.person), f"not paged: {effect.why}")

    def _planned(
        self, effect: Any, who: str, why: str, contacts: tuple[Contact, ...] = (), *, is_trouble: bool = False
    ) -> Planned:
        after = effect.at - self.start
        return Planned(effect.at, after, effect.step, effect.pass_number, who, why, contacts, is_trouble)

    def _name(self, person: str) -> str:
        user = self.people.directory.user(person)
        return user.name if user else "somebody who left"


_SAID: dict[type, Callable[[_Play, Any], Planned]] = {
    fx.Page: _Play._page,
    fx.Channel: _Play._channel,
    fx.NobodyOnCall: _Play._nobody,
    fx.Skipped: _Play._skipped,
}


def _channel_name(target: Target) -> str:
    if target.kind is Kind.PAGERDUTY:
        return "PagerDuty"
    return "The customer's channel and ours" if target.ref == "@oncall" else f"Channel {target.ref}"


def _ending(policy: Policy, planned: tuple[Planned, ...]) -> str:
    every = int(policy.exhausted_every.total_seconds()) // 60
    rhythm = f"every {every} minutes" if every != 1 else "every minute"
    if any(one.why == _REASONS[fx.Reason.EXHAUSTED] for one in planned):
        return f"If nobody has answered by then, the last resort is paged {rhythm} until somebody does."
    return "If nobody answers, the chain goes on."


def _planned_spec(planned: Planned) -> dict[str, Any]:
    return {
        "at": instant(planned.at),
        "after_seconds": int(planned.after.total_seconds()),
        "step": planned.step,
        "pass": planned.turn,
        "who": planned.who,
        "why": planned.why,
        "is_trouble": planned.is_trouble,
        "contacts": [
            {"method": contact.method, "address": contact.address, "at": instant(contact.at)}
            for contact in planned.contacts
        ],
    }
