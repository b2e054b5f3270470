"""SLA-18: the evidence ledger. What was written stays; what was changed is named; replaying gives what is stored."""

from __future__ import annotations

import io
import json

import pytest
from django.core.management import CommandError, call_command
from django.db import IntegrityError, connection, transaction

from incidents import ledger
from incidents.models import ClockEvent, SlaClock


@pytest.fixture
def told(world, alice, bob):
    """An incident with a whole life: reported, answered late, waited, raised, resolved."""
    alice.reports("Checkout is down")
    world.advance(minutes=12)
    bob.presses_button("claim")
    bob.writes("We see it too.")
    bob.presses_button("hold", kind="customer", question="May we restart it?")
    world.advance(minutes=2)
    alice.writes("Yes.")
    bob.presses_button("resolve", summary="Restarted.")
    return world.incident


def _tamper(sql: str, *values: object) -> None:
    """What somebody with the database in their hands could do: no trigger stops a superuser."""
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL session_replication_role = replica")
        cursor.execute(sql, values)
        cursor.execute("SET LOCAL session_replication_role = DEFAULT")


def _verify(*kept: str) -> str:
    out = io.StringIO()
    try:
        call_command("ledger", "verify", *(f"--kept={one}" for one in kept), stdout=out)
    except CommandError as error:
        return f"{out.getvalue()}{error}"
    return out.getvalue()


def _seal() -> str:
    out = io.StringIO()
    call_command("ledger", "seal", stdout=out)
    return out.getvalue().strip()


def test_sla_18_a_life_told_by_events_is_intact_and_replays_to_what_is_stored(told):
    assert told.clock_events.count() == 7
    assert told.breaches.count() == 1
    assert "intact: 7 events" in _verify()
    assert ledger.check(told) == []


def test_every_event_carries_plan_and_calendar_version_where_it_promises_something(told):
    terms = told.clock_events.get(sequence=1).data["terms"]
    assert (terms["plan"], terms["version"]) == ("M", "1")
    assert terms["calendars"]["extended"]["version"].startswith("Extended business hours v")


def test_the_database_refuses_to_change_or_remove_an_event(told):
    row = told.clock_events.get(sequence=2)
    for attempt in (lambda: ClockEvent.objects.filter(pk=row.pk).update(kind="cancelled"), row.delete):
        with pytest.raises(IntegrityError), transaction.atomic():
            attempt()
    assert ledger.check(told) == []


def test_a_flipped_byte_is_found_and_the_event_is_named(told):
    row = told.clock_events.get(sequence=3)
    spec = json.dumps(row.data).replace("entry:", "entrx:", 1)
    _tamper("UPDATE incidents_clockevent SET data = %s WHERE id = %s", spec, row.pk)
    said = _verify()
    assert f"{told.ref} event 3 ({row.kind} at " in said
    assert "was changed after it was written" in said
    assert said.count("event ") == 1, "the events after it are as they were"


@pytest.mark.parametrize(
    ("sql", "words"),
    [
        ("UPDATE incidents_clockevent SET at = at - interval '1 minute' WHERE sequence = 2", "event 2"),
        ("UPDATE incidents_clockevent SET recorded_at = recorded_at + interval '1 s' WHERE sequence = 4", "event 4"),
        ("DELETE FROM incidents_clockevent WHERE sequence = 3", "event 3: missing"),
        ("DELETE FROM incidents_clockevent WHERE sequence = 7", "its ledger ends with event 6, its head says event 7"),
        ("DELETE FROM incidents_ledgerhead", "its ledger has no head"),
        ("UPDATE incidents_slaclock SET state = 'met' WHERE kind = 'first_response'", "the stored clock is not"),
        ("UPDATE incidents_breach SET due_at = due_at + interval '5 minutes'", "the stored miss is not"),
        ("DELETE FROM incidents_breach", "the stored miss is not"),
    ],
)  # fmt: skip
def test_whatever_is_touched_is_found(told, sql, words):
    _tamper(sql)
    assert words in _verify()


def test_a_rewritten_ledger_is_betrayed_by_its_seal(told):
    """Somebody deletes the last event and moves the head: the chain holds, the seal does not."""
    _seal()
    last = told.clock_events.get(sequence=6)
    _tamper("DELETE FROM incidents_clockevent WHERE sequence = 7")
    _tamper("UPDATE incidents_ledgerhead SET length = 6, hash = %s", last.hash)
    assert f"seal 1: {told.ref} had 7 events when it was sealed" in _verify()


def test_a_seal_kept_elsewhere_betrays_even_a_rewritten_seal(told):
    kept = _seal()
    assert _verify(kept).startswith("The ledger is intact")
    number, _, digest = kept.partition(":")
    forged = f"{number}:{digest[:-1]}{'0' if digest[-1] != '0' else '1'}"
    assert "seal 1: is not the one that was kept" in _verify(forged)
    assert "seal 7: missing" in _verify(f"7:{digest}")
    _tamper("UPDATE incidents_ledgerseal SET hash = %s", "0" * 64)
    assert "seal 1: was changed" in _verify()


def test_only_what_grew_is_sealed_again(told, world, alice):
    assert _seal().startswith("1:")
    assert _seal() == "Nothing grew since the last seal."
    alice.reports("Search is slow", impact="limited", urgency="normal")
    assert _seal().startswith("2:")
    assert "2 seals" in _verify()


def test_what_was_computed_late_is_still_what_the_events_say(told, world):
    """INV-3: the stored state is that of the instant the head names, whatever the time is now."""
    world.advance(days=3)
    assert ledger.check(told) == []
    assert SlaClock.objects.filter(incident=told, kind="first_response").get().state == "missed"


def test_the_evidence_of_an_incident_names_author_text_and_receipt(told, api, bob):
    said = api(bob).get(f"incidents/{told.pk}/evidence/").json()
    assert said["ledger"] == {"length": 7, "hash": told.ledger_head.hash, "is_intact": True, "findings": []}
    assert said["algorithm"] == "1"
    (first,) = [clock for clock in said["clocks"] if clock["kind"] == "first_response"]
    answer = said["sources"][first["satisfied_by"]]
    assert (answer["author"], answer["text"]) == ("Bob Novak", "We see it too.")
    assert {receipt["vendor"]: receipt["state"] for receipt in answer["receipts"]}["email"] == "sent"
    assert all(receipt["vendor_id"] for receipt in answer["receipts"])
    (miss,) = said["breaches"]
    assert (miss["kind"], miss["overrun_seconds"], miss["excused"]) == ("first_response", 120, None)
    held = next(event for event in said["events"] if event["kind"] == "hold_started")
    assert said["sources"][held["ref"]]["text"] == "May we restart it?"


def test_the_evidence_is_for_staff(told, api, alice, mallory):
    assert api(alice).get(f"incidents/{told.pk}/evidence/").status_code == 403
    assert api(mallory).get(f"incidents/{told.pk}/evidence/").status_code == 404
