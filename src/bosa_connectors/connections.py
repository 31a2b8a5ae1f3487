"""Connections to an API, each taken by one request at a time.

httpx's own pool looks at all of its connections twice for each request, and lets one thread close what another has just
taken. Here every connection is a pool of one. The one given back last is taken first, so that those not needed rest,
and are closed.
"""

import math
import socket
import ssl
import time
from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping
from contextlib import suppress
from functools import partial
from threading import Semaphore, Timer
from typing import Any, Final, Generic, TypeVar, cast

import anyio
import httpx

from bosa_connectors.transport import IDLE, MOST, Patience

T = TypeVar("T")
_ONE: Final = httpx.Limits(max_connections=1, max_keepalive_connections=1, keepalive_expiry=IDLE)
_HEAD: Final = "http11.receive_response_headers."
_CONNECTED: Final = frozenset({"connection.connect_tcp.complete", "connection.start_tls.complete"})


class _Kept(Generic[T]):
    """Connections that rest, and all that there are."""

    def __init__(self, make: Callable[[], T]) -> None:
        self._make = make
        self._resting: deque[tuple[float, T]] = deque()
        self.all: set[T] = set()

    def take(self) -> T:
        """One that nobody else has."""
        with suppress(IndexError):
            return self._resting.pop()[1]
        made = self._make()
        self.all.add(made)
        return made

    def give(self, one: T) -> list[T]:
        """Puts one back. What has rested for too long is taken out, to be closed."""
        now = time.monotonic()
        self._resting.append((now, one))
        old: list[T] = []
        with suppress(IndexError):  # another thread may take the last one in between
            while now - self._resting[0][0] > IDLE:
                old.append(self._resting.popleft()[1])
        self.all.difference_update(old)
        return old


class Connections(httpx.BaseTransport):
    """For threads: a transport of httpx for each request that is under way."""

    def __init__(self, verify: ssl.SSLContext) -> None:
        self._kept = _Kept(partial(_Line, verify))
        self._room = Semaphore(MOST)

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """The beginning of the answer; its connection is taken until it is closed."""
        patience = _patience(request)
        if not self._room.acquire(timeout=patience.get("pool")):
            raise _crowded()
        line = self._kept.take()
        try:
            response = line.begin(request, patience)
        except BaseException:
            self._give(line)
            raise
        response.stream = _Body(cast("httpx.SyncByteStream", response.stream), partial(self._give, line))
        return response

    def close(self) -> None:
        """Closes all connections."""
        for line in list(self._kept.all):
            line.transport.close()

    def _give(self, line: "_Line") -> None:
        self._room.release()
        for old in self._kept.give(line):
            old.transport.close()


class AsyncConnections(httpx.AsyncBaseTransport):
    """The same for the tasks of one event loop."""

    def __init__(self, verify: ssl.SSLContext) -> None:
        self._kept = _Kept(partial(httpx.AsyncHTTPTransport, verify=verify, limits=_ONE))
        self._room = anyio.Semaphore(MOST, fast_acquire=True)

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """The beginning of the answer; its connection is taken until it is closed."""
        patience = _patience(request)
        await self._enter(patience.get("pool"))
        transport = self._kept.take()
        try:
            response = await _begin(transport, request, patience)
        except BaseException:
            await self._give(transport)
            raise
        response.stream = _AsyncBody(cast("httpx.AsyncByteStream", response.stream), partial(self._give, transport))
        return response

    async def aclose(self) -> None:
        """Closes all connections."""
        for transport in list(self._kept.all):
            await transport.aclose()

    async def _enter(self, patience: float | None) -> None:
        with suppress(anyio.WouldBlock):
            return self._room.acquire_nowait()
        try:
            with anyio.fail_after(patience):
                await self._room.acquire()
        except TimeoutError as late:
            raise _crowded() from late

    async def _give(self, transport: httpx.AsyncHTTPTransport) -> None:
        self._room.release()
        if old := self._kept.give(transport):
            with anyio.CancelScope(shield=True):
                for each in old:
                    await each.aclose()


