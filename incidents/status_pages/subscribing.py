"""Subscriptions: asked for by anybody, counted only once the address itself said yes, ended by one click.

What the form answers never depends on whether an address is known. A link confirms exactly the components it was asked
with; a later request makes it worthless. Ending a subscription forgets the address.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any

from django.core import signing
from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.db import transaction

from incidents.models import Component, StatusPage, StatusReader, Subscriber
from incidents.status_pages import access
from supportdesk import instants, links
from supportdesk.accounts.actions import normal_address
from supportdesk.accounts.models import User
from supportdesk.errors import Invalid, NotFound
from supportdesk.integrations import guarded, status_hooks
from supportdesk.integrations.base import IntegrationError
from supportdesk.integrations.lines import Lines
from supportdesk.integrations.models import Connection
from supportdesk.queue import outbox
from supportdesk.queue.models import Delivery, Lane
from supportdesk.queue.outbox import Post

Channel = Subscriber.Channel
CONFIRM, LINK = "status_confirm", "status_link"
CONFIRM_SALT, STOP_SALT = "incidents.status.confirm", "incidents.status.stop"
CONFIRM_LIFE = timedelta(days=2)
FORGOTTEN_AFTER = timedelta(days=7)
# Nobody is written to more often than this, whoever fills in the form; a stranger's silence makes it ever rarer.
AGAIN_AFTER, LONGEST_WAIT = timedelta(minutes=10), timedelta(days=1)
MOST_TEXTS = 30  # confirmations by text message an hour: they cost money
_HOOKS = (Channel.SLACK, Channel.WEBHOOK)


def channels(page: StatusPage, lines: Lines) -> list[tuple[str, str]]:
    """What a subscriber may choose: what the desk is connected to, and addresses it can call by itself."""
    able = {
        Channel.EMAIL: lines.line("email", page.organization_id) is not None,
        Channel.SMS: lines.line("sms", page.organization_id) is not None,
        **dict.fromkeys(_HOOKS, True),
    }
    return [(channel.value, channel.label) for channel in Channel if able[channel]]


def ask(
    page: StatusPage,
    *,
    channel: str,
    address: str,
    components: Iterable[int],
    user: User | None = None,
    reader: StatusReader | None = None,
) -> None:
    """Send a link that confirms the subscription. Says nothing about what was known. Raises `Invalid`."""
    lines = Lines.load()
    if channel not in dict(channels(page, lines)):
        raise Invalid("Choose one of the ways offered.", field="channel")
    to, now = cleaned(channel, address), instants.now()
    known = Component.objects.filter(page=page, is_shown=True, pk__in=list(components))
    chosen = sorted(known.values_list("pk", flat=True))
    with transaction.atomic():
        Subscriber.objects.filter(confirmed_at=None, asked_at__lt=now - FORGOTTEN_AFTER).delete()
        if channel == Channel.SMS and _texts_lately(now) >= MOST_TEXTS:
            return
        basis = {"asked_at": now, "user": user, "reader": reader}
        row, is_new = Subscriber.objects.select_for_update().get_or_create(
            page=page, channel=channel, address=to, defaults=basis
        )
        if not is_new:
            if now < row.asked_at + _wait(row):
                return
            row.version, row.asked_at = row.version + 1, now
            if row.confirmed_at is None:
                row.user, row.reader = user, reader
            row.save()
        row.page = page
        outbox.post([_confirmation(row, chosen, lines)])


def _wait(row: Subscriber) -> timedelta:
    return AGAIN_AFTER if row.confirmed_at else min(AGAIN_AFTER * 2 ** min(row.version - 1, 8), LONGEST_WAIT)


def _texts_lately(now: datetime) -> int:
    return Delivery.objects.filter(kind=CONFIRM, vendor="sms", planned_at__gt=now - timedelta(hours=1)).count()


def cleaned(channel: str, address: str) -> str:
    """An address in the form it is kept in. Raises `Invalid` naming what is wrong."""
    text = address.strip()
    if channel == Channel.EMAIL:
        try:
            validate_email(text)
        except ValidationError as error:
            raise Invalid("This is not an e-mail address.", field="address") from error
        return text.lower()
    if channel == Channel.SMS:
        return normal_address("sms", text)
    try:
        asked = guarded.parsed(text)
    except IntegrationError as error:
        raise Invalid(f"{error.detail[:1].upper()}{error.detail[1:]}.", field="address") from error
    if channel == Channel.SLACK and asked.host != status_hooks.SLACK_HOST:
        raise Invalid(f"Paste the address of an incoming webhook, https://{status_hooks.SLACK_HOST}/…", field="address")
    if channel == Channel.WEBHOOK and asked.host == status_hooks.SLACK_HOST:
        raise Invalid("This is an address of Slack; choose Slack.", field="channel")
    if len(text) > 320:
        raise Invalid("This address is too long: 320 characters are the most.", field="address")
    return text


def _confirmation(row: Subscriber, chosen: list[int], lines: Lines) -> Post:
    token = signing.dumps([row.pk, row.version, chosen], salt=CONFIRM_SALT)
    names = list(Component.objects.filter(pk__in=chosen).values_list("name", flat=True))
    url = links.absolute("status:confirm", token)
    facts = {
        "page": row.page.name,
        "about": ", ".join(names) or "everything on this page",
        "url": url,
        "link": url,
        "button": "Yes, tell me",
        "hours": int(CONFIRM_LIFE.total_seconds() // 3600),
    }
    return post(row, CONFIRM, f"status_confirm:{row.pk}:{row.version}", facts, lines, secrets=("url", "link"))


def post(
    row: Subscriber, kind: str, key: str, facts: dict[str, Any], lines: Lines, secrets: tuple[str, ...] = ()
) -> Post:
    """One message to a subscriber, by their channel, behind everything that is urgent."""
    vendor = status_hooks.StatusHooks.slug if row.channel in _HOOKS else row.channel
    line = _hooks_line() if row.channel in _HOOKS else lines.line(vendor, row.page.organization_id)
    return Post(
        key=key,
        kind=kind,
        connection=line,
        vendor=vendor,
        to=row.address,
        subject=f"subscriber:{row.pk}",
        recipient="a subscriber",
        facts={**facts, "is_slack": row.channel == Channel.SLACK},
        lane=Lane.BULK,
        secrets=secrets,
    )


def _hooks_line() -> Connection:
    """The connection subscribers' own addresses are called by: it has nothing to fill in, so it makes itself."""
    found = Connection.objects.filter(vendor=status_hooks.StatusHooks.slug, organization=None).first()
    return found or Connection.objects.create(vendor=status_hooks.StatusHooks.slug, name=status_hooks.StatusHooks.label)


