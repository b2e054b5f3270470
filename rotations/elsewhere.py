"""Our rota beside PagerDuty's: where PagerDuty pages, it has to page whom we have on call (ESC-17)."""

from __future__ import annotations

from rotations import oncall
from rotations.escalation.policy import Pager
from rotations.models import EscalationPolicy, Schedule
from rotations.oncall import Directory
from supportdesk import instants
from supportdesk.accounts.models import User
from supportdesk.actors import Role
from supportdesk.integrations.lines import Lines
from supportdesk.integrations.models import Connection
from supportdesk.integrations.pagerduty import PagerDuty
from supportdesk.queue import outbox


def beside_pagerduty(connection: Connection) -> tuple[str, str]:
    """Who is on call here, and what does not fit: whom PagerDuty would not page, and whom it does not know.

    Only where a policy leaves paging to PagerDuty; as a watchdog it may have a rota of its own. Raises
    `IntegrationError`.
    """
    ours = _on_call_here()
    if not ours:
        return "", ""
    account = outbox.build(connection)
    assert isinstance(account, PagerDuty)
    there = account.on_call()
    missed = [user.name for user in ours if user.email.lower() not in there]
    names = ", ".join(user.name for user in ours)
    return f"On call here: {names}.", " ".join(filter(None, (_missed(missed), _unknown(account))))


def _missed(names: list[str]) -> str:
    return f"PagerDuty would not page {', '.join(names)}: its rota differs from ours." if names else ""


def _unknown(account: PagerDuty) -> str:
    """Our people it could never page, because none of its accounts has their address."""
    people = {user.email: user.name for user in User.objects.filter(is_active=True, role=Role.ENGINEER)}
    names = sorted(people[email] for email in account.unknown(list(people)))
    return f"No account there has the address of {', '.join(names)}." if names else ""


def _on_call_here() -> list[User]:
    """The primaries of every schedule whose pages PagerDuty sends."""
    left_to_it = EscalationPolicy.objects.exclude(pager=Pager.INTERNAL)
    rows = Schedule.objects.filter(policies__in=left_to_it).distinct()
    now, directory = instants.now(), Directory(Lines.load())
    found = (directory.user(oncall.now_on_call(row, now).primary or "") for row in rows)
    return list(dict.fromkeys(user for user in found if user))
