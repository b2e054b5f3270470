"""Who hears what, by which channel (domain §6, §7). Pure: the table is data, the answer a list of audiences.

Responders are paged by escalation policies, not from here; this is everything else that is said.
"""

from __future__ import annotations

from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from enum import StrEnum


class Audience(StrEnum):
    """A reader, named by the part they have in an incident."""

    REPORTER = "reporter"  # by e-mail
    CUSTOMER_CHANNEL = "customer_channel"  # the organization's own Slack channel
    DESK_CHANNEL = "desk_channel"  # our Slack channel
    DUTY_MANAGER = "duty_manager"  # whoever has the duty, by their silent methods
    RESPONDER = "responder"  # whoever acknowledged or owns it, by their silent methods
    ACCOUNT_MANAGER = "account_manager"  # by e-mail
    PAGERDUTY = "pagerduty"
    TICKET = "ticket"  # the Jira ticket of the incident
    INCIDENT_IO = "incident_io"  # the incident beside ours
    WAR_ROOM = "war_room"  # the incident's own Slack channel, ours as long as it has none
    COMMS = "comms"  # comms lead and customer liaison, by their silent methods
    EXECUTIVES = "executives"  # executive sponsor and account manager, by their silent methods
    CUSTOMER_EXECUTIVES = "customer_executives"  # contacts marked as executives, by e-mail
    STAKEHOLDER = "stakeholder"  # whoever asked to hear of it


ROUTES: dict[str, tuple[Audience, ...]] = {
    "known_problem": (Audience.REPORTER, Audience.CUSTOMER_CHANNEL),
    "received": (Audience.REPORTER, Audience.CUSTOMER_CHANNEL, Audience.TICKET),
    "received_queued": (Audience.REPORTER, Audience.CUSTOMER_CHANNEL, Audience.TICKET),
    "received_no_contract": (Audience.REPORTER, Audience.ACCOUNT_MANAGER, Audience.TICKET),
    "declared": (Audience.DESK_CHANNEL, Audience.INCIDENT_IO),
    "acknowledged": (
        Audience.REPORTER,
        Audience.CUSTOMER_CHANNEL,
        Audience.DESK_CHANNEL,
        Audience.PAGERDUTY,
        Audience.TICKET,
        Audience.INCIDENT_IO,
    ),
    "message": (Audience.REPORTER, Audience.CUSTOMER_CHANNEL, Audience.TICKET),
    "update": (
        Audience.REPORTER,
        Audience.CUSTOMER_CHANNEL,
        Audience.DESK_CHANNEL,
        Audience.PAGERDUTY,
        Audience.TICKET,
        Audience.INCIDENT_IO,
    ),
    "note": (Audience.PAGERDUTY, Audience.TICKET),
    "customer_message": (Audience.RESPONDER, Audience.DESK_CHANNEL, Audience.PAGERDUTY, Audience.TICKET),
    "severity_changed": (
        Audience.REPORTER,
        Audience.CUSTOMER_CHANNEL,
        Audience.DESK_CHANNEL,
        Audience.TICKET,
        Audience.INCIDENT_IO,
    ),
    "resolved": (
        Audience.REPORTER,
        Audience.CUSTOMER_CHANNEL,
        Audience.DESK_CHANNEL,
        Audience.PAGERDUTY,
        Audience.TICKET,
        Audience.INCIDENT_IO,
    ),
    "reopened": (Audience.RESPONDER, Audience.DESK_CHANNEL, Audience.TICKET, Audience.INCIDENT_IO),
    "confirmed": (Audience.RESPONDER, Audience.DESK_CHANNEL),
    "cancelled": (
        Audience.REPORTER,
        Audience.CUSTOMER_CHANNEL,
        Audience.DESK_CHANNEL,
        Audience.PAGERDUTY,
        Audience.TICKET,
        Audience.INCIDENT_IO,
    ),
    "merged": (
        Audience.REPORTER,
        Audience.CUSTOMER_CHANNEL,
        Audience.DESK_CHANNEL,
        Audience.PAGERDUTY,
        Audience.TICKET,
        Audience.INCIDENT_IO,
    ),
    "warning": (Audience.RESPONDER, Audience.DESK_CHANNEL),
    "breach": (Audience.RESPONDER, Audience.DESK_CHANNEL, Audience.ACCOUNT_MANAGER, Audience.WAR_ROOM),
    "no_answer": (Audience.DESK_CHANNEL,),
    "report_published": (Audience.REPORTER, Audience.TICKET),
    "upgraded": (Audience.REPORTER, Audience.CUSTOMER_CHANNEL, Audience.DESK_CHANNEL),
    "lapsed": (Audience.ACCOUNT_MANAGER, Audience.DESK_CHANNEL),
    "goodwill": (Audience.REPORTER, Audience.CUSTOMER_CHANNEL, Audience.DESK_CHANNEL),
    "goodwill_ended": (Audience.REPORTER, Audience.CUSTOMER_CHANNEL, Audience.DESK_CHANNEL),
    "second_manager": (Audience.ACCOUNT_MANAGER, Audience.DESK_CHANNEL),
    "claims": (Audience.ACCOUNT_MANAGER,),
    "lowered_late": (Audience.DUTY_MANAGER, Audience.DESK_CHANNEL),
    "disputed": (Audience.DUTY_MANAGER, Audience.RESPONDER, Audience.DESK_CHANNEL),
    "dispute_overdue": (Audience.DUTY_MANAGER, Audience.DESK_CHANNEL),
    "dispute_decided": (Audience.REPORTER, Audience.CUSTOMER_CHANNEL, Audience.RESPONDER, Audience.DESK_CHANNEL),
    "cadence": (Audience.REPORTER, Audience.CUSTOMER_CHANNEL, Audience.DESK_CHANNEL),
    "alert_storm": (Audience.DESK_CHANNEL,),
    "recovered": (Audience.RESPONDER, Audience.DESK_CHANNEL),
    "war_room": (Audience.WAR_ROOM, Audience.RESPONDER),
    "role_given": (),  # told to the person alone
    "role_passed": (),  # told to whoever had it
    "ack_late": (Audience.DUTY_MANAGER, Audience.WAR_ROOM),
    "commander_wanted": (Audience.RESPONDER, Audience.DUTY_MANAGER, Audience.WAR_ROOM, Audience.DESK_CHANNEL),
    "notice_drafted": (Audience.RESPONDER, Audience.COMMS, Audience.WAR_ROOM),
    "update_prompt": (Audience.COMMS, Audience.RESPONDER, Audience.WAR_ROOM),
    "update_ping": (Audience.RESPONDER, Audience.WAR_ROOM),
    "update_late": (Audience.REPORTER, Audience.CUSTOMER_CHANNEL),
    "decision": (Audience.WAR_ROOM,),
    "briefing_draft": (Audience.RESPONDER, Audience.WAR_ROOM),
    "briefing": (Audience.EXECUTIVES,),
    "briefing_external": (Audience.CUSTOMER_EXECUTIVES,),
    "roles_missing": (Audience.RESPONDER, Audience.WAR_ROOM),
    "second_responder": (Audience.RESPONDER, Audience.WAR_ROOM),
    "relief": (Audience.RESPONDER, Audience.DUTY_MANAGER, Audience.WAR_ROOM),
    "hand_off": (Audience.RESPONDER,),
    "verification": (Audience.RESPONDER, Audience.WAR_ROOM),
    "reminder": (Audience.REPORTER, Audience.CUSTOMER_CHANNEL),
    "survey": (Audience.REPORTER,),
}

