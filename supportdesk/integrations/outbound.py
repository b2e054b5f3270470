"""What every outbound call shares: an end to waiting, a cap on answers, and one reading of what a failure means."""

from __future__ import annotations

import logging
import math
import threading
from collections.abc import Callable, Mapping
from concurrent.futures import Future, wait
from email.utils import parsedate_to_datetime
from typing import Any, TypeVar

from requests import PreparedRequest, Response, Session
from requests import exceptions as failures
from requests.adapters import HTTPAdapter
from urllib3.exceptions import NewConnectionError

from supportdesk.integrations.base import IntegrationError

T = TypeVar("T")

ANSWER_LIMIT = 1_048_576  # bytes; no vendor answer we read is near it
# Clients get a logger nobody hears: failures travel in `IntegrationError`, and clients log numbers and tokens.
QUIET = logging.Logger("vendor-clients", level=logging.CRITICAL + 1)
GRACE = 2.0  # seconds a call may take beyond its socket timeout, for name look-up and a second round trip

_NEVER_LEFT = (failures.ConnectTimeout, failures.SSLError, failures.ProxyError)
_NOT_SENDABLE = (failures.InvalidURL, failures.InvalidSchema, failures.MissingSchema, failures.InvalidHeader)


def within(seconds: float, call: Callable[[], T]) -> T:
    """The result of `call`, or an ambiguous `IntegrationError` after `seconds`, however slowly the other side drips.

    Socket timeouts are per read and do not cover name look-up; this covers the whole call. The abandoned thread
    holds nothing of ours and ends with its connection.
    """
    outcome: Future[T] = Future()

    def run() -> None:
        try:
            outcome.set_result(call())
        except BaseException as error:
            outcome.set_exception(error)

    if seconds <= 0:
        raise IntegrationError("no time is left for this call")
    threading.Thread(target=run, name="vendor-call", daemon=True).start()
    if not wait([outcome], timeout=seconds).done:
        raise IntegrationError(f"no complete answer within {seconds:g} s", ambiguous=True)
    return outcome.result()


class BoundedAdapter(HTTPAdapter):
    """A requests adapter that never retries and never reads more than `ANSWER_LIMIT` bytes of an answer."""

    def send(self, request: PreparedRequest, **options: Any) -> Response:  # type: ignore[override]
        response = super().send(request, **(options | {"stream": True}))
        body = bytearray()
        for chunk in response.iter_content(16_384):
            body += chunk
            if len(body) > ANSWER_LIMIT:
                response.close()
                raise failures.ContentDecodingError(f"the answer is longer than {ANSWER_LIMIT} bytes")
        response._content = bytes(body)
        return response


def bind(session: Session) -> None:
    """Make a client's requests session ours: no retries, bounded answers, and never off to another address."""
    adapter = BoundedAdapter(max_retries=0)
    session.mount("https://", adapter)
    session.mount("http://", adapter)
    session.max_redirects = 0


def refused(status: int, detail: str, headers: Mapping[str, str]) -> IntegrationError:
    """What an HTTP status other than success means for the next attempt.

    429 and 503 were not acted upon; other 5xx may have been; everything else will be refused again.
    """
    if status in (420, 429, 503):
        return IntegrationError(detail, retry_after=retry_after(headers))
    if status >= 500 or status == 408:
        return IntegrationError(detail, ambiguous=True, retry_after=retry_after(headers))
    return IntegrationError(detail, permanent=True, locked_out=status == 401)


def unanswered(error: failures.RequestException, vendor: str) -> IntegrationError:
    """What a request without a usable answer means: not sent, never sendable, or perhaps acted upon (ambiguous)."""
    detail = f"{vendor}: {type(error).__name__}: {error}"[:300]
    if isinstance(error, failures.TooManyRedirects):
        return IntegrationError(f"{vendor} sent us to another address; we do not follow", permanent=True)
    if isinstance(error, _NOT_SENDABLE):
        return IntegrationError(detail, permanent=True)
    reason = getattr(error.args[0], "reason", None) if error.args else None
    never_left = isinstance(error, _NEVER_LEFT) or isinstance(reason, NewConnectionError)
    return IntegrationError(detail, ambiguous=not never_left)


def retry_after(headers: Mapping[str, str]) -> float | None:
    """Seconds from `Retry-After`: a number, or a date measured against the vendor's own clock. None when unusable."""
    lower = {name.lower(): value for name, value in headers.items()}
    asked = str(lower.get("retry-after", "")).strip()
    try:
        seconds = float(asked)
    except ValueError:
        try:
            seconds = (parsedate_to_datetime(asked) - parsedate_to_datetime(lower.get("date", ""))).total_seconds()
        except (ValueError, TypeError):
            return None
    return max(0.0, seconds) if math.isfinite(seconds) else None
