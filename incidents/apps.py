from django.apps import AppConfig


class IncidentsConfig(AppConfig):
    """Incidents from the first report to the customer's confirmation."""

    name = "incidents"
    verbose_name = "Incidents"
