"""Mail through a provider's HTTP API, by the real classes of django-anymail, and what the provider tells afterwards."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from supportdesk.integrations import mail_posts, mail_providers
from supportdesk.integrations.base import BadPayload, BadSignature, IntegrationError
from supportdesk.integrations.email import Email
from tests.fakes.mail_providers import FakeMailgun, FakePostmark
from tests.supportdesk.integrations.conftest import Door, inbound, page

ALICE = "alice@acme.example"
HOOK = "https://desk.example/hooks/email/c0de/"
# anymail warns of a provider it could not try lately.
pytestmark = pytest.mark.filterwarnings("ignore::anymail.exceptions.AnymailNotSupportedWarning")


@pytest.fixture(scope="module")
def servers() -> Iterator[dict[str, FakePostmark | FakeMailgun]]:
    made: dict[str, FakePostmark | FakeMailgun] = {"postmark": FakePostmark(), "mailgun": FakeMailgun()}
    for server in made.values():
        server.start()
        server.hook_url = HOOK
    yield made
    for server in made.values():
        server.stop()


@pytest.fixture
def postmark(servers):
    yield from _fresh(servers["postmark"])


@pytest.fixture
def mailgun(servers):
    yield from _fresh(servers["mailgun"])


def _fresh(server):
    server.reset()
    yield server
    assert server.trouble() == []


def through(server, timeout=1.0, **values):
    """The desk's mail connection, filled in as a manager would."""
    return Email(server.values | values, base_url=server.base_url, callback_url=HOOK, timeout=timeout)


# --- out -------------------------------------------------------------------------------------------------------------


def test_postmark_gets_text_html_threading_and_where_answers_go(postmark):
    email = through(postmark)
    message = page(kind="update", to=ALICE, subject="[P1] Prüfung", text="Grüße", html="<p>Grüße</p>")
    first = email.send(message)
    email.send(page(key="update:2", to=ALICE, thread="supportdesk-42"), previous=first)
    mail = postmark.mails[0]
    assert (mail["To"], mail["Subject"], mail["TextBody"]) == (ALICE, "[P1] Prüfung", "Grüße")
    assert mail["HtmlBody"] == "<p>Grüße</p>"
    assert postmark.header("Message-ID", 0) == first.id
    assert postmark.header("In-Reply-To", 0) == postmark.header("References", 0)
    assert postmark.header("In-Reply-To", 1) == first.id
    assert postmark.header("References", 1).split()[1] == first.id
    assert postmark.header("Auto-Submitted", 0) == "auto-generated"
    assert postmark.mails[1]["ReplyTo"].startswith("desk+42.")


def test_accepted_is_not_delivered_where_the_provider_reports(postmark):
    sent = through(postmark).send(page(to=ALICE))
    assert not sent.settled
    assert sent.detail == {"to": ALICE, "provider_id": postmark.mails[0]["MessageID"], "status": "sent"}
    assert through(postmark, webhook_secret="").send(page(to=ALICE)).settled


def test_mailgun_gets_the_same_mail_in_its_own_words(mailgun):
    sent = through(mailgun).send(page(to=ALICE, text="Grüße", html="<p>Grüße</p>"))
    (mail,) = mailgun.mails
    assert (mail["to"], mail["text"], mail["html"]) == (ALICE, "Grüße", "<p>Grüße</p>")
    headers = {name[2:].lower(): value for name, value in mail.items() if name.startswith("h:")}
    assert headers["message-id"] == sent.id
    assert headers["in-reply-to"] == headers["references"]
    assert sent.detail["status"] == "queued"


@pytest.mark.parametrize("slug", mail_providers.PROVIDERS)
def test_every_provider_we_name_can_be_built_and_says_that_it_is_ready(slug):
    values = {
        "provider": slug,
        "api_key": "a-key",
        "provider_detail": "https://desk.example",
        "from_address": "d@d.example",
    }
    assert mail_providers.PROVIDERS[slug].label in Email(values).check()


# --- what goes wrong -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("step", "permanent", "ambiguous", "wait"),
    [
        ({"status": 429, "headers": {"Retry-After": "7"}}, False, False, 7.0),
        ({"status": 429}, False, False, None),
        ({"status": 503}, False, False, None),
        ({"status": 500}, False, True, None),
        ({"status": 401}, True, False, None),
        ({"hang": 3.0}, False, True, None),
        ({"drop": "before"}, False, True, None),
        ({"drop": "after"}, False, True, None),
        ({"status": 200, "body": {"ErrorCode": 100, "Message": "Maintenance"}}, False, True, None),
        ({"status": 200, "body": "<html>Log in to our network</html>"}, False, True, None),
        ({"status": 200, "body": []}, False, True, None),
        ({"status": 422, "body": {"ErrorCode": 406, "Message": "in words of next year"}}, False, True, None),
        ({"redirect": "http://127.0.0.1:9/steal"}, True, False, None),
    ],
    ids=str,
)
def test_every_way_to_fail_says_what_the_next_try_may_do(postmark, step, permanent, ambiguous, wait):
    postmark.next(**step)
    email = through(postmark, timeout=0.4)
    with pytest.raises(IntegrationError) as caught:
        email.send(page(to=ALICE))
    said = caught.value
    assert (said.permanent, said.ambiguous, said.retry_after) == (permanent, ambiguous, wait)


