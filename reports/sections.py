"""The sections of a post-incident report (domain §8). Pure."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Section:
    """One heading, what belongs under it, and whether the customer's version has it too."""

    slug: str
    title: str
    guidance: str
    customer_title: str = ""

    @property
    def for_customer(self) -> bool:
        return bool(self.customer_title)


SECTIONS = (
    Section("summary", "Summary", "Three sentences: what broke, for whom, and what made it stop.", "Summary"),
    Section(
        "impact",
        "Customer impact",
        "Who, what, for how long. At least one number, with its source.",
        "What you experienced",
    ),
    Section("timeline", "Timeline", "Drafted from the incident; manual rows need a source.", "Timeline"),
    Section("detection", "Detection", "How we learned of it, and how it could have been sooner."),
    Section(
        "factors",
        "Contributing factors",
        "At least two conditions, each with evidence and why it made sense at the time. A person is never one.",
        "Root cause analysis",
    ),
    Section("response", "Response", "What helped, what hindered."),
    Section("luck", "Where we were lucky", "What could have made it worse."),
    Section("recovery", "Recovery and verification", "How service came back and how we know.", "Recovery"),
    Section("sla", "Promises", "What was promised and what was kept.", "Our promises to you"),
    Section("actions", "Action items", "Listed below with owner, date and type.", "What we do next"),
    Section("questions", "Open questions", "What we do not know yet."),
    Section("message", "Customer message", "A few sentences from a person to a person.", "A word from us"),
)
BY_SLUG = {section.slug: section for section in SECTIONS}
CUSTOMER_SECTIONS = tuple(section for section in SECTIONS if section.for_customer)
