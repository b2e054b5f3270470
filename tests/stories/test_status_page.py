"""Step 7: the public reads how we are, without logging in."""

from __future__ import annotations

import pytest
from django.test import Client

from incidents.models import Component, Notice, StatusPage


def test_a_stranger_reads_that_everything_works(world):
    response = Client().get("/status/status/")
    assert response.status_code == 200
    assert "Checkout" in response.content.decode()
    body = Client().get("/status/status/status.json").json()
    assert (body["status"], [c["status"] for c in body["components"]]) == ("operational", ["operational"] * 3)


def test_a_notice_is_drafted_from_the_incident_and_public_only_when_posted(world, alice, bob):
    alice.reports("Checkout is down for Acme's secret project", service=world.rows.services["checkout"].pk)
    page = StatusPage.objects.get()
    bob.presses_button("notice", page=page.pk)
    notice = Notice.objects.get()
    assert "Checkout" in notice.title
    assert "secret" not in notice.title + notice.updates.get().text
    assert Client().get("/status/status/status.json").json()["notices"] == []
    bob.post(
        f"/console/status/{notice.pk}/post/",
        {"text": "Card payments fail.", "state": "identified", "component_state": "major_outage"},
    )
    body = Client().get("/status/status/status.json").json()
    assert (body["status"], body["notices"][0]["updates"][0]["text"]) == ("major_outage", "Card payments fail.")
    assert "Acme" not in str(body)


def test_resolving_a_notice_makes_its_components_well_again(world, alice, bob):
    alice.reports("Down", service=world.rows.services["checkout"].pk)
    bob.presses_button("notice", page=StatusPage.objects.get().pk)
    notice = Notice.objects.get()
    url = f"/console/status/{notice.pk}/post/"
    bob.post(url, {"text": "Broken.", "state": "investigating", "component_state": "partial_outage"})
    assert Component.objects.get(name="Checkout").state == "partial_outage"
    bob.post(url, {"text": "Mended.", "state": "resolved"})
    assert Component.objects.get(name="Checkout").state == "operational"
    assert [u["text"] for u in Client().get("/status/status/status.json").json()["notices"][0]["updates"]] == [
        "Mended.",
        "Broken.",
    ]


@pytest.mark.parametrize("form", ["", "status.json"])
def test_a_private_page_does_not_exist_for_strangers(world, form):
    StatusPage.objects.update(is_public=False)
    assert Client().get(f"/status/status/{form}").status_code == 404
