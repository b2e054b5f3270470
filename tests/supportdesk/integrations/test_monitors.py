"""Grafana, Sentry, Datadog, CloudWatch and anything else that sends JSON: what they say, and who is believed."""

from __future__ import annotations

import hashlib
import hmac
import json
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import rsa

from supportdesk import integrations
from supportdesk.integrations import cloudwatch, json_paths
from supportdesk.integrations.base import BadPayload, BadSignature, Integration, IntegrationError, Message
from tests.fakes.sns import TOPIC, FakeSns
from tests.supportdesk.integrations.conftest import PUBLIC, inbound
from tests.supportdesk.integrations.test_signatures import MUTATIONS as EVERY_MUTATION

SAMPLES = Path(__file__).resolve().parents[4] / "shared" / "payloads"
SECRET = "a-secret-of-ours"


def build(slug: str, **values: str) -> Integration:
    return integrations.get(slug)(values, callback_url=f"{PUBLIC}/hooks/{slug}/c0de/")


def told(integration: Integration, body: Any, **headers: str) -> list[Any]:
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    return integration.receive(inbound(integration.callback_url, content, headers))


def signal(integration: Integration, body: Any, **headers: str) -> dict[str, Any]:
    (reply,) = told(integration, body, **headers)
    return reply.data["signal"]


def sample(name: str) -> Any:
    """A recorded payload of the vendor; skipped where the collection is not there."""
    path = SAMPLES / name
    if not path.exists():
        pytest.skip(f"{path} is not here")
    return json.loads(path.read_text())


@pytest.fixture(scope="module")
def running_sns() -> Iterator[FakeSns]:
    fake = FakeSns()
    fake.start()
    yield fake
    fake.stop()


@pytest.fixture
def sns(running_sns: FakeSns, settings: Any) -> Iterator[FakeSns]:
    settings.REACHABLE_NETWORKS = ["127.0.0.0/8"]
    cloudwatch._public_key.cache_clear()
    running_sns.reset()
    yield running_sns
    assert running_sns.trouble() == []


def amazon(sns: FakeSns, **values: str) -> Integration:
    return cloudwatch.CloudWatch(
        sns.values | values, base_url=sns.base_url, callback_url=f"{PUBLIC}/hooks/cloudwatch/c/"
    )


# --- every recorded sample -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("name", "status"), [("v4_firing", "firing"), ("v4_resolved", "resolved")])
def test_the_alertmanager_samples(name, status):
    said = signal(build("alertmanager"), sample(f"alertmanager__{name}.derived.json"))
    assert (said["status"], said["severity"], said["service"], said["dedup_key"]) == (
        status,
        "critical",
        "checkout",
        "c6eadffa33fcdf37",
    )
    assert said["at"] == ("2026-01-01T00:20:00+00:00" if status == "resolved" else "2026-01-01T00:00:00+00:00")


def test_the_grafana_sample():
    said = signal(build("grafana"), sample("grafana__webhook_firing.derived.json"))
    assert (said["title"], said["severity"], said["check"]) == ("Checkout is down", "critical", "CheckoutDown")
    assert said["url"] == "https://runbooks.example/checkout"


def test_the_older_sentry_sample():
    said = signal(build("sentry"), sample("sentry__legacy_webhook.derived.json"))
    assert (said["dedup_key"], said["severity"], said["service"]) == ("issue:4616132097", "error", "checkout")
    assert (said["title"], said["at"]) == ("TimeoutError", "2026-01-01T00:00:00+00:00")
    assert said["labels"] == {"environment": "production"}


def test_the_datadog_sample():
    said = signal(build("datadog"), sample("datadog__custom_template.derived.json"))
    assert (said["dedup_key"], said["status"], said["severity"]) == ("1234:service:checkout", "firing", "critical")
    assert (said["title"], said["service"], said["at"]) == ("checkout errors", "checkout", "2026-01-01T00:00:00+00:00")


def test_the_cloudwatch_alarm_sample_says_what_it_says_and_is_not_believed_as_it_is(sns):
    recorded = sample("cloudwatch_sns__notification_alarm.derived.json")
    with pytest.raises(BadSignature):
        told(amazon(sns), recorded)
    fresh = {k: v for k, v in recorded.items() if k not in ("Timestamp", "SigningCertURL", "SignatureVersion")}
    said = signal(amazon(sns), sns.signed(fresh))
    assert (said["check"], said["status"], said["severity"]) == ("checkout-5xx", "firing", "critical")
    assert said["at"] == "2026-01-01T00:00:00+00:00"


