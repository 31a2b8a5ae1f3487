"""How clients reach the server: standard input and output."""

import os
import signal
import sys
from collections.abc import AsyncGenerator, AsyncIterator, Generator
from contextlib import AbstractAsyncContextManager, AsyncExitStack, contextmanager
from typing import Any, Final

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
    with _signals() as signals:
        async with stdio_server() as (read, write):
            opening = AsyncExitStack()
            try:
                async with anyio.create_task_group() as group:

                    async def watch() -> None:
                        async for number in signals:
                            caught.append(number)
                            group.cancel_scope.cancel()

                    group.start_soon(watch)
                    server = await opening.enter_async_context(opened)
                    await server.run(read, write, server.create_initialization_options())
                    group.cancel_scope.cancel()
            finally:
                with anyio.move_on_after(CLOSING, shield=True):
                    await opening.aclose()
            if caught:
                sys.stderr.flush()
                os._exit(128 + caught[0])  # the transport's reader sits in a thread that nothing can interrupt


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
