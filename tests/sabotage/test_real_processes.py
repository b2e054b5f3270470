"""With real processes and real signals: a clock that is alive and does nothing is noticed, and so is its return.

The longer version, with a stopped cluster and a soak: `python -m tests.sabotage --minutes 60`.
"""

from __future__ import annotations

from tests.sabotage.running import REPORT, Desk, sabotage, until


def test_a_stopped_clock_is_noticed_and_a_page_reaches_its_vendor():
    with Desk(every=3.0, lanes=("page", "sla", "integrations", "bulk")) as desk:
        assert until(desk.is_well, 90) is not None
        desk.run(REPORT, "Checkout is down")
        assert until(lambda: bool(desk.fakes.sms.seen), 30) is not None
        noticed = sabotage(desk, wedge=False)
        assert noticed["clock stopped"] is not None
        assert noticed["well again"] is not None
