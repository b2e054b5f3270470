"""Slack: pages that can be answered, threads per incident, words that stay words, and what people click and say."""

from __future__ import annotations

import json

import pytest

from supportdesk.integrations.base import BadPayload, IntegrationError, Receipt
from supportdesk.integrations.mrkdwn import SECTION_LIMIT, escape
from tests.supportdesk.integrations.conftest import Door, inbound, page

ROOM, BOB = "C111", "UBOB"


@pytest.fixture
def slack(connect):
    return connect("slack")


# --- posting ---------------------------------------------------------------------------------------------------------


def test_a_page_reaches_bob_with_the_buttons_that_answer_it(fakes, slack):
    receipt = slack.send(page(to=BOB))
    (message,) = fakes.slack.to(BOB)
    assert "Checkout is down" in message.words
    assert list(message.buttons) == ["acknowledge", "escalate", "open"]
    assert message.buttons["acknowledge"]["value"] == "signed-token-for-bob"
    assert message.buttons["open"]["url"].endswith("/console/incidents/42/")
    assert receipt == Receipt(
        message.ts, {"to": BOB, "channel": "DBOB", "ts": message.ts, "thread_ts": message.ts}, settled=True
    )


def test_an_update_has_no_buttons(fakes, slack):
    slack.send(page(kind="update", to=ROOM))
    assert fakes.slack.to(ROOM)[0].buttons == {}


def test_ready_made_buttons_are_not_doubled(fakes, slack):
    ours = {"type": "button", "action_id": "claim", "value": "v", "text": {"type": "plain_text", "text": "Claim"}}
    slack.send(page(to=ROOM, blocks=({"type": "actions", "elements": [ours]},)))
    assert list(fakes.slack.to(ROOM)[0].buttons) == ["claim"]


def test_messages_of_one_incident_share_a_thread(fakes, slack):
    first = slack.send(page(to=ROOM))
    second = slack.send(page(to=ROOM, kind="update", key="update:1"), previous=first)
    third = slack.send(page(to=ROOM, kind="update", key="update:2"), previous=second)
    root = fakes.slack.to(ROOM)[0].ts
    assert [message.thread_ts for message in fakes.slack.to(ROOM)] == ["", root, root]
    assert third.detail["thread_ts"] == root


def test_a_thread_in_another_channel_is_not_ours(fakes, slack):
    elsewhere = slack.send(page(to=ROOM))
    slack.send(page(to="C222"), previous=elsewhere)
    assert fakes.slack.to("C222")[0].thread_ts == ""


def test_a_lost_thread_does_not_lose_the_message(fakes, slack):
    gone = Receipt("1.2", {"to": ROOM, "channel": ROOM, "ts": "1.2", "thread_ts": "1.2"})
    slack.send(page(to=ROOM), previous=gone)
    assert len(fakes.slack.to(ROOM)) == 1


def test_a_public_channel_is_joined_first_where_we_are_not_in_it(fakes, slack):
    fakes.slack.refuses("not_in_channel", path="chat.postMessage")
    slack.send(page(to=ROOM))
    assert [seen.path for seen in fakes.slack.seen] == [
        "/api/chat.postMessage",
        "/api/conversations.join",
        "/api/chat.postMessage",
    ]
    assert len(fakes.slack.to(ROOM)) == 1


def test_words_go_without_their_dress_where_slack_dislikes_it(fakes, slack):
    fakes.slack.refuses("invalid_blocks")
    slack.send(page(to=ROOM, blocks=({"type": "section", "text": {"type": "mrkdwn", "text": "dressed"}},)))
    (message,) = fakes.slack.to(ROOM)
    assert "Checkout is down" in message.words
    assert "acknowledge" in message.buttons


@pytest.mark.parametrize(
    "error",
    [
        "invalid_auth", "account_inactive", "token_revoked", "token_expired", "not_authed", "missing_scope",
        "no_permission", "restricted_action", "permission_denied", "channel_not_found",
        "user_not_found", "msg_too_long", "something_slack_invents_tomorrow",
    ],
)  # fmt: skip
def test_a_refusal_needs_a_person(fakes, slack, error):
    fakes.slack.refuses(error)
    with pytest.raises(IntegrationError, match=error) as caught:
        slack.send(page(to=ROOM))
    assert caught.value.permanent
    assert not caught.value.ambiguous
    assert len(fakes.slack.seen) == 1


