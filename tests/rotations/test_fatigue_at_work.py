"""Fatigue where it meets people: checked when planning, acted on at run time, never at the price of a minute (D13)."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from incidents.models import Page
from rotations import actions, call_outs, oncall
from rotations.boards import load
from rotations.models import CallOut, Layer, Override, Schedule
from supportdesk import instants
from supportdesk.accounts.models import ContactMethod
from supportdesk.audit.models import AuditEntry
from supportdesk.errors import WrongState


def who(person: Any) -> Any:
    return person.user.actor("console")


@pytest.fixture
def platform(world):
    return Schedule.objects.get(slug="platform")


def plan(platform, actor, person, start, end, **more):
    return actions.create_override(platform.pk, actor=who(actor), user_id=person.user.pk, start=start, end=end, **more)


class TestPlanTime:
    """FAT-1 … FAT-4, FAT-7: fatigue wins."""

    tokyo = (datetime(2026, 11, 30, 0, tzinfo=UTC), datetime(2026, 11, 30, 8, tzinfo=UTC))

    def test_eight_hours_of_rest_are_refused_to_everybody(self, world, platform, bob, dana):
        """R-20."""
        with pytest.raises(WrongState, match=r"Bob Novak: .* of rest between two shifts; 11 h are needed. \(FAT-1\)"):
            plan(platform, bob, bob, *self.tokyo)
        with pytest.raises(WrongState, match="ask them, and say why"):
            plan(platform, dana, bob, *self.tokyo)
        assert not Override.objects.exists()

    def test_a_manager_forces_it_with_a_reason_that_is_kept(self, world, platform, bob, dana):
        made = plan(platform, dana, bob, *self.tokyo, force="Ken is in hospital; Bob agreed.")
        assert "FAT-1" in {finding.rule for finding in made.findings}
        entry = AuditEntry.objects.get(verb="create_override")
        assert "FAT-1" in {finding["rule"] for finding in entry.after["findings"]}
        assert entry.reason == "Ken is in hospital; Bob agreed."

    def test_an_engineer_cannot_force_it_themselves(self, world, platform, bob):
        with pytest.raises(WrongState, match="A manager may plan it"):
            plan(platform, bob, bob, *self.tokyo, force="I am fine, really I am.")

    def test_what_was_bad_before_does_not_block_what_makes_it_no_worse(self, world, platform, carol, dana):
        start = world.now + timedelta(hours=1)
        made = plan(platform, dana, carol, start, start + timedelta(minutes=30), slot="backup")
        assert [f for f in made.findings if f.severity == "block"] == []

    def test_taking_a_shift_now_is_never_refused(self, world, platform, ken):
        """Run time: coverage wins. Ken slept three hours."""
        world.until(datetime(2026, 11, 29, 13, tzinfo=UTC))
        taken = actions.take_shift(platform.pk, actor=who(ken))
        assert oncall.schedule(Schedule.objects.get(pk=platform.pk)).who(world.now).primary == str(ken.user.pk)
        entry = AuditEntry.objects.get(verb="take_shift", subject=f"override:{taken.pk}")
        assert "FAT-1" in {finding["rule"] for finding in entry.after["findings"]}

    def test_the_form_shows_it_before_anything_is_saved(self, world, platform, dana, bob):
        query = (
            f"?check=1&schedule={platform.pk}&slot=primary&user={bob.user.pk}"
            "&start=2026-11-30T01:00&end=2026-11-30T09:00"
        )
        shown = dana.reads(f"/console/on-call/plan/{query}")
        assert "FAT-1" in shown
        assert "11 h are needed" in shown
        assert not Override.objects.exists()


def works_on(world, alice, person, title, minutes=10):
    incident = alice.reports(title)
    person.acknowledges(incident)
    world.advance(minutes=minutes)
    person.presses_button("resolve", incident, summary="done")
    return incident


class TestLoad:
    """FAT-5, R-24."""

    def test_from_the_third_on_the_backup_rings_first(self, world, alice, bob, carol, dana):
        for title in ("Checkout is down", "Labels are empty"):
            works_on(world, alice, bob, title)
        start, texts = world.now, len(bob.phone.texts)
        third = alice.reports("Stock is wrong")
        assert third.escalation.state["backup_first"]
        assert [(p.user, p.reason) for p in Page.objects.filter(incident=third)] == [(carol.user, "backup")]
        assert len(bob.phone.texts) == texts
        world.advance(minutes=3)
        paged = Page.objects.filter(incident=third, planned_at=start + timedelta(minutes=3))
        assert bob.user in {page.user for page in paged}
        assert "backup is paged first" in dana.mail
        assert world.timeline("backup_first")

    def test_two_presses_on_one_incident_are_one(self, world, alice, bob):
        incident = works_on(world, alice, bob, "Checkout is down")
        alice.reopens("again", incident)
        bob.acknowledges(incident)
        assert not call_outs.is_loaded(Schedule.objects.get(slug="platform"), world.now)

    def test_without_a_backup_the_primary_is_kept_and_it_is_said(self, world, alice, bob, carol, dana):
        for title in ("Checkout is down", "Labels are empty"):
            works_on(world, alice, bob, title)
        ContactMethod.objects.exclude(user__in=[bob.user, dana.user]).update(verified_at=None)
        third = alice.reports("Stock is wrong")
        assert bob.user in {page.user for page in Page.objects.filter(incident=third)}
        assert [e.incident for e in world.timeline("fatigue_exception")] == [third]

    def test_a_new_shift_starts_fresh(self, world, alice, bob, erin):
        for title in ("Checkout is down", "Labels are empty"):
            works_on(world, alice, bob, title)
        world.until(datetime(2026, 11, 29, 16, 30, tzinfo=UTC))
        fourth = alice.reports("Stock is wrong")
        assert not fourth.escalation.state["backup_first"]
        assert erin.user in {page.user for page in Page.objects.filter(incident=fourth)}


NIGHT = datetime(2026, 11, 30, 2, tzinfo=UTC)  # 03:00 in Berlin; bob hands over to carol this Monday at 09:00


def called_out(world, platform, alice, person, *, until: datetime):
    """Somebody is called at night, by an override nobody else would take, and works until `until`."""
    Override.objects.create(
        schedule=platform, user=person.user, start=NIGHT - timedelta(minutes=1), end=NIGHT + timedelta(minutes=1)
    )
    platform.touch()
    world.until(NIGHT)
    incident = alice.reports("Checkout is down")
    person.acknowledges(incident)
    instants.freeze(until)
    person.presses_button("resolve", incident, summary="done")
    world.settle()
    return incident


class TestRest:
    """FAT-1 at run time, R-19."""

    def test_whoever_was_called_at_night_is_relieved_until_they_have_slept(self, world, platform, alice, bob, carol):
        ends = datetime(2026, 11, 30, 3, tzinfo=UTC)
        called_out(world, platform, alice, carol, until=ends)
        relief = Override.objects.get(reason__contains="FAT-1")
        assert (relief.user, relief.start, relief.end) == (
            bob.user, datetime(2026, 11, 30, 8, tzinfo=UTC), ends + timedelta(hours=11),
        )  # fmt: skip
        assert "Bob Novak stands in" in carol.mail
        compiled = oncall.schedule(Schedule.objects.get(pk=platform.pk))
        assert not [g for g in compiled.shifts(ends, ends + timedelta(days=1)).gaps if g.slot == "primary"]

    def test_where_nobody_is_fit_the_shift_stays_and_a_manager_is_told(self, world, platform, alice, bob, carol, dana):
        ContactMethod.objects.exclude(user__in=[carol.user, dana.user]).update(verified_at=None)
        ends = datetime(2026, 11, 30, 3, tzinfo=UTC)
        called_out(world, platform, alice, carol, until=ends)
        assert not Override.objects.filter(reason__contains="FAT-1").exists()
        assert AuditEntry.objects.get(verb="fatigue_exception").after["user"] == carol.user.pk
        assert "Carol Jensen should rest" in "\n".join(mail.subject for mail in dana.mails)
        at = datetime(2026, 11, 30, 9, tzinfo=UTC)
        assert oncall.schedule(Schedule.objects.get(pk=platform.pk)).who(at).primary == str(carol.user.pk)

    def test_a_call_out_in_ones_own_shift_needs_no_relief(self, world, platform, alice, bob):
        works_on(world, alice, bob, "Checkout is down")
        assert not Override.objects.exists()

    def test_a_page_that_somebody_else_took_is_no_work(self, world, platform, alice, bob, carol):
        incident = alice.reports("Checkout is down")
        world.advance(minutes=3)
        carol.acknowledges(incident)
        carol.presses_button("resolve", incident, summary="done")
        rows = {row.user: row for row in CallOut.objects.all()}
        assert rows[bob.user].acknowledged_at is None
        assert rows[carol.user].acknowledged_at == rows[carol.user].ended_at == world.now


class TestReport:
    def test_hours_nights_and_pages_of_everybody(self, world, platform, alice, carol):
        called_out(world, platform, alice, carol, until=datetime(2026, 11, 30, 3, tzinfo=UTC))
        report = load.report(world.now - timedelta(days=28), world.now, world.now, platform)
        loads = {one.user: one for one in report.loads}
        assert abs(sum(one.hours for one in report.loads) - 28 * 24) < 1
        mine = loads[carol.user]
        assert (mine.pages, mine.night_pages, mine.broken_nights, mine.call_outs) == (1, 1, 1, 1)
        assert 0 < report.balance <= 100

    def test_the_page_says_what_to_offer(self, world, platform, alice, carol, dana):
        """FAT-6."""
        called_out(world, platform, alice, carol, until=datetime(2026, 11, 30, 3, tzinfo=UTC))
        shown = dana.reads("/console/on-call/fairness/?days=28")
        assert "Offer a late start" in shown
        assert "FAT-6" in shown

    def test_without_anybody_in_it_the_page_says_so(self, world, dana):
        Layer.objects.all().delete()
        for row in Schedule.objects.all():
            row.touch()
        assert "Nobody is in a rotation yet" in dana.reads("/console/on-call/fairness/")
