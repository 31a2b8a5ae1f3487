"""One connector, as older programs hold it: its actions, their parameters, and calls to them."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from inspect import cleandoc
from typing import Any, ClassVar, Final, Protocol

from bosa_connectors import arguments, header, lazy, retry, wire
from bosa_connectors.aio import AsyncBosaConnector
from bosa_connectors.arguments import Given
from bosa_connectors.base import Connector
from bosa_connectors.calls import DEFAULT_TIMEOUT, Action, Headers, Timeout
from bosa_connectors.catalogue import PLUMBING, Catalogue
from bosa_connectors.connector import BosaConnector
from bosa_connectors.errors import BosaConnectorError, BosaError, InvalidArguments
from bosa_connectors.references import branches, follow
from bosa_connectors.shapes import is_array, items, members

__all__ = ["AsyncBosaConnectorModule", "BosaConnectorError", "BosaConnectorModule"]

_TOO_MANY: Final = 429
_SERVER_FAILURE: Final = 500
_KEY: Final = "x-api-key"
_NULL: Final = "NoneType"
_DEEP: Final = 10
_TYPES: Final = {
    "string": "str",
    "integer": "int",
    "number": "float",
    "boolean": "bool",
    "object": "dict",
    "null": _NULL,
}


class Authenticator(Protocol):
    """Something that knows the headers by which a client is known."""

    def authenticate(self) -> Mapping[str, str]:
        """These headers."""
        ...


class _Module:
    """What is known of a connector without asking."""

    DEFAULT_TIMEOUT: ClassVar = DEFAULT_TIMEOUT
    MAX_RETRY: ClassVar = retry.MAX_RETRY
    MAX_BACKOFF_SECONDS: ClassVar = int(retry.MAX_BACKOFF_SECONDS)
    EXCLUDED_ENDPOINTS: ClassVar = sorted(PLUMBING)
    INFO_PATH: ClassVar = "connectors"
    LIST_NAME_PATH: ClassVar = "connectors/names"

    def __init__(self, app_name: str, connector: Connector) -> None:
        self.app_name = app_name
        self.api_base_url = connector.api_base_url
        self.info_path = self.INFO_PATH
        self._shell = connector

    @classmethod
    def is_retryable_error(cls, status_code: int) -> bool:
        """Whether `max_attempts` repeats a call that was answered so."""
        return status_code == _TOO_MANY or status_code >= _SERVER_FAILURE

    def get_actions(self) -> list[tuple[str, str, str]]:
        """Name, path and docstring of each action."""
        return [(name, action.path, cleandoc(action.description)) for name, action in self._catalogue().items()]

    def get_action_parameters(self, action: str) -> list[dict[str, object]]:
        """`name`, `type` (in the words of Python) and `required` of each argument; none for an unknown action."""
        found = self._catalogue().get(action)
        return [] if found is None else [_parameter(found, name) for name in found.properties]

    def validate_request(
        self, action: str, params: Mapping[str, object] | None
    ) -> tuple[dict[str, object] | None, dict[str, str]]:
        """What would be sent and no errors, or None and what is wrong with each argument.

        Arguments that the action does not know are left out with a warning, as they are from a call.
        """
        found = self._catalogue().get(action)
        if found is None:
            return None, {"_schema": "No schema found for action"}
        try:
            call, fields = arguments.given(params, {}).call(found)
            call, _ = self._shell.admit(call)
        except InvalidArguments as wrong:
            return None, {problem.path: problem.message for problem in wrong.errors}
        asked = {arguments.FIELDS: fields} if fields and arguments.FIELDS not in call.arguments else {}
        return {**wire.present(found, call.arguments), **asked}, {}

    def _catalogue(self) -> Catalogue:
        return self._shell.known(self.app_name)

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.app_name}>"


class BosaConnectorModule(_Module):
    """One connector: its actions, their parameters, and calls to them.

    Raises ConnectorNotFound where the API has no such connector. One that `get_connector` gives calls with the key of
    its connector object; one that stands alone calls without a key, unless `execute` gets an authenticator.
    """

    def __init__(
        self,
        app_name: str,
        api_base_url: str = "https://api.bosa.id",
        info_path: str = _Module.INFO_PATH,
        *,
        connector: BosaConnector | None = None,
    ) -> None:
        if info_path.strip("/") != self.INFO_PATH:
            raise ValueError(
                f"The listing is at {self.INFO_PATH!r}, in every generation of the API; got {info_path[:200]!r}"
            )
        self._connector = connector or BosaConnector(api_base_url, None)
        super().__init__(app_name, self._connector)
        try:
            self._connector.catalogue(app_name)
        except BosaError:
            if connector is None:
                self.close()
            raise

    def close(self) -> None:
        """Closes the connections: those of its connector object too, where there is one."""
        self._connector.close()

    def execute(  # noqa: PLR0913, PLR0917  the published signature
        self,
        action: str,
        max_attempts: int | None = None,
        input_: Mapping[str, object] | None = None,
        token: str | None = None,
        account: str | None = None,
        identifier: str | None = None,
        authenticator: Authenticator | None = None,
        headers: Headers | None = None,
        timeout: Timeout = DEFAULT_TIMEOUT,
    ) -> tuple[Any, int]:
        """Body and status of the reply, as `execute` of a connector object gives them."""
        given = _given(input_, max_attempts, token, identifier or account, authenticator, headers, timeout)
        return self._connector.carry_out(self._connector.catalogue(self.app_name).action(action), given)


class AsyncBosaConnectorModule(_Module):
    """One connector: its actions, their parameters, and calls to them, awaited."""

    def __init__(self, app_name: str, connector: AsyncBosaConnector) -> None:
        super().__init__(app_name, connector)
        self._connector = connector

    async def execute(  # noqa: PLR0913, PLR0917  the published signature
        self,
        action: str,
        max_attempts: int | None = None,
        input_: Mapping[str, object] | None = None,
        token: str | None = None,
        account: str | None = None,
        identifier: str | None = None,
        authenticator: Authenticator | None = None,
        headers: Headers | None = None,
        timeout: Timeout = DEFAULT_TIMEOUT,  # noqa: ASYNC109  of each step, which only the transport knows
    ) -> tuple[Any, int]:
        """Body and status of the reply, as `execute` of a connector object gives them."""
        given = _given(input_, max_attempts, token, identifier or account, authenticator, headers, timeout)
        return await self._connector.carry_out((await self._connector.catalogue(self.app_name)).action(action), given)


def _given(  # noqa: PLR0913, PLR0917  those of execute
    input_: Mapping[str, object] | None,
    max_attempts: int | None,
    token: str | None,
    account: str | None,
    authenticator: Authenticator | None,
    headers: Headers | None,
    timeout: Timeout,
) -> Given:
    """What was given; the authenticator's key counts, else the one among the headers, else the connector object's."""
    said = header.plain(headers or {}) | header.plain(authenticator.authenticate() if authenticator else {})
    given = arguments.given(
        input_, {}, account=account, max_attempts=max_attempts, token=token, headers=said, timeout=timeout
    )
    return replace(given, credentials=replace(given.credentials, api_key=said.get(_KEY)))


def _parameter(action: Action, name: str) -> dict[str, object]:
    required = name in items(action.schema.get("required"))
    return {"name": name, "type": _type(action.properties[name], action.schema), "required": required}


def _type(node: object, root: Mapping[str, object]) -> str:
    """What the published client says of a schema: `<class 'str'>`, `typing.Optional[typing.List[str]]`."""
    said = _union(_kinds(node, root))
    return f"<class '{said}'>" if said.isalpha() else said


def _union(kinds: Iterable[str]) -> str:
    known = dict.fromkeys(kinds)
    concrete = [kind for kind in known if kind != _NULL]
    if len(known) == 1:
        return next(iter(known))
    if len(concrete) == 1:
        return f"typing.Optional[{concrete[0]}]"
    return f"typing.Union[{', '.join([*concrete, *([_NULL] if _NULL in known else [])])}]"


def _kinds(node: object, root: Mapping[str, object], depth: int = 0) -> Iterator[str]:
    """The types that a schema allows, each in a word of Python's."""
    schema = members(node)
    alternatives = branches(schema)
    if alternatives and depth < _DEEP:
        for branch in alternatives:
            yield from _kinds(branch, root, depth + 1)
        return
    if "type" not in schema and "$ref" in schema and depth < _DEEP:
        yield from _kinds(follow(root, str(schema["$ref"])), root, depth + 1)
        return
    kind = schema.get("type", "any")
    for each in kind if is_array(kind) else [kind]:
        yield _named(str(each), schema, root, depth)


def _named(kind: str, schema: Mapping[str, object], root: Mapping[str, object], depth: int) -> str:
    if kind == "array":
        inside = _union(_kinds(schema["items"], root, depth + 1)) if schema.get("items") and depth < _DEEP else ""
        return f"typing.List[{inside}]" if inside else "list"
    if kind == "bytes" or (kind == "string" and schema.get("format") == "binary"):
        return "bytes"
    return _TYPES.get(kind, "typing.Any")


_ELSEWHERE: Final = {
    "BaseAuthenticator": "auth.base",
    "ConnectorFile": "models.file",
}
"""Where older programs import it from here."""


def __getattr__(name: str) -> Any:  # noqa: ANN401  whatever has the name
    return lazy.found(__name__, _ELSEWHERE, name)
