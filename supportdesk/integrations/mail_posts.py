"""What mail providers post to us, read by django-anymail: mail that came in, and what became of mail that went out."""

from __future__ import annotations

import io
from collections.abc import Sequence
from importlib import import_module
from typing import Any

from anymail.exceptions import AnymailError
from django.conf import settings
from django.core.exceptions import SuspiciousOperation
from django.core.handlers.wsgi import WSGIRequest
from django.http.multipartparser import MultiPartParserError

from supportdesk.integrations.base import BadPayload, BadSignature, Request

# What anymail's readers raise over a body that is not what the provider documents: they trust it once it is signed.
_UNREADABLE = (
    AnymailError,
    SuspiciousOperation,
    MultiPartParserError,
    OSError,
    ValueError,
    TypeError,
    AttributeError,
    LookupError,
    ArithmeticError,
    RecursionError,
)


def events(view: str, signing_key: str, secrets: Sequence[str], request: Request) -> list[Any]:
    """The events of one request, as anymail's `view` reads them, proved by any one of `secrets`.

    Raises `BadSignature` and `BadPayload`, nothing else.
    """
    module, _, name = view.rpartition(".")
    view_class = getattr(import_module(f"anymail.webhooks.{module}"), name)
    for secret in secrets:
        reader = _reader(view_class, signing_key or "webhook_secret", secret)
        if reader is None or not _is_proved(reader, request):
            continue
        try:
            return list(reader.parse_events(_http(request)))
        except _UNREADABLE as error:
            raise BadPayload(f"this is not what the provider documents: {type(error).__name__}") from error
    raise BadSignature("the secret does not match")


def _reader(view_class: Any, setting: str, secret: str) -> Any:
    """The view with its secret; None where that is not in the provider's form, so that nothing can be proved by it."""
    try:
        return view_class(**{setting: secret})
    except _UNREADABLE:
        return None


def _is_proved(reader: Any, request: Request) -> bool:
    """Whatever goes wrong over a proof, nothing is proved."""
    try:
        reader.run_validators(_http(request))
    except _UNREADABLE:
        return False
    return True


def _http(request: Request) -> WSGIRequest:
    """The request as anymail's views read one."""
    environ: dict[str, Any] = {
        "REQUEST_METHOD": request.method,
        "PATH_INFO": "/",
        "QUERY_STRING": request.query,
        "SERVER_NAME": "desk",
        "SERVER_PORT": "443",
        "wsgi.url_scheme": "https",
        "CONTENT_TYPE": request.headers.get("content-type", ""),
        "CONTENT_LENGTH": str(len(request.body)),
        "wsgi.input": io.BytesIO(request.body),
    }
    environ |= {f"HTTP_{name.upper().replace('-', '_')}": value for name, value in request.headers.items()}
    made = WSGIRequest(environ)
    made.META["HTTP_HOST"] = settings.PUBLIC_URL.partition("//")[2]
    if "form" not in request.headers.get("content-type", ""):
        made._body = request.body  # read already, within our own limit
    return made
