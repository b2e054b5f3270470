"""The doctor's lines about incidents: who has proved that the desk can wake them."""

from __future__ import annotations

from collections.abc import Iterator

from incidents import drills
from supportdesk import instants
from supportdesk.doctor import Ask, Line, ok, warn


def fire_drills() -> Iterator[Line]:
    now = instants.now()
    passed = drills.last_passed()
    if passed is None:
        yield warn("fire drills", "None was ever held: nobody has proved that they wake up.", "manage.py drill")
        return
    late = [
        user.name
        for user in drills.on_call_now(now)
        if str(user.pk) not in passed or now - passed[str(user.pk)] > drills.HOLDS
    ]
    if late:
        yield warn("fire drills", f"{', '.join(late)}: none passed in 30 days.", "manage.py drill --person …")
    else:
        yield ok("fire drills", "Everybody on call has passed one in the last 30 days.")


LINES: tuple[Ask, ...] = (fire_drills,)
