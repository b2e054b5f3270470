"""Deliveries: posting, sending, settling and cancelling what leaves the desk.

Posted in the transaction of the entry that caused them; sent by whoever leases the row; tried again from the row. The
key is the same on every attempt, so that a vendor that knows keys never acts twice.
"""

from __future__ import annotations

import hashlib
import logging
import random
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.db import connection, transaction
from django.db.models import Case, F, Value, When

from supportdesk import instants, integrations, sitting, words
from supportdesk.integrations import kinds
from supportdesk.integrations.base import Integration, IntegrationError, Message, Receipt
from supportdesk.integrations.models import Connection
from supportdesk.plain import storable
from supportdesk.queue import admission, inbox, order, second_line, storms, timers, tries
from supportdesk.queue.admission import PutOff, Stuck
from supportdesk.queue.handover import hand_over, wake_clock
from supportdesk.queue.models import Delivery, Lane, Timer
from supportdesk.queue.rows import as_json, insertion

log = logging.getLogger("supportdesk.queue")

# Seconds for one exchange with a vendor. A lease covers two, the look-up and the sending, and a little more.
SEND_TIMEOUT, URGENT_SEND_TIMEOUT = 10.0, 5.0
LEASE, URGENT_LEASE = timedelta(seconds=2 * SEND_TIMEOUT + 5), timedelta(seconds=2 * URGENT_SEND_TIMEOUT + 2)
# A delivery whose worker died this often while sending it is set aside, whatever tries it has left (reliability F4).
MOST_DEATHS = 3
URGENT_RETRIES = (2, 5, 10, 20, 30)
LONGEST_URGENT_WAIT = 30.0
# A page that cannot leave this way for longer than this takes the next way at once (reliability F21).
NEXT_WAY_AFTER = 20.0
LONGEST_WAIT = 600.0
DELIVER = "supportdesk.queue.outbox.deliver"
GIVE_UP = "supportdesk.queue.outbox.give_up_waiting"
LOCKED_OUT = "supportdesk.integrations.locked_out.tell"
_FORGET = "forget"


@dataclass(frozen=True, slots=True)
class Post:
    """One message to one address, as a verb hands it to the outbox. `facts` are what its words are made of."""

    key: str
    kind: str
    connection: Connection | None
    vendor: str
    to: str
    subject: str
    recipient: str = ""
    user_id: int | None = None
    facts: dict[str, Any] = field(default_factory=dict)
    generation: int = 0
    at: datetime | None = None
    lane: str = ""
    urgent: bool = False
    most_attempts: int = 8
    on_settled: str = ""
    secrets: tuple[str, ...] = ()  # facts that open something: forgotten, in facts and words, once the message has left


def post(posts: Iterable[Post]) -> None:
    """Write the deliveries and hand over those that are due, in the caller's transaction.

    A key posted before is left alone.
    """
    now = instants.now()
    sitting.collect(_write, [_row(p, now) for p in posts])


_INSERT = insertion(Delivery)


def _write(rows: Sequence[Delivery]) -> None:
    with connection.cursor() as cursor:
        cursor.execute(_INSERT, [as_json(rows)])
    hand_over_due([row for row in rows if row.handed_at])
    if any(row.handed_at is None for row in rows):
        wake_clock()


def waiting(subject: str, kind: str) -> list[Delivery]:
    """The deliveries of a kind that are posted for a subject and not written yet, oldest first."""
    return [row for row in sitting.waiting(_write) if row.subject == subject and row.kind == kind]


def _row(p: Post, now: datetime) -> Delivery:
    at = p.at or now
    due_now = at <= now
    return Delivery(
        key=p.key,
        connection=p.connection,
        vendor=p.vendor,
        kind=p.kind,
        lane=p.lane or (Lane.PAGE if p.urgent else Lane.INTEGRATIONS),
        subject=p.subject,
        generation=p.generation,
        recipient=p.recipient,
        recipient_user_id=p.user_id,
        to=p.to,
        facts={**p.facts, _FORGET: list(p.secrets)} if p.secrets else p.facts,
        is_urgent=p.urgent,
        planned_at=at,
        due_at=at,
        handed_at=now if due_now else None,
        max_attempts=p.most_attempts,
        on_settled=p.on_settled,
    )


