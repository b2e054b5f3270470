"""The plan of a war room, its drafts and its leaks, as rules (domain §6)."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from incidents.war_room import drafts, leaks, roles
from incidents.war_room.plan import Kind, Planned, Situation, plan
from incidents.war_room.roles import IncidentRole

T = datetime(2026, 3, 29, 0, 40, tzinfo=UTC)  # twenty minutes before the clocks go forward in Berlin
MINUTE, HOUR = timedelta(minutes=1), timedelta(hours=1)


def of(kind: Kind, planned: tuple[Planned, ...]) -> list[datetime]:
    return [one.at for one in planned if one.kind is kind]


def test_w_01_briefings_keep_real_time_over_the_change_of_clocks() -> None:
    planned = plan(Situation(declared_at=T), T + 2 * HOUR)
    assert [f"{at:%H:%M}" for at in of(Kind.BRIEFING, planned)] == ["01:10", "02:10", "03:10"]


def test_the_first_hour_as_the_table_has_it() -> None:
    planned = plan(Situation(declared_at=T), T)
    assert [(one.kind, int((one.at - T) / MINUTE)) for one in planned] == [
        (Kind.NOTICE_DRAFT, 1),
        (Kind.LIAISON, 5),
        (Kind.COMMANDER, 10),
        (Kind.BRIEFING_DRAFT, 25),
        (Kind.BRIEFING, 30),
        (Kind.ROLES, 30),
        (Kind.BRIEFING_UNREVIEWED, 35),
        (Kind.SECOND_RESPONDER, 60),
        (Kind.RELIEF, 240),
    ]


@pytest.mark.parametrize(
    ("settled", "gone"),
    [
        ({"was_notice_settled": True}, Kind.NOTICE_DRAFT),
        ({"was_commander_claimed": True}, Kind.COMMANDER),
        ({"resolved_at": T + HOUR}, Kind.BRIEFING),
    ],
)
def test_what_is_settled_is_planned_no_longer(settled: dict[str, bool], gone: Kind) -> None:
    assert of(gone, plan(Situation(declared_at=T, **settled), T)) == []


def test_resolved_in_the_first_half_hour_there_is_one_closing_briefing() -> None:
    resolved = T + 12 * MINUTE
    planned = plan(Situation(declared_at=T, resolved_at=resolved), resolved)
    assert [one.kind for one in planned] == [Kind.LAST_BRIEFING, Kind.REMINDER, Kind.REMINDER]
    assert planned[0].at <= resolved + 30 * MINUTE
    assert [at - resolved for at in of(Kind.REMINDER, planned)] == [24 * HOUR, 48 * HOUR]


def test_confirmed_means_no_more_reminders_and_a_survey() -> None:
    resolved, confirmed = T + HOUR, T + 2 * HOUR
    planned = plan(Situation(resolved_at=resolved, confirmed_at=confirmed), confirmed)
    assert planned == (Planned(Kind.SURVEY, 1, confirmed + HOUR),)


def test_the_channel_is_archived_a_fortnight_after_the_report() -> None:
    told = Situation(declared_at=T, resolved_at=T + HOUR, confirmed_at=T + HOUR, published_at=T + 3 * HOUR)
    assert of(Kind.ARCHIVE, plan(told, T)) == [T + 3 * HOUR + timedelta(days=14)]


def test_a_hand_off_is_asked_for_before_the_shift_ends_and_names_that_shift() -> None:
    first, second = T + 2 * HOUR, T + 10 * HOUR
    early = plan(Situation(declared_at=T, shift_ends_at=first), T)
    late = plan(Situation(declared_at=T, shift_ends_at=second), T)
    assert of(Kind.HAND_OFF, early) == [first - 15 * MINUTE]
    slots = {one.slot for one in (*early, *late) if one.kind is Kind.HAND_OFF}
    assert len(slots) == 2


def test_nothing_is_planned_for_what_was_a_false_alarm() -> None:
    assert plan(Situation(declared_at=T, resolved_at=T + HOUR, is_over=True), T) == ()


@given(st.integers(0, 60 * 24 * 3))
def test_a_series_has_no_hole_and_ends_with_the_next_one(minutes: int) -> None:
    now = T + minutes * MINUTE
    planned = plan(Situation(declared_at=T), now)
    for kind in (Kind.BRIEFING, Kind.RELIEF):
        mine = [one for one in planned if one.kind is kind]
        assert [one.slot for one in mine] == list(range(1, len(mine) + 1))
        assert mine[-1].at > now
        assert all(one.at <= now for one in mine[:-1])


# --- drafts ---------------------------------------------------------------------------------------------------------
def row(minutes: int, kind: str, text: str = "", **more: object) -> drafts.Row:
    return drafts.Row(T + minutes * MINUTE, kind, text, **more)  # type: ignore[arg-type]


def test_the_next_update_begins_with_the_last_one() -> None:
    rows = [
        row(1, "note", "long before"),
        row(5, "update", state="Orders fail.", doing="We look for the cause."),
        row(7, "decision", "Roll back to Friday."),
        row(8, "message", "Any news?", is_from_customer=True),
    ]
    assert drafts.update(rows) == drafts.Update("Orders fail.", "We look for the cause.", ("Roll back to Friday.",))


def test_the_one_line_of_a_briefing_is_one_line() -> None:
    said = "Card payments work since 04:28 EST (UTC−5). A certificate had ended. No order was charged twice."
    rows = (row(5, "update", state=said, doing="We watch."),)
    drafted = drafts.briefing(drafts.Record("Checkout is down", "Acme", "Checkout", 1, "monitoring", "kept", rows=rows))
    assert drafted["headline"] == "Card payments work since 04:28 EST (UTC−5)."
    assert drafts.briefing(drafts.Record("v2.1 is slow", "Acme", "", 1, "new", ""))["headline"] == "v2.1 is slow"


def test_a_briefing_never_guesses_a_cause() -> None:
    record = drafts.Record("Checkout is down", "Acme", "Checkout", 1, "investigating", "kept", "35 min")
    drafted = drafts.briefing(record)
    assert drafted["cause"] == "not confirmed yet"
    assert drafted["headline"] == "Checkout is down (Checkout)"
    assert drafted["effect"] == "Acme, as reported: all or most of their users, for 35 min"
    assert set(drafted) == set(drafts.BRIEFED)


def test_a_briefing_says_the_cause_as_it_was_told_and_asks_for_no_decision_that_was_made() -> None:
    rows = (
        row(5, "update", state="Orders fail.", doing="We look for the cause.", status="investigating"),
        row(20, "update", state="A certificate ended.", doing="We renew it.", status="identified"),
        row(21, "decision", "No switch back before noon."),
        row(30, "update", state="Most orders work.", doing="We go on.", status="mitigating"),
    )
    drafted = drafts.briefing(drafts.Record("Checkout is down", "Acme", "", 2, "mitigating", "kept", rows=rows))
    assert drafted["headline"] == "Most orders work."
    assert drafted["cause"] == "A certificate ended."
    assert drafted["plan"] == "We go on. Decided: No switch back before noon."
    assert drafted["decision"] == "none"


def test_the_closing_briefing_says_how_it_ended() -> None:
    rows = (
        row(5, "update", state="Orders fail.", doing="We look for the cause."),
        row(40, "resolved", "All orders work since 02:00."),
    )
    drafted = drafts.briefing(drafts.Record("Checkout is down", "Acme", "", 1, "resolved", "kept", rows=rows))
    assert drafted["headline"] == "All orders work since 02:00."
    assert drafted["cause"] == "in the report to come"
    assert "the report" in drafted["plan"]


# --- leaks and roles ------------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("text", "what"),
    [
        ("db-7.internal is full", "machine"),
        ("10.1.2.3 does not answer", "machine"),
        ("use xoxb-123456789012", "secret"),
        ("Smallco has it too", "customer"),
    ],
)
def test_what_stays_inside_is_found(text: str, what: str) -> None:
    assert [leak.what for leak in leaks.find(text, ["Smallco", "Other"])] == [what]


def test_plain_words_are_no_leak_and_a_secret_is_not_repeated() -> None:
    assert leaks.find("Your orders fail since 09:00. We are rolling back.", ["Small"]) == []
    assert "hunter2" not in leaks.find("password: hunter2")[0].in_words()


def test_a_full_board_misses_nothing() -> None:
    full = {IncidentRole.COMMANDER: 1, IncidentRole.TECH_LEAD: 2, IncidentRole.LIAISON: 3, IncidentRole.SCRIBE: 3}
    assert roles.missing(full) == []
    assert len(roles.missing(full | {IncidentRole.TECH_LEAD: 1})) == 1
    assert len(roles.missing({})) == 3
