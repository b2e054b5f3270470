"""Calling an address that somebody else typed in: never one of our own network, never further than asked.

A name is looked up once, every address behind it is judged, and the call goes to exactly the address that was judged:
a name that changes its mind in between leads nowhere. No redirect is followed, no proxy or cookie is used, no endless
answer is read (reliability §4, table row 14).
"""

from __future__ import annotations

import socket
import ssl
from collections.abc import Iterable, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network
from typing import Any

import httpcore
import httpx
from django.conf import settings

from supportdesk.integrations.base import IntegrationError
from supportdesk.integrations.outbound import ANSWER_LIMIT, GRACE, within

Address = IPv4Address | IPv6Address
Network = IPv4Network | IPv6Network
URL_LIMIT = 2_000  # characters
# IPv6 addresses whose last 32 bits are an IPv4 address: translators and old routers deliver there.
_WRAPPED = tuple(map(ip_network, ("::/96", "64:ff9b::/96", "::ffff:0:0:0/96")))
_LOCAL_TRANSLATION = ip_network("64:ff9b:1::/48")
_BEFORE_SENDING = (httpcore.ConnectError, httpcore.ConnectTimeout, httpcore.PoolTimeout)


class Forbidden(IntegrationError):
    """The address is not one the desk calls; trying again cannot help."""

    def __init__(self, detail: str) -> None:
        super().__init__(detail, permanent=True)


@dataclass(frozen=True, slots=True)
class Fetched:
    """An answer. `headers` have lower-case names; `is_whole` is False where the body was cut at the limit."""

    status: int
    body: bytes
    headers: Mapping[str, str] = field(default_factory=dict)
    is_whole: bool = True

    @property
    def is_success(self) -> bool:
        return 200 <= self.status < 300


def fetch(
    url: str,
    *,
    method: str = "GET",
    headers: Mapping[str, str] | None = None,
    body: bytes = b"",
    timeout: float = 10.0,
    most_bytes: int = ANSWER_LIMIT,
) -> Fetched:
    """One request to `url`, within `timeout` seconds altogether, and whatever it answers, redirects included.

    Raises `Forbidden` for an address the desk does not call, else `IntegrationError`: `ambiguous` where the other side
    may have got it. `settings.REACHABLE_NETWORKS` names private networks that may be called, by plain http as well.
    """
    asked = parsed(url)
    try:
        return within(timeout + GRACE, lambda: _once(asked, method, dict(headers or {}), body, timeout, most_bytes))
    except _BEFORE_SENDING as error:
        raise IntegrationError(_said(asked, error)) from error
    except (httpcore.LocalProtocolError, UnicodeError) as error:
        raise IntegrationError(_said(asked, error), permanent=True) from error
    except (httpcore.TimeoutException, httpcore.NetworkError, httpcore.ProtocolError, OSError) as error:
        raise IntegrationError(_said(asked, error), ambiguous=True) from error


def parsed(url: str) -> httpx.URL:
    """An address in the only form we call: http or https, a host, nobody's password. Raises `Forbidden`.

    Names are judged when they are called; addresses in numbers are judged here as well, so that a form can say so.
    """
    try:
        read = httpx.URL(url)
    except (httpx.InvalidURL, UnicodeError, ValueError, TypeError) as error:
        raise Forbidden(f"{url[:100]!r} is not an address of the web") from error
    if len(url) > URL_LIMIT or read.scheme not in ("http", "https") or not read.host or (read.port or 1) > 65_535:
        raise Forbidden("an address starts with https:// and names a host")
    if read.userinfo:
        raise Forbidden("an address with a name or password in it is not called")
    try:
        literal = ip_address(read.host)
    except ValueError:
        return read
    _judge(read, [literal])
    return read


