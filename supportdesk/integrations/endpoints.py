"""The verbs of webhook endpoints: publish to them, send again, switch them off when nobody listens, and on again."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from django.db import transaction
from django.db.models import QuerySet

from supportdesk import instants, links
from supportdesk.accounts.models import User
from supportdesk.actors import Actor, Role
from supportdesk.audit import trail
from supportdesk.errors import Invalid, NotAllowed, WrongState
from supportdesk.integrations import actions, kinds, webhooks
from supportdesk.integrations.lines import Lines
from supportdesk.integrations.models import Connection
from supportdesk.integrations.webhooks import EVENT, TYPES, Webhooks
from supportdesk.organizations.models import Contact, Organization
from supportdesk.queue import outbox
from supportdesk.queue.models import Delivery, Lane, Timer
from supportdesk.queue.outbox import Post

SETTLED = "supportdesk.integrations.endpoints.settled"
TRIES = len(Webhooks.waits) + 1
MOST_OF_A_CUSTOMER = 10


def visible_to(actor: Actor) -> QuerySet[Connection]:
    """The endpoints an actor may know of: managers all of them, a customer's administrator those of their own."""
    rows = Connection.objects.filter(vendor=Webhooks.slug).select_related("organization")
    if actor.role == Role.MANAGER:
        return rows
    if is_customer_admin(actor):
        return rows.filter(organization_id=actor.organization_id)
    return rows.none()


def is_customer_admin(actor: Actor) -> bool:
    """Whether somebody looks after their organization's endpoints."""
    mine = Contact.objects.filter(organization_id=actor.organization_id, is_admin=True, is_active=True)
    return actor.user_id is not None and mine.filter(user_id=actor.user_id).exists()


def _require(actor: Actor, organization: Organization | None) -> None:
    own = organization is not None and actor.organization_id == organization.pk
    if actor.role != Role.MANAGER and not (own and is_customer_admin(actor)):
        raise NotAllowed("Endpoints are made by support managers, or by a customer's administrator for their own.")


def save(
    row: Connection | None,
    *,
    actor: Actor,
    name: str | None = None,
    url: str | None = None,
    events: Sequence[str] | None = None,
    secret: str = "",
    is_enabled: bool | None = None,
    organization: Organization | None = None,
) -> Connection:
    """Make an endpoint, or change what is named. A customer's administrator makes them for their own organization."""
    if row is None and actor.role != Role.MANAGER and organization is None and actor.organization_id is not None:
        organization = Organization.objects.get(pk=actor.organization_id)
    endpoint = row or Connection(vendor=Webhooks.slug, organization=organization, name=name or "Webhook")
    _require(actor, endpoint.organization)
    if row is not None and organization is not None and organization.pk != row.organization_id:
        raise Invalid("An endpoint stays with its organization; make a new one.", field="organization")
    values = {
        "url": endpoint.settings.get("url", "") if url is None else url,
        "events": endpoint.settings.get("events", "") if events is None else " ".join(events),
        "secret": secret,
    }
    endpoint.name = name or endpoint.name
    endpoint.is_enabled = endpoint.is_enabled if is_enabled is None else is_enabled
    with transaction.atomic():
        if row is None and endpoint.organization is not None:
            _require_room(endpoint.organization, str(values["url"]))
        return actions.store(endpoint, values, actor=actor)


def _require_room(organization: Organization, url: str) -> None:
    """One endpoint an address, so that a second press makes no second one, and no more than anybody needs."""
    Organization.objects.select_for_update().get(pk=organization.pk)
    known = [
        row.settings.get("url") for row in Connection.objects.filter(vendor=Webhooks.slug, organization=organization)
    ]
    if url in known:
        raise WrongState("There is an endpoint at this address already.")
    if len(known) >= MOST_OF_A_CUSTOMER:
        raise WrongState(f"An organization has at most {MOST_OF_A_CUSTOMER} endpoints. Change one that is there.")


def send_test(endpoint: Connection, *, actor: Actor) -> Delivery:
    """A test event, signed like every other. One at a time."""
    _require(actor, endpoint.organization)
    if not endpoint.is_enabled:
        raise WrongState("The endpoint is switched off. Switch it on first.")
    if endpoint.deliveries.filter(kind=kinds.TEST, state__in=Delivery.OPEN).exists():
        raise WrongState("A test is on its way already; it will be tried again by itself.")
    return actions.post_test(endpoint, str(endpoint.settings.get("url", "")), actor=actor)


def renew_secret(endpoint: Connection, *, actor: Actor) -> str:
    """A new secret, shown this once. The one before keeps signing beside it, until the next renewal."""
    _require(actor, endpoint.organization)
    fresh = webhooks.new_secret()
    kept = endpoint.values.get("secret", "").split()[:1]
    actions.store(endpoint, {**endpoint.settings, "secret": " ".join([fresh, *kept])}, actor=actor)
    return fresh


