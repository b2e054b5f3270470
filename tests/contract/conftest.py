"""The vendors' own API descriptions, as servers that check every request. Skipped where they are not at hand."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest

from supportdesk.integrations.base import Message
from tests.contract import specs


@dataclass
class Tally:
    """What this run has shown: the operations we call, those that conform, the broken requests that were refused."""

    called: set[str] = field(default_factory=set)
    conforming: set[str] = field(default_factory=set)
    refused: set[str] = field(default_factory=set)
    undescribed: set[str] = field(default_factory=set)

    def line(self) -> str:
        counts = f"operations: {len(self.called)}, conforming: {len(self.conforming)}"
        return f"{counts}, mutations refused: {len(self.refused)}"


TALLY = pytest.StashKey[Tally]()
SKIPPED = pytest.StashKey[bool]()


@pytest.fixture(scope="session")
def tally(request: pytest.FixtureRequest) -> Tally:
    return request.config.stash.setdefault(TALLY, Tally())


def pytest_unconfigure(config: pytest.Config) -> None:
    """The last line of a run: what was shown, or that nothing could be."""
    if config.stash.get(SKIPPED, False):
        config.get_terminal_writer().line(f"contract tests skipped: {specs.ABSENT}")
    found = config.stash.get(TALLY, None)
    if found is None or hasattr(config, "workerinput"):
        return
    out = config.get_terminal_writer()
    if found.undescribed:
        out.line(
            f"not in the vendors' descriptions, shown against the fakes only: {', '.join(sorted(found.undescribed))}"
        )
    out.line(found.line())


@pytest.fixture(scope="session")
def servers(request: pytest.FixtureRequest) -> Iterator[Callable[[str], Any]]:
    """The server of a vendor's description, started on first use and shared by all tests."""
    if not specs.are_here():
        request.config.stash[SKIPPED] = True
        pytest.skip(specs.ABSENT)
    with specs.started() as start:
        yield start


@pytest.fixture
def described(servers: Callable[[str], Any]) -> Iterator[Callable[[str], Any]]:
    """The server for one vendor. At the end it must have been asked, and nothing asked may violate the description."""
    used: list[Any] = []

    def fresh(name: str) -> Any:
        server = servers(name)
        server.calls.clear()
        server.violations.clear()
        server.faults.clear()
        used.append(server)
        return server

    yield fresh
    for server in used:
        assert server.calls
        assert server.violations == []


def message(**changes: Any) -> Message:
    """Bob's page for alice's incident, with everything a message can have."""
    words = {
        "key": "page:INC-42:1:bob",
        "kind": "page",
        "to": "",
        "subject": "P1 Acme: Checkout is down",
        "text": "Emergency support. Priority one for Acme & Söhne. <Checkout> is down.",
        "ref": "INC-42",
        "url": "https://desk.example/console/incidents/42/",
        "thread": "INC-42",
        "token": "signed-token-for-bob",
        "facts": {"severity": "P1", "service": "checkout", "minutes": 3},
    }
    return Message(**(words | changes))
