"""A Jira ticket for every incident and every action item. https://developer.atlassian.com/cloud/jira/platform/rest/v3/

Jira knows no idempotency keys: a ticket carries our label, and after a doubt we look for the label before we create
another. Its search lags behind, so a rare second ticket is possible; a lost one is not.
"""

from __future__ import annotations

import hmac
import re
from dataclasses import replace
from hashlib import sha256
from typing import Any

from supportdesk.integrations import adf, echo, inbound, kinds
from supportdesk.integrations.base import (
    BadSignature,
    Field,
    Integration,
    IntegrationError,
    Message,
    Receipt,
    Reply,
    Request,
)
from supportdesk.integrations.jira_client import JiraClient
from supportdesk.integrations.jira_fields import KNOWN, Template
from supportdesk.integrations.mappings import pairs

SUMMARY_LIMIT = 255
NOT_THERE_YET = 20.0  # seconds until an update asks again for a ticket that is still being created
PROJECT = re.compile(r"[A-Za-z][A-Za-z0-9_]{0,79}")
# Which of the connection's status fields a message moves the ticket to.
MOVES = {
    "acknowledged": "status_taken",
    "resolved": "status_done",
    "cancelled": "status_done",
    "merged": "status_done",
    "reopened": "status_reopened",
    "action_item_done": "status_done",
}
OPENING = frozenset({"ticket", "action_item"})


class Jira(Integration):
    """Open a ticket, comment on it, move it along, and take comments and moves back."""

    slug = "jira"
    label = "Jira Cloud"
    address_label = "Jira project"
    kinds = frozenset(
        {"message", "update", "customer_message", "severity_changed", "note", "report_published", kinds.TEST}
        | OPENING
        | set(MOVES)
    )
    fields = (
        Field("site", "Site", help="https://your-company.atlassian.net"),
        Field("email", "E-mail of the account", help="Whose API token it is."),
        Field("api_token", "API token", secret=True),
        Field("project", "Project key", help="OPS"),
        Field("issue_type", "Issue type", required=False, default="Task"),
        Field("action_item_type", "Issue type of action items", required=False, default="Task"),
        Field(
            "field_map",
            "Fields",
            required=False,
            help="customfield_10010={severity}; components={service}. Words in braces: ref, title, severity, org, "
            "service, url.",
        ),
        Field(
            "priorities", "Priorities", required=False, help="P1=Highest; P2=High; P3=Medium; P4=Low. Empty: not set."
        ),
        Field("status_taken", "Status when somebody has it", required=False, default="In Progress"),
        Field("status_done", "Status when it is over", required=False, default="Done"),
        Field("status_reopened", "Status when it is reopened", required=False, default="In Progress"),
        Field(
            "webhook_secret",
            "Webhook secret",
            secret=True,
            required=False,
            help="Of the webhook in Jira's system settings. While changing it: the new and the old, with a space.",
        ),
    )

    # --- out ---------------------------------------------------------------------------------------------------------

    def send(self, message: Message, previous: Receipt | None = None) -> Receipt:
        if message.kind == kinds.TEST:
            return Receipt(self.check()[:200])
        client = self._client()
        key = (previous.detail.get("ticket") if previous else "") or ""
        if message.kind in OPENING and not key:
            return self._open(client, message)
        key = key or next(iter(client.search(self._jql(message))), "")
        if not key:
            raise IntegrationError("The ticket is not there yet.", retry_after=NOT_THERE_YET)
        return self._follow(client, key, message)

    def find(self, message: Message) -> Receipt | None:
        """A ticket with our label, its link made good; or the comment that says what this message says."""
        client = self._client()
        key = next(iter(client.search(self._jql(message))), "")
        if not key:
            return None
        if message.kind in OPENING:
            return self._linked(client, key, message)
        said = {_flat(adf.words(comment.get("body"))) for comment in client.comments(key)}
        if _flat(_words(message)) not in said:
            return None
        self._move(client, key, message)
        return self._receipt(key)

    def check(self) -> str:
        """Who we are, and whether a ticket could be created as the fields say; nothing is created."""
        client = self._client()
        me, project = client.myself(), client.project(self._project)
        for name in dict.fromkeys((self._type("ticket"), self._type("action_item"))):
            self._template(name).check(client)
        return f"Connected to {project.get('name', self._project)} as {me.get('displayName', self.values['email'])}."

    def _client(self) -> JiraClient:
        site = self.base_url or self.values.get("site", "")
        email, token = self.values.get("email", ""), self.values.get("api_token", "")
        if not site.startswith(("https://", "http://")) or not email or not token:
            raise IntegrationError("Jira needs the site's address, an e-mail address and an API token.", permanent=True)
        return JiraClient(email, token, base_url=site, timeout=self.timeout)

    @property
    def _project(self) -> str:
        key = self.values.get("project", "")
        if not PROJECT.fullmatch(key):
            raise IntegrationError(f"{key!r} is not a project key.", permanent=True)
        return key

    def _type(self, kind: str) -> str:
        name = "action_item_type" if kind == "action_item" else "issue_type"
        return self.value(name) or "Task"

    def _template(self, issue_type: str) -> Template:
        return Template(
            site=self.base_url or self.values.get("site", ""),
            project=self._project,
            issue_type=issue_type,
            mapped=pairs(self.values.get("field_map", ""), "Fields"),
            priorities=pairs(self.values.get("priorities", ""), "Priorities"),
        )

    def _label(self, message: Message) -> str:
        """Ours alone: two desks may share a project. One ticket an incident, however often it is reopened."""
        desk = sha256(self.callback_url.encode()).hexdigest()[:6]
        return f"{message.thread.partition(':')[0]}-{desk}".replace(" ", "-")

    def _jql(self, message: Message) -> str:
        return f'project = "{self._project}" AND labels = "{self._label(message)}" ORDER BY created DESC'

    def _open(self, client: JiraClient, message: Message) -> Receipt:
        fields = self._template(self._type(message.kind)).fields(client, message.facts)
        fields |= {
            "summary": " ".join(message.subject.split())[:SUMMARY_LIMIT],
            "description": adf.document(message.text),
            "labels": [self._label(message)],
        }
        try:
            key = client.create(fields)
        except IntegrationError as error:
            if error.permanent:
                KNOWN.forget()  # what we know of its fields may be out of date
            raise
        return self._linked(client, key, message)

    def _linked(self, client: JiraClient, key: str, message: Message) -> Receipt:
        """The ticket points back at us. A link that failed is made good by the next attempt, which finds the ticket."""
        if message.url:
            try:
                client.link(key, message.url, message.ref or "Support desk", f"{self._label(message)}-link")
            except IntegrationError as error:
                raise IntegrationError(error.detail, ambiguous=True, retry_after=error.retry_after) from error
        receipt = self._receipt(key)
        if message.kind != "action_item":
            return receipt
        told = Reply("ticketed", message.thread, "jira", f"ticketed:{message.thread}", text=key)
        return replace(receipt, replies=(told,))

    def _follow(self, client: JiraClient, key: str, message: Message) -> Receipt:
        """Move first: moving twice is nothing, saying it twice is noise."""
        moved = self._move(client, key, message)
        said = client.comment(key, adf.document(_words(message)))
        return self._receipt(key, comment=said, **moved)

    def _move(self, client: JiraClient, key: str, message: Message) -> dict[str, str]:
        """To the status this message stands for. Where the workflow has no way there, the receipt says so."""
        wanted = self.value(MOVES[message.kind]) if message.kind in MOVES else ""
        if not wanted:
            return {}
        standing = inbound.hint(client.issue(key), "fields.status.name")
        if standing.casefold() == wanted.casefold():
            return {"status": wanted}
        ways = {inbound.hint(way, "to.name").casefold(): str(way.get("id", "")) for way in client.transitions(key)}
        if wanted.casefold() not in ways:
            return {"status": standing, "no_way_to": wanted}
        client.transition(key, ways[wanted.casefold()])
        return {"status": wanted}

    def _receipt(self, key: str, **more: str) -> Receipt:
        return Receipt(key, {"ticket": key, "url": f"{self.values.get('site', '').rstrip('/')}/browse/{key}", **more})

    # --- in ----------------------------------------------------------------------------------------------------------

    def receive(self, request: Request) -> list[Reply]:
        self._verify(request)
        body = inbound.json_object(request.body)
        happened = inbound.text(body, "webhookEvent", limit=80)
        translate = {"comment_created": _comment, "jira:issue_updated": _moved}.get(happened)
        if translate is None:
            return []
        name = request.headers.get("x-atlassian-webhook-identifier", "")[:100]
        return translate(body, name or sha256(request.body).hexdigest())

    def _verify(self, request: Request) -> None:
        given = request.headers.get("x-hub-signature", "").strip()
        expected = [
            "sha256=" + hmac.new(secret.encode(), request.body, sha256).hexdigest()
            for secret in inbound.secrets(self.values, "webhook_secret")
        ]
        if not inbound.same_secret(given, expected):
            raise BadSignature("the Jira signature does not match")


