"""What happens when a page says something: by a person, or by the hour a maintenance begins and ends."""

from __future__ import annotations

from datetime import datetime

from incidents import publishing
from incidents.models import Component, Notice, NoticeUpdate
from incidents.status_pages import changing, telling, written
from supportdesk.web import live


def say(notice: Notice, state: str, text: str, at: datetime, component_state: str = "") -> NoticeUpdate:
    """One more entry, and everything that follows from it: components, readers, other systems, the copy."""
    was_over, was_posted = notice.is_over, notice.is_posted
    update = NoticeUpdate.objects.create(notice=notice, state=state, text=text, at=at)
    notice.state, notice.is_posted = state, True
    if notice.is_over and not (was_over and was_posted):
        notice.ends_at = at
    notice.save()
    if notice.is_over:
        if not was_over:
            changing.well_again(notice, at)
    elif component_state:
        changing.set_state(notice.components.all(), component_state, at, notice)
    elif state == Notice.State.IN_PROGRESS:
        well = notice.components.filter(state=Component.State.OPERATIONAL)
        changing.set_state(well, Component.State.MAINTENANCE, at, notice)
    publishing.publish(notice, update)
    telling.tell(notice, update)
    written.changed()
    live.changed("status", notice.page_id, notice.page.organization_id)
    return update
