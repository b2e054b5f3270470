"""The ASGI entry point: live updates only; pages are served under WSGI (see docs/decisions)."""

from supportdesk.live import application

__all__ = ["application"]
