"""An emergency lived in Slack: one headline that stays true, forms, commands, a room, and who is behind @oncall."""

from __future__ import annotations

import json

import pytest

from incidents.models import Incident, WarRoom
from supportdesk.audit.models import AuditEntry
from supportdesk.integrations.models import Connection
from supportdesk.queue.models import Delivery, InboundEvent

DESK, ACME = "C0DESK", "C0ACME"


@pytest.fixture
def slack(world):
    return world.fakes.slack


@pytest.fixture
def line(world):
    return Connection.objects.get(vendor="slack")


def headline(slack, channel):
    return slack.to(channel)[0]


def ask(world, person, words, channel=DESK):
    """Type /incident; returns what only they see."""
    answer = world.fakes.slack.command(words, person.slack or f"U0{person.name.upper()}", world.desk, channel)
    world.settle()
    assert answer.status == 200, answer
    return json.loads(answer.body)["text"] if answer.body else ""


def send(world, person, **values):
    """Send the form that is open; returns what Slack shows under its inputs, nothing when it was taken."""
    form, user = world.fakes.slack.forms[-1], person.slack or f"U0{person.name.upper()}"
    answer = world.fakes.slack.submit(form, values, user, world.desk)
    world.settle()
    body = json.loads(answer.body)
    assert body["response_action"] in ("clear", "errors"), answer
    return body.get("errors", {})


def say(world, person, text, channel=ACME, **event):
    answer = world.fakes.slack.says(channel, text, f"U0{person.name.upper()}", world.desk, **event)
    world.settle()
    assert answer.status == 200


# --- the headline ----------------------------------------------------------------------------------------------------


def test_one_message_says_how_it_stands_and_everything_else_is_its_thread(world, slack, alice, bob):
    alice.reports("Checkout is down")
    ours, theirs = headline(slack, DESK), headline(slack, ACME)
    assert "Nobody has it yet" in ours.text
    assert list(ours.buttons) == ["acknowledge", "escalate", "update", "resolve", "open"]
    assert list(theirs.buttons) == ["open"]
    assert "P1" not in theirs.text
    bob.acknowledges()
    world.advance(seconds=2)
    assert "Bob Novak has it" in ours.text
    assert "acknowledge" not in ours.buttons
    bob.presses_button("resolve", summary="Rolled back.")
    world.advance(seconds=2)
    assert "Resolved" in ours.text
    assert list(ours.buttons) == ["open"]
    assert {m.thread_ts for m in slack.to(DESK)[1:]} == {ours.ts}
    assert {m.thread_ts for m in slack.to(ACME)[1:]} == {theirs.ts}


def test_what_happens_within_a_second_is_one_edit(world, slack, alice, bob):
    alice.reports("Checkout is down")
    world.advance(seconds=2)
    before = headline(slack, DESK).edits
    bob.acknowledges()
    bob.presses_button("status", status="identified")
    bob.presses_button("severity", severity="P2", reason="One of two regions only.", code="")
    world.advance(seconds=2)
    assert headline(slack, DESK).edits == before + 1
    assert "Identified" in headline(slack, DESK).text


def test_whoever_is_called_sees_it_without_opening_the_thread(world, slack, line, alice):
    line.settings["oncall_group"] = "S0ONCALL"
    line.save()
    alice.reports("Checkout <!channel> is down <@U0BOB>")
    (called,) = [m for m in slack.to(ACME) if "On call, please" in m.text]
    assert called.is_broadcast or not called.thread_ts
    assert called.text.startswith("<!subteam^S0ONCALL> ")
    everything = " ".join(m.words for m in slack.messages)
    assert "<!channel>" not in everything
    assert "<@U0BOB>" not in everything


def test_the_headline_in_a_customers_channel_speaks_their_language(world, slack, alice, bob):
    alice.user.contact.organization.contacts.update(language="de")
    alice.reports("Die Kasse steht")
    ours, theirs = headline(slack, DESK), headline(slack, ACME)
    assert "Ihre Meldung ist bei uns. Noch hat es niemand aus der Technik übernommen." in theirs.text
    assert theirs.buttons["open"]["text"]["text"] == f"{world.incident.ref} öffnen"
    bob.acknowledges()
    bob.presses_button("update", state="Zahlungen scheitern.", doing="Wir rollen zurück.", status="identified")
    world.advance(seconds=2)
    assert f"Wir kennen die Ursache und arbeiten daran. {bob.user.name} kümmert sich darum." in theirs.text
    assert "Zuletzt mitgeteilt: Zahlungen scheitern. Als Nächstes: Wir rollen zurück." in theirs.text
    assert "Identified." in ours.text


