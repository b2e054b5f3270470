"""Whatever a customer reads is read once more before it leaves: no other customer, no machine of ours, no secret."""

from __future__ import annotations

import inspect
from datetime import timedelta
from typing import Any

import pytest

from incidents import actions
from incidents.models import Briefing, Incident
from supportdesk.audit.models import AuditEntry
from supportdesk.errors import Invalid

LEAK = "Smallco broke it on db-3.internal."
# The verbs whose words the customer reads, and the field they are in.
VERBS = {
    "message": ("text", {}),
    "update": ("state", {"doing": "We look."}),
    "resolve": ("summary", {}),
    "reopen": ("reason", {}),
    "cancel": ("reason", {}),
    "hold": ("question", {"kind": "customer"}),
    "severity": ("reason", {"severity": "P2"}),
    "merge": ("reason", {}),
    "cadence": ("agreement", {"minutes": "60"}),
    "decide-dispute": ("reason", {"decision": "uphold"}),
}
# Words only customers write, and words only we read.
NOT_READ = {"dispute_severity", "grant_goodwill", "move_received", "write_note", "record_decision", "escalate"}


@pytest.fixture
def p1(world: Any, alice: Any, bob: Any) -> Incident:
    made = alice.reports("Checkout is down")
    bob.acknowledges(made)
    return made


def _ready(verb: str, world: Any, p1: Incident, bob: Any, alice: Any) -> dict[str, Any]:
    """Bring the incident to where a verb fits; what its form says besides."""
    if verb == "reopen":
        bob.presses_button("resolve", p1, summary="Restarted.")
    if verb == "merge":
        return {"into": alice.reports("Checkout is still down").pk}
    if verb == "cadence":
        bob.presses_button("update", p1, state="It fails.", doing="We look.")
        actions.take_role(p1.pk, actor=bob.user.actor("console"), role="commander")
        world.advance(hours=2)
    if verb == "decide-dispute":
        bob.presses_button("severity", p1, severity="P2", reason="there is a way around it")
        alice.presses_button("dispute", p1, text="There is none.")
    return {}


@pytest.mark.parametrize("verb", VERBS)
def test_it_is_held_back_once_and_sent_when_somebody_has_read_it(
    world: Any, p1: Incident, alice: Any, bob: Any, dana: Any, verb: str
) -> None:
    field, more = VERBS[verb]
    said = {field: LEAK, **more, **_ready(verb, world, p1, bob, alice)}
    writer = dana if verb == "decide-dispute" else bob
    before = p1.timeline.count()
    refused = writer.is_refused(f"/console/incidents/{p1.pk}/{verb}/", said)
    assert "another customer, Smallco" in refused
    assert "internal machine, db-3.internal" in refused
    assert p1.timeline.count() == before
    html = writer.client.get(f"/console/incidents/{p1.pk}/").content.decode()
    assert LEAK in html, "what was written is still there"
    assert 'name="is_checked"' in html
    inside = html[html.index('class="refused"') :].split("</p>")[0]
    assert "another customer, Smallco" in inside, "said where it was written: a sheet lies over the page's own message"
    writer.presses_button(verb, p1, is_checked="1", **said)
    assert AuditEntry.objects.filter(verb="send_despite").last().after["field"] == field


@pytest.mark.parametrize("verb", ["resolve", "cancel"])
def test_a_secret_is_never_sent(p1: Incident, bob: Any, verb: str) -> None:
    said = {VERBS[verb][0]: "password: hunter2", "is_checked": "1"}
    assert "looks like a secret" in bob.is_refused(f"/console/incidents/{p1.pk}/{verb}/", said)


def test_over_rest_the_refusal_names_the_field(api: Any, bob: Any, p1: Incident) -> None:
    refused = api(bob).post(f"incidents/{p1.pk}/hold/", {"kind": "customer", "question": LEAK})
    assert (refused.status_code, refused.json()["errors"][0]["field"]) == (400, "question")
    assert api(bob).post(f"incidents/{p1.pk}/resolve/", {"text": LEAK}).status_code == 400
    assert api(bob).post(f"incidents/{p1.pk}/resolve/", {"text": LEAK, "is_checked": True}).status_code == 200


def test_customers_confirm_and_reopen_in_their_own_words(p1: Incident, alice: Any, bob: Any) -> None:
    bob.presses_button("resolve", p1, summary="Restarted.")
    alice.reopens(LEAK, p1)
    assert p1.timeline.filter(kind="reopened", text=LEAK).exists()


def test_their_executives_read_nothing_that_names_another_customer(world: Any, p1: Incident, bob: Any) -> None:
    actor = bob.user.actor("console")
    actions.take_role(p1.pk, actor=actor, role="commander")
    world.advance(minutes=26)
    briefing = Briefing.objects.get()
    with pytest.raises(Invalid, match="Smallco") as refused:
        actions.approve_briefing(briefing.pk, actor=actor, external_text=LEAK)
    assert refused.value.field == "external_text"
    actions.approve_briefing(briefing.pk, actor=actor, external_text=LEAK, is_checked=True)
    world.advance(minutes=5)
    assert briefing.planned_at <= world.now - timedelta(minutes=1)


def test_no_verb_that_writes_to_a_customer_goes_round_it() -> None:
    """Whoever adds a verb whose words the customer reads is asked here."""
    written = {"text", "summary", "reason", "question", "state", "agreement", "external_text"}
    round_it = []
    for name in actions.__all__:
        verb = getattr(actions, name)
        if not inspect.isfunction(verb) or name in NOT_READ:
            continue
        asked = set(inspect.signature(verb).parameters)
        tells = "CUSTOMER" in inspect.getsource(verb) or "external_text" in asked
        if asked & written and tells and "is_checked" not in asked:
            round_it.append(name)
    assert not round_it
