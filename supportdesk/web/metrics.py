"""/metrics for Prometheus: everything is read from rows, so any web process of any machine answers the same.

The histograms grow as the auditor adds calls up, once a minute; while it is silent they stand still, and
`supportdesk_auditor_age_seconds` says so.
"""

from __future__ import annotations

import hmac
import ipaddress
from collections.abc import Iterable, Iterator
from itertools import accumulate
from typing import Any

from django.conf import settings
from django.contrib.auth.decorators import login_not_required
from django.db import connection
from django.http import HttpRequest, HttpResponse
from django.views.decorators.http import require_GET
from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, generate_latest
from prometheus_client.core import GaugeMetricFamily, HistogramMetricFamily, InfoMetricFamily, Metric
from prometheus_client.registry import Collector

from supportdesk import version
from supportdesk.auditor.invariants import registered
from supportdesk.auditor.models import AuditRun, Finding, Tally
from supportdesk.auditor.tallies import BOUNDS
from supportdesk.integrations.breaker import OPENS_AFTER
from supportdesk.queue import clock

_HISTOGRAMS = {
    "due_to_claimed": (
        "supportdesk_due_to_claimed_seconds",
        "From due to claimed by the clock, first tries",
        ("lane",),
    ),
    "claimed_to_sent": ("supportdesk_claimed_to_sent_seconds", "From claimed to accepted or failed", ("lane",)),
    "vendor_call": ("supportdesk_vendor_call_seconds", "How long vendors took", ("vendor", "outcome")),
}
_GAUGES: tuple[tuple[str, str, tuple[str, ...], str], ...] = (
    (
        "supportdesk_queue_depth",
        "Tasks in a cluster's queue",
        ("lane",),
        "SELECT lane, count(q.id) FROM unnest(%(lanes)s::text[]) AS lane "
        "LEFT JOIN django_q_ormq AS q ON q.key = lane GROUP BY lane",
    ),
    (
        "supportdesk_deliveries",
        "Deliveries that have not left",
        ("lane", "state"),
        "SELECT lane, state, count(*) FROM supportdesk_delivery WHERE state = 'pending' GROUP BY 1, 2 UNION ALL "
        "SELECT lane, state, count(*) FROM supportdesk_delivery WHERE state = 'sending' GROUP BY 1, 2",
    ),
    (
        "supportdesk_lateness_seconds",
        "How long what is due longest has waited",
        ("what",),
        """
        SELECT 'page', coalesce(extract(epoch FROM %(now)s - min(due_at)), 0) FROM supportdesk_delivery
         WHERE state = 'pending' AND due_at <= %(now)s AND is_urgent
        UNION ALL
        SELECT 'message', coalesce(extract(epoch FROM %(now)s - min(due_at)), 0) FROM supportdesk_delivery
         WHERE state = 'pending' AND due_at <= %(now)s AND NOT is_urgent
        UNION ALL
        SELECT 'timer', coalesce(extract(epoch FROM %(now)s - min(due_at)), 0) FROM supportdesk_timer
         WHERE state = 'armed' AND due_at <= %(now)s
        UNION ALL
        SELECT 'inbound', coalesce(extract(epoch FROM %(now)s - min(received_at)), 0) FROM supportdesk_inboundevent
         WHERE state = 'stored'
        """,
    ),
    (
        "supportdesk_set_aside",
        "Rows that failed again and again and wait for a person",
        ("what",),
        "SELECT 'timer', count(*) FROM supportdesk_timer WHERE state = 'quarantined' UNION ALL "
        "SELECT 'inbound', count(*) FROM supportdesk_inboundevent WHERE state = 'quarantined'",
    ),
    (
        "supportdesk_beat_age_seconds",
        "Since something last got work done",
        ("name",),
        "SELECT name, greatest(extract(epoch FROM %(now)s - at), 0) FROM supportdesk_heartbeat "
        "WHERE name IN ('clock', 'auditor') OR name LIKE 'canary:%%' OR name LIKE 'lane:%%'",
    ),
    (
        "supportdesk_canary_seconds",
        "How long the last canary took through a queue",
        ("lane",),
        "SELECT detail->>'lane', (detail->>'seconds')::float FROM supportdesk_heartbeat WHERE name LIKE 'canary:%%'",
    ),
    (
        "supportdesk_breaker_open",
        "1 while nobody waits for a vendor",
        ("connection", "vendor"),
        "SELECT line.id::text, line.vendor, (coalesce(breaker.failures, 0) >= %(opens)s)::int "
        "FROM supportdesk_connection AS line "
        "LEFT JOIN supportdesk_breaker AS breaker ON breaker.connection_id = line.id "
        "WHERE line.is_enabled",
    ),
    (
        "supportdesk_connection_works",
        "1 where the last call over a connection was accepted",
        ("connection", "vendor"),
        "SELECT id::text, vendor, (works IS NOT FALSE)::int FROM supportdesk_connection WHERE is_enabled",
    ),
)


