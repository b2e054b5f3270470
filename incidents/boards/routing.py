"""Who hears what, and who would hear this: the very deliveries a verb would post, made and thrown away."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from incidents import samples, telling
from incidents.counterparts import COUNTERPARTS
from incidents.models import Incident, Stakeholder
from incidents.routing import ROUTES, TOPICS, Audience, Topic, topic_of
from supportdesk import instants
from supportdesk.integrations.lines import Lines
from supportdesk.organizations.models import Contact, Organization, Service
from supportdesk.queue.outbox import Post

CUSTOMER, OURS, SYSTEMS = "customer", "ours", "systems"
GROUPS = {CUSTOMER: "The customer", OURS: "Us", SYSTEMS: "Other systems"}
_WIRES = {"email": "e-mail", "slack": "Slack"}

TOPIC_WORDS = {
    Topic.OPENED: "An incident is opened",
    Topic.PROGRESS: "It is taken, updated, or changes severity",
    Topic.RESOLVED: "It is solved, reopened, cancelled or merged",
    Topic.TROUBLE: "A promise is in danger or missed, or nobody answers",
    Topic.BRIEFINGS: "A briefing for executives",
    Topic.REPORT: "The post-incident report is published",
}
KIND_WORDS = {
    "received": "A report was received",
    "received_queued": "A report waits for opening hours",
    "received_no_contract": "A report without a contract",
    "declared": "An incident was declared",
    "acknowledged": "Somebody has it",
    "update": "A status update",
    "severity_changed": "Another severity",
    "update_late": "An update is late",
    "cadence": "Another rhythm of updates",
    "resolved": "It is solved",
    "reopened": "It is open again",
    "confirmed": "The customer confirms",
    "cancelled": "It is cancelled",
    "merged": "It was merged into another",
    "breach": "A promise was missed",
    "warning": "A promise is in danger",
    "no_answer": "Nobody answers",
    "briefing": "A briefing for our executives",
    "briefing_external": "A briefing for theirs",
    "report_published": "The report is published",
}
AUDIENCE_WORDS = {
    Audience.REPORTER: "the reporter, by e-mail",
    Audience.CUSTOMER_CHANNEL: "the customer's Slack channel",
    Audience.DESK_CHANNEL: "our Slack channel",
    Audience.DUTY_MANAGER: "the duty manager, by their own e-mail and Slack",
    Audience.RESPONDER: "whoever has taken it, by their own e-mail and Slack",
    Audience.ACCOUNT_MANAGER: "the account manager, by e-mail",
    Audience.PAGERDUTY: "PagerDuty, where it was paged there",
    Audience.TICKET: "the Jira ticket",
    Audience.INCIDENT_IO: "incident.io",
    Audience.WAR_ROOM: "the war room's channel",
    Audience.COMMS: "comms lead and liaison, by their own e-mail and Slack",
    Audience.EXECUTIVES: "sponsor and account manager, by their own e-mail and Slack",
    Audience.CUSTOMER_EXECUTIVES: "the customer's executives, by e-mail",
}
# Parts nobody has yet in an incident that is only imagined.
_UNFILLED = (Audience.RESPONDER, Audience.COMMS, Audience.WAR_ROOM, Audience.PAGERDUTY)


@dataclass(frozen=True, slots=True)
class Reader:
    """Somebody who would hear it: who, by what, where, and as what."""

    name: str
    by: str
    to: str
    audience: Audience
    group: str

    @property
    def is_stakeholder(self) -> bool:
        return self.audience is Audience.STAKEHOLDER


def readers(
    incident: Incident, kind: str, lines: Lines | None = None, heard_by: tuple[Audience, ...] | None = None
) -> list[Reader]:
    """Everybody a message of a kind would go to, in order; `heard_by` limits it to some audiences, and stakeholders."""
    teller = telling.Teller(incident, kind, "preview", {}, lines or Lines.load(), heard_by=heard_by)
    return [_reader(audience, post) for audience, post in teller.heard()]


def _reader(audience: Audience, post: Post) -> Reader:
    is_system = audience in COUNTERPARTS
    group = SYSTEMS if is_system else OURS if post.facts["for_staff"] else CUSTOMER
    return Reader(post.recipient, _WIRES.get(post.vendor, post.vendor), "" if is_system else post.to, audience, group)


def imagined(organization: Organization | None, service: Service | None, severity: str) -> Incident:
    """An incident there is not, to ask who would hear of it. It has no reporter and nobody has taken it."""
    incident = samples.incident()
    incident.pk, incident.organization, incident.service = 0, organization, service
    incident.severity, incident.received_at = severity, instants.now()
    if organization is not None:
        incident.reporter = Contact(organization=organization, name="Whoever reports it", email="their own address")
    return incident


def unfilled(kind: str) -> list[str]:
    """Who hears it besides, once somebody has that part."""
    return [AUDIENCE_WORDS[audience] for audience in ROUTES[kind] if audience in _UNFILLED]


def grouped(found: Iterable[Reader]) -> list[dict[str, Any]]:
    """Readers as the page shows them: theirs, ours, other systems."""
    listed = list(dict.fromkeys(found))  # a system may get several messages of one kind
    return [
        {"slug": slug, "label": label, "readers": [one for one in listed if one.group == slug]}
        for slug, label in GROUPS.items()
    ]


def by_default() -> list[dict[str, Any]]:
    """The table: for every topic its kinds, and who hears each by their part."""
    return [
        {
            "topic": topic,
            "label": TOPIC_WORDS[topic],
            "kinds": [
                {"label": KIND_WORDS[kind], "heard_by": [AUDIENCE_WORDS[audience] for audience in ROUTES[kind]]}
                for kind in KIND_WORDS
                if kind in TOPICS[topic]
            ],
        }
        for topic in Topic
    ]


def kind_choices() -> list[tuple[str, list[tuple[str, str]]]]:
    """Every kind somebody can ask for, by topic, for a field."""
    return [
        (TOPIC_WORDS[topic], [(kind, words) for kind, words in KIND_WORDS.items() if topic_of(kind) is topic])
        for topic in Topic
    ]


def stakeholders() -> list[Stakeholder]:
    """Everybody who asked, those who hear of every organization first."""
    rows = Stakeholder.objects.select_related("organization", "service", "user", "contact")
    return sorted(rows, key=lambda row: (str(row.organization or ""), str(row.service or ""), row.shown_name))
