"""Leave: asked for, decided, read from files and calendars; never at the price of an uncovered shift (ROT-9)."""

from __future__ import annotations

import http.server
import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from rotations import absences, actions, oncall
from rotations.absences import NotACalendar
from rotations.models import Layer, Leave, LeaveCalendar, Schedule
from supportdesk.audit.models import AuditEntry
from supportdesk.errors import Invalid, NotAllowed, NotFound, WrongState


def who(person: Any) -> Any:
    return person.user.actor("console")


@pytest.fixture
def platform(world):
    return Schedule.objects.get(slug="platform")


def primary(platform, at):
    platform.refresh_from_db()
    return oncall.schedule(platform).who(at).primary


TUESDAY = datetime(2026, 12, 1, 8, tzinfo=UTC)  # carol's week as primary, 09:00 in Berlin
WEDNESDAY = TUESDAY + timedelta(days=1)


class TestAsking:
    def test_asked_approved_and_everybody_knows(self, world, platform, carol, dana, bob):
        asked = actions.ask_leave(actor=who(carol), start=TUESDAY, end=WEDNESDAY, note="moving house")
        world.settle()
        assert "Carol Jensen asks for leave" in dana.mail
        assert "moving house" in dana.mail
        assert primary(platform, TUESDAY) == str(carol.user.pk)
        hit = next(hit for hit in asked.hits if hit.slot == "primary")
        assert (hit.start, hit.covered_by) == (TUESDAY, str(bob.user.pk))
        with pytest.raises(WrongState, match="swap or an override, or confirm"):
            actions.approve_leave(asked.row.pk, actor=who(dana))
        actions.approve_leave(asked.row.pk, actor=who(dana), promote=True)
        world.settle()
        assert primary(platform, TUESDAY) == str(bob.user.pk)
        assert "Leave of Carol Jensen" in carol.mail
        assert "steps up" in bob.mail

    def test_nobody_would_be_there_so_it_cannot_be_approved(self, world, platform, bob, carol, dana):
        Layer.objects.filter(name__in=["APAC", "AMER"]).delete()
        platform.touch()
        for person in (bob, carol):
            actions.ask_leave(actor=who(person), start=TUESDAY, end=WEDNESDAY)
        first, second = Leave.objects.order_by("pk")
        actions.approve_leave(first.pk, actor=who(dana), promote=True)
        with pytest.raises(WrongState, match="Nobody would be on duty"):
            actions.approve_leave(second.pk, actor=who(dana), promote=True)
        second.refresh_from_db()
        assert second.state == Leave.State.ASKED

    def test_covered_by_an_override_it_is_approved_without_more(self, world, platform, bob, carol, dana):
        asked = actions.ask_leave(actor=who(carol), start=TUESDAY, end=TUESDAY + timedelta(hours=4))
        for slot, person in (("primary", bob), ("backup", dana)):
            actions.create_override(
                platform.pk, actor=who(dana), user_id=person.user.pk, slot=slot, start=TUESDAY,
                end=TUESDAY + timedelta(hours=4), force="there is nobody else that day",
            )  # fmt: skip
        assert actions.approve_leave(asked.row.pk, actor=who(dana)).row.state == Leave.State.APPROVED

    def test_ill_counts_at_once_and_whoever_is_next_steps_up(self, world, platform, alice, bob, carol, dana):
        actions.ask_leave(actor=who(bob), start=world.now, end=world.now + timedelta(hours=8), kind="sick")
        world.settle()
        assert primary(platform, world.now) == str(carol.user.pk)
        assert "Bob Novak is ill" in dana.mail
        assert "Bob Novak is ill" in carol.mail
        alice.reports("Checkout is down")
        assert carol.is_paged
        assert not bob.phone.texts

    def test_a_second_press_asks_once(self, world, carol):
        for _ in range(2):
            actions.ask_leave(actor=who(carol), start=TUESDAY, end=WEDNESDAY)
        assert Leave.objects.count() == AuditEntry.objects.filter(verb="ask_leave").count() == 1

    def test_who_may_do_what(self, world, bob, carol, dana, alice):
        asked = actions.ask_leave(actor=who(carol), start=TUESDAY, end=WEDNESDAY).row
        with pytest.raises(NotAllowed):
            actions.approve_leave(asked.pk, actor=who(bob), promote=True)
        with pytest.raises(NotAllowed):
            actions.cancel_leave(asked.pk, actor=who(bob))
        with pytest.raises(NotAllowed):
            actions.ask_leave(actor=who(bob), start=TUESDAY, end=WEDNESDAY, user_id=carol.user.pk)
        with pytest.raises(NotFound):
            actions.ask_leave(actor=who(alice), start=TUESDAY, end=WEDNESDAY)
        assert (
            actions.ask_leave(actor=who(dana), start=TUESDAY, end=WEDNESDAY, user_id=bob.user.pk).row.user == bob.user
        )

    def test_refused_with_a_reason_they_read(self, world, carol, dana):
        asked = actions.ask_leave(actor=who(carol), start=TUESDAY, end=WEDNESDAY).row
        with pytest.raises(Invalid):
            actions.refuse_leave(asked.pk, actor=who(dana), reason=" ")
        actions.refuse_leave(asked.pk, actor=who(dana), reason="the big release is that day")
        world.settle()
        assert "the big release is that day" in carol.mail
        with pytest.raises(WrongState):
            actions.refuse_leave(actions.cancel_leave(asked.pk, actor=who(carol)).pk, actor=who(dana), reason="x")

    def test_taken_back_they_are_on_duty_again(self, world, platform, carol, dana, bob):
        asked = actions.ask_leave(actor=who(carol), start=TUESDAY, end=WEDNESDAY).row
        actions.approve_leave(asked.pk, actor=who(dana), promote=True)
        assert primary(platform, TUESDAY) == str(bob.user.pk)
        actions.cancel_leave(asked.pk, actor=who(carol))
        assert primary(platform, TUESDAY) == str(carol.user.pk)


