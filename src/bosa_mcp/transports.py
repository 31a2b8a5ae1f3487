"""How clients reach the server: standard input and output, or HTTP. Both end on SIGINT and SIGTERM."""

import errno
import logging
import os
import signal
import socket
import sys
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Generator, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from threading import Timer
from typing import Final, NoReturn

import anyio
import uvicorn
from anyio.abc import TaskGroup
from mcp.shared._context_streams import ContextSendStream
from mcp.shared.message import SessionMessage
from starlette.routing import Route
from starlette.types import ASGIApp

from bosa_mcp.addresses import Addresses
from bosa_mcp.changes import TellingServer
from bosa_mcp.gate import Gate
from bosa_mcp.pipes import standard_streams
from bosa_mcp.refresh import Tools
from bosa_mcp.shutdown import GRACE, LAST, Drain, observed
from bosa_mcp.users import Users
from bosa_mcp.web import create_app
from bosa_mcp.web_files import WebFiles

CLOSING: Final = 5.0
"""Seconds that closing may take."""
_LOOK: Final = 0.005
LEAVING: Final = 2
"""Seconds that HTTP clients get to read the end of what they were sent."""


@dataclass(frozen=True, slots=True)
class Serving:
    """A server, and the tools that it knows."""

    server: TellingServer
    tools: Tools
    users: Users | None = None
    """Whose tokens are asked for over HTTP; None to ask nobody."""
    files: WebFiles | None = None
    """What is fetched and left over HTTP."""
    pages: Sequence[Route] = ()
    """What people open in a browser, whoever they are."""


class CannotListen(OSError):
    """The address is taken, or is not one of this machine."""

    def __str__(self) -> str:
        return self.strerror or "Cannot listen."


async def serve_stdio(opened: AbstractAsyncContextManager[Serving]) -> int:
    """Serves one client on standard input and output, until it closes them and what it asked is answered: 0.

    On SIGINT or SIGTERM calls under way get the same grace, `opened` is closed, and the process ends with 130 or 143;
    where the client reads no more, with 1.
    """
    drain = Drain()
    async with _told_to_end(drain) as end:
        async with opened as served:
            served.server.drain = drain
            talk = _Talk(served.server, drain)
            end.background.start_soon(talk.until_its_end)
            end.background.start_soon(talk.until_told, end)
            await talk.is_over.wait()
            code = end.code or talk.code
            _end_in_time(code)
        if code:
            leave(code)  # the reader of standard input sits in a thread that nothing can interrupt
    return 0


class _Talk:
    """The one connection over standard input and output."""

    def __init__(self, server: TellingServer, drain: Drain) -> None:
        self._server, self._drain = server, drain
        self._serving = anyio.CancelScope()
        self.is_over = anyio.Event()
        self.code = 0

    async def until_its_end(self) -> None:
        """Until the client closes it."""
        async with standard_streams() as streams:
            try:
                with self._serving, observed(*streams, self._drain, is_patient=True) as (read, write):
                    await self._server.run(read, write, self._server.create_initialization_options())
            except anyio.get_cancelled_exc_class():  # the client reads no more
                self.code = 1
                self.is_over.set()
                raise
            is_written = await _left(streams[1], LAST if self._serving.cancelled_caught else GRACE)
            self.code = 0 if is_written else 1
            if self._serving.cancelled_caught or not is_written:
                self.is_over.set()
        self.is_over.set()

    async def until_told(self, end: "_End") -> None:
        """Until a signal comes, and then until what is under way has settled."""
        await end.is_told.wait()
        await self._drain.settle()
        self._serving.cancel()
        with anyio.move_on_after(LAST):
            await self.is_over.wait()
        self.is_over.set()  # the end of input came before, and the client reads no more


async def _left(writing: ContextSendStream[SessionMessage], patience: float) -> bool:
    """Whether the last message has been written, within so many seconds: a message is taken before it is."""
    taking = writing._inner  # noqa: SLF001  # pyright: ignore[reportPrivateUsage]  nothing else tells
    with anyio.move_on_after(patience):
        while (now := taking.statistics()).open_receive_streams and not now.tasks_waiting_receive:  # noqa: ASYNC110  the library has no event
            await anyio.sleep(_LOOK)
        return True
    return False