def _words(message: Message) -> str:
    return echo.signed(message.text or message.subject, message.ref)


def _flat(text: str) -> str:
    return " ".join(text.split())


def _who(body: dict[str, Any], path: str) -> dict[str, str]:
    return {"agent": inbound.hint(body, f"{path}.displayName"), "email": inbound.hint(body, f"{path}.emailAddress")}


def _comment(body: dict[str, Any], name: str) -> list[Reply]:
    """What somebody wrote on the ticket; our own comments come back as well, and are left out."""
    ticket, who = inbound.text(body, "issue.key", limit=80), _who(body, "comment.author")
    said = inbound.member(body, "comment.body")
    words = inbound.clean(adf.words(said)).strip()
    if not words or echo.is_ours(words):
        return []
    return [Reply("note", ticket, who["agent"], f"comment:{name}", text=words, data=who)]


def _moved(body: dict[str, Any], name: str) -> list[Reply]:
    """Taken or done over there. Everything else that changes on a ticket is Jira's business."""
    items = inbound.member(body, "changelog.items")
    if not any(inbound.hint(item, "field") == "status" for item in (items if isinstance(items, list) else [])):
        return []
    ticket, who = inbound.text(body, "issue.key", limit=80), _who(body, "user")
    category = inbound.hint(body, "issue.fields.status.statusCategory.key")
    verb = {"indeterminate": "taken", "done": "resolve_hint"}.get(category)
    return [Reply(verb, ticket, who["agent"], f"moved:{name}", data=who)] if verb else []
