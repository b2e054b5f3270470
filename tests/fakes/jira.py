"""A fake Jira Cloud site: tickets with labels, comments, links and a workflow, and webhooks that tell of them."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import re
from dataclasses import dataclass, field
from itertools import count
from typing import Any
from uuid import uuid4

from tests.fakes.desk import JSON, Desk, DeskAnswer
from tests.fakes.server import FakeVendor, Reaction, Refusal, Seen, Surprise

API = "/rest/api/3"
WORKFLOW = {"To Do": "new", "In Progress": "indeterminate", "Done": "done"}
TYPES = {"10001": "Task", "10002": "Bug"}
FIELDS: dict[str, dict[str, Any]] = {
    "project": {"required": True, "schema": {"type": "project"}},
    "issuetype": {"required": True, "schema": {"type": "issuetype"}},
    "summary": {"required": True, "schema": {"type": "string"}},
    "description": {"required": False, "schema": {"type": "string"}},
    "labels": {"required": False, "schema": {"type": "array", "items": "string"}},
    "priority": {"required": False, "schema": {"type": "priority"}},
    "customfield_10010": {"required": False, "schema": {"type": "option"}, "name": "Team"},
    "customfield_10020": {"required": False, "schema": {"type": "number"}, "name": "Customers"},
}


@dataclass
class Ticket:
    """One issue."""

    key: str
    fields: dict[str, Any]
    status: str = "To Do"
    comments: list[dict[str, Any]] = field(default_factory=list)
    links: dict[str, dict[str, Any]] = field(default_factory=dict)

    @property
    def words(self) -> list[str]:
        """The text of each comment, oldest first."""
        return [_plain(comment["body"]) for comment in self.comments]


class FakeJira(FakeVendor):
    """`tickets` by key; `comments` and `moves` are people; `required` adds a field nobody fills."""

    name = "jira"
    email, api_token = "desk@acme.example", "jira-token"
    webhook_secret = "jira-webhook-secret"

    def __init__(self, port: int = 0) -> None:
        super().__init__(port)
        self.hook_url = ""
        self._forget()

    @property
    def values(self) -> dict[str, str]:
        """What a connection to this Jira is made with."""
        return {
            "site": "https://acme.atlassian.example",
            "email": self.email,
            "api_token": self.api_token,
            "project": "OPS",
            "issue_type": "Bug",
            "webhook_secret": self.webhook_secret,
        }

    def _forget(self) -> None:
        self.tickets: dict[str, Ticket] = {}
        self.required = ""
        self.search_lags = False  # a ticket made a moment ago is not found yet
        self._numbers = count(1)

    def reset(self) -> None:
        super().reset()
        self._forget()

    @property
    def described(self) -> dict[str, dict[str, Any]]:
        more = (
            {self.required: {"required": True, "schema": {"type": "string"}, "name": "Team"}} if self.required else {}
        )
        return FIELDS | more

    def react(self, seen: Seen) -> Reaction:
        expected = base64.b64encode(f"{self.email}:{self.api_token}".encode()).decode()
        if seen.headers.get("authorization") != f"Basic {expected}":
            raise Refusal(401, {"errorMessages": ["Client must be authenticated to access this resource."]})
        if not seen.path.startswith(API):
            raise Surprise("no such address", status=404)
        match seen.method, [part for part in seen.path.removeprefix(API).split("/") if part]:
            case "GET", ["myself"]:
                return Reaction(200, {"accountId": "5b10desk", "displayName": "Support desk"})
            case "GET", ["project", key]:
                return Reaction(200, {"key": self._project(key), "name": "Operations"})
            case "GET", ["issue", "createmeta", key, "issuetypes"]:
                self._project(key)
                return Reaction(200, {"issueTypes": [{"id": i, "name": n} for i, n in TYPES.items()]})
            case "GET", ["issue", "createmeta", _, "issuetypes", _]:
                fields = [{"fieldId": k, "key": k, "name": k, **v} for k, v in self.described.items()]
                return Reaction(200, {"fields": fields})
            case "POST", ["issue"]:
                return self._create(seen.data["fields"])
            case "GET", ["search", "jql"]:
                return self._search(seen.query["jql"])
            case method, ["issue", key, *rest]:
                return self._ticket(method, self._known(key), rest, seen)
        raise Surprise("no such address", status=404)

    def _project(self, key: str) -> str:
        if key != "OPS":
            raise Refusal(404, {"errorMessages": [f"No project could be found with key '{key}'."]})
        return key

    def _known(self, key: str) -> Ticket:
        if key not in self.tickets:
            raise Refusal(404, {"errorMessages": ["Issue does not exist or you do not have permission to see it."]})
        return self.tickets[key]

    def _create(self, fields: dict[str, Any]) -> Reaction:
        unknown = set(fields) - set(self.described)
        if unknown:
            raise Surprise(f"no such fields {sorted(unknown)}", body={"errors": dict.fromkeys(unknown, "unknown")})
        missing = {k: f"{k} is required." for k, v in self.described.items() if v["required"] and not fields.get(k)}
        if missing:
            raise Refusal(400, {"errorMessages": [], "errors": missing})
        _check_document(fields.get("description"))
        ticket = Ticket(f"OPS-{next(self._numbers)}", fields)
        self.tickets[ticket.key] = ticket
        return Reaction(201, {"id": f"1000{len(self.tickets)}", "key": ticket.key})

    def _search(self, jql: str) -> Reaction:
        label = re.search(r'labels = "([^"]+)"', jql)
        if label is None or 'project = "OPS"' not in jql:
            raise Surprise(f"no such search: {jql}")
        found = [] if self.search_lags else [t for t in self.tickets.values() if label[1] in t.fields.get("labels", [])]
        return Reaction(200, {"issues": [{"id": "1", "key": ticket.key} for ticket in found[::-1]], "isLast": True})

    def _ticket(self, method: str, ticket: Ticket, rest: list[str], seen: Seen) -> Reaction:
        match method, rest:
            case "GET", []:
                return Reaction(200, {"key": ticket.key, "fields": {"status": {"name": ticket.status}}})
            case "GET", ["transitions"]:
                ways = [
                    {"id": str(n), "to": {"name": name}} for n, name in enumerate(WORKFLOW) if name != ticket.status
                ]
                return Reaction(200, {"transitions": ways})
            case "POST", ["transitions"]:
                ticket.status = list(WORKFLOW)[int(seen.data["transition"]["id"])]
                return Reaction(204, b"")
            case "GET", ["comment"]:
                return Reaction(200, {"comments": ticket.comments[::-1]})
            case "POST", ["comment"]:
                _check_document(seen.data.get("body"))
                ticket.comments.append({"id": str(next(self._numbers)), "body": seen.data["body"]})
                return Reaction(201, ticket.comments[-1])
            case "POST", ["remotelink"]:
                ticket.links[seen.data["globalId"]] = seen.data["object"]
                return Reaction(201, {"id": 1})
        raise Surprise("no such address", status=404)

    # --- as people ---------------------------------------------------------------------------------------------------

    def comments(self, key: str, text: str, desk: Desk, who: str = "Ana Lima", **headers: str) -> DeskAnswer:
        """Somebody writes on a ticket."""
        comment = {"id": "1", "author": {"accountId": "5b10", "displayName": who}, "body": text}
        return self.post(
            {"webhookEvent": "comment_created", "comment": comment, "issue": {"key": key}}, desk, **headers
        )

    def moves(self, key: str, status: str, desk: Desk, who: str = "Ana Lima") -> DeskAnswer:
        """Somebody drags a ticket to another column."""
        standing = {"name": status, "statusCategory": {"key": WORKFLOW[status]}}
        body = {
            "webhookEvent": "jira:issue_updated",
            "user": {"accountId": "5b10", "displayName": who},
            "issue": {"key": key, "fields": {"status": standing}},
            "changelog": {"items": [{"field": "status", "toString": status}]},
        }
        return self.post(body, desk)

    def post(self, body: dict[str, Any], desk: Desk, **headers: str) -> DeskAnswer:
        content = json.dumps(body).encode()
        name = {"X-Atlassian-Webhook-Identifier": uuid4().hex}
        return desk(self.hook_url, content, {"Content-Type": JSON, **name, **self.signed(content), **headers})

    def signed(self, body: bytes, *, secret: str = "") -> dict[str, str]:
        """The header that proves a request comes from this Jira."""
        digest = hmac.new((secret or self.webhook_secret).encode(), body, hashlib.sha256).hexdigest()
        return {"X-Hub-Signature": f"sha256={digest}"}


def _check_document(value: Any) -> None:
    if not isinstance(value, dict) or value.get("type") != "doc" or value.get("version") != 1:
        raise Surprise("rich text has to be an Atlassian document", body={"errors": {"comment": "not a document"}})


def _plain(node: dict[str, Any]) -> str:
    if node.get("type") == "text":
        return str(node["text"])
    return ("\n" if node.get("type") == "doc" else "").join(_plain(child) for child in node.get("content", []))
