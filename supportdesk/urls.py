"""All addresses of the desk."""

from django.conf import settings
from django.contrib import admin
from django.urls import include, path
from drf_spectacular.views import SpectacularAPIView, SpectacularSwaggerSplitView

from incidents import api as incidents_api
from incidents.urls import console_patterns
from rotations.api import proof as proof_api
from rotations.api import rota as rota_api
from supportdesk.accounts import urls as account_urls
from supportdesk.integrations import api as integrations_api
from supportdesk.organizations import api as organizations_api
from supportdesk.web import health, home, metrics

handler400 = "supportdesk.web.errors.bad_request"
handler403 = "supportdesk.web.errors.forbidden"
handler404 = "supportdesk.web.errors.not_found"
handler500 = "supportdesk.web.errors.server_error"

api_patterns = [
    *incidents_api.urlpatterns,
    *organizations_api.urlpatterns,
    *integrations_api.urlpatterns,
    *proof_api.urlpatterns,
    *rota_api.urlpatterns,
    path("schema/", SpectacularAPIView.as_view(), name="schema"),
    path("docs/", SpectacularSwaggerSplitView.as_view(url_name="api:schema"), name="docs"),
]

urlpatterns = [
    path("", home.front, name="home"),
    path("favicon.ico", home.icon),
    path("", include("rotations.urls")),
    path("", include("reports.urls")),
    path("console/", include((console_patterns, "console"))),
    path("", include("incidents.urls")),
    path("api/v1/", include((api_patterns, "api"))),
    path("accounts/", include(account_urls)),
    path("accounts/", include("allauth.urls")),
    path("admin/", admin.site.urls),
    path("healthz/live", health.live, name="health-live"),
    path("healthz/ready", health.ready, name="health-ready"),
    path("healthz/paging", health.paging, name="health-paging"),
    path("metrics", metrics.metrics, name="metrics"),
]

if settings.DEBUG:
    urlpatterns.append(path("gallery/", include("supportdesk.gallery.urls")))
