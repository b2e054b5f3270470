"""Keep declared processes running: start in order, restart what dies, stop in reverse order, leave nobody behind.

Crash-only: a child that ends for any reason is started again, after everything it left behind has been ended. The waits
between starts double while it keeps failing. One thread, one loop, no state but what the processes themselves are.
"""

from __future__ import annotations

import itertools
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import IO

from supportdesk.embedded import guardian

TICK = 0.1  # seconds between looks at the children
QUICK = 10.0  # a child that lived for less than this many seconds has failed quickly
FIRST_WAIT, LONGEST_WAIT = 0.2, 5.0  # seconds between starts of a child that fails
PATIENCE = 5  # quick failures in a row after which we say so and slow down …
SLOW_WAIT = 30.0  # … to one start in this many seconds
PIPE_SIZE = 65_536
SLOW_START = 30.0  # seconds after which we say that a child is not ready, and start those that come after it
LONG_LINE = 10_000  # bytes without a line end that are passed on as a line

Say = Callable[[str, str], None]


@dataclass(frozen=True)
class Child:
    """One process to keep running.

    `order`: low numbers start first and stop last; nobody starts before everyone of a lower order was ready once, or
    had 30 seconds: a broken page must not keep the clock from running.
    `ready` answers at once whether it can be used; without it, running is ready.
    `grace`: seconds from SIGTERM to SIGKILL.
    """

    name: str
    argv: tuple[str, ...]
    env: Mapping[str, str] = field(default_factory=dict)
    ready: Callable[[], bool] | None = None
    order: int = 0
    grace: float = 10.0


class Lines:
    """Writes `12:03:04 web | …` lines, names aligned; goes quiet when nobody reads any more."""

    def __init__(self, names: Iterable[str], out: IO[str] = sys.stdout) -> None:
        self._width = max((len(name) for name in names), default=0)
        self._out = out
        self.is_read = True

    def __call__(self, name: str, text: str) -> None:
        self.print(f"{time.strftime('%H:%M:%S')} {name:<{self._width}} | {text}")

    def print(self, text: str) -> None:
        if not self.is_read:
            return
        try:
            self._out.write(f"{text}\n")
            self._out.flush()
        except OSError:  # the terminal has gone: `up` stops, as it does on SIGHUP
            self.is_read = False


class Life:
    """One child through all its starts. Its process leads a session of its own and carries our mark."""

    def __init__(self, child: Child, run: str, say: Say) -> None:
        self.child = child
        self.mark = f"{run}:{child.name}"
        self.has_been_ready = False
        self.has_had_time = False
        self.process: subprocess.Popen[bytes] | None = None
        self._say = say
        self._is_ready = False
        self._failures = 0
        self._started = 0.0
        self._first_started = float("inf")
        self._next_start = 0.0
        self._unfinished = b""

    @property
    def is_alive(self) -> bool:
        return self.process is not None and self.process.poll() is None

    def start(self) -> None:
        self._started = time.monotonic()
        self._first_started = min(self._first_started, self._started)
        self._is_ready = False
        try:
            self.process = subprocess.Popen(
                self.child.argv,
                env={**os.environ, **self.child.env, guardian.MARK: self.mark},
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                bufsize=0,
                start_new_session=True,  # Ctrl-C reaches us alone: we stop the children in order
                preexec_fn=guardian.dying_with_parent(signal.SIGTERM),
            )
        except OSError as error:
            self._schedule(f"could not be started: {error}")
            return
        assert self.process.stdout is not None
        os.set_blocking(self.process.stdout.fileno(), False)

    def look(self) -> None:
        """Notice an end, start again when it is time, notice readiness."""
        if self.process is None:
            if time.monotonic() >= self._next_start:
                self.start()
        elif not self.is_alive:
            how = _how_it_ended(self.process.returncode)
            self.clear_up()
            self._schedule(f"ended ({how})")
        elif not self._is_ready and (self.child.ready is None or self.child.ready()):
            self._is_ready = self.has_been_ready = self.has_had_time = True
            if self.child.ready:
                self._say(self.child.name, f"ready after {time.monotonic() - self._started:.1f} s")
        self._notice_slowness()

    def _notice_slowness(self) -> None:
        if not self.has_had_time and time.monotonic() - self._first_started > SLOW_START:
            self.has_had_time = True
            self._say(self.child.name, f"not ready after {SLOW_START:.0f} s; going on without it, and still trying")

    def pump(self) -> None:
        """Pass on what the child wrote, line by line."""
        if self.process is None or self.process.stdout is None:
            return
        written = self.process.stdout.read(PIPE_SIZE) or b""
        *lines, self._unfinished = (self._unfinished + written).split(b"\n")
        if len(self._unfinished) > LONG_LINE or not self.is_alive:
            lines.append(self._unfinished)
            self._unfinished = b""
        for line in lines:
            if line.strip():
                self._say(self.child.name, line.decode(errors="replace").rstrip())

    def ask_to_stop(self) -> None:
        if self.process and self.is_alive:
            self.process.send_signal(signal.SIGTERM)

    def clear_up(self) -> None:
        """End what is left of this start: the process, and its descendants in whatever session they hide."""
        if self.process is None:
            return
        if self.is_alive:
            self.process.kill()
            self.process.wait()
        guardian.end_marked(self.mark, patience=0)
        self.pump()
        if self.process.stdout:
            self.process.stdout.close()
        self.process = None

    def _schedule(self, what: str) -> None:
        lived = time.monotonic() - self._started
        self._failures = self._failures + 1 if lived < QUICK else 1
        wait = min(FIRST_WAIT * 2 ** (self._failures - 1), LONGEST_WAIT)
        if self._failures >= PATIENCE:
            wait = SLOW_WAIT
        self._next_start = time.monotonic() + wait
        if self._failures == PATIENCE:
            what += f", {PATIENCE} times in a row; its last lines above say why. We keep trying"
        self._say(self.child.name, f"{what}; starting again in {wait:.1f} s")


