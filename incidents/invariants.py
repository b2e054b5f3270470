"""What must be true of incidents: everything open has a future, somebody was told, nothing was rewritten."""

from __future__ import annotations

from collections.abc import Sequence

from django.db import transaction

from incidents import escalating
from incidents.models import Escalation, Incident
from supportdesk import instants
from supportdesk.auditor.invariants import Invariant
from supportdesk.errors import DeskError
from supportdesk.queue import timers

# Open, urgent, worked now, and nobody has it: what the desk exists for.
_RINGING = """
    NOT (incident.status IN ('follow_up', 'closed', 'cancelled', 'merged')) AND incident.status <> 'resolved'
    AND incident.engagement = 'now' AND incident.acknowledged_name = '' AND incident.severity IN ('P1', 'P2')
"""
_MINUTE_AGO = "%(now)s::timestamptz - interval '60 seconds'"


def rearm(subjects: Sequence[str]) -> str:
    """Give escalations that have stopped their next step, now: the same timer the verbs arm."""
    mended = []
    for subject in subjects:
        pk = int(subject.removeprefix("incident:"))
        with transaction.atomic():
            try:
                incident = Incident.objects.lock(pk)
            except DeskError:
                continue
            escalation = Escalation.objects.filter(incident=incident).first()
            now = instants.now()
            if escalation is None:
                escalating.start(incident)
            else:
                key = f"escalation:{pk}:{incident.generation}:audited:{now.isoformat()}"
                planned = timers.Planned(key, escalating.ADVANCE, incident.subject, now, incident.generation)
                timers.arm([planned])
            mended.append(incident.ref)
    return f"Set going again: {', '.join(mended)}." if mended else ""


