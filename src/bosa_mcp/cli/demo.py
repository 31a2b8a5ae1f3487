"""`bosa-mcp demo`."""

import signal
import tempfile
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType
from typing import Final

import anyio
import typer

from bosa_mcp.cli.failures import first

EXAMPLES: Final = """\
\b
Examples:
  bosa-mcp demo

It needs no account and no network, and leaves nothing behind.
"""


def demo() -> None:
    """Start the server on a fresh folder, call its tools as an MCP client does, and show what comes back."""
    from rich.console import Console  # noqa: PLC0415  only this command prints with rich

    from bosa_mcp.cli.tour import tour  # noqa: PLC0415  it imports the MCP client

    console = Console(highlight=False)
    with (
        _ended_in_order(),
        tempfile.TemporaryDirectory(prefix="bosa-mcp-demo-") as folder,
        (Path(folder) / "stderr").open("w+") as log,
    ):
        try:
            anyio.run(tour, console, Path(folder), log)
        except Exception as failure:
            log.seek(0)
            told = ("The demo failed:", repr(first(failure)), "What the server said:", log.read())
            console.print("", *told, sep="\n", markup=False)
            raise typer.Exit(1) from failure


@contextmanager
def _ended_in_order() -> Generator[None]:
    """Within it SIGTERM does what Ctrl-C does, so that nothing is left behind; the exit code is its own."""
    caught: list[int] = []

    def end(number: int, frame: FrameType | None) -> None:
        caught.append(number)
        signal.signal(number, signal.SIG_IGN)
        interrupt = signal.getsignal(signal.SIGINT)
        (interrupt if callable(interrupt) else signal.default_int_handler)(signal.SIGINT, frame)

    signal.signal(signal.SIGTERM, end)
    try:
        yield
    except KeyboardInterrupt:
        if not caught:
            raise
        raise typer.Exit(128 + caught[0]) from None
