"""Run the measurements of some groups: `python -m tests.bench rules queue`; all of them when none is named.

Each measurement is a script that prints one JSON object. What they found stands in `build/bench.json`, by group and
script, beside what earlier runs found of other groups. Exit code 1 when a script fails or misses a goal it names under
`goals` as false.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]
KEPT = ROOT / "build" / "bench.json"
GROUPS = {
    "rules": ("bench_schedules", "bench_schedules_desk", "bench_clocks", "bench_proof"),
    "queue": ("bench_queue",),
    "intake": ("bench_intake", "bench_intake_peers", "bench_stored"),
}


def measure(script: str) -> dict[str, Any]:
    """What a script found; `failed` is its last words where it did not come to an end."""
    done = subprocess.run([sys.executable, str(HERE / f"{script}.py")], cwd=ROOT, stdout=subprocess.PIPE, text=True)
    try:
        return json.loads(done.stdout)
    except ValueError:
        return {"failed": f"exit code {done.returncode}; it printed {done.stdout[-300:]!r}"}


def missed(found: dict[str, Any]) -> list[str]:
    """The goals that were not met."""
    return (
        ["it failed"] if "failed" in found else [name for name, met in found.get("goals", {}).items() if met is False]
    )


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.bench", description=__doc__)
    parser.add_argument("groups", nargs="*", metavar="GROUP", help=f"any of {', '.join(GROUPS)}")
    wanted = parser.parse_args().groups or list(GROUPS)
    if unknown := set(wanted) - set(GROUPS):
        parser.error(f"there is no group {sorted(unknown)[0]}; there are {', '.join(GROUPS)}")
    kept = json.loads(KEPT.read_text()) if KEPT.exists() else {}
    failures = []
    for group in wanted:
        kept[group] = {script: measure(script) for script in GROUPS[group]}
        failures += [f"{script}: {goal}" for script, found in kept[group].items() for goal in missed(found)]
    KEPT.parent.mkdir(exist_ok=True)
    KEPT.write_text(json.dumps(kept, indent=1) + "\n")
    sys.stdout.write(json.dumps({group: kept[group] for group in wanted}, indent=1) + "\n")
    sys.stderr.writelines(f"missed: {failure}\n" for failure in failures)
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
