"""Compressed answers, unpacked a bounded piece at a time; one that stops short is no answer.

The library's own decoder takes half of a compressed file for a whole one, and unpacks 64 KB into 64 MB at once.
"""

import zlib
from collections.abc import AsyncIterator, Iterator
from typing import Final

import httpx

GZIP: Final = frozenset({"gzip", "x-gzip"})
_PIECE: Final = 1 << 18
_WITH_HEADER: Final = zlib.MAX_WBITS | 16


class _Gunzip:
    """Members that follow each other are one content, and zeros after the last one are none."""

    def __init__(self) -> None:
        self._member = zlib.decompressobj(_WITH_HEADER)
        self._has_begun = False

    def feed(self, data: bytes) -> Iterator[bytes]:
        """What these bytes unpack to."""
        self._has_begun = self._has_begun or bool(data)
        try:
            while data := data.lstrip(b"\0") if self._member.eof else data:
                if self._member.eof:
                    self._member = zlib.decompressobj(_WITH_HEADER)
                yield self._member.decompress(data, _PIECE)
                data = self._member.unconsumed_tail or self._member.unused_data
        except zlib.error as odd:
            raise httpx.DecodingError(str(odd)) from odd

    def finish(self) -> Iterator[bytes]:
        """What is left, if the content is whole."""
        yield self._member.flush()
        if self._has_begun and not self._member.eof:
            raise httpx.DecodingError("It stops short.")


class Unpacked(httpx.SyncByteStream):
    """A body, unpacked."""

    def __init__(self, stream: httpx.SyncByteStream) -> None:
        self._stream = stream

    def __iter__(self) -> Iterator[bytes]:
        gunzip = _Gunzip()
        for chunk in self._stream:
            yield from gunzip.feed(chunk)
        yield from gunzip.finish()

    def close(self) -> None:
        """Ends the body."""
        self._stream.close()


class AsyncUnpacked(httpx.AsyncByteStream):
    """A body, unpacked."""

    def __init__(self, stream: httpx.AsyncByteStream) -> None:
        self._stream = stream

    async def __aiter__(self) -> AsyncIterator[bytes]:
        gunzip = _Gunzip()
        async for chunk in self._stream:
            for piece in gunzip.feed(chunk):
                yield piece
        for piece in gunzip.finish():
            yield piece

    async def aclose(self) -> None:
        """Ends the body."""
        await self._stream.aclose()
