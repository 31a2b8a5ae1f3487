"""An answer that is a file: begun when its first piece is there, streamed, and closed whatever happens."""

import os
from collections.abc import AsyncGenerator, AsyncIterable, Iterable, Iterator
from contextlib import AsyncExitStack, aclosing
from functools import partial
from mimetypes import guess_type
from pathlib import Path, PurePosixPath
from typing import BinaryIO, cast

from anyio import CancelScope, to_thread
from starlette.concurrency import iterate_in_threadpool
from starlette.responses import Response, StreamingResponse
from starlette.types import Receive, Scope, Send

from bosa_hub.transfer import ANY_BYTES, CHUNK, OutputFile, disposition, media_type


async def file_response(file: OutputFile, sources: AsyncExitStack) -> Response:
    """The file as an attachment, sent before its sources are let go.

    What fails before its first piece is raised here, and can still be answered.
    """
    content, size = file.content, file.size
    if isinstance(content, bytes):
        content, size = [content], len(content)
    if isinstance(content, Path):
        opened = cast("BinaryIO", await to_thread.run_sync(content.open, "rb"))
        size = os.fstat(opened.fileno()).st_size  # cannot block: it is open
        content = _beginning(opened, size)
    pieces = _exactly(size, _pieces(content))
    first = await anext(pieces, b"")
    headers = {"Content-Disposition": disposition(file.name), "Content-Type": _sent_type(file)}
    headers |= {} if size is None else {"Content-Length": str(size)}
    held = sources.pop_all()
    held.push_async_callback(pieces.aclose)
    return _Streamed(_chained(first, pieces), headers, held)


class _Streamed(StreamingResponse):
    def __init__(self, content: AsyncIterable[bytes], headers: dict[str, str], held: AsyncExitStack) -> None:
        super().__init__(content, headers=headers)
        self.held = held

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async with self.held:
            await super().__call__(scope, receive, send)


async def _chained(first: bytes, rest: AsyncGenerator[bytes]) -> AsyncGenerator[bytes]:
    yield first
    async for piece in rest:
        yield piece


async def _exactly(size: int | None, pieces: AsyncGenerator[bytes]) -> AsyncGenerator[bytes]:
    """The pieces, of which the last one comes only when they have this size: with it, clients take the file for whole.

    Raises:
        ValueError: They have another.

    """
    left = size
    async with aclosing(pieces):
        async for piece in pieces:
            if left is not None:
                left -= len(piece)
                if left < 0 or (left == 0 and await anext(pieces, b"")):
                    raise ValueError(f"The file has more than the {size} bytes that it was said to have.")
            yield piece
    if left:
        raise ValueError(f"The file has {left} bytes less than the {size} that it was said to have.")


def _beginning(file: BinaryIO, size: int) -> Iterator[bytes]:
    """So many bytes of the file, which may be growing."""
    left = size
    with file:
        while left and (piece := file.read(min(left, CHUNK))):
            left -= len(piece)
            yield piece


async def _pieces(content: BinaryIO | Iterable[bytes] | AsyncIterable[bytes]) -> AsyncGenerator[bytes]:
    try:
        if isinstance(content, AsyncIterable):
            async for piece in content:
                if piece:
                    yield piece
        else:
            async for piece in iterate_in_threadpool(_in_chunks(content)):
                if piece:
                    yield piece
    finally:
        await _close(content)


def _in_chunks(content: BinaryIO | Iterable[bytes]) -> Iterable[bytes]:
    # an open file would give lines
    return iter(partial(cast("BinaryIO", content).read, CHUNK), b"") if hasattr(content, "read") else content


async def _close(content: object) -> None:
    with CancelScope(shield=True):  # whoever hangs up cancels what runs here
        if isinstance(content, AsyncGenerator):
            await cast("AsyncGenerator[bytes]", content).aclose()
        elif callable(close := getattr(content, "close", None)):
            await to_thread.run_sync(close)


def _sent_type(file: OutputFile) -> str:
    kind = media_type(file.content_type or guess_type(f"file{PurePosixPath(file.name).suffix}")[0] or "")
    # clients take whatever says that it is JSON for an envelope, not for a file
    return ANY_BYTES if kind.partition(";")[0].endswith(("/json", "+json")) else kind
