"""`python -m supportdesk.embedded.forget dev`: remove an embedded database for good. Needs no installed package."""

from __future__ import annotations

import sys

from supportdesk.embedded.instance import EmbeddedError, Instance

if __name__ == "__main__":
    try:
        Instance(sys.argv[1]).forget()
    except EmbeddedError as error:
        sys.exit(str(error))
