"""Facts in the reader's language and zone. Pure.

What people wrote stays as they wrote it; what the desk says by itself (times, severities, buttons) is said anew.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any, Final
from zoneinfo import ZoneInfo

from supportdesk import readable

ENGLISH, GERMAN = "en", "de"
LANGUAGES: Final = ((ENGLISH, "English"), (GERMAN, "Deutsch"))

_DAYS: Final = ("Mo", "Di", "Mi", "Do", "Fr", "Sa", "So")
_MONTHS: Final = ("Jan.", "Feb.", "März", "Apr.", "Mai", "Juni", "Juli", "Aug.", "Sept.", "Okt.", "Nov.", "Dez.")
_ZONES: Final = {"CET": "MEZ", "CEST": "MESZ", "EET": "OEZ", "EEST": "OESZ", "WET": "WEZ", "WEST": "WESZ"}
_PHRASES: Final[Mapping[str, str]] = {
    "critical": "kritisch",
    "high": "hoch",
    "normal": "normal",
    "low": "niedrig",
    "not yet judged": "noch nicht eingestuft",
    "your business has stopped": "Ihr Geschäft steht still",
    "a core function or many users are affected": "eine Kernfunktion oder viele Nutzer sind betroffen",
    "it hurts and there is a way around it": "es stört und lässt sich umgehen",
    "a question or something small": "eine Frage oder eine Kleinigkeit",
    "our platform": "unsere Plattform",
    "Open in the portal": "Im Portal öffnen",
    "an engineer is called now": "jemand aus der Bereitschaft wird sofort angerufen",
    "we work on it around the clock": "wir arbeiten rund um die Uhr daran",
    "it gets a war room": "ein Krisenstab übernimmt",
    "you may use the emergency line": "Sie dürfen die Notfallnummer nutzen",
}
# Facts the desk words itself; every other one may be somebody's own words and is left alone.
_WORDED: Final = frozenset({"severity_word", "severity_meaning", "before_word", "org", "button", "scope_words"})
_MEASURES: Final = frozenset({"late_by", "interval_words"})


class Moment(str):
    """An instant as a message says it, which still knows which instant it is."""

    at: datetime
    zone: str

    def __new__(cls, at: datetime, zone: str) -> Moment:
        made = super().__new__(cls, readable.moment(at, zone))
        made.at, made.zone = at, zone
        return made

    def __getnewargs__(self) -> tuple[Any, ...]:
        return self.at, self.zone


def in_words_of(facts: dict[str, Any], language: str, zone: str = "") -> dict[str, Any]:
    """The facts for a reader of a language, with times in their zone (as they are where none is named)."""
    say = _MOMENTS.get(language, readable.moment)
    said = {
        name: say(value.at, zone or value.zone) if isinstance(value, Moment) else value for name, value in facts.items()
    }
    if language == GERMAN:
        said |= {name: _german(said[name]) for name in _WORDED & said.keys()}
        said |= {name: _german_measure(said[name]) for name in _MEASURES & said.keys()}
        said["language"] = language
    return said


def german_moment(at: datetime, zone: str) -> str:
    """`So, 29. Nov. 2026, 09:10 Uhr MEZ (UTC+1)`."""
    local = at.astimezone(ZoneInfo(zone))
    name = readable.zone_name(local)
    tail = readable.moment(at, zone).rpartition(f"{local:%H:%M} ")[2].replace(name, _ZONES.get(name, name), 1)
    day = f"{_DAYS[local.weekday()]}, {local.day}. {_MONTHS[local.month - 1]} {local.year}"
    return f"{day}, {local:%H:%M} Uhr {tail}"


def _german(value: Any) -> Any:
    if not isinstance(value, str):
        return value
    return ", ".join(_PHRASES.get(part, part) for part in value.split(", "))


def _german_measure(value: Any) -> Any:
    """`2 d 4 h` as Germans write it: `2 Tg. 4 Std.`; minutes and seconds are the same, as words."""
    names = {"d": "Tg.", "h": "Std.", "min": "Min.", "s": "Sek."}
    return " ".join(names.get(part, part) for part in value.split(" ")) if isinstance(value, str) else value


_MOMENTS: Final[Mapping[str, Callable[[datetime, str], str]]] = {GERMAN: german_moment}
