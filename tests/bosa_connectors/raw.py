"""A server of bytes: what no well-behaved server would do."""

import socket
import ssl
import struct
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from typing import TypeAlias

import anyio
from anyio.abc import AnyByteReceiveStream, AnyByteSendStream, SocketAttribute, SocketStream
from anyio.streams.buffered import BufferedByteReceiveStream
from anyio.streams.tls import TLSListener, TLSStream

_HUNG_UP = (anyio.EndOfStream, anyio.IncompleteRead, anyio.BrokenResourceError, anyio.ClosedResourceError)


@dataclass(slots=True)
class RawApi:
    """What has happened on this server so far."""

    url: str
    connections: int = 0
    requests: list[bytes] = field(default_factory=list[bytes])
    asked: anyio.Event = field(default_factory=anyio.Event)
    """Set with the first request."""
    closed: anyio.Event = field(default_factory=anyio.Event)
    """Set once the client has hung up on a connection that had not answered in full."""


class Connection:
    """One accepted connection."""

    def __init__(self, api: RawApi, stream: SocketStream | TLSStream) -> None:
        self._api = api
        self._stream = stream
        self._buffered = BufferedByteReceiveStream(stream)

    async def request(self) -> bytes:
        """The next request, head and body; raises EndOfStream where there is none."""
        head = await self._buffered.receive_until(b"\r\n\r\n", 100_000)
        _, _, length = head.lower().partition(b"content-length: ")
        body = await self._buffered.receive_exactly(int(length.partition(b"\r\n")[0] or 0))
        self._api.requests.append(head + b"\r\n\r\n" + body)
        self._api.asked.set()
        return self._api.requests[-1]

    async def piece(self) -> bytes:
        """What the client has sent at once."""
        return await self._stream.receive()

    async def write(self, data: bytes) -> None:
        """Sends these bytes."""
        await self._stream.send(data)

    async def gone(self) -> None:
        """Waits until the client has hung up."""
        try:
            await self._buffered.receive(1)
        except _HUNG_UP:
            self._api.closed.set()

    async def tunnel(self, port: int) -> None:
        """Passes on what comes, either way, from and to this port of the machine."""
        async with await anyio.connect_tcp("127.0.0.1", port) as there, anyio.create_task_group() as ways:

            async def pass_on(source: AnyByteReceiveStream, target: AnyByteSendStream) -> None:
                with suppress(*_HUNG_UP):
                    while True:
                        await target.send(await source.receive())
                ways.cancel_scope.cancel()

            ways.start_soon(pass_on, self._buffered, there)
            ways.start_soon(pass_on, there, self._stream)

    async def reset(self) -> None:
        """Ends the connection as a crash does."""
        raw: socket.socket = self._stream.extra(SocketAttribute.raw_socket)  # noqa: S610  anyio's, not Django's
        raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        await self._stream.aclose()


Behaviour: TypeAlias = Callable[[Connection], Awaitable[None]]


@asynccontextmanager
async def raw_api(*behaviours: Behaviour, tls: ssl.SSLContext | None = None) -> AsyncGenerator[RawApi]:
    """A server whose n-th connection does what the n-th behaviour says, and later ones what the last says."""
    tcp = await anyio.create_tcp_listener(local_host="127.0.0.1")
    listener = TLSListener(tcp, tls, standard_compatible=False) if tls else tcp
    port: int = tcp.extra(SocketAttribute.local_port)  # noqa: S610  anyio's, not Django's
    api = RawApi(f"http{'s' if tls else ''}://127.0.0.1:{port}")

    async def serve(stream: SocketStream | TLSStream) -> None:
        behave = behaviours[min(api.connections, len(behaviours) - 1)]
        api.connections += 1
        async with stream:
            with suppress(*_HUNG_UP):
                await behave(Connection(api, stream))

    async with listener, anyio.create_task_group() as serving:
        serving.start_soon(listener.serve, serve)
        yield api
        serving.cancel_scope.cancel()


def answer(body: bytes = b'{"data":1,"meta":null}', status: int = 200, *headers: str) -> bytes:
    """A whole HTTP answer in JSON."""
    lines = [f"HTTP/1.1 {status} Said", "content-type: application/json", f"content-length: {len(body)}", *headers]
    return "\r\n".join([*lines, "", ""]).encode("latin-1") + body


def answering(*answers: bytes) -> Behaviour:
    """Answers each request on a kept connection: the n-th with the n-th of these, later ones with the last."""

    async def behave(connection: Connection) -> None:
        answered = 0
        while True:
            await connection.request()
            await connection.write(answers[min(answered, len(answers) - 1)])
            answered += 1

    return behave


def hanging_up(after: bytes = b"") -> Behaviour:
    """Reads one request, says this much, and ends the connection in good order."""

    async def behave(connection: Connection) -> None:
        await connection.request()
        if after:
            await connection.write(after)

    return behave


def stalling(after: bytes = b"") -> Behaviour:
    """Reads one request, says this much, and then nothing until the client hangs up."""

    async def behave(connection: Connection) -> None:
        await connection.request()
        if after:
            await connection.write(after)
        await connection.gone()

    return behave
