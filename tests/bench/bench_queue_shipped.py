"""django-q2 as shipped, as a peer: its own settings (`orm`, two workers, everything else as it comes), and its sender.

`DJANGO_SETTINGS_MODULE=bench_queue_shipped python -m django qcluster` works, `python bench_queue_shipped.py MODE N
RATE` sends.
"""

from __future__ import annotations

import os
import sys
import time
from datetime import UTC, datetime
from urllib.parse import urlsplit

_at = urlsplit(os.environ["BENCH_DATABASE"])
SECRET_KEY = "only-for-measuring"
INSTALLED_APPS = ["django.contrib.auth", "django.contrib.contenttypes", "django_q"]
USE_TZ = True
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
DATABASES = {
    "default": {
        "ENGINE": "django.db.backends.postgresql",
        "NAME": _at.path[1:],
        "USER": _at.username,
        "PASSWORD": _at.password,
        "HOST": _at.hostname,
        "PORT": _at.port,
    }
}
Q_CLUSTER = {"name": "shipped", "orm": "default", "workers": 2, "timeout": 50, "retry": 60, "log_level": "ERROR"}


def main() -> None:
    import django

    os.environ["DJANGO_SETTINGS_MODULE"] = "bench_queue_shipped"
    django.setup()
    from bench_queue_send import send
    from django_q.models import Schedule
    from django_q.tasks import async_task, schedule

    def now(due: float) -> None:
        async_task("bench_queue_tasks.stamp", due)

    def later(due: float) -> None:
        at = datetime.fromtimestamp(due, UTC)
        schedule("bench_queue_tasks.stamp", due, schedule_type=Schedule.ONCE, next_run=at, repeats=-1)

    now(time.time())
    send(sys.argv[1:], now, later)


if __name__ == "__main__":
    main()
