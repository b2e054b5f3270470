"""Mail comes in: a customer's opens and continues incidents, a stranger's waits, a machine's does nothing."""

from __future__ import annotations

import json
from base64 import b64encode
from email.message import EmailMessage
from email.utils import format_datetime
from io import StringIO

import pytest
from django.core.management import call_command
from django.test import Client

from incidents.models import Attachment, HeldMail, Incident
from supportdesk.integrations import reply_addresses
from supportdesk.integrations.models import Connection
from supportdesk.queue.models import Delivery, InboundEvent
from tests.fakes.imap import FakeImap

OURS = "mx.desk.example"
PNG = b"\x89PNG\r\n\x1a\n" + b"\x00" * 40


@pytest.fixture
def box():
    fake = FakeImap()
    fake.start()
    yield fake
    fake.stop()


@pytest.fixture
def line(world, box):
    """The desk's mailbox; its outgoing mail asks for answers there."""
    out = Connection.objects.get(vendor="email")
    out.set_values({**out.values, "reply_address": "desk@desk.example"})
    out.save()
    made = Connection(vendor="mail_in", name="Mailbox")
    made.set_values(box.values())
    made.save()
    return made


class Post:
    """Everybody's mail program."""

    def __init__(self, world, box):
        self.world, self.box, self.count = world, box, 0

    def mail(self, sender, subject="Checkout is down", text="Nothing works.", *, to="desk@desk.example", checks="pass",
             files=(), **headers):  # fmt: skip
        """A mail as our mail server leaves it in the box; `checks` is what it found out about the sender."""
        self.count += 1
        mail = EmailMessage()
        if checks is not None:
            domain = sender.rpartition("@")[2].strip(">")
            mail["Authentication-Results"] = f"{OURS}; dmarc={checks} header.from={domain}"
        mail["Return-Path"] = f"<{sender}>"
        mail["From"], mail["To"], mail["Subject"] = sender, to, subject
        mail["Date"], mail["Message-ID"] = format_datetime(self.world.now), f"<m{self.count}@mail.example>"
        for name, value in headers.items():
            name = name.replace("_", "-")
            del mail[name]
            mail[name] = value
        mail.set_content(text)
        for name, content in files:
            mail.add_attachment(content, maintype="application", subtype="octet-stream", filename=name)
        return mail.as_bytes().replace(b"\n", b"\r\n") if b"\r\n" not in mail.as_bytes() else mail.as_bytes()

    def sends(self, sender, *args, **more):
        """It arrives, and the desk asks for it."""
        self.box.receives(self.mail(sender, *args, **more))
        call_command("fetch_mail", verbosity=0, stdout=StringIO())
        self.world.settle()


@pytest.fixture
def post(world, box, line, recwarn):
    return Post(world, box)


def signed(incident: Incident) -> str:
    return reply_addresses.signed("desk@desk.example", f"supportdesk-{incident.pk}")


def outcome() -> str:
    return InboundEvent.objects.filter(verb="mail").order_by("-pk")[0].outcome["text"]


# --- customers -------------------------------------------------------------------------------------------------------


def test_a_mail_opens_an_incident_and_the_answer_carries_an_address_of_its_own(world, post, alice, box):
    post.sends(alice.user.email, "Re: Checkout is down")
    incident = world.incident
    assert (incident.title, incident.source, incident.reporter.name, incident.severity) == (
        "Checkout is down",
        "customer_email",
        "Alice Moreau",
        "P3",
    )
    assert box.unseen == []
    answer = alice.mails[-1].message
    assert answer["Reply-To"] == signed(incident)
    assert answer["Auto-Submitted"] == "auto-generated"


def test_an_answer_continues_the_incident_with_what_was_typed_and_not_what_was_quoted(world, post, alice, bob):
    incident = alice.reports("Checkout is down")
    text = "It works again for some.\n\nOn Sun, 29 Nov 2026 at 09:10, Desk <desk@desk.example> wrote:\n> We have it.\n"
    post.sends(alice.user.email, text=text, to=signed(incident))
    said = world.timeline("message")[-1]
    assert (said.text, said.actor, said.via) == ("It works again for some.", "Alice Moreau", "email")
    assert Incident.objects.count() == 1


def test_the_same_mail_delivered_twice_is_one(world, post, alice, box):
    raw = post.mail(alice.user.email)
    for _ in range(3):
        box.receives(raw)
    call_command("fetch_mail", verbosity=0, stdout=StringIO())
    world.settle()
    assert Incident.objects.count() == 1


