"""The cast and the clock: the people every story speaks of, and a time that only moves when told.

    alice.reports("Checkout is down")
    assert bob.is_paged
    world.advance(minutes=3)
    assert carol.is_paged

Everything goes through the real doors (HTTP, by Django's test client), the real queue (signed packages in PostgreSQL)
and real HTTP and SMTP to the fake vendors. Nothing is mocked.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cached_property
from typing import Any

from django.contrib.messages import get_messages
from django.db import connection
from django.test import Client
from django.utils.module_loading import import_string
from django_q.signing import SignedPackage

from incidents import demo
from incidents.models import Incident
from rotations import proof_runs
from supportdesk import instants
from supportdesk.integrations.models import Connection
from supportdesk.queue import clock, timers
from supportdesk.queue.models import InboundEvent, Timer
from supportdesk.web.api.tokens import issue_token
from tests.fakes import Fakes, through_client

# A Sunday: 03:10 for Acme in New York, 09:10 in Berlin, where bob has just begun and carol is his backup.
SUNDAY = datetime(2026, 11, 29, 8, 10, tzinfo=UTC)
VENDORS = ("email", "slack", "pagerduty", "phone", "sms", "alertmanager")
WORDS_OF_IMPACT = {"widespread": 1, "significant": 2, "limited": 3}
WORDS_OF_URGENCY = {"critical": 1, "high": 2, "normal": 3}
MOST_ROUNDS = 1_000


class World:
    """The desk, its people, its vendors and its clock."""

    def __init__(self, fakes: Fakes, at: datetime = SUNDAY, vendors: tuple[str, ...] = VENDORS) -> None:
        self.fakes = fakes
        instants.freeze(at)
        Connection.objects.exclude(vendor__in=vendors).delete()
        self.rows = demo.load() or build(fakes)
        self.desk = through_client(Client())
        fakes.hooks(self.hook)
        self.people = {name: Person(self, name) for name in self.rows.users}
        self.settle()

    def assert_healthy(self) -> None:
        """No timer and no inbound event failed on the way: a rule that broke would look like a rule that held."""
        trouble = [f"{t.run} {t.key}: {t.error}" for t in Timer.objects.exclude(error="")]
        trouble += [f"{e.verb} {e.key}: {e.error}" for e in InboundEvent.objects.exclude(error="")]
        assert not trouble, "\n".join(trouble)

    def hook(self, vendor: str) -> str:
        """The address a vendor calls."""
        found = self.rows.connections.get(vendor)
        return f"http://testserver/hooks/{vendor}/{found.code if found else 'none'}/"

    # --- time --------------------------------------------------------------------------------------------------------

    @property
    def now(self) -> datetime:
        frozen = instants.frozen()
        assert frozen is not None
        return frozen

    def advance(self, **length: float) -> None:
        """Let time pass, doing what is due at each instant on the way."""
        self.until(self.now + timedelta(**length))

    def until(self, end: datetime) -> None:
        """Let time pass until an instant, and do what is due at that instant too."""
        for _ in range(MOST_ROUNDS):
            upcoming = clock.next_due()
            if upcoming is None or upcoming > end:
                break
            instants.freeze(max(upcoming, self.now))
            self.settle()
        else:
            raise AssertionError(f"something is due again and again before {end}")
        instants.freeze(end)
        self.settle()

    def stand_still_until(self, end: datetime) -> None:
        """Let time pass while nothing works: no clock, no cluster."""
        instants.freeze(end)

    def settle(self) -> None:
        """Do everything that is due now: the clock's rounds, and whatever they put into the queue."""
        for _ in range(MOST_ROUNDS):
            moved = clock.tick() + self.work()
            if not moved:
                return
        raise AssertionError("the queue never empties")

    def work(self) -> int:
        """Be the clusters: take every queued task and run it, here and now."""
        done = 0
        while (package := _next_package()) is not None:
            task = SignedPackage.loads(package)
            import_string(task["func"])(*task["args"], **task["kwargs"])
            done += 1
        return done

    # --- what is there -----------------------------------------------------------------------------------------------

    @property
    def incident(self) -> Incident:
        """The newest incident."""
        return Incident.objects.order_by("-pk").select_related("organization", "acknowledged_by", "owner")[0]

    def timeline(self, kind: str = "") -> list[Any]:
        """The newest incident's entries, oldest first."""
        entries = self.incident.timeline.order_by("at", "pk")
        return list(entries.filter(kind=kind) if kind else entries)


