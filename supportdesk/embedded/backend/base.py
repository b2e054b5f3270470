"""Django's PostgreSQL, which has the embedded database running before it connects."""

from __future__ import annotations

from typing import Any

from django.db.backends.postgresql import base
from django.db.utils import OperationalError

from supportdesk.embedded import postgres
from supportdesk.embedded.instance import EmbeddedError


class DatabaseWrapper(base.DatabaseWrapper):
    """Any command works at any time: it finds `make run`'s database, or starts it and stops it again at its own end."""

    def get_new_connection(self, conn_params: dict[str, Any]) -> Any:
        try:
            postgres.hold(self.settings_dict["EMBEDDED"])
        except EmbeddedError as error:
            raise OperationalError(str(error)) from error
        return super().get_new_connection(conn_params)
