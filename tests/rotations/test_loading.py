"""Rows to rules in two queries: what the SQL reads is what the rows say."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from rotations import loading
from rotations.models import Layer, Leave, Override, RotationMember, RotationRevision, Schedule, Swap
from rotations.rules import Leave as Away
from rotations.rules import Override as Taken
from rotations.rules import Rules
from supportdesk.accounts.models import User

DAY, HOUR = timedelta(days=1), timedelta(hours=1)


def read(slug: str) -> Rules:
    rows = list(Schedule.objects.order_by("pk"))
    return next(rules for row, rules in zip(rows, loading.rules(rows), strict=True) if row.slug == slug)


def test_layers_are_read_as_their_rows_say(world: Any) -> None:
    """In order of priority and place, with every revision and its ring in turn."""
    platform = Schedule.objects.get(slug="platform")
    special = Layer.objects.create(
        schedule=platform, name="Release days", time_zone="Africa/Cairo", weekdays=[3, 4], priority=5, slot="backup"
    )
    for place, (effective, ring) in enumerate([(world.now + DAY, ("erin", "bob", "erin")), (None, ("carol",))]):
        revision = RotationRevision.objects.create(
            layer=special,
            effective_from=effective,
            unit="monthly",
            every=2,
            anchor="2026-01-31T09:00",
            start_index=place,
        )
        for position, name in enumerate(ring):
            RotationMember.objects.create(revision=revision, position=position, user=world.people[name].user)
    Layer.objects.create(schedule=platform, name="Nobody yet", time_zone="UTC")
    rows = platform.layers.order_by("-priority", "position", "pk")
    assert read("platform").layers == tuple(loading.layer_value(row) for row in rows)
    assert len(read("duty").layers) == 1


def test_what_comes_between_is_read_for_whom_it_concerns(world: Any) -> None:
    bob, carol, dana = (world.people[name].user for name in ("bob", "carol", "dana"))
    platform, duty = Schedule.objects.get(slug="platform"), Schedule.objects.get(slug="duty")
    start, end = world.now + DAY, world.now + DAY + HOUR
    Override.objects.create(schedule=platform, user=carol, start=start + DAY, end=end + DAY)
    Override.objects.create(schedule=platform, slot="backup", user=dana, start=start, end=end)
    Override.objects.create(schedule=duty, user=bob, start=start, end=end)
    swap = Swap.objects.create(
        schedule=platform, giver=bob, taker=carol, start=start, end=end, return_start=start + DAY, return_end=end + DAY,
        state="accepted",
    )  # fmt: skip
    Swap.objects.create(schedule=platform, giver=bob, start=start, end=end)
    Leave.objects.create(user=bob, start=start, end=end, state=Leave.State.APPROVED)
    Leave.objects.create(user=carol, start=start, end=end, state=Leave.State.ASKED)
    User.objects.filter(name="Ken Mori").update(is_active=False)
    found = read("platform")
    assert found.overrides == (
        Taken("backup", str(dana.pk), start, end), Taken("primary", str(carol.pk), start + DAY, end + DAY))  # fmt: skip
    assert found.leave == (Away(str(bob.pk), start, end),)
    (read_swap,) = found.swaps
    assert (read_swap.id, read_swap.giver, read_swap.taker) == (str(swap.pk), str(bob.pk), str(carol.pk))
    assert (read_swap.return_start, read_swap.return_end) == (swap.return_start, swap.return_end)
    assert found.inactive == {str(world.people["ken"].user.pk)}
    assert read("duty").overrides == (Taken("primary", str(bob.pk), start, end),)
    assert not read("duty").inactive


def test_two_queries_for_any_number_of_schedules(world: Any, django_assert_num_queries: Any) -> None:
    rows = list(Schedule.objects.all())
    with django_assert_num_queries(2):
        loading.rules(rows)
    with django_assert_num_queries(2):
        loading.rules(rows[:1])
