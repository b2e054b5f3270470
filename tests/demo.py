"""`make demo`: one emergency, played against a real desk over HTTP, with a minute lasting a second.

Starts a desk of its own (database, web, clock, clusters), is all the vendors itself, and speaks to the desk as people
and machines do: forms with cookies, the REST API, webhooks, keys on a phone. Prints who did what and what each vendor
received; ends with 1 if any step did not happen.
"""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any, TypeVar

import httpx

from supportdesk.embedded.processes import free_port
from tests.fakes import Fakes, through_http

CHECKOUT = Path(__file__).resolve().parent.parent
INSTANCE = "demo"
PASSWORD = "emergency-demo"
READY_WITHIN, STEP_WITHIN = 120.0, 20.0
MINUTE = 1.0

Found = TypeVar("Found")


class DidNotHappenError(Exception):
    """A step of the story did not happen."""


def say(who: str, what: str) -> None:
    sys.stdout.write(f"{time.monotonic() - BEGUN:7.2f} s  {who:<12} {what}\n")
    sys.stdout.flush()


BEGUN = time.monotonic()


def until(what: str, look: Callable[[], Found | None], within: float = STEP_WITHIN) -> Found:
    """Wait for something to be there. Raises `DidNotHappenError` when it does not come."""
    end = time.monotonic() + within
    while time.monotonic() < end:
        found = look()
        if found:
            return found
        time.sleep(0.05)
    raise DidNotHappenError(f"{what}: not within {within:g} s")


def expect(what: str, holds: object) -> None:
    if not holds:
        raise DidNotHappenError(what)


class Browser:
    """Somebody's browser: cookies, forms with their CSRF token, nothing else."""

    def __init__(self, base: str, email: str) -> None:
        self.http = httpx.Client(base_url=base, follow_redirects=True, timeout=15, trust_env=False)
        self.name = email.split("@")[0]
        page = self.http.get("/accounts/login/")
        answer = self.http.post(
            "/accounts/login/", data={"login": email, "password": PASSWORD, "csrfmiddlewaretoken": _token(page)}
        )
        expect(f"{self.name} signs in", answer.status_code == 200 and "/accounts/login" not in str(answer.url))

    def reads(self, url: str) -> str:
        answer = self.http.get(url)
        expect(f"{self.name} opens {url}: {answer.status_code}", answer.status_code == 200)
        return answer.text

    def sends(self, url: str, form_on: str, **data: Any) -> httpx.Response:
        """Submit a form of the page `form_on` to `url`."""
        token = _token(self.http.get(form_on))
        answer = self.http.post(url, data={**data, "csrfmiddlewaretoken": token})
        expect(f"{self.name} sends {url}: {answer.status_code}", answer.status_code == 200)
        return answer


def _token(page: httpx.Response) -> str:
    found = re.search(r'name="csrfmiddlewaretoken" value="([^"]+)"', page.text)
    expect(f"a form on {page.url}", found)
    return found[1] if found else ""


