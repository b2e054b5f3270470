"""Live updates: who may listen to what, and telling listeners that something changed.

A page gets a signed address that is good for a minute to begin with; the ASGI process behind it (`supportdesk.live`)
needs no database. What travels is "incident 42 changed": the page fetches its own fragment again, with its own
permissions.
"""

from __future__ import annotations

import json

from django.conf import settings
from django.core import signing
from django.http import HttpRequest

from supportdesk import sitting

CHANNEL = "supportdesk_live"
SALT = "supportdesk.live"
GOOD_FOR_SECONDS = 60


def url_for(request: HttpRequest) -> str:
    """The event stream of this reader, or nothing for strangers."""
    user = getattr(request, "user", None)
    if user is None or not user.is_authenticated:
        return ""
    scope = (
        "staff"
        if user.works_here
        else f"organization:{user.contact.organization_id}"
        if hasattr(user, "contact")
        else ""
    )
    if not scope:
        return ""
    token = signing.dumps({"scope": scope}, salt=SALT)
    if settings.LIVE_PORT:
        host = request.get_host().rsplit(":", 1)[0]
        return f"{request.scheme}://{host}:{settings.LIVE_PORT}/live/?token={token}"
    return f"/live/?token={token}"


def changed(kind: str, pk: int, organization_id: int | None = None) -> None:
    """Say, when the transaction commits, that a row changed."""
    payload = json.dumps({"kind": kind, "id": pk, "organization": organization_id})
    sitting.notify(CHANNEL, payload)
