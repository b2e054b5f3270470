"""The doctor's lines about the rota: who is on call now, whether they can be rung, and what the proof says."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

from rotations import oncall
from rotations.models import Proof, Schedule
from rotations.oncall import Directory
from supportdesk import instants
from supportdesk.doctor import Ask, Line, fail, ok, warn
from supportdesk.integrations.lines import Lines

PROOF_TOO_OLD = timedelta(hours=26)


def on_call() -> Iterator[Line]:
    now, directory = instants.now(), Directory(Lines.load())
    rows = list(Schedule.objects.order_by("pk"))
    if not rows:
        yield fail("on call", "There is no schedule.", "manage.py setup_desk, then put people into it.")
    for row in rows:
        who = oncall.now_on_call(row, now).primary
        name = f"on call: {row.name}"
        if not who:
            yield fail(name, "Nobody, right now.", "Put somebody into the schedule.")
            continue
        user, problem = directory.user(who), directory.why_not(who)
        person = user.name if user else who
        if problem:
            yield fail(name, f"{person} {problem}.", "They verify a phone under Your settings.")
        else:
            yield ok(name, f"{person}, by {', '.join(sorted({m.kind for m in directory.methods(who)}))}.")


def proof() -> Iterator[Line]:
    row = Proof.objects.order_by("-at").first()
    if row is None:
        yield warn("proof", "It was never proved that somebody is paged for every promise.", "manage.py prove")
    elif instants.now() - row.at > PROOF_TOO_OLD:
        yield warn("proof", f"The last proof is of {row.at:%d %B %H:%M} UTC.", "It runs every night; look why not.")
    elif not row.ok:
        yield fail("proof", "Some promise would not be kept.", "Open the page Coverage in the console.")
    else:
        yield ok("proof", f"Every promise is covered until {row.until:%d %B %Y}.")


LINES: tuple[Ask, ...] = (on_call, proof)
