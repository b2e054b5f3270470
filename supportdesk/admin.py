"""The back office of the cellar: people, customers, plans, connections, and what leaves the desk."""

from __future__ import annotations

from typing import Any

from allauth.account.models import EmailAddress, EmailConfirmation
from allauth.mfa.models import Authenticator
from django import forms
from django.conf import settings
from django.contrib import admin, messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import path, reverse
from django.utils.html import format_html

from supportdesk import integrations
from supportdesk.accounts import actions as account_actions
from supportdesk.actors import Role
from supportdesk.errors import DeskError
from supportdesk.integrations import actions as connection_actions
from supportdesk.integrations.base import Integration
from supportdesk.models import (
    ApiToken,
    AuditEntry,
    BusinessCalendar,
    Connection,
    Contact,
    ContactMethod,
    Contract,
    Delivery,
    InboundEvent,
    Invitation,
    Organization,
    Plan,
    PlanVersion,
    Service,
    Timer,
    User,
)
from supportdesk.organizations import following
from supportdesk.web.audited import Audited, ReadOnly, actor_of

# allauth's own pages would show TOTP secrets and let addresses be changed behind the invitation's back.
for theirs in (Authenticator, EmailAddress, EmailConfirmation):
    if admin.site.is_registered(theirs):
        admin.site.unregister(theirs)


class ContactMethodInline(admin.TabularInline):
    model = ContactMethod
    extra = 0
    readonly_fields = ("verified_at",)


@admin.register(User)
class UserAdmin(Audited):
    """People come in by invitation; here they are changed or switched off."""

    list_display = ("name", "email", "role", "is_senior", "is_active", "reachable")
    list_filter = ("role", "is_active", "is_senior")
    search_fields = ("name", "email")
    fields = ("name", "email", "role", "is_senior", "time_zone", "is_active")
    inlines = (ContactMethodInline,)

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Nobody rises by changing somebody above them."""
        above = isinstance(obj, User) and obj.is_superuser and not request.user.is_superuser
        return not above and super().has_change_permission(request, obj)

    @admin.display(description="reachable by")
    def reachable(self, user: User) -> str:
        return ", ".join(m.get_kind_display() for m in user.contact_methods.all() if m.is_usable) or "nothing"

    def get_queryset(self, request: HttpRequest) -> Any:
        return super().get_queryset(request).prefetch_related("contact_methods")


class InviteForm(forms.ModelForm):
    """Whom to let in. The link goes to their address."""

    class Meta:
        model = Invitation
        fields = ("email", "name", "role", "contact")

    def clean(self) -> dict[str, Any]:
        said = super().clean() or {}
        if (said.get("role") == Role.CUSTOMER) != (said.get("contact") is not None):
            self.add_error("contact", "A customer's log-in belongs to a contact; staff have none.")
        return said


@admin.register(Invitation)
class InvitationAdmin(Audited):
    """Inviting sends the mail at once; the link is never shown here."""

    form = InviteForm
    list_display = ("email", "name", "role", "created_at", "expires_at", "accepted_at")
    autocomplete_fields = ("contact",)

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        made, _ = account_actions.invite(
            actor=actor_of(request), email=obj.email, name=obj.name, role=obj.role, contact=obj.contact
        )
        obj.pk = made.pk
        messages.success(request, f"The invitation is on its way to {made.email}.")

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


class ContactInline(admin.TabularInline):
    model = Contact
    extra = 0
    fields = (
        "name",
        "email",
        "phone",
        "slack_id",
        "may_declare_emergency",
        "is_executive",
        "is_admin",
        "is_active",
        "language",
    )


class ContractInline(admin.TabularInline):
    model = Contract
    extra = 0
    fields = ("plan_version", "state", "valid_from", "valid_until", "grace_days", "calendar")


@admin.register(Organization)
class OrganizationAdmin(Audited):
    list_display = ("name", "time_zone", "account_manager", "plan")
    search_fields = ("name", "slug")
    prepopulated_fields = {"slug": ("name",)}
    inlines = (ContractInline, ContactInline)
    list_select_related = ("account_manager",)

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        super().save_model(request, obj, form, change)
        if change and "time_zone" in form.changed_data:
            following.watch_all(obj)

    def save_formset(self, request: HttpRequest, form: Any, formset: Any, change: bool) -> None:
        super().save_formset(request, form, formset, change)
        if formset.model is not Contract:
            return
        for contract in [*formset.new_objects, *(row for row, _ in formset.changed_objects)]:
            following.watch(contract)
        for contract in formset.deleted_objects:
            following.forget(contract.pk, contract.organization_id)

    @admin.display(description="plan")
    def plan(self, organization: Organization) -> str:
        return ", ".join(str(c.plan_version) for c in organization.contracts.all() if c.state == "active") or "none"

    def get_queryset(self, request: HttpRequest) -> Any:
        return super().get_queryset(request).prefetch_related("contracts__plan_version__plan")


@admin.register(Contact)
class ContactAdmin(Audited):
    list_display = ("name", "organization", "email", "may_declare_emergency", "is_active")
    list_filter = ("is_active", "is_executive")
    search_fields = ("name", "email", "organization__name")
    list_select_related = ("organization",)


@admin.register(Contract)
class ContractAdmin(Audited):
    """Open incidents follow every save: an upgrade applies at once, a loss never does (D8)."""

    list_display = ("organization", "plan_version", "state", "valid_from", "valid_until")
    list_filter = ("state", "plan_version__plan")
    search_fields = ("organization__name",)
    list_select_related = ("organization", "plan_version__plan")

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        super().save_model(request, obj, form, change)
        following.watch(obj)

    def delete_model(self, request: HttpRequest, obj: Any) -> None:
        gone = (obj.pk, obj.organization_id)
        super().delete_model(request, obj)
        following.forget(*gone)


class PlanVersionInline(admin.StackedInline):
    """A saved version is shown and never changed; a new one is added below it."""

    model = PlanVersion
    extra = 0

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


@admin.register(Plan)
class PlanAdmin(Audited):
    list_display = ("code", "name")
    inlines = (PlanVersionInline,)


@admin.register(BusinessCalendar)
class BusinessCalendarAdmin(Audited):
    list_display = ("name", "time_zone", "holiday_region", "version")


@admin.register(Service)
class ServiceAdmin(Audited):
    list_display = ("name", "slug", "organization", "tier")
    prepopulated_fields = {"slug": ("name",)}
    search_fields = ("name",)
    list_select_related = ("organization",)


class ConnectionForm(forms.ModelForm):
    """A connection's own fields, as its integration declares them; secrets are written and never shown."""

    class Meta:
        model = Connection
        fields = ("vendor", "name", "organization", "service", "fallback", "is_enabled")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        vendor = self.instance.vendor or self.initial.get("vendor") or self.data.get("vendor")
        self.fields["vendor"].widget = forms.HiddenInput()
        others = Connection.objects.filter(vendor=vendor).exclude(pk=self.instance.pk)
        self.fields["fallback"].queryset = others  # type: ignore[attr-defined]
        if vendor not in dict(integrations.choices()):
            return
        kept = self.instance.settings if self.instance.pk else {}
        has_secrets = bool(self.instance.secrets)
        for declared in integrations.get(vendor).fields:
            self.fields[f"v_{declared.name}"] = _field(declared, kept.get(declared.name, declared.default), has_secrets)

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or self.cleaned_data
        if self.instance.vendor in dict(integrations.choices()):
            for name, problem in integrations.get(self.instance.vendor).problems(self.values()).items():
                self.add_error(f"v_{name}", problem)
        return cleaned

    def values(self) -> dict[str, str]:
        return {name.removeprefix("v_"): value for name, value in self.cleaned_data.items() if name.startswith("v_")}


