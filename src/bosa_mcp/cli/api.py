"""Which API the server speaks to: the one in the settings, or a hub of its own."""

from collections.abc import AsyncGenerator, Generator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from typing import Any, Final

import structlog
from mcp.server.lowlevel import Server

from bosa_connectors.aio import AsyncBosaConnector
from bosa_connectors.calls import Credentials
from bosa_mcp.refresh import Tools
from bosa_mcp.server import create_server
from bosa_mcp.settings import DEFAULT_API, Settings, reveal

LOCAL_USER: Final = "local"
"""Whose notes and files the embedded hub keeps."""

log = structlog.get_logger("bosa_mcp")


@dataclass(frozen=True, slots=True)
class Api:
    """An API's address, and who calls it."""

    url: str
    credentials: Credentials


@contextmanager
def open_api(settings: Settings) -> Generator[Api]:
    """The API to speak to; an embedded hub runs as long as it is open."""
    if not settings.is_embedded:
        who = Credentials(reveal(settings.api_key), reveal(settings.user_token), settings.account)
        yield Api(settings.api_base_url or DEFAULT_API, who)
        return
    from bosa_mcp.cli.hubs import open_hub  # noqa: PLC0415  a server that speaks to an API needs no hub

    with open_hub(settings) as hub:
        log.info("no BOSA API is set, so the embedded hub serves", hub=hub.url, data=str(settings.data_dir))
        yield Api(hub.url, Credentials(hub.client_key, hub.user_token(LOCAL_USER), settings.account))


@asynccontextmanager
async def open_server(settings: Settings) -> AsyncGenerator[Server[Any]]:
    """The MCP server that the settings describe, with all that it needs."""
    with open_api(settings) as api:
        async with AsyncBosaConnector(api.url, error_contract=2) as connector:
            tools = Tools(connector, settings.connectors)
            yield create_server(connector, tools, api.credentials, settings.call_budget)
