"""What must be true of the rows at any moment, as data. Every app brings its own (`AUDITOR_INVARIANTS`).

The SQL finds what is wrong: rows of (subject, detail), nothing when all is well. It may use `%(now)s`, must answer from
an index, and looks at everything there is: nothing is ever too old to be wrong (I13).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime

from django.conf import settings
from django.utils.module_loading import import_string

from supportdesk.auditor.models import Finding

Wrong = tuple[str, str]  # subject, and what is wrong with it


@dataclass(frozen=True, slots=True)
class Invariant:
    """One thing that must be true.

    `name` begins with its number in docs/reliability.md. `title` is what people read when it does not hold, `remedy`
    what they can do. `ask` stands in for `sql` where rows alone cannot tell. `mend` may put it right: called once with
    the subjects, returns what it did.
    """

    name: str
    title: str
    remedy: str
    sql: str = ""
    ask: Callable[[datetime], Sequence[Wrong]] | None = None
    mend: Callable[[Sequence[str]], str] | None = None
    level: str = Finding.Level.ALARM

    @property
    def wakes(self) -> bool:
        return self.level == Finding.Level.ALARM


def registered() -> list[Invariant]:
    """The invariants of every app."""
    return [invariant for place in settings.AUDITOR_INVARIANTS for invariant in import_string(place)]
