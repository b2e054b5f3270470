"""Overrides, swaps, hand-offs, revisions: what each verb moves, refuses, records and tells."""

from __future__ import annotations

from datetime import timedelta

import pytest

from rotations import actions, oncall
from rotations.models import HandOff, Layer, Override, RotationRevision, Schedule, Swap
from supportdesk.audit.models import AuditEntry
from supportdesk.errors import Invalid, NotAllowed, NotFound, WrongState
from supportdesk.queue.models import Timer


@pytest.fixture
def platform(world):
    return Schedule.objects.get(slug="platform")


def who(person, via="console"):
    return person.user.actor(via)


def primary(platform, at):
    platform.refresh_from_db()
    return oncall.schedule(platform).who(at).primary


def override(platform, actor, person, start, end, **more):
    return actions.create_override(platform.pk, actor=who(actor), user_id=person.user.pk, start=start, end=end, **more)


class TestOverrides:
    def test_a_manager_puts_carol_on_duty_and_everybody_concerned_hears(self, world, platform, dana, bob, carol):
        start, end = world.now + timedelta(hours=1), world.now + timedelta(hours=3)
        before = platform.stamp
        made = override(platform, dana, carol, start, end, reason="bob is at the dentist").row
        world.settle()
        assert primary(platform, start) == str(carol.user.pk)
        assert primary(platform, end) == str(bob.user.pk)
        assert platform.stamp != before
        assert "Carol Jensen is primary on Platform" in carol.mail
        assert "bob is at the dentist" in bob.mail
        assert not dana.mails
        entry = AuditEntry.objects.get(verb="create_override")
        assert (entry.subject, entry.reason) == (f"override:{made.pk}", "bob is at the dentist")

    def test_a_second_press_makes_no_second_override(self, world, platform, dana, carol):
        start, end = world.now + timedelta(hours=1), world.now + timedelta(hours=3)
        first, second = (override(platform, dana, carol, start, end).row for _ in range(2))
        assert first == second
        assert Override.objects.count() == AuditEntry.objects.filter(verb="create_override").count() == 1

    def test_what_was_is_never_planned_and_what_began_is_clipped_to_now(self, world, platform, dana, carol):
        with pytest.raises(Invalid) as refused:
            override(platform, dana, carol, world.now - timedelta(hours=2), world.now)
        assert refused.value.field == "end"
        made = override(platform, dana, carol, world.now - timedelta(hours=2), world.now + timedelta(hours=1)).row
        assert made.start == world.now

    def test_engineers_plan_themselves_only_and_customers_see_nothing(self, world, platform, bob, carol, alice):
        start, end = world.now + timedelta(hours=1), world.now + timedelta(hours=2)
        with pytest.raises(NotAllowed):
            override(platform, bob, carol, start, end)
        assert override(platform, carol, carol, start, end).row.user == carol.user
        with pytest.raises(NotFound):
            override(platform, alice, carol, start, end)

    def test_two_overrides_on_one_slot_never_overlap(self, world, platform, dana, carol, bob):
        """ROT-5."""
        override(platform, dana, carol, world.now + timedelta(hours=1), world.now + timedelta(hours=3))
        with pytest.raises(WrongState, match="Another override"):
            override(platform, dana, bob, world.now + timedelta(hours=2), world.now + timedelta(hours=4))
        override(platform, dana, bob, world.now + timedelta(hours=2), world.now + timedelta(hours=4), slot="backup")

    def test_nobody_who_cannot_be_reached_is_put_on_duty(self, world, platform, dana, carol, alice):
        carol.user.contact_methods.update(verified_at=None)
        with pytest.raises(Invalid, match="no verified contact method"):
            override(platform, dana, carol, world.now, world.now + timedelta(hours=1))
        with pytest.raises(Invalid, match="no such colleague"):
            override(platform, dana, alice, world.now, world.now + timedelta(hours=1))

    def test_taking_one_back_ends_it_now_and_keeps_what_was(self, world, platform, dana, bob, carol):
        start = world.now
        made = override(platform, dana, carol, start, start + timedelta(hours=3)).row
        world.advance(hours=1)
        actions.cancel_override(made.pk, actor=who(dana))
        made.refresh_from_db()
        assert (made.start, made.end) == (start, world.now)
        assert primary(platform, world.now) == str(bob.user.pk)
        assert primary(platform, start) == str(carol.user.pk)
        with pytest.raises(WrongState):
            actions.cancel_override(made.pk, actor=who(dana))

    def test_one_that_has_not_begun_is_gone(self, world, platform, dana, carol, erin):
        made = override(platform, dana, carol, world.now + timedelta(hours=1), world.now + timedelta(hours=2)).row
        with pytest.raises(NotAllowed):
            actions.cancel_override(made.pk, actor=who(erin))
        actions.cancel_override(made.pk, actor=who(carol))
        assert not Override.objects.exists()
        assert AuditEntry.objects.get(verb="cancel_override").before["user"] == carol.user.pk