async def serve_http(  # noqa: PLR0913  what is served, where, and how
    opened: AbstractAsyncContextManager[Serving],
    listener: socket.socket,
    addresses: Addresses,
    ready: Callable[[], None],
    *,
    json_response: bool,
    stateless: bool,
) -> int:
    """Serves any number of clients until SIGINT or SIGTERM, 130 or 143; calls `ready` when it answers.

    `json_response` answers with JSON instead of a stream of events, `stateless` keeps no sessions for clients that
    shake hands.

    New connections are refused from then on, calls under way get a grace, and streams end after the last of them.
    """
    drain = Drain()
    async with _told_to_end(drain) as end, opened as served:
        served.server.drain = drain
        app = create_app(
            served.server,
            served.tools,
            drain,
            served.users,
            served.files,
            pages=served.pages,
            below=addresses.below,
            json_response=json_response,
            stateless=stateless,
        )
        async with app.router.lifespan_context(app), anyio.create_task_group() as listening:
            gate = Gate(app, addresses, drain, stateless=stateless)
            web = Web(gate)
            listening.start_soon(web.serve, [listener])
            await web.has_started.wait()
            ready()
            await end.is_told.wait()
            web.refuse()
            await drain.settle()
            _end_in_time(end.code)
            gate.close()
            web.should_exit = True
    return end.code


@dataclass(slots=True)
class _End:
    """The end of serving, once a signal has told it."""

    background: TaskGroup
    is_told: anyio.Event = field(default_factory=anyio.Event)
    code: int = 0


@asynccontextmanager
async def _told_to_end(drain: Drain) -> AsyncGenerator[_End]:
    """The end, which the first signal tells; whoever waits for something by then waits no more at the next."""
    with _signals() as signals:
        async with anyio.create_task_group() as background:
            end = _End(background)

            async def watch() -> None:
                async for number in signals:
                    if drain.is_closing:
                        drain.hurry()
                    end.code = end.code or 128 + number
                    end.is_told.set()

            background.start_soon(watch)
            yield end
            background.cancel_scope.cancel()


def _end_in_time(code: int) -> None:
    """Closing must not last: whatever hangs is left behind."""
    limit = Timer(CLOSING, leave, (code,))
    limit.daemon = True
    limit.start()


def leave(code: int) -> NoReturn:
    """Ends the process at once, without what the interpreter would still look at and complain of."""
    logging.shutdown()  # the last lines get a second
    os._exit(code)


class Web(uvicorn.Server):
    """uvicorn, which leaves signals to us, and takes no connections from the moment that we are about to end."""

    def __init__(self, app: ASGIApp) -> None:
        super().__init__(
            uvicorn.Config(
                app,
                log_config=None,
                access_log=False,
                lifespan="off",
                http="h11",  # httptools, which it would take where that is there, bounds no head
                ws="none",
                proxy_headers=False,
                server_header=False,
                timeout_graceful_shutdown=LEAVING,
            )
        )
        self.has_started = anyio.Event()

    @contextmanager
    def capture_signals(self) -> Generator[None]:
        """Leaves them as they are."""
        yield

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Says when it answers."""
        await super().startup(sockets)
        self.has_started.set()

    def refuse(self) -> None:
        """Takes no more connections."""
        for server in self.servers:
            server.close()


def listen(host: str, port: int) -> socket.socket:
    """A listening socket; port 0 takes a free one. Raises CannotListen."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        listener = socket.create_server((host, port), family=family, backlog=2048)
    except OSError as error:
        is_port = error.errno in {errno.EADDRINUSE, errno.EACCES}
        choice = "another --port, or 0 for a free one" if is_port else "a --host that is an address of this machine"
        said = str(error.strerror).partition(" (while")[0]
        message = f"Cannot listen on {host} port {port}: {said}. Choose {choice}."
        raise CannotListen(error.errno, message) from error
    # asyncio sets this itself, but not for such a listener: without it each answer waits 40 ms for an ACK
    listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return listener


@contextmanager
def _signals() -> Generator[AsyncIterator[int]]:
    if sys.platform == "win32":  # its event loop takes no signal handlers
        yield _never()
    else:
        with anyio.open_signal_receiver(signal.SIGINT, signal.SIGTERM) as signals:
            yield signals


async def _never() -> AsyncGenerator[int]:
    await anyio.sleep_forever()
    yield 0
