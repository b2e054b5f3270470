"""One call from a vendor: who is it, what do they want, and is it kept?"""

from __future__ import annotations

import math

from django.conf import settings
from django.contrib.auth.decorators import login_not_required
from django.http import HttpRequest, HttpResponse
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_POST

from incidents.hooks.applying import process
from supportdesk import instants
from supportdesk.errors import DeskError, Invalid, NotFound, TooMany
from supportdesk.integrations import intake
from supportdesk.integrations.base import BadPayload, BadSignature, Outcome, Reply, Request
from supportdesk.integrations.models import Connection
from supportdesk.queue import inbox, outbox
from supportdesk.queue.models import InboundEvent
from supportdesk.web.errors import answer

_TOO_MANY = "This call was not kept: this connection sent too many within a minute. Send it again in {} s."


@csrf_exempt
@login_not_required
@require_POST
def receive(request: HttpRequest, vendor: str, code: str) -> HttpResponse:
    """One call from a vendor. Where a person waits for the answer, nobody is asked to come again (MON-12)."""
    connection = Connection.objects.answering(vendor, code)
    if connection is None:
        return answer(request, NotFound("No connection answers at this address."))
    integration, asked = outbox.build(connection), _value(request)
    try:
        replies = integration.receive(asked)
    except BadSignature as error:
        refusal = DeskError(str(error) or "The signature does not match.")
        refusal.status, refusal.code, refusal.title = (
            401,
            "bad-signature",
            "This does not come from the vendor it claims to come from",
        )
        return answer(request, refusal)
    except BadPayload as error:
        unreadable = Invalid(error.detail, field=error.field)
        unreadable.status = integration.unreadable_status
        return answer(request, unreadable)
    waiting = [reply for reply in replies if integration.answers_at_once or reply.is_awaited]
    wait = None if waiting else intake.take(connection.pk)
    if wait is not None:
        seconds = math.ceil(wait.total_seconds()) or 1
        return answer(request, TooMany(_TOO_MANY.format(seconds), retry_after=seconds))
    said = integration.answer(asked, _outcomes(connection, replies, waiting))
    return HttpResponse(said.body, status=said.status, content_type=said.content_type)


def _value(request: HttpRequest) -> Request:
    """The request as an integration reads it; the address is the public one, as the vendor called it."""
    return Request(
        method=request.method or "POST",
        url=settings.PUBLIC_URL + request.get_full_path(),
        query=request.META.get("QUERY_STRING", ""),
        headers={name.lower(): value for name, value in request.headers.items()},
        body=request.body,
    )


def _outcomes(connection: Connection, replies: list[Reply], waiting: list[Reply]) -> list[Outcome]:
    """Stored now, applied from the queue: the vendor has its answer before anything slow happens. `waiting` are those
    whose answer somebody waits for: they are applied at once."""
    inbox.store(connection, [reply for reply in replies if reply not in waiting])
    return [_at_once(connection, reply) if reply in waiting else Outcome(reply, "ok", "") for reply in replies]


def _at_once(connection: Connection, reply: Reply) -> Outcome:
    """Somebody is on the line: store and apply in one go. The same key again gets the same answer and does nothing."""
    InboundEvent.objects.bulk_create([inbox.row(connection, reply, instants.now())], ignore_conflicts=True)
    event = InboundEvent.objects.get(connection=connection, key=inbox.key_of(reply))
    if event.state == InboundEvent.State.DONE:
        result = event.outcome.get("result", "already")
        result = "already" if result == "ok" else result
        return Outcome(reply, result, event.outcome.get("text", ""), event.outcome.get("data", {}))
    process(event.pk)
    event.refresh_from_db()
    return Outcome(
        reply,
        event.outcome.get("result", "refused"),
        event.outcome.get("text") or ("" if event.outcome else "This did not work. Please use the console."),
        event.outcome.get("data", {}),
    )
