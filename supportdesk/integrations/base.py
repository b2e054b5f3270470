"""What every integration speaks: value types in, value types out, one error.

An integration is one file beside this one: a subclass of `Integration` that declares its `fields` (what a manager
fills in to connect it) and its `kinds` (what it can carry), and sends a `Message`. It never sees an incident, a row
or a request object of the web framework; vendor weirdness ends here, translated into `IntegrationError`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar

from supportdesk.plain import storable


class IntegrationError(Exception):
    """A vendor did not do what we asked.

    `permanent`: trying again cannot help (bad address, revoked token); a person has to act.
    `ambiguous`: the vendor may have acted before the line went dead; look up by our key before sending again.
    `retry_after`: seconds the vendor asked us to wait, or None.
    `locked_out`: it does not let us in, or not far enough: what it was given as a proof is no longer good.
    """

    def __init__(
        self,
        detail: str,
        *,
        permanent: bool = False,
        ambiguous: bool = False,
        retry_after: float | None = None,
        locked_out: bool = False,
    ) -> None:
        super().__init__(detail)
        self.detail = str(storable(detail))  # a vendor's words, perhaps
        self.permanent = permanent
        self.ambiguous = ambiguous
        self.retry_after = retry_after
        self.locked_out = locked_out


class BadSignature(Exception):
    """An inbound request did not prove that it comes from the vendor: answered 401, nothing stored."""


class BadPayload(Exception):
    """An inbound request is not what the vendor documents: answered 400, naming the `field`."""

    def __init__(self, detail: str, *, field: str = "") -> None:
        super().__init__(detail)
        self.detail = detail
        self.field = field


@dataclass(frozen=True, slots=True)
class Field:
    """One thing a manager fills in to connect an integration.

    Secret fields are stored encrypted and never shown again.
    """

    name: str
    label: str = ""
    secret: bool = False
    required: bool = True
    help: str = ""
    default: str = ""


@dataclass(frozen=True, slots=True)
class Message:
    """One thing to tell one address. Everything an integration may know about what happened."""

    key: str  # idempotency key: the same on every attempt
    kind: str  # what it is: page, receipt, update, resolved, …; also the name of its words in templates/messages/
    to: str  # the vendor's address: e-mail, +E.164 number, Slack channel or user id, routing key
    subject: str
    text: str
    html: str = ""
    blocks: tuple[Mapping[str, Any], ...] = ()
    ref: str = ""  # what people call it: INC-42
    url: str = ""  # where the reader can see and act
    thread: str = (
        ""  # the subject all messages of one incident share: mail thread, Slack thread key, PagerDuty dedup key
    )
    action: str = ""  # for pagers of record: trigger, acknowledge, resolve
    token: str = ""  # signed, single-purpose: proves that an answer belongs to this page
    facts: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Receipt:
    """What the vendor said when it accepted the message. `id` is the vendor's own name for it."""

    id: str
    detail: Mapping[str, Any] = field(default_factory=dict)
    settled: bool = True  # False where a later callback decides (a phone call is accepted long before it is answered)
    report_within: float | None = (
        None  # seconds; silence longer than that counts as not reached. None: silence says nothing
    )
    replies: tuple[Reply, ...] = ()  # what the vendor's answer asks of us, kept and applied like its webhooks


@dataclass(frozen=True, slots=True)
class Request:
    """An inbound HTTP request as a value. `url` is the public address the vendor called, query included."""

    method: str
    url: str
    query: str
    headers: Mapping[str, str]  # lower-case names
    body: bytes


