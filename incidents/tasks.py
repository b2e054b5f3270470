"""What timers and queues call: thin doors, named by dotted strings in the rows that call them."""

from __future__ import annotations

from incidents import actions, hooks
from supportdesk import actors
from supportdesk.queue.models import Delivery, Timer


def _incident_id(timer: Timer) -> int:
    return int(timer.subject.removeprefix("incident:"))


def advance(timer: Timer) -> None:
    """The escalation's next instant has come."""
    actions.advance(_incident_id(timer), actor=actors.desk("escalation"), generation=timer.generation)


def enter_triage(timer: Timer) -> None:
    """The desk opens for a queued incident."""
    actions.enter_triage(_incident_id(timer), actor=actors.desk())


def auto_confirm(timer: Timer) -> None:
    """Nobody objected for 72 hours."""
    actions.auto_confirm(_incident_id(timer), actor=actors.desk(), generation=timer.generation)


def follow_contract(timer: Timer) -> None:
    """A contract was saved, or one of its dates has come: open incidents follow (§2.4)."""
    actions.follow_contract(timer.args["organization"], actor=actors.desk("contract"), at=timer.planned_at)


def end_goodwill(timer: Timer) -> None:
    """An exception has run out."""
    actions.end_goodwill(timer.args["grant"], actor=actors.desk())


def check_dispute(timer: Timer) -> None:
    """A dispute should have been decided by now."""
    actions.check_dispute(_incident_id(timer), actor=actors.desk())


def page_settled(timer: Timer) -> None:
    """A delivery of a page ended: a failure brings the next attempt forward."""
    delivery = Delivery.objects.get(key=timer.args["delivery"])
    if timer.args["result"] != "failed":
        return
    if delivery.vendor == "pagerduty":
        actions.pager_failed(_incident_id(timer), actor=actors.desk("escalation"), why=delivery.error)
        return
    page_id = int(delivery.key.split(":")[1])
    actions.page_failed(page_id, actor=actors.desk("escalation"))


def sla_threshold(timer: Timer) -> None:
    """A clock has passed part of its target, or all of it (SLA-14)."""
    actions.pass_threshold(
        _incident_id(timer),
        actor=actors.desk("sla"),
        generation=timer.generation,
        kind=timer.args["kind"],
        cycle=timer.args["cycle"],
        basis=timer.args["basis"],
        threshold=timer.args["threshold"],
    )


def process_inbound(ids: list[int]) -> int:
    """Apply stored inbound events, each in its own transaction. Returns how many were applied."""
    return sum(hooks.process(pk) for pk in ids)