class Story:
    """The emergency, step by step."""

    def __init__(self, base: str, fakes: Fakes, note: dict[str, Any], token: str) -> None:
        self.base, self.fakes, self.names, self.token = base, fakes, note["names"], token
        self.desk = through_http()
        fakes.hooks(lambda slug: base + note["hooks"].get(slug, ""))
        self.alice = Browser(base, "alice@acme.example")
        self.url = self.number = ""

    def play(self) -> None:
        self.alice_reports()
        self.the_primary_is_paged()
        first = self.nobody_answers_so_the_backup_is_paged()
        self.the_backup_presses_four(first)
        self.a_human_writes()
        self.resolved_and_confirmed()
        self.looked_back_on()
        self.sam_is_told_kindly()
        self.machines_report_too()
        self.the_public_reads()

    def alice_reports(self) -> None:
        said = {"title": "Checkout is down", "impact": "1", "urgency": "1", "description": "502 for every card payment"}
        answer = self.alice.sends("/portal/report/", "/portal/report/", **said)
        self.url = answer.url.path
        self.number = self.url.rstrip("/").rsplit("/", 1)[1]
        say("alice", f"reports “Checkout is down” in the portal: INC-{self.number}")
        mail = until(
            "alice's receipt",
            lambda: self._mail("alice@acme.example", f"Received: Checkout is down (INC-{self.number})"),
        )
        say("e-mail", f"→ alice: {mail.subject}")

    def the_primary_is_paged(self) -> None:
        text = until("the primary's text", lambda: next(iter(self.fakes.sms.texts), None))
        self.primary = text.to
        say("sms", f"→ {self.names[text.to]}: {text.body[:70]}…")
        until("Slack hears it", lambda: [m for m in self.fakes.slack.messages if f"INC-{self.number}" in m.text])
        for message in self.fakes.slack.messages[:4]:
            say("slack", f"→ {self.names.get(message.to, message.to)}: {message.text.splitlines()[0][:70]}")
        until("PagerDuty is triggered", lambda: self.fakes.pagerduty.alerts.get(f"supportdesk-{self.number}"))
        say("pagerduty", f"trigger supportdesk-{self.number}")
        call = until("the primary's phone rings", lambda: next(iter(self.fakes.phone.to(self.primary)), None))
        say("phone", f"rings {self.names[call.to]}: “{call.words[:60]}…”")

    def nobody_answers_so_the_backup_is_paged(self) -> Any:
        return until(
            "the backup's phone rings", lambda: next((c for c in self.fakes.phone.calls if c.to != self.primary), None)
        )

    def the_backup_presses_four(self, call: Any) -> None:
        say("phone", f"rings {self.names[call.to]}, the backup: nobody has answered")
        self.engineer = self.names[call.to]
        answer = self.fakes.phone.press(call, "4", self.desk)
        expect("pressing 4 works", answer.status == 200 and "Paging has stopped" in call.words)
        say(self.engineer.split()[0].lower(), f"presses 4; the voice says: “{call.words}”")
        mail = until("alice hears who has it", lambda: self._mail("alice@acme.example", "has it"))
        say("e-mail", f"→ alice: {mail.subject}")
        until(
            "PagerDuty is acknowledged",
            lambda: self.fakes.pagerduty.alerts[f"supportdesk-{self.number}"].status == "acknowledged",
        )
        calls = len(self.fakes.phone.calls)
        time.sleep(8 * MINUTE)
        expect("nobody else is called after the acknowledgement", len(self.fakes.phone.calls) == calls)

    def a_human_writes(self) -> None:
        self.console = Browser(self.base, f"{self.engineer.split()[0].lower()}@desk.example")
        place = f"/console/incidents/{self.number}/"
        self.console.sends(f"{place}note/", place, text="expired certificate on the gateway")
        self.console.sends(f"{place}message/", place, text="I am here and see the errors.")
        mail = until(
            "alice gets the message", lambda: self._mail("alice@acme.example", f"INC-{self.number}: Checkout is down")
        )
        say(self.console.name, f"writes to alice: {mail.part('plain').strip().splitlines()[0]}")
        self.console.sends(
            f"{place}update/",
            place,
            state="Card payments fail.",
            doing="We renew the certificate.",
            status="identified",
            next="10",
        )
        until("alice gets the update", lambda: self._mail("alice@acme.example", "Update on"))
        page = self.alice.reads(self.url)
        expect(
            "alice sees the update and not the note",
            "We renew the certificate." in page and "expired certificate" not in page,
        )
        say("alice", "reads the update in her portal; the internal note is not there")

    def resolved_and_confirmed(self) -> None:
        place = f"/console/incidents/{self.number}/"
        self.console.sends(f"{place}resolve/", place, summary="The certificate is renewed; payments work.")
        until("alice is asked to confirm", lambda: self._mail("alice@acme.example", "Resolved: Checkout is down"))
        until(
            "PagerDuty is resolved",
            lambda: self.fakes.pagerduty.alerts[f"supportdesk-{self.number}"].status == "resolved",
        )
        say(self.console.name, "resolves it; alice is asked, PagerDuty is resolved")
        self.alice.sends(f"{self.url}confirm/", self.url)
        say("alice", "confirms that it works again")

    def looked_back_on(self) -> None:
        place = f"/console/incidents/{self.number}/"
        page = self.console.sends(f"/console/reports/draft/{self.number}/", place)
        version = re.search(r'name="version" value="(\d+)"', page.text)
        expect("the report can be edited", version)
        names = set(re.findall(r'name="(customer-[a-z]+)"', page.text))
        text = dict.fromkeys(names, "The certificate expired unnoticed; expiry is now watched.")
        report = page.url.path
        self.console.sends(report, report, version=version[1] if version else "", **text)
        self.console.sends(f"{report}publish/", report)
        until("alice hears of the report", lambda: self._mail("alice@acme.example", "Our report on"))
        published = self.alice.reads(f"/portal/reports/{report.rstrip('/').rsplit('/', 1)[1]}/")
        expect("alice reads the report", "expiry is now watched" in published)
        say("alice", "reads the published report")

    def sam_is_told_kindly(self) -> None:
        sam = Browser(self.base, "sam@smallco.example")
        texts = len(self.fakes.sms.texts)
        answer = sam.sends("/portal/report/", "/portal/report/", title="Shop is down", impact="1", urgency="1")
        mail = until("sam's receipt", lambda: self._mail("sam@smallco.example", "Received: Shop is down"))
        expect(
            "sam is told when the desk opens",
            "next opens" in mail.part("plain") and "part of plan M" in mail.part("plain"),
        )
        opens = re.search(r"next opens ([^.]+)\.", mail.part("plain"))
        say("sam", f"reports too, at night on plan S: “our desk next opens {opens[1] if opens else '?'}”")
        time.sleep(2 * MINUTE)
        expect("nobody is woken for sam", len(self.fakes.sms.texts) == texts)
        say("nobody", "is woken")
        expect("the page says why", "plan M" in sam.reads(answer.url.path))

    def machines_report_too(self) -> None:
        body = {"title": "Search is down", "impact": 1, "urgency": 2, "service": "search"}
        headers = {"Authorization": f"Bearer {self.token}", "Idempotency-Key": "demo-1"}
        answers = [
            httpx.post(f"{self.base}/api/v1/incidents/", json=body, headers=headers, timeout=15, trust_env=False)
            for _ in range(2)
        ]
        expect(
            "the API takes it, once",
            [a.status_code for a in answers] == [201, 201] and answers[0].json()["id"] == answers[1].json()["id"],
        )
        say(
            "an integrator",
            f"POSTs {answers[0].json()['ref']} twice with one key: one incident, {answers[0].json()['severity']}",
        )
        refused = httpx.post(
            f"{self.base}/api/v1/incidents/",
            json={**body, "severity": "P1"},
            headers=headers,
            timeout=15,
            trust_env=False,
        )
        expect("nobody types P1", refused.status_code == 400 and refused.json()["errors"][0]["field"] == "severity")
        texts = len(self.fakes.sms.texts)
        expect(
            "Alertmanager is heard",
            self.fakes.alertmanager.fires("CheckoutDown", self.desk, service="checkout").status == 202,
        )
        until("on-call hears of the alert", lambda: len(self.fakes.sms.texts) > texts)
        say("alertmanager", f"fires CheckoutDown; {self.names[self.fakes.sms.texts[-1].to]} is paged")

    def the_public_reads(self) -> None:
        page = httpx.get(f"{self.base}/status/status/", timeout=15, trust_env=False)
        expect("a stranger reads the status page", page.status_code == 200 and "Checkout" in page.text)
        say("a stranger", "reads the public status page without signing in")

    def _mail(self, to: str, words: str) -> Any:
        return next((m for m in self.fakes.smtp.mails if to in m.recipients and words in m.subject), None)


