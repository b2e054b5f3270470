"""Operations that were tried: backup and restore, keys changed under way, old code beside new, additive migrations."""

from __future__ import annotations

import os
import subprocess
import sys
from importlib import import_module
from io import StringIO
from pathlib import Path

import psycopg
import pytest
from django.apps import apps
from django.core.management import call_command
from django.db import connection
from django.db.migrations import operations as ops

from supportdesk import secrets_at_rest
from supportdesk.embedded import postgres, programs
from supportdesk.integrations.models import Connection
from supportdesk.queue import fence
from supportdesk.queue.broker import PostgresBroker
from supportdesk.queue.models import Delivery

ROOT = Path(__file__).resolve().parents[2]
OURS = ("supportdesk", "rotations", "incidents", "reports")


# --- backup and restore ----------------------------------------------------------------------------------------------

# A desk of its own with an emergency under way, and the same desk after the restore: programs, so that nothing of this
# process's transaction is borrowed.
_SET = "import json, django; django.setup()\nfrom tests.cast import *\nfrom incidents import clockwork, demo\n"
MAKE = (
    _SET
    + """
from django.core.management import call_command
from incidents import actions
from supportdesk import actors
call_command("migrate", verbosity=0)
instants.freeze(SUNDAY)
world = demo.build(SUNDAY, vendors={name: {} for name in ("phone", "sms", "slack", "email")})
from incidents.actions import Report
alice = world.contacts["alice"]
said = Report(title="Checkout is down", source="customer_portal", impact=1, urgency=1,
              organization=alice.organization, reporter=alice)
incident = actions.report(said, actor=alice.user.actor("portal"))
print(json.dumps([incident.pk, Timer.objects.filter(state="armed").count()]))
"""
)
LOOK = (
    _SET
    + """
from supportdesk.auditor import rounds
instants.freeze(SUNDAY + timedelta(minutes=3, seconds=1))
fired = []
for _ in range(8):
    clock.tick()
    from tests.cast import _next_package
    while (package := _next_package()) is not None:
        task = SignedPackage.loads(package)
        import_string(task["func"])(*task["args"], **task["kwargs"])
found = {v.invariant.name: v.detail for v in rounds.look(instants.now()).violations}
steps = [e.data["step"] for e in Incident.objects.get().timeline.filter(kind="step_fired").order_by("pk")]
ledger = clockwork.events_of(Incident.objects.get())
print(json.dumps({"steps": steps, "chain": found.get("I12-chain", ""), "events": len(ledger),
                  "armed": Timer.objects.filter(state="armed").count()}))
"""
)


def run_in(url, program):
    env = {**os.environ, "DATABASE_URL": url, "SUPPORTDESK_MODE": "test", "DJANGO_SETTINGS_MODULE": "tests.settings"}
    done = subprocess.run(
        [sys.executable, "-c", program], env=env, cwd=ROOT, capture_output=True, text=True, timeout=120
    )
    assert done.returncode == 0, done.stderr
    return __import__("json").loads(done.stdout.strip().splitlines()[-1])


