"""The emergency line: who calls, whom we ring for them, and what becomes of it. Never a dead end (ESC-16).

A caller is known by their number and their PIN together. Who is silent when asked for the PIN is connected all the
same; who does not know it, or calls from an unknown number, reaches the duty manager. Nobody answered: their message
becomes an incident, or part of the one they opened by calling. Who is gone before anybody could speak with them, and
left nothing, is a missed call: the duty manager hears of it.
"""

from __future__ import annotations

import hmac
from collections.abc import Iterable
from datetime import timedelta
from typing import Any

from django.conf import settings

from incidents import senders, timeline
from incidents.actions import Report, report
from incidents.actions.answering import answer_call
from incidents.models import EmergencyCall, Incident
from incidents.models.incident import Impact, Source, Urgency
from incidents.timeline import Fact
from rotations import oncall, telling
from rotations.models import Schedule
from rotations.oncall import Directory, LivePeople
from supportdesk import actors, instants, readable
from supportdesk.actors import Actor
from supportdesk.entitlements import Feature
from supportdesk.integrations import kinds
from supportdesk.integrations.lines import Lines
from supportdesk.integrations.models import Connection
from supportdesk.organizations import terms
from supportdesk.organizations.models import Contact, Organization
from supportdesk.queue import timers

MOST_PIN_TRIES = 2
# Both prompts and both silences fit in; a call that is still asking then has ended without anybody telling us.
LONGEST_ASKING = timedelta(seconds=90)
LOOK_AFTER = "incidents.tasks.look_after_call"
HELLO = "This is emergency support. "
ASK_PIN = HELLO + "Please enter your PIN and press the hash key, or just wait to be connected."
WRONG_PIN = "That PIN is not right. Please try once more, or just wait to be connected."
HOLD = "We are calling the engineer on call. Please hold the line."
HOLD_MANAGER = HELLO + "We are calling the duty manager. Please hold the line."
HOLD_NEXT = "We are calling the next person. Please hold the line."
NO_ANSWER = "Nobody could take your call just now, and we keep calling them. Please say what happened after the tone."
NOT_INCLUDED = (
    "Your plan does not include the emergency line. Your call is recorded as incident {number}. "
    "{promise}Please say what happened after the tone."
)
THANKS = "Thank you. Your message is on its way to whoever is on call."
GOODBYE = "Thank you for calling. Goodbye."

Step = dict[str, Any]


def called(connection: Connection, sid: str, caller: str, number: str) -> tuple[str, Step]:
    """The phone rings: who could this be?"""
    call, _ = EmergencyCall.objects.get_or_create(
        sid=sid, defaults={"connection": connection, "caller": caller, "started_at": instants.now()}
    )
    if candidates(caller):
        at, subject = call.started_at + LONGEST_ASKING, f"call:{call.pk}"
        timers.arm([timers.Planned(f"asking:{call.pk}", LOOK_AFTER, subject, at, args={"call": sid})])
        return ASK_PIN, {"do": "ask_pin"}
    return _ring_managers(call, number)


def candidates(caller: str) -> list[Contact]:
    """The contacts with this number."""
    known = Contact.objects.select_related("organization", "user").filter(phone=caller, is_active=True)
    return list(known.exclude(phone="").order_by("pk"))


def entered(sid: str, digits: str, number: str) -> tuple[str, Step]:
    """A PIN, or silence."""
    call = _locked(sid)
    known = candidates(call.caller)
    match = next((contact for contact in known if digits and _is_pin(contact.organization, digits)), None)
    if match is None and digits:
        call.pin_tries += 1
        call.save(update_fields=["pin_tries"])
        if call.pin_tries < MOST_PIN_TRIES:
            return WRONG_PIN, {"do": "ask_pin"}
        return _ring_managers(call, number)
    organizations = {contact.organization_id for contact in known}
    contact = match or (known[0] if len(organizations) == 1 else None)
    if contact is None:
        return _ring_managers(call, number)
    call.contact, call.organization, call.is_verified = contact, contact.organization, match is not None
    return _declare(call, contact, number)


