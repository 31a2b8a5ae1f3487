"""`bosa-mcp hub`."""

import signal
import threading
from typing import Annotated, Final

import typer

from bosa_mcp import logs, settings
from bosa_mcp.cli.options import Config, DataDir, HubConnectors, Log, LogLevel

EXAMPLES: Final = """\
\b
Examples:
  bosa-mcp hub
  bosa-mcp hub --port 0 --data-dir ./data
  bosa-mcp hub --hub-connectors my_module:Weather --workers 4
"""


def hub(  # noqa: PLR0913  each is a flag
    *,
    host: Annotated[str, typer.Option(help="The address to listen on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(help="The port to listen on; 0 takes a free one.", min=0, max=65535)] = 8090,
    workers: Annotated[int, typer.Option(help="How many processes answer.", min=1, max=64)] = 1,
    hub_connectors: HubConnectors = None,
    hub_rate_limit: Annotated[int | None, typer.Option(help="Requests a minute per client.", min=1)] = None,
    data_dir: DataDir = None,
    config: Config = None,
    log: Log = None,
    log_level: LogLevel = None,
) -> None:
    """Run a BOSA API of your own, with the connectors files, notes and sql."""
    flags = {
        "hub_connectors": hub_connectors,
        "hub_rate_limit": hub_rate_limit,
        "data_dir": data_dir,
        "log": log,
        "log_level": log_level,
    }
    chosen = settings.load(flags, config)
    logs.configure(chosen.log, chosen.log_level)
    from bosa_mcp.cli.hubs import open_hub  # noqa: PLC0415  the other commands need no hub

    caught: list[int] = []
    stopped = threading.Event()

    def stop(number: int, _: object) -> None:
        caught.append(number)
        stopped.set()

    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, stop)
    with open_hub(chosen, host=host, port=port, workers=workers, is_alone=True) as running:
        typer.echo(f"ready {running.url}", err=True)
        typer.echo(f"client key in {running.client_key_path}", err=True)
        typer.echo(f"connectors and actions at {running.url}/docs", err=True)
        stopped.wait()
    raise typer.Exit(128 + caught[0])
