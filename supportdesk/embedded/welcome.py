"""What `make run` says when the desk is open. Texts only: edit at will."""

from __future__ import annotations

# (who, e-mail, what they are): the logins of `seed_demo`; all have the same password.
LOGINS = (
    ("alice", "alice@acme.example", "customer, plan M"),
    ("bob", "bob@desk.example", "on call, primary"),
    ("dana", "dana@desk.example", "support manager"),
)
PASSWORD = "emergency-demo"  # noqa: S105  (of made-up people on a demo instance)
FIRST_THINGS = (
    "Sign in as alice and report an emergency: watch the clock start.",
    "Sign in as bob in another browser and acknowledge it.",
    "Sign in as dana and read the timeline, the reports and the on-call plan.",
)


def welcome(url: str) -> str:
    """The address, the demo logins and the first three things to try."""
    people = "\n".join(f"    {email:<24} {role}" for _, email, role in LOGINS)
    things = "\n".join(f"    {number}. {thing}" for number, thing in enumerate(FIRST_THINGS, 1))
    return (
        f"\n  supportdesk is open: {url}\n\n"
        f"  Demo logins (password: {PASSWORD})\n{people}\n\n"
        f"  Try this first\n{things}\n\n"
        "  Ctrl-C closes it.\n"
    )
