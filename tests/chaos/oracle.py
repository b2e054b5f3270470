"""What the vendors saw, and what follows from it. The desk's own tables are never asked."""

from __future__ import annotations

import json
import random
import re
import threading
import time
from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs, urlsplit

from tests.fakes import Fakes
from tests.fakes.server import FakeVendor, Reaction, Seen, Step

REF = re.compile(r"INC-(\d+)")


@dataclass(frozen=True)
class Accepted:
    """One thing a vendor did for the desk. `key` is the desk's own name for it, empty where none came along."""

    at: float
    vendor: str
    key: str
    incident: int

    @property
    def is_page(self) -> bool:
        return self.key.startswith("page:")


@dataclass
class Log:
    """Everything accepted, by any vendor, as it arrived."""

    entries: list[Accepted] = field(default_factory=list)
    by_incident: dict[int, list[Accepted]] = field(default_factory=lambda: defaultdict(list))
    lock: threading.Lock = field(default_factory=threading.Lock)
    ambiguous: int = 0  # accepted by a vendor that then did not say so: the desk has to send again

    def add(self, entry: Accepted) -> None:
        with self.lock:
            self.entries.append(entry)
            if entry.is_page and entry.incident:
                self.by_incident[entry.incident].append(entry)

    def first_page(self, incident: int) -> float | None:
        with self.lock:
            return min((entry.at for entry in self.by_incident.get(incident, ())), default=None)

    def duplicates(self) -> int:
        """Messages beyond the first with the same key at the same vendor."""
        seen: dict[tuple[str, str], int] = defaultdict(int)
        for entry in self.entries:
            if entry.key:
                seen[entry.vendor, entry.key] += 1
        return sum(times - 1 for times in seen.values())

    def without_key(self) -> int:
        """Messages nobody could tell from another one: they came without the desk's key."""
        return sum(not entry.key for entry in self.entries)


def listen(fakes: Fakes, log: Log) -> None:
    """Write down what the vendors that page people accept."""
    for vendor, read in ((fakes.sms, _sms), (fakes.phone, _phone), (fakes.slack, _slack)):
        vendor.react = _recorded(vendor, vendor.react, read, log)  # type: ignore[method-assign]


def _recorded(
    vendor: FakeVendor, react: Callable[[Seen], Reaction], read: Callable[[Seen], tuple[str, str] | None], log: Log
) -> Callable[[Seen], Reaction]:
    def recorded(seen: Seen) -> Reaction:
        reaction = react(seen)
        found = read(seen) if reaction.status < 300 else None
        if found is not None:
            key, words = found
            ref = REF.search(words)
            log.add(Accepted(time.monotonic(), vendor.name, key, int(ref[1]) if ref else 0))
            if seen.step is not None:
                log.ambiguous += 1
        return reaction

    return recorded


def _sms(seen: Seen) -> tuple[str, str] | None:
    return (_callback_key(seen), seen.data.get("Body", "")) if "Body" in seen.data else None


def _phone(seen: Seen) -> tuple[str, str] | None:
    return (_callback_key(seen), seen.data["Twiml"]) if "Twiml" in seen.data else None


def _slack(seen: Seen) -> tuple[str, str] | None:
    if not seen.path.endswith("chat.postMessage"):
        return None
    said = seen.data.get("metadata") or {}
    payload: Any = json.loads(said) if isinstance(said, str) else said
    return payload.get("event_payload", {}).get("key", ""), json.dumps(seen.data, default=str)


def _callback_key(seen: Seen) -> str:
    return next(iter(parse_qs(urlsplit(seen.data.get("StatusCallback", "")).query).get("key", ())), "")


class Moods:
    """Vendors on a bad day: every so often one answers as vendors do when they are ill."""

    def __init__(self, fakes: Fakes, chance: float, seed: int) -> None:
        self._chance, self._random = chance, random.Random(seed)
        self.calm = False
        for vendor in (fakes.sms, fakes.phone, fakes.slack, fakes.pagerduty):
            vendor.take_step = self._mood  # type: ignore[method-assign]

    def _mood(self, path: str) -> Step | None:
        if self.calm or self._random.random() > self._chance:
            return None
        return self._random.choice(
            [
                Step(status=429, headers={"Retry-After": "1"}),
                Step(status=503),
                Step(hang=8.0, acts=False, status=500),
                Step(drip=0.02, acts=True),
                Step(drop=True, acts=True),
                Step(drop=True, acts=False),
                Step(status=200, body={"ok": False, "error": "internal_error", "code": 20500}, acts=False),
            ]
        )
