"""Every template: compiles, keeps the content security policy, and can be used by everybody."""

from __future__ import annotations

import re
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path

import pytest
from django.contrib.auth.models import AnonymousUser
from django.http import Http404
from django.template import engines
from django.test import RequestFactory

from supportdesk import instants
from supportdesk.gallery import samples, views
from supportdesk.templatetags.desk import ICONS

TEMPLATES = Path(__file__).resolve().parents[2] / "templates"
# Mails carry their style with them; the policy below is for pages.
PAGES = sorted(path for path in TEMPLATES.rglob("*.html") if path.relative_to(TEMPLATES).parts[0] != "messages")
COMMENT = re.compile(r"\{% comment %\}.*?\{% endcomment %\}", re.DOTALL)


def name_of(path: Path) -> str:
    return path.relative_to(TEMPLATES).as_posix()


def source_of(path: Path) -> str:
    return COMMENT.sub("", path.read_text(encoding="utf-8"))


@pytest.mark.parametrize("path", PAGES, ids=name_of)
def test_it_compiles(path: Path) -> None:
    assert engines["django"].get_template(name_of(path)) is not None


@pytest.mark.parametrize("path", PAGES, ids=name_of)
def test_it_keeps_the_content_security_policy(path: Path) -> None:
    source = source_of(path)
    assert not re.search(r"\sstyle\s*=", source), "inline style"
    assert not re.search(r"<style\b", source), "inline style sheet"
    assert not re.search(r"\son[a-z]+\s*=\s*[\"']", source), "inline handler"
    for script in re.findall(r"<script\b[^>]*>", source):
        assert "src=" in script or 'type="application/json"' in script, script


@pytest.mark.parametrize("path", PAGES, ids=name_of)
def test_its_forms_carry_the_token_and_its_pictures_a_text(path: Path) -> None:
    source = source_of(path)
    for form in re.findall(r"<form\b[^>]*method=\"post\".*?</form>", source, re.DOTALL | re.IGNORECASE):
        assert "{% csrf_token %}" in form, form[:120]
    for picture in re.findall(r"<img\b[^>]*>", source):
        assert " alt=" in picture, picture


def test_every_icon_that_is_named_exists() -> None:
    named = {name for path in PAGES for name in re.findall(r"{% icon \"([a-z0-9-]+)\"", source_of(path))}
    assert named
    assert {name for name in named if not (ICONS / f"{name}.svg").is_file()} == set()


def test_every_component_says_what_it_needs() -> None:
    silent = [
        path.name for path in (TEMPLATES / "components").glob("_*.html") if "Context:" not in path.read_text()[:900]
    ]
    assert silent == []


class Page(HTMLParser):
    """What a reader with a screen reader or a keyboard finds on a page."""

    VOID = frozenset({"input", "img", "meta", "link", "br", "hr", "rect", "line", "circle", "path"})

    def __init__(self, html: str) -> None:
        super().__init__()
        self.ids: list[str] = []
        self.fields: list[dict[str, str]] = []
        self.labelled: set[str] = set()
        self.nameless: list[str] = []
        self.live: list[dict[str, str]] = []
        self.keys: list[tuple[str, str]] = []
        self._open: list[tuple[str, dict[str, str], list[str]]] = []
        self.feed(html)

    def handle_starttag(self, tag: str, pairs: list[tuple[str, str | None]]) -> None:
        attributes = {key: value or "" for key, value in pairs}
        self.ids += [attributes["id"]] if "id" in attributes else []
        if tag == "label" and "for" in attributes:
            self.labelled.add(attributes["for"])
        if tag in ("input", "select", "textarea") and attributes.get("type") != "hidden":
            inside = any(name == "label" for name, _, _ in self._open)
            self.fields.append(attributes | ({"aria-label": "wrapped"} if inside else {}))
        if "data-live-src" in attributes:
            self.live.append(attributes)
        if "data-key" in attributes:
            self.keys.append((tag, attributes["data-key"]))
        if "aria-label" in attributes:
            self._speak(attributes["aria-label"])
        if tag not in self.VOID:
            self._open.append((tag, attributes, []))

    def handle_data(self, data: str) -> None:
        self._speak(data.strip())

    def _speak(self, text: str) -> None:
        for _, _, words in self._open:
            words.append(text)

    def handle_endtag(self, tag: str) -> None:
        while tag not in self.VOID and self._open:
            name, attributes, words = self._open.pop()
            if name in ("a", "button") and not "".join(words) and not attributes.get("aria-label"):
                self.nameless.append(f"{name} {attributes}")
            if name == tag:
                return


@pytest.fixture
def _at_night() -> Iterator[None]:
    instants.freeze(samples.NOW)
    yield
    instants.freeze(None)


@pytest.fixture
def shown(_at_night: None, settings: object, rf: RequestFactory) -> object:
    settings.DEBUG = True  # type: ignore[attr-defined]

    def show(name: str) -> str:
        request = rf.get(f"/gallery/{name}/")
        request.user = AnonymousUser()
        response = views.gallery(request, name)
        assert response.status_code == 200
        return response.content.decode()

    return show


@pytest.mark.parametrize("name", views.PAGES)
def test_a_page_of_the_gallery_can_be_used_by_everybody(shown: object, name: str) -> None:
    page = Page(shown(name))  # type: ignore[operator]
    assert sorted({one for one in page.ids if page.ids.count(one) > 1}) == []
    unlabelled = [
        field for field in page.fields if field.get("id") not in page.labelled and not field.get("aria-label")
    ]
    assert unlabelled == []
    assert page.nameless == []
    assert [part for part in page.live if not part.get("id")] == []
    assert [key for key in page.keys if key[0] not in ("a", "button", "input", "textarea")] == []


@pytest.mark.parametrize("name", views.PAGES)
def test_a_page_of_the_gallery_has_no_gap_where_a_value_should_be(shown: object, name: str) -> None:
    html = shown(name)  # type: ignore[operator]
    for gap in ("namespace(", "None</", ">None<", "Sample(", "{%", "{{"):
        assert gap not in html


def test_the_gallery_is_closed_outside_debug(settings: object, rf: RequestFactory) -> None:
    settings.DEBUG = False  # type: ignore[attr-defined]
    with pytest.raises(Http404):
        views.gallery(rf.get("/gallery/"))


@pytest.mark.parametrize("name", ["403.html", "403_csrf.html", "404.html", "500.html", "503.html"])
def test_an_error_page_stands_without_context_database_or_manifest(settings: object, name: str) -> None:
    settings.EMERGENCY_NUMBER = "+49 30 5550 0199"  # type: ignore[attr-defined]
    html = engines["django"].get_template(name).render()
    assert "<h1>" in html
    assert "staticfiles" not in html
    assert ("tel:+493055500199" in html) == (name in ("500.html", "503.html"))
