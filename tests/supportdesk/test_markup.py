"""Markdown becomes harmless HTML: what readers need is kept, everything else stays text or disappears."""

from __future__ import annotations

import pytest

from supportdesk.markup import to_html


def test_it_keeps_what_a_report_is_made_of() -> None:
    html = to_html("# Cause\n\n- one **bold** word\n- `code`\n\n| Hall | Test |\n|---|---|\n| A | yes |\n\n> quoted")
    for part in (
        "<h3>Cause</h3>",
        "<li>one <strong>bold</strong> word</li>",
        "<code>code</code>",
        "<td>A</td>",
        "<blockquote>",
    ):
        assert part in html


def test_its_links_vouch_for_nothing() -> None:
    assert (
        to_html("[notes](https://example.com/a)")
        == '<p><a href="https://example.com/a" rel="noopener nofollow">notes</a></p>\n'
    )


def test_headings_go_no_deeper_than_six() -> None:
    assert "<h6>Deep</h6>" in to_html("###### Deep")


@pytest.mark.parametrize(
    "text",
    [
        "<script>alert(1)</script>",
        '<img src=x onerror="alert(1)">',
        "![picture](https://example.com/track.png)",
        "[click](javascript:alert(1))",
        "[click](data:text/html;base64,PHNjcmlwdD4=)",
        '<a href="https://example.com" onclick="alert(1)">x</a>',
        "<style>body{display:none}</style>",
        "<javascript:alert(1)>",
    ],
)
def test_nothing_in_it_runs_loads_or_styles(text: str) -> None:
    html = to_html(text).lower()
    for danger in (
        "<script",
        "<img",
        "<style",
        'href="javascript',
        'href="data',
        '<a href="https://example.com" onclick',
    ):
        assert danger not in html


def test_what_was_typed_as_html_is_shown_as_typed() -> None:
    assert "&lt;b&gt;" in to_html("a <b> tag")
