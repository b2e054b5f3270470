"""The demo world: the people every test, story and demonstration speaks of. Building it twice changes nothing.

Acme (alice) is on plan M, Smallco (sam) on plan S, mallory belongs to a rival. bob and carol hold Europe's watch, erin
America's, ken Asia's; dana is the duty manager. Made-up people at made-up addresses.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta

from django.db import transaction

from incidents.models import Component, StatusPage
from rotations import shipped
from rotations.models import Layer, RotationMember, RotationRevision, Schedule
from supportdesk.accounts.models import ContactMethod, PageRule, User
from supportdesk.actors import Role
from supportdesk.calendars import is_open
from supportdesk.integrations.models import Connection
from supportdesk.organizations import catalogue, terms
from supportdesk.organizations.models import Contact, Contract, Organization, Service

PASSWORD = "emergency-demo"  # noqa: S105 (of made-up people)
DESK_CHANNEL = "C0DESK"
ACME_CHANNEL = "C0ACME"

_STAFF = (
    # login, name, role, zone, phone, slack id, senior
    ("bob", "Bob Novak", Role.ENGINEER, "Europe/Berlin", "+4915112345601", "U0BOB", True),
    ("carol", "Carol Jensen", Role.ENGINEER, "Europe/Berlin", "+4915112345602", "U0CAROL", True),
    ("erin", "Erin Walsh", Role.ENGINEER, "America/New_York", "+12125550103", "U0ERIN", True),
    ("frank", "Frank Ortiz", Role.ENGINEER, "America/New_York", "+12125550104", "U0FRANK", False),
    ("ken", "Ken Mori", Role.ENGINEER, "Asia/Tokyo", "+819012345605", "U0KEN", False),
    ("yuki", "Yuki Sato", Role.ENGINEER, "Asia/Tokyo", "+819012345606", "U0YUKI", False),
    ("dana", "Dana Petrova", Role.MANAGER, "Europe/Berlin", "+4915112345607", "U0DANA", False),
)
_CUSTOMERS = (
    # login, name, organization, plan, zone, slack channel
    ("alice", "Alice Moreau", "Acme", "M", "America/New_York", ACME_CHANNEL),
    ("sam", "Sam Okafor", "Smallco", "S", "Europe/Berlin", ""),
    ("mallory", "Mallory Vance", "Rival", "M", "Europe/London", ""),
)
_SITES = (
    # name, zone, opens, closes, ring: domain §4.3
    ("APAC", "Asia/Tokyo", time(9), time(18), ("ken", "yuki")),
    ("EMEA", "Europe/Berlin", time(9), time(18), ("bob", "carol")),
    ("AMER", "America/New_York", time(11), time(20), ("erin", "frank")),
)
ANCHOR = "2026-01-05"  # a Monday


@dataclass
class World:
    """Everything the demo world is made of, by name."""

    users: dict[str, User] = field(default_factory=dict)
    organizations: dict[str, Organization] = field(default_factory=dict)
    contacts: dict[str, Contact] = field(default_factory=dict)
    services: dict[str, Service] = field(default_factory=dict)
    connections: dict[str, Connection] = field(default_factory=dict)
    schedule: Schedule | None = None
    duty: Schedule | None = None


def build(
    now: datetime,
    *,
    vendors: Mapping[str, Mapping[str, str]] | None = None,
    minute: timedelta = timedelta(minutes=1),
    password: str = PASSWORD,
) -> World:
    """Make the world, or find it. `vendors` are the values of the connections to make; `minute` shortens every wait."""
    world = World()
    with transaction.atomic():
        _people(world, now, password, minute)
        _customers(world, now, password)
        _services(world)
        _schedules(world)
        shipped.install(world.schedule, minute=minute, pagerduty="pagerduty" in (vendors or {}))  # type: ignore[arg-type]
        _connections(world, vendors or {})
        _status_page(world)
    return world


def load() -> World | None:
    """The world as it stands in the database; None where it has not been built."""
    users = {user.email.split("@")[0]: user for user in User.objects.select_related("contact__organization")}
    if "alice" not in users:
        return None
    return World(
        users=users,
        organizations={row.slug: row for row in Organization.objects.all()},
        contacts={row.email.split("@")[0]: row for row in Contact.objects.select_related("organization", "user")},
        services={row.slug: row for row in Service.objects.select_related("organization")},
        connections={row.vendor: row for row in Connection.objects.all()},
        schedule=Schedule.objects.get(slug="platform"),
        duty=Schedule.objects.get(slug="duty"),
    )


def _user(login: str, name: str, role: Role, zone: str, password: str, host: str, *, senior: bool = False) -> User:
    email = f"{login}@{host}"
    found = User.objects.filter(email=email).first()
    return found or User.objects.create_user(email, password, name=name, role=role, time_zone=zone, is_senior=senior)


def _people(world: World, now: datetime, password: str, minute: timedelta) -> None:
    for login, name, role, zone, phone, slack, senior in _STAFF:
        user = world.users[login] = _user(login, name, role, zone, password, "desk.example", senior=senior)
        for kind, address in (("slack", slack), ("sms", phone), ("phone", phone), ("email", user.email)):
            method, made = ContactMethod.objects.get_or_create(
                user=user, kind=kind, address=address, defaults={"verified_at": now}
            )
            if made and minute < timedelta(minutes=1):
                _hurried_rule(user, method, minute)


def _hurried_rule(user: User, method: ContactMethod, minute: timedelta) -> None:
    """In a hurried world the call comes after a hurried minute too."""
    after = int(minute.total_seconds()) if method.kind == "phone" else 0
    PageRule.objects.create(user=user, importance=PageRule.Importance.IMPORTANT, method=method, after_seconds=after)


def _customers(world: World, now: datetime, password: str) -> None:
    versions = catalogue.install()
    for login, name, company, plan, zone, channel in _CUSTOMERS:
        slug = company.lower()
        organization, _ = Organization.objects.get_or_create(
            slug=slug,
            defaults={
                "name": company,
                "time_zone": zone,
                "slack_channel": channel,
                "account_manager": world.users["dana"],
                "emergency_pin": "4711",
            },
        )
        user = _user(login, name, Role.CUSTOMER, zone, password, f"{slug}.example")
        contact, _ = Contact.objects.get_or_create(
            organization=organization,
            email=user.email,
            defaults={
                "name": name,
                "user": user,
                "is_admin": True,
                "slack_id": f"U0{login.upper()}",
                "phone": "+12125550142" if login == "alice" else "",
            },
        )
        if not organization.contracts.exists():
            Contract.objects.create(organization=organization, plan_version=versions[plan], valid_from=date(2026, 1, 1))
        world.users[login], world.organizations[slug], world.contacts[login] = user, organization, contact


def let_sam_sleep(world: World, now: datetime) -> None:
    """Move Smallco to a zone where its desk is closed right now: whenever the demo runs, sam has to wait kindly."""
    smallco = world.organizations["smallco"]
    for zone in ("Europe/Berlin", "America/New_York", "Asia/Tokyo"):  # never all three within office hours
        smallco.time_zone = zone
        if not is_open(terms.entitlement(smallco, now).calendar("P1"), now):
            smallco.save(update_fields=["time_zone"])
            return


def _services(world: World) -> None:
    for slug, name, owner, tier in (
        ("checkout", "Checkout", None, 1),
        ("search", "Search", None, 2),
        ("acme-warehouse", "Acme warehouse link", "acme", 1),
    ):
        world.services[slug], _ = Service.objects.get_or_create(
            slug=slug,
            defaults={"name": name, "tier": tier, "organization": world.organizations[owner] if owner else None},
        )


def _schedules(world: World) -> None:
    dana = world.users["dana"]
    world.duty, made = Schedule.objects.get_or_create(
        slug="duty", defaults={"name": "Duty managers", "duty": True, "fallback": dana}
    )
    if made:
        _layer(world, world.duty, "Managers", "Europe/Berlin", None, None, ("dana",))
    world.schedule, made = Schedule.objects.get_or_create(
        slug="platform", defaults={"name": "Platform, follow the sun", "fallback": dana, "manager": dana}
    )
    if made:
        for position, (name, zone, opens, closes, ring) in enumerate(_SITES):
            _layer(world, world.schedule, name, zone, opens, closes, ring, position)


def _layer(
    world: World,
    schedule: Schedule,
    name: str,
    zone: str,
    opens: time | None,
    closes: time | None,
    ring: tuple[str, ...],
    position: int = 0,
) -> None:
    layer = Layer.objects.create(
        schedule=schedule, name=name, time_zone=zone, window_start=opens, window_end=closes, position=position
    )
    begins = opens or time(0)
    revision = RotationRevision.objects.create(layer=layer, unit="weekly", every=1, anchor=f"{ANCHOR}T{begins:%H:%M}")
    for place, login in enumerate(ring):
        RotationMember.objects.create(revision=revision, position=place, user=world.users[login])
    schedule.touch()


_NAMES = {"email": "E-mail", "incidentio": "incident.io", "pagerduty": "PagerDuty", "sms": "SMS"}


def _connections(world: World, vendors: Mapping[str, Mapping[str, str]]) -> None:
    for vendor, values in vendors.items():
        row = Connection.objects.filter(vendor=vendor, organization=None).first() or Connection(
            vendor=vendor, name=_NAMES.get(vendor, vendor.title())
        )
        row.set_values(dict(values))
        if vendor == "slack":
            row.settings["channel"] = DESK_CHANNEL
        row.save()
        world.connections[vendor] = row


def _status_page(world: World) -> None:
    page, made = StatusPage.objects.get_or_create(slug="status", defaults={"name": "Our services"})
    if made:
        for position, (name, slug) in enumerate(
            (("Checkout", "checkout"), ("Search", "search"), ("Billing export", ""))
        ):
            Component.objects.create(page=page, name=name, position=position, service=world.services.get(slug))
