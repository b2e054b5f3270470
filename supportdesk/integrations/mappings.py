"""Small tables a manager writes in one line of a connection's form: `P1=Critical; P2=Major`. Pure."""

from __future__ import annotations

from supportdesk.integrations.base import IntegrationError


def pairs(line: str, field: str) -> dict[str, str]:
    """Names to values. Raises a permanent `IntegrationError` that names the `field` and what is wrong in it."""
    found: dict[str, str] = {}
    for part in filter(None, (one.strip() for one in line.replace("\n", ";").split(";"))):
        name, sign, value = (piece.strip() for piece in part.partition("="))
        if not sign or not name or not value:
            raise IntegrationError(f"{field}: {part!r} is not of the form name=value", permanent=True)
        if name in found:
            raise IntegrationError(f"{field}: {name!r} is given twice", permanent=True)
        found[name] = value
    return found
