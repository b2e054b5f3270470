"""Series at work: figures come in, the rule judges them, people decide whether it may speak (§9.2)."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import asdict
from datetime import datetime, timedelta
from typing import Any

from django.db import transaction
from django.db.models import Q

from incidents.models import Alert, AnomalyFiring, Incident, MaintenanceWindow, Series, SeriesMarker, SeriesPoint
from incidents.monitoring import anomaly, corroboration, intake, windows
from incidents.monitoring.anomaly import Baseline, Kind, Point, State, Step
from incidents.monitoring.intake import Sender
from incidents.monitoring.replay import REPLAYED, Result, hour_words, replay
from incidents.monitoring.rules import Seen
from supportdesk import instants, links
from supportdesk.actors import Actor
from supportdesk.audit import rows, trail
from supportdesk.errors import Invalid, NotAllowed, WrongState
from supportdesk.integrations.lines import Lines
from supportdesk.queue import outbox
from supportdesk.queue.handover import hand_over
from supportdesk.queue.models import Lane
from supportdesk.queue.outbox import Post

OBSERVED_FOR = timedelta(days=7)
KEPT = anomaly.WEEK * anomaly.WEEKS + REPLAYED + timedelta(days=1)
MOST_POINTS = 1_000
SOONEST_FUTURE = timedelta(minutes=5)
REPLAY = "incidents.monitoring.tasks.replay_series"
SENDER = Sender("Anomaly detection", origin=Alert.Origin.ANOMALY)
# What a change of makes an earlier replay worthless.
_JUDGED_BY = ("time_zone", "direction", "min_delta", "min_abs_scale", "connection_id", "query")


# --- figures come in -------------------------------------------------------------------------------------------------


def push(series: Series, points: Iterable[Point]) -> int:
    """Keep figures and judge those that are newer than the last one. Returns how many were new."""
    given = sorted(set(points))
    now = instants.now()
    if len(given) > MOST_POINTS:
        raise Invalid(f"At most {MOST_POINTS:,} points at once.", field="points")
    if given and given[-1].at > now + SOONEST_FUTURE:
        raise Invalid("A point lies more than five minutes in the future.", field="at")
    with transaction.atomic():
        locked = Series.objects.select_for_update(of=("self",)).select_related("service", "organization")
        series = locked.get(pk=series.pk)
        kept = [SeriesPoint(series=series, at=point.at, value=point.value) for point in given]
        SeriesPoint.objects.bulk_create(kept, ignore_conflicts=True)
        fresh = [point for point in given if series.last_at is None or point.at > series.last_at]
        for point in fresh:
            series.last_at, series.last_value = point
            if series.state in Series.WATCHED:
                _Judge(series, now).take(point)
        _grow_up(series, now)
        series.trouble = ""
        series.save()
    return len(fresh)


def _grow_up(series: Series, now: datetime) -> None:
    """Seven days of observing are over: it may speak."""
    if series.state == Series.State.OBSERVE and series.observing_since and now - series.observing_since >= OBSERVED_FOR:
        series.state = Series.State.ENABLED


class _Judge:
    """One point of one series."""

    def __init__(self, series: Series, now: datetime) -> None:
        self.series, self.now, self.how = series, now, series.sensitivity()

    def take(self, point: Point) -> None:
        firing = AnomalyFiring.objects.filter(series=self.series, ended_at=None).order_by("-pk").first()
        if is_quiet(self.series, point.at):
            return
        usual = self._usual(point.at)
        done = anomaly.step(_read_state(self.series.memory.get("state", {})), point.value, usual, self.how)
        self.series.memory |= {"state": asdict(done.state)}
        if done.cleared and firing is not None:
            self._clear(firing, point)
        if done.fired:
            self._fire(point, usual, done)
        elif firing is not None and firing.alert is not None:
            self._bear_out(firing)

    def _usual(self, at: datetime) -> Baseline:
        """The baseline of the local hour; worked out once an hour."""
        memory, here = self.series.memory, anomaly.slot(at, self.series.time_zone)
        if memory.get("slot") != here:
            usual = baseline_at(self.series, at)
            self.series.memory |= {"slot": here, "usual": asdict(usual)}
            return usual
        return Baseline(**memory["usual"])

    def _fire(self, point: Point, usual: Baseline, done: Step) -> None:
        kind = done.fired or Kind.SPIKE
        when = hour_words(point.at, self.series.time_zone)
        words = anomaly.explanation(self.series.name, point.value, when, usual, done.state, kind)
        firing = AnomalyFiring.objects.create(
            series=self.series,
            kind=kind,
            began_at=point.at,
            value=point.value,
            explanation=words,
            evidence={**asdict(usual), "score": round(done.score, 3), "hits": list(done.state.hits), "when": when},
            is_told=self.series.state == Series.State.ENABLED,
        )
        if firing.is_told:
            taken = intake.take(SENDER, self._signal("firing", point, words))
            firing.alert = taken.alert
            firing.save(update_fields=["alert"])
            suggest(firing)
            self._bear_out(firing)

    def _bear_out(self, firing: AnomalyFiring) -> None:
        """Is there a second witness by now? A drift stays what it is: always P4, never a page."""
        if firing.alert is None or firing.kind == Kind.DRIFT:
            return
        incident = corroboration.of_anomaly(firing.alert, self.now, intake.actor_for(firing.alert))
        if incident is not None and firing.incident_id != incident.pk:
            AnomalyFiring.objects.filter(pk=firing.pk).update(incident=incident)

    def _clear(self, firing: AnomalyFiring, point: Point) -> None:
        firing.ended_at = point.at
        firing.save(update_fields=["ended_at"])
        if firing.alert is not None:
            intake.take(SENDER, self._signal("resolved", point, ""))

    def _signal(self, status: str, point: Point, words: str) -> dict[str, Any]:
        return {
            "dedup_key": f"series:{self.series.key}",
            "status": status,
            "severity": "info",  # alone it pages nobody
            "title": f"{self.series.name} is unusual",
            "at": max(point.at, self.now - timedelta(hours=1)).isoformat(),
            "service": self.series.service.slug if self.series.service else "",
            "organization": self.series.organization.slug if self.series.organization else "",
            "check": self.series.key,
            "description": words,
        }


def _read_state(spec: dict[str, Any]) -> State:
    if not spec:
        return State()
    firing = Kind(spec["firing"]) if spec["firing"] else None
    return State(**(spec | {"hits": tuple(spec["hits"]), "firing": firing}))


# --- what is usual ---------------------------------------------------------------------------------------------------


def baseline_at(series: Series, at: datetime) -> Baseline:
    """What is usual for the hour of the week an instant lies in."""
    spans = anomaly.sample_spans(at, series.time_zone)
    inside = Q(pk__in=[])
    for start, end in spans:
        inside |= Q(at__gte=start, at__lt=end)
    points = [Point(*row) for row in series.points.filter(inside).values_list("at", "value")]
    return anomaly.baseline(anomaly.samples(points, spans, left_out(series, spans[0][0], at)), series.sensitivity())


def left_out(series: Series, since: datetime, until: datetime) -> list[tuple[datetime, datetime]]:
    """The spans whose points teach nothing: incidents of the service, maintenance, markers and earlier firings."""
    found = [
        (began, ended or until)
        for began, ended in series.firings.filter(began_at__lt=until).values_list("began_at", "ended_at")
    ]
    found += list(series.markers.filter(at__lt=until, until__gt=since).values_list("at", "until"))
    if series.service_id is not None:
        incidents = Incident.objects.filter(service=series.service_id, received_at__lt=until, is_drill=False)
        found += [
            (started or detected, resolved or until)
            for started, detected, resolved in incidents.values_list("impact_started_at", "detected_at", "resolved_at")
            if (resolved or until) > since
        ]
    for window in _windows_of(series):
        found += [(one.start, one.end) for one in windows.occurrences(window.value(), since, until)]
    return found


def is_quiet(series: Series, at: datetime) -> bool:
    """Nothing is judged during maintenance and for half an hour after a deployment (§9.2 (5))."""
    if SeriesMarker.objects.filter(series=series, at__lte=at, until__gt=at).exists():
        return True
    return any(windows.open_at(window.value(), at) for window in _windows_of(series))


def _windows_of(series: Series) -> list[MaintenanceWindow]:
    seen = Seen(
        service=series.service.slug if series.service else "",
        check=series.key,
        organization=series.organization.slug if series.organization else "",
        source=Alert.Origin.ANOMALY,
    )
    rows_ = MaintenanceWindow.objects.filter(is_enabled=True).select_related("organization")
    return [row for row in rows_.prefetch_related("services") if row.covers(seen)]


# --- people decide ---------------------------------------------------------------------------------------------------


def save(series: Series, *, actor: Actor) -> Series:
    """Make or change a series. What changes the rule makes it learn anew: nobody has replayed that rule yet."""
    _require_staff(actor)
    with transaction.atomic():
        before = Series.objects.filter(pk=series.pk).first() if series.pk else None
        if before is not None and any(getattr(before, name) != getattr(series, name) for name in _JUDGED_BY):
            series.state, series.replay, series.replayed_at, series.memory = Series.State.LEARNING, {}, None, {}
        series.save()
        rows.record_save(actor, series, rows.plain(before) if before else None)
    return series


def ask_replay(series: Series, *, actor: Actor) -> None:
    """Replay the rule over the last 28 days, from the queue; the page shows what came of it in a moment."""
    _require_staff(actor)
    with transaction.atomic():
        Series.objects.filter(pk=series.pk).update(replay={"is_running": True}, replayed_at=None)
        hand_over(Lane.BULK, REPLAY, [(series.pk,)])


def run_replay(series: Series) -> Result:
    """Replay now, in this process, and keep the result."""
    now = instants.now()
    since = now - REPLAYED - anomaly.WEEK * anomaly.WEEKS - timedelta(hours=2)
    points = [Point(*row) for row in series.points.filter(at__gte=since).order_by("at").values_list("at", "value")]
    result = replay(
        points,
        now,
        metric=series.name,
        zone=series.time_zone,
        how=series.sensitivity(),
        left_out=_known_trouble(series, since, now),
    )
    Series.objects.filter(pk=series.pk).update(replayed_at=now, replay=_spec(result))
    return result


def _known_trouble(series: Series, since: datetime, now: datetime) -> list[tuple[datetime, datetime]]:
    """What is left out of the samples of a replay: not what an earlier rule flagged, which this one judges itself."""
    flagged = set(series.firings.values_list("began_at", "ended_at"))
    return [span for span in left_out(series, since, now) if span not in flagged]


def _spec(result: Result) -> dict[str, Any]:
    return {
        "may_enable": result.may_enable,
        "verdict": result.verdict,
        "a_week": round(result.a_week, 2),
        "judged": result.judged,
        "learning": result.learning,
        "firings": [
            {"kind": one.kind, "at": one.began_at.isoformat(), "value": one.value, "explanation": one.explanation}
            for one in result.firings[:50]
        ],
    }


def enable(series: Series, *, actor: Actor) -> Series:
    """Let it observe for seven days; after that it speaks. Raises `WrongState` without a replay that was calm."""
    _require_staff(actor)
    with transaction.atomic():
        series = Series.objects.select_for_update().get(pk=series.pk)
        if series.state in Series.WATCHED:
            return series
        if series.replayed_at is None or not series.replay.get("may_enable"):
            words = series.replay.get("verdict", "It has not been replayed yet.")
            raise WrongState(f"This rule cannot be switched on: {words} Replay it over 28 days first.")
        series.state, series.observing_since, series.memory = Series.State.OBSERVE, instants.now(), {}
        series.save()
        trail.record(actor, "enable_series", f"series:{series.pk}", after={"replay": series.replay["verdict"]})
    return series


def switch_off(series: Series, *, actor: Actor) -> Series:
    """Keep collecting figures and judge none."""
    _require_staff(actor)
    with transaction.atomic():
        series = Series.objects.select_for_update().get(pk=series.pk)
        series.state, series.memory = Series.State.OFF, {}
        series.save()
        for firing in series.firings.filter(ended_at=None).select_related("alert"):
            firing.ended_at = instants.now()
            firing.save(update_fields=["ended_at"])
        trail.record(actor, "switch_off_series", f"series:{series.pk}")
    return series


def judge(firing_id: int, *, actor: Actor, verdict: str) -> AnomalyFiring:
    """An engineer says whether it was useful; too much noise sends the rule back to observing (§9.2 (4))."""
    _require_staff(actor)
    if verdict not in (AnomalyFiring.Verdict.USEFUL, AnomalyFiring.Verdict.NOISE):
        raise Invalid("Say useful or noise.", field="verdict")
    with transaction.atomic():
        firing = AnomalyFiring.objects.select_for_update(of=("self",)).select_related("series").get(pk=firing_id)
        firing.verdict, firing.judged_by_id = verdict, actor.user_id
        firing.save(update_fields=["verdict", "judged_by"])
        series = firing.series
        judged = series.firings.exclude(verdict="").order_by("-began_at").values_list("verdict", flat=True)[:10]
        verdicts = [one == AnomalyFiring.Verdict.USEFUL for one in judged]
        if series.state == Series.State.ENABLED and not anomaly.is_worth_keeping(verdicts):
            Series.objects.filter(pk=series.pk).update(
                state=Series.State.OBSERVE, observing_since=instants.now(), memory={}
            )
            _tell(series, "anomaly_noisy", f"{firing.pk}", {})
    return firing


def mark(series: Series, *, actor: Actor, kind: str, text: str = "", at: datetime | None = None) -> SeriesMarker:
    """A deployment or a holiday: for half an hour, or the local day, nothing fires."""
    if kind not in SeriesMarker.Kind.values:
        raise Invalid("A marker is deploy or holiday.", field="kind")
    began = at or instants.now()
    length = timedelta(minutes=30) if kind == SeriesMarker.Kind.DEPLOY else timedelta(days=1)
    return SeriesMarker.objects.create(series=series, kind=kind, at=began, until=began + length, text=text[:200])


def _require_staff(actor: Actor) -> None:
    if not actor.is_staff:
        raise NotAllowed("Series are set up by the desk's own people.")


# --- and are told ----------------------------------------------------------------------------------------------------


def suggest(firing: AnomalyFiring) -> None:
    """A suggestion in our channel: somebody may want to look. Nobody is paged."""
    _tell(firing.series, "anomaly", str(firing.pk), {"explanation": firing.explanation})


def _tell(series: Series, kind: str, key: str, more: dict[str, Any]) -> None:
    line = Lines.load().line("slack", series.organization_id)
    channel = line.settings.get("channel", "") if line else ""
    if line is None or not channel:
        return
    facts = {
        "ref": series.name,
        "title": series.name,
        "url": links.absolute("console:series", series.key),
        "button": "See why",
        "thread": f"series-{series.pk}",
        "token": "",
        "reader": "all",
        **more,
    }
    post = Post(
        key=f"{kind}:{series.pk}:{key}",
        kind=kind,
        connection=line,
        vendor="slack",
        to=channel,
        subject=f"series:{series.pk}",
        recipient="our channel",
        facts=facts,
        lane=Lane.INTEGRATIONS,
    )
    outbox.post([post])


def forget_old(series: Series) -> int:
    """Drop points no baseline and no replay reads any more. Returns how many."""
    return series.points.filter(at__lt=instants.now() - KEPT).delete()[0]


def recent(series: Series, since: datetime) -> Sequence[Point]:
    return [Point(*row) for row in series.points.filter(at__gte=since).order_by("at").values_list("at", "value")]