class TestTakingAShift:
    def test_carol_takes_the_shift_now_until_it_ends(self, world, platform, bob, carol):
        ends = oncall.schedule(platform).shifts(world.now, world.now + timedelta(hours=24)).primary[0].end
        made = actions.take_shift(platform.pk, actor=who(carol))
        world.settle()
        assert (made.start, made.end) == (world.now, ends)
        assert primary(platform, world.now) == str(carol.user.pk)
        assert "Carol Jensen took over as primary" in bob.mail

    def test_pressing_twice_is_not_an_error_but_taking_ones_own_is_told(self, world, platform, bob, carol):
        assert actions.take_shift(platform.pk, actor=who(carol)) == actions.take_shift(platform.pk, actor=who(carol))
        with pytest.raises(WrongState, match="primary already"):
            Override.objects.all().delete()
            platform.touch()
            actions.take_shift(platform.pk, actor=who(bob))

    def test_an_override_in_the_way_gives_up_the_part_that_is_taken(self, world, platform, dana, bob, carol, erin):
        world_end = world.now + timedelta(hours=6)
        override(platform, dana, carol, world.now, world_end)
        world.advance(hours=1)
        actions.take_shift(platform.pk, actor=who(bob), until=world.now + timedelta(hours=1))
        held = [(o.user, o.start, o.end) for o in Override.objects.order_by("start")]
        now = world.now
        assert held == [
            (carol.user, now - timedelta(hours=1), now),
            (bob.user, now, now + timedelta(hours=1)),
            (carol.user, now + timedelta(hours=1), world_end),
        ]

    def test_customers_take_nothing(self, world, platform, alice):
        with pytest.raises(NotFound):
            actions.take_shift(platform.pk, actor=who(alice))


def bobs_shift(platform, bob, world):
    """The first whole shift of bob's that lies ahead."""
    final = oncall.schedule(platform).shifts(world.now + timedelta(hours=12), world.now + timedelta(days=21))
    return next(s for s in final.primary if s.person == str(bob.user.pk))


def offer(platform, giver, start, end, **more):
    return actions.offer_swap(platform.pk, actor=who(giver), start=start, end=end, **more).row


