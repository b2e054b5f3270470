"""Setting what components are: the one place that does, so that their history is whole."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from incidents.models import Component, ComponentState, Notice

State = Component.State


def set_state(components: Iterable[Component], state: str, at: datetime, notice: Notice | None = None) -> None:
    """Put components into a state, and write down since when. What is in it already is left alone."""
    rows = [each for each in components if each.state != state]
    for each in rows:
        each.state = state
    Component.objects.bulk_update(rows, ["state"])
    ComponentState.objects.bulk_create(
        ComponentState(component=each, state=state, at=at, notice=notice) for each in rows
    )


def well_again(notice: Notice, at: datetime) -> None:
    """A notice is over: its components work, unless another one still says otherwise."""
    others = Notice.objects.filter(page_id=notice.page_id, is_posted=True).exclude(pk=notice.pk)
    others = others.exclude(state__in=[*Notice.OVER, Notice.State.SCHEDULED])
    is_planned = notice.state == Notice.State.COMPLETED
    for each in notice.components.all():
        still = set(others.filter(components=each).values_list("state", flat=True))
        if is_planned and each.state != State.MAINTENANCE:
            continue  # something broke meanwhile: its own notice says when that is over
        if still - {Notice.State.IN_PROGRESS}:
            continue
        set_state([each], State.MAINTENANCE if still else State.OPERATIONAL, at, notice)
