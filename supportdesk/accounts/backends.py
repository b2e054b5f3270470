"""Log-in by e-mail and password, and what a role may do in the back office."""

from __future__ import annotations

from typing import Any

from allauth.account.auth_backends import AuthenticationBackend

from supportdesk.actors import Role

_MANAGED_APPS = {"supportdesk", "rotations", "incidents", "reports"}


class RoleBackend(AuthenticationBackend):
    """Managers may view, add and change everything of ours; deleting and the rest stay with superusers."""

    def has_perm(self, user_obj: Any, perm: str, obj: Any = None) -> bool:
        if not user_obj.is_active:
            return False
        if user_obj.is_superuser:
            return True
        if getattr(obj, "is_superuser", False):
            return False  # nobody rises by changing somebody above them
        app, _, codename = perm.partition(".")
        return user_obj.role == Role.MANAGER and app in _MANAGED_APPS and not codename.startswith("delete_")

    def has_module_perms(self, user_obj: Any, app_label: str) -> bool:
        return user_obj.is_active and (
            user_obj.is_superuser or (user_obj.role == Role.MANAGER and app_label in _MANAGED_APPS)
        )
