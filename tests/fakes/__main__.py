"""`python -m tests.fakes --port-file FILE`: the fake vendors on their own, for the demo.

Prints one JSON line for everything a vendor receives. Lines typed here act as the people at the other end:

    press 4                the newest call's phone
    silence                somebody picks up and says nothing
    status no-answer       the newest call ends
    click acknowledge      a button of the newest Slack message that has it
    reply +4917… ACK 42    a text to the desk
"""

from __future__ import annotations

import argparse
import json
import os
import signal
import sys
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path

from tests.fakes import Desk, DeskAnswer, Fakes, through_http


def main() -> None:
    arguments = _arguments()
    with Fakes() as fakes:
        fakes.watch(_tell)
        if arguments.sms_hook:
            fakes.sms.hook_url = arguments.sms_hook
        if arguments.slack_hook:
            fakes.slack.hook_url = arguments.slack_hook
        _write(Path(arguments.port_file), fakes)
        _follow(sys.stdin, fakes, through_http(arguments.desk))
        signal.pause()  # nobody types (any more): keep serving until somebody ends us


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.fakes", description="Fake vendors for the demo.")
    parser.add_argument("--port-file", required=True, help="where to write the addresses, as JSON")
    parser.add_argument("--desk", default="", help="the desk's address here, if its public one is not reachable")
    parser.add_argument("--slack-hook", default="", help="the public address Slack calls")
    parser.add_argument("--sms-hook", default="", help="the public address texts are sent to")
    return parser.parse_args()


def _write(path: Path, fakes: Fakes) -> None:
    """Whole or not at all: whoever waits for the file must not read half of it."""
    draft = path.with_suffix(".draft")
    draft.write_text(json.dumps({**fakes.base_urls(), "smtp": fakes.smtp.port, "pid": os.getpid()}))
    draft.replace(path)


def _follow(lines: Iterable[str], fakes: Fakes, desk: Desk) -> None:
    for line in lines:
        try:
            answer = _do(line.split(), fakes, desk)
        except (LookupError, AssertionError, OSError, ValueError) as error:
            _tell(json.dumps({"cannot": line.strip(), "why": str(error) or type(error).__name__}))
        else:
            _tell(json.dumps({"did": line.strip(), "desk": answer.status, "said": answer.body}))


def _tell(line: str) -> None:
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


def _do(words: list[str], fakes: Fakes, desk: Desk) -> DeskAnswer:
    match words:
        case ["press", digit]:
            return fakes.phone.press(fakes.phone.calls[-1], digit, desk)
        case ["silence"]:
            return fakes.phone.silence(fakes.phone.calls[-1], desk)
        case ["status", status]:
            return fakes.phone.status(fakes.phone.calls[-1], status, desk)
        case ["click", action]:
            message = [one for one in fakes.slack.messages if action in one.buttons][-1]
            return fakes.slack.click(message, action, "U111", desk)
        case ["reply", number, *rest]:
            return fakes.sms.reply(number, " ".join(rest), desk)
    raise ValueError("say one of: press, silence, status, click, reply")


if __name__ == "__main__":
    with suppress(KeyboardInterrupt):
        main()
