"""Who may call a vendor now: one slow, broken or stingy vendor holds up nobody else (reliability F20, F21, F26).

Asked for every delivery, after its lease and before its call. What cannot wait and cannot go fails at once, so that
the next way to reach the person is tried; what can wait goes back to its row and costs no try.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from datetime import datetime, timedelta

from supportdesk import integrations
from supportdesk.integrations import breaker, budget, calls
from supportdesk.integrations.base import IntegrationError
from supportdesk.integrations.calls import Timed
from supportdesk.queue.models import Delivery

SOON = timedelta(seconds=1)


class PutOff(Exception):
    """Not now: ask again at `until`. It was not a try."""

    def __init__(self, until: datetime, why: str) -> None:
        super().__init__(why)
        self.until = until
        self.why = why


class Stuck(IntegrationError):
    """The vendor is down and this cannot wait for it: not tried, and the next way is taken at once."""


def ask(delivery: Delivery, lease: timedelta) -> None:
    """Return where the call may go out. Raises `PutOff` or `Stuck`."""
    line = delivery.connection
    if line is None or line.vendor not in integrations.slugs():
        return
    state = breaker.look(line.pk, key=delivery.key, is_urgent=delivery.is_urgent, lease=lease)
    if not state.may_call and state.until is not None:
        if not delivery.is_urgent:
            raise PutOff(state.until, state.why)
        if state.is_broken:
            raise Stuck(f"Not tried: {state.why}")
    per_minute = integrations.get(line.vendor).per_minute
    later = budget.take(line.pk, per_minute, is_urgent=delivery.is_urgent, is_first_page=is_first_page(delivery))
    if later is not None:
        raise PutOff(later, "the vendor takes no more just now")


def is_first_page(delivery: Delivery) -> bool:
    """The first page of an incident waits for nothing and shares its message with no other."""
    return bool(delivery.facts.get("first_page"))


@contextlib.contextmanager
def noted(delivery: Delivery) -> Iterator[None]:
    """Whatever comes of the call, its row, and what everybody else should know of the vendor."""
    line = delivery.connection
    is_first = delivery.attempts == 1
    what = Timed(
        line,
        delivery.vendor,
        delivery.lane,
        due_at=delivery.due_at if is_first else None,
        claimed_at=(delivery.handed_at or delivery.due_at) if is_first else None,
    )
    try:
        with calls.recorded(what):
            yield
    except IntegrationError as error:
        if line is not None:
            breaker.note_failure(line.pk, error)
        raise
    if line is not None:
        breaker.note_success(line.pk)
