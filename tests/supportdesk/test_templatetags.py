"""The words templates use."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace

import pytest
from django.template import Context, Template
from django.utils import timezone

from supportdesk import instants
from supportdesk.templatetags import desk

NOW = datetime(2026, 11, 23, 2, 14, tzinfo=UTC)
BOB = SimpleNamespace(name="Bob Novak")


@pytest.fixture(autouse=True)
def _in_berlin() -> Iterator[None]:
    with timezone.override("Europe/Berlin"):
        yield


def render(source: str, **values: object) -> str:
    return Template(source).render(Context({"desk": {"now": NOW}, **values}))


def test_an_icon_is_drawn_inline_and_silent_unless_labelled() -> None:
    silent = render('{% icon "siren" %}')
    assert silent.startswith("<svg")
    assert 'aria-hidden="true"' in silent
    assert 'role="img" aria-label="Call &lt;Bob&gt;"' in render('{% icon "phone" label=name %}', name="Call <Bob>")


def test_an_unknown_icon_draws_a_question_mark_and_reads_no_other_file() -> None:
    question = render('{% icon "circle-help" %}')
    assert render('{% icon "no-such-thing" %}') == question
    assert render("{% icon name %}", name="../css/tokens") == question


def test_a_severity_has_letter_colour_and_word() -> None:
    badge = render('{% sev "P1" %}')
    assert 'class="sev sev-1"' in badge
    assert ">P1<" in badge
    assert "Critical" in badge
    assert '<span class="sev-word">High</span>' in render("{% sev 2 words=True %}")


def test_a_status_says_what_it_means_to_us_and_to_the_customer() -> None:
    assert "Monitoring" in render('{% status "monitoring" %}')
    assert "Fix in place, being watched" in render('{% status "monitoring" for_customer=True %}')
    assert "waiting for customer" in render('{% status "investigating" hold="customer" %}')
    assert "pause" not in render('{% status "investigating" hold="none" %}')


def test_a_person_keeps_their_letters_and_hue_and_nobody_has_none() -> None:
    assert "BN" in render("{% avatar person %}", person=BOB)
    assert f"hue-{desk.hue(BOB)}" in render("{% avatar person %}", person=BOB)
    assert desk.hue(BOB) == desk.hue("Bob Novak")
    assert "avatar-nobody" in render("{% avatar person %}", person=None)
    assert render("{{ person|initials }} {{ person|given_name }}", person=BOB) == "BN Bob"


def test_times_are_relative_absolute_and_carry_utc() -> None:
    shown = render("{% when at %}", at=NOW - timedelta(minutes=12))
    assert "12 min ago" in shown
    assert "03:02 CET" in shown
    assert 'title="2026-11-23 02:02:00 UTC"' in shown
    assert 'datetime="2026-11-23T02:02:00+00:00"' in shown


def test_a_time_can_be_told_in_another_zone() -> None:
    assert "21:14 EST" in render('{% local_time at "America/New_York" %}', at=NOW)


def test_a_countdown_carries_what_the_script_needs() -> None:
    ticking = render("{% countdown due %}", due=NOW + timedelta(minutes=3, seconds=24))
    assert "3 min 24 s left" in ticking
    assert "data-countdown" in ticking
    assert "in 3 min 24 s" in render("{% countdown due as_time=True %}", due=NOW + timedelta(minutes=3, seconds=24))


def test_without_a_page_now_is_the_desks_clock() -> None:
    instants.freeze(NOW)
    try:
        assert Template("{% ago at %}").render(Context({"at": NOW - timedelta(hours=1)})) == "1 h ago"
    finally:
        instants.freeze(None)


def test_inline_parts_bring_no_space_of_their_own() -> None:
    shown = render("({% countdown due %})({% when due %})({% sev 1 %})({% status 'new' %})({% avatar 'B' %})", due=NOW)
    assert shown.count(">)(<") == 4
    assert shown.endswith(">)")


def test_places_on_an_axis_are_clamped_percentages() -> None:
    week = SimpleNamespace(start=NOW, end=NOW + timedelta(days=7))
    shift = SimpleNamespace(start=NOW - timedelta(days=1), end=NOW + timedelta(days=3.5))
    assert desk.axis_x(shift.start, week.start, week.end) == "0.000%"
    assert desk.axis_width(shift.start, shift.end, week.start, week.end) == "50.000%"
    assert desk.share_of(shift, week) == 50
    assert desk.overlaps(shift, week)
    assert not desk.overlaps(SimpleNamespace(start=week.end, end=week.end + timedelta(hours=1)), week)
    assert desk.within(week.start, week)
    assert not desk.within(week.end, week)
    assert not desk.within(None, week)


def test_a_phone_number_becomes_an_address() -> None:
    assert render("{{ '+49 30 5550-0199'|tel }}") == "tel:+493055500199"


def test_pages_without_a_context_know_the_name_and_the_number(settings: object) -> None:
    settings.DESK_NAME, settings.EMERGENCY_NUMBER = "Night desk", "+49 30 5550 0199"  # type: ignore[attr-defined]
    assert Template("{% desk_name %} {% emergency_number %}").render(Context()) == "Night desk +49 30 5550 0199"


def test_lengths_of_time() -> None:
    assert render("{{ length|duration }}", length=timedelta(minutes=87)) == "1 h 27 min"
    assert render("{% remaining due %}", due=NOW - timedelta(minutes=2)) == "2 min overdue"
    assert render("{% local_span a b %}", a=NOW, b=NOW + timedelta(hours=2)) == "03:14–05:14 CET"
    assert render("{% local_hours a b %}", a=NOW.replace(minute=0), b=NOW.replace(hour=11, minute=0)) == "03–12"
    assert render("{% zone_of_reader %}") == "Europe/Berlin"
