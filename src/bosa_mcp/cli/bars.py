"""How far a call has come, for a person in a terminal: what it waits for, and a bar for each file on its way."""

import sys
from collections.abc import Generator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from rich.progress import Progress, TaskID

    from bosa_mcp.execution import Report
    from bosa_mcp.transfer import Moved

_NAME: Final = 40


@contextmanager
def watching() -> Generator["Report"]:
    """What is told of a call is shown on standard error within the block, where that is a terminal."""
    if not sys.stderr.isatty():
        yield _silent
        return
    from rich.console import Console  # noqa: PLC0415  only what prints needs it
    from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TransferSpeedColumn  # noqa: PLC0415  likewise

    from bosa_mcp.invisible import plain  # noqa: PLC0415  only what prints needs it

    console = Console(stderr=True, highlight=False, soft_wrap=True)
    columns = (TextColumn("  {task.description}", markup=False), BarColumn(), DownloadColumn(), TransferSpeedColumn())
    bars: dict[tuple[str, bool], TaskID] = {}
    progress = Progress(*columns, console=console)

    async def report(said: "str | Moved") -> None:
        if isinstance(said, str):
            console.print(f"  {plain(said)}", style="dim", markup=False)
        else:
            _show(progress, bars, said)

    with progress:
        yield report


def _show(progress: "Progress", bars: "dict[tuple[str, bool], TaskID]", moved: "Moved") -> None:
    from bosa_mcp.invisible import plain  # noqa: PLC0415  as above

    which = moved.name, moved.is_ours
    if which not in bars:
        name = plain(moved.name)[:_NAME]
        bars[which] = progress.add_task(f"{name} {'to' if moved.is_ours else 'from'} the API", total=moved.size)
    progress.update(bars[which], completed=moved.bytes)


async def _silent(_: object) -> None:
    """Nobody watches."""
