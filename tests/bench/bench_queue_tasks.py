"""The task every queue in the comparison runs: it writes down when it began, in sixteen bytes.

Imported by our workers and by the peers' (in environments of their own), so it needs nothing but Python.
"""

from __future__ import annotations

import os
import struct
import time
from pathlib import Path
from typing import Any

ENTRY = struct.Struct("dd")


def stamps() -> Path:
    return Path(os.environ["BENCH_STAMPS"])


def stamp(due: float) -> None:
    """Append when it should have begun and when it did, by the same wall clock. Small appends do not mix."""
    entry = ENTRY.pack(due, time.time())
    line = os.open(stamps(), os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
    try:
        os.write(line, entry)
    finally:
        os.close(line)


def timer(row: Any) -> None:
    """The same, for one of our timers."""
    stamp(row.due_at.timestamp())


def written() -> list[tuple[float, float]]:
    """Everything written so far: due, begun."""
    try:
        return list(ENTRY.iter_unpack(stamps().read_bytes()))
    except FileNotFoundError:
        return []


def forget() -> None:
    stamps().unlink(missing_ok=True)