def test_nobody_listening_means_that_nothing_left(postmark):
    email = Email(postmark.values, base_url="http://127.0.0.1:9/", timeout=1.0)
    with pytest.raises(IntegrationError) as caught:
        email.send(page(to=ALICE))
    assert (caught.value.permanent, caught.value.ambiguous) == (False, False)


def test_somebody_the_provider_does_not_write_to_any_more_is_a_failure_for_good(postmark):
    with pytest.raises(IntegrationError, match="rejected") as caught:
        through(postmark).send(page(to="gone@acme.example"))
    assert caught.value.permanent


# --- what became of it -----------------------------------------------------------------------------------------------


def test_a_delivery_and_a_bounce_name_the_mail_by_our_key(postmark):
    email = through(postmark)
    email.send(page(to=ALICE))
    door = Door(email)
    postmark.delivered(door)
    postmark.bounced(door)
    well, badly = door.replies
    assert (well.verb, well.subject, well.data["failed"]) == ("delivery_status", "page:INC-42:1:bob", False)
    assert badly.data["failed"]
    assert badly.data["status"] == "bounced: smtp;550 5.1.1 no such user"
    assert well.key != badly.key


def test_the_longest_key_survives_the_provider(postmark):
    key, email = "update:" + "ß" * 193, through(postmark)
    email.send(page(to=ALICE, key=key))
    door = Door(email)
    postmark.delivered(door)
    assert door.replies[0].subject == key


@pytest.mark.parametrize("kind", ["Transient", "AutoResponder", "Unknown"])
def test_what_is_not_the_end_decides_nothing(postmark, kind):
    email = through(postmark)
    email.send(page(to=ALICE))
    door = Door(email)
    assert postmark.bounced(door, kind=kind).status == 200
    assert postmark.delivered(door, RecordType="Open").status == 200
    assert door.replies == []


def test_a_mail_of_somebody_elses_on_the_same_account_is_none_of_ours(postmark):
    email = through(postmark)
    email.send(page(to=ALICE))
    door = Door(email)
    postmark.bounced(door, Metadata={"order": "17"})
    assert door.replies == []


def test_mailgun_reports_under_its_signature_and_tells_a_delay_from_a_bounce(mailgun):
    email = through(mailgun)
    email.send(page(to=ALICE))
    door = Door(email)
    mailgun.report(door, "failed", severity="temporary")
    mailgun.report(door, "failed", severity="permanent", **{"delivery-status": {"message": "550 no such user"}})
    mailgun.report(door, "delivered")
    assert [reply.data["status"] for reply in door.replies] == ["bounced: 550 no such user", "delivered"]
    assert {reply.subject for reply in door.replies} == {"page:INC-42:1:bob"}


def test_reports_need_the_secret(postmark):
    email = through(postmark)
    email.send(page(to=ALICE))
    with pytest.raises(BadSignature):
        postmark.post({"RecordType": "Delivery"}, Door(email), secret="desk:wrong")
    with pytest.raises(BadSignature):
        postmark.post({"RecordType": "Delivery"}, Door(through(postmark, webhook_secret="")))


ODD = [
    b"", b"null", b"[]", b"[1]", b"1", b'"x"', b"{}", b"{", b"\xff\xfe", b'{"RecordType": 1}', b'{"a": NaN}',
    b'{"RecordType": ["Bounce"]}', b'{"RecordType": "Bounce", "Type": {"a": 1}, "BouncedAt": 7}',
    b'{"RecordType": "Delivery", "DeliveredAt": "never", "Metadata": [1]}',
    b'{"RecordType": "Delivery", "Metadata": {"desk_key_0": {"a": []}}}', b"[" * 30_000,
    b'{"signature": 1}', b'{"signature": {"token": 1, "timestamp": [], "signature": {}}}',
    b'{"signature": {"token": "\\ud800", "timestamp": "1", "signature": "\\ud800"}}',
]  # fmt: skip


@pytest.mark.parametrize("slug", mail_providers.TRACKING)
@pytest.mark.parametrize("body", ODD, ids=lambda body: ascii(body[:30]))
def test_odd_reports_are_refused_or_change_nothing(slug, body):
    email = Email({"provider": slug, "webhook_secret": "desk:s3cret"}, callback_url=HOOK)
    for kind in ("application/json", "application/x-www-form-urlencoded", "multipart/form-data"):
        asked = inbound(HOOK, body, {"Content-Type": kind, "Authorization": "Basic ZGVzazpzM2NyZXQ="})
        try:
            replies = email.receive(asked)
        except (BadSignature, BadPayload):
            continue
        assert [reply for reply in replies if reply.data["failed"]] == []


def test_a_secret_that_is_none_of_the_providers_form_proves_nothing():
    asked = inbound(HOOK, b"{}", {"Content-Type": "application/json"})
    with pytest.raises(BadSignature):
        mail_posts.events("mailgun.MailgunTrackingWebhookView", "webhook_signing_key", ["Schlüssel"], asked)
