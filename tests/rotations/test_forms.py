"""Forms of the rota: an empty choice says what none means."""

from __future__ import annotations

import pytest
from django import forms

from rotations.forms import LeaveForm, PlanForm, SwapForm


@pytest.mark.django_db
@pytest.mark.parametrize("form", [PlanForm, LeaveForm, SwapForm])
def test_no_choice_is_a_row_of_dashes(form: type[forms.Form]) -> None:
    assert "----" not in str(form())


def test_what_none_means_is_in_words(world, dana) -> None:
    asked = dana.reads("/console/on-call/plan/")
    assert "Choose a schedule" in asked
    assert "Choose a person" in asked
