"""Reading a report for what does not belong in it: blame, open ends, and what must not leave the house (domain §8).
Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from incidents.war_room import leaks
from reports.sections import BY_SLUG

_BLAME = re.compile(
    r"\b(careless\w*|should have|human error|fault of|negligen\w+|stupid\w*|incompetent\w*)\b", re.IGNORECASE
)
_OPEN = "_To be written._"
_BLAMELESS = ("factors", "response", "luck")


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing to look at. Warnings never stop anybody."""

    section: str
    text: str


def warnings(sections: Mapping[str, str], people: Iterable[str] = ()) -> list[Finding]:
    """Blameless checks on the internal version."""
    found = []
    for slug in _BLAMELESS:
        text = sections.get(slug, "")
        found += [
            Finding(slug, f"“{match[0]}” blames somebody. What made it reasonable at the time?")
            for match in _BLAME.finditer(text)
        ]
        found += [
            Finding(slug, f"“{name}” is a person. Name the role, or the condition.")
            for name in people
            if name and leaks.word(name).search(text)
        ]
    factors = [
        line for line in sections.get("factors", "").splitlines() if line.strip().startswith(("-", "*", "1", "2", "3"))
    ]
    if len(factors) < 2:
        found.append(Finding("factors", "Fewer than two contributing factors. There are always several."))
    found += [Finding(slug, "Still to be written.") for slug, text in sections.items() if _OPEN in text]
    return found


def blocking(customer_sections: Mapping[str, str], others: Iterable[str] = ()) -> list[str]:
    """What keeps the customer's version from being published, as sentences."""
    problems = []
    for slug, text in customer_sections.items():
        title = BY_SLUG[slug].customer_title
        if _OPEN in text:
            problems.append(f"“{title}” is still to be written.")
        problems += [f"“{title}” must change: {leak.in_words()}." for leak in leaks.find(text, others)]
    return problems
