"""The supervisor of `make run`, for real: every test runs one in a process of its own and kills things."""

from __future__ import annotations

import os
import re
import signal
import socket
import subprocess
import sys
import textwrap
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from supportdesk.embedded import guardian, processes
from supportdesk.embedded.instance import CHECKOUT, EmbeddedError, Instance, is_taken, try_lock
from supportdesk.embedded.run import run

PRELUDE = """
    import sys
    from supportdesk.embedded import supervisor
    from supportdesk.embedded.supervisor import Child, Lines, Supervisor

    SLEEP = "import os, time; print('pid', os.getpid()); time.sleep(600)"
    POLITE = (
        "import signal, sys, time\\n"
        "def leave(*_): print('leaving'); sys.exit()\\n"
        "signal.signal(signal.SIGTERM, leave); print('here'); time.sleep(600)"
    )
    DEAF = (
        "import os, signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN)\\n"
        "print('pid', os.getpid()); time.sleep(600)"
    )
    FAMILY = (  # like a queue cluster: a child in a session of its own, deaf to SIGTERM
        "import os, signal, time\\n"
        "if os.fork() == 0: os.setsid(); signal.signal(signal.SIGTERM, signal.SIG_IGN)\\n"
        "print('pid', os.getpid()); time.sleep(600)"
    )

    def python(name, code, **options):
        return Child(name, (sys.executable, "-I", "-S", "-u", "-c", code), **options)

    def supervise(*children):
        lines = Lines(child.name for child in children)
        Supervisor(children, lines, on_ready=lambda: lines.print("open")).run()
        lines.print("closed")
"""


class Supervised:
    """A supervisor at work, and everything it has said so far."""

    def __init__(self, code: str) -> None:
        script = textwrap.dedent(PRELUDE) + textwrap.dedent(code)
        self.process = subprocess.Popen(
            [sys.executable, "-c", script], cwd=CHECKOUT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
        )
        self.said: list[str] = []

    def says(self, pattern: str, times: int = 1) -> list[str]:
        """Read on until so many further lines match; returns them."""
        assert self.process.stdout
        found: list[str] = []
        while len(found) < times:
            line = self.process.stdout.readline()
            assert line, f"it ended without saying {pattern!r}:\n{''.join(self.said)}"
            self.said.append(line)
            if re.search(pattern, line):
                found.append(line.rstrip("\n"))
        return found

    def pids(self, times: int) -> list[int]:
        return [int(line.split()[-1]) for line in self.says(r"\| pid \d+", times)]

    def stop(self) -> None:
        self.process.terminate()
        self.says("^closed$")
        assert self.process.wait(10) == 0


@pytest.fixture
def supervise() -> Iterator[type[Supervised]]:
    begun: list[Supervised] = []

    class Begun(Supervised):
        def __init__(self, code: str) -> None:
            super().__init__(code)
            begun.append(self)

    yield Begun
    for supervised in begun:
        supervised.process.kill()
        supervised.process.wait()
        if supervised.process.stdout:
            supervised.process.stdout.close()


def wait_until_gone(pids: list[int]) -> None:
    deadline = time.monotonic() + 20
    while left := [pid for pid in pids if not _is_gone(pid)]:
        assert time.monotonic() < deadline, f"still alive: {left}"
        time.sleep(0.02)


def _is_gone(pid: int) -> bool:
    try:
        return _stat(pid)[0] == "Z"
    except FileNotFoundError:
        return True


def _stat(pid: int) -> list[str]:
    """State, parent, … of a process, as in proc(5)."""
    return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()


def test_children_start_in_order_and_stop_in_reverse(supervise: type[Supervised]) -> None:
    desk = supervise("""
        supervise(python("web", POLITE, order=2), python("database", POLITE, order=1, ready=lambda: True))
    """)
    desk.says("^open$")
    desk.says("here", times=2 - sum("here" in line for line in desk.said))
    desk.stop()
    told = [line.split(" ", 1)[1].split("|")[0].strip() for line in desk.said if "leaving" in line]
    assert told == ["web", "database"]


def test_nobody_starts_before_an_earlier_one_is_ready(supervise: type[Supervised], tmp_path: Path) -> None:
    desk = supervise(f"""
        from pathlib import Path
        supervise(
            python("database", SLEEP, order=0, ready=Path({str(tmp_path / "ready")!r}).exists),
            python("web", SLEEP, order=1),
        )
    """)
    desk.says(r"database \| pid")
    assert len(desk.said) == 1
    (tmp_path / "ready").touch()
    desk.says(r"database \| ready after")
    assert len(desk.said) == 2
    desk.says(r"web +\| pid")


