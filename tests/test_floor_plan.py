"""`docs/floor-plan.md` shows where things live; this keeps it true."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
PLAN = (ROOT / "docs" / "floor-plan.md").read_text()
APPS = ("reports", "incidents", "rotations", "supportdesk")
PATH = re.compile(r"^[\w./-]+(?:\.py|\.md|/)$")
STAIR = re.compile(r"^ ?\d  (?P<app>\w+)\s+(?P<rooms>.+)$|^ {15,}(?P<more>\S.*)$")


def _named_in(line: str) -> list[str]:
    return [name for name in re.findall(r"`([^`]+)`", line) if PATH.match(name)]


def _is_there(name: str, line: str) -> bool:
    """A path is named from the top, from the docs or the cellar, or within a room the same line names."""
    rooms = [ROOT, ROOT / "docs", ROOT / "supportdesk"]
    for other in _named_in(line):
        rooms += [(base / other) if other.endswith("/") else (base / other).parent for base in rooms[:3]]
    return any((room / name).exists() for room in rooms)


PATHS = [(name, line) for line in PLAN.splitlines() for name in _named_in(line)]


@pytest.mark.parametrize(("name", "line"), PATHS, ids=[name for name, _ in PATHS])
def test_every_path_on_the_plan_exists(name: str, line: str) -> None:
    assert _is_there(name, line), f"there is no {name}: {line}"


def test_the_staircase_names_rooms_that_exist() -> None:
    stairs = PLAN.partition("```")[2].partition("```")[0]
    app, missing, seen = "", [], 0
    for line in stairs.splitlines():
        found = STAIR.match(line)
        if found is None:
            continue
        app = found["app"] or app
        for word in re.findall(r"[\w/]+", (found["rooms"] or found["more"]).replace("doors:", "")):
            room = ROOT / app / word.rstrip("/")
            seen += 1
            if not (room.is_dir() or room.with_suffix(".py").is_file()):
                missing.append(f"{app}/{word}")
    assert seen > 40
    assert not missing


def test_every_package_of_the_desk_is_on_the_plan() -> None:
    packages = [
        folder
        for app in APPS
        for folder in sorted((ROOT / app).iterdir())
        if (folder / "__init__.py").exists() and folder.name not in ("migrations", "management", "templatetags")
    ]
    unnamed = [str(folder.relative_to(ROOT)) for folder in packages if not re.search(rf"\b{folder.name}\b", PLAN)]
    assert not unnamed
