"""The embedded PostgreSQL: a real database for the demo and the tests, with nothing to install or to configure.

    DATABASES = {"default": postgres.database(BASE_DIR, "dev")}     # settings: touches nothing yet
    postgres.hold(instance)                                         # running from here to the end of this process

Whoever uses the database holds it; it starts with the first holder and stops after the last one (`guardian.keep`). It
listens on a Unix socket in a closed directory, never on the network, and asks for a password.
"""

from __future__ import annotations

import fcntl
import json
import os
import secrets
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import psycopg
from psycopg import pq, sql
from psycopg.conninfo import make_conninfo

from supportdesk.embedded import guardian
from supportdesk.embedded.instance import (
    CHECKOUT,
    DATABASE,
    ROLE,
    SOCKET_FILE,
    SOCKET_PATH_LIMIT,
    Account,
    EmbeddedError,
    Instance,
    is_taken,
    locked,
    make_directory,
    open_lock,
    service_account,
)
from supportdesk.embedded.programs import OVERRIDE, Programs, find, installed, runnable_by

ENGINE = "supportdesk.embedded.backend"
HELD = "SUPPORTDESK_DATABASE_HELD"  # environment: the instance (its home) that a process above us holds for us
START_TIMEOUT = 60.0  # seconds: recovery after a crash takes its time
LOG_LIMIT = 5_000_000  # bytes; a longer log is set aside once
SETTINGS = {
    "listen_addresses": "",
    "unix_socket_permissions": "0700",
    "max_connections": "100",
    "timezone": "UTC",
    "log_timezone": "UTC",
    "jit": "off",
    "max_parallel_workers_per_gather": "0",  # containers have little /dev/shm
}
DISPOSABLE_SETTINGS = {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off"}

_holds: dict[Instance, int] = {}


def database(checkout: Path = CHECKOUT, name: str = "dev") -> dict[str, Any]:
    """The DATABASES entry for this checkout's instance. Starts nothing: the first connection does."""
    instance = Instance(name, checkout)
    return {
        "ENGINE": ENGINE,
        "EMBEDDED": instance,
        "NAME": DATABASE,
        "USER": ROLE,
        "HOST": str(instance.sockets),
        "PORT": "5432",
        "OPTIONS": {"passfile": str(instance.passfile)},
    }


def url(instance: Instance, name: str = DATABASE) -> str:
    """A DATABASE_URL for a held instance, password included: for programs that do not read our settings."""
    password = instance.passfile.read_text().strip().rsplit(":", 1)[1]
    return f"postgres://{ROLE}:{password}@/{name}?{urlencode({'host': instance.sockets, 'port': 5432})}"


def hold(instance: Instance) -> None:
    """Have the database running from now until `release` or the end of this process. Raises EmbeddedError."""
    if instance in _holds or os.environ.get(HELD) == str(instance.home):
        return
    instance.make_room()
    with locked(instance.start_lock):
        if instance in _holds:  # another thread of this process was quicker
            return
        users = open_lock(instance.users_lock)
        try:
            fcntl.flock(users, fcntl.LOCK_SH)  # waits for a keeper that is just stopping the database
            if not is_taken(instance.keeper_lock):
                _start(instance)
            _wait_until_ready(instance)
            _create_database(instance)
        except BaseException:
            os.close(users)
            raise
    _holds[instance] = users


def release(instance: Instance) -> None:
    """Stop using the database; it stops when nobody else does."""
    os.close(_holds.pop(instance))


def _start(instance: Instance) -> None:
    account = service_account(instance)
    programs = runnable_by(find(), account, instance)
    _end_leftovers(instance)
    _make_socket_directory(instance, account)
    if not _is_usable(instance, programs):
        _initialise(instance, programs, account)
    settings = SETTINGS | (DISPOSABLE_SETTINGS if instance.is_disposable else {})
    argv = [programs.bin / "postgres", "-D", instance.data, "-k", instance.sockets]
    for name, value in settings.items():
        argv += ["-c", f"{name}={value}"]
    order = {
        "argv": [str(part) for part in argv],
        "uid": account and account.uid,
        "gid": account and account.gid,
        "users_lock": str(instance.users_lock),
        "keeper_lock": str(instance.keeper_lock),
    }
    if instance.log.exists() and instance.log.stat().st_size > LOG_LIMIT:
        instance.log.rename(instance.log.with_suffix(".log.1"))
    with instance.log.open("ab") as log:
        subprocess.run(
            [sys.executable, "-I", "-S", guardian.__file__, "keep", json.dumps(order)],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            cwd="/",
            env=_environment(),
            start_new_session=True,
            check=True,
        )


def _environment() -> dict[str, str]:
    """What PostgreSQL's programs see: no PG* variable of the caller, and no locale but C."""
    kept = {name: os.environ[name] for name in ("LD_LIBRARY_PATH",) if name in os.environ}
    return {"PATH": os.defpath, "LANG": "C", "TZ": "UTC", **kept}


def _server(instance: Instance) -> dict[str, Any]:
    return {"host": str(instance.sockets), "port": 5432, "user": ROLE, "dbname": "postgres"}


def _wait_until_ready(instance: Instance) -> None:
    conninfo = make_conninfo(**_server(instance), connect_timeout=2).encode()
    deadline = time.monotonic() + START_TIMEOUT
    while pq.PGconn.ping(conninfo) != pq.Ping.OK:
        if not is_taken(instance.keeper_lock):
            raise EmbeddedError(f"PostgreSQL ended while starting. Its last words ({instance.log}):\n{_tail(instance)}")
        if time.monotonic() > deadline:
            raise EmbeddedError(
                f"PostgreSQL was not ready after {START_TIMEOUT:.0f} s; it may still be recovering from a crash.\n"
                f"Your data are untouched. Try again, or read {instance.log}:\n{_tail(instance)}"
            )
        time.sleep(0.02)


def _tail(instance: Instance) -> str:
    return instance.log.read_text(errors="replace")[-800:].strip()


def _create_database(instance: Instance) -> None:
    try:
        connection = psycopg.connect(**_server(instance), passfile=str(instance.passfile), autocommit=True)
    except psycopg.OperationalError as error:
        raise EmbeddedError(f"The embedded PostgreSQL refuses us: {error}") from error
    with connection:
        if not connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", [DATABASE]).fetchone():
            connection.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(DATABASE)))


