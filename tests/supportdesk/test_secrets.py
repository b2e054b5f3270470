"""Secrets at rest: sealed by keys outside the database, never shown, re-sealed when a key changes (S22)."""

from __future__ import annotations

import pytest
from django.core.management import call_command
from django.db import connection

from supportdesk import secrets_at_rest
from supportdesk.integrations.models import Connection


@pytest.fixture
def slack(world):
    row = Connection.objects.get(vendor="slack")
    row.set_values({**row.values, "bot_token": "xoxb-PLANTED", "signing_secret": "PLANTED-too"})
    row.save()
    return row


def test_nothing_planted_is_in_the_table(slack):
    with connection.cursor() as cursor:
        cursor.execute("SELECT row_to_json(c)::text FROM supportdesk_connection AS c")
        assert "PLANTED" not in "".join(text for (text,) in cursor.fetchall())
    assert Connection.objects.get(pk=slack.pk).values["bot_token"] == "xoxb-PLANTED"


def test_the_back_office_never_shows_it_and_an_empty_field_keeps_it(slack, dana):
    url = f"/admin/supportdesk/connection/{slack.pk}/change/"
    assert "PLANTED" not in dana.client.get(url).content.decode()
    answer = dana.client.post(
        url, {"vendor": "slack", "name": "Renamed", "is_enabled": "on", "v_bot_token": "", "v_signing_secret": ""}
    )
    assert answer.status_code == 302, answer.content.decode()
    slack.refresh_from_db()
    assert (slack.name, slack.values["bot_token"]) == ("Renamed", "xoxb-PLANTED")


def test_an_old_key_still_opens_and_rotation_makes_it_needless(slack, settings):
    settings.SECRETS_KEYS = ["new-key", *settings.SECRETS_KEYS]
    assert Connection.objects.get(pk=slack.pk).values["bot_token"] == "xoxb-PLANTED"
    call_command("rotate_secrets", verbosity=0)
    settings.SECRETS_KEYS = ["new-key"]
    assert Connection.objects.get(pk=slack.pk).values["bot_token"] == "xoxb-PLANTED"


def test_a_missing_key_says_which_setting_to_look_at(slack, settings):
    settings.SECRETS_KEYS = ["another"]
    with pytest.raises(secrets_at_rest.CannotOpen, match="SUPPORTDESK_SECRETS_KEY"):
        _ = Connection.objects.get(pk=slack.pk).values
