"""A fake mailbox: real IMAP over a socket, as much of it as a poller speaks; keeps flags, and can misbehave."""

from __future__ import annotations

import re
import socketserver
import threading
from dataclasses import dataclass, field

CAPABILITIES = b"IMAP4rev1"


@dataclass
class Stored:
    """One mail in the box."""

    uid: int
    raw: bytes
    flags: set[str] = field(default_factory=set)


class FakeImap:
    """`mails` are what lies in INBOX; `commands` what was said. `drop_at` closes the line at that command, once."""

    username = "desk"
    password = "imap-password"

    def __init__(self) -> None:
        self.mails: list[Stored] = []
        self.commands: list[str] = []
        self.drop_at = ""
        self._server = _Server(("127.0.0.1", 0), _handler_for(self))

    @property
    def port(self) -> int:
        return int(self._server.server_address[1])

    def values(self, **more: str) -> dict[str, str]:
        """What a connection to this mailbox is made with."""
        return {
            "address": "desk@desk.example",
            "authserv_id": "mx.desk.example",
            "imap_host": "127.0.0.1",
            "imap_port": str(self.port),
            "imap_security": "none",
            "imap_user": self.username,
            "imap_password": self.password,
            **more,
        }

    def receives(self, raw: bytes) -> Stored:
        """A mail arrives."""
        stored = Stored(len(self.mails) + 1, raw)
        self.mails.append(stored)
        return stored

    @property
    def unseen(self) -> list[Stored]:
        return [one for one in self.mails if r"\Seen" not in one.flags]

    def start(self) -> None:
        threading.Thread(target=self._server.serve_forever, args=(0.05,), name="fake-imap", daemon=True).start()

    def stop(self) -> None:
        self._server.shutdown()
        self._server.server_close()


class _Server(socketserver.ThreadingTCPServer):
    daemon_threads = True
    block_on_close = False
    allow_reuse_address = True

    def handle_error(self, request: object, client_address: object) -> None:
        """Nothing: the other side hung up."""


def _handler_for(box: FakeImap) -> type[socketserver.StreamRequestHandler]:
    class Handler(socketserver.StreamRequestHandler):
        def handle(self) -> None:
            self.is_known = False
            self._say(b"* OK ready")
            while line := self.rfile.readline():
                tag, _, rest = line.strip().decode("ascii", "replace").partition(" ")
                box.commands.append(rest)
                name = " ".join(rest.split()[: 2 if rest.upper().startswith("UID") else 1]).upper()
                if box.drop_at and name == box.drop_at:
                    box.drop_at = ""
                    return
                self._answer(tag, name, rest)
                if name == "LOGOUT":
                    return

        def _say(self, line: bytes) -> None:
            self.wfile.write(line + b"\r\n")

        def _answer(self, tag: str, name: str, rest: str) -> None:
            reply = {
                "CAPABILITY": self._capability,
                "LOGIN": self._login,
                "SELECT": self._select,
                "UID SEARCH": self._search,
                "UID FETCH": self._fetch,
                "UID STORE": self._store,
                "LOGOUT": self._logout,
            }.get(name)
            if reply is None or (not self.is_known and name not in ("CAPABILITY", "LOGIN", "LOGOUT")):
                self._say(f"{tag} BAD {name} is not spoken here".encode())
                return
            self._say(f"{tag} {reply(rest)}".encode())

        def _capability(self, rest: str) -> str:
            self._say(b"* CAPABILITY " + CAPABILITIES)
            return "OK done"

        def _login(self, rest: str) -> str:
            self.is_known = rest.split()[1:] == [box.username, f'"{box.password}"']
            return "OK logged in" if self.is_known else "NO [AUTHENTICATIONFAILED] wrong password"

        def _select(self, rest: str) -> str:
            if '"INBOX"' not in rest:
                return "NO no such folder"
            self._say(f"* {len(box.mails)} EXISTS".encode())
            return "OK [READ-WRITE] selected"

        def _search(self, rest: str) -> str:
            assert rest.endswith("UNSEEN"), rest
            self._say(("* SEARCH " + " ".join(str(one.uid) for one in box.unseen)).strip().encode())
            return "OK done"

        def _fetch(self, rest: str) -> str:
            uid = int(rest.split()[2])
            mail = next(one for one in box.mails if one.uid == uid)
            if "RFC822.SIZE" in rest:
                self._say(f"* {uid} FETCH (UID {uid} RFC822.SIZE {len(mail.raw)})".encode())
            else:
                head = "HEADER" in rest
                content = mail.raw.split(b"\r\n\r\n")[0] + b"\r\n\r\n" if head else mail.raw
                part = "BODY[HEADER]" if head else "BODY[]"
                self.wfile.write(
                    f"* {uid} FETCH (UID {uid} {part} {{{len(content)}}}\r\n".encode() + content + b")\r\n"
                )
            return "OK done"

        def _store(self, rest: str) -> str:
            found = re.match(r"UID STORE (\d+) \+FLAGS\.SILENT \((.*)\)", rest)
            assert found, rest
            next(one for one in box.mails if one.uid == int(found[1])).flags.add(found[2])
            return "OK done"

        def _logout(self, rest: str) -> str:
            self._say(b"* BYE")
            return "OK bye"

    return Handler
