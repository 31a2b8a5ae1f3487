"""Standard input and output where they are pipes: messages come and go without a thread that wakes up for each."""

import os
import select
import stat
import sys
from collections.abc import AsyncGenerator, AsyncIterator, Generator
from contextlib import AbstractAsyncContextManager, asynccontextmanager, contextmanager
from typing import Any, Final, TypeAlias

import anyio
from anyio import to_thread
from mcp.server.stdio import stdio_server
from mcp.shared._context_streams import ContextReceiveStream, ContextSendStream
from mcp.shared.message import SessionMessage

_CHUNK: Final = 64 * 1024
_SURE: Final[int] = getattr(select, "PIPE_BUF", 512)
"""Bytes that a pipe takes at once, where it says that it takes any."""
_LONG: Final = 8 * _SURE

_Streams: TypeAlias = tuple[ContextReceiveStream[SessionMessage | Exception], ContextSendStream[SessionMessage]]


def standard_streams() -> AbstractAsyncContextManager[_Streams]:
    """What the client says and is told. What else is printed meanwhile goes to standard error."""
    return _through_pipes() if _is_pipe(0) and _is_pipe(1) else stdio_server()


@asynccontextmanager
async def _through_pipes() -> AsyncGenerator[_Streams]:
    with _opened(os.devnull) as nothing, _instead(0, nothing) as incoming, _instead(1, 2) as outgoing:
        lines: Any = _Lines(incoming)  # the library wants files, of which it uses no more than this
        text: Any = _Text(outgoing)
        async with stdio_server(lines, text) as streams:
            yield streams


def _is_pipe(descriptor: int) -> bool:
    if sys.platform == "win32":  # its event loop cannot wait for one
        return False
    try:
        mode = os.fstat(descriptor).st_mode
    except OSError:
        return False
    return stat.S_ISFIFO(mode) or stat.S_ISSOCK(mode)


@contextmanager
def _opened(path: str) -> Generator[int]:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        yield descriptor
    finally:
        os.close(descriptor)


@contextmanager
def _instead(descriptor: int, other: int) -> Generator[int]:
    """The stream under another number; within it, what uses the old one gets `other`."""
    stream = os.dup(descriptor)
    os.dup2(other, descriptor)
    try:
        yield stream
    finally:
        os.dup2(stream, descriptor)  # the copy stays open: a thread may be writing


class _Lines:
    """What comes in, line by line."""

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor

    async def __aiter__(self) -> AsyncIterator[str]:
        begun: list[bytes] = []
        while chunk := await self._chunk():
            *whole, rest = chunk.split(b"\n")
            for end in whole:
                if line := b"".join([*begun, end]).strip():
                    yield line.decode("utf-8", "replace")
                begun = []
            begun.append(rest)
        if last := b"".join(begun):
            yield last.decode("utf-8", "replace")

    async def _chunk(self) -> bytes:
        await anyio.wait_readable(self._descriptor)
        return os.read(self._descriptor, _CHUNK)


class _Text:
    """Where text goes out. Only what is long takes a thread: the client may leave it unread."""

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor

    async def write(self, text: str) -> None:
        left = memoryview(text.encode())
        if len(left) > _LONG:
            await to_thread.run_sync(self._write_all, left)
            return
        while left:
            await anyio.wait_writable(self._descriptor)
            left = left[os.write(self._descriptor, left[:_SURE]) :]

    def _write_all(self, left: memoryview) -> None:
        while left:
            try:
                left = left[os.write(self._descriptor, left) :]
            except BlockingIOError:  # a parent may have set it so that nothing waits
                select.select((), (self._descriptor,), ())

    async def flush(self) -> None:
        """Nothing is kept back."""
