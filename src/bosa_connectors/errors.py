"""Every error of the SDK, as a tree.

* BosaError
  x InvalidAction             the connector offers no such action                     (ValueError)
  x InvalidArguments          the arguments do not fit the action's schema            (ValueError)
  x InvalidHeader             a header cannot carry this; nothing was sent            (ValueError)
  x InvalidSchema             the action's schema makes no sense
  x OutcomeUnknown            no answer, or none that can be read, to what may have acted
  x BrokenUpload              a file could not be read to its end while it was sent
  x PagingError               the next page cannot be asked for
  x BosaConnectorError        what programs catch around a connector that cannot be had
    - ConnectorNotFound       the API offers no such connector
    - Unreachable             no connection: nothing was done
    - RequestTimeout          no answer in time, to a question                        (TimeoutError)
    - BadReply                an answer that is not what this API says
      · BrokenReply           an answer that cannot be decoded
      · TooLarge              an answer larger than what is taken
    - ApiError                the API answered with a failure                         (ValueError)
      · Unauthenticated       401
      · Forbidden             403
      · NotFound              404
        x NotConnected        no account of the user is linked to the connector, or none that is of use
      · Conflict              409
      · RateLimited           429
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from difflib import get_close_matches
from typing import ClassVar, Final, Self

from bosa_connectors.hiding import hide

_SHOWN: Final = ("message", "code", "request_id")
_SENTENCES: Final = re.compile(r"[.!?] \S")
"""A message of more than a sentence says itself what to do."""


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
        self.errors = tuple(sorted(errors, key=lambda problem: _place(problem.path)))
        """By their paths."""
        super().__init__(self.errors)

    def __str__(self) -> str:
        return f"Invalid parameters: { {problem.path: problem.message for problem in self.errors} }"


def _place(path: str) -> list[tuple[int, str]]:
    """What sorts paths so that the second item stands before the tenth."""
    return [(int(part) if part.isdecimal() else -1, part) for part in path.split(".")]


class InvalidHeader(BosaError, ValueError):
    """A header cannot have this name or this value; nothing was sent, and the value is not repeated here."""


class InvalidSchema(BosaError):
    """The action's schema makes no sense; only this action is affected."""


class Unreachable(BosaConnectorError):
    """No connection to the API, or one that broke before it answered a question: nothing was done."""


class RequestTimeout(BosaConnectorError, TimeoutError):
    """The API did not answer a question in time: it may be asked again."""


class OutcomeUnknown(BosaError):
    """Something that may act was sent, and no answer came back whole: look before you repeat it."""


class BrokenUpload(BosaError):
    """A file could not be read to its end while it was sent: the API got half a request, and nothing was done."""


class BadReply(BosaConnectorError):
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


class ApiError(BosaConnectorError, ValueError):
    """The API answered with a failure. A ValueError, for that is what programs catch around calls about users."""

    _advice: ClassVar[str] = "The API refuses the call as it is: correct it before you repeat it."

    def __init__(self, failure: Failure) -> None:
        self.failure = failure
        super().__init__(failure)

    def __str__(self) -> str:
        said = self.failure.message
        advice = "" if _SENTENCES.search(said) else self.advice
        return f"{self.failure.status}: {said}{'' if said.endswith(tuple('.!?')) else '.'} {advice}".rstrip()

    @property
    def advice(self) -> str:
        """What to do next, where the API does not say so itself."""
        if self.status < 500:  # noqa: PLR2004  the API's own failures
            return self._advice
        named = f" as request {self.request_id}" if self.request_id else ""
        return f"The API failed: whoever runs it finds this in its log{named}."

    @property
    def status(self) -> int:
        """The HTTP status."""
        return self.failure.status

    @property
    def message(self) -> str:
        """What the API says went wrong."""
        return self.failure.message

    @property
    def code(self) -> str | None:
        """The API's own word for it, UPPER_SNAKE."""
        return self.failure.code

    @property
    def request_id(self) -> str | None:
        """How the API's logs name the request."""
        return self.failure.request_id

    @property
    def retryable(self) -> bool | None:
        """Whether the API says that nothing was done, and another attempt may succeed; None where it does not say."""
        return self.failure.retryable

    @property
    def retry_after(self) -> float | None:
        """Seconds after which the API asks to be called again."""
        return self.failure.retry_after

    @property
    def details(self) -> object:
        """What else the API says about it."""
        return self.failure.details

    def without(self, secrets: Iterable[str]) -> Self:
        """The same error, with these hidden in what it shows."""
        hidden = list(secrets)
        shown = {name: hide(text, hidden) for name in _SHOWN if (text := getattr(self.failure, name))}
        return type(self)(replace(self.failure, **shown))


class Unauthenticated(ApiError):
    """The client key or the user token is missing, malformed or expired."""

    _advice = "Check the client key and the user token."


class Forbidden(ApiError):
    """The user may not do this."""

    _advice = "Use an account that may do this, or have the permission given."


class NotFound(ApiError):
    """What was asked for does not exist."""

    _advice = "Check the names and identifiers in the call."


class NotConnected(NotFound):
    """The user has linked no account to this connector, or one that is of no use any more."""

    _advice = "Link an account first: initiate_connector_auth says where."

    @property
    def is_stale(self) -> bool:
        """Whether an account is linked, and has to be linked anew, with `replace_duplicate`."""
        return self.code in _STALE


class Conflict(ApiError):
    """It exists already, or is being made at this moment."""

    _advice = "Look at what is there before you repeat it."


class RateLimited(ApiError):
    """Too many requests: wait, then ask again."""

    @property
    def advice(self) -> str:
        """How long to wait."""
        wait = "Wait" if self.retry_after is None else f"Wait {self.retry_after:g} s"
        return f"{wait}, then repeat it."


_BY_STATUS: Mapping[int, type[ApiError]] = {
    401: Unauthenticated,
    403: Forbidden,
    404: NotFound,
    409: Conflict,
    429: RateLimited,
}
_STALE: Final = frozenset({"INTEGRATION_EXPIRED", "INTEGRATION_OUTDATED", "INTEGRATION_UNREADABLE"})
"""What an API says, with whatever status, of an account that is there and of no use."""
_MEANT_BY_404: Mapping[str, type[ApiError]] = {
    "integration does not exist": NotConnected,
    "invalid api key": Unauthenticated,  # what the published server says to a key that is malformed
}


def api_error(failure: Failure) -> ApiError:
    """The error whose name says what to do about `failure`."""
    if failure.code in _STALE:
        return NotConnected(failure)
    said = failure.message.lower()
    meant = (kind for words, kind in _MEANT_BY_404.items() if failure.status == 404 and said.startswith(words))  # noqa: PLR2004
    return next(meant, _BY_STATUS.get(failure.status, ApiError))(failure)


def nearest(name: str, known: Iterable[str]) -> str | None:
    """The one of `known` that looks most like `name`, if any does, however its words are put together."""
    alike: dict[str, str] = {}
    for each in known:
        alike.setdefault(letters(each), each)
    return next((alike[found] for found in get_close_matches(letters(name), alike, n=1)), None)


def letters(name: str) -> str:
    """A name as it is compared: however its words are put together."""
    return name.casefold().replace("_", "").replace("-", "")
