"""What is under way when the server is told to end, and how long that may still take."""

from collections.abc import Generator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Final, Self

import anyio
import mcp_types as types
import structlog
from mcp.shared.message import SessionMessage

if TYPE_CHECKING:
    from types import TracebackType

GRACE: Final = 10.0
"""Seconds that calls under way get to finish."""
LAST: Final = 1.0
"""Seconds that the last message gets to be written."""
LISTEN: Final = "subscriptions/listen"
"""The request that lasts as long as its client wants."""

log = structlog.get_logger("bosa_mcp")


class Drain:
    """The requests under way."""

    def __init__(self) -> None:
        self.is_closing = False
        self.settled = anyio.Event()
        """Set once nothing is waited for any more."""
        self._open: set[object] = set()
        self._calls: set[anyio.CancelScope] = set()

    @contextmanager
    def call(self) -> Generator[None]:
        """Within it a tool call is carried out. Where it outlasts the grace, it goes on behind the block."""
        with anyio.CancelScope() as call:
            self._calls.add(call)
            try:
                yield
            finally:
                self._calls.discard(call)

    def begin(self, request: object) -> None:
        """A request that has to be answered."""
        self._open.add(request)

    def end(self, request: object) -> None:
        """A request that has been answered, or for whose answer nobody waits any more."""
        self._open.discard(request)
        self._look()

    async def settle(self) -> None:
        """Every request is answered, or the grace is over, or somebody hurries."""
        self.is_closing = True
        self._look()
        with anyio.move_on_after(GRACE):
            await self.settled.wait()
        for call in self._calls:
            call.cancel()
        with anyio.move_on_after(LAST):
            await self.settled.wait()

    def hurry(self) -> None:
        """Stops waiting for what is under way."""
        self.settled.set()

    def _look(self) -> None:
        if self.is_closing and not self._open:
            self.settled.set()


@contextmanager
def observed(reading: Any, writing: Any, drain: Drain, *, is_patient: bool) -> Generator[tuple["_Reading", "_Writing"]]:  # noqa: ANN401  the SDK does not export what its streams are
    """The two streams of a connection, whose requests `drain` knows.

    Where it `is_patient`, the end of what is read comes only when what was asked before is answered.
    """
    asked = _Asked(drain)
    try:
        yield _Reading(reading, asked, drain if is_patient else None), _Writing(writing, asked)
    finally:
        asked.forget()


class _Asked:
    """The requests of one connection. The SDK takes 1 and "1" for the same id, and so do we."""

    def __init__(self, drain: Drain) -> None:
        self._drain = drain
        self._ids: set[str] = set()

    def came(self, message: object) -> None:
        if isinstance(message, types.JSONRPCRequest) and message.method != LISTEN:
            self._ids.add(str(message.id))
            self._drain.begin((self, str(message.id)))
        elif isinstance(message, types.JSONRPCNotification) and message.method == "notifications/cancelled":
            self._end((message.params or {}).get("requestId"))

    def went(self, message: object) -> None:
        if isinstance(message, (types.JSONRPCResponse, types.JSONRPCError)):
            self._end(message.id)

    def forget(self) -> None:
        for number in list(self._ids):
            self._end(number)

    def _end(self, number: object) -> None:
        self._ids.discard(str(number))
        self._drain.end((self, str(number)))


class _Stream:
    """One of the two streams of a connection."""

    def __init__(self, inner: Any, asked: _Asked) -> None:  # noqa: ANN401  as above
        self._inner, self._asked = inner, asked

    async def aclose(self) -> None:
        await self._inner.aclose()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, exc_type: type[BaseException] | None, exc_val: BaseException | None, exc_tb: "TracebackType | None"
    ) -> None:
        await self.aclose()


class _Reading(_Stream):
    def __init__(self, inner: Any, asked: _Asked, drain: Drain | None) -> None:  # noqa: ANN401  as above
        super().__init__(inner, asked)
        self._drain = drain

    async def receive(self) -> SessionMessage | Exception:
        try:
            item: SessionMessage | Exception = await self._inner.receive()
        except anyio.EndOfStream:
            if self._drain:
                await self._drain.settle()
            raise
        if isinstance(item, SessionMessage):
            self._asked.came(item.message)
        elif self._drain:  # over HTTP whoever sent it is told
            log.warning("a line of standard input is no message of MCP, and was passed over")
        return item

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> SessionMessage | Exception:
        try:
            return await self.receive()
        except anyio.EndOfStream:
            raise StopAsyncIteration from None


class _Writing(_Stream):
    async def send(self, item: SessionMessage, /) -> None:
        await self._inner.send(item)
        self._asked.went(item.message)
