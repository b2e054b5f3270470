"""Writing a page and its attempts: who is rung, by which ways, and when (ESC-14, ESC-15)."""

from __future__ import annotations

from datetime import datetime

from django.conf import settings

from incidents import facts
from incidents.escalating import keeping
from incidents.escalating.channels import PAGE_SETTLED
from incidents.escalating.work import Work
from incidents.models import Incident, Page
from rotations import call_outs
from rotations.escalation import effects as fx
from rotations.escalation.chain import URGENT
from rotations.escalation.policy import Pager
from rotations.responders import EMERGENCY
from supportdesk import links, readable
from supportdesk.accounts import reach
from supportdesk.accounts.models import User
from supportdesk.integrations.lines import Lines
from supportdesk.queue.models import Lane
from supportdesk.queue.outbox import Post

OUTSIDE_THE_CHAIN = 0  # the step of a page that no policy asked for: somebody is called by name, and nothing keeps it

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


def page(work: Work, effect: fx.Page) -> None:
    """Write the page and its chain of attempts; the vendor's pager of record is only told to the timeline (D14)."""
    name, user = work.name(effect.person), work.people.directory.user(effect.person)
    is_ours = effect.pager is Pager.INTERNAL
    kept = keeping.until(work.incident, user, work.now) if user and is_ours and effect.step else None
    is_doubled = user is not None and kept is not None and _waits_already(work.incident, user, kept, work.now)
    row = Page.objects.create(
        incident=work.incident,
        user=user,
        recipient=name,
        generation=work.incident.generation,
        step=effect.step or 0,
        turn=effect.pass_number,
        reason=effect.reason,
        planned_at=effect.at,
        created_at=work.now,
        kept_until=kept,
    )
    if user is not None and kept is None and not work.incident.is_drill:
        call_outs.paged(
            user.pk, work.incident.subject, work.incident.severity, work.now, generation=work.incident.generation
        )
    work.note(
        "paged",
        f"Paging {name} ({REASONS.get(effect.reason, effect.reason)}){_keeping(user, kept)}.",
        page=row.pk,
        user=user.pk if user else None,
        step=effect.step,
        turn=effect.pass_number,
        reason=effect.reason,
        planned_at=effect.at.isoformat(),
        pager=effect.pager.value,
        **({"kept_until": kept.isoformat()} if kept else {}),
    )
    if is_ours and not is_doubled:
        zone = user.time_zone if user else "UTC"
        work.posts += _attempts(work.incident, row, zone, _chain(work, effect), work.lines)


def _waits_already(incident: Incident, user: User, until: datetime, now: datetime) -> bool:
    """Whether the same morning brings them a page for this already: one is enough."""
    return keeping.waiting(incident, now).filter(user=user, kept_until=until).exists()


def _keeping(user: User | None, until: datetime | None) -> str:
    if user is None or until is None:
        return ""
    return f": kept until {readable.moment(until, user.time_zone)}, quiet hours"


def _chain(work: Work, effect: fx.Page) -> tuple[reach.Attempt, ...]:
    """How this person is reached: their own rules or the default chain; on the emergency phone, by phone only."""
    if effect.person == EMERGENCY:
        number = settings.EMERGENCY_NUMBER
        return reach.chain([reach.Method("phone", number)] if number else [], important=True)
    found = work.people.directory.responder(effect.person)
    if found is None or not found.is_active:
        return ()
    return found.attempts(work.incident.severity, effect.reason)


def _attempts(incident: Incident, page: Page, zone: str, chain: tuple[reach.Attempt, ...], lines: Lines) -> list[Post]:
    """The deliveries of one page: the first is due now, or when its reader is up again."""
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
    begins = page.kept_until or page.created_at
    # The first page waits for nothing and shares its message with no other.
    is_first = page.turn == 1 and page.step <= 1 and page.kept_until is None
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
            at=begins + attempt.after,
            lane=Lane.PAGE,
            urgent=incident.severity in URGENT,
            most_attempts=4,
            on_settled=PAGE_SETTLED,
            secrets=("token", "url"),
        )
        for number, attempt in enumerate(chain)
    ]
