"""Two rotas of one desk: where PagerDuty pages, Test and the doctor say whether it would page the right person."""

from __future__ import annotations

import pytest

from rotations.models import EscalationPolicy
from supportdesk.doctor import try_everything
from supportdesk.integrations import actions
from supportdesk.integrations.models import Connection


@pytest.fixture
def pagerduty(world):
    """Connected with a token and the rota to compare, and left to page by every policy."""
    line = Connection.objects.get(vendor="pagerduty")
    fake = world.fakes.pagerduty
    line.set_values({**line.values, **fake.rest_values, "schedule_id": fake.schedule_id})
    line.save()
    EscalationPolicy.objects.update(pager="pagerduty")
    return line


@pytest.fixture
def knows(world):
    """Who has an account at PagerDuty, under our address."""

    def knows(*people):
        world.fakes.pagerduty.people |= {f"P{p.name.upper()}": (p.user.name, p.user.email.title()) for p in people}

    return knows


def test_a_person_it_would_not_page_is_named(world, pagerduty, bob, knows):
    knows(bob)
    said = actions.record_check(pagerduty)
    pagerduty.refresh_from_db()
    assert pagerduty.works
    assert "On call by Emergency rota now: Carol Backup." in pagerduty.check_result
    assert f"On call here: {bob.user.name}." in pagerduty.check_result
    assert f"PagerDuty would not page {bob.user.name}: its rota differs from ours." in said.doubt


def test_the_same_person_in_both_leaves_no_doubt_whatever_the_case_of_the_address(world, pagerduty, bob, knows):
    knows(*world.people.values())
    world.fakes.pagerduty.on_call = {"PBOB"}
    assert actions.record_check(pagerduty).doubt == ""


def test_people_it_could_never_page_are_named(world, pagerduty, bob, carol, knows):
    knows(*(person for person in world.people.values() if person is not carol))
    world.fakes.pagerduty.on_call = {"PBOB"}
    assert actions.record_check(pagerduty).doubt == f"No account there has the address of {carol.user.name}."


def test_as_a_watchdog_it_may_have_a_rota_of_its_own(world, pagerduty):
    EscalationPolicy.objects.update(pager="internal")
    said = actions.record_check(pagerduty)
    assert (said.words, said.doubt) == ("Connected to PagerDuty. On call by Emergency rota now: Carol Backup.", "")


def test_a_rota_it_does_not_show_fails_the_test(pagerduty):
    pagerduty.set_values({**pagerduty.values, "schedule_id": "PGONE"})
    pagerduty.save()
    said = actions.record_check(pagerduty)
    assert (said.works, said.words) == (False, "PagerDuty shows this token no schedule PGONE.")


def test_the_doctor_warns(world, pagerduty, bob, knows):
    knows(bob)
    lines = {line.name: line for line in try_everything()}
    found = lines[f"tried {pagerduty.name}"]
    assert found.state == "warn"
    assert "its rota differs from ours" in found.text
