"""The values: what can be called, a call, who calls, and what comes back."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from bosa_connectors.errors import ApiError
from bosa_connectors.shapes import members


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

    @property
    def properties(self) -> Mapping[str, object]:
        """The schema of each argument, by its name."""
        return members(self.schema.get("properties"))


@dataclass(frozen=True, slots=True)
class Credentials:
    """Who calls. They travel with each call, so that one connector object serves many users."""

    api_key: str | None = field(default=None, repr=False)
    """The client key; None for the connector object's own."""
    user_token: str | None = field(default=None, repr=False)
    account: str | None = None
    """Which of the user's linked accounts acts; None for the selected one."""


@dataclass(frozen=True, slots=True)
class Call:
    """One action with its arguments."""

    action: Action
    arguments: Mapping[str, object]
    credentials: Credentials | None = None
    deadline: float | None = None
    """Seconds for the whole call; None for no limit beyond the timeout of each wait."""


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
    """The parsed reply as sent, envelope included."""
    data: object = field(default=None, repr=False)
    meta: object = None
    error: ApiError | None = None
    file: FileHead | None = None
