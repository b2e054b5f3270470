"""How fast the desk takes in what is reported, beside the least a Django REST framework view can do: one INSERT.

    .venv/bin/python tests/bench/bench_intake.py

Each way in is called through its whole WSGI stack in this process, one call after the other, against one PostgreSQL;
rounds of the desk and of the bare view take turns, and the median of the rounds' ratios counts. The bare view has two
middlewares, no authentication and no throttle. Printed: calls a second, queries a call, ratios. Under a minute.

report  `POST /api/v1/incidents/`, a P1 of plan M: entitlement, clocks, first pages, war room, all of it committed
hook    `POST /hooks/alertmanager/…`: one alert, stored and answered
"""

from __future__ import annotations

import io
import json
import os
import statistics
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

ROUNDS = 5
SECONDS = 0.7  # of one round
WARM_UP = 15  # calls
BARE_MIDDLEWARE = ["django.middleware.security.SecurityMiddleware", "django.middleware.common.CommonMiddleware"]
GOALS = {"report": 0.4, "hook": 0.7}  # of the bare view's calls a second
Call = Callable[[int], None]


def caller(application: Any, path: str, body: Callable[[int], Any], token: str, accepted: int) -> Call:
    """One request of a program, as a server would hand it to `application`."""

    def call(number: int) -> None:
        content = json.dumps(body(number)).encode()
        answers: list[str] = []
        environ = {
            "REQUEST_METHOD": "POST",
            "PATH_INFO": path,
            "QUERY_STRING": "",
            "SERVER_NAME": "testserver",
            "SERVER_PORT": "80",
            "SERVER_PROTOCOL": "HTTP/1.1",
            "REMOTE_ADDR": "127.0.0.1",
            "CONTENT_TYPE": "application/json",
            "CONTENT_LENGTH": str(len(content)),
            "HTTP_HOST": "testserver",
            "HTTP_AUTHORIZATION": f"Bearer {token}",
            "wsgi.url_scheme": "http",
            "wsgi.input": io.BytesIO(content),
            "wsgi.errors": sys.stderr,
        }
        response = application(environ, lambda status, headers: answers.append(status))
        said = b"".join(response)
        response.close()
        if not answers[0].startswith(str(accepted)):
            raise SystemExit(f"{path}: {answers[0]} {said[:500]!r}")

    return call


def reported(number: int) -> dict[str, Any]:
    return {"title": f"Checkout is down {number}", "description": "No card is accepted.", "impact": 1, "urgency": 1}


def rate(call: Call, numbers: Iterator[int]) -> float:
    """Calls a second over one round."""
    done, begun = 0, time.perf_counter()
    while (spent := time.perf_counter() - begun) < SECONDS:
        call(next(numbers))
        done += 1
    return done / spent


def bare_view() -> tuple[Any, Call]:
    """A REST framework view that validates a report and stores it, and a table for it: its settings, and a call."""
    from django.core.handlers.wsgi import WSGIHandler
    from django.db import connection, models
    from django.test import override_settings
    from django.urls import path
    from rest_framework import generics, renderers, serializers

    class BareIncident(models.Model):  # noqa: DJ008 (nobody looks at one)
        title = models.CharField(max_length=200)
        description = models.TextField(blank=True)
        impact = models.SmallIntegerField()
        urgency = models.SmallIntegerField()
        created_at = models.DateTimeField(auto_now_add=True, db_index=True)

        class Meta:
            app_label = "bench"

    class BareSerializer(serializers.ModelSerializer):
        class Meta:
            model = BareIncident
            fields = "__all__"

    class BareView(generics.CreateAPIView):
        queryset = BareIncident.objects.all()
        serializer_class = BareSerializer
        authentication_classes = ()
        permission_classes = ()
        throttle_classes = ()
        renderer_classes = (renderers.JSONRenderer,)

    with connection.schema_editor() as editor:
        editor.create_model(BareIncident)
    addresses = type("Addresses", (), {"urlpatterns": [path("incidents", BareView.as_view())]})
    settings = override_settings(MIDDLEWARE=BARE_MIDDLEWARE, ROOT_URLCONF=addresses)
    with settings:
        return settings, caller(WSGIHandler(), "/incidents", reported, "", 201)


def without_limits() -> None:
    """Nobody is asked to come again later: said before Django reads its settings."""
    os.environ["SUPPORTDESK_API_RATE"] = "10000000/min"
    os.environ["SUPPORTDESK_HOOKS_PER_MINUTE"] = "10000000"


def main() -> None:
    without_limits()
    from tests.bench.desk import desk

    with desk():
        json.dump(measured(), sys.stdout, indent=1)


@contextmanager
def open_desk() -> Iterator[dict[str, Call]]:
    """The demo's desk with its stand-in vendors, and the ways into it. At the end, at least one call of each must have
    done what it is for."""
    from django.core.handlers.wsgi import WSGIHandler

    from incidents import demo
    from incidents.models import Page
    from supportdesk import instants
    from supportdesk.queue.models import InboundEvent
    from supportdesk.web.api.tokens import issue_token
    from tests.cast import VENDORS
    from tests.fakes import Fakes
    from tests.fakes.alertmanager import OPEN_END, alert, notification

    def firing(number: int) -> dict[str, Any]:
        return notification([alert(f"Down{number}", "firing", "2026-01-01T00:00:00.000Z", OPEN_END, {})])

    with Fakes() as fakes:
        world = demo.build(instants.now(), vendors={slug: fakes.values(slug) for slug in VENDORS})
        _, token = issue_token(world.users["alice"], "bench", ["report"])
        hook = f"/hooks/alertmanager/{world.connections['alertmanager'].code}/"
        application = WSGIHandler()
        yield {
            "report": caller(application, "/api/v1/incidents/", reported, token, 201),
            "hook": caller(application, hook, firing, fakes.alertmanager.token, 202),
        }
        if not Page.objects.exists() or not InboundEvent.objects.exists():
            raise SystemExit("nobody was paged, or no alert was stored: this measured something else")


def measured() -> dict[str, Any]:
    from contextlib import nullcontext
    from itertools import count

    from django.db import connection
    from django.test.utils import CaptureQueriesContext

    with open_desk() as doors:
        ways = {"bare": bare_view()} | {name: (nullcontext(), call) for name, call in doors.items()}
        numbers, queries = count(1), {}
        for name, (settings, way) in ways.items():
            with settings:
                for _ in range(WARM_UP):
                    way(next(numbers))
                with CaptureQueriesContext(connection) as seen:
                    way(next(numbers))
                queries[name] = len(seen)
        rounds: dict[str, list[float]] = {name: [] for name in ways}
        for _ in range(ROUNDS):
            for name, (settings, way) in ways.items():
                with settings:
                    rounds[name].append(rate(way, numbers))
    return told(rounds, queries)


def told(rounds: dict[str, list[float]], queries: dict[str, int]) -> dict[str, Any]:
    """Medians, and ratios of each round to the bare view's beside it."""
    ratios = {
        name: statistics.median(mine / bare for mine, bare in zip(rounds[name], rounds["bare"], strict=True))
        for name in GOALS
    }
    return {
        "calls_a_second": {name: round(statistics.median(found), 1) for name, found in rounds.items()},
        "queries_a_call": queries,
        "ratio_to_bare": {name: round(ratio, 3) for name, ratio in ratios.items()},
        "goals": {f"{name} at least {goal} of bare": ratios[name] >= goal for name, goal in GOALS.items()},
    }


if __name__ == "__main__":
    main()
