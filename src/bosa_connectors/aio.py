"""The shell that awaits: the lines of `connector`, awaited."""

import ssl
import time
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Coroutine, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, Any, Self, TypeVar
from weakref import WeakKeyDictionary

import anyio
import httpx
from anyio import to_thread
from anyio.lowlevel import current_token

from bosa_connectors import arguments, discovery, wire
from bosa_connectors.accounts import AsyncAccounts
from bosa_connectors.action import AsyncConnectorActions
from bosa_connectors.action_response import AsyncActionResponse
from bosa_connectors.arguments import Given
from bosa_connectors.base import Exchange, repeating
from bosa_connectors.calls import DEFAULT_TIMEOUT, Action, Call, Headers, Reply, Timeout
from bosa_connectors.catalogue import Catalogue
from bosa_connectors.connections import AsyncConnections
from bosa_connectors.discovery import Family, Known, Steps
from bosa_connectors.download import AsyncDownload, AsyncStreamedReply
from bosa_connectors.errand import Errand
from bosa_connectors.errors import BosaError, Unreachable
from bosa_connectors.models.file import held
from bosa_connectors.retry import Outcome
from bosa_connectors.transport import (
    MAX_JSON_BYTES,
    AsyncClient,
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
from bosa_connectors.upload import asending

if TYPE_CHECKING:
    from types import TracebackType

    from tenacity import RetryCallState

    from bosa_connectors.module import AsyncBosaConnectorModule

T = TypeVar("T")


async def _received(response: httpx.Response) -> None:
    received(response)


@dataclass(slots=True, weakref_slot=True)
class _Loop:
    """What belongs to one event loop."""

    client: httpx.AsyncClient
    headers: Mapping[str, str]
    """The headers that each request has."""
    locks: dict[str, anyio.Lock] = field(default_factory=dict[str, anyio.Lock])


class AsyncBosaConnector(AsyncAccounts):
    """The connectors of one BOSA API: what they offer, and calls to it, awaited.

    One pooled HTTP client per event loop serves any number of tasks and users at once: credentials travel with each
    call, cookies are neither kept nor sent, redirects are not followed. `api_key` counts for calls that bring none; it
    goes along where the object is copied or pickled, and the copy has connections of its own.
    """

    _connections: Callable[[ssl.SSLContext], httpx.AsyncBaseTransport] = AsyncConnections

    def _open(self) -> None:
        self._loops: WeakKeyDictionary[object, _Loop] = WeakKeyDictionary()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: "TracebackType | None"
    ) -> None:
        await self.aclose()

    async def aclose(self) -> None:
        """Closes the connections of this event loop. Using the object afterwards raises RuntimeError."""
        self._is_closed = True
        if here := self._loops.pop(current_token().native_token, None):
            await here.client.aclose()

    def _here(self) -> _Loop:
        self._check_open()
        token = current_token().native_token
        if token not in self._loops:
            for other in filter(_is_over, list(self._loops)):  # its connections know it, and so keep it
                self._loops.pop(other, None)
            verify = certificates()
            settings = client_settings(verify, self._connections(verify), self.api_base_url)
            client = AsyncClient(**settings, event_hooks={"response": [_received]})
            self._loops[token] = _Loop(client, default_headers(client, self.api_base_url))
        return self._loops[token]

    async def get_available_modules(self) -> list[str]:
        """The names of the API's connectors, asked anew each time."""
        return await self._hold(discovery.names(self._error_contract))

    async def catalogue(self, app: str) -> Catalogue:
        """The actions of a connector, asked once and kept for an hour.

        Raises ConnectorNotFound where there is no such connector.
        """
        known = self._entry(app)
        if not known.is_fresh(time.monotonic()):
            await self._look(app, known, discovery.discover(app, self._error_contract))
        return known.serving()

    async def refresh_connector(self, app_name: str) -> Catalogue:
        """The actions of a connector, asked anew."""
        known = self._entry(app_name)
        await self._look(app_name, known, discovery.discover(app_name, self._error_contract))
        return known.answer()

    async def _look(self, app: str, known: Known[T], steps: Steps[T]) -> None:
        """Asks the API; whoever waits for its answer meanwhile does not ask again."""
        asked, locks = known.asked, self._here().locks
        async with locks.setdefault(app, anyio.Lock()):
            if known.asked == asked:
                try:
                    known.keep(await self._hold(steps), time.monotonic())
                except BosaError as failure:
                    known.keep(failure, time.monotonic())
                    self._forget(app, known, locks)

    async def send(self, call: Call) -> Reply:
        """The reply to a call.

        A failure that the API states is the reply's `error`. Raises InvalidArguments and InvalidSchema before anything
        is sent, Unreachable where nothing was done, RequestTimeout where a question was not answered in time,
        OutcomeUnknown where it is not known whether the API acted, and BadReply for an answer that cannot be read.
        """
        exchange = await self._prepared(call)
        return await self._settle(exchange, partial(self._receive, exchange))

    @asynccontextmanager
    async def stream(self, call: Call) -> AsyncGenerator[Reply | AsyncStreamedReply]:
        """The reply to a call, as `send` gives it, while a file that it holds still arrives: see `AsyncDownload`."""
        exchange = await self._prepared(call)
        async with AsyncExitStack() as stack:
            yield await self._settle(exchange, partial(self._arrive, exchange, stack))

    async def _prepared(self, call: Call) -> Exchange:
        """The exchange that a call is; its files are looked at in a worker thread."""
        return await to_thread.run_sync(self._prepare, call) if call.action.binary else self._prepare(call)

    async def execute(  # noqa: PLR0913  the published signature
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
        timeout: Timeout = DEFAULT_TIMEOUT,  # noqa: ASYNC109  of each step, which only the transport knows
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
        return await self.carry_out((await self.catalogue(app_name)).action(action), given)

    async def run(  # noqa: PLR0913  the published signature
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
        timeout: Timeout = DEFAULT_TIMEOUT,  # noqa: ASYNC109  of each step, which only the transport knows
        **kwargs: object,
    ) -> AsyncActionResponse:
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
        reply, call, fields = await self._perform((await self.catalogue(app_name)).action(action), given)
        return AsyncActionResponse(partial(self._send_selected, fields), call, reply)

    def connect(
        self, app_name: str
    ) -> "AsyncConnectorActions[Coroutine[Any, Any, tuple[Any, int]], Coroutine[Any, Any, AsyncActionResponse]]":
        """The actions of a connector, to be called in a chain: `.action(name).params({…}).token("…").run()`, awaited.

        Awaited itself, it raises ConnectorNotFound where there is no such connector.
        """
        return AsyncConnectorActions(self, app_name)

    async def get_connector(self, app_name: str) -> "AsyncBosaConnectorModule":
        """A connector: its actions, their parameters, and calls to them.

        Raises ConnectorNotFound where there is no such connector.
        """
        from bosa_connectors.module import AsyncBosaConnectorModule  # noqa: PLC0415  a view of this shell

        await self.catalogue(app_name)
        return AsyncBosaConnectorModule(app_name, self)

    async def carry_out(self, action: Action, given: Given) -> tuple[Any, int]:
        """Body and status of the reply to what a program gave."""
        reply, _, _ = await self._perform(action, given)
        return arguments.body(reply), reply.status

    async def _perform(self, action: Action, given: Given) -> tuple[Reply, Call, list[str]]:
        """The reply, the call as it was sent, and the fields that were selected from its data."""
        call, fields = given.call(action)
        call, exchange = await to_thread.run_sync(self.admit, call) if action.binary else self.admit(call)
        reply = await self._settle(exchange, partial(self._receive, exchange))
        return arguments.selected(reply, fields), call, fields

    async def _send_selected(self, fields: list[str], call: Call) -> Reply:
        return arguments.selected(await self.send(call), fields)

    async def _hold(self, steps: Steps[T]) -> T:
        """What a conversation with the API comes to."""
        try:
            request = next(steps)
            while True:
                request = steps.send(await self._answer(request))
        except StopIteration as done:
            return done.value

    async def _answer(self, request: wire.Request) -> Reply:
        """The answer to a question; it is asked once more where the answer got lost."""
        try:
            return await self._receive(self._ask(request))
        except Unreachable as failure:
            if not is_lost(failure):
                raise
            return await self._receive(self._ask(request))

    async def _do(self, errand: Errand[T]) -> T:
        """What comes of a request about users or their accounts."""
        family = await self._speaks() if errand.older else "current"
        return errand.outcome(await self._receive(self._errand(errand, family)), self._api_key)

    async def _speaks(self) -> Family:
        """Which family of paths the API speaks, asked once."""
        if self._family.found is None:
            await self._look("", self._family, discovery.family(self._error_contract))
        return self._family.serving()

    async def _settle(self, exchange: Exchange, attempt: Callable[[], Awaitable[Reply]]) -> Reply:
        """The outcome of the first attempt, or of as many as the policy allows."""
        outcome = await _outcome(attempt)
        if not exchange.is_settled(outcome):
            outcome = await self._repeat(exchange, attempt, outcome)
        if isinstance(outcome, BosaError):
            raise outcome
        return outcome

    async def _repeat(self, exchange: Exchange, attempt: Callable[[], Awaitable[Reply]], first: Outcome) -> Outcome:
        from tenacity import AsyncRetrying  # noqa: PLC0415  most calls never need it

        outcome = last = first
        settings = repeating(exchange, self._echoes)
        tell = settings.pop("before_sleep")

        async def telling(state: "RetryCallState") -> None:
            if told := tell(state):
                await told

        async for trying in AsyncRetrying(**settings, before_sleep=telling):
            if trying.retry_state.attempt_number > 1:
                if exchange.is_called_off():  # meanwhile
                    break
                last = await _outcome(attempt)
                outcome = exchange.truth(outcome, last)
            trying.retry_state.set_result(last)
        return outcome

    async def _receive(self, exchange: Exchange) -> Reply:
        """The whole reply."""
        response = await self._respond(exchange)
        try:
            reply = await self._begin(exchange, response)
            return held(reply, await reply.file.read()) if isinstance(reply, AsyncStreamedReply) else reply
        finally:
            await response.aclose()

    async def _arrive(self, exchange: Exchange, stack: AsyncExitStack) -> Reply | AsyncStreamedReply:
        """The reply, whose file arrives until the stack is left."""
        response = await self._respond(exchange)
        stack.push_async_callback(response.aclose)
        return await self._begin(exchange, response)

    async def _begin(self, exchange: Exchange, response: httpx.Response) -> Reply | AsyncStreamedReply:
        """The reply; of a file only the beginning."""
        headers = headers_of(response)
        self._listen(exchange, headers)
        if wire.is_file(response.status_code, headers):
            head = bounded(wire.decode_file(headers), exchange.max_file_bytes)
            file = AsyncDownload.of(head, partial(self._bytes, exchange, response, exchange.max_file_bytes))
            return AsyncStreamedReply(response.status_code, headers, file=file)
        body = b"".join([chunk async for chunk in self._bytes(exchange, response, MAX_JSON_BYTES)])
        return self._decoded(exchange, response.status_code, headers, body)

    async def _respond(self, exchange: Exchange) -> httpx.Response:
        """The beginning of the answer."""
        here, patience = self._here(), exchange.patience()
        try:
            async with asending(exchange.request.body, patience.moved) as body:
                request = built(
                    exchange.request, body, self.api_base_url, here.headers, patience, writes=exchange.writes
                )
                response = await here.client.send(request, stream=True)
        except (httpx.RequestError, httpx.InvalidURL) as failure:
            raise translate(failure, self.api_base_url, writes=exchange.writes) from failure
        patience.transfer()
        return response

    async def _bytes(self, exchange: Exchange, response: httpx.Response, limit: int | None) -> AsyncIterator[bytes]:
        """The body as it comes."""
        came = 0
        try:
            async for chunk in response.aiter_bytes():
                came += len(chunk)
                if limit is not None and came > limit:
                    raise too_large(limit)
                yield chunk
        except httpx.RequestError as failure:
            raise translate(failure, self.api_base_url, writes=exchange.writes) from failure


def _is_over(loop: object) -> bool:
    """Whether nothing runs on this event loop any more."""
    is_closed: Callable[[], bool] | None = getattr(loop, "is_closed", None)  # Trio's have no such thing
    return is_closed is not None and is_closed()


async def _outcome(attempt: Callable[[], Awaitable[Reply]]) -> Outcome:
    try:
        return await attempt()
    except BosaError as failure:
        return failure
