"""Who gets in, how far, and how addresses are proved."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest
from django.core.cache import cache
from django.test import Client

from supportdesk import instants
from supportdesk.accounts import actions
from supportdesk.accounts.models import Invitation, User, VerificationCode
from supportdesk.errors import Invalid, NotAllowed, NotFound, WrongState
from supportdesk.models import Delivery
from tests.cast import World

GOOD = "correct horse battery"


@pytest.fixture
def invited(world, dana):
    """A new engineer's invitation and its link."""
    invitation, link = actions.invite(
        actor=dana.user.actor("admin"), email="New@Desk.Example", name="New", role="engineer"
    )
    world.settle()
    return invitation, link.removeprefix("http://testserver")


def test_an_invitation_arrives_by_mail_and_makes_an_account_once(world, invited):
    _, link = invited
    (mail,) = world.fakes.smtp.to("new@desk.example")
    assert link in mail.part("plain")
    stranger = Client()
    assert stranger.get(link).status_code == 200
    assert not User.objects.filter(email="new@desk.example").exists()
    answer = stranger.post(link, {"password": GOOD, "again": GOOD})
    assert answer.status_code == 302
    assert User.objects.get(email="new@desk.example").role == "engineer"
    assert Client().post(link, {"password": GOOD, "again": GOOD}).status_code == 404


def test_the_link_is_kept_nowhere_once_it_has_left(invited):
    _, link = invited
    token = link.rstrip("/").rsplit("/", 1)[1]
    assert token not in str(list(Invitation.objects.values()))
    assert token not in str(list(Delivery.objects.values()))


def test_an_invitation_ends_after_a_week(invited):
    _, link = invited
    instants.freeze(instants.now() + timedelta(days=7))
    assert Client().get(link).status_code == 404


def test_a_weak_password_is_refused_with_words(invited):
    page = Client().post(invited[1], {"password": "short", "again": "short"}).content.decode()
    assert "at least 10 characters" in page
    assert not User.objects.filter(email="new@desk.example").exists()


def test_nobody_signs_up_by_themselves(world):
    assert b"invit" in Client().get("/accounts/signup/").content.lower()
    Client().post("/accounts/signup/", {"email": "x@y.example", "password1": GOOD, "password2": GOOD})
    assert not User.objects.filter(email="x@y.example").exists()


def test_engineers_invite_nobody_and_customers_only_their_own_colleagues(world, bob, alice, sam):
    with pytest.raises(NotAllowed):
        actions.invite(actor=bob.user.actor("console"), email="a@b.example", name="A", role="engineer")
    with pytest.raises(NotAllowed):
        actions.invite(actor=alice.user.actor("portal"), email="a@b.example", name="A", role="engineer")
    with pytest.raises(NotAllowed):
        foreign = sam.user.contact
        actions.invite(
            actor=alice.user.actor("portal"), email="a@b.example", name="A", role="customer", contact=foreign
        )


def test_a_way_to_be_reached_counts_only_when_its_code_came_back(world, bob):
    method = actions.add_method(actor=bob.user.actor("settings"), kind="sms", address="+49 1511 9999999")
    world.settle()
    assert method.address == "+4915119999999"
    assert not method.is_usable
    text = world.fakes.sms.to("+4915119999999")[-1].body
    code = re.search(r"\b\d{6}\b", text)[0]
    with pytest.raises(Invalid):
        actions.verify_method(
            method.pk, actor=bob.user.actor("settings"), code="000000" if code != "000000" else "111111"
        )
    assert actions.verify_method(method.pk, actor=bob.user.actor("settings"), code=code).is_usable
    assert code not in str(list(VerificationCode.objects.values()))
    assert code not in str(list(Delivery.objects.values("facts", "rendered")))


def test_five_wrong_codes_are_enough(world, bob):
    me = bob.user.actor("settings")
    method = actions.add_method(actor=me, kind="sms", address="+4915119999999")
    world.settle()
    code = re.search(r"\b\d{6}\b", world.fakes.sms.to("+4915119999999")[-1].body)[0]
    for _ in range(5):
        with pytest.raises(Invalid):
            actions.verify_method(method.pk, actor=me, code="x")
    with pytest.raises(Invalid, match="tried too often"):
        actions.verify_method(method.pk, actor=me, code=code)