def _is_usable(instance: Instance, programs: Programs) -> bool:
    """Whether there are data for these programs. Data of another version are kept, unless they are disposable."""
    version_file = instance.data / "PG_VERSION"
    if not version_file.exists():
        return False
    found = version_file.read_text().strip()
    if found == str(programs.major) and instance.passfile.exists():
        return True
    if instance.is_disposable:
        shutil.rmtree(instance.data)
        return False
    if found == str(programs.major):
        raise EmbeddedError(
            f"{instance.passfile} is missing, so nobody can log in to the database beside it.\n"
            "Nothing was changed. Bring the file back, or begin with new demo data: make clean-data"
        )
    raise EmbeddedError(
        f"The data in {instance.data} are of PostgreSQL {found}, "
        f"but the programs in {programs.bin} are of {programs.major}.\n"
        "Nothing was changed, your data are kept. To go on:\n"
        f"  - with these data: {_programs_for(found)}\n"
        "  - with new demo data: make clean-data"
    )


def _programs_for(version: str) -> str:
    for directory in installed():
        if str(directory.parent.name).endswith(version):
            return f"set {OVERRIDE}={directory}"
    return f"install PostgreSQL {version} and set {OVERRIDE} to its bin directory"


def _initialise(instance: Instance, programs: Programs, account: Account | None) -> None:
    """Make a new, empty cluster. It appears at its place only when complete: a kill half-way leaves nothing to mend."""
    fresh, password_file = instance.home / "pg.new", instance.home / "password.new"
    shutil.rmtree(fresh, ignore_errors=True)
    make_directory(fresh, 0o700, account)
    password = secrets.token_urlsafe(24)
    _write_secret(password_file, password, account)
    locale = ["--locale-provider=builtin", "--builtin-locale=C.UTF-8", "--no-locale"]
    try:
        subprocess.run(
            [
                *(programs.bin / "initdb", "--pgdata", fresh, "--username", ROLE, "--pwfile", password_file),
                *("--auth=scram-sha-256", "--encoding=UTF8", "--no-instructions"),
                *(locale if programs.major >= 17 else ["--locale=C.UTF-8"]),
                *(["--no-sync"] if instance.is_disposable else []),
            ],
            capture_output=True,
            text=True,
            check=True,
            cwd="/",
            env=_environment(),
            **_as_account(account),
        )
    except subprocess.CalledProcessError as error:
        raise EmbeddedError(f"PostgreSQL's initdb failed; nothing was kept.\n{error.stderr}{error.stdout}") from error
    finally:
        password_file.unlink()
    _write_secret(instance.passfile, f"*:*:*:{ROLE}:{password}\n", None)
    shutil.rmtree(instance.data, ignore_errors=True)  # at most the ruin of an interrupted start: it has no PG_VERSION
    fresh.rename(instance.data)


def _as_account(account: Account | None) -> dict[str, Any]:
    return {} if account is None else {"user": account.uid, "group": account.gid, "extra_groups": []}


def _write_secret(path: Path, text: str, owner: Account | None) -> None:
    path.unlink(missing_ok=True)
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        file.write(text)
    if owner is not None:
        os.chown(path, owner.uid, owner.gid)


def _make_socket_directory(instance: Instance, account: Account | None) -> None:
    directory = instance.sockets
    if len(os.fsencode(directory / SOCKET_FILE)) > SOCKET_PATH_LIMIT:
        raise EmbeddedError(f"The name {instance.name!r} is too long for a socket path. Choose a shorter one.")
    make_directory(directory, 0o700, account)
    found = directory.lstat()
    if found.st_uid != (account.uid if account else os.geteuid()) or found.st_mode & 0o7777 != 0o700:
        raise EmbeddedError(f"{directory} exists but is not ours alone. Nothing was started; remove it and try again.")


def _end_leftovers(instance: Instance) -> None:
    """Without a keeper nothing may run here: end what does; remove a lock file that names a dead or foreign process."""
    for number, patience in ((signal.SIGINT, 10.0), (signal.SIGKILL, 10.0)):
        deadline = time.monotonic() + patience
        for pid in _processes_in(instance.data):
            guardian.send(pid, number)
        while _processes_in(instance.data) and time.monotonic() < deadline:
            time.sleep(0.05)
    if pids := _processes_in(instance.data):
        raise EmbeddedError(f"Processes {pids} still work in {instance.data} and do not end. Nothing was started.")
    (instance.data / "postmaster.pid").unlink(missing_ok=True)


def _processes_in(directory: Path) -> list[int]:
    """The PostgreSQL processes, parent and children, whose working directory this is."""
    found = []
    for entry in Path("/proc").glob("[0-9]*"):
        try:
            is_here = Path(os.readlink(entry / "cwd")) == directory.resolve()
            if is_here and (entry / "comm").read_text().strip() == "postgres":
                found.append(int(entry.name))
        except OSError:  # gone meanwhile, or another user's
            continue
    return found
