"""A made-up incident and what can be said of it: what previews of messages are filled with. Nothing is stored."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from incidents import facts, routing
from incidents.models import Incident
from incidents.models.incident import Source
from incidents.states import Status
from supportdesk import words
from supportdesk.localised import Moment, in_words_of
from supportdesk.organizations.models import Organization, Service

AT = datetime(2026, 3, 29, 0, 40, tzinfo=UTC)  # the night the clocks go forward in Berlin
ZONE = "Europe/Berlin"
_PEOPLE = ("who", "author", "commander", "reader", "person", "outgoing", "incoming", "account_manager", "holder")
_SAID = {
    "text": "The card provider answers again and orders go through. We watch it for an hour.",
    "state": "About half of all card payments fail.",
    "doing": "We move payments to the second provider.",
    "reason": "A way around it works for most users.",
    "headline": "Card payments fail for about half of all orders.",
    "survivor": "INC-4700",
    "before": "P2",
    "before_word": "high",
    "promise": "Next update",
    "waits_for": "an update",
    "plan": "M",
    "interval_words": "30 min",
    "scope_words": "an engineer is called now, we work on it around the clock",
    "number": 4711,
    "count": 3,
    "days": 7,
    "code": "481 516",
    "spoken": "4, 8, 1, 5, 1, 6",
    "left": "4 min",
    "late_by": "",
    "late_local": "",
}
_ABOUT_INCIDENTS = frozenset(routing.ROUTES) | {"page", "oncall"}
_WHETHER = frozenset({"pages", "upheld", "may_dispute", "is_owed"})


def incident() -> Incident:
    """A critical incident of a customer in Berlin, on the night the clocks change."""
    organization = Organization(pk=0, name="Example Ltd", slug="example", time_zone=ZONE)
    return Incident(
        pk=4711,
        organization=organization,
        service=Service(name="Checkout"),
        title="Checkout is down",
        description="Nobody can pay since 01:30.",
        source=Source.PORTAL,
        impact=1,
        urgency=1,
        severity="P1",
        status=Status.INVESTIGATING,
        detected_at=AT,
        received_at=AT,
    )


def sample_facts(kind: str, language: str = "en") -> dict[str, Any]:
    """Everything the text of a kind may use, for the sample incident."""
    said = facts.for_customer if kind in routing.CUSTOMER_KINDS else facts.for_staff
    told = said(incident()) if kind in _ABOUT_INCIDENTS else {}
    used = frozenset().union(*(words.shipped_facts(kind, vendor) for one, vendor in words.editable() if one == kind))
    more = {name: _of(name) for name in used - told.keys() - {"desk"}}
    return in_words_of({**more, **told, "reader": "Alice Moreau"}, language)


def known_facts(kind: str) -> frozenset[str]:
    """What every message about an incident can say, beside what its own text uses."""
    if kind not in _ABOUT_INCIDENTS:
        return frozenset({"reader"}) & words.shipped_facts(kind)
    return frozenset(facts.for_customer(incident())) - {"thread", "drill", "button", "number"}


def _of(name: str) -> Any:
    if name in _SAID:
        return _SAID[name]
    if name in _WHETHER:
        return True
    if name.endswith("_local"):
        return Moment(AT + timedelta(minutes=30), ZONE)
    if name in _PEOPLE:
        return "Bob Novak"
    if name in ("url", "link") or name.endswith("_url"):
        return "https://desk.example/…"
    return f"({name.replace('_', ' ')})"
