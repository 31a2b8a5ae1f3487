"""`bosa-mcp serve`."""

import sys
from typing import Annotated, Final, Literal

import anyio
import typer

from bosa_mcp import logs, settings
from bosa_mcp.cli.options import Config, DataDir, HubConnectors, Log, LogLevel

EXAMPLES: Final = """\
\b
Examples:
  bosa-mcp serve
  bosa-mcp serve --connectors notes,sql --log json
  BOSA_API_KEY=sk-client-… BOSA_USER_TOKEN=… bosa-mcp serve --api-base-url https://api.example.com

Keys and tokens have no flag: they come from the variables, or from bosa-mcp.toml.
"""


def serve(  # noqa: PLR0913  each is a flag
    *,
    transport: Annotated[Literal["stdio"], typer.Option(help="How clients reach the server.")] = "stdio",
    api_base_url: Annotated[str | None, typer.Option(help="The BOSA API; unset and no key: the embedded hub.")] = None,
    account: Annotated[str | None, typer.Option(help="Which linked account acts.")] = None,
    connectors: Annotated[str | None, typer.Option(help="Only these, comma separated.", metavar="A,B")] = None,
    call_budget: Annotated[float | None, typer.Option(help="Seconds for one call.", show_default="45")] = None,
    hub_connectors: HubConnectors = None,
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
        "hub_connectors": hub_connectors,
        "data_dir": data_dir,
        "log": log,
        "log_level": log_level,
    }
    chosen = settings.load(flags, config)
    settings.check_api(chosen)
    logs.configure(chosen.log, chosen.log_level)
    if sys.stdin and sys.stdin.isatty():
        typer.echo("Waiting for an MCP client on standard input: clients start this command themselves.", err=True)
    from bosa_mcp.cli.api import open_server  # noqa: PLC0415  mcp takes most of a second to import
    from bosa_mcp.transports import serve_stdio  # noqa: PLC0415  likewise

    anyio.run(serve_stdio, open_server(chosen))
