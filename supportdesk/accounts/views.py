"""One's own account: the invitation, settings, ways to be reached."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import messages
from django.contrib.auth import login
from django.contrib.auth.decorators import login_not_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_POST

from supportdesk import zones
from supportdesk.accounts import actions
from supportdesk.accounts.models import ContactMethod, User
from supportdesk.actors import Actor
from supportdesk.errors import DeskError, Invalid, NotFound
from supportdesk.web.doors import back, door
from supportdesk.web.errors import answer


class AcceptForm(forms.Form):
    """Choose a password; the address is known."""

    password = forms.CharField(
        label="Password",
        widget=forms.PasswordInput(attrs={"autocomplete": "new-password"}),
        help_text="At least 10 characters.",
    )
    again = forms.CharField(label="The same again", widget=forms.PasswordInput(attrs={"autocomplete": "new-password"}))

    def clean(self) -> dict[str, str]:
        said = super().clean() or {}
        if said.get("password") != said.get("again"):
            self.add_error("again", "The two passwords differ.")
        return said


class SettingsForm(forms.ModelForm):
    """Name, zone, holidays, theme, shortcuts; customers are on no rota, so their holidays are nobody's business."""

    class Meta:
        model = User
        fields = ("name", "time_zone", "holiday_region", "theme", "shortcuts")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if not self.instance.works_here:
            del self.fields["holiday_region"]

    def clean_time_zone(self) -> str:
        try:
            return zones.check_zone(self.cleaned_data["time_zone"])
        except ValueError as error:
            raise forms.ValidationError(str(error)) from error


class QuietForm(forms.Form):
    """From when until when pages that are not urgent wait."""

    quiet_from = forms.TimeField(label="From", required=False, widget=forms.TimeInput({"type": "time"}, "%H:%M"))
    quiet_until = forms.TimeField(label="Until", required=False, widget=forms.TimeInput({"type": "time"}, "%H:%M"))


@login_not_required
@require_POST
def theme(request: HttpRequest) -> HttpResponse:
    """Light, dark, or as the device says: kept with the account, or in a cookie for strangers."""
    chosen = request.POST.get("theme", "")
    if chosen not in User.Theme.values:
        return answer(request, Invalid("Choose light, dark or system.", field="theme"))
    response = redirect(back(request))
    if request.user.is_authenticated:
        User.objects.filter(pk=request.user.pk).update(theme=chosen)
    else:
        response.set_cookie("theme", chosen, max_age=365 * 86_400, samesite="Lax", httponly=True)
    return response


@login_not_required
def accept_invitation(request: HttpRequest, token: str) -> HttpResponse:
    """GET shows the form, POST makes the account and logs in."""
    try:
        invitation = actions.open_invitation(token)
    except NotFound as error:
        return answer(request, error)
    form = AcceptForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            user = actions.accept_invitation(token, password=form.cleaned_data["password"])
        except Invalid as error:
            form.add_error("password", error.detail)
        else:
            login(request, user, backend="supportdesk.accounts.backends.RoleBackend")
            return redirect("home")
    organization = invitation.contact.organization if invitation.contact else None
    context = {"form": form, "invitation": invitation, "organization": organization, "is_open": True}
    response = render(request, "account/invitation.html", context)
    response["Referrer-Policy"] = "same-origin"  # no-referrer makes browsers send the form from origin "null": refused
    return response


@door("settings")
def settings(request: HttpRequest, actor: Actor) -> HttpResponse:
    """Change one's own settings."""
    user = User.objects.get(pk=actor.user_id)
    form = SettingsForm(request.POST or None, instance=user)
    if request.method == "POST" and form.is_valid():
        form.save()
        messages.success(request, "Saved.")
        return redirect("account_settings")
    context = {
        "form": form,
        "methods": user.contact_methods.all(),
        "kinds": ContactMethod.Kind.choices,
        "quiet_form": QuietForm(initial={"quiet_from": user.quiet_from, "quiet_until": user.quiet_until}),
        "section": "settings",
    }
    return render(request, "account/settings.html", context)


@require_POST
@door("settings", staff=True)
def methods(request: HttpRequest, actor: Actor) -> HttpResponse:
    """Add, verify or remove a way to be reached."""
    said = request.POST
    what, pk = said.get("what", ""), said.get("method", "")
    if what == "add":
        actions.add_method(actor=actor, kind=said.get("kind", ""), address=said.get("address", ""))
        messages.success(request, "A code is on its way. Enter it here when it arrives.")
    elif what in _METHOD_VERBS and pk.isdigit():
        _METHOD_VERBS[what](int(pk), actor, said.get("code", ""))
        messages.success(request, "Done.")
    else:
        raise DeskError("This form is out of date. Please reload the page.")
    return redirect("account_settings")


@require_POST
@door("settings", staff=True)
def quiet_hours(request: HttpRequest, actor: Actor) -> HttpResponse:
    """Set the quiet hours, or take them away by leaving both times empty."""
    form = QuietForm(request.POST)
    if not form.is_valid():
        raise Invalid("Write times as 22:00.", field=next(iter(form.errors)))
    said = form.cleaned_data
    user = actions.set_quiet_hours(actor=actor, start=said["quiet_from"], end=said["quiet_until"])
    messages.success(request, "Quiet hours are set." if user.quiet_hours else "You have no quiet hours.")
    return redirect("account_settings")


def _send_again(pk: int, actor: Actor, code: str) -> None:
    method = ContactMethod.objects.filter(pk=pk, user_id=actor.user_id).first()
    if method is None:
        raise NotFound("There is no such contact method.")
    actions.send_code(method, actor=actor)


_METHOD_VERBS = {
    "verify": lambda pk, actor, code: actions.verify_method(pk, actor=actor, code=code),
    "again": _send_again,
    "remove": lambda pk, actor, code: actions.remove_method(pk, actor=actor),
}
