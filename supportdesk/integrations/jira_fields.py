"""What a new Jira ticket is filled with: the connection's field mapping, checked against what Jira says it takes."""

from __future__ import annotations

import re
from collections import OrderedDict
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from threading import Lock
from typing import Any

from supportdesk.integrations.base import IntegrationError
from supportdesk.integrations.jira_client import JiraClient

OURS = frozenset({"project", "issuetype", "summary", "description", "labels"})
WORDS = frozenset({"ref", "title", "severity", "org", "service", "url"})
MOST_KNOWN = 50
_WORD = re.compile(r"\{(\w+)\}")
Fields = dict[str, Mapping[str, Any]]


class Known:
    """What Jira said of its projects' fields, kept for the life of this process.

    Jira is asked before the first ticket and again after a refusal.
    """

    def __init__(self) -> None:
        self._lock = Lock()
        self._said: OrderedDict[tuple[str, str, str], tuple[str, Fields]] = OrderedDict()

    def get(self, key: tuple[str, str, str]) -> tuple[str, Fields] | None:
        with self._lock:
            return self._said.get(key)

    def put(self, key: tuple[str, str, str], said: tuple[str, Fields]) -> None:
        with self._lock:
            self._said[key] = said
            while len(self._said) > MOST_KNOWN:
                self._said.popitem(last=False)

    def forget(self) -> None:
        with self._lock:
            self._said.clear()


KNOWN = Known()


@dataclass(frozen=True)
class Template:
    """The mapping of one connection for one type of ticket."""

    site: str
    project: str
    issue_type: str
    mapped: Mapping[str, str] = field(default_factory=dict)
    priorities: Mapping[str, str] = field(default_factory=dict)

    def check(self, client: JiraClient) -> None:
        """Would Jira take a ticket like this? Raises a permanent `IntegrationError` that names the fields."""
        self._described(client, fresh=True)

    def fields(self, client: JiraClient, facts: Mapping[str, Any]) -> dict[str, Any]:
        """The ticket's fields beside those that are always ours."""
        type_id, described = self._described(client)
        filled: dict[str, Any] = {"project": {"key": self.project}, "issuetype": {"id": type_id}}
        for name, pattern in self.mapped.items():
            words = _filled(name, pattern, facts)
            if words:
                filled[name] = _shaped(name, words, described[name])
        priority = self.priorities.get(str(facts.get("severity", "")))
        return filled | ({"priority": {"name": priority}} if priority else {})

    def _described(self, client: JiraClient, *, fresh: bool = False) -> tuple[str, Fields]:
        key = (self.site, self.project, self.issue_type)
        said = None if fresh else KNOWN.get(key)
        if said is None:
            said = self._ask(client)
        self._require(said[1])
        KNOWN.put(key, said)
        return said

    def _ask(self, client: JiraClient) -> tuple[str, Fields]:
        types = {
            str(one.get("name", "")).casefold(): str(one.get("id", "")) for one in client.issue_types(self.project)
        }
        type_id = types.get(self.issue_type.casefold())
        if type_id is None:
            known = ", ".join(sorted(types)) or "none"
            raise IntegrationError(
                f"{self.project} has no issue type {self.issue_type!r}; it has: {known}.", permanent=True
            )
        return type_id, {str(one.get("fieldId") or one.get("key")): one for one in client.fields(self.project, type_id)}

    def _require(self, described: Fields) -> None:
        filled = OURS | set(self.mapped) | ({"priority"} if self.priorities else set()) | {"reporter"}
        missing = [
            f"{one.get('name', name)} ({name})"
            for name, one in described.items()
            if one.get("required") and not one.get("hasDefaultValue") and name not in filled
        ]
        unknown = sorted((set(self.mapped) | ({"priority"} if self.priorities else set())) - set(described))
        if missing:
            raise IntegrationError(
                f"Jira requires {', '.join(missing)} for a {self.issue_type}: add it to the connection's fields.",
                permanent=True,
            )
        if unknown:
            raise IntegrationError(
                f"Jira has no field {', '.join(unknown)} for a {self.issue_type}: take it out of the connection.",
                permanent=True,
            )


def _filled(name: str, pattern: str, facts: Mapping[str, Any]) -> str:
    """The pattern with its words in braces replaced: nothing else in it means anything."""
    unknown = set(_WORD.findall(pattern)) - WORDS
    if unknown:
        raise IntegrationError(
            f"Fields: {name}={pattern} names {sorted(unknown)[0]!r}, which is not known", permanent=True
        )
    return _WORD.sub(lambda word: str(facts.get(word[1]) or ""), pattern).strip()


def _number(name: str, words: str) -> float:
    try:
        return float(words)
    except ValueError as error:
        raise IntegrationError(f"Fields: {name} takes a number, not {words!r}", permanent=True) from error


# How Jira wants a value, by the type it declares; what is not here is a text.
_SHAPES: dict[str, Callable[[str, str], Any]] = {
    "number": _number,
    "option": lambda _, words: {"value": words},
    "priority": lambda _, words: {"name": words},
    "component": lambda _, words: {"name": words},
    "version": lambda _, words: {"name": words},
    "user": lambda _, words: {"accountId": words},
    "group": lambda _, words: {"name": words},
}


def _shaped(name: str, words: str, described: Mapping[str, Any]) -> Any:
    schema = described.get("schema") or {}
    if schema.get("type") == "array":
        shape = _SHAPES.get(str(schema.get("items", "")))
        return [shape(name, one.strip()) if shape else one.strip() for one in words.split(",") if one.strip()]
    shape = _SHAPES.get(str(schema.get("type", "")))
    return shape(name, words) if shape else words