@pytest.fixture
def scratch():
    """Two empty databases on the server the tests run on."""
    instance = connection.settings_dict.get("EMBEDDED")
    if instance is None:
        pytest.fail("this test needs the embedded database: unset DATABASE_URL")
    names = [f"backup_{kind}_{os.getpid()}" for kind in ("from", "to")]
    with psycopg.connect(postgres.url(instance, "postgres"), autocommit=True) as server:
        for name in names:
            server.execute(f"CREATE DATABASE {name}")
        yield [postgres.url(instance, name) for name in names], server
        for name in names:
            server.execute(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")


def script(name, url, *args):
    env = {**os.environ, "DATABASE_URL": url, "SUPPORTDESK_PG_BIN": str(programs.find().bin)}
    return subprocess.run(
        [ROOT / "deploy" / name, *map(str, args)], env=env, capture_output=True, text=True, timeout=120
    )


def test_a_desk_is_backed_up_destroyed_and_restored_and_goes_on_where_it_was(scratch, tmp_path):
    (old, new), server = scratch
    _, armed = run_in(old, MAKE)
    made = script("backup.sh", old, tmp_path)
    assert made.returncode == 0, made.stderr
    dump = Path(made.stdout.strip())
    assert dump.parent == tmp_path
    assert dump.stat().st_mode & 0o077 == 0
    server.execute(f"DROP DATABASE {old.split('@/')[1].split('?')[0]} WITH (FORCE)")
    restored = script("restore.sh", new, dump)
    assert restored.returncode == 0, restored.stderr
    found = run_in(new, LOOK)
    assert found["chain"] == ""
    assert found["events"] >= 1
    assert found["steps"] == [1, 2]  # step 1 before the backup, step 2 once, three minutes later
    assert armed > 0
    assert found["armed"] > 0
    again = script("restore.sh", new, dump)
    assert again.returncode == 1
    assert "nothing was restored" in again.stderr


# --- keys ------------------------------------------------------------------------------------------------------------


def test_keys_change_while_pages_wait_and_none_is_lost(world, settings, fakes, alice, bob):
    """F6: signing keys and sealing keys together, with an emergency under way."""
    alice.reports("Checkout is down")
    waiting = Delivery.objects.filter(kind="page", state="pending").count()
    assert waiting > 0
    settings.QUEUE_SIGNING_KEYS = ["a new queue key", *settings.QUEUE_SIGNING_KEYS]
    settings.SECRETS_KEYS = ["a new sealing key", *settings.SECRETS_KEYS]
    before = {row.pk: row.secrets for row in Connection.objects.exclude(secrets="")}
    call_command("rotate_secrets", verbosity=0, stdout=StringIO())
    settings.SECRETS_KEYS = settings.SECRETS_KEYS[:1]  # the old one goes
    for row in Connection.objects.exclude(secrets=""):
        assert row.secrets != before[row.pk]
        assert secrets_at_rest.open_sealed(row.secrets)
    world.advance(minutes=2, seconds=5)
    assert bob.phone.rang()
    assert not Delivery.objects.filter(kind="page", state="failed").exclude(error__contains="no report").exists()


# --- old code beside new ---------------------------------------------------------------------------------------------


@pytest.fixture
def fresh_fence(monkeypatch):
    monkeypatch.setattr(fence, "_seen", (float("-inf"), 0))
    monkeypatch.setattr(fence, "_LOOK_EVERY_SECONDS", -1.0)


def test_a_worker_takes_no_work_once_newer_code_has_announced_itself(db, fresh_fence, monkeypatch):
    assert not fence.is_behind()
    monkeypatch.setattr(fence, "PAYLOAD", fence.PAYLOAD + 1)
    monkeypatch.setattr(fence, "_seen", (float("-inf"), 0))
    assert not fence.is_behind()  # the new one announces itself
    monkeypatch.setattr(fence, "PAYLOAD", fence.PAYLOAD - 1)
    assert fence.is_behind()
    monkeypatch.setattr("supportdesk.queue.broker.LONGEST_WAIT_SECONDS", 0.01)
    broker = PostgresBroker("page")
    broker.enqueue("a package of the future")
    assert broker.dequeue() is None
    monkeypatch.setattr(fence, "PAYLOAD", fence.PAYLOAD + 1)
    assert not fence.is_behind()


# --- migrations ------------------------------------------------------------------------------------------------------

# What old code beside the new tables would stumble over. A migration that must do one of these takes two releases.
DESTRUCTIVE = (ops.DeleteModel, ops.RemoveField, ops.RenameField, ops.RenameModel, ops.AlterModelTable)


def _migrations():
    for app in OURS:
        folder = Path(apps.get_app_config(app).path) / "migrations"
        for path in sorted(folder.glob("0*.py")):
            yield f"{app}.{path.stem}", import_module(f"{app}.migrations.{path.stem}").Migration


@pytest.mark.parametrize(
    ("name", "migration"), list(_migrations()), ids=lambda value: value if isinstance(value, str) else ""
)
def test_migrations_only_add(name, migration):
    """F27: old and new code run side by side for a minute, on the new tables."""
    taken_away = [type(op).__name__ for op in migration.operations if isinstance(op, DESTRUCTIVE)]
    if "initial" not in name:
        assert taken_away == [], f"{name}: {taken_away}"
        created = {op.name.lower() for op in migration.operations if isinstance(op, ops.CreateModel)}
        for op in migration.operations:
            if isinstance(op, ops.AddField) and op.model_name.lower() not in created:
                field = op.field
                fits = field.null or field.many_to_many or field.has_default() or field.db_default is not None
                assert fits, f"{name}: old code cannot insert without {op.model_name}.{op.name}"
