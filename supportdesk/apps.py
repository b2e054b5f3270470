"""The cellar's app, and the back office on a site of our own."""

from __future__ import annotations

from django.apps import AppConfig
from django.contrib.admin.apps import AdminConfig


class DeskAdminConfig(AdminConfig):
    """Django admin, with our index page and our log-in (allauth's, second factor included)."""

    default_site = "supportdesk.web.backoffice.BackOffice"


class SupportdeskConfig(AppConfig):
    """Accounts, organizations, the queue, integrations."""

    name = "supportdesk"
    verbose_name = "Desk"

    def ready(self) -> None:
        import supportdesk.checks  # registers the system checks
        import supportdesk.web.api.schema  # noqa: F401  describes the log-ins of the API
        from supportdesk import version
        from supportdesk.queue import signing

        signing.install()
        version.code()  # now, and not when somebody asks: by then the files may be newer than this process
