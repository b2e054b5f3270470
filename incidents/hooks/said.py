"""What the verb of a reply answers."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from supportdesk.integrations.base import Reply
from supportdesk.integrations.models import Connection


@dataclass(frozen=True, slots=True)
class Said:
    """Words for whoever waits for the answer, and what their vendor needs besides, such as whom to ring next."""

    text: str = ""
    data: Mapping[str, Any] = field(default_factory=dict)


Handler = Callable[[Connection, Reply], str | Said]  # raises `DeskError` where it may or can not