def ics(*events: str) -> bytes:
    body = "\r\n".join(f"BEGIN:VEVENT\r\n{event}\r\nEND:VEVENT" for event in events)
    return f"BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:test\r\n{body}\r\nEND:VCALENDAR\r\n".encode()


def event(uid: str, *lines: str) -> str:
    return "\r\n".join([f"UID:{uid}", "DTSTAMP:20261101T000000Z", *lines])


WEEK_OFF = event("off", "DTSTART;VALUE=DATE:20261214", "DTEND;VALUE=DATE:20261219", "SUMMARY:Skiing")
MONDAYS = event("mon", "DTSTART;VALUE=DATE:20261207", "RRULE:FREQ=WEEKLY;COUNT=3", "SUMMARY:University")
MEETING = event("meet", "DTSTART:20261208T090000Z", "DTEND:20261208T100000Z", "SUMMARY:Stand-up")
LONG = event("long", "DTSTART:20261209T080000", "DTEND:20261209T170000", "SUMMARY:Course")
START, END = datetime(2026, 11, 29, tzinfo=UTC), datetime(2027, 11, 29, tzinfo=UTC)


class TestReading:
    def test_whole_days_are_days_at_home_and_series_are_counted_out(self):
        found = absences.read(ics(WEEK_OFF, MONDAYS, MEETING, LONG), "Europe/Berlin", START, END)
        assert sorted((f"{a.start:%m-%d %H:%M}", f"{a.end:%m-%d %H:%M}", a.title) for a in found) == [
            ("12-06 23:00", "12-07 23:00", "University"),
            ("12-09 07:00", "12-09 16:00", "Course"),
            ("12-13 23:00", "12-14 23:00", "University"),
            ("12-13 23:00", "12-18 23:00", "Skiing"),
            ("12-20 23:00", "12-21 23:00", "University"),
        ]
        assert len({a.uid for a in found}) == 5
        assert "Stand-up" not in {a.title for a in found}

    def test_reading_again_names_the_same_things_the_same(self):
        twice = [absences.read(ics(WEEK_OFF, MONDAYS), "Europe/Berlin", START, END) for _ in range(2)]
        assert twice[0] == twice[1]

    def test_what_was_cancelled_is_none(self):
        gone = event("off", "DTSTART;VALUE=DATE:20261214", "STATUS:CANCELLED")
        assert absences.read(ics(gone), "Europe/Berlin", START, END) == []

    @pytest.mark.parametrize(
        "data",
        [
            b"",
            b"hello",
            b"\xff\xfe\x00",
            b"BEGIN:VCALENDAR",
            ics(event("x", "DTSTART:20261214T000000Z", "RRULE:FREQ=SECONDLY")),
            ics(event("x", "DTSTART:20261214T000000Z", "RRULE:FREQ=HOURLY;COUNT=9")),
            ics(*(event(f"e{n}", "DTSTART;VALUE=DATE:20261214") for n in range(2_001))),
        ],
        ids=["empty", "words", "bytes", "cut", "secondly", "hourly", "many"],
    )
    def test_what_is_no_calendar_of_leave_is_refused(self, data):
        with pytest.raises(NotACalendar):
            absences.read(data, "Europe/Berlin", START, END)


