"""Carrying out escalations: the pure engine decides, this writes what it decided as pages, deliveries, entries and
timers.

Called by verbs, inside their transaction, with the incident locked.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.db.models import QuerySet

from incidents import facts, telling, timeline
from incidents.models import Escalation, Incident, Page
from incidents.routing import Audience
from incidents.timeline import Fact
from rotations import call_outs, policies
from rotations import telling as rota_telling
from rotations.escalation import Event, EventKind, Outcome, Policy, State, Status, decide, next_due
from rotations.escalation import effects as fx
from rotations.escalation.defaults import LAST_RESORT
from rotations.escalation.policy import Kind, Pager, Step, Target
from rotations.models import EscalationPolicy, Schedule, Shadow
from rotations.oncall import EMERGENCY, Directory, LivePeople
from supportdesk import actors, instants, links, sitting
from supportdesk.accounts import reach
from supportdesk.actors import Actor
from supportdesk.integrations.lines import Lines
from supportdesk.integrations.models import Connection
from supportdesk.queue import outbox, timers
from supportdesk.queue.models import Delivery, Lane
from supportdesk.queue.outbox import Post

ADVANCE = "incidents.tasks.advance"
PAGE_SETTLED = "incidents.tasks.page_settled"
RELIEVE = "rotations.tasks.relieve"
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
    existing = None if sitting.is_new(incident.subject) else Escalation.objects.filter(incident=incident).first()
    if existing and existing.status == Status.RESOLVED:
        kind = EventKind.REOPEN
    relieves = _relieve_primary(incident, row, lines)
    event = Event(kind, instants.now(), severity=incident.severity, policy=policy, backup_first=relieves)
    escalation = existing or Escalation(incident=incident, started_at=instants.now())
    state = State.from_spec(existing.state) if existing else State(suppressible=incident.is_monitor_only)
    escalation.policy = row
    _apply(incident, escalation, policy, state, event, lines)


def start_for(incident: Incident, user_id: int, lines: Lines) -> None:
    """A fire drill for one person: the same engine, with nobody behind them for as long as a drill lasts."""
    step = Step((Target(Kind.PERSON, str(user_id)),), timedelta(minutes=5))
    policy = Policy("Fire drill for one person", 1, (step,))
    event = Event(EventKind.START, instants.now(), severity=incident.severity, policy=policy, backup_first=False)
    escalation = Escalation(incident=incident, started_at=instants.now())
    _apply(incident, escalation, policy, State(), event, lines)


def _relieve_primary(incident: Incident, row: EscalationPolicy | None, lines: Lines) -> bool:
    """Whether the primary has had enough this shift: the backup rings first, and the manager hears of it (FAT-5)."""
    now = instants.now()
    if row is None or incident.is_drill or incident.severity not in URGENT:
        return False
    if not call_outs.is_loaded(row.schedule, now):
        return False
    people = LivePeople(row.schedule, Directory(lines))
    primary = people.directory.user(people.schedule.who(now).primary or "")
    name = primary.name if primary else "The primary"
    text = f"{name} has taken enough urgent incidents this shift: the backup is paged first."
    timeline.record(incident, actors.desk("escalation"), Fact("backup_first", text))
    telling.tell(
        incident, "backup_first", f"{incident.generation}:{incident.severity}", lines, (Audience.DUTY_MANAGER,),
        primary=name,
    )  # fmt: skip
    return True


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


def is_paged_by_vendor(incident: Incident) -> bool:
    """Whether PagerDuty is the pager of record here; as a watchdog it only knows of what we page ourselves (ESC-17)."""
    escalation = Escalation.objects.filter(incident=incident).first()
    return escalation is not None and Policy.from_spec(escalation.snapshot).pager is not Pager.INTERNAL


def change_severity(incident: Incident, *, raised: bool) -> None:
    """The new severity's policy takes over (ESC-11)."""
    row = policy_for(incident)
    kind = EventKind.SEVERITY_UP if raised else EventKind.SEVERITY_DOWN
    details: dict[str, Any] = {"severity": incident.severity, "policy": row.value() if row else None}
    if raised:
        details["backup_first"] = _relieve_primary(incident, row, Lines.load())
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
    _note_work(incident, state, event, outcome)
    escalation.snapshot = outcome.policy.to_spec()
    escalation.state = outcome.state.to_spec()
    escalation.status = outcome.state.status
    escalation.next_at = next_due(outcome.policy, outcome.state, people)
    escalation.save()
    _arm(incident, outcome, escalation.next_at)


_OVER = (Status.RESOLVED, Status.IDLE)


