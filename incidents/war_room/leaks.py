"""What must not leave the house in a text for a customer or for everybody: other customers, machines, secrets. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

HOSTS = re.compile(
    r"\b[a-z0-9-]+(?:\.[a-z0-9-]+)*\.(?:internal|local|lan|corp|intra)\b"
    r"|\b(?:10|192\.168|172\.(?:1[6-9]|2\d|3[01]))(?:\.\d{1,3}){2,3}\b",
    re.IGNORECASE,
)
SECRETS = re.compile(
    r"\b(?:xox[abprs]-[\w-]{8,}|AKIA[0-9A-Z]{12,}|sd_[\w-]{20,}|gh[pousr]_\w{20,})"
    r"|-----BEGIN [A-Z ]*PRIVATE KEY-----|\bpassword\s*[:=]\s*\S+",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class Leak:
    """Something found: `what` kind it is, and the words themselves (empty for a secret: it is not repeated)."""

    what: str
    words: str = ""

    def in_words(self) -> str:
        if self.what == "secret":
            return "it contains what looks like a secret"
        if self.what == "machine":
            return f"it names an internal machine, {self.words}"
        return f"it names another customer, {self.words}"


def find(text: str, others: Iterable[str] = ()) -> list[Leak]:
    """Everything in a text that should stay inside. `others` are the names of other customers."""
    found = [Leak("machine", match[0]) for match in HOSTS.finditer(text)]
    if SECRETS.search(text):
        found.append(Leak("secret"))
    return [*found, *(Leak("customer", name) for name in others if word(name).search(text))]


def word(name: str) -> re.Pattern[str]:
    """A name as a word of its own, in any case."""
    return re.compile(rf"(?<!\w){re.escape(name)}(?!\w)", re.IGNORECASE)
