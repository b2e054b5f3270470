"""Telling our own words apart when a vendor sends them back to us. Pure."""

from __future__ import annotations

import re

_LINE = "Sent by the desk for {ref}."
_OURS = re.compile(r"Sent by the desk for \S+\.\s*\Z")


def signed(text: str, ref: str) -> str:
    """What we write into somebody else's system: the words, and a last line that says where they come from."""
    return f"{text.strip()}\n\n{_LINE.format(ref=ref or 'an incident')}"


def is_ours(text: str) -> bool:
    """Did we write this ourselves?"""
    return _OURS.search(text) is not None
