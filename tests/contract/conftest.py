"""The vendors' own API descriptions, as servers that check every request. Skipped where they are not at hand.

`SPECS` is the folder with the descriptions; the server that reads them lies beside it in `contract/`.
"""

from __future__ import annotations

import os
import warnings
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from functools import cache
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest

from supportdesk.integrations.base import Message


@pytest.fixture(scope="session")
def servers() -> Iterator[Callable[[str], Any]]:
    """The server of a vendor's description, started on first use and shared by all tests."""
    specs = Path(os.environ.get("SPECS", "")).resolve()
    tools = specs.parent / "contract"
    if not os.environ.get("SPECS") or not (tools / "vendors.py").is_file():
        pytest.skip("SPECS does not name a folder with the vendors' API descriptions")
    with ExitStack() as stack, pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(str(tools))
        serve, make = import_module("contract").ContractServer, import_module("vendors").make

        @cache
        def start(name: str) -> Any:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore", ResourceWarning)  # the reader leaves its file to the collector
                return stack.enter_context(serve(make(name)))

        yield start


@pytest.fixture
def described(servers: Callable[[str], Any]) -> Iterator[Callable[[str], Any]]:
    """The server for one vendor. At the end it must have been asked, and nothing asked may violate the description."""
    used: list[Any] = []

    def fresh(name: str) -> Any:
        server = servers(name)
        server.calls.clear()
        server.violations.clear()
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
