"""`make story NAME=P1`: play a whole emergency under a moved clock against the fake vendors, and write down what
everybody saw to `build/story/`.

Ends with 1 when something that should have happened did not.
"""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

HERE = Path(__file__).resolve().parent
STORIES = {"p1": HERE / "story_p1.py"}


def main(names: list[str]) -> int:
    """Play the stories of these names, all of them where none is named."""
    wanted = [name.lower() for name in names] or list(STORIES)
    unknown = [name for name in wanted if name not in STORIES]
    if unknown:
        sys.stderr.write(f"There is no story {', '.join(unknown)}. There is: {', '.join(STORIES)}.\n")
        return 2
    return int(bool(pytest.main(["-q", "-p", "no:randomly", "--no-header", *(str(STORIES[name]) for name in wanted)])))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
