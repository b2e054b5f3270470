"""Who may do what to an incident. Pure: asked inside every verb, and by pages that decide which buttons to show.

What an actor may not even see is decided before this, by `Incidents.visible_to`.
"""

from __future__ import annotations

from supportdesk.actors import Actor, Kind, Role

_STAFF = frozenset({Role.ENGINEER, Role.MANAGER})
_MANAGER = frozenset({Role.MANAGER})
_CUSTOMER = frozenset({Role.CUSTOMER})
_EVERYBODY = _STAFF | _CUSTOMER

VERBS: dict[str, frozenset[Role]] = {
    "view": _EVERYBODY,
    "report": _EVERYBODY,
    "write_message": _EVERYBODY,
    "confirm": _EVERYBODY,
    "reopen": _EVERYBODY,
    "dispute_severity": _CUSTOMER,
    "answer_survey": _CUSTOMER,
    "acknowledge": _STAFF,
    "claim": _STAFF,
    "hand_back": _STAFF,
    "accept_hand_over": _STAFF,
    "apply_policy": _STAFF,
    "escalate": _STAFF,
    "write_note": _STAFF,
    "post_update": _STAFF,
    "change_severity": _STAFF,
    "change_status": _STAFF,
    "hold": _STAFF,
    "resolve": _STAFF,
    "cancel": _STAFF,
    "merge": _STAFF,
    "unmerge": _STAFF,
    "link_to_master": _STAFF,
    "unlink": _STAFF,
    "post_notice": _STAFF,
    "move_received": _STAFF,
    "agree_cadence": _STAFF,
    "grant_goodwill": _MANAGER,
    "decide_dispute": _MANAGER,
    "annotate_breach": _MANAGER,
    "finish_follow_up": _MANAGER,
    "follow_contract": _MANAGER,
    "edit_routing": _MANAGER,
}


def may(actor: Actor, verb: str, organization_id: int | None = None) -> bool:
    """May this actor do this to an incident of that organization? The desk itself may do all it is built to do."""
    if actor.kind is Kind.DESK:
        return True
    if actor.kind is Kind.MACHINE:
        return verb in ("report", "view", "write_message")
    if actor.role not in VERBS[verb]:
        return False
    return actor.is_staff or (actor.organization_id is not None and actor.organization_id == organization_id)