def test_a_code_is_good_for_fifteen_minutes_and_sent_once_a_minute(world, bob):
    me = bob.user.actor("settings")
    method = actions.add_method(actor=me, kind="sms", address="+4915119999999")
    world.settle()
    with pytest.raises(WrongState, match="in a minute"):
        actions.send_code(method, actor=me)
    code = re.search(r"\b\d{6}\b", world.fakes.sms.to("+4915119999999")[-1].body)[0]
    world.advance(minutes=15)
    with pytest.raises(Invalid):
        actions.verify_method(method.pk, actor=me, code=code)


def test_nobody_verifies_or_removes_somebody_elses_address(world, bob, carol):
    method = carol.user.contact_methods.get(kind="sms")
    for verb in (actions.verify_method, actions.remove_method):
        with pytest.raises(NotFound):
            verb(
                method.pk, actor=bob.user.actor("settings"), **({"code": "1"} if verb is actions.verify_method else {})
            )


def test_the_last_way_to_reach_an_engineer_stays(world, bob):
    me = bob.user.actor("settings")
    *others, last = bob.user.contact_methods.all()
    for method in others:
        actions.remove_method(method.pk, actor=me)
    with pytest.raises(WrongState, match="only way"):
        actions.remove_method(last.pk, actor=me)


@pytest.mark.parametrize("address", ["12345", "call me", "+49", "+4915\0"])
def test_a_number_needs_its_country(world, bob, address):
    with pytest.raises(Invalid):
        actions.add_method(actor=bob.user.actor("settings"), kind="phone", address=address)


# --- how far staff get ------------------------------------------------------------------------------------------------


def test_staff_without_a_second_factor_reach_nothing(world, bob, settings):
    settings.STAFF_SECOND_FACTOR = True
    for url in ("/console/", "/", "/console/on-call/", "/console/reports/"):
        answer = bob.client.get(url)
        assert (answer.status_code, answer["Location"]) == (302, "/accounts/2fa/totp/activate/"), url
    assert bob.client.get("/api/v1/incidents/").status_code == 403


def test_customers_need_no_second_factor(world, alice, settings):
    settings.STAFF_SECOND_FACTOR = True
    assert alice.client.get("/portal/").status_code == 200


def test_a_manager_does_not_rise_by_changing_a_superuser(world, dana):
    root = User.objects.create_superuser("root@desk.example", GOOD, name="Root")
    url = f"/admin/supportdesk/user/{root.pk}/change/"
    dana.client.post(url, {"name": "Root", "email": "dana2@desk.example", "role": "manager", "time_zone": "UTC"})
    root.refresh_from_db()
    assert root.email == "root@desk.example"


def test_the_back_office_shows_no_second_factors(world, dana):
    assert dana.client.get("/admin/mfa/authenticator/").status_code == 404
    assert "authenticator" not in dana.client.get("/admin/").content.decode().lower()


def test_wrong_passwords_from_elsewhere_do_not_lock_alice_out(world: World, alice, settings):
    """S9: keyed by where they come from, so that knowing an address is not enough to shut its owner out."""
    cache.clear()
    settings.ALLAUTH_TRUSTED_PROXY_COUNT = 1
    alice.user.set_password(GOOD)
    alice.user.save()

    def sign_in(password, address):
        data = {"login": alice.user.email, "password": password}
        return Client().post("/accounts/login/", data, headers={"X-Forwarded-For": address})

    for number in range(30):
        assert sign_in("wrong-password", f"203.0.113.{number}").status_code == 200
    assert sign_in(GOOD, "198.51.100.7").status_code == 302
    cache.clear()


def test_a_hundred_wrong_passwords_from_one_place_are_not_all_tried(world, alice):
    cache.clear()
    alice.user.set_password(GOOD)
    alice.user.save()
    for _ in range(15):
        Client().post("/accounts/login/", {"login": alice.user.email, "password": "wrong-password"})
    assert Client().post("/accounts/login/", {"login": alice.user.email, "password": GOOD}).status_code != 302
    cache.clear()
