"""Who asked to hear of incidents, beside those who hear of them by their part."""

from __future__ import annotations

from typing import Any

from django.db import models
from django.db.models import Q

from incidents.models.incident import Incident
from incidents.routing import Wish
from rotations.models import severity_choices
from supportdesk.organizations.models import Organization

_USER, _CONTACT = Q(user__isnull=False), Q(contact__isnull=False)
_ADDRESS, _CHANNEL = ~Q(address=""), ~Q(slack_channel="")


class Stakeholders(models.QuerySet["Stakeholder"]):
    def asking(self, incident: Incident) -> list[Stakeholder]:
        """Everybody who asked to hear of incidents of this organization. Read for every incident, so a bare row each:
        what it takes to tell them is read of those who want to hear."""
        return list(self.filter(Q(organization=None) | Q(organization=incident.organization_id)).order_by("pk"))


class Stakeholder(models.Model):
    """One subscription: who, by what, hears which topics, of whose incidents, from which severity on.

    Exactly one of colleague, contact, address outside and channel of ours. Readers outside belong to one organization:
    there is no row that could tell one customer of another.
    """

    organization = models.ForeignKey(
        Organization, null=True, blank=True, on_delete=models.CASCADE, related_name="stakeholders"
    )
    service = models.ForeignKey(
        "supportdesk.Service", null=True, blank=True, on_delete=models.CASCADE, related_name="stakeholders"
    )
    user = models.ForeignKey("supportdesk.User", null=True, blank=True, on_delete=models.CASCADE, related_name="+")
    contact = models.ForeignKey(
        "supportdesk.Contact", null=True, blank=True, on_delete=models.CASCADE, related_name="+"
    )
    address = models.EmailField(blank=True, help_text="of somebody outside, who cannot sign in")
    name = models.CharField(max_length=120, blank=True)
    slack_channel = models.CharField(max_length=40, blank=True, help_text="a channel of ours")
    topics = models.JSONField(default=list)
    least_severity = models.CharField(max_length=2, choices=severity_choices, default="P4")
    created_by = models.ForeignKey(
        "supportdesk.User", null=True, editable=False, on_delete=models.SET_NULL, related_name="+"
    )
    created_at = models.DateTimeField(auto_now_add=True)

    objects = Stakeholders.as_manager()
    # Read by `asking` alone.
    methods: list[dict[str, Any]]
    is_a_customers_channel: bool

    class Meta:
        ordering = ["organization__name", "service__name", "pk"]
        constraints = [
            models.CheckConstraint(
                condition=(_USER & ~_CONTACT & ~_ADDRESS & ~_CHANNEL)
                | (~_USER & _CONTACT & ~_ADDRESS & ~_CHANNEL)
                | (~_USER & ~_CONTACT & _ADDRESS & ~_CHANNEL)
                | (~_USER & ~_CONTACT & ~_ADDRESS & _CHANNEL),
                name="stakeholder_is_one_reader",
            ),
            models.CheckConstraint(
                condition=Q(organization__isnull=False) | (~_CONTACT & ~_ADDRESS),
                name="stakeholder_outside_has_organization",
            ),
            models.UniqueConstraint(
                fields=["organization", "service", "user", "contact", "address", "slack_channel"],
                name="stakeholder_once",
                nulls_distinct=False,
            ),
        ]

    def __str__(self) -> str:
        return self.shown_name

    @property
    def is_outside(self) -> bool:
        """Reads the customer's words, and only what a customer may read."""
        return self.contact_id is not None or bool(self.address)

    @property
    def email(self) -> str:
        """Where somebody outside hears of it."""
        return self.contact.email if self.contact else self.address

    @property
    def shown_name(self) -> str:
        if self.user or self.contact:
            return (self.user or self.contact).name  # type: ignore[union-attr]
        return self.name or self.address or self.slack_channel

    @property
    def wish(self) -> Wish:
        return Wish(frozenset(self.topics), self.organization_id, self.service_id, self.least_severity)
