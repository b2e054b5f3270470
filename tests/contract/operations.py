"""Everything we ever ask of a vendor: one line an operation. `test_operations.py` fails for one that is missing here.

To add one: a line with its name, as the client's code spells it, and a call of it with everything it can send.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from supportdesk.integrations.incidentio_client import IncidentIoClient
from supportdesk.integrations.jira_client import JiraClient
from supportdesk.integrations.pagerduty_client import PagerDutyEvents, PagerDutyRest
from supportdesk.integrations.phone import Phone
from supportdesk.integrations.slack_client import SlackClient
from supportdesk.integrations.sms import Sms
from supportdesk.integrations.statuspage_client import StatuspageClient
from supportdesk.integrations.twilio_client import TwilioIntegration
from tests.contract.conftest import message

TIMEOUT = 5.0
DOCUMENT = {"type": "doc", "version": 1, "content": [{"type": "paragraph", "content": [{"type": "text", "text": "x"}]}]}
BOB = "+15005550006"
TEXT = [{"type": "section", "text": {"type": "mrkdwn", "text": "*down*"}}]
MODAL = {"type": "modal", "title": {"type": "plain_text", "text": "Update"}, "blocks": TEXT}
# Methods Slack has and its description of 2021 does not: exercised against the fake Slack instead.
UNDESCRIBED = frozenset({"slack conversations.history", "slack conversations.replies"})


@dataclass(frozen=True)
class Operation:
    """`description` is the vendor's file, `name` what our code calls it, `call` makes it happen at an address."""

    description: str
    name: str
    call: Callable[[str], Any] = field(repr=False)

    def __str__(self) -> str:
        return f"{self.description} {self.name}"


def jira(name: str, *given: Any) -> Operation:
    client = lambda url: JiraClient("desk@acme.example", "token", base_url=url, timeout=TIMEOUT)  # noqa: E731
    return Operation("jira", name, lambda url: getattr(client(url), name)(*given))


def statuspage(name: str, *given: Any, **more: Any) -> Operation:
    client = lambda url: StatuspageClient("key", "p1", base_url=f"{url}/v1", timeout=TIMEOUT)  # noqa: E731
    return Operation("statuspage", name, lambda url: getattr(client(url), name)(*given, **more))


def incidentio(name: str, *given: Any) -> Operation:
    client = lambda url: IncidentIoClient("key", base_url=url, timeout=TIMEOUT)  # noqa: E731
    return Operation("incidentio", name, lambda url: getattr(client(url), name)(*given))


def events(name: str, *given: Any) -> Operation:
    client = lambda url: PagerDutyEvents("R" * 32, base_url=url, timeout=TIMEOUT)  # noqa: E731
    return Operation("pd_events", name, lambda url: getattr(client(url), name)(*given))


def rest(name: str, *given: Any) -> Operation:
    client = lambda url: PagerDutyRest("token", "desk@acme.example", base_url=url, timeout=TIMEOUT)  # noqa: E731
    return Operation("pd_rest", name, lambda url: getattr(client(url), name)(*given))


def slack(method: str, **given: Any) -> Operation:
    client = lambda url: SlackClient("xoxb-test", base_url=f"{url}/", timeout=TIMEOUT)  # noqa: E731
    return Operation("slack", method, lambda url: client(url).call(method, **given))


def twilio(name: str, kind: type[TwilioIntegration], act: Callable[[TwilioIntegration], Any]) -> Operation:
    account = {"account_sid": "AC" + "0" * 32, "auth_token": "secret", "from_number": "+15005550001"}
    hook = "https://desk.example/hooks/x/c0de/"
    return Operation("twilio", name, lambda url: act(kind(account, base_url=url, callback_url=hook, timeout=TIMEOUT)))


INCIDENT = {
    "name": "Checkout is down",
    "status": "investigating",
    "body": "We look into it.",
    "components": {"c1": "major_outage"},
    "component_ids": ["c1"],
    "deliver_notifications": True,
    "metadata": {"supportdesk": {"key": "supportdesk-notice-1"}},
}
TRIGGER = {
    "payload": {"summary": "down", "source": "checkout", "severity": "critical", "custom_details": {"text": "x"}},
    "client": "supportdesk",
    "client_url": "https://desk.example/1",
    "links": [{"href": "https://desk.example/1", "text": "INC-1"}],
}
START, END = "2026-11-29T08:00:00Z", "2026-11-29T20:00:00Z"
ULID = "01FCNDV6P870EA6S7TK1DSYDG0"

