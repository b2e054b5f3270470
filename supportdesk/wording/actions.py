"""Changing the texts of messages: by managers, with every revision kept."""

from __future__ import annotations

from django.db import transaction

from supportdesk import instants, words
from supportdesk.actors import Actor, Role
from supportdesk.audit import trail
from supportdesk.errors import Invalid, NotAllowed, NotFound
from supportdesk.localised import LANGUAGES
from supportdesk.wording import rules
from supportdesk.wording.models import MessageText


def save_text(
    *, actor: Actor, kind: str, text: str, known: frozenset[str], vendor: str = "", language: str = "en"
) -> MessageText | None:
    """Say a kind of message differently from now on. `known` are the facts it may use beside those of the shipped text.

    Returns the revision, None where it says just that already. Raises `Invalid` for facts nobody supplies.
    """
    _require_editable(actor, kind, vendor, language)
    said = text.replace("\r\n", "\n").strip() + "\n"
    wrong = rules.problems(said, known | words.shipped_facts(kind, vendor))
    if wrong:
        raise Invalid(" ".join(wrong), field="text")
    return _revise(actor, kind, vendor, language, said)


def reset_text(*, actor: Actor, kind: str, vendor: str = "", language: str = "en") -> MessageText | None:
    """Say it as shipped again. What was said meanwhile stays among the revisions."""
    _require_editable(actor, kind, vendor, language)
    return _revise(actor, kind, vendor, language, "")


def _require_editable(actor: Actor, kind: str, vendor: str, language: str) -> None:
    if actor.role is not Role.MANAGER:
        raise NotAllowed("Texts are changed by managers.")
    if language not in dict(LANGUAGES):
        raise NotFound("There is no such language.")
    if (kind, vendor) not in words.editable():
        raise NotFound("There is no such text.")


def _revise(actor: Actor, kind: str, vendor: str, language: str, said: str) -> MessageText | None:
    with transaction.atomic():
        rows = MessageText.objects.select_for_update().filter(kind=kind, vendor=vendor, language=language)
        last = rows.order_by("-number").first()
        if (last.text if last else "") == said:
            return None
        made = MessageText.objects.create(
            kind=kind,
            vendor=vendor,
            language=language,
            number=last.number + 1 if last else 1,
            text=said,
            edited_by_id=actor.user_id,
            edited_at=instants.now(),
        )
        before = last.text if last else ""
        trail.record(actor, "change_text", f"text:{kind}:{vendor}:{language}", before=before, after=said)
    return made
