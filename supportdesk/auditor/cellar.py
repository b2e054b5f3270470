"""Invariants of the queue, the vendors and the processes. Those of incidents and rotations live in their apps."""

from __future__ import annotations

from supportdesk.auditor import groups, machine
from supportdesk.auditor.invariants import Invariant
from supportdesk.auditor.models import Finding

LEASES = Invariant(
    "I3-leases",
    "Work that was begun is not finished and not given back",
    "Restart the clocks: they take back what a dead worker held.",
    sql="""
    SELECT 'delivery:' || key AS subject, 'being sent to ' || recipient || ' since its lease ended' AS detail
      FROM supportdesk_delivery
     WHERE state = 'sending' AND lease_until < %(now)s::timestamptz - interval '30 seconds'
    UNION ALL
    SELECT 'timer:' || key, run || ' was taken and never finished' FROM supportdesk_timer
     WHERE state = 'handed' AND lease_until < %(now)s::timestamptz - interval '30 seconds'
    """,
)
PAGES_WAIT = Invariant(
    "I4-pages",
    "Pages wait longer than 30 seconds",
    "Page by hand, then look at the connection and at the page cluster.",
    sql="""
    SELECT 'delivery:' || key AS subject, kind || ' to ' || recipient || ' by ' || vendor AS detail
      FROM supportdesk_delivery
     WHERE state = 'pending' AND is_urgent AND due_at < %(now)s::timestamptz - interval '30 seconds'
    """,
)
TIMERS_WAIT = Invariant(
    "I4-timers",
    "Timers wait longer than 30 seconds",
    "Look at the clocks and at the sla cluster; restart supportdesk.target.",
    sql="""
    SELECT 'timer:' || key AS subject, run || ' was due ' || to_char(due_at, 'HH24:MI:SS') || ' UTC' AS detail
      FROM supportdesk_timer
     WHERE state = 'armed' AND due_at < %(now)s::timestamptz - interval '30 seconds'
    UNION ALL
    SELECT 'timer:' || key, run || ' was handed over and nobody took it' FROM supportdesk_timer
     WHERE state = 'handed' AND lease_until IS NULL AND handed_at < %(now)s::timestamptz - interval '180 seconds'
    """,
)
MESSAGES_WAIT = Invariant(
    "I4-messages",
    "Messages wait longer than five minutes",
    "Pages are not affected. Look at the integrations cluster and at the connections.",
    sql="""
    SELECT 'delivery:' || key AS subject, kind || ' to ' || recipient || ' by ' || vendor AS detail
      FROM supportdesk_delivery
     WHERE state = 'pending' AND NOT is_urgent AND due_at < %(now)s::timestamptz - interval '5 minutes'
    """,
)
INBOX = Invariant(
    "I8-inbox",
    "What vendors told us is not processed",
    "Look at the sla cluster; monitoring alerts and customers' messages wait here.",
    sql="""
    SELECT 'inbound:' || id AS subject, verb || ' received ' || to_char(received_at, 'HH24:MI:SS') || ' UTC' AS detail
      FROM supportdesk_inboundevent
     WHERE state = 'stored' AND received_at < %(now)s::timestamptz - interval '60 seconds'
    """,
)
FAILING = Invariant(
    "I10-failures",
    "More than a fifth of the calls to a vendor failed in the last ten minutes",
    "The connection's page says what the vendor answers. People are reached by their other methods meanwhile.",
    sql="""
    SELECT 'connection:' || connection_id AS subject,
           vendor || ': ' || count(*) FILTER (WHERE outcome <> 'ok') || ' of ' || count(*) || ' failed' AS detail
      FROM supportdesk_vendorcall
     WHERE at > %(now)s::timestamptz - interval '10 minutes' AND connection_id IS NOT NULL
     GROUP BY connection_id, vendor
    HAVING count(*) FILTER (WHERE outcome <> 'ok') >= 3
       AND count(*) FILTER (WHERE outcome <> 'ok') > 0.2 * count(*)
    """,
)
BROKEN = Invariant(
    "I10-breakers",
    "A vendor does not answer, so nobody waits for it",
    "People are reached by their other methods. Look at the vendor's status page and at the network.",
    sql="""
    SELECT 'connection:' || connection_id AS subject, vendor || ': ' || left(breaker.error, 200) AS detail
      FROM supportdesk_breaker AS breaker JOIN supportdesk_connection AS line ON line.id = breaker.connection_id
     WHERE failures >= 5 AND line.is_enabled
    """,
)
REVOKED = Invariant(
    "I10-refused",
    "A vendor refuses what we send",
    "Mostly a token or a password that was changed: enter the new one under Connections and press Test.",
    sql="""
    SELECT 'connection:' || id AS subject, vendor || ': ' || left(check_result, 200) AS detail
      FROM supportdesk_connection AS line WHERE is_enabled AND works IS FALSE
       AND 1 <> (SELECT count(*) FROM supportdesk_vendorcall AS call WHERE call.connection_id = line.id AND call.id >
                 coalesce((SELECT max(id) FROM supportdesk_vendorcall WHERE connection_id = line.id
                              AND outcome = 'ok'), 0))
    """,
)
UNREPORTED = Invariant(
    "I11-reports",
    "A vendor accepts pages and never says what became of them",
    "Ask whether callbacks reach the desk: SUPPORTDESK_URL must be reachable from outside.",
    level=Finding.Level.WARNING,
    sql="""
    SELECT 'vendor:' || vendor AS subject, count(*) FILTER (WHERE error = 'no report from the vendor') || ' of '
           || count(*) || ' pages without a report in the last hour' AS detail
      FROM supportdesk_delivery
     WHERE sent_at > %(now)s::timestamptz - interval '1 hour' AND is_urgent AND settled_at IS NOT NULL
     GROUP BY vendor
    HAVING count(*) FILTER (WHERE error = 'no report from the vendor') >= 5
       AND count(*) FILTER (WHERE error = 'no report from the vendor') > 0.05 * count(*)
    """,
)
SET_ASIDE = Invariant(
    "I13-set-aside",
    "Something failed again and again and was set aside",
    "Back office: Timers and Inbound events in the state quarantined. Somebody has to look and decide.",
    sql="""
    SELECT 'timer:' || key AS subject, run || ': ' || left(error, 200) AS detail
      FROM supportdesk_timer WHERE state = 'quarantined'
    UNION ALL
    SELECT 'inbound:' || id, verb || ': ' || left(error, 200) FROM supportdesk_inboundevent WHERE state = 'quarantined'
    UNION ALL
    SELECT 'task:' || id, 'a task of the queue ' || key || ' never ended' FROM django_q_ormq
     WHERE key = ANY(%(lanes)s) AND lock > %(now)s::timestamptz + interval '1 year'
    """,
)
CLOCKS = Invariant(
    "H1-clock",
    "No clock has finished a round in the last 15 seconds",
    "Start one: systemctl restart 'supportdesk-clock@*'. Nothing is lost; what is due goes out at once.",
    sql="""
    SELECT 'clock' AS subject, coalesce('silent since ' || to_char(max(at), 'HH24:MI:SS') || ' UTC', 'never ran')
           AS detail FROM supportdesk_heartbeat WHERE name = 'clock'
    HAVING coalesce(max(at) < %(now)s::timestamptz - interval '15 seconds', true)
    """,
)
LANES = Invariant(
    "H2-lanes",
    "A queue takes tasks and does not do them",
    "The auditor restarts the cluster once. Pages leave all the same: the clock sends them itself after two seconds.",
    sql="""
    SELECT 'lane:' || lane AS subject, coalesce('nothing done since ' || to_char(done.at, 'HH24:MI:SS') || ' UTC',
           'nothing was ever done') AS detail
      FROM unnest(%(lanes)s::text[], %(patience)s::int[]) AS asked (lane, patience)
      JOIN supportdesk_heartbeat AS sent ON sent.name = 'canary-sent:' || lane
      CROSS JOIN LATERAL (SELECT max(at) AS at FROM supportdesk_heartbeat
                           WHERE name IN ('canary:' || lane, 'lane:' || lane)) AS done
     WHERE (sent.detail->>'first')::timestamptz < %(now)s::timestamptz - patience * interval '1 second'
       AND coalesce(done.at < %(now)s::timestamptz - patience * interval '1 second', true)
    """,
    mend=groups.restart_lanes,
)
MAIL = Invariant(
    "H7-mail",
    "A mailbox has not been read for five minutes",
    "Customers' mail waits in it, unread and unharmed. Look at the connection, and start the mail process: "
    "systemctl restart supportdesk-mail.",
    sql="""
    WITH box AS (SELECT id, name, check_result FROM supportdesk_connection
                  WHERE vendor = 'mail_in' AND is_enabled AND coalesce(settings->>'imap_host', '') <> ''),
         late AS (SELECT %(now)s::timestamptz - interval '5 minutes' AS at)
    SELECT 'connection:' || box.id AS subject, box.name || ': last read ' || to_char(beat.at, 'HH24:MI:SS') || ' UTC. '
           || left(box.check_result, 200) AS detail
      FROM box JOIN supportdesk_heartbeat AS beat ON beat.name = 'mail:' || box.id CROSS JOIN late
     WHERE beat.at < late.at
    UNION ALL
    SELECT 'mail', 'no process has asked for mail since ' ||
           coalesce(to_char(max(beat.at), 'HH24:MI:SS') || ' UTC', 'it was connected')
      FROM late LEFT JOIN supportdesk_heartbeat AS beat ON beat.name = 'mail'
     WHERE EXISTS (SELECT FROM box)
     GROUP BY late.at HAVING coalesce(max(beat.at) < late.at, true)
    """,
)
GHOSTS = Invariant(
    "H3-ghosts",
    "Workers of another version still take tasks",
    "Restart supportdesk.target on the named machine; kill what is left of the old process group.",
    ask=groups.ghosts,
)
SKEW = Invariant(
    "H4-clocks-agree",
    "This machine's clock and the database's differ by more than two seconds",
    "The desk goes by the database's clock. Run NTP on both machines.",
    ask=machine.skew,
)
DISK = Invariant(
    "H5-disk",
    "Less than a tenth of a disk is free",
    "Make room before the database cannot write any more.",
    ask=machine.full_disks,
)
WRITABLE = Invariant(
    "H6-writable",
    "The database takes no writes",
    "It may be a replica, or its disk is full. Until it writes again nothing is accepted and nobody is paged.",
    ask=machine.read_only,
)

INVARIANTS = (
    LEASES,
    PAGES_WAIT,
    TIMERS_WAIT,
    MESSAGES_WAIT,
    INBOX,
    FAILING,
    BROKEN,
    REVOKED,
    UNREPORTED,
    SET_ASIDE,
    CLOCKS,
    LANES,
    MAIL,
    GHOSTS,
    SKEW,
    DISK,
    WRITABLE,
)
