"""`python -m supportdesk.embedded.hold dev`: the database, for as long as this process lives.

Ends when the database ends, so that the supervisor starts it again.
"""

from __future__ import annotations

import signal
import sys
import time

from supportdesk.embedded import postgres
from supportdesk.embedded.instance import EmbeddedError, Instance


def main(name: str) -> None:
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    instance = Instance(name)
    if not instance.is_running():
        sys.stderr.write("starting PostgreSQL\n")
    postgres.hold(instance)
    while instance.is_running():
        time.sleep(0.25)
    sys.exit(f"PostgreSQL has ended by itself. Its last words are in {instance.log}")


if __name__ == "__main__":
    try:
        main(sys.argv[1])
    except EmbeddedError as error:
        sys.exit(str(error))
