"""Carrying out escalations: the pure engine decides, this writes what it decided as pages, deliveries, entries and
timers.

Called by verbs, inside their transaction, with the incident locked.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings

from incidents import facts, telling, timeline
from incidents.models import Escalation, Incident, Page
from incidents.timeline import Fact
from rotations import policies
from rotations.escalation import Event, EventKind, Outcome, Policy, State, Status, decide, next_due
from rotations.escalation import effects as fx
from rotations.escalation.defaults import LAST_RESORT
from rotations.escalation.policy import Kind, Pager
from rotations.models import EscalationPolicy, Schedule
from rotations.oncall import EMERGENCY, Directory, LivePeople
from supportdesk import actors, instants, links
from supportdesk.accounts import reach
from supportdesk.actors import Actor
from supportdesk.integrations.lines import Lines
from supportdesk.queue import outbox, timers
from supportdesk.queue.models import Delivery, Lane
from supportdesk.queue.outbox import Post

ADVANCE = "incidents.tasks.advance"
PAGE_SETTLED = "incidents.tasks.page_settled"
URGENT = ("P1", "P2")


def policy_for(incident: Incident) -> EscalationPolicy | None:
    """The policy this incident's severity gets under its plan; our own platform is worked under our own policy
    (MON-11)."""
    plan = incident.entitlement.get("plan", "")
    return policies.choose(
        incident.severity, plan=plan, organization_id=incident.organization_id, service_id=incident.service_id
    )


def start(incident: Incident, lines: Lines | None = None, *, kind: EventKind = EventKind.START) -> None:
    """Begin paging for an incident, by the policy as it stands now (ESC-4)."""
    lines = lines or Lines.load()
    row = policy_for(incident)
    if row is None:
        _without_policy(incident, lines)
        if incident.severity not in URGENT:
            return
    policy = row.value() if row else LAST_RESORT
    existing = Escalation.objects.filter(incident=incident).first()
    if existing and existing.status == Status.RESOLVED:
        kind = EventKind.REOPEN
    event = Event(kind, instants.now(), severity=incident.severity, policy=policy, backup_first=False)
    escalation = existing or Escalation(incident=incident, started_at=instants.now())
    state = State.from_spec(existing.state) if existing else State(suppressible=incident.is_monitor_only)
    escalation.policy = row
    _apply(incident, escalation, policy, state, event, lines)


def _without_policy(incident: Incident, lines: Lines) -> None:
    """Nobody wrote a policy for this: said loudly; whoever stands in for everybody is paged for P1 and P2 (D12)."""
    trouble = f"No escalation policy covers {incident.severity} here."
    timeline.record(incident, actors.desk("escalation"), Fact("no_policy", trouble))
    telling.tell(incident, "no_answer", f"no-policy:{incident.generation}", lines, trouble=trouble)


def feed(incident: Incident, kind: EventKind, lines: Lines | None = None, **details: Any) -> bool:
    """Tell a running escalation that something happened. False where none runs."""
    escalation = Escalation.objects.select_related("policy__schedule").filter(incident=incident).first()
    if escalation is None:
        return False
    policy, state = Policy.from_spec(escalation.snapshot), State.from_spec(escalation.state)
    _apply(incident, escalation, policy, state, Event(kind, instants.now(), **details), lines)
    return True


def change_severity(incident: Incident, *, raised: bool) -> None:
    """The new severity's policy takes over (ESC-11)."""
    row = policy_for(incident)
    kind = EventKind.SEVERITY_UP if raised else EventKind.SEVERITY_DOWN
    details: dict[str, Any] = {"severity": incident.severity, "policy": row.value() if row else None}
    escalation = Escalation.objects.filter(incident=incident).first()
    if escalation is not None and row is not None:
        Escalation.objects.filter(pk=escalation.pk).update(policy=row)
    is_wanted = raised or not incident.is_acknowledged
    if not feed(incident, kind, **details) and row is not None and is_wanted:
        start(incident)


def _apply(
    incident: Incident, escalation: Escalation, policy: Policy, state: State, event: Event, lines: Lines | None
) -> None:
    lines = lines or Lines.load()
    people = LivePeople(_schedule(escalation), Directory(lines))
    outcome = decide(policy, state, event, people)
    _Work(incident, outcome.effects, people, lines).carry_out()
    escalation.snapshot = outcome.policy.to_spec()
    escalation.state = outcome.state.to_spec()
    escalation.status = outcome.state.status
    escalation.next_at = next_due(outcome.policy, outcome.state, people)
    escalation.save()
    _arm(incident, outcome, escalation.next_at)


def _schedule(escalation: Escalation) -> Schedule | None:
    """Whom `primary` means; without a policy there is only the duty managers' rotation, if anything."""
    return escalation.policy.schedule if escalation.policy else Schedule.objects.filter(duty=True).first()


def _arm(incident: Incident, outcome: Outcome, at: datetime | None) -> None:
    """One timer for the next instant at which time alone has something to do."""
    planned = []
    if at is not None:
        key = f"escalation:{incident.pk}:{incident.generation}:{outcome.state.status}:{at.isoformat()}"
        planned = [timers.Planned(key, ADVANCE, incident.subject, at, generation=incident.generation)]
    timers.replace(incident.subject, ADVANCE, planned)


