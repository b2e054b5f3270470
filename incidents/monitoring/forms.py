"""Forms of the monitoring pages. What they make is checked by the models themselves."""

from __future__ import annotations

from typing import Any

from django import forms

from incidents.models import HeartbeatMonitor, MaintenanceWindow, Series
from supportdesk.integrations.models import Connection

WEEKDAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")


class HeartbeatForm(forms.ModelForm):
    """A job that should call: how often, how late it may be, and how bad its silence is."""

    class Meta:
        model = HeartbeatMonitor
        fields = (
            "name",
            "organization",
            "service",
            "period_seconds",
            "cron",
            "time_zone",
            "grace_seconds",
            "severity",
            "description",
        )
        labels = {
            "period_seconds": "Every (seconds)",
            "cron": "Or by cron",
            "grace_seconds": "Grace (seconds)",
            "organization": "Customer",
        }
        widgets = {"description": forms.Textarea(attrs={"rows": 3})}


class WindowForm(forms.ModelForm):
    """When monitors are expected to complain, and which."""

    weekdays = forms.TypedMultipleChoiceField(
        label="On these days",
        coerce=int,
        choices=list(enumerate(WEEKDAYS)),
        required=False,
        widget=forms.CheckboxSelectMultiple,
        help_text="Of a window that comes every week. None: the weekday of the first day.",
    )

    class Meta:
        model = MaintenanceWindow
        fields = (
            "name",
            "services",
            "organization",
            "connection",
            "condition",
            "covers_everything",
            "time_zone",
            "first_day",
            "starts",
            "ends",
            "more_days",
            "repeats",
            "weekdays",
            "last_day",
            "reason",
        )
        labels = {
            "organization": "Only this customer",
            "connection": "Only this monitor",
            "condition": "Only where",
            "covers_everything": "Every alert there is",
            "more_days": "Days longer",
        }
        widgets = {
            "first_day": forms.DateInput(attrs={"type": "date"}),
            "last_day": forms.DateInput(attrs={"type": "date"}),
            "starts": forms.TimeInput(attrs={"type": "time"}),
            "ends": forms.TimeInput(attrs={"type": "time"}),
            "condition": forms.Textarea(attrs={"rows": 2}),
            "reason": forms.Textarea(attrs={"rows": 2}),
        }

    def clean(self) -> dict[str, Any]:
        said = super().clean() or {}
        named = any(said.get(name) for name in ("services", "organization", "connection", "condition"))
        if not named and not said.get("covers_everything"):
            self.add_error("services", "Say what it is about: a service, a condition, or every alert there is.")
        return said


class SeriesForm(forms.ModelForm):
    """A figure to watch: where it comes from and how sensitive to be."""

    class Meta:
        model = Series
        fields = (
            "name",
            "key",
            "unit",
            "organization",
            "service",
            "time_zone",
            "connection",
            "query",
            "interval_seconds",
            "direction",
            "min_delta",
            "min_abs_scale",
        )
        labels = {
            "organization": "Customer",
            "connection": "Prometheus",
            "interval_seconds": "Ask every (seconds)",
            "direction": "Unusual is",
            "min_delta": "Smallest difference that matters",
            "min_abs_scale": "Smallest spread to expect",
        }
        widgets = {"query": forms.Textarea(attrs={"rows": 2})}


class TryForm(forms.Form):
    """A payload, and the connection it would come over."""

    connection = forms.ModelChoiceField(queryset=Connection.objects.none(), empty_label=None)
    payload = forms.CharField(
        widget=forms.Textarea(attrs={"rows": 14, "spellcheck": "false", "class": "mono"}),
        max_length=1_000_000,
        help_text="The JSON as the monitor would send it. Nothing is kept and nobody is paged.",
    )

    def __init__(self, *args: Any, vendors: list[str], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["connection"].queryset = Connection.objects.filter(vendor__in=vendors)  # type: ignore[attr-defined]
