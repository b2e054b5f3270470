"""Back office pages that show who is paged differently before they save.

A save is made inside a savepoint, looked at and rolled back; what it changes is shown; saving what was shown needs a
second press. What would break a promise is refused with the arithmetic. Inlines take part like any other field.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import ProtectedError
from django.http import HttpRequest
from django.template.response import TemplateResponse

from rotations import changes, who_is_paged
from rotations.changes import SHOWN, Change
from rotations.promises import Unkept
from supportdesk import instants

SHOWN_ROWS = 200
_LONGEST_LOOK = timedelta(hours=1)  # what was shown longer ago is worked out anew
_OURS = frozenset({"_shown", "_shown_from", "_edit", "csrfmiddlewaretoken"})
_BACK = "Nothing is saved yet. Change what you like, then save again."


@dataclass(frozen=True, slots=True)
class Preview:
    """What a save would change: who is paged differently, and which promises could not be kept any more."""

    start: datetime
    changes: list[Change]
    unkept: list[Unkept]

    @property
    def digest(self) -> str:
        """Names what was shown, so that nobody confirms something else."""
        return hashlib.sha256(repr(self.changes).encode()).hexdigest()[:32]

    def in_words(self) -> str:
        return changes.in_words(self.changes, SHOWN)

    def rows(self) -> list[dict[str, Any]]:
        """The first changes, with people by name."""
        known = who_is_paged.names(self.changes)
        return [
            {
                "start": change.start,
                "end": change.end,
                "what": change.what,
                "slot": change.slot,
                "before": _people(change.before, known),
                "after": _people(change.after, known),
            }
            for change in self.changes[:SHOWN_ROWS]
        ]


class ConfirmsWhoIsPaged:
    """A mixin for `ModelAdmin`: shows what a save or a deletion changes about who is paged, before it does."""

    delete_confirmation_template = "admin/delete_who_is_paged.html"

    def changeform_view(
        self, request: HttpRequest, object_id: str | None = None, form_url: str = "", extra_context: Any = None
    ) -> Any:
        def save() -> Any:
            return super(ConfirmsWhoIsPaged, self).changeform_view(request, object_id, form_url, extra_context)

        if request.method != "POST":
            return save()
        if "_edit" in request.POST:
            request.refusals = [_BACK]  # type: ignore[attr-defined]
            return save()
        answer, preview = _rehearsed(request, save)
        if preview is None:
            return answer
        if preview.unkept:
            request.refusals = [one.in_words() for one in preview.unkept]  # type: ignore[attr-defined]
            return save()
        if preview.changes and request.POST.get("_shown") != preview.digest:
            return self._ask(request, preview)
        return save()

    def save_related(self, request: HttpRequest, form: Any, formsets: Any, change: bool) -> None:
        super().save_related(request, form, formsets, change)
        request.is_rehearsed = True  # type: ignore[attr-defined]

    def get_form(self, request: HttpRequest, obj: Any = None, change: bool = False, **kwargs: Any) -> Any:
        """The form, which says why a save was refused where one was."""
        made = super().get_form(request, obj, change, **kwargs)
        refusals = getattr(request, "refusals", ())
        if not refusals:
            return made

        class Refused(made):  # type: ignore[valid-type]
            def clean(self) -> Any:
                super().clean()
                raise ValidationError(list(refusals))

        return Refused

    def delete_view(self, request: HttpRequest, object_id: str, extra_context: Any = None) -> Any:
        """Django asks before it deletes; here it also says who would be paged differently."""
        row = self.get_object(request, object_id)  # type: ignore[attr-defined]
        said = dict(extra_context or {})
        if request.method == "GET" and row is not None and self.has_delete_permission(request, row):  # type: ignore[attr-defined]
            said |= _shown(_without(request, lambda: self.delete_model(request, row)))  # type: ignore[attr-defined]
        return super().delete_view(request, object_id, said)

    def _ask(self, request: HttpRequest, preview: Preview) -> TemplateResponse:
        fields = [(name, value) for name, values in request.POST.lists() if name not in _OURS for value in values]
        context = {
            **self.admin_site.each_context(request),  # type: ignore[attr-defined]
            **_shown(preview),
            "opts": self.opts,  # type: ignore[attr-defined]
            "title": "Who is paged",
            "fields": fields,
        }
        return TemplateResponse(request, "admin/who_is_paged.html", context)


def _rehearsed(request: HttpRequest, save: Callable[[], Any]) -> tuple[Any, Preview | None]:
    """Save, look, and take it back. No preview where the form has errors: then the answer is the page that says so."""
    start = _shown_from(request)
    request.is_rehearsed = False  # type: ignore[attr-defined]
    with transaction.atomic(), _unheard(request):
        before = who_is_paged.snapshot(start, start + SHOWN)
        answer = save()
        preview = _compared(before, start) if request.is_rehearsed else None  # type: ignore[attr-defined]
        transaction.set_rollback(True)
    return answer, preview


def _without(request: HttpRequest, delete: Callable[[], Any]) -> Preview | None:
    """What a deletion would change; None where the row cannot be deleted, which Django's page explains."""
    start = instants.now()
    with transaction.atomic(), _unheard(request):
        before = who_is_paged.snapshot(start, start + SHOWN)
        try:
            delete()
        except ProtectedError:
            preview = None
        else:
            preview = _compared(before, start)
        transaction.set_rollback(True)
    return preview


def _compared(before: who_is_paged.Snapshot, start: datetime) -> Preview:
    after = who_is_paged.snapshot(start, start + SHOWN)
    found = who_is_paged.difference(before, after, start, start + SHOWN)
    return Preview(start, found, who_is_paged.newly_unkept(before, after))


def _shown(preview: Preview | None) -> dict[str, Any]:
    rows = preview.rows() if preview else []
    return {"preview": preview, "rows": rows, "more": len(preview.changes) - len(rows) if preview else 0}


def _shown_from(request: HttpRequest) -> datetime:
    """From when on the difference was shown: the same stretch is looked at again, unless that is long ago."""
    now = instants.now()
    try:
        start = datetime.fromisoformat(request.POST.get("_shown_from", ""))
        return start if timedelta(0) <= now - start <= _LONGEST_LOOK else now
    except (ValueError, TypeError):
        return now


class _Unheard:
    """Takes the messages of a rehearsal: nothing was saved, so nobody is told that it was."""

    def add(self, level: int, message: str, extra_tags: str = "") -> None:
        """Forget it."""


@contextmanager
def _unheard(request: HttpRequest) -> Iterator[None]:
    kept = request._messages  # type: ignore[attr-defined]
    request._messages = _Unheard()  # type: ignore[attr-defined]
    try:
        yield
    finally:
        request._messages = kept  # type: ignore[attr-defined]


def _people(people: tuple[str, ...], known: dict[str, str]) -> str:
    return ", ".join(known[person] for person in people) or "nobody"
