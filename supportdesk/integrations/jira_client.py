"""Jira Cloud's REST API, version 3, through the `jira` library: its log-in, its session, its errors.

The library reads `values` where Jira Cloud answers `issueTypes` and `fields`, sends transition ids as numbers, asks an
administrator's address before it makes a link, and types rich text as strings. So the paths are called by name here.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from time import monotonic
from typing import Any, TypeVar
from urllib.parse import quote

from jira import JIRA, JIRAError
from requests.exceptions import RequestException

from supportdesk.integrations import outbound
from supportdesk.integrations.base import IntegrationError
from supportdesk.integrations.outbound import bind, refused, unanswered, within

T = TypeVar("T")
GRACE = outbound.GRACE
PAGE = 100
CONFLICT = 409  # somebody changed the ticket in the same moment: ask again


class _Jira(JIRA):
    """Bounded answers, one request per call, nobody's redirects."""

    def _create_http_basic_session(self, username: str, password: str) -> None:
        super()._create_http_basic_session(username, password)
        bind(self._session)
        self._session.trust_env = False  # a .netrc must not replace the token


class JiraClient:
    """Calls one site. `timeout` in seconds, for all calls together. Every method raises `IntegrationError`."""

    def __init__(self, email: str, token: str, *, base_url: str, timeout: float) -> None:
        self._ends_at = monotonic() + timeout + GRACE
        self._jira = _Jira(
            server=base_url,
            basic_auth=(email, token),
            options={"rest_api_version": "3"},
            timeout=timeout,
            max_retries=0,
            get_server_info=False,  # only the library's own search asks for it
            logging=False,
        )

    def myself(self) -> dict[str, Any]:
        return _object(self._get("myself"))

    def project(self, key: str) -> dict[str, Any]:
        return _object(self._get(f"project/{_part(key)}"))

    def issue_types(self, project: str) -> list[dict[str, Any]]:
        """The types of ticket that may be created in a project."""
        return _listed(self._get(f"issue/createmeta/{_part(project)}/issuetypes", maxResults=PAGE), "issueTypes")

    def fields(self, project: str, issue_type: str) -> list[dict[str, Any]]:
        """The fields of one type of ticket, by its id: which are required, and what they take."""
        path = f"issue/createmeta/{_part(project)}/issuetypes/{_part(issue_type)}"
        return _listed(self._get(path, maxResults=PAGE), "fields")

    def create(self, fields: Mapping[str, Any]) -> str:
        """A new ticket; returns its key."""
        return _named(self._post("issue", {"fields": dict(fields)}), "key")

    def search(self, jql: str) -> list[str]:
        """The keys of the tickets found, newest first. What was made this moment may not be found yet."""
        found = _listed(self._get("search/jql", jql=jql, maxResults=5, fields="key"), "issues")
        return [str(one["key"]) for one in found if one.get("key")]

    def issue(self, key: str) -> dict[str, Any]:
        return _object(self._get(f"issue/{_part(key)}", fields="status"))

    def comment(self, key: str, body: Mapping[str, Any]) -> str:
        """A comment; returns its id."""
        return _named(self._post(f"issue/{_part(key)}/comment", {"body": dict(body)}), "id")

    def comments(self, key: str) -> list[dict[str, Any]]:
        """The newest comments first."""
        return _listed(self._get(f"issue/{_part(key)}/comment", orderBy="-created", maxResults=20), "comments")

    def transitions(self, key: str) -> list[dict[str, Any]]:
        """What may be done to a ticket from where it stands."""
        return _listed(self._get(f"issue/{_part(key)}/transitions"), "transitions")

    def transition(self, key: str, transition_id: str) -> None:
        self._post(f"issue/{_part(key)}/transitions", {"transition": {"id": transition_id}})

    def link(self, key: str, url: str, title: str, global_id: str) -> None:
        """Our page beside the ticket. The same `global_id` again replaces the link."""
        body = {"globalId": global_id, "object": {"url": url, "title": title[:255]}}
        self._post(f"issue/{_part(key)}/remotelink", body)

    def _get(self, path: str, **query: Any) -> Any:
        """Reading changes nothing, so a reading that went wrong is never ambiguous."""
        try:
            return self._ask(lambda: self._jira._session.get(self._jira._get_url(path), params=query))
        except IntegrationError as error:
            error.ambiguous = False
            raise

    def _post(self, path: str, body: Any) -> Any:
        return self._ask(lambda: self._jira._session.post(self._jira._get_url(path), data=json.dumps(body)))

    def _ask(self, call: Callable[[], Any]) -> Any:
        try:
            response = within(self._ends_at - monotonic(), call)
            return json.loads(response.content) if response.content else None
        except JIRAError as error:
            raise _translated(error) from error
        except RequestException as error:
            raise unanswered(error, "Jira") from error
        except (json.JSONDecodeError, RecursionError) as error:
            raise IntegrationError("Jira answered in words we cannot read", ambiguous=True) from error
        except ValueError as error:  # an e-mail address or a token no header can carry
            raise IntegrationError(f"Jira: {error}"[:300], permanent=True) from error


def _translated(error: JIRAError) -> IntegrationError:
    status, response = int(error.status_code or 0), error.response
    detail = f"Jira: HTTP {status} {_reason(response) or error.text or ''}"[:500].strip()
    if status == CONFLICT:
        return IntegrationError(detail)
    return refused(status, detail, response.headers if response is not None else {})


def _reason(response: Any) -> str:
    """Jira's words for people: general ones, then each field by its name."""
    try:
        said = response.json()
        general, by_field = said.get("errorMessages") or [], said.get("errors") or {}
        return "; ".join([*map(str, general), *(f"{field}: {words}" for field, words in by_field.items())])
    except (ValueError, AttributeError, TypeError):
        return ""


def _object(said: Any) -> dict[str, Any]:
    if not isinstance(said, dict):
        raise IntegrationError("Jira answered in words we cannot read", ambiguous=True)
    return said


def _listed(said: Any, name: str) -> list[dict[str, Any]]:
    found = _object(said).get(name)
    if not isinstance(found, list):
        raise IntegrationError(f"Jira answered without {name}")
    return [one for one in found if isinstance(one, dict)]


def _named(said: Any, name: str) -> str:
    """The name of something made, or we do not know what became of it."""
    found = _object(said).get(name)
    if not isinstance(found, str) or not found:
        raise IntegrationError(f"Jira answered without the {name} of what it made", ambiguous=True)
    return found


def _part(name: str) -> str:
    return quote(name, safe="")
