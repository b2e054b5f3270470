"""The process groups of the clusters: who still works, who runs old code, and ending one that is wedged."""

from __future__ import annotations

import logging
import os
import signal
import socket
from collections.abc import Sequence
from datetime import datetime, timedelta

from supportdesk import instants, version
from supportdesk.auditor import canary
from supportdesk.queue.models import Heartbeat

log = logging.getLogger("supportdesk.auditor")

FRESH = timedelta(seconds=90)
DEPLOYING = timedelta(minutes=3)  # old and new side by side for so long is a deployment, not a ghost


def restart_lanes(subjects: Sequence[str]) -> str:
    """End the process groups of lanes that do nothing; their supervisors start fresh ones. Only on this machine."""
    ended = [f"{lane} (group {group})" for subject in subjects for lane, group in _end(subject.removeprefix("lane:"))]
    if not ended:
        return "There was no process group of it on this machine."
    return f"Ended {', '.join(ended)}: starting again."


def _end(lane: str) -> list[tuple[str, int]]:
    found = []
    for beat in Heartbeat.objects.filter(name__startswith=f"worker:{lane}:"):
        group = beat.detail.get("group")
        is_here = beat.detail.get("host") == socket.gethostname()
        # The number alone may be somebody else's by now; with the instant it began at, it is ours.
        if is_here and isinstance(group, int) and beat.detail.get("began") and _is(group, beat.detail["began"]):
            log.critical("the %s cluster takes tasks and does none: ending its process group %s", lane, group)
            os.killpg(group, signal.SIGKILL)
            found.append((lane, group))
    return found


def _is(group: int, began: str) -> bool:
    return group > 1 and group != os.getpgid(0) and canary.began(group) == began


def ghosts(now: datetime) -> Sequence[tuple[str, str]]:
    """Workers that did something lately with code that is not the newest, though the newest has been here a while."""
    beats = list(Heartbeat.objects.filter(name__startswith="worker:", at__gte=now - FRESH))
    mine = version.code()
    first = Heartbeat.objects.filter(name=f"version:{mine}").first()
    if first is None or first.at > now - DEPLOYING:
        return ()
    return [
        (beat.name, f"the {beat.detail.get('lane')} cluster on {beat.detail.get('host')} runs {beat.detail['version']}")
        for beat in beats
        if beat.detail.get("version", mine) != mine
    ]


def note_version(now: datetime) -> None:
    """Remember when the auditor first ran with this code."""
    Heartbeat.objects.get_or_create(name=f"version:{version.code()}", defaults={"at": now, "detail": {}})


def forget_the_dead() -> None:
    """Groups nobody has heard of for an hour, and versions of a month ago."""
    now = instants.now()
    Heartbeat.objects.filter(name__startswith="worker:", at__lt=now - timedelta(hours=1)).delete()
    Heartbeat.objects.filter(name__startswith="version:", at__lt=now - timedelta(days=30)).exclude(
        name=f"version:{version.code()}"
    ).delete()
