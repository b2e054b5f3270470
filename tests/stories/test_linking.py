"""Many customers, one cause; and two reports of the same thing."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from incidents import actions
from incidents.models import ClockEvent, Incident, Notice, NoticeUpdate, SlaClock, StatusPage
from incidents.states import Status
from supportdesk.actors import desk
from supportdesk.audit.models import AuditEntry
from supportdesk.errors import Invalid, NotAllowed
from supportdesk.queue.models import Delivery, Timer


@pytest.fixture
def acme(world: Any, alice: Any) -> Incident:
    return alice.reports("Checkout is down")


@pytest.fixture
def rival(world: Any, mallory: Any) -> Incident:
    return mallory.reports("Payments fail")


@pytest.fixture
def master(world: Any, bob: Any) -> Incident:
    data = {"title": "The payment gateway answers nobody", "impact": 1, "urgency": 1}
    bob.post("/console/declare/", data)
    world.settle()
    return world.incident


def own(incident: Incident) -> dict[str, Any]:
    """Everything that belongs to an incident, but the link and what the timeline says of it."""
    row = Incident.objects.filter(pk=incident.pk).values().get()
    return {
        "row": {name: value for name, value in row.items() if name not in ("master_id", "updated_at")},
        "clocks": list(SlaClock.objects.filter(incident=incident).order_by("kind", "cycle").values()),
        "ledger": list(ClockEvent.objects.filter(incident=incident).order_by("sequence").values()),
        "armed": sorted(Timer.objects.filter(subject=incident.subject, state="armed").values_list("key", flat=True)),
        "told": sorted(Delivery.objects.filter(subject=incident.subject).values_list("key", flat=True)),
    }


def link(person: Any, incident: Incident, master: Incident) -> None:
    person.presses_button("link", incident, master=master.pk)


# --- masters ------------------------------------------------------------------------------------------------------
def test_a_link_changes_nothing_but_the_link_and_unlinking_restores_exactly(
    bob: Any, acme: Incident, master: Incident
) -> None:
    before = own(acme)
    link(bob, acme, master)
    acme.refresh_from_db()
    assert acme.master == master
    assert own(acme) == before
    bob.presses_button("unlink", acme)
    acme.refresh_from_db()
    assert acme.master is None
    assert own(acme) == before
    assert [entry.kind for entry in acme.timeline.filter(kind__in=("linked", "unlinked"))] == ["linked", "unlinked"]
    assert set(AuditEntry.objects.filter(subject=acme.subject).values_list("verb", flat=True)) >= {
        "link_to_master",
        "unlink",
    }


def test_no_customer_reads_of_the_master(
    alice: Any, bob: Any, acme: Incident, rival: Incident, master: Incident
) -> None:
    link(bob, acme, master)
    link(bob, rival, master)
    page = alice.reads(f"/portal/incidents/{acme.pk}/")
    assert master.ref not in page
    assert "gateway" not in page
    assert rival.ref not in page
    assert "Rival" not in page


def test_the_master_speaks_once_and_each_customer_hears_it_as_their_own(
    world: Any, bob: Any, acme: Incident, rival: Incident, master: Incident
) -> None:
    link(bob, acme, master)
    link(bob, rival, master)
    world.advance(minutes=4)
    bob.presses_button(
        "update", master, state="Payments fail for many.", doing="We move to the spare.", next="12", is_for_linked="1"
    )
    for incident in (acme, rival):
        (entry,) = incident.timeline.filter(kind="update")
        assert entry.visibility == "customer"
        event = ClockEvent.objects.get(incident=incident, kind="update_sent")
        assert event.data["ref"] == f"entry:{entry.pk}"
        assert SlaClock.objects.get(incident=incident, kind="first_response", cycle=1).satisfied_at == world.now
    to_acme = Delivery.objects.get(subject=acme.subject, kind="update", vendor="email").rendered["text"]
    to_rival = Delivery.objects.get(subject=rival.subject, kind="update", vendor="email").rendered["text"]
    assert "03:26 EST (UTC−5)" in to_acme
    assert "08:26 GMT (UTC+0)" in to_rival
    for text, others in ((to_acme, ("Rival", rival.ref, master.ref)), (to_rival, ("Acme", acme.ref, master.ref))):
        assert not [other for other in others if other in text]
    assert master.timeline.get(kind="sent_to_linked").text == f"Sent to {acme.ref}, {rival.ref} as well."


def test_an_update_that_would_name_one_customer_to_another_reaches_nobody(
    bob: Any, acme: Incident, rival: Incident, master: Incident
) -> None:
    link(bob, acme, master)
    link(bob, rival, master)
    said = {"state": "Acme and others cannot pay.", "doing": "We look.", "is_for_linked": "1"}
    refused = bob.is_refused(f"/console/incidents/{master.pk}/update/", said)
    assert "names another customer, Acme" in refused
    assert not Delivery.objects.filter(kind="update").exists()
    assert not master.timeline.filter(kind="update").exists()


def test_each_customer_confirms_for_themselves(
    world: Any, bob: Any, alice: Any, acme: Incident, rival: Incident, master: Incident
) -> None:
    for incident in (acme, rival):
        link(bob, incident, master)
        bob.presses_button("resolve", incident, summary="Payments work again.")
    bob.presses_button("resolve", master, summary="The gateway answers.")
    alice.confirms(acme)
    acme.refresh_from_db()
    rival.refresh_from_db()
    assert acme.status == Status.FOLLOW_UP
    assert rival.status == Status.RESOLVED


def test_no_chains_no_circles_no_drills(bob: Any, acme: Incident, rival: Incident, master: Incident) -> None:
    link(bob, acme, master)
    address = "/console/incidents/{}/link/"
    assert "own master" in bob.is_refused(address.format(rival.pk), {"master": rival.pk})
    assert "itself linked" in bob.is_refused(address.format(rival.pk), {"master": acme.pk})
    assert "Others are linked" in bob.is_refused(address.format(master.pk), {"master": rival.pk})
    assert "linked already" in bob.is_refused(address.format(acme.pk), {"master": rival.pk})


# --- duplicates -----------------------------------------------------------------------------------------------------
@pytest.fixture
def twin(world: Any, alice: Any, acme: Incident) -> Incident:
    world.advance(minutes=2)
    return alice.reports("Nobody can pay", impact="significant", urgency="critical")


def test_a_duplicate_stops_ringing_and_counting(world: Any, bob: Any, acme: Incident, twin: Incident) -> None:
    bob.presses_button("merge", twin, into=acme.pk, reason="the same outage")
    twin.refresh_from_db()
    assert (twin.status, twin.merged_into) == (Status.MERGED, acme)
    assert set(twin.clocks.values_list("state", flat=True)) == {"cancelled"}
    assert not Timer.objects.filter(subject=twin.subject, state="armed").exists()
    told = Delivery.objects.get(subject=twin.subject, kind="merged", vendor="email")
    assert acme.ref in told.rendered["subject"]
    assert AuditEntry.objects.get(verb="merge").reason == "the same outage"
    assert acme.timeline.get(kind="merged_here").text == f"{twin.ref} goes on here: the same outage"


def test_messages_to_a_duplicate_reach_the_one_that_goes_on(
    world: Any, bob: Any, alice: Any, acme: Incident, twin: Incident
) -> None:
    bob.presses_button("merge", twin, into=acme.pk, reason="the same outage")
    alice.writes("It is getting worse.", twin)
    assert acme.timeline.filter(kind="message", text="It is getting worse.").exists()
    assert not twin.timeline.filter(kind="message").exists()


def test_taken_apart_again_its_own_clocks_go_on(world: Any, bob: Any, acme: Incident, twin: Incident) -> None:
    before = {(c.kind, c.cycle): c.due_at for c in twin.clocks.filter(kind="resolution")}
    bob.presses_button("merge", twin, into=acme.pk, reason="the same outage")
    world.advance(minutes=5)
    bob.presses_button("unmerge", twin)
    twin.refresh_from_db()
    assert (twin.status, twin.merged_into, twin.closed_at) == (Status.INVESTIGATING, None, None)
    after = {(c.kind, c.cycle): c.due_at for c in twin.clocks.filter(kind="resolution")}
    assert after == {key: due + timedelta(minutes=5) for key, due in before.items()}
    assert twin.clocks.filter(kind="first_response", state="running").exists()


def test_never_across_customers_and_a_p1_only_by_who_has_it(
    bob: Any, carol: Any, dana: Any, acme: Incident, rival: Incident, twin: Incident
) -> None:
    refused = bob.is_refused(f"/console/incidents/{twin.pk}/merge/", {"into": rival.pk, "reason": "same"})
    assert "same customer" in refused
    with pytest.raises(NotAllowed):
        actions.merge(acme.pk, actor=carol.user.actor("console"), into_id=twin.pk, reason="same")
    actions.merge(acme.pk, actor=dana.user.actor("console"), into_id=twin.pk, reason="same")
    acme.refresh_from_db()
    assert acme.status == Status.MERGED


def test_over_rest(api: Any, bob: Any, alice: Any, acme: Incident, twin: Incident, master: Incident) -> None:
    assert api(bob).post(f"incidents/{twin.pk}/link/", {"master": master.pk}).status_code == 200
    assert api(bob).post(f"incidents/{twin.pk}/unlink/", {}).status_code == 200
    assert (
        api(bob).post(f"incidents/{twin.pk}/merge/", {"into": acme.pk, "reason": "same"}).json()["status"] == "merged"
    )
    assert api(bob).post(f"incidents/{twin.pk}/unmerge/", {}).json()["status"] == "investigating"
    assert api(alice).post(f"incidents/{twin.pk}/link/", {"master": master.pk}).status_code in (400, 403)
    assert api(bob).post(f"incidents/{twin.pk}/merge/", {"into": 999_999, "reason": "x"}).status_code == 400


# --- leaks ----------------------------------------------------------------------------------------------------------
def test_a_text_that_names_another_customer_is_held_back_until_somebody_has_read_it(bob: Any, acme: Incident) -> None:
    address = f"/console/incidents/{acme.pk}/message/"
    said = {"text": "Smallco has the same on db-3.internal."}
    refused = bob.is_refused(address, said)
    assert "another customer, Smallco" in refused
    assert "internal machine, db-3.internal" in refused
    page = bob.client.get(f"/console/incidents/{acme.pk}/").content.decode()
    assert "Smallco has the same" in page
    assert 'name="is_checked"' in page
    assert 'name="is_checked"' not in bob.client.get(f"/console/incidents/{acme.pk}/").content.decode()
    bob.presses_button("message", acme, is_checked="1", **said)
    assert acme.timeline.filter(kind="message").count() == 1
    assert "Smallco" in AuditEntry.objects.get(verb="send_despite").after["found"]


def test_a_secret_is_never_sent(api: Any, bob: Any, acme: Incident) -> None:
    body = {"text": "password: hunter2", "is_checked": True}
    answer = api(bob).post(f"incidents/{acme.pk}/messages/", body)
    assert answer.status_code == 400
    assert "secret" in answer.content.decode()
    assert "hunter2" not in answer.content.decode()
    assert not acme.timeline.filter(kind="message").exists()


def test_customers_write_what_they_like(alice: Any, acme: Incident) -> None:
    alice.writes("Smallco says 10.0.0.7 is down too, password: hunter2", acme)
    assert acme.timeline.filter(kind="message").count() == 1


def test_a_notice_names_no_customer_to_everybody_but_its_own_to_its_own(bob: Any, acme: Incident) -> None:
    public = StatusPage.objects.get(is_public=True)
    private = StatusPage.objects.create(slug="acme", name="Acme", is_public=False, organization=acme.organization)
    actor = bob.user.actor("console")
    for page, is_held in ((public, True), (private, False)):
        notice = Notice.objects.create(page=page, title="Problem", starts_at=acme.received_at)
        said = {"text": "Acme cannot pay.", "state": "investigating"}
        if is_held:
            with pytest.raises(Invalid, match="Acme"):
                actions.post_notice(notice.pk, actor=actor, **said)
        else:
            actions.post_notice(notice.pk, actor=actor, **said)
        assert NoticeUpdate.objects.filter(notice=notice).exists() is not is_held


def test_what_the_desk_says_by_itself_was_read_when_it_was_written(acme: Incident) -> None:
    actions.write_message(acme.pk, actor=desk("timer"), text="Smallco")
    assert acme.timeline.filter(kind="message").exists()


def test_whatever_happens_to_the_master_a_customer_unlinked_has_all_that_was_theirs(
    world: Any, bob: Any, alice: Any, acme: Incident, rival: Incident, master: Incident
) -> None:
    """Updated, resolved and reopened in between: nothing of it is the customer's, unless it was said to them."""
    for incident in (acme, rival):
        link(bob, incident, master)
    world.advance(minutes=4)
    said = {"state": "Payments fail for many.", "doing": "We move to the spare."}
    bob.presses_button("update", master, is_for_linked="1", **said)
    before = own(acme)
    bob.presses_button("update", master, state="It is the gateway.", doing="We wait for them.", status="identified")
    bob.presses_button("resolve", master, summary="The gateway answers.")
    bob.presses_button("reopen", master, reason="It is silent again.")
    bob.presses_button("status", master, status="mitigating")
    assert own(acme) == before
    bob.presses_button("unlink", acme)
    assert own(acme) == before
    assert acme.timeline.filter(kind="update").count() == 1, "what they were told stays told"
    world.advance(minutes=1)
    bob.presses_button("update", master, is_for_linked="1", state="Half of it works.", doing="We go on.")
    assert acme.timeline.filter(kind="update").count() == 1
    assert rival.timeline.filter(kind="update").count() == 2
    bob.presses_button("resolve", acme, summary="Payments work.")
    alice.confirms(acme)
    acme.refresh_from_db()
    rival.refresh_from_db()
    assert (acme.status, rival.is_resolved) == (Status.FOLLOW_UP, False)


def test_what_was_written_while_two_were_one_is_found_again(
    world: Any, bob: Any, alice: Any, acme: Incident, twin: Incident
) -> None:
    bob.presses_button("merge", twin, into=acme.pk, reason="the same outage")
    alice.writes("It is getting worse.", twin)
    bob.writes("We see it.", twin)
    answered = acme.clocks.get(kind="first_response", cycle=1)
    assert answered.state == "met", "the answer is where the incident goes on"
    world.advance(minutes=5)
    bob.presses_button("unmerge", twin)
    apart = twin.timeline.get(kind="unmerged")
    assert apart.text == f"Taken apart from {acme.ref} again. 2 messages written meanwhile can be read at {acme.ref}."
    assert apart.visibility == "customer"
    alice.writes("This one again.", twin)
    assert [entry.text for entry in twin.timeline.filter(kind="message")] == ["This one again."]
    assert acme.clocks.get(kind="first_response", cycle=1).satisfied_at == answered.satisfied_at
    assert twin.clocks.get(kind="first_response", cycle=1).satisfied_at is None, "it was never answered itself"
