"""The desk's own settings in test mode, so that a bare `pytest` works too."""

import os

os.environ.setdefault("SUPPORTDESK_MODE", "test")

from supportdesk.settings import *  # noqa: F403

BRIDGE_URL = "https://meet.desk.example/{ref}"
