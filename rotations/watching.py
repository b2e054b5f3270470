"""What the coverage proof stands on: whenever one of these rows is saved or deleted, it is proved anew.

Django's own signals and not a call in every verb: a new verb, a script or a door upstairs cannot forget to ask.
"""

from __future__ import annotations

from typing import Any

from django.db.models import Model
from django.db.models.signals import post_delete, post_save

from rotations import proof_runs
from rotations.models import (
    EscalationPolicy,
    Layer,
    Leave,
    Override,
    PolicyRule,
    RotationMember,
    RotationRevision,
    Schedule,
    Swap,
)
from supportdesk.accounts.models import ContactMethod, PageRule, User
from supportdesk.integrations.models import Connection
from supportdesk.organizations.models import BusinessCalendar, Contract, Organization, PlanVersion

WATCHED: tuple[type[Model], ...] = (
    Schedule,
    Layer,
    RotationRevision,
    RotationMember,
    Override,
    Leave,
    Swap,
    EscalationPolicy,
    PolicyRule,
    Organization,
    Contract,
    PlanVersion,
    BusinessCalendar,
    User,
    ContactMethod,
    PageRule,
    Connection,
)
# Fields of a user that change whenever they log in or set up their own pages, and no proof.
_OWN_AFFAIR = frozenset({"last_login", "theme", "shortcuts", "password"})


def begin() -> None:
    """Connect, once per process."""
    for kind in WATCHED:
        post_save.connect(_note_save, sender=kind, dispatch_uid=f"proof-save-{kind.__name__}")
        post_delete.connect(proof_runs.note_save, sender=kind, dispatch_uid=f"proof-delete-{kind.__name__}")


def _note_save(raw: bool = False, update_fields: Any = None, **signal: Any) -> None:
    if raw or (update_fields and _OWN_AFFAIR.issuperset(update_fields)):
        return
    proof_runs.note_save()
