"""Vendors without a client library of their own: JSON over HTTPS by httpx, one request per call."""

from __future__ import annotations

import json
from collections.abc import Mapping
from time import monotonic
from typing import Any

import httpx

from supportdesk.integrations import outbound
from supportdesk.integrations.base import IntegrationError
from supportdesk.integrations.outbound import refused, within

_NEVER_LEFT = (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout, httpx.ProxyError)
_NOT_SENDABLE = (httpx.InvalidURL, httpx.UnsupportedProtocol, httpx.LocalProtocolError, UnicodeError)
GRACE = outbound.GRACE


class JsonApi:
    """Calls one vendor. `timeout`, in seconds, is for all calls of one instance together.

    Nothing is tried twice, no redirect is followed, no endless answer is read.
    """

    def __init__(self, vendor: str, base_url: str, *, headers: Mapping[str, str], timeout: float) -> None:
        self._vendor, self._base_url, self._headers = vendor, base_url.rstrip("/"), dict(headers)
        self._timeout, self._ends_at = timeout, monotonic() + timeout + GRACE

    def call(self, method: str, path: str, body: Any = None, query: Mapping[str, str] | None = None) -> Any:
        """The JSON of the answer; None where there is none. Raises `IntegrationError`.

        Reading changes nothing at the vendor, so a reading that went wrong is never ambiguous.
        """
        try:
            return within(self._ends_at - monotonic(), lambda: self._once(method, path, body, query))
        except IntegrationError as error:
            if method == "GET":
                error.ambiguous = False
            raise
        except _NOT_SENDABLE as error:
            raise IntegrationError(self._said(error), permanent=True) from error
        except httpx.TransportError as error:
            acted = method != "GET" and not isinstance(error, _NEVER_LEFT)
            raise IntegrationError(self._said(error), ambiguous=acted) from error

    def _once(self, method: str, path: str, body: Any, query: Mapping[str, str] | None) -> Any:
        with (
            httpx.Client(headers=self._headers, timeout=self._timeout) as client,
            client.stream(method, self._base_url + path, json=body, params=dict(query or {})) as response,
        ):
            content = self._bounded(response)
        if not response.is_success:
            words = f"{self._vendor}: HTTP {response.status_code} {_reason(content)}"[:300].strip()
            raise refused(response.status_code, words, response.headers)
        if not content:
            return None
        try:
            return json.loads(content)
        except (ValueError, RecursionError) as error:
            raise self.unreadable("no JSON") from error

    def _bounded(self, response: httpx.Response) -> bytes:
        content = bytearray()
        for chunk in response.iter_bytes(16_384):
            content += chunk
            if len(content) > outbound.ANSWER_LIMIT:
                raise self.unreadable(f"more than {outbound.ANSWER_LIMIT} bytes")
        return bytes(content)

    def unreadable(self, what: str) -> IntegrationError:
        """The vendor answered, but not in the words it documents: it may have acted."""
        return IntegrationError(f"{self._vendor} answered in words we cannot read: {what}", ambiguous=True)

    def _said(self, error: Exception) -> str:
        return f"{self._vendor}: {type(error).__name__}: {error}"[:300]


def _reason(content: bytes) -> str:
    """The words a person needs, field names included, from the shapes vendors put their errors in."""
    try:
        return "; ".join(_texts(json.loads(content)))
    except (ValueError, RecursionError):
        return ""


def _texts(said: Any, field: str = "") -> list[str]:
    if isinstance(said, str):
        return [f"{field}: {said}" if field else said]
    if isinstance(said, list):
        return [text for one in said for text in _texts(one, field)]
    if not isinstance(said, Mapping):
        return []
    source = said.get("source")
    where = str(source.get("field") or source.get("pointer") or "") if isinstance(source, Mapping) else field
    if isinstance(said.get("message"), str) and "errors" not in said:
        return _texts(said["message"], where)
    named = said.get("errors") or said.get("error") or said.get("message")
    if isinstance(named, Mapping) and not {"message", "errors", "error"} & set(named):
        return [text for name, value in named.items() for text in _texts(value, str(name))]
    return _texts(named, where)
