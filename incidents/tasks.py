"""What timers and queues call: thin doors, named by dotted strings in the rows that call them."""

from __future__ import annotations

from incidents import actions, drills, emergency_line, hooks
from incidents.models import Incident
from incidents.slack import headline, mention
from supportdesk import actors
from supportdesk.integrations.lines import Lines
from supportdesk.integrations.models import Connection
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


def look_after_call(timer: Timer) -> None:
    """A caller was asked for their PIN a while ago."""
    emergency_line.look_after(timer.args["call"])


def follow_contract(timer: Timer) -> None:
    """A contract was saved, or one of its dates has come: open incidents follow (§2.4)."""
    actions.follow_contract(timer.args["organization"], actor=actors.desk("contract"), at=timer.planned_at)


def end_goodwill(timer: Timer) -> None:
    """An exception has run out."""
    actions.end_goodwill(timer.args["grant"], actor=actors.desk())


def end_drill(timer: Timer) -> None:
    """A drill was answered, or has lasted long enough."""
    drills.end(_incident_id(timer))


def plan_drill(timer: Timer) -> None:
    """Look who is due for a drill."""
    drills.carry_on(timer.args["every_days"], timer.planned_at)


def check_dispute(timer: Timer) -> None:
    """A dispute should have been decided by now."""
    actions.check_dispute(_incident_id(timer), actor=actors.desk())


def follow_rota(timer: Timer) -> None:
    """A schedule changed: whoever is ringing by it may be somebody else now (ESC-5)."""
    actions.follow_rota(timer.args["schedule"], actor=actors.desk("escalation"))
    mention.keep_all()


def hand_over(timer: Timer) -> None:
    """A shift began: what is open waits to be accepted."""
    actions.offer_hand_over(timer.args["hand_off"], actor=actors.desk("rota"))


def chase_hand_over(timer: Timer) -> None:
    """What the last shift left has not been accepted."""
    actions.chase_hand_over(timer.args["item"], actor=actors.desk("rota"), generation=timer.generation)


def refresh_headline(timer: Timer) -> None:
    """Something happened to an incident: its headlines say so."""
    incident = Incident.objects.select_related("organization", "service").get(pk=timer.args["incident"])
    headline.show(incident, Lines.load())


def keep_oncall_group(timer: Timer) -> None:
    """A shift changes, or a connection was made: @oncall is whoever is on call now."""
    line = Connection.objects.filter(pk=timer.args["line"], is_enabled=True).first()
    if line is not None and line.vendor == "slack":
        mention.keep(line)


def page_settled(timer: Timer) -> None:
    """A delivery of a page ended, or cannot leave for a while: the next attempt comes forward."""
    delivery = Delivery.objects.get(key=timer.args["delivery"])
    if timer.args["result"] not in ("failed", "stuck"):
        return
    if delivery.vendor == "pagerduty":
        actions.pager_failed(_incident_id(timer), actor=actors.desk("escalation"), why=delivery.error)
        return
    page_id = int(delivery.key.split(":")[1])
    actions.page_failed(page_id, actor=actors.desk("escalation"))


def pager_deadline(timer: Timer) -> None:
    """PagerDuty should have accepted the page by now; while it has not, our own pager does not wait (ESC-17)."""
    delivery = Delivery.objects.filter(key=timer.args["delivery"]).first()
    if delivery is not None and delivery.is_open:
        why = delivery.error or "no answer in 20 seconds"
        actions.pager_failed(_incident_id(timer), actor=actors.desk("escalation"), why=why)


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


def nag(timer: Timer) -> None:
    """An update that is late may still be owed."""
    actions.nag(_incident_id(timer), actor=actors.desk("sla"), generation=timer.generation)


def war_room_prompt(timer: Timer) -> None:
    """Something the desk does by itself in the course of an incident (domain §6)."""
    actions.prompt(
        _incident_id(timer),
        actor=actors.desk("war_room"),
        generation=timer.generation,
        kind=timer.args["kind"],
        slot=timer.args["slot"],
    )


def process_inbound(ids: list[int]) -> int:
    """Apply stored inbound events, each in its own transaction. Returns how many were applied."""
    return sum(hooks.process(pk) for pk in ids)
