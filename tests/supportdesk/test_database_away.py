"""When the database is away nothing is answered 2xx that was not stored: 503, Retry-After, and words for people."""

from __future__ import annotations

import json
import os
import subprocess
import sys

import pytest

# A desk whose database does not answer: its own process, so that nothing of this one's connection is borrowed.
PROGRAM = """
import json, logging, sys
import django
django.setup()
logging.disable(logging.CRITICAL)
from django.test import Client
answers = []
for method, path, body, headers in json.loads(sys.argv[1]):
    client = Client(raise_request_exception=False)
    response = client.generic(method, path, body, content_type="application/json", headers=headers)
    kind, again = response["Content-Type"], response.get("Retry-After", "")
    answers.append([response.status_code, kind, again, response.content.decode()])
print(json.dumps(answers))
"""
CALLS = [
    ("POST", "/api/v1/incidents/", '{"title": "x", "impact": 1, "urgency": 1}', {"Authorization": "Bearer sd_x"}),
    ("POST", "/hooks/alertmanager/some-code/", "{}", {}),
    ("POST", "/hooks/phone/some-code/", "", {}),
    ("GET", "/status/status/", "", {}),
    ("GET", "/a/some-token/", "", {}),
    ("GET", "/healthz/ready", "", {}),
    ("GET", "/healthz/paging", "", {}),
    ("GET", "/healthz/live", "", {}),
]


@pytest.fixture(scope="module")
def answers():
    """What a desk without a database answers to each of CALLS, by path."""
    env = {**os.environ, "SUPPORTDESK_MODE": "test", "DATABASE_URL": "postgres://nobody:nothing@127.0.0.1:1/none"}
    env["DJANGO_SETTINGS_MODULE"] = "supportdesk.settings"
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, json.dumps(CALLS)], env=env, capture_output=True, text=True, timeout=60
    )
    assert done.returncode == 0, done.stderr
    return {call[1]: answer for call, answer in zip(CALLS, json.loads(done.stdout), strict=True)}


@pytest.mark.parametrize("path", [call[1] for call in CALLS if call[1].startswith(("/api/", "/hooks/"))])
def test_machines_are_told_to_send_it_again(answers, path):
    status, kind, again, body = answers[path]
    assert (status, kind, again) == (503, "application/problem+json", "10")
    assert "Nothing was stored" in json.loads(body)["detail"]


@pytest.mark.parametrize("path", ["/status/status/", "/a/some-token/"])
def test_people_get_a_page_that_says_so(answers, path):
    status, kind, _, body = answers[path]
    # A forged link is refused before the database is asked.
    assert status == (404 if path.startswith("/a/") else 503)
    assert kind.startswith("text/html")
    assert "<html" in body


def test_the_process_is_alive_and_not_ready(answers):
    assert answers["/healthz/live"][0] == 200
    assert answers["/healthz/ready"][0] == 503
    assert json.loads(answers["/healthz/paging"][3])["problems"] == {"database": "away"}
