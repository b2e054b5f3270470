"""What happened, as one page a person reads: the timeline, and every message as each of its readers saw it."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta
from html import escape
from itertools import groupby

from incidents.models import Incident, TimelineEntry
from supportdesk import readable
from supportdesk.accounts.models import User
from supportdesk.queue.models import Delivery
from tests.story_rows import Row

WIRES = {"email": "E-mail", "slack": "Slack", "sms": "SMS", "phone": "Phone call", "pagerduty": "PagerDuty"}
# Whose messages come first, and what they are to the story.
READERS = (
    ("Alice Moreau", "the customer, at one in the morning"),
    ("Acme on Slack", "the customer’s channel"),
    ("Claire Dubois", "the customer’s executive"),
    ("Grace Lindqvist", "our executive sponsor"),
    ("Ken Mori", "the backup, who came first; then commander"),
    ("Yuki Sato", "the primary, who slept; then tech lead"),
    ("Dana Petrova", "the duty manager, for a while commander; the customer’s liaison"),
    ("Carol Jensen", "the next watch"),
)
STYLE = """
:root { color-scheme: light dark; --text: #16202a; --soft: #55606b; --line: #dfe3e6; --paper: #fff; --back: #f5f6f7;
  --accent: #0b5f6b; --well: #1a6b3c; --bad: #b3261e }
@media (prefers-color-scheme: dark) { :root { --text: #e8ecef; --soft: #a3adb6; --line: #333c44; --paper: #1b2228;
  --back: #12171b; --accent: #6cc5d1; --well: #7fd6a2; --bad: #ff9d94 } }
* { box-sizing: border-box } body { margin: 0; background: var(--back); color: var(--text);
  font: 16px/1.5 -apple-system, "Segoe UI", Roboto, Arial, sans-serif }
main { max-width: 820px; margin: 0 auto; padding: 24px 16px 96px } h1 { font-size: 26px; line-height: 1.25 }
h2 { margin: 48px 0 4px; font-size: 20px } h2 + p { margin-top: 0 } .soft { color: var(--soft) }
nav { display: flex; flex-wrap: wrap; gap: 4px 16px } a { color: var(--accent) }
article, .paper { background: var(--paper); border: 1px solid var(--line); border-radius: 8px; margin: 12px 0;
  padding: 14px 16px } header { display: flex; flex-wrap: wrap; gap: 2px 12px; color: var(--soft); font-size: 14px }
.subject { margin: 6px 0 0; font-weight: 600 } .text { margin: 6px 0 0; white-space: pre-wrap; overflow-wrap: anywhere }
ol, ul { list-style: none; margin: 12px 0; padding: 0 } li { display: grid; gap: 0 16px;
  grid-template-columns: 7.5em minmax(0, 1fr); padding: 5px 0; border-top: 1px solid var(--line) }
.at { color: var(--soft); font-variant-numeric: tabular-nums } .customer { border-left: 3px solid var(--accent);
  padding-left: 10px } .well { color: var(--well) } .bad { color: var(--bad); font-weight: 600 }
@media (max-width: 480px) { li { grid-template-columns: 1fr } }
"""


def page(incident: Incident, rows: list[Row]) -> str:
    """The whole story of one incident."""
    sent = Delivery.objects.filter(subject=incident.subject, sent_at__isnull=False).order_by(
        "recipient", "sent_at", "pk"
    )
    told = {name: list(each) for name, each in groupby(sent, key=lambda row: row.recipient or row.to)}
    known = [name for name, _ in READERS if name in told]
    names = [*known, *sorted(told.keys() - set(known))]
    links = "".join(f'<a href="#r{number}">{escape(name)}</a>' for number, name in enumerate(names))
    parts = dict(READERS)
    readers = "".join(
        _reader(f"r{number}", name, parts.get(name, ""), told[name], incident) for number, name in enumerate(names)
    )
    return (
        f'<!doctype html><html lang="en"><head><meta charset="utf-8">'
        f'<meta name="viewport" content="width=device-width">'
        f"<title>{escape(incident.ref)}: the story</title><style>{STYLE}</style></head><body><main>"
        f"<h1>{escape(incident.ref)}, {escape(incident.title)}: four hours, from all sides</h1>"
        f'<p class="soft">{escape(str(incident.organization))}, {incident.severity}. '
        f"Reported {escape(readable.moment(incident.received_at, incident.zone))}. T is that instant.</p>"
        f'<nav><a href="#rows">The table</a><a href="#timeline">Timeline</a>{links}</nav>'
        f"{_rows(rows)}{_timeline(incident)}{readers}</main></body></html>"
    )


def _rows(rows: list[Row]) -> str:
    missing = sum(not row.holds for row in rows)
    verdict = f'<span class="bad">{missing} missing</span>' if missing else '<span class="well">all there</span>'
    lines = "".join(
        f'<li><span class="at">{escape(row.when)}</span><span class="{"well" if row.holds else "bad"}">'
        f"{'✓' if row.holds else '✗ missing:'} {escape(row.what)}</span></li>"
        for row in rows
    )
    return (
        f'<h2 id="rows">What the desk has to do by itself</h2><p class="soft">{len(rows)} rows, {verdict}.</p>'
        f'<ul class="paper">{lines}</ul>'
    )


def _timeline(incident: Incident) -> str:
    lines = "".join(_line(incident, row) for row in incident.timeline.order_by("at", "pk"))
    return (
        '<h2 id="timeline">Timeline</h2><p class="soft">What the customer sees has a line beside it.</p>'
        f'<ol class="paper">{lines}</ol>'
    )


def _line(incident: Incident, row: TimelineEntry) -> str:
    seen = ' class="customer"' if row.visibility == "customer" else ""
    said = escape(row.text or row.kind.replace("_", " "))
    return (
        f'<li><span class="at">{since(incident, row.at)}</span>'
        f'<span{seen}>{said} <span class="soft">{escape(row.actor)}</span></span></li>'
    )


def _reader(anchor: str, name: str, part: str, rows: Iterable[Delivery], incident: Incident) -> str:
    zone = _zone(name, incident)
    rows = list(rows)
    messages = "".join(_message(row, incident, zone) for row in rows)
    about = f"{part}; " if part else ""
    count = "1 message" if len(rows) == 1 else f"{len(rows)} messages"
    return f'<h2 id="{anchor}">{escape(name)}</h2><p class="soft">{escape(about)}{count}, times in {zone}</p>{messages}'


def _message(row: Delivery, incident: Incident, zone: str) -> str:
    subject, text = row.rendered.get("subject", ""), row.rendered.get("text", "")
    first = f'<p class="subject">{escape(subject)}</p>' if row.vendor == "email" and subject else ""
    at = row.sent_at or row.planned_at
    return (
        f"<article><header><span>{since(incident, at)}</span><span>{escape(readable.clock_time(at, zone))}</span>"
        f"<span>{WIRES.get(row.vendor, row.vendor)}</span></header>{first}"
        f'<p class="text">{escape(text or subject)}</p></article>'
    )


def _zone(name: str, incident: Incident) -> str:
    person = User.objects.filter(name=name).first()
    return person.time_zone if person is not None and person.works_here else incident.zone


def since(incident: Incident, at: datetime) -> str:
    """`T+1:05`, and days where it takes longer."""
    passed = at - incident.received_at
    if passed >= timedelta(days=1):
        return f"T+{passed.days} d {passed.seconds // 3600} h"
    minutes = int(passed.total_seconds() // 60)
    return f"T+{minutes // 60}:{minutes % 60:02d}" if minutes >= 0 else "before T"
