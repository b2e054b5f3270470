"""The managers' door to the texts of messages: read, change with a preview, take back."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.views.decorators.http import require_GET, require_POST
from pystache.context import KeyNotFoundError

from incidents import routing, samples
from supportdesk import words
from supportdesk.actors import Actor, Role
from supportdesk.errors import NotFound
from supportdesk.localised import ENGLISH, LANGUAGES
from supportdesk.web import unsent
from supportdesk.web.doors import door
from supportdesk.web.pages import page
from supportdesk.wording import actions, rules
from supportdesk.wording.models import MessageText

SHOWN_REVISIONS = 10
_WIRES = {"email": "e-mail", "sms": "text message", "phone": "phone", "slack": "Slack"}


def _require_manager(actor: Actor) -> None:
    if actor.role is not Role.MANAGER:
        raise NotFound("There is nothing at this address.")


@require_GET
@door("console", staff=True)
def list_texts(request: HttpRequest, actor: Actor) -> HttpResponse:
    """Every text, those customers read first, and which of them were changed."""
    _require_manager(actor)
    newest = MessageText.objects.order_by("kind", "vendor", "language", "-number").distinct(
        "kind", "vendor", "language"
    )
    changed = {(row.kind, row.vendor) for row in newest if row.text}
    rows = [
        {
            "kind": kind,
            "vendor": vendor,
            "label": _label(kind, vendor),
            "subject": words.shipped_text(kind, vendor).partition("\n")[0],
            "is_changed": (kind, vendor) in changed,
            "is_for_customers": is_for_customers(kind),
        }
        for kind, vendor in words.editable()
    ]
    rows.sort(key=lambda row: (not row["is_for_customers"], row["kind"], row["vendor"]))
    return page(request, "console/texts.html", {"section": "texts", "rows": rows})


def _label(kind: str, vendor: str) -> str:
    """A kind as people say it: `severity_changed` is “Severity changed”."""
    return kind.replace("_", " ").capitalize() + (f", by {_WIRES.get(vendor, vendor)}" if vendor else "")


def is_for_customers(kind: str) -> bool:
    """Whether a customer reads it: these are shipped in every language."""
    return kind in routing.CUSTOMER_KINDS


@require_GET
@door("console", staff=True)
def show_text(request: HttpRequest, actor: Actor, kind: str, vendor: str = "", language: str = ENGLISH) -> HttpResponse:
    """One text: what it says now, the facts it may use, how it reads, and what it said before."""
    _require_manager(actor)
    kept = unsent.take(request, _place(kind, vendor, language))
    shipped = _shipped(kind, vendor, language)
    revisions = MessageText.objects.filter(kind=kind, vendor=vendor, language=language).select_related("edited_by")
    shown = list(revisions[:SHOWN_REVISIONS])
    current = shown[0].text if shown and shown[0].text else shipped
    text = kept["said"].get("text", "") if kept else current
    context = {
        "section": "texts",
        "kind": kind,
        "vendor": vendor,
        "label": _label(kind, vendor),
        "language": language,
        "languages": [(code, name) for code, name in LANGUAGES if code in words.languages_of(kind)],
        "text": text,
        "is_changed": current != shipped,
        "shipped": shipped,
        "facts": sorted(samples.known_facts(kind) | words.shipped_facts(kind, vendor)),
        "revisions": shown,
        **_preview(kind, vendor, language, text),
    }
    return page(request, "console/text.html", context, {"preview": "console/_text_preview.html"})


@require_POST
@door("console", staff=True)
def preview(request: HttpRequest, actor: Actor, kind: str, vendor: str = "", language: str = ENGLISH) -> HttpResponse:
    """How a text would read, without saving it."""
    _require_manager(actor)
    _shipped(kind, vendor, language)
    context = {
        "section": "texts",
        **_preview(kind, vendor, language, request.POST.get("text", "")[: rules.LONGEST + 1]),
    }
    return page(request, "console/_text_preview.html", context)


@require_POST
@door("console", staff=True)
def save_text(request: HttpRequest, actor: Actor, kind: str, vendor: str = "", language: str = ENGLISH) -> HttpResponse:
    """Say it like this from now on, or as shipped again."""
    _require_manager(actor)
    _shipped(kind, vendor, language)
    with unsent.kept(request, _place(kind, vendor, language), "text"):
        if "reset" in request.POST:
            actions.reset_text(actor=actor, kind=kind, vendor=vendor, language=language)
            messages.success(request, "It is said as shipped again.")
        else:
            known = samples.known_facts(kind)
            text = request.POST.get("text", "")
            actions.save_text(actor=actor, kind=kind, vendor=vendor, language=language, text=text, known=known)
            messages.success(request, "Messages say this from now on.")
    return redirect(request.path.removesuffix("save/"))


def _place(kind: str, vendor: str, language: str) -> str:
    return f"text:{kind}:{vendor}:{language}"


def _shipped(kind: str, vendor: str, language: str) -> str:
    if (kind, vendor) not in words.editable() or language not in words.languages_of(kind):
        raise NotFound("There is no such text.")
    return words.shipped_text(kind, vendor, language)


def _preview(kind: str, vendor: str, language: str, text: str) -> dict[str, Any]:
    """Subject and body for the sample incident, or what is wrong with the text."""
    wrong = rules.problems(text, samples.known_facts(kind) | words.shipped_facts(kind, vendor))
    if wrong:
        return {"problems": wrong}
    try:
        subject, body = words.said(text, samples.sample_facts(kind, language))
    except KeyNotFoundError as error:
        return {"problems": [str(error)]}
    return {"subject": subject, "body": body}
