"""MCP as clients of the handshake era speak it, over pipes and over HTTP, with as little cost as can be."""

import asyncio
import json
import subprocess
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, TypeAlias
from urllib.parse import urlsplit

Json: TypeAlias = dict[str, Any]
_HELLO: Final = {"protocolVersion": "2025-11-25", "capabilities": {}, "clientInfo": {"name": "bench", "version": "1"}}


def _line(number: int | None, method: str, params: Mapping[str, object]) -> bytes:
    message = {"jsonrpc": "2.0", "method": method, "params": params} | ({} if number is None else {"id": number})
    return json.dumps(message).encode() + b"\n"


@dataclass(slots=True)
class Pipes:
    """A client of the process that it is a pipe to."""

    process: subprocess.Popen[bytes]
    _number: int = 0

    def begin(self) -> None:
        """Shakes hands."""
        self._ask("initialize", _HELLO)
        self._send(_line(None, "notifications/initialized", {}))

    def tools(self) -> list[Json]:
        """All tools, however many pages they come in."""
        found: list[Json] = []
        cursor: str | None = None
        while True:
            page = self._ask("tools/list", {"cursor": cursor} if cursor else {})
            found += page["tools"]
            if not (cursor := page.get("nextCursor")):
                return found

    def rate(self, tool: str, arguments: Mapping[str, object], at_once: int, seconds: float) -> float:
        """Calls a second, so many under way at a time."""
        end, done = time.perf_counter() + seconds, 0
        begun = time.perf_counter()
        for _ in range(at_once):
            self._call(tool, arguments)
        while time.perf_counter() < end:
            checked(self._next())
            done += 1
            self._call(tool, arguments)
        took = time.perf_counter() - begun
        for _ in range(at_once):
            checked(self._next())
        return done / took

    def _call(self, tool: str, arguments: Mapping[str, object]) -> None:
        self._number += 1
        self._send(_line(self._number, "tools/call", {"name": tool, "arguments": arguments}))

    def _ask(self, method: str, params: Mapping[str, object]) -> Json:
        self._number += 1
        self._send(_line(self._number, method, params))
        return self._next()["result"]

    def _send(self, line: bytes) -> None:
        assert self.process.stdin
        self.process.stdin.write(line)
        self.process.stdin.flush()

    def _next(self) -> Json:
        """The next reply; notifications are passed over."""
        assert self.process.stdout
        while line := self.process.stdout.readline():
            if "id" in (message := json.loads(line)):
                return message
        raise ConnectionError("The server has ended.")


def checked(reply: Json) -> Json:
    """The result of a call that has succeeded."""
    result = reply["result"]
    if result.get("isError") or len(result["structuredContent"]["data"]) != 10:  # what the API answers
        raise ValueError(f"A call failed: {json.dumps(result)[:500]}")
    return result


@dataclass(slots=True)
class Web:
    """A client over streamable HTTP: one session, any number of connections."""

    url: str
    _session: bytes = b""
    _idle: list[tuple[asyncio.StreamReader, asyncio.StreamWriter]] = field(
        default_factory=list[tuple[asyncio.StreamReader, asyncio.StreamWriter]]
    )

    async def begin(self) -> None:
        """Shakes hands."""
        head, _ = await self._post(_line(0, "initialize", _HELLO))
        _, _, session = head.lower().partition(b"mcp-session-id: ")
        self._session = b"Mcp-Session-Id: %s\r\n" % session.partition(b"\r\n")[0]
        await self._post(_line(None, "notifications/initialized", {}))

    async def rate(self, tool: str, arguments: Mapping[str, object], at_once: int, seconds: float) -> float:
        """Calls a second, so many under way at a time."""
        begun = time.perf_counter()
        counts = await asyncio.gather(*(self._work(tool, arguments, begun + seconds, each) for each in range(at_once)))
        return sum(counts) / (time.perf_counter() - begun)

    async def _work(self, tool: str, arguments: Mapping[str, object], end: float, first: int) -> int:
        done = 0
        while time.perf_counter() < end:
            line = _line(1_000_000 * first + done + 1, "tools/call", {"name": tool, "arguments": arguments})
            _, body = await self._post(line)
            checked(_message(body))
            done += 1
        return done

    async def _post(self, line: bytes) -> tuple[bytes, bytes]:
        """Head and body of the answer."""
        place = urlsplit(self.url)
        reader, writer = (
            self._idle.pop() if self._idle else await asyncio.open_connection(place.hostname, place.port, limit=2**24)
        )
        writer.write(
            b"POST %s HTTP/1.1\r\nHost: %s\r\nContent-Type: application/json\r\n"
            b"Accept: application/json, text/event-stream\r\n%sContent-Length: %d\r\n\r\n%s"
            % (place.path.encode(), place.netloc.encode(), self._session, len(line), line)
        )
        head = await reader.readuntil(b"\r\n\r\n")
        body = await _body(head.lower(), reader)
        self._idle.append((reader, writer))
        if not head.startswith(b"HTTP/1.1 2"):
            raise ConnectionError(f"The server answers {head[:80]!r} {body[:200]!r}")
        return head, body

    def close(self) -> None:
        for _, writer in self._idle:
            writer.close()


async def _body(head: bytes, reader: asyncio.StreamReader) -> bytes:
    _, _, length = head.partition(b"\r\ncontent-length:")
    if length:
        return await reader.readexactly(int(length.partition(b"\r\n")[0]))
    parts: list[bytes] = []
    while size := int(await reader.readline(), 16):
        parts.append((await reader.readexactly(size + 2))[:-2])
    await reader.readline()
    return b"".join(parts)


def _message(body: bytes) -> Json:
    """The reply, alone or in a stream of events."""
    if body.startswith(b"{"):
        return json.loads(body)
    lines: Sequence[bytes] = [line[6:] for line in body.splitlines() if line.startswith(b"data: {")]
    return json.loads(lines[-1])
