"""A schedule tried out from JSON: what comes out, and what is refused by the path of the field."""

from __future__ import annotations

import copy
import json
from typing import Any

import pytest

from rotations.schedule import Schedule
from rotations.schedule_preview import preview, rules_from_case
from tests.rotations.schedule_cast import at

CASE: dict[str, Any] = {
    "layers": [
        {
            "name": "desk",
            "time_zone": "Europe/Berlin",
            "rotation": {"unit": "weekly", "anchor": "2026-05-04T09:00", "ring": ["ada", "ben", "cem"]},
        }
    ],
    "from": "2026-05-06T00:00:00Z",
    "until": "2026-05-07T00:00:00Z",
}
WEEK = {"layer": "desk", "shift_start": "2026-05-04T07:00:00Z", "shift_end": "2026-05-11T07:00:00Z"}
ABSENT = object()


def case(path: str = "", value: Any = None, **more: Any) -> dict[str, Any]:
    """The case above with one field set or taken out, such as layers.0.rotation.every."""
    changed = copy.deepcopy(CASE) | more
    *parents, last = path.split(".")
    place: Any = changed
    for key in parents:
        place = place[int(key)] if isinstance(place, list) else place[key]
    if path and value is ABSENT:
        del place[last]
    elif path:
        place[int(last) if isinstance(place, list) else last] = value
    return changed


def hour(slot: str, person: str, start: int, end: int, **more: Any) -> dict[str, Any]:
    return {
        "slot": slot,
        "person": person,
        "start": f"2026-05-06T{start:02}:00:00Z",
        "end": f"2026-05-06T{end:02}:00:00Z",
    } | more


def test_shifts_are_cut_to_the_range_and_name_the_whole() -> None:
    day = {"start": "2026-05-06T00:00:00Z", "end": "2026-05-07T00:00:00Z"}
    assert preview(CASE) == {
        "shifts": [{"slot": "primary", "person": "ada"} | day | WEEK, {"slot": "backup", "person": "ben"} | day | WEEK],
        "gaps": [],
    }


def test_everything_a_case_can_say() -> None:
    full = case(
        overrides=[hour("primary", "ben", 12, 16)],
        leave=[{"person": "ada", "start": "2026-05-06T20:00:00Z", "end": "2026-05-06T21:00:00Z"}],
        swaps=[{"giver": "ada", "taker": "cem", "start": "2026-05-06T09:00:00Z", "end": "2026-05-06T11:00:00Z"}],
        backup_offset=-1,
        inactive=["zoe"],
        fallback="dana",
    )
    full["layers"][0] |= {"slot": "primary", "priority": 3, "window": ["09:00", "24:00"], "weekdays": ["wed"]}
    full["layers"][0]["rotation"] |= {"every": 1, "start_index": 3}
    primaries = [
        (s["person"], s["start"][11:13], s["end"][11:13]) for s in preview(full)["shifts"] if s["slot"] == "primary"
    ]
    assert primaries == [
        ("dana", "00", "07"), ("ada", "07", "09"), ("cem", "09", "11"), ("ada", "11", "12"), ("ben", "12", "16"),
        ("ada", "16", "20"), ("cem", "20", "21"), ("ada", "21", "22"), ("dana", "22", "00"),
    ]  # fmt: skip
    assert json.loads(json.dumps(preview(full))) == preview(full)


def test_nobody_is_a_gap_of_the_primary_and_nobody_else_one_of_the_backup() -> None:
    alone = case("layers.0.rotation.ring", ["ada"])
    alone["layers"][0]["window"] = ["09:00", "18:00"]
    assert preview(alone)["gaps"] == [
        {"slot": "primary", "start": "2026-05-06T00:00:00Z", "end": "2026-05-06T07:00:00Z"},
        {"slot": "backup", "start": "2026-05-06T07:00:00Z", "end": "2026-05-06T16:00:00Z"},
        {"slot": "primary", "start": "2026-05-06T16:00:00Z", "end": "2026-05-07T00:00:00Z"},
    ]


def test_an_empty_ring_is_nobody() -> None:
    assert preview(case("layers.0.rotation.ring", []))["shifts"] == []
    assert len(preview(case(layers=[]))["gaps"]) == 1


def test_an_override_has_no_layer_and_is_its_own_shift() -> None:
    override = preview(case(overrides=[hour("backup", "zoe", 12, 16)]))["shifts"][2]
    assert override == hour(
        "backup", "zoe", 12, 16, layer=None, shift_start="2026-05-06T12:00:00Z", shift_end="2026-05-06T16:00:00Z"
    )