def test_the_cloudwatch_subscription_sample(sns):
    recorded = sample("cloudwatch_sns__subscription_confirmation.derived.json")
    with pytest.raises(BadSignature):
        told(amazon(sns), recorded)
    fresh = {k: v for k, v in recorded.items() if k not in ("Timestamp", "SigningCertURL", "SignatureVersion")}
    (reply,) = told(amazon(sns), sns.signed(fresh))
    assert (reply.verb, reply.data["url"]) == ("subscribe", recorded["SubscribeURL"])


# --- Grafana ---------------------------------------------------------------------------------------------------------


def grafana_body() -> dict[str, Any]:
    return {
        "version": "1",
        "status": "firing",
        "truncatedAlerts": 0,
        "alerts": [
            {
                "status": "firing",
                "labels": {"alertname": "Down", "severity": "error", "service": "checkout"},
                "annotations": {"summary": "Down 4 times"},
                "startsAt": "2026-01-01T00:00:00Z",
                "endsAt": "0001-01-01T00:00:00Z",
                "fingerprint": "f1",
                "panelURL": "https://grafana.example/d/1?panel=2",
                "generatorURL": "https://grafana.example/alerting/1",
            }
        ],
    }


def test_grafana_points_to_its_panel():
    assert signal(build("grafana"), grafana_body())["url"] == "https://grafana.example/d/1?panel=2"


@pytest.mark.parametrize("seconds", [-290, 0, 290])
def test_grafanas_signed_time_may_be_five_minutes_off(seconds):
    content, stamp = json.dumps(grafana_body()).encode(), str(int(time.time()) + seconds)
    good = hex_hmac(f"{stamp}:".encode() + content)
    headers = {"X-Grafana-Alerting-Signature": good, "X-Grafana-Alerting-Timestamp": stamp}
    assert told(build("grafana", signing_secret=SECRET), content, **headers)


@pytest.mark.parametrize("seconds", [-310, 310, -86_400])
def test_and_not_more(seconds):
    content, stamp = json.dumps(grafana_body()).encode(), str(int(time.time()) + seconds)
    headers = {
        "X-Grafana-Alerting-Signature": hex_hmac(f"{stamp}:".encode() + content),
        "X-Grafana-Alerting-Timestamp": stamp,
    }
    with pytest.raises(BadSignature):
        told(build("grafana", signing_secret=SECRET), content, **headers)


# --- Sentry ----------------------------------------------------------------------------------------------------------


def test_sentry_issues_begin_and_end_under_one_name():
    issue = {"id": "77", "title": "TimeoutError", "level": "fatal", "project": {"slug": "checkout"},
             "firstSeen": "2026-01-01T00:00:00Z", "lastSeen": "2026-01-01T00:10:00Z"}  # fmt: skip
    hook = {"Sentry-Hook-Resource": "issue"}
    began = signal(build("sentry"), {"action": "created", "data": {"issue": issue}}, **hook)
    ended = signal(build("sentry"), {"action": "resolved", "data": {"issue": issue}}, **hook)
    assigned = signal(build("sentry"), {"action": "assigned", "data": {"issue": issue}}, **hook)
    assert began["dedup_key"] == ended["dedup_key"] == "issue:77"
    assert (began["status"], ended["status"]) == ("firing", "resolved")
    assert (began["severity"], assigned["severity"]) == ("critical", "info")
    assert began["at"] < ended["at"]


def test_sentry_event_alerts_and_metric_alerts():
    event = {"issue_id": "77", "title": "Boom", "level": "error", "datetime": "2026-01-01T00:00:00Z",
             "web_url": "https://sentry.example/77/", "tags": [["service", "checkout"], ["odd"]]}  # fmt: skip
    said = signal(
        build("sentry"),
        {"action": "triggered", "data": {"event": event, "triggered_rule": "Errors"}},
        **{"Sentry-Hook-Resource": "event_alert"},
    )
    assert (said["dedup_key"], said["service"], said["description"]) == ("issue:77", "checkout", "Errors: ")
    metric = {"id": 5, "title": "Errors", "date_started": "2026-01-01T00:00:00Z", "projects": ["checkout"]}
    body = {"action": "critical", "data": {"metric_alert": metric, "description_title": "Critical: Errors"}}
    assert signal(build("sentry"), body, **{"Sentry-Hook-Resource": "metric_alert"})["severity"] == "critical"


