"""Where the vendors' API descriptions are, and the server that holds requests against them.

`SPECS` names the folder; without it, `shared/specs` beside the checkout. They are not part of this repository.
"""

from __future__ import annotations

import json
import os
import warnings
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from functools import cache
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest

DEFAULT = Path(__file__).resolve().parents[3] / "shared" / "specs"
SPECS = Path(os.environ.get("SPECS") or DEFAULT).resolve()
TOOLS, PAYLOADS = SPECS.parent / "contract", SPECS.parent / "payloads"
ABSENT = f"{SPECS} holds no API descriptions of the vendors: name their folder in SPECS"
# Jira's `deploymentType` and Statuspage's lists have no usable examples: what the live service answers, in short.
ANSWERS: dict[tuple[str, str, str], Any] = {
    ("jira", "GET", "/rest/api/3/issue/createmeta/{projectIdOrKey}/issuetypes"): {
        "issueTypes": [{"id": "1", "name": "Bug"}, {"id": "2", "name": "Task"}]
    },
    ("jira", "GET", "/rest/api/3/issue/createmeta/{projectIdOrKey}/issuetypes/{issueTypeId}"): {
        "fields": [
            {
                "fieldId": name,
                "key": name,
                "name": name,
                "required": False,
                "operations": ["set"],
                "schema": {"type": "string"},
            }
            for name in ("summary", "customfield_10010")
        ]
    },
}


def are_here() -> bool:
    return (TOOLS / "vendors.py").is_file() and any(SPECS.glob("*.json"))


@contextmanager
def started() -> Iterator[Callable[[str], Any]]:
    """A server for each description, by its name, started on first use."""
    with ExitStack() as stack, pytest.MonkeyPatch.context() as patch:
        patch.setenv("SPECS", str(SPECS))
        patch.syspath_prepend(str(TOOLS))
        serve, make = import_module("contract").ContractServer, import_module("vendors").make

        @cache
        def start(name: str) -> Any:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore", ResourceWarning)  # the reader leaves its file to the collector
                server = stack.enter_context(serve(make(name)))
            for (vendor, method, template), answer in ANSWERS.items():
                if vendor == name:
                    server.replies[method, template] = [lambda _args, _body, said=answer: (200, said)]
            return server

        yield start


def payloads(*prefixes: str) -> list[Path]:
    """The recorded requests of vendors, by the beginnings of their names; none where they are not at hand."""
    return [path for path in sorted(PAYLOADS.glob("*.json")) if path.name.startswith(prefixes)]


def payload(path: Path) -> dict[str, Any]:
    said = json.loads(path.read_text(encoding="utf-8"))
    assert isinstance(said, dict)
    return said
