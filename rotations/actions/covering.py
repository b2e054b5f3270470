"""No save opens a hole by accident: a gap that begins within fourteen days has to be confirmed (§4.2)."""

from __future__ import annotations

from rotations import coverage, oncall
from rotations.coverage import Action, Kind, Sweep
from rotations.models import Schedule
from rotations.schedule import Schedule as Compiled
from supportdesk import instants
from supportdesk.errors import WrongState


def require_cover(row: Schedule, before: Compiled, *, confirmed: bool) -> None:
    """Raise where the schedule as it is saved now leaves nobody on duty, soon, where `before` had somebody."""
    if confirmed:
        return
    now = instants.now()
    after = oncall.schedule(row)
    for finding in coverage.findings(after, now, now + coverage.GAP_BLOCKS_WITHIN, Sweep(now, is_save=True)):
        is_hole = finding.kind is Kind.GAP and finding.action is Action.BLOCK
        if is_hole and before.shifts(finding.start, finding.end).primary:
            raise WrongState(
                f"With this nobody would be on duty from {finding.start:%Y-%m-%d %H:%M} to "
                f"{finding.end:%Y-%m-%d %H:%M} UTC. Nothing was saved; confirm it if that is meant."
            )
