"""What other systems keep of an incident: a ticket, an incident beside ours, PagerDuty's copy of what was said.

Each vendor keeps one record an incident. The first message opens it, every later one follows it; all of them are rows
like any other, on the lane of integrations, so that no page ever waits for them.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from incidents import facts
from incidents.routing import INTERNAL_KINDS, OPENING_KINDS, PAGERDUTY_ACTIONS, PAGERDUTY_COPIES, Audience
from supportdesk import sitting
from supportdesk.integrations.models import Connection
from supportdesk.queue import outbox
from supportdesk.queue.models import Delivery, Lane
from supportdesk.queue.outbox import Post

if TYPE_CHECKING:
    from incidents.telling import Teller

TICKET = "ticket"
SERIOUS = ("P1", "P2")
_GONE = (Delivery.State.FAILED, Delivery.State.CANCELLED)


def ticket(teller: Teller) -> Iterator[Post]:
    """The Jira ticket of an incident."""
    line = _line(teller, "jira")
    if line is not None:
        yield from _record(teller, line, "ticket", opens=True)


def incident_io(teller: Teller) -> Iterator[Post]:
    """The incident at incident.io: of what is paged, or serious enough to be."""
    line = _line(teller, "incidentio")
    if line is None:
        return
    opens = teller.kind in OPENING_KINDS or teller.incident.severity in SERIOUS
    holder = teller.incident.acknowledged_by if teller.kind == "acknowledged" else None
    yield from _record(teller, line, "incident", opens=opens, who_email=holder.email if holder else "")


def pagerduty(teller: Teller) -> Iterator[Post]:
    """PagerDuty's alert, and its incident's notes: only where it was told of the incident in the first place."""
    line = _line(teller, "pagerduty")
    if line is None or not teller.incident.pages.model.objects.filter(incident=teller.incident).exists():
        return
    action = PAGERDUTY_ACTIONS.get(teller.kind)
    if action is None:
        action = PAGERDUTY_COPIES[teller.kind]
        if not line.settings.get("from_email"):  # notes need its REST API, which this connection does not use
            return
    yield _post(teller, line, teller.kind, "desk", action=action, reader="PagerDuty")


def _line(teller: Teller, vendor: str) -> Connection | None:
    """The connection to write to. What came from a vendor does not go back there; a customer's own system hears
    nothing internal."""
    line = teller.lines.line(vendor, teller.incident.organization_id)
    if line is None or teller.more.get("via") == vendor:
        return None
    return None if line.organization_id is not None and teller.kind in INTERNAL_KINDS else line


def _record(teller: Teller, line: Connection, to: str, *, opens: bool, **fields: Any) -> Iterator[Post]:
    """Open the record where there is none that may still come to be; follow it with everything that is said later."""
    subject = teller.incident.subject
    before = [row.state for row in outbox.waiting(subject, TICKET) if row.connection_id == line.pk]
    if not sitting.is_new(subject):
        before += Delivery.objects.filter(connection=line, subject=subject, kind=TICKET).values_list("state", flat=True)
    is_open = any(state not in _GONE for state in before)
    if not is_open and opens:
        yield _post(teller, line, TICKET, to, occasion=f"{teller.incident.pk}:{len(before)}", action="open", reader="")
    if (is_open or opens) and teller.kind not in OPENING_KINDS:
        yield _post(teller, line, teller.kind, to, action="update", reader="all", **fields)


def _post(teller: Teller, line: Connection, kind: str, to: str, *, occasion: str = "", **fields: Any) -> Post:
    said = facts.for_customer if line.organization_id is not None else facts.for_staff
    return Post(
        key=f"{kind}:{occasion or teller.key}:{line.vendor}:{line.pk}"[:200],
        kind=kind,
        connection=line,
        vendor=line.vendor,
        to=to,
        subject=teller.incident.subject,
        recipient=line.name,
        generation=teller.incident.generation,
        facts=said(teller.incident, **teller.more, **fields),
        lane=Lane.INTEGRATIONS,
    )


COUNTERPARTS = {Audience.TICKET: ticket, Audience.INCIDENT_IO: incident_io, Audience.PAGERDUTY: pagerduty}
