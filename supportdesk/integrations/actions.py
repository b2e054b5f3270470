"""The verbs of connections: save, check, send a test. Vendors are called from the queue, never from a request."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.db import transaction
from django.utils.module_loading import import_string

from supportdesk import instants, integrations
from supportdesk.actors import Actor
from supportdesk.audit import trail
from supportdesk.errors import Invalid, NotAllowed
from supportdesk.integrations.base import IntegrationError
from supportdesk.integrations.models import Connection
from supportdesk.queue import outbox, timers
from supportdesk.queue.models import Delivery, Lane, Timer
from supportdesk.queue.outbox import Post

CHECK = "supportdesk.integrations.actions.run_check"
WAITING = "Checking…"


def save(connection: Connection, values: dict[str, Any], *, actor: Actor) -> Connection:
    """Store a connection; secrets that were left empty stay as they are, and the trail never sees one."""
    _require_manager(actor)
    return store(connection, values, actor=actor)


def store(connection: Connection, values: dict[str, Any], *, actor: Actor) -> Connection:
    """The same for whoever a verb has already allowed it. Raises `Invalid` naming the field that is wrong."""
    vendor = integrations.get(connection.vendor)
    kept = {} if connection.pk is None else connection.values
    made = vendor.made({**kept, **{name: value for name, value in values.items() if value}})
    for field, problem in vendor.problems({**values, **made}).items():
        raise Invalid(problem, field=field)
    with transaction.atomic():
        connection.set_values({**values, **made})
        connection.checked_at, connection.check_result = None, ""
        connection.save()
        after = {
            "vendor": connection.vendor,
            "name": connection.name,
            "enabled": connection.is_enabled,
            "settings": connection.settings,
        }
        trail.record(actor, "save_connection", f"connection:{connection.pk}", after=after)
        now, subject = instants.now(), f"connection:{connection.pk}"
        saved = timers.Planned(
            f"saved:{connection.pk}:{now.isoformat()}",
            settings.CONNECTION_SAVED_TASK,
            subject,
            now,
            args={"line": connection.pk},
        )
        timers.arm([saved])
    return connection


def _require_manager(actor: Actor) -> None:
    if actor.role != "manager":
        raise NotAllowed("Connections are made by support managers.")


def check(connection: Connection, *, actor: Actor) -> None:
    """Try the connection without telling anybody anything; the result appears on it in a moment."""
    _require_manager(actor)
    with transaction.atomic():
        Connection.objects.filter(pk=connection.pk).update(check_result=WAITING, checked_at=None)
        now = instants.now()
        key = f"check:{connection.pk}:{now.isoformat()}"
        timers.arm(
            [
                timers.Planned(
                    key,
                    CHECK,
                    f"connection:{connection.pk}",
                    now,
                    lane=Lane.INTEGRATIONS,
                    args={"connection": connection.pk},
                )
            ]
        )


def run_check(timer: Timer) -> None:
    """What the queue does for `check`."""
    connection = Connection.objects.filter(pk=timer.args["connection"]).first()
    if connection is not None:
        record_check(connection)


@dataclass(frozen=True, slots=True)
class Checked:
    """What a check said; `doubt` is what does not fit what the desk knows itself, empty where nothing is."""

    works: bool
    words: str
    doubt: str = ""


def record_check(connection: Connection) -> Checked:
    """Check now, in this process, and keep the result."""
    try:
        words = outbox.build(connection).check()
        besides = settings.CONNECTION_BESIDES.get(connection.vendor)
        more, doubt = import_string(besides)(connection) if besides else ("", "")
        said = Checked(True, " ".join(filter(None, (words, more))), doubt)
    except IntegrationError as error:
        said = Checked(False, error.detail)
    kept = " ".join(filter(None, (said.words, said.doubt)))[:2000]
    Connection.objects.filter(pk=connection.pk).update(checked_at=instants.now(), check_result=kept, works=said.works)
    return said


def send_test(connection: Connection, to: str, *, actor: Actor) -> Delivery:
    """Send a real test message to one address. Returns its delivery, whose state tells what came of it."""
    _require_manager(actor)
    return post_test(connection, to, actor=actor)


def post_test(connection: Connection, to: str, *, actor: Actor) -> Delivery:
    """The same for whoever a verb has already allowed it."""
    if not to.strip():
        raise Invalid("Say where to send the test.", field="to")
    now = instants.now()
    key = f"test:{connection.pk}:{now.isoformat()}"
    facts = {"ref": "TEST", "thread": f"test-{connection.pk}", "action": "trigger", "token": "", "reader": actor.name}
    with transaction.atomic():
        outbox.post(
            [
                Post(
                    key=key,
                    kind="test",
                    connection=connection,
                    vendor=connection.vendor,
                    to=to.strip(),
                    subject=f"connection:{connection.pk}",
                    recipient=to.strip(),
                    facts=facts,
                    lane=Lane.INTEGRATIONS,
                    most_attempts=2,
                )
            ]
        )
        trail.record(actor, "send_test", f"connection:{connection.pk}", after={"to": to.strip()})
    return Delivery.objects.get(key=key)
