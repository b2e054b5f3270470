"""What taking in an emergency costs, in statements: each of them stands between the customer and the first page."""

from __future__ import annotations

from typing import Any

from django.db import connection
from django.test.utils import CaptureQueriesContext

from incidents.models import Page, WarRoom
from supportdesk.queue.models import Delivery, Timer

MOST_FOR_A_REPORT = 35  # 33 from sign-in to answer, and a little air

MOST_FOR_AN_ALERT = 5


def test_a_p1_with_pages_clocks_and_war_room_takes_few_statements(world: Any, api: Any, alice: Any) -> None:
    caller, body = api(alice), {"title": "Checkout is down", "impact": 1, "urgency": 1}
    caller.post("incidents/", body)  # compiles the schedule, notes the token as used
    with CaptureQueriesContext(connection) as seen:
        made = caller.post("incidents/", {**body, "title": "Search is down"})
    assert (made.status_code, made.json()["severity"]) == (201, "P1")
    assert len(seen) <= MOST_FOR_A_REPORT, "\n".join(query["sql"][:150] for query in seen)
    incident = made.json()["id"]
    assert Page.objects.filter(incident=incident).exists()
    assert WarRoom.objects.filter(incident=incident).exists()
    assert Delivery.objects.filter(subject=f"incident:{incident}", kind="page").count() >= 3
    assert Timer.objects.filter(subject=f"incident:{incident}", state=Timer.State.ARMED).count() >= 5
    world.settle()


def test_an_alert_is_stored_in_few_statements(world: Any, fakes: Any) -> None:
    fakes.alertmanager.fires("CheckoutDown", world.desk)
    with CaptureQueriesContext(connection) as seen:
        fakes.alertmanager.fires("SearchDown", world.desk)
    assert len(seen) <= MOST_FOR_AN_ALERT, "\n".join(query["sql"][:150] for query in seen)
    world.settle()
