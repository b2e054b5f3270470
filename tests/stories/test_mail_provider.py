"""Mail by a provider's API: what it accepts is not delivered yet, and what bounces was never read."""

from __future__ import annotations

import pytest
from django.utils import timezone

from supportdesk.accounts.models import ContactMethod, PageRule
from supportdesk.doctor import mail_reports
from supportdesk.integrations import actions
from supportdesk.integrations.models import Connection
from supportdesk.organizations.models import Organization
from supportdesk.queue.models import Delivery, InboundEvent
from tests.fakes.mail_providers import FakePostmark


@pytest.fixture(scope="module")
def server():
    made = FakePostmark()
    made.start()
    yield made
    made.stop()


@pytest.fixture
def postmark(world, server, settings):
    """The desk's mail goes by Postmark, as a manager filled it in."""
    server.reset()
    settings.VENDOR_BASE_URLS |= {"email": server.base_url}
    line = Connection.objects.get(vendor="email")
    line.secrets = ""
    line.set_values(server.values)
    line.save()
    server.hook_url = world.hook("email")
    yield server
    assert server.trouble() == []


@pytest.fixture
def bob_reads_mail_first(bob):
    """Bob's own rule: mail at once, a call after ten minutes."""
    mail, _ = ContactMethod.objects.get_or_create(user=bob.user, kind="email", address=bob.user.email)
    ContactMethod.objects.filter(pk=mail.pk).update(verified_at=timezone.now())
    phone = bob.user.contact_methods.get(kind="phone")
    for method, after in ((mail, 0), (phone, 600)):
        PageRule.objects.create(user=bob.user, importance="important", method=method, after_seconds=after)


def page_of(postmark, bob):
    return next(at for at, mail in enumerate(postmark.mails) if mail["To"] == bob.user.email)


def test_a_page_that_bounces_was_not_read_and_the_phone_rings_at_once(
    world, postmark, alice, bob, bob_reads_mail_first
):
    alice.reports("Checkout is down")
    page = Delivery.objects.get(vendor="email", kind="page")
    assert (page.state, page.settled_at) == ("sent", None)
    assert not bob.phone.rang()
    assert postmark.bounced(world.desk, page_of(postmark, bob)).status == 200
    world.settle()
    page.refresh_from_db()
    assert (page.state, page.error) == ("failed", "bounced: smtp;550 5.1.1 no such user")
    assert bob.phone.rang()


def test_a_page_that_arrives_is_settled_and_told_again_changes_nothing(
    world, postmark, alice, bob, bob_reads_mail_first
):
    alice.reports("Checkout is down")
    at = page_of(postmark, bob)
    for _ in range(2):
        assert postmark.delivered(world.desk, at).status == 200
        world.settle()
    postmark.bounced(world.desk, at, kind="Transient")
    world.settle()
    page = Delivery.objects.get(vendor="email", kind="page")
    assert page.state == "confirmed"
    assert InboundEvent.objects.filter(verb="delivery_status").count() == 1
    assert not bob.phone.rang()


def test_customers_mail_keeps_its_thread_and_says_what_became_of_it(world, postmark, alice, bob):
    alice.reports("Checkout is down")
    bob.writes("We are on it.")
    told = [at for at, mail in enumerate(postmark.mails) if mail["To"] == alice.user.email]
    first, last = told[0], told[-1]
    assert postmark.header("References", last).split()[0] == postmark.header("References", first).split()[0]
    assert postmark.mails[last]["ReplyTo"].startswith(f"desk+{world.incident.pk}.")
    postmark.bounced(world.desk, last)
    world.settle()
    assert Delivery.objects.filter(to=alice.user.email, state="failed", error__startswith="bounced").count() == 1


def test_another_connections_report_decides_nothing_here(world, postmark, alice, bob, bob_reads_mail_first):
    alice.reports("Checkout is down")
    theirs = Connection(vendor="email", name="Rival's mail", organization=Organization.objects.get(slug="rival"))
    theirs.set_values(postmark.values)
    theirs.save()
    postmark.hook_url = f"http://testserver/hooks/email/{theirs.code}/"
    assert postmark.bounced(world.desk, page_of(postmark, bob)).status == 200
    world.settle()
    assert Delivery.objects.get(vendor="email", kind="page").state == "sent"


def test_the_test_button_and_the_doctor_say_by_whom_mail_goes_and_whether_bounces_are_heard(world, postmark, dana):
    line = Connection.objects.get(vendor="email")
    assert actions.record_check(line).works
    line.refresh_from_db()
    assert line.check_result == (
        "Ready to hand mail to Postmark; send a test to be sure. It reports what becomes of it."
    )
    (heard,) = mail_reports()
    assert (heard.state, heard.text) == ("ok", "By Postmark, which reports what becomes of it.")
    line.secrets = ""
    line.set_values({**line.settings, "api_key": postmark.token})
    line.save()
    (unheard,) = mail_reports()
    assert (unheard.state, unheard.text) == ("warn", "By Postmark, but bounces are not reported to the desk.")
    assert line.code in unheard.do
