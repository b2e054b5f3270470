"""Mail providers by django-anymail: what each calls the secret we have for it. https://anymail.dev/"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Provider:
    """One provider: the names of its settings for sending, and the views that read what it posts to us."""

    label: str
    secret: str  # the setting that holds the API key or token
    second: str = ""  # another one it needs: a domain, a project, a second key
    inbound: str = ""  # the view of anymail that reads incoming mail; empty: we do not take its mail in
    signing_key: str = ""  # the setting that holds what it signs with; empty: Basic authentication in the address
    tracking: str = ""  # the view that reads what became of our mail; empty: it is not heard of again
    headers: Mapping[str, str] = field(default_factory=dict)  # what it has to be told with every mail

    @property
    def needs(self) -> tuple[str, ...]:
        return (self.secret, self.second) if self.second else (self.secret,)


PROVIDERS: dict[str, Provider] = {
    "brevo": Provider("Brevo", "api_key", tracking="brevo.BrevoTrackingWebhookView"),
    "mailersend": Provider("MailerSend", "api_token"),
    "mailgun": Provider(
        "Mailgun",
        "api_key",
        "sender_domain",
        "mailgun.MailgunInboundWebhookView",
        "webhook_signing_key",
        "mailgun.MailgunTrackingWebhookView",
    ),
    "mailjet": Provider(
        "Mailjet",
        "api_key",
        "secret_key",
        "mailjet.MailjetInboundWebhookView",
        tracking="mailjet.MailjetTrackingWebhookView",
    ),
    "mailtrap": Provider("Mailtrap", "api_token"),
    "mandrill": Provider("Mandrill", "api_key"),
    "postal": Provider("Postal", "api_key", "api_url"),
    "postmark": Provider(
        "Postmark",
        "server_token",
        "",
        "postmark.PostmarkInboundWebhookView",
        tracking="postmark.PostmarkTrackingWebhookView",
        headers={"X-PM-KeepID": "true"},  # else it gives the mail a Message-ID of its own, which answers then name
    ),
    "resend": Provider("Resend", "api_key", tracking="resend.ResendTrackingWebhookView"),
    "scaleway": Provider("Scaleway", "secret_key", "project_id"),
    "sendgrid": Provider(
        "SendGrid",
        "api_key",
        "",
        "sendgrid.SendGridInboundWebhookView",
        tracking="sendgrid.SendGridTrackingWebhookView",
    ),
    "sparkpost": Provider(
        "SparkPost",
        "api_key",
        "",
        "sparkpost.SparkPostInboundWebhookView",
        tracking="sparkpost.SparkPostTrackingWebhookView",
    ),
    "unisender_go": Provider("Unisender Go", "api_key", "api_url"),
}
INBOUND = {slug: provider for slug, provider in PROVIDERS.items() if provider.inbound}
TRACKING = {slug: provider for slug, provider in PROVIDERS.items() if provider.tracking}


def problem(slug: str, second: str) -> str:
    """What is wrong with a provider somebody named; empty: nothing."""
    if slug and slug not in PROVIDERS:
        return f"One of {', '.join(PROVIDERS)}; empty for SMTP."
    if slug and PROVIDERS[slug].second and not second:
        return f"{PROVIDERS[slug].label} also needs its {PROVIDERS[slug].second.replace('_', ' ')}."
    return ""
