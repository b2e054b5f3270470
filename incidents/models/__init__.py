"""The incident and what hangs on it, gathered for Django; each room has its own file."""

from incidents.models.alert import Alert
from incidents.models.clock import Breach, ClockEvent, LedgerHead, LedgerSeal, SlaClock
from incidents.models.exception import FollowUp, GoodwillGrant, SeverityDispute
from incidents.models.incident import Incident, TimelineEntry
from incidents.models.paging import Escalation, Page
from incidents.models.status import Component, Notice, NoticeUpdate, StatusPage

__all__ = [
    "Alert",
    "Breach",
    "ClockEvent",
    "Component",
    "Escalation",
    "FollowUp",
    "GoodwillGrant",
    "Incident",
    "LedgerHead",
    "LedgerSeal",
    "Notice",
    "NoticeUpdate",
    "Page",
    "SeverityDispute",
    "SlaClock",
    "StatusPage",
    "TimelineEntry",
]
