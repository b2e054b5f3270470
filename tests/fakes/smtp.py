"""A fake mail server: real SMTP, keeps every mail, and can refuse or hang up at any point of the conversation."""

from __future__ import annotations

import asyncio
import json
import socket
import threading
from collections.abc import Callable
from dataclasses import dataclass
from email import message_from_bytes, policy
from email.message import EmailMessage
from typing import Any

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session

ACCEPTED = "250 OK"


@dataclass
class Mail:
    """One mail as it arrived."""

    sender: str
    recipients: list[str]
    message: EmailMessage
    raw: bytes

    @property
    def subject(self) -> str:
        return str(self.message["Subject"])

    def part(self, kind: str) -> str:
        """The words of the text/`kind` part; empty if there is none."""
        for part in self.message.walk():
            if part.get_content_type() == f"text/{kind}":
                return str(part.get_content())
        return ""


@dataclass
class Step:
    at: str
    reply: str = ""
    drop: bool = False
    hang: float = 0.0
    acts: bool = False


class FakeSmtp:
    """`mails` in order. `port` is where it listens."""

    name = "smtp"
    username = "desk"
    password = "smtp-password"

    def __init__(self, port: int = 0, *, tls_context: Any = None, needs_login: bool = False) -> None:
        self.mails: list[Mail] = []
        self.surprises: list[str] = []
        self.watcher: Callable[[str], None] | None = None
        self.port = port or _free_port()
        self._script: list[Step] = []
        self._closing = threading.Event()
        self._controller = Controller(
            self,
            hostname="127.0.0.1",
            port=self.port,
            tls_context=tls_context,
            require_starttls=tls_context is not None,
            authenticator=self._authenticate if needs_login else None,
            auth_required=needs_login,
            auth_require_tls=tls_context is not None,
        )

    def start(self) -> None:
        self._controller.start()

    def stop(self) -> None:
        self._closing.set()
        self._controller.stop(no_assert=True)

    def next(self, *, at: str = "data", reply: str = "", drop: str = "", hang: float = 0.0) -> None:
        """Script the next conversation at `mail`, `rcpt` or `data`.

        Another `reply`, a line dropped `before` or `after` the mail is kept, or `hang` seconds of silence.
        """
        self._script.append(Step(at, reply, bool(drop), hang, drop == "after"))

    def to(self, address: str) -> list[Mail]:
        """The mails to one address, oldest first."""
        return [mail for mail in self.mails if address in mail.recipients]

    def trouble(self) -> list[str]:
        return self.surprises + [f"smtp: scripted but never asked for: {step}" for step in self._script]

    def reset(self) -> None:
        self.mails.clear()
        self.surprises.clear()
        self._script.clear()

    # --- the conversation --------------------------------------------------------------------------------------------

    async def handle_MAIL(self, server: SMTP, _: Session, envelope: Envelope, address: str, options: list[str]) -> str:
        envelope.mail_from = address
        envelope.mail_options.extend(options)
        return await self._obey("mail", server) or ACCEPTED

    async def handle_RCPT(self, server: SMTP, _: Session, envelope: Envelope, address: str, options: list[str]) -> str:
        reply = await self._obey("rcpt", server)
        if not reply:
            envelope.rcpt_tos.append(address)
            envelope.rcpt_options.extend(options)
        return reply or ACCEPTED

    async def handle_DATA(self, server: SMTP, _: Session, envelope: Envelope) -> str:
        if not (self._script and self._script[0].at == "data" and not self._script[0].acts):
            self._keep(envelope)
        return await self._obey("data", server) or ACCEPTED

    async def _obey(self, at: str, server: SMTP) -> str:
        if not self._script or self._script[0].at != at:
            return ""
        step = self._script.pop(0)
        waited = 0.0
        while waited < step.hang and not self._closing.is_set():
            await asyncio.sleep(0.05)
            waited += 0.05
        if step.drop and isinstance(server.transport, asyncio.WriteTransport):
            server.transport.abort()
        return step.reply

    def _keep(self, envelope: Envelope) -> None:
        raw = envelope.content if isinstance(envelope.content, bytes) else str(envelope.content).encode()
        message = message_from_bytes(raw, policy=policy.default)
        mail = Mail(envelope.mail_from or "", list(envelope.rcpt_tos), message, raw)  # type: ignore[arg-type]
        for name in ("From", "To", "Subject", "Date", "Message-ID"):
            if len(message.get_all(name, [])) != 1:
                self.surprises.append(f"smtp: a mail with {len(message.get_all(name, []))} {name} headers")
        self.mails.append(mail)
        if self.watcher:
            words = {"to": mail.recipients, "subject": mail.subject, "text": mail.part("plain")}
            self.watcher(json.dumps({"vendor": "smtp", "call": "mail", "got": words, "answer": 250}))

    def _authenticate(self, server: SMTP, _: Session, __: Envelope, ___: str, data: Any) -> AuthResult:
        good = isinstance(data, LoginPassword) and (data.login, data.password) == (
            self.username.encode(),
            self.password.encode(),
        )
        return AuthResult(success=good, handled=False)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
