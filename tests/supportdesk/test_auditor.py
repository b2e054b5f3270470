"""The auditor: findings and alarms, once each; the ping; and that it is quick with a hundred thousand incidents."""

from __future__ import annotations

import http.server
import json
import threading
from datetime import timedelta

import pytest
from django.db import connection

from supportdesk.auditor import alarm, findings, invariants, rounds, watch
from supportdesk.auditor.models import AuditPause, AuditRun, Finding
from supportdesk.auditor.watch import Watch
from tests.sabotage.watching import Watched


class Outside:
    """Whoever is told without the desk: a real web server that remembers what came."""

    def __init__(self):
        outside = self
        self.heard: list[tuple[str, str, str]] = []
        self.status = 200

        class Handler(http.server.BaseHTTPRequestHandler):
            def answer(self):
                body = self.rfile.read(int(self.headers.get("Content-Length") or 0)).decode()
                outside.heard.append((self.command, self.path, body))
                self.send_response(outside.status)
                self.end_headers()

            do_GET = do_POST = answer  # noqa: N815 (the names http.server asks for)

            def log_message(self, *_):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        threading.Thread(target=self.server.serve_forever, args=(0.02,), daemon=True).start()
        self.url = f"http://127.0.0.1:{self.server.server_port}"


@pytest.fixture
def outside(settings):
    made = Outside()
    settings.ALARM_WEBHOOK = f"{made.url}/alarm"
    settings.DEAD_MAN_URL = f"{made.url}/alive"
    settings.ALARM_TWILIO, settings.ALARM_PHONE = "AC2:other-token:+4930222", ["+4930333"]
    settings.ALARM_TWILIO_URL = f"{made.url}/twilio"
    yield made
    made.server.shutdown()
    made.server.server_close()


@pytest.fixture
def desk(world):
    return Watched(world)


@pytest.fixture
def round_(monkeypatch):
    """One round as the process does it, without closing the test's own connection."""
    monkeypatch.setattr(watch, "close_old_connections", lambda: None)
    return Watch().round


def test_all_is_well_and_only_the_switch_hears_of_it(desk, outside, round_):
    round_()
    assert outside.heard == [("GET", "/alive", "")]


def test_what_is_wrong_is_told_once_by_every_way_and_the_switch_is_told_too(desk, outside, round_):
    desk.clock_runs = False
    desk.world.stand_still_until(desk.world.now + timedelta(seconds=40))
    round_()
    round_()
    paths = [path for _, path, _ in outside.heard]
    assert paths.count("/alarm") == 1
    assert paths.count("/twilio/2010-04-01/Accounts/AC2/Calls.json") == 1
    assert paths.count("/alive/fail") == 2
    assert "/alive" not in paths
    told = json.loads(next(body for _, path, body in outside.heard if path == "/alarm"))
    assert "No clock has finished a round" in told["text"]
    assert "What to do: Start one" in told["text"]


def test_it_is_told_again_after_half_an_hour_and_once_more_when_it_is_over(desk, outside, round_):
    desk.clock_runs = False
    desk.minute()
    Finding.objects.update(alarmed_at=desk.world.now - timedelta(minutes=31))
    round_()
    desk.clock_runs = True
    desk._pass(timedelta(seconds=1))
    round_()
    told = [json.loads(body)["text"] for _, path, body in outside.heard if path == "/alarm"]
    assert len(told) == 2
    assert "Over: No clock has finished a round" in told[1]


def test_a_pause_keeps_it_quiet_and_the_outside_hears_nothing(desk, outside, round_):
    now = desk.world.now
    AuditPause.objects.create(since=now, until=now + timedelta(hours=1), reason="moving the database", by="dana")
    desk.clock_runs = False
    desk.world.stand_still_until(now + timedelta(seconds=40))
    round_()
    assert outside.heard == []
    assert findings.open_now()


def test_a_way_that_fails_does_not_keep_the_others_from_being_told(outside, settings):
    outside.status = 500
    settings.ALARM_EMAIL_URL, settings.ALARM_EMAIL_TO = "smtp://127.0.0.1:1", ["night@desk.example"]
    told = alarm.raise_alarm("Something", "is wrong")
    assert sorted(told) == ["call", "mail", "webhook"]
    assert all(told.values())
    assert len(outside.heard) == 2