class Desk(Collector):
    """What the desk says of itself."""

    def collect(self) -> Iterator[Metric]:
        yield InfoMetricFamily("supportdesk_build", "Which code answers", value={"version": version.code()})
        yield from _gauges()
        yield from _auditor()
        yield from _histograms()


def _gauges() -> Iterator[Metric]:
    said: dict[str, Any] = {"now": clock.database_now(), "lanes": list(settings.QUEUE_LANES), "opens": OPENS_AFTER}
    with connection.cursor() as cursor:
        for name, words, labels, sql in _GAUGES:
            family = GaugeMetricFamily(name, words, labels=labels)
            cursor.execute(sql, said)
            for *values, measured in cursor.fetchall():
                family.add_metric([str(value) for value in values], float(measured))
            yield family


def _auditor() -> Iterator[Metric]:
    run, now = AuditRun.objects.order_by("-at").first(), clock.database_now()
    age = (now - run.at).total_seconds() if run else float("inf")
    yield GaugeMetricFamily("supportdesk_auditor_age_seconds", "Since the auditor's last round", value=max(age, 0.0))
    spent = run.duration_ms / 1000 if run else 0.0
    yield GaugeMetricFamily("supportdesk_auditor_round_seconds", "How long its last round took", value=spent)
    broken = set(Finding.objects.filter(cleared_at=None).values_list("invariant", flat=True))
    words, labels = "1 while an invariant holds", ["invariant", "level"]
    family = GaugeMetricFamily("supportdesk_invariant_holds", words, labels=labels)
    for one in registered():
        family.add_metric([one.name, str(one.level)], float(one.name not in broken))
    yield family


def _histograms() -> Iterator[Metric]:
    rows = list(Tally.objects.all())
    for kind, (name, words, labels) in _HISTOGRAMS.items():
        family = HistogramMetricFamily(name, words, labels=labels)
        for row in rows:
            if row.name == kind:
                family.add_metric([row.labels.get(label, "") for label in labels], _buckets(row), row.total)
        yield family


def _buckets(row: Tally) -> list[tuple[str, float]]:
    bounds = [*(str(bound) for bound in BOUNDS), "+Inf"]
    return [(bound, float(count)) for bound, count in zip(bounds, accumulate(row.buckets), strict=True)]


def names() -> set[str]:
    """Every series /metrics can have, for the dashboards' and rules' tests."""
    own = {"supportdesk_build_info", "supportdesk_auditor_age_seconds", "supportdesk_auditor_round_seconds"}
    histograms = {name + end for name, _, _ in _HISTOGRAMS.values() for end in ("_bucket", "_sum", "_count")}
    return own | {"supportdesk_invariant_holds"} | {name for name, *_ in _GAUGES} | histograms


@login_not_required
@require_GET
def metrics(request: HttpRequest) -> HttpResponse:
    """For whoever has the token, or calls from an address on the list. Everybody else finds nothing here."""
    if not _may_read(request):
        return HttpResponse("There is nothing at this address.\n", status=404, content_type="text/plain")
    registry = CollectorRegistry(auto_describe=False)
    registry.register(Desk())
    response = HttpResponse(generate_latest(registry), content_type=CONTENT_TYPE_LATEST)
    response["Cache-Control"] = "no-store"
    return response


def _may_read(request: HttpRequest) -> bool:
    given = request.headers.get("Authorization", "").removeprefix("Bearer ")
    if settings.METRICS_TOKEN and hmac.compare_digest(given.encode(), settings.METRICS_TOKEN.encode()):
        return True
    return _is_listed(caller(request.META), settings.METRICS_ALLOW)


def caller(meta: dict[str, Any]) -> str:
    """The address that called: the one the outermost of our own proxies saw, never what a caller says of itself."""
    said = [part.strip() for part in str(meta.get("HTTP_X_FORWARDED_FOR", "")).split(",") if part.strip()]
    if not settings.TRUSTED_PROXIES:
        return str(meta.get("REMOTE_ADDR", ""))
    return said[-settings.TRUSTED_PROXIES] if len(said) >= settings.TRUSTED_PROXIES else ""


def _is_listed(address: str, listed: Iterable[str]) -> bool:
    try:
        found = ipaddress.ip_address(address)
        return any(found in ipaddress.ip_network(network, strict=False) for network in listed)
    except ValueError:
        return False
