"""A made-up week on call for the gallery: three sites that follow the sun, a backup with a gap, a duty manager."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from supportdesk.gallery.samples import BOB, CAROL, DANA, ERIN, Sample

WEEK_START = datetime(2026, 11, 22, 23, tzinfo=UTC)  # Monday 00:00 in Berlin
WEEK = Sample(start=WEEK_START, end=WEEK_START + timedelta(days=7))
DAYS = [
    Sample(
        start=WEEK_START + timedelta(days=n),
        end=WEEK_START + timedelta(days=n + 1),
        label=f"{(WEEK_START + timedelta(days=n, hours=1)):%a %-d}",
        is_today=n == 0,
        is_weekend=n > 4,
    )
    for n in range(7)
]
HANA, KENJI, YUI = (Sample(name=n) for n in ("Hana Ito", "Kenji Mori", "Yui Tanaka"))
GRACE, LUIS = Sample(name="Grace Kim"), Sample(name="Luis Ortega")
RING = [BOB, CAROL, ERIN, DANA, HANA, KENJI, YUI, GRACE, LUIS]


def shift(start: datetime, end: datetime, person: Sample | None, kind: str = "active", note: str = "") -> Sample:
    shown = {"kind": kind, "url": "#", "note": note, "hue": RING.index(person) % 8 if person else 0}
    return Sample(start=start, end=end, person=person, **shown)


def lane(label: str, hint: str, hours: tuple[int, int], turns: list[Sample | None], kind: str = "active") -> Sample:
    """A windowed layer over the week: one shift a day from `hours` (UTC), from the day before the week on."""
    midnight = [WEEK_START + timedelta(days=day, hours=1) for day in range(-1, 7)]
    shifts = [
        shift(day + timedelta(hours=hours[0]), day + timedelta(hours=hours[1]), person, kind if person else "gap")
        for day, person in zip(midnight, turns, strict=True)
    ]
    return Sample(label=label, hint=hint, shifts=shifts)


LANES = [
    lane("APAC primary", "Tokyo 09–18", (0, 9), [YUI, HANA, KENJI, YUI, HANA, KENJI, YUI, HANA]),
    lane("EMEA primary", "Berlin 09–18", (8, 17), [BOB, CAROL, BOB, CAROL, BOB, CAROL, BOB, CAROL]),
    lane("AMER primary", "New York 11–20", (16, 25), [LUIS, ERIN, GRACE, LUIS, ERIN, GRACE, LUIS, ERIN]),
    lane("Backup", "next site", (0, 24), [DANA, HANA, BOB, CAROL, ERIN, HANA, None, CAROL], kind="standby"),
    Sample(label="Duty manager", hint="all week", shifts=[shift(WEEK.start, WEEK.end, DANA)]),
]
_swapped = LANES[1].shifts[4]
LANES[1].shifts[4] = shift(_swapped.start, _swapped.end, ERIN, kind="override", note="swap with Bob Novak")
SCHEDULE = Sample(start=WEEK.start, end=WEEK.end, days=DAYS, lanes=LANES)