OPERATIONS: tuple[Operation, ...] = (
    events("send", "trigger", "supportdesk-42", TRIGGER),
    events("change", "Maintenance begins", "checkout", START, [{"href": "https://desk.example/1", "text": "Open"}]),
    rest("abilities"),
    rest("incident", "supportdesk-42"),
    rest("create_incident", "PSVC123", "supportdesk-42", "Checkout is down"),
    rest("set_status", "PT4KHLK", "acknowledged"),
    rest("notes", "PT4KHLK"),
    rest("add_note", "PT4KHLK", "Restarting"),
    rest("add_status_update", "PT4KHLK", "Still looking"),
    rest("on_calls", "PI7DH85"),
    rest("schedules"),
    rest("users", "carol@acme.example"),
    rest("user", "PEYSGVA"),
    jira("myself"),
    jira("project", "OPS"),
    jira("issue_types", "OPS"),
    jira("fields", "OPS", "1"),
    jira(
        "create",
        {
            "project": {"key": "OPS"},
            "issuetype": {"id": "1"},
            "summary": "INC-42 Checkout is down",
            "description": DOCUMENT,
            "labels": ["supportdesk-42-c0ffee"],
            "priority": {"name": "Highest"},
            "customfield_10010": {"value": "P1"},
        },
    ),
    jira("search", 'project = "OPS" AND labels = "supportdesk-42-c0ffee"'),
    jira("issue", "OPS-1"),
    jira("comment", "OPS-1", DOCUMENT),
    jira("comments", "OPS-1"),
    jira("transitions", "OPS-1"),
    jira("transition", "OPS-1", "5"),
    jira("link", "OPS-1", "https://desk.example/1", "INC-42", "supportdesk-42-c0ffee-link"),
    statuspage("page"),
    statuspage("components"),
    statuspage("recent_incidents"),
    statuspage("create_incident", INCIDENT),
    statuspage("update_incident", "i1", INCIDENT | {"status": "resolved"}),
    statuspage("write_postmortem", "i1", "What happened"),
    statuspage("publish_postmortem", "i1", notify=True),
    statuspage("count_subscribers"),
    incidentio("identity"),
    incidentio("severities"),
    incidentio("statuses"),
    incidentio("roles"),
    incidentio(
        "send_alert",
        ULID,
        {
            "title": "Checkout is down",
            "status": "firing",
            "deduplication_key": "supportdesk-42",
            "description": "All of it",
            "source_url": "https://desk.example/1",
            "metadata": {"severity": "P1", "ref": "INC-42"},
        },
    ),
    incidentio(
        "create_incident",
        {
            "idempotency_key": "supportdesk-42",
            "visibility": "public",
            "name": "Checkout is down",
            "summary": "All of it",
            "severity_id": ULID,
        },
    ),
    incidentio(
        "edit_incident",
        ULID,
        {
            "summary": "Looking",
            "severity_id": ULID,
            "incident_status_id": ULID,
            "incident_role_assignments": [{"incident_role_id": ULID, "assignee": {"email": "bob@desk.example"}}],
        },
    ),
    incidentio("incident", ULID),
    incidentio("updates", ULID),
    incidentio("attach", ULID, "https://desk.example/1", "INC-42"),
    slack("auth.test"),
    slack("chat.postMessage", channel="C1", text="down", blocks=TEXT, thread_ts="1.2", link_names=False),
    slack("chat.postEphemeral", channel="C1", user="U1", text="only you"),
    slack("chat.update", channel="C1", ts="1.2", text="up again", blocks=TEXT),
    slack("bookmarks.add", channel_id="C1", title="Desk", type="link", link="https://desk.example/1"),
    slack("conversations.archive", channel="C1"),
    slack("conversations.create", name="inc-42-checkout", is_private=False),
    slack("conversations.invite", channel="C1", users="U1,U2"),
    slack("conversations.list", limit=200, exclude_archived=True, types="public_channel"),
    slack("conversations.setTopic", channel="C1", topic="P1 Checkout is down"),
    slack("conversations.unarchive", channel="C1"),
    slack("pins.add", channel="C1", timestamp="1.2"),
    slack("usergroups.users.update", usergroup="S1", users="U1,U2"),
    slack("views.open", trigger_id="1.2", view=MODAL),
    slack("conversations.join", channel="C1"),
    slack("conversations.open", users="U1"),
    slack("conversations.history", channel="C1", limit=100),
    slack("conversations.replies", channel="C1", ts="1.2"),
    twilio("calls.create", Phone, lambda phone: phone.send(message(to=BOB))),
    twilio("messages.create", Sms, lambda sms: sms.send(message(to=BOB))),
    twilio("api.v2010.accounts.fetch", Sms, lambda sms: sms.check()),
)
