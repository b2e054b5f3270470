"""What the rota stands on: whenever one of these rows is saved or deleted, coverage is proved anew; whenever somebody
can no longer be on duty, or can again, the schedules they are on are looked at anew.

Django's own signals and not a call in every verb: a new verb, a script or a door upstairs cannot forget to ask.
"""

from __future__ import annotations

from typing import Any

from django.db.models import Model
from django.db.models.signals import post_delete, post_save, pre_save

from rotations import planning, proof_runs
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
_OWN_AFFAIR = frozenset({"last_login", "theme", "shortcuts", "password", "quiet_from", "quiet_until", "holiday_region"})
_WAS_ACTIVE = "_was_active"


def begin() -> None:
    """Connect, once per process."""
    for kind in WATCHED:
        post_save.connect(_note_save, sender=kind, dispatch_uid=f"proof-save-{kind.__name__}")
        post_delete.connect(proof_runs.note_save, sender=kind, dispatch_uid=f"proof-delete-{kind.__name__}")
    pre_save.connect(_remember, sender=User, dispatch_uid="rota-user-before")
    post_save.connect(_note_user, sender=User, dispatch_uid="rota-user")
    post_save.connect(_note_method, sender=ContactMethod, dispatch_uid="rota-method")
    post_delete.connect(_note_method, sender=ContactMethod, dispatch_uid="rota-method-gone")


def _note_save(raw: bool = False, update_fields: Any = None, **signal: Any) -> None:
    if raw or (update_fields and _OWN_AFFAIR.issuperset(update_fields)):
        return
    proof_runs.note_save()


def _remember(instance: User, raw: bool = False, update_fields: Any = None, **signal: Any) -> None:
    """Keep whether an account was switched on, as far as it may be about to change."""
    if raw or instance.pk is None or (update_fields and "is_active" not in update_fields):
        return
    setattr(instance, _WAS_ACTIVE, User.objects.filter(pk=instance.pk).values_list("is_active", flat=True).first())


def _note_user(instance: User, **signal: Any) -> None:
    """An account switched off or on: whoever is next, or was before, is on duty from this moment."""
    before = instance.__dict__.pop(_WAS_ACTIVE, None)
    if before is not None and before != instance.is_active:
        _touch(instance.pk)


def _note_method(instance: ContactMethod, raw: bool = False, **signal: Any) -> None:
    """The last way to reach somebody is gone, or the first one works."""
    usable = {"user": instance.user_id, "verified_at__isnull": False, "disabled_at": None}
    if not raw and not ContactMethod.objects.filter(**usable).exclude(pk=instance.pk).exists():
        _touch(instance.user_id)


def _touch(user_id: int) -> None:
    for row in planning.schedules_of(user_id):
        row.touch()
