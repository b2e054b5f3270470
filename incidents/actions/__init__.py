"""The verbs: the only writers of incidents. Doors, timers and hooks call these and nothing below them.

Every verb: lock, ask permission, return early if already so, move, record, post, reschedule.
"""

from incidents.actions.announcing import draft_notice, post_notice
from incidents.actions.finishing import auto_confirm, cancel, close, confirm, reopen, resolve
from incidents.actions.measuring import pass_threshold
from incidents.actions.reporting import Report, enter_triage, report
from incidents.actions.responding import acknowledge, advance, claim, escalate, hand_back, page_failed, pager_failed
from incidents.actions.speaking import hear, post_update, write_message, write_note
from incidents.actions.triage import change_severity, change_status, hold, release

__all__ = [
    "Report",
    "acknowledge",
    "advance",
    "auto_confirm",
    "cancel",
    "change_severity",
    "change_status",
    "claim",
    "close",
    "confirm",
    "draft_notice",
    "enter_triage",
    "escalate",
    "hand_back",
    "hear",
    "hold",
    "page_failed",
    "pager_failed",
    "pass_threshold",
    "post_notice",
    "post_update",
    "release",
    "reopen",
    "report",
    "resolve",
    "write_message",
    "write_note",
]
