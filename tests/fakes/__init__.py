"""Fake vendors: real servers on loopback that behave, and misbehave, like the ones the desk talks to.

with Fakes() as fakes:
    settings.VENDOR_BASE_URLS = fakes.base_urls()
    …
    fakes.phone.press(fakes.phone.calls[-1], "4", through_client(client))
    fakes.assert_no_surprises()
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import TracebackType

from tests.fakes.alertmanager import FakeAlertmanager
from tests.fakes.desk import Desk, DeskAnswer, through_client, through_http
from tests.fakes.incidentio import FakeIncidentIo
from tests.fakes.jira import FakeJira
from tests.fakes.pagerduty import FakePagerDuty
from tests.fakes.server import FakeVendor
from tests.fakes.slack import FakeSlack
from tests.fakes.smtp import FakeSmtp
from tests.fakes.statuspage import FakeStatuspage
from tests.fakes.twilio import FakePhone, FakeSms
from tests.fakes.webhooks import FakeReceiver

__all__ = ["Desk", "DeskAnswer", "Fakes", "through_client", "through_http"]


class Fakes:
    """All fake vendors at once, each under the slug of the integration that talks to it, and one mail server."""

    def __init__(self, ports: Mapping[str, int] | None = None) -> None:
        at = dict(ports or {})  # a free port for every one that is not named
        self.slack = FakeSlack(at.get("slack", 0))
        self.pagerduty = FakePagerDuty(at.get("pagerduty", 0))
        self.phone = FakePhone(at.get("phone", 0))
        self.sms = FakeSms(at.get("sms", 0))
        self.webhooks = FakeReceiver(at.get("webhooks", 0))
        self.jira = FakeJira(at.get("jira", 0))
        self.statuspage = FakeStatuspage(at.get("statuspage", 0))
        self.incidentio = FakeIncidentIo(at.get("incidentio", 0))
        self.alertmanager = FakeAlertmanager()
        self.smtp = FakeSmtp(at.get("smtp", 0))

    @property
    def vendors(self) -> tuple[FakeVendor, ...]:
        """Those that are called over HTTP."""
        return (
            self.slack,
            self.pagerduty,
            self.phone,
            self.sms,
            self.webhooks,
            self.jira,
            self.statuspage,
            self.incidentio,
        )

    @property
    def servers(self) -> tuple[FakeVendor | FakeSmtp, ...]:
        """Everything that listens."""
        return *self.vendors, self.smtp

    def base_urls(self) -> dict[str, str]:
        """What `SUPPORTDESK_VENDOR_URLS` is set to."""
        return {vendor.name: vendor.base_url for vendor in self.vendors}

    def values(self, slug: str) -> dict[str, str]:
        """What a connection to the fake vendor of this slug is made with."""
        if slug == "email":
            return {
                "host": "127.0.0.1",
                "port": str(self.smtp.port),
                "security": "none",
                "from_address": "Desk <desk@desk.example>",
            }
        return dict(getattr(self, slug).values)

    def hooks(self, url_of: Callable[[str], str]) -> None:
        """Tell every vendor where the desk listens: `url_of("slack")` is the address of that hook."""
        for vendor in (*self.vendors, self.alertmanager):
            slug = getattr(vendor, "name", "alertmanager")
            vendor.hook_url = url_of(slug)

    def watch(self, watcher: Callable[[str], None] | None) -> None:
        """Have every request told as one JSON line."""
        for vendor in self.servers:
            vendor.watcher = watcher

    def assert_no_surprises(self) -> None:
        """Nothing came that no vendor would have understood, and everything scripted was asked for."""
        trouble = [line for vendor in self.servers for line in vendor.trouble()]
        assert not trouble, "\n".join(trouble)

    def reset(self) -> None:
        """Forget everything, between two tests that share the servers."""
        for vendor in self.servers:
            vendor.reset()

    def close(self) -> None:
        """Give the ports back without ever having served on them."""
        for vendor in self.vendors:
            vendor.close()

    def __enter__(self) -> Fakes:
        for vendor in self.servers:
            vendor.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for vendor in self.servers:
            vendor.stop()
