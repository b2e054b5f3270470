"""Alerts from Grafana's own alerting, by its webhook contact point.

https://grafana.com/docs/grafana/latest/alerting/configure-notifications/manage-contact-points/integrations/webhook-notifier/
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime

from supportdesk.integrations import inbound, monitors
from supportdesk.integrations.alertmanager import replies
from supportdesk.integrations.base import BadPayload, Field, Reply, Request
from supportdesk.integrations.monitors import Monitor

SIGNATURE = "x-grafana-alerting-signature"
STAMP = "x-grafana-alerting-timestamp"


class Grafana(Monitor):
    """The skeleton is Alertmanager's; Grafana adds where its panels are, and can sign."""

    slug = "grafana"
    label = "Grafana"
    fields = (
        Field(
            "signing_secret",
            "HMAC secret",
            secret=True,
            required=False,
            help="As in the contact point; name the headers X-Grafana-Alerting-Signature and -Timestamp there.",
        ),
        Field(
            "token",
            "Token",
            secret=True,
            required=False,
            help="A Bearer token or the Basic password. Neither this nor a secret: the address alone is the secret.",
        ),
    )

    def read(self, content: bytes, headers: Mapping[str, str]) -> list[Reply]:
        body = inbound.json_object(content)
        if body.get("version") != "1":
            raise BadPayload("only webhook version 1 is understood", field="version")
        return replies(body, self.slug)

    def _verify(self, request: Request) -> None:
        self._believe_token(request)
        secrets = inbound.secrets(self.values, "signing_secret")
        if not secrets:
            return
        stamp, content = request.headers.get(STAMP), request.body
        if stamp is not None:
            monitors.check_time(stamp, datetime.now(UTC))
            content = f"{stamp}:".encode() + content
        monitors.check_hmac(request.headers.get(SIGNATURE, ""), secrets, content)