FUTURE = Invariant(
    "I1-escalation",
    "An emergency nobody has acknowledged has stopped escalating",
    "The auditor sets it going once. Page somebody by hand now; then look at the incident's escalation.",
    sql=f"""
    SELECT 'incident:' || incident.id AS subject,
           CASE WHEN escalation.id IS NULL THEN 'no escalation was ever begun'
                WHEN escalation.next_at IS NULL THEN 'its next step has no time'
                WHEN escalation.next_at < {_MINUTE_AGO} THEN
                     'its next step was due ' || to_char(escalation.next_at, 'HH24:MI:SS') || ' UTC'
                ELSE 'no timer will take its next step' END AS detail
      FROM incidents_incident AS incident
      LEFT JOIN incidents_escalation AS escalation ON escalation.incident_id = incident.id
     WHERE {_RINGING}
       AND (escalation.status IS NULL OR escalation.status IN ('idle', 'triggered', 'exhausted'))
       AND (escalation.next_at IS NULL OR escalation.next_at < {_MINUTE_AGO} OR NOT EXISTS (
            SELECT 1 FROM supportdesk_timer AS timer WHERE timer.subject = 'incident:' || incident.id
               AND timer.run = 'incidents.tasks.advance' AND timer.state IN ('armed', 'handed')))
    """,  # noqa: S608 (no value is in the text)
    mend=rearm,
)
TOLD = Invariant(
    "I2-paged",
    "An emergency is older than a minute and no page for it was accepted",
    "Page somebody by hand. The incident's timeline says who was to be paged and what became of it.",
    sql=f"""
    SELECT 'incident:' || incident.id AS subject, incident.severity || ': ' || left(incident.title, 80) AS detail
      FROM incidents_incident AS incident
     WHERE {_RINGING} AND incident.received_at < {_MINUTE_AGO}
       AND NOT EXISTS (SELECT 1 FROM supportdesk_delivery AS delivery
                        WHERE delivery.subject = 'incident:' || incident.id AND delivery.kind = 'page'
                          AND delivery.sent_at IS NOT NULL)
       AND NOT EXISTS (SELECT 1 FROM incidents_escalation AS escalation
                        WHERE escalation.incident_id = incident.id AND escalation.status = 'suppressed')
       AND NOT EXISTS (SELECT 1 FROM incidents_page AS page WHERE page.incident_id = incident.id
                          AND page.state = 'open' AND page.kept_until > %(now)s)
       AND coalesce((SELECT max(entry.at) FROM incidents_timelineentry AS entry
                      WHERE entry.incident_id = incident.id
                        AND entry.kind IN ('decided', 'severity_changed', 'reopened', 'desk_opened')),
                    incident.received_at) < {_MINUTE_AGO}
    """,  # noqa: S608
)
STEPS = Invariant(
    "I5-steps",
    "A step of an escalation paged nobody and said nothing",
    "Look at the incident's escalation and at the policy's step.",
    sql=f"""
    SELECT 'incident:' || incident.id AS subject, 'step ' || (entry.data->>'step') AS detail
      FROM incidents_incident AS incident JOIN incidents_timelineentry AS entry ON entry.incident_id = incident.id
     WHERE {_RINGING} AND entry.kind = 'step_fired' AND entry.at < {_MINUTE_AGO}
       AND NOT EXISTS (SELECT 1 FROM incidents_page AS page WHERE page.incident_id = incident.id
                          AND abs(extract(epoch FROM page.created_at - entry.at)) < 5)
       AND NOT EXISTS (SELECT 1 FROM incidents_timelineentry AS said WHERE said.incident_id = incident.id
                          AND said.kind IN ('nobody_on_call', 'person_skipped', 'channel_missing', 'step_skipped')
                          AND abs(extract(epoch FROM said.at - entry.at)) < 5)
       AND NOT EXISTS (SELECT 1 FROM supportdesk_delivery AS told WHERE told.subject = 'incident:' || incident.id
                          AND told.kind IN ('page', 'oncall')
                          AND abs(extract(epoch FROM told.planned_at - entry.at)) < 5)
       AND EXISTS (SELECT 1 FROM incidents_escalation AS escalation WHERE escalation.incident_id = incident.id
                      AND NOT EXISTS (SELECT 1 FROM incidents_page AS page WHERE page.incident_id = incident.id
                                         AND page.state = 'open'))
    """,  # noqa: S608
)
CLOCKS = Invariant(
    "I7-clocks",
    "A promise is being measured and nothing would notice its breach",
    "Open the incident and post an update: that arms its clocks anew. Then look for quarantined timers.",
    sql=f"""
    SELECT 'incident:' || clock.incident_id AS subject, clock.kind || ' ' || clock.cycle || ' due '
           || to_char(clock.due_at, 'YYYY-MM-DD HH24:MI:SS') || ' UTC' AS detail
      FROM incidents_slaclock AS clock
     WHERE clock.state = 'running' AND clock.due_at IS NOT NULL AND (
           (clock.due_at > %(now)s AND NOT EXISTS (
                SELECT 1 FROM supportdesk_timer AS timer
                 WHERE timer.subject = 'incident:' || clock.incident_id AND timer.run = 'incidents.tasks.sla_threshold'
                   AND timer.state IN ('armed', 'handed') AND timer.args->>'kind' = clock.kind
                   AND (timer.args->>'cycle')::int = clock.cycle))
           OR (clock.due_at < {_MINUTE_AGO} AND clock.kind <> 'ack' AND NOT EXISTS (
                SELECT 1 FROM incidents_breach AS breach WHERE breach.incident_id = clock.incident_id
                   AND breach.kind = clock.kind AND breach.cycle = clock.cycle)))
    """,  # noqa: S608
)
PAUSES = Invariant(
    "I9-pauses",
    "Something waits for an instant that will never come",
    "Open the incident: it waits for the desk to open, or somebody has it, and nothing will ask again.",
    sql=f"""
    SELECT 'incident:' || incident.id AS subject, 'waits for the desk to open, and no timer will' AS detail
      FROM incidents_incident AS incident
     WHERE incident.engagement = 'queued' AND incident.queued_until IS NOT NULL
       AND NOT (incident.status IN ('follow_up', 'closed', 'cancelled', 'merged')) AND incident.status <> 'resolved'
       AND (incident.queued_until < {_MINUTE_AGO} OR NOT EXISTS (
            SELECT 1 FROM supportdesk_timer AS timer WHERE timer.subject = 'incident:' || incident.id
               AND timer.run = 'incidents.tasks.enter_triage' AND timer.state IN ('armed', 'handed')))
    UNION ALL
    SELECT 'incident:' || incident.id, 'is acknowledged, and nothing asks whether it is still worked'
      FROM incidents_escalation AS escalation
      JOIN incidents_incident AS incident ON incident.id = escalation.incident_id
     WHERE escalation.status = 'acknowledged' AND incident.severity IN ('P1', 'P2')
       AND NOT (incident.status IN ('follow_up', 'closed', 'cancelled', 'merged')) AND incident.status <> 'resolved'
       AND (escalation.next_at IS NULL OR escalation.next_at < {_MINUTE_AGO})
    """,  # noqa: S608
)
CHAIN = Invariant(
    "I12-chain",
    "The evidence of an incident's clocks does not hold together",
    "Somebody changed rows by hand, or a restore was incomplete. Keep the database as it is and compare with a backup.",
    # What grew lately every time, everything once an hour: a sixtieth each minute.
    sql="""
    WITH asked AS MATERIALIZED (
        SELECT head.incident_id, head.length, head.hash FROM incidents_ledgerhead AS head
         WHERE head.incident_id %% 60 = extract(minute FROM %(now)s::timestamptz)::int
            OR head.incident_id > (SELECT coalesce(max(incident_id), 0) - 200 FROM incidents_ledgerhead)
    ), links AS (
        SELECT event.incident_id, event.sequence, event.hash, event.previous_hash,
               lag(event.hash, 1, repeat('0', 64))
                   OVER (PARTITION BY event.incident_id ORDER BY event.sequence) AS before
          FROM asked JOIN incidents_clockevent AS event ON event.incident_id = asked.incident_id
    )
    SELECT 'incident:' || incident_id AS subject,
           'event ' || sequence || ' does not follow from the one before' AS detail
      FROM links WHERE previous_hash <> before
    UNION ALL
    SELECT 'incident:' || asked.incident_id, 'its ledger is shorter or longer than it was'
      FROM asked LEFT JOIN links AS last ON last.incident_id = asked.incident_id AND last.sequence = asked.length
     WHERE last.hash IS DISTINCT FROM asked.hash
    """,
)

INVARIANTS = (FUTURE, TOLD, STEPS, CLOCKS, PAUSES, CHAIN)
