"""Which files of strangers are kept, and under which name. Nothing is opened, run or shown in place (S15). Pure."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable
from dataclasses import dataclass

FILE_LIMIT = 25 * 1024 * 1024
MOST_FILES = 10
NAME_LIMIT = 150


@dataclass(frozen=True, slots=True)
class File:
    """One file with a harmless name and a type that its content bears out."""

    name: str
    content_type: str
    content: bytes


class Refused(ValueError):
    """The file is not kept; the text says why, in words for the sender."""


def _starts(*beginnings: bytes) -> Callable[[bytes], bool]:
    return lambda content: content.startswith(beginnings)


def _is_webp(content: bytes) -> bool:
    return content[:4] == b"RIFF" and content[8:12] == b"WEBP"


def _is_words(content: bytes) -> bool:
    """Text without markup a browser might run, whatever it is called."""
    try:
        words = content.decode("utf-8")
    except UnicodeDecodeError:
        return False
    head = words[:4_096].lower()
    return "\x00" not in words and not re.search(r"<(?:!doctype|html|script|svg|\?xml|iframe|body|head)", head)


_ZIP = _starts(b"PK\x03\x04", b"PK\x05\x06")
# By extension: the type it is handed out as, and what the content has to look like.
_KINDS: dict[str, tuple[str, Callable[[bytes], bool]]] = {
    "png": ("image/png", _starts(b"\x89PNG\r\n\x1a\n")),
    "jpg": ("image/jpeg", _starts(b"\xff\xd8\xff")),
    "jpeg": ("image/jpeg", _starts(b"\xff\xd8\xff")),
    "gif": ("image/gif", _starts(b"GIF87a", b"GIF89a")),
    "webp": ("image/webp", _is_webp),
    "pdf": ("application/pdf", _starts(b"%PDF-")),
    "zip": ("application/zip", _ZIP),
    "docx": ("application/octet-stream", _ZIP),
    "xlsx": ("application/octet-stream", _ZIP),
    "gz": ("application/gzip", _starts(b"\x1f\x8b")),
    **dict.fromkeys(("txt", "log", "csv", "json", "md", "yaml", "yml"), ("text/plain; charset=utf-8", _is_words)),
}


def checked(name: str, content: bytes) -> File:
    """The file under a harmless name. Raises `Refused`."""
    safe = safe_name(name)
    kind = safe.rpartition(".")[2].lower()
    if kind not in _KINDS:
        raise Refused(f"{safe}: this kind of file is not taken")
    if not content or len(content) > FILE_LIMIT:
        raise Refused(f"{safe}: {'empty' if not content else 'larger than 25 MB'}")
    content_type, fits = _KINDS[kind]
    if not fits(content):
        raise Refused(f"{safe}: its content is not what its name says")
    return File(safe, content_type, content)


def safe_name(name: str) -> str:
    """The last part of a name without anything a system or a reader might trip over."""
    base = re.split(r"[\\/]", unicodedata.normalize("NFC", name))[-1]
    visible = "".join(letter for letter in base if unicodedata.category(letter)[0] != "C")
    tidy = re.sub(r'[<>:"|?*;%]', "_", visible).strip(". ")
    stem, dot, kind = tidy.rpartition(".")
    short = f"{stem[: NAME_LIMIT - len(kind) - 1]}.{kind}" if dot else tidy
    return short[:NAME_LIMIT] or "file"
