"""Every model of the cellar, gathered for Django; each lives in its own room."""

from supportdesk.accounts.models import ApiToken, ContactMethod, Invitation, PageRule, User, VerificationCode
from supportdesk.audit.models import AuditEntry
from supportdesk.auditor.models import AuditPause, AuditRun, Finding, Tally
from supportdesk.integrations.breaker import Breaker
from supportdesk.integrations.budget import Budget
from supportdesk.integrations.calls import VendorCall
from supportdesk.integrations.intake import Intake
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
from supportdesk.wording.models import MessageText

__all__ = [
    "ApiToken",
    "AuditEntry",
    "AuditPause",
    "AuditRun",
    "Breaker",
    "Budget",
    "BusinessCalendar",
    "Connection",
    "Contact",
    "ContactMethod",
    "Contract",
    "Delivery",
    "Finding",
    "Heartbeat",
    "InboundEvent",
    "Intake",
    "Invitation",
    "Lane",
    "MessageText",
    "Organization",
    "PageRule",
    "Plan",
    "PlanVersion",
    "Service",
    "Tally",
    "Timer",
    "User",
    "VendorCall",
    "VerificationCode",
]
