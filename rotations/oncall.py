"""Who is on call, from rows: schedules compiled once per version, and the people a policy's targets mean right now."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from uuid import UUID

from rotations import responders
from rotations.escalation import Found, Target, roles
from rotations.escalation.policy import Kind
from rotations.loading import layer_value as layer_value
from rotations.loading import rules as rules
from rotations.models import Schedule as ScheduleRow
from rotations.responders import Responder
from rotations.rules import Rules
from rotations.schedule import OnCall, Schedule
from supportdesk.accounts.models import PageRule, User
from supportdesk.accounts.reach import Attempt, Method
from supportdesk.integrations.lines import Lines

EMERGENCY = responders.EMERGENCY

# A schedule nobody is on: what there is where no schedule was made.
NOBODY = Schedule(Rules(layers=()))

_KEPT = 200
_compiled: dict[UUID, Schedule] = {}


def schedule(row: ScheduleRow) -> Schedule:
    """The compiled schedule of a row, kept as long as its stamp stands."""
    return schedules([row])[0]


def schedules(rows: Sequence[ScheduleRow]) -> list[Schedule]:
    """The compiled schedules of rows; those that are not kept already are made in one go, whatever their number."""
    missing = [row for row in rows if row.stamp not in _compiled]
    if missing:
        if len(_compiled) + len(missing) > _KEPT:
            _compiled.clear()
            missing = list(rows)
        made = zip(missing, rules(missing), strict=True)
        _compiled.update({row.stamp: Schedule(its_rules) for row, its_rules in made})
    return [_compiled[row.stamp] for row in rows]


def now_on_call(row: ScheduleRow, at: datetime) -> OnCall:
    """Who holds the slots of a schedule at an instant."""
    return schedule(row).who(at)


class Directory:
    """People and how they can be reached, read as they are needed: live at each firing (D11)."""

    def __init__(self, lines: Lines) -> None:
        self.lines = lines
        self._known: dict[int, User] = {}

    def load(self, ids: Iterable[str]) -> None:
        """Read several people in two queries."""
        wanted = {int(pk) for pk in ids if pk.isdigit()} - set(self._known)
        if wanted:
            rows = User.objects.filter(pk__in=wanted).prefetch_related("contact_methods", "page_rules__method")
            self._known |= {user.pk: user for user in rows}

    def user(self, person: str) -> User | None:
        if not person.isdigit():
            return None
        self.load([person])
        return self._known.get(int(person))

    def responder(self, person: str) -> Responder | None:
        """How somebody can be reached right now; None for somebody who is not a user."""
        user = self.user(person)
        return responder(user, self.lines) if user else None

    def methods(self, person: str) -> list[Method]:
        """The ways that would work now: verified, enabled, and the desk is connected to their vendor."""
        found = self.responder(person)
        return list(found.methods) if found and found.is_active else []

    def why_not(self, person: str) -> str:
        """Why somebody cannot be reached; empty if they can."""
        found = self.responder(person)
        return found.why_not() if found else responders.GONE


def responder(user: User, lines: Lines) -> Responder:
    """A user as the rules see them. With `contact_methods` and `page_rules__method` prefetched, no query."""
    usable = [method for method in user.contact_methods.all() if method.is_usable]
    rules = [
        (r.importance, Attempt(Method(r.method.kind, r.method.address), timedelta(seconds=r.after_seconds)))
        for r in user.page_rules.all()
    ]
    return Responder(
        id=str(user.pk),
        name=user.name,
        is_active=user.is_active,
        is_verified=bool(usable),
        methods=tuple(Method(m.kind, m.address) for m in usable if lines.has(m.kind)),
        important=tuple(attempt for importance, attempt in rules if importance == PageRule.Importance.IMPORTANT),
        default=tuple(attempt for importance, attempt in rules if importance == PageRule.Importance.DEFAULT),
    )


class LivePeople:
    """Answers the escalation engine: whom a target means, and whether they can be reached."""

    def __init__(self, row: ScheduleRow | None, directory: Directory) -> None:
        """`row` is the schedule `primary` and `backup` mean; without one only the fallback chain answers."""
        self.row = row
        self.schedule = schedule(row) if row else NOBODY
        self.directory = directory
        self._duty_rows: list[ScheduleRow] | None = None

    def resolve(self, target: Target, at: datetime) -> Found:
        """Whom a person target means at an instant; those who cannot be reached are passed over, with the reason."""
        people = list(dict.fromkeys(p for p in _RESOLVERS[target.kind](self, target, at) if p))
        self.directory.load(people)
        problems = {person: self.directory.why_not(person) for person in people if person != EMERGENCY}
        return Found(
            tuple(person for person in people if not problems.get(person)),
            tuple((person, why) for person, why in problems.items() if why),
        )

    def fallback(self, at: datetime) -> str | None:
        """Schedule fallback, then the duty manager, then the deployment's emergency number: the first who can be
        reached."""
        own = self.row.fallback_id if self.row else None
        chain = [str(own) if own else "", *self.duty_managers(at)]
        for person in chain:
            if person and not self.directory.why_not(person):
                return person
        return EMERGENCY

    def boundary_after(self, at: datetime) -> datetime | None:
        return self.schedule.who(at).changes_at

    def duty_managers(self, at: datetime) -> list[str]:
        """Whoever has duty in the duty managers' rotation."""
        if self._duty_rows is None:
            self._duty_rows = list(ScheduleRow.objects.filter(duty=True))
        return [p for row in self._duty_rows if (p := roles.primary(schedule(row), at))]


def _primary(people: LivePeople, target: Target, at: datetime) -> list[str | None]:
    return [roles.primary(people.schedule, at)]


def _backup(people: LivePeople, target: Target, at: datetime) -> list[str | None]:
    return [roles.backup(people.schedule, at)]


def _neighbour(people: LivePeople, target: Target, at: datetime) -> list[str | None]:
    return [roles.neighbour(people.schedule, at)]


def _other_schedule(people: LivePeople, target: Target, at: datetime) -> list[str | None]:
    row = ScheduleRow.objects.filter(slug=target.ref).first()
    return [roles.primary(schedule(row), at) if row else None]


def _person(people: LivePeople, target: Target, at: datetime) -> list[str | None]:
    return [target.ref]


def _duty_manager(people: LivePeople, target: Target, at: datetime) -> list[str | None]:
    return [*people.duty_managers(at)]


def _fallback(people: LivePeople, target: Target, at: datetime) -> list[str | None]:
    return [people.fallback(at)]


def _seniors(people: LivePeople, target: Target, at: datetime) -> list[str | None]:
    return [
        str(pk)
        for pk in User.objects.filter(is_senior=True, is_active=True).order_by("pk").values_list("pk", flat=True)
    ]


def _head_of_support(people: LivePeople, target: Target, at: datetime) -> list[str | None]:
    return [str(people.row.manager_id) if people.row and people.row.manager_id else None]


_RESOLVERS = {
    Kind.PRIMARY: _primary,
    Kind.BACKUP: _backup,
    Kind.NEIGHBOUR: _neighbour,
    Kind.SCHEDULE: _other_schedule,
    Kind.PERSON: _person,
    Kind.TEAM: _person,
    Kind.SENIORS: _seniors,
    Kind.DUTY_MANAGER: _duty_manager,
    Kind.EMERGENCY_PHONE: _duty_manager,
    Kind.MANAGER: _fallback,
    Kind.HEAD_OF_SUPPORT: _head_of_support,
}
