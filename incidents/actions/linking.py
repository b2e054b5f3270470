"""Many customers, one cause: their incidents hang on a master (ENT-9, domain §1.2).

A link changes nothing but the link: each customer keeps their own clocks, readers and confirmation, so that taking it
away leaves what was there before. The master may be worked around the clock because of our policy; the customers'
clocks still follow their plan. No customer ever reads of the master or of each other.
"""

from __future__ import annotations

from django.db import transaction
from django.db.models import QuerySet

from incidents import telling, timeline
from incidents.actions.entry import locked, require_open
from incidents.models import Incident, Notice
from incidents.states import Status
from incidents.timeline import CUSTOMER, Fact
from supportdesk.actors import Actor
from supportdesk.audit import trail
from supportdesk.errors import Invalid, WrongState

_SEEN = "our own monitoring sees a problem with {}"


def link(incident: Incident, actor: Actor) -> None:
    """After intake: hang a customer's incident on our own of the same service, or the customers' on a new one of
    ours."""
    if incident.service_id is None or incident.is_drill:
        return
    if incident.organization_id is None:
        for waiting in _going_on(incident).filter(organization__isnull=False, master=None):
            _hang(waiting, incident, actor, because=_SEEN)
        return
    master = _going_on(incident).filter(organization=None).order_by("received_at", "pk").first()
    if master is not None:
        _hang(incident, master, actor, because=_SEEN)


def link_to_master(incident_id: int, *, actor: Actor, master_id: int) -> Incident:
    """Hang an incident on the one that has the same cause."""
    with transaction.atomic():
        Incident.objects.lock_together(incident_id, master_id)
        incident, master = locked(incident_id, actor, "link_to_master"), locked(master_id, actor, "link_to_master")
        if incident.master_id == master.pk:
            return incident
        _require_linkable(incident, master)
        trail.record(actor, "link_to_master", incident.subject, after=master.ref)
        _hang(incident, master, actor, because="it has the same cause")
    return incident


def unlink(incident_id: int, *, actor: Actor) -> Incident:
    """It has a cause of its own after all. Clocks, readers and confirmation were its own all the time."""
    with transaction.atomic():
        incident = locked(incident_id, actor, "unlink")
        master = incident.master
        if master is None:
            return incident
        incident.master = None
        incident.save(update_fields=["master", "updated_at"])
        timeline.record(incident, actor, Fact("unlinked", f"No longer linked to {master.ref}."))
        timeline.record(master, actor, Fact("unlinked", f"{incident.ref} is no longer linked to this."))
        trail.record(actor, "unlink", incident.subject, before=master.ref)
    return incident


def _require_linkable(incident: Incident, master: Incident) -> None:
    require_open(incident, "linking it")
    require_open(master, "linking to it")
    if incident.pk == master.pk:
        raise Invalid("An incident cannot be its own master.", field="master")
    if incident.is_drill or master.is_drill:
        raise Invalid("A drill is linked to nothing.", field="master")
    if incident.master_id is not None:
        raise WrongState(f"{incident.ref} is linked already. Unlink it first.")
    if master.master_id is not None:
        raise Invalid(f"{master.ref} is itself linked. Choose its master.", field="master")
    if incident.linked.exists():
        raise WrongState(f"Others are linked to {incident.ref}, so it cannot be linked to another.")


def lock_with_linked(master_id: int) -> list[int]:
    """Lock a master together with the incidents that hang on it; returns those that are still worked on."""
    linked = list(Incident.objects.filter(master_id=master_id).values_list("pk", flat=True))
    Incident.objects.lock_together(master_id, *linked)
    waiting = Incident.objects.open().filter(master_id=master_id, pk__in=linked).exclude(status=Status.RESOLVED)
    return list(waiting.order_by("pk").values_list("pk", flat=True))


def tell_linked(master: Incident, actor: Actor, *, text: str, key: str) -> None:
    """A public notice about our own incident reaches whoever reported it themselves. It satisfies no clock (D17)."""
    for incident in master.linked.select_related("organization", "service", "reporter").order_by("pk"):
        if incident.is_open:
            _tell(incident, actor, text, key)


def _going_on(incident: Incident) -> QuerySet[Incident]:
    """Other incidents of the same service that nobody has resolved."""
    same = Incident.objects.open().exclude(status=Status.RESOLVED).exclude(pk=incident.pk)
    return same.filter(service_id=incident.service_id, is_drill=False).select_related(
        "organization", "service", "reporter"
    )


def _hang(incident: Incident, master: Incident, actor: Actor, *, because: str) -> None:
    incident.master = master
    incident.save(update_fields=["master", "updated_at"])
    timeline.record(incident, actor, Fact("linked", f"Linked to {master.ref}: {because.format(master.service)}."))
    whose = incident.organization or "our own platform"
    timeline.record(master, actor, Fact("linked", f"{incident.ref} of {whose} is linked to this now."))
    notice = Notice.objects.filter(incident=master, is_posted=True, page__is_public=True).order_by("-pk").first()
    latest = notice.updates.order_by("-at", "-pk").first() if notice else None
    if latest is not None:
        _tell(incident, actor, latest.text, f"notice:{latest.pk}")


def _tell(incident: Incident, actor: Actor, text: str, key: str) -> None:
    timeline.record(incident, actor, Fact("notice", f"We know of this problem: {text}", CUSTOMER))
    telling.tell(incident, "known_problem", key, text=text)
