"""`bosa-mcp hub`."""

import signal
import threading
from typing import Annotated, Final

import typer

from bosa_mcp import logs, settings
from bosa_mcp.cli.options import Config, DataDir, Log, LogLevel
from bosa_mcp.settings import reveal

EXAMPLES: Final = """\
\b
Examples:
  bosa-mcp hub
  bosa-mcp hub --port 0 --data-dir ./data
"""


def hub(  # noqa: PLR0913  each is a flag
    *,
    host: Annotated[str, typer.Option(help="The address to listen on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(help="The port to listen on; 0 takes a free one.", min=0, max=65535)] = 8090,
    data_dir: DataDir = None,
    config: Config = None,
    log: Log = None,
    log_level: LogLevel = None,
) -> None:
    """Run a BOSA API of your own, with the connectors files, notes and sql."""
    chosen = settings.load({"data_dir": data_dir, "log": log, "log_level": log_level}, config)
    logs.configure(chosen.log, chosen.log_level)
    from bosa_hub.serve import running  # noqa: PLC0415  the other commands need no hub

    caught: list[int] = []
    stopped = threading.Event()

    def stop(number: int, _: object) -> None:
        caught.append(number)
        stopped.set()

    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, stop)
    with running(chosen.data_dir, host=host, port=port, master_key=reveal(chosen.hub_master_key)) as running_hub:
        typer.echo(f"ready {running_hub.url}", err=True)
        typer.echo(f"client key in {running_hub.client_key_path}", err=True)
        stopped.wait()
    raise typer.Exit(128 + caught[0])
