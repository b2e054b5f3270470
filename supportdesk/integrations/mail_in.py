"""Mail in: a mailbox that is asked over IMAP, or a provider that posts what arrives. https://www.rfc-editor.org/rfc/rfc9051"""

from __future__ import annotations

import base64
import imaplib
import re
import ssl
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from email.message import EmailMessage
from typing import Any

from supportdesk.integrations import inbound, mail_posts, mail_reading
from supportdesk.integrations.base import BadPayload, BadSignature, Field, Integration, IntegrationError, Reply, Request
from supportdesk.integrations.mail_providers import INBOUND
from supportdesk.integrations.mail_reading import MAIL_LIMIT, Unreadable

MOST_AT_ONCE = 50
_SIZE = re.compile(rb"RFC822\.SIZE (\d+)")
_SECURITY = ("ssl", "starttls", "none")


class MailIn(Integration):
    """Keeps every mail that comes to one address; what becomes of it is decided from the row."""

    slug = "mail_in"
    label = "Incoming mail"
    fields = (
        Field("address", "Address", help="desk@example.com; addresses such as desk+42@… have to reach it too."),
        Field(
            "authserv_id",
            "Name of your mail server",
            required=False,
            help="As in the Authentication-Results it writes. Empty: no sender is believed, a person checks each. "
            "It has to remove such headers that come from outside.",
        ),
        Field("imap_host", "IMAP server", required=False, help="Asked by manage.py fetch_mail. Empty: not asked."),
        Field("imap_port", "IMAP port", required=False, default="993"),
        Field("imap_security", "Security", required=False, default="ssl", help="ssl, starttls or none"),
        Field("imap_user", "User name", required=False),
        Field("imap_password", "Password", secret=True, required=False),
        Field("imap_folder", "Folder", required=False, default="INBOX"),
        Field("provider", "Provider that posts mail", required=False, help=f"{', '.join(INBOUND)}; empty: none."),
        Field(
            "webhook_secret",
            "Its secret",
            secret=True,
            required=False,
            help="Mailgun: the signing key. The others: user:password, also in the address you give them.",
        ),
    )

    @classmethod
    def problems(cls, values: Mapping[str, str]) -> dict[str, str]:
        found = {}
        if "@" not in values.get("address", ""):
            found["address"] = "This is not an e-mail address."
        if values.get("imap_security", "ssl") not in (*_SECURITY, ""):
            found["imap_security"] = f"One of {', '.join(_SECURITY)}."
        if not values.get("imap_port", "993").isdigit():
            found["imap_port"] = "A number."
        if values.get("provider") and values["provider"] not in INBOUND:
            found["provider"] = f"One of {', '.join(INBOUND)}, or nothing."
        return found

    # --- posted by a provider ----------------------------------------------------------------------------------------

    def receive(self, request: Request) -> list[Reply]:
        provider = INBOUND.get(self.values.get("provider", ""))
        secrets = inbound.secrets(self.values, "webhook_secret")
        if provider is None or not secrets:
            raise BadSignature("no provider is named here, or its secret is missing")
        posted = mail_posts.events(provider.inbound, provider.signing_key, secrets, request)
        return [self.reply(_bytes(event.message)) for event in posted if event.message is not None]

    # --- asked over IMAP ---------------------------------------------------------------------------------------------

    def poll(self, keep: Callable[[list[Reply]], None]) -> int:
        """Keep every unseen mail, then mark it seen. Returns how many. Raises `IntegrationError`.

        A mail that was kept and not marked is kept again under the same key, which changes nothing.
        """
        with self._mailbox() as box:
            unseen = _said(box.uid("SEARCH", "UNSEEN"))
            numbers = b" ".join(part for part in unseen if part).split()[:MOST_AT_ONCE]
            for number in numbers:
                keep([self._fetched(box, number.decode())])
                _said(box.uid("STORE", number.decode(), "+FLAGS.SILENT", r"(\Seen)"))
        return len(numbers)

    def check(self) -> str:
        if not self.values.get("imap_host"):
            raise IntegrationError(
                "No IMAP server is named; mail is taken from the provider's webhook.", permanent=True
            )
        with self._mailbox() as box:
            waiting = len(b" ".join(part for part in _said(box.uid("SEARCH", "UNSEEN")) if part).split())
        return f"Opened the mailbox; {waiting} mails wait in it."

    @contextmanager
    def _mailbox(self) -> Iterator[imaplib.IMAP4]:
        """The folder, open. Raises `IntegrationError`: permanent where the password is wrong."""
        box: imaplib.IMAP4 | None = None
        try:
            box = self._line()
            _said(box.login(self.values.get("imap_user", ""), self.values.get("imap_password", "")))
            _said(box.select(f'"{self.values.get("imap_folder") or "INBOX"}"'))
            yield box
        except imaplib.IMAP4.abort as error:
            raise IntegrationError(f"mailbox: the line was lost: {error}"[:300]) from error
        except imaplib.IMAP4.error as error:
            raise IntegrationError(f"mailbox: {error}"[:300], permanent=True) from error
        except OSError as error:
            raise IntegrationError(f"mailbox: {type(error).__name__}: {error}"[:300]) from error
        finally:
            if box is not None:
                with suppress(imaplib.IMAP4.error, OSError):  # whatever was kept is kept
                    box.logout()

    def _line(self) -> imaplib.IMAP4:
        host, port = self.values.get("imap_host", ""), int(self.values.get("imap_port") or 993)
        security = self.values.get("imap_security") or "ssl"
        if security == "ssl":
            return imaplib.IMAP4_SSL(host, port, ssl_context=ssl.create_default_context(), timeout=self.timeout)
        line = imaplib.IMAP4(host, port, timeout=self.timeout)
        if security == "starttls":
            line.starttls(ssl.create_default_context())
        return line

    def _fetched(self, box: imaplib.IMAP4, number: str) -> Reply:
        """One mail, or only its head where it is larger than we keep."""
        sizes = _said(box.uid("FETCH", number, "(RFC822.SIZE)"))
        found = _SIZE.search(b" ".join(part for part in sizes if isinstance(part, bytes)))
        is_small = found is not None and int(found[1]) <= MAIL_LIMIT
        parts = _said(box.uid("FETCH", number, "(BODY.PEEK[])" if is_small else "(BODY.PEEK[HEADER])"))
        raw = next((part[1] for part in parts if isinstance(part, tuple)), b"")
        return self.reply(raw)

    # --- both --------------------------------------------------------------------------------------------------------

    def reply(self, raw: bytes) -> Reply:
        """One mail as a reply: its bytes, and who it says it is from. Raises `BadPayload` for what is no mail."""
        try:
            mail = mail_reading.read(raw, authserv_id=self.values.get("authserv_id", ""))
        except Unreadable as error:
            raise BadPayload(str(error)) from error
        data = {"raw": base64.b64encode(raw).decode()}
        return Reply("mail", mail.sender, mail.sender, mail.key, text=mail.subject, data=data)


def _said(answer: tuple[str, list[Any]]) -> list[Any]:
    """The data of an answer that says OK. Raises `IMAP4.error`."""
    status, data = answer
    if status != "OK":
        raise imaplib.IMAP4.error(f"the server says {status}: {data[:1]!r}")
    return data


def _bytes(mail: EmailMessage) -> bytes:
    """A mail that was posted, written out. Raises `BadPayload` for one that cannot be."""
    try:
        return mail.as_bytes()
    except (ValueError, LookupError, TypeError, AttributeError) as error:  # as half characters, or an unknown charset
        raise BadPayload(f"this mail cannot be written: {type(error).__name__}") from error
