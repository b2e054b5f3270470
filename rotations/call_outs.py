"""What people were called for, written down by whoever pages, and what that means for their shift and their rest.

Called inside the transaction of the page, the acknowledgement and the end; nothing here decides who is paged now.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from django.db import connection

from rotations import fatigue, oncall, planning
from rotations.models import CallOut, Schedule
from rotations.resolution import Reason

URGENT = ("P1", "P2")
_SHIFTLESS = timedelta(hours=12)  # how far back to look where the holder has no shift of their own
_PAGED = """
INSERT INTO rotations_callout (user_id, subject, generation, severity, pages, paged_at, last_paged_at)
VALUES (%s, %s, %s, %s, 1, %s, %s)
ON CONFLICT (user_id, subject, generation) DO UPDATE
    SET pages = rotations_callout.pages + 1, last_paged_at = EXCLUDED.last_paged_at, severity = EXCLUDED.severity,
        ended_at = NULL
"""


def paged(user_id: int, subject: str, severity: str, at: datetime, generation: int = 0) -> None:
    """Somebody is paged: the first page of an incident opens a call-out, the next ones are counted."""
    with connection.cursor() as cursor:
        cursor.execute(_PAGED, [user_id, subject, generation, severity, at, at])


def acknowledged(user_id: int, subject: str, severity: str, at: datetime, generation: int = 0) -> None:
    """Somebody takes it: their work began with the first page, or now if nobody paged them."""
    mine = {"user_id": user_id, "subject": subject, "generation": generation}
    row, _ = CallOut.objects.get_or_create(
        **mine, defaults={"severity": severity, "paged_at": at, "last_paged_at": at, "pages": 0}
    )
    CallOut.objects.filter(pk=row.pk).update(acknowledged_at=row.acknowledged_at or at, ended_at=None)


def ended(subject: str, at: datetime, user_id: int | None = None) -> list[int]:
    """The work of one person, or of everybody, ends. Returns whose acknowledged work that was."""
    running = CallOut.objects.filter(subject=subject, ended_at=None)
    if user_id is not None:
        running = running.filter(user_id=user_id)
    workers = sorted(set(running.filter(acknowledged_at__isnull=False).values_list("user_id", flat=True)))
    running.update(ended_at=at)
    return workers


def is_loaded(row: Schedule, at: datetime) -> bool:
    """Whether the primary has had enough this shift, so that the next P1 or P2 rings the backup first (FAT-5)."""
    hold = oncall.schedule(row).who(at).primary_shift
    if hold is None or hold.reason is Reason.FALLBACK:
        return False
    limits = planning.profile()
    begun = hold.shift_start or at - _SHIFTLESS
    since = max(begun, at - limits.incidents_within)
    taken = CallOut.objects.filter(
        user_id=int(hold.person), severity__in=URGENT, acknowledged_at__gte=since, acknowledged_at__lte=at
    )
    acks = [fatigue.Acknowledged(one.subject, one.acknowledged_at) for one in taken if one.acknowledged_at]
    return fatigue.is_loaded(acks, at, begun, limits)
