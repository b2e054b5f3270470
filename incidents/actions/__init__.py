"""The verbs: the only writers of incidents. Doors, timers and hooks call these and nothing below them.

Every verb: lock, ask permission, return early if already so, move, record, post, reschedule.
"""

from incidents.actions.announcing import draft_notice, post_notice
from incidents.actions.commanding import (
    add_task,
    answer_survey,
    approve_briefing,
    follow_runbook,
    hand_over_role,
    leave_role,
    record_decision,
    take_role,
    tick_task,
)
from incidents.actions.disputing import check_dispute, decide_dispute, dispute_severity
from incidents.actions.entitling import follow_contract
from incidents.actions.finishing import auto_confirm, cancel, close, confirm, reopen, resolve
from incidents.actions.following_up import finish_follow_up
from incidents.actions.goodwill import end_goodwill, grant_goodwill
from incidents.actions.handing_over import (
    accept_hand_over,
    apply_policy,
    chase_hand_over,
    follow_rota,
    offer_hand_over,
)
from incidents.actions.linking import link_to_master, unlink
from incidents.actions.maintaining import call_off_maintenance, move_maintenance, plan_maintenance
from incidents.actions.measuring import nag, pass_threshold
from incidents.actions.merging import merge, unmerge
from incidents.actions.promising import agree_cadence, annotate_breach, move_received
from incidents.actions.prompting import prompt
from incidents.actions.reporting import Report, enter_triage, report
from incidents.actions.responding import acknowledge, advance, claim, escalate, hand_back, page_failed, pager_failed
from incidents.actions.speaking import post_update, write_message, write_note
from incidents.actions.subscribing import add_stakeholder, change_stakeholder, remove_stakeholder
from incidents.actions.triage import change_severity, change_status, hold, release

__all__ = [
    "Report",
    "accept_hand_over",
    "acknowledge",
    "add_stakeholder",
    "add_task",
    "advance",
    "agree_cadence",
    "annotate_breach",
    "answer_survey",
    "apply_policy",
    "approve_briefing",
    "auto_confirm",
    "call_off_maintenance",
    "cancel",
    "change_severity",
    "change_stakeholder",
    "change_status",
    "chase_hand_over",
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
    "follow_rota",
    "follow_runbook",
    "grant_goodwill",
    "hand_back",
    "hand_over_role",
    "hold",
    "leave_role",
    "link_to_master",
    "merge",
    "move_maintenance",
    "move_received",
    "nag",
    "offer_hand_over",
    "page_failed",
    "pager_failed",
    "pass_threshold",
    "plan_maintenance",
    "post_notice",
    "post_update",
    "prompt",
    "record_decision",
    "release",
    "remove_stakeholder",
    "reopen",
    "report",
    "resolve",
    "take_role",
    "tick_task",
    "unlink",
    "unmerge",
    "write_message",
    "write_note",
]
