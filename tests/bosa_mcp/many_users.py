"""Our server over HTTP for several people, each with a token of their own."""

import json
import subprocess
from collections.abc import AsyncGenerator, Generator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from threading import Thread
from typing import IO

import httpx
from mcp import Client
from mcp.client.session import ElicitationFnT
from mcp.client.sse import sse_client
from mcp.client.streamable_http import streamable_http_client
from mcp.shared._httpx_utils import create_mcp_http_client

from .processes import started
from .scripted_api import WAIT, Json

JSON = {"content-type": "application/json", "accept": "application/json, text/event-stream"}
INITIALIZE: Json = {
    "jsonrpc": "2.0",
    "id": 1,
    "method": "initialize",
    "params": {
        "protocolVersion": "2025-11-25",
        "capabilities": {},
        "clientInfo": {"name": "test", "version": "1"},
    },
}


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody with a token."""

    name: str
    token: str = field(repr=False)

    @property
    def headers(self) -> dict[str, str]:
        return {"authorization": f"Bearer {self.token}"}


@dataclass(frozen=True, slots=True)
class SharedServer:
    """A running `bosa-mcp serve --transport http --auth user-token`."""

    url: str
    data: Path
    log: list[str] = field(default_factory=list[str], repr=False)
    """Its lines on standard error so far."""

    def http(self, person: Person | None = None) -> httpx.Client:
        """A client that knows nothing of MCP."""
        return httpx.Client(base_url=self.url, timeout=WAIT, headers={**JSON, **(person.headers if person else {})})

    @asynccontextmanager
    async def client(
        self, person: Person, era: str, path: str = "/mcp", asked: ElicitationFnT | None = None
    ) -> AsyncGenerator[Client]:
        """A client of this person that speaks as this era does; where they can be `asked`, that is who answers."""
        async with create_mcp_http_client(person.headers) as http:
            url = self.url + path
            sse = sse_client(url, headers=person.headers)
            transport = sse if path == "/sse" else streamable_http_client(url, http_client=http)
            async with Client(transport, mode=era, read_timeout_seconds=WAIT, elicitation_callback=asked) as client:
                yield client

    def session(self, person: Person) -> str:
        """A new session of the handshake era."""
        with self.http(person) as http:
            answered = http.post("/mcp", json=INITIALIZE)
            assert answered.status_code == 200, answered.text
            session = answered.headers["mcp-session-id"]
            done = {"jsonrpc": "2.0", "method": "notifications/initialized"}
            assert http.post("/mcp", json=done, headers={"mcp-session-id": session}).status_code == 202
        return session


@contextmanager
def shared_server(folder: Path, api: str, key: str, *flags: str, **settings: str) -> Generator[SharedServer]:
    """The server of this API on a free port, killed when the block ends; what it logs is read as it comes."""
    known = {"BOSA_AUTH": "user-token", "BOSA_API_BASE_URL": api, "BOSA_API_KEY": key}
    with started(folder, "serve", "--transport", "http", "--port", "0", *flags, **known, **settings) as server:
        log: list[str] = []
        url = server.log_line("ready ").split()[1]
        assert server.process.stderr
        reader = Thread(target=_read, args=(server.process.stderr, log), daemon=True)
        reader.start()
        yield SharedServer(url, folder / "data", log)
        server.process.terminate()
        try:
            server.wait()
        except subprocess.TimeoutExpired:
            server.process.kill()
        reader.join(WAIT)


def _read(lines: IO[str], log: list[str]) -> None:
    log.extend(lines)


def message(text: str) -> Json:
    """The JSON-RPC message in an answer, which may be a stream of one event."""
    data = [line.removeprefix("data: ") for line in text.splitlines() if line.startswith("data: {")]
    return json.loads(data[-1] if data else text)