@pytest.mark.parametrize("error", ["ratelimited", "rate_limited", "service_unavailable"])
def test_some_refusals_pass(fakes, slack, error):
    fakes.slack.refuses(error, headers={"Retry-After": "7"})
    with pytest.raises(IntegrationError) as caught:
        slack.send(page(to=ROOM))
    assert (caught.value.permanent, caught.value.ambiguous, caught.value.retry_after) == (False, False, 7.0)


@pytest.mark.parametrize("error", ["internal_error", "fatal_error", "request_timeout"])
def test_some_refusals_may_have_happened(fakes, slack, error):
    fakes.slack.refuses(error)
    with pytest.raises(IntegrationError) as caught:
        slack.send(page(to=ROOM))
    assert (caught.value.permanent, caught.value.ambiguous) == (False, True)


def test_nowhere_to_post_is_said_without_asking_slack(fakes, slack):
    with pytest.raises(IntegrationError, match="no Slack channel") as caught:
        slack.send(page(to=""))
    assert caught.value.permanent
    assert fakes.slack.seen == []


def test_the_check_tells_nobody_anything(fakes, slack):
    assert slack.check() == "Connected to Fake Workspace as desk."
    assert fakes.slack.messages == []


# --- words stay words ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "words",
    [
        "<!channel>", "<!here>", "<!everyone> help", "<!subteam^S1|oncall>", "<@UBOB>", "<#C111>",
        "&lt;!channel&gt;", "<https://evil.example|https://desk.example>", "<mailto:a@b.c|click>",
        "a & b < c > d", "<<!channel>>", "<!channel", "<\n!channel>", "&<!here>;",
    ],
)  # fmt: skip
@pytest.mark.parametrize("dressed", [False, True], ids=["text", "blocks"])
def test_what_customers_write_calls_nobody(fakes, slack, words, dressed):
    block = {
        "type": "section",
        "text": {"type": "mrkdwn", "text": words},
        "fields": [{"type": "mrkdwn", "text": words}],
    }
    slack.send(page(to=ROOM, text=words, subject=words, blocks=(block,) if dressed else ()))
    (message,) = fakes.slack.to(ROOM)
    shown = json.dumps([message.text, message.blocks])
    assert "<" not in shown
    assert ">" not in shown
    assert message.text == words.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    assert fakes.slack.seen[0].data["link_names"] is False


@pytest.mark.parametrize("length", [SECTION_LIMIT - 1, SECTION_LIMIT, SECTION_LIMIT + 1, 40_000])
@pytest.mark.parametrize("letter", ["x", "&", "<", "é", "🔥"])
def test_long_words_are_cut_where_slack_would_refuse_them(fakes, slack, letter, length):
    slack.send(page(to=ROOM, text=letter * length))
    (message,) = fakes.slack.to(ROOM)
    assert 0 < len(message.blocks[0]["text"]["text"]) <= SECTION_LIMIT


def test_an_escaped_character_is_never_cut_in_half():
    for filler in range(SECTION_LIMIT - 6, SECTION_LIMIT + 1):
        assert escape("x" * filler + "&&")[filler:] in ("", "&amp;", "&amp;&amp;")


# --- after an ambiguous failure --------------------------------------------------------------------------------------


@pytest.mark.parametrize("to", [ROOM, BOB])
def test_a_message_that_arrived_before_the_line_dropped_is_found(fakes, slack, to):
    fakes.slack.next(drop="after")
    with pytest.raises(IntegrationError):
        slack.send(page(to=to))
    found = slack.find(page(to=to))
    assert found is not None
    assert found.id == fakes.slack.messages[0].ts
    assert found.detail["to"] == to


@pytest.mark.parametrize("to", [ROOM, BOB])
def test_a_message_that_did_not_arrive_is_not_found(fakes, slack, to):
    slack.send(page(to=to, key="another"))
    fakes.slack.next(drop="before")
    with pytest.raises(IntegrationError):
        slack.send(page(to=to))
    assert slack.find(page(to=to)) is None


def test_a_reply_in_a_thread_is_found_there(fakes, slack):
    first = slack.send(page(to=ROOM, key="first"))
    fakes.slack.next(drop="after")
    with pytest.raises(IntegrationError):
        slack.send(page(to=ROOM), previous=first)
    found = slack.find(page(to=ROOM))
    assert found is not None
    assert found.detail["thread_ts"] == first.id


