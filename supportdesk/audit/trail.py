"""Writing to the audit trail."""

from __future__ import annotations

from typing import Any

from supportdesk import instants
from supportdesk.actors import Actor
from supportdesk.audit.models import AuditEntry


def record(
    actor: Actor, verb: str, subject: str, *, before: Any = None, after: Any = None, reason: str = ""
) -> AuditEntry:
    """Append one entry, in the caller's transaction."""
    return AuditEntry.objects.create(
        at=instants.now(),
        actor=actor.name,
        user_id=actor.user_id,
        via=actor.via,
        verb=verb,
        subject=subject,
        before=before,
        after=after,
        reason=reason,
    )
