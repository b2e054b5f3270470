"""Mail over SMTP, or by any provider django-anymail knows. https://www.rfc-editor.org/rfc/rfc5321 https://anymail.dev/"""

from __future__ import annotations

import re
import smtplib
from collections.abc import Mapping
from contextlib import suppress
from email.utils import parseaddr
from hashlib import sha256
from typing import Any

from anymail.exceptions import AnymailAPIError, AnymailError
from anymail.signals import EventType
from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.mail import EmailMultiAlternatives, get_connection
from django.core.mail.backends.base import BaseEmailBackend
from django.core.mail.backends.smtp import EmailBackend
from django.core.mail.message import sanitize_address
from django.core.validators import validate_email
from requests.exceptions import RequestException

from supportdesk.integrations import inbound, kinds, mail_posts, mail_providers, outbound, reply_addresses
from supportdesk.integrations.base import (
    BadSignature,
    Field,
    Integration,
    IntegrationError,
    Message,
    Receipt,
    Reply,
    Request,
)
from supportdesk.integrations.outbound import GRACE, within

SUBJECT_LIMIT = 200
_LINE_BREAKS = re.compile(r"[\x00-\x1f\x7f\x85\u2028\u2029]+")
_MESSAGE_ID = re.compile(r"<[A-Za-z0-9._+-]+@[A-Za-z0-9.-]+>")
MARK, MARK_PARTS, MARK_LIMIT = "desk_key_", 3, 80  # providers take values of 80 characters; a key has up to 200
ENDED_WELL = frozenset({EventType.DELIVERED})
ENDED_BADLY = frozenset({EventType.BOUNCED, EventType.REJECTED, EventType.FAILED})
_NEEDS_A_PERSON = (smtplib.SMTPAuthenticationError, smtplib.SMTPNotSupportedError)


class _HandingOver:
    """Mixin: an SMTP line that knows whether it began to hand a mail over. From then on silence proves nothing."""

    handed_over = False

    def data(self, msg: Any) -> Any:
        self.handed_over = True
        return super().data(msg)


class _Smtp(_HandingOver, smtplib.SMTP):
    pass


class _SmtpOverTls(_HandingOver, smtplib.SMTP_SSL):
    pass


class _Backend(EmailBackend):
    @property
    def connection_class(self) -> type[smtplib.SMTP]:
        return _SmtpOverTls if self.use_ssl else _Smtp


