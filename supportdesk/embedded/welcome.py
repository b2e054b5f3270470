"""What `make run` says when the desk is open. Texts only: edit at will."""

from __future__ import annotations

# (e-mail, what they are): the logins of `seed_demo`; all have the same password.
LOGINS = (
    ("alice@acme.example", "customer on plan M, around the clock"),
    ("sam@smallco.example", "customer on plan S, business hours"),
    ("bob@desk.example", "engineer"),
    ("dana@desk.example", "support manager"),
)
PASSWORD = "emergency-demo"  # noqa: S105  (of made-up people on a demo instance)


def welcome(url: str, on_call: str, pocket: str) -> str:
    """The address, the demo logins and the first three things to try."""
    people = "\n".join(f"    {email:<22} {role}" for email, role in LOGINS)
    rings = f"watch the phone ring at {pocket} and press 4" if pocket else "see who is paged on its page in the console"
    now = f"\n  On call now: {on_call}\n" if on_call else ""
    return (
        f"\n  supportdesk is open: {url}\n\n"
        f"  Demo logins (password: {PASSWORD})\n{people}\n{now}\n"
        f"  Try this first\n"
        f"    1. Sign in as alice and report an emergency.\n"
        f"    2. In another window, {rings}.\n"
        f"    3. Sign in as whoever is on call, write to alice, resolve it; alice confirms.\n\n"
        "  Ctrl-C closes it.\n"
    )
