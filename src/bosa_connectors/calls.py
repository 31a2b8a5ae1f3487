"""The values: what can be called, a call, who calls, and what comes back."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Literal, TypeAlias

from bosa_connectors.errors import ApiError, BosaError
from bosa_connectors.references import BRANCHING, branches
from bosa_connectors.shapes import items, members

Effect: TypeAlias = Literal["read", "create", "update", "delete", "send"]
"""What an action does to the world."""

DEFAULT_TIMEOUT = 30.0
"""Seconds for connecting, and for each silence."""
Timeout: TypeAlias = float | tuple[float | None, float | None] | None
"""The same, or a pair of seconds: for connecting, and for each silence. None is no limit."""
Headers: TypeAlias = Mapping[str, str | bytes | None]
"""One that is None is not sent."""


def parts(schema: Mapping[str, object]) -> list[Mapping[str, object]]:
    """The schemas at the root of a schema of which a value has to meet one, or all."""
    return [members(part) for part in branches(schema, BRANCHING)]


@dataclass(frozen=True, slots=True, eq=False, weakref_slot=True)
class Action:
    """One action of a connector, as the API lists it."""

    connector: str
    name: str
    path: str
    """Where it is called, relative to the API's base URL: `/connectors/sql/query`."""
    description: str
    """The docstring as listed; may be empty."""
    schema: Mapping[str, object]
    """The JSON Schema (2020-12) of its arguments."""
    binary: frozenset[str] = frozenset()
    """The arguments that are files."""
    stated_effect: Effect | None = None
    """What the listing says that it does, in `x-bosa-effect`; `effects.effect` also knows where it says nothing."""

    @property
    def properties(self) -> Mapping[str, object]:
        """The schema of each argument, by its name; where parts of the whole differ, that of the first."""
        own = members(self.schema.get("properties"))
        others = [members(part.get("properties")) for part in parts(self.schema)]
        return {name: each for names in (*reversed(others), own) for name, each in names.items()} if others else own

    @property
    def required(self) -> frozenset[str]:
        """The arguments that have to be given, be it in one part of the whole."""
        wholes = (self.schema, *parts(self.schema))
        return frozenset(str(name) for each in wholes for name in items(each.get("required")))


@dataclass(frozen=True, slots=True)
class Credentials:
    """Who calls. They travel with each call, so that one connector object serves many users."""

    api_key: str | None = field(default=None, repr=False)
    """The client key; None for the connector object's own."""
    user_token: str | None = field(default=None, repr=False)
    account: str | None = None
    """Which of the user's linked accounts acts; None for the selected one."""


@dataclass(frozen=True, slots=True)
class Pause:
    """An attempt failed, and another one follows."""

    attempt: int
    """How many attempts there have been."""
    seconds: float
    """Until the next one."""
    reason: BosaError


Notify: TypeAlias = Callable[[Pause], Awaitable[None] | None]


@dataclass(frozen=True, slots=True)
class Policy:
    """When a call is repeated. `retry.documented` and `retry.safe` make these."""

    attempts: int = 1
    """At most so many, the first included."""
    effect: Effect | None = None
    """What may be repeated without harm depends on it; None repeats 429, 5xx and what found no connection."""
    notify: Notify | None = field(default=None, repr=False)
    """Told before each wait; what it returns is awaited where calls are."""
    is_called_off: Callable[[], bool] | None = field(default=None, repr=False)
    """Asked before each further attempt: where it says so, the outcome so far stands."""


@dataclass(frozen=True, slots=True)
class Call:
    """One action with its arguments."""

    action: Action
    arguments: Mapping[str, object] = field(repr=False)
    credentials: Credentials | None = None
    deadline: float | None = None
    """Seconds for all attempts, waits and first bytes together (a transfer that moves goes on); None for no limit.

    Through a proxy, a head that comes letter by letter is bounded by each silence alone.
    """
    policy: Policy = Policy()
    timeout: Timeout = DEFAULT_TIMEOUT
    """Seconds for connecting, and for each silence, in one attempt, or one of each; None for no limit."""
    headers: Headers = field(default_factory=dict[str, str | bytes | None], repr=False)
    """Sent beside the call's own headers, which win."""
    max_file_bytes: int | None = None
    """A file in the reply that has more raises TooLarge, at once where the API says so; None for no limit."""


@dataclass(frozen=True, slots=True)
class FileHead:
    """What a reply says about the file that it is."""

    name: str | None
    """As the API wrote it: a label, never a path."""
    content_type: str
    size: int | None
    """Bytes, where the API says so."""


@dataclass(frozen=True, slots=True)
class Reply:
    """What came back for a call: data, an error, or a file."""

    status: int
    headers: Mapping[str, str] = field(repr=False)
    """Names in lower case."""
    body: object = field(default=None, repr=False)
    """The parsed reply as sent, envelope included; of `send`, for a file, a ConnectorFile."""
    data: object = field(default=None, repr=False)
    meta: object = None
    error: ApiError | None = None
    file: FileHead | None = None
