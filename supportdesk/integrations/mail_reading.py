"""What a mail says: who wrote it and whether that is proven, what a person typed, what is attached. Pure.

Nothing here believes a header: whether the sender is who it claims to be is read from the one header our own mail
server writes (`Authentication-Results`), and from nothing else (security S18).
"""

from __future__ import annotations

import html
import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from email import message_from_bytes, policy
from email.errors import MessageError
from email.headerregistry import Address
from email.message import EmailMessage, MIMEPart
from hashlib import sha256

import nh3

from supportdesk.integrations import files
from supportdesk.integrations.files import File, Refused
from supportdesk.plain import storable

MAIL_LIMIT = 30 * 1024 * 1024
TEXT_LIMIT = 19_000
SUBJECT_LIMIT = 200
_MOST_PARTS = 200
_AUTOMATIC_PRECEDENCE = frozenset({"bulk", "junk", "list", "auto_reply"})
_QUOTE_STARTS = (
    re.compile(r"^-{2,} ?(?:Original Message|Ursprüngliche Nachricht|Forwarded message).*$", re.IGNORECASE),
    re.compile(r"^(?:On|Am|Le|El)\b.{4,200}\b(?:wrote|schrieb|écrit|escribió)\b.{0,60}:\s*$", re.IGNORECASE),
    re.compile(r"^_{20,}$"),
)
_PREFIX = re.compile(r"^(?:(?:re|aw|fw|fwd|wg|sv|antw)\s*(?:\[\d+\])?:\s*)+", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Mail:
    """One mail, read. `automatic` and `doubt` are empty, or say why nothing is done and why nobody is believed."""

    key: str
    sender: str
    sender_name: str
    subject: str
    text: str
    recipients: tuple[str, ...]
    automatic: str
    doubt: str
    is_ours: bool
    files: tuple[File, ...] = ()
    left_out: tuple[str, ...] = field(default=())

    @property
    def is_proven(self) -> bool:
        return not self.doubt


class Unreadable(ValueError):
    """This is no mail we can read."""


def read(raw: bytes, *, authserv_id: str, ours: Iterable[str] = ()) -> Mail:
    """Read a mail. `authserv_id` is the name our own mail server writes into its results; `ours` the addresses the
    desk writes from. Raises `Unreadable`."""
    if len(raw) > MAIL_LIMIT:
        raise Unreadable("the mail is larger than 30 MB")
    try:
        message = message_from_bytes(raw, policy=policy.default.clone(raise_on_defect=False))
        return _read(message, raw, authserv_id.strip().lower(), {address.lower() for address in ours})
    except (MessageError, ValueError, LookupError, IndexError, KeyError, AttributeError, RecursionError) as error:
        # The library's own ways of saying that a header or a part cannot be understood.
        raise Unreadable(f"the mail cannot be read: {type(error).__name__}") from error


def _read(message: EmailMessage, raw: bytes, authserv_id: str, ours: set[str]) -> Mail:
    senders = _addresses(message, "From")
    sender = senders[0].addr_spec.lower() if len(senders) == 1 else ""
    kept, left_out = _attachments(message)
    name = senders[0].display_name if len(senders) == 1 else ""
    return Mail(
        key=_key(message, raw),
        sender=storable(sender)[:320],
        sender_name=_line(name)[:200],
        subject=_PREFIX.sub("", _line(str(message.get("Subject", ""))))[:SUBJECT_LIMIT],
        text=storable(words_of(message)),
        recipients=storable(_recipients(message)),
        automatic=storable(_automatic(message)),
        doubt=_doubt(message, sender, authserv_id),
        is_ours=sender in ours or "X-Supportdesk-Key" in message,
        files=kept,
        left_out=storable(left_out),
    )


def _key(message: EmailMessage, raw: bytes) -> str:
    """What names a mail however often it is delivered; a mail without an id is named by its bytes."""
    named = "\x1f".join(str(message.get(header, "")) for header in ("Message-ID", "From", "Date"))
    return "mail:" + sha256(named.encode("utf-8", "replace") if message.get("Message-ID") else raw).hexdigest()[:40]


def _addresses(message: EmailMessage, header: str) -> list[Address]:
    found: list[Address] = []
    for value in message.get_all(header, []):
        found += list(getattr(value, "addresses", ()))
    return found


def _recipients(message: EmailMessage) -> tuple[str, ...]:
    """Everybody it was sent to, our mail server's own notes included."""
    listed = [one.addr_spec for header in ("To", "Cc") for one in _addresses(message, header)]
    for header in ("Delivered-To", "X-Original-To", "Envelope-To"):
        listed += [str(value).strip(" <>") for value in message.get_all(header, [])]
    return tuple(dict.fromkeys(address.lower()[:320] for address in listed[:100]))


# --- is it a machine? ------------------------------------------------------------------------------------------------


def _automatic(message: EmailMessage) -> str:
    """Why this was written by a machine; empty for a person's. Answering machines would be answered for ever."""
    submitted = str(message.get("Auto-Submitted", "no")).split(";")[0].strip().lower()
    if submitted not in ("no", ""):
        return f"Auto-Submitted: {submitted}"
    if str(message.get("Precedence", "")).strip().lower() in _AUTOMATIC_PRECEDENCE:
        return "bulk mail"
    if message.get("X-Auto-Response-Suppress"):
        return "its sender wants no automatic answers"
    if message.get("List-Id"):
        return "a mailing list"
    if str(message.get("Return-Path", "x")).strip() == "<>":
        return "a null return path"
    if message.get_content_type() in (
        "multipart/report",
        "message/delivery-status",
        "message/disposition-notification",
    ):
        return "a delivery report"
    return ""


# --- is it them? -----------------------------------------------------------------------------------------------------


def _doubt(message: EmailMessage, sender: str, authserv_id: str) -> str:
    """Why the sender is not proven; empty where our own mail server vouches for the domain in `From`."""
    if not sender or "@" not in sender:
        return "It has not exactly one sender."
    if not authserv_id:
        return "The desk is not told which mail server checks its mail, so no sender is believed."
    results = message.get_all("Authentication-Results", [])
    if not results:
        return "Our mail server left no result of its checks."
    server, _, checks = str(results[0]).partition(";")
    if server.split()[:1] != [authserv_id] and server.strip().lower().split(" ")[0] != authserv_id:
        return "The checks of the sender are not our own mail server's."
    domain = sender.rpartition("@")[2]
    return "" if _is_aligned(checks, domain) else "Our mail server could not confirm that it comes from there."


def _is_aligned(checks: str, domain: str) -> bool:
    """DMARC passed for the domain; without a DMARC result, DKIM or SPF passed for it or for the domain above."""
    methods = [_properties(part) for part in re.sub(r"\([^()]*\)", " ", checks.lower()).split(";")]
    dmarc = [one for one in methods if "dmarc" in one]
    if dmarc:
        return all(one["dmarc"] == "pass" and one.get("header.from", domain) == domain for one in dmarc)
    dkim = any(one.get("dkim") == "pass" and _covers(one.get("header.d", ""), domain) for one in methods)
    spf = any(
        one.get("spf") == "pass" and _covers(one.get("smtp.mailfrom", "").rpartition("@")[2], domain) for one in methods
    )
    return dkim or spf


def _properties(part: str) -> dict[str, str]:
    return {name: value.strip("\"'") for name, _, value in (word.partition("=") for word in part.split()) if value}


def _covers(authenticated: str, domain: str) -> bool:
    """The same domain, or one below it. What has no dot is no domain of anybody's."""
    return "." in authenticated and (domain == authenticated or domain.endswith("." + authenticated))


# --- what does it say? -----------------------------------------------------------------------------------------------


def words_of(message: EmailMessage) -> str:
    """What a person typed: the plain text, or the words of the HTML, without what is quoted below."""
    body = message.get_body(("plain", "html"))
    if body is None:
        return ""
    content = _decoded(body)
    if body.get_content_type() == "text/html":
        content = _without_markup(content)
    clean = content.replace("\r\n", "\n").replace("\x00", "").strip()
    typed = _without_quotes(clean) or clean
    return typed if len(typed) <= TEXT_LIMIT else typed[:TEXT_LIMIT] + "\n[…]"


def _decoded(part: MIMEPart) -> str:
    try:
        return str(part.get_content())
    except (LookupError, UnicodeError, KeyError):
        payload = part.get_payload(decode=True)
        return payload.decode("utf-8", "replace") if isinstance(payload, bytes) else ""


def _without_markup(content: str) -> str:
    broken = re.sub(r"(?i)<(?:br\s*/?|/p|/div|/tr|/li|/h\d)\s*>", "\n", content[: 10 * TEXT_LIMIT])
    words = html.unescape(nh3.clean(broken, tags=set(), clean_content_tags={"script", "style", "title"}))
    return re.sub(r"\n\s*\n\s*\n+", "\n\n", "\n".join(line.strip() for line in words.splitlines()))


def _without_quotes(text: str) -> str:
    kept: list[str] = []
    for line in text.split("\n"):
        if line.rstrip() == "--" or any(start.match(line.strip()) for start in _QUOTE_STARTS):
            break
        kept.append(line)
    while kept and (kept[-1].startswith(">") or not kept[-1].strip()):
        kept.pop()
    return "\n".join(kept).strip()


def _attachments(message: EmailMessage) -> tuple[tuple[File, ...], tuple[str, ...]]:
    """The files that are kept, and why the others are not."""
    kept: list[File] = []
    left_out: list[str] = []
    for number, part in enumerate(message.walk()):
        name = storable(part.get_filename() or "")
        if part.is_multipart() or not name:
            continue
        if len(kept) >= files.MOST_FILES or number > _MOST_PARTS:
            left_out.append(f"{files.safe_name(name)}: more than {files.MOST_FILES} files")
            continue
        content = part.get_payload(decode=True)
        try:
            kept.append(files.checked(str(name), content if isinstance(content, bytes) else b""))
        except Refused as refusal:
            left_out.append(str(refusal))
    return tuple(kept), tuple(left_out[:20])


def _line(words: str) -> str:
    return " ".join(str(storable(words)).split())
