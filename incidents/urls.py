"""Addresses of the incidents app, one namespace an audience."""

from django.urls import include, path

from incidents import console, hooks, pages, portal, statuspage

console_patterns = [
    path("", console.show_queue, name="queue"),
    path("declare/", console.declare, name="declare"),
    path("jump/", console.jump, name="jump"),
    path("incidents/<int:pk>/", console.show_incident, name="incident"),
    path("incidents/<int:pk>/<slug:verb>/", console.act, name="act"),
    path("customers/", console.list_customers, name="customers"),
    path("customers/<slug:slug>/", console.show_customer, name="customer"),
    path("status/", console.list_notices, name="notices"),
    path("status/<int:pk>/post/", console.post_notice, name="post-notice"),
]
portal_patterns = [
    path("", portal.home, name="home"),
    path("report/", portal.report, name="report"),
    path("plan/", portal.plan, name="plan"),
    path("incidents/", portal.list_incidents, name="incidents"),
    path("incidents/<int:pk>/", portal.show_incident, name="incident"),
    path("incidents/<int:pk>/<slug:verb>/", portal.act, name="act"),
]
status_patterns = [
    path("", statuspage.front, name="front"),
    path("<slug:slug>/", statuspage.show, name="page"),
    path("<slug:slug>/status.json", statuspage.as_json, name="json"),
]

urlpatterns = [
    path("portal/", include((portal_patterns, "portal"))),
    path("status/", include((status_patterns, "status"))),
    path("a/<str:token>/", pages.show, name="page"),
    path("hooks/<slug:vendor>/<str:code>/", hooks.receive, name="hook"),
]
