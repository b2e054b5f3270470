"""The integrators' door: incidents over REST.

`incidents` reports and reads, `verbs` does what people do, `clocks` shows what is promised and proves it, `follow_ups`
are what managers still have to do, `previews` answers questions about the rules, `monitoring` is
for heartbeats, maintenance and series, `stakeholders` says who else hears.
"""

from django.urls import path

from incidents.api import monitoring, stakeholders
from incidents.api.clocks import ClocksView, EvidenceView
from incidents.api.follow_ups import FollowUpDoneView, FollowUpsView
from incidents.api.incidents import IncidentDetail, IncidentList, IncidentTimeline
from incidents.api.previews import PreviewView
from incidents.api.verbs import VERBS

urlpatterns = [
    path("preview/<slug:kind>/", PreviewView.as_view(), name="preview"),
    path("incidents/", IncidentList.as_view(), name="incidents"),
    path("incidents/<int:pk>/", IncidentDetail.as_view(), name="incident"),
    path("incidents/<int:pk>/timeline/", IncidentTimeline.as_view(), name="incident-timeline"),
    path("incidents/<int:pk>/clocks/", ClocksView.as_view(), name="incident-clocks"),
    path("incidents/<int:pk>/evidence/", EvidenceView.as_view(), name="incident-evidence"),
    *(path(f"incidents/<int:pk>/{verb}/", view.as_view(), name=f"incident-{verb}") for verb, view in VERBS.items()),
    path("follow-ups/", FollowUpsView.as_view(), name="follow-ups"),
    path("follow-ups/<int:pk>/done/", FollowUpDoneView.as_view(), name="follow-up-done"),
    *monitoring.urlpatterns,
    *stakeholders.urlpatterns,
]
