"""The verbs of accounts: invite, accept, add and verify ways to be reached, set quiet hours."""

from __future__ import annotations

import hashlib
import hmac
import secrets
from datetime import time, timedelta

import phonenumbers
from django.conf import settings
from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.db import transaction

from supportdesk import instants, links
from supportdesk.accounts import quiet
from supportdesk.accounts.models import ContactMethod, Invitation, User, VerificationCode
from supportdesk.actors import Actor, Role
from supportdesk.audit import trail
from supportdesk.errors import Invalid, NotAllowed, NotFound, WrongState
from supportdesk.integrations.lines import Lines
from supportdesk.organizations.models import Contact
from supportdesk.queue import outbox
from supportdesk.queue.models import Lane
from supportdesk.queue.outbox import Post

INVITATION_LIFE = timedelta(days=7)
CODE_LIFE = timedelta(minutes=15)
CODE_TRIES = 5
CODE_AGAIN_AFTER = timedelta(seconds=60)


def _digest(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()


def invite(*, actor: Actor, email: str, name: str, role: str, contact: Contact | None = None) -> tuple[Invitation, str]:
    """Invite a person. Managers invite anybody; a customer's own administrator invites colleagues. Returns the secret
    link once."""
    own = contact is not None and actor.organization_id == contact.organization_id
    if actor.role != Role.MANAGER and not (own and role == Role.CUSTOMER):
        raise NotAllowed("Only support managers, or a customer's own administrator for their colleagues, may invite.")
    if (role == Role.CUSTOMER) != (contact is not None):
        raise Invalid("A customer's log-in belongs to a contact, and staff have none.", field="role")
    if User.objects.filter(email__iexact=email).exists():
        raise WrongState("There is an account with this address already.")
    token = secrets.token_urlsafe(32)
    now = instants.now()
    with transaction.atomic():
        invitation = Invitation.objects.create(
            email=email.strip().lower(),
            name=name,
            role=role,
            contact=contact,
            digest=_digest(token),
            invited_by_id=actor.user_id,
            created_at=now,
            expires_at=now + INVITATION_LIFE,
        )
        link = links.absolute("accept_invitation", token)
        _send_invitation(invitation, link, actor.name)
        trail.record(actor, "invite", f"invitation:{invitation.pk}", after={"email": invitation.email, "role": role})
    return invitation, link


def _send_invitation(invitation: Invitation, link: str, author: str) -> None:
    said = {"link": link, "url": link, "button": "Set your password", "reader": invitation.name, "author": author}
    key = f"invitation:{invitation.pk}"
    outbox.post(
        [
            Post(
                key=key,
                kind="invitation",
                connection=Lines.load().line("email"),
                vendor="email",
                to=invitation.email,
                subject=key,
                recipient=invitation.name,
                facts={**said, "days": INVITATION_LIFE.days},
                lane=Lane.INTEGRATIONS,
                secrets=("link", "url"),
            )
        ]
    )


def open_invitation(token: str) -> Invitation:
    """The invitation behind a link. Raises `NotFound` when it is unknown, used or too old: all look the same."""
    invitation = Invitation.objects.select_related("contact").filter(digest=_digest(token)).first()
    if invitation is None or not invitation.is_open(instants.now()):
        raise NotFound("This invitation is not valid any more. Please ask for a new one.")
    return invitation


def accept_invitation(token: str, *, password: str, time_zone: str = "UTC") -> User:
    """Make the account: the link proved the address."""
    with transaction.atomic():
        invitation = open_invitation(token)
        Invitation.objects.select_for_update().get(pk=invitation.pk)
        try:
            validate_password(password, User(email=invitation.email, name=invitation.name))
        except ValidationError as error:
            raise Invalid(" ".join(error.messages), field="password") from error
        user = User.objects.create_user(
            invitation.email, password, name=invitation.name, role=invitation.role, time_zone=time_zone
        )
        if invitation.contact:
            Contact.objects.filter(pk=invitation.contact.pk).update(user=user)
        if Invitation.objects.filter(pk=invitation.pk, accepted_at=None).update(accepted_at=instants.now()) != 1:
            raise NotFound("This invitation is not valid any more. Please ask for a new one.")
        ContactMethod.objects.create(
            user=user, kind=ContactMethod.Kind.EMAIL, address=user.email, verified_at=instants.now()
        )
        trail.record(user.actor("invitation"), "accept_invitation", f"user:{user.pk}")
    return user


def add_method(*, actor: Actor, kind: str, address: str) -> ContactMethod:
    """Add a way to be reached and send a code to it. It counts only once the code came back."""
    if kind not in ContactMethod.Kind.values:
        raise Invalid("Choose phone, text message, Slack or e-mail.", field="kind")
    cleaned = normal_address(kind, address)
    with transaction.atomic():
        method, _ = ContactMethod.objects.get_or_create(user_id=actor.user_id, kind=kind, address=cleaned)
        if method.verified_at is None:
            send_code(method, actor=actor)
    return method


def normal_address(kind: str, address: str) -> str:
    """An address in the form vendors want. Raises `Invalid` naming what is wrong."""
    text = address.strip()
    if not text.isprintable():
        raise Invalid("The address holds signs that cannot be printed. Type it again.", field="address")
    if kind in (ContactMethod.Kind.PHONE, ContactMethod.Kind.SMS):
        try:
            number = phonenumbers.parse(text, None)
        except phonenumbers.NumberParseException as error:
            raise Invalid("Write the number with its country code, like +49 30 901820.", field="address") from error
        if not phonenumbers.is_possible_number(number):
            raise Invalid("This number has too few or too many digits.", field="address")
        return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)
    if not text or len(text) > 200 or any(c.isspace() for c in text):
        raise Invalid("Write the address without spaces.", field="address")
    return text


