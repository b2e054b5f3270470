"""Who is doing something, and through which door. Pure: carried into every verb, written on every record."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Role(StrEnum):
    """What a person is to the desk. One role each; a role is never a set of flags."""

    CUSTOMER = "customer"
    ENGINEER = "engineer"
    MANAGER = "manager"


class Kind(StrEnum):
    """What sort of actor: a person with an account, a contact without one, a machine, or the desk itself."""

    USER = "user"
    CONTACT = "contact"
    MACHINE = "machine"
    DESK = "desk"


@dataclass(frozen=True, slots=True)
class Actor:
    """Who acts. `id` is the user's or contact's key; `via` the door: portal, console, api, phone, sms, slack, link,
    timer …

    `organization_id` limits a customer's actor to one organization; None for staff and for the desk itself.
    """

    kind: Kind
    id: int | None
    name: str
    role: Role | None
    via: str
    organization_id: int | None = None
    contact_id: int | None = None

    @property
    def is_staff(self) -> bool:
        return self.role in (Role.ENGINEER, Role.MANAGER)

    @property
    def is_customer(self) -> bool:
        return self.role is Role.CUSTOMER

    @property
    def is_human(self) -> bool:
        return self.kind in (Kind.USER, Kind.CONTACT)

    @property
    def user_id(self) -> int | None:
        return self.id if self.kind is Kind.USER else None


def desk(via: str = "timer") -> Actor:
    """The desk acting by itself: timers, escalation, automatic receipts."""
    return Actor(Kind.DESK, None, "supportdesk", None, via)


def machine(name: str, via: str, organization_id: int | None = None) -> Actor:
    """A monitor, a vendor or an integrator's token that is bound to nobody."""
    return Actor(Kind.MACHINE, None, name, None, via, organization_id)
