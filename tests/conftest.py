"""The cast as fixtures. `world` is the desk with everybody in it; the people come by name."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from tests.fakes import Fakes

pytest_plugins = ["tests.machine_plugin"]


@pytest.fixture(scope="session")
def vendors() -> Iterator[Fakes]:
    """The fake vendors, listening for the whole run."""
    with Fakes() as fakes:
        yield fakes


@pytest.fixture(scope="session")
def django_db_setup(django_db_setup: None, django_db_blocker: Any, vendors: Fakes) -> Iterator[None]:
    """The test database with the demo world in it: building it once instead of for every test halves the run.

    At the end nobody else may be in it, or it cannot be removed: a thread of the browser tests' server that waits for
    its browser's next request is shown out.
    """
    from django.db import connection

    from tests.cast import build

    with django_db_blocker.unblock():
        build(vendors)
    yield
    with django_db_blocker.unblock(), connection.cursor() as cursor:
        cursor.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
            " WHERE datname = current_database() AND pid <> pg_backend_pid()"
        )


@pytest.fixture
def fakes(vendors: Fakes, settings: Any) -> Iterator[Fakes]:
    """The fake vendors, with nothing remembered; fails the test for any call they did not understand."""
    vendors.reset()
    settings.VENDOR_BASE_URLS = vendors.base_urls()
    settings.REACHABLE_NETWORKS = ["127.0.0.0/8"]  # where the receiver of webhooks lives
    settings.PUBLIC_URL = "http://testserver"
    yield vendors
    vendors.assert_no_surprises()


@pytest.fixture
def moved_clock() -> Iterator[None]:
    """Lets the clock run again after a test that stopped it."""
    from supportdesk import instants

    yield
    instants.freeze(None)


@pytest.fixture
def world(db: None, fakes: Fakes, settings: Any, moved_clock: None) -> Iterator[Any]:
    """The demo world on a Sunday at 03:10 for Acme, with every vendor connected."""
    from tests.cast import World

    settings.EMERGENCY_NUMBER = "+4930555000"
    made = World(fakes)
    yield made
    made.assert_healthy()


@pytest.fixture
def api(world: Any) -> Any:
    """Call the API as somebody, with a token: `api(alice).post("incidents/", body)`."""
    from tests.cast import ApiCaller

    return ApiCaller


def _person(name: str) -> Any:
    @pytest.fixture(name=name)
    def person(world: Any) -> Any:
        return world.people[name]

    return person


alice, sam, mallory = _person("alice"), _person("sam"), _person("mallory")
bob, carol, dana = _person("bob"), _person("carol"), _person("dana")
erin, frank, ken, yuki = _person("erin"), _person("frank"), _person("ken"), _person("yuki")
