"""Which connection carries what: the organization's own where it has one, else the desk's."""

from __future__ import annotations

from collections import defaultdict

from supportdesk import sitting
from supportdesk.integrations.models import Connection


class Lines:
    """All enabled connections, read once a sitting."""

    def __init__(self, connections: list[Connection]) -> None:
        self._by_vendor: dict[str, list[Connection]] = defaultdict(list)
        for connection in connections:
            self._by_vendor[connection.vendor].append(connection)

    @classmethod
    def load(cls) -> Lines:
        return sitting.once("lines", lambda: cls(list(Connection.objects.filter(is_enabled=True).order_by("pk"))))

    def all(self, vendor: str) -> list[Connection]:
        """Every enabled connection to a vendor, the desk's and the organizations'."""
        return list(self._by_vendor.get(vendor, ()))

    def line(self, vendor: str, organization_id: int | None = None) -> Connection | None:
        """The connection to use for a vendor; None where the desk is not connected to it."""
        candidates = self._by_vendor.get(vendor, [])
        own = [c for c in candidates if organization_id is not None and c.organization_id == organization_id]
        shared = [c for c in candidates if c.organization_id is None]
        return next(iter(own or shared), None)

    def has(self, vendor: str) -> bool:
        """Can the desk reach people by this vendor at all?"""
        return any(c.organization_id is None for c in self._by_vendor.get(vendor, []))