def test_html_alone_is_read_as_words(world, post, alice, box):
    mail = post.mail(alice.user.email, text="placeholder").replace(b"text/plain", b"text/html")
    body = b"<p>Pay<b>ment</b> fails &amp; hangs</p><script>alert(1)</script><img src=x onerror=alert(2)>"
    box.receives(mail.replace(b"placeholder", body))
    call_command("fetch_mail", verbosity=0, stdout=StringIO())
    world.settle()
    assert world.incident.description == "Payment fails & hangs"


def test_a_line_that_breaks_in_the_middle_loses_nothing_and_doubles_nothing(world, post, alice, box, line):
    box.drop_at = "UID STORE"
    post.sends(alice.user.email)
    assert (len(box.unseen), Incident.objects.count()) == (1, 1)
    call_command("fetch_mail", verbosity=0, stdout=StringIO())
    world.settle()
    assert (len(box.unseen), Incident.objects.count()) == (0, 1)


def test_a_wrong_password_stands_on_the_connection(world, post, box, line):
    line.set_values(box.values(imap_password="old"))
    line.save()
    call_command("fetch_mail", verbosity=0, stdout=StringIO())
    line.refresh_from_db()
    assert line.works is False
    assert "wrong password" in line.check_result


# --- the auditor watches it ------------------------------------------------------------------------------------------


def wrong(world) -> str:
    """What the auditor finds wrong about mail now; empty when all is well."""
    from supportdesk.auditor import rounds

    found = {violation.invariant.name: violation.detail for violation in rounds.look(world.now).violations}
    return found.get("H7-mail", "")


def ask() -> None:
    call_command("fetch_mail", verbosity=0, stdout=StringIO())


def test_a_desk_without_a_mailbox_wants_no_process_for_it(world):
    assert wrong(world) == ""


def test_a_mailbox_nobody_asks_is_found_out(world, line):
    assert "no process has asked for mail" in wrong(world)
    ask()
    assert wrong(world) == ""
    world.advance(minutes=5, seconds=1)
    assert "no process has asked for mail since" in wrong(world)


def test_a_mailbox_that_stays_silent_is_found_out_although_it_is_asked(world, line, box):
    ask()
    line.set_values(box.values(imap_password="old"))
    line.save()
    for _ in range(6):
        assert wrong(world) == ""
        world.advance(seconds=55)
        ask()
    assert "wrong password" in wrong(world)
    line.is_enabled = False
    line.save()
    ask()
    assert wrong(world) == ""


# --- who is believed -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "headers",
    [
        {"checks": "fail"},
        {"checks": "none"},
        {"checks": None},
        {"checks": None, "Authentication_Results": "mx.evil.example; dmarc=pass header.from=acme.example"},
        {"Authentication_Results": f"{OURS}; dkim=pass header.d=evil.example; spf=pass smtp.mailfrom=x@evil.example"},
        {"Authentication_Results": f"{OURS}; dkim=pass header.d=example"},
        {"Authentication_Results": f"{OURS}; dmarc=pass header.from=evil.example"},
        {"Authentication_Results": f"{OURS}.evil.example; dmarc=pass"},
        {"Authentication_Results": f"{OURS}; dkim=fail (dmarc=pass header.from=acme.example) header.d=acme.example"},
    ],
    ids=range(9),
)
def test_a_header_alone_makes_nobody_alice(world, post, alice, headers):
    """Not proven: it acts for nobody, and a person is asked to look."""
    incident = alice.reports("Checkout is down")
    before = incident.timeline.count()
    post.sends(alice.user.email, "Please close this", to=signed(incident), **headers)
    held = HeldMail.objects.get()
    assert (held.state, held.contact.name, held.incident) == ("waiting", "Alice Moreau", incident)
    assert (Incident.objects.count(), incident.timeline.count()) == (1, before)
    assert Delivery.objects.filter(kind="mail_held").count() == 1
    assert Delivery.objects.filter(kind="mail_waiting").count() == 0  # nobody is answered who may not have written


@pytest.mark.parametrize(
    "result",
    [
        "dkim=pass header.d={domain}",
        "spf=pass smtp.mailfrom=bounce@{domain}",
        "dmarc=pass (p=REJECT) header.from={domain}; dkim=fail header.d=x.example",
    ],
)
def test_our_own_servers_word_is_enough(world, post, alice, result):
    domain = alice.user.email.rpartition("@")[2]
    post.sends(alice.user.email, Authentication_Results=f"{OURS}; {result.format(domain=domain)}")
    assert world.incident.reporter.name == "Alice Moreau"


