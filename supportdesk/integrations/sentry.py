"""Alerts from Sentry: an internal integration's webhooks, or the older webhook plugin.

https://docs.sentry.io/organization/integrations/integration-platform/webhooks/
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from hashlib import sha256
from typing import Any

from supportdesk.integrations import inbound, monitors
from supportdesk.integrations.base import BadPayload, Field, Reply, Request, Signal
from supportdesk.integrations.monitors import TITLE_LIMIT, Monitor

SIGNATURE = "sentry-hook-signature"
RESOURCE = "sentry-hook-resource"
# What an issue's webhook says of it; anything else (assigned, commented …) is only information.
_ISSUE_ACTIONS = {"created": "firing", "unresolved": "firing", "resolved": "resolved", "archived": "resolved"}
_METRIC_ACTIONS = {"critical": "firing", "warning": "firing", "resolved": "resolved"}


class Sentry(Monitor):
    """Take event alerts, metric alerts and issues in; one condition per issue or metric alert."""

    slug = "sentry"
    label = "Sentry"
    fields = (
        Field(
            "client_secret",
            "Client secret",
            secret=True,
            required=False,
            help="Of the internal integration. Empty, for the older webhook plugin: the address alone is the secret.",
        ),
    )

    def read(self, content: bytes, headers: Mapping[str, str]) -> list[Reply]:
        body = inbound.json_object(content)
        resource = headers.get(RESOURCE) or _likely_resource(body)
        if resource not in _READERS:
            raise BadPayload(f"the desk takes alerts and issues in, not {resource[:40]!r}", field=RESOURCE)
        # Every telling has a body of its own: the same bytes again are the same telling.
        return [monitors.signalled(_READERS[resource](body), self.slug, sha256(content).hexdigest(), verb="notified")]

    def _verify(self, request: Request) -> None:
        if secrets := inbound.secrets(self.values, "client_secret"):
            monitors.check_hmac(request.headers.get(SIGNATURE, ""), secrets, request.body)


def _likely_resource(body: Mapping[str, Any]) -> str:
    """What a body without the header is about; the older plugin has none of these."""
    kinds = {"metric_alert": "metric_alert", "event": "event_alert", "issue": "issue"}
    return next((kind for name, kind in kinds.items() if inbound.member(body, f"data.{name}") is not None), "")


def _legacy(body: Mapping[str, Any]) -> Signal:
    event = body.get("event")
    if not isinstance(event, Mapping):
        raise BadPayload("event is missing", field="event")
    return _signal(
        key=f"issue:{_name(body, 'id')}",
        status="firing",
        level=body.get("level") or event.get("level"),
        title=inbound.hint(event, "title") or inbound.hint(body, "message"),
        at=monitors.instant(event.get("timestamp"), "event.timestamp"),
        project=inbound.hint(body, "project_slug") or inbound.hint(body, "project"),
        description=inbound.hint(body, "culprit"),
        url=inbound.hint(body, "url"),
        labels=_tags(event),
        where="event.timestamp",
    )


def _event_alert(body: Mapping[str, Any]) -> Signal:
    event = inbound.member(body, "data.event")
    if not isinstance(event, Mapping):
        raise BadPayload("data.event is missing", field="data.event")
    rule = inbound.hint(body, "data.triggered_rule")
    return _signal(
        key=f"issue:{_name(event, 'issue_id')}",
        status="firing",
        level=event.get("level"),
        title=inbound.hint(event, "title"),
        at=monitors.instant(event.get("datetime") or event.get("timestamp"), "data.event.datetime"),
        project=_tags(event).get("service", ""),
        description=f"{rule}: {inbound.hint(event, 'culprit')}" if rule else inbound.hint(event, "culprit"),
        url=inbound.hint(event, "web_url"),
        labels=_tags(event),
        where="data.event.datetime",
    )


def _issue(body: Mapping[str, Any]) -> Signal:
    issue, action = inbound.member(body, "data.issue"), inbound.text(body, "action")
    if not isinstance(issue, Mapping):
        raise BadPayload("data.issue is missing", field="data.issue")
    status = _ISSUE_ACTIONS.get(action, "firing")
    seen = inbound.hint(issue, "firstSeen" if action == "created" else "lastSeen")
    return _signal(
        key=f"issue:{_name(issue, 'id')}",
        status=status,
        level=issue.get("level") if action in _ISSUE_ACTIONS else "info",
        title=inbound.hint(issue, "title"),
        at=monitors.instant(seen, "data.issue.lastSeen"),
        project=inbound.hint(issue, "project.slug"),
        description=inbound.hint(issue, "culprit"),
        url=inbound.hint(issue, "web_url") or inbound.hint(issue, "permalink"),
        labels={},
        where="data.issue.lastSeen",
    )


def _metric_alert(body: Mapping[str, Any]) -> Signal:
    alert, action = inbound.member(body, "data.metric_alert"), inbound.text(body, "action")
    if not isinstance(alert, Mapping):
        raise BadPayload("data.metric_alert is missing", field="data.metric_alert")
    if action not in _METRIC_ACTIONS:
        raise BadPayload("action is neither critical, warning nor resolved", field="action")
    projects = alert.get("projects")
    closed = alert.get("date_closed") if action == "resolved" else None
    return _signal(
        key=f"metric:{_name(alert, 'id')}",
        status=_METRIC_ACTIONS[action],
        level=action if action != "resolved" else "info",
        title=inbound.hint(body, "data.description_title") or inbound.hint(alert, "title"),
        at=monitors.instant(closed or alert.get("date_started"), "data.metric_alert.date_started"),
        project=str(projects[0])[:100] if isinstance(projects, list) and projects else "",
        description=inbound.hint(body, "data.description_text"),
        url=inbound.hint(body, "data.web_url"),
        labels={},
        where="data.metric_alert.date_started",
    )


# By the resource a webhook names in its header; the older plugin names none.
_READERS: dict[str, Callable[[Mapping[str, Any]], Signal]] = {
    "": _legacy,
    "event_alert": _event_alert,
    "issue": _issue,
    "metric_alert": _metric_alert,
}


def _signal(
    *,
    key: str,
    status: str,
    level: object,
    title: str,
    at: str,
    project: str,
    description: str,
    url: str,
    labels: Mapping[str, str],
    where: str,
) -> Signal:
    if not at:
        raise BadPayload(f"{where} is missing", field=where)
    return Signal(
        dedup_key=key,
        status=status,
        severity=monitors.severity(level or "error"),
        title=(title or key)[:TITLE_LIMIT],
        at=at,
        service=project,
        component=project,
        check=key,
        description=description,
        url=monitors.web_address(url),
        labels=labels,
    )


def _name(source: Mapping[str, Any], field: str) -> str:
    """An id, which is a number or a text."""
    value = source.get(field)
    if isinstance(value, bool) or not isinstance(value, str | int) or not str(value).strip():
        raise BadPayload(f"{field} is missing", field=field)
    return inbound.clean(str(value))[:100]


def _tags(event: Mapping[str, Any]) -> dict[str, str]:
    """Sentry writes tags as pairs."""
    pairs = event.get("tags")
    if not isinstance(pairs, list):
        return {}
    found = [pair for pair in pairs if isinstance(pair, list | tuple) and len(pair) == 2]
    return {inbound.clean(str(name))[:100]: inbound.clean(str(value)) for name, value in found}
