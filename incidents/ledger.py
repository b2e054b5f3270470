"""The evidence ledger, checked: nothing was changed, nothing is missing, and replaying it gives what is stored
(SLA-18, INV-3).

Every event is sealed with the hash of the one before; the head says where an incident's ledger ends; a seal over all
heads makes that a whole ledger cannot disappear either. Whoever keeps the hash of a seal outside the desk can prove
later that nothing before it was rewritten, whoever had the database in their hands.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import islice
from typing import Any

from django.db import connection, transaction

from incidents import clockwork, sla
from incidents.models import Breach, ClockEvent, Incident, LedgerHead, LedgerSeal, SlaClock
from supportdesk import instants
from supportdesk.calendars import NeverOpen
from supportdesk.plain import read_instant

_AT_ONCE = 200  # incidents checked with one round of queries
_ONE_SEALER = 7_305_011  # the advisory lock of sealing: two seals at once would be two ends of one chain


@dataclass(frozen=True, slots=True)
class Finding:
    """Something that is not as the ledger says: where, and what."""

    where: str
    what: str

    def __str__(self) -> str:
        return f"{self.where}: {self.what}"


def verify() -> Iterator[Finding]:
    """Check every ledger and every seal; yields what is wrong, nothing when all is well."""
    known = Incident.objects.order_by("pk").values_list("pk", flat=True)
    for pks in _batches(known.iterator()):
        yield from _check_incidents(pks)
    yield from _check_seals()


def check(incident: Incident) -> list[Finding]:
    """What is wrong with the ledger of one incident."""
    return list(_check_incidents([incident.pk]))


def seal() -> LedgerSeal | None:
    """Seal the heads of all ledgers that grew since the last seal; None where none did."""
    with transaction.atomic():
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_xact_lock(%s)", [_ONE_SEALER])
        sealed = _sealed()
        heads = [
            [pk, length, ended]
            for pk, length, ended in LedgerHead.objects.order_by("pk").values_list("pk", "length", "hash")
            if sealed.get(pk) != (length, ended)
        ]
        if not heads:
            return None
        last = LedgerSeal.objects.order_by("-number").first()
        number, previous = (last.number + 1, last.hash) if last else (1, clockwork.GENESIS)
        now = instants.now()
        digest = _seal_hash(previous, number, now, heads)
        return LedgerSeal.objects.create(number=number, at=now, heads=heads, previous_hash=previous, hash=digest)


def _sealed() -> dict[int, tuple[int, str]]:
    """Where each ledger ended when it was sealed last."""
    found: dict[int, tuple[int, str]] = {}
    for heads in LedgerSeal.objects.order_by("number").values_list("heads", flat=True).iterator():
        found |= {pk: (length, ended) for pk, length, ended in heads}
    return found


def _seal_hash(previous: str, number: int, at: datetime, heads: list[Any]) -> str:
    content = json.dumps([previous, number, at.astimezone(UTC).isoformat(), heads], separators=(",", ":"))
    return hashlib.sha256(content.encode()).hexdigest()


def _check_incidents(pks: Iterable[int]) -> Iterator[Finding]:
    incidents = Incident.objects.in_bulk(list(pks))
    events = _grouped(ClockEvent.objects.filter(incident__in=incidents).order_by("incident", "sequence"))
    clocks = _grouped(SlaClock.objects.filter(incident__in=incidents))
    breaches = _grouped(Breach.objects.filter(incident__in=incidents))
    heads = LedgerHead.objects.in_bulk(list(incidents))
    for pk, incident in incidents.items():
        rows, head = events.get(pk, []), heads.get(pk)
        broken = [*_check_chain(incident, rows), *_check_head(incident, rows, head)]
        yield from broken
        if head is not None and rows and not broken:
            yield from _check_replay(incident, rows, head, clocks.get(pk, []), breaches.get(pk, []))


def _batches(rows: Iterable[Any]) -> Iterator[list[Any]]:
    waiting = iter(rows)
    while some := list(islice(waiting, _AT_ONCE)):
        yield some


def _grouped(rows: Iterable[Any]) -> dict[int, list[Any]]:
    found: dict[int, list[Any]] = {}
    for row in rows:
        found.setdefault(row.incident_id, []).append(row)
    return found


def _check_chain(incident: Incident, rows: list[ClockEvent]) -> Iterator[Finding]:
    """Each event as it was sealed, and none missing between two. After a break the next one is judged by itself."""
    previous = clockwork.GENESIS
    for number, row in enumerate(rows, start=1):
        where = f"{incident.ref} event {row.sequence} ({row.kind} at {row.at:%Y-%m-%d %H:%M:%S} UTC)"
        if row.sequence != number:
            yield Finding(f"{incident.ref} event {number}", "missing")
            return
        if row.previous_hash != previous:
            yield Finding(where, "does not follow the event before it")
        if clockwork.seal(row.previous_hash, incident.pk, row.sequence, row.data, row.recorded_at) != row.hash:
            yield Finding(where, "was changed after it was written")
        elif not _says_the_same(row):
            yield Finding(where, "its columns say something else than what was sealed")
        previous = row.hash


def _says_the_same(row: ClockEvent) -> bool:
    return row.kind == row.data.get("kind") and row.at == read_instant(row.data.get("at"), "at")


def _check_head(incident: Incident, rows: list[ClockEvent], head: LedgerHead | None) -> Iterator[Finding]:
    ends = (len(rows), rows[-1].hash) if rows else (0, "")
    if head is None:
        if rows:
            yield Finding(incident.ref, "its ledger has no head")
    elif (head.length, head.hash) != ends:
        yield Finding(incident.ref, f"its ledger ends with event {ends[0]}, its head says event {head.length}")


def _check_replay(
    incident: Incident, rows: list[ClockEvent], head: LedgerHead, stored: list[SlaClock], missed: list[Breach]
) -> Iterator[Finding]:
    """Replaying the events gives the stored clocks and breaches, at the instant they were stored at."""
    try:
        clocks = sla.clocks([clockwork.event_of(row) for row in rows], head.as_of)
    except (ValueError, NeverOpen) as error:
        yield Finding(incident.ref, f"its events cannot be replayed: {error}")
        return
    wanted = {(row.kind, row.cycle): row for row in (clockwork.clock_row(incident, clock) for clock in clocks)}
    found = {(row.kind, row.cycle): row for row in stored}
    for kind, cycle in sorted(wanted.keys() | found.keys()):
        row = wanted.get((kind, cycle))
        if row is None or not clockwork.is_same(row, found.get((kind, cycle))):
            yield Finding(f"{incident.ref} {kind} {cycle}", "the stored clock is not what its events say")
    owed = {(row.kind, row.cycle): row for row in clockwork.breaches_in(incident, clocks)}
    kept = {(row.kind, row.cycle): row for row in missed if row.withdrawn_at is None}
    for kind, cycle in sorted(owed.keys() | kept.keys()):
        breach = owed.get((kind, cycle))
        if breach is None or not clockwork.is_same_breach(breach, kept.get((kind, cycle))):
            yield Finding(f"{incident.ref} {kind} {cycle}", "the stored miss is not what its events say")


def _check_seals() -> Iterator[Finding]:
    previous = clockwork.GENESIS
    for number, row in enumerate(LedgerSeal.objects.order_by("number").iterator(), start=1):
        where = f"seal {row.number}"
        if row.number != number:
            yield Finding(f"seal {number}", "missing")
        if row.previous_hash != previous or _seal_hash(row.previous_hash, row.number, row.at, row.heads) != row.hash:
            yield Finding(where, "was changed after it was written")
        else:
            yield from _check_sealed(where, row.heads)
        previous = row.hash


def _check_sealed(where: str, heads: list[Any]) -> Iterator[Finding]:
    """What was sealed is still there as it was."""
    for some in _batches(heads):
        found = ClockEvent.objects.filter(incident__in=[pk for pk, _, _ in some]).values_list(
            "incident_id", "sequence", "hash"
        )
        hashes = {(pk, sequence): digest for pk, sequence, digest in found}
        for pk, length, ended in some:
            if hashes.get((pk, length)) != ended:
                yield Finding(where, f"INC-{pk} had {length} events when it was sealed, and has others now")
