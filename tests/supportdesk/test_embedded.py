"""The embedded database and the supervisor, for real: real PostgreSQL, real processes, real kills."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import textwrap
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psycopg
import pytest

from supportdesk.embedded import postgres, programs
from supportdesk.embedded.instance import CHECKOUT, SOCKET_FILE, EmbeddedError, Instance, is_shared, is_taken


@pytest.fixture(scope="module")
def prepared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Instance]:
    """An instance of a checkout of its own, initialised once for all tests here."""
    yield from _instance_of(tmp_path_factory.mktemp("checkout"))


@pytest.fixture
def instance(prepared: Instance) -> Iterator[Instance]:
    """The prepared instance, stopped before and after each test."""
    yield prepared
    _stopped(prepared)


@pytest.fixture
def fresh(tmp_path: Path) -> Iterator[Instance]:
    yield from _instance_of(tmp_path)


def _instance_of(checkout: Path) -> Iterator[Instance]:
    instance = Instance("test", checkout)
    yield instance
    _stopped(instance)
    shutil.rmtree(instance.family)


def _stopped(instance: Instance) -> None:
    if instance in postgres._holds:
        postgres.release(instance)
    until(lambda: not instance.is_running(), "the database stops")


def until(true: Callable[[], object], what: str, seconds: float = 30) -> None:
    """Wait for something that must come; the limit is for a machine that is busy with other things."""
    deadline = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < deadline, f"still waiting until {what}"
        time.sleep(0.02)


def connect(instance: Instance) -> psycopg.Connection:
    return psycopg.connect(postgres.url(instance), autocommit=True)


def ask(instance: Instance, query: str) -> object:
    with connect(instance) as connection:
        row = connection.execute(query).fetchone()
        assert row
        return row[0]


@pytest.fixture
def user_of() -> Iterator[Callable[[Instance], subprocess.Popen[str]]]:
    """Begins another process that uses a database; none of them outlives the test."""
    begun: list[subprocess.Popen[str]] = []

    def begin(instance: Instance) -> subprocess.Popen[str]:
        code = f"""
            import time
            from pathlib import Path
            from supportdesk.embedded import postgres
            from supportdesk.embedded.instance import Instance
            postgres.hold(Instance({instance.name!r}, Path({str(instance.checkout)!r})))
            print("holding", flush=True)
            time.sleep(600)
        """
        command = [sys.executable, "-c", textwrap.dedent(code)]
        begun.append(subprocess.Popen(command, cwd=CHECKOUT, stdout=subprocess.PIPE, text=True))
        return begun[-1]

    yield begin
    for process in begun:
        kill(process)


def kill(process: subprocess.Popen[str]) -> None:
    process.kill()
    process.wait()
    if process.stdout:
        process.stdout.close()


def has_it(user: subprocess.Popen[str]) -> bool:
    return user.stdout is not None and user.stdout.readline() == "holding\n"


def is_gone(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] == "Z"
    except FileNotFoundError:
        return True


def postmaster(instance: Instance) -> int:
    return int((instance.data / "postmaster.pid").read_text().split()[0])


# --- the database ----------------------------------------------------------------------------------------------------


def test_it_starts_answers_and_stops_without_a_trace(instance: Instance) -> None:
    postgres.hold(instance)
    pid = postmaster(instance)
    assert ask(instance, "SELECT current_database()") == "supportdesk"
    assert ask(instance, "SHOW listen_addresses") == ""
    assert ask(instance, "SHOW server_encoding") == "UTF8"
    postgres.release(instance)
    until(lambda: is_gone(pid), "PostgreSQL is gone")
    until(lambda: not instance.is_running(), "its keeper is gone")
    assert not (instance.data / "postmaster.pid").exists()


def test_data_survive_a_restart(instance: Instance) -> None:
    postgres.hold(instance)
    with connect(instance) as connection:
        connection.execute("DROP TABLE IF EXISTS kept")
        connection.execute("CREATE TABLE kept AS SELECT 'INC-1' AS name")
    postgres.release(instance)
    until(lambda: not instance.is_running(), "the database stops")
    postgres.hold(instance)
    assert ask(instance, "SELECT name FROM kept") == "INC-1"


def test_nobody_gets_in_without_the_password(instance: Instance) -> None:
    postgres.hold(instance)
    assert instance.passfile.stat().st_mode & 0o777 == 0o600
    assert instance.sockets.stat().st_mode & 0o777 == 0o700
    with pytest.raises(psycopg.OperationalError, match="password"):
        psycopg.connect(host=str(instance.sockets), user="supportdesk", dbname="supportdesk", password="guess")


def test_it_stays_until_the_last_user_leaves_and_is_stopped_for_the_killed(
    instance: Instance, user_of: Callable[[Instance], subprocess.Popen[str]]
) -> None:
    first, second = user_of(instance), user_of(instance)
    assert has_it(first)
    assert has_it(second)
    pid = postmaster(instance)
    kill(first)
    postgres.hold(instance)
    assert ask(instance, "SELECT 1") == 1
    assert postmaster(instance) == pid
    postgres.release(instance)
    assert instance.has_users()
    kill(second)
    until(lambda: is_gone(pid), "PostgreSQL is gone")


def test_two_starters_at_once_share_one_database(
    fresh: Instance, user_of: Callable[[Instance], subprocess.Popen[str]]
) -> None:
    starters = [user_of(fresh) for _ in range(2)]
    assert all(has_it(starter) for starter in starters)
    assert len([pid for pid in postgres._processes_in(fresh.data) if _is_postmaster(pid)]) == 1
    for starter in starters:
        kill(starter)


def _is_postmaster(pid: int) -> bool:
    try:
        return b"-D\0" in Path(f"/proc/{pid}/cmdline").read_bytes()
    except FileNotFoundError:  # one of its children, and over since
        return False


@pytest.mark.parametrize("content", ["", "12", "not a number\n", "{us}\n/somewhere/else\n0\n5432\n\n\n\n"])
def test_a_lock_file_left_by_a_crash_is_no_obstacle(instance: Instance, content: str) -> None:
    """Empty, cut off, garbage, or naming a process that is now something else, as in a restarted container."""
    postgres.hold(instance)
    postgres.release(instance)
    until(lambda: not instance.is_running(), "the database stops")
    (instance.data / "postmaster.pid").write_text(content.format(us=os.getpid()))
    postgres.hold(instance)
    assert ask(instance, "SELECT 1") == 1


def test_a_killed_postmaster_is_replaced(instance: Instance) -> None:
    postgres.hold(instance)
    with connect(instance) as connection:
        os.kill(postmaster(instance), signal.SIGKILL)
        until(lambda: not instance.is_running(), "the keeper notices")
        postgres.release(instance)
        postgres.hold(instance)
        with pytest.raises(psycopg.OperationalError):
            connection.execute("SELECT 1")
    assert ask(instance, "SELECT 1") == 1


def test_a_killed_keeper_takes_the_database_with_it(instance: Instance) -> None:
    postgres.hold(instance)
    pid = postmaster(instance)
    keeper = int(Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[1])
    os.kill(keeper, signal.SIGKILL)
    until(lambda: is_gone(pid), "PostgreSQL has followed its keeper")


def test_data_of_another_version_are_kept_and_the_message_says_what_to_do(instance: Instance) -> None:
    durable = Instance("dev", instance.checkout)
    durable.make_room()
    durable.data.mkdir()
    (durable.data / "PG_VERSION").write_text("13\n")
    with pytest.raises(EmbeddedError, match=r"are of PostgreSQL 13, but the programs in .* are of \d\d\.\n.*kept"):
        postgres.hold(durable)
    assert (durable.data / "PG_VERSION").read_text() == "13\n"
    assert not is_shared(durable.users_lock)
    assert not is_taken(durable.start_lock)


def test_disposable_data_of_another_version_are_made_anew(fresh: Instance) -> None:
    fresh.make_room()
    fresh.data.mkdir()
    (fresh.data / "PG_VERSION").write_text("13\n")
    postgres.hold(fresh)
    assert ask(fresh, "SELECT 1") == 1


def test_what_cannot_start_says_why(instance: Instance, monkeypatch: pytest.MonkeyPatch) -> None:
    postgres.hold(instance)
    postgres.release(instance)
    until(lambda: not instance.is_running(), "the database stops")
    monkeypatch.setitem(postgres.SETTINGS, "max_connections", "a few")
    with pytest.raises(EmbeddedError, match="max_connections"):
        postgres.hold(instance)


def test_an_instance_in_use_is_not_forgotten(fresh: Instance) -> None:
    postgres.hold(fresh)
    with pytest.raises(EmbeddedError, match="in use"):
        fresh.forget()
    postgres.release(fresh)
    until(lambda: not fresh.is_running(), "the database stops")
    fresh.forget()
    assert not fresh.family.exists()
    fresh.make_room()


def test_a_deep_checkout_gets_a_short_socket_path(tmp_path: Path) -> None:
    deep = Instance("test", tmp_path.joinpath(*["a-long-directory-name"] * 6))
    assert len(os.fsencode(deep.sockets / SOCKET_FILE)) <= 107


def test_only_our_own_directories_get_a_mode(tmp_path: Path) -> None:
    tmp_path.chmod(0o750)
    Instance("test", tmp_path).make_room()
    assert tmp_path.stat().st_mode & 0o777 == 0o750
    shutil.rmtree(Instance("test", tmp_path).family)


def test_programs_named_by_the_user_are_used_or_refused_by_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert programs.find().major in programs.SUPPORTED
    monkeypatch.setenv("SUPPORTDESK_PG_BIN", str(tmp_path))
    with pytest.raises(EmbeddedError, match=f"SUPPORTDESK_PG_BIN is {tmp_path}, but"):
        programs.find()
