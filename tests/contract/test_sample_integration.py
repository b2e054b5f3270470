"""docs/adding-an-integration.md is true: the integration it builds is built from it here, and does what it says."""

from __future__ import annotations

import hashlib
import hmac
import json
import re
from pathlib import Path
from typing import Any

import pytest

from supportdesk import integrations
from supportdesk.admin import ConnectionForm
from supportdesk.integrations.base import BadPayload, BadSignature, IntegrationError, Request
from supportdesk.integrations.models import Connection
from tests.contract.conftest import message
from tests.fakes.server import FakeVendor, Reaction, Refusal, Seen

PAGE = Path(__file__).resolve().parents[2] / "docs" / "adding-an-integration.md"
SECRET = "loft-secret"


class FakePigeonpost(FakeVendor):
    """The vendor of the page."""

    name = "pigeonpost"

    def __init__(self) -> None:
        super().__init__()
        self.notes: list[dict[str, Any]] = []

    def react(self, seen: Seen) -> Reaction:
        if seen.headers.get("authorization") != "Bearer key":
            raise Refusal(401, {"error": "who are you?"})
        if seen.path == "/me":
            return Reaction(200, {"name": "the desk"})
        if seen.method == "GET":
            return Reaction(200, [note for note in self.notes if note["key"] == seen.query["key"]])
        self.notes.append({"id": f"n{len(self.notes)}", **seen.data})
        return Reaction(201, self.notes[-1])


@pytest.fixture(scope="module")
def sample(tmp_path_factory):
    """The package with one more file in it, exactly as the page has it."""
    folder = tmp_path_factory.mktemp("integrations")
    (source,) = re.findall(r"```python\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)
    (folder / "pigeonpost.py").write_text(source)
    caches = (integrations.get, integrations.all, integrations._file_names)
    integrations.__path__.append(str(folder))
    for cache in caches:
        cache.cache_clear()
    yield integrations.get("pigeonpost")
    integrations.__path__.remove(str(folder))
    for cache in caches:
        cache.cache_clear()


@pytest.fixture
def vendor():
    fake = FakePigeonpost()
    fake.start()
    yield fake
    fake.stop()


@pytest.fixture
def pigeonpost(sample, vendor):
    values = {"api_key": "key", "webhook_secret": SECRET}
    return sample(
        values, base_url=vendor.base_url, callback_url="https://desk.example/hooks/pigeonpost/x/", timeout=2.0
    )


def test_the_registry_finds_it(sample):
    assert ("pigeonpost", "Pigeonpost") in integrations.choices()


def test_the_connect_form_asks_for_what_it_declares(sample):
    form = ConnectionForm(initial={"vendor": "pigeonpost"})
    assert {"v_api_key", "v_webhook_secret", "v_loft"} <= set(form.fields)
    assert form.fields["v_api_key"].widget.input_type == "password"
    assert not form.fields["v_loft"].required


def test_its_secrets_are_kept_apart(sample):
    row = Connection(vendor="pigeonpost", name="Pigeonpost")
    row.set_values({"api_key": "very-secret", "loft": "north", "stray": "x"})
    assert row.settings == {"loft": "north"}
    assert "very-secret" not in row.secrets
    assert row.values["api_key"] == "very-secret"


def test_it_sends_and_gives_a_receipt(vendor, pigeonpost):
    assert pigeonpost.send(message(to="north")).id == "n0"
    assert vendor.notes[0]["loft"] == "north"
    pigeonpost.send(message(to=""))
    assert vendor.notes[1]["loft"] == "main"


def test_it_says_that_it_is_connected(pigeonpost):
    assert pigeonpost.check() == "Connected to Pigeonpost as the desk."


@pytest.mark.parametrize(
    ("script", "expected"),
    [
        ({"status": 429, "headers": {"Retry-After": "7"}}, (False, False, 7.0)),
        ({"status": 503}, (False, False, None)),
        ({"status": 500}, (False, True, None)),
        ({"status": 403}, (True, False, None)),
        ({"drop": "before"}, (False, True, None)),
        ({"status": 200, "body": "<html>"}, (False, True, None)),
        ({"status": 200, "body": {"error": "no"}}, (False, True, None)),
    ],
    ids=lambda value: str(value)[:30],
)
def test_it_says_what_a_failure_means(vendor, pigeonpost, script, expected):
    vendor.next(**script)
    with pytest.raises(IntegrationError) as caught:
        pigeonpost.send(message())
    error = caught.value
    assert (error.permanent, error.ambiguous, error.retry_after) == expected
    assert len(vendor.seen) == 1


def test_after_a_doubt_it_finds_what_it_sent(vendor, pigeonpost):
    vendor.next(drop="after")
    with pytest.raises(IntegrationError):
        pigeonpost.send(message())
    assert pigeonpost.find(message()).id == "n0"
    assert pigeonpost.find(message(key="another")) is None


def asked(body: bytes, secret: str = SECRET) -> Request:
    signature = hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()
    return Request("POST", "https://desk.example/", "", {"x-pigeon-signature": signature}, body)


def test_it_hears_only_those_who_can_sign(pigeonpost):
    taken = json.dumps({"event": "taken", "id": "e1", "by": "loft-7", "note": {"token": "t"}}).encode()
    (reply,) = pigeonpost.receive(asked(taken))
    assert (reply.verb, reply.subject, reply.sender, reply.key) == ("acknowledge", "t", "loft-7", "e1")
    with pytest.raises(BadSignature):
        pigeonpost.receive(asked(taken, "another-secret"))
    with pytest.raises(BadPayload):
        pigeonpost.receive(asked(b'{"event": "taken"}'))
    assert pigeonpost.receive(asked(b'{"event": "moult"}')) == []


def test_every_file_the_page_names_is_there():
    root = PAGE.parents[1]
    named = re.findall(r"`((?:supportdesk|incidents|tests|templates)/[\w/.]+?)`", PAGE.read_text(encoding="utf-8"))
    missing = [name for name in named if "pigeonpost" not in name and not (root / name).exists()]
    assert named
    assert not missing