def _is_pin(organization: Organization, digits: str) -> bool:
    pin = organization.emergency_pin
    return bool(pin) and hmac.compare_digest(pin.encode(), digits.encode("utf-8", "replace"))


def _declare(call: EmergencyCall, contact: Contact, number: str) -> tuple[str, Step]:
    """The call is the report. It is stored whatever the plan says; the plan decides who is rung."""
    proof = "with the right PIN" if call.is_verified else "without a PIN: known by the number only"
    incident = report(
        Report(
            title=f"Emergency call from {contact.name}",
            description=f"{contact.name} called the emergency line from {call.caller}, {proof}.",
            source=Source.PHONE,
            impact=Impact.WIDESPREAD,
            urgency=Urgency.CRITICAL,
            organization=contact.organization,
            reporter=contact,
            request_key=f"call:{call.sid}",
            data={"call": call.sid, "verified": call.is_verified},
        ),
        actor=senders.contact_actor(contact, "phone"),
    )
    call.incident = incident
    if not terms.entitlement(contact.organization, instants.now()).has(Feature.EMERGENCY_PHONE):
        call.state = EmergencyCall.State.VOICEMAIL
        call.save()
        return NOT_INCLUDED.format(number=incident.pk, promise=_promise(incident)), {"do": "record"}
    call.rung = _legs(_on_call(incident), number)
    return _ring(call, HOLD)


def _promise(incident: Incident) -> str:
    opens = incident.queued_until
    return f"The desk opens {readable.moment(opens, incident.zone)}. " if opens else ""


def _on_call(incident: Incident) -> list[str]:
    """Primary, backup, duty manager: by the schedule the incident is paged by."""
    escalation = getattr(incident, "escalation", None)
    row = escalation.policy.schedule if escalation is not None and escalation.policy_id else None
    row = row or Schedule.objects.filter(duty=False).order_by("pk").first()
    held = oncall.now_on_call(row, instants.now()) if row else None
    first = [held.primary, held.backup] if held else []
    return [person for person in first if person] + _managers()


def _managers() -> list[str]:
    return LivePeople(None, Directory(Lines.load())).duty_managers(instants.now())


def _ring_managers(call: EmergencyCall, number: str) -> tuple[str, Step]:
    call.rung = _legs(_managers(), number)
    return _ring(call, HOLD_MANAGER)


def _legs(people: Iterable[str], called_number: str) -> list[dict[str, Any]]:
    """Whom to ring with which number, each number once; at the end the number that is always answered."""
    directory = Directory(Lines.load())
    legs: dict[str, dict[str, Any]] = {}
    for person in people:
        user = directory.user(person)
        phone = next((method.address for method in directory.methods(person) if method.kind == "phone"), "")
        if user is not None and phone:
            legs.setdefault(phone, {"user": user.pk, "name": user.name, "number": phone})
    last = settings.EMERGENCY_NUMBER
    if last and last != called_number:
        legs.setdefault(last, {"user": None, "name": "the emergency number", "number": last})
    return list(legs.values())


def _ring(call: EmergencyCall, words: str) -> tuple[str, Step]:
    """The next one in turn; when all have been rung, a voice box."""
    if call.leg >= len(call.rung):
        call.state = EmergencyCall.State.VOICEMAIL
        call.save()
        return NO_ANSWER, {"do": "record"}
    call.state = EmergencyCall.State.RINGING
    call.save()
    return words, {"do": "dial", "number": call.rung[call.leg]["number"], "leg": call.leg, "call": call.sid}


def screened(sid: str) -> tuple[str, Step]:
    """Somebody, or their voice box, picked up for a caller: what they hear."""
    call = _locked(sid)
    who = f"{call.contact.name} of {call.organization}" if call.contact else f"an unknown caller, {call.caller}"
    ref = f", incident {call.incident_id}" if call.incident_id else ""
    return f"Emergency call from {who}{ref}. Press 4 to take it.", {"do": "screen"}


