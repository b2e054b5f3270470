"""Words: from facts to what a person reads.

One text a message kind, `templates/messages/<kind>.txt`, its first line the subject; `<kind>.sms.txt` or
`<kind>.phone.txt` where a channel needs shorter words, and `de/<kind>.txt` for readers of German. What a manager wrote
instead (`wording`) comes before the file. Texts are Mustache: logic-less, so that a manager may edit them safely
(security S20). Values are escaped at each channel's edge, not here: HTML by the mail layout, mrkdwn by the Slack
integration.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path
from typing import Any

import pystache
from django.conf import settings
from django.template.loader import render_to_string
from pystache.common import MissingTags
from pystache.context import KeyNotFoundError

from supportdesk.integrations.base import Message
from supportdesk.localised import ENGLISH, LANGUAGES
from supportdesk.wording.models import MessageText
from supportdesk.wording.rules import facts_in

log = logging.getLogger("supportdesk.words")

_FOLDER = Path(settings.BASE_DIR) / "templates" / "messages"
_RENDERER = pystache.Renderer(escape=lambda text: text, missing_tags=MissingTags.strict, search_dirs=[])
# Texts that are no sentences for people, or that only programs read.
_NOT_EDITED = ("event", "form", "reread", "room_", "oncall_group", "test", "subscribe", "page.pagerduty")


class NoWords(Exception):
    """There is no text for this kind of message: a bug, found by `make lint`."""


def message(*, key: str, kind: str, vendor: str, to: str, facts: dict[str, Any]) -> Message:
    """Render the words of one message for one channel. Facts missing from a text are an error, never a silent gap."""
    subject, text = render(kind, vendor, facts)
    return Message(
        key=key,
        kind=kind,
        to=to,
        subject=subject,
        text=text,
        html=_mail(subject, text, facts) if vendor == "email" else "",
        ref=str(facts.get("ref", "")),
        url=str(facts.get("url", "")),
        thread=str(facts.get("thread", "")),
        action=str(facts.get("action", "")),
        token=str(facts.get("token", "")),
        facts=facts,
    )


def render(kind: str, vendor: str, facts: dict[str, Any]) -> tuple[str, str]:
    """Subject and text of a kind for a channel, in the language of its facts.

    A text of a manager's that lacks a fact this time gives way to the shipped one: the message leaves in any case.
    """
    language = str(facts.get("language", ENGLISH))
    for source, is_edited in _sources(kind, vendor, language):
        try:
            return said(source, facts)
        except KeyNotFoundError:
            if not is_edited:
                raise
            log.exception("the edited text of %s (%s) lacks a fact; the shipped one is used", kind, language)
    raise NoWords(f"templates/messages/{kind}.txt is missing")


def said(source: str, facts: dict[str, Any]) -> tuple[str, str]:
    """Subject and text of a source: what the preview shows, and what is sent."""
    return _rendered(_parsed(source), facts)


def edited_texts(kind: str, language: str) -> dict[str, str]:
    """What managers say instead of the shipped texts of a kind, by channel.

    Asked of the database every time, by its index: all processes say the new text from the moment it is saved.
    """
    rows = MessageText.objects.filter(kind=kind, language=language).order_by("vendor", "-number").distinct("vendor")
    return {vendor: text for vendor, text in rows.values_list("vendor", "text") if text}


def shipped_text(kind: str, vendor: str = "", language: str = ENGLISH) -> str:
    """The text of a kind as it came, in English where it has no other; raises `NoWords`."""
    for speech in dict.fromkeys((language, ENGLISH)):
        for channel in dict.fromkeys((vendor, "")):
            if (source := _file(kind, channel, speech)) is not None:
                return source
    raise NoWords(f"templates/messages/{kind}.txt is missing")


@lru_cache(maxsize=200)
def shipped_facts(kind: str, vendor: str = "") -> frozenset[str]:
    """The facts the shipped text of a kind uses: these are always there."""
    return facts_in(shipped_text(kind, vendor)) | {"desk"}


@lru_cache(maxsize=1)
def editable() -> tuple[tuple[str, str], ...]:
    """Every text a manager may change: kind, and channel where the text is for one."""
    files = sorted(path.name.removesuffix(".txt") for path in _FOLDER.glob("*.txt"))
    split = (name.partition(".") for name in files if not name.startswith(_NOT_EDITED))
    return tuple((kind, vendor) for kind, _, vendor in split)


def languages_of(kind: str) -> list[str]:
    """The languages a kind is shipped in."""
    others = (code for code, _ in LANGUAGES if code != ENGLISH)
    return [ENGLISH, *(code for code in others if _file(kind, "", code) is not None)]


def _sources(kind: str, vendor: str, language: str) -> Iterator[tuple[str, bool]]:
    """Every text that would do, best first, and whether a manager wrote it: the reader's language before English, the
    channel's own text before the one for all, the manager's before the shipped."""
    for speech in dict.fromkeys((language, ENGLISH)):
        edited = edited_texts(kind, speech)
        for channel in dict.fromkeys((vendor, "")):
            if channel in edited:
                yield edited[channel], True
            if (source := _file(kind, channel, speech)) is not None:
                yield source, False


@lru_cache(maxsize=1_000)
def _file(kind: str, channel: str, language: str) -> str | None:
    if language not in dict(LANGUAGES):
        return None
    folder = _FOLDER if language == ENGLISH else _FOLDER / language
    path = folder / (f"{kind}.{channel}.txt" if channel else f"{kind}.txt")
    return path.read_text(encoding="utf-8") if path.is_file() else None


@lru_cache(maxsize=500)
def _parsed(source: str) -> Any:
    return pystache.parse(source)


def _rendered(source: Any, facts: dict[str, Any]) -> tuple[str, str]:
    subject, _, body = _RENDERER.render(source, {"desk": settings.DESK_NAME, **facts}).strip().partition("\n")
    return " ".join(subject.split()), body.strip() or subject


def _mail(subject: str, text: str, facts: dict[str, Any]) -> str:
    paragraphs = [part.strip() for part in text.split("\n\n") if part.strip()]
    return render_to_string(
        "messages/_mail.html",
        {
            "subject": subject,
            "paragraphs": paragraphs,
            "url": facts.get("url", ""),
            "desk": settings.DESK_NAME,
            "button": facts.get("button", "Open"),
            "ref": facts.get("ref", ""),
            "language": facts.get("language", ENGLISH),
        },
    )
