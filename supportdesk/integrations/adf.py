"""Atlassian Document Format, as much of it as words need. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

TEXT_LIMIT = 30_000  # characters; Jira refuses more than 32,767


def document(text: str) -> dict[str, Any]:
    """Plain text as a document: a paragraph for each block of lines."""
    blocks = [block for block in text[:TEXT_LIMIT].replace("\r\n", "\n").split("\n\n") if block.strip()]
    return {"type": "doc", "version": 1, "content": [_paragraph(block) for block in blocks] or [_paragraph("")]}


def _paragraph(block: str) -> dict[str, Any]:
    content: list[dict[str, Any]] = []
    for line in block.strip().split("\n"):
        content += [{"type": "hardBreak"}] if content else []
        content += [{"type": "text", "text": line}] if line else []
    return {"type": "paragraph", "content": content}


def words(node: Any) -> str:
    """The plain text of a document or of any part of it."""
    if isinstance(node, str):
        return node
    if not isinstance(node, Mapping):
        return ""
    if node.get("type") == "text":
        return str(node.get("text", ""))
    if node.get("type") == "hardBreak":
        return "\n"
    parts = [words(child) for child in node.get("content") or ()]
    return ("\n\n" if node.get("type") == "doc" else "").join(parts)
