"""A proof as plain JSON values: what is stored, what the API and `manage.py prove --json` answer. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import datetime, timedelta
from typing import Any

from rotations.bound import Kth
from rotations.escalation.reading import written as instant
from rotations.proof.prove import Caution, Failure, Proof, Verdict

Name = Callable[[str], str]  # a person's id to their name

MOST = 200  # failures and warnings listed; the claims count all of them


def written(proof: Proof, name: Name) -> dict[str, Any]:
    """The whole proof: whether it holds, every claim, the first failures in order of time, the warnings."""
    failures = sorted((f for verdict in proof.verdicts for f in verdict.failures), key=lambda failure: failure.at)
    return {
        "holds": proof.holds,
        "start": instant(proof.start),
        "until": instant(proof.end),
        "organizations": len({verdict.claim.organization for verdict in proof.verdicts}),
        "first": failure_spec(proof.first, name) if proof.first else None,
        "claims": [_claim(verdict) for verdict in proof.verdicts],
        "failures": [failure_spec(failure, name) for failure in failures[:MOST]],
        "warnings": [_caution(caution, name) for caution in proof.warnings[:MOST]],
        "stamps": dict(proof.stamps),
    }


def failure_spec(failure: Failure, name: Name) -> dict[str, Any]:
    """One failing stretch of one claim."""
    return {
        "organization": failure.organization,
        "severity": failure.severity,
        "service": failure.service,
        "policy": failure.policy,
        "at": instant(failure.at),
        "until": instant(failure.until),
        "link": failure.link.value,
        "text": failure.text,
        "remedy": failure.remedy,
        "who": _names(failure.menders, name),
    }


def _claim(verdict: Verdict) -> dict[str, Any]:
    claim, first = verdict.claim, verdict.failures[0] if verdict.failures else None
    return {
        "organization": claim.organization,
        "severity": claim.severity,
        "service": claim.service,
        "plan": claim.plan,
        "policy": verdict.policy,
        "promised_seconds": _seconds(claim.promised),
        "until": instant(claim.windows[-1][1]) if claim.windows else None,
        "holds": verdict.holds,
        "failing_stretches": verdict.count,
        "failing_seconds": _seconds(verdict.failing),
        "first_at": instant(first.at) if first else None,
        "link": first.link.value if first else None,
        "people": [_person(person) for person in verdict.people],
    }


def _person(person: Kth) -> dict[str, Any]:
    return {
        "k": person.k,
        "planned_seconds": _seconds(person.planned),
        "latest_seconds": _seconds(person.latest),
        "text": person.in_words(),
    }


def _caution(caution: Caution, name: Name) -> dict[str, Any]:
    return {
        "kind": caution.kind.value,
        "text": caution.text,
        "severities": list(caution.severities),
        "at": instant(caution.at),
        "until": instant(caution.until),
        "stretches": caution.count,
        "seconds": _seconds(caution.length),
        "who": _names(caution.menders, name),
    }


def _names(people: Iterable[str], name: Name) -> str:
    return ", ".join(name(person) for person in dict.fromkeys(people))


def _seconds(length: timedelta | None) -> int | None:
    return None if length is None else int(length.total_seconds())


def said(text: str) -> datetime:
    """An instant of a written proof."""
    return datetime.fromisoformat(text)
