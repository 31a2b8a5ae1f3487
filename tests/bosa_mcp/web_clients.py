"""Our server over HTTP as a process of its own, and clients of every kind that reach it."""

from collections.abc import Generator
from contextlib import AbstractAsyncContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path

from mcp import Client
from mcp.client.sse import sse_client
from mcp.client.streamable_http import streamable_http_client

from .conftest import KEY, TOKEN
from .processes import Server, started
from .scripted_api import WAIT, ScriptedApi


@dataclass(frozen=True, slots=True)
class WebServer:
    """A running `bosa-mcp serve --transport http`."""

    url: str
    server: Server

    @property
    def place(self) -> str:
        """Host and port."""
        return self.url.removeprefix("http://")

    def client(self, era: str, path: str = "/mcp") -> AbstractAsyncContextManager[Client]:
        """A client that speaks as this era does, over streamable HTTP or, at `/sse`, over SSE."""
        transport = sse_client(self.url + path) if path == "/sse" else streamable_http_client(self.url + path)
        return Client(transport, mode=era, read_timeout_seconds=WAIT)


@contextmanager
def web_server(folder: Path, api: ScriptedApi, *flags: str, **settings: str) -> Generator[WebServer]:
    """The server of this API on a free port, killed when the block ends."""
    known = {"BOSA_API_BASE_URL": api.url, "BOSA_API_KEY": KEY, "BOSA_USER_TOKEN": TOKEN, "BOSA_LOG_LEVEL": "warning"}
    with started(folder, "serve", "--transport", "http", "--port", "0", *flags, **known, **settings) as server:
        yield WebServer(server.log_line("ready ").split()[1], server)
