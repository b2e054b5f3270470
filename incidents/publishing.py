"""What our status page says, said on Statuspage as well; our own page never waits for it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from incidents.models import Notice, NoticeUpdate, Subscriber
from supportdesk import links
from supportdesk.integrations.lines import Lines
from supportdesk.integrations.models import Connection
from supportdesk.queue import outbox
from supportdesk.queue.models import Delivery, Lane
from supportdesk.queue.outbox import Post

# What planned work does to responders elsewhere: they see it beside their alerts.
CHANGES = {Notice.State.IN_PROGRESS: "begins", Notice.State.COMPLETED: "is over"}
_GONE = (Delivery.State.FAILED, Delivery.State.CANCELLED)


def publish(notice: Notice, update: NoticeUpdate, lines: Lines | None = None) -> None:
    """Post the deliveries of one update, in the caller's transaction."""
    lines = lines or Lines.load()
    outbox.post([*_on_statuspage(notice, update, lines), *_beside_alerts(notice, update, lines)])


def _on_statuspage(notice: Notice, update: NoticeUpdate, lines: Lines) -> Iterator[Post]:
    line = _line(notice, lines)
    if line is None:
        return
    earlier = Delivery.objects.filter(connection=line, subject=_subject(notice), kind="notice")
    is_there = earlier.exclude(state__in=_GONE).exists()
    action = "update" if is_there else "open"
    if update.state == Notice.State.POSTMORTEM:
        action = "report"
    yield Post(
        key=f"notice:{update.pk}:{line.pk}",
        kind="notice",
        connection=line,
        vendor=line.vendor,
        to="page",
        subject=_subject(notice),
        recipient=line.name,
        facts=_facts(notice, update, action=action),
        lane=Lane.INTEGRATIONS,
    )


def _line(notice: Notice, lines: Lines) -> Connection | None:
    """A customer's page goes to the customer's own Statuspage or nowhere; a page that is not public goes nowhere."""
    page = notice.page
    if not page.is_public and page.organization_id is None:
        return None
    line = lines.line("statuspage", page.organization_id)
    return line if line is not None and line.organization_id == page.organization_id else None


def _beside_alerts(notice: Notice, update: NoticeUpdate, lines: Lines) -> Iterator[Post]:
    """Maintenance begins or ends: PagerDuty shows it as a change."""
    line = lines.line("pagerduty", notice.page.organization_id)
    happens = CHANGES.get(Notice.State(update.state))
    if line is None or happens is None or line.organization_id != notice.page.organization_id:
        return
    yield Post(
        key=f"change:{update.pk}:{line.pk}",
        kind="change",
        connection=line,
        vendor=line.vendor,
        to="desk",
        subject=_subject(notice),
        recipient=line.name,
        facts=_facts(notice, update, action="change", happens=happens, at=update.at.isoformat()),
        lane=Lane.INTEGRATIONS,
    )


def beside_statuspage(connection: Connection) -> tuple[str, str]:
    """How many hear of the same from our own pages: somebody who follows both is written to twice."""
    readers = Subscriber.objects.filter(confirmed_at__isnull=False, page__organization=connection.organization_id)
    return f"Our own pages have {readers.count()} subscribers.", ""


def _subject(notice: Notice) -> str:
    return f"notice:{notice.pk}"


def _facts(notice: Notice, update: NoticeUpdate, **more: Any) -> dict[str, Any]:
    parts = [{"name": part.name, "state": part.state} for part in notice.components.all()]
    return {
        "title": notice.title,
        "state": update.state,
        "text": update.text,
        "components": parts,
        "starts_at": notice.starts_at.isoformat(),
        "ends_at": notice.ends_at.isoformat() if notice.ends_at else "",
        "thread": f"supportdesk-notice-{notice.pk}",
        "ref": notice.page.name,
        "url": links.absolute("status:page", notice.page.slug),
        **more,
    }
