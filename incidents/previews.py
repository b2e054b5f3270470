"""The rules, open to questions: one JSON case in, one JSON answer out. Nothing is read from the desk, nothing stored.

The cases are described where they are answered: `incidents.sla_preview`, `rotations.schedule_preview`,
`rotations.escalation_preview`.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any

from incidents import sla_preview
from rotations import escalation_preview, schedule_preview

LONGEST_LINE = 1_000_000  # bytes

KINDS: Mapping[str, Callable[[Any], dict[str, Any]]] = {
    "sla": sla_preview.preview,
    "schedule": schedule_preview.preview,
    "escalation": escalation_preview.preview,
}


def answer(kind: str, case: Any) -> dict[str, Any]:
    """The answer to one case. Raises ValueError whose text begins with the path of the field that is wrong."""
    return KINDS[kind](case)


def answer_line(kind: str, line: bytes) -> dict[str, Any]:
    """The answer to one line of JSON, or `{"error": …}`: a bad line never stops the next."""
    if len(line) > LONGEST_LINE:
        return {"error": f"the line is longer than {LONGEST_LINE} bytes"}
    try:
        return answer(kind, _parse(line))
    except RecursionError:
        return {"error": "this JSON is nested too deeply"}
    except ValueError as error:
        return {"error": str(error)}


def _parse(line: bytes) -> Any:
    try:
        return json.loads(line.decode("utf-8"), parse_constant=_refuse, object_pairs_hook=_once)
    except ValueError as error:
        raise ValueError(f"this is not a JSON object: {error}") from error


def _refuse(name: str) -> Any:
    raise ValueError(f"{name} is not JSON")


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("a field is there twice")
    return found
