"""Addresses of monitoring: pages of the console, and where jobs call."""

from django.urls import path

from incidents.monitoring import console, doors

console_patterns = [
    path("monitoring/", console.list_alerts, name="monitoring"),
    path("monitoring/heartbeats/", console.list_heartbeats, name="heartbeats"),
    path("monitoring/heartbeats/new/", console.edit_heartbeat, name="heartbeat-new"),
    path("monitoring/heartbeats/<int:pk>/", console.edit_heartbeat, name="heartbeat"),
    path("monitoring/heartbeats/<int:pk>/<slug:verb>/", console.act_on_heartbeat, name="heartbeat-act"),
    path("monitoring/maintenance/", console.list_windows, name="maintenance"),
    path("monitoring/maintenance/new/", console.edit_window, name="window-new"),
    path("monitoring/maintenance/<int:pk>/", console.edit_window, name="window"),
    path("monitoring/maintenance/<int:pk>/call-off/", console.call_off, name="window-call-off"),
    path("monitoring/try/", console.try_payload, name="try-payload"),
    path("monitoring/figures/", console.list_series, name="all-series"),
    path("monitoring/figures/new/", console.edit_series, name="series-new"),
    path("monitoring/figures/<slug:key>/", console.show_series, name="series"),
    path("monitoring/figures/<slug:key>/edit/", console.edit_series, name="series-edit"),
    path("monitoring/figures/<slug:key>/<slug:verb>/", console.act_on_series, name="series-act"),
    path("monitoring/firings/<int:pk>/judge/", console.judge_firing, name="firing-judge"),
]

urlpatterns = [
    path("ping/<str:code>/", doors.ping, name="heartbeat-ping"),
    path("ping/<str:code>/fail/", doors.ping, {"failed": True}, name="heartbeat-fail"),
]
