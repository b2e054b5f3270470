"""Peers that measurements run beside ours: each installed into an environment of its own under build/peers."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

PEERS = Path(__file__).resolve().parents[2] / "build" / "peers"
INSTALL_WITHIN = 180.0


class Absent(Exception):
    """This peer cannot be had here; the text says why."""


def python_of(name: str) -> str:
    return str(PEERS / name / "bin" / "python")


def install(name: str, *packages: str) -> str:
    """Have the packages, in an environment of their own; returns its Python. Raises `Absent`."""
    python, place = python_of(name), PEERS / name
    if Path(python).exists():
        return python
    try:
        subprocess.run([sys.executable, "-m", "venv", place], check=True, capture_output=True)
        pip = [python, "-m", "pip", "install", "-q", "--disable-pip-version-check", *packages]
        subprocess.run(pip, check=True, capture_output=True, timeout=INSTALL_WITHIN)
    except (subprocess.SubprocessError, OSError) as error:
        shutil.rmtree(place, ignore_errors=True)
        raise Absent(f"pip cannot install {' '.join(packages)}: {error}") from error
    return python