def _called_at(connection: Any) -> str:
    """The address to enter at the vendor; empty where it sends nothing to us."""
    if connection is None or integrations.get(connection.vendor).receive is Integration.receive:
        return ""
    return f"{settings.PUBLIC_URL}/hooks/{connection.vendor}/{connection.code}/"


def _field(declared: Any, value: str, has_secrets: bool) -> forms.CharField:
    label = declared.label or declared.name.replace("_", " ").capitalize()
    if not declared.secret:
        plain = forms.TextInput(attrs={"class": "vTextField"})
        return forms.CharField(
            label=label, required=declared.required, initial=value, widget=plain, help_text=declared.help
        )
    hint = "Stored. Leave empty to keep it." if has_secrets else ""
    widget = forms.PasswordInput(attrs={"class": "vTextField", "autocomplete": "off", "placeholder": hint})
    return forms.CharField(
        label=label, required=declared.required and not has_secrets, widget=widget, help_text=declared.help
    )


@admin.register(Connection)
class ConnectionAdmin(Audited):
    """Choose a vendor, fill in what it needs, press Test, see the receipt."""

    form = ConnectionForm
    list_display = ("name", "vendor", "organization", "is_enabled", "health", "checked_at")
    list_filter = ("vendor", "is_enabled")
    list_select_related = ("organization",)
    change_form_template = "admin/connection_form.html"

    @admin.display(description="works", boolean=True)
    def health(self, connection: Connection) -> bool | None:
        return connection.works

    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> Any:
        vendor = obj.vendor if obj else request.GET.get("vendor") or request.POST.get("vendor", "")
        declared = (
            [f"v_{f.name}" for f in integrations.get(vendor).fields] if vendor in dict(integrations.choices()) else []
        )
        return [
            (None, {"fields": ("vendor", "name", "organization", "service", "fallback", "is_enabled")}),
            (integrations.get(vendor).label if declared else "Values", {"fields": declared}),
        ]

    def get_form(self, request: HttpRequest, obj: Any = None, change: bool = False, **kwargs: Any) -> Any:
        kwargs["fields"] = ConnectionForm.Meta.fields  # the declared ones are made by the form itself
        return super().get_form(request, obj, change, **kwargs)

    def add_view(self, request: HttpRequest, form_url: str = "", extra_context: Any = None) -> HttpResponse:
        vendor = request.GET.get("vendor") or request.POST.get("vendor")
        if vendor not in dict(integrations.choices()):
            context = {
                **self.admin_site.each_context(request),
                "title": "Connect a vendor",
                "vendors": sorted(integrations.choices(), key=lambda choice: choice[1].lower()),
                "opts": self.opts,
            }
            return render(request, "admin/choose_vendor.html", context)
        return super().add_view(request, form_url, extra_context)

    def get_changeform_initial_data(self, request: HttpRequest) -> dict[str, Any]:
        vendor = request.GET.get("vendor", "")
        return {"vendor": vendor, "name": dict(integrations.choices()).get(vendor, "")}

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        given, before = form.values(), {} if obj.pk is None else obj.values
        connection_actions.save(obj, given, actor=actor_of(request))
        for name in integrations.get(obj.vendor).made({**before, **{k: v for k, v in given.items() if v}}):
            messages.warning(request, f"{name}: {obj.values[name]} (keep it now, it is not shown again)")

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: Any = None
    ) -> HttpResponse:
        connection = self.get_object(request, object_id)
        context = {
            **(extra_context or {}),
            "deliveries": Delivery.objects.filter(connection_id=object_id).order_by("-pk")[:10],
            "called_at": _called_at(connection),
            "address_label": integrations.get(connection.vendor).address_label if connection else "",
        }
        return super().change_view(request, object_id, form_url, context)

    def get_urls(self) -> list[Any]:
        own = [path("<int:pk>/try/", self.admin_site.admin_view(self.try_view), name="supportdesk_connection_try")]
        return own + super().get_urls()

    def try_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Check the connection, or send a test over it; the page then shows what came of it."""
        connection = self.get_object(request, str(pk))
        if request.method == "POST" and isinstance(connection, Connection):
            try:
                if request.POST.get("what") == "check":
                    connection_actions.check(connection, actor=actor_of(request))
                else:
                    connection_actions.send_test(connection, request.POST.get("to", ""), actor=actor_of(request))
                messages.success(request, "On its way. Reload in a moment to see what came of it.")
            except DeskError as error:
                messages.error(request, error.detail)
        return redirect(reverse("admin:supportdesk_connection_change", args=[pk]))


@admin.register(ApiToken)
class ApiTokenAdmin(Audited):
    """Tokens are made by `manage.py token`; here they are seen and revoked."""

    list_display = ("name", "user", "prefix", "scopes", "created_at", "expires_at", "last_used_at", "revoked_at")
    fields = ("revoked_at",)
    list_select_related = ("user",)

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False


@admin.register(AuditEntry)
class AuditEntryAdmin(ReadOnly):
    list_display = ("at", "actor", "via", "verb", "subject", "reason")
    list_filter = ("verb", "via")
    search_fields = ("subject", "actor", "reason")


@admin.register(Delivery)
class DeliveryAdmin(ReadOnly):
    """What leaves the desk, and what came of it."""

    list_display = ("kind", "recipient", "vendor", "state", "attempts", "planned_at", "sent_at", "trouble")
    list_filter = ("state", "vendor", "kind", "lane")
    search_fields = ("recipient", "to", "subject", "key")
    ordering = ("-pk",)

    @admin.display(description="trouble")
    def trouble(self, delivery: Delivery) -> str:
        return format_html("<span>{}</span>", delivery.error[:120])


@admin.register(Timer)
class TimerAdmin(ReadOnly):
    list_display = ("run", "subject", "state", "planned_at", "due_at", "attempts", "error")
    list_filter = ("state", "run", "lane")
    search_fields = ("subject", "key")
    ordering = ("-pk",)


@admin.register(InboundEvent)
class InboundEventAdmin(ReadOnly):
    list_display = ("received_at", "connection", "verb", "state", "attempts", "error")
    list_filter = ("state", "verb")
    ordering = ("-pk",)
