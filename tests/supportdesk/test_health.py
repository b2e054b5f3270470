"""The three health pages: right codes, reasons by name, no secrets; and the doctor, who looks at everything."""

from __future__ import annotations

import json
import os
from datetime import timedelta
from io import StringIO

import pytest
from django.core.management import call_command
from django.test import Client

from supportdesk.auditor import rounds
from supportdesk.auditor.models import AuditPause
from supportdesk.integrations.models import Connection
from supportdesk.queue.models import Delivery, Heartbeat
from tests.sabotage.watching import Watched


@pytest.fixture
def desk(world):
    return Watched(world)


def ask(path="/healthz/paging"):
    answer = Client().get(path)
    return answer.status_code, answer.json().get("problems", {})


def test_a_running_desk_is_well(desk):
    assert ask() == (200, {})
    assert ask("/healthz/ready") == (200, {})
    assert ask("/healthz/live") == (200, {})


def test_a_desk_nobody_started_pages_nobody(world):
    status, problems = ask()
    assert status == 503
    assert problems == {"clock": "has never worked", "auditor": "has never run"}


def test_a_page_that_waits_is_told(desk, alice):
    alice.reports("Checkout is down")
    waiting = desk.world.now - timedelta(seconds=31)
    Delivery.objects.filter(kind="page").update(state="pending", attempts=0, due_at=waiting, handed_at=waiting)
    status, problems = ask()
    assert status == 503
    assert "have waited longer than 30 s" in problems["pages"]


def test_a_silent_page_cluster_is_told(desk):
    beats = Heartbeat.objects.filter(name="canary:page")
    beats.update(at=desk.world.now - timedelta(seconds=61))
    assert "the clock sends pages in its place" in ask()[1]["page cluster"]


def test_an_auditor_told_to_keep_quiet_is_told(desk):
    now = desk.world.now
    AuditPause.objects.create(since=now, until=now + timedelta(hours=1), reason="moving", by="dana")
    status, problems = ask()
    assert status == 503
    assert problems["auditor"].startswith("is told to keep quiet until")


def test_a_broken_invariant_is_told_by_name_and_never_by_whom_it_concerns(desk, bob):
    desk.clock_runs = False
    desk.minute()
    status, problems = ask()
    assert status == 503
    assert problems["invariants"] == "H1-clock"
    assert "Bob" not in json.dumps(problems)


def test_the_console_says_on_every_page_that_the_desk_is_unwell(desk, dana):
    assert "The desk itself is unwell" not in dana.reads("/console/customers/")
    desk.clock_runs = False
    desk.minute()
    assert "No clock has finished a round" in dana.reads("/console/customers/")
    assert "systemctl restart" in dana.reads("/console/health/")
    assert dana.reads("/console/health/?fragment=health")


def test_the_console_says_that_the_auditor_is_silent(desk, dana):
    desk.world.stand_still_until(desk.world.now + timedelta(minutes=5))
    assert "The auditor has not run since" in dana.reads("/console/customers/")


def test_the_page_health_shows_every_connection(desk, dana, alice):
    alice.reports("Checkout is down")
    page = dana.reads("/console/health/")
    for line in Connection.objects.all():
        assert line.name in page


def test_customers_do_not_see_how_the_desk_is_doing(desk, alice):
    assert alice.client.get("/console/health/").status_code == 404


# --- the doctor ------------------------------------------------------------------------------------------------------


def doctor(*args):
    out = StringIO()
    try:
        call_command("doctor", *args, stdout=out)
    except SystemExit as end:
        return end.code, out.getvalue()
    return 0, out.getvalue()


def states(*args):
    code, said = doctor("--json", *args)
    return code, {line["name"]: (line["state"], line["text"], line["do"]) for line in json.loads(said)["lines"]}


def test_the_doctor_says_who_is_on_call_and_how_they_are_reached(desk, alice):
    code, said = states()
    assert said["on call: Platform, follow the sun"][:2] == ("ok", "Bob Novak, by email, phone, slack, sms.")
    assert said["database"][0] == "ok"
    assert said["clock"][0] == "ok"
    assert said["page cluster"][0] == "ok"
    assert said["secrets"] == ("ok", "Every stored secret opens.", "")
    assert code == (1 if any(state == "fail" for state, *_ in said.values()) else 0)


def test_the_doctor_fails_where_nobody_is_on_call_and_says_what_to_do(desk):
    from rotations.models import Layer

    Layer.objects.filter(schedule=desk.world.rows.schedule).delete()
    desk.world.rows.schedule.touch()
    code, said = states()
    assert code == 1
    assert said["on call: Platform, follow the sun"] == (
        "fail",
        "Nobody, right now.",
        "Put somebody into the schedule.",
    )


def test_the_doctor_finds_secrets_no_key_opens(desk, settings):
    settings.SECRETS_KEYS = ["another-key"]
    code, said = states()
    assert code == 1
    assert said["secrets"][0] == "fail"
    assert "SUPPORTDESK_SECRETS_KEY" in said["secrets"][2]


def test_the_doctor_calls_every_vendor_without_waking_anybody(desk, fakes, bob):
    before = len(bob.phone.calls), len(bob.phone.texts)
    _, said = states("--send-test")
    assert said["tried Phone"][0] == "ok"
    assert (len(bob.phone.calls), len(bob.phone.texts)) == before


def test_the_doctor_speaks_in_lines_for_people(desk):
    _, said = doctor()
    assert "looked at" in said.splitlines()[-1]
    assert any(line.startswith("ok    database") for line in said.splitlines())


def test_the_doctor_knows_how_old_the_newest_backup_is(desk, settings, tmp_path):
    settings.BACKUP_DIR = str(tmp_path)
    assert states()[1]["backups"][0] == "fail"
    (tmp_path / "desk-now.dump").write_bytes(b"x")
    os.utime(tmp_path / "desk-now.dump", (desk.world.now.timestamp(),) * 2)
    assert states()[1]["backups"][0] == "ok"


def test_one_round_by_command_changes_nothing(desk):
    out = StringIO()
    call_command("auditor", "--once", "--json", stdout=out)
    said = json.loads(out.getvalue())
    assert said["ok"] is True
    assert len(said["milliseconds"]) == len(rounds.registered())
