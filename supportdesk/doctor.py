"""What must be right before the desk can be relied on, one line each, with what to do where it is not.

`manage.py doctor` asks; every app adds its own lines (`DOCTOR_LINES`).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from pathlib import Path

from django.conf import settings
from django.db import connection
from django.db.migrations.executor import MigrationExecutor

from supportdesk import instants, secrets_at_rest
from supportdesk.auditor import alarm, board, findings, machine
from supportdesk.integrations import mail_providers
from supportdesk.integrations.actions import record_check
from supportdesk.integrations.breaker import Breaker
from supportdesk.integrations.email import Email
from supportdesk.integrations.models import Connection
from supportdesk.queue import clock
from supportdesk.web.health import auditor_problem

BACKUP_TOO_OLD = timedelta(hours=26)
_LOCAL = ("localhost", "127.0.0.1", "[::1]")


class State(StrEnum):
    """How a line stands."""

    OK = "ok"
    WARN = "warn"
    FAIL = "fail"


@dataclass(frozen=True, slots=True)
class Line:
    """One thing that must be right: how it is, and what to do."""

    name: str
    state: State
    text: str
    do: str = ""


Ask = Callable[[], Iterable[Line]]


def ok(name: str, text: str) -> Line:
    return Line(name, State.OK, text)


def warn(name: str, text: str, do: str) -> Line:
    return Line(name, State.WARN, text, do)


def fail(name: str, text: str, do: str) -> Line:
    return Line(name, State.FAIL, text, do)


def examine(asks: Iterable[Ask]) -> Iterator[Line]:
    """Every line; a question that breaks is a line as well."""
    for ask in asks:
        try:
            yield from ask()
        except Exception as error:  # one broken question must not hide the others
            yield fail(ask.__name__.replace("_", " "), f"{type(error).__name__}: {error}", "Mend this first.")


def database() -> Iterator[Line]:
    with connection.cursor() as cursor:
        cursor.execute("SELECT current_setting('server_version'), pg_is_in_recovery()")
        found, is_replica = cursor.fetchone()
    if is_replica:
        yield fail("database", f"PostgreSQL {found} is a replica.", "Point DATABASE_URL at the primary.")
    else:
        yield ok("database", f"PostgreSQL {found} answers.")
    executor = MigrationExecutor(connection)
    behind = executor.migration_plan(executor.loader.graph.leaf_nodes())
    if behind:
        yield fail("tables", f"{len(behind)} migrations are not applied.", "manage.py migrate")
    else:
        yield ok("tables", "They fit this code.")


def clock_skew() -> Iterator[Line]:
    apart = machine.skew_seconds()
    if abs(apart) > machine.MOST_SKEW_SECONDS:
        yield fail("clock skew", f"This machine is {apart:+.1f} s from the database.", "Run NTP on both machines.")
    else:
        yield ok("clock skew", f"{apart:+.3f} s from the database.")


def processes() -> Iterator[Line]:
    now = clock.database_now()
    for worker in board.workers(now):
        if worker.is_well:
            yield ok(worker.name, f"Worked at {worker.at:%H:%M:%S} UTC.")
        else:
            seen = f"Silent since {worker.at:%H:%M:%S} UTC." if worker.at else "Has never worked."
            yield fail(worker.name, seen, "systemctl restart supportdesk.target, or make run.")
    problem = auditor_problem(now)
    if problem:
        yield fail("auditor", f"It {problem}.", "Start it: manage.py auditor")
    else:
        yield ok("auditor", "Asked within the last two minutes.")
    for row in findings.open_now():
        make = fail if row.level == "alarm" else warn
        yield make(row.invariant, f"{row.title}: {row.detail.splitlines()[0][:160]}", row.remedy)


def connections() -> Iterator[Line]:
    now = instants.now()
    lines = board.lines(now)
    connected = {line.connection.vendor for line in lines if line.connection.is_enabled}
    for vendor, purpose in (("phone", "call anybody"), ("email", "write to customers")):
        if vendor not in connected:
            yield fail(vendor, f"Not connected: the desk cannot {purpose}.", "Back office, Connections, Add.")
    for line in lines:
        name = f"connection {line.connection.name}"
        if line.state == "works":
            yield ok(name, line.note or "The last call was accepted.")
        elif line.state in ("off", "untried", "waits"):
            yield warn(name, line.note, "Back office, Connections: switch it on and press Test.")
        else:
            yield fail(name, line.note[:200], "Correct it in the back office under Connections and press Test.")


def mail_reports() -> Iterator[Line]:
    """By whom mail goes, and whether the desk hears of what bounces."""
    for row in Connection.objects.filter(vendor=Email.slug, is_enabled=True).order_by("pk"):
        provider = mail_providers.PROVIDERS.get(row.settings.get("provider", ""))
        name = f"mail by {row.name}"
        if provider is None:
            yield ok(name, "By SMTP; bounces come back as mail.")
        elif Email(row.values).hears_back:
            yield ok(name, f"By {provider.label}, which reports what becomes of it.")
        elif provider.tracking:
            hook = f"{settings.PUBLIC_URL}/hooks/email/{row.code}/"
            do = f"Give {provider.label} the address {hook} for delivered and bounced, and enter the secret."
            yield warn(name, f"By {provider.label}, but bounces are not reported to the desk.", do)
        else:
            yield ok(name, f"By {provider.label}, which has no reports the desk can read.")


def secrets() -> Iterator[Line]:
    closed = []
    for row in Connection.objects.exclude(secrets=""):
        try:
            secrets_at_rest.open_sealed(row.secrets)
        except secrets_at_rest.CannotOpen:
            closed.append(row.name)
    if closed:
        do = "Put the key they were sealed with back into SUPPORTDESK_SECRETS_KEY, or enter the secrets again."
        yield fail("secrets", f"No key opens those of {', '.join(closed)}.", do)
    else:
        yield ok("secrets", "Every stored secret opens.")
    keys = {settings.SECRET_KEY, settings.QUEUE_SIGNING_KEYS[0], settings.SECRETS_KEYS[0]}
    if len(keys) < 3:
        yield warn("keys", "Two of the three keys are the same.", "Give each its own: losing one then loses one.")
    elif any("never-in-production" in key for key in keys):
        yield warn(
            "keys", "These are the well-known keys of the demo.", "Set the three keys before anybody relies on it."
        )
    else:
        yield ok("keys", "Three keys, each its own.")


def addresses() -> Iterator[Line]:
    if any(f"//{local}" in settings.PUBLIC_URL for local in _LOCAL):
        do = "Set SUPPORTDESK_URL to the address people and vendors use."
        yield warn("public address", f"{settings.PUBLIC_URL} cannot be reached from outside.", do)
    elif not settings.HTTPS:
        yield warn("public address", f"{settings.PUBLIC_URL} is not https.", "Put a proxy with TLS in front of it.")
    else:
        yield ok("public address", settings.PUBLIC_URL)
    if "@localhost" in settings.DEFAULT_FROM_EMAIL:
        yield warn("mail sender", f"{settings.DEFAULT_FROM_EMAIL} is nobody.", "Set SUPPORTDESK_FROM_EMAIL.")
    else:
        yield ok("mail sender", settings.DEFAULT_FROM_EMAIL)
    if settings.EMERGENCY_NUMBER:
        yield ok("emergency number", settings.EMERGENCY_NUMBER)
    else:
        yield fail(
            "emergency number", "If nobody can be reached, nobody is called.", "Set SUPPORTDESK_EMERGENCY_NUMBER."
        )


def outside() -> Iterator[Line]:
    ways = sorted(alarm.ways())
    if ways:
        yield ok("alarms", f"Go out by {', '.join(ways)}, without the desk.")
    else:
        yield warn(
            "alarms", "Nobody is told when the desk itself is unwell.", "Set SUPPORTDESK_ALARM_EMAIL_URL and …_TO."
        )
    if settings.DEAD_MAN_URL:
        yield ok("dead man's switch", "Pinged every minute while all is well.")
    else:
        yield warn("dead man's switch", "Nobody notices when this machine stops.", "Set SUPPORTDESK_DEAD_MAN_URL.")


def disks() -> Iterator[Line]:
    for place, part in machine.free_parts().items():
        if part < machine.LEAST_FREE:
            yield fail(f"disk {place}", f"{part:.0%} free.", "Make room.")
        else:
            yield ok(f"disk {place}", f"{part:.0%} free.")


def backups() -> Iterator[Line]:
    if not settings.BACKUP_DIR:
        yield warn(
            "backups", "The desk does not know where they lie.", "Set SUPPORTDESK_BACKUP_DIR; see deploy/backup.sh."
        )
        return
    found = sorted(Path(settings.BACKUP_DIR).glob("*.dump"), key=lambda path: path.stat().st_mtime)
    if not found:
        yield fail("backups", f"There is none in {settings.BACKUP_DIR}.", "Run deploy/backup.sh every night.")
        return
    newest = found[-1]
    age = timedelta(seconds=max(instants.now().timestamp() - newest.stat().st_mtime, 0))
    if age > BACKUP_TOO_OLD:
        yield fail("backups", f"{newest.name} is {age.days} days old.", "Look why deploy/backup.sh has not run.")
    else:
        yield ok("backups", f"{newest.name}, {age.total_seconds() / 3600:.0f} hours old.")


LINES: tuple[Ask, ...] = (
    database,
    clock_skew,
    processes,
    connections,
    mail_reports,
    secrets,
    addresses,
    outside,
    disks,
    backups,
)


def try_everything() -> Iterator[Line]:
    """`--send-test`: call every vendor in a way nobody hears, and raise a test alarm by every way."""
    for row in Connection.objects.filter(is_enabled=True):
        said = record_check(row)
        if said.works:
            Breaker.objects.filter(connection=row).update(failures=0, open_until=None, asked_until=None, error="")
        name = f"tried {row.name}"
        if said.works and said.doubt:
            yield warn(name, f"{said.words[:300]} {said.doubt[:400]}", "Make both say the same.")
        elif said.works:
            yield ok(name, said.words[:300])
        else:
            yield fail(name, said.words[:160], "Correct it.")
    told = alarm.raise_alarm("Test: this is how an alarm looks", "Somebody ran manage.py doctor --send-test.")
    for way, trouble in told.items():
        yield (
            fail(f"alarm by {way}", trouble, "Correct its setting.") if trouble else ok(f"alarm by {way}", "Accepted.")
        )
