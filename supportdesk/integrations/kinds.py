"""The kinds of message the desk sends: each is the name of its words in `templates/messages/`."""

from __future__ import annotations

PAGE = "page"  # to one responder: somebody has to take this now
TEST = "test"  # "test this connection", "verify this address"

# What a line that wakes people carries: nothing but pages and the test of that line.
URGENT = frozenset({PAGE, TEST})

# What moves an alert at a pager of record.
PAGER = URGENT | {"acknowledged", "resolved", "cancelled"}

# Whatever a reader can read.
WRITTEN = PAGER | {
    "alarm",
    "breach",
    "briefing",
    "cadence",
    "claims",
    "confirmed",
    "customer_message",
    "declared",
    "dispute_decided",
    "dispute_overdue",
    "disputed",
    "goodwill",
    "goodwill_ended",
    "handoff",
    "invitation",
    "lapsed",
    "lowered_late",
    "message",
    "no_answer",
    "oncall",
    "prompt",
    "received",
    "received_no_contract",
    "received_queued",
    "reopened",
    "report_published",
    "second_manager",
    "severity_changed",
    "shift",
    "update",
    "upgraded",
    "warning",
}