def test_the_same_sentry_telling_counts_once():
    body = {"action": "created", "data": {"issue": {"id": "1", "title": "x", "firstSeen": "2026-01-01T00:00:00Z"}}}
    keys = {told(build("sentry"), body, **{"Sentry-Hook-Resource": "issue"})[0].key for _ in range(3)}
    assert len(keys) == 1


# --- Datadog ---------------------------------------------------------------------------------------------------------


def datadog_body(**changes: Any) -> dict[str, Any]:
    good = {"id": "1", "monitor_id": "9", "title": "[Triggered] Disk", "alert_transition": "Triggered",
            "severity": "P2", "scopes": "host:db1", "tags": "service:checkout,env:prod", "last_updated": "1767225600000"}  # fmt: skip # noqa: E501
    return good | changes


@pytest.mark.parametrize(
    ("transition", "status", "severity"),
    [
        ("Triggered", "firing", "error"),
        ("Re-Triggered", "firing", "error"),
        ("Warn", "firing", "warning"),
        ("No Data", "firing", "error"),
        ("Recovered", "resolved", "error"),
    ],
)
def test_datadog_transitions(transition, status, severity):
    said = signal(build("datadog"), datadog_body(alert_transition=transition))
    assert (said["status"], said["severity"], said["component"]) == (status, severity, "db1")


def test_what_datadog_never_says_is_refused():
    for wrong in ({"alert_transition": "$ALERT_TRANSITION"}, {"last_updated": "soon"}, {"monitor_id": ""}):
        with pytest.raises(BadPayload):
            told(build("datadog"), datadog_body(**wrong))


# --- CloudWatch ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("version", ["1", "2"])
def test_amazon_is_believed_in_both_versions(sns, version):
    (reply,) = told(amazon(sns), sns.signed(sns.alarm(), version=version))
    assert (reply.verb, reply.key, reply.data["signal"]["status"]) == ("notified", "message-1", "firing")


def test_an_alarm_begins_ends_and_may_know_too_little(sns):
    said = [signal(amazon(sns), sns.signed(sns.alarm(state))) for state in ("ALARM", "OK", "INSUFFICIENT_DATA")]
    assert [(one["status"], one["severity"]) for one in said] == [
        ("firing", "critical"),
        ("resolved", "info"),
        ("firing", "info"),
    ]
    assert len({one["dedup_key"] for one in said}) == 1


@pytest.mark.parametrize(
    "url",
    [
        "http://sns.eu-west-1.amazonaws.com/x.pem",
        "https://sns.eu-west-1.amazonaws.com.evil.example/x.pem",
        "https://evil.example/sns.eu-west-1.amazonaws.com/x.pem",
        "https://sns.eu-west-1.amazonaws.com@evil.example/x.pem",
        "https://evil.example#sns.eu-west-1.amazonaws.com/x.pem",
        "https://sns.us-east-1.amazonaws.com/x.pem",
        "https://s3.eu-west-1.amazonaws.com/x.pem",
        "https://sns.eu-west-1.amazonaws.com:8443/x.pem",
        "https://sns.eu-west-1.amazonaws.com/x.txt",
        "https://127.0.0.1/x.pem",
        "file:///etc/passwd",
        "",
    ],
)
def test_a_certificate_from_anywhere_else_is_not_even_fetched(sns, url):
    body = sns.signed(sns.alarm() | {"SigningCertURL": url})
    with pytest.raises(BadSignature):
        told(amazon(sns), body)
    assert sns.seen == []


def test_another_topic_is_refused_although_amazon_signed_it(sns):
    other = TOPIC.replace("desk", "somebody-elses")
    with pytest.raises(BadSignature):
        told(amazon(sns), sns.signed(sns.alarm() | {"TopicArn": other}))


@pytest.mark.parametrize(
    "stamp", ["2020-01-01T00:00:00.000Z", "2099-01-01T00:00:00.000Z", "soon", "2026-01-01T00:00:00"]
)
def test_a_message_from_another_time_is_refused(sns, stamp):
    with pytest.raises(BadSignature):
        told(amazon(sns), sns.signed(sns.alarm() | {"Timestamp": stamp}))


