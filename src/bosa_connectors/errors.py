"""Every error of the SDK, as a tree.

* BosaError
  x BosaConnectorError
    - ConnectorNotFound       the API offers no such connector
  x InvalidAction             the connector offers no such action                     (ValueError)
  x InvalidArguments          the arguments do not fit the action's schema            (ValueError)
  x InvalidSchema             the action's schema makes no sense
  x Unreachable               no connection: nothing was done
  x RequestTimeout            no answer in time, to a question                        (TimeoutError)
  x OutcomeUnknown            no answer, or none that can be read, to what may have acted
  x BadReply                  an answer that is not what this API says
    - BrokenReply             an answer that cannot be decoded
    - TooLarge                an answer larger than what is taken
  x PagingError               the next page cannot be asked for
  x ApiError                  the API answered with a failure
    - Unauthenticated         401
    - Forbidden               403
    - NotFound                404
      · NotConnected          no account of the user is linked to the connector
    - Conflict                409
    - RateLimited             429
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from difflib import get_close_matches


class BosaError(Exception):
    """Anything that goes wrong with a BOSA API."""


class BosaConnectorError(BosaError):
    """Something is wrong with a connector."""


class ConnectorNotFound(BosaConnectorError):
    """The API offers no connector of this name."""

    def __init__(self, connector: str, available: Iterable[str] = ()) -> None:
        self.connector = connector
        self.available = tuple(available)
        super().__init__(connector, self.available)

    @property
    def nearest(self) -> str | None:
        """The connector that was perhaps meant."""
        return nearest(self.connector, self.available)

    def __str__(self) -> str:
        hint = f". Did you mean {self.nearest!r}?" if self.nearest else ""
        return f"No connector found for app {self.connector!r}{hint}"


class InvalidAction(BosaError, ValueError):
    """The connector offers no action of this name."""

    def __init__(self, action: str, available: Iterable[str]) -> None:
        self.action = action
        self.available = tuple(available)
        super().__init__(action, self.available)

    def __str__(self) -> str:
        return f"Invalid action {self.action!r}. Available actions: {', '.join(self.available)}"


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing that is wrong with the arguments: where, what, and what would be right."""

    path: str
    """Dotted, with list indices: `filters.0.field_name`; empty for the arguments as a whole."""
    message: str
    expected: str
    nearest: str | None = None
    """For an unknown name, the known one that looks most like it."""


class InvalidArguments(BosaError, ValueError):
    """The arguments do not fit the action's schema; nothing was sent."""

    def __init__(self, errors: Iterable[Problem]) -> None:
        self.errors = tuple(errors)
        super().__init__(self.errors)

    def __str__(self) -> str:
        return f"Invalid parameters: { {problem.path: problem.message for problem in self.errors} }"


class InvalidSchema(BosaError):
    """The action's schema makes no sense; only this action is affected."""


class Unreachable(BosaError):
    """No connection to the API, or one that broke before it answered a question: nothing was done."""


class RequestTimeout(BosaError, TimeoutError):
    """The API did not answer a question in time: it may be asked again."""


class OutcomeUnknown(BosaError):
    """Something that may act was sent, and no answer came back whole: look before you repeat it."""


class BadReply(BosaError):
    """The API answered with something that is not what a BOSA API says."""


class BrokenReply(BadReply):
    """The answer stops short, or cannot be decoded: it may have been spoiled on the way."""


class TooLarge(BadReply):
    """The API answered with more than is taken at once."""


class PagingError(BosaError):
    """There is a further page that cannot be asked for."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Failure:
    """What the API said about a failure, in whichever of its shapes."""

    status: int
    message: str
    code: str | None = None
    request_id: str | None = None
    retryable: bool | None = None
    retry_after: float | None = None
    """Seconds."""
    details: object = field(default=None, repr=False)


class ApiError(BosaError):
    """The API answered with a failure."""

    def __init__(self, failure: Failure) -> None:
        self.failure = failure
        super().__init__(failure)

    def __str__(self) -> str:
        return f"{self.failure.status}: {self.failure.message}"

    @property
    def status(self) -> int:
        """The HTTP status."""
        return self.failure.status


class Unauthenticated(ApiError):
    """The client key or the user token is missing, malformed or expired."""


class Forbidden(ApiError):
    """The user may not do this."""


class NotFound(ApiError):
    """What was asked for does not exist."""


class NotConnected(NotFound):
    """The user has linked no account to this connector."""


class Conflict(ApiError):
    """It exists already, or is being made at this moment."""


class RateLimited(ApiError):
    """Too many requests: wait, then ask again."""


_BY_STATUS: Mapping[int, type[ApiError]] = {
    401: Unauthenticated,
    403: Forbidden,
    404: NotFound,
    409: Conflict,
    429: RateLimited,
}
_MEANT_BY_404: Mapping[str, type[ApiError]] = {
    "integration does not exist": NotConnected,
    "invalid api key": Unauthenticated,  # what the published server says to a key that is malformed
}


def api_error(failure: Failure) -> ApiError:
    """The error whose name says what to do about `failure`."""
    said = failure.message.lower()
    meant = (kind for words, kind in _MEANT_BY_404.items() if failure.status == 404 and said.startswith(words))  # noqa: PLR2004
    return next(meant, _BY_STATUS.get(failure.status, ApiError))(failure)


def nearest(name: str, known: Iterable[str]) -> str | None:
    """The one of `known` that looks most like `name`, if any does."""
    return next(iter(get_close_matches(name, list(known), n=1)), None)
