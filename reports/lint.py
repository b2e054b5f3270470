"""Reading a report for what does not belong in it: blame, open ends, and what must not leave the house (domain §8).
Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from reports.sections import BY_SLUG

_BLAME = re.compile(
    r"\b(careless\w*|should have|human error|fault of|negligen\w+|stupid\w*|incompetent\w*)\b", re.IGNORECASE
)
_HOSTS = re.compile(
    r"\b[a-z0-9-]+(?:\.[a-z0-9-]+)*\.(?:internal|local|lan|corp|intra)\b"
    r"|\b(?:10|192\.168|172\.(?:1[6-9]|2\d|3[01]))(?:\.\d{1,3}){2,3}\b",
    re.IGNORECASE,
)
_SECRETS = re.compile(
    r"\b(?:xox[abprs]-[\w-]{8,}|AKIA[0-9A-Z]{12,}|sd_[\w-]{20,}|gh[pousr]_\w{20,})"
    r"|-----BEGIN [A-Z ]*PRIVATE KEY-----|\bpassword\s*[:=]\s*\S+",
    re.IGNORECASE,
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
            if name and _word(name).search(text)
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
        if match := _HOSTS.search(text):
            problems.append(f"“{title}” names an internal machine: {match[0]}.")
        if _SECRETS.search(text):
            problems.append(f"“{title}” contains what looks like a secret.")
        problems += [f"“{title}” names another customer: {name}." for name in others if _word(name).search(text)]
    return problems


def _word(name: str) -> re.Pattern[str]:
    return re.compile(rf"(?<!\w){re.escape(name)}(?!\w)", re.IGNORECASE)