class Email(Integration):
    """Send mail, threaded per incident. Without a server or provider a connection uses the EMAIL_* settings."""

    slug = "email"
    label = "E-mail"
    address_label = "e-mail address"
    kinds = kinds.WRITTEN
    per_minute = 600
    fields = (
        Field("host", "Mail server", required=False, help="Empty: the server from the desk's settings."),
        Field("port", "Port", required=False, default="587"),
        Field("username", "User name", required=False),
        Field("password", "Password", secret=True, required=False),
        Field("security", "Security", required=False, default="starttls", help="none, starttls or ssl"),
        Field("from_address", "From", required=False, help="Desk <desk@example.com>; empty: from the desk's settings."),
        Field(
            "reply_address",
            "Answers go to",
            required=False,
            help="The address of your incoming mail. Each incident gets a signed one of its own below it.",
        ),
        Field("provider", "Provider", required=False, help=f"{', '.join(mail_providers.PROVIDERS)}; empty: SMTP."),
        Field("api_key", "API key or token", secret=True, required=False, help="Of the provider."),
        Field("provider_detail", "Also needed", required=False, help="Mailgun: the domain. Postal: its address. …"),
        Field(
            "webhook_secret",
            "Secret of its reports",
            secret=True,
            required=False,
            help="So that the provider may say what became of a mail. Mailgun: the signing key. The others: "
            "user:password, also in the address you give them. Empty: accepted is all we hear.",
        ),
    )

    @classmethod
    def problems(cls, values: Mapping[str, str]) -> dict[str, str]:
        wrong = mail_providers.problem(values.get("provider", ""), values.get("provider_detail", ""))
        return {"provider": wrong} if wrong else {}

    def send(self, message: Message, previous: Receipt | None = None) -> Receipt:
        mail = self._mail(message, previous)
        within(self.timeout + GRACE, lambda: self._deliver(mail))
        said = {"to": message.to, **_accepted(mail)}
        return Receipt(mail.extra_headers["Message-ID"], said, settled=not self.hears_back)

    def check(self) -> str:
        within(self.timeout + GRACE, lambda: self._deliver(None))
        if provider := self.values.get("provider"):
            reports = "It reports what becomes of it" if self.hears_back else "Bounces are not reported to us"
            label = mail_providers.PROVIDERS[provider].label
            return f"Ready to hand mail to {label}; send a test to be sure. {reports}."
        return f"Reached the mail server {self.values.get('host') or settings.EMAIL_HOST}."

    @property
    def hears_back(self) -> bool:
        """Accepted is not delivered: where the provider reports, its report decides."""
        return self.values.get("provider") in mail_providers.TRACKING and bool(self.values.get("webhook_secret"))

    # --- what became of it -------------------------------------------------------------------------------------------

    def receive(self, request: Request) -> list[Reply]:
        """Delivered and bounced; whatever else a provider watches its readers for is not our business."""
        if not self.hears_back:
            raise BadSignature("no provider that reports is named here, or its secret is missing")
        provider = mail_providers.TRACKING[self.values["provider"]]
        secrets = inbound.secrets(self.values, "webhook_secret")
        posted = mail_posts.events(provider.tracking, provider.signing_key, secrets, request)
        return [_report(event) for event in posted if event.event_type in ENDED_WELL | ENDED_BADLY and _key(event)]

    # --- the mail ----------------------------------------------------------------------------------------------------

    def _mail(self, message: Message, previous: Receipt | None) -> EmailMultiAlternatives:
        """The mail, written out once to see that it can be. Raises a permanent `IntegrationError` where it cannot."""
        try:
            validate_email(message.to)
        except ValidationError as error:
            raise IntegrationError(f"{message.to!r} is not an e-mail address", permanent=True) from error
        try:
            mail = self._written(message, previous)
            mail.message().as_bytes()
        except (ValueError, UnicodeError) as error:
            raise IntegrationError(f"this mail cannot be written: {error}", permanent=True) from error
        return mail

    def _written(self, message: Message, previous: Receipt | None) -> EmailMultiAlternatives:
        mail = EmailMultiAlternatives(
            subject=_one_line(message.subject)[:SUBJECT_LIMIT],
            body=message.text,
            from_email=sanitize_address(self._sender(), "utf-8"),
            to=[message.to],
            reply_to=self._reply_to(message),
            headers=self._headers(message, previous),
        )
        if message.html:
            mail.attach_alternative(message.html, "text/html")
        if provider := mail_providers.PROVIDERS.get(self.values.get("provider", "")):
            mail.extra_headers |= provider.headers
            mail.metadata = _marks(message.key)  # type: ignore[attr-defined]  # what anymail hands to a provider
        return mail

    def _headers(self, message: Message, previous: Receipt | None) -> dict[str, str]:
        """Every mail of one incident refers to one root, which only exists as a name, so that mailers thread them."""
        headers = {"Message-ID": self._message_id("key", message.key), "X-Supportdesk-Key": _one_line(message.key)}
        if message.thread:
            root = self._message_id("thread", message.thread)
            known = [previous.id] if previous and _MESSAGE_ID.fullmatch(previous.id) else []
            headers["References"] = " ".join([root, *known])
            headers["In-Reply-To"] = known[0] if known else root
        if not message.facts.get("author"):  # nobody wrote it: robots must not answer it (RFC 3834)
            headers["Auto-Submitted"] = "auto-generated"
            headers["X-Auto-Response-Suppress"] = "All"
        if stop := _one_line(str(message.facts.get("stop", ""))):  # one click ends it (RFC 8058)
            headers["List-Unsubscribe"], headers["List-Unsubscribe-Post"] = f"<{stop}>", "List-Unsubscribe=One-Click"
        return headers

    def _reply_to(self, message: Message) -> list[str]:
        """Where an answer goes: an address of this incident, signed, so that it is known without trusting a subject."""
        ours = _one_line(self.values.get("reply_address", ""))
        return [reply_addresses.signed(ours, message.thread)] if ours else []

    def _sender(self) -> str:
        return _one_line(self.values.get("from_address") or settings.DEFAULT_FROM_EMAIL)

    def _message_id(self, what: str, name: str) -> str:
        domain = parseaddr(self._sender())[1].rpartition("@")[2].encode("idna").decode() or "localhost"
        return f"<{what}.{sha256(name.encode()).hexdigest()[:40]}@{domain}>"

    # --- the wire ----------------------------------------------------------------------------------------------------

    def _deliver(self, mail: EmailMultiAlternatives | None) -> None:
        """Hand `mail` to the server on a connection of its own; None only knocks."""
        try:
            backend = self._backend()
        except ValueError as error:
            raise IntegrationError(f"the mail server's settings do not fit: {error}", permanent=True) from error
        line = None
        try:
            backend.open()
            if session := getattr(backend, "session", None):
                outbound.bind(session)
            line = getattr(backend, "connection", None)
            if mail is not None:
                backend.send_messages([mail])
        except AnymailError as error:
            raise _refused_by_provider(error) from error
        except (OSError, smtplib.SMTPException) as error:
            raise _translated(error, handed_over=getattr(line, "handed_over", False)) from error
        finally:
            with suppress(OSError, smtplib.SMTPException):  # the mail is handed over or refused by now
                backend.close()

    def _backend(self) -> BaseEmailBackend:
        if self.values.get("provider"):
            return self._provider()
        if self.values.get("host"):
            security = self.values.get("security", "starttls")
            return _Backend(
                host=self.values["host"],
                port=int(self.values.get("port") or 587),
                username=self.values.get("username", ""),
                password=self.values.get("password", ""),
                use_tls=security == "starttls",
                use_ssl=security == "ssl",
                timeout=self.timeout,
            )
        if settings.EMAIL_BACKEND == "django.core.mail.backends.smtp.EmailBackend":
            return _Backend(timeout=self.timeout)
        return get_connection(timeout=self.timeout)

    def _provider(self) -> BaseEmailBackend:
        """The provider's backend, with this connection's own key. Raises ValueError for one we do not know."""
        slug = self.values["provider"]
        if slug not in mail_providers.PROVIDERS:
            raise ValueError(f"{slug!r} is not a provider we know")
        known = mail_providers.PROVIDERS[slug]
        given = (self.values.get("api_key", ""), self.values.get("provider_detail", ""))
        options: dict[str, Any] = dict(zip(known.needs, given, strict=False))
        if self.base_url:
            options["api_url"] = self.base_url
        # What a provider has no field for is left out: a mail without our mark is better than none.
        options |= {"requests_timeout": self.timeout, "ignore_unsupported_features": True}
        return get_connection(f"anymail.backends.{slug}.EmailBackend", **options)


