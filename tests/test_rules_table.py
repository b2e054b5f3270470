"""`docs/rules.md` says which test proves which rule; this keeps it true."""

from __future__ import annotations

import ast
import re
from functools import lru_cache
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
TABLE = (ROOT / "docs" / "rules.md").read_text()
ROW = re.compile(r"^\| (?P<rule>[A-Z]+-?\d+a?) \| (?P<words>.+?) \| (?P<tests>.*) \|$", re.MULTILINE)
NAMED = re.compile(r"`(tests/[\w/]+\.py)::(\w+)`")
# How far each family of rules goes.
FAMILIES = {"ENT-": 14, "SLA-": 18, "ROT-": 11, "FAT-": 8, "ESC-": 17, "D": 17}
# Held elsewhere: said at the foot of the page.
ELSEWHERE = {"D15"}


def _rows() -> dict[str, list[tuple[str, str]]]:
    return {row["rule"]: NAMED.findall(row["tests"]) for row in ROW.finditer(TABLE)}


@lru_cache
def _tests_of(path: str) -> frozenset[str]:
    tree = ast.parse((ROOT / path).read_text())
    return frozenset(node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef))


@pytest.mark.parametrize("rule", sorted(_rows()))
def test_every_rule_names_tests_that_exist(rule: str) -> None:
    named = _rows()[rule]
    assert named, f"{rule} stands without a test"
    for path, name in named:
        assert (ROOT / path).exists(), f"{rule}: there is no {path}"
        assert name in _tests_of(path), f"{rule}: {path} has no {name}"


@pytest.mark.parametrize(("family", "last"), FAMILIES.items())
def test_no_rule_is_missing(family: str, last: int) -> None:
    wanted = {f"{family}{number}" for number in range(1, last + 1)} - ELSEWHERE
    assert wanted <= set(_rows())


def test_no_rule_is_there_twice_and_what_is_missing_is_said() -> None:
    rules = [row["rule"] for row in ROW.finditer(TABLE)]
    assert len(rules) == len(set(rules))
    assert not ELSEWHERE & set(rules)
    assert all(rule in TABLE for rule in ELSEWHERE)
