"""Forms of the rota. Times are typed on the reader's own clock and mean one instant (D9)."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils import timezone

from rotations.models import Layer, Leave, Schedule
from supportdesk import zones
from supportdesk.accounts.models import User
from supportdesk.actors import Role

_FORMAT = "%Y-%m-%dT%H:%M"


class InstantInput(forms.DateTimeInput):
    """The browser's own picker for a day and a time."""

    input_type = "datetime-local"


class InstantField(forms.Field):
    """A wall-clock reading in the reader's zone as an instant: the first one, where the clock shows it twice."""

    widget = InstantInput

    def to_python(self, value: Any) -> datetime | None:
        if not value:
            return None
        try:
            wall = datetime.fromisoformat(str(value))
        except ValueError as error:
            raise ValidationError("Write a day and a time, like 2026-11-29T18:00.") from error
        if wall.tzinfo is not None:
            return wall
        return zones.first_instant(wall, timezone.get_current_timezone_name())

    def prepare_value(self, value: Any) -> Any:
        if not isinstance(value, datetime):
            return value
        return zones.local(value, timezone.get_current_timezone_name()).strftime(_FORMAT)


def colleagues() -> Any:
    """Everybody who can be put on duty."""
    return User.objects.filter(is_active=True).exclude(role=Role.CUSTOMER).order_by("name")


class PlanForm(forms.Form):
    """One person takes one slot for a while."""

    schedule = forms.ModelChoiceField(
        label="Which schedule?", queryset=Schedule.objects.order_by("duty", "name"), empty_label="Choose a schedule"
    )
    slot = forms.ChoiceField(label="As what?", choices=Layer.Slot.choices, initial=Layer.Slot.PRIMARY)
    user = forms.ModelChoiceField(label="Who?", queryset=User.objects.none(), empty_label="Choose a person")
    start = InstantField(label="From")
    end = InstantField(label="Until")
    reason = forms.CharField(label="Why?", required=False, max_length=200, help_text="Everybody concerned reads it.")
    force = forms.CharField(
        label="Against a limit of fatigue",
        required=False,
        max_length=200,
        help_text="Managers only: that they agree, and why it has to be.",
    )

    def __init__(self, *args: Any, only: int | None = None, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        people = colleagues()
        self.fields["user"].queryset = people.filter(pk=only) if only else people  # type: ignore[attr-defined]
        if only:
            del self.fields["force"]


class LeaveForm(forms.Form):
    """When somebody will not be there."""

    kind = forms.ChoiceField(label="What is it?", choices=Leave.Kind.choices, initial=Leave.Kind.HOLIDAY)
    start = InstantField(label="From")
    end = InstantField(label="Until")
    note = forms.CharField(label="Anything to know?", required=False, max_length=200)


class SwapForm(forms.Form):
    """A part of one's shifts, for somebody or for whoever wants it."""

    schedule = forms.ModelChoiceField(queryset=Schedule.objects.all(), widget=forms.HiddenInput)
    slot = forms.ChoiceField(choices=Layer.Slot.choices, widget=forms.HiddenInput)
    start = InstantField(label="From")
    end = InstantField(label="Until")
    taker = forms.ModelChoiceField(
        label="To whom?", queryset=User.objects.none(), required=False, empty_label="Whoever wants it"
    )
    return_start = InstantField(label="In return, from", required=False)
    return_end = InstantField(label="until", required=False)
    note = forms.CharField(label="Anything to know?", required=False, max_length=200)

    def __init__(self, *args: Any, but: int | None = None, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["taker"].queryset = colleagues().exclude(pk=but)  # type: ignore[attr-defined]


class ImportForm(forms.Form):
    """A calendar file."""

    file = forms.FileField(label="A calendar file (.ics)")
