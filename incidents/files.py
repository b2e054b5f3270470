"""Attachments, handed out in one way only: as a download that nothing runs, to whoever may read the incident (S15)."""

from __future__ import annotations

from uuid import UUID

from django.http import HttpRequest, HttpResponse
from django.utils.http import content_disposition_header
from django.views.decorators.http import require_GET

from incidents.models import Attachment, Incident, TimelineEntry
from supportdesk.actors import Actor
from supportdesk.errors import NotFound
from supportdesk.web.doors import door


@require_GET
@door("files")
def download(request: HttpRequest, actor: Actor, code: UUID) -> HttpResponse:
    """One attachment. What is not yours is not there."""
    row = Attachment.objects.select_related("entry").filter(code=code).first()
    if row is None or not _may_read(row, actor):
        raise NotFound("There is no such file.")
    response = HttpResponse(bytes(row.content), content_type=row.content_type)
    response["Content-Disposition"] = content_disposition_header(as_attachment=True, filename=row.name) or "attachment"
    response["X-Content-Type-Options"] = "nosniff"
    response["Content-Security-Policy"] = "sandbox; default-src 'none'"
    response["Cache-Control"] = "private, no-store"
    return response


def _may_read(row: Attachment, actor: Actor) -> bool:
    """Staff read all; a customer what hangs on an incident of theirs and was not said among ourselves."""
    if actor.is_staff:
        return True
    is_internal = row.entry is not None and row.entry.visibility == TimelineEntry.Visibility.INTERNAL
    return not is_internal and Incident.objects.visible_to(actor).filter(pk=row.incident_id).exists()
