"""A hub as a program of its own: `python hub_program.py DATA_DIR WORKERS`. It ends on a signal, or with its input."""

import json
import os
import signal
import sys
import time
from pathlib import Path
from threading import Thread
from types import FrameType

from anyio import to_thread
from pydantic import BaseModel

from bosa_hub.connectors import built_in
from bosa_hub.plugin import Connector, Context, action
from bosa_hub.serve import running
from bosa_hub.workers import running_workers


class Hang(BaseModel):
    until: str


class Bench(Connector):
    """Shows which process answers, and hangs on demand."""

    @action(effect="read")
    async def which(self) -> int:
        """Who answers."""
        return os.getpid()

    @action(effect="send")
    async def hang(self, request: Hang, context: Context) -> int:
        """Write a line, and return when there is such a file."""
        await to_thread.run_sync(_hang, context.root, request.until)
        return os.getpid()


def _hang(root: Path, until: str) -> None:
    with (root / f"{until}.begun").open("a") as ledger:
        ledger.write(f"{os.getpid()}\n")
    while not (root / until).exists():
        time.sleep(0.01)  # told by a file, from another process


def load() -> tuple[Connector, ...]:
    return *built_in(), Bench()


def _exit(number: int, _frame: FrameType | None) -> None:
    sys.exit(128 + number)


def _end_with_input() -> None:
    sys.stdin.read()
    os.kill(os.getpid(), signal.SIGTERM)


def main(data_dir: Path, workers: int) -> None:
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, _exit)
    started = running_workers(workers, data_dir, connectors=load) if workers else running(data_dir, connectors=load())
    with started as hub:
        print(json.dumps([hub.url, hub.client_key, hub.user_token("ada")]), flush=True)  # noqa: T201  how a program speaks
        Thread(target=_end_with_input, daemon=True).start()
        signal.pause()


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]))