class _Work:
    """The effects of one decision on their way to rows."""

    def __init__(self, incident: Incident, effects: tuple[fx.Effect, ...], people: LivePeople, lines: Lines) -> None:
        self.incident = incident
        self.effects = effects
        self.people = people
        self.lines = lines
        self.entries: list[Fact] = []
        self.posts: list[Post] = []
        self.now = instants.now()

    def carry_out(self) -> None:
        for effect in self.effects:
            _CARRY_OUT[type(effect)](self, effect)
        if self.entries:
            timeline.record(self.incident, actors.desk("escalation"), *self.entries)
        outbox.post(self.posts)

    def note(self, kind: str, text: str, **data: Any) -> None:
        self.entries.append(Fact(kind, text, data=data))

    def name(self, person: str) -> str:
        user = self.people.directory.user(person)
        return user.name if user else "the emergency number"


def _page(work: _Work, effect: fx.Page) -> None:
    """Write the page and its chain of attempts; the vendor's pager of record is only told to the timeline (D14)."""
    name = work.name(effect.person)
    user = work.people.directory.user(effect.person)
    page = Page.objects.create(
        incident=work.incident,
        user=user,
        recipient=name,
        generation=work.incident.generation,
        step=effect.step or 0,
        turn=effect.pass_number,
        reason=effect.reason,
        planned_at=effect.at,
        created_at=work.now,
    )
    work.note(
        "paged",
        f"Paging {name} ({REASONS.get(effect.reason, effect.reason)}).",
        page=page.pk,
        user=user.pk if user else None,
        step=effect.step,
        turn=effect.pass_number,
        reason=effect.reason,
        planned_at=effect.at.isoformat(),
        pager=effect.pager.value,
    )
    if effect.pager is Pager.INTERNAL:
        work.posts += attempts(work.incident, page, user.time_zone if user else "UTC", _chain(work, effect), work.lines)


def _chain(work: _Work, effect: fx.Page) -> tuple[reach.Attempt, ...]:
    """How this person is reached: their own rules or the default chain; on the emergency phone, by phone only."""
    if effect.person == EMERGENCY:
        number = settings.EMERGENCY_NUMBER
        return reach.chain([reach.Method("phone", number)] if number else [], important=True)
    user = work.people.directory.user(effect.person)
    methods = work.people.directory.methods(effect.person)
    phones = [method for method in methods if method.kind == "phone"]
    if effect.reason == Kind.EMERGENCY_PHONE and phones:
        return reach.chain(phones, important=True)
    important = work.incident.severity in URGENT
    wanted = "important" if important else "default"
    usable = {(m.kind, m.address) for m in methods}
    own = [
        reach.Attempt(reach.Method(r.method.kind, r.method.address), timedelta(seconds=r.after_seconds))
        for r in (user.page_rules.all() if user else [])
        if r.importance == wanted and (r.method.kind, r.method.address) in usable
    ]
    return reach.chain(methods, important=important, rules=own)


def attempts(incident: Incident, page: Page, zone: str, chain: tuple[reach.Attempt, ...], lines: Lines) -> list[Post]:
    """The deliveries of one page, the first of them due now."""
    token = links.page_token(page.pk, page.user_id)
    said = facts.for_staff(
        incident,
        zone=zone,
        token=token,
        waiting=0,
        recipient=page.recipient,
        reason=REASONS.get(page.reason, page.reason),
    )
    said |= {"url": links.absolute("page", token), "button": "Acknowledge"}
    now = page.created_at
    return [
        Post(
            key=f"{page.key_prefix}{number}",
            kind="page",
            connection=lines.line(attempt.method.kind),
            vendor=attempt.method.kind,
            to=attempt.method.address,
            subject=incident.subject,
            recipient=page.recipient,
            user_id=page.user_id,
            facts=said,
            generation=incident.generation,
            at=now + attempt.after,
            lane=Lane.PAGE,
            urgent=incident.severity in URGENT,
            most_attempts=4,
            on_settled=PAGE_SETTLED,
            secrets=("token", "url"),
        )
        for number, attempt in enumerate(chain)
    ]