def asked(token: str) -> tuple[Subscriber, list[Component]]:
    """What a confirmation link stands for. Raises `NotFound` where it is forged, old, replaced, or may not be."""
    gone = NotFound("This link is not valid any more. Please subscribe again.")
    try:
        pk, version, chosen = signing.loads(token, salt=CONFIRM_SALT, max_age=CONFIRM_LIFE)
    except (signing.BadSignature, ValueError, TypeError) as error:
        raise gone from error
    row = Subscriber.objects.select_related("page", "user").filter(pk=pk, version=version).first()
    if row is None or not access.still_may(row):
        raise gone
    return row, list(Component.objects.filter(page=row.page, is_shown=True, pk__in=chosen))


def confirm(token: str) -> Subscriber:
    """The address said yes: it hears of exactly these components from now on."""
    with transaction.atomic():
        row, chosen = asked(token)
        row.confirmed_at = row.confirmed_at or instants.now()
        row.save(update_fields=["confirmed_at"])
        row.components.set(chosen)
    return row


def stop_url(row: Subscriber) -> str:
    """The address in every message that ends it; good for ever."""
    return links.absolute("status:stop", signing.Signer(salt=STOP_SALT).sign_object(row.pk))


def stop(token: str) -> None:
    """End a subscription and forget the address. What is unknown has ended already. Raises `NotFound` if forged."""
    try:
        pk = signing.Signer(salt=STOP_SALT).unsign_object(token)
    except (signing.BadSignature, ValueError, TypeError) as error:
        raise NotFound("There is nothing at this address.") from error
    with transaction.atomic():
        outbox.cancel(f"subscriber:{pk}", kinds=[CONFIRM, "status_notice"], reason="unsubscribed")
        Subscriber.objects.filter(pk=pk).delete()


def send_link(email: str) -> None:
    """Send every private page this address may read its link. Says nothing about whether there are any."""
    line, now = Lines.load().line("email"), instants.now()
    with transaction.atomic():
        rows = StatusReader.objects.select_for_update(of=("self",)).select_related("page")
        for row in rows.filter(email__iexact=email.strip(), page__is_public=False):
            if row.asked_at and now < row.asked_at + AGAIN_AFTER:
                continue
            row.asked_at = now
            row.save(update_fields=["asked_at"])
            url = links.absolute("status:open", access.link_token(row))
            facts = {"page": row.page.name, "url": url, "link": url, "button": "Open the page", "hours": 24}
            outbox.post(
                [
                    Post(
                        key=f"status_link:{row.pk}:{now.isoformat()}",
                        kind=LINK,
                        connection=line,
                        vendor="email",
                        to=row.email,
                        subject=f"reader:{row.pk}",
                        recipient="a reader",
                        facts=facts,
                        lane=Lane.BULK,
                        secrets=("url", "link"),
                    )
                ]
            )
