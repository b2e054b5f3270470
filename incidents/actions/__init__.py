"""The verbs: the only writers of incidents. Doors, timers and hooks call these and nothing below them.

Every verb: lock, ask permission, return early if already so, move, record, post, reschedule.
"""

from incidents.actions.announcing import draft_notice, post_notice
from incidents.actions.disputing import check_dispute, decide_dispute, dispute_severity
from incidents.actions.entitling import follow_contract
from incidents.actions.finishing import auto_confirm, cancel, close, confirm, reopen, resolve
from incidents.actions.following_up import finish_follow_up
from incidents.actions.goodwill import end_goodwill, grant_goodwill
from incidents.actions.measuring import pass_threshold
from incidents.actions.promising import agree_cadence, annotate_breach, move_received
from incidents.actions.reporting import Report, enter_triage, report
from incidents.actions.responding import acknowledge, advance, claim, escalate, hand_back, page_failed, pager_failed
from incidents.actions.speaking import post_update, write_message, write_note
from incidents.actions.triage import change_severity, change_status, hold, release

__all__ = [
    "Report",
    "acknowledge",
    "advance",
    "agree_cadence",
    "annotate_breach",
    "auto_confirm",
    "cancel",
    "change_severity",
    "change_status",
    "check_dispute",
    "claim",
    "close",
    "confirm",
    "decide_dispute",
    "dispute_severity",
    "draft_notice",
    "end_goodwill",
    "enter_triage",
    "escalate",
    "finish_follow_up",
    "follow_contract",
    "grant_goodwill",
    "hand_back",
    "hold",
    "move_received",
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
