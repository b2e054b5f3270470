"""The incident and what hangs on it, gathered for Django; each room has its own file."""

from incidents.models.alert import Alert, AlertStorm
from incidents.models.calling import EmergencyCall
from incidents.models.clock import Breach, ClockEvent, LedgerHead, LedgerSeal, SlaClock
from incidents.models.exception import FollowUp, GoodwillGrant, SeverityDispute
from incidents.models.incident import Incident, TimelineEntry
from incidents.models.mail import Attachment, HeldMail
from incidents.models.monitoring import (
    AlertRule,
    AnomalyFiring,
    HeartbeatMonitor,
    HeartbeatPing,
    MaintenanceWindow,
    Series,
    SeriesMarker,
    SeriesPoint,
)
from incidents.models.paging import Escalation, Page
from incidents.models.stakeholders import Stakeholder
from incidents.models.status import (
    Component,
    ComponentState,
    Notice,
    NoticeUpdate,
    StatusPage,
    StatusReader,
    Subscriber,
)
from incidents.models.war_room import (
    Briefing,
    Checklist,
    HeldRole,
    Prompt,
    Runbook,
    RunbookVersion,
    Survey,
    Task,
    WarRoom,
)

__all__ = [
    "Alert",
    "AlertRule",
    "AlertStorm",
    "AnomalyFiring",
    "Attachment",
    "Breach",
    "Briefing",
    "Checklist",
    "ClockEvent",
    "Component",
    "ComponentState",
    "EmergencyCall",
    "Escalation",
    "FollowUp",
    "GoodwillGrant",
    "HeartbeatMonitor",
    "HeartbeatPing",
    "HeldMail",
    "HeldRole",
    "Incident",
    "LedgerHead",
    "LedgerSeal",
    "MaintenanceWindow",
    "Notice",
    "NoticeUpdate",
    "Page",
    "Prompt",
    "Runbook",
    "RunbookVersion",
    "Series",
    "SeriesMarker",
    "SeriesPoint",
    "SeverityDispute",
    "SlaClock",
    "Stakeholder",
    "StatusPage",
    "StatusReader",
    "Subscriber",
    "Survey",
    "Task",
    "TimelineEntry",
    "WarRoom",
]