def test_an_alarm_goes_out_by_a_mail_server_of_its_own(fakes, settings):
    settings.ALARM_EMAIL_URL = f"smtp://127.0.0.1:{fakes.smtp.port}"
    settings.ALARM_EMAIL_FROM, settings.ALARM_EMAIL_TO = "auditor@desk.example", ["night@desk.example"]
    assert alarm.raise_alarm("The clock is silent", "What to do: start it.") == {"mail": ""}
    assert fakes.smtp.to("night@desk.example")[0].subject == "The clock is silent"


def test_without_any_way_the_log_has_it(settings, caplog):
    assert alarm.raise_alarm("Something", "is wrong") == {}
    assert "no alarm way is configured" in caplog.text


def test_a_round_leaves_a_row_and_old_ones_go(desk):
    AuditRun.objects.create(at=desk.world.now - timedelta(days=8), duration_ms=1, ok=True, version="old")
    desk.minute()
    assert not AuditRun.objects.filter(version="old").exists()
    assert AuditRun.objects.order_by("-at")[0].ok


def test_every_invariant_says_what_to_do():
    every = invariants.registered()
    assert len({one.name for one in every}) == len(every)
    for one in every:
        assert one.title and one.remedy and (one.sql or one.ask), one.name
    numbers = {one.name.split("-")[0] for one in every}
    assert {f"I{n}" for n in (1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13)} <= numbers


# --- a hundred thousand incidents ------------------------------------------------------------------------------------

_MANY = """
INSERT INTO incidents_incident (title, description, source, impact, urgency, raisers, severity, claimed_severity,
    status, hold, engagement, decision, entitlement, entitlement_lapsed, war_room, generation, reopen_count,
    acknowledged_name, is_drill, detected_at, received_at,
    updated_at {more})
SELECT 'generated', '', 'staff', 1, 1, '[]', 'P2', 'P2', CASE WHEN n % 50 = 0 THEN 'triaging' ELSE 'closed' END,
    'none', 'now', '{{}}', '{{}}', false, false, 1, 0, 'Bob', false,
    now(), now() - n * interval '1 minute', now() {values}
  FROM generate_series(1, 100000) AS n
"""


def _required_elsewhere() -> tuple[str, str]:
    """Columns other rooms added since, with something that fits."""
    known = set(_MANY.split("(", 1)[1].split("{more}")[0].replace("\n", " ").replace(" ", "").split(","))
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT column_name, data_type FROM information_schema.columns WHERE table_name = 'incidents_incident' "
            "AND is_nullable = 'NO' AND column_default IS NULL AND is_identity = 'NO'"
        )
        missing = [(name, kind) for name, kind in cursor.fetchall() if name not in known]
    fitting = {"boolean": "false", "jsonb": "'{}'", "timestamp with time zone": "now()"}
    values = [fitting.get(kind, "0" if "int" in kind else "''") for _, kind in missing]
    return "".join(f', "{name}"' for name, _ in missing), "".join(f", {value}" for value in values)


def test_a_round_takes_less_than_two_seconds_of_questions_and_reads_no_table_from_end_to_end(desk):
    more, values = _required_elsewhere()
    with connection.cursor() as cursor:
        cursor.execute(_MANY.format(more=more, values=values))
        cursor.execute("ANALYZE incidents_incident")
        plans = {
            one.name: _plan(cursor, one.sql) for one in invariants.registered() if one.sql and "incidents_" in one.sql
        }
    assert len(plans) >= 6
    for name, plan in plans.items():
        assert "Seq Scan on incidents_incident" not in plan, f"{name}\n{plan}"
    found = rounds.look(desk.world.now)
    assert "could not be checked" not in " ".join(violation.detail for violation in found.violations)


def _plan(cursor, sql):
    said = {"now": "2026-11-29T08:10:00Z", "lanes": ["page"], "patience": [50]}
    cursor.execute(f"EXPLAIN {sql}", said)
    return "\n".join(row[0] for row in cursor.fetchall())
