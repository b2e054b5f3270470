"""What we send to Slack conforms to Slack's own description of its Web API."""

from __future__ import annotations

import pytest

from supportdesk.integrations.base import Receipt
from supportdesk.integrations.slack import Slack
from tests.contract.conftest import message


@pytest.fixture
def slack(described):
    return Slack({"bot_token": "xoxb-test", "signing_secret": "s"}, base_url=described("slack").url + "/", timeout=5.0)


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"kind": "update"},
        {"url": ""},
        {"text": "x" * 10_000},
        {"blocks": ({"type": "section", "text": {"type": "mrkdwn", "text": "*dressed*"}}, {"type": "divider"})},
    ],
    ids=["page", "update", "no address", "long", "blocks"],
)
@pytest.mark.parametrize("to", ["C111", "U111"])
def test_a_message(slack, changes, to):
    assert slack.send(message(to=to, **changes)).id


def test_a_reply_in_a_thread(slack):
    before = Receipt("1.2", {"to": "C111", "channel": "C111", "ts": "1.2", "thread_ts": "1.2"})
    assert slack.send(message(to="C111"), previous=before).id


def test_the_check(slack):
    assert slack.check().startswith("Connected to")