class TestSwaps:
    """ROT-8."""

    def test_offered_accepted_and_in_force(self, world, platform, bob, carol, dana):
        shift = bobs_shift(platform, bob, world)
        swap = offer(platform, bob, shift.start, shift.end, taker_id=carol.user.pk, note="a concert")
        world.settle()
        assert "Bob Novak offers a shift" in carol.mail
        assert "a concert" in carol.mail
        assert primary(platform, shift.start) == str(bob.user.pk)
        actions.accept_swap(swap.pk, actor=who(carol))
        world.settle()
        assert primary(platform, shift.start) == str(carol.user.pk)
        assert "Swap agreed: Carol Jensen" in bob.mail
        assert "Swap agreed" in dana.mail
        actions.accept_swap(swap.pk, actor=who(carol))
        assert AuditEntry.objects.filter(verb="accept_swap").count() == 1

    def test_a_part_of_a_shift_and_a_span_in_return(self, world, platform, bob, carol):
        """R-14: only the part moves; the return span moves the other way."""
        mine = bobs_shift(platform, bob, world)
        final = oncall.schedule(platform).shifts(mine.end, mine.end + timedelta(days=21))
        later = mine.end + timedelta(days=2)
        theirs = next(s for s in final.primary if s.person == str(carol.user.pk) and s.start > later)
        part = (mine.start + timedelta(hours=2), mine.start + timedelta(hours=4))
        back = (theirs.start + timedelta(hours=1), theirs.start + timedelta(hours=2))
        swap = offer(platform, bob, *part, taker_id=carol.user.pk, return_start=back[0], return_end=back[1])
        actions.accept_swap(swap.pk, actor=who(carol))
        minute = timedelta(minutes=1)
        holders = [primary(platform, at) for at in (part[0] - minute, part[0], part[1], back[0], back[1])]
        b, c = str(bob.user.pk), str(carol.user.pk)
        assert holders == [b, c, b, b, c]
        actions.withdraw_swap(swap.pk, actor=who(bob))
        assert [primary(platform, at) for at in (part[0], back[0])] == [b, c]

    def test_nobody_took_it_so_it_expires_and_stays(self, world, platform, bob, carol):
        shift = bobs_shift(platform, bob, world)
        swap = offer(platform, bob, shift.start, shift.end)
        world.until(shift.start)
        swap.refresh_from_db()
        assert swap.state == Swap.State.EXPIRED
        assert primary(platform, shift.start) == str(bob.user.pk)
        assert any("Nobody took the shift" in mail.subject for mail in bob.mails)
        with pytest.raises(WrongState, match="expired already"):
            actions.accept_swap(swap.pk, actor=who(carol))

    def test_declined_by_whom_it_was_offered_to(self, world, platform, bob, carol, erin):
        shift = bobs_shift(platform, bob, world)
        swap = offer(platform, bob, shift.start, shift.end, taker_id=carol.user.pk)
        with pytest.raises(NotAllowed):
            actions.decline_swap(swap.pk, actor=who(erin))
        assert actions.decline_swap(swap.pk, actor=who(carol)).state == Swap.State.DECLINED
        assert not Timer.objects.filter(subject=swap.subject, state="armed").exists()

    def test_others_may_not_take_what_was_offered_to_carol(self, world, platform, bob, carol, erin, dana, alice):
        shift = bobs_shift(platform, bob, world)
        swap = offer(platform, bob, shift.start, shift.end, taker_id=carol.user.pk)
        with pytest.raises(NotAllowed):
            actions.accept_swap(swap.pk, actor=who(erin))
        with pytest.raises(NotFound):
            actions.accept_swap(swap.pk, actor=who(alice))
        assert actions.accept_swap(swap.pk, actor=who(dana), taker_id=carol.user.pk).row.state == "accepted"

    def test_a_manager_offers_for_somebody_and_an_engineer_does_not(self, world, platform, bob, carol, dana):
        shift = bobs_shift(platform, bob, world)
        with pytest.raises(NotAllowed):
            offer(platform, carol, shift.start, shift.end, giver_id=bob.user.pk)
        assert offer(platform, dana, shift.start, shift.end, giver_id=bob.user.pk).giver == bob.user

    def test_what_has_begun_or_is_not_theirs_is_refused(self, world, platform, bob, carol):
        with pytest.raises(WrongState, match="has begun"):
            offer(platform, bob, world.now - timedelta(minutes=1), world.now + timedelta(hours=1))
        shift = bobs_shift(platform, bob, world)
        with pytest.raises(Invalid, match="not primary for all"):
            offer(platform, carol, shift.start, shift.end)
        offer(platform, bob, shift.start, shift.end)
        with pytest.raises(WrongState, match="another swap"):
            offer(platform, bob, shift.start, shift.start + timedelta(hours=1))

    def test_a_rota_that_changed_meanwhile_is_noticed(self, world, platform, bob, carol, dana):
        shift = bobs_shift(platform, bob, world)
        swap = offer(platform, bob, shift.start, shift.end)
        override(platform, dana, carol, shift.start, shift.end)
        with pytest.raises(WrongState, match="does not hold all of this any more"):
            actions.accept_swap(swap.pk, actor=who(carol))


class TestHandOffs:
    """ROT-11."""

    def test_the_note_is_asked_for_before_the_shift_ends_and_given_when_it_does(self, world, platform, bob, erin):
        ends = oncall.schedule(platform).shifts(world.now, world.now + timedelta(hours=24)).primary[0].end
        world.until(ends - timedelta(minutes=15))
        assert any("please write the hand-off note" in mail.subject for mail in bob.mails)
        actions.write_note(platform.pk, actor=who(bob), note="Checkout is slow; watch the queue.")
        world.until(ends)
        assert "Hand-off note of Bob Novak" in erin.mail
        assert "Checkout is slow" in erin.mail
        hand_off = HandOff.objects.get(at=ends)
        assert (hand_off.outgoing, hand_off.incoming) == (bob.user, erin.user)
        actions.accept_hand_off(hand_off.pk, actor=who(erin))
        hand_off.refresh_from_db()
        assert hand_off.accepted_by == erin.user

    def test_who_wrote_early_is_not_reminded(self, world, platform, bob):
        actions.write_note(platform.pk, actor=who(bob), note="All quiet.")
        world.advance(hours=9)
        assert not any("please write" in mail.subject for mail in bob.mails)

    def test_a_note_that_comes_late_still_arrives(self, world, platform, bob, erin):
        ends = oncall.schedule(platform).shifts(world.now, world.now + timedelta(hours=24)).primary[0].end
        world.until(ends + timedelta(minutes=20))
        actions.write_note(platform.pk, actor=who(bob), note="Sorry, the door rang.")
        world.settle()
        assert "Sorry, the door rang." in erin.mail

    def test_only_who_is_on_duty_or_a_manager_writes_and_only_the_next_accepts(self, world, platform, bob, carol, dana):
        with pytest.raises(NotAllowed):
            actions.write_note(platform.pk, actor=who(carol), note="I was not there.")
        hand_off = actions.write_note(platform.pk, actor=who(dana), note="Bob lost his voice.")
        with pytest.raises(NotAllowed):
            actions.accept_hand_off(hand_off.pk, actor=who(bob))

    def test_somebody_answers_for_a_while_without_being_paged(self, world, platform, bob, erin, alice):
        """ROT-7."""
        ends = oncall.schedule(platform).shifts(world.now, world.now + timedelta(hours=24)).primary[0].end
        actions.name_contact(platform.pk, actor=who(bob), until=ends + timedelta(hours=2))
        world.until(ends + timedelta(minutes=1))
        assert "Ask Bob Novak about the shift before" in erin.reads("/console/on-call/")
        alice.reports("Checkout is down")
        assert erin.is_paged
        assert not bob.phone.texts

    def test_a_change_of_the_rota_moves_the_hand_off(self, world, platform, bob, carol, dana):
        override(platform, dana, carol, world.now + timedelta(hours=2), world.now + timedelta(hours=4))
        world.settle()
        armed = Timer.objects.get(run="rotations.tasks.change_shift", subject=platform.subject, state="armed")
        assert armed.due_at == world.now + timedelta(hours=2)
        world.advance(hours=2)
        assert HandOff.objects.get(at=world.now).incoming == carol.user