def _how_it_ended(code: int) -> str:
    if code >= 0:
        return f"exit code {code}"
    try:
        return signal.Signals(-code).name
    except ValueError:
        return f"signal {-code}"


class Supervisor:
    """Runs the children until asked to stop by SIGINT, SIGTERM or SIGHUP; asked again later, it stops them by force."""

    def __init__(self, children: Iterable[Child], lines: Lines, on_ready: Callable[[], None] = lambda: None) -> None:
        self._run_id = f"{os.getpid()}-{time.time_ns():x}"
        self._lives = [Life(child, self._run_id, lines) for child in sorted(children, key=lambda child: child.order)]
        self._lines = lines
        self._on_ready = on_ready
        self._was_ready = False
        self._asked_at: float | None = None
        self._in_a_hurry = False
        self._guard: subprocess.Popen[bytes] | None = None

    def run(self) -> None:
        """Start, watch and finally stop the children. Call it from the main thread: their lives are tied to it."""
        before = {number: signal.signal(number, self._ask) for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)}
        try:
            while self._asked_at is None and self._lines.is_read:
                self._watch_guard()
                self._watch_children()
                self._pump()
        finally:
            self._stop()
            for number, handler in before.items():
                signal.signal(number, handler)

    def _ask(self, *_: object) -> None:
        # One Ctrl-C may reach us twice, from the terminal and from make: only a later one means hurry.
        if self._asked_at is None:
            self._asked_at = time.monotonic()
        elif time.monotonic() - self._asked_at > 1.0:
            self._in_a_hurry = True

    def _watch_guard(self) -> None:
        if self._guard and self._guard.poll() is None:
            return
        self._guard = subprocess.Popen(
            [sys.executable, "-I", "-S", guardian.__file__, "guard", self._run_id],
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
            cwd="/",
        )

    def _watch_children(self) -> None:
        for _, lives in itertools.groupby(self._lives, key=lambda life: life.child.order):
            group = list(lives)
            for life in group:
                life.look()
            if not all(life.has_had_time for life in group):
                return
        if not self._was_ready and all(life.has_been_ready for life in self._lives):
            self._was_ready = True
            self._on_ready()

    def _pump(self) -> None:
        time.sleep(TICK)
        for life in self._lives:
            life.pump()

    def _stop(self) -> None:
        for _, lives in itertools.groupby(reversed(self._lives), key=lambda life: life.child.order):
            group = list(lives)
            begun = time.monotonic()
            for life in group:
                life.ask_to_stop()
            while any(life.is_alive and time.monotonic() - begun < life.child.grace for life in group):
                if self._in_a_hurry:
                    break
                self._pump()
            for life in group:
                if life.is_alive:
                    self._lines(life.child.name, "did not stop in time; ended by force")
                life.clear_up()
        if self._guard and self._guard.stdin:
            self._guard.stdin.close()
            self._guard.wait()
