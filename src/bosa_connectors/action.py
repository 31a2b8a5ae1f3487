"""The fluent way to a call: `connector.connect("github").action("list_commits").params({…}).token("…").run()`."""

from collections.abc import Callable, Generator, Mapping
from typing import Any, Final, Generic, Protocol, Self, TypeVar
from warnings import warn

from bosa_connectors import lazy
from bosa_connectors.calls import Headers, Timeout
from bosa_connectors.catalogue import Catalogue

Executed_co = TypeVar("Executed_co", covariant=True)
Ran_co = TypeVar("Ran_co", covariant=True)


class Shell(Protocol[Executed_co, Ran_co]):
    """A connector object, waiting or awaited: what it gives is what the chain gives."""

    @property
    def execute(self) -> Callable[..., Executed_co]:
        """Body and status of a reply."""
        ...

    @property
    def run(self) -> Callable[..., Ran_co]:
        """A reply, with its pages."""
        ...


class ActionExecutor(Generic[Executed_co, Ran_co]):
    """A call in the making. Each setter replaces what was set before and gives the same object back.

    What is given is copied, so that neither the caller's dictionaries nor another call ever changes with it.
    """

    def __init__(self, shell: Shell[Executed_co, Ran_co], app_name: str, action: str) -> None:
        self._shell = shell
        self._name = app_name, action
        self._params: dict[str, object] = {}
        self._options: dict[str, Any] = {}

    def params(self, params: Mapping[str, object] | None) -> Self:
        """Sets the arguments."""
        self._params = dict(params or {})
        return self

    def token(self, token: str | None) -> Self:
        """Sets the user token."""
        return self._set(token=token)

    def headers(self, headers: Headers | None) -> Self:
        """Sets headers that go along."""
        return self._set(headers=dict(headers or {}))

    def max_attempts(self, attempts: int | None) -> Self:
        """Sets how often the call is tried, at most: see `execute` of the connector object."""
        return self._set(max_attempts=attempts)

    def timeout(self, timeout: Timeout) -> Self:
        """Sets the seconds for connecting and for each silence, or a pair of these; None for no limit."""
        return self._set(timeout=timeout)

    def identifier(self, identifier: str | None = None) -> Self:
        """Sets which of the user's linked accounts acts."""
        return self._set(identifier=identifier)

    def account(self, account: str | None) -> Self:
        """The older name of `identifier`, which wins over it."""
        warn("Use 'identifier' instead of 'account'.", DeprecationWarning, stacklevel=2)
        return self._set(account=account)

    def execute(self) -> Executed_co:
        """Body and status of the reply: see `execute` of the connector object."""
        return self._shell.execute(*self._name, self._params, **self._options)

    def run(self) -> Ran_co:
        """The reply as an ActionResponse: see `run` of the connector object."""
        return self._shell.run(*self._name, self._params, **self._options)

    def _set(self, **options: object) -> Self:
        self._options |= options
        return self

    def __repr__(self) -> str:
        return f"<ActionExecutor {'.'.join(self._name)}>"


class ConnectorActions(Generic[Executed_co, Ran_co]):
    """The actions of one connector."""

    def __init__(self, shell: Shell[Executed_co, Ran_co], app_name: str) -> None:
        self._shell = shell
        self._app_name = app_name

    def action(self, action: str) -> ActionExecutor[Executed_co, Ran_co]:
        """A call of this action, to be filled in."""
        return ActionExecutor(self._shell, self._app_name, action)

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self._app_name}>"


Action = ConnectorActions
"""Its older name."""


class AsyncShell(Shell[Executed_co, Ran_co], Protocol[Executed_co, Ran_co]):
    """A connector object whose methods are awaited."""

    async def catalogue(self, app: str) -> Catalogue:
        """The actions of a connector."""
        ...


class AsyncConnectorActions(ConnectorActions[Executed_co, Ran_co]):
    """The actions of one connector. Awaited, it gives itself, or raises ConnectorNotFound."""

    def __init__(self, shell: AsyncShell[Executed_co, Ran_co], app_name: str) -> None:
        super().__init__(shell, app_name)
        self._discovering = shell.catalogue

    def __await__(self) -> Generator[Any, Any, Self]:
        yield from self._discovering(self._app_name).__await__()
        return self


_ELSEWHERE: Final = {
    "ActionResponse": "action_response",
    "BaseAuthenticator": "auth.base",
    "BosaConnectorModule": "module",
    "ConnectorFile": "models.file",
}
"""Where older programs import it from here."""


def __getattr__(name: str) -> Any:  # noqa: ANN401  whatever has the name
    return lazy.found(__name__, _ELSEWHERE, name)
