"""The rota while something is on fire: whoever is on duty now is rung now, and nothing falls between two shifts."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from incidents.models import Page
from rotations import actions
from rotations.models import EscalationPolicy, HandOff, HandOffItem, PolicyRule, Schedule
from supportdesk.queue.models import Timer

SHIFT_CHANGE = datetime(2026, 11, 29, 16, tzinfo=UTC)  # bob hands off to erin


def who(person):
    return person.user.actor("console")


def pages(world, person, **which):
    return list(Page.objects.filter(incident=world.incident, user=person.user, **which))


@pytest.fixture
def platform(world):
    return Schedule.objects.get(slug="platform")


def general_policy():
    return EscalationPolicy.objects.get(rules=PolicyRule.objects.get(severity="P1", plan=None, service=None))


class TestWhileItRings:
    """ESC-5: the schedule is asked live, and a change is seen at once."""

    def test_erin_takes_the_shift_over_and_her_phone_rings_at_once(self, world, alice, bob, erin):
        alice.reports("Checkout is down")
        world.advance(minutes=2)
        assert not erin.is_paged
        erin.post("/console/on-call/do/take/", {"schedule": world.rows.schedule.pk})
        world.settle()
        (page,) = pages(world, erin)
        assert (page.reason, page.created_at) == ("shift_change", world.now)
        fired = [e.data["step"] for e in world.timeline("step_fired")]
        assert fired == [1]
        world.advance(minutes=1)
        assert [e.data["step"] for e in world.timeline("step_fired")] == [1, 2]

    def test_bob_is_ill_since_this_morning_and_carol_is_rung_at_once(self, world, alice, bob, carol):
        alice.reports("Checkout is down")
        world.advance(minutes=2)
        since, until = world.now - timedelta(hours=3), world.now + timedelta(hours=9)
        actions.ask_leave(actor=who(bob), start=since, end=until, kind="sick")
        world.settle()
        assert [(p.reason, p.created_at) for p in pages(world, carol)] == [("shift_change", world.now)]

    def test_a_change_that_leaves_the_primary_alone_rings_nobody(self, world, alice, bob, dana, platform, ken):
        alice.reports("Checkout is down")
        before = Page.objects.count()
        actions.create_override(
            platform.pk, actor=who(dana), user_id=ken.user.pk, slot="backup", force="ken is awake and wants to help",
            start=world.now, end=world.now + timedelta(hours=1),
        )  # fmt: skip
        world.settle()
        assert Page.objects.count() == before
        world.advance(minutes=3)
        assert ken.is_paged

    def test_an_override_ahead_moves_the_boundary_of_a_running_escalation(
        self, world, alice, bob, erin, dana, platform
    ):
        alice.reports("Checkout is down")
        at = world.now + timedelta(minutes=1)
        actions.create_override(
            platform.pk, actor=who(dana), user_id=erin.user.pk, start=at, end=at + timedelta(hours=2),
            force="erin is awake and wants to help",
        )  # fmt: skip
        world.settle()
        assert not pages(world, erin)
        world.until(at)
        assert [(p.reason, p.planned_at) for p in pages(world, erin)] == [("shift_change", at)]

    def test_once_somebody_has_it_a_change_of_the_rota_rings_nobody(self, world, alice, bob, erin):
        alice.reports("Checkout is down")
        bob.acknowledges()
        erin.post("/console/on-call/do/take/", {"schedule": world.rows.schedule.pk})
        world.settle()
        assert not pages(world, erin)


class TestTheShiftEndsTheResponsibilityDoesNot:
    """ROT-11."""

    @pytest.fixture
    def handed_over(self, world, alice, bob):
        world.until(SHIFT_CHANGE - timedelta(minutes=10))
        alice.reports("Checkout is down")
        bob.acknowledges()
        bob.post("/console/on-call/do/note/", {"schedule": world.rows.schedule.pk, "note": "The queue is stuck."})
        world.until(SHIFT_CHANGE)
        return world.incident

    def test_erin_is_offered_it_and_accepts(self, world, handed_over, bob, erin):
        assert handed_over.acknowledged_by == bob.user
        assert not pages(world, erin)
        mine = erin.reads("/console/on-call/mine/")
        assert "The queue is stuck." in mine
        assert "Checkout is down" in mine
        assert any("is yours to accept" in mail.subject for mail in erin.mails)
        erin.presses_button("accept")
        incident = world.incident
        assert incident.acknowledged_by == erin.user
        assert incident.owner == world.people["dana"].user, "she took command at T+10, and a shift does not end that"
        assert HandOffItem.objects.get().accepted_at == world.now
        assert world.timeline("handed_over")[0].text == "Erin Walsh has it now, after Bob Novak."
        world.advance(minutes=20)
        assert not pages(world, erin, reason="hand_over")

    def test_erin_does_not_look_and_is_paged_after_fifteen_minutes(self, world, handed_over, bob, erin):
        world.advance(minutes=14)
        assert not pages(world, erin)
        world.advance(minutes=1)
        assert [p.reason for p in pages(world, erin)] == ["hand_over"]
        assert world.incident.acknowledged_by == bob.user
        world.advance(seconds=60)
        erin.presses("4")
        assert world.incident.acknowledged_by == erin.user

    def test_her_activity_keeps_it_from_then_on(self, world, handed_over, bob, erin):
        """ESC-9 follows whoever has it."""
        erin.presses_button("accept")
        world.advance(minutes=25)
        erin.presses_button("note", text="Restarting the workers.")
        world.advance(minutes=25)
        assert world.incident.is_acknowledged
        world.advance(minutes=5)
        assert not world.incident.is_acknowledged
        assert pages(world, erin, reason="ack_timeout") or pages(world, erin, reason="primary")

    def test_what_is_solved_meanwhile_asks_nobody(self, world, handed_over, bob, erin):
        bob.presses_button("resolve", summary="Restarted.")
        world.advance(minutes=20)
        assert not pages(world, erin)

    def test_who_is_not_asked_does_not_accept(self, world, handed_over, carol):
        said = carol.is_refused(f"/console/incidents/{handed_over.pk}/accept/", {})
        assert "is not waiting for you" in said

    def test_erin_accepts_the_note(self, world, handed_over, erin):
        hand_off = HandOff.objects.get(at=SHIFT_CHANGE)
        erin.post("/console/on-call/do/accept-note/", {"hand_off": hand_off.pk})
        hand_off.refresh_from_db()
        assert hand_off.accepted_by == erin.user


class TestMoreThanOneHasToTakeIt:
    """required_acks: the others go on ringing until enough have it."""

    def test_two_have_to_press(self, world, alice, bob, carol, dana):
        policy = general_policy()
        policy.required_acks = 2
        policy.save()
        alice.reports("Checkout is down")
        bob.acknowledges()
        assert world.incident.escalation.status == "triggered"
        world.advance(minutes=3)
        assert carol.is_paged
        assert world.incident.acknowledged_by == bob.user
        assert len(bob.phone.texts) == 1
        carol.acknowledges()
        assert world.incident.escalation.status == "acknowledged"
        world.advance(minutes=10)
        assert not pages(world, dana, reason="emergency_phone")


class TestTheFrozenPolicy:
    """ESC-4."""

    def test_an_edit_waits_until_somebody_applies_it(self, world, alice, bob, carol, dana):
        alice.reports("Checkout is down")
        policy = general_policy()
        policy.steps = [{"targets": ["duty_manager"], "delay_seconds": 60}, *policy.steps]
        policy.save()
        world.advance(minutes=3)
        assert not pages(world, dana, reason="duty_manager")
        bob.presses_button("apply-policy")
        assert pages(world, dana, reason="duty_manager")
        assert "applies" in world.timeline("policy_applied")[0].text
        before = Page.objects.count()
        bob.presses_button("apply-policy")
        assert Page.objects.count() == before


class TestAnOrdinaryWeek:
    def test_bob_swaps_a_shift_with_carol_through_the_pages(self, world, bob, carol, platform):
        page = bob.reads("/console/on-call/mine/")
        assert "You are primary of Platform" in page
        form = {
            "schedule": platform.pk, "slot": "primary", "start": "2026-12-08T09:00", "end": "2026-12-08T12:00",
            "taker": carol.user.pk, "return_start": "", "return_end": "", "note": "a concert",
        }  # fmt: skip
        bob.post("/console/on-call/do/offer/", form)
        assert "You give primary" in bob.reads("/console/on-call/swaps/")
        assert "“a concert”" in carol.reads("/console/on-call/swaps/")
        carol.post("/console/on-call/do/accept-swap/", {"swap": platform.swaps.get().pk})
        assert "Swap agreed" in _settled(world, bob).mail
        assert "agreed" in bob.reads("/console/on-call/swaps/").lower()

    def test_dana_puts_carol_on_duty_and_takes_it_back(self, world, dana, carol, platform):
        form = {
            "schedule": platform.pk, "slot": "primary", "user": carol.user.pk, "start": "2026-11-29T12:00",
            "end": "2026-11-29T14:00", "reason": "bob is out", "force": "",
        }  # fmt: skip
        dana.post("/console/on-call/plan/", form)
        override = platform.overrides.get()
        assert override.start == datetime(2026, 11, 29, 11, tzinfo=UTC)
        dana.post("/console/on-call/do/cancel-override/", {"override": override.pk})
        assert not platform.overrides.exists()

    def test_carol_asks_for_leave_and_dana_decides(self, world, carol, dana, platform):
        form = {"kind": "holiday", "start": "2026-12-01T00:00", "end": "2026-12-02T00:00", "note": "moving"}
        carol.post("/console/on-call/do/ask-leave/", form)
        leave = carol.user.leave.get()
        assert "would step up" in dana.reads("/console/on-call/leave/")
        dana.post("/console/on-call/do/approve-leave/", {"leave": leave.pk, "promote": "on"})
        assert "approved" in carol.reads("/console/on-call/leave/")
        assert "away" in bob_reads_calendar(dana)

    @pytest.mark.parametrize("page", ["", "calendar/", "mine/", "swaps/", "leave/", "fairness/", "plan/"])
    def test_customers_find_no_rota(self, world, alice, page):
        assert alice.client.get(f"/console/on-call/{page}").status_code == 404

    @pytest.mark.parametrize(
        "query",
        ["?week=2026-11-23&weeks=4", "?schedule=platform", "?person=1", "?week=2026-03-23", "?weeks=99&person=abc"],
    )
    def test_the_calendar_can_be_narrowed(self, world, bob, query):
        assert "Calendar" in bob.reads(f"/console/on-call/calendar/{query}")

    @pytest.mark.parametrize("query", ["?week=soon", "?week=9999-12-31", "?schedule=none"])
    def test_a_calendar_that_does_not_exist_is_refused(self, world, bob, query):
        assert bob.client.get(f"/console/on-call/calendar/{query}").status_code in (400, 404)

    def test_every_timer_of_the_rota_ran(self, world, bob):
        world.advance(days=2)
        ran = Timer.objects.filter(run__startswith="rotations.", state="done").count()
        assert ran >= 6
        assert not Timer.objects.filter(run__startswith="rotations.").exclude(error="").exists()


def _settled(world, person):
    world.settle()
    return person


def bob_reads_calendar(person):
    return str(person.client.get("/console/on-call/calendar/?week=2026-11-30").content)
