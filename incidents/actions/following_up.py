"""What is left to do about an incident, done by a manager and written down."""

from __future__ import annotations

from django.db import transaction

from incidents import timeline
from incidents.actions.entry import locked, words
from incidents.models import FollowUp
from incidents.timeline import Fact
from supportdesk import instants
from supportdesk.actors import Actor
from supportdesk.audit import trail
from supportdesk.errors import NotAllowed, NotFound


def finish_follow_up(follow_up_id: int, *, actor: Actor, answer: str) -> FollowUp:
    """Done: who did it and what came of it. For a grant beyond the soft limit this is the second manager's name."""
    with transaction.atomic():
        found = FollowUp.objects.filter(pk=follow_up_id).first()
        if found is None:
            raise NotFound("There is no such follow-up.")
        incident = locked(found.incident_id, actor, "finish_follow_up")
        follow_up = FollowUp.objects.select_for_update().get(pk=follow_up_id)
        if follow_up.done_at is not None:
            return follow_up
        if actor.user_id is None or actor.user_id == follow_up.not_by_id:
            raise NotAllowed("This needs another manager: you granted it.")
        said = words(answer, "answer", longest=2_000)
        follow_up.done_at, follow_up.done_by_id, follow_up.answer = instants.now(), actor.user_id, said
        follow_up.save(update_fields=["done_at", "done_by", "answer"])
        timeline.record(incident, actor, Fact("follow_up_done", f"{follow_up.get_kind_display()}: {said}"))
        trail.record(actor, "finish_follow_up", incident.subject, after={"follow_up": follow_up.pk}, reason=said)
    return follow_up
