"""What connections read and write by: a stream that asks the request under way how long each step may take.

The library asks but once, before the head of an answer: a head may come letter by letter for ever.
"""

import ssl
from typing import Any, Final, cast

import httpcore

from bosa_connectors.transport import Patience

_BACKEND: Final = httpcore.SyncBackend()
_ASYNC_BACKEND: Final = cast("httpcore.AsyncNetworkBackend", httpcore.AnyIOBackend())
_LITTLE: Final = 64 * 1024
"""Bytes that are copied to go along with a head."""


class _Sending:
    """What a request goes out as: one piece, where it is small."""

    _head: bytes | None = None
    """Of the request under way, until it is sent; None where none is under way."""
    is_silent = True
    """Whether no byte of an answer has come to the request under way."""

    def _pieces(self, buffer: bytes) -> tuple[bytes, ...]:
        """What to send of what the library writes."""
        head, self._head = self._head, b""
        if head is None:
            self._head, self.is_silent = buffer, True
            return ()
        return (head, buffer) if len(buffer) > _LITTLE else (head + buffer,)


class Stream(_Sending, httpcore.NetworkStream):
    """A stream that reads for as long as the request under way has patience."""

    def __init__(self, inner: httpcore.NetworkStream, patience: Patience) -> None:
        self._inner = inner
        self.patience = patience

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        """What comes next."""
        self._head = None
        came = self._inner.read(max_bytes, self.patience.get("read", timeout))
        self.is_silent = self.is_silent and not came
        return came

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        """Sends it; the head of a request, which comes first, along with what follows."""
        for piece in self._pieces(buffer):
            self._inner.write(piece, timeout)

    def close(self) -> None:
        """Hangs up."""
        self._inner.close()

    def get_extra_info(self, info: str) -> Any:  # noqa: ANN401  as the library has it
        """What the library asks for."""
        return self._inner.get_extra_info(info)


class AsyncStream(_Sending, httpcore.AsyncNetworkStream):
    """The same, awaited."""

    def __init__(self, inner: httpcore.AsyncNetworkStream, patience: Patience) -> None:
        self._inner = inner
        self.patience = patience

    async def read(self, max_bytes: int, timeout: float | None = None) -> bytes:  # noqa: ASYNC109  as the library has it
        """What comes next."""
        self._head = None
        came = await self._inner.read(max_bytes, self.patience.get("read", timeout))
        self.is_silent = self.is_silent and not came
        return came

    async def write(self, buffer: bytes, timeout: float | None = None) -> None:  # noqa: ASYNC109  as above
        """Sends it; the head of a request, which comes first, along with what follows."""
        for piece in self._pieces(buffer):
            await self._inner.write(piece, timeout)

    async def aclose(self) -> None:
        """Hangs up."""
        await self._inner.aclose()

    def get_extra_info(self, info: str) -> Any:  # noqa: ANN401  as above
        """What the library asks for."""
        try:
            return self._inner.get_extra_info(info)
        except AttributeError:  # uvloop has no socket any more once it is closed, and anyio asks it all the same
            return info == "is_readable" or None


def connected(origin: httpcore.Origin, verify: ssl.SSLContext, patience: Patience) -> Stream:
    """A stream to there, secured where the address says so."""
    host = origin.host.decode("ascii")
    stream = _BACKEND.connect_tcp(host, origin.port, patience.get("connect"))
    if origin.scheme == b"https":
        stream = stream.start_tls(verify, host, patience.get("connect"))
    return Stream(stream, patience)


async def aconnected(origin: httpcore.Origin, verify: ssl.SSLContext, patience: Patience) -> AsyncStream:
    """The same, awaited."""
    host = origin.host.decode("ascii")
    stream = await _ASYNC_BACKEND.connect_tcp(host, origin.port, patience.get("connect"))
    if origin.scheme == b"https":
        stream = await stream.start_tls(verify, host, patience.get("connect"))
    return AsyncStream(stream, patience)
