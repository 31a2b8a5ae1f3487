"""A file while it arrives."""

from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass, field
from typing import Self

from bosa_connectors.calls import FileHead, Reply


@dataclass(frozen=True, slots=True)
class Download(FileHead):
    """A file whose bytes are still on their way: take them once, while the stream is open."""

    chunks: Iterator[bytes] = field(repr=False, kw_only=True)

    @classmethod
    def of(cls, head: FileHead, chunks: Iterator[bytes]) -> Self:
        """The file that `head` announces."""
        return cls(head.name, head.content_type, head.size, chunks=chunks)

    def iter_bytes(self) -> Iterator[bytes]:
        """The bytes as they come."""
        return self.chunks

    def read(self) -> bytes:
        """All of it."""
        return b"".join(self.chunks)


@dataclass(frozen=True, slots=True)
class AsyncDownload(FileHead):
    """A file whose bytes are still on their way: take them once, while the stream is open."""

    chunks: AsyncIterator[bytes] = field(repr=False, kw_only=True)

    @classmethod
    def of(cls, head: FileHead, chunks: AsyncIterator[bytes]) -> Self:
        """The file that `head` announces."""
        return cls(head.name, head.content_type, head.size, chunks=chunks)

    def iter_bytes(self) -> AsyncIterator[bytes]:
        """The bytes as they come."""
        return self.chunks

    async def read(self) -> bytes:
        """All of it."""
        return b"".join([chunk async for chunk in self.chunks])


@dataclass(frozen=True, slots=True)
class StreamedReply(Reply):
    """A reply whose file still arrives."""

    file: Download = field(kw_only=True)


@dataclass(frozen=True, slots=True)
class AsyncStreamedReply(Reply):
    """A reply whose file still arrives."""

    file: AsyncDownload = field(kw_only=True)