def _note_work(incident: Incident, before: State, event: Event, outcome: Outcome) -> None:
    """Keep the record of who works on this (§4.4); whoever is done with it may have to rest (FAT-1)."""
    if incident.is_drill:
        return
    now, done = instants.now(), []
    if event.kind in (EventKind.ACK, EventKind.HAND_OVER) and event.by.isdigit():
        call_outs.acknowledged(int(event.by), incident.subject, incident.severity, now, incident.generation)
    if event.kind is EventKind.UNACK and event.by.isdigit():
        done = call_outs.ended(incident.subject, now, int(event.by))
    elif event.kind is EventKind.HAND_OVER:
        for person in filter(str.isdigit, before.ackers):
            done += call_outs.ended(incident.subject, now, int(person)) if person != event.by else []
    elif outcome.state.status in _OVER and before.status not in _OVER:
        done = call_outs.ended(incident.subject, now)
    at = now.isoformat()
    timers.arm(
        timers.Planned(f"relieve:{incident.pk}:{user}:{at}", RELIEVE, f"user:{user}", now, args={"user": user})
        for user in done
    )


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
    if user is not None and not work.incident.is_drill:
        call_outs.paged(
            user.pk, work.incident.subject, work.incident.severity, work.now, generation=work.incident.generation
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
    is_first = page.turn == 1 and page.step <= 1  # waits for nothing and shares its message with no other page
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
            facts=said | {"first_page": is_first and not attempt.after},
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


PAGER_DEADLINE = "incidents.tasks.pager_deadline"
ACCEPT_WITHIN = timedelta(seconds=20)  # ESC-17
ASK_AFTER = (5, 14)  # seconds after which PagerDuty is asked whether it pages: a webhook may be lost


def _pagerduty(work: _Work, effect: fx.Channel) -> None:
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


def _question(work: _Work, line: Connection, key: str, seconds: int) -> Post:
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


def _fired(work: _Work, effect: fx.StepFired) -> None:
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


def _tell_shadows(work: _Work, schedule: Schedule) -> None:
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

UPDATE_LATE = "update_late"
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
    "hand_over": "the shift is yours, and this waits to be accepted",
    "dispute": "duty manager, the customer disputes the severity",
    "breach": "duty manager, a promise was missed",
    UPDATE_LATE: "commander, the customer waits for an update",
    "almost_missed": "duty manager, a promise is about to be missed",
}


def stop_pages(incident: Incident, actor: Actor, *, by_user_id: int | None = None, why: str) -> None:
    """Stop everything that rings: open pages end, what has not left is cancelled."""
    now = instants.now()
    if by_user_id is not None and _waits_for_more(incident):
        own = Page.objects.filter(incident=incident, user_id=by_user_id)
        hush(own, state=Page.State.ACKNOWLEDGED, via=actor.via, why=why)
        return
    open_pages = Page.objects.filter(incident=incident, state=Page.State.OPEN)
    if by_user_id is not None:
        open_pages.filter(user_id=by_user_id).update(
            state=Page.State.ACKNOWLEDGED, ended_at=now, acknowledged_via=actor.via
        )
    open_pages.update(state=Page.State.STOPPED, ended_at=now)
    outbox.cancel(incident.subject, kinds=("page", "oncall"), reason=why)


def _waits_for_more(incident: Incident) -> bool:
    """Whether somebody has it, but not as many as the policy asks for: the others go on ringing."""
    found = Escalation.objects.filter(incident=incident, status=Status.TRIGGERED).first()
    return found is not None and bool(State.from_spec(found.state).ackers)


def has_somebody(incident: Incident) -> bool:
    """Whether anybody's acknowledgement counts right now."""
    found = Escalation.objects.filter(incident=incident).first()
    return found is not None and bool(State.from_spec(found.state).ackers)


def page_incoming(incident: Incident, lines: Lines, user_id: int) -> None:
    """The next shift has not accepted what is open: their phone rings (ROT-11)."""
    people = LivePeople(None, Directory(lines))
    page = fx.Page(instants.now(), str(user_id), "hand_over", pass_number=1, step=0)
    _Work(incident, (page,), people, lines).carry_out()


def hush(pages: QuerySet[Page], *, state: str, via: str = "", why: str) -> None:
    """Stop some of what rings, and nothing else: these pages end, their attempts that have not left are cancelled."""
    now = instants.now()
    for page in pages.filter(state=Page.State.OPEN):
        page.state, page.ended_at, page.acknowledged_via = state, now, via
        page.save(update_fields=["state", "ended_at", "acknowledged_via"])
        Delivery.objects.filter(key__startswith=page.key_prefix, state=Delivery.State.PENDING).update(
            state=Delivery.State.CANCELLED, error=why, settled_at=now
        )


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


def page_commander(incident: Incident, lines: Lines) -> None:
    """Whoever commands it, or has it, is called because an update is late; without anybody the chain rings (SLA-14)."""
    person = incident.owner_id or incident.acknowledged_by_id
    if person is None:
        return
    people = LivePeople(Schedule.objects.filter(duty=True).first(), Directory(lines))
    page = fx.Page(instants.now(), str(person), UPDATE_LATE, pass_number=1, step=0)
    _Work(incident, (page,), people, lines).carry_out()
