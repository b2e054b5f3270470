"""What we send to Slack conforms to Slack's own description of its Web API, whatever kind of message it is."""

from __future__ import annotations

import pytest

from supportdesk.integrations import kinds
from supportdesk.integrations.base import Receipt
from supportdesk.integrations.slack import Slack
from tests.contract.conftest import message

CHOICES = [("1", "All or most of our users"), ("2", "Some")]
FORMS = {
    "update": {"draft": {"state": "Down."}, "statuses": [("identified", "Identified")], "intervals": [("5", "5 min")]},
    "resolve": {},
    "declare": {"title": "Down", "organizations": [("acme", "Acme")], "impacts": CHOICES, "urgencies": CHOICES},
}


@pytest.fixture
def slack(described):
    values = {"bot_token": "xoxb-test", "signing_secret": "s", "oncall_group": "S111"}
    return Slack(values, base_url=described("slack").url + "/", timeout=5.0)


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"kind": "update"},
        {"kind": kinds.ONCALL},
        {"url": ""},
        {"text": "x" * 10_000},
        {"blocks": ({"type": "section", "text": {"type": "mrkdwn", "text": "*dressed*"}}, {"type": "divider"})},
    ],
    ids=["page", "update", "on call", "no address", "long", "blocks"],
)
@pytest.mark.parametrize("to", ["C111", "U111"])
def test_a_message(slack, changes, to):
    assert slack.send(message(to=to, **changes)).id


@pytest.mark.parametrize("kind", ["update", kinds.ONCALL])
def test_a_reply_in_a_thread(slack, kind):
    before = Receipt("1.2", {"to": "C111", "channel": "C111", "ts": "1.2", "thread_ts": "1.2"})
    assert slack.send(message(to="C111", kind=kind), previous=before).id


def test_a_headline_is_posted_pinned_and_edited(slack):
    facts = {"buttons": ["acknowledge", "escalate", "update", "resolve"], "pin": True}
    said = slack.send(message(to="C111", kind=kinds.HEADLINE, token="", facts=facts))
    assert said.detail["headline"]
    assert slack.send(message(to="C111", kind=kinds.HEADLINE, facts=facts), previous=said) == said


@pytest.mark.parametrize("form", FORMS)
def test_a_form(slack, form):
    facts = {"form": form, "ref": "INC-42", "about": {"ref": "INC-42"}, **FORMS[form]}
    assert slack.send(message(to="C111", kind=kinds.FORM, token="1.2.abc", facts=facts)).id


def test_words_for_one_person(slack):
    facts = {"user": "U111", "buttons": ["declare"]}
    slack.send(message(to="C111", kind=kinds.WHISPER, token="", facts=facts))


@pytest.mark.parametrize(
    ("kind", "facts"),
    [
        (kinds.ROOM_OPEN, {"name": "inc-42-checkout", "is_private": True}),
        (kinds.ROOM_INVITE, {"users": ["U111", "U222"]}),
        (kinds.ROOM_TOPIC, {"topic": "P1 & Acme: Checkout is down"}),
        (kinds.ROOM_BOOKMARK, {"title": "Console", "link": "https://desk.example/"}),
        (kinds.ROOM_PIN, {"ts": "1.2"}),
        (kinds.ROOM_ARCHIVE, {}),
        (kinds.ONCALL_GROUP, {"users": ["U111"]}),
    ],
)
def test_the_work_on_rooms(slack, kind, facts):
    assert slack.send(message(to="C111", kind=kind, facts=facts)).id


def test_a_room_is_looked_for(slack):
    assert slack.find(message(to="slack", kind=kinds.ROOM_OPEN, facts={"name": "inc-42-checkout"})) is None


def test_the_check(slack):
    assert slack.check().startswith("Connected to")
