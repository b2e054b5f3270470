"""Which buttons a page of an incident offers: what the reader may do and what its state allows.

The verbs check for themselves; this only keeps a page from offering what they would refuse.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from incidents import escalating
from incidents.actions.disputing import severity_before_fall
from incidents.actions.finishing import REOPEN_WINDOW
from incidents.actions.promising import LONG_AFTER
from incidents.models import Escalation, Incident, SeverityDispute
from incidents.permissions import may
from incidents.states import Hold, Status, may_move
from supportdesk.actors import Actor, Role

Test = Callable[[Incident, Actor, datetime], bool]

_TOLD = (Status.INVESTIGATING, Status.IDENTIFIED, Status.MITIGATING, Status.MONITORING)


def _is_worked(incident: Incident, actor: Actor, now: datetime) -> bool:
    return incident.is_open and not incident.is_resolved


def _is_free(incident: Incident, actor: Actor, now: datetime) -> bool:
    return _is_worked(incident, actor, now) and not incident.is_acknowledged


def _is_taken_by_others(incident: Incident, actor: Actor, now: datetime) -> bool:
    return _is_worked(incident, actor, now) and incident.is_acknowledged and incident.owner_id != actor.user_id


def _is_theirs(incident: Incident, actor: Actor, now: datetime) -> bool:
    """They have it, or command it."""
    is_mine = actor.user_id is not None and actor.user_id in (incident.acknowledged_by_id, incident.owner_id)
    return is_mine and _is_worked(incident, actor, now)


def _may_wait(incident: Incident, actor: Actor, now: datetime) -> bool:
    is_commander = incident.severity != "P1" or incident.owner_id == actor.user_id
    return _is_worked(incident, actor, now) and incident.hold == Hold.NONE and is_commander


def _may_cancel(incident: Incident, actor: Actor, now: datetime) -> bool:
    is_their_call = incident.severity != "P1" or actor.role == Role.MANAGER or incident.owner_id == actor.user_id
    return _is_worked(incident, actor, now) and is_their_call


def _may_reopen(incident: Incident, actor: Actor, now: datetime) -> bool:
    if incident.status not in (Status.RESOLVED, Status.FOLLOW_UP, Status.CLOSED):
        return False
    in_time = incident.resolved_at is not None and now <= incident.resolved_at + REOPEN_WINDOW
    return actor.role == Role.MANAGER or (in_time and incident.status != Status.CLOSED)


def _is_escalating(incident: Incident, actor: Actor, now: datetime) -> bool:
    running = Escalation.objects.filter(incident=incident).exclude(status="resolved").exists()
    return running and _is_worked(incident, actor, now) and escalating.policy_for(incident) is not None


def _may_be_excepted(incident: Incident, actor: Actor, now: datetime) -> bool:
    return _is_worked(incident, actor, now) and incident.organization_id is not None


def _has_other_rhythm(incident: Incident, actor: Actor, now: datetime) -> bool:
    """A long incident whose update clock runs, and whose commander or manager is looking."""
    is_their_call = actor.role == Role.MANAGER or incident.owner_id == actor.user_id
    is_long = now >= incident.received_at + LONG_AFTER
    if not (is_their_call and is_long and _is_worked(incident, actor, now)):
        return False
    return incident.clocks.filter(kind="next_update", state__in=("running", "paused")).exists()


def _is_disputed(incident: Incident, actor: Actor, now: datetime) -> bool:
    is_open = SeverityDispute.objects.filter(incident=incident, decided_at=None).exists()
    return is_open and _is_worked(incident, actor, now)


def _may_dispute(incident: Incident, actor: Actor, now: datetime) -> bool:
    """It was lowered, and nobody has disputed that yet (ENT-13)."""
    if not _is_worked(incident, actor, now) or SeverityDispute.objects.filter(incident=incident).exists():
        return False
    return severity_before_fall(incident) is not None


def _may_be_linked(incident: Incident, actor: Actor, now: datetime) -> bool:
    is_alone = incident.master_id is None and not incident.is_drill
    return is_alone and _is_worked(incident, actor, now) and not incident.linked.exists()


def _has_settled_times(incident: Incident) -> bool:
    return incident.status in (Status.CLOSED, Status.CANCELLED, Status.MERGED)


# A button: the permission it needs, and the state it fits.
_BUTTONS: dict[str, tuple[str, Test]] = {
    "acknowledge": ("acknowledge", _is_free),
    "claim": ("claim", _is_taken_by_others),
    "escalate": ("escalate", _is_worked),
    "hand_back": ("hand_back", _is_theirs),
    "apply_policy": ("apply_policy", _is_escalating),
    "note": ("write_note", lambda incident, actor, now: True),
    "message": ("write_message", lambda incident, actor, now: incident.status != Status.CLOSED),
    "update": ("post_update", _is_worked),
    "severity": ("change_severity", _is_worked),
    "status": ("change_status", _is_worked),
    "mitigated": ("change_status", lambda i, a, now: _is_worked(i, a, now) and Status.MONITORING in next_statuses(i)),
    "hold": ("hold", _may_wait),
    "release": ("hold", lambda i, a, now: _is_worked(i, a, now) and i.hold != Hold.NONE),
    "resolve": ("resolve", _is_worked),
    "cancel": ("cancel", _may_cancel),
    "close": ("resolve", lambda incident, actor, now: incident.status == Status.FOLLOW_UP),
    "notice": ("post_notice", lambda incident, actor, now: incident.is_open),
    "link": ("link_to_master", _may_be_linked),
    "unlink": ("unlink", lambda incident, actor, now: incident.master_id is not None),
    "merge": ("merge", _may_cancel),
    "unmerge": ("unmerge", lambda incident, actor, now: incident.status == Status.MERGED),
    "confirm": ("confirm", lambda incident, actor, now: incident.status == Status.RESOLVED),
    "reopen": ("reopen", _may_reopen),
    "goodwill": ("grant_goodwill", _may_be_excepted),
    "decide_dispute": ("decide_dispute", _is_disputed),
    "dispute": ("dispute_severity", _may_dispute),
    "received": ("move_received", lambda incident, actor, now: not _has_settled_times(incident)),
    "cadence": ("agree_cadence", _has_other_rhythm),
}


def offered(incident: Incident, actor: Actor, now: datetime) -> dict[str, bool]:
    """For every button, whether to show it to this reader now."""
    return {
        name: may(actor, verb, incident.organization_id) and fits(incident, actor, now)
        for name, (verb, fits) in _BUTTONS.items()
    }


def next_statuses(incident: Incident) -> list[Status]:
    """The working statuses an update may move to."""
    return [status for status in _TOLD if may_move(Status(incident.status), status)]
