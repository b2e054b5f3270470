"""Who may do what to the rota. Pure: asked inside every verb, and by pages that decide which buttons to show.

Customers never see it. Engineers answer for themselves; managers for everybody.
"""

from __future__ import annotations

from supportdesk.actors import Actor, Kind, Role

# Verbs an engineer may do in their own name; a manager may do them in anybody's.
_OWN = frozenset(
    {
        "override",
        "offer_swap",
        "answer_swap",
        "withdraw_swap",
        "ask_leave",
        "cancel_leave",
        "hand_off",
        "shadow",
        "feed",
    }
)
_ANYBODY = frozenset({"see", "take_shift"})
_MANAGER = frozenset({"decide_leave", "revise", "edit", "force"})
VERBS = _OWN | _ANYBODY | _MANAGER


def may(actor: Actor, verb: str, *, own: bool = False) -> bool:
    """May this actor do this? `own`: it is about their own duty. The desk itself may do all it is built to do."""
    if verb not in VERBS:
        raise ValueError(f"{verb!r} is not a verb of the rota")
    if actor.kind is Kind.DESK or actor.role is Role.MANAGER:
        return True
    if actor.role is not Role.ENGINEER:
        return False
    return verb in _ANYBODY or (own and verb in _OWN)