@pytest.mark.parametrize("language", ["en", "de"])
def test_customers_hear_every_status_in_words_of_their_own(language):
    from incidents.slack.headline import _PLAIN
    from incidents.states import Status

    assert set(_PLAIN[language]) == set(Status)


def test_a_deleted_headline_is_written_again(world, slack, alice, bob):
    alice.reports("Checkout is down")
    slack.messages.remove(headline(slack, DESK))
    bob.acknowledges()
    world.advance(seconds=2)
    assert any("Bob Novak has it" in m.text and "resolve" in m.buttons for m in slack.to(DESK))


# --- buttons and forms -----------------------------------------------------------------------------------------------


def test_bob_works_an_incident_without_leaving_slack(world, slack, alice, bob):
    alice.reports("Checkout is down")
    top = headline(slack, DESK)
    for button in ("acknowledge", "update"):
        slack.click(top, button, bob.slack, world.desk)
        world.settle()
    assert world.incident.acknowledged_by == bob.user
    form = slack.forms[-1]
    assert set(form.inputs) == {"state", "doing", "status", "next_update_at", "is_checked"}
    assert send(world, bob, state="Payments fail.", doing="Rolling back.", next_update_at="10 minutes") == {}
    assert world.incident.first_response_at == world.now
    assert "Payments fail." in alice.mail
    world.advance(seconds=2)
    assert "Payments fail." in top.text
    slack.click(top, "resolve", bob.slack, world.desk)
    world.settle()
    assert send(world, bob, summary="Rolled back the release.") == {}
    assert world.incident.status == "resolved"


def test_what_is_wrong_with_a_form_stands_under_its_input(world, slack, alice, bob):
    alice.reports("Checkout is down")
    slack.click(headline(slack, DESK), "update", bob.slack, world.desk)
    world.settle()
    assert "doing" in send(world, bob, state="Payments fail.", doing=" ")
    assert send(world, bob, state="Payments fail.", doing="Rolling back.") == {}


def test_what_the_desk_holds_back_says_why_and_is_sent_by_whoever_has_read_it(world, slack, alice, bob):
    alice.reports("Checkout is down")
    slack.click(headline(slack, DESK), "update", bob.slack, world.desk)
    world.settle()
    said = {"state": "As with Smallco, payments fail.", "doing": "Rolling back."}
    for before_being_told in (said, {**said, "is_checked": "yes"}):  # nobody has read yet what nobody has said
        slack.forms[-1].id = f"V-{len(before_being_told)}"
        refused = send(world, bob, **before_being_told)["state"]
        assert "it names another customer, Smallco" in refused
        assert "Your words are still in this form." in refused
    assert world.timeline("update") == []
    assert send(world, bob, **said, is_checked="yes") == {}
    assert "As with Smallco" in alice.mail
    (noted,) = AuditEntry.objects.filter(verb="send_despite")
    assert (noted.user, "Smallco" in str(noted.after)) == (bob.user, True)


def test_a_secret_leaves_by_no_box_in_slack(world, slack, alice, bob):
    alice.reports("Checkout is down")
    slack.click(headline(slack, DESK), "resolve", bob.slack, world.desk)
    world.settle()
    for _ in range(2):
        refused = send(world, bob, summary="Reset; password: hunter2", is_checked="yes")
        assert "secret" in refused["summary"]
        assert "hunter2" not in refused["summary"]
    assert world.incident.status != "resolved"
    assert send(world, bob, summary="Reset the gateway's login.") == {}


def test_a_customer_who_gets_hold_of_our_form_can_send_nothing_with_it(world, slack, alice, bob, mallory):
    alice.reports("Checkout is down")
    slack.click(headline(slack, DESK), "resolve", bob.slack, world.desk)
    world.settle()
    assert "nobody who works here" in " ".join(send(world, mallory, summary="All fine.").values())
    assert world.incident.status != "resolved"


def test_slack_gave_too_little_time_for_a_form_and_says_so(world, slack, alice, bob):
    alice.reports("Checkout is down")
    slack.late_triggers = True
    slack.click(headline(slack, DESK), "update", bob.slack, world.desk)
    world.settle()
    (words,) = slack.whispers
    assert words.user == bob.slack
    assert "press again" in words.text


