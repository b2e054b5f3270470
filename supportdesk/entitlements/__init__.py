"""Plans, contracts, and what they promise for one incident (ENT-1 … ENT-14). Pure.

`plans` holds what can be promised, `contracts` which promise holds at an instant, `decisions` what happens with an
incident under it, and `claims` how often a customer's claims were lowered.
"""

from supportdesk.entitlements.claims import Claim, claims_stand_out
from supportdesk.entitlements.contracts import (
    DEFAULT_GRACE,
    Contract,
    ContractState,
    Entitlement,
    Hours,
    Reason,
    is_better,
    is_worse,
    resolve,
)
from supportdesk.entitlements.decisions import (
    GOODWILL_LONGEST,
    GOODWILL_REASON_LENGTH,
    GOODWILL_SCOPES,
    GOODWILL_SOFT_LIMIT,
    GOODWILL_SOFT_PERIOD,
    Decision,
    Engagement,
    Goodwill,
    decide,
)
from supportdesk.entitlements.plans import SEVERITIES, Coverage, Feature, Level, Plan

__all__ = [
    "DEFAULT_GRACE",
    "GOODWILL_LONGEST",
    "GOODWILL_REASON_LENGTH",
    "GOODWILL_SCOPES",
    "GOODWILL_SOFT_LIMIT",
    "GOODWILL_SOFT_PERIOD",
    "SEVERITIES",
    "Claim",
    "Contract",
    "ContractState",
    "Coverage",
    "Decision",
    "Engagement",
    "Entitlement",
    "Feature",
    "Goodwill",
    "Hours",
    "Level",
    "Plan",
    "Reason",
    "claims_stand_out",
    "decide",
    "is_better",
    "is_worse",
    "resolve",
]