def test_a_page_that_never_answers_does_not_keep_the_clock_from_running(supervise: type[Supervised]) -> None:
    desk = supervise("""
        supervisor.SLOW_START = 0.3
        supervise(python("web", SLEEP, order=0, ready=lambda: False), python("clock", SLEEP, order=1))
    """)
    desk.says(r"web +\| not ready after 0 s; going on without it, and still trying")
    desk.says(r"clock \| pid")
    desk.stop()
    assert not any(line == "open\n" for line in desk.said)


def test_a_killed_child_starts_again_after_its_family_is_gone(supervise: type[Supervised]) -> None:
    desk = supervise("""supervise(python("lane", FAMILY))""")
    first = desk.pids(2)
    leader = next(pid for pid in first if _stat(pid)[1] == str(desk.process.pid))
    os.kill(leader, signal.SIGKILL)
    desk.says(r"lane \| ended \(SIGKILL\); starting again in 0\.2 s")
    wait_until_gone(first)
    assert not set(desk.pids(2)) & set(first)
    desk.stop()


@pytest.mark.parametrize("also_the_guard", [False, True], ids=["supervisor", "supervisor and guard"])
def test_kill_9_leaves_no_orphan(supervise: type[Supervised], also_the_guard: bool) -> None:
    """Without the guard only what the kernel promises is left: every direct child is told to end."""
    desk = supervise(f"""supervise(python("web", SLEEP), python("lane", {"SLEEP" if also_the_guard else "FAMILY"}))""")
    pids = desk.pids(2 if also_the_guard else 3)
    guard = _guard_of(pids[0])
    if also_the_guard:
        os.kill(guard, signal.SIGSTOP)
    desk.process.kill()
    wait_until_gone(pids)
    os.kill(guard, signal.SIGCONT)
    wait_until_gone([guard])


def _guard_of(child: int) -> int:
    environment = Path(f"/proc/{child}/environ").read_bytes().split(b"\0")
    run_id = next(v for v in environment if v.startswith(guardian.MARK.encode())).split(b"=")[1].split(b":")[0]
    wanted = b"\0guard\0" + run_id + b"\0"
    return next(
        int(entry.name)
        for entry in Path("/proc").glob("[0-9]*")
        if (entry / "cmdline").exists() and wanted in (entry / "cmdline").read_bytes()
    )


def test_a_child_that_keeps_failing_is_tried_ever_more_slowly(supervise: type[Supervised]) -> None:
    desk = supervise("""
        supervisor.FIRST_WAIT = 0.001
        supervise(python("clock", "raise SystemExit('no database')"))
    """)
    desk.says("5 times in a row.*; starting again in 30.0 s")
    assert len([line for line in desk.said if "no database" in line]) == 5
    desk.stop()


def test_a_child_that_cannot_be_started_is_named(supervise: type[Supervised]) -> None:
    desk = supervise("""supervise(Child("web", ("/no/such/program",)))""")
    desk.says(r"web \| could not be started: .*No such file")
    desk.stop()


def test_a_child_that_does_not_stop_is_ended_by_force(supervise: type[Supervised]) -> None:
    desk = supervise("""supervise(python("lane", DEAF, grace=0.2))""")
    pids = desk.pids(1)
    desk.process.send_signal(signal.SIGINT)
    desk.says(r"lane \| did not stop in time; ended by force")
    desk.says("^closed$")
    wait_until_gone(pids)


def test_a_second_desk_says_where_the_first_one_is(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    instance = Instance("test", tmp_path)
    instance.make_room()
    lock = try_lock(instance.home / "run.lock")
    assert lock
    (instance.home / "run.lock").write_text('{"pid": 4711, "url": "http://127.0.0.1:8000"}')
    run(instance, is_embedded=True, host="127.0.0.1", port=8000, prepare=lambda: pytest.fail("must not begin"))
    said = capsys.readouterr().out
    assert said == "supportdesk is already running at http://127.0.0.1:8000 (pid 4711). Nothing was started.\n"
    os.close(lock)
    instance.forget()


def test_a_desk_without_its_database_says_why_and_leaves_no_lock(tmp_path: Path) -> None:
    instance = Instance("dev", tmp_path)
    instance.make_room()
    instance.data.mkdir()
    (instance.data / "PG_VERSION").write_text("13\n")
    with pytest.raises(EmbeddedError, match="PostgreSQL 13"):
        run(instance, is_embedded=True, host="127.0.0.1", port=8000, prepare=lambda: pytest.fail("must not begin"))
    assert not is_taken(instance.home / "run.lock")
    instance.forget()


def test_a_taken_port_moves_to_the_next_free_one() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        found = processes.free_port("127.0.0.1", port)
        assert port < found < port + processes.PORTS_TRIED
        assert processes.free_port("127.0.0.1", port, taken=(found,)) > found


def test_an_address_of_another_machine_is_no_taken_port() -> None:
    with pytest.raises(EmbeddedError, match=r"Cannot listen on 192\.0\.2\.1, port 8000"):
        processes.free_port("192.0.2.1", 8000)
