"""Carrying out what a decision brings about: each effect becomes entries, pages and messages."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from incidents import facts, telling, timeline
from incidents.escalating import channels, pages
from incidents.escalating.work import Work
from rotations import telling as rota_telling
from rotations.escalation import effects as fx
from rotations.models import Schedule, Shadow
from supportdesk import actors
from supportdesk.queue import outbox


def carry_out(work: Work, effects: Iterable[fx.Effect]) -> None:
    """Write everything, in order."""
    for effect in effects:
        _CARRY_OUT[type(effect)](work, effect)
    if work.entries:
        timeline.record(work.incident, actors.desk("escalation"), *work.entries)
    outbox.post(sorted(work.posts, key=lambda post: post.kind == channels.MENTION))  # people first, then channels


def _fired(work: Work, effect: fx.StepFired) -> None:
    turn = f", pass {effect.pass_number}" if effect.pass_number > 1 else ""
    work.note(
        "step_fired",
        f"Escalation step {effect.step}{turn}.",
        step=effect.step,
        turn=effect.pass_number,
        planned_at=effect.at.isoformat(),
    )
    if (effect.pass_number, effect.step) == (1, 1) and work.people.row is not None:
        _tell_shadows(work, work.people.row)


def _tell_shadows(work: Work, schedule: Schedule) -> None:
    """Whoever sits in the shadow seat hears of it, silently, and nobody waits for them."""
    seats = Shadow.objects.filter(schedule=schedule, start__lte=work.now, end__gt=work.now).select_related("user")
    incident = work.incident
    rota_telling.tell(
        "shadow",
        f"{incident.pk}:{incident.generation}:{incident.severity}",
        incident.subject,
        [seat.user for seat in seats],
        **facts.for_staff(incident),
    )


def _step_skipped(work: Work, effect: fx.StepSkipped) -> None:
    work.note("step_skipped", f"Step {effect.step} was left out: {effect.why}.", step=effect.step)


def _skipped(work: Work, effect: fx.Skipped) -> None:
    work.note("person_skipped", f"{work.name(effect.person)} was not paged: {effect.why}.", person=effect.person)


def _nobody(work: Work, effect: fx.NobodyOnCall) -> None:
    """Silence is the bug: it is recorded loudly, and everybody in our channel reads it."""
    stand_in = work.name(effect.fallback) if effect.fallback else "nobody"
    where = f"Step {effect.step} found" if effect.step else "There is"
    work.note("nobody_on_call", f"{where} nobody who can be reached. {stand_in} is paged instead.", step=effect.step)
    telling.tell(
        work.incident,
        "no_answer",
        f"nobody:{work.incident.generation}:{effect.pass_number}:{effect.step}",
        work.lines,
        trouble=f"{where} nobody who can be reached; {stand_in} is paged instead.",
    )


def _fatigue(work: Work, effect: fx.FatigueException) -> None:
    work.note("fatigue_exception", "The primary should be relieved, but no backup can be reached: the primary stays.")


def _exhausted(work: Work, effect: fx.Exhausted) -> None:
    work.note(
        "exhausted",
        "Every step has been tried and nobody has acknowledged. The fallback manager is paged again and again.",
    )
    telling.tell(
        work.incident,
        "no_answer",
        f"exhausted:{work.incident.generation}:{effect.pass_number}",
        work.lines,
        trouble="Every step of the escalation policy has been tried and nobody has acknowledged.",
    )


def _acknowledged(work: Work, effect: fx.Acknowledged) -> None:
    """The verb records who it was; here only what is special about it."""
    if effect.joined:
        work.note("joined", f"{work.name(effect.person)} joins as a responder.", person=effect.person)


def _ack_expired(work: Work, effect: fx.AckExpired) -> None:
    names = ", ".join(work.name(person) for person in effect.people)
    work.note("ack_expired", f"{names} acknowledged and has not been heard of since: paging starts again.")


def _taken_over(work: Work, effect: fx.PagerTakenOver) -> None:
    work.note("pager_taken_over", f"The desk pages by itself now: {effect.why}.")


_CARRY_OUT: dict[type, Callable[[Work, Any], None]] = {
    fx.Page: pages.page,
    fx.Channel: channels.channel,
    fx.StepFired: _fired,
    fx.StepSkipped: _step_skipped,
    fx.Skipped: _skipped,
    fx.NobodyOnCall: _nobody,
    fx.FatigueException: _fatigue,
    fx.Exhausted: _exhausted,
    fx.Acknowledged: _acknowledged,
    fx.AckExpired: _ack_expired,
    fx.PagerTakenOver: _taken_over,
}