def taken(sid: str, leg: int) -> tuple[str, Step]:
    """A key was pressed: they take the call. Picking up alone says nothing; voice boxes pick up too."""
    call = _locked(sid)
    if leg >= len(call.rung):
        return GOODBYE, {"do": "say"}
    who = Directory(Lines.load()).user(str(call.rung[leg]["user"])) if call.rung[leg]["user"] else None
    call.state, call.taken_by, call.taken_at = EmergencyCall.State.TALKING, who, instants.now()
    call.save()
    if call.incident_id:
        actor = who.actor("phone") if who else _stand_in(call.rung[leg]["name"])
        answer_call(call.incident_id, actor=actor, call=call.sid)
    return "", {"do": "connect"}


def _stand_in(name: str) -> Actor:
    """Whoever answers the emergency number acts in the fallback manager's place."""
    return Actor(actors.Kind.USER, None, name, actors.Role.MANAGER, "phone")


def dialed(sid: str, leg: int) -> tuple[str, Step]:
    """The ringing of one person is over: they spoke, or it is the next one's turn."""
    call = _locked(sid)
    if call.taken_at is not None:
        return GOODBYE, {"do": "say"}
    if leg == call.leg:
        call.leg += 1
    return _ring(call, HOLD_NEXT)


def recorded(sid: str, url: str, seconds: str) -> tuple[str, Step]:
    """A message was left: kept with the incident, or an incident of its own."""
    call = _locked(sid)
    call.recording_url = url if url.startswith("https://") else ""
    machine = actors.machine("Emergency line", "phone")
    words = f"Voicemail of {seconds or '?'} s from {call.caller}: {call.recording_url or 'not kept'}"
    if call.incident is None:
        call.incident = report(
            Report(
                title=f"Voicemail on the emergency line from {call.caller}",
                description="An unknown caller left a message on the emergency line. Nobody could be reached.",
                source=Source.PHONE,
                impact=Impact.SIGNIFICANT,
                urgency=Urgency.CRITICAL,
                request_key=f"call:{call.sid}",
                data={"call": call.sid},
            ),
            actor=machine,
        )
    call.save()
    timeline.record(call.incident, machine, Fact("voicemail", words, data={"recording": call.recording_url}))
    return THANKS, {"do": "say"}


def ended(sid: str) -> None:
    """The caller has hung up."""
    call = EmergencyCall.objects.select_for_update().filter(sid=sid, ended_at=None).first()
    if call is None:
        return
    before, call.state, call.ended_at = call.state, EmergencyCall.State.OVER, instants.now()
    call.save(update_fields=["state", "ended_at"])
    if call.is_missed:
        _tell_of_missed(call, _UNTIL[EmergencyCall.State(before)])


def look_after(sid: str) -> None:
    """A while after a call was asked for a PIN: if it never went on, its end was never told to us."""
    call = _locked(sid)
    if call.state == EmergencyCall.State.ASKING:
        _tell_of_missed(call, _UNTIL[EmergencyCall.State.ASKING])


_UNTIL = {
    EmergencyCall.State.ASKING: "They were asked for their PIN and were gone before anybody was rung.",
    EmergencyCall.State.RINGING: "They hung up while we were ringing.",
    EmergencyCall.State.TALKING: "They hung up.",
    EmergencyCall.State.VOICEMAIL: "Nobody picked up, and they left no message.",
}


def _tell_of_missed(call: EmergencyCall, what: str) -> None:
    """The duty manager, by every way that leaves words: somebody in need may be waiting for a call back."""
    found = (Directory(Lines.load()).user(key) for key in _managers())
    readers = [user for user in found if user is not None] or telling.managers([])
    known = "; ".join(f"{contact.name} of {contact.organization}" for contact in candidates(call.caller))
    telling.tell(
        kinds.MISSED_CALL,
        str(call.pk),
        f"call:{call.pk}",
        readers,
        times={"rang": call.started_at},
        page="console:calls",
        ways=(*telling.SILENT, "sms"),
        button="See the calls",
        caller=call.caller or "a withheld number",
        known=known or "nobody we know",
        what=what,
    )


def _locked(sid: str) -> EmergencyCall:
    return (
        EmergencyCall.objects.select_for_update(of=("self",))
        .select_related("contact", "organization", "incident")
        .get(sid=sid)
    )