def build(fakes: Fakes) -> demo.World:
    """The demo world, connected to the fake vendors: made once a run; every test takes back what it did to it."""
    rows = demo.build(SUNDAY, vendors={slug: fakes.values(slug) for slug in VENDORS})
    timers.cancel(proof_runs.SUBJECT)  # that it was made is no part of any story
    return rows


def _next_package() -> str | None:
    with connection.cursor() as cursor:
        cursor.execute(
            "DELETE FROM django_q_ormq WHERE id = (SELECT id FROM django_q_ormq ORDER BY id LIMIT 1) RETURNING payload"
        )
        row = cursor.fetchone()
    return row[0] if row else None


@dataclass
class Phone:
    """Somebody's phone: what rang, what was texted, and their thumb."""

    world: World
    number: str

    @property
    def calls(self) -> list[Any]:
        return self.world.fakes.phone.to(self.number)

    @property
    def texts(self) -> list[Any]:
        return self.world.fakes.sms.to(self.number)

    def rang(self) -> bool:
        return bool(self.calls)

    def buzzed(self) -> bool:
        return bool(self.texts)


class Person:
    """One of the cast, with a browser, a phone, a mailbox and Slack."""

    def __init__(self, world: World, name: str) -> None:
        self.world = world
        self.name = name
        self.user = world.rows.users[name]

    def __repr__(self) -> str:
        return self.name

    @cached_property
    def client(self) -> Client:
        """Their browser, logged in."""
        browser = Client()
        browser.force_login(self.user, backend="supportdesk.accounts.backends.RoleBackend")
        return browser

    @cached_property
    def _methods(self) -> dict[str, str]:
        return {m.kind: m.address for m in self.user.contact_methods.all()}

    @property
    def phone(self) -> Phone:
        return Phone(self.world, self._methods.get("phone", ""))

    @property
    def slack(self) -> str:
        return self._methods.get("slack", "")

    # --- what reached them -------------------------------------------------------------------------------------------

    @property
    def mails(self) -> list[Any]:
        return self.world.fakes.smtp.to(self.user.email)

    @property
    def mail(self) -> str:
        """The newest mail, subject and text."""
        assert self.mails, f"{self.name} has no mail"
        newest = self.mails[-1]
        return f"{newest.subject}\n{newest.part('plain')}"

    @property
    def slack_messages(self) -> list[Any]:
        return self.world.fakes.slack.to(self.slack)

    @property
    def is_paged(self) -> bool:
        """Has any page reached them, by whatever way?"""
        asked = [message for message in self.slack_messages if "acknowledge" in str(message.blocks)]
        return bool(self.phone.texts or self.phone.calls or asked)

    # --- customers ---------------------------------------------------------------------------------------------------

    def reports(self, title: str, *, impact: str = "widespread", urgency: str = "critical", **more: Any) -> Incident:
        """Through the form in the portal."""
        before = set(Incident.objects.values_list("pk", flat=True))
        data = {"title": title, "impact": WORDS_OF_IMPACT[impact], "urgency": WORDS_OF_URGENCY[urgency], **more}
        self.post("/portal/report/", data)
        self.world.settle()
        (made,) = set(Incident.objects.values_list("pk", flat=True)) - before
        return Incident.objects.get(pk=made)

    def confirms(self, incident: Incident | None = None) -> None:
        self.presses_button("confirm", incident)

    def reopens(self, reason: str, incident: Incident | None = None) -> None:
        self.presses_button("reopen", incident, reason=reason)

    # --- everybody ---------------------------------------------------------------------------------------------------

    def writes(self, text: str, incident: Incident | None = None) -> None:
        """A message the other side sees."""
        self.presses_button("message", incident, text=text)

    def presses_button(self, verb: str, incident: Incident | None = None, **data: Any) -> None:
        pk = (incident or self.world.incident).pk
        place = "portal" if self.user.role == "customer" else "console"
        self.post(f"/{place}/incidents/{pk}/{verb}/", data)
        self.world.settle()

    def post(self, url: str, data: dict[str, Any], *, expect: int = 302) -> Any:
        response = self.client.post(url, data)
        assert response.status_code == expect, f"{url}: {response.status_code}\n{_visible(response)}"
        refused = [str(m) for m in _messages(response) if m.level_tag == "error"]
        assert not refused, f"{url}: {refused}"
        return response

    def is_refused(self, url: str, data: dict[str, Any]) -> str:
        """Press a button and be told why it does not work."""
        response = self.client.post(url, data, follow=True)
        refused = [str(m) for m in _messages(response) if m.level_tag == "error"]
        assert refused or response.status_code >= 400, f"{url} was not refused"
        return " ".join(refused) or _visible(response)

    def reads(self, url: str, *, expect: int = 200) -> str:
        """A page as they see it, without its markup."""
        response = self.client.get(url)
        assert response.status_code == expect, f"{url}: {response.status_code}\n{_visible(response)}"
        return _visible(response)

    # --- engineers ---------------------------------------------------------------------------------------------------

    def acknowledges(self, incident: Incident | None = None) -> None:
        self.presses_button("acknowledge", incident)

    def presses(self, digit: str) -> str:
        """A key on the phone that is ringing; returns what the voice says then."""
        answer = self.world.fakes.phone.press(self.phone.calls[-1], digit, self.world.desk)
        self.world.settle()
        assert answer.status == 200, answer
        return self.phone.calls[-1].words

    def texts(self, words: str) -> str:
        """An SMS to the desk; returns the answer."""
        answer = self.world.fakes.sms.reply(self.phone.number, words, self.world.desk)
        self.world.settle()
        assert answer.status == 200, answer
        return answer.body

    def clicks(self, button: str) -> None:
        """A button under the newest Slack message they got."""
        answer = self.world.fakes.slack.click(self.slack_messages[-1], button, self.slack, self.world.desk)
        self.world.settle()
        assert answer.status == 200, answer