def hand_over_due(rows: Sequence[Delivery]) -> None:
    """Enqueue deliveries on their lanes, one statement a lane."""
    for lane in dict.fromkeys(row.lane for row in rows):
        hand_over(lane, DELIVER, [(row.key,) for row in rows if row.lane == lane])


def cancel(subject: str, *, kinds: Iterable[str], reason: str) -> int:
    """Cancel what has not left yet. What is being sent this moment cannot be called back. Returns how many."""
    sitting.hand_in()
    return Delivery.objects.filter(subject=subject, kind__in=list(kinds), state=Delivery.State.PENDING).update(
        state=Delivery.State.CANCELLED, error=reason, settled_at=instants.now()
    )


def bring_forward(delivery: Delivery) -> None:
    """Send now what was planned for later."""
    now = instants.now()
    if Delivery.objects.filter(pk=delivery.pk, state=Delivery.State.PENDING).update(due_at=now, handed_at=now):
        hand_over_due([delivery])


def deliver(key: str) -> str:
    """Lease one delivery, send it, store what came of it. Returns its new state; empty if somebody else has it."""
    delivery = _lease(key)
    if delivery is None:
        return ""
    lease = URGENT_LEASE if delivery.is_urgent else LEASE
    together = [delivery]  # in a storm, several pages share a message
    try:
        admission.ask(delivery, lease)
        together += storms.gather(delivery, lease)
        message, integration = _prepare(delivery, together[1:])
        order.keep(delivery, integration)
        with admission.noted(delivery):
            receipt = _send(delivery, integration, message)
    except PutOff as later:
        return _put_off(delivery, later)
    except IntegrationError as error:
        outcomes = [_failed(each, error) for each in together]
    except Exception as error:  # a bug in an integration or in its words must not lose the delivery
        log.exception("delivery %s", key)
        unknown = IntegrationError(f"{type(error).__name__}: {error}", ambiguous=True)
        outcomes = [_failed(each, unknown) for each in together]
    else:
        outcomes = [_sent(each, message, receipt) for each in together]
    return outcomes[0]


def _put_off(delivery: Delivery, later: PutOff) -> str:
    """Back to its row until the vendor can be called again; that was not a try."""
    mine = Delivery.objects.filter(pk=delivery.pk, attempts=delivery.attempts, state=Delivery.State.SENDING)
    waiting = {"handed_at": None, "lease_until": None, "attempts": F("attempts") - 1, "error": later.why[:2000]}
    mine.update(state=Delivery.State.PENDING, due_at=later.until, **waiting)
    return Delivery.State.PENDING


def _lease(key: str) -> Delivery | None:
    now = instants.now()
    lease = Case(When(is_urgent=True, then=Value(now + URGENT_LEASE)), default=Value(now + LEASE))
    leased = Delivery.objects.filter(key=key, state=Delivery.State.PENDING, due_at__lte=now).update(
        state=Delivery.State.SENDING, attempts=F("attempts") + 1, lease_until=lease
    )
    if leased != 1:
        return None
    return Delivery.objects.select_related("connection").get(key=key)


def take_back(delivery_id: int, attempt: int) -> bool:
    """Offer again what was leased and never settled: its worker has gone, and may have sent it before (F23).

    When nothing is left to try, it has failed and whoever posted it is told. True if the row was ours to move.
    """
    now = instants.now()
    with transaction.atomic():
        mine = Delivery.objects.filter(pk=delivery_id, attempts=attempt, state=Delivery.State.SENDING)
        delivery = mine.select_for_update(skip_locked=True).first()
        if delivery is None:
            return False
        deaths = delivery.receipt.get("deaths", 0) + 1
        spent = attempt >= delivery.max_attempts or deaths >= MOST_DEATHS
        delivery.state = Delivery.State.FAILED if spent else Delivery.State.PENDING
        delivery.receipt = {**delivery.receipt, "ambiguous": True, "deaths": deaths}
        delivery.error = "the worker went away while sending"
        delivery.settled_at, delivery.due_at = (now, delivery.due_at) if spent else (None, now)
        delivery.facts = _forgotten(delivery.facts) if spent else delivery.facts
        delivery.handed_at = delivery.lease_until = None
        delivery.save(
            update_fields=[
                *("state", "receipt", "error", "settled_at", "due_at", "facts", "handed_at", "lease_until"),
            ]
        )
        if spent:
            _announce(delivery, "failed")
    return True


