"""What somebody wrote and the desk refused: kept in their session until the page it belongs to is shown again."""

from __future__ import annotations

from collections.abc import Iterator
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
    except Invalid:
        said = {name: str(text)[:_LONGEST] for name, text in request.POST.items() if name != "csrfmiddlewaretoken"}
        request.session[_KEY] = {"place": place, "form": form, "said": said}
        raise
    take(request, place)


def take(request: HttpRequest, place: str) -> dict[str, Any]:
    """What was kept for this page: `form` and `said`, once; empty where nothing was."""
    if request.session.get(_KEY, {}).get("place") != place:
        return {}
    found: dict[str, Any] = request.session.pop(_KEY)
    return found
