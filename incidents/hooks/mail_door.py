"""The door for mail that a provider posts: the common one, for bodies as large as mails are."""

from __future__ import annotations

from django.contrib.auth.decorators import login_not_required
from django.http import HttpRequest, HttpResponse
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_POST

from incidents.hooks import door
from supportdesk.errors import TooLarge
from supportdesk.web.errors import answer

BODY_LIMIT = 40 * 1024 * 1024  # 30 MB of mail, in base64


@csrf_exempt
@login_not_required
@require_POST
def receive(request: HttpRequest, code: str) -> HttpResponse:
    """One call from a mail provider."""
    body = request.read(BODY_LIMIT + 1)
    if len(body) > BODY_LIMIT:
        return answer(request, TooLarge("A mail of more than 30 MB is not taken."))
    request._body = body
    return door.receive(request, "mail_in", code)
