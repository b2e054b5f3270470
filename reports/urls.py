"""Addresses of the reports app."""

from django.urls import include, path

from reports import console, item_pages, portal

console_patterns = [
    path("", console.index, name="index"),
    path("draft/<int:incident_pk>/", console.draft, name="draft"),
    path("<int:pk>/", console.show, name="report"),
    path("<int:pk>/items/", item_pages.add, name="add-item"),
    path("items/<int:pk>/", item_pages.change, name="item"),
    path("<int:pk>/<slug:verb>/", console.act, name="act"),
]
portal_patterns = [
    path("", portal.index, name="index"),
    path("<int:pk>/", portal.show, name="report"),
]

urlpatterns = [
    path("console/reports/", include((console_patterns, "reports"))),
    path("portal/reports/", include((portal_patterns, "portal-reports"))),
]
