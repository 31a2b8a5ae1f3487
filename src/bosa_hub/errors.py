"""Every failure that the hub answers with, as a tree. Each message says what to do next.

* HubError                  500
  x BadRequest              400
  x Unauthenticated         401
  x Forbidden               403
  x NotFound                404
  x MethodNotAllowed        405
  x Conflict                409
    + StillRunning            the first request with this Idempotency-Key goes on: ask again
  x TooLarge                413
  x Misdirected             421
  x Invalid                 422, with what is wrong with which field
  x RateLimited             429, nothing was done: try again later
  x UpstreamFailed          502, what a connector asked did not answer as it should
    + NotRenewed              nor give access that has ended again; nothing was done: try again
  x Busy                    503, nothing was done: try again
  x NoRoom                  507

Two others stop a hub before it starts:

* SetupError                the data folder does not hold what it should
* CannotListen (OSError)    the address is taken or not ours
"""

from collections.abc import Mapping, Sequence
from typing import ClassVar


class HubError(Exception):
    """A failure with its HTTP status, a code in UPPER_SNAKE and a message for whoever called."""

    status: ClassVar[int] = 500
    default_code: ClassVar[str] = "INTERNAL_ERROR"
    retry_after: int | None = None
    """Seconds after which the same request may be sent again, for nothing was done; None where that does not help."""

    def __init_subclass__(cls) -> None:
        super().__init_subclass__()
        if cls.status not in range(400, 600):
            raise ValueError(f"{cls.__name__}.status is {cls.status!r}: a failure has 400 to 599.")

    def __init__(self, message: object, *, code: str | None = None, details: object = None) -> None:
        super().__init__(message)
        self.message = str(message).encode(errors="replace").decode()  # half a character cannot be sent
        self.code = code or self.default_code
        self.details = details


class BadRequest(HubError):
    """The request makes no sense as it is."""

    status = 400
    default_code = "BAD_REQUEST"


class Unauthenticated(HubError):
    """The client key or the user token is missing, malformed, expired or revoked."""

    status = 401
    default_code = "UNAUTHENTICATED"


class Forbidden(HubError):
    """What was asked for may not be done."""

    status = 403
    default_code = "FORBIDDEN"


class NotFound(HubError):
    """What was asked for does not exist."""

    status = 404
    default_code = "NOT_FOUND"


class MethodNotAllowed(HubError):
    """The path exists, the method does not."""

    status = 405
    default_code = "METHOD_NOT_ALLOWED"


class Conflict(HubError):
    """It exists already, or something stands in the way."""

    status = 409
    default_code = "CONFLICT"


class StillRunning(Conflict):
    """The first request with this Idempotency-Key is still under way."""

    default_code = "STILL_RUNNING"
    retry_after = 1


class TooLarge(HubError):
    """More than is taken or given at once."""

    status = 413
    default_code = "TOO_LARGE"


class Misdirected(HubError):
    """The request names a host that the hub does not answer for."""

    status = 421
    default_code = "MISDIRECTED_REQUEST"


class Invalid(HubError):
    """The body does not fit the schema. `problems` are `{type, loc, msg, input}`, `loc` beginning with "body"."""

    status = 422
    default_code = "INVALID_REQUEST"

    def __init__(self, message: str, problems: Sequence[Mapping[str, object]]) -> None:
        super().__init__(message, details=problems)
        self.problems = problems


class RateLimited(HubError):
    """The client asks more often than it may; nothing was done."""

    status = 429
    default_code = "RATE_LIMITED"

    def __init__(self, message: str, retry_after: int) -> None:
        super().__init__(message)
        self.retry_after = retry_after


class UpstreamFailed(HubError):
    """The service behind a connector did not answer as it should."""

    status = 502
    default_code = "UPSTREAM_FAILED"


class NotRenewed(UpstreamFailed):
    """The service behind an account could not be asked for new access; nothing was done."""

    default_code = "ACCESS_NOT_RENEWED"
    retry_after = 5


class Busy(HubError):
    """The database is in use elsewhere; nothing was done."""

    status = 503
    default_code = "BUSY"
    retry_after = 1


class NoRoom(HubError):
    """The disk is full, or cannot be written."""

    status = 507
    default_code = "INSUFFICIENT_STORAGE"


class SetupError(RuntimeError):
    """The data folder does not hold what it should."""


class CannotListen(OSError):
    """The address is taken, or is not one of this machine."""
