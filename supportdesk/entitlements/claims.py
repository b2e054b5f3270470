"""How often an organization's P1 claims were lowered (ENT-14). Pure.

A signal for the account manager to have a talk, never a lock: nothing that pages may ask this.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

CLAIM_PERIOD = timedelta(days=90)
_FEWEST_LOWERED = 3


@dataclass(frozen=True, slots=True)
class Claim:
    """One incident a customer reported as P1: when, and whether we lowered it."""

    at: datetime
    was_lowered: bool


def claims_stand_out(claims: Iterable[Claim], now: datetime) -> bool:
    """Whether, in the last 90 days, at least three P1 claims and at least half of all of them were lowered."""
    recent = [claim for claim in claims if now - CLAIM_PERIOD < claim.at <= now]
    lowered = sum(claim.was_lowered for claim in recent)
    return lowered >= _FEWEST_LOWERED and 2 * lowered >= len(recent)
