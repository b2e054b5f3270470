"""The verbs of the rota: the only writers of overrides, swaps, leave, hand-offs and revisions.

Every verb: lock, ask permission, return early if already so, move, record, post, reschedule. Doors, timers and the
back office call these and nothing below them.
"""

from rotations.actions.absence import Asked, approve_leave, ask_leave, cancel_leave, refuse_leave
from rotations.actions.calendars import (
    Read,
    close_feed,
    follow_calendar,
    forget_calendar,
    import_leave,
    open_feed,
    plan_reading,
    read_calendar,
    renew_feed,
)
from rotations.actions.editing import remove_rule, save_layer, save_policy, save_rule, save_schedule
from rotations.actions.entry import Planned
from rotations.actions.handing_over import (
    accept_hand_off,
    change_shift,
    name_contact,
    plan_hand_off,
    remind_of_note,
    write_note,
)
from rotations.actions.overriding import cancel_override, create_override, take_shift
from rotations.actions.resting import relieve
from rotations.actions.revising import add_revision, change_ring
from rotations.actions.shadowing import leave_shadow, shadow
from rotations.actions.swapping import accept_swap, decline_swap, expire_swap, offer_swap, withdraw_swap

__all__ = [
    "Asked",
    "Planned",
    "Read",
    "accept_hand_off",
    "accept_swap",
    "add_revision",
    "approve_leave",
    "ask_leave",
    "cancel_leave",
    "cancel_override",
    "change_ring",
    "change_shift",
    "close_feed",
    "create_override",
    "decline_swap",
    "expire_swap",
    "follow_calendar",
    "forget_calendar",
    "import_leave",
    "leave_shadow",
    "name_contact",
    "offer_swap",
    "open_feed",
    "plan_hand_off",
    "plan_reading",
    "read_calendar",
    "refuse_leave",
    "relieve",
    "remind_of_note",
    "remove_rule",
    "renew_feed",
    "save_layer",
    "save_policy",
    "save_rule",
    "save_schedule",
    "shadow",
    "take_shift",
    "withdraw_swap",
    "write_note",
]
