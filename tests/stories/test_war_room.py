"""The war room of a critical incident, row by row of the table it works by (domain §6)."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from incidents import actions
from incidents.models import Briefing, HeldRole, Incident, Notice, Prompt, Runbook, RunbookVersion, Survey, WarRoom
from incidents.war_room import seats
from incidents.war_room.roles import IncidentRole
from rotations.models import Schedule
from rotations.oncall import Directory, LivePeople
from supportdesk import instants
from supportdesk.accounts.models import User
from supportdesk.errors import Invalid, NotAllowed, WrongState
from supportdesk.integrations.lines import Lines
from supportdesk.queue.models import Delivery


def prompt(kind: str, slot: int = 1) -> Prompt:
    return Prompt.objects.filter(kind=kind, slot=slot).latest("pk")


def jump(world: Any, **length: float) -> None:
    """Time passes at once: what was due meanwhile is done late, all of it, instead of minute by minute."""
    instants.freeze(world.now + timedelta(**length))
    world.settle()


def who(incident: Incident) -> dict[str, str]:
    return {role.value: held.user.name for role, held in seats.held(incident).items()}


def managers_on_duty() -> list[str]:
    people = LivePeople(Schedule.objects.filter(duty=True).first(), Directory(Lines.load()))
    return list(people.duty_managers(instants.now()))


def told(kind: str) -> list[str]:
    """Who heard something of this kind."""
    return sorted(Delivery.objects.filter(kind=kind).values_list("recipient", flat=True))


@pytest.fixture
def p1(world: Any, alice: Any) -> Incident:
    return alice.reports("Checkout is down")


# --- T+0 ---------------------------------------------------------------------------------------------------------
def test_a_p1_of_plan_m_opens_a_war_room_at_once(world: Any, p1: Incident) -> None:
    room = WarRoom.objects.get(incident=p1)
    assert room.declared_at == p1.received_at
    assert room.channel_name == f"inc-{p1.received_at:%Y%m%d}-{p1.pk}-checkout-is-down"
    assert p1.tasks.filter(key__startswith="checklist:declared").count() == 4
    assert "our channel" in told("war_room")


def test_smaller_ones_and_other_plans_get_none(world: Any, alice: Any, sam: Any) -> None:
    alice.reports("Labels are crooked", impact="limited", urgency="normal")
    sam.reports("Everything is down")
    assert not WarRoom.objects.exists()


def test_raised_to_p1_it_begins_then(world: Any, alice: Any, bob: Any) -> None:
    incident = alice.reports("Search is slow", impact="significant", urgency="critical")
    bob.acknowledges(incident)
    world.advance(minutes=20)
    bob.presses_button("severity", incident, severity="P1", reason="it stands still now")
    room = WarRoom.objects.get(incident=incident)
    assert room.declared_at == world.now
    assert prompt("briefing").planned_at == world.now + timedelta(minutes=30)


# --- the first ten minutes ---------------------------------------------------------------------------------------
def test_after_a_minute_a_notice_is_drafted_and_nothing_is_public(world: Any, p1: Incident) -> None:
    world.advance(minutes=1)
    notice = Notice.objects.get(incident=p1)
    assert not notice.is_posted
    assert prompt("notice_draft").state == "sent"


def test_who_drafts_the_notice_first_cancels_the_prompt(world: Any, p1: Incident, bob: Any) -> None:
    bob.acknowledges()
    bob.presses_button("notice", p1, page=str(p1.notices.model._meta.get_field("page").related_model.objects.get().pk))
    assert (prompt("notice_draft").state, prompt("notice_draft").outcome) == ("cancelled", "no longer needed")


def test_after_five_minutes_there_is_a_liaison_and_the_duty_manager_knows(world: Any, p1: Incident) -> None:
    world.advance(minutes=5)
    assert who(p1)["liaison"] == seats.duty_manager().name  # type: ignore[union-attr]
    assert told("ack_late")
    assert told("role_given")


def test_a_liaison_who_stepped_forward_stays(world: Any, p1: Incident, bob: Any, carol: Any) -> None:
    bob.acknowledges()
    actions.take_role(p1.pk, actor=carol.user.actor("console"), role="liaison")
    world.advance(minutes=5)
    assert who(p1)["liaison"] == carol.user.name
    assert prompt("liaison").state == "cancelled"


def test_whoever_came_first_is_commander_only_until_ten_minutes(world: Any, p1: Incident, bob: Any) -> None:
    bob.acknowledges()
    assert who(p1) == {"commander": "Bob Keller", "tech_lead": "Bob Keller"} or set(who(p1)) == {
        "commander",
        "tech_lead",
    }
    world.advance(minutes=10)
    p1.refresh_from_db()
    assert p1.owner == seats.duty_manager()
    assert who(p1)["commander"] == p1.owner.name  # type: ignore[union-attr]
    given = Delivery.objects.filter(kind="role_given", recipient=p1.owner.name).latest("pk")  # type: ignore[union-attr]
    assert given.facts["due_local"], "by when the customer hears from us"
    assert told("role_passed") == ["Bob Novak"] * len(told("role_passed")) != [], "he knows that he leads no more"
    assert who(p1)["tech_lead"] == bob.user.name


def test_who_claims_it_stays_commander(world: Any, p1: Incident, bob: Any) -> None:
    bob.acknowledges()
    actions.take_role(p1.pk, actor=bob.user.actor("console"), role="commander")
    assert prompt("commander").state == "cancelled"
    world.advance(minutes=11)
    assert who(p1)["commander"] == bob.user.name


def test_a_commander_who_hands_back_leaves_the_duty_manager_in_command_at_once(
    world: Any, p1: Incident, bob: Any
) -> None:
    bob.acknowledges()
    actions.take_role(p1.pk, actor=bob.user.actor("console"), role="commander")
    world.advance(minutes=37)
    bob.presses_button("hand-back", p1, reason="I have a fever")
    manager = seats.duty_manager()
    assert who(p1)["commander"] == manager.name  # type: ignore[union-attr]
    assert manager.name in told("role_given")  # type: ignore[union-attr]
    assert (prompt("commander", 28).state, prompt("commander", 28).planned_at) == ("sent", world.now)
    world.advance(minutes=20)
    assert not p1.prompts.filter(kind="commander", state="planned").exists()


def test_where_nobody_is_left_to_command_everybody_is_asked_until_somebody_does(
    world: Any, p1: Incident, dana: Any, carol: Any
) -> None:
    Schedule.objects.filter(duty=True).update(fallback=dana.user)
    dana.acknowledges()
    actions.take_role(p1.pk, actor=dana.user.actor("console"), role="commander")
    world.advance(minutes=12)
    others = [key for key in managers_on_duty() if key != str(dana.user.pk)]
    User.objects.filter(pk__in=others).update(is_active=False)
    dana.presses_button("hand-back", p1, reason="my own house is on fire")
    assert "commander" not in who(p1)
    world.advance(minutes=11)
    asked = p1.prompts.filter(kind="commander", state="sent").order_by("planned_at")
    assert [row.planned_at - asked[0].planned_at for row in asked] == [timedelta(minutes=n) for n in (0, 5, 10)]
    assert "our channel" in told("commander_wanted") or any("inc-" in name for name in told("commander_wanted"))
    carol.acknowledges(p1)
    assert seats.held(p1)[IncidentRole.COMMANDER].is_interim
    world.advance(minutes=4)
    assert who(p1)["commander"] == carol.user.name
    assert not seats.held(p1)[IncidentRole.COMMANDER].is_interim
    assert not p1.prompts.filter(kind="commander", state="planned").exists()


# --- roles -------------------------------------------------------------------------------------------------------
def test_handing_over_is_on_the_timeline_and_the_one_before_has_it_no_longer(
    world: Any, p1: Incident, bob: Any, carol: Any
) -> None:
    bob.acknowledges()
    actor = bob.user.actor("console")
    actions.take_role(p1.pk, actor=actor, role="scribe")
    actions.hand_over_role(p1.pk, actor=actor, role="scribe", user_id=carol.user.pk)
    rows = HeldRole.objects.filter(incident=p1, role="scribe")
    assert [(row.user.name, row.ended_at is None) for row in rows] == [
        (bob.user.name, False),
        (carol.user.name, True),
    ]
    assert [entry.text for entry in world.timeline("role")][-1] == f"{carol.user.name} is scribe now."


def test_a_customer_has_no_role_and_a_commander_cannot_just_leave(
    world: Any, p1: Incident, bob: Any, alice: Any
) -> None:
    bob.acknowledges()
    with pytest.raises(NotAllowed):
        actions.take_role(p1.pk, actor=alice.user.actor("portal"), role="liaison")
    with pytest.raises(Invalid, match="hand it over"):
        actions.leave_role(p1.pk, actor=bob.user.actor("console"), role="commander")


def test_half_an_hour_in_the_gaps_in_the_board_are_named(world: Any, p1: Incident, bob: Any) -> None:
    bob.acknowledges()
    actions.take_role(p1.pk, actor=bob.user.actor("console"), role="commander")
    world.advance(minutes=30)
    assert "Nobody is scribe." in prompt("roles").outcome
    assert "The commander is the tech lead too" in prompt("roles").outcome


# --- briefings ---------------------------------------------------------------------------------------------------
def test_an_untouched_briefing_goes_out_marked_unreviewed(world: Any, p1: Incident, bob: Any) -> None:
    bob.acknowledges()
    world.advance(minutes=25)
    assert Briefing.objects.get().state == "draft"
    world.advance(minutes=9)
    assert Briefing.objects.get().state == "draft"
    world.advance(minutes=1)
    assert Briefing.objects.get().state == "sent"
    assert prompt("briefing_unreviewed").outcome == "sent, marked unreviewed"
    sent = Delivery.objects.filter(kind="briefing").first()
    assert sent is not None
    assert sent.facts["unreviewed"]


def test_an_approved_briefing_goes_out_at_its_time_with_the_commanders_words(
    world: Any, p1: Incident, bob: Any
) -> None:
    bob.acknowledges()
    actions.take_role(p1.pk, actor=bob.user.actor("console"), role="commander")
    world.advance(minutes=26)
    actions.approve_briefing(
        Briefing.objects.get().pk, actor=bob.user.actor("console"), headline="Orders fail for all", mood="calm"
    )
    assert not Delivery.objects.filter(kind="briefing").exists()
    world.advance(minutes=4)
    sent = Delivery.objects.filter(kind="briefing").first()
    assert sent is not None
    assert (sent.facts["headline"], sent.facts["unreviewed"]) == ("Orders fail for all", "")
    world.advance(minutes=6)
    assert prompt("briefing_unreviewed").state == "cancelled"


def test_the_customers_executives_hear_only_what_was_approved_for_them(world: Any, p1: Incident, bob: Any) -> None:
    contact = p1.organization.contacts.first()  # type: ignore[union-attr]
    contact.is_executive = True  # type: ignore[union-attr]
    contact.save()  # type: ignore[union-attr]
    bob.acknowledges()
    actions.take_role(p1.pk, actor=bob.user.actor("console"), role="commander")
    jump(world, minutes=35)
    assert not told("briefing_external")
    jump(world, minutes=51)
    row = Briefing.objects.get(number=2)
    actions.approve_briefing(row.pk, actor=bob.user.actor("console"), external_text="Orders work again for most.")
    world.advance(minutes=4)
    assert told("briefing_external") == [contact.name]  # type: ignore[union-attr]


def test_briefings_come_every_hour_and_stop_with_a_last_one(world: Any, p1: Incident, bob: Any) -> None:
    bob.acknowledges()
    for _ in range(3):
        jump(world, minutes=55)
    assert [row.number for row in Briefing.objects.filter(state="sent")] == [1, 2, 3]
    bob.presses_button("resolve", p1, summary="Rolled back.")
    world.advance(minutes=30)
    last = Briefing.objects.get(is_last=True)
    assert last.sent_at - p1.__class__.objects.get().resolved_at <= timedelta(minutes=30)  # type: ignore[operator]
    jump(world, minutes=180)
    assert Briefing.objects.filter(state="sent").count() == 4


def test_only_the_commander_or_a_manager_approves(world: Any, p1: Incident, bob: Any, carol: Any, dana: Any) -> None:
    bob.acknowledges()
    actions.take_role(p1.pk, actor=bob.user.actor("console"), role="commander")
    world.advance(minutes=26)
    briefing = Briefing.objects.get()
    with pytest.raises(NotAllowed):
        actions.approve_briefing(briefing.pk, actor=carol.user.actor("console"), headline="x")
    actions.approve_briefing(briefing.pk, actor=dana.user.actor("console"))
    world.advance(minutes=5)
    with pytest.raises(WrongState):
        actions.approve_briefing(briefing.pk, actor=dana.user.actor("console"))


def test_after_a_long_pause_of_the_desk_only_the_latest_briefing_is_sent(world: Any, p1: Incident, bob: Any) -> None:
    bob.acknowledges()
    jump(world, hours=5)
    assert [row.number for row in Briefing.objects.filter(state="sent")] == [5]
    assert prompt("briefing_draft", 3).outcome == "overtaken by the next one"


def test_what_was_told_since_the_draft_is_in_a_briefing_nobody_looked_at(world: Any, p1: Incident, bob: Any) -> None:
    bob.acknowledges()
    world.advance(minutes=28)
    bob.presses_button("update", p1, state="Half of all orders work.", doing="We go on.", status="identified")
    world.advance(minutes=7)
    sent = Delivery.objects.filter(kind="briefing").first()
    assert sent is not None
    assert (sent.facts["headline"], sent.facts["cause"]) == ("Half of all orders work.", "Half of all orders work.")
    assert "the worst" in sent.facts["promises"]
    assert "all or most of their users, for 35 min" in sent.facts["effect"]


# --- later -------------------------------------------------------------------------------------------------------
def test_after_an_hour_help_is_offered_and_after_four_relief(world: Any, p1: Incident, bob: Any) -> None:
    bob.acknowledges()
    actions.take_role(p1.pk, actor=bob.user.actor("console"), role="commander")
    jump(world, minutes=60)
    assert told("second_responder")
    jump(world, minutes=185)
    assert bob.user.name in prompt("relief").outcome


def test_when_the_fix_is_in_place_it_is_verified(world: Any, p1: Incident, bob: Any) -> None:
    bob.acknowledges()
    bob.presses_button("status", p1, status="monitoring")
    world.settle()
    assert prompt("verification").state == "sent"
    assert p1.tasks.filter(key__startswith="checklist:mitigated").count() == 4


def test_an_update_that_says_so_begins_to_verify_at_once_and_a_failed_fix_ends_the_quiet_time(
    world: Any, p1: Incident, bob: Any
) -> None:
    bob.acknowledges()
    said = {"state": "All orders work.", "doing": "We watch it."}
    bob.presses_button("update", p1, status="monitoring", **said)
    assert (prompt("verification").state, prompt("verification").settled_at) == ("sent", world.now)
    clock = p1.clocks.filter(kind="next_update").latest("cycle")
    assert clock.due_at == world.now + timedelta(minutes=30)
    world.advance(minutes=10)
    bob.presses_button("update", p1, status="investigating", state="It fails again.", doing="We look.")
    clock = p1.clocks.filter(kind="next_update").latest("cycle")
    assert clock.due_at == world.now + timedelta(minutes=15)


def test_resolved_stops_everything_and_asks_twice_before_it_counts_as_confirmed(
    world: Any, p1: Incident, bob: Any
) -> None:
    bob.acknowledges()
    bob.presses_button("resolve", p1, summary="Rolled back.")
    assert prompt("second_responder").state == "cancelled"
    world.advance(hours=24)
    assert told("reminder")
    world.advance(hours=24, minutes=1)
    assert Prompt.objects.filter(kind="reminder", state="sent").count() == 2
    world.advance(hours=24)
    p1.refresh_from_db()
    assert p1.confirmed_at is not None


def test_a_confirmed_incident_is_followed_by_one_question_a_week_at_most(
    world: Any, p1: Incident, alice: Any, bob: Any
) -> None:
    bob.acknowledges(p1)
    bob.presses_button("resolve", p1, summary="Rolled back.")
    alice.confirms(p1)
    assert prompt("reminder", 1).state == "cancelled"
    world.advance(hours=1)
    assert Survey.objects.get().contact.name == "Alice Moreau"
    second = alice.reports("It is down again")
    bob.acknowledges(second)
    bob.presses_button("resolve", second, summary="Restarted.")
    alice.confirms(second)
    world.advance(hours=1)
    assert Survey.objects.count() == 1
    assert Prompt.objects.get(incident=second, kind="survey").outcome == "they were asked in the last seven days"


def test_reopened_it_begins_anew(world: Any, p1: Incident, alice: Any, bob: Any) -> None:
    bob.acknowledges(p1)
    bob.presses_button("resolve", p1, summary="Rolled back.")
    world.advance(minutes=10)
    alice.reopens("still down", p1)
    room = WarRoom.objects.get(incident=p1)
    assert room.declared_at == world.now
    assert prompt("briefing").planned_at == world.now + timedelta(minutes=30)
    assert prompt("last_briefing").state == "cancelled"


def test_lowered_and_raised_again_it_is_checked_and_briefed_anew(world: Any, p1: Incident, bob: Any) -> None:
    """A dispute ends so: what was sent stays, and the table begins again."""
    bob.acknowledges()
    actions.take_role(p1.pk, actor=bob.user.actor("console"), role="commander")
    world.advance(minutes=36)
    bob.presses_button("severity", p1, severity="P2", reason="there is a way around it", code="workaround")
    assert not p1.prompts.filter(state="planned").exists()
    world.advance(minutes=10)
    bob.presses_button("severity", p1, severity="P1", reason="the way around broke")
    again = {row.kind: row for row in p1.prompts.filter(state="planned")}
    assert again["briefing"].planned_at == world.now + timedelta(minutes=30)
    assert (again["briefing"].slot, again["roles"].slot) == (2, 2)
    assert prompt("briefing_unreviewed", 1).state == "sent"
    world.advance(minutes=36)
    assert [row.number for row in Briefing.objects.filter(state="sent")] == [1, 2]


# --- who follows -------------------------------------------------------------------------------------------------
def test_whoever_accepts_the_next_shift_commands_if_the_one_before_did(
    world: Any, alice: Any, bob: Any, erin: Any
) -> None:
    shift_ends = datetime(2026, 11, 29, 16, tzinfo=UTC)
    world.until(shift_ends - timedelta(minutes=20))
    incident = alice.reports("Checkout is down")
    bob.acknowledges(incident)
    actions.take_role(incident.pk, actor=bob.user.actor("console"), role="commander")
    world.until(shift_ends)
    erin.presses_button("accept", incident)
    assert who(incident)["commander"] == erin.user.name
    assert not seats.held(incident)[IncidentRole.COMMANDER].is_interim
    hand_off = incident.prompts.get(kind="hand_off", state="planned")
    assert hand_off.planned_at > world.now + timedelta(hours=1), "asked at the end of her shift, not of his"


def test_a_duty_manager_who_commands_goes_on_doing_so_over_a_change_of_shift(
    world: Any, alice: Any, bob: Any, erin: Any
) -> None:
    shift_ends = datetime(2026, 11, 29, 16, tzinfo=UTC)
    world.until(shift_ends - timedelta(minutes=20))
    incident = alice.reports("Checkout is down")
    bob.acknowledges(incident)
    world.until(shift_ends)
    manager = seats.duty_manager()
    erin.presses_button("accept", incident)
    incident.refresh_from_db()
    assert incident.acknowledged_by == erin.user
    assert incident.owner == manager
    assert who(incident)["commander"] == manager.name  # type: ignore[union-attr]


def test_a_policy_with_another_rota_moves_the_hand_off(world: Any, p1: Incident, bob: Any) -> None:
    bob.acknowledges(p1)
    actions.take_role(p1.pk, actor=bob.user.actor("console"), role="commander")
    before = p1.prompts.get(kind="hand_off", state="planned")
    policy = p1.escalation.policy
    policy.schedule = Schedule.objects.exclude(pk=policy.schedule_id).filter(duty=True).get()
    policy.version += 1
    policy.save()
    bob.presses_button("apply-policy", p1)
    before.refresh_from_db()
    assert before.state == "cancelled", "bob has no shift there that ends"


def test_a_false_alarm_cancels_all_of_it(world: Any, p1: Incident, bob: Any) -> None:
    bob.acknowledges(p1)
    bob.presses_button("cancel", p1, reason="a test of theirs")
    assert not Prompt.objects.filter(state="planned").exists()


# --- tasks, runbooks, decisions ----------------------------------------------------------------------------------
def test_a_ticked_step_of_a_runbook_is_on_the_timeline(world: Any, p1: Incident, bob: Any) -> None:
    bob.acknowledges()
    runbook = Runbook.objects.create(slug="checkout", title="Checkout is down")
    RunbookVersion.objects.create(
        runbook=runbook, number=1, text="# Steps\n\n- [ ] Look at the gateway\n- [ ] Restart it\n",
        written_at=world.now, written_by="dana",
    )  # fmt: skip
    actor = bob.user.actor("console")
    first, second = actions.follow_runbook(p1.pk, actor=actor, runbook_id=runbook.pk)
    assert actions.follow_runbook(p1.pk, actor=actor, runbook_id=runbook.pk) == [first, second]
    actions.tick_task(first.pk, actor=actor)
    actions.tick_task(first.pk, actor=actor)
    assert [entry.text for entry in world.timeline("task_done")] == ["Look at the gateway"]


def test_a_decision_is_told_to_the_room_and_not_to_the_customer(world: Any, p1: Incident, bob: Any, alice: Any) -> None:
    bob.acknowledges()
    actions.record_decision(p1.pk, actor=bob.user.actor("console"), text="We roll back to Friday.")
    assert told("decision") == [f"#{WarRoom.objects.get(incident=p1).channel_name}"]
    assert "We roll back" not in alice.reads(f"/portal/incidents/{p1.pk}/")


# --- the fifteen-minute guard ------------------------------------------------------------------------------------
def test_before_an_update_is_late_a_draft_comes_and_then_a_ping(world: Any, p1: Incident, bob: Any) -> None:
    bob.acknowledges()
    actions.take_role(p1.pk, actor=bob.user.actor("console"), role="commander")
    bob.presses_button("update", p1, state="Orders fail.", doing="We look for the cause.")
    world.advance(minutes=5)
    actions.record_decision(p1.pk, actor=bob.user.actor("console"), text="We roll back to Friday.")
    world.advance(minutes=6, seconds=15)
    draft = Delivery.objects.filter(kind="update_prompt").latest("pk")
    assert (draft.facts["last_state"], draft.facts["since"]) == ("Orders fail.", "We roll back to Friday.")
    assert "alice" not in " ".join(told("update_prompt")).lower()
    world.advance(minutes=2, seconds=15)
    assert bob.user.name in told("update_ping")


def test_a_late_update_is_owned_up_to_and_the_owning_up_is_no_update(
    world: Any, p1: Incident, alice: Any, bob: Any
) -> None:
    bob.acknowledges()
    bob.presses_button("update", p1, state="Orders fail.", doing="We look for the cause.")
    world.advance(minutes=15, seconds=1)
    p1.refresh_from_db()
    assert "is late" in alice.mail
    assert p1.owner.name in alice.mail  # type: ignore[union-attr]
    assert world.timeline("sla_missed")
    clock = p1.clocks.filter(kind="next_update").order_by("-cycle").first()
    assert clock.satisfied_at is None


# --- the page -------------------------------------------------------------------------------------------------------
def test_everything_is_on_one_page(world: Any, p1: Incident, bob: Any, carol: Any) -> None:
    bob.acknowledges()
    url = f"/console/incidents/{p1.pk}/room/"
    bob.post(f"{url}take/", {"role": "commander"})
    bob.post(f"{url}give/", {"role": "liaison", "user": carol.user.pk})
    bob.post(f"{url}decision/", {"text": "We roll back to Friday."})
    bob.post(f"{url}task/", {"text": "Call the gateway's hotline"})
    bob.post(f"{url}tick/", {"task": p1.tasks.get(text="Call the gateway's hotline").pk})
    world.advance(minutes=25)
    said = bob.reads(url)
    for words in (carol.user.name, "We roll back to Friday.", "hotline", "Executive briefing", "Join the call"):
        assert words in said
    briefing = Briefing.objects.get()
    fields = dict.fromkeys(("headline", "effect", "cause", "plan", "decision", "mood"), "said")
    bob.post(f"{url}briefing/", {"briefing": briefing.pk, **fields})
    briefing.refresh_from_db()
    assert (briefing.state, briefing.facts["cause"]) == ("approved", "said")


def test_there_is_no_room_where_none_was_opened(world: Any, alice: Any, bob: Any) -> None:
    small = alice.reports("Labels are crooked", impact="limited", urgency="normal")
    bob.reads(f"/console/incidents/{small.pk}/room/", expect=404)
    alice.reads(f"/console/incidents/{small.pk}/room/", expect=404)


def test_alice_says_how_it_was(world: Any, p1: Incident, alice: Any, bob: Any, mallory: Any) -> None:
    bob.acknowledges(p1)
    bob.presses_button("resolve", p1, summary="Rolled back.")
    alice.confirms(p1)
    world.advance(hours=1)
    assert "How was it for you?" in alice.reads(f"/portal/incidents/{p1.pk}/")
    mallory.post(f"/portal/incidents/{p1.pk}/survey/", {"score": "1"}, expect=404)
    alice.post(f"/portal/incidents/{p1.pk}/survey/", {"score": "5", "text": "Fast."})
    survey = Survey.objects.get()
    assert (survey.score, survey.text) == (5, "Fast.")
    assert "How was it for you?" not in alice.reads(f"/portal/incidents/{p1.pk}/")
