"""Locks take what a verb changes, and nothing it only reads: two verbs that need the same reading never wait for each
other."""

from __future__ import annotations

import ast
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent


def _calls(chain: ast.expr) -> dict[str, ast.Call]:
    """The methods of one chain of calls, by name."""
    found: dict[str, ast.Call] = {}
    while isinstance(chain, ast.Call | ast.Attribute):
        if isinstance(chain, ast.Call) and isinstance(chain.func, ast.Attribute):
            found[chain.func.attr] = chain
        chain = chain.func if isinstance(chain, ast.Call) else chain.value
    return found


def test_a_lock_of_joined_rows_says_of_which() -> None:
    """`FOR UPDATE` over a join locks the connection as well, and every message that leaves needs that one: a deadlock
    with whoever presses a button meanwhile."""
    wide = []
    for app in ("incidents", "reports", "rotations", "supportdesk"):
        for path in (ROOT / app).rglob("*.py"):
            for node in ast.walk(ast.parse(path.read_text())):
                chain = _calls(node) if isinstance(node, ast.Call) else {}
                lock = chain.get("select_for_update")
                if lock is not None and "select_related" in chain and "of" not in {k.arg for k in lock.keywords}:
                    wide.append(f"{path.relative_to(ROOT)}:{node.lineno}")
    assert not wide
