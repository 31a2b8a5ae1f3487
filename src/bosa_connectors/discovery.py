"""What an API offers, asked in a few requests: conversations that yield a request, are sent its reply, and return."""

from collections.abc import Generator
from copy import copy
from dataclasses import dataclass
from typing import Final, Generic, Literal, TypeAlias, TypeVar, cast

from bosa_connectors import catalogue
from bosa_connectors.calls import Reply
from bosa_connectors.catalogue import Catalogue
from bosa_connectors.errors import ApiError, BadReply, BosaError, ConnectorNotFound
from bosa_connectors.shapes import is_array, is_object, items
from bosa_connectors.wire import Request, listing

T = TypeVar("T")
Steps: TypeAlias = Generator[Request, Reply, T]
"""A conversation with the API: both shells hold it alike."""
Contract: TypeAlias = Literal[1, 2]
Family: TypeAlias = Literal["older", "current"]
"""Which paths a server speaks: those of 0.1.x, or those of everything later."""

CATALOGUE_AGE: Final = 3600.0
"""Seconds after which a connector's catalogue is asked anew."""
SECOND_LOOK: Final = 60.0
"""Seconds for which the last good catalogue goes on serving after the API failed to give a newer one."""

_OLDER_FAMILY: Final = frozenset({404, 405})
"""What a server of the older family says to `GET /connectors/names`."""


@dataclass(slots=True)
class Known(Generic[T]):
    """What the API was asked for once: the catalogue of a connector, or the family that it speaks."""

    asked: int = 0
    """How often the API was asked, with whatever result."""
    at: float = 0.0
    """When, in seconds of a monotonic clock."""
    found: T | None = None
    failure: BosaError | None = None
    """Why the last time found nothing."""

    def keep(self, result: T | BosaError, now: float) -> None:
        """Takes what was found now; a failure leaves what was found before, unless the connector is gone."""
        self.failure = result if isinstance(result, BosaError) else None
        if not isinstance(result, BosaError):
            self.found = result
        elif isinstance(result, ConnectorNotFound):
            self.found = None
        self.asked, self.at = self.asked + 1, now

    def is_fresh(self, now: float) -> bool:
        """Whether what was found serves without another look."""
        return self.found is not None and now - self.at < (SECOND_LOOK if self.failure else CATALOGUE_AGE)

    def answer(self) -> T:
        """What was found the last time; raises why nothing was."""
        if self.failure:
            # a copy: one error raised by many would gather all their tracebacks
            raise copy(self.failure) from self.failure.__cause__
        return cast("T", self.found)

    def serving(self) -> T:
        """The last that was found, whatever came after it; raises why there is none."""
        return self.answer() if self.found is None else self.found


def names(contract: Contract) -> Steps[list[str]]:
    """The names of the API's connectors."""
    answer = yield listing("/connectors/names", None, contract)
    if (found := _names(answer)) is not None:
        return found
    document = content((yield listing("/connectors", None, contract)))
    if not is_object(document):
        raise BadReply("The list of connectors is not a JSON object. Is this the address of a BOSA API?")
    return list(document)


def family(contract: Contract) -> Steps[Family]:
    """Which family the server speaks, found out by asking it for the names of its connectors."""
    return "older" if _names((yield listing("/connectors/names", None, contract))) is None else "current"


def _names(answer: Reply) -> list[str] | None:
    """The names in the current family's listing; None where the server speaks the older one."""
    try:
        found = content(answer)
    except ApiError as failure:
        if failure.status in _OLDER_FAMILY:
            return None
        raise
    known = [name for name in items(found) if isinstance(name, str)]
    if not is_array(found) or (found and not known):
        raise BadReply("The list of connectors is not a JSON array of names. Is this the address of a BOSA API?")
    return known


def discover(app: str, contract: Contract) -> Steps[Catalogue]:
    """The actions of a connector; raises ConnectorNotFound where there is no such connector."""
    return catalogue.parse(app, content((yield listing("/connectors/", {"modules": app}, contract))))


def content(answer: Reply) -> object:
    """The JSON of an answer; raises its error, and BadReply for a file."""
    if answer.error:
        raise answer.error
    if answer.file:
        raise BadReply(f"The answer is of type {answer.file.content_type}, not JSON. Is the API's address right?")
    return answer.body
