"""The hub in several processes: one listening socket, one data folder.

A worker runs until its line to the first process ends, which also happens when that one dies.
"""

import logging
import signal
import socket
import sys
import time
from collections.abc import Callable, Generator, Mapping, Sequence
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass
from multiprocessing import get_context
from multiprocessing.context import SpawnProcess
from pathlib import Path
from threading import Event, Thread
from types import FrameType, MappingProxyType
from typing import TypeAlias

from bosa_hub.app import Choices
from bosa_hub.connectors import built_in
from bosa_hub.errors import SetupError
from bosa_hub.oauth2 import Application
from bosa_hub.plugin import Connector
from bosa_hub.serve import GRACE, Recipe, RunningHub, listen, url_of

_LOOK = 0.2
"""Seconds between two looks at the workers."""
_log = logging.getLogger("bosa_hub")
_spawn = get_context("spawn")
Load: TypeAlias = Callable[[], Sequence[Connector]]


@contextmanager
def running_workers(  # noqa: PLR0913  what `running` takes, and how many
    count: int,
    data_dir: Path,
    *,
    host: str = "127.0.0.1",
    port: int = 0,
    master_key: str | None = None,
    encryption_key: str | None = None,
    connectors: Load = built_in,
    rate_limit: int | None = None,
    applications: Mapping[str, Application] = MappingProxyType({}),
    public_url: str | None = None,
) -> Generator[RunningHub]:
    """A hub of `count` processes, all of which answer when the block begins; it runs until the block ends.

    `connectors` is called once in each process; pickle must be able to send it there.

    Raises:
        CannotListen: The address is taken, or is not one of this machine.
        SetupError: `data_dir` holds something else, or cannot be written; or a worker fails at its start.

    """
    choices = Choices(rate_limit, dict(applications), public_url)
    recipe = Recipe(data_dir, host, master_key, encryption_key, choices)
    with (
        recipe.home() as home,
        closing(listen(host, port)) as listener,
        _at_work(count, _Job(recipe, connectors, listener)),
    ):
        yield RunningHub(url_of(listener, host), home)


@dataclass(frozen=True, slots=True)
class _Job:
    """What every worker does."""

    recipe: Recipe
    load: Load
    listener: socket.socket

    def start(self) -> "_Worker":
        """Starts one more process."""
        ours, theirs = socket.socketpair()
        with theirs:
            process = _spawn.Process(target=_work, args=(self, theirs), name="bosa-hub-worker")
            process.start()
        return _Worker(process, ours)


@dataclass(frozen=True, slots=True)
class _Worker:
    process: SpawnProcess
    line: socket.socket

    def wait_until_ready(self) -> None:
        """Returns once it answers.

        Raises:
            SetupError: It never will.

        """
        if not self.line.recv(1):
            raise SetupError("A worker of the hub failed at its start; what it printed says why.")

    def end(self, deadline: float) -> None:
        """Ends the process, by force after the deadline."""
        self.process.join(max(0, deadline - time.monotonic()))
        self.process.kill()
        self.process.join()


def _work(job: _Job, line: socket.socket) -> None:
    signal.signal(signal.SIGINT, _leave_it)
    signal.signal(signal.SIGTERM, _exit)
    with job.recipe.home() as home, line, job.listener, job.recipe.serving(home, job.load(), job.listener):
        line.sendall(b"!")
        line.recv(1)


def _leave_it(_number: int, _frame: FrameType | None) -> None:
    """Ctrl-C reaches every process of a terminal: the first one decides."""


def _exit(_number: int, _frame: FrameType | None) -> None:
    sys.exit()


@contextmanager
def _at_work(count: int, job: _Job) -> Generator[None]:
    workers = [job.start() for _ in range(count)]
    stopped = Event()
    keeper = Thread(target=_replace_dead, args=(workers, job, stopped), name="bosa-hub-keeper", daemon=True)
    try:
        for worker in workers:
            worker.wait_until_ready()
        keeper.start()
        yield
    finally:
        stopped.set()
        if keeper.ident:
            keeper.join()
        _stop(workers)


def _replace_dead(workers: list[_Worker], job: _Job, stopped: Event) -> None:
    while not stopped.wait(_LOOK):
        for index, worker in enumerate(workers):
            if not worker.process.is_alive():
                _log.error("worker %s ended: another takes its place", worker.process.pid)
                worker.line.close()
                with suppress(OSError):  # no process to be had now: the next look tries again
                    workers[index] = job.start()


def _stop(workers: Sequence[_Worker]) -> None:
    for worker in workers:
        worker.line.close()
    deadline = time.monotonic() + GRACE + 2
    for worker in workers:
        worker.end(deadline)
