"""Terms and events as JSON: what an incident stores is enough to replay it, and what is wrong names its field."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

import pytest

from incidents.sla import Event, EventKind, Terms, by_kind, clocks, replay
from tests.incidents.sla_stories import (
    FIRST_RESPONSE,
    GOODWILL,
    RESOLUTION,
    XS,
    M,
    S,
    cycle,
    happened,
    received,
    severity,
    terms,
    utc,
)

EVERYTHING = [
    received("08:00:00", "P3", S),
    happened("08:01:00", EventKind.RECEIVED_MOVED, moved_to=utc("07:55:00")),
    happened("08:05:00", EventKind.ACKNOWLEDGED, sequence=3),
    terms("08:10:00", GOODWILL),
    happened("08:12:00", EventKind.GOODWILL_ENDED, terms=S),
    terms("08:13:00", M),
    happened("08:15:00", EventKind.RESPONDED, ref="<a@example.org>"),
    happened("08:20:00", EventKind.HOLD_STARTED, hold="customer"),
    happened("08:50:00", EventKind.HOLD_ENDED, hold="customer"),
    severity("09:00:00", "P1"),
    happened("09:10:00", EventKind.UPDATE_SENT, promised_next=utc("09:20:00"), interval=timedelta(minutes=30)),
    happened("09:18:00", EventKind.CADENCE_AGREED, interval=timedelta(minutes=60)),
    happened("09:30:00", EventKind.MITIGATED),
    happened("09:40:00", EventKind.UNMITIGATED),
    happened("10:00:00", EventKind.RESOLVED),
    happened("11:00:00", EventKind.REOPENED),
    happened("12:00:00", EventKind.MERGED),
    happened("12:30:00", EventKind.CANCELLED),
]


@pytest.mark.parametrize("kept", [M, S, XS, GOODWILL], ids=lambda kept: f"{kept.plan} {kept.version}")
def test_terms_survive_being_stored(kept: Terms) -> None:
    assert Terms.from_spec(json.loads(json.dumps(kept.to_spec()))) == kept


def test_events_survive_being_stored() -> None:
    stored = json.loads(json.dumps([event.to_spec() for event in EVERYTHING]))
    assert [Event.from_spec(spec) for spec in stored] == EVERYTHING
    assert {event.kind for event in EVERYTHING} == set(EventKind)


def test_replaying_what_was_stored_gives_the_same_clocks() -> None:
    stored = json.loads(json.dumps([event.to_spec() for event in EVERYTHING]))
    again = [Event.from_spec(spec) for spec in stored]
    assert replay(again) == replay(EVERYTHING) == clocks(EVERYTHING, utc("12:30:00"))
    assert len(replay(EVERYTHING)) > 5


def test_an_event_is_stored_small() -> None:
    assert happened("08:05:00.900", EventKind.ACKNOWLEDGED, sequence=3).to_spec() == {
        "at": "2026-06-11T08:05:00Z",
        "kind": "acknowledged",
        "sequence": 3,
    }


def test_the_evidence_of_a_clock() -> None:
    events = [
        received("08:00:00", "P1", M),
        happened("08:30:00", EventKind.HOLD_STARTED, hold="customer"),
        happened("09:00:00", EventKind.HOLD_ENDED, hold="customer"),
        happened("10:00:00", EventKind.RESOLVED, ref="CA123"),
    ]
    evidence = cycle(clocks(events, utc("12:00:00")), RESOLUTION).to_spec()
    assert json.loads(json.dumps(evidence)) == evidence
    segments = evidence.pop("segments")
    assert [segment["target_seconds"] for segment in segments] == [14_400]
    assert evidence == {
        "algorithm": "1",
        "kind": "resolution",
        "cycle": 1,
        "reason": "received",
        "severity": "P1",
        "state": "met",
        "commitment": "objective",
        "counts": True,
        "started_at": "2026-06-11T08:00:00Z",
        "effective_start": "2026-06-11T08:00:00Z",
        "due_at": "2026-06-11T12:30:00Z",
        "satisfied_at": "2026-06-11T10:00:00Z",
        "satisfied_by": "CA123",
        "breached_at": None,
        "holds": [["2026-06-11T08:30:00Z", "2026-06-11T09:00:00Z"]],
        "held_since": None,
    }


def test_the_latest_cycle_of_every_kind() -> None:
    seen = clocks([received("08:00:00", "P1", M)], utc("08:40:00"))
    latest = by_kind(seen)
    assert latest[FIRST_RESPONSE].cycle == 1
    assert {kind: clock.cycle for kind, clock in latest.items()}["next_update"] == 3


def without(spec: dict[str, Any], name: str) -> dict[str, Any]:
    return {key: value for key, value in spec.items() if key != name}


TARGET = {"seconds": 600, "calendar": "24x7", "kind": "guarantee"}


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"plan": 3}, "terms.plan: expected text"),
        ({"version": None}, "terms.version: expected text"),
        ({"calendars": []}, "terms.calendars: expected a mapping"),
        ({"calendars": {"x": {"time_zone": "Mars"}}}, "terms.calendars.x: calendar.time_zone: 'Mars' is not"),
        ({"targets": None}, "terms.targets: expected a mapping"),
        ({"targets": {"P0": {}}}, "terms.targets.P0: 'P0' is not one of P1"),
        ({"targets": {"P1": []}}, "terms.targets.P1: expected a mapping"),
        ({"targets": {"P1": {"reply": TARGET}}}, "terms.targets.P1: 'reply' is not one of first_response"),
        ({"targets": {"P1": {"ack": 5}}}, "terms.targets.P1.ack: expected a mapping"),
        ({"targets": {"P1": {"ack": TARGET | {"seconds": 0}}}}, "terms.targets.P1.ack.seconds: expected a whole"),
        ({"targets": {"P1": {"ack": TARGET | {"seconds": True}}}}, "terms.targets.P1.ack.seconds: expected a whole"),
        ({"targets": {"P1": {"ack": TARGET | {"seconds": 10**30}}}}, "terms.targets.P1.ack.seconds: 1000"),
        ({"targets": {"P1": {"ack": TARGET | {"calendar": "x"}}}}, "terms.targets.P1.ack.calendar: 'x' is not one"),
        ({"targets": {"P1": {"ack": TARGET | {"kind": "hope"}}}}, "terms.targets.P1.ack.kind: 'hope' is not one"),
        ({"targets": {"P1": {"ack": TARGET | {"minutes": 1}}}}, "terms.targets.P1.ack.minutes: unknown field"),
        ({"after_mitigation": {"P1": "30"}}, "terms.after_mitigation.P1: expected a whole number"),
        ({"cadence_from_declaration": "P1"}, "terms.cadence_from_declaration: expected a list"),
        ({"cadence_from_declaration": ["P9"]}, "terms.cadence_from_declaration[0]: 'P9' is not one of"),
        ({"goodwill": 1}, "terms.goodwill: expected true or false"),
        ({"color": "red"}, "terms.color: unknown field"),
    ],
)
def test_bad_terms_name_the_field(change: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError) as refused:
        Terms.from_spec(M.to_spec() | change)
    assert str(refused.value).startswith(message)


EVENT = {"at": "2026-06-11T08:00:00Z", "kind": "update_sent"}


@pytest.mark.parametrize(
    ("spec", "message"),
    [
        ([], "event: expected a mapping"),
        (EVENT | {"note": "x"}, "event.note: unknown field"),
        (without(EVENT, "at"), "event.at: None is not an instant"),
        (EVENT | {"at": "2026-06-11T08:00:00"}, "event.at: '2026-06-11T08:00:00' has no time zone"),
        (EVENT | {"at": "0001-01-01T00:00:00+05:00"}, "event.at: '0001-01-01T00:00:00+05:00' is out of range"),
        (EVENT | {"kind": "sneezed"}, "event.kind: 'sneezed' is not one of"),
        (EVENT | {"kind": "received", "severity": "P1"}, "event.terms: a received event needs it"),
        (EVENT | {"kind": "severity_changed"}, "event.severity: a severity_changed event needs it"),
        (EVENT | {"kind": "severity_changed", "severity": "high"}, "event.severity: 'high' is not one of P1"),
        (EVENT | {"kind": "terms_changed", "terms": {}}, "event.terms.calendars: expected a mapping"),
        (EVENT | {"kind": "hold_started", "hold": "lunch"}, "event.hold: 'lunch' is not one of"),
        (EVENT | {"kind": "hold_started", "hold": "none"}, "event.hold: name the hold"),
        (EVENT | {"hold": "customer"}, "event.hold: a update_sent event does not carry it"),
        (EVENT | {"interval": 0}, "event.interval: expected a whole number"),
        (EVENT | {"promised_next": "soon"}, "event.promised_next: 'soon' is not an instant"),
        (EVENT | {"promised_next": "2026-06-11T08:00:00Z"}, "event.promised_next: the next update must be promised"),
        (EVENT | {"ref": 7}, "event.ref: expected text"),
        (EVENT | {"sequence": "7"}, "event.sequence: expected a whole number"),
    ],
)
def test_a_bad_event_names_the_field(spec: Any, message: str) -> None:
    with pytest.raises(ValueError) as refused:
        Event.from_spec(spec)
    assert str(refused.value).startswith(message)


def test_an_event_needs_a_real_instant_and_a_real_interval() -> None:
    with pytest.raises(ValueError, match="not an instant"):
        Event(utc("08:00:00").replace(tzinfo=None), EventKind.RESPONDED)
    with pytest.raises(ValueError, match="at least one second"):
        happened("08:00:00", EventKind.CADENCE_AGREED, interval=timedelta(0))
