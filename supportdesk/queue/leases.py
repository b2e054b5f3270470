"""When a lease is over: by how long we have seen it held, not by what any wall clock says (reliability F13).

A lease carries an instant, so that people and the auditor can read it. But a clock that jumps must neither end every
lease at once (each page twice) nor stretch one for hours (no page at all): whoever watches measures with its own
monotonic clock, from the moment it first saw the lease.
"""

from __future__ import annotations

import time
from collections.abc import Iterable
from datetime import datetime, timedelta

from supportdesk import instants

Held = tuple[int, int]  # a row's id, and which attempt at it holds the lease


def monotonic() -> float:
    """Seconds that never jump; in tests, those of the stopped clock."""
    frozen = instants.frozen()
    return time.monotonic() if frozen is None else frozen.timestamp()


class Leases:
    """The leases one clock process has seen, on one table. `longest` bounds what a row may claim."""

    def __init__(self, longest: timedelta) -> None:
        self._longest = longest
        # The instant is part of the name: an attempt may be counted back, and the same number leased again.
        self._ends: dict[tuple[int, int, datetime | None], float] = {}

    def over(self, held: Iterable[tuple[int, int, datetime | None]], now: datetime) -> list[Held]:
        """Of the leases held at this moment (row, attempt, until), those that are over. Forgets those that went."""
        seen, at = {}, monotonic()
        for lease in held:
            left = min(max((lease[2] or now) - now, timedelta()), self._longest).total_seconds()
            seen[lease] = self._ends.get(lease, at + left)
        self._ends = seen
        return [(pk, attempt) for (pk, attempt, _), end in seen.items() if end <= at]
