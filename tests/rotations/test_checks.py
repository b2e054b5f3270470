"""A new desk: one command gives it everything but people, and the deploy check says that they are missing."""

from __future__ import annotations

from io import StringIO

import pytest
from django.core.management import call_command

from rotations.checks import somebody_is_paged
from rotations.models import EscalationPolicy, Layer, PolicyRule, RotationMember, Schedule

pytestmark = pytest.mark.django_db


@pytest.fixture
def bare() -> None:
    """A desk as it is after `migrate`."""
    for model in (PolicyRule, EscalationPolicy, Schedule):
        model.objects.all().delete()


def _said() -> set[str]:
    return {f"{message.id} {message.msg}" for message in somebody_is_paged(None)}


def test_an_empty_desk_is_told_that_it_pages_nobody(bare) -> None:
    assert {message.split()[0] for message in _said()} == {"rotations.W001", "rotations.W003"}


def test_one_command_sets_a_desk_up_and_says_what_is_left_to_do(bare) -> None:
    out = StringIO()
    call_command("setup_desk", stdout=out)
    assert "put layers and people into the schedule “On call”" in out.getvalue()
    assert _said() == {
        "rotations.W002 Nobody is in the schedule “On call”.",
        "rotations.W002 Nobody is in the schedule “Duty managers”.",
    }

    before = (EscalationPolicy.objects.count(), PolicyRule.objects.count(), Schedule.objects.count())
    call_command("setup_desk", stdout=StringIO())
    assert (EscalationPolicy.objects.count(), PolicyRule.objects.count(), Schedule.objects.count()) == before


def test_a_desk_with_people_is_left_in_peace(world) -> None:
    assert RotationMember.objects.exists() and Layer.objects.exists()
    assert _said() == set()
