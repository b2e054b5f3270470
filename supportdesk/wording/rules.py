"""What a text of a message may say: facts, and sections that appear where a fact is there. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable

LONGEST = 4_000
_TAG = re.compile(r"\{\{\s*([^\w\s}]?)\s*([\w.]*)[^}]*\}\}")
_KINDS_OF_TAG = frozenset({"", "#", "^", "/"})


def facts_in(source: str) -> frozenset[str]:
    """The names of the facts a text uses."""
    return frozenset(name for _, name in _TAG.findall(source) if name)


def problems(source: str, known: Iterable[str]) -> list[str]:
    """What is wrong with a text, in words; empty where nothing is."""
    found = []
    if not source.strip():
        found.append("The text is empty.")
    if len(source) > LONGEST:
        found.append(f"The text is {len(source):,} characters long; {LONGEST:,} is the most.")
    if any(mark not in _KINDS_OF_TAG for mark, _ in _TAG.findall(source)):
        found.append("Only {{fact}}, {{#fact}}…{{/fact}} and {{^fact}}…{{/fact}} can be used.")
    unknown = sorted(facts_in(source) - frozenset(known))
    if unknown:
        found.append(f"This message knows nothing of {', '.join(unknown)}.")
    if not _is_balanced(source):
        found.append("A section is not closed where it should be.")
    return found


def _is_balanced(source: str) -> bool:
    """Whether every section that is opened is closed, the innermost first."""
    opened: list[str] = []
    for mark, name in _TAG.findall(source):
        if mark in ("#", "^"):
            opened.append(name)
        elif mark == "/" and (not opened or opened.pop() != name):
            return False
    return not opened
