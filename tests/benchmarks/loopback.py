"""An API that costs next to nothing: it lists one connector, and gives each call the same answer.

Run as a process of its own; prints its address, and ends with its standard input.
"""

import asyncio
import json
import sys
from collections.abc import Callable, Mapping
from typing import Final

from listing import LISTING

LARGE: Final = 100_000_000
_CHUNK: Final = bytes(1 << 18)
_COMMITS: Final = [
    {"sha": f"{number:040x}", "message": "A change that does one thing", "author": "ada", "verified": True}
    for number in range(10)
]


def answer(body: bytes, kind: str = "application/json", length: int | None = None) -> bytes:
    """An answer, or the beginning of one whose body is so long."""
    size = len(body) if length is None else length
    return f"HTTP/1.1 200 OK\r\ncontent-type: {kind}\r\ncontent-length: {size}\r\n\r\n".encode() + body


_FIXED: Final[Mapping[bytes, bytes]] = {
    b"/connectors/": answer(json.dumps(LISTING).encode()),
    b"/connectors/names": answer(json.dumps(list(LISTING)).encode()),
    b"/connectors": answer(json.dumps(LISTING).encode()),
    b"": answer(json.dumps({"data": _COMMITS, "meta": {"has_next": False, "total": 10}}).encode()),
}


class Conversation(asyncio.Protocol):
    """One connection."""

    def __init__(self) -> None:
        self._kept = b""
        self._left = 0
        self._reply: Callable[[], None] = self._say
        self._path = b""
        self._sent = 0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        if self._left:  # the body of an upload is not kept
            self._left -= len(data)
        else:
            self._kept += data
            head, found, rest = self._kept.partition(b"\r\n\r\n")
            if not found:
                return
            self._kept = b""
            self._begin(head, len(rest))
        if self._left == 0:
            self._say()

    def _begin(self, head: bytes, came: int) -> None:
        lines = head.split(b"\r\n")
        self._path = lines[0].split(b" ")[1].partition(b"?")[0]
        lengths = [int(line[15:]) for line in lines if line[:15].lower() == b"content-length:"]
        self._left = (lengths[0] if lengths else 0) - came

    def _say(self) -> None:
        if self._path.endswith(b"/download"):
            self._transport.write(answer(b"", "application/octet-stream", LARGE))
            self._sent = 0
            self.resume_writing()
        else:
            self._transport.write(_FIXED.get(self._path, _FIXED[b""]))

    def pause_writing(self) -> None:
        self._is_full = True

    def resume_writing(self) -> None:
        """Goes on with a download, if one is under way."""
        self._is_full = False
        while self._path.endswith(b"/download") and self._sent < LARGE and not self._is_full:
            chunk = _CHUNK[: LARGE - self._sent]
            self._sent += len(chunk)
            self._transport.write(chunk)


async def main() -> None:
    server = await asyncio.get_running_loop().create_server(Conversation, "127.0.0.1", 0)
    print(f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}", flush=True)  # noqa: T201  whoever started it reads it
    await asyncio.to_thread(sys.stdin.read)


if __name__ == "__main__":
    asyncio.run(main())