class TestRevisions:
    """ROT-10."""

    def test_a_new_ring_takes_effect_at_the_next_hand_off_and_history_stays(self, world, platform, dana, bob, carol):
        layer = Layer.objects.get(name="EMEA")
        before = list(oncall.schedule(platform).shifts(world.now - timedelta(days=30), world.now).primary)
        revision = actions.change_ring(layer.pk, actor=who(dana), ring=[bob.user.pk, carol.user.pk, dana.user.pk])
        assert revision.effective_from > world.now
        platform.refresh_from_db()
        after = list(oncall.schedule(platform).shifts(world.now - timedelta(days=30), world.now).primary)
        assert before == after
        assert primary(platform, world.now) == str(bob.user.pk)
        following = oncall.schedule(platform).who(revision.effective_from).primary
        assert following == str(carol.user.pk)

    def test_the_same_ring_again_changes_nothing(self, world, platform, dana, bob, carol):
        layer = Layer.objects.get(name="EMEA")
        actions.change_ring(layer.pk, actor=who(dana), ring=[bob.user.pk, carol.user.pk])
        assert RotationRevision.objects.filter(layer=layer).count() == 1

    def test_whoever_is_taken_out_at_once_is_relieved_at_once(self, world, platform, dana, bob, carol):
        layer = Layer.objects.get(name="EMEA")
        actions.change_ring(layer.pk, actor=who(dana), ring=[carol.user.pk], at_once=True)
        assert primary(platform, world.now) == str(carol.user.pk)

    def test_managers_only_and_never_backwards(self, world, platform, dana, bob):
        layer = Layer.objects.get(name="EMEA")
        with pytest.raises(NotAllowed):
            actions.change_ring(layer.pk, actor=who(bob), ring=[bob.user.pk])
        whole = {"unit": "weekly", "every": 1, "anchor": "2026-11-02T09:00", "ring": [bob.user.pk]}
        with pytest.raises(Invalid) as refused:
            actions.add_revision(layer.pk, actor=who(dana), effective_from=world.now, **whole)
        assert refused.value.field == "effective_from"
        made = actions.add_revision(layer.pk, actor=who(dana), effective_from=world.now + timedelta(days=3), **whole)
        assert [member.user for member in made.members.all()] == [bob.user]


class TestShadows:
    def test_a_shadow_hears_of_the_page_and_is_never_paged(self, world, platform, alice, ken):
        actions.shadow(platform.pk, actor=who(ken), start=world.now, end=world.now + timedelta(hours=8))
        alice.reports("Checkout is down")
        assert "You shadow: P1" in ken.mail
        assert not ken.phone.texts

    def test_a_seat_that_is_left_hears_no_more(self, world, platform, alice, ken, bob):
        seat = actions.shadow(platform.pk, actor=who(ken), start=world.now, end=world.now + timedelta(hours=8))
        with pytest.raises(NotAllowed):
            actions.leave_shadow(seat.pk, actor=who(bob))
        world.advance(minutes=5)
        actions.leave_shadow(seat.pk, actor=who(ken))
        alice.reports("Checkout is down")
        assert not ken.mails


def test_a_layer_that_still_waits_for_its_rotation_breaks_nothing(world, platform, bob):
    """Made in the back office and saved before anybody is in it: paging must go on."""
    Layer.objects.create(schedule=platform, name="New", time_zone="Europe/Berlin", priority=5)
    platform.touch()
    assert primary(platform, world.now) == str(bob.user.pk)
