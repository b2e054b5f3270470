"""Everybody's pocket, as a web page: the phones that ring, the texts, Slack and mail of the demo, with the keys to
answer.

The stand-ins for the vendors keep what the desk sent; this shows it and presses the keys. It is part of the demo, not
of the desk.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from html import escape
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs

from tests.fakes import Desk, Fakes

STYLE = """
:root{color-scheme:light dark;--ink:light-dark(#16202a,#dfe6ec);--soft:light-dark(#5b6875,#93a1ae);--ground:light-dark(#f5f6f7,#0d1318);
--card:light-dark(#fff,#151d24);--line:light-dark(#e0e4e8,#2a353f);--accent:light-dark(#0b5f6b,#5cc3d0);--on:light-dark(#fff,#06272c);--red:light-dark(#b3261e,#ff8a80)}
*{box-sizing:border-box}body{margin:0;padding:20px;font:15px/1.5 system-ui,sans-serif;color:var(--ink);background:var(--ground)}
h1{font-size:20px;margin:0}h2{font-size:13px;margin:0 0 10px;color:var(--soft);font-weight:600}p{margin:0 0 18px;color:var(--soft)}
main{display:grid;gap:16px;grid-template-columns:repeat(auto-fit,minmax(320px,1fr))}section{background:var(--card);border:1px solid var(--line);border-radius:10px;padding:16px}
article{border-top:1px solid var(--line);padding:10px 0}article:first-of-type{border:0}b{font-weight:600}small{color:var(--soft)}pre{white-space:pre-wrap;margin:6px 0 0;font:inherit;overflow-wrap:anywhere}
.ringing{color:var(--red)}form{display:inline}button{font:inherit;font-weight:600;min-height:44px;padding:6px 16px;margin:8px 6px 0 0;border:1px solid var(--line);border-radius:8px;background:var(--card);color:var(--ink);cursor:pointer}
button.main{background:var(--accent);color:var(--on);border-color:var(--accent)}input{font:inherit;min-height:44px;padding:6px 10px;border:1px solid var(--line);border-radius:8px;background:var(--card);color:var(--ink);max-width:100%}
"""
SHOWN = 12


class Pocket:
    """Serves the page and presses the keys. `names` says whose number or address is whose."""

    def __init__(self, fakes: Fakes, desk: Desk, port: int, names: Mapping[str, str]) -> None:
        self.fakes, self.desk, self.names = fakes, desk, names
        self.server = ThreadingHTTPServer(("127.0.0.1", port), _handler(self))

    def serve(self) -> None:
        self.server.serve_forever(0.1)

    def who(self, address: str) -> str:
        return self.names.get(address, address)

    def page(self) -> str:
        parts = "".join(
            f"<section><h2>{title}</h2>{''.join(items) or '<small>Nothing yet.</small>'}</section>"
            for title, items in (
                ("Phones", self._calls()),
                ("Text messages", self._texts()),
                ("Slack", self._slack()),
                ("PagerDuty", self._pagerduty()),
                ("Jira", self._tickets()),
                ("Statuspage", self._notices()),
                ("incident.io", self._incidents()),
                ("Mail", self._mails()),
            )
        )
        return (
            f"<!doctype html><html lang=en><meta charset=utf-8><meta name=viewport content='width=device-width'><meta http-equiv=refresh content=3>"
            f"<title>Pocket</title><style>{STYLE}</style><h1>Everybody's pocket</h1>"
            f"<p>What the demo desk really sent, to stand-ins for the vendors. Pick up a phone and press a key.</p><main>{parts}</main></html>"
        )

    def _calls(self) -> list[str]:
        return [self._call(call) for call in reversed(self.fakes.phone.calls[-SHOWN:])]

    def _call(self, call: object) -> str:
        keys = ""
        if call.gather is not None:  # type: ignore[attr-defined]
            labels = (
                ("4", "4 · I have it", "main"),
                ("6", "6 · next person", ""),
                ("9", "9 · again", ""),
                ("", "say nothing", ""),
            )
            keys = "".join(_button("press", {"sid": call.sid, "digit": d}, text, look) for d, text, look in labels)  # type: ignore[attr-defined]
        state = "<b class=ringing>ringing</b>" if keys else "<small>ended</small>"
        return f"<article><b>{escape(self.who(call.to))}</b> {state}<pre>{escape(call.words)}</pre>{keys}</article>"  # type: ignore[attr-defined]

    def _texts(self) -> list[str]:
        return [
            f"<article><b>{escape(self.who(t.to))}</b><pre>{escape(t.body)}</pre>"
            f"<form method=post action=/text><input type=hidden name=number value='{escape(t.to)}'><input name=words aria-label='Answer' placeholder='ACK 1'>"
            f"<button>Answer</button></form></article>"
            for t in reversed(self.fakes.sms.texts[-SHOWN:])
        ]

    def _slack(self) -> list[str]:
        rows = []
        for message in reversed(self.fakes.slack.messages[-SHOWN:]):
            buttons = "".join(
                _button(
                    "click",
                    {"ts": message.ts, "action": name},
                    button["text"]["text"],
                    "main" if name == "acknowledge" else "",
                )
                for name, button in message.buttons.items()
                if "url" not in button
            )
            rows.append(
                f"<article><b>{escape(self.who(message.to))}</b><pre>{escape(message.text)}</pre>{buttons}</article>"
            )
        return rows

    def _pagerduty(self) -> list[str]:
        return [
            f"<article><b>{escape(alert.status)}</b> <small>{escape(key)}</small></article>"
            for key, alert in self.fakes.pagerduty.alerts.items()
        ]

    def _tickets(self) -> list[str]:
        return [
            f"<article><b>{escape(t.key)}</b> <small>{escape(t.status)}</small><br>{escape(str(t.fields['summary']))}"
            f"<pre>{escape((t.words or [''])[-1])}</pre></article>"
            for t in reversed(list(self.fakes.jira.tickets.values())[-SHOWN:])
        ]

    def _notices(self) -> list[str]:
        return [
            f"<article><b>{escape(i['status'])}</b> {escape(i['name'])}"
            f"<pre>{escape(i['incident_updates'][0]['body'])}</pre></article>"
            for i in reversed(list(self.fakes.statuspage.incidents.values())[-SHOWN:])
            if i["incident_updates"]
        ]

    def _incidents(self) -> list[str]:
        return [
            f"<article><b>{escape(i['incident_status']['name'])}</b> {escape(i['name'])}</article>"
            for i in reversed(list(self.fakes.incidentio.incidents.values())[-SHOWN:])
        ]

    def _mails(self) -> list[str]:
        return [
            f"<article><b>{escape(', '.join(m.recipients))}</b><br>{escape(m.subject)}<pre>{escape(m.part('plain'))}</pre></article>"
            for m in reversed(self.fakes.smtp.mails[-SHOWN:])
        ]

    # --- what a hand does --------------------------------------------------------------------------------------------

    def press(self, said: Mapping[str, str]) -> None:
        call = next(c for c in self.fakes.phone.calls if c.sid == said["sid"])
        if said["digit"]:
            self.fakes.phone.press(call, said["digit"], self.desk)
        else:
            self.fakes.phone.silence(call, self.desk)

    def text(self, said: Mapping[str, str]) -> None:
        self.fakes.sms.reply(said["number"], said["words"], self.desk)

    def click(self, said: Mapping[str, str]) -> None:
        message = next(m for m in self.fakes.slack.messages if m.ts == said["ts"])
        user = message.to if message.to.startswith("U") else "U0BOB"
        self.fakes.slack.click(message, said["action"], user, self.desk)


def _button(action: str, values: Mapping[str, str], label: str, look: str) -> str:
    hidden = "".join(f"<input type=hidden name={name} value='{escape(value)}'>" for name, value in values.items())
    return f"<form method=post action=/{action}>{hidden}<button class='{look}'>{escape(label)}</button></form>"


def _handler(pocket: Pocket) -> type[BaseHTTPRequestHandler]:
    hands: dict[str, Callable[[Mapping[str, str]], None]] = {
        "/press": pocket.press,
        "/text": pocket.text,
        "/click": pocket.click,
    }

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            if self.path == "/log.json":
                self._answer(
                    200,
                    json.dumps([seen.line() for vendor in pocket.fakes.vendors for seen in vendor.seen]).encode(),
                    "application/json",
                )
                return
            self._answer(200, pocket.page().encode(), "text/html; charset=utf-8")

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length", 0))).decode()
            said = {name: values[0] for name, values in parse_qs(body, keep_blank_values=True).items()}
            hand = hands.get(self.path)
            if hand is not None:
                try:
                    hand(said)
                except (ConnectionError, StopIteration, KeyError, AssertionError) as error:
                    self._answer(502, f"The desk did not take it: {error}".encode(), "text/plain; charset=utf-8")
                    return
            self.send_response(303)
            self.send_header("Location", "/")
            self.end_headers()

        def _answer(self, status: int, body: bytes, content_type: str) -> None:
            self.send_response(status)
            self.send_header("Content-Type", content_type)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *args: object) -> None:
            """Quiet: what matters is on the page."""

    return Handler
