"""Status page notices: drafted from an incident, posted by a person."""

from __future__ import annotations

from collections.abc import Iterable

from django.db import transaction
from django.db.models import Q, QuerySet

from incidents import timeline
from incidents.actions.discretion import hold_back_leaks
from incidents.actions.entry import locked, words
from incidents.actions.linking import tell_linked
from incidents.models import Component, Incident, Notice, NoticeUpdate, StatusPage
from incidents.status_pages import maintenance, posting
from incidents.timeline import Fact
from incidents.war_room import following
from supportdesk import instants
from supportdesk.actors import Actor
from supportdesk.audit import trail
from supportdesk.errors import Invalid, NotAllowed, NotFound


def draft_notice(incident_id: int, *, actor: Actor, page_id: int) -> Notice:
    """Begin a notice for an incident: nothing is public until it is posted. The customer's words are not copied."""
    with transaction.atomic():
        incident = locked(incident_id, actor, "post_notice")
        page = StatusPage.objects.filter(pk=page_id).first()
        if page is None:
            raise NotFound("There is no such status page.")
        existing = Notice.objects.filter(incident=incident, page=page).first()
        if existing is not None:
            return existing
        affected = suggested(incident, page)
        names = ", ".join(c.name for c in affected) or "one of our services"
        notice = Notice.objects.create(
            page=page, incident=incident, title=f"Problem with {names}", starts_at=incident.detected_at
        )
        notice.components.set(affected)
        NoticeUpdate.objects.create(
            notice=notice,
            state=Notice.State.INVESTIGATING,
            at=instants.now(),
            text=f"We are looking into a problem affecting {names}. We will say more here shortly.",
        )
        timeline.record(incident, actor, Fact("notice_drafted", f"Status notice drafted for {page.name}."))
        following.follow(incident)
    return notice


def suggested(incident: Incident, page: StatusPage) -> QuerySet[Component]:
    """What a notice about this incident probably affects: the components of its service, by link or by name.

    Whoever posts it decides.
    """
    if incident.service is None:
        return Component.objects.none()
    same = Q(service=incident.service) | Q(service=None, name__iexact=incident.service.name)
    return Component.objects.filter(same, page=page, is_shown=True)


def post_notice(
    notice_id: int,
    *,
    actor: Actor,
    text: str,
    state: str,
    title: str = "",
    component_state: str = "",
    components: Iterable[int] | None = None,
    is_checked: bool = False,
) -> Notice:
    """Publish a notice, or the next update of one; affected components follow if a state is named.

    `components` of its page replace what is affected; None leaves that as it is.
    `is_checked` as in `discretion`; a public page is read by everybody, so it names no customer at all.
    """
    with transaction.atomic():
        notice = _locked(notice_id, actor)
        if state not in Notice.State.values:
            raise Invalid("Choose one of the states of a notice.", field="state")
        if component_state and component_state not in Component.State.values:
            raise Invalid("Choose one of the states of a component.", field="component_state")
        said, now = words(text, longest=2_000), instants.now()
        reader = _reader(notice)
        hold_back_leaks(
            actor, f"notice:{notice.pk}", {"text": said, "title": title}, reader_id=reader, is_checked=is_checked
        )
        if not notice.is_posted:
            notice.updates.all().delete()  # the draft gives way to what was approved
        notice.title = title.strip()[:200] or notice.title
        if components is not None:
            notice.components.set(Component.objects.filter(page=notice.page, pk__in=list(components)))
        update = posting.say(notice, state, said, now, component_state)
        if notice.is_planned:
            maintenance.arm(notice)
        if notice.incident and notice.page.is_public:
            tell_linked(notice.incident, actor, text=said, key=f"notice:{update.pk}")
        if notice.incident:
            timeline.record(
                notice.incident,
                actor,
                Fact("notice_posted", f"Status page: {said}", data={"notice": notice.pk, "state": state}),
            )
        trail.record(actor, "post_notice", f"notice:{notice.pk}", after={"state": state, "text": said})
    return notice


def _reader(notice: Notice) -> int | None:
    """The organization a page is for; a public one is for everybody."""
    return None if notice.page.is_public else notice.page.organization_id


def _locked(notice_id: int, actor: Actor) -> Notice:
    notice = (
        Notice.objects.select_for_update(of=("self",)).select_related("page", "incident").filter(pk=notice_id).first()
    )
    if notice is None:
        raise NotFound("There is no such notice.")
    if not actor.is_staff:
        raise NotAllowed("Notices are posted by staff.")
    return notice