def _prepare(delivery: Delivery, others: list[Delivery]) -> tuple[Message, Integration]:
    connection = delivery.connection
    if connection is None or not connection.is_enabled:
        raise IntegrationError(f"No {delivery.vendor} connection is switched on.", permanent=True)
    kind, facts = (storms.WORDS, storms.facts(delivery, others)) if others else (delivery.kind, delivery.facts)
    said = words.message(key=delivery.key, kind=kind, vendor=delivery.vendor, to=delivery.to, facts=facts)
    message = replace(said, kind=delivery.kind)
    return message, build(connection, timeout=URGENT_SEND_TIMEOUT if delivery.is_urgent else SEND_TIMEOUT)


def build(connection: Connection, *, timeout: float = SEND_TIMEOUT) -> Integration:
    """The integration of a connection, ready for one call of at most `timeout` seconds an exchange."""
    return integrations.get(connection.vendor)(
        connection.values,
        base_url=settings.VENDOR_BASE_URLS.get(connection.vendor, ""),
        callback_url=f"{settings.PUBLIC_URL}/hooks/{connection.vendor}/{connection.code}/",
        timeout=timeout,
    )


def _send(delivery: Delivery, integration: Integration, message: Message) -> Receipt:
    """Send; after an ambiguous failure first ask the vendor whether it has it already."""
    if delivery.receipt.get("ambiguous") and (found := integration.find(message)) is not None:
        return found
    return integration.send(message, _previous(delivery))


def _previous(delivery: Delivery) -> Receipt | None:
    """The receipt of the last message of the same thread to the same address: of its headline, where it has one."""
    last = (
        Delivery.objects.filter(
            subject=delivery.subject, connection=delivery.connection, to=delivery.to, sent_at__isnull=False
        )
        .exclude(pk=delivery.pk)
        .order_by(Case(When(kind=kinds.HEADLINE, then=Value(1)), default=Value(0)), "sent_at")
        .last()
    )
    return Receipt(last.vendor_id, last.receipt) if last else None


def _sent(delivery: Delivery, message: Message, receipt: Receipt) -> str:
    now, detail = instants.now(), storable(receipt.detail)
    with transaction.atomic():
        state = Delivery.State.SENT
        Delivery.objects.filter(pk=delivery.pk, attempts=delivery.attempts, state=Delivery.State.SENDING).update(
            state=state,
            sent_at=now,
            settled_at=now if receipt.settled else None,
            lease_until=None,
            vendor_id=storable(receipt.id)[:200],
            receipt={**detail, "tries": tries.noted(delivery, detail.get("answer", "accepted"))},
            facts=_forgotten(delivery.facts),
            rendered=_kept_words(message, delivery.facts),
            error="",
        )
        if delivery.connection:
            note_success(delivery.connection)
            inbox.store(delivery.connection, receipt.replies)
        if not receipt.settled and receipt.report_within is not None:
            given_up = now + timedelta(seconds=receipt.report_within)
            timers.arm(
                [
                    timers.Planned(
                        f"unsettled:{delivery.key}",
                        GIVE_UP,
                        delivery.subject,
                        given_up,
                        args={"delivery": delivery.key},
                    )
                ]
            )
    return state


def _forgotten(facts: dict[str, Any]) -> dict[str, Any]:
    """The facts without what opens something: links, codes and tokens live no longer than they have to."""
    return {name: "" if name in facts.get(_FORGET, ()) else value for name, value in facts.items()}


def _kept_words(message: Message, facts: dict[str, Any]) -> dict[str, str]:
    """The words as they were sent, with secrets left out."""
    words = {"subject": message.subject, "text": message.text}
    for secret in filter(None, (str(facts.get(name, "")) for name in facts.get(_FORGET, ()))):
        words = {name: text.replace(secret, "…") for name, text in words.items()}
    return words


def note_success(connection: Connection) -> None:
    """Remember that a connection works; the console and the doctor show it."""
    Connection.objects.filter(pk=connection.pk).update(checked_at=instants.now(), check_result="", works=True)


