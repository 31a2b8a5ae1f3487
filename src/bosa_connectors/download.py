"""A file while it arrives."""

from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import dataclass, field
from io import BytesIO
from os import PathLike
from pathlib import Path
from typing import Final, Self, overload

from anyio import to_thread

from bosa_connectors.calls import FileHead, Reply
from bosa_connectors.saving import Landing, Place, Writable, save, write_all

_MOST_AHEAD: Final = 1 << 30


@dataclass(frozen=True, slots=True)
class Download(FileHead):
    """A file whose bytes are still on their way: take them once, while the stream is open.

    Taking them a second time, or after the stream has ended, is a RuntimeError; bytes that stop short raise too.
    """

    chunks: Callable[[], Iterator[bytes]] = field(repr=False, kw_only=True)

    @classmethod
    def of(cls, head: FileHead, chunks: Callable[[], Iterator[bytes]]) -> Self:
        """The file that `head` announces."""
        return cls(head.name, head.content_type, head.size, chunks=chunks)

    def iter_bytes(self) -> Iterator[bytes]:
        """The bytes as they come."""
        return self.chunks()

    def read(self) -> bytes:
        """All of it."""
        buffer = room(self.size)
        for chunk in self.chunks():
            buffer.write(chunk)
        return content(buffer)

    @overload
    def save(self, to: Place) -> Path: ...
    @overload
    def save(self, to: Writable) -> None: ...
    def save(self, to: Place | Writable) -> Path | None:
        """Where the file lies now: in the folder `to` under its own name, made safe and unique, or at that path.

        A whole file or nothing comes to lie there, and never over another one: that is a FileExistsError. An open file
        gets the bytes as they come, and stays open.
        """
        if isinstance(to, (str, PathLike)):
            return save(self.chunks(), to, self.name)
        for chunk in self.chunks():
            write_all(to, chunk)
        return None


@dataclass(frozen=True, slots=True)
class AsyncDownload(FileHead):
    """A file whose bytes are still on their way: take them once, while the stream is open.

    Taking them a second time, or after the stream has ended, is a RuntimeError; bytes that stop short raise too.
    """

    chunks: Callable[[], AsyncIterator[bytes]] = field(repr=False, kw_only=True)

    @classmethod
    def of(cls, head: FileHead, chunks: Callable[[], AsyncIterator[bytes]]) -> Self:
        """The file that `head` announces."""
        return cls(head.name, head.content_type, head.size, chunks=chunks)

    def iter_bytes(self) -> AsyncIterator[bytes]:
        """The bytes as they come."""
        return self.chunks()

    async def read(self) -> bytes:
        """All of it."""
        buffer = room(self.size)
        async for chunk in self.chunks():
            buffer.write(chunk)
        return content(buffer)

    @overload
    async def save(self, to: Place) -> Path: ...
    @overload
    async def save(self, to: Writable) -> None: ...
    async def save(self, to: Place | Writable) -> Path | None:
        """As `Download.save`, with all writing in worker threads."""
        if isinstance(to, (str, PathLike)):
            return await asave(self.chunks(), to, self.name)
        async for chunk in self.chunks():
            await to_thread.run_sync(write_all, to, chunk)
        return None


@dataclass(frozen=True, slots=True)
class StreamedReply(Reply):
    """A reply whose file still arrives."""

    file: Download = field(kw_only=True)


@dataclass(frozen=True, slots=True)
class AsyncStreamedReply(Reply):
    """A reply whose file still arrives."""

    file: AsyncDownload = field(kw_only=True)


async def asave(chunks: AsyncIterator[bytes], place: Place, name: str | None) -> Path:
    """Where these bytes lie now, all of them: as `saving.save`, with all writing in worker threads."""
    landing = await to_thread.run_sync(Landing, place, name)
    try:
        async for chunk in chunks:
            await to_thread.run_sync(landing.write, chunk)
        return await to_thread.run_sync(landing.finish)
    except BaseException:
        landing.discard()
        raise


def room(size: int | None) -> BytesIO:
    """A buffer for so many bytes. It costs memory as it is written, and its content is had without a copy."""
    return BytesIO(bytes(min(size or 0, _MOST_AHEAD)))


def content(buffer: BytesIO) -> bytes:
    """What was written."""
    buffer.truncate()
    return buffer.getvalue()
