"""/metrics: who may read it, what it says, and that dashboards and rules name only what exists."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
import yaml
from django.test import Client
from prometheus_client.parser import text_string_to_metric_families

from supportdesk.auditor import rounds, tallies
from supportdesk.web import metrics

DEPLOY = Path(__file__).resolve().parents[2] / "deploy"


@pytest.fixture
def readable(settings):
    settings.METRICS_TOKEN = "a-token"


def scrape(**headers):
    return Client().get("/metrics", headers={"Authorization": "Bearer a-token", **headers})


def samples(response):
    families = text_string_to_metric_families(response.content.decode())
    return {
        (sample.name, *sorted(sample.labels.items())): sample.value for family in families for sample in family.samples
    }


def test_without_a_token_there_is_nothing_here(world):
    assert Client().get("/metrics").status_code == 404


def test_a_wrong_token_finds_nothing_either(world, readable):
    assert Client().get("/metrics", headers={"Authorization": "Bearer other"}).status_code == 404
    assert scrape().status_code == 200


def test_an_address_on_the_list_needs_no_token(world, settings):
    settings.METRICS_ALLOW = ["127.0.0.0/8"]
    assert Client().get("/metrics").status_code == 200
    settings.METRICS_ALLOW = ["10.0.0.0/8"]
    assert Client().get("/metrics").status_code == 404


def test_a_caller_cannot_say_that_it_is_on_the_list(settings):
    """Behind one proxy only the rightmost address counts; before none, nothing a header says."""
    said = {"REMOTE_ADDR": "127.0.0.1", "HTTP_X_FORWARDED_FOR": "10.0.0.1, 203.0.113.9"}
    settings.TRUSTED_PROXIES = 1
    assert metrics.caller(said) == "203.0.113.9"
    settings.TRUSTED_PROXIES = 0
    assert metrics.caller(said) == "127.0.0.1"


def test_an_emergency_shows_in_every_stretch_of_its_way(world, readable, alice):
    alice.reports("Checkout is down")
    rounds.hold(world.now)
    found = samples(scrape())
    assert found["supportdesk_due_to_claimed_seconds_count", ("lane", "page")] >= 2
    assert found["supportdesk_claimed_to_sent_seconds_bucket", ("lane", "page"), ("le", "+Inf")] >= 2
    assert found["supportdesk_vendor_call_seconds_count", ("outcome", "ok"), ("vendor", "sms")] >= 1
    assert found["supportdesk_auditor_age_seconds",] == 0
    assert found["supportdesk_queue_depth", ("lane", "page")] == 0
    assert found["supportdesk_invariant_holds", ("invariant", "I2-paged"), ("level", "alarm")] == 1


def test_every_call_is_counted_once(world, alice):
    alice.reports("Checkout is down")
    assert tallies.add_up() > 3
    assert tallies.add_up() == 0


def test_what_is_scraped_is_what_is_promised(world, readable):
    rounds.hold(world.now)
    scraped = set(re.findall(r"(?m)^# TYPE (\w+) ", scrape().content.decode()))
    bare = {re.sub(r"_(bucket|sum|count)$", "", name) for name in metrics.names()}
    assert scraped == bare


def _named(text: str) -> set[str]:
    return set(re.findall(r"\bsupportdesk_\w+", text))


def test_the_rules_name_only_series_that_exist():
    rules = [
        rule
        for group in yaml.safe_load((DEPLOY / "prometheus" / "rules.yaml").read_text())["groups"]
        for rule in group["rules"]
    ]
    assert len(rules) >= 10
    assert all(rule["labels"]["severity"] in ("page", "ticket") and rule["annotations"]["summary"] for rule in rules)
    named = set().union(*(_named(rule["expr"]) for rule in rules))
    assert named
    assert named <= metrics.names()


def test_the_dashboard_names_only_series_that_exist():
    board = json.loads((DEPLOY / "grafana" / "supportdesk.json").read_text())
    named = set().union(*(_named(target["expr"]) for panel in board["panels"] for target in panel["targets"]))
    assert named <= metrics.names()
    assert metrics.names() - named - {"supportdesk_build_info", "supportdesk_auditor_round_seconds"} <= {
        *(name for name in metrics.names() if name.endswith(("_sum", "_count"))),
        "supportdesk_connection_works",
    }
