"""The roles of a war room and what is asked of whoever has one (domain §1.3). Pure."""

from __future__ import annotations

from enum import StrEnum


class IncidentRole(StrEnum):
    """A part somebody has in one incident. One holder at a time; one person may hold several."""

    COMMANDER = "commander"
    TECH_LEAD = "tech_lead"
    COMMS = "comms"
    LIAISON = "liaison"
    SCRIBE = "scribe"
    SPONSOR = "sponsor"

    @property
    def words(self) -> str:
        return _WORDS[self]

    @property
    def asks(self) -> str:
        """What the holder does, in one line."""
        return _ASKS[self]


_WORDS = {
    IncidentRole.COMMANDER: "commander",
    IncidentRole.TECH_LEAD: "tech lead",
    IncidentRole.COMMS: "comms lead",
    IncidentRole.LIAISON: "customer liaison",
    IncidentRole.SCRIBE: "scribe",
    IncidentRole.SPONSOR: "executive sponsor",
}
_ASKS = {
    IncidentRole.COMMANDER: "Run the response, decide, own the severity and the words.",
    IncidentRole.TECH_LEAD: "Drive diagnosis and fix.",
    IncidentRole.COMMS: "Keep the status page and stakeholders up to date.",
    IncidentRole.LIAISON: "Be the customer's one voice: name the next update, never a cause or a repair time.",
    IncidentRole.SCRIBE: "Write down decisions and open ends.",
    IncidentRole.SPONSOR: "Read the briefings, clear obstacles, speak to the customer's executives.",
}
BOARD = tuple(IncidentRole)
REQUIRED = (IncidentRole.COMMANDER, IncidentRole.LIAISON)  # of every P1
CHECKED = (IncidentRole.LIAISON, IncidentRole.SCRIBE)  # filled by T+30


def missing(held: dict[IncidentRole, int]) -> list[str]:
    """What is wrong with a role board half an hour in, as sentences; empty when it is as it should be."""
    found = [f"Nobody is {role.words}." for role in (IncidentRole.COMMANDER, *CHECKED) if role not in held]
    commander = held.get(IncidentRole.COMMANDER)
    if commander is not None and commander == held.get(IncidentRole.TECH_LEAD):
        found.append("The commander is the tech lead too: whoever fixes cannot also lead.")
    return found
