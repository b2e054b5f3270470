from django.apps import AppConfig


class RotationsConfig(AppConfig):
    """Who is on call, and who is paged in which order."""

    name = "rotations"
    verbose_name = "On call"

    def ready(self) -> None:
        import rotations.checks  # noqa: F401  registers the checks
        from rotations import watching

        watching.begin()
