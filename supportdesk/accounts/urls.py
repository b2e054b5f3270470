"""Addresses about one's own account."""

from django.urls import path

from supportdesk.accounts import views

urlpatterns = [
    path("invitation/<str:token>/", views.accept_invitation, name="accept_invitation"),
    path("theme/", views.theme, name="theme"),
    path("settings/", views.settings, name="account_settings"),
    path("settings/methods/", views.methods, name="account_methods"),
    path("settings/quiet-hours/", views.quiet_hours, name="account_quiet_hours"),
]
