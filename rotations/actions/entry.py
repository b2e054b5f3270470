"""How every verb of the rota begins: the schedule is locked first, then what belongs to it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Generic, TypeVar

from rotations import oncall, planning
from rotations.fatigue import Finding
from rotations.models import Schedule
from rotations.permissions import may
from rotations.rules import BACKUP, PRIMARY, Slot
from supportdesk.accounts.models import User
from supportdesk.actors import Actor, Role
from supportdesk.errors import Invalid, NotAllowed, NotFound, WrongState
from supportdesk.integrations.lines import Lines

LONGEST = timedelta(days=92)
FORCE_REASON = 10  # characters a manager writes to plan against a limit
LONGEST_NOTE = 5_000

Row = TypeVar("Row")


@dataclass(frozen=True, slots=True)
class Planned(Generic[Row]):
    """What a verb made, and what it does to the people in it: shown beside the form and in the answer of the API."""

    row: Row
    findings: tuple[Finding, ...] = ()


def require_staff(actor: Actor) -> None:
    """The rota is ours: to everybody else it does not exist."""
    if not may(actor, "see"):
        raise NotFound("There is nothing at this address.")


def require(actor: Actor, verb: str, *, own: bool = False, what: str = "this") -> None:
    """Raise unless the actor may do it."""
    require_staff(actor)
    if not may(actor, verb, own=own):
        raise NotAllowed(f"Only a manager, or the engineer it concerns, may do {what}.")


def locked_schedule(schedule_id: int, actor: Actor) -> Schedule:
    """The schedule, locked until the transaction ends."""
    require_staff(actor)
    row = Schedule.objects.select_for_update().filter(pk=schedule_id).first()
    if row is None:
        raise NotFound("There is no such schedule.")
    return row


def colleague(user_id: int, field: str) -> User:
    """Somebody who works here and can be put on duty. Raises `Invalid` naming the field."""
    user = User.objects.filter(pk=user_id, is_active=True).exclude(role=Role.CUSTOMER).first()
    if user is None:
        raise Invalid("There is no such colleague.", field=field)
    return user


def reachable(user_id: int, field: str) -> User:
    """The same, who can be paged too: a shift for somebody who cannot be reached is a gap (§4.2, orphan)."""
    user = colleague(user_id, field)
    why = oncall.Directory(Lines.load()).why_not(str(user.pk))
    if why:
        raise Invalid(f"{user.name} {why}, so a page would reach nobody. Let them add one first.", field=field)
    return user


def slot_of(name: str) -> Slot:
    """Primary or backup. Raises `Invalid`."""
    if name not in (PRIMARY, BACKUP):
        raise Invalid("A slot is primary or backup.", field="slot")
    return BACKUP if name == BACKUP else PRIMARY


def span(start: datetime, end: datetime, *, longest: timedelta = LONGEST) -> None:
    """Raise `Invalid` unless this is a stretch of time people plan in."""
    if end <= start:
        raise Invalid("The end must be after the beginning.", field="end")
    if end - start > longest:
        raise Invalid(f"This is longer than {longest.days} days. Change the rotation instead.", field="end")


def text(said: str, field: str, longest: int = 200) -> str:
    """Optional words: trimmed, not endless."""
    cleaned = said.replace("\r\n", "\n").strip()
    if len(cleaned) > longest:
        raise Invalid(f"This is {len(cleaned):,} characters long; {longest:,} is the most.", field=field)
    if "\0" in cleaned:
        raise Invalid("The text contains a NUL character.", field=field)
    return cleaned


def require_fit(findings: Iterable[Finding], actor: Actor, force: str) -> None:
    """At plan time fatigue wins (D13): refuse, unless a manager says why it has to be, with the engineer's consent."""
    blocks = planning.blocking(findings)
    if not blocks:
        return
    said = " ".join(f"{one['person']}: {one['text']} ({one['rule']})" for one in planning.in_words(blocks))
    if not may(actor, "force"):
        raise WrongState(f"{said} Nothing was changed. A manager may plan it with the engineer's consent and a reason.")
    if len(force.strip()) < FORCE_REASON:
        raise WrongState(
            f"{said} Nothing was changed. To plan it all the same, ask them, and say why in at least "
            f"{FORCE_REASON} characters."
        )


def noted(findings: Iterable[Finding]) -> list[dict[str, Any]]:
    """Findings for the audit trail."""
    return [{"rule": f.rule, "severity": f.severity.value, "person": f.person, "text": f.text} for f in findings]
