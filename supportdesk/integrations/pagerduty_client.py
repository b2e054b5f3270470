"""PagerDuty's Events API v2 through its client library: the only place that knows which library that is."""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from typing import Any

from requests.exceptions import RequestException

from supportdesk.integrations.base import IntegrationError
from supportdesk.integrations.outbound import GRACE, QUIET, bind, refused, unanswered, within

with warnings.catch_warnings():
    # pdpyras announces its successor on import; the swap is this one file.
    warnings.filterwarnings("ignore", message=".*pdpyras.*", category=UserWarning)
    from pdpyras import EventsAPISession, PDClientError


class _Session(EventsAPISession):
    """One request per call. The library has no switch for that; below zero attempts it hands every answer back."""

    max_http_attempts = -1
    max_network_attempts = 0

    def __init__(self, routing_key: str, *, base_url: str, timeout: float) -> None:
        super().__init__(routing_key)
        bind(self)
        self.url = base_url.rstrip("/")
        self.timeout = timeout
        self.log = QUIET
        self.retry = {429: 1}  # 0 or absent would mean: for ever


class PagerDutyEvents:
    """Sends events to one PagerDuty integration. `timeout` in seconds."""

    def __init__(self, routing_key: str, *, base_url: str, timeout: float) -> None:
        self._key, self._base_url, self._timeout = routing_key, base_url, timeout

    def send(self, action: str, dedup_key: str, body: Mapping[str, Any]) -> str:
        """Send one event; returns the key PagerDuty filed it under. Raises `IntegrationError`."""
        try:
            session = _Session(self._key, base_url=self._base_url, timeout=self._timeout)
            return within(self._timeout + GRACE, lambda: session.send_event(action, dedup_key=dedup_key, **body))
        except PDClientError as error:
            raise _translated(error) from error
        except ValueError as error:  # an empty routing key
            raise IntegrationError(f"PagerDuty: {error}"[:300], permanent=True) from error


def _translated(error: PDClientError) -> IntegrationError:
    if error.response is None:
        cause = error.__cause__
        if isinstance(cause, RequestException):
            return unanswered(cause, "PagerDuty")
        return IntegrationError(f"PagerDuty: {error}"[:300], ambiguous=True)
    status = error.response.status_code
    detail = f"PagerDuty: HTTP {status} {error.response.text[:200]}"
    if status < 300:  # accepted, but not in PagerDuty's words
        return IntegrationError(detail, ambiguous=True)
    return refused(status, detail, error.response.headers)