class TestImport:
    def test_what_hits_no_shift_is_approved_and_the_rest_waits(self, world, platform, carol, dana):
        read = actions.import_leave(actor=who(carol), data=ics(WEEK_OFF, MONDAYS))
        world.settle()
        assert (read.added, read.gone) == (4, 0)
        assert read.waiting == Leave.objects.filter(state=Leave.State.ASKED).count() > 0
        assert "Carol Jensen asks for leave" in dana.mail
        again = actions.import_leave(actor=who(carol), data=ics(WEEK_OFF, MONDAYS))
        assert (again.added, again.changed) == (0, 0)
        assert Leave.objects.count() == 4

    def test_whoever_is_in_no_rotation_is_simply_away(self, world, carol):
        Layer.objects.filter(name="EMEA").delete()
        Schedule.objects.get(slug="platform").touch()
        read = actions.import_leave(actor=who(carol), data=ics(WEEK_OFF))
        assert (read.added, read.waiting) == (1, 0)
        assert Leave.objects.get().state == Leave.State.APPROVED

    def test_a_file_that_is_none_changes_nothing(self, world, carol):
        with pytest.raises(Invalid) as refused:
            actions.import_leave(actor=who(carol), data=b"hello")
        assert refused.value.field == "file"
        assert not Leave.objects.exists()


class _Calendar(http.server.BaseHTTPRequestHandler):
    body = b""

    def do_GET(self):
        self.send_response(200 if self.path == "/leave.ics" else 404)
        self.end_headers()
        self.wfile.write(type(self).body)

    def log_message(self, *args):
        pass


@pytest.fixture
def calendar_server(settings) -> Iterator[str]:
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), _Calendar)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    settings.REACHABLE_NETWORKS = ["127.0.0.0/8"]
    yield f"http://127.0.0.1:{server.server_port}/leave.ics"
    server.shutdown()
    server.server_close()


class TestFollowing:
    def test_read_now_and_every_night_and_what_is_gone_is_cancelled(self, world, carol, calendar_server):
        _Calendar.body = ics(WEEK_OFF, MONDAYS)
        actions.follow_calendar(actor=who(carol), address=calendar_server)
        world.settle()
        assert Leave.objects.filter(user=carol.user, source="calendar").count() == 4
        row = LeaveCalendar.objects.get()
        assert (row.read_at, row.error) == (world.now, "")
        assert calendar_server not in row.sealed
        _Calendar.body = ics(WEEK_OFF)
        world.until(row.next_reading(world.now))
        states = set(Leave.objects.filter(note="University").values_list("state", flat=True))
        assert states == {Leave.State.CANCELLED}

    def test_what_goes_wrong_is_kept_for_its_owner_and_tried_again(self, world, carol, calendar_server):
        actions.follow_calendar(actor=who(carol), address=calendar_server.replace("leave.ics", "gone.ics"))
        world.settle()
        assert "404" in LeaveCalendar.objects.get().error
        assert "404" in carol.reads("/console/on-call/leave/")
        actions.forget_calendar(actor=who(carol))
        assert not LeaveCalendar.objects.exists()

    @pytest.mark.parametrize(
        "address",
        ["http://127.0.0.1/x", "https://10.0.0.1/x", "https://[::1]/x", "ftp://x.example/", "https://a:b@x.example/"],
    )
    def test_our_own_network_is_never_read(self, world, carol, address, settings):
        settings.REACHABLE_NETWORKS = []
        with pytest.raises(Invalid) as refused:
            actions.follow_calendar(actor=who(carol), address=address)
        assert refused.value.field == "address"