def test_a_subscription_is_confirmed_at_amazon_and_nowhere_else(sns):
    integration = amazon(sns)
    (reply,) = told(integration, sns.signed(sns.subscription()))
    message = Message("k", "subscribe", reply.data["url"], "", "")
    assert integration.send(message).id == TOPIC
    assert sns.confirmed == ["t-2336"]
    for url in ("https://169.254.169.254/latest/meta-data/", "https://sns.eu-west-1.amazonaws.com.evil.example/"):
        with pytest.raises(BadPayload):
            told(integration, sns.signed(sns.subscription() | {"SubscribeURL": url}))
        with pytest.raises(BadPayload):
            integration.send(replace(message, to=url))


def test_a_certificate_that_cannot_be_had_is_no_500(sns):
    sns.next(status=500)
    with pytest.raises(BadSignature):
        told(amazon(sns), sns.signed(sns.alarm()))


# --- anything that sends JSON ----------------------------------------------------------------------------------------

UPTIME = {
    "items": "$.events",
    "key": "$.monitor.id",
    "status": "$.monitor.state",
    "resolved_words": "up",
    "severity": "=critical",
    "title": "$.monitor.name | $.monitor.id",
    "at": "$.when",
    "service": '$.monitor.labels["desk.example/service"]',
    "url": "$.monitor.link",
    "labels": "$.monitor.labels",
}


def test_the_mapping_is_data():
    body = {
        "events": [
            {"when": 1767225600, "monitor": {"id": 5, "name": "Shop", "state": "down", "link": "javascript:alert(1)",
                                             "labels": {"desk.example/service": "checkout", "n": 1, "l": []}}},
            {"when": "2026-01-01T00:05:00Z", "monitor": {"id": 6, "state": "Up"}},
        ]
    }  # fmt: skip
    down, up = [reply.data["signal"] for reply in told(build("generic", **UPTIME), body)]
    assert (down["dedup_key"], down["status"], down["severity"], down["service"]) == (
        "5",
        "firing",
        "critical",
        "checkout",
    )
    assert (down["at"], down["url"]) == ("2026-01-01T00:00:00+00:00", "")
    assert down["labels"] == {"desk.example/service": "checkout", "n": "1"}
    assert (up["title"], up["status"]) == ("6", "resolved")


def test_without_a_mapping_the_usual_names_are_tried():
    said = signal(build("generic"), {"id": "x", "message": "Disk full", "level": "sev1", "state": "OK", "host": "db1"})
    assert (said["title"], said["severity"], said["status"], said["component"]) == (
        "Disk full",
        "critical",
        "resolved",
        "db1",
    )


def test_own_words_for_severity():
    integration = build("generic", severity_words="critical=disaster,doom error=bad")
    assert [signal(integration, {"title": "x", "severity": word})["severity"] for word in ("Doom", "bad", "meh")] == [
        "critical",
        "error",
        "warning",
    ]


def test_what_cannot_be_read_is_named_before_it_is_stored():
    generic = integrations.get("generic")
    assert set(generic.problems({"title": "$.a..b", "severity_words": "very=bad"})) == {"title", "severity_words"}
    assert generic.problems(UPTIME) == {}
    for body, field in (({}, "title"), ({"events": {}}, "items"), ({"title": "x", "at": "soon"}, "at")):
        with pytest.raises(BadPayload) as refused:
            told(build("generic", **(UPTIME if "events" in body else {})), body)
        assert refused.value.field == field


@pytest.mark.parametrize(
    ("expression", "found"),
    [
        ("$.a.b[1].c", 2),
        ("a.b[0].c | $.x", 1),
        ("nope | =text", "text"),
        ("a['k 8']", 3),
        ("$", {"a": {"b": [{"c": 1}, {"c": 2}], "k 8": 3}}),
        ("a.b[7]", None),
        ("", None),
    ],
)
def test_paths(expression, found):
    assert json_paths.find({"a": {"b": [{"c": 1}, {"c": 2}], "k 8": 3}}, expression) == found


@pytest.mark.parametrize("wrong", ["a..b", "a[*]", "a[?(@.x)]", "$.a b", "a." * 200, "a[-1]", "__import__('os')"])
def test_paths_that_are_more_than_paths_are_refused(wrong):
    with pytest.raises(ValueError):
        json_paths.parse(wrong)


