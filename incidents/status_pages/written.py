"""The public pages as files: a plain web server shows them while the desk is down.

Below `SUPPORTDESK_STATUS_FILES` everything lies under the address it has on the desk, styles and fonts included. Each
file is replaced whole. A page that is not public, or not there any more, is removed at the next writing.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import tempfile
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path
from urllib.parse import unquote, urlsplit
from uuid import uuid4

from django.conf import settings
from django.contrib.staticfiles import finders
from django.contrib.staticfiles.storage import staticfiles_storage
from django.db import connection

from incidents.models import StatusPage
from incidents.status_pages import board, feeds, rendering
from supportdesk import instants
from supportdesk.queue import timers
from supportdesk.queue.models import Lane, Timer

WRITE = "incidents.status_pages.written.write"
SUBJECT = "statuspages"
AGAIN_AFTER = timedelta(hours=1)  # the days move on, and a copy should say how fresh it is
_USED = re.compile(r"""(?:href|src)="([^"]+)"|url\(["']?([^"')]+)|(?:from|import)\s*\(?["']([^"']+\.js)""")


def changed() -> None:
    """Something a page says has changed: write them all soon, once. In the caller's transaction."""
    if settings.STATUS_FILES:
        _arm(instants.now())


def _arm(at: datetime) -> None:
    planned = timers.Planned(f"{SUBJECT}:{uuid4()}", WRITE, SUBJECT, at, lane=Lane.BULK)
    timers.replace(SUBJECT, WRITE, [planned])


def write(timer: Timer) -> None:
    """Write everything now, and again in an hour."""
    if settings.STATUS_FILES:
        with connection.cursor() as cursor:  # one writer at a time: an older picture never replaces a newer one
            cursor.execute("SELECT pg_advisory_xact_lock(hashtext(%s))", [SUBJECT])
        write_all(Path(settings.STATUS_FILES), instants.now())
        _arm(instants.now() + AGAIN_AFTER)


def write_all(root: Path, now: datetime) -> list[Path]:
    """Every public page below `root`, and nothing of any other. Returns what was written."""
    pages = list(StatusPage.objects.filter(is_public=True))
    _remove_others(root / "status", {page.slug for page in pages})
    written: list[Path] = []
    styles: set[str] = set()
    for page in pages:
        for name, content in _forms(page, now):
            written.append(_put(root / name, content))
            if name.endswith(".html"):
                styles |= _used(content.decode(), "/")
    written += [_put(root / name.lstrip("/"), content) for name, content in _statics(styles)]
    return written


def _forms(page: StatusPage, now: datetime) -> Iterator[tuple[str, bytes]]:
    at = {name: url.lstrip("/") for name, url in rendering.addresses(page.slug).items()}
    said = board.summary(page, now)
    yield f"{at['page']}index.html", rendering.page(page, now, is_copy=True).encode()
    yield at["json"], json.dumps(board.as_json(said)).encode()
    yield at["rss"], feeds.syndicated(page, "rss").encode()
    yield at["atom"], feeds.syndicated(page, "atom").encode()
    yield at["ical"], feeds.calendar(page)
    yield at["badge"], feeds.badge(said).encode()
    for number, first in enumerate(board.months(page, now)):
        html = rendering.month(page, first, now, is_copy=True).encode()
        yield f"{at['history']}{first:%Y-%m}/index.html", html
        if number == 0:
            yield f"{at['history']}index.html", html


def _put(path: Path, content: bytes) -> Path:
    """Whole or not at all: readers never see half a file."""
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=".writing-")
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(content)
        Path(temporary).chmod(0o644)
        Path(temporary).replace(path)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise
    return path


def _remove_others(folder: Path, slugs: set[str]) -> None:
    if not folder.is_dir():
        return
    for path in folder.iterdir():
        if path.is_dir() and path.name not in slugs:
            shutil.rmtree(path)


def _used(text: str, base: str) -> set[str]:
    """The static files a text names, by their address on the desk."""
    found = set()
    for match in _USED.finditer(text):
        name = urlsplit(next(filter(None, match.groups()), "")).path
        address = os.path.normpath(name if name.startswith("/") else f"{os.path.dirname(base)}/{name}")
        if address.startswith(settings.STATIC_URL):
            found.add(address)
    return found


def _statics(wanted: set[str]) -> Iterator[tuple[str, bytes]]:
    """Styles, fonts and scripts, and what those name in turn."""
    ahead, seen = sorted(wanted), set(wanted)
    while ahead:
        address = ahead.pop()
        content = _static(address)
        if content is None:
            continue
        yield address, content
        if address.endswith((".css", ".js")):
            more = _used(content.decode(errors="replace"), address) - seen
            seen |= more
            ahead += sorted(more)


def _static(address: str) -> bytes | None:
    name = unquote(address.removeprefix(settings.STATIC_URL))
    if settings.STATIC_ROOT and staticfiles_storage.exists(name):
        with staticfiles_storage.open(name) as file:
            return bytes(file.read())
    found = finders.find(name)
    return Path(found).read_bytes() if found else None
