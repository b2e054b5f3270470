"""When open incidents have to look at their contract again: after every save, and whenever one of its dates comes
(§2.4, D8).

What then happens to an incident is decided upstairs, by the task that `settings.FOLLOW_CONTRACT_TASK` names.
"""

from __future__ import annotations

from django.conf import settings

from supportdesk import instants
from supportdesk.organizations import terms
from supportdesk.organizations.models import Contract, Organization
from supportdesk.queue import timers


def watch(contract: Contract) -> None:
    """Let incidents follow a saved contract now, and at every instant at which its dates change what it is."""
    now, task, subject = instants.now(), settings.FOLLOW_CONTRACT_TASK, f"contract:{contract.pk}"
    ahead = terms.contract(contract).boundaries(contract.organization.time_zone)
    instants_named = {"saved": now} | {name: at for name, at in ahead.items() if at > now}
    timers.replace(
        subject,
        task,
        [
            timers.Planned(
                key=f"{subject}:{name}:{at.isoformat()}",
                run=task,
                subject=subject,
                at=at,
                args={"organization": contract.organization_id},
            )
            for name, at in instants_named.items()
        ],
    )


def watch_all(organization: Organization) -> None:
    """The same for every contract of an organization: its zone moved, and with it every local midnight (ENT-2)."""
    contracts = organization.contracts.select_related("organization", "plan_version__plan")
    for contract in contracts:
        watch(contract)


def forget(contract_id: int, organization_id: int) -> None:
    """A contract was deleted: its dates come no more, and incidents look at what is left."""
    now, task, subject = instants.now(), settings.FOLLOW_CONTRACT_TASK, f"contract:{contract_id}"
    gone = timers.Planned(
        f"{subject}:deleted:{now.isoformat()}", task, subject, now, args={"organization": organization_id}
    )
    timers.replace(subject, task, [gone])
