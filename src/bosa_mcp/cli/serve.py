"""`bosa-mcp serve`."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Annotated, Any, Final, Literal

import anyio
import typer

from bosa_mcp import logs, settings
from bosa_mcp.cli.api import open_api
from bosa_mcp.cli.options import Config, DataDir, Log, LogLevel
from bosa_mcp.settings import Settings

if TYPE_CHECKING:
    from mcp.server.lowlevel import Server

EXAMPLES: Final = """\
Examples: «bosa-mcp serve» with the embedded hub;
«BOSA_API_KEY=… BOSA_USER_TOKEN=… bosa-mcp serve --api-base-url https://api.example.com --connectors github,sql».
Keys and tokens have no flag: they are taken from the variables, or from bosa-mcp.toml."""


def serve(  # noqa: PLR0913  each is a flag
    *,
    transport: Annotated[Literal["stdio"], typer.Option(help="How clients reach the server.")] = "stdio",
    api_base_url: Annotated[str | None, typer.Option(help="The BOSA API; unset and no key: the embedded hub.")] = None,
    account: Annotated[str | None, typer.Option(help="Which linked account acts.")] = None,
    connectors: Annotated[str | None, typer.Option(help="Only these, comma separated.", metavar="A,B")] = None,
    call_budget: Annotated[float | None, typer.Option(help="Seconds for one call.", show_default="45")] = None,
    data_dir: DataDir = None,
    config: Config = None,
    log: Log = None,
    log_level: LogLevel = None,
) -> None:
    """Serve the actions of a BOSA API as MCP tools."""
    del transport
    flags = {
        "api_base_url": api_base_url,
        "account": account,
        "connectors": connectors,
        "call_budget": call_budget,
        "data_dir": data_dir,
        "log": log,
        "log_level": log_level,
    }
    chosen = settings.load(flags, config)
    logs.configure(chosen.log, chosen.log_level)
    from bosa_mcp.transports import serve_stdio  # noqa: PLC0415  mcp takes most of a second to import

    anyio.run(serve_stdio, open_server(chosen))


@asynccontextmanager
async def open_server(chosen: Settings) -> AsyncGenerator["Server[Any]"]:
    """The MCP server that the settings describe, with all that it needs."""
    from bosa_connectors.aio import AsyncBosaConnector  # noqa: PLC0415  as above
    from bosa_mcp.refresh import Tools  # noqa: PLC0415  as above
    from bosa_mcp.server import create_server  # noqa: PLC0415  as above

    with open_api(chosen) as api:
        async with AsyncBosaConnector(api.url, error_contract=2) as connector:
            tools = Tools(connector, chosen.connectors)
            yield create_server(connector, tools, api.credentials, chosen.call_budget)