def publish(
    name: str,
    kind: str,
    subject: str,
    data: Callable[[Connection], dict[str, Any]],
    *,
    organization_id: int | None,
    is_public: bool,
) -> None:
    """Post one event to every endpoint that hears it, in the caller's transaction.

    `name` makes it happen once, `subject` is what it is about, `data` what one endpoint may read of it. `is_public`:
    the organization's own endpoints hear it too; the desk's always do.
    """
    hears = {None, organization_id} if is_public else {None}
    at = instants.now().isoformat()
    posts = []
    for endpoint in Lines.load().all(Webhooks.slug):
        if endpoint.organization_id in hears and webhooks.wants(endpoint.settings.get("events", ""), kind):
            key = f"webhook:{endpoint.pk}:{name}"
            event = {"id": webhooks.event_id(key), "type": kind, "timestamp": at, "data": data(endpoint)}
            posts.append(_post(key, endpoint, subject, event))
    outbox.post(posts)


def _post(key: str, endpoint: Connection, subject: str, event: dict[str, Any]) -> Post:
    return Post(
        key=key[:200],
        kind=EVENT,
        connection=endpoint,
        vendor=Webhooks.slug,
        to=str(endpoint.settings.get("url", ""))[:320],
        subject=subject,
        recipient=endpoint.name,
        facts={EVENT: event, "ref": str(event["data"].get("incident", {}).get("ref", ""))},
        lane=Lane.BULK,
        most_attempts=TRIES,
        on_settled=SETTLED,
    )


def send_again(delivery: Delivery, *, actor: Actor) -> Delivery:
    """The same event once more, under the same id, whatever became of it before."""
    endpoint = delivery.connection
    if endpoint is None or delivery.kind != EVENT:
        raise WrongState("The endpoint of this event is gone.")
    _require(actor, endpoint.organization)
    if not endpoint.is_enabled:
        raise WrongState("The endpoint is switched off. Switch it on first.")
    if delivery.is_open:
        raise WrongState("This event is still on its way; it will be tried again by itself.")
    name = delivery.key.partition("#")[0][:180]
    key = f"{name}#{instants.now().timestamp():.0f}"
    with transaction.atomic():
        Connection.objects.select_for_update().get(pk=endpoint.pk)
        if endpoint.deliveries.filter(key__startswith=f"{name}#", state__in=Delivery.OPEN).exists():
            raise WrongState("This event is still on its way; it will be tried again by itself.")
        outbox.post([_post(key, endpoint, delivery.subject, delivery.facts[EVENT])])
        trail.record(actor, "send_webhook_again", f"connection:{endpoint.pk}", after={"event": delivery.vendor_id})
    return Delivery.objects.get(key=key)


def settled(timer: Timer) -> None:
    """An event was not taken for a day. If nothing else was either, nobody listens: the endpoint is switched off."""
    delivery = Delivery.objects.select_related("connection__organization").get(key=timer.args["delivery"])
    endpoint = delivery.connection
    if timer.args["result"] != "failed" or endpoint is None or not endpoint.is_enabled:
        return
    if endpoint.deliveries.filter(sent_at__gte=delivery.planned_at).exists():
        return
    with transaction.atomic():
        Connection.objects.filter(pk=endpoint.pk).update(is_enabled=False)
        waiting = endpoint.deliveries.filter(state=Delivery.State.PENDING)
        waiting.update(state=Delivery.State.CANCELLED, error="the endpoint was switched off", settled_at=instants.now())
        _tell(endpoint, delivery)


def _tell(endpoint: Connection, delivery: Delivery) -> None:
    """Managers, and the organization's own administrators, by mail."""
    line = Lines.load().line("email", endpoint.organization_id)
    if line is None:
        return
    managers = User.objects.filter(role=Role.MANAGER, is_active=True).values_list("email", "name")
    theirs = Contact.objects.filter(organization_id=endpoint.organization_id, is_admin=True, is_active=True)
    readers = {**dict(managers), **(dict(theirs.values_list("email", "name")) if endpoint.organization_id else {})}
    ours = {email for email, _ in managers}
    said = {
        "name": endpoint.name,
        "org": endpoint.organization.name if endpoint.organization else "",
        "answer": delivery.error,
        "button": "See what happened",
        "thread": f"webhook-{endpoint.pk}",
    }
    outbox.post(
        Post(
            key=f"webhook_disabled:{endpoint.pk}:{delivery.pk}:{email}"[:200],
            kind="webhook_disabled",
            connection=line,
            vendor="email",
            to=email,
            subject=f"connection:{endpoint.pk}",
            recipient=name,
            facts={**said, "reader": name, "url": _place(endpoint, is_ours=email in ours)},
        )
        for email, name in readers.items()
    )


def _place(endpoint: Connection, *, is_ours: bool) -> str:
    return links.absolute("console:webhook" if is_ours else "portal:webhook", endpoint.code)


__all__ = [
    "TYPES",
    "is_customer_admin",
    "publish",
    "renew_secret",
    "save",
    "send_again",
    "send_test",
    "settled",
    "visible_to",
]
