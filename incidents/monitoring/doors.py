"""Where jobs call: the code in the address is the secret, and a plain `curl` is enough (MON-8)."""

from __future__ import annotations

from django.contrib.auth.decorators import login_not_required
from django.http import HttpRequest, HttpResponse
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods

from incidents.monitoring import watching
from supportdesk.errors import DeskError
from supportdesk.web.errors import answer


@csrf_exempt
@login_not_required
@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def ping(request: HttpRequest, code: str, failed: bool = False) -> HttpResponse:
    """A job is alive, or says that it failed. Answered when it is stored."""
    try:
        watching.ping(code, failed=failed)
    except DeskError as error:
        return answer(request, error)
    return HttpResponse("ok", content_type="text/plain; charset=utf-8")
