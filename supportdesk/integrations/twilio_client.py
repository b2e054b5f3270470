"""What calls and texts share: Twilio's client, bounded, and Twilio's signature. https://www.twilio.com/docs/usage/api"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any, ClassVar, TypeVar
from urllib.parse import urlencode, urlsplit, urlunsplit

from requests.exceptions import RequestException
from twilio.base.exceptions import TwilioException
from twilio.http.http_client import TwilioHttpClient
from twilio.http.response import Response
from twilio.request_validator import RequestValidator
from twilio.rest import Client

from supportdesk.integrations import inbound
from supportdesk.integrations.base import Answer, BadSignature, Field, Integration, IntegrationError, Receipt, Request
from supportdesk.integrations.outbound import GRACE, QUIET, bind, refused, unanswered, within

T = TypeVar("T")
NUMBER = re.compile(r"\+[1-9]\d{6,14}")
# Final words of a call or a text that mean: this did not reach the person; try another way now (ESC-14).
FAILED = frozenset({"busy", "no-answer", "failed", "canceled", "undelivered"})
XML = "text/xml; charset=utf-8"


class _BoundedHttp(TwilioHttpClient):
    """Sends every request to `base_url`, once, and keeps the answer's headers, which Twilio's exceptions drop."""

    def __init__(self, base_url: str, timeout: float) -> None:
        super().__init__(timeout=timeout, logger=QUIET)
        bind(self.session)
        self._base_url = base_url.rstrip("/")
        self.headers: dict[str, str] = {}

    def request(self, method: str, url: str, *args: Any, **kwargs: Any) -> Response:
        _, _, path, query, _ = urlsplit(url)
        response = super().request(method, self._base_url + urlunsplit(("", "", path, query, "")), *args, **kwargs)
        self.headers = dict(response.headers or {})
        return response


class TwilioIntegration(Integration):
    """One Twilio account and one number of it."""

    default_base_url = "https://api.twilio.com"
    answers_at_once = True  # a caller listens, a texter waits for the reply
    address_label = "phone number"
    gathers = True
    fields: ClassVar[tuple[Field, ...]] = (
        Field("account_sid", "Account SID"),
        Field(
            "auth_token",
            "Auth token",
            secret=True,
            help="While changing it: the new and the old, separated by a space.",
        ),
        Field("from_number", "From", help="A number of the account as +49…, or for texts a messaging service (MG…)."),
    )

    def check(self) -> str:
        account = self.ask(lambda client: client.api.v2010.accounts(client.username).fetch())
        return f"Connected to the Twilio account {account.friendly_name} ({account.status})."

    def ask(self, call: Callable[[Client], T]) -> T:
        """The answer to one request. Raises `IntegrationError`."""
        http = _BoundedHttp(self.base_url, self.timeout)
        try:
            token = next(iter(inbound.secrets(self.values, "auth_token")), "")
            client = Client(self.values.get("account_sid", ""), token, http_client=http)
            return within(self.timeout + GRACE, lambda: call(client))
        except TwilioException as error:
            status = getattr(error, "status", None)
            if status is None:  # refused by the client itself: no credentials
                raise IntegrationError(f"Twilio: {error}"[:300], permanent=True) from error
            raise refused(int(status), f"Twilio: {_reason(error)}"[:300], http.headers) from error
        except RequestException as error:
            raise unanswered(error, "Twilio") from error
        except (ValueError, TypeError, AttributeError) as error:
            raise IntegrationError(f"Twilio answered in words we cannot read: {error}"[:300], ambiguous=True) from error

    def receipt(self, accepted: Any, to: str) -> Receipt:
        """What Twilio said of a call or a text it accepted; how it ended comes by callback."""
        if not accepted.sid:
            raise IntegrationError("Twilio answered without a name for what it accepted", ambiguous=True)
        return Receipt(str(accepted.sid), {"to": to, "status": str(accepted.status)}, settled=False)

    def require_number(self, address: str) -> None:
        if not NUMBER.fullmatch(address):
            raise IntegrationError(f"{address!r} is not a phone number in the form +491701234567", permanent=True)

    def callback(self, **parameters: str) -> str:
        """Our address for what becomes of one message. Without one Twilio could not tell us, so nothing is sent."""
        if not self.callback_url:
            raise IntegrationError("the desk has no public address for Twilio to call back", permanent=True)
        return f"{self.callback_url}?{urlencode(parameters)}"

    def verified(self, request: Request) -> dict[str, str]:
        """The form Twilio signed, over the address we configured: what a proxy made of it does not count."""
        if request.method != "POST":
            raise BadSignature("Twilio is asked to send POST requests only")
        fields = inbound.form(request.body)
        url = self.callback_url + f"?{request.query}" * bool(request.query)
        given = request.headers.get("x-twilio-signature", "")
        for secret in inbound.secrets(self.values, "auth_token"):
            try:
                if RequestValidator(secret).validate(url, fields, given):
                    return fields
            except (ValueError, TypeError) as error:  # an address nobody could have called
                raise BadSignature("the Twilio signature is not readable") from error
        raise BadSignature("the Twilio signature does not match")


def xml(document: Any) -> Answer:
    return Answer(200, str(document), XML)


def _reason(error: TwilioException) -> str:
    words = getattr(error, "msg", "") or getattr(error, "detail", "") or getattr(error, "title", "")
    return f"{words} (code {getattr(error, 'code', '?')})"
