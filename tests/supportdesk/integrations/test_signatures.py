"""Forty ways to spoil a vendor's request: none is accepted, and none raises anything but BadSignature or BadPayload."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from urllib.parse import parse_qsl

import pytest

from supportdesk.integrations.base import BadPayload, BadSignature, Integration
from tests.fakes import DeskAnswer, Fakes
from tests.supportdesk.integrations.conftest import Door, inbound, page


@dataclass(frozen=True)
class Sent:
    """One request on its way to the desk."""

    url: str
    body: bytes
    headers: Mapping[str, str]
    method: str = "POST"

    def with_header(self, name: str, value: str) -> Sent:
        return replace(self, headers={**self.headers, name: value})

    def without_header(self, name: str) -> Sent:
        return replace(self, headers={key: value for key, value in self.headers.items() if key != name})


SIGNATURE = {"slack": "X-Slack-Signature", "pagerduty": "X-PagerDuty-Signature", "phone": "X-Twilio-Signature"}
SIGNATURE |= {"sms": SIGNATURE["phone"], "jira": "X-Hub-Signature", "incidentio": "Webhook-Signature"}
# What each vendor's authentic request asks of us.
ASKS = {"jira": "note", "incidentio": "reread"}
SECRETS = ("signing_secret", "webhook_secret", "auth_token")
STAMP = "X-Slack-Request-Timestamp"
VENDORS = sorted(SIGNATURE)


def authentic(fakes: Fakes, vendor: str, connect: Callable[..., Integration]) -> Sent:
    """A request the vendor would really send: a click, a digit, an acknowledgement, a text."""
    caught: list[Sent] = []

    def desk(url: str, body: bytes, headers: Mapping[str, str]) -> DeskAnswer:
        caught.append(Sent(url, body, headers))
        return DeskAnswer(200, "<Response/>")

    if vendor == "slack":
        connect("slack").send(page(to="C111"))
        fakes.slack.click(fakes.slack.messages[-1], "acknowledge", "UBOB", desk)
    elif vendor == "pagerduty":
        fakes.pagerduty.webhook("acknowledged", "INC-42", desk)
    elif vendor == "phone":
        connect("phone").send(page(to="+491701234567", facts={"severity": "P2"}))
        fakes.phone.press(fakes.phone.calls[-1], "4", desk)
    elif vendor == "jira":
        fakes.jira.comments("OPS-4", "looking at 4 of them", desk)
    elif vendor == "incidentio":
        fakes.incidentio.webhook("inc-4", desk)
    else:
        fakes.sms.reply("+491701234567", "ACK 42", desk)
    return caught[0]


def of_signature(change: Callable[[str], str]) -> Callable[[Sent, str, Fakes], Sent]:
    return lambda sent, vendor, _: sent.with_header(SIGNATURE[vendor], change(sent.headers[SIGNATURE[vendor]]))


def of_body(change: Callable[[bytes], bytes]) -> Callable[[Sent, str, Fakes], Sent]:
    return lambda sent, _, __: replace(sent, body=change(sent.body))


def signed_by_somebody_else(sent: Sent, vendor: str, fakes: Fakes) -> Sent:
    """The right shape, the wrong secret."""
    return sent.with_header(SIGNATURE[vendor], sign(sent, vendor, fakes, "not-the-secret")[SIGNATURE[vendor]])


def sign(sent: Sent, vendor: str, fakes: Fakes, secret: str) -> Mapping[str, str]:
    if vendor == "slack":
        return fakes.slack.signed(sent.body, at=float(sent.headers[STAMP]), secret=secret)
    if vendor in ("pagerduty", "jira", "incidentio"):
        return getattr(fakes, vendor).signed(sent.body, secret=secret)
    fields = dict(parse_qsl(sent.body.decode(), keep_blank_values=True))
    return getattr(fakes, vendor).signed(sent.url, fields, token=secret)


MUTATIONS: dict[str, Callable[[Sent, str, Fakes], Sent]] = {
    "no signature": lambda sent, vendor, _: sent.without_header(SIGNATURE[vendor]),
    "no headers at all": lambda sent, _, __: replace(sent, headers={}),
    "empty signature": of_signature(lambda s: ""),
    "blank signature": of_signature(lambda s: "   "),
    "shouted signature": of_signature(lambda s: s.upper()),
    "whispered signature": of_signature(lambda s: s.lower() + "=" if s == s.lower() else s.lower()),
    "reversed signature": of_signature(lambda s: s[::-1]),
    "cut signature": of_signature(lambda s: s[:-1]),
    "half a signature": of_signature(lambda s: s[: len(s) // 2]),
    "longer signature": of_signature(lambda s: s + "0"),
    "doubled signature": of_signature(lambda s: s + s),
    "prefix only": of_signature(lambda s: s[:3]),
    "another version": of_signature(lambda s: "v9=" + s[3:]),
    "no version": of_signature(lambda s: s[3:]),
    "first character changed": of_signature(lambda s: s[:3] + ("0" if s[3] != "0" else "1") + s[4:]),
    "last character changed": of_signature(lambda s: s[:-2] + ("A" if s[-2] != "A" else "B") + s[-1:]),
    "umlauts": of_signature(lambda s: "v0=äöü"),
    "emoji": of_signature(lambda s: s[:-1] + "\U0001f600"),
    "half a surrogate": of_signature(lambda s: s[:-1] + "\ud800"),
    "a null": of_signature(lambda s: s + "\x00"),
    "a null before": of_signature(lambda s: "\x00" + s),
    "line breaks": of_signature(lambda s: s[:10] + "\r\n" + s[10:]),
    "a megabyte": of_signature(lambda s: "v1=" + "a" * 1_000_000),
    "a thousand commas": of_signature(lambda s: "," * 1_000),
    "a python value": of_signature(lambda s: "None"),
    "somebody else's": signed_by_somebody_else,
    "empty body": of_body(lambda b: b""),
    "one byte more": of_body(lambda b: b + b" "),
    "two bytes less": of_body(lambda b: b[:-2]),
    "one byte changed": of_body(lambda b: b[:-2] + bytes([b[-2] ^ 1]) + b[-1:]),
    "another digit or name": of_body(lambda b: b.replace(b"4", b"6")),
    "a field more": of_body(lambda b: b + b"&Extra=1"),
    "a field twice": of_body(lambda b: b + b"&" + b.split(b"&")[0]),
    "no UTF-8": of_body(lambda b: b + b"\xff\xfe"),
    "escaped rubbish": of_body(lambda b: b + b"&x=%ff%fe"),
    "nulls": of_body(lambda b: b"\x00" * 20),
    "nothing but brackets": of_body(lambda b: b"[" * 100_000),
    "a list": of_body(lambda b: b"[1, 2, 3]"),
    "JSON nobody sent": of_body(lambda b: json.dumps({"event": {"event_type": "incident.resolved"}}).encode()),
    "ten thousand fields": of_body(lambda b: b"&".join(b"a%d=1" % n for n in range(10_000))),
}


@pytest.mark.parametrize("vendor", VENDORS)
@pytest.mark.parametrize("mutation", sorted(MUTATIONS))
def test_a_spoilt_request_is_refused(fakes, connect, vendor, mutation):
    sent = MUTATIONS[mutation](authentic(fakes, vendor, connect), vendor, fakes)
    refused(connect(vendor), sent)


@pytest.mark.parametrize("vendor", VENDORS)
def test_the_same_request_unspoilt_is_accepted(fakes, connect, vendor):
    sent = authentic(fakes, vendor, connect)
    replies = connect(vendor).receive(inbound(sent.url, sent.body, sent.headers))
    assert [reply.verb for reply in replies] == [ASKS.get(vendor, "acknowledge")]


@pytest.mark.parametrize("vendor", VENDORS)
def test_without_a_secret_nobody_is_believed(fakes, connect, vendor):
    unset = connect(vendor, signing_secret="", webhook_secret="", auth_token="")
    refused(unset, authentic(fakes, vendor, connect))


@pytest.mark.parametrize("vendor", VENDORS)
def test_while_a_secret_is_changed_both_are_believed(fakes, connect, vendor):
    sent = authentic(fakes, vendor, connect)
    for pair in ("{} the-new-one", "the-new-one {}"):
        values = {name: pair.format(secret) for name, secret in fakes.values(vendor).items() if name in SECRETS}
        assert connect(vendor, **values).receive(inbound(sent.url, sent.body, sent.headers))


@pytest.mark.parametrize(
    "stamp",
    [
        "", " ", "soon", "nan", "inf", "-1", "0", "1e9", "1e400", "9" * 30, "9" * 5_000, "0x10", "1_7", "²", "\ud800",
        "\x00", "-9999999999999", "1767225600.5",
    ],
    ids=lambda stamp: ascii(stamp)[:12],
)  # fmt: skip
def test_slack_time_that_is_no_time_is_refused(fakes, connect, stamp):
    refused(connect("slack"), authentic(fakes, "slack", connect).with_header(STAMP, stamp))


def test_slack_time_that_is_missing_is_refused(fakes, connect):
    refused(connect("slack"), authentic(fakes, "slack", connect).without_header(STAMP))


@pytest.mark.parametrize("seconds", [-86_400, -330, 330, 86_400])
def test_slack_requests_from_another_time_are_refused_although_well_signed(fakes, connect, seconds):
    sent = authentic(fakes, "slack", connect)
    moved = replace(sent, headers={**sent.headers, **fakes.slack.signed(sent.body, at=time.time() + seconds)})
    refused(connect("slack"), moved)


@pytest.mark.parametrize("seconds", [-270, 270])
def test_slack_clocks_may_differ_by_less_than_five_minutes(fakes, connect, seconds):
    sent = authentic(fakes, "slack", connect)
    headers = {**sent.headers, **fakes.slack.signed(sent.body, at=time.time() + seconds)}
    assert connect("slack").receive(inbound(sent.url, sent.body, headers))


@pytest.mark.parametrize(
    "elsewhere",
    [
        lambda url: url + "&x=1",
        lambda url: url + "x",
        lambda url: url.split("?")[0],
        lambda url: url.split("?")[0] + "?",
        lambda url: url.replace("turn=1", "turn=2"),
        lambda url: url.replace("for-bob", "for-carol"),
    ],
)
def test_a_twilio_signature_holds_for_one_address_only(fakes, connect, elsewhere):
    sent = authentic(fakes, "phone", connect)
    refused(connect("phone"), replace(sent, url=elsewhere(sent.url)))


def test_a_twilio_signature_holds_for_our_own_address_whatever_the_request_claims(fakes, connect):
    """Behind a proxy the request's scheme and host are not what Twilio called."""
    sent = authentic(fakes, "phone", connect)
    seen_by_us = sent.url.replace("https://desk.example", "http://10.0.0.7:8000")
    assert connect("phone").receive(inbound(seen_by_us, sent.body, sent.headers))