class _Line:
    """One connection. Where there is a deadline, it hangs up if the head of the answer is still on its way by then.

    The transport's own timeout bounds each silence alone: a head may come letter by letter for ever.
    """

    def __init__(self, verify: ssl.SSLContext) -> None:
        self.transport = httpx.HTTPTransport(verify=verify, limits=_ONE)
        self._stream: Any = None

    def begin(self, request: httpx.Request, patience: Patience) -> httpx.Response:
        """The beginning of the answer; raises ReadTimeout where it has not come at the deadline."""
        begin = self.transport.handle_request if patience.left() == math.inf else partial(self._watched, patience)
        response = begin(request)
        self._stream = response.extensions["network_stream"]
        return response

    def _watched(self, patience: Patience, request: httpx.Request) -> httpx.Response:
        request.extensions["trace"] = watch = _Watch(patience, self._stream)
        try:
            return self.transport.handle_request(request)
        except httpx.TransportError as failure:
            if watch.has_hung_up:
                raise _late(request) from failure
            raise


class _Watch:
    """Told by the transport of each step that a request takes."""

    def __init__(self, patience: Patience, stream: Any) -> None:  # noqa: ANN401  httpx names no type for it
        self._patience = patience
        self._stream = stream
        self._timer = Timer(0, self._hang_up)
        self.has_hung_up = False

    def __call__(self, step: str, facts: Mapping[str, Any]) -> None:
        if step in _CONNECTED:
            self._stream = facts["return_value"]
        elif step == f"{_HEAD}started":
            self._timer = Timer(self._patience.left(), self._hang_up)
            self._timer.daemon = True
            self._timer.start()
        elif step.startswith(_HEAD):
            self._timer.cancel()

    def _hang_up(self) -> None:
        self.has_hung_up = True
        with suppress(OSError):  # the other side was faster
            # a secured one's own shutdown is not for another thread than the one that reads
            socket.socket.shutdown(self._stream.get_extra_info("socket"), socket.SHUT_RDWR)


async def _begin(transport: httpx.AsyncHTTPTransport, request: httpx.Request, patience: Patience) -> httpx.Response:
    """The beginning of the answer; raises ReadTimeout where it has not come at the deadline."""
    if patience.left() == math.inf:
        return await transport.handle_async_request(request)
    with anyio.CancelScope() as scope:

        async def watch(step: str, _: Mapping[str, Any]) -> None:
            if step.startswith(_HEAD):
                is_begun = step == f"{_HEAD}started"
                scope.deadline = anyio.current_time() + patience.left() if is_begun else math.inf

        request.extensions["trace"] = watch
        return await transport.handle_async_request(request)
    raise _late(request)


class _Body(httpx.SyncByteStream):
    """The body of an answer; with its end the connection is free."""

    def __init__(self, stream: httpx.SyncByteStream, give: Callable[[], None]) -> None:
        self._stream = stream
        self._give = give

    def __iter__(self) -> Iterator[bytes]:
        return iter(self._stream)

    def close(self) -> None:
        try:
            self._stream.close()
        finally:
            self._give()


class _AsyncBody(httpx.AsyncByteStream):
    """The same, awaited."""

    def __init__(self, stream: httpx.AsyncByteStream, give: Callable[[], Awaitable[None]]) -> None:
        self._stream = stream
        self._give = give

    def __aiter__(self) -> AsyncIterator[bytes]:
        return aiter(self._stream)

    async def aclose(self) -> None:
        try:
            await self._stream.aclose()
        finally:
            await self._give()


def _patience(request: httpx.Request) -> Patience:
    return cast("Patience", request.extensions["timeout"])


def _crowded() -> httpx.PoolTimeout:
    return httpx.PoolTimeout(f"{MOST} calls were under way, and none of them ended in time")


def _late(request: httpx.Request) -> httpx.ReadTimeout:
    return httpx.ReadTimeout("The deadline has come.", request=request)