def test_a_button_pressed_by_somebody_unknown_changes_nothing(world, slack, alice):
    alice.reports("Checkout is down")
    slack.click(headline(slack, DESK), "acknowledge", "U0NOBODY", world.desk)
    world.settle()
    assert not world.incident.is_acknowledged


# --- commands --------------------------------------------------------------------------------------------------------


def test_who_is_on_call(world, bob, carol):
    said = ask(world, bob, "who")
    assert "Bob Novak is on call" in said
    assert "Carol Jensen is the backup" in said


def test_customers_are_not_told_who_is_on_call(world, mallory):
    assert "Only those who work here" in ask(world, mallory, "who", ACME)


def test_help_says_what_there_is(world, bob, alice):
    assert "/incident who" in ask(world, bob, "help")
    assert "/incident who" not in ask(world, alice, "", ACME)


def test_an_engineer_declares_for_a_customer(world, slack, carol):
    assert ask(world, carol, "declare Search is slow") == ""
    form = slack.forms[-1]
    assert form.inputs["title"]["element"]["initial_value"] == "Search is slow"
    assert "impact" in send(world, carol, organization="Acme", title="Search is slow", urgency="1")
    assert send(world, carol, organization="Acme", title="Search is slow", impact="1", urgency="1") == {}
    assert world.incident.organization.slug == "acme"
    assert world.incident.severity == "P1"


def test_a_form_sent_twice_is_one_incident(world, slack, carol):
    ask(world, carol, "declare")
    for _ in range(2):
        send(world, carol, organization="Acme", title="Search is slow", impact="1", urgency="1")
    assert Incident.objects.filter(title="Search is slow").count() == 1


def test_a_command_names_its_incident_or_says_what_is_missing(world, slack, alice, bob):
    incident = alice.reports("Checkout is down")
    assert "Which incident?" in ask(world, bob, "update")
    assert ask(world, bob, f"update {incident.pk}") == ""
    assert slack.forms[-1].view["title"]["text"] == f"Update on {incident.ref}"
    assert "You have INC" in ask(world, bob, f"ack {incident.pk}")


# --- the customer's channel ------------------------------------------------------------------------------------------


def test_what_a_customer_writes_is_on_their_incident(world, slack, alice, bob):
    alice.reports("Checkout is down")
    say(world, alice, "Now search is gone too.")
    (entry,) = world.timeline("message")
    assert entry.text == "Now search is gone too."
    assert entry.is_from_customer


def test_a_thread_says_which_of_two_incidents_is_meant(world, slack, alice):
    first = alice.reports("Checkout is down")
    root = headline(slack, ACME).ts
    second = alice.reports("Search is slow", impact="limited", urgency="normal")
    say(world, alice, "About checkout.", thread_ts=root)
    say(world, alice, "About whatever is newest.")
    assert first.timeline.filter(kind="message").count() == 1
    assert second.timeline.filter(kind="message").count() == 1


def test_an_engineer_who_writes_in_the_customers_thread_has_answered_them(world, slack, alice, bob):
    alice.reports("Checkout is down")
    world.advance(minutes=3)
    said_before = len(slack.to(ACME))
    say(world, bob, "We see it too and roll back.", thread_ts=headline(slack, ACME).ts)
    (entry,) = world.timeline("message")
    assert (entry.text, entry.user, entry.visibility) == ("We see it too and roll back.", bob.user, "customer")
    assert not entry.is_from_customer
    assert world.incident.first_response_at == world.now
    assert world.incident.acknowledged_by == bob.user
    assert "We see it too and roll back." in alice.mail
    assert not any("We see it too" in m.text for m in slack.to(ACME)[said_before:])  # they read it where he wrote it


def test_a_customer_in_the_same_thread_stays_a_customer(world, slack, alice, bob):
    alice.reports("Checkout is down")
    say(world, alice, "Is somebody on it?", thread_ts=headline(slack, ACME).ts)
    (entry,) = world.timeline("message")
    assert entry.is_from_customer
    assert world.incident.first_response_at is None
    assert not world.incident.is_acknowledged


def test_what_we_say_outside_the_customers_thread_is_no_answer(world, slack, alice, bob):
    alice.reports("Checkout is down")
    say(world, bob, "Whose turn is lunch?")  # beside the thread
    say(world, bob, "Acme again.", channel=DESK, thread_ts=headline(slack, DESK).ts)
    assert world.timeline("message") == []
    assert world.incident.first_response_at is None
    assert not any("Acme again." in m.text for m in slack.to(ACME))


