"""The back office of reports: looked at here, written in the console."""

from django.contrib import admin

from reports.models import PostIncidentReport
from supportdesk.web.audited import ReadOnly


@admin.register(PostIncidentReport)
class PostIncidentReportAdmin(ReadOnly):
    list_display = ("incident", "status", "owner", "draft_due_at", "final_due_at", "published_at")
    list_filter = ("status",)
    list_select_related = ("incident", "owner")
