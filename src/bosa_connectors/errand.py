"""One request about users or their accounts, as a value: what is sent, and how its answer is read."""

import json
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from typing import Generic, NoReturn, TypeVar
from urllib.parse import quote

from pydantic import BaseModel, ValidationError

from bosa_connectors import wire
from bosa_connectors.calls import Credentials, Reply
from bosa_connectors.discovery import Contract, Family, content
from bosa_connectors.errors import ApiError, BadReply, Failure, InvalidArguments, Problem, api_error
from bosa_connectors.hiding import hide
from bosa_connectors.shapes import is_object, members

T = TypeVar("T")
Model = TypeVar("Model", bound=BaseModel)


def _raised(error: ApiError) -> NoReturn:
    raise error


@dataclass(frozen=True, slots=True)
class Errand(Generic[T]):
    """What is asked of the API, and what comes of it."""

    method: str
    path: str
    """In the current family of paths."""
    understand: Callable[[object], T]
    """What the `data` of a success means."""
    refused: Callable[[ApiError], T] = _raised
    """What a failure means; one that came with a success status has that status."""
    older: str | None = None
    """The path in the older family, where it is another one."""
    body: bytes = field(default=b"", repr=False)
    """JSON, if anything."""
    token: str | None = field(default=None, repr=False)
    secrets: tuple[str, ...] = field(default=(), repr=False)
    """What else is hidden where the API repeats it."""

    @property
    def writes(self) -> bool:
        """Whether it may change something."""
        return self.method != "GET"

    def request(self, family: Family, api_key: str | None, contract: Contract, key: str) -> wire.Request:
        """What is sent; `key` goes along as Idempotency-Key where it writes."""
        path = (family == "older" and self.older) or self.path
        own = wire.headers(Credentials(user_token=self.token), api_key, contract)
        kind = {"content-type": wire.JSON} if self.body else {}
        once = {"idempotency-key": key} if self.writes else {}
        return wire.Request(self.method, path, {**wire.ACCEPT, **once, **kind, **own}, self.body)

    def outcome(self, reply: Reply, api_key: str | None) -> T:
        """What the answer means; raises its error where that means nothing else, BadReply for what makes no sense."""
        if error := _failure(reply):
            secrets = (*self.secrets, *(text for text in (self.token, api_key) if text))
            message = hide(error.failure.message, secrets)
            return self.refused(type(error)(replace(error.failure, message=message)))
        answer = content(reply)
        if not is_object(answer) or "data" not in answer:
            raise BadReply(f"The answer to {self.method} {self.path} has no data. Is this the address of a BOSA API?")
        return self.understand(answer["data"])


def _failure(reply: Reply) -> ApiError | None:
    """The failure that an answer states; under the first error contract some come with a success status."""
    said = members(reply.data)
    if reply.error or said.get("success") is not False:
        return reply.error
    texts = (text for text in (said.get("error"), said.get("message")) if isinstance(text, str) and text)
    message = next(texts, "The API gave no reason.")
    return api_error(Failure(status=reply.status, message=message[:2000], request_id=reply.headers.get("x-request-id")))


def read_as(model: type[Model]) -> Callable[[object], Model]:
    """How a model is read from data; raises BadReply, which names what is missing or odd and repeats no value."""

    def read(data: object) -> Model:
        try:
            return model.model_validate(data)
        except ValidationError as odd:
            found = odd.errors(include_input=False, include_url=False, include_context=False)
        # outside of the handler, for the odd error holds what the API said
        raise lacking(".".join(("data", *map(str, problem["loc"]))) for problem in found)

    return read


def member(name: str, kind: type[T]) -> Callable[[object], T]:
    """How one member is read from data; raises BadReply where it is not there or of another type."""

    def read(data: object) -> T:
        value = members(data).get(name)
        if not isinstance(value, kind):
            raise lacking([f"data.{name}"])
        return value

    return read


def lacking(places: Iterable[str]) -> BadReply:
    """The error for an answer that lacks what should be at these places."""
    return BadReply(f"The answer lacks what it must say, or says it oddly: {', '.join(places)[:500]}.")


def given(**texts: object) -> None:
    """Raises InvalidArguments unless each of these is text, and not empty."""
    if wrong := [Problem(name, odd, "text, not empty") for name, text in texts.items() if (odd := _oddity(text))]:
        raise InvalidArguments(wrong)


def _oddity(text: object) -> str | None:
    if not isinstance(text, str):
        return f"This is a {type(text).__name__}, not text"
    if not text:
        return "This is empty"
    return "This holds half a character" if text.encode("utf-8", "replace").decode() != text else None


def segment(name: str, text: object) -> str:
    """One segment of a path, whatever the text holds; raises InvalidArguments where no path can hold it."""
    given(**{name: text})
    if text in {".", ".."}:
        raise InvalidArguments([Problem(name, "A path leads elsewhere by this", "a name")])
    return quote(str(text), safe="")


def given_object(name: str, value: object) -> dict[str, object]:
    """The JSON object that was given; raises InvalidArguments where it is none."""
    if not is_object(value):
        raise InvalidArguments([Problem(name, f"This is a {type(value).__name__}", "a mapping")])
    if not wire.is_sayable(dict(value)):
        raise InvalidArguments([Problem(name, "JSON cannot say this", wire.SAYABLE)])
    return dict(value)


def saying(**members: object) -> bytes:
    """The JSON object with these members."""
    return json.dumps(members, ensure_ascii=False).encode()
