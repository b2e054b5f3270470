"""Step 3: primary, backup, duty manager, and never silence."""

from __future__ import annotations

import json
from datetime import datetime, timedelta

import pytest
from django.test import Client

from incidents.models import Page
from rotations.models import Layer, PolicyRule, Schedule
from supportdesk.accounts.models import ContactMethod
from supportdesk.queue.models import Delivery
from tests.stories.test_detection import _api


def test_the_whole_chain_by_its_planned_instants(world, alice, bob, carol, dana, erin):
    """E-01: T+0, 3, 6, 8, then again from 10."""
    start = world.now
    alice.reports("Checkout is down")
    world.advance(minutes=30)
    fired = [round((e.data and _planned(e) - start).total_seconds() / 60) for e in world.timeline("step_fired")]
    assert fired == [0, 3, 6, 8, 10, 13, 16, 18, 20, 23, 26, 28]
    assert world.timeline("exhausted")[0].at == world.now
    assert all(person.is_paged for person in (bob, carol, dana, erin))


def _planned(entry):
    return datetime.fromisoformat(entry.data["planned_at"])


def test_nobody_answers_and_the_fallback_is_called_every_five_minutes(world, alice, dana):
    start = world.now
    alice.reports("Checkout is down")
    world.advance(minutes=30)
    world.advance(minutes=10)
    again = Page.objects.filter(user=dana.user, reason="exhausted")
    assert [page.planned_at for page in again] == [start + timedelta(minutes=m) for m in (30, 35, 40)]
    assert world.incident.escalation.status == "exhausted"


def test_bobs_silent_phone_rings_after_a_minute(world, alice, bob):
    alice.reports("Checkout is down")
    assert bob.phone.buzzed()
    assert not bob.phone.rang()
    world.advance(seconds=60)
    assert bob.phone.rang()


def test_nobody_on_call_falls_through_at_once_to_the_fallback_manager(world, alice, dana, bob):
    """E-05: never a silent skip, and no waiting."""
    Layer.objects.filter(schedule=world.rows.schedule, name__in=["EMEA", "APAC"]).delete()
    world.rows.schedule.touch()
    alice.reports("Checkout is down")
    assert dana.is_paged
    assert not bob.is_paged
    nobody = world.timeline("nobody_on_call")
    assert "Dana Petrova is paged instead" in nobody[0].text
    assert nobody[0].at == world.now


def test_nobody_reachable_is_the_same_as_nobody(world, alice, bob, carol, dana):
    ContactMethod.objects.filter(user__in=[bob.user, carol.user]).update(verified_at=None)
    alice.reports("Checkout is down")
    assert dana.is_paged
    skipped = [e.text for e in world.timeline("person_skipped")]
    assert any("Bob Novak was not paged: has no verified contact method" in text for text in skipped), skipped


def test_when_every_person_is_unreachable_the_emergency_number_rings(world, alice):
    ContactMethod.objects.all().update(disabled_at=world.now)
    alice.reports("Checkout is down")
    assert world.fakes.phone.to("+4930555000")


def test_a_switched_off_account_is_not_paged(world, alice, bob, carol):
    bob.user.is_active = False
    bob.user.save()
    Schedule.objects.get(slug="platform").touch()
    alice.reports("Checkout is down")
    assert not bob.is_paged
    assert carol.is_paged


def _phone(world, person):
    world.advance(seconds=60)
    person.presses("4")


def _sms(world, person):
    person.texts(f"ACK {world.incident.pk}")


def _slack(world, person):
    person.clicks("acknowledge")


def _console(world, person):
    person.acknowledges()


def _link(world, person):
    link = person.phone.texts[-1].body.rsplit(" ", 1)[1]
    assert link.startswith("http://testserver/a/")
    Client().post(link.removeprefix("http://testserver"), {"verb": "acknowledge"})


def _through_api(world, person):
    call = _api(person, ("read", "operate"))
    response = Client().post(f"/api/v1/incidents/{world.incident.pk}/acknowledge/", "{}", **call)
    assert response.status_code == 200, response.content


@pytest.mark.parametrize("door", [_phone, _sms, _slack, _console, _link, _through_api])
def test_an_acknowledgement_from_any_door_stops_every_pending_page(world, alice, bob, carol, door):
    alice.reports("Checkout is down")
    door(world, bob)
    world.settle()
    assert world.incident.acknowledged_by == bob.user
    calls = len(bob.phone.calls)
    world.advance(minutes=14)  # a minute later alice's update is late, and bob hears of that
    assert not carol.is_paged
    assert len(bob.phone.calls) == calls
    assert not Delivery.objects.filter(kind="page", state="pending").exists()
    assert "Bob Novak has it" in alice.mail


