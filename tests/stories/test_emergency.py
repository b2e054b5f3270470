"""The life of an emergency, told from end to end through the real doors."""

from __future__ import annotations


def test_an_emergency_on_sunday_night(world, alice, bob, carol):
    alice.reports("Checkout is down")
    assert world.incident.severity == "P1"
    assert bob.phone.buzzed()
    assert not carol.is_paged
    world.advance(minutes=3)
    assert carol.is_paged
    world.advance(minutes=1)
    carol.presses("4")
    assert world.incident.acknowledged_by == carol.user
