"""What somebody wrote and the desk refused: kept in their session until the page it belongs to is shown again."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from django.http import HttpRequest

from supportdesk.errors import Invalid

_KEY = "unsent"
_LONGEST = 20_000


@contextmanager
def kept(request: HttpRequest, place: str, form: str) -> Iterator[None]:
    """Keep what a form said if it is refused as invalid, and let the refusal pass."""
    try:
        yield
    except Invalid as refusal:
        said = {name: _short(texts) for name, texts in request.POST.lists() if name != "csrfmiddlewaretoken"}
        request.session[_KEY] = {"place": place, "form": form, "said": said, "why": refusal.detail}
        raise
    take(request, place)


def take(request: HttpRequest, place: str) -> dict[str, Any]:
    """What was kept for this page: `form`, `said` and `why` it was refused, once; empty where nothing was."""
    if request.session.get(_KEY, {}).get("place") != place:
        return {}
    found: dict[str, Any] = request.session.pop(_KEY)
    return found


def _short(texts: Sequence[object]) -> str | list[str]:
    """A text, or all of them where somebody ticked several."""
    short = [str(text)[:_LONGEST] for text in texts]
    return short if len(short) > 1 else "".join(short)