def test_ten_spoofed_answers_of_staff_say_nothing_to_the_customer(world, post, alice, bob):
    incident = alice.reports("Checkout is down")
    mails = len(alice.mails)
    for number in range(10):
        post.sends(bob.user.email, text=f"Send us your password {number}", to=signed(incident), checks="fail")
    assert not world.timeline("message")
    assert len(alice.mails) == mails
    assert HeldMail.objects.count() == 10


def test_a_colleagues_proven_mail_is_a_note_the_customer_never_sees(world, post, alice, bob):
    incident = alice.reports("Checkout is down")
    post.sends(bob.user.email, text="Looks like the database.", to=signed(incident))
    assert world.timeline("note")[-1].text == "Looks like the database."
    assert "database" not in alice.reads(f"/portal/incidents/{incident.pk}/")


def test_mallory_with_alices_address_of_an_incident_gets_nowhere(world, post, alice, mallory):
    incident = alice.reports("Checkout is down")
    post.sends(mallory.user.email, text="I am in.", to=signed(incident))
    assert not world.timeline("message")
    assert HeldMail.objects.get().reason == "It answers an incident its sender has no part in."


def test_a_forged_reply_address_is_only_an_address(world, post, alice):
    incident = alice.reports("Checkout is down")
    for forged in (f"desk+{incident.pk}@desk.example", f"desk+{incident.pk}.{'a' * 16}@desk.example"):
        post.sends(alice.user.email, "Something else", to=forged)
    assert not incident.timeline.filter(kind="message").exists()
    assert Incident.objects.filter(title="Something else").count() == 2


def test_an_unknown_sender_is_a_request_that_a_person_checks(world, post, alice, bob):
    post.sends("new.colleague@acme.example", "It is down for me too")
    held = HeldMail.objects.get()
    assert held.reason == "Nobody we know has this address."
    answered = Delivery.objects.get(kind="mail_waiting")
    assert (answered.to, answered.state) == ("new.colleague@acme.example", "sent")
    assert "It is down for me too" in bob.reads("/console/mail/")
    assert "Not proven" in bob.reads(f"/console/mail/{held.pk}/")
    bob.post(f"/console/mail/{held.pk}/decide/", {"what": "accept", "contact": alice.user.contact.pk})
    world.settle()
    assert (world.incident.title, world.incident.reporter.name) == ("It is down for me too", "Alice Moreau")
    assert bob.is_refused(f"/console/mail/{held.pk}/decide/", {"what": "discard"})


def test_mail_that_waits_can_be_discarded_and_is_nobody_elses_business(world, post, alice, bob):
    post.sends("spam@spam.example", "Buy now")
    held = HeldMail.objects.get()
    assert alice.client.get(f"/console/mail/{held.pk}/").status_code == 404
    bob.post(f"/console/mail/{held.pk}/decide/", {"what": "discard"})
    assert (HeldMail.objects.get().state, Incident.objects.count()) == ("discarded", 0)


# --- loops -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "headers",
    [
        {"Auto_Submitted": "auto-replied"},
        {"Auto_Submitted": "auto-generated (vacation)"},
        {"Precedence": "bulk"},
        {"X_Auto_Response_Suppress": "All"},
        {"Return_Path": "<>"},
        {"List_Id": "<news.acme.example>"},
        {"X_Supportdesk_Key": "page:1"},
    ],
    ids=lambda headers: next(iter(headers)),
)
def test_machines_are_not_answered(world, post, alice, headers):
    post.sends(alice.user.email, "I am on holiday", **headers)
    assert (Incident.objects.count(), HeldMail.objects.count()) == (0, 0)
    assert Delivery.objects.filter(vendor="email").count() == 0
    assert "nothing was done" in outcome()


def test_two_desks_that_answer_each_other_stop_at_once(world, post, alice):
    """The other desk answers every mail of ours, without saying that it is a machine."""
    incident = alice.reports("Checkout is down")
    for _ in range(12):
        post.sends("robot@other-desk.example", "Your ticket 7 was received", to=signed(incident))
        world.advance(seconds=50)
    answered = Delivery.objects.filter(kind="mail_waiting", to="robot@other-desk.example").count()
    assert answered <= 2
    assert "More than 10 mails" in outcome()


# --- files -----------------------------------------------------------------------------------------------------------


