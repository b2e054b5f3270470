"""Words: from facts to what a person reads.

One text a message kind, `templates/messages/<kind>.txt`, its first line the subject; `<kind>.sms.txt` or
`<kind>.phone.txt` where a channel needs shorter words. Texts are Mustache: logic-less, so that a manager may edit
them safely (security S20). Values are escaped at each channel's edge, not here: HTML by the mail layout, mrkdwn by
the Slack integration.
"""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path
from typing import Any

import pystache
from django.conf import settings
from django.template.loader import render_to_string

from supportdesk.integrations.base import Message

_FOLDER = Path(settings.BASE_DIR) / "templates" / "messages"
_RENDERER = pystache.Renderer(escape=lambda text: text, missing_tags="strict", search_dirs=[])


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
    """Subject and text of a kind for a channel."""
    source = _source(kind, vendor)
    subject, _, body = _RENDERER.render(source, {"desk": settings.DESK_NAME, **facts}).strip().partition("\n")
    return " ".join(subject.split()), body.strip() or subject


@lru_cache(maxsize=500)
def _source(kind: str, vendor: str) -> Any:
    for name in (f"{kind}.{vendor}.txt", f"{kind}.txt"):
        path = _FOLDER / name
        if path.is_file():
            return pystache.parse(path.read_text(encoding="utf-8"))
    raise NoWords(f"templates/messages/{kind}.txt is missing")


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
        },
    )
