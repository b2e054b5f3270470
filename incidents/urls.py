"""Addresses of the incidents app, one namespace an audience."""

from django.urls import include, path

from incidents import (
    call_pages,
    console,
    drill_pages,
    files,
    hooks,
    mail_pages,
    pages,
    portal,
    promise_pages,
    room_pages,
    routing_pages,
    text_pages,
    webhook_pages,
    webhook_portal,
)
from incidents.hooks import mail_door
from incidents.monitoring import urls as monitoring
from incidents.status_pages import urls as status_pages
from supportdesk.auditor import console as health

console_patterns = [
    path("", console.show_queue, name="queue"),
    path("declare/", console.declare, name="declare"),
    path("jump/", console.jump, name="jump"),
    path("health/", health.health, name="health"),
    path("drills/", drill_pages.show, name="drills"),
    path("drills/start/", drill_pages.start, name="drill-start"),
    path("incidents/<int:pk>/", console.show_incident, name="incident"),
    path("incidents/<int:pk>/evidence/", promise_pages.show_evidence, name="evidence"),
    path("incidents/<int:pk>/customer/", room_pages.show_liaison, name="liaison"),
    path("incidents/<int:pk>/room/", room_pages.show, name="room"),
    path("incidents/<int:pk>/room/<slug:verb>/", room_pages.act, name="room-act"),
    path("incidents/<int:pk>/<slug:verb>/", console.act, name="act"),
    path("follow-ups/", promise_pages.list_follow_ups, name="follow-ups"),
    path("follow-ups/<int:pk>/done/", promise_pages.finish_follow_up, name="follow-up-done"),
    path("customers/", console.list_customers, name="customers"),
    path("customers/<slug:slug>/", console.show_customer, name="customer"),
    path("calls/", call_pages.list_calls, name="calls"),
    path("routing/", routing_pages.show, name="routing"),
    path("routing/add/", routing_pages.add, name="routing-add"),
    path("routing/<int:pk>/change/", routing_pages.change, name="routing-change"),
    path("routing/<int:pk>/remove/", routing_pages.remove, name="routing-remove"),
    path("texts/", text_pages.list_texts, name="texts"),
    *(
        path(f"texts/<slug:kind>/{place}{verb}", view, name=name)
        for place in ("<slug:language>/", "<slug:language>/<slug:vendor>/")
        for verb, view, name in (
            ("", text_pages.show_text, "text"),
            ("preview/", text_pages.preview, "text-preview"),
            ("save/", text_pages.save_text, "text-save"),
        )
    ),
    path("mail/", mail_pages.list_mail, name="mail"),
    path("mail/<int:pk>/", mail_pages.show_mail, name="held-mail"),
    path("mail/<int:pk>/decide/", mail_pages.decide, name="mail-decide"),
    *monitoring.console_patterns,
    path("webhooks/", webhook_pages.list_endpoints, name="webhooks"),
    path("webhooks/<slug:code>/", webhook_pages.show_endpoint, name="webhook"),
    path("webhooks/<slug:code>/switch/", webhook_pages.switch, name="webhook-switch"),
    path("webhooks/<slug:code>/events/<int:pk>/again/", webhook_pages.send_again, name="webhook-again"),
    path("status/", console.list_notices, name="notices"),
    path("status/<int:pk>/post/", console.post_notice, name="post-notice"),
    *status_pages.console_patterns,
]
portal_patterns = [
    path("", portal.home, name="home"),
    path("report/", portal.report, name="report"),
    path("plan/", portal.plan, name="plan"),
    path("webhooks/", webhook_portal.list_endpoints, name="webhooks"),
    path("webhooks/<slug:code>/", webhook_portal.show_endpoint, name="webhook"),
    path("webhooks/<slug:code>/events/<int:pk>/again/", webhook_portal.send_again, name="webhook-again"),
    path("webhooks/<slug:code>/<slug:verb>/", webhook_portal.act, name="webhook-act"),
    path("incidents/", portal.list_incidents, name="incidents"),
    path("incidents/<int:pk>/", portal.show_incident, name="incident"),
    path("incidents/<int:pk>/<slug:verb>/", portal.act, name="act"),
]

urlpatterns = [
    path("portal/", include((portal_patterns, "portal"))),
    path("status/", include((status_pages.status_patterns, "status"))),
    path("a/<str:token>/", pages.show, name="page"),
    *monitoring.urlpatterns,
    path("files/<uuid:code>/", files.download, name="attachment"),
    path("hooks/mail_in/<str:code>/", mail_door.receive, name="mail-hook"),
    path("hooks/<slug:vendor>/<str:code>/", hooks.receive, name="hook"),
]
