"""What connections read and write by: a stream that asks the request under way how long each step may take.

The library asks but once, before the head of an answer: a head may come letter by letter for ever.
"""

import ssl
from typing import Any, Final, cast

import httpcore

from bosa_connectors.transport import Patience

_BACKEND: Final = httpcore.SyncBackend()
_ASYNC_BACKEND: Final = cast("httpcore.AsyncNetworkBackend", httpcore.AnyIOBackend())


class Stream(httpcore.NetworkStream):
    """A stream that reads for as long as the request under way has patience."""

    def __init__(self, inner: httpcore.NetworkStream, patience: Patience) -> None:
        self._inner = inner
        self.patience = patience

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        """What comes next."""
        return self._inner.read(max_bytes, self.patience.get("read", timeout))

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        """Sends all of it."""
        self._inner.write(buffer, timeout)

    def close(self) -> None:
        """Hangs up."""
        self._inner.close()

    def get_extra_info(self, info: str) -> Any:  # noqa: ANN401  as the library has it
        """What the library asks for."""
        return self._inner.get_extra_info(info)


class AsyncStream(httpcore.AsyncNetworkStream):
    """The same, awaited."""

    def __init__(self, inner: httpcore.AsyncNetworkStream, patience: Patience) -> None:
        self._inner = inner
        self.patience = patience

    async def read(self, max_bytes: int, timeout: float | None = None) -> bytes:  # noqa: ASYNC109  as the library has it
        """What comes next."""
        return await self._inner.read(max_bytes, self.patience.get("read", timeout))

    async def write(self, buffer: bytes, timeout: float | None = None) -> None:  # noqa: ASYNC109  as above
        """Sends all of it."""
        await self._inner.write(buffer, timeout)

    async def aclose(self) -> None:
        """Hangs up."""
        await self._inner.aclose()

    def get_extra_info(self, info: str) -> Any:  # noqa: ANN401  as above
        """What the library asks for."""
        return self._inner.get_extra_info(info)


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
