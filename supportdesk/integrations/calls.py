"""Every call to a vendor leaves a row: how long it took, what came of it, and how late it was.

One insert a call and nothing else: no counter that calls would wait for. The auditor adds the rows up.
"""

from __future__ import annotations

import contextlib
import logging
import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from django.db import DatabaseError, models
from django.db.models import Q

from supportdesk import instants
from supportdesk.integrations.base import IntegrationError
from supportdesk.integrations.models import Connection

log = logging.getLogger("supportdesk.queue")


class VendorCall(models.Model):
    """One call to a vendor. Kept for a day."""

    class Outcome(models.TextChoices):
        OK = "ok", "accepted"
        FAILED = "failed", "no answer, or an error of theirs"
        ASKED_TO_WAIT = "asked_to_wait", "asked us to come back later"
        REFUSED = "refused", "refused for good"

    # No constraint: checking one would lock the connection's row, and a page would wait for whoever changes it.
    connection = models.ForeignKey(
        Connection, null=True, on_delete=models.SET_NULL, related_name="+", db_constraint=False
    )
    vendor = models.CharField(max_length=30)
    lane = models.CharField(max_length=20)
    at = models.DateTimeField()
    outcome = models.CharField(max_length=14, choices=Outcome.choices)
    seconds = models.FloatField(help_text="how long the vendor took")
    due_to_claimed = models.FloatField(null=True, help_text="seconds until the clock had it; first tries only")
    claimed_to_sent = models.FloatField(null=True, help_text="seconds from there until it was out; first tries only")
    is_counted = models.BooleanField(default=False)

    class Meta:
        indexes = [
            # auditor: what is not yet in the tallies
            models.Index(fields=["id"], name="vendor_call_uncounted", condition=Q(is_counted=False)),
            # auditor I10: how a connection did lately; forgetting what is old
            models.Index(fields=["at"], name="vendor_call_at"),
        ]

    def __str__(self) -> str:
        return f"{self.vendor}: {self.outcome}"


@dataclass(frozen=True, slots=True)
class Timed:
    """What a call was made for, as far as its row wants to know."""

    connection: Connection | None
    vendor: str
    lane: str
    due_at: datetime | None = None
    claimed_at: datetime | None = None


@contextlib.contextmanager
def recorded(what: Timed) -> Iterator[None]:
    """Note how a call went, whichever way it ends."""
    begun = time.monotonic()
    outcome = VendorCall.Outcome.OK
    try:
        yield
    except IntegrationError as error:
        outcome = outcome_of(error)
        raise
    except Exception:
        outcome = VendorCall.Outcome.FAILED
        raise
    finally:
        try:
            _note(what, outcome, time.monotonic() - begun)
        except DatabaseError:  # what was sent is sent: a missing row must not have it sent again
            log.exception("a call to %s was not counted", what.vendor)


def outcome_of(error: IntegrationError) -> VendorCall.Outcome:
    """What an error says of the vendor."""
    if error.permanent:
        return VendorCall.Outcome.REFUSED
    if error.retry_after is not None:
        return VendorCall.Outcome.ASKED_TO_WAIT
    return VendorCall.Outcome.FAILED


def _note(what: Timed, outcome: VendorCall.Outcome, seconds: float) -> None:
    now = instants.now()
    is_first = what.due_at is not None and what.claimed_at is not None
    VendorCall.objects.create(
        connection=what.connection,
        vendor=what.vendor,
        lane=what.lane,
        at=now,
        outcome=outcome,
        seconds=seconds,
        due_to_claimed=_between(what.due_at, what.claimed_at) if is_first else None,
        claimed_to_sent=_between(what.claimed_at, now) if is_first else None,
    )


def _between(first: datetime | None, then: datetime | None) -> float:
    return max((then - first).total_seconds(), 0.0) if first and then else 0.0
