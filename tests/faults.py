"""A proxy that loses, delays and spoils what goes between a client and a real server: by chance, from a seed."""

import asyncio
import random
import socket
import struct
from collections import Counter
from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from typing import Literal, TypeAlias, get_args
from urllib.parse import urlsplit

Fault: TypeAlias = Literal[
    "lost before", "lost after", "reset", "truncated", "slow", "429", "429 and when", "503", "503 and when"
]
"""What happens to one request. Up to `lost before`, and where the answer is a status, the server never hears of it."""
LOSSES: Mapping[Fault, float] = {"lost before": 0.04, "lost after": 0.06, "reset": 0.05, "truncated": 0.05}
"""A fifth of all replies lost, in every way."""
EVERYTHING: Mapping[Fault, float] = dict.fromkeys(get_args(Fault), 0.02)
SLOW_SECONDS = 0.02


@dataclass(slots=True)
class FaultProxy:
    """Where it listens, and what it has done so far; a request without a fault counts as `passed`."""

    url: str
    server: str
    """Host and port of what is behind it."""
    faults: Mapping[Fault, float]
    chance: random.Random
    without: Sequence[bytes] = ()
    """Headers, in lower case, that requests lose on the way."""
    done: Counter[str] = field(default_factory=Counter[str])
    connections: set[asyncio.Task[None]] = field(default_factory=set["asyncio.Task[None]"])

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One connection of a client, to its end."""
        if task := asyncio.current_task():
            self.connections.add(task)
            task.add_done_callback(self.connections.discard)
        # cancelled at the end of the proxy, and not to be told of
        with suppress(OSError, asyncio.IncompleteReadError, asyncio.CancelledError):
            while await self._exchange(reader, writer):
                pass
        writer.close()

    async def _exchange(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
        """One request; whether the connection goes on."""
        head, body = await _message(reader)
        fault = self._fault()
        self.done[fault or "passed"] += 1
        if fault == "lost before":
            return False
        if fault in {"429", "429 and when", "503", "503 and when"}:
            writer.write(_refusal(fault))
            return True
        answer = await self._answer(head, body)
        if fault == "slow":
            await asyncio.sleep(SLOW_SECONDS)
        if fault == "reset":
            _reset(writer)
        if fault in {"reset", "lost after"}:
            return False
        writer.write(answer[: -len(answer) // 4] if fault == "truncated" else answer)
        await writer.drain()
        return fault != "truncated"

    def _fault(self) -> Fault | None:
        point = self.chance.random()
        for fault, rate in self.faults.items():
            point -= rate
            if point < 0:
                return fault
        return None

    async def _answer(self, head: bytes, body: bytes) -> bytes:
        """What the server says, over a connection of its own."""
        host, _, port = self.server.rpartition(":")
        reader, writer = await asyncio.open_connection(host, int(port))
        dropped = (b"connection:", *(name + b":" for name in self.without))
        kept = [line for line in head.split(b"\r\n") if not line.lower().startswith(dropped)]
        writer.write(b"\r\n".join([kept[0], b"connection: close", *kept[1:]]) + body)
        answer = await reader.read(-1)
        writer.close()
        return answer.replace(b"connection: close\r\n", b"", 1)


async def _message(reader: asyncio.StreamReader) -> tuple[bytes, bytes]:
    """The head of a request, to the empty line, and its body, whose length is said."""
    head = await reader.readuntil(b"\r\n\r\n")
    _, _, length = head.lower().partition(b"\r\ncontent-length:")
    return head, await reader.readexactly(int(length.partition(b"\r\n")[0] or 0))


def _refusal(fault: str) -> bytes:
    when = b"retry-after: 0\r\n" if fault.endswith("when") else b""
    head = b"HTTP/1.1 %s No\r\ncontent-type: application/json\r\ncontent-length: 18\r\n" % fault[:3].encode()
    return head + when + b'\r\n{"message": "No."}'


def _reset(writer: asyncio.StreamWriter) -> None:
    """The connection ends as in a crash."""
    raw: socket.socket = writer.get_extra_info("socket")
    raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))


@asynccontextmanager
async def fault_proxy(
    server_url: str, faults: Mapping[Fault, float], *, seed: int = 1, without: Sequence[bytes] = ()
) -> AsyncGenerator[FaultProxy]:
    """A proxy before this server until the block ends; `faults` says how likely each one is."""
    proxy = FaultProxy("", urlsplit(server_url).netloc, faults, random.Random(seed), without)  # noqa: S311  a seed is wanted
    async with await asyncio.start_server(proxy.serve, "127.0.0.1", 0) as listener:
        proxy.url = f"http://127.0.0.1:{listener.sockets[0].getsockname()[1]}"
        try:
            yield proxy
        finally:
            for connection in proxy.connections:
                connection.cancel()
            await asyncio.gather(*proxy.connections, return_exceptions=True)
