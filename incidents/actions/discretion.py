"""What a person wrote for a customer is read once more before it leaves: no other customer, no machine of ours, no
secret (domain §7)."""

from __future__ import annotations

from incidents.actions.entry import LONGEST_TEXT, words
from incidents.models import Incident
from incidents.war_room import leaks
from supportdesk.actors import Actor
from supportdesk.audit import trail
from supportdesk.errors import Invalid
from supportdesk.organizations.models import Organization


def words_for_customer(
    incident: Incident,
    actor: Actor,
    text: str,
    field: str = "text",
    *,
    is_checked: bool,
    longest: int = LONGEST_TEXT,
) -> str:
    """`words` of a text the customer of this incident reads: every verb that writes one asks for them here.

    `is_checked` as in `hold_back_leaks`. What no customer reads needs no second look.
    """
    said = words(text, field, longest=longest)
    if incident.organization_id is not None:
        hold_back_leaks(
            actor, incident.subject, {field: said}, reader_id=incident.organization_id, is_checked=is_checked
        )
    return said


def hold_back_leaks(
    actor: Actor, subject: str, said: dict[str, str], *, reader_id: int | None, is_checked: bool
) -> None:
    """Refuse texts of staff that say what should stay inside. `said` is field to text, `reader_id` the organization
    that reads them, None for everybody.

    `is_checked`: a person has read the finding and sends it all the same, which is recorded; a secret is never sent.
    Raises `Invalid` naming what was found and the field it is in.
    """
    if not actor.is_staff:
        return
    others = list(Organization.objects.exclude(pk=reader_id).values_list("name", flat=True))
    for field, text in said.items():
        found = leaks.find(text, others)
        if any(leak.what == "secret" for leak in found):
            raise Invalid("Nothing was sent: it contains what looks like a secret. Please take it out.", field=field)
        if found and not is_checked:
            raise Invalid(f"Nothing was sent: {_listed(found)}. Change it, or say that it may be sent.", field=field)
        if found:
            trail.record(actor, "send_despite", subject, after={"field": field, "found": _listed(found)})


def _listed(found: list[leaks.Leak]) -> str:
    return " and ".join(dict.fromkeys(leak.in_words() for leak in found))
