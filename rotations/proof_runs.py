"""When the coverage proof runs: every night, soon after every save it stands on, and when somebody asks.

A save arms a timer in its own transaction and goes on; the first of them that comes due proves for all. A failure
nobody has been told of yet is told to the managers and to whoever can mend it.
"""

from __future__ import annotations

from datetime import datetime, time, timedelta
from typing import Any

from django.db import connection

from rotations import gaps, proving, telling
from rotations.models import Proof as ProofRow
from rotations.models import Schedule
from rotations.proof import Failure, Proof
from rotations.proof.written import said
from supportdesk import instants
from supportdesk.accounts.models import User
from supportdesk.errors import Invalid
from supportdesk.queue import timers
from supportdesk.queue.models import Lane, Timer

SUBJECT = "proof"
NIGHTLY = "rotations.proof_runs.every_night"
SAVED = "rotations.proof_runs.after_saves"
NIGHT = time(2, 30)  # UTC
SETTLES_IN = timedelta(seconds=10)  # saves that follow each other are proved together
LONGEST_DAYS = 400


def note_save(**signal: Any) -> None:
    """Something a proof stands on was saved or deleted: prove in a moment, and see to it that the nights are planned.

    One timer a transaction; the key names it, so that many saves in one are one and two never wait for each other.
    """
    now = instants.now()
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_current_xact_id()::text")
        (transaction_id,) = cursor.fetchone()
    key = f"{SUBJECT}:saved:{now:%Y-%m-%dT%H:%M:%S}:{transaction_id}"
    timers.arm([timers.Planned(key, SAVED, SUBJECT, now + SETTLES_IN, lane=Lane.BULK), _next_night(now)])


def after_saves(timer: Timer) -> None:
    """Prove what was saved. What is armed besides was committed before this reads, so this proves it too."""
    timers.cancel(SUBJECT, run=SAVED)
    gaps.sweep()
    prove(ProofRow.Kind.SAVE, proving.ON_SAVE)


def every_night(timer: Timer) -> None:
    """Prove the next 90 days, and plan the next night."""
    timers.arm([_next_night(instants.now())])
    gaps.sweep()
    prove(ProofRow.Kind.NIGHTLY, proving.NIGHTLY)


def on_demand(days: int) -> ProofRow:
    """Prove because somebody asked, and see to it that the nights are planned: also on a desk that saves nothing.

    Raises `Invalid` for a stretch that is not 1 to 400 days.
    """
    if not 1 <= days <= LONGEST_DAYS:
        raise Invalid(f"A proof covers 1 to {LONGEST_DAYS} days.", field="days")
    timers.arm([_next_night(instants.now())])
    return prove(ProofRow.Kind.DEMAND, timedelta(days=days))


def prove(kind: str, length: timedelta) -> ProofRow:
    """Prove, keep the result, and tell of a failure that is news."""
    proof, row = proving.run(kind, length)
    if proof.first is not None and _is_news(row, proof.first):
        _tell(row, proof, proof.first)
    return row


def _next_night(now: datetime) -> timers.Planned:
    at = datetime.combine(now.date(), NIGHT, now.tzinfo)
    at += timedelta(days=at <= now)
    return timers.Planned(f"{SUBJECT}:night:{at:%Y-%m-%d}", NIGHTLY, SUBJECT, at, lane=Lane.BULK)


def _is_news(row: ProofRow, first: Failure) -> bool:
    """Whether the last proof that looked at this minute held, or failed only later."""
    earlier = ProofRow.objects.exclude(pk=row.pk).filter(until__gt=first.at).order_by("-at", "-pk").first()
    if earlier is None or earlier.ok:
        return True
    return first.at < said(earlier.summary["first"]["at"])


def _tell(row: ProofRow, proof: Proof, first: Failure) -> None:
    menders = [int(person) for person in first.menders if person.isdigit()]
    telling.tell(
        "proof_failed",
        str(row.pk),
        f"{SUBJECT}:{row.pk}",
        [*telling.managers([Schedule()]), *User.objects.filter(pk__in=menders)],
        times={"at": first.at},
        page="proof:certificate",
        organization=first.organization,
        severity=first.severity,
        trouble=first.text,
        remedy=first.remedy,
        who=row.summary["first"]["who"],
        others=sum(verdict.count for verdict in proof.verdicts) - 1,
    )