def test_a_twilio_get_is_refused(fakes, connect):
    sent = authentic(fakes, "phone", connect)
    refused(connect("phone"), replace(sent, method="GET"))


def test_one_of_several_pagerduty_signatures_suffices(fakes, connect):
    sent = authentic(fakes, "pagerduty", connect)
    two = f"v1={'0' * 64}, {sent.headers[SIGNATURE['pagerduty']]}"
    assert connect("pagerduty").receive(inbound(sent.url, sent.body, {SIGNATURE["pagerduty"]: two}))


@pytest.mark.parametrize("seconds", [-86_400, -330, 330, 86_400])
def test_incidentio_requests_from_another_time_are_refused_although_well_signed(fakes, connect, seconds):
    sent = authentic(fakes, "incidentio", connect)
    moved = fakes.incidentio.signed(sent.body, at=time.time() + seconds)
    refused(connect("incidentio"), replace(sent, headers={**sent.headers, **moved}))


@pytest.mark.parametrize("stamp", ["", "soon", "nan", "-1", "1e9", "9" * 30, "²", "1767225600.5"], ids=ascii)
def test_incidentio_time_that_is_no_time_is_refused(fakes, connect, stamp):
    refused(connect("incidentio"), authentic(fakes, "incidentio", connect).with_header("Webhook-Timestamp", stamp))


def test_an_incidentio_signature_holds_for_one_delivery_only(fakes, connect):
    refused(connect("incidentio"), authentic(fakes, "incidentio", connect).with_header("Webhook-Id", "msg_other"))


def test_the_same_click_delivered_twice_has_the_same_key(fakes, connect):
    for vendor in VENDORS:
        sent, door = authentic(fakes, vendor, connect), Door(connect(vendor))
        door(sent.url, sent.body, sent.headers)
        door(sent.url, sent.body, sent.headers)
        assert len({reply.key for reply in door.replies}) == 1


def refused(integration: Integration, sent: Sent) -> None:
    with pytest.raises((BadSignature, BadPayload)):
        integration.receive(inbound(sent.url, sent.body, sent.headers, sent.method))
