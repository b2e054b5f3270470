"""Every model of the cellar, gathered for Django; each lives in its own room."""

from supportdesk.accounts.models import ApiToken, ContactMethod, Invitation, PageRule, User, VerificationCode
from supportdesk.audit.models import AuditEntry
from supportdesk.integrations.models import Connection
from supportdesk.organizations.models import (
    BusinessCalendar,
    Contact,
    Contract,
    Organization,
    Plan,
    PlanVersion,
    Service,
)
from supportdesk.queue.models import Delivery, Heartbeat, InboundEvent, Lane, Timer

__all__ = [
    "ApiToken",
    "AuditEntry",
    "BusinessCalendar",
    "Connection",
    "Contact",
    "ContactMethod",
    "Contract",
    "Delivery",
    "Heartbeat",
    "InboundEvent",
    "Invitation",
    "Lane",
    "Organization",
    "PageRule",
    "Plan",
    "PlanVersion",
    "Service",
    "Timer",
    "User",
    "VerificationCode",
]