# What moves an alert at PagerDuty, and what is copied beside it; every other kind there would be noise.
PAGERDUTY_ACTIONS = {"acknowledged": "acknowledge", "resolved": "resolve", "cancelled": "resolve", "merged": "resolve"}
PAGERDUTY_COPIES = {"update": "status_update", "customer_message": "note", "note": "note"}

# What begins an incident: a ticket says it itself, nobody comments it.
OPENING_KINDS = frozenset({"received", "received_queued", "received_no_contract", "declared"})
# What only our own systems may keep.
INTERNAL_KINDS = frozenset({"note"})

# These read the customer's words and the portal's links; the rest read ours.
CUSTOMER_AUDIENCES = frozenset({Audience.REPORTER, Audience.CUSTOMER_CHANNEL, Audience.CUSTOMER_EXECUTIVES})
# Every kind one of them hears; and what somebody outside hears without an incident.
CUSTOMER_KINDS = frozenset(kind for kind, heard_by in ROUTES.items() if CUSTOMER_AUDIENCES & set(heard_by)) | {
    "mail_waiting",
    "invitation",
    "code",
}


class Topic(StrEnum):
    """What somebody can ask to hear of: kinds of messages, in words people use."""

    OPENED = "opened"
    PROGRESS = "progress"
    RESOLVED = "resolved"
    TROUBLE = "trouble"
    BRIEFINGS = "briefings"
    REPORT = "report"


TOPICS: dict[Topic, frozenset[str]] = {
    Topic.OPENED: frozenset({"received", "received_queued", "received_no_contract", "declared"}),
    Topic.PROGRESS: frozenset({"acknowledged", "update", "severity_changed", "update_late", "cadence"}),
    Topic.RESOLVED: frozenset({"resolved", "reopened", "confirmed", "cancelled", "merged"}),
    Topic.TROUBLE: frozenset({"breach", "warning", "no_answer"}),
    Topic.BRIEFINGS: frozenset({"briefing", "briefing_external"}),
    Topic.REPORT: frozenset({"report_published"}),
}
_TOPIC_OF = {kind: topic for topic, kinds in TOPICS.items() for kind in kinds}


@dataclass(frozen=True, slots=True)
class Wish:
    """What one stakeholder asked for. None for organization or service: of all of them."""

    topics: AbstractSet[str]
    organization_id: int | None
    service_id: int | None
    least_severity: str  # P3: of P1, P2 and P3


def topic_of(kind: str) -> Topic | None:
    """What a kind is about; None for what only those hear whom it concerns."""
    return _TOPIC_OF.get(kind)


def wants(wish: Wish, *, topic: Topic, organization_id: int | None, service_id: int | None, severity: str) -> bool:
    """Whether somebody asked to hear of this."""
    return (
        topic in wish.topics
        and wish.organization_id in (None, organization_id)
        and wish.service_id in (None, service_id)
        and severity <= wish.least_severity
    )


def audiences(kind: str) -> tuple[Audience, ...]:
    """Who hears this kind of message.

    Raises KeyError for a kind nobody planned: silence must be decided, not forgotten.
    """
    return with_stakeholders(kind, ROUTES[kind])


def with_stakeholders(kind: str, heard_by: tuple[Audience, ...]) -> tuple[Audience, ...]:
    """Those who hear it by their part, and, after them, whoever asked. What nobody hears, nobody can ask for."""
    if topic_of(kind) is None or not heard_by or Audience.STAKEHOLDER in heard_by:
        return heard_by
    return (*heard_by, Audience.STAKEHOLDER)