def send_code(method: ContactMethod, *, actor: Actor) -> None:
    """Send a fresh six-digit code, at most one a minute; only its HMAC is stored (security, OneUptime's lesson)."""
    if method.user_id != actor.user_id:
        raise NotFound("There is no such contact method.")
    now = instants.now()
    last = VerificationCode.objects.filter(method=method).order_by("-sent_at").first()
    if last is not None and now - last.sent_at < CODE_AGAIN_AFTER:
        raise WrongState("A code is on its way. You can ask for another one in a minute.")
    code = f"{secrets.randbelow(1_000_000):06d}"
    row = VerificationCode.objects.create(
        method=method, digest=_code_digest(method, code), sent_at=now, expires_at=now + CODE_LIFE
    )
    connection = Lines.load().line(method.kind)
    outbox.post(
        [
            Post(
                key=f"code:{row.pk}",
                kind="code",
                connection=connection,
                vendor=method.kind,
                to=method.address,
                subject=f"method:{method.pk}",
                recipient=actor.name,
                facts={"code": code, "spoken": " ".join(code), "reader": actor.name, "token": "", "thread": ""},
                lane=Lane.PAGE,
                secrets=("code", "spoken"),
            )
        ]
    )


def _code_digest(method: ContactMethod, code: str) -> str:
    return hmac.new(settings.SECRET_KEY.encode(), f"{method.pk}:{code}".encode(), hashlib.sha256).hexdigest()


def verify_method(method_id: int, *, actor: Actor, code: str) -> ContactMethod:
    """The code came back: the method counts from now on. Five tries a code."""
    with transaction.atomic():
        method = ContactMethod.objects.select_for_update().filter(pk=method_id, user_id=actor.user_id).first()
        if method is None:
            raise NotFound("There is no such contact method.")
        if method.verified_at is not None:
            return method
        now = instants.now()
        row = (
            VerificationCode.objects.filter(method=method, expires_at__gt=now, tries__lt=CODE_TRIES)
            .order_by("-sent_at")
            .first()
        )
        if row is None:
            raise Invalid("This code is too old or was tried too often. Ask for a new one.", field="code")
        VerificationCode.objects.filter(pk=row.pk).update(tries=row.tries + 1)
        right = hmac.compare_digest(row.digest, _code_digest(method, code.strip()))
        if right:
            method.verified_at = now
            method.save(update_fields=["verified_at"])
            trail.record(actor, "verify_method", f"method:{method.pk}", after={"kind": method.kind})
    if not right:
        raise Invalid("This is not the code we sent.", field="code")
    return method


def remove_method(method_id: int, *, actor: Actor) -> None:
    """Take a way away. The last one that works stays: a responder must be reachable."""
    with transaction.atomic():
        method = ContactMethod.objects.select_for_update().filter(pk=method_id, user_id=actor.user_id).first()
        if method is None:
            raise NotFound("There is no such contact method.")
        others = ContactMethod.objects.filter(
            user_id=actor.user_id, verified_at__isnull=False, disabled_at=None
        ).exclude(pk=method.pk)
        if actor.is_staff and method.is_usable and not others.exists():
            raise WrongState("This is the only way to reach you. Add another one first.")
        trail.record(
            actor, "remove_method", f"method:{method.pk}", before={"kind": method.kind, "address": method.address}
        )
        method.delete()


def set_quiet_hours(*, actor: Actor, start: time | None, end: time | None) -> User:
    """When pages that are not urgent wait for somebody, by their own clock; neither time: never (ESC-15)."""
    try:
        quiet.check(start, end)
    except ValueError as error:
        raise Invalid(str(error), field="quiet_until") from error
    with transaction.atomic():
        user = User.objects.select_for_update(no_key=True).get(pk=actor.user_id)
        before, after = (user.quiet_from, user.quiet_until), (start, end)
        if before == after:
            return user
        user.quiet_from, user.quiet_until = after
        user.save(update_fields=["quiet_from", "quiet_until"])
        trail.record(actor, "set_quiet_hours", f"user:{user.pk}", before=_written(*before), after=_written(*after))
    return user


def _written(start: time | None, end: time | None) -> str | None:
    return f"{start:%H:%M} to {end:%H:%M}" if start and end else None