def test_an_unverified_slack_address_answers_for_nobody(world, slack, alice, bob):
    alice.reports("Checkout is down")
    bob.user.contact_methods.filter(kind="slack").update(verified_at=None)
    say(world, bob, "We are on it.", thread_ts=headline(slack, ACME).ts)
    assert world.timeline("message") == []
    assert world.incident.first_response_at is None


def test_without_an_open_incident_they_are_offered_one(world, slack, alice):
    say(world, alice, "Is anybody there?")
    say(world, alice, "Hello?")
    (offer,) = slack.whispers
    assert offer.user == "U0ALICE"
    slack.click(offer, "declare", "U0ALICE", world.desk)
    world.settle()
    assert "organization" not in slack.forms[-1].inputs
    assert send(world, alice, title="Checkout is down", impact="1", urgency="1") == {}
    assert world.incident.organization.slug == "acme"
    assert world.incident.source == "customer_slack"
    assert world.incident.reporter.name == "Alice Moreau"


def test_a_rival_declares_nothing_in_somebody_elses_channel(world, slack, mallory):
    assert "do not know you" in ask(world, mallory, "declare", ACME)
    say(world, mallory, "It is all down!", ACME)
    assert not Incident.objects.exists()
    assert slack.whispers == []


def test_the_same_event_told_twice_is_one_message(world, slack, alice):
    alice.reports("Checkout is down")
    body = {
        "type": "event_callback",
        "event_id": "Ev1",
        "event": {"type": "message", "channel": ACME, "user": "U0ALICE", "text": "Still down.", "ts": "1767225602.1"},
    }
    for _ in range(3):
        assert slack.post(json.dumps(body).encode(), "application/json", world.desk).status == 200
    world.settle()
    assert len(world.timeline("message")) == 1


def test_an_event_is_answered_before_it_is_worked(world, slack, alice):
    alice.reports("Checkout is down")
    slack.says(ACME, "Still down.", "U0ALICE", world.desk)
    assert InboundEvent.objects.get(verb="message").state == "stored"
    assert world.timeline("message") == []
    world.settle()
    assert len(world.timeline("message")) == 1


# --- the room --------------------------------------------------------------------------------------------------------


def test_a_critical_incident_gets_a_room_of_its_own(world, slack, alice, bob, dana):
    incident = alice.reports("Checkout is down")
    world.advance(seconds=2)
    room = WarRoom.objects.get(incident=incident)
    made = slack.channels[room.channel_id]
    assert made.name == room.channel_name
    assert incident.ref in made.topic
    assert f"{incident.ref} in the console" in made.bookmarks
    assert bob.slack in made.members
    assert dana.slack in made.members
    assert made.pins == [room.summary_ts]
    assert "Nobody has it yet" in headline(slack, room.channel_id).text


def test_a_name_that_is_taken_gets_a_number(world, slack, alice):
    slack.refuses("name_taken", path="conversations.create")
    incident = alice.reports("Checkout is down")
    assert WarRoom.objects.get(incident=incident).channel_name.endswith("-2")


def test_a_room_that_was_made_before_the_line_went_dead_is_found_again(world, slack, alice):
    slack.next(drop="after", path="conversations.create")
    incident = alice.reports("Checkout is down")
    world.advance(minutes=2)
    assert WarRoom.objects.get(incident=incident).channel_id in slack.channels
    assert len([channel for channel in slack.channels.values() if channel.name]) == 1


def test_somebody_who_cannot_be_invited_keeps_nobody_else_out(world, slack, alice, bob, dana):
    slack.outsiders = {dana.slack}
    incident = alice.reports("Checkout is down")
    made = slack.channels[WarRoom.objects.get(incident=incident).channel_id]
    assert bob.slack in made.members
    assert dana.slack not in made.members


# --- @oncall ---------------------------------------------------------------------------------------------------------


@pytest.fixture
def group(world, line, dana):
    from supportdesk.integrations import actions

    actions.save(line, {**line.settings, "oncall_group": "S0ONCALL"}, actor=dana.user.actor("console"))
    world.settle()
    return lambda: world.fakes.slack.groups["S0ONCALL"]


def test_the_group_is_whoever_is_on_call(world, group, bob, carol, erin, frank):
    assert set(group()) == {bob.slack, carol.slack}
    world.advance(hours=8)  # America has taken over
    assert set(group()) == {erin.slack, frank.slack}


