"""Finding values in somebody else's JSON by a path that is data: `$.alert.labels["k8s.io/name"]`, `items[0].id`. Pure.

A path names one place: members and places in lists, no wildcards, no filters, nothing that could run for long.
Alternatives are separated by `|`; the first that is there counts. `=text` is that text.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

LONGEST = 300
DEEPEST = 20
_STEP = re.compile(r"""\.?([A-Za-z_@][\w@-]*)|\[(\d{1,4})\]|\[(?:"([^"]{1,100})"|'([^']{1,100})')\]""")


def parse(expression: str) -> list[tuple[str | int, ...] | str]:
    """The alternatives of an expression: steps of a path, or a text. Raises ValueError saying what is wrong."""
    if len(expression) > LONGEST:
        raise ValueError(f"a path has at most {LONGEST} characters")
    found: list[tuple[str | int, ...] | str] = []
    for written in expression.split("|"):
        alternative = written.strip()
        found.append(alternative[1:].strip() if alternative.startswith("=") else _steps(alternative))
    return found


def _steps(path: str) -> tuple[str | int, ...]:
    rest = path.removeprefix("$")
    steps: list[str | int] = []
    while rest:
        match = _STEP.match(rest)
        if match is None or len(steps) >= DEEPEST:
            raise ValueError(f"{path!r} is not a path; write it like $.alert.labels.host or items[0].id")
        name, place, double, single = match.groups()
        steps.append(int(place) if place is not None else name or double or single)
        rest = rest[match.end() :]
    return tuple(steps)


def find(source: Any, expression: str) -> Any:
    """The first value an expression finds below `source`; None where it finds none."""
    for alternative in parse(expression) if expression.strip() else []:
        value = alternative if isinstance(alternative, str) else _follow(source, alternative)
        if value is not None and value != "":
            return value
    return None


def text(source: Any, expression: str) -> str:
    """The value as text: numbers and truth values are written out, lists and objects read as ""."""
    value = find(source, expression)
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value) if isinstance(value, str | int | float) else ""


def _follow(source: Any, steps: tuple[str | int, ...]) -> Any:
    value = source
    for step in steps:
        if isinstance(step, int):
            value = value[step] if isinstance(value, list) and step < len(value) else None
        else:
            value = value.get(step) if isinstance(value, Mapping) else None
    return value
