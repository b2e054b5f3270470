"""Dated revisions: who turns in a layer from the next hand-off on; what was is never recomputed (ROT-10)."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from django.db import transaction

from rotations import oncall, rules, turns
from rotations.actions.covering import require_cover
from rotations.actions.entry import locked_schedule, reachable, require
from rotations.models import Layer, Override, RotationMember, RotationRevision, Schedule
from rotations.rotation import Revision, Rotation, Unit
from supportdesk import instants
from supportdesk.actors import Actor
from supportdesk.audit import trail
from supportdesk.errors import Invalid, NotFound

LONGEST_RING = 100


def change_ring(
    layer_id: int, *, actor: Actor, ring: Sequence[int], at_once: bool = False, confirm: bool = False
) -> RotationRevision:
    """A new ring from the next hand-off on; the turn goes to the successor of whoever has it now.

    `at_once`: a holder who is not in the new ring is relieved now, by overrides until that hand-off. `confirm`: a gap
    that this opens soon is meant.
    """
    with transaction.atomic():
        layer, row = _locked(layer_id, actor)
        covered = oncall.schedule(row)
        people = tuple(str(reachable(pk, f"ring[{place}]").pk) for place, pk in enumerate(_checked(ring)))
        now, before = instants.now(), oncall.layer_value(layer)
        if not before.revisions:
            raise Invalid("This layer has no rotation yet: give it one with its anchor first.", field="ring")
        revised = turns.revise(before, people, now, now=at_once)
        if before.revisions[-1].rotation.ring == people and not revised.overrides:
            return list(layer.revisions.all())[-1]  # the ring is that already
        made = _write(layer, before, revised.layer)
        for override in revised.overrides:
            _relieve(row, layer, override, actor)
        trail.record(
            actor, "change_ring", f"layer:{layer.pk}",
            before=_plain(before.revisions[-1]), after=_plain(revised.layer.revisions[-1]),
        )  # fmt: skip
        row.touch()
        require_cover(row, covered, confirmed=confirm)
    return made


def add_revision(
    layer_id: int,
    *,
    actor: Actor,
    effective_from: datetime | None,
    unit: str,
    every: int,
    anchor: str,
    ring: Sequence[int],
    start_index: int = 0,
    confirm: bool = False,
) -> RotationRevision:
    """A whole new rotation from an instant ahead: unit, length, anchor and ring. Later ones that wait are replaced.

    Without `effective_from` only as the first rotation of a layer.
    """
    with transaction.atomic():
        layer, row = _locked(layer_id, actor)
        covered = oncall.schedule(row)
        now, before = instants.now(), oncall.layer_value(layer)
        if effective_from is None and before.revisions:
            raise Invalid("Say from when on; what was is never recomputed.", field="effective_from")
        if effective_from is not None and effective_from <= now:
            raise Invalid(
                "A revision takes effect in the future; what was is never recomputed.", field="effective_from"
            )
        people = tuple(str(reachable(pk, f"ring[{place}]").pk) for place, pk in enumerate(_checked(ring)))
        revision = Revision(effective_from, _rotation(unit, every, anchor, people, start_index))
        kept = [r for r in before.revisions if r.effective_from is None or r.effective_from < (effective_from or now)]
        after = _with_revisions(before, (*kept, revision))
        made = _write(layer, before, after)
        trail.record(actor, "add_revision", f"layer:{layer.pk}", after=_plain(revision))
        row.touch()
        require_cover(row, covered, confirmed=confirm)
    return made


def _locked(layer_id: int, actor: Actor) -> tuple[Layer, Schedule]:
    found = Layer.objects.filter(pk=layer_id).values_list("schedule", flat=True).first()
    row = locked_schedule(found, actor) if found is not None else None
    require(actor, "revise")
    if row is None:
        raise NotFound("There is no such layer.")
    return Layer.objects.prefetch_related("revisions__members").get(pk=layer_id), row


def _checked(ring: Sequence[int]) -> list[int]:
    if not ring:
        raise Invalid("A rotation needs at least one person.", field="ring")
    if len(ring) > LONGEST_RING:
        raise Invalid(f"A rotation has at most {LONGEST_RING} places.", field="ring")
    return list(ring)


def _rotation(unit: str, every: int, anchor: str, ring: tuple[str, ...], start_index: int) -> Rotation:
    try:
        begins = datetime.fromisoformat(anchor)
        return Rotation(unit=Unit(unit), every=every, anchor=begins, ring=ring, start_index=start_index)
    except ValueError as error:
        raise Invalid(f"This is not a rotation: {error}", field="anchor") from error


def _with_revisions(layer: rules.Layer, revisions: tuple[Revision, ...]) -> rules.Layer:
    return rules.Layer(
        layer.name, layer.time_zone, revisions, layer.window, layer.weekdays, layer.priority, layer.slot,
        layer.max_overlap,
    )  # fmt: skip


def _write(layer: Layer, before: rules.Layer, after: rules.Layer) -> RotationRevision:
    """Make the rows say what the value says: a revision is never changed, only added, or replaced while it waits."""
    rows = dict(zip(before.revisions, layer.revisions.all(), strict=True))
    for revision, row in rows.items():
        if revision not in after.revisions:
            row.delete()
    made = None
    for revision in after.revisions:
        if revision not in rows:
            made = _add(layer, revision)
    return made or rows[after.revisions[-1]]


def _add(layer: Layer, revision: Revision) -> RotationRevision:
    rotation = revision.rotation
    row = RotationRevision.objects.create(
        layer=layer,
        effective_from=revision.effective_from,
        unit=rotation.unit.value,
        every=rotation.every,
        anchor=rotation.anchor.isoformat(timespec="minutes"),
        start_index=rotation.start_index,
    )
    RotationMember.objects.bulk_create(
        RotationMember(revision=row, position=place, user_id=int(person)) for place, person in enumerate(rotation.ring)
    )
    return row


def _relieve(row: Schedule, layer: Layer, override: rules.Override, actor: Actor) -> None:
    """Relieve somebody at once, where this layer is the one on duty and nobody was put there by hand."""
    held = oncall.schedule(row).who(override.start).primary_shift
    taken = Override.objects.filter(
        schedule=row, slot=override.slot, start__lt=override.end, end__gt=override.start
    ).exists()
    if taken or held is None or held.layer != layer.name:
        return
    Override.objects.create(
        schedule=row, slot=override.slot, user_id=int(override.person), start=override.start, end=override.end,
        reason="the ring was changed at once", created_by_id=actor.user_id,
    )  # fmt: skip


def _plain(revision: Revision) -> dict[str, object]:
    rotation = revision.rotation
    return {
        "effective_from": revision.effective_from.isoformat() if revision.effective_from else None,
        "unit": rotation.unit.value,
        "every": rotation.every,
        "anchor": rotation.anchor.isoformat(),
        "ring": [int(person) for person in rotation.ring],
        "start_index": rotation.start_index,
    }
