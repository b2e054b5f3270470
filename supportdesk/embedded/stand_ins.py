"""Stand-ins for the vendors, so that `make run` shows what the desk sends: real servers on loopback, from the
checkout's tests."""

from __future__ import annotations

import importlib.util
import os
from dataclasses import dataclass
from pathlib import Path

MODULE = "tests.fakes.stand_ins"
CALLED = ("slack", "pagerduty", "phone", "sms", "jira", "statuspage", "incidentio")
SLUGS = (*CALLED, "smtp", "pocket")
_PREFIXES = {"slack": "/api/", "statuspage": "/v1"}


@dataclass(frozen=True)
class StandIns:
    """A port for each, and the file in which they learn whose number is whose."""

    ports: dict[str, int]
    note: Path

    @property
    def pocket(self) -> str:
        """Where everybody's pocket can be seen."""
        return f"http://127.0.0.1:{self.ports['pocket']}"

    @property
    def vendor_urls(self) -> str:
        """The value of SUPPORTDESK_VENDOR_URLS."""
        return ",".join(f"{slug}=http://127.0.0.1:{self.ports[slug]}{_PREFIXES.get(slug, '')}" for slug in CALLED)

    def argv(self, desk: str) -> tuple[str, ...]:
        ports = (part for slug in SLUGS for part in (f"--{slug}", str(self.ports[slug])))
        return "-m", MODULE, *ports, "--desk", desk, "--note", str(self.note)


def wanted() -> bool:
    """In demo mode, where the checkout has them and no vendor was named."""
    return (
        os.environ.get("SUPPORTDESK_MODE") == "demo"
        and not os.environ.get("SUPPORTDESK_VENDOR_URLS")
        and os.environ.get("SUPPORTDESK_STAND_INS", "1") != "0"
        and importlib.util.find_spec("tests") is not None
    )
