"""Where one embedded PostgreSQL lives, whose it is, and the locks that say who uses it.

A checkout has two instances: `dev` for `make run`, `test` for the tests. Root keeps their files under /var/lib (the
service account may not be able to enter the checkout); everybody else keeps them in the checkout's `.data/`.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import pwd
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

CHECKOUT = Path(__file__).resolve().parents[2]
ROOT_STATE = Path("/var/lib/supportdesk-embedded")
SERVICE_USER = "supportdesk-pg"
NOBODY = 65534
ROLE = DATABASE = "supportdesk"
SOCKET_FILE = ".s.PGSQL.5432"
SOCKET_PATH_LIMIT = 107  # sun_path in Linux holds 108 bytes, the last one is a zero


class EmbeddedError(RuntimeError):
    """The embedded database cannot be had; the text says what happened and what to do."""


@dataclass(frozen=True)
class Account:
    """The operating-system account that PostgreSQL runs as when we are root (it refuses to run as root)."""

    uid: int
    gid: int


@dataclass(frozen=True)
class Instance:
    """One embedded PostgreSQL: a name and the checkout it belongs to. Everything else follows from these two."""

    name: str
    checkout: Path = CHECKOUT

    @property
    def _key(self) -> str:
        return hashlib.sha256(os.fsencode(self.checkout.resolve())).hexdigest()[:10]

    @property
    def family(self) -> Path:
        """The directory that holds all instances of this checkout."""
        return ROOT_STATE / self._key if os.geteuid() == 0 else self.checkout / ".data"

    @property
    def home(self) -> Path:
        return self.family / self.name

    @property
    def data(self) -> Path:
        return self.home / "pg"

    @property
    def sockets(self) -> Path:
        """The directory of the Unix socket. A deep checkout gets a short one in /tmp: socket paths are limited."""
        inside = self.home / "socket"
        if len(os.fsencode(inside / SOCKET_FILE)) <= SOCKET_PATH_LIMIT:
            return inside
        return Path(f"/tmp/.supportdesk-{os.geteuid()}-{self._key}-{self.name}")  # noqa: S108  (owner checked on use)

    @property
    def passfile(self) -> Path:
        """libpq's password file: the settings name it, so no password is ever part of the settings."""
        return self.home / "passfile"

    @property
    def log(self) -> Path:
        return self.home / "postgres.log"

    @property
    def start_lock(self) -> Path:
        """Held while the database is being prepared and started: two starters at once become one after the other."""
        return self.home / "start.lock"

    @property
    def users_lock(self) -> Path:
        """Held shared by everyone who uses the database; the kernel lets go of it for the dead."""
        return self.home / "users.lock"

    @property
    def keeper_lock(self) -> Path:
        """Held by the keeper for as long as it lives."""
        return self.home / "keeper.lock"

    @property
    def is_disposable(self) -> bool:
        """The test instance may lose its data at any time: it runs without fsync and is made anew when in doubt."""
        return self.name != "dev"

    def make_room(self) -> None:
        """Create the directories. Only directories made here get a mode; nobody else's is ever changed."""
        mode = 0o711 if os.geteuid() == 0 else 0o700
        outermost = ROOT_STATE if os.geteuid() == 0 else self.family
        try:
            for directory in dict.fromkeys((outermost, self.family, self.home)):
                make_directory(directory, mode)
        except PermissionError as error:
            raise EmbeddedError(
                f"The database's directory {self.home} cannot be written by {_whoami()}. Nothing was changed.\n"
                "If an earlier run was made by another user, run as that user or remove that directory."
            ) from error
        note = self.family / "checkout"
        if not note.exists():
            note.write_text(f"{self.checkout}\n")

    def is_running(self) -> bool:
        """Whether the database has a keeper, which means that it runs or is about to."""
        return self.home.exists() and is_taken(self.keeper_lock)

    def has_users(self) -> bool:
        """Whether any process holds the database; the keeper itself does not count."""
        return self.home.exists() and is_shared(self.users_lock)

    def forget(self) -> None:
        """Remove the database with all its data. Refused while somebody uses it."""
        if self.is_running():
            raise EmbeddedError(f"The {self.name} database is in use, so nothing was removed. Stop `make run` first.")
        for directory in (self.home, self.sockets):
            shutil.rmtree(directory, ignore_errors=True)
        if {entry.name for entry in self.family.glob("*")} <= {"checkout", "runtime"}:  # that was the last one
            shutil.rmtree(self.family, ignore_errors=True)


def make_directory(path: Path, mode: int, owner: Account | None = None) -> None:
    """Create one directory with exactly this mode and owner; an existing one is left as it is."""
    try:
        path.mkdir()
    except FileExistsError:
        return
    path.chmod(mode)  # mkdir's own mode is subject to the umask
    if owner is not None:
        os.chown(path, owner.uid, owner.gid)


def service_account(instance: Instance) -> Account | None:
    """Whom PostgreSQL runs as; None is ourselves. For root: the owner of existing data, else `supportdesk-pg`."""
    if os.geteuid() != 0:
        return None
    if instance.data.exists() and (owner := instance.data.stat()).st_uid != 0:
        return Account(owner.st_uid, owner.st_gid)
    try:
        entry = pwd.getpwnam(SERVICE_USER)
    except KeyError:
        return _new_account()
    return Account(entry.pw_uid, entry.pw_gid)


def _new_account() -> Account:
    useradd = shutil.which("useradd", path=f"{os.environ.get('PATH', os.defpath)}:/usr/sbin:/sbin")
    if useradd:
        closed = (
            "--system",
            "--user-group",
            "--no-create-home",
            "--home-dir=/nonexistent",
            "--shell=/usr/sbin/nologin",
        )
        made = subprocess.run([useradd, *closed, SERVICE_USER], capture_output=True, text=True)
        try:
            entry = pwd.getpwnam(SERVICE_USER)  # also when a twin of ours was quicker
            return Account(entry.pw_uid, entry.pw_gid)
        except KeyError:
            reason = made.stderr.strip()
    else:
        reason = "there is no useradd here"
    sys.stderr.write(
        f"The account {SERVICE_USER} could not be created ({reason}).\n"
        f"PostgreSQL refuses to run as root, so the embedded database runs as uid {NOBODY} (nobody) instead.\n"
    )
    return Account(NOBODY, NOBODY)


def _whoami() -> str:
    try:
        return pwd.getpwuid(os.geteuid()).pw_name
    except KeyError:
        return f"uid {os.geteuid()}"


@contextmanager
def locked(path: Path) -> Iterator[None]:
    """Wait for, then hold, the exclusive lock of this file."""
    handle = open_lock(path)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield
    finally:
        os.close(handle)


def try_lock(path: Path) -> int | None:
    """The open file that holds the exclusive lock until it is closed, or None when somebody else has it."""
    handle = open_lock(path)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(handle)
        return None
    return handle


def is_taken(path: Path) -> bool:
    """Whether somebody holds this lock alone. Any number of processes may look at once."""
    return not _can_lock(path, fcntl.LOCK_SH)


def is_shared(path: Path) -> bool:
    """Whether somebody holds this lock together with others, as users of the database do."""
    return not is_taken(path) and not _can_lock(path, fcntl.LOCK_EX)


def _can_lock(path: Path, kind: int) -> bool:
    handle = open_lock(path)
    try:
        fcntl.flock(handle, kind | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    finally:
        os.close(handle)
    return True


def open_lock(path: Path) -> int:
    return os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
