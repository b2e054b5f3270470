"""A form with every kind of field, for the gallery."""

from __future__ import annotations

from django import forms

IMPACTS = [
    ("1", "Everyone, or everything"),
    ("2", "A core part, or many people"),
    ("3", "A few people, or a side part"),
]
URGENCIES = [
    ("1", "Stopped: no way around it"),
    ("2", "Painful: a way around, just about"),
    ("3", "Normal: it can wait a little"),
]
IMPACT_HINTS = {
    "1": "All or most users, data lost, or something exposed.",
    "2": "Something important does not work, or many people are affected.",
    "3": "Annoying, but work goes on.",
}
URGENCY_HINTS = {
    "1": "Business stands still.",
    "2": "It works with effort, or is about to fail.",
    "3": "Within the day is fine.",
}


class ReportForm(forms.Form):
    """What a customer is asked while something is broken: as little as possible."""

    title = forms.CharField(label="What is wrong?", help_text="One line, in your words.", max_length=140)
    impact = forms.ChoiceField(label="Who or what is affected?", choices=IMPACTS, widget=forms.RadioSelect)
    urgency = forms.ChoiceField(label="How badly does it hurt?", choices=URGENCIES, widget=forms.RadioSelect)
    details = forms.CharField(
        label="What did you see, and since when?",
        required=False,
        widget=forms.Textarea(attrs={"rows": 4}),
        help_text="Error messages, the last thing that changed, what you have tried.",
    )
    safety = forms.BooleanField(
        label="People could be harmed, data was lost, or something secret is exposed", required=False
    )
    phone = forms.CharField(
        label="Where can we call you now?",
        required=False,
        widget=forms.TextInput(attrs={"type": "tel", "autocomplete": "tel"}),
    )


class EveryFieldForm(forms.Form):
    """One of each, with and without an error."""

    name = forms.CharField(label="Name of the schedule", help_text="As people will say it on the phone.")
    zone = forms.ChoiceField(
        label="Time zone", choices=[("Europe/Berlin", "Europe/Berlin"), ("Asia/Tokyo", "Asia/Tokyo")]
    )
    starts = forms.DateField(label="First day", required=False, widget=forms.DateInput(attrs={"type": "date"}))
    reason = forms.CharField(label="Reason", min_length=20, widget=forms.Textarea(attrs={"rows": 3}))
    days = forms.MultipleChoiceField(
        label="Days",
        choices=[("1", "Monday"), ("2", "Tuesday"), ("3", "Wednesday")],
        widget=forms.CheckboxSelectMultiple,
    )
    wake = forms.BooleanField(label="Call at night", required=False, help_text="P1 always calls.")
    file = forms.FileField(label="Attachment", required=False)