@dataclass(frozen=True, slots=True)
class Reply:
    """One thing a vendor's request asks us to do, in our own verbs.

    `verb` is one of the keys of `incidents.hooks.VERBS`: acknowledge, escalate, message, alert, delivery_status, …
    `subject` names what it is about (our ref, our page token or our delivery key), `sender` the address at the vendor,
    `key` makes it happen once. `is_awaited` where somebody looks at our answer to know what became of it.
    """

    verb: str
    subject: str
    sender: str
    key: str
    text: str = ""
    data: Mapping[str, Any] = field(default_factory=dict)
    is_awaited: bool = False


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one `Reply`, for the words the vendor is to show or speak.

    `result` is ok, already, refused or unknown; `data` what the vendor's answer needs besides the words.
    """

    reply: Reply
    result: str
    text: str
    data: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Answer:
    """The HTTP answer the vendor gets."""

    status: int = 200
    body: str = ""
    content_type: str = "text/plain; charset=utf-8"


@dataclass(frozen=True, slots=True)
class Signal:
    """One machine signal (MON-1 …), whatever monitor sent it: carried in `Reply.data["signal"]` as a plain mapping."""

    dedup_key: str
    status: str  # firing | resolved
    severity: str  # critical | error | warning | info
    title: str
    at: str  # ISO 8601, when it started or ended by the sender's word
    service: str = ""
    component: str = ""
    check: str = ""
    organization: str = ""
    group: str = ""
    description: str = ""
    url: str = ""
    labels: Mapping[str, str] = field(default_factory=dict)


class Integration:
    """Subclass this in one file of this package; the registry finds it.

    An instance lives for one call: it is built from a connection's stored values and thrown away.
    """

    slug: ClassVar[str] = ""
    label: ClassVar[str] = ""
    fields: ClassVar[tuple[Field, ...]] = ()
    kinds: ClassVar[frozenset[str]] = frozenset()  # message kinds it can carry; empty: inbound only
    address_label: ClassVar[str] = ""  # what `Message.to` is: "phone number", "Slack channel"
    default_base_url: ClassVar[str] = ""
    answers_at_once: ClassVar[bool] = False  # True: replies are applied before we answer (a caller waits on the line)
    unreadable_status: ClassVar[int] = 400  # 503 for vendors that give up on us after a few 4xx
    lane: ClassVar[str] = "integrations"  # the queue its non-urgent deliveries use
    keeps_order: ClassVar[bool] = False  # True: messages of one thread to one place wait for those before them
    waits: ClassVar[tuple[float, ...]] = ()  # seconds after each failed try; empty: the desk's own growing waits
    per_minute: ClassVar[int] = 300  # calls the vendor takes of one connection; half is kept for pages. 0: any number
    gathers: ClassVar[bool] = False  # True: in a storm, several pages to one address become one message

    def __init__(
        self, values: Mapping[str, str], *, base_url: str = "", callback_url: str = "", timeout: float = 10.0
    ) -> None:
        self.values = values
        self.base_url = base_url or self.default_base_url
        self.callback_url = callback_url  # absolute: the desk's own /hooks/<slug>/<code>/
        self.timeout = timeout

    def value(self, name: str) -> str:
        """What was filled in for one of `fields`, its default where nothing ever was; emptied stays empty."""
        return self.values.get(name, next(field.default for field in self.fields if field.name == name))

    def send(self, message: Message, previous: Receipt | None = None) -> Receipt:
        """Hand the message to the vendor once.

        `previous` is the receipt of the last message of the same thread, if any.

        Raises `IntegrationError`; anything else that escapes is a bug and counts as ambiguous.
        """
        raise NotImplementedError

    def find(self, message: Message) -> Receipt | None:
        """After an ambiguous failure: has the vendor got it already? None where it cannot be asked."""
        return None

    def receive(self, request: Request) -> list[Reply]:
        """Verify an inbound request and translate it. Raises `BadSignature` or `BadPayload`, never anything else."""
        raise BadPayload(f"{self.label} sends nothing to us")

    def answer(self, request: Request, outcomes: list[Outcome]) -> Answer:
        """What to tell the vendor once its replies are applied (or stored)."""
        return Answer(200, "ok")

    def check(self) -> str:
        """Try the connection, telling nobody anything; returns one line for people. Raises `IntegrationError`."""
        raise IntegrationError(f"{self.label} has no way to test its connection without sending", permanent=True)

    @classmethod
    def problems(cls, values: Mapping[str, str]) -> dict[str, str]:
        """What is wrong with values before they are stored: by field, in words for the form."""
        return {}

    @classmethod
    def made(cls, values: Mapping[str, str]) -> dict[str, str]:
        """Secrets the desk makes by itself where none were given. They are shown once, when they are stored."""
        return {}
