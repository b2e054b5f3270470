"""Slack's text format: what people wrote is shown as they wrote it, and never calls anybody. Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

SECTION_LIMIT = 3_000  # characters; Slack refuses longer ones
_HALF_ENTITY = re.compile(r"&[a-z]{0,3}\Z")


def escape(words: str) -> str:
    """Plain text as mrkdwn: no links but bare addresses, no mentions, no broadcasts; cut to `SECTION_LIMIT`."""
    escaped = words.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    return escaped if len(escaped) <= SECTION_LIMIT else _HALF_ENTITY.sub("", escaped[:SECTION_LIMIT])


def escaped(block: Any) -> Any:
    """A block, or any part of one, with the words of its mrkdwn texts escaped. Plain texts need no escaping."""
    if isinstance(block, Mapping):
        parts = {name: escaped(part) for name, part in block.items()}
        return parts | {"text": escape(str(block.get("text", "")))} if block.get("type") == "mrkdwn" else parts
    if isinstance(block, list | tuple):
        return [escaped(part) for part in block]
    return block
