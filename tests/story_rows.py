"""The automation table of a critical incident (domain §6), row by row: what has happened when the story ends."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta

from incidents.models import Briefing, HeldRole, Incident, Page, Prompt, SlaClock, WarRoom
from reports.models import PostIncidentReport
from supportdesk.queue.models import Delivery


@dataclass(frozen=True, slots=True)
class Row:
    """One row of the table: when it is due, what it asks for, and whether the story has it."""

    when: str
    what: str
    holds: bool


class Story:
    """Questions about what happened to one incident."""

    def __init__(self, incident: Incident) -> None:
        self.incident = Incident.objects.get(pk=incident.pk)
        self.declared = self.incident.received_at

    def sent(self, kind: str, vendor: str = "", to: str = "") -> bool:
        rows = Delivery.objects.filter(subject=self.incident.subject, kind=kind, sent_at__isnull=False)
        rows = rows.filter(vendor=vendor) if vendor else rows
        return (rows.filter(recipient__icontains=to) if to else rows).exists()

    def sent_at(self, kind: str, minutes: float) -> bool:
        at = self.declared + timedelta(minutes=minutes)
        return Delivery.objects.filter(subject=self.incident.subject, kind=kind, planned_at=at).exists()

    def prompt(self, kind: str, minutes: float | None = None, state: str = "sent") -> bool:
        rows = Prompt.objects.filter(incident=self.incident, kind=kind, state=state)
        if minutes is not None:
            rows = rows.filter(planned_at=self.declared + timedelta(minutes=minutes))
        return rows.exists()

    def entry(self, kind: str, words: str = "") -> bool:
        return self.incident.timeline.filter(kind=kind, text__icontains=words).exists()

    def met(self, kind: str) -> bool:
        clocks = SlaClock.objects.filter(incident=self.incident, kind=kind, cycle=1)
        return clocks.filter(satisfied_at__lte=self.declared + timedelta(minutes=10)).exists()

    def briefings(self) -> list[tuple[int, str]]:
        return list(Briefing.objects.filter(incident=self.incident, state="sent").values_list("number", "state"))


Check = Callable[[Story], bool]


def _last_update_stops(story: Story) -> bool:
    late = Delivery.objects.filter(subject=story.incident.subject, kind__in=("update_prompt", "update_ping", "page"))
    return not late.filter(planned_at__gt=story.incident.resolved_at).exists()


_ROWS: tuple[tuple[str, str, Check], ...] = (
    ("T+0", "on-call is paged", lambda s: Page.objects.filter(incident=s.incident).exists()),
    ("T+0", "clocks run", lambda s: SlaClock.objects.filter(incident=s.incident).exists()),
    ("T+0", "the war room opens, with a bridge", lambda s: WarRoom.objects.get(incident=s.incident).bridge_url != ""),
    ("T+0", "the room is told who is on call", lambda s: s.sent("war_room")),
    ("T+0", "the reporter has a receipt", lambda s: s.sent("received", "email") and s.sent("received", "slack")),
    ("T+1", "a notice is drafted", lambda s: s.prompt("notice_draft", 1)),
    ("T+3", "the next step is called", lambda s: s.incident.pages.count() > 1),
    ("T+5", "a liaison is assigned", lambda s: s.prompt("liaison", 5) and _held(s, "liaison")),
    ("T+5, T+7:30", "the first answer is warned of", lambda s: s.entry("sla_warning", "First response")),
    ("≤ T+10", "the first human answer, in time", lambda s: s.met("first_response") and s.sent("message", "email")),
    ("T+10", "the interim commander gives way to the duty manager", lambda s: s.prompt("commander", 10)),
    ("T+10", "a notice is posted", lambda s: s.entry("notice_posted")),
    ("T+15", "an update is prompted at 75 %", lambda s: s.sent("update_prompt")),
    ("T+15", "the commander is pinged at 90 %", lambda s: s.sent("update_ping")),
    (
        "T+15",
        "a late update is recorded and the customer told",
        lambda s: s.entry("sla_missed") and s.sent("update_late"),
    ),
    ("every 15 min", "the customer has updates", lambda s: s.incident.timeline.filter(kind="update").count() >= 10),
    ("T+2 h", "a slower rhythm is agreed", lambda s: s.sent("cadence", "email")),
    ("T+25", "the first briefing is drafted", lambda s: s.sent_at("briefing_draft", 25)),
    (
        "T+30",
        "the first briefing goes out",
        lambda s: s.sent_at("briefing", 30) and s.sent("briefing", "email", "Grace"),
    ),
    ("T+30", "their executive reads what was approved", lambda s: s.sent("briefing_external", "email", "Claire")),
    ("T+30", "the role board is checked", lambda s: s.prompt("roles", 30)),
    ("T+60", "a second responder is offered", lambda s: s.prompt("second_responder", 60)),
    ("T+95", "an untouched briefing goes out unreviewed", lambda s: s.sent_at("briefing", 95)),
    ("T+150, T+210", "briefings come every hour", lambda s: len(s.briefings()) >= 4),
    ("T+4 h", "relief is proposed", lambda s: s.prompt("relief", 240)),
    ("shift end − 15 min", "a hand-off note is asked for", lambda s: s.prompt("hand_off")),
    ("mitigated", "a checklist to verify the fix", lambda s: s.sent("verification") and s.prompt("verification")),
    (
        "resolved",
        "the customer is told and asked",
        lambda s: s.sent("resolved", "email") and s.sent("resolved", "slack"),
    ),
    ("resolved", "pages and prompts stop", _last_update_stops),
    ("resolved + 25 min", "the last briefing", lambda s: s.prompt("last_briefing")),
    (
        "resolved + 1 h",
        "the report is drafted",
        lambda s: PostIncidentReport.objects.filter(incident=s.incident).exists(),
    ),
    ("resolved + 24 h, 48 h", "a reminder to confirm", lambda s: _reminded(s) == 2),
    ("confirmed + 1 h", "one question how it was", lambda s: s.sent("survey", "email")),
    (
        "published + 14 d",
        "the room is archived",
        lambda s: WarRoom.objects.get(incident=s.incident).archived_at is not None,
    ),
)


def _held(story: Story, role: str) -> bool:
    return HeldRole.objects.filter(incident=story.incident, role=role).exists()


def _reminded(story: Story) -> int:
    rows = Delivery.objects.filter(subject=story.incident.subject, kind="reminder", vendor="email")
    return rows.filter(sent_at__isnull=False).count()


def check(incident: Incident) -> list[Row]:
    """Every row, and whether it holds."""
    story = Story(incident)
    return [Row(when, what, bool(holds(story))) for when, what, holds in _ROWS]