def test_files_are_kept_and_handed_out_to_the_right_people_only_as_downloads(world, post, alice, bob, mallory):
    post.sends(alice.user.email, files=[("../../etc/screen\u202eshot.PNG", PNG)])
    row = Attachment.objects.get()
    assert (row.name, row.incident, row.size) == ("screenshot.PNG", world.incident, len(PNG))
    assert "screenshot.PNG" in world.incident.description
    for person in (alice, bob):
        answer = person.client.get(f"/files/{row.code}/")
        assert answer.content == PNG
        assert answer["Content-Disposition"] == 'attachment; filename="screenshot.PNG"'
        assert answer["X-Content-Type-Options"] == "nosniff"
        assert answer["Content-Security-Policy"] == "sandbox; default-src 'none'"
    assert mallory.client.get(f"/files/{row.code}/").status_code == 404
    assert Client().get(f"/files/{row.code}/").status_code == 302


HOSTILE = {
    "page.html": b"<html><script>alert(1)</script>", "image.svg": b"<svg onload=alert(1)>", "x.exe": b"MZ\x00",
    "shot.png": b"<script>alert(1)</script>", "notes.txt": b"<!DOCTYPE html><script>", "data.json": b"<svg/onload=x>",
    "sheet.xlsm": b"PK\x03\x04", "run.js": b"alert(1)", "a.php": b"<?php", "empty.txt": b"", "fake.pdf": b"GIF89a",
    "binary.log": b"\x00\x01\xff", "no-extension": b"words", ".htaccess": b"AddType", "x.jpg.php": b"\xff\xd8\xff",
    "x.zip": b"not a zip", "mail.eml": b"From: x", "x.xml": b"<?xml version='1.0'?><!DOCTYPE x>",
    "y.csv": b"\xff\xfe=\x00c\x00m\x00d", "z.yaml": b"<iframe src=x>",
}  # fmt: skip


@pytest.mark.parametrize("name", sorted(HOSTILE))
def test_what_might_run_is_not_kept_and_the_sender_is_told_why(world, post, alice, name):
    post.sends(alice.user.email, files=[(name, HOSTILE[name])])
    assert Attachment.objects.count() == 0
    assert "Not kept:" in world.incident.description


def test_at_most_ten_files_are_kept(world, post, alice):
    post.sends(alice.user.email, files=[(f"{n}.txt", b"words") for n in range(12)])
    assert Attachment.objects.count() == 10
    assert world.incident.description.count("Not kept:") == 2


def test_a_note_keeps_its_files_to_ourselves(world, post, alice, bob):
    incident = alice.reports("Checkout is down")
    post.sends(bob.user.email, to=signed(incident), files=[("dump.txt", b"rows")])
    assert alice.client.get(f"/files/{Attachment.objects.get().code}/").status_code == 404


# --- posted by a provider --------------------------------------------------------------------------------------------


def postmark(raw: bytes) -> str:
    return json.dumps({"RawEmail": raw.decode(), "From": "x@y.example", "MessageStream": "inbound", "Headers": [],
                       "FromFull": {"Email": "x@y.example", "Name": ""}, "ToFull": [], "CcFull": [], "BccFull": [],
                       "Subject": "", "MessageID": "1", "TextBody": "", "HtmlBody": "", "Attachments": []})  # fmt: skip


def test_a_provider_posts_mail_and_is_believed_by_its_secret_alone(world, post, alice, line, box):
    line.set_values(box.values(provider="postmark", webhook_secret="desk:s3cret", imap_host=""))
    line.save()
    raw, url = post.mail(alice.user.email), f"/hooks/mail_in/{line.code}/"
    for wrong in ({}, {"Authorization": "Basic " + b64encode(b"desk:wrong").decode()}, {"Authorization": "Basic %%"}):
        answer = Client().post(url, postmark(raw), content_type="application/json", headers=wrong)
        assert answer.status_code == 401, answer.content
    good = {"Authorization": "Basic " + b64encode(b"desk:s3cret").decode()}
    assert Client().post(url, "{", content_type="application/json", headers=good).status_code == 400
    for _ in range(2):
        answer = Client().post(url, postmark(raw), content_type="application/json", headers=good)
        assert answer.status_code == 200, answer.content
    world.settle()
    assert (Incident.objects.count(), world.incident.reporter.name) == (1, "Alice Moreau")


def test_without_a_provider_nobody_posts_mail(world, post, alice, line):
    answer = Client().post(f"/hooks/mail_in/{line.code}/", postmark(b""), content_type="application/json")
    assert answer.status_code == 401


def test_the_bytes_of_a_mail_are_kept_once(world, post, alice):
    post.sends(alice.user.email)
    assert InboundEvent.objects.get(verb="mail").reply["data"] == {}
