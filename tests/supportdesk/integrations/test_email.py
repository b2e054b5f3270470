"""Mail: threaded per incident, readable with and without HTML, and nobody can write headers into it."""

from __future__ import annotations

import ssl
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from django.core import mail as django_mail

from supportdesk.integrations.base import IntegrationError, Receipt
from supportdesk.integrations.email import Email
from tests.fakes.smtp import FakeSmtp
from tests.supportdesk.integrations.conftest import page

ALICE = "alice@acme.example"
INJECTIONS = [
    "Down\r\nBcc: mallory@rival.example", "Down\nBcc: mallory@rival.example", "Down\rBcc: mallory@rival.example",
    "Down\r\n\r\n<b>body</b>", "Down\x00\r\nX: y", "Down\u2028Bcc: m@rival.example", "Down\x85Bcc: m@rival.example",
    "Down\x0bBcc: m@rival.example", "=?utf-8?q?Down=0D=0ABcc:_m@rival.example?=", "Düwn\r\nBcc: m@rival.example",
    "\r\nBcc: m@rival.example", "Down\r\n Bcc: m@rival.example",
]  # fmt: skip


@pytest.fixture
def email(connect):
    return connect("email")


# --- a mail ----------------------------------------------------------------------------------------------------------


def test_alice_gets_a_mail_with_text_and_html(fakes, email):
    receipt = email.send(page(kind="update", to=ALICE, subject="[P1] Prüfung", text="Grüße", html="<p>Grüße</p>"))
    (mail,) = fakes.smtp.to(ALICE)
    assert mail.subject == "[P1] Prüfung"
    assert mail.part("plain").strip() == "Grüße"
    assert mail.part("html").strip() == "<p>Grüße</p>"
    assert mail.message["From"] == "Desk <desk@desk.example>"
    assert mail.message["X-Supportdesk-Key"] == "page:INC-42:1:bob"
    assert receipt == Receipt(mail.message["Message-ID"], {"to": ALICE}, settled=True)


def test_a_mail_without_html_is_one_part(fakes, email):
    email.send(page(to=ALICE))
    assert not fakes.smtp.to(ALICE)[0].message.is_multipart()


def test_the_same_message_has_the_same_name_on_every_attempt(fakes, email):
    fakes.smtp.next(at="data", drop="after")
    with pytest.raises(IntegrationError):
        email.send(page(to=ALICE))
    email.send(page(to=ALICE))
    email.send(page(to=ALICE, key="another"))
    first, again, other = [mail.message["Message-ID"] for mail in fakes.smtp.to(ALICE)]
    assert first == again != other
    assert first.endswith("@desk.example>")


def test_mails_of_one_incident_refer_to_the_same_root(fakes, email):
    first = email.send(page(to=ALICE))
    email.send(page(to=ALICE, key="update:1"), previous=first)
    email.send(page(to=ALICE, key="other", thread="INC-43"))
    opening, update, other = [mail.message for mail in fakes.smtp.to(ALICE)]
    root = opening["References"]
    assert opening["In-Reply-To"] == root
    assert update["References"].split() == [root, opening["Message-ID"]]
    assert update["In-Reply-To"] == opening["Message-ID"]
    assert other["References"] != root


def test_robots_are_told_not_to_answer_a_robot(fakes, email):
    email.send(page(to=ALICE))
    email.send(page(to=ALICE, key="2", facts={"author": "Bob"}))
    machine, human = [mail.message for mail in fakes.smtp.to(ALICE)]
    assert machine["Auto-Submitted"] == "auto-generated"
    assert machine["X-Auto-Response-Suppress"] == "All"
    assert human["Auto-Submitted"] is None


def test_a_previous_receipt_that_is_no_mail_is_left_out(fakes, email):
    odd = Receipt("1767225600.1\r\nBcc: mallory@rival.example")
    email.send(page(to=ALICE), previous=odd)
    assert len(fakes.smtp.to(ALICE)[0].message["References"].split()) == 1


