"""Slack's Web API through its official client, one request per call, and what its errors mean for us."""

from __future__ import annotations

import json
from http.client import HTTPException
from time import monotonic
from typing import Any
from urllib.error import HTTPError, URLError
from urllib.request import HTTPRedirectHandler, HTTPSHandler, Request, build_opener

from slack_sdk import WebClient
from slack_sdk.errors import SlackApiError, SlackClientError

from supportdesk.integrations.base import IntegrationError
from supportdesk.integrations.outbound import ANSWER_LIMIT, GRACE, QUIET, refused, retry_after, within

# Refusals that pass by themselves. Slack warns that the second group may have been carried out in part.
LATER = frozenset({"ratelimited", "rate_limited", "service_unavailable", "team_added_to_org", "accesslimited"})
PERHAPS_DONE = frozenset({"internal_error", "fatal_error", "request_timeout"})
# Refusals no message gets past until somebody gives the desk a new token, or more scopes.
LOCKED_OUT = frozenset(
    {"invalid_auth", "not_authed", "account_inactive", "token_revoked", "token_expired", "missing_scope"}
)
# Refusals that say: it is already as you want it.
FINE = frozenset({"already_in_channel", "already_pinned", "already_reacted"})


class SlackRefusal(IntegrationError):
    """Slack answered and said no. `error` is its word for why."""

    def __init__(self, error: str, **what: Any) -> None:
        super().__init__(f"Slack: {error}", **what)
        self.error = error


class _NoRedirect(HTTPRedirectHandler):
    """The standard handler would carry the token to wherever the answer points."""

    def redirect_request(self, *_: Any) -> None:
        return None


class _BoundedClient(WebClient):
    """A client that follows no redirect and reads no endless answer.

    slack_sdk offers no public place for this; the tests for redirects and long answers fail when the place moves.
    """

    def _perform_urllib_http_request_internal(self, url: str, req: Request) -> dict[str, Any]:
        try:
            answer = build_opener(_NoRedirect, HTTPSHandler(context=self.ssl)).open(req, timeout=self.timeout)
        except HTTPError as refusal:
            answer = refusal
        with answer:
            body = answer.read(ANSWER_LIMIT).decode("utf-8", "replace")
            if answer.status == 200 and not _is_object(body):
                raise HTTPException("the answer is not one of Slack's")
            return {"status": answer.status, "headers": answer.headers, "body": body}


def _is_object(body: str) -> bool:
    try:
        return isinstance(json.loads(body), dict)
    except (ValueError, RecursionError):
        return False


class SlackClient:
    """Calls Slack's methods. `base_url` ends in /api/; `timeout`, in seconds, is for all calls of a client together."""

    def __init__(self, token: str, *, base_url: str, timeout: float) -> None:
        self._ends_at = monotonic() + timeout + GRACE
        self._web = _BoundedClient(token=token, base_url=base_url, retry_handlers=[], logger=QUIET)
        self._web.timeout = timeout  # type: ignore[assignment]  # a float does as well

    def call(self, method: str, **arguments: Any) -> dict[str, Any]:
        """The answer of `method`. Raises `IntegrationError`, as `SlackRefusal` where Slack gave a reason."""
        ask = getattr(self._web, method.replace(".", "_"))
        try:
            return within(self._ends_at - monotonic(), lambda: ask(**arguments)).data
        except SlackApiError as error:
            refusal = _refusal(error)
            if refusal.error in FINE:
                return {"ok": True}
            raise refusal from error
        except URLError as error:
            raise _not_connected(error) from error
        except (OSError, HTTPException, SlackClientError) as error:
            raise IntegrationError(f"Slack: {type(error).__name__}: {error}"[:300], ambiguous=True) from error


def _refusal(error: SlackApiError) -> SlackRefusal:
    response = error.response
    reason = str((response.data if isinstance(response.data, dict) else {}).get("error") or "no reason given")[:120]
    if response.status_code != 200:
        kind = refused(response.status_code, "", response.headers)
        what = {"permanent": kind.permanent, "ambiguous": kind.ambiguous, "retry_after": kind.retry_after}
        return SlackRefusal(f"HTTP {response.status_code} {reason}", locked_out=kind.locked_out, **what)
    if reason in LATER:
        return SlackRefusal(reason, retry_after=retry_after(response.headers))
    is_doubtful = reason in PERHAPS_DONE
    return SlackRefusal(reason, permanent=not is_doubtful, ambiguous=is_doubtful, locked_out=reason in LOCKED_OUT)


def _not_connected(error: URLError) -> IntegrationError:
    """urllib wraps what goes wrong before the answer; only a line cut while sending leaves a doubt."""
    cut = isinstance(error.reason, ConnectionResetError | BrokenPipeError)
    return IntegrationError(f"Slack: {error.reason}"[:300], ambiguous=cut)