def look(url: str) -> None:
    """Look a name up and judge what is behind it, calling nobody. Raises `Forbidden`, or `IntegrationError` where the
    name is not known."""
    asked = parsed(url)
    try:
        addresses = within(GRACE, lambda: resolved(asked.host, asked.port or 443))
    except httpcore.ConnectError as error:
        raise IntegrationError(str(error)) from error
    _judge(asked, addresses)


def _once(
    url: httpx.URL, method: str, headers: dict[str, str], body: bytes, timeout: float, most_bytes: int
) -> Fetched:
    waits = dict.fromkeys(("connect", "read", "write", "pool"), timeout)
    request = httpcore.Request(
        method,
        httpcore.URL(scheme=url.raw_scheme, host=url.raw_host, port=url.port, target=url.raw_path),
        headers=[("Host", url.netloc.decode("ascii")), ("Content-Length", str(len(body))), *headers.items()],
        content=body,
        extensions={"timeout": waits},
    )
    with (
        httpcore.ConnectionPool(ssl_context=ssl.create_default_context(), network_backend=_Pinned(url)) as pool,
        closing(pool.handle_request(request)) as response,
    ):
        content, is_whole = _bounded(response, most_bytes)
        answered = {name.decode("latin-1").lower(): value.decode("latin-1") for name, value in response.headers}
        return Fetched(response.status, content, answered, is_whole)


def _bounded(response: httpcore.Response, most_bytes: int) -> tuple[bytes, bool]:
    content = bytearray()
    for chunk in response.iter_stream():
        content += chunk
        if len(content) > most_bytes:
            return bytes(content[:most_bytes]), False
    return bytes(content), True


class _Pinned(httpcore.SyncBackend):
    """Connects to an address that was judged, whatever the name says by then; TLS still checks the name."""

    def __init__(self, url: httpx.URL) -> None:
        super().__init__()
        self._url = url

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore.NetworkStream:
        tried: Exception | None = None
        for address in _judge(self._url, resolved(host, port)):
            try:
                return super().connect_tcp(str(address), port, timeout, local_address, socket_options)
            except (httpcore.ConnectError, httpcore.ConnectTimeout) as error:
                tried = error
        raise tried or httpcore.ConnectError(f"{host} has no address")


def resolved(host: str, port: int) -> list[Address]:
    """Every address behind a name, as the system sees it now."""
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as error:
        raise httpcore.ConnectError(f"{host} cannot be found") from error
    return [ip_address(str(entry[4][0]).partition("%")[0]) for entry in found]


def _judge(url: httpx.URL, addresses: Sequence[Address]) -> list[Address]:
    """The addresses we may call, in their order. Raises `Forbidden` where one of them is private: a name that leads
    inside as well as outside is a trap or a mistake, and neither is called."""
    allowed = [ip_network(network) for network in settings.REACHABLE_NETWORKS]
    for address in dict.fromkeys(addresses):
        if any(address in network for network in allowed):
            continue
        if not is_public(address):
            raise Forbidden(f"{url.host} leads into a private network, which the desk does not call")
        if url.scheme != "https":
            raise Forbidden("an address on the internet starts with https://")
        if url.port is not None:  # the usual one is left out when an address is read
            raise Forbidden("an address on the internet uses the usual port, 443")
    return list(dict.fromkeys(addresses))


def is_public(address: Address) -> bool:
    """Whether an address is one of the internet, seen through every wrapping of IPv4 in IPv6."""
    if isinstance(address, IPv6Address):
        inner = address.ipv4_mapped or address.sixtofour or (address.teredo[1] if address.teredo else None)
        if inner is None and any(address in wrapping for wrapping in _WRAPPED):
            inner = IPv4Address(int(address) & 0xFFFFFFFF)
        if inner is not None:
            return is_public(inner)
        if address in _LOCAL_TRANSLATION:
            return False
    return address.is_global and not address.is_multicast and not address.is_reserved


def _said(url: httpx.URL, error: Exception) -> str:
    return f"{url.host}: {type(error).__name__}: {error}"[:300]
