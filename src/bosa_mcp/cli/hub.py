"""`bosa-mcp hub`."""

import signal
import threading
from typing import Annotated, Final

import typer

from bosa_mcp.addresses import bare
from bosa_mcp.cli.options import settled
from bosa_mcp.settings import Settings

EXAMPLES: Final = """\
\b
Examples:
  bosa-mcp hub
  bosa-mcp hub --port 0 --data-dir ./data
  bosa-mcp hub --hub-connectors my_module:Weather --workers 4
"""


@settled("public_url", "hub_connectors", "hub_rate_limit", "data_dir", level="info")
def hub(
    chosen: Settings,
    *,
    host: Annotated[str, typer.Option(help="The address to listen on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(help="The port to listen on; 0 takes a free one.", min=0, max=65535)] = 8090,
    workers: Annotated[int, typer.Option(help="How many processes answer.", min=1, max=64)] = 1,
) -> None:
    """Run a BOSA API of your own, with the connectors files, notes and sql."""
    from bosa_mcp.cli.hubs import open_hub  # noqa: PLC0415  the other commands need no hub

    caught: list[int] = []
    stopped = threading.Event()

    def stop(number: int, _: object) -> None:
        caught.append(number)
        stopped.set()

    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, stop)
    with open_hub(chosen, host=bare(host), port=port, workers=workers, is_alone=True) as running:
        typer.echo(f"ready {running.url}", err=True)
        typer.echo(f"client key in {running.client_key_path}", err=True)
        typer.echo(f"connectors and actions at {running.url}/docs", err=True)
        stopped.wait()
    raise typer.Exit(128 + caught[0])
