"""MCP as clients of both eras speak it, over pipes and over HTTP, with as little cost as can be."""

import asyncio
import json
import subprocess
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, TypeAlias
from urllib.parse import urlsplit

Json: TypeAlias = dict[str, Any]
ERAS: Final = ("2025-11-25", "2026-07-28")
"""The last version that shakes hands, and the first that has each request say what a handshake said."""
_CLIENT: Final = {"name": "bench", "version": "1"}
_HELLO: Final = {"protocolVersion": ERAS[0], "capabilities": {}, "clientInfo": _CLIENT}
_SAID: Final = {"protocolVersion": ERAS[1], "clientCapabilities": {}, "clientInfo": _CLIENT}


def _line(number: int | None, method: str, params: Mapping[str, object]) -> bytes:
    message = {"jsonrpc": "2.0", "method": method, "params": params} | ({} if number is None else {"id": number})
    return json.dumps(message).encode() + b"\n"


def _call(number: int, tool: str, arguments: Mapping[str, object], era: str) -> bytes:
    """A call as clients of this era send it."""
    said = {f"io.modelcontextprotocol/{name}": value for name, value in _SAID.items()}
    meta = {"_meta": said} if era == ERAS[1] else {}
    return _line(number, "tools/call", {"name": tool, "arguments": arguments} | meta)


@dataclass(slots=True)
class Pipes:
    """A client of the process that it is a pipe to."""

    process: subprocess.Popen[bytes]
    era: str = ERAS[0]
    _number: int = 0

    def begin(self) -> None:
        """Shakes hands, where that is done."""
        if self.era == ERAS[0]:
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
        self._send(_call(self._number, tool, arguments, self.era))

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
    """A client over streamable HTTP: any number of connections, one session where there are any."""

    url: str
    era: str = ERAS[0]
    _said: bytes = b""
    """Headers of each request: the session, or what is called."""
    _idle: list[tuple[asyncio.StreamReader, asyncio.StreamWriter]] = field(
        default_factory=list[tuple[asyncio.StreamReader, asyncio.StreamWriter]]
    )

    async def begin(self) -> None:
        """Shakes hands, where that is done."""
        if self.era != ERAS[0]:
            return
        head, _ = await self._post(_line(0, "initialize", _HELLO))
        _, _, session = head.lower().partition(b"mcp-session-id: ")
        self._said = b"Mcp-Session-Id: %s\r\n" % session.partition(b"\r\n")[0]
        await self._post(_line(None, "notifications/initialized", {}))

    async def rate(self, tool: str, arguments: Mapping[str, object], at_once: int, seconds: float) -> float:
        """Calls a second, so many under way at a time; hangs up then: servers do, where nothing comes for a while."""
        if self.era != ERAS[0]:
            said = {"MCP-Protocol-Version": self.era, "Mcp-Method": "tools/call", "Mcp-Name": tool}
            self._said = "".join(f"{name}: {value}\r\n" for name, value in said.items()).encode()
        begun = time.perf_counter()
        counts = await asyncio.gather(*(self._work(tool, arguments, begun + seconds, each) for each in range(at_once)))
        took = time.perf_counter() - begun
        while self._idle:
            self._idle.pop()[1].close()
        return sum(counts) / took

    async def _work(self, tool: str, arguments: Mapping[str, object], end: float, first: int) -> int:
        done = 0
        while time.perf_counter() < end:
            _, body = await self._post(_call(1_000_000 * first + done + 1, tool, arguments, self.era))
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
            % (place.path.encode(), place.netloc.encode(), self._said, len(line), line)
        )
        head = await reader.readuntil(b"\r\n\r\n")
        body = await _body(head.lower(), reader)
        self._idle.append((reader, writer))
        if not head.startswith(b"HTTP/1.1 2"):
            raise ConnectionError(f"The server answers {head[:80]!r} {body[:200]!r}")
        return head, body


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