def _refused_by_provider(error: AnymailError) -> IntegrationError:
    """What a provider's answer means; without an answer it may have taken the mail."""
    detail = f"mail provider: {type(error).__name__}: {error}"[:300]
    if not isinstance(error, AnymailAPIError):  # refused by anymail: an address, a setting, or nobody it may write to
        return IntegrationError(detail, permanent=True)
    cause, answer = error.__cause__, error.response
    if answer is None:
        is_dead = isinstance(cause, RequestException)
        return outbound.unanswered(cause, "mail provider") if is_dead else IntegrationError(detail, ambiguous=True)
    if answer.status_code < 300:  # accepted, but not in its own words
        return IntegrationError(detail, ambiguous=True)
    return outbound.refused(answer.status_code, detail, answer.headers)


def _accepted(mail: EmailMultiAlternatives) -> dict[str, str]:
    """What a provider calls the mail it accepted, and how it stands there. SMTP says neither."""
    said = getattr(mail, "anymail_status", None)
    if said is None or not said.status:
        return {}
    if said.status == {"unknown"} and not said.message_id:  # it answered, but not that it took the mail
        raise IntegrationError("the mail provider did not say what it did with the mail", ambiguous=True)
    return {"provider_id": str(said.message_id or "")[:200], "status": ", ".join(sorted(map(str, said.status)))}


def _marks(key: str) -> dict[str, str]:
    """Our key as a provider can keep it, to be told again with its reports."""
    parts = [key[at * MARK_LIMIT : (at + 1) * MARK_LIMIT] for at in range(MARK_PARTS)]
    return {f"{MARK}{number}": part for number, part in enumerate(parts) if part}


def _key(event: Any) -> str:
    """The key of the mail an event is about; empty where it is none of ours."""
    told = event.metadata if isinstance(event.metadata, Mapping) else {}
    return inbound.clean("".join(str(told.get(f"{MARK}{number}") or "") for number in range(MARK_PARTS)))


def _report(event: Any) -> Reply:
    """How a mail ended. The same report again, under the same name, changes nothing."""
    failed = event.event_type in ENDED_BADLY
    reason = str(event.mta_response or event.description or event.reject_reason or "")
    name = inbound.clean(str(event.event_id or f"{event.message_id}:{event.event_type}"))
    status = inbound.clean(f"{event.event_type}: {reason}" if failed and reason else str(event.event_type))[:300]
    data = {"status": status, "failed": failed, "final": True}
    return Reply("delivery_status", _key(event), inbound.clean(str(event.recipient or "")), name, data=data)


def _one_line(words: str) -> str:
    """Without anything that could end a header."""
    return _LINE_BREAKS.sub(" ", words).strip()


def _translated(error: Exception, *, handed_over: bool) -> IntegrationError:
    """4xx: later. 5xx: never. A dead line is ambiguous once the mail has begun to go over it."""
    if isinstance(error, smtplib.SMTPRecipientsRefused):
        code, reason = next(iter(error.recipients.values()))
        return IntegrationError(f"recipient refused: {code} {_readable(reason)}", permanent=code >= 500)
    if isinstance(error, smtplib.SMTPResponseException):
        detail = f"mail server: {error.smtp_code} {_readable(error.smtp_error)}"
        return IntegrationError(detail, permanent=error.smtp_code >= 500)
    detail = f"mail server: {type(error).__name__}: {error}"
    return IntegrationError(detail, permanent=isinstance(error, _NEEDS_A_PERSON), ambiguous=handed_over)


def _readable(reply: bytes | str) -> str:
    return reply.decode("utf-8", "replace") if isinstance(reply, bytes) else reply