def test_without_the_scope_to_read_nothing_can_be_said(fakes, slack, monkeypatch):
    slack.send(page(to=ROOM))
    monkeypatch.setattr(fakes.slack, "scopes", {"chat:write"})
    assert slack.find(page(to=ROOM)) is None


def test_a_look_up_that_fails_is_a_failure_and_not_an_answer(fakes, slack):
    fakes.slack.next(status=503)
    with pytest.raises(IntegrationError):
        slack.find(page(to=ROOM))


# --- what comes back -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("verb", ["acknowledge", "escalate"])
def test_a_click_is_a_verb(fakes, slack, verb):
    door = Door(slack)
    slack.send(page(to=ROOM))
    answer = fakes.slack.click(fakes.slack.messages[0], verb, BOB, door)
    (reply,) = door.replies
    assert (answer.status, answer.body) == (200, "")
    assert (reply.verb, reply.subject, reply.sender) == (verb, "signed-token-for-bob", BOB)
    assert reply.data["channel"] == ROOM


def test_two_clicks_are_two_keys(fakes, slack):
    door = Door(slack)
    slack.send(page(to=ROOM))
    fakes.slack.click(fakes.slack.messages[0], "acknowledge", BOB, door)
    fakes.slack.click(fakes.slack.messages[0], "acknowledge", "UCAROL", door)
    assert len({reply.key for reply in door.replies}) == 2


def test_opening_the_incident_asks_nothing_of_us(fakes, slack):
    door = Door(slack)
    slack.send(page(to=ROOM))
    assert fakes.slack.click(fakes.slack.messages[0], "open", BOB, door).status == 200
    assert door.replies == []


def test_slack_proves_the_address_with_a_challenge(fakes, slack):
    body = b'{"token": "t", "challenge": "3eZbrw1aBm2rZgRNFdxV", "type": "url_verification"}'
    answer = fakes.slack.post(body, "application/json", Door(slack))
    assert (answer.status, answer.body) == (200, "3eZbrw1aBm2rZgRNFdxV")


def test_what_people_write_is_a_message(fakes, slack):
    door = Door(slack)
    fakes.slack.says(ROOM, "still down", "UALICE", door, thread_ts="1767225600.000001")
    (reply,) = door.replies
    assert (reply.verb, reply.subject, reply.sender, reply.text) == ("message", ROOM, "UALICE", "still down")
    assert reply.data["thread_ts"] == "1767225600.000001"


@pytest.mark.parametrize(
    "event",
    [
        {"bot_id": "B1"}, {"subtype": "bot_message"}, {"subtype": "message_changed"}, {"subtype": "channel_join"},
        {"subtype": "message_deleted"}, {"type": "reaction_added"}, {"type": "app_mention"},
    ],
)  # fmt: skip
def test_bots_and_edits_are_not_listened_to(fakes, slack, event):
    door = Door(slack)
    fakes.slack.says(ROOM, "beep", "UALICE", door, **event)
    assert door.replies == []


@pytest.mark.parametrize(
    ("typed", "verb", "subject", "rest"),
    [
        ("ack 42", "acknowledge", "INC-42", ""),
        ("ACK INC-42 on it", "acknowledge", "INC-42", "on it"),
        ("esc 7", "escalate", "INC-7", ""),
        ("checkout is down", "message", ROOM, "checkout is down"),
        ("", "help", "", ""),
        ("who", "who", "", ""),
        ("declare Checkout is down", "declare", "", "Checkout is down"),
        ("update inc-42", "update", "INC-42", ""),
        ("update", "update", "", ""),
        ("resolve 7", "resolve", "INC-7", ""),
        ("whose is this?", "message", ROOM, "whose is this?"),
    ],
)
def test_a_slash_command_is_a_verb_or_something_said(fakes, slack, typed, verb, subject, rest):
    door = Door(slack, text="INC-42: you have it <3")
    answer = fakes.slack.command(typed, BOB, door)
    (reply,) = door.replies
    assert (reply.verb, reply.subject, reply.sender, reply.text) == (verb, subject, BOB, rest)
    assert json.loads(answer.body) == {"response_type": "ephemeral", "text": "INC-42: you have it &lt;3"}


@pytest.mark.parametrize("payload", [{"type": "view_closed"}, {"type": "shortcut"}, {}])
def test_interactions_we_do_not_know_are_accepted_and_left_alone(fakes, slack, payload):
    door = Door(slack)
    assert fakes.slack.post_interaction(payload, door).status == 200
    assert door.replies == []


