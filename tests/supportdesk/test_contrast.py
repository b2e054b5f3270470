"""Contrast of the design tokens: text at least 4.5, edges of controls at least 3, in the light and in the dark."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

TOKENS = Path(__file__).resolve().parents[2] / "static" / "css" / "tokens.css"
PAIR = re.compile(r"--([\w-]+): light-dark\((#[0-9a-f]{6}), (#[0-9a-f]{6})\);")
GROUNDS = ("canvas", "surface", "raised", "pressed")
TONES = ("accent", "danger", "warn", "well", "customer", "internal")

TEXT = [
    *[(ink, ground) for ink in ("ink", "ink-soft", "ink-faint") for ground in GROUNDS],
    *[(f"{tone}-ink", ground) for tone in TONES for ground in (*GROUNDS, f"{tone}-soft")],
    *[(ink, f"{tone}-soft") for ink in ("ink", "ink-soft", "ink-faint") for tone in TONES],
    *[(f"on-{tone}", tone) for tone in ("accent", "danger", "customer", "internal")],
    *[(f"on-{tone}", f"{tone}-strong") for tone in ("accent", "danger", "customer", "internal")],
    ("on-p2", "p2"),
    ("danger", "on-danger"),
    *[(ink, "current") for ink in ("ink", "ink-soft", "accent-ink")],
    ("p3-ink", "p3-soft"),
    *[(f"hue-{n}-ink", f"hue-{n}-soft") for n in range(8)],
    *[(f"hue-{n}-ink", "surface") for n in range(8)],
]
EDGES = [
    ("field-line", "surface"),
    ("field-line", "canvas"),
    ("p3-line", "surface"),
    ("focus", "surface"),
    ("focus", "canvas"),
]


def tokens(theme: int) -> dict[str, str]:
    return {match[1]: match[2 + theme] for match in PAIR.finditer(TOKENS.read_text())}


def luminance(colour: str) -> float:
    """WCAG 2.2 relative luminance."""
    parts = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(one: str, other: str) -> float:
    bright, dim = sorted((luminance(one), luminance(other)), reverse=True)
    return (bright + 0.05) / (dim + 0.05)


def test_the_measure_itself() -> None:
    assert contrast("#000000", "#ffffff") == pytest.approx(21)
    assert contrast("#767676", "#ffffff") == pytest.approx(4.54, abs=0.01)


@pytest.mark.parametrize("theme", [0, 1], ids=["light", "dark"])
def test_text_can_be_read(theme: int) -> None:
    colours = tokens(theme)
    weak = {f"{ink} on {ground}": round(contrast(colours[ink], colours[ground]), 2) for ink, ground in TEXT}
    assert {pair: value for pair, value in weak.items() if value < 4.5} == {}


@pytest.mark.parametrize("theme", [0, 1], ids=["light", "dark"])
def test_edges_of_controls_can_be_seen(theme: int) -> None:
    colours = tokens(theme)
    weak = {f"{edge} on {ground}": round(contrast(colours[edge], colours[ground]), 2) for edge, ground in EDGES}
    assert {pair: value for pair, value in weak.items() if value < 3} == {}


def test_no_sheet_names_a_colour_of_its_own() -> None:
    found = {
        f"{sheet.name}: {colour}"
        for sheet in TOKENS.parent.glob("*.css")
        if sheet.name != "tokens.css"
        for colour in re.findall(r"#[0-9a-fA-F]{3,8}\b(?=[\s;,)])|rgba?\(", sheet.read_text())
    }
    assert found == set()
