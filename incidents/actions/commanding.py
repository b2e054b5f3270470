"""Who does what in an incident, what is decided, and what is to be done (domain §1.3, §6)."""

from __future__ import annotations

from django.db import transaction

from incidents import telling, timeline
from incidents.actions.discretion import words_for_customer
from incidents.actions.entry import locked, require_open, words
from incidents.actions.prompting import give
from incidents.models import Briefing, Incident, Runbook, Survey, Task, TimelineEntry
from incidents.models.war_room import TASK_LENGTH
from incidents.timeline import Fact
from incidents.war_room import briefings, following, seats, tasks
from incidents.war_room.drafts import BRIEFED
from incidents.war_room.roles import IncidentRole
from supportdesk import instants
from supportdesk.accounts.models import User
from supportdesk.actors import Actor, Role
from supportdesk.errors import Invalid, NotAllowed, NotFound, WrongState

SCORES = {"1": "Very bad.", "2": "Bad.", "3": "Neither.", "4": "Good.", "5": "Very good."}


def take_role(incident_id: int, *, actor: Actor, role: str) -> Incident:
    """Have a role yourself, from whoever has it now."""
    if actor.user_id is None:
        raise NotAllowed("Only a person can have a role.")
    return hand_over_role(incident_id, actor=actor, role=role, user_id=actor.user_id)


def hand_over_role(incident_id: int, *, actor: Actor, role: str, user_id: int) -> Incident:
    """Give a role to somebody. The commander's also makes them the owner."""
    if role not in list(IncidentRole):
        raise Invalid(f"The role is one of {', '.join(IncidentRole)}.", field="role")
    wanted = IncidentRole(role)
    with transaction.atomic():
        incident = locked(incident_id, actor, "claim")
        require_open(incident, f"another {wanted.words}")
        person = User.objects.filter(pk=user_id, is_active=True).exclude(role=Role.CUSTOMER).first()
        if person is None:
            raise Invalid("There is no such colleague.", field="user")
        if wanted is IncidentRole.COMMANDER and incident.owner_id != person.pk:
            incident.owner = person
            incident.save(update_fields=["owner", "updated_at"])
        give(incident, actor, wanted, person.pk)
        following.follow(incident, was_claimed=wanted is IncidentRole.COMMANDER)
    return incident


def leave_role(incident_id: int, *, actor: Actor, role: str) -> Incident:
    """Give a role up; somebody has to be the commander, so that one is handed over instead."""
    if role not in list(IncidentRole):
        raise Invalid(f"The role is one of {', '.join(IncidentRole)}.", field="role")
    if role == IncidentRole.COMMANDER:
        raise Invalid("Somebody has to be the commander: hand it over to a colleague.", field="role")
    with transaction.atomic():
        incident = locked(incident_id, actor, "claim")
        if seats.leave(incident, IncidentRole(role)):
            text = f"Nobody is {IncidentRole(role).words} any more."
            timeline.record(incident, actor, Fact("role", text, data={"role": role, "user": None}))
    return incident


def record_decision(incident_id: int, *, actor: Actor, text: str) -> TimelineEntry:
    """What was decided, where everybody finds it again."""
    with transaction.atomic():
        incident = locked(incident_id, actor, "write_note")
        (entry,) = timeline.record(incident, actor, Fact("decision", words(text, longest=2_000)))
        telling.tell(incident, "decision", str(entry.pk), text=entry.text, author=actor.name)
    return entry


def add_task(incident_id: int, *, actor: Actor, text: str) -> Task:
    """Something to be done, seen by us only."""
    with transaction.atomic():
        incident = locked(incident_id, actor, "write_note")
        said = words(text, longest=TASK_LENGTH)
        number = incident.tasks.count() + 1
        task, _ = Task.objects.get_or_create(
            incident=incident,
            key=f"own:{number}",
            defaults={"text": said, "position": number, "added_at": instants.now(), "added_by": actor.name},
        )
    return task


