"""A four-hour critical incident of Acme, from the report at forty minutes past midnight to the closed war room: every
row of the automation table (domain §6), and every message as its reader saw it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from incidents import actions
from incidents.models import Briefing, Incident, Notice
from reports import actions as reports
from reports.models import PostIncidentReport
from supportdesk.accounts.models import ContactMethod, User
from supportdesk.organizations.models import Contact
from tests import story_page, story_rows

BEGINS = datetime(2026, 11, 30, 5, 40, tzinfo=UTC)  # 00:40 in New York, 06:40 in Berlin, 14:40 in Tokyo
WRITTEN = Path(__file__).resolve().parents[1] / "build" / "story" / "p1.html"
UPDATES = (
    # minutes after T, what is so, what we do
    (33, "Card payments fail for about half of all orders, since 00:32.", "We compare the two card gateways."),
    (46, "Only the first of our two gateways fails.", "We send all payments through the second one."),
    (60, "Three of four payments work again, slowly.", "We add room to the second gateway."),
    (74, "No change: three of four payments work.", "We are still adding room; it takes a while."),
    (88, "Nine of ten payments work.", "We look for what broke the first gateway."),
    (
        102,
        "Nine of ten payments work. A certificate of the first gateway ended at midnight.",
        "We renew it.",
        "identified",
    ),
    (116, "The new certificate is being signed.", "We test it on one machine first."),
)
SLOWER = (
    (146, "The certificate works on the machine we tested.", "We bring it to all of them, one by one."),
    (174, "Half of the first gateway is back.", "We go on with the other half."),
    (202, "All of the first gateway is back, without load.", "We move a tenth of all payments to it."),
)


class Play:
    """The people, the clock, and T."""

    def __init__(self, world: Any) -> None:
        self.world = world
        self.people = world.people
        world.until(BEGINS)
        self.grace = _sponsor(world)
        _executive(world)
        self.incident: Incident = self.people["alice"].reports(
            "Checkout is down",
            impact="widespread",
            urgency="critical",
            service=world.rows.services["checkout"].pk if "checkout" in world.rows.services else "",
            description="Since about half past midnight nobody can pay. The page says “card declined”.",
        )

    def at(self, minutes: float) -> None:
        """Go on to T plus so many minutes."""
        self.world.until(self.incident.received_at + timedelta(minutes=minutes))

    def says(self, name: str) -> Any:
        return self.people[name].user.actor("console")


def _sponsor(world: Any) -> User:
    grace = User.objects.create_user(
        "grace@desk.example", "emergency-demo", name="Grace Lindqvist", role="manager", time_zone="Europe/Stockholm"
    )
    ContactMethod.objects.create(user=grace, kind="email", address=grace.email, verified_at=world.now)
    return grace


def _executive(world: Any) -> Contact:
    return Contact.objects.create(
        organization=world.rows.organizations["acme"],
        name="Claire Dubois",
        email="claire@acme.example",
        is_executive=True,
    )


@contextmanager
def written(incident_of: Any) -> Iterator[None]:
    """Whatever happened until then is written down, also when the play stops early."""
    try:
        yield
    finally:
        incident = incident_of()
        if incident is not None:
            WRITTEN.parent.mkdir(parents=True, exist_ok=True)
            WRITTEN.write_text(story_page.page(incident, story_rows.check(incident)), encoding="utf-8")


@pytest.mark.django_db
def test_the_story_of_a_p1(world: Any, settings: Any) -> None:
    settings.BRIDGE_URL = "https://meet.desk.example/{ref}"
    with written(lambda: Incident.objects.order_by("pk").last()):
        play = Play(world)
        _answered(play)
        _worked(play)
        _fixed(play)
        _closed(play)
    missing = [row.what for row in story_rows.check(play.incident) if not row.holds]
    assert not missing, "missing: " + "; ".join(missing)


def _answered(play: Play) -> None:
    """T to T+30: the primary does not answer, one update is late, and the roles are filled."""
    ken = play.people["ken"]
    play.at(4)
    ken.acknowledges(play.incident)
    play.at(8)
    ken.writes(
        "Hello Alice, Ken here. I see failing card payments since 00:32 your time and am looking at the gateways. "
        "You hear from me again within a quarter of an hour.",
        play.incident,
    )
    play.at(12)
    draft = Notice.objects.get(incident=play.incident)
    actions.post_notice(
        draft.pk,
        actor=play.says("dana"),
        text="We are looking into failing card payments. More by 01:15 EST (UTC−5).",
        state="investigating",
        component_state="partial_outage",
    )
    play.at(25)  # the update due by now was late: prompted, pinged, missed, and the commander called
    _update(play, "dana", "Card payments fail for many orders.", "We look at both card gateways.")
    actions.take_role(play.incident.pk, actor=play.grace.actor("console"), role="sponsor")
    actions.take_role(play.incident.pk, actor=play.says("ken"), role="commander")
    actions.take_role(play.incident.pk, actor=play.says("yuki"), role="tech_lead")
    play.at(27)
    _briefed(
        play,
        1,
        headline="Half of all card payments fail; we know which gateways to look at.",
        effect="About half of the orders of a quiet night.",
        cause="not known yet",
        plan="Compare the gateways, then send payments through the one that works.",
        decision="none",
        mood="worried, and glad that somebody answers",
        external_text="Card payments at your shop fail for about half of all orders. Our engineers work on it, and "
        "your team hears from us at least every fifteen minutes.",
    )
    play.at(31)
    actions.take_role(play.incident.pk, actor=play.says("erin"), role="scribe")


def _worked(play: Play) -> None:
    """T+30 to T+3:30: updates, decisions, briefings, and the watch changes hands."""
    alice = play.people["alice"]
    for minutes, state, doing, *status in UPDATES:
        play.at(minutes)
        _update(play, "ken", state, doing, *status)
    alice.writes("We see it too, thank you. Every half hour is enough for us from now on.", play.incident)
    play.at(121)
    actions.record_decision(
        play.incident.pk, actor=play.says("ken"), text="No switch back before all machines have the new one."
    )
    actions.agree_cadence(
        play.incident.pk, actor=play.says("dana"), minutes=30, agreement="Alice Moreau, in the portal at 02:36"
    )
    play.world.settle()
    play.at(127)  # asked for a hand-off note two minutes ago
    play.people["ken"].presses_button(
        "note",
        play.incident,
        text="For Carol: the second gateway carries all payments. The certificate of the first ended at midnight; Yuki "
        "brings the new one to the machines, slowly. No switch back before all of them have it. Acme wants an update "
        "every half hour.",
    )
    play.at(141)
    play.people["carol"].presses_button("accept", play.incident)
    actions.take_role(play.incident.pk, actor=play.says("carol"), role="commander")
    for minutes, state, doing in SLOWER:
        play.at(minutes)
        _update(play, "carol", state, doing)


def _fixed(play: Play) -> None:
    """T+3:30 to T+4:30: the fix is in place, watched, and over."""
    play.at(228)
    _update(
        play, "carol", "All payments work. Both gateways carry half of them.", "We watch it for a while.", "monitoring"
    )
    play.at(250)
    play.people["carol"].presses_button(
        "resolve",
        play.incident,
        summary="All card payments have worked since 04:28 EST (UTC−5). A certificate had ended at midnight and is "
        "renewed. No order was charged twice.",
    )


def _closed(play: Play) -> None:
    """After it: the last briefing, the report, the question whether it works, the survey, the archived room."""
    play.at(250 + 75)
    play.at(250 + 49 * 60)
    play.people["alice"].confirms(play.incident)
    play.at(250 + 51 * 60)
    report = PostIncidentReport.objects.get(incident=play.incident)
    learnt = "A certificate ended unnoticed; it is watched from now on."
    report.customer_sections = dict.fromkeys(report.customer_sections, learnt)
    report.save()
    reports.publish(report.pk, actor=play.says("dana"))
    play.at(250 + 51 * 60 + 15 * 24 * 60)


def _update(play: Play, name: str, state: str, doing: str, status: str = "") -> None:
    play.people[name].presses_button("update", play.incident, state=state, doing=doing, status=status)


def _briefed(play: Play, number: int, **said: str) -> None:
    row = Briefing.objects.get(incident=play.incident, number=number)
    actions.approve_briefing(row.pk, actor=play.says("dana"), **said)
    play.world.settle()
