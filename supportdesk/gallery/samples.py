"""Made-up but realistic content for the gallery: one night at the desk, 23 November 2026, 03:14 in Berlin.

Pure: values only. Nothing here touches a row; the real pages bring their own values of the same shape.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from zoneinfo import ZoneInfo


class Sample(SimpleNamespace):
    """Anything with attributes; a person or an organization reads as its name, like the rows it stands for."""

    def __str__(self) -> str:
        return str(getattr(self, "name", ""))


NOW = datetime(2026, 11, 23, 2, 14, tzinfo=UTC)
ZONE = ZoneInfo("Europe/Berlin")

ALICE, SAM = Sample(name="Alice Moreau"), Sample(name="Sam Okafor")
BOB, CAROL, ERIN, DANA = (Sample(name=n) for n in ("Bob Novak", "Carol Jensen", "Erin Walsh", "Dana Petrova"))
ACME = Sample(name="Acme", plan="M", zone="Europe/Paris")
SMALLCO = Sample(name="Smallco", plan="S", zone="America/New_York")
HARBOUR = Sample(name="Harbour Clinic", plan="M", zone="Europe/Lisbon")


def at(minutes: float) -> datetime:
    """The instant that many minutes after NOW (negative: before)."""
    return NOW + timedelta(minutes=minutes)


def clock(label: str, state: str, started: float, due: float, settled: float | None = None, **more: object) -> Sample:
    """A clock that started and is due that many minutes from NOW."""
    target = timedelta(minutes=due - started)
    used = (settled if settled is not None else 0) - started
    values: dict[str, object] = {
        "label": label,
        "state": state,
        "kind": "guarantee",
        "starts_at": at(started),
        "due_at": None if state == "paused" else at(due),
        "soon_at": at(started + 0.75 * (due - started)),
        "percent": min(100.0, 100 * used / (due - started)),
        "target": target,
        "left": timedelta(minutes=due),
        "took": timedelta(minutes=(settled or 0) - started),
        "overrun": timedelta(minutes=(settled or 0) - due),
        "note": "",
    }
    return Sample(**(values | more))


CLOCKS = [
    clock("Next update", "soon", -9, 3.4),
    clock("Resolution", "running", -33, 207, kind="objective"),
    clock("First response", "met", -33, -23, settled=-29),
]
ALL_CLOCKS = [
    clock("First response", "running", -2, 8),
    clock("Next update", "soon", -12, 2.75),
    clock("First response", "overdue", -12, -2),
    clock("Resolution", "paused", -300, 180, kind="objective", note="waiting for the customer since 01:55 CET"),
    clock("First response", "met", -33, -23, settled=-29),
    clock("First response", "missed", -60, -50, settled=-46),
]


def incident(number: int, severity: str, title: str, org: Sample, service: str, status: str, **more: object) -> Sample:
    values = {
        "ref": f"INC-{number}",
        "severity": severity,
        "title": title,
        "organization": org,
        "service": service,
        "status": status,
        "hold": "none",
        "owner": None,
        "clock": None,
        "received_at": at(-60),
        "can_take": False,
    }
    return Sample(**(values | more))


QUEUE = [
    incident(
        2041,
        "P1",
        "Checkout returns 502 for every card payment",
        ACME,
        "Checkout",
        "new",
        clock=clock("First response", "overdue", -12, -2),
        received_at=at(-12),
        can_take=True,
    ),
    incident(
        2040,
        "P1",
        "Door controllers offline on all four floors",
        HARBOUR,
        "Access control",
        "mitigating",
        clock=clock("Next update", "soon", -9, 3.4),
        owner=BOB,
        received_at=at(-33),
    ),
    incident(
        2038,
        "P2",
        "Order search is 40 minutes behind",
        ACME,
        "Search",
        "identified",
        clock=clock("Next update", "soon", -48, 12),
        owner=CAROL,
        received_at=at(-79),
    ),
    incident(
        2036,
        "P2",
        "Single sign-on drops every few minutes since the update",
        HARBOUR,
        "Single sign-on",
        "investigating",
        clock=clock("Resolution", "paused", -300, 180, kind="objective"),
        hold="customer",
        owner=BOB,
        received_at=at(-146),
    ),
    incident(
        2035,
        "P3",
        "Nightly invoice export is missing 214 rows",
        ACME,
        "Billing export",
        "triaging",
        clock=clock("First response", "running", -110, 226),
        owner=CAROL,
        received_at=at(-234),
    ),
    incident(
        2031,
        "P1",
        "Webshop down since midnight",
        SMALLCO,
        "Webshop",
        "queued",
        clock=clock("First response", "running", 0, 766),
        received_at=at(-41),
        can_take=True,
    ),
    incident(
        2029,
        "P4",
        "How do we add a second emergency contact?",
        SMALLCO,
        "Account",
        "new",
        clock=clock("First response", "running", 0, 1666),
        received_at=at(-352),
        can_take=True,
    ),
]


def receipt(channel: str, to: str, state: str, minutes: float | None, detail: str = "") -> Sample:
    return Sample(channel=channel, to=to, state=state, at=None if minutes is None else at(minutes), detail=detail)


RECEIPTS = [
    receipt("slack", "Bob Novak", "delivered", -33),
    receipt("sms", "Bob Novak", "accepted", -33),
    receipt("phone", "Bob Novak", "answered", -32, "no key pressed"),
    receipt("phone", "Bob Novak", "acknowledged", -30, "pressed 4"),
    receipt("pagerduty", "Platform primary", "failed", -33, "no answer from the vendor, will be tried again"),
    receipt("email", "Carol Jensen", "pending", None),
    receipt("push", "Carol Jensen", "cancelled", -30, "acknowledged by Bob"),
]


def entry(variant: str, minutes: float, **more: object) -> Sample:
    base: dict[str, object] = {
        "author": None,
        "role": "",
        "via": "",
        "title": "",
        "body": "",
        "html": "",
        "icon_name": "",
        "receipts": [],
        "number": 0,
    }
    return Sample(variant=variant, at=at(minutes), key="", **(base | more))


NIGHT_MANAGER = Sample(name="Rita Sousa")
TIMELINE = [
    entry(
        "customer",
        -33,
        author=NIGHT_MANAGER,
        role="Harbour Clinic, night manager",
        via="Portal",
        body="All door readers went dark at 02:35. The wards are on manual unlock and security is walking the floors. "
        "We cannot keep that up past 04:00.",
    ),
    entry(
        "machine",
        -33,
        icon_name="scale",
        title="Recorded as P1: widespread, business stopped. Plan M answers around the clock.",
    ),
    entry("page", -33, icon_name="siren", title="Paged Bob Novak, primary", receipts=RECEIPTS[:1] + RECEIPTS[2:4]),
    entry(
        "machine",
        -30,
        icon_name="user-check",
        title="Bob Novak acknowledged by phone after 2 min 51 s. Nobody else is called.",
    ),
    entry(
        "update",
        -29,
        author=BOB,
        role="Incident commander",
        via="Slack, e-mail",
        number=1,
        body="Bob here. I have your report and am working on it now as critical. Next I will look at the controller "
        "bus. You will hear from us again by 03:00.",
    ),
    entry(
        "note",
        -16,
        author=BOB,
        role="Incident commander",
        body="Controllers answer ping but reject the login. The certificate on acs-core-02 expired at 02:30. "
        "Same pattern as INC-1877, runbook “Renew the access head certificate”.",
    ),
    entry(
        "update",
        -9,
        author=BOB,
        role="Incident commander",
        via="Slack, e-mail",
        number=2,
        body="We have found the cause: an expired certificate on the access controller. I am issuing a new one now.\n"
        "Next update by 03:17.",
    ),
]

STAGES = [
    Sample(label="Detected", state="done", at=at(-33)),
    Sample(label="Triage", state="done", at=at(-30)),
    Sample(label="Response", state="done", at=at(-29)),
    Sample(label="Resolution", state="current", at=None),
    Sample(label="Follow-up", state="todo", at=None),
    Sample(label="Closed", state="todo", at=None),
]
LADDER = [
    Sample(number=1, at=at(-12), targets="Bob Novak, primary", state="done", outcome="called twice, no answer"),
    Sample(number=2, at=at(-9), targets="Carol Jensen, backup", state="current", outcome="phone is ringing"),
    Sample(number=3, at=at(2.75), targets="Dana Petrova, duty manager", state="next", outcome=""),
    Sample(number=4, at=at(4.75), targets="All senior engineers", state="later", outcome=""),
]
ONCALL = [
    Sample(slot="Primary", person=BOB, until=at(346), note="", phone="+49 30 5550 0142", is_you=False),
    Sample(slot="Backup", person=CAROL, until=at(346), note="", phone="+45 5550 0177", is_you=False),
    Sample(slot="Duty manager", person=DANA, until=None, note="all week", phone="+49 30 5550 0100", is_you=False),
]
ROLES = [
    Sample(title="Incident commander", person=BOB, note="interim since 02:44"),
    Sample(title="Tech lead", person=CAROL, note="since 02:51"),
    Sample(title="Customer liaison", person=None, note="from the liaison rotation by 03:16"),
]
BANNERS = [
    Sample(
        tone="danger",
        title="INC-2041 has not been acknowledged.",
        text="P1 for Acme. Dana Petrova is called",
        due=at(2.75),
        post_url="#",
        action="Acknowledge",
        key_name="A",
    ),
    Sample(
        tone="warn",
        title="Nobody is backup on Saturday.",
        text="The duty manager would be called.",
        url="#",
        action="Fill the gap",
    ),
    Sample(
        tone="info",
        title="Recorded as critical.",
        text="Our desk for plan S opens Mon 23 Nov, 09:00 EST. We answer by 10:00 EST.",
    ),
    Sample(tone="well", title="Your phone rang and you pressed 4.", text="You can be reached for tonight's shift."),
    Sample(
        tone="internal",
        title="Goodwill until 12:00 CET:",
        text="page and war room, granted by Dana Petrova. Clocks are goals, not promises.",
    ),
]
TILES = [
    Sample(label="Not acknowledged", value="1", hint="P1 for Acme, 12 min", tone="danger", icon_name="siren", url="#"),
    Sample(label="Open incidents", value="7", hint="2 × P1, 2 × P2", icon_name="inbox", url="#"),
    Sample(label="First responses in time", value="41 of 42", hint="last 30 days", tone="well", icon_name="timer"),
    Sample(
        label="Hours without backup", value="6", hint="next 14 days", tone="warn", icon_name="calendar-clock", url="#"
    ),
]
NAV = [
    Sample(slug="queue", label="Queue", url="/gallery/queue/", icon_name="inbox", count=7, is_urgent=False),
    Sample(slug="pages", label="My pages", url="#", icon_name="siren", count=1, is_urgent=True),
    Sample(slug="oncall", label="On-call", url="/gallery/oncall/", icon_name="calendar-clock", count=0),
    Sample(slug="customers", label="Customers", url="#", icon_name="building-2", count=0),
    Sample(slug="status", label="Status page", url="/gallery/status/", icon_name="megaphone", count=0),
    Sample(slug="reports", label="Reports", url="#", icon_name="chart-no-axes-column", count=0),
]
PORTAL_NAV = [
    Sample(slug="home", label="Home", url="/gallery/portal-home/", icon_name="house"),
    Sample(slug="incidents", label="Incidents", url="#", icon_name="list"),
    Sample(slug="reports", label="Reports", url="#", icon_name="file-text"),
    Sample(slug="status", label="Status", url="/gallery/status/", icon_name="activity"),
]


def component(name: str, health: str, word: str, bad: dict[int, str]) -> Sample:
    """A part of the status page with its last 90 days; `bad` names the days that were not operational."""
    days = [
        Sample(x=f"{n * 100 / 90:.3f}%", width=f"{72 / 90:.3f}%", health=bad.get(n, "operational")) for n in range(90)
    ]
    return Sample(name=name, health=health, word=word, days=days)


STATUS_COMPONENTS = [
    component("Checkout", "major_outage", "Major outage", {89: "major_outage", 61: "partial_outage"}),
    component("Search", "degraded_performance", "Slower than usual", {89: "degraded_performance"}),
    component("Billing export", "operational", "Operational", {40: "under_maintenance"}),
    component("Partner API", "under_maintenance", "Planned work until 05:00 CET", {89: "under_maintenance"}),
]
NOTICE_UPDATES = [
    Sample(
        state="Identified",
        at=at(-4),
        text="We know what is causing the failed payments and are switching to the second provider. More by 03:25 CET.",
    ),
    Sample(
        state="Investigating",
        at=at(-10),
        text="We are looking into failed card payments affecting Checkout since 03:02 CET. More by 03:15 CET.",
    ),
]
PORTAL_TIMELINE = [
    entry(
        "customer",
        -12,
        author=ALICE,
        role="you",
        body="Every card payment fails since 03:02. We lose about 40 orders a minute. Please call me.",
    ),
    entry("machine", -12, icon_name="bell-ring", title="We woke the engineer on call."),
    entry("machine", -10, icon_name="user-check", title="Bob Novak has it and is at work."),
    entry(
        "update",
        -8,
        author=BOB,
        role="Engineer",
        via="phone, portal",
        number=1,
        body="Hello Alice, Bob here. I am working on this now as critical. The payment provider rejects our requests; "
        "I am checking their certificates and ours. You will hear from me again by 03:21.",
    ),
]
