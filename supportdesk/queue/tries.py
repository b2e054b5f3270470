"""What came of every try of a delivery, kept on its row: what a person reads who asks why it did not arrive."""

from __future__ import annotations

from supportdesk import instants
from supportdesk.queue.models import Delivery

KEPT = 12
LENGTH = 400


def noted(delivery: Delivery, words: str) -> list[dict[str, str]]:
    """The tries so far and this one: when, and what was answered."""
    tried = {"at": instants.now().isoformat(), "words": str(words)[:LENGTH]}
    return [*delivery.receipt.get("tries", []), tried][-KEPT:]
