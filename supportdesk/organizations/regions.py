"""Public holidays by region, from the `holidays` library (ENT-3)."""

from __future__ import annotations

from datetime import date
from functools import lru_cache

import holidays

# Holidays are listed for a few years around the asked one; clocks never run longer.
_YEARS_BACK, _YEARS_AHEAD = 1, 2


class UnknownRegion(ValueError):
    """No holidays are known for this region."""


@lru_cache(maxsize=200)
def public_holidays(region: str, year: int) -> frozenset[date]:
    """The public holidays of an ISO region, like DE or DE-BE, around a year; empty for no region.

    Raises `UnknownRegion`.
    """
    if not region:
        return frozenset()
    country, _, subdivision = region.partition("-")
    years = range(year - _YEARS_BACK, year + _YEARS_AHEAD + 1)
    try:
        return frozenset(holidays.country_holidays(country, subdiv=subdivision or None, years=years))
    except NotImplementedError as error:
        raise UnknownRegion(f"No public holidays are known for {region}; give an ISO code like DE or DE-BE.") from error
