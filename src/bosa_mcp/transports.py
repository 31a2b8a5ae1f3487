"""How clients reach the server: standard input and output."""

import os
import signal
import sys
from collections.abc import AsyncGenerator, AsyncIterator, Generator
from contextlib import AbstractAsyncContextManager, AsyncExitStack, contextmanager
from typing import Any, Final, NoReturn

import anyio
from mcp.server.lowlevel import Server
from mcp.server.stdio import stdio_server

CLOSING: Final = 5.0
"""Seconds that closing may take."""


async def serve_stdio(opened: AbstractAsyncContextManager[Server[Any]]) -> None:
    """Serves one client on standard input and output, until it closes them.

    On SIGINT or SIGTERM `opened` is closed all the same, and the process ends with 130 or 143.
    """
    caught: list[int] = []
    serving = anyio.CancelScope()
    with _signals() as signals:
        async with anyio.create_task_group() as watching, AsyncExitStack() as opening:

            async def watch() -> None:
                async for number in signals:
                    caught.append(number)
                    serving.cancel()

            async def leave(code: int) -> NoReturn:
                with anyio.move_on_after(CLOSING, shield=True):
                    await opening.aclose()
                sys.stderr.flush()
                os._exit(code)  # the transport's reader sits in a thread that nothing can interrupt

            watching.start_soon(watch)
            server = await opening.enter_async_context(opened)
            async with stdio_server() as (read, write):
                try:
                    with serving:
                        await server.run(read, write, server.create_initialization_options())
                except anyio.get_cancelled_exc_class():  # the client reads no more
                    await leave(1)
                if caught:
                    await leave(128 + caught[0])
            await opening.aclose()
            watching.cancel_scope.cancel()


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
