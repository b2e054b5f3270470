"""What the tests need from the machine: a database (`make test` brings its own) and, for some, a real Chromium.

A pytest plugin, loaded by tests/conftest.py.
"""

from __future__ import annotations

import os
import shutil
import signal
from collections.abc import Iterator

import pytest
from django.db import connections

from supportdesk.embedded import guardian, postgres
from supportdesk.embedded.instance import try_lock

CHROMIUM_NAMES = ("chromium", "chromium-browser", "google-chrome")
HOW_TO_GET_CHROMIUM = (
    "browser tests need Chromium. As root: "
    "apt-get update && apt-get install -y --no-install-recommends chromium fonts-liberation"
)
SUITE_DATABASE = "SUPPORTDESK_TEST_DATABASE"


def chromium() -> str | None:
    """The browser to drive: CHROMIUM, else the first one installed."""
    return next(filter(None, map(shutil.which, (os.environ.get("CHROMIUM", ""), *CHROMIUM_NAMES))), None)


def pytest_configure(config: pytest.Config) -> None:
    if hasattr(config, "workerinput"):  # a worker of xdist, in the middle of a test, would outlive a killed pytest
        guardian.die_with_parent(os.getppid(), signal.SIGKILL)
    entry = connections["default"].settings_dict
    if entry["ENGINE"] == postgres.ENGINE:
        if not hasattr(config, "workerinput"):
            os.environ[SUITE_DATABASE] = _own_database(config)
        entry["TEST"]["NAME"] = os.environ[SUITE_DATABASE]  # xdist's workers inherit the choice and add their own name


def _own_database(config: pytest.Config) -> str:
    """A database name no other run of this checkout uses: two `make test` at once do not tread on each other."""
    instance = connections["default"].settings_dict["EMBEDDED"]
    instance.make_room()
    number = 1
    while (lock := try_lock(instance.home / f"suite-{number}.lock")) is None:
        number += 1
    config.add_cleanup(lambda: os.close(lock))
    return f"test_supportdesk_{number}"


def pytest_runtest_setup(item: pytest.Item) -> None:
    if item.get_closest_marker("browser") and chromium() is None:
        if os.environ.get("REQUIRE_BROWSER") == "1":
            pytest.fail(HOW_TO_GET_CHROMIUM, pytrace=False)
        pytest.skip(HOW_TO_GET_CHROMIUM)


@pytest.hookimpl(wrapper=True)
def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> Iterator[None]:
    skipped = [
        report for report in terminalreporter.stats.get("skipped", ()) if HOW_TO_GET_CHROMIUM in report.longreprtext
    ]
    if skipped:
        terminalreporter.write_line(f"{len(skipped)} skipped: {HOW_TO_GET_CHROMIUM}")
    return (yield)
