"""Our server in memory, with its tools at hand."""

import time
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from typing import NamedTuple

from bosa_connectors.aio import AsyncBosaConnector
from bosa_connectors.calls import Credentials
from bosa_mcp.access import Caller
from bosa_mcp.calling import Parts
from bosa_mcp.changes import TellingServer
from bosa_mcp.execution import Execution
from bosa_mcp.files import Files
from bosa_mcp.filters import Filter
from bosa_mcp.inputs import Inputs
from bosa_mcp.refresh import Tools
from bosa_mcp.saved_catalogue import Shelf
from bosa_mcp.server import create_server
from bosa_mcp.store import Store

from .scripted_api import WAIT


class Opened(NamedTuple):
    """A server, and its table of tools."""

    server: TellingServer
    tools: Tools


@asynccontextmanager
async def opened(
    url: str,
    wanted: Filter | None = None,
    shelf: Shelf | None = None,
    clock: Callable[[], float] = time.time,
    store: Store | None = None,
) -> AsyncGenerator[Opened]:
    """A server for the API at this address, which looks at it when it is told to, or has to."""
    async with AsyncBosaConnector(url, error_contract=2) as connector:
        tools = Tools(connector, wanted, shelf, clock)
        store = store or Store.at("memory://")
        caller = Caller("local", Credentials("sk-client-planted.key.3f9a2c", "eyJplanted.token.8d71be"))
        execution = Execution(connector, store, WAIT, 80_000)
        yield Opened(
            create_server(Parts(tools, execution, store, lambda _: caller, 80_000, Inputs(store), Files(store))), tools
        )
