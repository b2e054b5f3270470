"""What the desk does by itself at an instant of an incident (domain §6). Each prompt happens once, or says why not."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

from django.db import transaction
from django.db.models import Q

from incidents import facts, telling, timeline
from incidents.actions.announcing import draft_notice
from incidents.actions.entry import locked
from incidents.actions.finishing import REOPEN_WINDOW
from incidents.models import Briefing, HeldRole, Incident, Prompt, StatusPage, Survey, WarRoom
from incidents.timeline import Fact
from incidents.war_room import briefings, following, plan, roles, seats, tasks
from incidents.war_room.plan import Kind
from incidents.war_room.roles import IncidentRole
from supportdesk import instants, links, readable
from supportdesk.actors import Actor

SURVEY_PAUSE = timedelta(days=7)
LONG_IN_ROLE = timedelta(hours=3, minutes=45)  # whoever came in the first quarter of an hour is asked at T+4 h


class Dropped(Exception):
    """A prompt is not needed: the message says why."""


def prompt(incident_id: int, *, actor: Actor, generation: int, kind: str, slot: int) -> Prompt | None:
    """The instant of a prompt has come. An older generation does nothing (INV-4)."""
    with transaction.atomic():
        incident = locked(incident_id, actor, "view")
        row = incident.prompts.filter(generation=generation, kind=kind, slot=slot).first()
        if row is None or row.state != Prompt.State.PLANNED or incident.generation != generation:
            return row
        try:
            row.outcome, row.state = _DOES[Kind(kind)](incident, row, actor)[:300], Prompt.State.SENT
        except Dropped as reason:
            row.outcome, row.state = str(reason)[:300], Prompt.State.CANCELLED
        row.settled_at = instants.now()
        row.save(update_fields=["outcome", "state", "settled_at"])
        following.follow(incident)
    return row


def _draft_a_notice(incident: Incident, row: Prompt, actor: Actor) -> str:
    page = StatusPage.objects.filter(_read_by_theirs(incident)).order_by("is_public", "pk").first()
    if page is None:
        raise Dropped("there is no status page")
    draft_notice(incident.pk, actor=actor, page_id=page.pk)
    url = links.absolute("console:notices")
    telling.tell(incident, "notice_drafted", str(incident.generation), page=page.name, url=url)
    return f"drafted for {page.name}; a person posts it"


def _read_by_theirs(incident: Incident) -> Q:
    """The pages on which the customer of an incident would look: theirs, those shared with them, the public ones of
    our own. What happens to one customer is not told on the private page of another."""
    ours = Q(organization=None, is_public=True)
    if incident.organization_id is None:
        return ours | Q(organization=None, audience=None)
    return ours | Q(organization=incident.organization_id) | Q(audience=incident.organization_id)


def _find_a_liaison(incident: Incident, row: Prompt, actor: Actor) -> str:
    done = []
    if not incident.is_acknowledged:
        telling.tell(incident, "ack_late", str(incident.generation))
        done.append("the duty manager knows that nobody has it yet")
    if seats.holder(incident, IncidentRole.LIAISON) is None and (person := seats.liaison_on_duty()) is not None:
        give(incident, actor, IncidentRole.LIAISON, person.pk)
        done.append(f"{person.name} is customer liaison")
    if not done:
        raise Dropped("somebody has it, and there is a liaison")
    return "; ".join(done)


def give(incident: Incident, actor: Actor, role: IncidentRole, user_id: int) -> bool:
    """Seat somebody, write it down, and tell them and whoever had it. False if it is theirs already."""
    before = seats.holder(incident, role)
    if not seats.seat(incident, role, user_id):
        return False
    person = HeldRole.objects.select_related("user").get(incident=incident, role=role, ended_at=None).user
    (entry,) = timeline.record(
        incident, actor, Fact("role", f"{person.name} is {role.words} now.", data={"role": role, "user": user_id})
    )
    place = facts.in_room(incident) if _has_room(incident) else {}
    if actor.user_id != user_id:
        said = {"role": role.words, "asks": role.asks, "due_local": _word_due(incident, role), **place}
        telling.tell_person(incident, "role_given", str(entry.pk), person, **said)
    if before is not None and before.pk not in (user_id, actor.user_id):
        telling.tell_person(incident, "role_passed", str(entry.pk), before, role=role.words, who=person.name, **place)
    return True


def _word_due(incident: Incident, role: IncidentRole) -> str:
    """By when the customer hears from us, for whoever speaks to them or decides what is said."""
    if role not in (IncidentRole.COMMANDER, IncidentRole.LIAISON):
        return ""
    promised = incident.clocks.filter(kind__in=("first_response", "next_update"), satisfied_at=None)
    due = promised.filter(due_at__gt=instants.now()).order_by("due_at").values_list("due_at", flat=True).first()
    return facts.moment(due, incident.zone) if due else ""


def _has_room(incident: Incident) -> bool:
    return WarRoom.objects.filter(incident=incident).exists()


def _find_a_commander(incident: Incident, row: Prompt, actor: Actor) -> str:
    """The duty manager, unless they have just given it up; else whoever came first; else everybody is asked, again and
    again until somebody is."""
    commander = seats.held(incident).get(IncidentRole.COMMANDER)
    if commander is not None and not commander.is_interim:
        raise Dropped(f"{commander.user} has claimed it")
    left = seats.last_left(incident, IncidentRole.COMMANDER)
    person = seats.duty_manager(but=left.user_id if left else None)
    if person is None and commander is None:
        telling.tell(incident, "commander_wanted", f"{row.generation}:{row.slot}", **facts.in_room(incident))
        return "nobody is commander: everybody in the room and our channel was asked"
    chosen = person or commander.user  # type: ignore[union-attr]
    incident.owner = chosen
    incident.save(update_fields=["owner", "updated_at"])
    give(incident, actor, IncidentRole.COMMANDER, chosen.pk)
    if person is None:
        return f"no other manager has the duty; {chosen.name}, who came first, stays commander"
    return f"{person.name}, the duty manager, is commander"


def _draft_a_briefing(incident: Incident, row: Prompt, actor: Actor) -> str:
    _require_latest(incident, row)
    briefing = briefings.draft(incident, row.slot, row.planned_at + plan.DRAFT_BEFORE)
    at = facts.moment(briefing.planned_at, incident.zone)
    said = {"number": row.slot, "at_local": at, **facts.in_room(incident)}
    telling.tell(incident, "briefing_draft", f"{row.generation}:{row.slot}", **said)
    return "the commander was asked to look at it"


def _send_the_briefing(incident: Incident, row: Prompt, actor: Actor) -> str:
    _require_latest(incident, row)
    briefing = briefings.draft(incident, row.slot, row.planned_at)
    if briefing.state == Briefing.State.DRAFT:
        return "waits five minutes for the commander"
    if briefing.state != Briefing.State.APPROVED:
        raise Dropped(briefing.get_state_display())
    briefings.send(briefing, actor)
    return "sent as approved"


def _send_unreviewed(incident: Incident, row: Prompt, actor: Actor) -> str:
    _require_latest(incident, row)
    briefing = briefings.draft(incident, row.slot, row.planned_at - plan.UNREVIEWED_AFTER)
    if briefing.state == Briefing.State.SENT:
        raise Dropped("it was reviewed and sent")
    briefings.send(briefing, actor)
    return "sent" if briefing.is_reviewed else "sent, marked unreviewed"


def _require_latest(incident: Incident, row: Prompt) -> None:
    """After a pause of the desk only the latest of a series is worth doing."""
    now = instants.now()
    if incident.prompts.filter(
        generation=row.generation, kind=row.kind, slot__gt=row.slot, planned_at__lte=now
    ).exists():
        raise Dropped("overtaken by the next one")


def _send_the_last(incident: Incident, row: Prompt, actor: Actor) -> str:
    briefing = briefings.draft(incident, 1, row.planned_at, is_last=True)
    if briefing.state == Briefing.State.SENT:
        raise Dropped("it was sent already")
    briefings.send(briefing, actor)
    return "sent" if briefing.is_reviewed else "sent, marked unreviewed"


def _check_roles(incident: Incident, row: Prompt, actor: Actor) -> str:
    found = roles.missing({role: held.user_id for role, held in seats.held(incident).items()})
    if not found:
        raise Dropped("every role is filled")
    telling.tell(
        incident, "roles_missing", f"{row.generation}:{row.slot}", text=" ".join(found), **facts.in_room(incident)
    )
    return " ".join(found)


def _offer_a_second(incident: Incident, row: Prompt, actor: Actor) -> str:
    telling.tell(incident, "second_responder", f"{row.generation}:{row.slot}")
    return "a second responder and the neighbouring site were offered"


def _ask_for_relief(incident: Incident, row: Prompt, actor: Actor) -> str:
    _require_latest(incident, row)
    now = instants.now()
    tired = [held for held in seats.held(incident).values() if now - held.started_at >= LONG_IN_ROLE]
    if not tired:
        raise Dropped("nobody has had a role for four hours")
    names = ", ".join(
        f"{held.user} ({held.get_role_display()}, {readable.duration(now - held.started_at)})" for held in tired
    )
    telling.tell(incident, "relief", f"{row.generation}:{row.slot}", names=names, **facts.in_room(incident))
    return f"relief was asked for: {names}"


def _ask_for_hand_off(incident: Incident, row: Prompt, actor: Actor) -> str:
    telling.tell(incident, "hand_off", f"{row.generation}:{row.slot}")
    return "the commander was asked for a hand-off note"


def _begin_verification(incident: Incident, row: Prompt, actor: Actor) -> str:
    tasks.add_checklist(incident, "mitigated")
    telling.tell(incident, "verification", f"{row.generation}:{row.slot}", **facts.in_room(incident))
    return "the checklist was added"


def _remind(incident: Incident, row: Prompt, actor: Actor) -> str:
    ends = (incident.resolved_at or instants.now()) + REOPEN_WINDOW
    telling.tell(incident, "reminder", f"{row.generation}:{row.slot}", closes_local=facts.moment(ends, incident.zone))
    return "the customer was asked again whether it works"


def _survey(incident: Incident, row: Prompt, actor: Actor) -> str:
    contact, now = incident.reporter, instants.now()
    if contact is None or not contact.is_active:
        raise Dropped("there is nobody to ask")
    if Survey.objects.filter(contact=contact, asked_at__gt=now - SURVEY_PAUSE).exists():
        raise Dropped("they were asked in the last seven days")
    Survey.objects.get_or_create(incident=incident, defaults={"contact": contact, "asked_at": now})
    telling.tell(incident, "survey", str(incident.pk))
    return f"{contact.name} was asked"


def _archive(incident: Incident, row: Prompt, actor: Actor) -> str:
    room = WarRoom.objects.get(incident=incident)
    room.archived_at = instants.now()
    room.save(update_fields=["archived_at"])
    timeline.record(incident, actor, Fact("war_room", f"War room archived: #{room.channel_name}."))
    return "archived; its transcript stays in the timeline"


_DOES: dict[Kind, Callable[[Incident, Prompt, Actor], str]] = {
    Kind.NOTICE_DRAFT: _draft_a_notice,
    Kind.LIAISON: _find_a_liaison,
    Kind.COMMANDER: _find_a_commander,
    Kind.BRIEFING_DRAFT: _draft_a_briefing,
    Kind.BRIEFING: _send_the_briefing,
    Kind.BRIEFING_UNREVIEWED: _send_unreviewed,
    Kind.LAST_BRIEFING: _send_the_last,
    Kind.ROLES: _check_roles,
    Kind.SECOND_RESPONDER: _offer_a_second,
    Kind.RELIEF: _ask_for_relief,
    Kind.HAND_OFF: _ask_for_hand_off,
    Kind.VERIFICATION: _begin_verification,
    Kind.REMINDER: _remind,
    Kind.SURVEY: _survey,
    Kind.ARCHIVE: _archive,
}
