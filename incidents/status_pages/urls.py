"""Addresses of the status pages. Names beginning with a tilde can be no page's."""

from django.urls import path, re_path

from incidents.status_pages import doors, planning_doors, subscriber_doors

status_patterns = [
    path("", doors.front, name="front"),
    path("~link/", subscriber_doors.ask_for_link, name="link"),
    path("~open/<str:token>/", subscriber_doors.open_link, name="open"),
    path("~confirm/<str:token>/", subscriber_doors.confirm, name="confirm"),
    path("~stop/<str:token>/", subscriber_doors.stop, name="stop"),
    path("<slug:slug>/", doors.show, name="page"),
    path("<slug:slug>/status.json", doors.as_json, name="json"),
    re_path(r"^(?P<slug>[-\w]+)/feed\.(?P<form>rss|atom)$", doors.feed, name="feed"),
    path("<slug:slug>/maintenance.ics", doors.ical, name="ical"),
    path("<slug:slug>/badge.svg", doors.badge, name="badge"),
    path("<slug:slug>/history/", doors.history, name="history"),
    re_path(r"^(?P<slug>[-\w]+)/history/(?P<month>\d{4}-\d{2})/$", doors.history, name="month"),
    path("<slug:slug>/subscribe/", subscriber_doors.subscribe, name="subscribe"),
]
console_patterns = [
    path("status/plan/", planning_doors.plan, name="plan-maintenance"),
    path("status/<int:pk>/move/", planning_doors.move, name="move-maintenance"),
    path("status/<int:pk>/call-off/", planning_doors.call_off, name="call-off-maintenance"),
]
