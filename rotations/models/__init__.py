"""Schedules and escalation policies as rows; the rules that read them are pure (`schedule`, `escalation`)."""

from rotations.models.changes import Leave, Override, Swap
from rotations.models.duty import CalendarFeed, CallOut, FeedEvent, HandOff, HandOffItem, LeaveCalendar, Shadow
from rotations.models.policy import EscalationPolicy, PolicyRule, severity_choices
from rotations.models.proof import GapPage, Proof
from rotations.models.schedule import Layer, RotationMember, RotationRevision, Schedule

__all__ = [
    "CalendarFeed",
    "CallOut",
    "EscalationPolicy",
    "FeedEvent",
    "GapPage",
    "HandOff",
    "HandOffItem",
    "Layer",
    "Leave",
    "LeaveCalendar",
    "Override",
    "PolicyRule",
    "Proof",
    "RotationMember",
    "RotationRevision",
    "Schedule",
    "Shadow",
    "Swap",
    "severity_choices",
]
