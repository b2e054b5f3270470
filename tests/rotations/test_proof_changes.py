"""Who is paged before and after: the difference as a value, and as a page that asks before it saves."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta
from html import unescape
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rotations import changes
from rotations.models import EscalationPolicy, Layer, Leave, Override, PolicyRule, RotationRevision, Schedule
from rotations.proof.firings import longest
from rotations.proof.meant import Desk
from rotations.rules import Leave as Away
from rotations.rules import Override as Taken
from rotations.rules import Rules
from rotations.schedule import Schedule as Compiled
from supportdesk.organizations.models import Organization
from supportdesk.queue.models import Timer
from tests.rotations.proof_cast import START, evidence
from tests.rotations.schedule_cast import layer, rotation

HOUR, DAY, MINUTE = timedelta(hours=1), timedelta(days=1), timedelta(minutes=1)
END = START + 30 * DAY


def daily(ring: str = "ada ben cem", **more: Any) -> Rules:
    return Rules((layer("Team", "UTC", rotation("daily", "2026-02-02T00:00", ring)),), **more)


def differ(before: Rules, after: Rules) -> list[changes.Change]:
    return changes.of_schedule("Team", before, after, START, END)


# --- as a value ------------------------------------------------------------------------------------------------------


def test_the_same_rules_change_nothing() -> None:
    assert differ(daily(), daily()) == []
    assert changes.in_words([], 30 * DAY) == "Nobody is paged differently in the next 30 days."


def test_an_override_changes_its_own_hours() -> None:
    """Ada has the day; cem takes three hours of it, and the ring moves up behind him."""
    holder = Compiled(daily()).who(START + 10 * HOUR).primary
    other = next(name for name in ("ada", "ben", "cem") if name != holder)
    found = differ(daily(), daily(overrides=(Taken("primary", other, START + 9 * HOUR, START + 12 * HOUR),)))
    primary = [change for change in found if change.slot == "primary"]
    assert primary == [changes.Change(START + 9 * HOUR, START + 12 * HOUR, "Team", "primary", (holder,), (other,))]
    assert changes.in_words(found, 30 * DAY) == "This changes who is paged for 3 h of the next 30 days."


def test_two_slots_that_change_at_once_are_counted_once() -> None:
    away = daily(leave=(Away("ada", START, START + 37 * HOUR),))
    found = differ(daily(), away)
    assert {change.slot for change in found} == {"primary", "backup"}
    assert changes.length(found) <= 37 * HOUR


def test_a_hole_is_somebody_and_then_nobody() -> None:
    found = differ(daily("ada"), daily("ada", leave=(Away("ada", START + HOUR, START + 90 * MINUTE),)))
    assert [(change.before, change.after) for change in found] == [(("ada",), ())]
    assert changes.in_words(found, 30 * DAY) == "This changes who is paged for 30 min of the next 30 days."


def test_a_new_schedule_and_a_deleted_one_are_changes_too() -> None:
    assert {change.before for change in changes.of_schedule("Team", None, daily("ada"), START, END)} == {()}
    assert {change.after for change in changes.of_schedule("Team", daily("ada"), None, START, END)} == {()}


def test_a_policy_is_compared_by_when_whom_it_pages() -> None:
    """A longer wait moves a page from T+3:00 to T+5:00."""
    given_ = evidence(daily())
    ladder = given_.ladders[1]
    steps = (replace(ladder.policy.steps[0], delay=5 * MINUTE), *ladder.policy.steps[1:])
    slower = replace(ladder, policy=replace(ladder.policy, steps=steps))
    desk = Desk(given_, START, END + longest(slower.policy) + timedelta.resolution)
    before, after = (changes.chain(desk, one, "P1", START, END) for one in (ladder, slower))
    found = changes.between("P1 of Acme", before, after, START, END)
    at_three = [change for change in found if change.slot == "T+3:00"]
    assert {change.after for change in at_three} == {()}
    assert all(len(change.before) == 2 for change in at_three)
    assert {change.slot for change in found} >= {"T+3:00", "T+5:00", "T+6:00", "T+8:00"}
    assert changes.length(found) == 30 * DAY


spans = st.tuples(st.integers(0, 600), st.integers(1, 48)).map(
    lambda pair: (START + pair[0] * HOUR, START + (pair[0] + pair[1]) * HOUR)
)
people = st.sampled_from(("ada", "ben", "cem"))


@settings(max_examples=15, deadline=None)
@given(st.lists(st.tuples(people, spans), max_size=3), st.lists(st.tuples(people, spans), max_size=3))
def test_the_difference_is_what_asking_hour_by_hour_finds(
    one: list[tuple[str, Any]], other: list[tuple[str, Any]]
) -> None:
    before, after = (daily(leave=tuple(Away(name, *span) for name, span in found)) for found in (one, other))
    found = differ(before, after)
    old, new = Compiled(before), Compiled(after)
    for hour in range(30 * 24):
        at = START + hour * HOUR
        listed = {
            (c.slot, c.before[0] if c.before else None, c.after[0] if c.after else None)
            for c in found if c.start <= at < c.end
        }  # fmt: skip
        was, is_ = old.who(at), new.who(at)
        pairs = {("primary", was.primary, is_.primary), ("backup", was.backup, is_.backup)}
        assert listed == {(slot, a, b) for slot, a, b in pairs if a != b}, at


# --- as a page that asks before it saves -----------------------------------------------------------------------------


class Office:
    """Dana in the back office."""

    def __init__(self, world: Any) -> None:
        self.client = world.people["dana"].client

    def form(self, url: str, **said: Any) -> dict[str, Any]:
        """The fields of a page as the browser would send them, with some of them changed."""
        page = self.client.get(url)
        assert page.status_code == 200, url
        form = page.context["adminform"].form
        fields = _values(form) | {k: v for f in page.context["inline_admin_formsets"] for k, v in _inline(f.formset)}
        return fields | said

    def saves(self, url: str, data: Mapping[str, Any]) -> Any:
        return self.client.post(url, data)

    def confirms(self, url: str, page: Any) -> Any:
        """Press “Save this” on the page that shows who is paged."""
        return self.client.post(url, hidden(page))


def hidden(page: Any) -> dict[str, Any]:
    """The form of the page that asks."""
    found = re.findall(r'<input type="hidden" name="([^"]+)" value="([^"]*)">', page.content.decode())
    data: dict[str, Any] = {}
    for name, value in found:
        data.setdefault(unescape(name), []).append(unescape(value))
    return data


def _values(form: Any) -> dict[str, Any]:
    found = {}
    for field in form:
        value = field.value()
        if value is None or value is False:
            continue
        widget = field.field.widget
        if hasattr(widget, "widgets"):
            parts = widget.decompress(value)
            found |= {f"{field.html_name}_{i}": part for i, part in enumerate(parts) if part is not None}
        else:
            found[field.html_name] = value
    return found


def _inline(formset: Any) -> list[tuple[str, Any]]:
    found = list(_values(formset.management_form).items())
    for form in formset.forms:
        found += list(_values(form).items())
    return found


@pytest.fixture
def office(world: Any) -> Office:
    return Office(world)


def text(page: Any) -> str:
    return " ".join(re.sub(r"<[^>]+>", " ", unescape(page.content.decode())).split())


def test_an_override_is_shown_before_it_is_saved(world: Any, office: Office) -> None:
    url = "/admin/rotations/override/add/"
    schedule, bob = Schedule.objects.get(slug="platform"), world.people["bob"].user
    data = {
        "schedule": schedule.pk, "slot": "primary", "user": bob.pk, "reason": "",
        "start_0": "2026-11-30", "start_1": "10:00:00", "end_0": "2026-11-30", "end_1": "12:00:00",
    }  # fmt: skip
    page = office.saves(url, data)
    assert page.status_code == 200
    assert not Override.objects.exists()
    assert "Nothing is saved yet" in text(page)
    assert "This changes who is paged for 2 h of the next 30 days." in text(page)
    assert "Platform, follow the sun primary" in text(page)
    assert "Carol Jensen Bob Novak" in text(page)  # her week, from Monday on
    assert office.confirms(url, page).status_code == 302
    assert Override.objects.get().user == bob


def test_what_changes_nothing_is_saved_at_once(world: Any, office: Office) -> None:
    schedule = Schedule.objects.get(slug="platform")
    url = f"/admin/rotations/schedule/{schedule.pk}/change/"
    assert office.saves(url, office.form(url, name="Platform")).status_code == 302
    assert Schedule.objects.get(pk=schedule.pk).name == "Platform"


def test_a_layer_edited_inline_is_shown_with_the_hours_it_opens(world: Any, office: Office) -> None:
    schedule = Schedule.objects.get(slug="platform")
    url = f"/admin/rotations/schedule/{schedule.pk}/change/"
    data = office.form(url)
    number = next(i for i in range(3) if data[f"layers-{i}-name"] == "EMEA")
    data[f"layers-{number}-window_start"] = "10:00:00"
    page = office.saves(url, data)
    # one hour a day in which Asia stays, or nobody is there: a window in Berlin that opens an hour later
    assert "This changes who is paged for 30 h of the next 30 days." in text(page)
    assert str(Layer.objects.get(name="EMEA").window_start) == "09:00:00"
    stamp = Schedule.objects.get(pk=schedule.pk).stamp
    assert office.confirms(url, page).status_code == 302
    assert str(Layer.objects.get(name="EMEA").window_start) == "10:00:00"
    assert Schedule.objects.get(pk=schedule.pk).stamp != stamp


def test_going_back_keeps_what_was_typed(world: Any, office: Office) -> None:
    schedule = Schedule.objects.get(slug="platform")
    url = f"/admin/rotations/schedule/{schedule.pk}/change/"
    data = office.form(url, **{"layers-0-window_start": "03:00:00"})
    page = office.saves(url, data)
    again = office.client.post(url, hidden(page) | {"_edit": "1"})
    assert "Nothing is saved yet. Change what you like" in text(again)
    assert 'value="03:00:00"' in again.content.decode()


def test_somebody_elses_change_in_between_is_shown_anew(world: Any, office: Office) -> None:
    schedule, bob = Schedule.objects.get(slug="platform"), world.people["bob"].user
    url = "/admin/rotations/override/add/"
    data = {
        "schedule": schedule.pk, "slot": "primary", "user": bob.pk, "reason": "",
        "start_0": "2026-11-30", "start_1": "10:00:00", "end_0": "2026-11-30", "end_1": "12:00:00",
    }  # fmt: skip
    page = office.saves(url, data)
    Override.objects.create(
        schedule=schedule, slot="backup", user=world.people["ken"].user, start=world.now, end=world.now + 3 * DAY
    )
    schedule.touch()
    again = office.confirms(url, page)
    assert again.status_code == 200
    assert not Override.objects.filter(slot="primary").exists()
    assert office.confirms(url, again).status_code == 302


def test_leave_and_a_revision_ask_too(world: Any, office: Office) -> None:
    yuki = world.people["yuki"].user
    url = "/admin/rotations/leave/add/"
    data = {
        "user": yuki.pk, "kind": "holiday", "state": "approved", "note": "",
        "start_0": "2026-12-01", "start_1": "00:00:00", "end_0": "2026-12-20", "end_1": "00:00:00",
    }  # fmt: skip
    page = office.saves(url, data)
    assert "This changes who is paged for" in text(page)
    assert not Leave.objects.exists()
    revision = RotationRevision.objects.get(layer__name="EMEA")
    url = f"/admin/rotations/rotationrevision/{revision.pk}/change/"
    assert "This changes who is paged for" in text(office.saves(url, office.form(url, every=2)))


def test_a_form_with_an_error_is_only_corrected(world: Any, office: Office) -> None:
    url = "/admin/rotations/override/add/"
    page = office.saves(url, {"slot": "primary"})
    assert page.status_code == 200
    assert "Please correct the errors below" in text(page)


def test_a_rehearsed_save_leaves_nothing_behind(world: Any, office: Office) -> None:
    """No timer, no trail, no message: it never happened."""
    schedule = Schedule.objects.get(slug="platform")
    url = f"/admin/rotations/schedule/{schedule.pk}/change/"
    before = Timer.objects.count()
    office.saves(url, office.form(url, **{"layers-0-window_start": "03:00:00"}))
    assert Timer.objects.count() == before
    assert Schedule.objects.get(pk=schedule.pk).stamp == schedule.stamp
    assert "was changed successfully" not in text(office.client.get("/admin/"))


def test_deleting_says_who_is_paged_without_it(world: Any, office: Office) -> None:
    dana = world.people["dana"].user
    dana.is_superuser = True
    dana.save()
    schedule, bob = Schedule.objects.get(slug="platform"), world.people["bob"].user
    row = Override.objects.create(
        schedule=schedule, slot="primary", user=bob, start=world.now + DAY, end=world.now + DAY + 2 * HOUR
    )
    schedule.touch()
    page = office.client.get(f"/admin/rotations/override/{row.pk}/delete/")
    assert "This changes who is paged for 2 h of the next 30 days." in text(page)
    assert Override.objects.filter(pk=row.pk).exists()


# --- promises --------------------------------------------------------------------------------------------------------


def slow(policy: EscalationPolicy, seconds: int) -> str:
    steps = [{**step, "delay_seconds": seconds} for step in policy.steps]
    return json.dumps(steps)


def test_a_policy_too_slow_for_its_promise_is_refused_with_the_arithmetic(world: Any, office: Office) -> None:
    """ESC-1."""
    policy = EscalationPolicy.objects.get(name="P1, around the clock")
    url = f"/admin/rotations/escalationpolicy/{policy.pk}/change/"
    page = office.saves(url, office.form(url, steps=slow(policy, 300)))
    said = text(page)
    assert page.status_code == 200
    assert "“P1, around the clock” cannot keep what was promised." in said
    assert "P1 of Acme on plan M Mission-critical v1 and 1 more: the first response is promised within 10:00." in said
    assert "Step 4 at T+15:00 = 5:00 + 5:00 + 5:00" in said
    assert "80 % of the first-response target of 10:00 is T+8:00: too late" in said
    policy.refresh_from_db()
    assert policy.steps[0]["delay_seconds"] == 180
    assert "300" in page.content.decode()  # what was typed is kept


def test_a_policy_that_still_keeps_it_shows_whom_it_pages_when(world: Any, office: Office) -> None:
    policy = EscalationPolicy.objects.get(name="P1, around the clock")
    url = f"/admin/rotations/escalationpolicy/{policy.pk}/change/"
    page = office.saves(url, office.form(url, steps=slow(policy, 120)))
    said = text(page)
    assert "This changes who is paged for 720 h of the next 30 days." in said
    assert "P1 of Acme, Rival T+2:00 nobody" in said
    assert office.confirms(url, page).status_code == 302
    policy.refresh_from_db()
    assert policy.steps[0]["delay_seconds"] == 120
    assert policy.version == 2


def test_a_rule_that_gives_a_promise_to_a_slow_policy_is_refused(world: Any, office: Office) -> None:
    slow_one = EscalationPolicy.objects.get(name="Business hours")
    acme = Organization.objects.get(slug="acme")
    url = "/admin/rotations/policyrule/add/"
    page = office.saves(
        url, {"severity": "P1", "organization": acme.pk, "policy": slow_one.pk, "plan": "", "service": ""}
    )
    assert "“Business hours” cannot keep what was promised." in text(page)
    assert not PolicyRule.objects.filter(organization=acme).exists()


def test_a_policy_nobody_was_promised_may_be_as_slow_as_it_likes(world: Any, office: Office) -> None:
    url = "/admin/rotations/escalationpolicy/add/"
    schedule = Schedule.objects.get(slug="platform")
    steps = '[{"targets": ["primary"], "delay_seconds": 36000}, {"targets": ["backup"], "delay_seconds": 60}]'
    data = office.form(url, name="Slow", steps=steps, schedule=schedule.pk)
    assert office.saves(url, data).status_code == 302
    assert EscalationPolicy.objects.filter(name="Slow").exists()