def main() -> int:
    with Fakes() as fakes, tempfile.TemporaryDirectory() as place:
        port = free_port("127.0.0.1", 8300)
        base = f"http://127.0.0.1:{port}"
        urls = ",".join(f"{slug}={url}" for slug, url in fakes.base_urls().items())
        env = {
            **os.environ,
            "SUPPORTDESK_MODE": "demo",
            "SUPPORTDESK_INSTANCE": INSTANCE,
            "SUPPORTDESK_VENDOR_URLS": urls,
            "SUPPORTDESK_URL": base,
        }
        run = _runner(env)
        subprocess.run(
            [sys.executable, "-m", "supportdesk.embedded.forget", INSTANCE], cwd=CHECKOUT, env=env, check=True
        )
        desk = _open(env, port, fakes, Path(place) / "note.json", run)
        try:
            until("the desk opens", lambda: _answers(f"{base}/healthz/paging"), READY_WITHIN)
            say("the desk", f"is open at {base}; a minute lasts {MINUTE:g} s")
            note = json.loads((Path(place) / "note.json").read_text())
            Story(
                base,
                fakes,
                note,
                run("token", "alice@acme.example", "demo", "--scope", "read", "--scope", "report").strip(),
            ).play()
            fakes.assert_no_surprises()
        except (DidNotHappenError, AssertionError, httpx.HTTPError, OSError) as error:
            say("FAILED", str(error))
            return 1
        finally:
            desk.send_signal(signal.SIGTERM)
            with suppress(subprocess.TimeoutExpired):
                desk.wait(30)
            desk.kill()
    say("the end", "every step happened")
    return 0


def _runner(env: dict[str, str]) -> Callable[..., str]:
    def run(*arguments: str) -> str:
        done = subprocess.run(
            [sys.executable, "manage.py", *arguments], cwd=CHECKOUT, env=env, check=True, capture_output=True, text=True
        )
        return done.stdout

    return run


def _open(env: dict[str, str], port: int, fakes: Fakes, note: Path, run: Callable[..., str]) -> subprocess.Popen[str]:
    run("migrate", "--verbosity", "0")
    run(
        "seed_demo",
        "--minute",
        str(MINUTE),
        "--smtp-port",
        str(fakes.smtp.port),
        "--night-for-sam",
        "--note",
        str(note),
    )
    log = open(CHECKOUT / "build" / "demo.log", "w") if (CHECKOUT / "build").is_dir() else subprocess.DEVNULL  # noqa: SIM115
    return subprocess.Popen(
        [sys.executable, "manage.py", "up", "--port", str(port)],
        cwd=CHECKOUT,
        env=env,
        stdout=log,
        stderr=log,
        text=True,
    )


def _answers(url: str) -> bool:
    try:
        return httpx.get(url, timeout=2, trust_env=False).status_code == 200
    except httpx.HTTPError:
        return False


if __name__ == "__main__":
    sys.exit(main())
