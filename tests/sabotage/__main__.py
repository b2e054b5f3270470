"""`python -m tests.sabotage --minutes 60`: a whole desk with real processes on a database of its own. Sabotage first,
then the soak: emergencies come and go, processes are restarted gently, and nobody may be alarmed for nothing.

Prints one JSON object; exit 1 where a fault went unnoticed or an alarm was false.
"""

from __future__ import annotations

import argparse
import json
import sys

from tests.sabotage.running import Desk, sabotage, soak


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.sabotage")
    parser.add_argument("--minutes", type=float, default=60.0, help="length of the soak")
    asked = parser.parse_args()
    with Desk(every=10.0) as desk:
        noticed = sabotage(desk)
        false_alarms = soak(desk, asked.minutes)
    result = {"noticed_within_s": noticed, "soak_minutes": asked.minutes, "false_alarms": false_alarms}
    sys.stdout.write(json.dumps(result, indent=2) + "\n")
    return 1 if false_alarms or any(seconds is None or seconds > 120 for seconds in noticed.values()) else 0


if __name__ == "__main__":
    sys.exit(main())