def _failed(delivery: Delivery, error: IntegrationError) -> str:
    """Back to pending with a wait, or failed for good; the row keeps what happened."""
    if error.locked_out and delivery.connection is not None:
        _tell_of_lock_out(delivery.connection, error)
    if (moved := second_line.take_over(delivery, error)) is not None:
        hand_over_due([moved])
        return Delivery.State.PENDING
    now = instants.now()
    spent = delivery.attempts >= delivery.max_attempts
    mine = Delivery.objects.filter(pk=delivery.pk, attempts=delivery.attempts, state=Delivery.State.SENDING)
    if error.permanent or spent:
        with transaction.atomic():
            gone = {"settled_at": now, "lease_until": None, "facts": _forgotten(delivery.facts)}
            gone["receipt"] = {**delivery.receipt, "tries": tries.noted(delivery, error.detail)}
            if mine.update(state=Delivery.State.FAILED, error=error.detail[:2000], **gone):
                if delivery.connection:
                    Connection.objects.filter(pk=delivery.connection.pk).update(
                        checked_at=now, check_result=error.detail[:2000], works=False
                    )
                _announce(delivery, "failed")
        return Delivery.State.FAILED
    wait = _wait(delivery, error)
    if delivery.is_urgent and (isinstance(error, Stuck) or wait > NEXT_WAY_AFTER):
        _announce(delivery, "stuck")
    mine.update(
        state=Delivery.State.PENDING,
        due_at=now + timedelta(seconds=wait),
        handed_at=None,
        lease_until=None,
        receipt={
            **delivery.receipt,
            **({"ambiguous": True} if error.ambiguous else {}),
            "tries": tries.noted(delivery, error.detail),
        },
        error=error.detail[:2000],
    )
    wake_clock()
    return Delivery.State.PENDING


def _tell_of_lock_out(connection: Connection, error: IntegrationError) -> None:
    """Somebody has to enter a new token: the managers hear of it, once for what is stored now."""
    stored = hashlib.sha256(f"{connection.secrets}|{error.detail}".encode()).hexdigest()[:16]
    key, subject = f"locked-out:{connection.pk}:{stored}", f"connection:{connection.pk}"
    said = {"connection": connection.pk, "answer": error.detail[:500]}
    timers.arm([timers.Planned(key, LOCKED_OUT, subject, instants.now(), args=said)])


def _wait(delivery: Delivery, error: IntegrationError) -> float:
    """Seconds until the next try: what the vendor asked for within reason, else growing, with jitter."""
    if delivery.is_urgent:
        wait = URGENT_RETRIES[min(delivery.attempts, len(URGENT_RETRIES)) - 1]
        return min(max(wait, error.retry_after or 0.0), LONGEST_URGENT_WAIT)
    own = integrations.get(delivery.vendor).waits if delivery.vendor in integrations.slugs() else ()
    if own:
        return max(own[min(delivery.attempts, len(own)) - 1], min(error.retry_after or 0.0, 3600.0))
    wait = min(5.0 * 2**delivery.attempts, LONGEST_WAIT) * random.uniform(0.8, 1.2)
    return max(wait, min(error.retry_after or 0.0, 3600.0))


def _announce(delivery: Delivery, result: str) -> None:
    """Tell the room that posted it, through a timer of its own: its locks come in its own order."""
    if delivery.on_settled:
        timers.arm(
            [
                timers.Planned(
                    f"settled:{delivery.key}:{result}",
                    delivery.on_settled,
                    delivery.subject,
                    instants.now(),
                    generation=delivery.generation,
                    args={"delivery": delivery.key, "result": result},
                )
            ]
        )


def settle(key: str, result: str, detail: dict[str, Any] | None = None) -> bool:
    """A vendor or a person reported how a sent delivery ended: `confirmed` or `failed`. True if that was news."""
    state = Delivery.State.CONFIRMED if result == "confirmed" else Delivery.State.FAILED
    with transaction.atomic():
        delivery = Delivery.objects.select_for_update().filter(key=key).first()
        if delivery is None or delivery.settled_at is not None:
            return False
        shared = storms.sent_together(key)
        delivery.state, delivery.settled_at = state, instants.now()
        delivery.receipt = {**delivery.receipt, **(detail or {})}
        if state == Delivery.State.FAILED:
            delivery.error = str((detail or {}).get("status", result))
        delivery.save(update_fields=["state", "settled_at", "receipt", "error"])
        _announce(delivery, result)
        for other in shared:
            settle(other.key, result, detail)
    return True


def give_up_waiting(timer: Timer) -> None:
    """A call or a page-of-record that never reported back counts as not reached."""
    settle(timer.args["delivery"], "failed", {"status": "no report from the vendor"})