def test_the_rules_of_a_case_serve_other_questions_too() -> None:
    assert Schedule(rules_from_case(CASE)).who(at("2026-05-06T12:00")).primary == "ada"
    assert rules_from_case(case("from", ABSENT)) == rules_from_case(CASE)


SPAN = {"start": "2026-05-06T12:00:00Z", "end": "2026-05-06T16:00:00Z"}
REFUSED = [
    ("from", case("from", ABSENT)),
    ("from", case("from", "2026-05-06T00:00")),
    ("from", case("from", 5)),
    ("from", case("from", "0001-01-01T00:00:00Z")),
    ("until", case("until", "2026-05-06T00:00:00Z")),
    ("colour", case(colour="blue")),
    ("layers", case("layers", ABSENT)),
    ("layers", case(layers={})),
    ("layers[0]", case("layers.0", "desk")),
    ("layers[0].name", case("layers.0.name", "")),
    ("layers[0].colour", case("layers.0.colour", "blue")),
    ("layers[0].time_zone", case("layers.0.time_zone", "Mars/Base")),
    ("layers[0].time_zone", case("layers.0.time_zone", None)),
    ("layers[0].slot", case("layers.0.slot", "tertiary")),
    ("layers[0].priority", case("layers.0.priority", "high")),
    ("layers[0].window", case("layers.0.window", ["09:00"])),
    ("layers[0].window[0]", case("layers.0.window", ["24:00", "09:00"])),
    ("layers[0].window[1]", case("layers.0.window", ["09:00", "25:00"])),
    ("layers[0].weekdays", case("layers.0.weekdays", "mon")),
    ("layers[0].weekdays[1]", case("layers.0.weekdays", ["mon", "funday"])),
    ("layers[0].rotation", case("layers.0.rotation", ABSENT)),
    ("layers[0].rotation.unit", case("layers.0.rotation.unit", "fortnightly")),
    ("layers[0].rotation.every", case("layers.0.rotation.every", 0)),
    ("layers[0].rotation.every", case("layers.0.rotation.every", 10**12)),
    ("layers[0].rotation.every", case("layers.0.rotation.every", True)),
    ("layers[0].rotation.anchor", case("layers.0.rotation.anchor", "2026-05-04T09:00:00Z")),
    ("layers[0].rotation.anchor", case("layers.0.rotation.anchor", "tomorrow")),
    ("layers[0].rotation.anchor", case("layers.0.rotation.anchor", "9999-12-31T09:00")),
    ("layers[0].rotation.ring", case("layers.0.rotation.ring", "ada")),
    ("layers[0].rotation.ring[1]", case("layers.0.rotation.ring", ["ada", 7])),
    ("layers[0].rotation.start_index", case("layers.0.rotation.start_index", -1)),
    ("backup_offset", case(backup_offset=1.5)),
    ("fallback", case(fallback="")),
    ("inactive[0]", case(inactive=[None])),
    ("overrides[0].person", case(overrides=[SPAN])),
    ("overrides[0].end", case(overrides=[{"person": "ben", "start": SPAN["start"], "end": SPAN["start"]}])),
    ("overrides[1]", case(overrides=[SPAN | {"person": "ben"}, SPAN | {"person": "cem"}])),
    ("leave[0].start", case(leave=[{"person": "ben", "start": "soon", "end": SPAN["end"]}])),
    ("swaps[0].giver", case(swaps=[SPAN])),
    ("swaps[0].taker", case(swaps=[SPAN | {"giver": "ada", "taker": 3}])),
    ("swaps[0].state", case(swaps=[SPAN | {"giver": "ada", "state": "maybe"}])),
    ("swaps[0].return_end", case(swaps=[SPAN | {"giver": "ada", "return_start": SPAN["start"]}])),
]  # fmt: skip


@pytest.mark.parametrize(("path", "bad"), REFUSED, ids=[f"{i} {path}" for i, (path, _) in enumerate(REFUSED)])
def test_what_is_wrong_is_refused_by_name(path: str, bad: dict[str, Any]) -> None:
    with pytest.raises(ValueError) as refused:
        preview(bad)
    assert str(refused.value).startswith(f"{path}: ")


@pytest.mark.parametrize("bad", [None, [], "case", 3])
def test_a_case_is_an_object(bad: Any) -> None:
    with pytest.raises(ValueError, match="expected an object"):
        preview(bad)
