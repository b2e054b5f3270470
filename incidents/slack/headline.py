"""One living message an incident and channel: posted when it begins, edited in place as it goes on.

What happens within a second is one edit; an edit that has not left yet is replaced by the next.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from incidents import facts, telling
from incidents.models import Incident, TimelineEntry, WarRoom
from incidents.states import Status
from supportdesk import instants, sitting
from supportdesk.integrations import kinds
from supportdesk.integrations.lines import Lines
from supportdesk.integrations.models import Connection
from supportdesk.localised import ENGLISH, GERMAN, in_words_of
from supportdesk.queue import outbox, timers
from supportdesk.queue.models import Delivery
from supportdesk.queue.outbox import Post

REFRESH = "incidents.tasks.refresh_headline"
PAUSE = timedelta(seconds=1)
LATEST = 280  # characters of each part of the last update
WORKED = ("escalate", "update", "resolve")
# How it stands, as customers say it, in each language.
_PLAIN = {
    ENGLISH: {
        Status.NEW: "We have your report.",
        Status.TRIAGING: "We are looking into it.",
        Status.INVESTIGATING: "We are looking into it.",
        Status.IDENTIFIED: "We know the cause and are working on it.",
        Status.MITIGATING: "We are putting a fix in place.",
        Status.MONITORING: "A fix is in place, and we are watching it.",
        Status.RESOLVED: "Solved, as far as we can see. Please tell us whether it works for you.",
        Status.FOLLOW_UP: "Confirmed: it works again.",
        Status.CLOSED: "Closed.",
        Status.CANCELLED: "Closed: it was a false alarm.",
        Status.MERGED: "It goes on together with another report.",
    },
    GERMAN: {
        Status.NEW: "Ihre Meldung ist bei uns.",
        Status.TRIAGING: "Wir sehen es uns an.",
        Status.INVESTIGATING: "Wir sehen es uns an.",
        Status.IDENTIFIED: "Wir kennen die Ursache und arbeiten daran.",
        Status.MITIGATING: "Wir beheben es gerade.",
        Status.MONITORING: "Es ist behoben, und wir beobachten, ob es so bleibt.",
        Status.RESOLVED: "Behoben, soweit wir sehen. Bitte sagen Sie uns, ob es bei Ihnen wieder läuft.",
        Status.FOLLOW_UP: "Bestätigt: Es läuft wieder.",
        Status.CLOSED: "Abgeschlossen.",
        Status.CANCELLED: "Abgeschlossen: Es war ein Fehlalarm.",
        Status.MERGED: "Es geht gemeinsam mit einer anderen Meldung weiter.",
    },
}


@dataclass(frozen=True, slots=True)
class Place:
    """A channel that shows the headline, and whether our own people read it there, in which language."""

    channel: str
    for_staff: bool
    recipient: str
    pin: bool = False
    language: str = ENGLISH


def show(incident: Incident, lines: Lines) -> None:
    """Post the headlines as they should be now, where they are not so already."""
    line = lines.line("slack", incident.organization_id)
    if line is None or incident.is_drill:
        return
    for place in places(incident, line):
        show_in(incident, line, place)


def places(incident: Incident, line: Connection) -> Iterator[Place]:
    """Our channel, the customer's, and the war room."""
    ours, organization = line.settings.get("channel", ""), incident.organization
    if ours:
        yield Place(ours, True, "our channel")
    if organization and organization.slack_channel and organization.slack_channel != ours:
        language = telling.spoken_by(organization)
        yield Place(organization.slack_channel, False, f"{organization.name} on Slack", language=language)
    if sitting.is_new(incident.subject):
        return  # Slack has not made its room yet
    room = WarRoom.objects.filter(incident=incident, archived_at=None).exclude(channel_id="").first()
    if room is not None:
        yield Place(room.channel_id, True, f"#{room.channel_name}", pin=True)


def show_in(incident: Incident, line: Connection, place: Place) -> None:
    said = said_of(incident, place)
    waiting = [row for row in outbox.waiting(incident.subject, kinds.HEADLINE) if row.to == place.channel]
    if waiting:
        waiting[-1].facts = said
        return
    earlier = 0
    if not sitting.is_new(incident.subject):
        posted = Delivery.objects.filter(
            subject=incident.subject, kind=kinds.HEADLINE, connection=line, to=place.channel
        ).order_by("-pk")
        last = posted.first()
        if last is not None and last.facts == said:
            return
        if last is not None and Delivery.objects.filter(pk=last.pk, state=Delivery.State.PENDING).update(facts=said):
            return
        earlier = posted.count()
    outbox.post(
        [
            Post(
                key=f"headline:{incident.pk}:{place.channel}:{earlier + 1}",
                kind=kinds.HEADLINE,
                connection=line,
                vendor="slack",
                to=place.channel,
                subject=incident.subject,
                recipient=place.recipient,
                generation=incident.generation,
                facts=said,
            )
        ]
    )


def said_of(incident: Incident, place: Place) -> dict[str, Any]:
    """How it stands, in the words of whoever reads it there."""
    about = facts.for_staff if place.for_staff else facts.for_customer
    is_worked = incident.is_open and not incident.is_resolved
    last = None
    if not sitting.is_new(incident.subject):
        last = incident.timeline.filter(kind__in=("update", "resolved")).order_by("-at", "-pk").first()
    buttons = (*(() if incident.is_acknowledged else ("acknowledge",)), *WORKED) if is_worked else ()
    said = about(
        incident,
        for_staff=place.for_staff,
        state=f"{incident.status.replace('_', ' ').capitalize()}."
        if place.for_staff
        else _PLAIN[place.language][Status(incident.status)],
        holder=incident.acknowledged_name if is_worked else "",
        is_free=is_worked and not incident.is_acknowledged,
        **_latest(last),
        buttons=list(buttons) if place.for_staff else [],
        pin=place.pin,
        token="",
    )
    return in_words_of(said, place.language)


def _latest(entry: TimelineEntry | None) -> dict[str, str]:
    """What the customer was told last: what is, and what comes next, the words between them being the text's own."""
    if entry is None:
        return {"latest": "", "latest_next": ""}
    told = {"latest": entry.data.get("state") or entry.text, "latest_next": entry.data.get("doing", "")}
    return {name: " ".join(said.split())[:LATEST] for name, said in told.items()}


def subject(incident: Incident) -> str:
    """What its edits are timers of. Not the incident: whatever ends the incident's timers, the headline still says
    so."""
    return f"headline:{incident.pk}"


def refresh_soon(incident: Incident) -> None:
    """Edit the headlines in a second, however much happens until then."""
    due = instants.now() + PAUSE
    if timers.is_armed(subject(incident), REFRESH, by=due):
        return  # it reads how things stand when it runs
    key = f"headline:{incident.pk}:{due.isoformat()}"
    timers.arm([timers.Planned(key, REFRESH, subject(incident), due, args={"incident": incident.pk})])
