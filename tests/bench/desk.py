"""A desk with a database of its own for measurements: an embedded PostgreSQL beside the one the tests use."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def desk() -> Iterator[None]:
    """Django set up on a fresh, migrated database; everything that imports models is imported inside."""
    os.environ.setdefault("SUPPORTDESK_MODE", "test")
    os.environ.setdefault("SUPPORTDESK_INSTANCE", "bench")
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "tests.settings")
    import django

    django.setup()
    from django.test.utils import setup_databases, teardown_databases

    made = setup_databases(verbosity=0, interactive=False)
    try:
        yield
    finally:
        teardown_databases(made, verbosity=0)
