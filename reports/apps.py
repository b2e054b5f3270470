from django.apps import AppConfig


class ReportsConfig(AppConfig):
    """Post-incident reports and figures."""

    name = "reports"
    verbose_name = "Reports"
