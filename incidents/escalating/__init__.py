"""Carrying out escalations: the pure engine decides, this writes what it decided as pages, deliveries, entries and
timers.

Called by verbs, inside their transaction, with the incident locked. `starting` begins, `running` feeds what runs,
`carrying` writes its effects (`pages`, `channels`), `keeping` knows quiet hours, `stopping` ends, `calling` calls by
name.
"""

from incidents.escalating.calling import page_commander, page_duty_manager, page_incoming
from incidents.escalating.pages import REASONS, UPDATE_LATE
from incidents.escalating.running import ADVANCE, feed, has_somebody, is_paged_by_vendor
from incidents.escalating.starting import change_severity, policy_for, start, start_for
from incidents.escalating.stopping import hurry, hush, stop_pages
from rotations.escalation.chain import URGENT

__all__ = [
    "ADVANCE",
    "REASONS",
    "UPDATE_LATE",
    "URGENT",
    "change_severity",
    "feed",
    "has_somebody",
    "hurry",
    "hush",
    "is_paged_by_vendor",
    "page_commander",
    "page_duty_manager",
    "page_incoming",
    "policy_for",
    "start",
    "start_for",
    "stop_pages",
]
