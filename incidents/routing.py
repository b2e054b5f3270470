"""Who hears what, by which channel (domain §6, §7). Pure: the table is data, the answer a list of audiences.

Responders are paged by escalation policies, not from here; this is everything else that is said.
"""

from __future__ import annotations

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


ROUTES: dict[str, tuple[Audience, ...]] = {
    "received": (Audience.REPORTER, Audience.CUSTOMER_CHANNEL),
    "received_queued": (Audience.REPORTER, Audience.CUSTOMER_CHANNEL),
    "received_no_contract": (Audience.REPORTER, Audience.ACCOUNT_MANAGER),
    "declared": (Audience.DESK_CHANNEL,),
    "acknowledged": (Audience.REPORTER, Audience.CUSTOMER_CHANNEL, Audience.DESK_CHANNEL, Audience.PAGERDUTY),
    "message": (Audience.REPORTER, Audience.CUSTOMER_CHANNEL),
    "update": (Audience.REPORTER, Audience.CUSTOMER_CHANNEL, Audience.DESK_CHANNEL),
    "customer_message": (Audience.RESPONDER, Audience.DESK_CHANNEL),
    "severity_changed": (Audience.REPORTER, Audience.CUSTOMER_CHANNEL, Audience.DESK_CHANNEL),
    "resolved": (Audience.REPORTER, Audience.CUSTOMER_CHANNEL, Audience.DESK_CHANNEL, Audience.PAGERDUTY),
    "reopened": (Audience.RESPONDER, Audience.DESK_CHANNEL),
    "confirmed": (Audience.RESPONDER, Audience.DESK_CHANNEL),
    "cancelled": (Audience.REPORTER, Audience.CUSTOMER_CHANNEL, Audience.DESK_CHANNEL, Audience.PAGERDUTY),
    "warning": (Audience.RESPONDER, Audience.DESK_CHANNEL),
    "breach": (Audience.RESPONDER, Audience.DESK_CHANNEL, Audience.ACCOUNT_MANAGER),
    "no_answer": (Audience.DESK_CHANNEL,),
    "report_published": (Audience.REPORTER,),
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
}

# What moves an alert at PagerDuty; every other kind there would be noise.
PAGERDUTY_ACTIONS = {"acknowledged": "acknowledge", "resolved": "resolve", "cancelled": "resolve"}

# These read the customer's words and the portal's links; the rest read ours.
CUSTOMER_AUDIENCES = frozenset({Audience.REPORTER, Audience.CUSTOMER_CHANNEL})


def audiences(kind: str) -> tuple[Audience, ...]:
    """Who hears this kind of message.

    Raises KeyError for a kind nobody planned: silence must be decided, not forgotten.
    """
    return ROUTES[kind]