# --- nobody writes headers -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("words", INJECTIONS, ids=ascii)
@pytest.mark.parametrize("field", ["subject", "key", "thread", "text", "ref"])
def test_no_words_become_headers(fakes, email, field, words):
    email.send(page(to=ALICE, **{field: words}))
    (mail,) = fakes.smtp.mails
    assert mail.recipients == [ALICE]
    assert mail.message["Bcc"] is None
    assert {name for name in mail.message if name not in KNOWN} == set()


@pytest.mark.parametrize("words", INJECTIONS, ids=ascii)
def test_no_sender_becomes_headers(fakes, connect, words):
    try:
        connect("email", from_address=f"{words} <desk@desk.example>").send(page(to=ALICE))
    except IntegrationError as error:
        assert error.permanent
    else:
        assert {name for name in fakes.smtp.mails[0].message if name not in KNOWN} == set()


@pytest.mark.parametrize(
    "address",
    [
        "", "alice", "alice@", "@acme.example", "alice@acme.example, mallory@rival.example", "alice@acme.example>",
        "alice@acme.example\nBcc: m@r.example", "alice@acme.example\r\nRCPT TO:<m@rival.example>", "a b@acme.example",
        "Alice <alice@acme.example>", "alice@acme.example ", "alice@acme.example;m@rival.example",
        "alice@ac\x00me.example",
    ],
    ids=ascii,
)  # fmt: skip
def test_what_is_not_one_address_gets_no_mail(fakes, email, address):
    with pytest.raises(IntegrationError, match="not an e-mail address") as caught:
        email.send(page(to=address))
    assert caught.value.permanent
    assert fakes.smtp.mails == []


def test_words_the_wire_cannot_carry_are_a_permanent_failure(fakes, email):
    with pytest.raises(IntegrationError, match="cannot be written") as caught:
        email.send(page(to=ALICE, text="half a surrogate \ud800"))
    assert caught.value.permanent


# --- a server that says no, or nothing -------------------------------------------------------------------------------


@pytest.mark.parametrize("at", ["mail", "rcpt", "data"])
@pytest.mark.parametrize(
    ("reply", "permanent"),
    [
        ("421 4.3.2 Busy", False),
        ("451 4.7.1 Greylisted", False),
        ("452 4.2.2 Full", False),
        ("550 5.1.1 Unknown", True),
        ("554 5.7.1 No", True),
    ],
)
def test_four_hundred_is_later_and_five_hundred_is_never(fakes, email, at, reply, permanent):
    fakes.smtp.next(at=at, reply=reply)
    with pytest.raises(IntegrationError, match=reply[:3]) as caught:
        email.send(page(to=ALICE))
    assert (caught.value.permanent, caught.value.ambiguous) == (permanent, False)
    assert fakes.smtp.mails == []


@pytest.mark.parametrize(
    ("at", "drop", "ambiguous"),
    [("mail", "before", False), ("rcpt", "before", False), ("data", "before", True), ("data", "after", True)],
)
def test_a_dropped_line_is_ambiguous_once_the_mail_is_on_it(fakes, email, at, drop, ambiguous):
    fakes.smtp.next(at=at, drop=drop)
    with pytest.raises(IntegrationError) as caught:
        email.send(page(to=ALICE))
    assert (caught.value.permanent, caught.value.ambiguous) == (False, ambiguous)


@pytest.mark.parametrize(("at", "ambiguous"), [("mail", False), ("data", True)])
def test_a_server_that_hangs_is_left_after_the_timeout(fakes, connect, at, ambiguous):
    fakes.smtp.next(at=at, hang=20)
    with pytest.raises(IntegrationError) as caught:
        connect("email", timeout=0.7).send(page(to=ALICE))
    assert caught.value.ambiguous is ambiguous


