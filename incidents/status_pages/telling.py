"""Telling subscribers what was posted, in the transaction that posts it; sent behind everything that is urgent."""

from __future__ import annotations

from django.db.models import Q

from incidents.models import Notice, NoticeUpdate, Subscriber
from incidents.status_pages import access, subscribing
from supportdesk import links, readable
from supportdesk.integrations.lines import Lines
from supportdesk.queue import outbox

NOTICE = "status_notice"


def tell(notice: Notice, update: NoticeUpdate, lines: Lines | None = None) -> None:
    """Everybody who confirmed that they want to hear of one of its components. Without components: everybody."""
    lines = lines or Lines.load()
    parts = list(notice.components.filter(is_shown=True))
    heard = Subscriber.objects.filter(page=notice.page, confirmed_at__isnull=False).select_related("page", "user")
    if parts:
        heard = heard.filter(Q(components=None) | Q(components__in=parts)).distinct()
    facts = {
        "page": notice.page.name,
        "title": notice.title,
        "state": update.state,
        "word": update.get_state_display(),
        "text": update.text,
        "components": ", ".join(part.name for part in parts),
        "at": readable.utc_time(update.at),
        "starts": readable.utc_time(notice.starts_at) if notice.is_planned else "",
        "ends": readable.utc_time(notice.ends_at) if notice.is_planned and notice.ends_at else "",
        "url": links.absolute("status:page", notice.page.slug),
        "button": "See the page",
        "thread": f"supportdesk-status-{notice.pk}",
    }
    outbox.post(
        subscribing.post(
            row, NOTICE, f"{NOTICE}:{update.pk}:{row.pk}", {**facts, "stop": subscribing.stop_url(row)}, lines
        )
        for row in heard
        if access.still_may(row)
    )
