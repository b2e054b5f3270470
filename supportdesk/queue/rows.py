"""Storing many rows in one statement with one parameter: what the ORM makes of a dozen rows of twenty columns takes
longer than to store them, and an emergency waits for it."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import datetime

from django.db import models


def insertion(model: type[models.Model]) -> str:
    """The statement that stores rows of a model, given as JSON; what is there already is left alone."""
    columns = ", ".join(f'"{field.column}"' for field in _stored(model))
    table = model._meta.db_table
    return f"""
        INSERT INTO {table} ({columns})
        SELECT {columns} FROM jsonb_populate_recordset(NULL::{table}, %s::jsonb)
        ON CONFLICT DO NOTHING
    """  # noqa: S608 (table and columns are the model's own)


def as_json(rows: Sequence[models.Model]) -> str:
    """Unsaved rows of one model, as the statement's parameter."""
    stored = _stored(type(rows[0]))
    values = [{field.column: field.pre_save(row, True) for field in stored} for row in rows]
    return json.dumps(values, default=datetime.isoformat)


def _stored(model: type[models.Model]) -> list[models.Field]:
    return [field for field in model._meta.local_concrete_fields if not field.primary_key]