def _channel(work: _Work, effect: fx.Channel) -> None:
    """Tell a channel or the vendor's pager. Channels are told, but they are not somebody (ESC-7)."""
    if effect.target.kind is Kind.PAGERDUTY:
        _pagerduty(work, effect)
        return
    line = work.lines.line("slack", work.incident.organization_id)
    if line is None:
        work.note("channel_missing", f"Slack is not connected, so {effect.target.ref} was not told.")
        return
    for channel in _channels(work.incident, effect.target.ref, line.settings.get("channel", "")):
        work.posts.append(
            Post(
                key=f"channel:{work.incident.pk}:{work.incident.generation}:{effect.pass_number}:{effect.step}:{channel}",
                kind="oncall",
                connection=line,
                vendor="slack",
                to=channel,
                subject=work.incident.subject,
                recipient=_channel_name(work.incident, channel, line.settings.get("channel", "")),
                facts=facts.for_staff(work.incident, token="", reader="all"),
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
    if incident.organization and channel == incident.organization.slack_channel:
        return f"{incident.organization}'s channel"
    return "our on-call channel" if channel == desk_channel else f"channel {channel}"


def _pagerduty(work: _Work, effect: fx.Channel) -> None:
    line = work.lines.line("pagerduty", work.incident.organization_id)
    if line is None:
        work.note("channel_missing", "PagerDuty is not connected, so it was not told.")
        return
    work.posts.append(
        Post(
            key=f"pagerduty:{facts.thread(work.incident)}:{effect.pass_number}:{effect.step}",
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


def _fired(work: _Work, effect: fx.StepFired) -> None:
    turn = f", pass {effect.pass_number}" if effect.pass_number > 1 else ""
    work.note(
        "step_fired",
        f"Escalation step {effect.step}{turn}.",
        step=effect.step,
        turn=effect.pass_number,
        planned_at=effect.at.isoformat(),
    )


def _step_skipped(work: _Work, effect: fx.StepSkipped) -> None:
    work.note("step_skipped", f"Step {effect.step} was left out: {effect.why}.", step=effect.step)


def _skipped(work: _Work, effect: fx.Skipped) -> None:
    work.note("person_skipped", f"{work.name(effect.person)} was not paged: {effect.why}.", person=effect.person)


def _nobody(work: _Work, effect: fx.NobodyOnCall) -> None:
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


def _fatigue(work: _Work, effect: fx.FatigueException) -> None:
    work.note("fatigue_exception", "The primary should be relieved, but no backup can be reached: the primary stays.")


def _exhausted(work: _Work, effect: fx.Exhausted) -> None:
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


def _acknowledged(work: _Work, effect: fx.Acknowledged) -> None:
    """The verb records who it was; here only what is special about it."""
    if effect.joined:
        work.note("joined", f"{work.name(effect.person)} joins as a responder.", person=effect.person)


def _ack_expired(work: _Work, effect: fx.AckExpired) -> None:
    names = ", ".join(work.name(person) for person in effect.people)
    work.note("ack_expired", f"{names} acknowledged and has not been heard of since: paging starts again.")


def _taken_over(work: _Work, effect: fx.PagerTakenOver) -> None:
    work.note("pager_taken_over", f"The desk pages by itself now: {effect.why}.")


_CARRY_OUT: dict[type, Callable[[_Work, Any], None]] = {
    fx.Page: _page,
    fx.Channel: _channel,
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

REASONS = {
    "primary": "primary on call",
    "backup": "backup on call",
    "neighbour": "primary of the neighbouring site",
    "duty_manager": "duty manager",
    "emergency_phone": "duty manager, on the emergency phone",
    "seniors": "senior engineer",
    "head_of_support": "head of support",
    "manager": "fallback manager",
    "no_target": "nobody else could be reached",
    "shift_change": "your shift began while this is ringing",
    "ack_timeout": "no activity since it was acknowledged",
    "severity_up": "its severity rose",
    "pager_failed": "PagerDuty did not page anybody",
    "exhausted": "nobody has acknowledged",
    "dispute": "duty manager, the customer disputes the severity",
    "breach": "duty manager, a promise was missed",
    "almost_missed": "duty manager, a promise is about to be missed",
}


def stop_pages(incident: Incident, actor: Actor, *, by_user_id: int | None = None, why: str) -> None:
    """Stop everything that rings: open pages end, what has not left is cancelled."""
    now = instants.now()
    open_pages = Page.objects.filter(incident=incident, state=Page.State.OPEN)
    if by_user_id is not None:
        open_pages.filter(user_id=by_user_id).update(
            state=Page.State.ACKNOWLEDGED, ended_at=now, acknowledged_via=actor.via
        )
    open_pages.update(state=Page.State.STOPPED, ended_at=now)
    outbox.cancel(incident.subject, kinds=("page", "oncall"), reason=why)


def hurry(page: Page) -> bool:
    """Bring the next attempt of a page forward to now. False when every attempt has been made and has failed."""
    attempts_ = Delivery.objects.filter(key__startswith=page.key_prefix).order_by("planned_at", "pk")
    waiting = attempts_.filter(state=Delivery.State.PENDING, attempts=0).first()
    if waiting is not None:
        outbox.bring_forward(waiting)
        return True
    return attempts_.exclude(state__in=[Delivery.State.FAILED, Delivery.State.CANCELLED]).exists()


def page_duty_manager(incident: Incident, lines: Lines, *, reason: str = Kind.DUTY_MANAGER) -> None:
    """The duty manager hears of it whatever the plan, or whoever stands in (ENT-10, SLA-14). No guarantee arises.

    `reason` is a key of `REASONS`: what they are told they are called for.
    """
    people = LivePeople(Schedule.objects.filter(duty=True).first(), Directory(lines))
    person = people.fallback(instants.now()) or EMERGENCY
    page = fx.Page(instants.now(), person, reason, pass_number=1, step=0)
    _Work(incident, (page,), people, lines).carry_out()
