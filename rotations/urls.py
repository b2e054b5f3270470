"""Addresses of the rotations app."""

from django.urls import include, path

from rotations import console, ical, proof_console

console_patterns = [
    path("", console.on_call, name="oncall"),
    path("calendar/", console.calendar, name="calendar"),
    path("mine/", console.my_shifts, name="mine"),
    path("swaps/", console.swaps, name="swaps"),
    path("leave/", console.leave, name="leave"),
    path("fairness/", console.fairness, name="fairness"),
    path("plan/", console.plan, name="plan"),
    path("do/<slug:verb>/", console.act, name="act"),
]

proof_patterns = [
    path("proof/", proof_console.certificate, name="certificate"),
    path("what-if/", proof_console.ask_what_if, name="what-if"),
]

urlpatterns = [
    path("calendar/<str:token>/on-call.ics", ical.show, name="rota-feed"),
    path("console/on-call/", include((console_patterns, "rotations"))),
    path("console/", include((proof_patterns, "proof"))),
]
