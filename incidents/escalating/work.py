"""The effects of one decision on their way to rows."""

from __future__ import annotations

from typing import Any

from incidents.models import Incident
from incidents.timeline import Fact
from rotations.oncall import LivePeople
from supportdesk import instants
from supportdesk.integrations.lines import Lines
from supportdesk.queue.outbox import Post


class Work:
    """What one decision writes: collected here by whatever carries out its effects, and written by `carry_out`."""

    def __init__(self, incident: Incident, people: LivePeople, lines: Lines) -> None:
        self.incident = incident
        self.people = people
        self.lines = lines
        self.entries: list[Fact] = []
        self.posts: list[Post] = []
        self.now = instants.now()

    def note(self, kind: str, text: str, **data: Any) -> None:
        self.entries.append(Fact(kind, text, data=data))

    def name(self, person: str) -> str:
        user = self.people.directory.user(person)
        return user.name if user else "the emergency number"