# --- forty ways to spoil a request -----------------------------------------------------------------------------------


@dataclass(frozen=True)
class Signed:
    """One vendor with a secret, and a request it would really send."""

    integration: Integration
    body: bytes
    headers: dict[str, str]
    signature: str  # the header that proves it


def hex_hmac(content: bytes, secret: str = SECRET) -> str:
    return hmac.new(secret.encode(), content, hashlib.sha256).hexdigest()


def grafana(_: FakeSns) -> Signed:
    body = json.dumps(grafana_body()).encode()
    name = "X-Grafana-Alerting-Signature"
    return Signed(build("grafana", signing_secret=SECRET), body, {name: hex_hmac(body)}, name)


def sentry(_: FakeSns) -> Signed:
    issue = {"id": "1", "title": "x4", "firstSeen": "2026-01-01T00:00:00Z"}
    body = json.dumps({"action": "created", "data": {"issue": issue}}).encode()
    headers = {"Sentry-Hook-Signature": hex_hmac(body), "Sentry-Hook-Resource": "issue"}
    return Signed(build("sentry", client_secret=SECRET), body, headers, "Sentry-Hook-Signature")


def generic(_: FakeSns) -> Signed:
    body = json.dumps({"title": "Disk 4 full"}).encode()
    return Signed(build("generic", signing_secret=SECRET), body, {"X-Signature": hex_hmac(body)}, "X-Signature")


def token_of(slug: str, body: Any) -> Callable[[FakeSns], Signed]:
    def made(_: FakeSns) -> Signed:
        content = json.dumps(body).encode()
        return Signed(build(slug, token=SECRET), content, {"Authorization": f"Bearer {SECRET}"}, "Authorization")

    return made


SIGNED = {"grafana": grafana, "sentry": sentry, "generic": generic}
TOKENS = {
    "alertmanager": token_of("alertmanager", grafana_body() | {"version": "4"}),
    "grafana with a token": token_of("grafana", grafana_body()),
    "datadog": token_of("datadog", datadog_body()),
    "generic with a token": token_of("generic", {"title": "x"}),
}
OF_THE_BODY = {
    "empty body", "one byte more", "two bytes less", "one byte changed", "another digit or name", "a field more",
    "a field twice", "no UTF-8", "escaped rubbish", "nulls", "nothing but brackets", "a list", "JSON nobody sent",
    "ten thousand fields",
}  # fmt: skip
MUTATIONS = sorted(set(EVERY_MUTATION) - {"somebody else's"})
SPOILT_TOKENS = [name for name in MUTATIONS if name not in OF_THE_BODY]


def spoilt(name: str, good: Signed) -> Signed:
    """The mutations of the older vendors, on the header and body of this one."""
    from tests.supportdesk.integrations import test_signatures as theirs

    theirs.SIGNATURE["monitor"] = good.signature
    sent = EVERY_MUTATION[name](theirs.Sent(PUBLIC, good.body, good.headers), "monitor", None)
    return replace(good, body=sent.body, headers=dict(sent.headers))


def is_refused(sent: Signed) -> None:
    with pytest.raises((BadSignature, BadPayload)):
        told(sent.integration, sent.body, **sent.headers)


@pytest.mark.parametrize("vendor", sorted(SIGNED))
@pytest.mark.parametrize("mutation", MUTATIONS)
def test_a_spoilt_request_is_refused(sns, vendor, mutation):
    is_refused(spoilt(mutation, SIGNED[vendor](sns)))


@pytest.mark.parametrize("vendor", sorted(TOKENS))
@pytest.mark.parametrize("mutation", SPOILT_TOKENS)
def test_a_spoilt_token_is_refused(sns, vendor, mutation):
    if mutation in ("shouted signature", "whispered signature"):
        good = TOKENS[vendor](sns)
        is_refused(replace(good, headers={good.signature: f"Bearer {SECRET.upper()}"}))
    else:
        is_refused(spoilt(mutation, TOKENS[vendor](sns)))