def _messages(response: Any) -> list[Any]:
    return list(get_messages(response.wsgi_request))


def _visible(response: Any) -> str:
    """The text of a page: no tags, no scripts, single spaces."""
    html = response.content.decode(errors="replace")
    html = re.sub(r"<(script|style)\b.*?</\1>", " ", html, flags=re.DOTALL)
    return " ".join(
        re.sub(r"<[^>]+>", " ", html).replace("&#x27;", "'").replace("&amp;", "&").replace("&quot;", '"').split()
    )


Make = Callable[..., World]


class ApiCaller:
    """Somebody's program: calls the API with a token of theirs."""

    def __init__(self, person: Person, scopes: tuple[str, ...] = ("read", "report", "operate")) -> None:
        _, self.token = issue_token(person.user, "test", list(scopes))

    def call(self, method: str, path: str, body: Any = None, **headers: str) -> Any:
        raw = body if isinstance(body, bytes | str) else json.dumps(body)
        content_type = headers.pop("content_type", "application/json")
        return Client().generic(
            method,
            f"/api/v1/{path}",
            raw if body is not None else "",
            content_type=content_type,
            headers={"Authorization": f"Bearer {self.token}", **headers},
        )

    def get(self, path: str) -> Any:
        return self.call("GET", path)

    def post(self, path: str, body: Any, **headers: str) -> Any:
        return self.call("POST", path, body, **headers)
