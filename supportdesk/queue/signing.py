"""django-q2 payloads are signed pickles: they get a key of their own, and old keys still open what was signed with
them.

Without this a rotated SECRET_KEY silently deletes queued tasks, and a leaked one runs code (reliability E4, S25).
"""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.core import signing as django_signing
from django_q import conf, signing


def install() -> None:
    """Point django-q2 at our keys. Called once, when the app is ready."""
    conf.Conf.SECRET_KEY = settings.QUEUE_SIGNING_KEYS[0]
    signing.SignedPackage.loads = staticmethod(_loads)


def _loads(package: str) -> Any:
    error: Exception | None = None
    for key in settings.QUEUE_SIGNING_KEYS:
        try:
            return signing.signing.loads(package, key=key, salt=conf.Conf.PREFIX, serializer=signing.PickleSerializer)
        except django_signing.BadSignature as bad:
            error = bad
        except Exception as unreadable:  # signed by us, but its code has gone: one such task must not end the pusher
            raise django_signing.BadSignature(f"{type(unreadable).__name__}: {unreadable}") from unreadable
    raise error or django_signing.BadSignature("no key")
