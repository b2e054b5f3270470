"""PagerDuty's APIs through its client library: the only place that knows which library that is (decision 7)."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Mapping
from time import monotonic
from typing import Any, TypeVar
from urllib.parse import quote

from requests.exceptions import RequestException

from supportdesk.integrations import outbound
from supportdesk.integrations.base import IntegrationError
from supportdesk.integrations.outbound import QUIET, bind, refused, unanswered, within

with warnings.catch_warnings():
    # pdpyras announces its successor on import; the swap is this one file.
    warnings.filterwarnings("ignore", message=".*pdpyras.*", category=UserWarning)
    from pdpyras import APISession, ChangeEventsAPISession, EventsAPISession, PDClientError

T = TypeVar("T")
GRACE = outbound.GRACE
MOST_LISTED = 100


class _Bounded:
    """One request per call. The library has no switch for that; below zero attempts it hands every answer back."""

    max_http_attempts = -1
    max_network_attempts = 0

    def bind(self, base_url: str, timeout: float) -> None:
        bind(self)  # type: ignore[arg-type]  # a requests session by its other base
        self.url = base_url.rstrip("/")
        self.timeout = timeout
        self.log = QUIET
        self.retry = {429: 1}  # 0 or absent would mean: for ever


class _Events(_Bounded, EventsAPISession):
    pass


class _Changes(_Bounded, ChangeEventsAPISession):
    pass


class _Rest(_Bounded, APISession):
    pass


class _Caller:
    """What both APIs share: an end to waiting, and one reading of what a failure means."""

    def __init__(self, base_url: str, timeout: float) -> None:
        self._base_url, self._timeout = base_url, timeout
        self._ends_at = monotonic() + timeout + GRACE

    def _bound(self, session: Any) -> Any:
        session.bind(self._base_url, self._timeout)
        return session

    def _ask(self, call: Callable[[], T]) -> T:
        try:
            return within(self._ends_at - monotonic(), call)
        except PDClientError as error:
            raise _translated(error) from error
        except RequestException as error:
            raise unanswered(error, "PagerDuty") from error
        except (
            ValueError,
            TypeError,
            AttributeError,
            KeyError,
        ) as error:  # an empty key, or an answer not in its words
            raise IntegrationError(f"PagerDuty: {error}"[:300], permanent=isinstance(error, ValueError)) from error


class PagerDutyEvents(_Caller):
    """Sends events to one PagerDuty integration. `timeout` in seconds. Every method raises `IntegrationError`."""

    def __init__(self, routing_key: str, *, base_url: str, timeout: float) -> None:
        super().__init__(base_url, timeout)
        self._key = routing_key

    def send(self, action: str, dedup_key: str, body: Mapping[str, Any]) -> str:
        """Send one event; returns the key PagerDuty filed it under."""
        return self._ask(lambda: self._bound(_Events(self._key)).send_event(action, dedup_key=dedup_key, **body))

    def change(self, summary: str, source: str, at: str, links: list[dict[str, str]]) -> None:
        """Tell of a change that pages nobody: responders see it beside the alerts. `at` in ISO 8601."""
        self._ask(
            lambda: self._bound(_Changes(self._key)).submit(
                summary, source=source, custom_details={}, links=links or None, timestamp=at
            )
        )


class PagerDutyRest(_Caller):
    """Reads and writes one account. `sender` is the address of the user we write as; `timeout` in seconds.

    Every method raises `IntegrationError`; a reading that went wrong is never ambiguous.
    """

    def __init__(self, token: str, sender: str, *, base_url: str, timeout: float) -> None:
        super().__init__(base_url, timeout)
        self._token, self._sender = token, sender

    def abilities(self) -> list[str]:
        """What the account may do: the cheapest way to try a token."""
        return [str(one) for one in self._read("abilities", "abilities")]

    def incident(self, incident_key: str) -> dict[str, Any] | None:
        """The newest incident with our key, whatever its state; None where PagerDuty has opened none."""
        query = {"incident_key": incident_key, "date_range": "all", "sort_by": "created_at:desc", "limit": 1}
        return next(iter(self._read("incidents", "incidents", query)), None)

    def create_incident(self, service: str, incident_key: str, title: str) -> str:
        """Open an incident; returns its id. The key is refused while an open incident has it.

        PagerDuty's description and its example disagree about the body, so details go into a note.
        """
        incident = {
            "type": "incident",
            "title": title,
            "service": {"id": service, "type": "service_reference"},
            "incident_key": incident_key,
        }
        return str(self._write("POST", "incidents", "incident", {"incident": incident})["id"])

    def set_status(self, incident_id: str, status: str) -> None:
        """`acknowledged` or `resolved`."""
        body = {"incident": {"type": "incident_reference", "status": status}}
        self._write("PUT", f"incidents/{_part(incident_id)}", "incident", body)

    def notes(self, incident_id: str) -> list[dict[str, Any]]:
        return self._read(f"incidents/{_part(incident_id)}/notes", "notes")

    def add_note(self, incident_id: str, text: str) -> str:
        body = {"note": {"content": text}}
        return str(self._write("POST", f"incidents/{_part(incident_id)}/notes", "note", body)["id"])

    def add_status_update(self, incident_id: str, text: str) -> None:
        """To everybody who follows the incident there."""
        self._write("POST", f"incidents/{_part(incident_id)}/status_updates", "status_update", {"message": text})

    def on_calls(self, schedule: str = "") -> list[dict[str, Any]]:
        query = {"earliest": "true", "limit": MOST_LISTED} | ({"schedule_ids[]": [schedule]} if schedule else {})
        return self._read("oncalls", "oncalls", query)

    def schedules(self) -> list[dict[str, Any]]:
        return self._read("schedules", "schedules", {"limit": MOST_LISTED})

    def users(self, query: str = "") -> list[dict[str, Any]]:
        return self._read("users", "users", {"limit": MOST_LISTED} | ({"query": query} if query else {}))

    def user(self, user_id: str) -> dict[str, Any]:
        return self._object(self._once("GET", f"users/{_part(user_id)}"), "user")

    def _read(self, path: str, name: str, query: Mapping[str, Any] | None = None) -> list[Any]:
        found = self._once("GET", path, query=query).get(name)
        if not isinstance(found, list):
            raise IntegrationError(f"PagerDuty answered without {name}")
        return found

    def _write(self, method: str, path: str, name: str, body: Mapping[str, Any]) -> dict[str, Any]:
        return self._object(self._once(method, path, body), name)

    def _object(self, said: Mapping[str, Any], name: str) -> dict[str, Any]:
        found = said.get(name)
        if not isinstance(found, dict):
            raise IntegrationError(f"PagerDuty answered without the {name}", ambiguous=True)
        return found

    def _once(
        self, method: str, path: str, body: Mapping[str, Any] | None = None, query: Mapping[str, Any] | None = None
    ) -> Mapping[str, Any]:
        """One request. The library's own helpers page on and look wrappers up; one page is all we read."""
        try:
            return self._ask(lambda: self._request(method, path, body, query))
        except IntegrationError as error:
            if method == "GET":
                error.ambiguous = False
            raise

    def _request(self, method: str, path: str, body: Any, query: Mapping[str, Any] | None) -> Mapping[str, Any]:
        session = self._bound(_Rest(self._token, default_from=self._sender))
        response = session.request(method, f"/{path}", **({"json": body} if body else {}), params=dict(query or {}))
        if not response.ok:
            raise PDClientError(f"HTTP {response.status_code}", response=response)
        if not response.content:
            return {}
        try:
            said = response.json()
        except ValueError:
            said = None
        if isinstance(said, list):  # overrides answer with what became of each
            return {"": said}
        if not isinstance(said, dict):
            raise PDClientError("no JSON object", response=response)
        return said


def _translated(error: PDClientError) -> IntegrationError:
    if error.response is None:
        cause = error.__cause__
        if isinstance(cause, RequestException):
            return unanswered(cause, "PagerDuty")
        return IntegrationError(f"PagerDuty: {error}"[:300], ambiguous=True)
    status = error.response.status_code
    detail = f"PagerDuty: HTTP {status} {error.response.text[:200]}"
    if status < 300:  # accepted, but not in PagerDuty's words
        return IntegrationError(detail, ambiguous=True)
    return refused(status, detail, error.response.headers)


def _part(name: str) -> str:
    return quote(name, safe="")
