"""The kinds of message the desk sends: each is the name of its words in `templates/messages/`."""

from __future__ import annotations

PAGE = "page"  # to one responder: somebody has to take this now
TEST = "test"  # "test this connection", "verify this address"
HEADLINE = "headline"  # how an incident stands, in one message that is edited as it goes on
ONCALL = "oncall"  # to a channel: whoever is on call, please
WHISPER = "whisper"  # to one person in a channel
FORM = "form"  # a form opened for one person
ROOM_OPEN, ROOM_INVITE, ROOM_TOPIC = "room_open", "room_invite", "room_topic"
ROOM_BOOKMARK, ROOM_PIN, ROOM_ARCHIVE = "room_bookmark", "room_pin", "room_archive"
ONCALL_GROUP = "oncall_group"  # who is behind @oncall
MISSED_CALL = "missed_call"  # somebody called the emergency line and was gone before anybody spoke with them

# What a line that wakes people carries: nothing but pages and the test of that line.
URGENT = frozenset({PAGE, TEST})

# What moves an alert at a pager of record.
PAGER = URGENT | {"acknowledged", "resolved", "cancelled", "merged"}

# What only Slack can do.
SLACK = frozenset(
    {
        *(HEADLINE, WHISPER, FORM, ONCALL_GROUP),
        *(ROOM_OPEN, ROOM_INVITE, ROOM_TOPIC, ROOM_BOOKMARK, ROOM_PIN, ROOM_ARCHIVE),
    }
)

# Whatever a reader can read.
WRITTEN = PAGER | {
    "alarm",
    "alert_storm",
    "anomaly",
    "anomaly_noisy",
    "backup_first",
    "breach",
    "briefing",
    "cadence",
    "claims",
    "confirmed",
    "coverage_gap",
    "customer_message",
    "declared",
    "dispute_decided",
    "dispute_overdue",
    "disputed",
    "fatigue_exception",
    "goodwill",
    "goodwill_ended",
    "hand_over",
    "handoff",
    "handoff_note",
    "invitation",
    "known_problem",
    "lapsed",
    "leave_asked",
    "leave_decided",
    "leave_sick",
    "lowered_late",
    "mail_held",
    "mail_waiting",
    "locked_out",
    "message",
    MISSED_CALL,
    "no_answer",
    "oncall",
    "oncall_group_empty",
    "override_cancelled",
    "override_made",
    "prompt",
    "received",
    "received_no_contract",
    "received_queued",
    "recovered",
    "relief",
    "reopened",
    "report_published",
    "second_manager",
    "severity_changed",
    "shadow",
    "shift",
    "shift_taken",
    "stand_in",
    "status_confirm",
    "status_link",
    "status_notice",
    "swap_accepted",
    "swap_declined",
    "swap_expired",
    "swap_offered",
    "swap_withdrawn",
    "update",
    "upgraded",
    "warning",
    "webhook_disabled",
}
