"""The staircase: arrows only point down, pure modules stay pure, and nobody imports inside a function to dodge a
circle."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
FLOORS = {"supportdesk": 1, "rotations": 2, "incidents": 3, "reports": 4}
ROOF = {"settings", "urls", "wsgi", "asgi"}
# Pure: values in, values out. No Django, no ORM, no now().
PURE = (
    "supportdesk/zones.py",
    "supportdesk/calendars.py",
    "supportdesk/calendar_specs.py",
    "supportdesk/plain.py",
    "supportdesk/readable.py",
    "supportdesk/entitlements",
    "supportdesk/actors.py",
    "supportdesk/accounts/quiet.py",
    "supportdesk/accounts/reach.py",
    "supportdesk/integrations/adf.py",
    "supportdesk/integrations/base.py",
    "supportdesk/integrations/files.py",
    "supportdesk/integrations/json_paths.py",
    "supportdesk/integrations/mail_providers.py",
    "supportdesk/integrations/mail_reading.py",
    "supportdesk/integrations/echo.py",
    "supportdesk/integrations/mappings.py",
    "supportdesk/integrations/mrkdwn.py",
    "rotations/absences.py",
    "rotations/bound.py",
    "rotations/calm.py",
    "rotations/changes.py",
    "rotations/coverage.py",
    "rotations/escalation",
    "rotations/escalation_preview.py",
    "rotations/fairness.py",
    "rotations/fatigue",
    "rotations/local_days.py",
    "rotations/precedence.py",
    "rotations/proof",
    "rotations/permissions.py",
    "rotations/resolution.py",
    "rotations/responders.py",
    "rotations/rotation.py",
    "rotations/rules.py",
    "rotations/schedule.py",
    "rotations/schedule_preview.py",
    "rotations/shifts.py",
    "rotations/timeline.py",
    "rotations/turns.py",
    "incidents/monitoring/anomaly.py",
    "incidents/monitoring/beats.py",
    "incidents/monitoring/charts.py",
    "incidents/monitoring/replay.py",
    "incidents/monitoring/rules.py",
    "incidents/monitoring/windows.py",
    "incidents/permissions.py",
    "incidents/routing.py",
    "incidents/sla",
    "incidents/sla_preview.py",
    "incidents/states.py",
    "incidents/status_pages/health.py",
    "reports/builder.py",
    "reports/lint.py",
    "reports/metrics.py",
    "reports/sections.py",
)
FORBIDDEN_IN_PURE = {"django", "rest_framework", "django_q", "psycopg", "time"}
NOW = {"now", "utcnow", "today"}
# The one place an app may be loaded late: Django says so.
LATE = {("supportdesk/apps.py", "ready"), ("rotations/apps.py", "ready")}


def _files() -> list[Path]:
    found = [path for app in FLOORS for path in (ROOT / app).rglob("*.py")]
    return sorted(path for path in found if "migrations" not in path.parts)


def _imports(tree: ast.AST) -> Iterator[tuple[str, ast.AST]]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from ((alias.name, node) for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            yield node.module, node


def _name(path: Path) -> str:
    return str(path.relative_to(ROOT))


def _is_roof(module: str) -> bool:
    app, _, rest = module.partition(".")
    return app == "supportdesk" and rest.split(".")[0] in ROOF


@pytest.mark.parametrize("path", _files(), ids=_name)
def test_arrows_only_point_down(path: Path) -> None:
    relative = path.relative_to(ROOT)
    if relative.parts[0] == "supportdesk" and relative.stem in ROOF and len(relative.parts) == 2:
        return  # the roof sees everything
    own = FLOORS[relative.parts[0]]
    for module, node in _imports(ast.parse(path.read_text())):
        app = module.split(".")[0]
        assert FLOORS.get(app, 0) <= own, f"{relative}:{node.lineno} looks upstairs at {module}"  # type: ignore[attr-defined]
        assert not _is_roof(module), f"{relative}:{node.lineno} imports the roof: {module}"  # type: ignore[attr-defined]
        assert app != "tests", f"{relative}:{node.lineno} imports the tests"  # type: ignore[attr-defined]


@pytest.mark.parametrize("path", _files(), ids=_name)
def test_nobody_imports_our_own_inside_a_function(path: Path) -> None:
    for node in ast.walk(ast.parse(path.read_text())):
        if not isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)) or (_name(path), node.name) in LATE:
            continue
        late = [module for module, _ in _imports(node) if module.split(".")[0] in FLOORS]
        assert not late, f"{_name(path)}:{node.lineno} {node.name} imports {late}"


def _pure_files() -> list[Path]:
    found: list[Path] = []
    for name in PURE:
        place = ROOT / name
        assert place.exists(), f"{name} is listed as pure and does not exist"
        found += sorted(place.rglob("*.py")) if place.is_dir() else [place]
    return found


@pytest.mark.parametrize("path", _pure_files(), ids=_name)
def test_pure_modules_are_pure(path: Path) -> None:
    tree = ast.parse(path.read_text())
    for module, node in _imports(tree):
        assert module.split(".")[0] not in FORBIDDEN_IN_PURE, f"{_name(path)}:{node.lineno} imports {module}"  # type: ignore[attr-defined]
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr in NOW:
            raise AssertionError(f"{_name(path)}:{node.lineno} asks for the time by itself")


def test_models_know_no_vendors() -> None:
    """Vendor weirdness ends at the edge: no room but the integrations names one in a condition."""
    vendors = {"slack", "pagerduty", "jira", "twilio"}
    for path in _files():
        if "models" not in path.parts and path.name != "models.py":
            continue
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Compare):
                named = {c.value for c in [node.left, *node.comparators] if isinstance(c, ast.Constant)}
                assert not named & vendors, f"{_name(path)}:{node.lineno} decides by vendor"
