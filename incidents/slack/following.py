"""Keeping Slack in step: told of every timeline entry, in the transaction that wrote it."""

from __future__ import annotations

from collections.abc import Sequence

from incidents.models import Incident, TimelineEntry
from incidents.slack import headline, rooms
from supportdesk.integrations.lines import Lines

# What nobody reads off a headline.
_SILENT = frozenset({"decided", "paged", "step_fired", "sla_warning", "joined"})


def follow(incident: Incident, entries: Sequence[TimelineEntry]) -> None:
    """Post, edit, open or put away what these entries call for."""
    told = {entry.kind for entry in entries} - _SILENT
    if incident.is_drill or not told:
        return
    if "war_room" in told:
        rooms.follow(incident, Lines.load())
    if "reported" in told:
        headline.show(incident, Lines.load())  # at once: everything else is said in its thread
    else:
        headline.refresh_soon(incident)
