"""The lanes as settings: who goes first, and whose Schedules are run by whom."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

SHOW = "from django_q.conf import Conf; print(Conf.CLUSTER_NAME, Conf.SCHEDULER, Conf.RETRY > Conf.TIMEOUT)"


def test_pages_and_timers_go_before_the_rest(settings):
    nice = settings.QUEUE_NICENESS
    assert nice.keys() == set(settings.QUEUE_LANES)
    assert nice["page"] == nice["sla"] == 0 < nice["integrations"] < nice["bulk"]


@pytest.mark.parametrize(("name", "scheduler"), [("page", False), ("bulk", False), ("", True)])
def test_only_a_plain_qcluster_runs_schedules(name, scheduler):
    """django-q2's users expect their Schedule rows to run; our lanes run what our rows say."""
    setup = "import django; django.setup(); "
    env = {**os.environ, "DJANGO_SETTINGS_MODULE": "tests.settings", **({"Q_CLUSTER_NAME": name} if name else {})}
    said = subprocess.run([sys.executable, "-c", setup + SHOW], env=env, check=True, capture_output=True, text=True)
    assert said.stdout.split() == [name or "supportdesk", str(scheduler), "True"]
