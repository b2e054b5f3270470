"""Slack's forms (modals) as data: what they ask, and what was filled in. Pure.

A block is named after the input of the verb it is for, so that a refusal that names its field lands under it.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from supportdesk.integrations import inbound

VALUE = "v"  # the action id of every input
TITLE_LIMIT, OPTION_LIMIT, MOST_OPTIONS = 24, 75, 100
LONG, SHORT = 2_900, 200

Block = dict[str, Any]


def view(facts: Mapping[str, Any]) -> dict[str, Any]:
    """The form `facts["form"]`: update, resolve or declare. `facts["about"]` comes back as it was when it is sent."""
    name = str(facts["form"])
    title, button, blocks = _FORMS[name](facts)
    return {
        "type": "modal",
        "callback_id": name,
        "private_metadata": json.dumps(facts.get("about", {})),
        "title": _plain(title[:TITLE_LIMIT]),
        "submit": _plain(button),
        "close": _plain("Cancel"),
        "blocks": blocks,
    }


def filled(view_sent: Mapping[str, Any]) -> dict[str, str]:
    """What was filled in, by block."""
    values = inbound.member(view_sent, "state.values")
    return {
        str(name): _value(inputs[VALUE])
        for name, inputs in (values.items() if isinstance(values, Mapping) else ())
        if isinstance(inputs, Mapping) and isinstance(inputs.get(VALUE), Mapping)
    }


def _value(entered: Mapping[str, Any]) -> str:
    ticked = entered.get("selected_options")
    if isinstance(ticked, list):
        return "1" if ticked else ""
    chosen = inbound.member(entered, "selected_option.value")
    value = chosen if isinstance(chosen, str) else entered.get("value")
    return inbound.clean(value) if isinstance(value, str) else ""


def _update(facts: Mapping[str, Any]) -> tuple[str, str, list[Block]]:
    said = facts.get("draft", {})
    return (
        f"Update on {facts['ref']}",
        "Send to customer",
        [
            _note("The customer reads this, in their channel and by mail."),
            _text("state", "What is the state now?", initial=said.get("state", "")),
            _text("doing", "What are we doing next?", initial=said.get("doing", "")),
            _choice("status", "Status", facts.get("statuses", ()), is_optional=True),
            _choice("next_update_at", "Next update in", facts.get("intervals", ()), is_optional=True),
            _may_be_sent(),
        ],
    )


def _resolve(facts: Mapping[str, Any]) -> tuple[str, str, list[Block]]:
    asked = _text("summary", "What was wrong, and what did we do?")
    note = _note("The customer reads this and is asked to confirm.")
    return f"Resolve {facts['ref']}", "Resolve", [note, asked, _may_be_sent()]


def _declare(facts: Mapping[str, Any]) -> tuple[str, str, list[Block]]:
    organizations = facts.get("organizations", ())
    return (
        "Declare an incident",
        "Declare",
        [
            *([_choice("organization", "Customer", organizations)] if organizations else []),
            _text("title", "What is wrong, in one line?", is_long=False, initial=str(facts.get("title", ""))[:SHORT]),
            _choice("impact", "How much is affected?", facts["impacts"]),
            _choice("urgency", "How bad is it right now?", facts["urgencies"]),
            _text("description", "What else should we know?", is_optional=True),
        ],
    )


_FORMS: dict[str, Callable[[Mapping[str, Any]], tuple[str, str, list[Block]]]] = {
    "update": _update,
    "resolve": _resolve,
    "declare": _declare,
}


def _plain(words: str) -> dict[str, str]:
    return {"type": "plain_text", "text": words}


def _note(words: str) -> Block:
    return {"type": "context", "elements": [_plain(words)]}


def _text(name: str, label: str, *, is_long: bool = True, is_optional: bool = False, initial: str = "") -> Block:
    element: dict[str, Any] = {
        "type": "plain_text_input",
        "action_id": VALUE,
        "multiline": is_long,
        "max_length": LONG if is_long else SHORT,
    }
    if initial:
        element["initial_value"] = initial[: LONG if is_long else SHORT]
    return _input(name, label, element, is_optional=is_optional)


def _choice(name: str, label: str, options: Sequence[Sequence[str]], *, is_optional: bool = False) -> Block:
    """`options` are pairs of value and words."""
    shown = [{"value": str(value), "text": _plain(_cut(words))} for value, words in list(options)[:MOST_OPTIONS]]
    element = {"type": "static_select", "action_id": VALUE, "options": shown}
    return _input(name, label, element, is_optional=is_optional)


def _may_be_sent() -> Block:
    """The box that sends a text all the same; it counts once the desk has held this form back."""
    box = {"value": "1", "text": _plain("I have read why: it may be sent all the same (a secret never is)")}
    element = {"type": "checkboxes", "action_id": VALUE, "options": [box]}
    return _input("is_checked", "Only if the desk holds it back", element, is_optional=True)


def _cut(words: str) -> str:
    return words if len(words) <= OPTION_LIMIT else words[: OPTION_LIMIT - 1].rstrip() + "…"


def _input(name: str, label: str, element: Mapping[str, Any], *, is_optional: bool) -> Block:
    return {"type": "input", "block_id": name, "label": _plain(label), "element": element, "optional": is_optional}
