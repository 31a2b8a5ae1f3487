"""Connections to an API, each taken by one request at a time.

They are those that httpx's own pool is made of, without it: it looks at all of them twice for each request, and lets
one thread close what another has just taken. The one given back last is taken first, so that those not needed rest,
and are closed.

A server may hang up just when a request is sent on a connection that has rested. Where not a byte was answered, and the
request says that it may be repeated, it goes out once more, on a new connection.
"""

import ssl
import time
from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable, Generator, Iterator
from contextlib import contextmanager, suppress
from functools import partial
from threading import Semaphore
from typing import Any, Final, Generic, TypeVar, cast

import anyio
import httpcore
import httpx

from bosa_connectors.streams import AsyncStream, Stream, aconnected, connected
from bosa_connectors.transport import IDLE, MOST, Patience

T = TypeVar("T", bound="_Line | _AsyncLine")
_LOST: Final = (httpcore.ReadError, httpcore.WriteError, httpcore.RemoteProtocolError)


class _Line(httpcore.HTTP11Connection):
    """A connection that knows the stream beneath it."""

    def __init__(self, origin: httpcore.Origin, stream: Stream) -> None:
        super().__init__(origin, stream, IDLE)
        self.beneath = stream

    def is_clean(self) -> bool:
        """Whether nothing has come behind the answer: it would be taken for the next one."""
        return not self._h11_state.trailing_data[0]


class _AsyncLine(httpcore.AsyncHTTP11Connection):
    """The same, awaited."""

    def __init__(self, origin: httpcore.Origin, stream: AsyncStream) -> None:
        super().__init__(origin, stream, IDLE)
        self.beneath = stream

    def is_clean(self) -> bool:
        """The same as there."""
        return not self._h11_state.trailing_data[0]


class _Kept(Generic[T]):
    """Connections that rest, and all that there are."""

    def __init__(self) -> None:
        self._resting: deque[tuple[float, T]] = deque()
        self._worn: deque[T] = deque()
        self.all: set[T] = set()

    def take(self, origin: httpcore.Origin, patience: Patience) -> T | None:
        """One that leads there, and that nobody else has, for a request with this patience; None where none rests."""
        with suppress(IndexError):
            while True:
                _, one = self._resting.pop()
                if one.can_handle_request(origin) and not one.has_expired():
                    one.beneath.patience = patience
                    return one
                self._worn.append(one)
        return None

    def drop(self, one: T) -> None:
        """Puts one away that broke, to be closed with the next that are of no more use."""
        self._worn.append(one)

    def new(self, one: T) -> T:
        """The same one, known from now on."""
        self.all.add(one)
        return one

    def give(self, one: T | None) -> list[T]:
        """Puts one back. Those of no more use, and those that have rested for too long, are taken out, to be closed."""
        now = time.monotonic()
        if one and one.is_available() and one.is_clean():
            self._resting.append((now, one))
        elif one:
            self._worn.append(one)
        old: list[T] = []
        with suppress(IndexError):  # another thread may take the last one in between
            while now - self._resting[0][0] > IDLE:
                self._worn.append(self._resting.popleft()[1])
        with suppress(IndexError):
            while True:
                old.append(self._worn.popleft())
        self.all.difference_update(old)
        return old


class Connections(httpx.BaseTransport):
    """For threads: a connection for each request that is under way."""

    def __init__(self, verify: ssl.SSLContext) -> None:
        self._verify = verify
        self._kept: _Kept[_Line] = _Kept()
        self._room = Semaphore(MOST)

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """The beginning of the answer; its connection is taken until it is closed."""
        asked, patience = _asked(request), cast("Patience", request.extensions["timeout"])
        if not self._room.acquire(timeout=patience.get("pool")):
            raise _crowded()
        line = None
        try:
            with _as_httpx():
                line = rested = self._kept.take(asked.url.origin, patience)
                try:
                    line = line or self._line(asked.url.origin, patience)
                    response = line.handle_request(asked)
                except _LOST:
                    if not rested or not _may_repeat(request, rested):
                        raise
                    self._kept.drop(rested)
                    line = None
                    line = self._line(asked.url.origin, patience)
                    response = line.handle_request(asked)
        except BaseException:
            self._leave(line)
            raise
        return _answer(response, _Body(response, partial(self._leave, line)))

    def close(self) -> None:
        """Closes all connections."""
        for line in list(self._kept.all):
            line.close()

    def _line(self, origin: httpcore.Origin, patience: Patience) -> _Line:
        return self._kept.new(_Line(origin, connected(origin, self._verify, patience)))

    def _leave(self, line: _Line | None) -> None:
        self._room.release()
        for old in self._kept.give(line):
            old.close()


