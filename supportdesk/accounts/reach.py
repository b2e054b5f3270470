"""How one person is reached within one page (ESC-14). Pure."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import timedelta


@dataclass(frozen=True, slots=True)
class Method:
    """One verified, enabled way to reach a person."""

    kind: str
    address: str


@dataclass(frozen=True, slots=True)
class Attempt:
    """Try this method so long after the page began."""

    method: Method
    after: timedelta


# The default chain for P1 and P2: silent methods at once, a call after a minute and again after two.
# P3 and P4 wake nobody: silent methods only.
_AT_ONCE = ("slack", "sms", "email")
_CALLS_AFTER = (timedelta(seconds=60), timedelta(seconds=120))


def chain(methods: Iterable[Method], *, important: bool, rules: Iterable[Attempt] = ()) -> tuple[Attempt, ...]:
    """The attempts of one page in order; the person's own rules win over the default chain.

    A person with nothing but a phone is called at once, not after a minute of silence.
    """
    own = tuple(sorted(rules, key=lambda attempt: attempt.after))
    if own:
        return own
    usable = list(methods)
    attempts = [Attempt(m, timedelta(0)) for kind in _AT_ONCE for m in usable if m.kind == kind]
    phones = [m for m in usable if m.kind == "phone"]
    if important and phones:
        delays = _CALLS_AFTER if attempts else (timedelta(0), _CALLS_AFTER[0])
        attempts += [Attempt(phone, delay) for delay in delays for phone in phones]
    return tuple(attempts)
