"""How a fake vendor calls the desk back: through Django's test client, or over real HTTP."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol
from urllib.parse import urlencode, urlsplit

import httpx


@dataclass(frozen=True)
class DeskAnswer:
    """What the desk said to a vendor."""

    status: int
    body: str
    content_type: str = ""


class Desk(Protocol):
    """Anything a vendor can POST to."""

    def __call__(self, url: str, body: bytes, headers: Mapping[str, str]) -> DeskAnswer: ...


def through_client(client: Any) -> Desk:
    """The desk behind a Django test client; the host in the address does not matter."""

    def post(url: str, body: bytes, headers: Mapping[str, str]) -> DeskAnswer:
        there = urlsplit(url)
        rest = {name: value for name, value in headers.items() if name.lower() != "content-type"}
        response = client.generic(
            "POST",
            there.path + (f"?{there.query}" if there.query else ""),
            data=body,
            content_type=headers.get("Content-Type", "application/octet-stream"),
            headers=rest,
        )
        return DeskAnswer(response.status_code, response.content.decode(), response.headers.get("Content-Type", ""))

    return post


def through_http(base_url: str = "", timeout: float = 15.0) -> Desk:
    """The desk over real HTTP; `base_url` replaces the public address where that one is not reachable from here."""

    def post(url: str, body: bytes, headers: Mapping[str, str]) -> DeskAnswer:
        if base_url:
            there = urlsplit(url)
            url = base_url.rstrip("/") + there.path + (f"?{there.query}" if there.query else "")
        try:
            response = httpx.post(url, content=body, headers=dict(headers), timeout=timeout, trust_env=False)
        except httpx.HTTPError as error:
            raise ConnectionError(f"the desk did not answer: {error}") from error
        return DeskAnswer(response.status_code, response.text, response.headers.get("Content-Type", ""))

    return post


def form(fields: Mapping[str, str]) -> bytes:
    return urlencode(fields).encode()


FORM = "application/x-www-form-urlencoded"
JSON = "application/json"
