"""Forms: impact and urgency in plain words; nobody types a severity."""

from __future__ import annotations

from typing import Any

from django import forms

from incidents.actions import Report
from incidents.models.incident import Impact, Urgency
from supportdesk.organizations.models import Contact, Organization, Service

_RAISER_FIELDS = ("security_exposure", "data_loss", "safety")


class ReportForm(forms.Form):
    """What a customer in distress is asked: four questions, plain words."""

    title = forms.CharField(
        label="What is broken?",
        max_length=200,
        help_text="One line is enough.",
        widget=forms.TextInput(
            attrs={"autofocus": True, "placeholder": "Checkout answers with an error for everybody"}
        ),
    )
    impact = forms.TypedChoiceField(
        label="Who is affected?", coerce=int, choices=Impact.choices, widget=forms.RadioSelect
    )
    urgency = forms.TypedChoiceField(
        label="How bad is it right now?", coerce=int, choices=Urgency.choices, widget=forms.RadioSelect
    )
    service = forms.ModelChoiceField(
        label="Which service?", queryset=Service.objects.none(), required=False, empty_label="Not sure"
    )
    data_loss = forms.BooleanField(label="Data has been lost or damaged", required=False)
    security_exposure = forms.BooleanField(label="Somebody may have seen or taken data they should not", required=False)
    safety = forms.BooleanField(label="People are in danger", required=False)
    description = forms.CharField(
        label="Anything that helps us",
        required=False,
        max_length=20_000,
        widget=forms.Textarea(attrs={"rows": 5}),
        help_text="When did it begin, what changed, what did you try? You can add more later.",
    )
    request_key = forms.CharField(required=False, max_length=80, widget=forms.HiddenInput)

    def __init__(self, *args: Any, organization: Organization | None = None, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.organization = organization
        self.fields["service"].queryset = Service.objects.filter(organization=None) | Service.objects.filter(  # type: ignore[attr-defined]
            organization=organization, organization__isnull=False
        )

    def report(self, source: str, reporter: Contact | None = None) -> Report:
        """The cleaned form as the verb wants it."""
        said = self.cleaned_data
        return Report(
            title=said["title"],
            description=said["description"],
            source=source,
            impact=said["impact"],
            urgency=said["urgency"],
            raisers=tuple(name for name in _RAISER_FIELDS if said[name]),
            organization=self._organization(),
            reporter=reporter,
            service=said["service"],
            request_key=said["request_key"],
        )

    def _organization(self) -> Organization | None:
        return self.organization


class StaffReportForm(ReportForm):
    """The same, for a customer who called or wrote, or for our own platform."""

    customer = forms.ModelChoiceField(
        label="For which customer?",
        queryset=Organization.objects.filter(is_hidden=False),
        required=False,
        empty_label="Our own platform",
    )
    reporter = forms.ModelChoiceField(
        label="Who told us?",
        queryset=Contact.objects.filter(is_active=True)
        .select_related("organization")
        .order_by("organization__name", "name"),
        required=False,
        empty_label="Nobody in particular",
        help_text="They hear what happens by e-mail.",
    )
    field_order = ("customer", "reporter", "title", "impact", "urgency")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["service"].queryset = Service.objects.all()  # type: ignore[attr-defined]
        del self.fields["request_key"]

    def report(self, source: str, reporter: Contact | None = None) -> Report:
        self.cleaned_data["request_key"] = ""
        return super().report(source, self.cleaned_data["reporter"])

    def clean_reporter(self) -> Contact | None:
        reporter, customer = self.cleaned_data["reporter"], self.cleaned_data.get("customer")
        if reporter is not None and reporter.organization != customer:
            raise forms.ValidationError(f"{reporter.name} belongs to {reporter.organization}. Choose that customer.")
        return reporter

    def _organization(self) -> Organization | None:
        return self.cleaned_data["customer"]
