"""Telling people of the rota what concerns them: by e-mail and Slack, which wake nobody."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

from rotations.models import Schedule
from supportdesk import links, readable
from supportdesk.accounts.models import ContactMethod, User
from supportdesk.actors import Role
from supportdesk.integrations.lines import Lines
from supportdesk.queue import outbox
from supportdesk.queue.outbox import Post

SILENT = ("email", "slack")


def tell(
    kind: str,
    key: str,
    subject: str,
    readers: Iterable[User | None],
    *,
    times: Mapping[str, datetime] | None = None,
    page: str = "rotations:mine",
    url: str = "",
    ways: tuple[str, ...] = SILENT,
    **said: Any,
) -> None:
    """Post one kind of message to each reader once. `times` are said in each reader's own zone, as `<name>_local`."""
    people = {reader.pk: reader for reader in readers if reader is not None and reader.is_active}
    if not people:
        return
    lines = Lines.load()
    methods = ContactMethod.objects.filter(
        user__in=people, kind__in=ways, verified_at__isnull=False, disabled_at=None
    ).order_by("pk")
    posts = []
    for method in methods:
        reader, line = people[method.user_id], lines.line(method.kind)
        if line is None:
            continue
        local = {f"{name}_local": readable.moment(at, reader.time_zone) for name, at in (times or {}).items()}
        posts.append(
            Post(
                key=f"{kind}:{key}:{method.pk}"[:200],
                kind=kind,
                connection=line,
                vendor=method.kind,
                to=method.address,
                subject=subject,
                recipient=reader.name,
                user_id=reader.pk,
                facts={
                    "button": "Open the rota",
                    "thread": "",
                    "ref": "",
                    **said,
                    **local,
                    "reader": reader.name,
                    "url": url or links.absolute(page),
                    "token": "",
                },
            )
        )
    outbox.post(posts)


def managers(schedules: Iterable[Schedule]) -> list[User]:
    """Whoever answers for these schedules; all managers where a schedule has none."""
    named = {row.manager_id for row in schedules}
    ids = {pk for pk in named if pk is not None}
    found = list(User.objects.filter(pk__in=ids, is_active=True))
    if None in named or not found:
        found += User.objects.filter(role=Role.MANAGER, is_active=True).exclude(pk__in=ids)
    return found
