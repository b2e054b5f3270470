"""The integrations of the desk: one file each, found here by its name and loaded on first use.

A file is an integration when it defines a subclass of `Integration` whose `slug` is the file's name; everything else
in this package (value types, rows, shared parts) is not. Nothing is imported until somebody asks.
"""

from __future__ import annotations

import pkgutil
from functools import cache
from importlib import import_module

from supportdesk.integrations.base import Integration


@cache
def get(slug: str) -> type[Integration]:
    """The integration called `slug`. Raises `LookupError` when there is none."""
    if slug not in _file_names():
        raise LookupError(f"There is no integration called {slug!r}")
    module = import_module(f"{__name__}.{slug}")
    for candidate in vars(module).values():
        if isinstance(candidate, type) and issubclass(candidate, Integration) and candidate.slug == slug:
            return candidate
    raise LookupError(f"{module.__name__} defines no integration called {slug!r}")


@cache
def all() -> tuple[type[Integration], ...]:  # noqa: A001 (reads as integrations.all())
    """Every integration, by slug. Loads every vendor's client: ask in doors and checks, never at start-up."""
    found = []
    for name in sorted(_file_names()):
        try:
            found.append(get(name))
        except LookupError:
            continue  # a shared part, not an integration
    return tuple(found)


def slugs() -> frozenset[str]:
    """What may be the name of an integration, without loading any."""
    return _file_names()


def choices() -> list[tuple[str, str]]:
    """Every integration as a form offers it."""
    return [(one.slug, one.label) for one in all()]


@cache
def _file_names() -> frozenset[str]:
    return frozenset(module.name for module in pkgutil.iter_modules(__path__) if not module.ispkg)