@pytest.mark.parametrize(
    ("payload", "field"),
    [
        ({"type": "block_actions"}, "actions"),
        ({"type": "block_actions", "actions": {}}, "actions"),
        (
            {"type": "block_actions", "actions": [{"value": "v", "action_id": "acknowledge", "action_ts": "1"}]},
            "user.id",
        ),
        ({"type": "block_actions", "user": {"id": "U"}, "actions": [{"value": "v", "action_ts": "1"}]}, "action_id"),
        ({"type": "block_actions", "user": {"id": 7}, "actions": [{"value": "v", "action_id": "a"}]}, "user.id"),
        (
            {
                "type": "block_actions",
                "user": {"id": "U"},
                "actions": [{"value": "v", "action_id": "__init__()", "action_ts": "1"}],
            },
            "actions.action_id",
        ),
        (
            {
                "type": "block_actions",
                "user": {"id": "U"},
                "actions": [{"value": {"a": 1}, "action_id": "a", "action_ts": "1"}],
            },
            "value",
        ),
        (
            {
                "type": "block_actions",
                "user": {"id": "U\u0000"},
                "actions": [{"value": "v", "action_id": "a", "action_ts": "1"}],
            },
            "user.id",
        ),
    ],
)
def test_a_click_in_no_shape_of_slacks_names_the_field(fakes, slack, payload, field):
    with pytest.raises(BadPayload) as caught:
        fakes.slack.post_interaction(payload, Door(slack))
    assert caught.value.field == field


def test_slacks_recorded_click_is_understood(fakes, slack):
    """The shape Slack documents, with everything in it that we do not read."""
    recorded = {
        "type": "block_actions",
        "user": {"id": "U111", "username": "ana", "name": "ana", "team_id": "T111"},
        "api_app_id": "A111",
        "token": "verification_token",
        "container": {
            "type": "message",
            "message_ts": "1767225600.000100",
            "channel_id": "C111",
            "is_ephemeral": False,
        },
        "trigger_id": "111.222.abc",
        "team": {"id": "T111", "domain": "acme"},
        "enterprise": None,
        "is_enterprise_install": False,
        "channel": {"id": "C111", "name": "inc-42"},
        "message": {"type": "message", "bot_id": "B1", "text": "db down", "ts": "1767225600.000100"},
        "state": {"values": {}},
        "response_url": "https://hooks.slack.com/actions/T111/111/x",
        "actions": [
            {
                "action_id": "acknowledge",
                "block_id": "b",
                "type": "button",
                "value": "desk-42",
                "text": {"type": "plain_text", "text": "Acknowledge", "emoji": True},
                "action_ts": "1767225601.1",
            }
        ],
    }
    door = Door(slack)
    fakes.slack.post_interaction(recorded, door)
    (reply,) = door.replies
    assert (reply.verb, reply.subject, reply.sender) == ("acknowledge", "desk-42", "U111")
    assert reply.data == {"channel": "C111", "ts": "1767225600.000100", "thread_ts": ""}


def test_slacks_published_signature_is_accepted(connect, monkeypatch):
    """The example of Slack's own documentation, at its own time."""
    body = (
        b"token=xyzz0WbapA4vBCDEFasx0q6G&team_id=T1DC2JH3J&team_domain=testteamnow&channel_id=G8PSS9T3V"
        b"&channel_name=foobar&user_id=U2CERLKJA&user_name=roadrunner&command=%2Fwebhook-collect&text="
        b"&response_url=https%3A%2F%2Fhooks.slack.com%2Fcommands%2FT1DC2JH3J%2F397700885554%2F96rGlfmibIGlgcZRskXaIFfN"
        b"&trigger_id=398738663015.47445629121.803a0bc887a14d10d2c447fce8b6703c"
    )
    headers = {
        "Content-Type": "application/x-www-form-urlencoded",
        "X-Slack-Request-Timestamp": "1531420618",
        "X-Slack-Signature": "v0=a2114d57b48eac39b9ad189dd8316235a7b4a8d21a10bd27519666489c69b503",
    }
    monkeypatch.setattr("slack_sdk.signature.Clock.now", lambda _: 1531420618.0)
    slack = connect("slack", signing_secret="8f742231b10e8888abcd99yyyzzz85a5")
    (reply,) = slack.receive(inbound("https://desk.example/hooks/slack/c0de/", body, headers))
    assert reply.sender == "U2CERLKJA"
