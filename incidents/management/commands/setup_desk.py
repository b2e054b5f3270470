"""`manage.py setup_desk`: what a new desk starts with. Running it again changes nothing that is there."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand
from django.db import transaction

from incidents.models import StatusPage
from rotations import shipped
from rotations.models import Layer, Schedule
from supportdesk.organizations import catalogue


class Command(BaseCommand):
    help = "Installs plans XS, S and M, two empty schedules, the escalation policies and a status page."

    @transaction.atomic
    def handle(self, **options: Any) -> None:
        versions = catalogue.install()
        self.stdout.write("Plans: " + ", ".join(str(version) for version in versions.values()))
        schedule, _ = Schedule.objects.get_or_create(slug="on-call", defaults={"name": "On call"})
        duty = Schedule.objects.filter(duty=True).order_by("pk").first()
        if duty is None:
            duty = Schedule.objects.create(slug="duty-managers", name="Duty managers", duty=True)
        shipped.install(schedule)
        self.stdout.write(f"Escalation policies for P1 to P4, paging {schedule} and then {duty}.")
        page, _ = StatusPage.objects.get_or_create(
            slug="status", defaults={"name": "Status", "headline": "How our services are doing"}
        )
        self.stdout.write(f"Status page: /status/{page.slug}/")
        empty = [each for each in (schedule, duty) if not Layer.objects.filter(schedule=each).exists()]
        for each in empty:
            self.stdout.write(f"To do: put layers and people into the schedule “{each}” (back office → Schedules).")
