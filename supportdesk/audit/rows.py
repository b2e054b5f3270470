"""What a row says, as plain values without secrets: what the trail keeps of a save."""

from __future__ import annotations

from typing import Any

from django.core.serializers.python import Serializer
from django.db import models

from supportdesk.actors import Actor
from supportdesk.audit import trail

_SECRET = {"password", "digest", "secrets"}


def plain(row: models.Model) -> dict[str, Any]:
    """A row's fields as plain values, without secrets."""
    (said,) = Serializer().serialize([row])
    return {name: _json(value) for name, value in said["fields"].items() if name not in _SECRET}


def name_of(row: models.Model) -> str:
    """What the trail calls a row."""
    return f"{row._meta.label_lower}:{row.pk}"


def record_save(actor: Actor, row: models.Model, before: dict[str, Any] | None) -> bool:
    """Append what a save changed; `before` is None for a new row. False, and no entry, where nothing changed."""
    after = plain(row)
    if before == after:
        return False
    trail.record(
        actor,
        "add" if before is None else "change",
        name_of(row),
        before=None if before is None else _only_changed(before, after),
        after=_only_changed(after, before or {}),
    )
    return True


def _json(value: Any) -> Any:
    return value if isinstance(value, (str, int, float, bool, list, dict, type(None))) else str(value)


def _only_changed(said: dict[str, Any], other: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in said.items() if name not in other or other[name] != value}
