"""Schedules, layers, policies and their rules: each save is one verb of a manager, with its trail.

A row of None makes a new one. Raises `NotAllowed`, and `Invalid` naming the field.
"""

from __future__ import annotations

from typing import Any, TypeVar

from django.core.exceptions import NON_FIELD_ERRORS, ValidationError
from django.db import models, transaction

from rotations import oncall, promises
from rotations.actions.covering import require_cover
from rotations.actions.entry import require
from rotations.models import EscalationPolicy, Layer, PolicyRule, Schedule
from supportdesk.actors import Actor
from supportdesk.audit import rows, trail
from supportdesk.errors import Invalid, NotFound, WrongState

Row = TypeVar("Row", bound=models.Model)


def save_schedule(row: Schedule | None, *, actor: Actor, **said: Any) -> Schedule:
    """Add or change a schedule: its name, whoever is called when nobody is on duty, which way the backup is derived."""
    with transaction.atomic():
        saved = _save(Schedule, row, actor, said)
        saved.touch()
    return saved


def save_layer(row: Layer | None, *, actor: Actor, confirm: bool = False, **said: Any) -> Layer:
    """Add or change a layer: zone, window, weekdays, priority. Who turns in it stands in its revisions."""
    if row is not None and said.get("schedule", row.schedule) != row.schedule:
        raise Invalid("A layer stays in its schedule. Make a new one there.", field="schedule")
    with transaction.atomic():
        owner = said["schedule"].pk if row is None else row.schedule_id
        schedule = Schedule.objects.select_for_update().get(pk=owner)
        before = oncall.schedule(schedule)
        saved = _save(Layer, row, actor, said)
        schedule.touch()
        require_cover(schedule, before, confirmed=confirm)
    return saved


def save_policy(row: EscalationPolicy | None, *, actor: Actor, **said: Any) -> EscalationPolicy:
    """Add or change a policy: a new version. One that cannot keep what was promised is refused (ESC-1).

    Escalations that run keep the copy they began with (ESC-4).
    """
    with transaction.atomic():
        known = promises.unkept()
        if row is not None:
            said["version"] = EscalationPolicy.objects.select_for_update().get(pk=row.pk).version + 1
        saved = _save(EscalationPolicy, row, actor, said)
        _require_kept(known)
    return saved


def save_rule(row: PolicyRule | None, *, actor: Actor, **said: Any) -> PolicyRule:
    """Add or change which incidents get which policy; refused where that breaks a promise (ESC-1)."""
    with transaction.atomic():
        known = promises.unkept()
        saved = _save(PolicyRule, row, actor, said)
        _require_kept(known)
    return saved


def remove_rule(rule_id: int, *, actor: Actor) -> None:
    """Take a rule away; what it covered falls to the next best one."""
    require(actor, "edit")
    with transaction.atomic():
        row = PolicyRule.objects.select_for_update().filter(pk=rule_id).first()
        if row is None:
            raise NotFound("There is no such rule.")
        if row.plan_id is None and row.organization_id is None and row.service_id is None:
            raise WrongState("This rule covers everybody else. Change its policy instead, so that somebody is paged.")
        known = promises.unkept()
        trail.record(actor, "delete", rows.name_of(row), before=rows.plain(row))
        row.delete()
        _require_kept(known)


def _require_kept(known: list[promises.Unkept]) -> None:
    broken = [one for one in promises.unkept() if one not in known]
    if broken:
        raise Invalid(broken[0].in_words(), field="steps")


def _save(kind: type[Row], row: Row | None, actor: Actor, said: dict[str, Any]) -> Row:
    require(actor, "edit", what="this to schedules and policies")
    with transaction.atomic():
        saved = kind() if row is None else kind._default_manager.select_for_update(of=("self",)).get(pk=row.pk)
        before = None if row is None else rows.plain(saved)
        for name, value in said.items():
            setattr(saved, name, value)
        _check(saved)
        saved.save()
        rows.record_save(actor, saved, before)
    return saved


def _check(row: models.Model) -> None:
    """The model's own rules, as an `Invalid` that names the first wrong field."""
    try:
        row.full_clean()
    except ValidationError as error:
        field, told = next(iter(error.message_dict.items()))
        raise Invalid(" ".join(told), field="" if field == NON_FIELD_ERRORS else field) from error
