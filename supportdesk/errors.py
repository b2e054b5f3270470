"""What can be wrong, in words for people: what happened, what was kept, what to do.

Actions raise these; doors turn them into a page or an RFC 9457 problem body. Nothing else crosses that line on purpose.
"""

from __future__ import annotations


class DeskError(Exception):
    """Base of all expected refusals. `field` names the input that is wrong, empty where no single one is."""

    status = 400
    code = "refused"
    title = "This could not be done"

    def __init__(self, detail: str, *, field: str = "") -> None:
        super().__init__(detail)
        self.detail = detail
        self.field = field


class Invalid(DeskError):
    """An input is wrong or missing; nothing was changed."""

    code = "invalid"
    title = "Something in this request needs correcting"


class NotAllowed(DeskError):
    """The actor may see this but not do that."""

    status = 403
    code = "not-allowed"
    title = "You may not do this"


class NotFound(DeskError):
    """It does not exist, or it is not yours: both look the same from outside."""

    status = 404
    code = "not-found"
    title = "Not found"


class WrongState(DeskError):
    """The thing has moved on and this verb no longer fits; says what its state is now."""

    status = 409
    code = "wrong-state"
    title = "This no longer fits the current state"


class TooLarge(DeskError):
    """The request is larger than the desk accepts."""

    status = 413
    code = "too-large"
    title = "This is larger than the desk accepts"


class TooMany(DeskError):
    """The caller sends more than the desk takes; `retry_after` is the seconds to wait before the next call."""

    status = 429
    code = "too-many"
    title = "This is more than the desk takes at once"

    def __init__(self, detail: str, *, retry_after: int) -> None:
        super().__init__(detail)
        self.retry_after = retry_after


class Unavailable(DeskError):
    """The desk cannot store anything right now; the caller should send it again."""

    status = 503
    code = "unavailable"
    title = "The desk cannot store this right now"