def test_a_server_nobody_listens_at_was_not_reached(connect):
    with pytest.raises(IntegrationError) as caught:
        connect("email", port="9").send(page(to=ALICE))
    assert (caught.value.permanent, caught.value.ambiguous) == (False, False)


def test_the_check_sends_nothing(fakes, email):
    assert email.check() == "Reached the mail server 127.0.0.1."
    assert fakes.smtp.mails == []


def test_the_check_says_when_nobody_is_there(connect):
    with pytest.raises(IntegrationError):
        connect("email", port="9").check()


@pytest.mark.parametrize("values", [{"port": "smtp"}, {"port": "２５x"}])
def test_settings_that_do_not_fit_need_a_person(connect, values):
    with pytest.raises(IntegrationError, match="do not fit") as caught:
        connect("email", **values).send(page(to=ALICE))
    assert caught.value.permanent


# --- security --------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def certificate(tmp_path_factory) -> Path:
    """A key and a certificate for 127.0.0.1, in one file."""
    key, now = ec.generate_private_key(ec.SECP256R1()), datetime.now(UTC)
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "127.0.0.1")])
    made = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))]), critical=False)
        .sign(key, hashes.SHA256())
    )
    pem = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    ) + made.public_bytes(serialization.Encoding.PEM)
    path = tmp_path_factory.mktemp("tls") / "both.pem"
    path.write_bytes(pem)
    return path


@pytest.fixture
def guarded(certificate) -> Iterator[FakeSmtp]:
    """A mail server that wants encryption and a password."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    server = FakeSmtp(tls_context=context, needs_login=True)
    server.start()
    yield server
    server.stop()


def connected(server: FakeSmtp, **values: str) -> Email:
    known = {"host": "127.0.0.1", "port": str(server.port), "from_address": "desk@desk.example"}
    return Email(known | {"username": server.username, "password": server.password} | values, timeout=2.0)


def test_encryption_and_password(guarded, certificate, monkeypatch):
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
    connected(guarded).send(page(to=ALICE))
    assert len(guarded.to(ALICE)) == 1


def test_a_wrong_password_needs_a_person(guarded, certificate, monkeypatch):
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
    with pytest.raises(IntegrationError, match="535") as caught:
        connected(guarded, password="wrong").send(page(to=ALICE))
    assert caught.value.permanent


def test_a_certificate_nobody_vouches_for_is_not_trusted(guarded):
    with pytest.raises(IntegrationError, match="certificate") as caught:
        connected(guarded).send(page(to=ALICE))
    assert not caught.value.ambiguous
    assert guarded.mails == []


def test_a_server_without_encryption_gets_nothing_where_encryption_is_asked_for(fakes, connect):
    with pytest.raises(IntegrationError) as caught:
        connect("email", security="starttls").send(page(to=ALICE))
    assert caught.value.permanent
    assert fakes.smtp.mails == []


# --- the desk's own server -------------------------------------------------------------------------------------------


def test_without_a_server_of_its_own_a_connection_uses_the_desks(fakes, settings):
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", fakes.smtp.port
    settings.EMAIL_USE_TLS = settings.EMAIL_USE_SSL = False
    Email({"from_address": "Desk <desk@desk.example>"}).send(page(to=ALICE))
    assert len(fakes.smtp.to(ALICE)) == 1


def test_another_mail_backend_of_the_desk_is_respected(fakes, settings):
    settings.EMAIL_BACKEND = "django.core.mail.backends.locmem.EmailBackend"
    Email({"host": ""}).send(page(to=ALICE))
    assert [mail.to for mail in django_mail.outbox] == [[ALICE]]
    assert fakes.smtp.mails == []


KNOWN = {
    "Content-Type", "Content-Transfer-Encoding", "MIME-Version", "Subject", "From", "To", "Date", "Message-ID",
    "References", "In-Reply-To", "Auto-Submitted", "X-Auto-Response-Suppress", "X-Supportdesk-Key",
}  # fmt: skip