def test_the_group_is_never_emptied_and_managers_hear_of_it(world, group, bob, carol, dana):
    from supportdesk.accounts.models import ContactMethod

    ContactMethod.objects.filter(user__in=[bob.user, carol.user], kind="slack").update(disabled_at=world.now)
    world.advance(minutes=11)
    assert set(group()) == {"U0BOB", "U0CAROL"}
    assert "Nobody on call is on Slack" in dana.mail


# --- when Slack is ill -----------------------------------------------------------------------------------------------


def test_slack_is_down_and_nobody_waits_for_it(world, slack, alice, bob):
    """Pages go by the other ways at once; when Slack is back the headline is posted first, and it is true."""
    for _ in range(40):
        slack.next(status=503)
    alice.reports("Checkout is down")
    assert bob.phone.buzzed()
    world.advance(seconds=61)
    assert bob.phone.rang()
    bob.presses("4")
    assert world.incident.acknowledged_by == bob.user
    with slack.lock:
        slack._script.clear()
    world.advance(minutes=15)
    assert "Bob Novak has it" in headline(slack, DESK).text
    assert {m.thread_ts for m in slack.to(DESK)[1:]} <= {headline(slack, DESK).ts, ""}


def test_slack_revoked_our_token_and_the_connection_says_so(world, slack, line, alice, bob):
    for _ in range(12):
        slack.refuses("token_revoked")
    alice.reports("Checkout is down")
    assert bob.phone.buzzed()
    line.refresh_from_db()
    assert line.works is False
    assert "token_revoked" in line.check_result
    with slack.lock:
        slack._script.clear()


@pytest.mark.parametrize("answer", ["invalid_auth", "account_inactive", "token_revoked", "missing_scope"])
def test_slack_lets_us_in_no_more_and_the_managers_hear_of_it_once(world, slack, line, alice, bob, dana, answer):
    for _ in range(40):
        slack.refuses(answer)
    alice.reports("Checkout is down")
    bob.acknowledges()
    bob.writes("We are on it.")
    world.advance(minutes=5)
    told = [mail for mail in dana.mails if "does not let the desk in" in mail.subject]
    assert len(told) == 1
    assert answer in told[0].part("plain")
    assert line.name in told[0].subject
    assert not any("does not let the desk in" in mail.subject for mail in (*bob.mails, *alice.mails))
    with slack.lock:
        slack._script.clear()


def test_a_new_token_that_is_refused_too_is_told_again(world, slack, line, alice, bob, dana):
    from supportdesk.integrations import actions

    def told():
        return len([mail for mail in dana.mails if "does not let the desk in" in mail.subject])

    for _ in range(2):
        slack.refuses("token_revoked")
    alice.reports("Checkout is down")
    world.advance(minutes=1)
    assert told() == 1
    with slack.lock:
        slack._script.clear()
    line.refresh_from_db()
    actions.save(line, {**line.settings, "bot_token": line.values["bot_token"]}, actor=dana.user.actor("console"))
    for _ in range(10):
        slack.refuses("token_revoked")
    bob.writes("Still on it.")
    world.advance(minutes=1)
    assert told() == 2
    with slack.lock:
        slack._script.clear()


def test_a_channel_that_waits_keeps_its_order(world, slack, alice, bob):
    alice.reports("Checkout is down")
    world.advance(seconds=2)
    slack.next(status=429, headers={"Retry-After": "5"}, body={"ok": False, "error": "ratelimited"}, path="postMessage")
    for words in ("First.", "Second.", "Third."):
        bob.writes(words)
    world.advance(minutes=2)
    said = [m.text for m in slack.to(ACME)]
    places = [next(at for at, text in enumerate(said) if words in text) for words in ("First.", "Second.", "Third.")]
    assert places == sorted(places)


def test_an_archived_channel_is_brought_back_or_ours_hears_it(world, slack, alice, bob):
    alice.reports("Checkout is down")
    slack.channel(ACME).is_archived = True
    bob.writes("We are on it.")
    assert any("We are on it." in m.text for m in slack.to(ACME))
    slack.channel(ACME).is_archived = True
    slack.scopes.discard("channels:manage")
    bob.writes("Still on it.")
    assert any("Still on it." in m.text and f"{ACME} is archived" in m.text for m in slack.to(DESK))


def test_the_headline_that_may_have_been_posted_is_looked_for_first(world, slack, alice):
    slack.next(drop="after", path="chat.postMessage")
    alice.reports("Checkout is down")
    world.advance(minutes=2)
    keys = [m.metadata["event_payload"]["key"] for m in slack.messages]
    assert len(keys) == len(set(keys))
    assert not Delivery.objects.filter(vendor="slack", state="failed").exists()