class AsyncConnections(httpx.AsyncBaseTransport):
    """The same for the tasks of one event loop."""

    def __init__(self, verify: ssl.SSLContext) -> None:
        self._verify = verify
        self._kept: _Kept[_AsyncLine] = _Kept()
        self._room = anyio.Semaphore(MOST, fast_acquire=True)

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """The beginning of the answer; its connection is taken until it is closed."""
        asked, patience = _asked(request), cast("Patience", request.extensions["timeout"])
        await self._enter(patience.get("pool"))
        line = None
        try:
            with _as_httpx():
                line = rested = self._kept.take(asked.url.origin, patience)
                try:
                    line = line or await self._line(asked.url.origin, patience)
                    response = await line.handle_async_request(asked)
                except _LOST:
                    if not rested or not _may_repeat(request, rested):
                        raise
                    self._kept.drop(rested)
                    line = None
                    line = await self._line(asked.url.origin, patience)
                    response = await line.handle_async_request(asked)
        except BaseException:
            await self._leave(line)
            raise
        return _answer(response, _AsyncBody(response, partial(self._leave, line)))

    async def aclose(self) -> None:
        """Closes all connections."""
        for line in list(self._kept.all):
            await line.aclose()

    async def _enter(self, patience: float | None) -> None:
        with suppress(anyio.WouldBlock):
            return self._room.acquire_nowait()
        try:
            with anyio.fail_after(patience):
                await self._room.acquire()
        except TimeoutError as late:
            raise _crowded() from late

    async def _line(self, origin: httpcore.Origin, patience: Patience) -> _AsyncLine:
        return self._kept.new(_AsyncLine(origin, await aconnected(origin, self._verify, patience)))

    async def _leave(self, line: _AsyncLine | None) -> None:
        self._room.release()
        if old := self._kept.give(line):
            with anyio.CancelScope(shield=True):
                for each in old:
                    await each.aclose()


class _Body(httpx.SyncByteStream):
    """The body of an answer; with its end the connection is free."""

    def __init__(self, response: httpcore.Response, give: Callable[[], None]) -> None:
        self._response = response
        self._give = give

    def __iter__(self) -> Iterator[bytes]:
        with _as_httpx():
            yield from self._response.iter_stream()

    def close(self) -> None:
        try:
            self._response.close()
        finally:
            self._give()


class _AsyncBody(httpx.AsyncByteStream):
    """The same, awaited."""

    def __init__(self, response: httpcore.Response, give: Callable[[], Awaitable[None]]) -> None:
        self._response = response
        self._give = give

    async def __aiter__(self) -> AsyncIterator[bytes]:
        with _as_httpx():
            async for part in self._response.aiter_stream():
                yield part

    async def aclose(self) -> None:
        try:
            await self._response.aclose()
        finally:
            await self._give()


def _may_repeat(request: httpx.Request, line: _Line | _AsyncLine) -> bool:
    """Whether a request that was lost with this connection may go out on another one."""
    return line.beneath.is_silent and request.extensions["may_repeat"]


def _asked(request: httpx.Request) -> httpcore.Request:
    """The request as connections take it."""
    to = request.url
    url = httpcore.URL(scheme=to.raw_scheme, host=to.raw_host, port=to.port, target=to.raw_path)
    return httpcore.Request(
        request.method, url, headers=request.headers.raw, content=request.stream, extensions=request.extensions
    )


def _answer(response: httpcore.Response, body: httpx.SyncByteStream | httpx.AsyncByteStream) -> httpx.Response:
    """The answer of a connection as clients take it."""
    extensions = cast("dict[str, Any]", response.extensions)
    return httpx.Response(response.status, headers=response.headers, stream=body, extensions=extensions)


@contextmanager
def _as_httpx() -> Generator[None]:
    """The failures of connections by the names that they have there, which are the same."""
    try:
        yield
    except (httpcore.NetworkError, httpcore.ProtocolError, httpcore.TimeoutException) as failure:
        meant: type[httpx.TransportError] = getattr(httpx, type(failure).__name__)
        raise meant(str(failure)) from failure


def _crowded() -> httpx.PoolTimeout:
    return httpx.PoolTimeout(f"{MOST} calls were under way, and none of them ended in time")
