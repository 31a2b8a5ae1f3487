"""The shell that waits: it sends what `wire` encodes, and hands over what `wire` decodes."""

import ssl
import time
from collections.abc import Callable, Generator, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from functools import partial
from threading import Lock
from typing import TYPE_CHECKING, Any, ClassVar, Final, Self, TypeVar

import httpx

from bosa_connectors import arguments, discovery, lazy, wire
from bosa_connectors.accounts import Accounts
from bosa_connectors.action import ConnectorActions
from bosa_connectors.action_response import ActionResponse
from bosa_connectors.arguments import Given
from bosa_connectors.base import Exchange, repeating
from bosa_connectors.calls import DEFAULT_TIMEOUT, Action, Call, Headers, Reply, Timeout
from bosa_connectors.catalogue import Catalogue
from bosa_connectors.connections import Connections
from bosa_connectors.discovery import Family, Known, Steps
from bosa_connectors.download import Download, StreamedReply
from bosa_connectors.errand import Errand
from bosa_connectors.errors import BosaError, Unreachable
from bosa_connectors.models.file import held
from bosa_connectors.retry import Outcome
from bosa_connectors.transport import (
    MAX_JSON_BYTES,
    Client,
    bounded,
    built,
    certificates,
    client_settings,
    default_headers,
    headers_of,
    is_lost,
    received,
    too_large,
    translate,
)
from bosa_connectors.upload import sending

if TYPE_CHECKING:
    from types import TracebackType

    from bosa_connectors.auth.api_key import ApiKeyAuthenticator
    from bosa_connectors.module import BosaConnectorModule

T = TypeVar("T")


