"""Addresses of the rotations app."""

from django.urls import include, path

from rotations import console

console_patterns = [
    path("", console.on_call, name="oncall"),
]

urlpatterns = [path("console/on-call/", include((console_patterns, "rotations")))]
