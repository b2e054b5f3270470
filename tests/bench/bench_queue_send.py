"""How every sender of the comparison sends: MODE N RATE.

fill    N tasks, as fast as they go
drip    N tasks, RATE a second
timers  N timers, RATE a second, the first of them due in `ARMED_AHEAD` seconds; `burst`: all of them due within one
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence

ARMED_AHEAD = 3.0


def send(order: Sequence[str], now: Callable[[float], None], later: Callable[[float], None]) -> None:
    mode, count, rate = order[0], int(order[1]), float(order[2])
    if mode == "fill":
        for _ in range(count):
            now(time.time())
    elif mode == "drip":
        begun = time.time()
        for number in range(count):
            time.sleep(max(0.0, begun + number / rate - time.time()))
            now(time.time())
    else:
        for due in instants(mode, count, rate):
            later(due)


def instants(mode: str, count: int, rate: float, ahead: float = ARMED_AHEAD) -> list[float]:
    """When timers are due. Arming them takes its time too: a burst is put off until it has been armed."""
    first = time.time() + ahead
    if mode == "burst":
        return [first + count / 400 + number / count for number in range(count)]
    return [first + number / rate for number in range(count)]
