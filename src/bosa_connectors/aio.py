"""The shell that awaits: the lines of `connector`, awaited."""

import time
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, Any, Self, TypeVar
from weakref import WeakKeyDictionary

import anyio
import httpx
from anyio.lowlevel import current_token

from bosa_connectors import discovery, wire
from bosa_connectors.base import Connector, Exchange, repeating
from bosa_connectors.calls import Call, Reply
from bosa_connectors.catalogue import Catalogue
from bosa_connectors.discovery import Known, Steps
from bosa_connectors.download import AsyncDownload, AsyncStreamedReply
from bosa_connectors.errors import BosaError
from bosa_connectors.models.file import held
from bosa_connectors.retry import Outcome
from bosa_connectors.transport import (
    MAX_JSON_BYTES,
    client_settings,
    headers_of,
    received,
    too_large,
    translate,
)

if TYPE_CHECKING:
    from types import TracebackType

T = TypeVar("T")


async def _received(response: httpx.Response) -> None:
    received(response)


@dataclass(slots=True, weakref_slot=True)
class _Loop:
    """What belongs to one event loop."""

    client: httpx.AsyncClient = field(
        default_factory=lambda: httpx.AsyncClient(**client_settings(), event_hooks={"response": [_received]})
    )
    locks: dict[str, anyio.Lock] = field(default_factory=dict[str, anyio.Lock])


class AsyncBosaConnector(Connector):
    """The connectors of one BOSA API: what they offer, and calls to it, awaited.

    One pooled HTTP client per event loop serves any number of tasks and users at once: credentials travel with each
    call, cookies are neither kept nor sent, redirects are not followed. `api_key` counts for calls that bring none.
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:  # noqa: ANN401  those of Connector
        super().__init__(*args, **kwargs)
        self._loops: WeakKeyDictionary[object, _Loop] = WeakKeyDictionary()
        self._is_closed = False

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
        if self._is_closed:
            raise RuntimeError("This connector object has been closed: make another one.")
        token = current_token().native_token
        if token not in self._loops:
            self._loops[token] = _Loop()
        return self._loops[token]

    async def get_available_modules(self) -> list[str]:
        """The names of the API's connectors, asked anew each time."""
        return await self._hold(discovery.names(self._error_contract))

    async def catalogue(self, app: str) -> Catalogue:
        """The actions of a connector, asked once and kept for an hour.

        Raises ConnectorNotFound where there is no such connector.
        """
        known = self._known.setdefault(app, Known())
        if known.found is not None and self._is_fresh(known):
            return known.found
        return await self._discover(app, known)

    async def refresh_connector(self, app: str) -> Catalogue:
        """The actions of a connector, asked anew."""
        known = self._known.setdefault(app, Known())
        return await self._discover(app, known)

    async def _discover(self, app: str, known: Known) -> Catalogue:
        """What the API says now; whoever waits for it meanwhile hears the same."""
        asked = known.asked
        async with self._here().locks.setdefault(app, anyio.Lock()):
            if known.asked == asked:
                try:
                    known.keep(await self._hold(discovery.discover(app, self._error_contract)), time.monotonic())
                except BosaError as failure:
                    known.keep(failure, time.monotonic())
            return known.answer()

    async def send(self, call: Call) -> Reply:
        """The reply to a call.

        A failure that the API states is the reply's `error`. Raises InvalidArguments and InvalidSchema before anything
        is sent, Unreachable where nothing was done, RequestTimeout where a question was not answered in time,
        OutcomeUnknown where it is not known whether the API acted, and BadReply for an answer that cannot be read.
        """
        exchange = self._prepare(call)
        return await self._settle(exchange, partial(self._receive, exchange))

    @asynccontextmanager
    async def stream(self, call: Call) -> AsyncGenerator[Reply | AsyncStreamedReply]:
        """The reply to a call, as `send` gives it, while a file that it holds still arrives: see `AsyncDownload`."""
        exchange = self._prepare(call)
        async with AsyncExitStack() as stack:
            yield await self._settle(exchange, partial(self._begin, exchange, stack))

    async def _hold(self, steps: Steps[T]) -> T:
        """What a conversation with the API comes to."""
        try:
            request = next(steps)
            while True:
                request = steps.send(await self._receive(self._ask(request)))
        except StopIteration as done:
            return done.value

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

        outcome = first
        async for trying in AsyncRetrying(**repeating(exchange, self._echoes)):
            with trying:
                if trying.retry_state.attempt_number > 1:
                    outcome = await _outcome(attempt)
            trying.retry_state.set_result(outcome)
        return outcome

    async def _receive(self, exchange: Exchange) -> Reply:
        """The whole reply."""
        async with AsyncExitStack() as stack:
            reply = await self._begin(exchange, stack)
            if not isinstance(reply, AsyncStreamedReply):
                return reply
            return held(reply, b"".join([chunk async for chunk in reply.file.chunks]))

    async def _begin(self, exchange: Exchange, stack: AsyncExitStack) -> Reply | AsyncStreamedReply:
        """The reply; of a file only the beginning."""
        response = await stack.enter_async_context(self._response(exchange))
        headers = headers_of(response)
        if wire.is_file(response.status_code, headers):
            file = AsyncDownload.of(wire.decode_file(headers), self._bytes(exchange, response))
            return self._listen(exchange, AsyncStreamedReply(response.status_code, headers, file=file))
        body = b"".join([chunk async for chunk in self._bytes(exchange, response, MAX_JSON_BYTES)])
        return self._decoded(exchange, response.status_code, headers, body)

    @asynccontextmanager
    async def _response(self, exchange: Exchange) -> AsyncGenerator[httpx.Response]:
        client, request, patience = self._here().client, exchange.request, exchange.patience()
        url = self.api_base_url + request.path
        try:
            built = client.build_request(
                request.method, url, headers=request.headers, content=request.body, extensions={"timeout": patience}
            )
            response = await client.send(built, stream=True)
        except (httpx.RequestError, httpx.InvalidURL) as failure:
            raise translate(failure, self.api_base_url, writes=exchange.writes) from failure
        patience.transfer()
        try:
            yield response
        finally:
            await response.aclose()

    async def _bytes(
        self, exchange: Exchange, response: httpx.Response, limit: int | None = None
    ) -> AsyncIterator[bytes]:
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


async def _outcome(attempt: Callable[[], Awaitable[Reply]]) -> Outcome:
    try:
        return await attempt()
    except BosaError as failure:
        return failure
