"""django-helpdesk's public form, in its own environment and database: prepares itself, says `ready`, and then answers
each number of seconds on its input with posts a second. Run by `bench_intake_peers.py`."""

from __future__ import annotations

import json
import os
import sys
import time
from io import BytesIO
from urllib.parse import urlencode

import django
from django.conf import settings
from django.urls import include, path

urlpatterns: list = []
TOKEN = "abcdefghijklmnopqrstuvwxyzABCDEF"
FORM = {"queue": 1, "body": "No card is accepted.", "priority": 2, "submitter_email": "alice@acme.example"}


def prepare() -> None:
    template = {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ]
        },
    }
    contrib = ("auth", "contenttypes", "sessions", "sites", "messages", "staticfiles", "admin", "humanize")
    settings.configure(
        SECRET_KEY="x" * 50,
        ALLOWED_HOSTS=["*"],
        USE_TZ=True,
        SITE_ID=1,
        ROOT_URLCONF=__name__,
        INSTALLED_APPS=[*(f"django.contrib.{app}" for app in contrib), "rest_framework", "helpdesk"],
        MIDDLEWARE=[
            "django.middleware.security.SecurityMiddleware",
            "django.contrib.sessions.middleware.SessionMiddleware",
            "django.middleware.common.CommonMiddleware",
            "django.middleware.csrf.CsrfViewMiddleware",
            "django.contrib.auth.middleware.AuthenticationMiddleware",
            "django.contrib.messages.middleware.MessageMiddleware",
        ],
        TEMPLATES=[template],
        DATABASES={"default": {"ENGINE": "django.db.backends.postgresql", **json.loads(os.environ["BENCH_DATABASE"])}},
        DEFAULT_AUTO_FIELD="django.db.models.BigAutoField",
        STATIC_URL="/static/",
        EMAIL_BACKEND="django.core.mail.backends.dummy.EmailBackend",
        LOGIN_URL="/login/",
        LOGGING={"version": 1, "disable_existing_loggers": True},
        HELPDESK_TEAMS_MODE_ENABLED=False,
    )
    django.setup()
    from django.core.management import call_command

    call_command("migrate", verbosity=0)
    from helpdesk.models import Queue

    Queue.objects.create(pk=1, slug="q", title="Queue", allow_public_submission=True)
    urlpatterns.append(path("", include("helpdesk.urls")))


def post(application, number: int) -> None:
    body = urlencode({**FORM, "title": f"Checkout is down {number}", "csrfmiddlewaretoken": TOKEN}).encode()
    environ = {
        "REQUEST_METHOD": "POST",
        "PATH_INFO": "/tickets/submit/",
        "QUERY_STRING": "",
        "SERVER_NAME": "testserver",
        "SERVER_PORT": "80",
        "SERVER_PROTOCOL": "HTTP/1.1",
        "REMOTE_ADDR": "127.0.0.1",
        "CONTENT_TYPE": "application/x-www-form-urlencoded",
        "CONTENT_LENGTH": str(len(body)),
        "HTTP_HOST": "testserver",
        "HTTP_COOKIE": f"csrftoken={TOKEN}",
        "wsgi.url_scheme": "http",
        "wsgi.input": BytesIO(body),
        "wsgi.errors": sys.stderr,
    }
    answers: list[str] = []
    response = application(environ, lambda status, headers: answers.append(status))
    said = b"".join(response)
    response.close()
    if not answers[0].startswith("302"):
        raise SystemExit(f"{answers[0]} {said[:500]!r}")


def say(word: object) -> None:
    sys.stdout.write(f"{word}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    prepare()
    from django.core.handlers.wsgi import WSGIHandler

    application, number = WSGIHandler(), 0
    say("ready")
    for line in sys.stdin:
        done, begun = 0, time.perf_counter()
        while (spent := time.perf_counter() - begun) < float(line):
            number += 1
            done += 1
            post(application, number)
        say(done / spent)
