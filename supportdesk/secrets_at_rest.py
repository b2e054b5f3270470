"""Secrets in the database: sealed with keys that live outside it (security S22).

`SUPPORTDESK_SECRETS_KEY` may list several keys: the first seals, all open. `manage.py rotate_secrets` re-seals.
"""

from __future__ import annotations

import base64
import hashlib
import json
from functools import lru_cache

from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from django.conf import settings


class CannotOpen(Exception):
    """None of the configured keys opens this secret: the old key is missing from SUPPORTDESK_SECRETS_KEY."""


@lru_cache(maxsize=4)
def _ring(keys: tuple[str, ...]) -> MultiFernet:
    return MultiFernet([Fernet(base64.urlsafe_b64encode(hashlib.sha256(key.encode()).digest())) for key in keys])


def seal(values: dict[str, str]) -> str:
    """Encrypt a mapping with the first key."""
    if not values:
        return ""
    return _ring(tuple(settings.SECRETS_KEYS)).encrypt(json.dumps(values).encode()).decode()


def open_sealed(sealed: str) -> dict[str, str]:
    """Decrypt what `seal` made, with any of the keys. Raises `CannotOpen`."""
    if not sealed:
        return {}
    try:
        return json.loads(_ring(tuple(settings.SECRETS_KEYS)).decrypt(sealed.encode()))
    except InvalidToken as error:
        raise CannotOpen(
            "No key in SUPPORTDESK_SECRETS_KEY opens this secret; add the key it was sealed with."
        ) from error


def reseal(sealed: str) -> str:
    """Seal again with the first key."""
    return _ring(tuple(settings.SECRETS_KEYS)).rotate(sealed.encode()).decode() if sealed else ""