class BosaConnector(Accounts):
    """The connectors of one BOSA API: what they offer, and calls to it.

    One pooled HTTP client serves any number of threads and users at once: credentials travel with each call, cookies
    are neither kept nor sent, redirects are not followed. `api_key` counts for calls that bring none of their own; it
    goes along where the object is copied or pickled, and the copy has connections of its own.
    """

    DEFAULT_TIMEOUT: ClassVar = DEFAULT_TIMEOUT
    DEFAULT_MAX_ATTEMPTS: ClassVar = 1
    _connections: Callable[[ssl.SSLContext], httpx.BaseTransport] = Connections

    def _open(self) -> None:
        verify = certificates()
        settings = client_settings(verify, self._connections(verify), self.api_base_url)
        self._client = Client(**settings, event_hooks={"response": [received]})
        self._headers = default_headers(self._client, self.api_base_url)
        self._locks: dict[str, Lock] = {}

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: "TracebackType | None"
    ) -> None:
        self.close()

    def close(self) -> None:
        """Closes the connections. Using the object afterwards raises RuntimeError."""
        self._is_closed = True
        self._client.close()

    @property
    def auth_scheme(self) -> "ApiKeyAuthenticator":
        """The key, as the header that carries it."""
        from bosa_connectors.auth.api_key import ApiKeyAuthenticator  # noqa: PLC0415  what is beside it needs this shell

        return ApiKeyAuthenticator(self._api_key)

    def get_available_modules(self) -> list[str]:
        """The names of the API's connectors, asked anew each time."""
        return self._hold(discovery.names(self._error_contract))

    def catalogue(self, app: str) -> Catalogue:
        """The actions of a connector, asked once and kept for an hour.

        Raises ConnectorNotFound where there is no such connector.
        """
        known = self._entry(app)
        if not known.is_fresh(time.monotonic()):
            self._look(app, known, discovery.discover(app, self._error_contract))
        return known.serving()

    def refresh_connector(self, app_name: str) -> Catalogue:
        """The actions of a connector, asked anew."""
        known = self._entry(app_name)
        self._look(app_name, known, discovery.discover(app_name, self._error_contract))
        return known.answer()

    def _look(self, app: str, known: Known[T], steps: Steps[T]) -> None:
        """Asks the API; whoever waits for its answer meanwhile does not ask again."""
        asked = known.asked
        with self._locks.setdefault(app, Lock()):
            if known.asked == asked:
                try:
                    known.keep(self._hold(steps), time.monotonic())
                except BosaError as failure:
                    known.keep(failure, time.monotonic())
                    self._forget(app, known, self._locks)

    def send(self, call: Call) -> Reply:
        """The reply to a call.

        A failure that the API states is the reply's `error`. Raises InvalidArguments and InvalidSchema before anything
        is sent, Unreachable where nothing was done, RequestTimeout where a question was not answered in time,
        OutcomeUnknown where it is not known whether the API acted, and BadReply for an answer that cannot be read.
        """
        exchange = self._prepare(call)
        return self._settle(exchange, partial(self._receive, exchange))

    @contextmanager
    def stream(self, call: Call) -> Generator[Reply | StreamedReply]:
        """The reply to a call, as `send` gives it, while a file that it holds still arrives: see `Download`."""
        exchange = self._prepare(call)
        with ExitStack() as stack:
            yield self._settle(exchange, partial(self._arrive, exchange, stack))

    def execute(  # noqa: PLR0913  the published signature
        self,
        app_name: str,
        action: str,
        input_: Mapping[str, object] | None = None,
        *,
        identifier: str | None = None,
        account: str | None = None,
        max_attempts: int | None = None,
        token: str | None = None,
        headers: Headers | None = None,
        timeout: Timeout = DEFAULT_TIMEOUT,
        **kwargs: object,
    ) -> tuple[Any, int]:
        """Body and status of the reply: the envelope as sent, or a ConnectorFile. A failure that the API states is one.

        Keywords that are none of these are arguments of the action, beside `input_` or in its place; one that the
        action does not know is left out with a warning (`strict` refuses it). `response_fields` names the parts of the
        data that are wanted. `identifier` (once `account`) says which linked account acts. `max_attempts` counts the
        first attempt, and repeats 429, 5xx and what found no connection, whatever the action does. `timeout` bounds
        connecting and each silence, a pair each by its own. A header that is None is not sent.

        Raises InvalidAction and InvalidArguments before anything is sent, and what `send` raises.
        """
        given = arguments.given(
            input_,
            kwargs,
            account=identifier or account,
            max_attempts=max_attempts,
            token=token,
            headers=headers,
            timeout=timeout,
        )
        return self.carry_out(self.catalogue(app_name).action(action), given)

    def run(  # noqa: PLR0913  the published signature
        self,
        app_name: str,
        action: str,
        input_: Mapping[str, object] | None = None,
        *,
        identifier: str | None = None,
        account: str | None = None,
        max_attempts: int | None = None,
        token: str | None = None,
        headers: Headers | None = None,
        timeout: Timeout = DEFAULT_TIMEOUT,
        **kwargs: object,
    ) -> ActionResponse:
        """The reply to a call as `execute` makes it, with its pages to walk through."""
        given = arguments.given(
            input_,
            kwargs,
            account=identifier or account,
            max_attempts=max_attempts,
            token=token,
            headers=headers,
            timeout=timeout,
        )
        reply, call, fields = self._perform(self.catalogue(app_name).action(action), given)
        return ActionResponse(partial(self._send_selected, fields), call, reply)

    def connect(self, app_name: str) -> ConnectorActions[tuple[Any, int], ActionResponse]:
        """The actions of a connector, to be called in a chain: `.action(name).params({…}).token("…").run()`.

        Raises ConnectorNotFound where there is no such connector.
        """
        self.catalogue(app_name)
        return ConnectorActions(self, app_name)

    def get_connector(self, app_name: str) -> "BosaConnectorModule":
        """A connector: its actions, their parameters, and calls to them.

        Raises ConnectorNotFound where there is no such connector.
        """
        from bosa_connectors.module import BosaConnectorModule  # noqa: PLC0415  a view of this shell

        return BosaConnectorModule(app_name, connector=self)

    def carry_out(self, action: Action, given: Given) -> tuple[Any, int]:
        """Body and status of the reply to what a program gave."""
        reply, _, _ = self._perform(action, given)
        return arguments.body(reply), reply.status

    def _perform(self, action: Action, given: Given) -> tuple[Reply, Call, list[str]]:
        """The reply, the call as it was sent, and the fields that were selected from its data."""
        call, fields = given.call(action)
        call, exchange = self.admit(call)
        reply = self._settle(exchange, partial(self._receive, exchange))
        return arguments.selected(reply, fields), call, fields

    def _send_selected(self, fields: list[str], call: Call) -> Reply:
        return arguments.selected(self.send(call), fields)

    def _hold(self, steps: Steps[T]) -> T:
        """What a conversation with the API comes to."""
        try:
            request = next(steps)
            while True:
                request = steps.send(self._answer(request))
        except StopIteration as done:
            return done.value

    def _answer(self, request: wire.Request) -> Reply:
        """The answer to a question; it is asked once more where the answer got lost."""
        try:
            return self._receive(self._ask(request))
        except Unreachable as failure:
            if not is_lost(failure):
                raise
            return self._receive(self._ask(request))

    def _do(self, errand: Errand[T]) -> T:
        """What comes of a request about users or their accounts."""
        family = self._speaks() if errand.older else "current"
        return errand.outcome(self._receive(self._errand(errand, family)), self._api_key)

    def _speaks(self) -> Family:
        """Which family of paths the API speaks, asked once."""
        if self._family.found is None:
            self._look("", self._family, discovery.family(self._error_contract))
        return self._family.serving()

    def _settle(self, exchange: Exchange, attempt: Callable[[], Reply]) -> Reply:
        """The outcome of the first attempt, or of as many as the policy allows."""
        outcome = _outcome(attempt)
        if not exchange.is_settled(outcome):
            outcome = self._repeat(exchange, attempt, outcome)
        if isinstance(outcome, BosaError):
            raise outcome
        return outcome

    def _repeat(self, exchange: Exchange, attempt: Callable[[], Reply], first: Outcome) -> Outcome:
        from tenacity import Retrying  # noqa: PLC0415  most calls never need it

        outcome = last = first
        for trying in Retrying(**repeating(exchange, self._echoes)):
            if trying.retry_state.attempt_number > 1:
                if exchange.is_called_off():  # meanwhile
                    break
                last = _outcome(attempt)
                outcome = exchange.truth(outcome, last)
            trying.retry_state.set_result(last)
        return outcome

    def _receive(self, exchange: Exchange) -> Reply:
        """The whole reply."""
        response = self._respond(exchange)
        try:
            reply = self._begin(exchange, response)
            return held(reply, reply.file.read()) if isinstance(reply, StreamedReply) else reply
        finally:
            response.close()

    def _arrive(self, exchange: Exchange, stack: ExitStack) -> Reply | StreamedReply:
        """The reply, whose file arrives until the stack is left."""
        response = self._respond(exchange)
        stack.callback(response.close)
        return self._begin(exchange, response)

    def _begin(self, exchange: Exchange, response: httpx.Response) -> Reply | StreamedReply:
        """The reply; of a file only the beginning."""
        headers = headers_of(response)
        self._listen(exchange, headers)
        if wire.is_file(response.status_code, headers):
            head = bounded(wire.decode_file(headers), exchange.max_file_bytes)
            file = Download.of(head, partial(self._bytes, exchange, response, exchange.max_file_bytes))
            return StreamedReply(response.status_code, headers, file=file)
        body = b"".join(self._bytes(exchange, response, MAX_JSON_BYTES))
        return self._decoded(exchange, response.status_code, headers, body)

    def _respond(self, exchange: Exchange) -> httpx.Response:
        """The beginning of the answer."""
        patience = exchange.patience()
        try:
            with sending(exchange.request.body, patience.moved) as body:
                request = built(
                    exchange.request, body, self.api_base_url, self._headers, patience, writes=exchange.writes
                )
                response = self._client.send(request, stream=True)
        except (httpx.RequestError, httpx.InvalidURL) as failure:
            raise translate(failure, self.api_base_url, writes=exchange.writes) from failure
        patience.transfer()
        return response

    def _bytes(self, exchange: Exchange, response: httpx.Response, limit: int | None) -> Iterator[bytes]:
        """The body as it comes."""
        came = 0
        try:
            for chunk in response.iter_bytes():
                came += len(chunk)
                if limit is not None and came > limit:
                    raise too_large(limit)
                yield chunk
        except httpx.RequestError as failure:
            raise translate(failure, self.api_base_url, writes=exchange.writes) from failure


class GLConnectors(BosaConnector):
    """The same under its later name: where the API is, and that there is no key, is taken for granted otherwise."""

    def __init__(
        self,
        api_base_url: str = "https://connector.gdplabs.id",
        api_key: str | None = None,
        **kwargs: Any,  # noqa: ANN401  those of Connector
    ) -> None:
        super().__init__(api_base_url, api_key, **kwargs)


def _outcome(attempt: Callable[[], Reply]) -> Outcome:
    try:
        return attempt()
    except BosaError as failure:
        return failure


_ELSEWHERE: Final = {
    "Action": "action",
    "ActionResult": "models.result",
    "ApiKeyAuthenticator": "auth.api_key",
    "BosaAuthenticator": "auth",
    "BosaConnectorError": "errors",
    "BosaConnectorModule": "module",
    "BosaIntegrationHelper": "helpers.integrations",
    "BosaToken": "models.token",
    "BosaUser": "models.user",
    "ConnectorFile": "models.file",
    "CreateUserResponse": "models.user",
}
"""Where older programs import it from here."""


def __getattr__(name: str) -> Any:  # noqa: ANN401  whatever has the name
    return lazy.found(__name__, _ELSEWHERE, name)
