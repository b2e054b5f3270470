"""What timers call: thin doors, named by dotted strings in the rows that call them."""

from __future__ import annotations

from datetime import datetime

from rotations import actions
from supportdesk import actors
from supportdesk.queue.models import Timer


def plan_hand_off(timer: Timer) -> None:
    """A schedule changed: its next hand-off may be another one."""
    actions.plan_hand_off(timer.args["schedule"])


def remind_of_note(timer: Timer) -> None:
    """A shift ends soon."""
    at = datetime.fromisoformat(timer.args["at"])
    actions.remind_of_note(timer.args["schedule"], actor=actors.desk("rota"), at=at)


def change_shift(timer: Timer) -> None:
    """The next shift begins."""
    said = timer.args
    actions.change_shift(
        said["schedule"],
        actor=actors.desk("rota"),
        at=datetime.fromisoformat(said["at"]),
        outgoing=said["outgoing"],
        incoming=said["incoming"],
    )


def expire_swap(timer: Timer) -> None:
    """The time of an offered swap has begun."""
    actions.expire_swap(int(timer.subject.removeprefix("swap:")), actor=actors.desk("rota"))


def relieve(timer: Timer) -> None:
    """Somebody's call-out is over: they rest."""
    actions.relieve(timer.args["user"], actor=actors.desk("fatigue"))


def read_leave_calendar(timer: Timer) -> None:
    """Night: see who will be away."""
    actions.plan_reading(timer.args["calendar"])


def fetch_leave_calendar(calendar_id: int) -> None:
    """The reading itself: a task of its own, since it waits for somebody else's server."""
    actions.read_calendar(calendar_id)
