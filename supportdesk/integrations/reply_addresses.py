"""Addresses that say which incident an answer belongs to, and prove that we gave them out: `desk+42.k5q…@example.com`.

The proof is eighty bits of an HMAC, in lower case: mail servers do not keep capitals apart. It names the incident and
nobody in it: who wrote is found out otherwise.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import re

from django.conf import settings

_THREAD = re.compile(r"supportdesk-(\d{1,18})(?::reopen-\d+)?")
_LENGTH = 16


def signed(address: str, thread: str) -> str:
    """`address` for answers to a thread; the plain address for anything that is no incident's thread."""
    match = _THREAD.fullmatch(thread)
    local, at, domain = address.rpartition("@")
    if match is None or not at:
        return address
    return f"{local}+{match[1]}.{_proof(match[1], settings.SECRET_KEY)}@{domain}"


def incident_number(address: str, ours: str) -> int | None:
    """The incident a signed address is for; None for any other address, forged ones included."""
    local, _, domain = ours.lower().rpartition("@")
    match = re.fullmatch(
        rf"{re.escape(local)}\+(\d{{1,18}})\.([a-z2-7]{{{_LENGTH}}})@{re.escape(domain)}", address.lower()
    )
    if match is None:
        return None
    keys = [settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS]
    good = any(hmac.compare_digest(match[2], _proof(match[1], key)) for key in keys)
    return int(match[1]) if good else None


def _proof(number: str, key: str) -> str:
    digest = hmac.new(f"supportdesk.reply:{key}".encode(), number.encode(), hashlib.sha256).digest()
    return base64.b32encode(digest).decode().lower()[:_LENGTH]
