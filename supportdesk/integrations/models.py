"""Connections: which vendors this desk is connected to, and with what."""

from __future__ import annotations

from typing import Any

from django.db import models

from supportdesk import integrations, secrets_at_rest
from supportdesk.organizations.models import connection_code

_ANSWERING = "SELECT * FROM supportdesk_connection WHERE code = %s AND vendor = %s AND is_enabled"


def vendor_choices() -> list[tuple[str, str]]:
    """Callable, so that a new integration needs no migration."""
    return integrations.choices()


class Connections(models.Manager["Connection"]):
    def answering(self, vendor: str, code: str) -> Connection | None:
        """The connection at an address that vendors call. Every call asks for it: to make this statement of a query
        set takes longer than to store what the vendor says."""
        return next(iter(self.raw(_ANSWERING, [code, vendor])), None)


class Connection(models.Model):
    """One vendor account. Secret values are stored encrypted and never shown again."""

    vendor = models.CharField(max_length=30, choices=vendor_choices)
    name = models.CharField(max_length=120)
    code = models.CharField(
        max_length=40, unique=True, default=connection_code, help_text="part of the address vendors call"
    )
    organization = models.ForeignKey(
        "supportdesk.Organization",
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        help_text="empty: for the whole desk",
    )
    service = models.ForeignKey(
        "supportdesk.Service", null=True, blank=True, on_delete=models.PROTECT, related_name="+"
    )
    settings = models.JSONField(default=dict, blank=True)
    secrets = models.TextField(blank=True, editable=False)
    fallback = models.ForeignKey(
        "self",
        null=True,
        blank=True,
        on_delete=models.SET_NULL,
        related_name="+",
        help_text="takes over at once where this one cannot send: a second provider, or a second number",
    )
    is_enabled = models.BooleanField(default=True)
    created_at = models.DateTimeField(auto_now_add=True)
    checked_at = models.DateTimeField(null=True, editable=False)
    check_result = models.TextField(blank=True, editable=False)
    works = models.BooleanField(
        null=True, editable=False, help_text="what the last call or check said; empty: never tried"
    )

    objects = Connections()

    class Meta:
        ordering = ["vendor", "name"]

    def __str__(self) -> str:
        return f"{self.name} ({self.vendor})"

    @property
    def values(self) -> dict[str, str]:
        """All values of the connection, secrets included: for building the integration, never for showing."""
        return {**self.settings, **secrets_at_rest.open_sealed(self.secrets)}

    def set_values(self, values: dict[str, Any]) -> None:
        """Store new values; an empty secret keeps the one that is there."""
        declared = {f.name: f for f in integrations.get(self.vendor).fields}
        kept = secrets_at_rest.open_sealed(self.secrets)
        self.settings = {k: v for k, v in values.items() if k in declared and not declared[k].secret}
        fresh = {k: v for k, v in values.items() if k in declared and declared[k].secret and v}
        self.secrets = secrets_at_rest.seal({**kept, **fresh})
