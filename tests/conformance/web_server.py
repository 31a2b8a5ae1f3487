"""Our server over HTTP, as its users start it."""

import subprocess
from collections.abc import Generator, Iterable
from contextlib import contextmanager
from pathlib import Path

from .serving import COMMAND, environment

HERE = Path(__file__).parent
END_SECONDS = 20


@contextmanager
def web_server(folder: Path, *flags: str, **settings: str) -> Generator[str]:
    """The address of a server that keeps all it has in this folder; it ends with the block.

    Its hub has the connectors of this folder's modules, where flags name them.
    """
    with subprocess.Popen(
        [COMMAND, "serve", "--transport", "http", "--port", "0", *flags],
        env=environment(folder, {"PYTHONPATH": str(HERE), **settings}),
        cwd=folder,
        stdin=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        try:
            yield _address(process.stderr or ())
        finally:
            process.terminate()
            process.wait(END_SECONDS)


def _address(lines: Iterable[str]) -> str:
    read: list[str] = []
    for line in lines:
        read.append(line)
        if line.startswith("ready "):
            return line.split()[1]
    raise AssertionError(f"the server did not get ready: {read}")
