"""Step 6: resolved, confirmed or reopened, and looked back on."""

from __future__ import annotations

from incidents.models import Page, SlaClock
from reports.models import PostIncidentReport
from supportdesk.queue.models import Timer


def _resolved(world, alice, bob):
    alice.reports("Checkout is down", service=world.rows.services["checkout"].pk)
    world.advance(minutes=4)
    bob.writes("Bob here, looking at it.")
    world.advance(minutes=5)
    bob.presses_button("resolve", summary="The certificate had expired; it is renewed and payments work.")
    return world.incident


def test_resolving_stops_everything_and_asks_alice(world, alice, bob):
    incident = _resolved(world, alice, bob)
    assert incident.status == "resolved"
    assert "Does it work for you again?" in alice.mail
    assert not Page.objects.filter(state="open").exists()
    assert {t.run for t in Timer.objects.filter(state="armed", subject=incident.subject)} == {
        "incidents.tasks.auto_confirm",
        "incidents.tasks.war_room_prompt",  # the closing briefing and the reminders
        "reports.tasks.draft",
    }
    assert SlaClock.objects.get(incident=incident, kind="resolution").state == "met"
    sent = len(world.fakes.sms.texts)
    world.advance(minutes=30)
    assert len(world.fakes.sms.texts) == sent


def test_alice_confirms(world, alice, bob):
    _resolved(world, alice, bob)
    world.advance(minutes=3)
    alice.confirms()
    assert world.incident.status == "follow_up"
    assert world.incident.confirmed_at == world.now
    assert "Alice Moreau confirmed" in bob.mail


def test_alice_says_nothing_and_after_72_hours_it_counts_as_confirmed(world, alice, bob):
    _resolved(world, alice, bob)
    world.advance(hours=72)
    assert world.incident.status == "follow_up"
    assert "No objection" in world.timeline("confirmed")[0].text


def test_alice_reopens_and_on_call_is_paged_again(world, alice, bob):
    incident = _resolved(world, alice, bob)
    texts = len(bob.phone.texts)
    world.advance(hours=1)
    alice.reopens("It fails again for half of our customers.")
    incident.refresh_from_db()
    assert (incident.status, incident.reopen_count, incident.is_acknowledged) == ("investigating", 1, False)
    assert len(bob.phone.texts) > texts
    resolution = SlaClock.objects.get(incident=incident, kind="resolution")
    assert (resolution.cycle, resolution.state) == (1, "running")
    assert (resolution.due_at - incident.received_at).total_seconds() == 5 * 3600
    key = f"supportdesk-{incident.pk}:reopen-1"
    assert world.fakes.pagerduty.alerts[key].status == "triggered"


def test_reopening_after_the_window_asks_for_a_new_report(world, alice, bob):
    incident = _resolved(world, alice, bob)
    world.advance(hours=73)
    refusal = alice.is_refused(f"/portal/incidents/{incident.pk}/reopen/", {"reason": "again"})
    assert "report a new incident" in refusal


def test_a_report_drafts_itself_from_the_timeline_an_hour_later(world, alice, bob):
    incident = _resolved(world, alice, bob)
    assert not PostIncidentReport.objects.exists()
    world.advance(hours=1)
    report = PostIncidentReport.objects.get()
    assert report.incident == incident
    assert "Bob here, looking at it." in report.sections["timeline"]
    assert "Bob Novak" in report.sections["timeline"]
    assert "Bob Novak" not in report.customer_sections["timeline"]
    assert "engineer: Bob here, looking at it." in report.customer_sections["timeline"]
    assert "First response" in report.customer_sections["sla"]
    assert "kept" in report.customer_sections["sla"]
    assert report.sections["factors"] == "_To be written._"


def _written(world, bob):
    world.advance(hours=1)
    report = PostIncidentReport.objects.get()
    customer = {f"customer-{slug}": f"What we learned about {slug}." for slug in report.customer_sections}
    bob.post(
        f"/console/reports/{report.pk}/",
        {"version": report.version, "internal-factors": "- expired\n- no alarm", **customer},
    )
    return report


def test_an_unfinished_report_is_not_published(world, alice, bob, dana):
    _resolved(world, alice, bob)
    world.advance(hours=1)
    report = PostIncidentReport.objects.get()
    assert "still to be written" in dana.is_refused(f"/console/reports/{report.pk}/publish/", {})
    assert alice.client.get(f"/portal/reports/{report.pk}/").status_code == 404


def test_a_report_that_names_another_customer_or_a_machine_is_held_back(world, alice, bob, dana):
    _resolved(world, alice, bob)
    report = _written(world, bob)
    report.refresh_from_db()
    leak = {"version": report.version, "customer-factors": "Rival was hit too, on db7.internal."}
    bob.post(f"/console/reports/{report.pk}/", leak)
    refusal = dana.is_refused(f"/console/reports/{report.pk}/publish/", {})
    assert "another customer, Rival" in refusal
    assert "db7.internal" in refusal


def test_dana_publishes_and_alice_reads_it_but_mallory_does_not(world, alice, bob, dana, mallory):
    _resolved(world, alice, bob)
    report = _written(world, bob)
    dana.post(f"/console/reports/{report.pk}/submit/", {})
    dana.post(f"/console/reports/{report.pk}/publish/", {})
    world.settle()
    assert "Our report on Checkout is down" in alice.mail
    assert "What we learned about factors." in alice.reads(f"/portal/reports/{report.pk}/")
    assert mallory.client.get(f"/portal/reports/{report.pk}/").status_code == 404


def test_two_editors_never_overwrite_each_other(world, alice, bob, dana):
    _resolved(world, alice, bob)
    report = _written(world, bob)
    stale = dana.client.post(f"/console/reports/{report.pk}/", {"version": 1, "internal-luck": "dana's words"})
    assert stale.status_code == 409
    assert "dana&#x27;s words" in stale.content.decode()
    report.refresh_from_db()
    assert "dana" not in report.sections["luck"]
