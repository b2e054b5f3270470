"""Telling channels and the vendor's pager: they are told, but they are not somebody (ESC-7, ESC-17)."""

from __future__ import annotations

from datetime import timedelta

from incidents import facts
from incidents.escalating.work import Work
from incidents.models import Incident
from incidents.telling import spoken_by
from rotations.escalation import effects as fx
from rotations.escalation.policy import Kind
from supportdesk.integrations.models import Connection
from supportdesk.localised import ENGLISH, in_words_of
from supportdesk.queue import timers
from supportdesk.queue.models import Lane
from supportdesk.queue.outbox import Post

MENTION = "oncall"
PAGE_SETTLED = "incidents.tasks.page_settled"
PAGER_DEADLINE = "incidents.tasks.pager_deadline"
ACCEPT_WITHIN = timedelta(seconds=20)  # ESC-17
ASK_AFTER = (5, 14)  # seconds after which PagerDuty is asked whether it pages: a webhook may be lost


def channel(work: Work, effect: fx.Channel) -> None:
    """Tell a channel or the vendor's pager. Channels are told, but they are not somebody (ESC-7)."""
    if effect.target.kind is Kind.PAGERDUTY:
        _pagerduty(work, effect)
        return
    line = work.lines.line("slack", work.incident.organization_id)
    if line is None:
        work.note("channel_missing", f"Slack is not connected, so {effect.target.ref} was not told.")
        return
    for channel in _channels(work.incident, effect.target.ref, line.settings.get("channel", "")):
        is_theirs, organization = _is_theirs(work.incident, channel), work.incident.organization
        said = facts.for_customer if is_theirs else facts.for_staff
        language = spoken_by(organization) if is_theirs and organization else ENGLISH
        work.posts.append(
            Post(
                key=f"channel:{work.incident.pk}:{work.incident.generation}:{effect.pass_number}:{effect.step}:{channel}",
                kind=MENTION,
                connection=line,
                vendor="slack",
                to=channel,
                subject=work.incident.subject,
                recipient=_channel_name(work.incident, channel, line.settings.get("channel", "")),
                facts=in_words_of(said(work.incident, token="", reader="all"), language),
                generation=work.incident.generation,
                lane=Lane.PAGE,
                urgent=True,
            )
        )


def _channels(incident: Incident, ref: str, desk_channel: str) -> list[str]:
    """`@oncall` is the customer's channel and ours; anything else is a channel by name."""
    if ref != "@oncall":
        return [ref]
    customers = incident.organization.slack_channel if incident.organization else ""
    return [channel for channel in dict.fromkeys((customers, desk_channel)) if channel]


def _channel_name(incident: Incident, channel: str, desk_channel: str) -> str:
    """A channel as people know it; Slack's own ids say nothing to anybody."""
    if _is_theirs(incident, channel):
        return f"{incident.organization} on Slack"
    return "our channel" if channel == desk_channel else f"channel {channel}"


def _is_theirs(incident: Incident, channel: str) -> bool:
    """Do the customer's people read this channel? They see neither our severities nor our addresses."""
    return incident.organization is not None and channel == incident.organization.slack_channel


def _pagerduty(work: Work, effect: fx.Channel) -> None:
    """Trigger the alert. Accepted is not paged: where it can be asked, it is; without an answer we page (ESC-17)."""
    line = work.lines.line("pagerduty", work.incident.organization_id)
    if line is None:
        work.note("channel_missing", "PagerDuty is not connected, so it was not told.")
        return
    key = f"pagerduty:{facts.thread(work.incident)}:{effect.pass_number}:{effect.step}"
    by = work.now + ACCEPT_WITHIN
    deadline = timers.Planned(
        f"accept:{key}", PAGER_DEADLINE, work.incident.subject, by, work.incident.generation, args={"delivery": key}
    )
    timers.arm([deadline])
    if line.settings.get("from_email"):
        work.posts += [_question(work, line, key, seconds) for seconds in ASK_AFTER]
    work.posts.append(
        Post(
            key=key,
            kind="page",
            connection=line,
            vendor="pagerduty",
            to="desk",
            subject=work.incident.subject,
            recipient="PagerDuty",
            facts=facts.for_staff(
                work.incident, action="trigger", token="", waiting=0, recipient="PagerDuty", reason="escalation policy"
            ),
            generation=work.incident.generation,
            lane=Lane.PAGE,
            urgent=True,
            most_attempts=4,
            on_settled=PAGE_SETTLED,
        )
    )


def _question(work: Work, line: Connection, key: str, seconds: int) -> Post:
    return Post(
        key=f"ask:{seconds}:{key}",
        kind="reread",
        connection=line,
        vendor=line.vendor,
        to="question",
        subject=work.incident.subject,
        recipient=line.name,
        facts={"ref": work.incident.ref, "thread": facts.thread(work.incident), "action": "read"},
        generation=work.incident.generation,
        at=work.now + timedelta(seconds=seconds),
        lane=Lane.INTEGRATIONS,
        most_attempts=2,
    )
