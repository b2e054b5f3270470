"""Who has which role in an incident. Rows only: the verbs ask permission and say what happened."""

from __future__ import annotations

from incidents.models import HeldRole, Incident
from incidents.war_room.roles import IncidentRole
from rotations.models import Schedule
from rotations.oncall import Directory, LivePeople
from supportdesk import instants
from supportdesk.accounts.models import User
from supportdesk.integrations.lines import Lines

LIAISON_SCHEDULE = "liaison"  # the slug of the rota of liaisons; without one the duty manager is it


def held(incident: Incident) -> dict[IncidentRole, HeldRole]:
    """Who has what now."""
    rows = HeldRole.objects.filter(incident=incident, ended_at=None).select_related("user")
    return {IncidentRole(row.role): row for row in rows}


def holder(incident: Incident, role: IncidentRole) -> User | None:
    row = HeldRole.objects.filter(incident=incident, role=role, ended_at=None).select_related("user").first()
    return row.user if row else None


def seat(incident: Incident, role: IncidentRole, user_id: int, *, is_interim: bool = False) -> bool:
    """Give somebody a role; whoever had it has it no longer. False if it was theirs already, and as firmly."""
    now = instants.now()
    current = HeldRole.objects.select_for_update().filter(incident=incident, role=role, ended_at=None).first()
    if current is not None and current.user_id == user_id:
        if current.is_interim and not is_interim:
            current.is_interim = False
            current.save(update_fields=["is_interim"])
            return True
        return False
    leave(incident, role)
    HeldRole.objects.create(incident=incident, role=role, user_id=user_id, is_interim=is_interim, started_at=now)
    return True


def leave(incident: Incident, role: IncidentRole) -> bool:
    """Nobody has this role any more. False if nobody had it."""
    return bool(HeldRole.objects.filter(incident=incident, role=role, ended_at=None).update(ended_at=instants.now()))


def last_left(incident: Incident, role: IncidentRole) -> HeldRole | None:
    """Who was the last to give up a role they had claimed, or were given. The interim ones do not count."""
    claimed = HeldRole.objects.filter(incident=incident, role=role, is_interim=False).exclude(ended_at=None)
    return claimed.order_by("-ended_at", "-pk").first()


def duty_manager(lines: Lines | None = None, *, but: int | None = None) -> User | None:
    """The first duty manager there is right now; `but`: who it shall not be."""
    return _first_of(LivePeople(Schedule.objects.filter(duty=True).first(), Directory(lines or Lines.load())), but)


def liaison_on_duty(lines: Lines | None = None) -> User | None:
    """Whoever the rota of liaisons names, else the duty manager."""
    lines = lines or Lines.load()
    row = Schedule.objects.filter(slug=LIAISON_SCHEDULE).first()
    if row is not None:
        people = LivePeople(row, Directory(lines))
        primary = people.schedule.who(instants.now()).primary
        user = people.directory.user(primary) if primary else None
        if user is not None:
            return user
    return duty_manager(lines)


def _first_of(people: LivePeople, but: int | None) -> User | None:
    for key in people.duty_managers(instants.now()):
        user = people.directory.user(key)
        if user is not None and user.pk != but:
            return user
    return None