@pytest.mark.parametrize("vendor", sorted(SIGNED | TOKENS))
def test_unspoilt_it_is_accepted_also_while_the_secret_changes(sns, vendor):
    good = (SIGNED | TOKENS)[vendor](sns)
    assert told(good.integration, good.body, **good.headers)
    name = next(name for name in good.integration.values if good.integration.values[name] == SECRET)
    changing = type(good.integration)({name: f"{SECRET} the-new-one"}, callback_url=PUBLIC)
    assert told(changing, good.body, **good.headers)
    changed = type(good.integration)({name: "the-new-one"}, callback_url=PUBLIC)
    is_refused(replace(good, integration=changed))


Change = Callable[[dict[str, Any], FakeSns], dict[str, Any] | bytes]


def field(name: str, change: Callable[[Any], Any]) -> Change:
    return lambda body, _: body | {name: change(body.get(name, ""))}


def without(name: str) -> Change:
    return lambda body, _: {key: value for key, value in body.items() if key != name}


SPOILT_AT_AMAZON: dict[str, Change] = {
    "no signature": without("Signature"),
    "no certificate": without("SigningCertURL"),
    "no version": without("SignatureVersion"),
    "no type": without("Type"),
    "no topic": without("TopicArn"),
    "no time": without("Timestamp"),
    "no id": without("MessageId"),
    "no message": without("Message"),
    "no subject": without("Subject"),
    "empty signature": field("Signature", lambda s: ""),
    "blank signature": field("Signature", lambda s: "  "),
    "cut signature": field("Signature", lambda s: s[:-4]),
    "reversed signature": field("Signature", lambda s: s[::-1]),
    "longer signature": field("Signature", lambda s: s + "AAAA"),
    "doubled signature": field("Signature", lambda s: s + s),
    "lower signature": field("Signature", lambda s: s.lower()),
    "emoji signature": field("Signature", lambda s: s[:-1] + "\U0001f600"),
    "null signature": field("Signature", lambda s: "\x00" + s),
    "a megabyte": field("Signature", lambda s: "A" * 1_000_000),
    "a number": field("Signature", lambda s: 1),
    "a list": field("Signature", lambda s: [s]),
    "nothing": field("Signature", lambda s: None),
    "no base64": field("Signature", lambda s: "!" + s[1:]),
    "url base64": field("Signature", lambda s: s.replace("+", "-").replace("/", "_")[:-2] + "__"),
    "another message": field("Message", lambda s: s.replace("ALARM", "OK")),
    "a longer message": field("Message", lambda s: s + " "),
    "another subject": field("Subject", lambda s: "OK"),
    "another id": field("MessageId", lambda s: s + "0"),
    "another time": field("Timestamp", lambda s: s.replace("Z", "+00:00")),
    "another topic": field("TopicArn", lambda s: s + "2"),
    "another type": field("Type", lambda s: "SubscriptionConfirmation"),
    "an unknown type": field("Type", lambda s: "Alarm"),
    "the other version": field("SignatureVersion", lambda s: "1"),
    "version 3": field("SignatureVersion", lambda s: "3"),
    "another certificate": field("SigningCertURL", lambda s: s.replace("eu-west-1", "us-east-1")),
    "somebody else's": lambda body, sns: sns.signed(sns.alarm(), key=rsa.generate_private_key(65537, 2048)),
    "no JSON": lambda body, _: b"{",
    "a JSON list": lambda body, _: b"[]",
    "no UTF-8": lambda body, _: b"\xff" + json.dumps(body).encode(),
    "brackets": lambda body, _: b"[" * 100_000,
    "half a surrogate": lambda body, _: json.dumps(body | {"Subject": "\ud800"}).encode(),
}


@pytest.mark.parametrize("mutation", sorted(SPOILT_AT_AMAZON))
def test_a_spoilt_message_of_amazon_is_refused(sns, mutation):
    made = SPOILT_AT_AMAZON[mutation](sns.signed(sns.alarm()), sns)
    with pytest.raises((BadSignature, BadPayload)):
        told(amazon(sns), made)


def test_there_are_at_least_forty_of_them():
    assert len(EVERY_MUTATION) >= 40
    assert len(SPOILT_AT_AMAZON) >= 40


# --- Prometheus ------------------------------------------------------------------------------------------------------


def test_a_private_prometheus_is_not_called_unless_it_is_allowed(settings):
    settings.REACHABLE_NETWORKS = []
    with pytest.raises(IntegrationError):
        build("prometheus", url="http://127.0.0.1:9/").ask("up")
