"""The fake vendors for the tests of integrations, and a desk that consists of nothing but one integration."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any
from urllib.parse import urlsplit

import pytest

from supportdesk import integrations
from supportdesk.integrations.base import Integration, Message, Outcome, Reply, Request
from tests.fakes import DeskAnswer, Fakes

PUBLIC = "https://desk.example"


@pytest.fixture(scope="session")
def running_fakes() -> Iterator[Fakes]:
    with Fakes() as fakes:
        yield fakes


@pytest.fixture
def fakes(running_fakes: Fakes) -> Iterator[Fakes]:
    """Fake vendors that complain at the end of the test about anything no vendor would have understood."""
    running_fakes.reset()
    running_fakes.hooks(lambda slug: f"{PUBLIC}/hooks/{slug}/c0de/")
    yield running_fakes
    running_fakes.assert_no_surprises()


@pytest.fixture
def connect(fakes: Fakes) -> Callable[..., Integration]:
    """Build an integration connected to its fake vendor; keyword arguments change the connection's values."""

    def build(slug: str, timeout: float = 2.0, **values: str) -> Integration:
        return integrations.get(slug)(
            fakes.values(slug) | values,
            base_url=fakes.base_urls().get(slug, ""),
            callback_url=f"{PUBLIC}/hooks/{slug}/c0de/",
            timeout=timeout,
        )

    return build


class Door:
    """The desk as a vendor meets it: hands requests to one integration, keeps the replies, gives each one outcome."""

    def __init__(self, integration: Integration, *, text: str = "Noted.", result: str = "ok") -> None:
        self.integration, self.text, self.result = integration, text, result
        self.replies: list[Reply] = []

    def __call__(self, url: str, body: bytes, headers: Mapping[str, str]) -> DeskAnswer:
        request = inbound(url, body, headers)
        replies = self.integration.receive(request)
        self.replies += replies
        answer = self.integration.answer(request, [Outcome(reply, self.result, self.text) for reply in replies])
        return DeskAnswer(answer.status, answer.body, answer.content_type)


def inbound(url: str, body: bytes, headers: Mapping[str, str], method: str = "POST") -> Request:
    lower = {name.lower(): value for name, value in headers.items()}
    return Request(method, url, urlsplit(url).query, lower, body)


def page(**changes: Any) -> Message:
    """Bob's page for alice's incident."""
    words = {
        "key": "page:INC-42:1:bob",
        "kind": "page",
        "to": "",
        "subject": "P1 Acme: Checkout is down",
        "text": "Emergency support. Priority one for Acme. Checkout is down.",
        "ref": "INC-42",
        "url": f"{PUBLIC}/console/incidents/42/",
        "thread": "INC-42",
        "token": "signed-token-for-bob",
        "facts": {"severity": "P1", "service": "checkout"},
    }
    return Message(**(words | changes))