def test_pagerduty_acknowledges_too(world, alice, bob, carol):
    alice.reports("Checkout is down")
    world.fakes.pagerduty.webhook("acknowledged", f"supportdesk-{world.incident.pk}", world.desk)
    world.settle()
    assert world.incident.acknowledged_name == "Carol Backup"  # as PagerDuty names her; nobody here goes by that name
    world.advance(minutes=10)
    assert not carol.is_paged
    assert not bob.phone.rang()


def test_a_second_press_is_not_an_error(world, alice, bob):
    alice.reports("Checkout is down")
    bob.acknowledges()
    bob.acknowledges()
    assert len(world.timeline("acknowledged")) == 1


def test_whoever_comes_later_joins(world, alice, bob, carol):
    alice.reports("Checkout is down")
    world.advance(minutes=4)
    bob.presses("4")
    assert "Bob Novak had it first" in carol.presses("4")
    assert world.incident.acknowledged_by == bob.user
    assert world.timeline("joined")[0].actor == "Carol Jensen"


def test_six_escalates_and_nine_repeats(world, alice, bob, carol):
    alice.reports("Checkout is down")
    world.advance(seconds=60)
    assert "Checkout is down" in bob.presses("9")
    assert "goes to the next step now" in bob.presses("6")
    assert carol.is_paged


def test_voicemail_never_acknowledges(world, alice, bob, carol):
    alice.reports("Checkout is down")
    world.advance(seconds=60)
    call = bob.phone.calls[-1]
    world.fakes.phone.silence(call, world.desk)
    world.fakes.phone.status(call, "completed", world.desk)
    world.settle()
    assert not world.incident.is_acknowledged
    world.advance(minutes=2)
    assert carol.is_paged


def test_handing_back_pages_the_next_one_at_once(world, alice, bob, carol):
    """E-11."""
    alice.reports("Checkout is down")
    bob.acknowledges()
    world.advance(minutes=1)
    bob.presses_button("hand-back", reason="my train enters a tunnel")
    assert carol.is_paged
    assert not world.incident.is_acknowledged


def test_an_acknowledgement_without_activity_runs_out(world, alice, bob, carol):
    """E-06: thirty minutes after the last activity, paging starts again, with the acker."""
    alice.reports("Checkout is down")
    bob.acknowledges()
    world.advance(minutes=10)
    bob.presses_button("note", text="looking at the logs")
    rung = Page.objects.filter(user=bob.user).exclude(reason="update_late")  # alice's updates are another matter
    pages = rung.count()
    world.advance(minutes=29)
    assert rung.count() == pages
    world.advance(minutes=1)
    assert rung.count() > pages
    assert not world.incident.is_acknowledged
    assert world.timeline("ack_expired")


def test_reading_a_page_link_changes_nothing(world, alice, bob):
    """S12: link scanners read; only a person presses."""
    alice.reports("Checkout is down")
    link = bob.phone.texts[-1].body.rsplit(" ", 1)[1].removeprefix("http://testserver")
    for _ in range(3):
        assert Client().head(link).status_code in (200, 405)
    assert not world.incident.is_acknowledged


def test_a_forged_or_old_link_says_so(world, alice, bob):
    alice.reports("Checkout is down")
    assert Client().get("/a/forged/").status_code == 404


def test_a_stranger_cannot_acknowledge_by_text(world, alice):
    alice.reports("Checkout is down")
    answer = world.fakes.sms.reply("+4915199999999", f"ACK {world.incident.pk}", world.desk)
    world.settle()
    assert answer.status == 200
    assert not world.incident.is_acknowledged


def test_a_tampered_body_cannot_acknowledge(world, alice, bob):
    alice.reports("Checkout is down")
    url = world.hook("slack")
    response = Client().post(
        url,
        json.dumps({"type": "block_actions"}),
        content_type="application/json",
        headers={"X-Slack-Signature": "v0=00"},
    )
    assert response.status_code == 401
    assert not world.incident.is_acknowledged


def test_without_any_policy_whoever_stands_in_is_paged_until_somebody_answers(world, alice, dana):
    """A desk nobody finished setting up still wakes somebody."""
    PolicyRule.objects.all().delete()
    alice.reports("Checkout is down")
    assert dana.is_paged
    assert "No escalation policy covers P1" in world.timeline("no_policy")[0].text
    before = len(dana.phone.texts)
    world.advance(minutes=11)
    assert len(dana.phone.texts) >= before + 2
    dana.acknowledges()
    assert world.incident.acknowledged_by == dana.user
