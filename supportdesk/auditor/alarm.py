"""Telling people that the desk itself is unwell, by ways that share nothing with how the desk pages.

A mail server, a telephone account and a web address of their own, from the settings and not from rows: this works
while the database is away. Each way is tried with every alarm; each by itself, in so many seconds and no more.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor, wait
from email.message import EmailMessage
from email.utils import formatdate, make_msgid
from smtplib import SMTP, SMTP_SSL, SMTPException
from typing import Any
from urllib.parse import unquote, urlsplit
from xml.sax.saxutils import escape

import httpx
from django.conf import settings

log = logging.getLogger("supportdesk.auditor")

TIMEOUT_SECONDS = 10.0
SPOKEN_LIMIT = 300


def ways() -> dict[str, Callable[[str, str], None]]:
    """The ways that are configured, by name."""
    found: dict[str, Callable[[str, str], None]] = {}
    if settings.ALARM_EMAIL_URL and settings.ALARM_EMAIL_TO:
        found["mail"] = _mail
    if settings.ALARM_TWILIO and settings.ALARM_PHONE:
        found["call"] = _call
    if settings.ALARM_WEBHOOK:
        found["webhook"] = _webhook
    return found


def raise_alarm(subject: str, text: str) -> dict[str, str]:
    """Tell it by every way at once. Returns what became of each: empty words mean that it was accepted."""
    chosen = ways()
    if not chosen:
        log.critical("%s\n%s\n(no alarm way is configured: SUPPORTDESK_ALARM_…)", subject, text)
        return {}
    log.critical("%s\n%s", subject, text)
    pool = ThreadPoolExecutor(len(chosen), thread_name_prefix="alarm")
    told = {name: pool.submit(way, subject, text) for name, way in chosen.items()}
    wait(told.values(), timeout=TIMEOUT_SECONDS + 5)
    pool.shutdown(wait=False, cancel_futures=True)
    return {name: _outcome(future) for name, future in told.items()}


def _outcome(future: Any) -> str:
    if not future.done():
        return "no answer in time"
    error = future.exception()
    if error is not None:
        log.error("an alarm could not be raised: %s: %s", type(error).__name__, error)
    return f"{type(error).__name__}: {error}"[:200] if error else ""


def _mail(subject: str, text: str) -> None:
    """By a mail server of its own: smtp+tls://user:password@host:587, smtp+ssl://…, smtp://…"""
    url = urlsplit(settings.ALARM_EMAIL_URL)
    mail = EmailMessage()
    mail["Subject"], mail["From"] = subject, settings.ALARM_EMAIL_FROM or settings.DEFAULT_FROM_EMAIL
    mail["To"] = ", ".join(settings.ALARM_EMAIL_TO)
    mail["Auto-Submitted"] = "auto-generated"
    mail["Date"], mail["Message-ID"] = formatdate(), make_msgid("alarm")
    mail.set_content(text)
    host, is_tls = url.hostname or "127.0.0.1", url.scheme == "smtp+ssl"
    kind, port = (SMTP_SSL, 465) if is_tls else (SMTP, 587 if url.scheme == "smtp+tls" else 25)
    with kind(host, url.port or port, timeout=TIMEOUT_SECONDS) as server:
        if url.scheme == "smtp+tls":
            server.starttls()
        if url.username:
            server.login(unquote(url.username), unquote(url.password or ""))
        refused = server.send_message(mail)
    if refused:
        raise SMTPException(f"refused: {', '.join(refused)}")


def _call(subject: str, text: str) -> None:
    """By a telephone account of its own: `SUPPORTDESK_ALARM_TWILIO=sid:token:+from`."""
    account, token, number = settings.ALARM_TWILIO.split(":", 2)
    words = escape(f"{settings.DESK_NAME}: {subject}"[:SPOKEN_LIMIT])
    twiml = f'<Response><Say loop="2">{words}</Say></Response>'
    url = f"{settings.ALARM_TWILIO_URL}/2010-04-01/Accounts/{account}/Calls.json"
    with httpx.Client(timeout=TIMEOUT_SECONDS, trust_env=False, auth=(account, token)) as client:
        for phone in settings.ALARM_PHONE:
            client.post(url, data={"To": phone, "From": number, "Twiml": twiml}).raise_for_status()


def _webhook(subject: str, text: str) -> None:
    """By any web address that takes JSON: Slack's incoming webhooks read `text`, ntfy and Mattermost too."""
    body = {"text": f"{settings.DESK_NAME}: {subject}\n{text}", "subject": subject, "desk": settings.PUBLIC_URL}
    with httpx.Client(timeout=TIMEOUT_SECONDS, trust_env=False) as client:
        client.post(settings.ALARM_WEBHOOK, json=body).raise_for_status()


def ping(*, is_well: bool, failed: Sequence[str] = ()) -> str:
    """Tell the dead man's switch that all is well, or what is not. Returns what went wrong; empty if nothing did."""
    url = settings.DEAD_MAN_URL
    if not url:
        return ""
    try:
        with httpx.Client(timeout=TIMEOUT_SECONDS, trust_env=False) as client:
            if is_well:
                client.get(url).raise_for_status()
            elif settings.DEAD_MAN_FAILS:
                client.post(f"{url.rstrip('/')}/fail", content="\n".join(failed)).raise_for_status()
    except httpx.HTTPError as error:
        log.warning("the dead man's switch does not answer: %s: %s", type(error).__name__, error)
        return f"{type(error).__name__}: {error}"[:200]
    return ""
