"""INV-9: an organization sees its own and nothing else, whatever the door."""

from __future__ import annotations

import pytest
from django.test import Client

from supportdesk.organizations.models import Contact


@pytest.fixture
def secret(world, alice, bob):
    """An incident of Acme's full of words only Acme may read."""
    alice.reports("MARK-title", description="MARK-description")
    bob.writes("MARK-message")
    bob.presses_button("note", text="MARK-note")
    return world.incident


def test_mallory_finds_nothing_of_acmes(secret, mallory):
    pk = secret.pk
    for url in (
        f"/portal/incidents/{pk}/",
        f"/console/incidents/{pk}/",
        "/console/",
        "/console/jump/?q=MARK",
        "/console/customers/acme/",
        "/admin/",
    ):
        response = mallory.client.get(url)
        assert response.status_code in (302, 404), url
        assert "MARK" not in response.content.decode()
    for verb in ("message", "confirm", "reopen"):
        assert mallory.client.post(f"/portal/incidents/{pk}/{verb}/", {"text": "x", "reason": "x"}).status_code == 404
    assert mallory.client.post(f"/console/incidents/{pk}/acknowledge/").status_code == 404
    secret.refresh_from_db()
    assert secret.timeline.filter(actor="Mallory Vance").count() == 0


def test_a_foreign_id_and_a_missing_one_look_the_same(secret, mallory):
    foreign = mallory.client.get(f"/portal/incidents/{secret.pk}/")
    missing = mallory.client.get("/portal/incidents/999999/")
    assert foreign.status_code == missing.status_code == 404


def test_a_stranger_is_sent_to_the_log_in(secret):
    for url in (
        "/",
        "/portal/",
        "/console/",
        f"/portal/incidents/{secret.pk}/",
        "/console/reports/",
        "/console/on-call/",
    ):
        response = Client().get(url)
        assert response.status_code == 302
        assert response["Location"].startswith("/accounts/login/")


def test_an_engineer_does_not_enter_the_back_office_and_a_manager_does(secret, bob, dana):
    assert bob.client.get("/admin/").status_code == 302
    assert dana.client.get("/admin/").status_code == 200


def test_an_engineer_has_no_business_in_the_portal(secret, bob):
    assert bob.client.get("/portal/").status_code == 404


def test_a_contact_without_an_organization_sees_nothing(secret, alice):
    Contact.objects.filter(user=alice.user).update(user=None)
    assert alice.client.get(f"/portal/incidents/{secret.pk}/").status_code == 404
    assert alice.client.get("/portal/").status_code == 404