def tick_task(task_id: int, *, actor: Actor) -> Task:
    """It is done. Ticking twice is not an error."""
    with transaction.atomic():
        found = Task.objects.filter(pk=task_id).first()
        if found is None:
            raise NotFound("There is no such task.")
        incident = locked(found.incident_id, actor, "write_note")
        task = Task.objects.select_for_update().get(pk=task_id)
        if task.done_at is None:
            task.done_at, task.done_by = instants.now(), actor.name
            task.save(update_fields=["done_at", "done_by"])
            timeline.record(incident, actor, Fact("task_done", task.text, data={"task": task.pk}))
    return task


def follow_runbook(incident_id: int, *, actor: Actor, runbook_id: int) -> list[Task]:
    """Work by a runbook: the steps of its latest version become tasks."""
    with transaction.atomic():
        incident = locked(incident_id, actor, "write_note")
        require_open(incident, "following a runbook")
        runbook = Runbook.objects.filter(pk=runbook_id).first()
        version = runbook.latest if runbook else None
        if runbook is None or version is None:
            raise NotFound("There is no such runbook.")
        if not version.steps:
            raise Invalid(f"{runbook} has no steps to tick: lines that begin with “- [ ]”.", field="runbook")
        if not incident.tasks.filter(runbook=version).exists():
            tasks.add(incident, f"runbook:{runbook.slug}:{version.number}", version.steps, actor.name, version)
            text = f"Working by the runbook “{runbook}”, version {version.number}."
            timeline.record(incident, actor, Fact("runbook", text, data={"version": version.pk}))
    return list(incident.tasks.filter(runbook=version))


def answer_survey(incident_id: int, *, actor: Actor, score: str, text: str = "") -> Survey:
    """How it was for the customer, 1 to 5. A second answer replaces the first."""
    with transaction.atomic():
        incident = locked(incident_id, actor, "answer_survey")
        survey = Survey.objects.select_for_update().filter(incident=incident).first()
        if survey is None:
            raise NotFound("There is no question to answer.")
        if score not in SCORES:
            raise Invalid("Choose one of the five.", field="score")
        survey.score, survey.text, survey.answered_at = int(score), text.strip()[:2_000], instants.now()
        survey.save(update_fields=["score", "text", "answered_at"])
        timeline.record(incident, actor, Fact("survey", f"{SCORES[score]} {survey.text}".strip()))
    return survey


def approve_briefing(
    briefing_id: int, *, actor: Actor, external_text: str = "", is_checked: bool = False, **said: str
) -> Briefing:
    """The commander's word on a briefing: it is sent at its time, at once if that has passed.

    `external_text` is for the customer's executives; `is_checked` as in `discretion`.
    """
    with transaction.atomic():
        found = Briefing.objects.filter(pk=briefing_id).first()
        if found is None:
            raise NotFound("There is no such briefing.")
        incident = locked(found.incident_id, actor, "post_update")
        if actor.role is not Role.MANAGER and incident.owner_id != actor.user_id:
            raise NotAllowed("A briefing is approved by the commander. Claim the incident first.")
        briefing = Briefing.objects.select_for_update(of=("self",)).select_related("incident").get(pk=briefing_id)
        if briefing.state not in (Briefing.State.DRAFT, Briefing.State.APPROVED):
            raise WrongState(f"This briefing is {briefing.get_state_display()} already.")
        changed = {name: words(text, name, longest=500) for name, text in said.items() if name in BRIEFED}
        briefing.facts = {**briefing.facts, **changed}
        briefing.external_text = (
            words_for_customer(incident, actor, external_text, "external_text", is_checked=is_checked, longest=4_000)
            if external_text.strip()
            else ""
        )
        briefing.approved_by_id, briefing.state = actor.user_id, Briefing.State.APPROVED
        briefing.save()
        if briefing.planned_at <= instants.now():
            briefings.send(briefing, actor)
    return briefing
