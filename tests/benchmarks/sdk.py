# ruff: noqa: T201  it prints: that is what it is for
"""How fast the SDK is beside bare httpx and the published clients: `python -m tests.benchmarks.sdk`, from the root.

All of them call one server on loopback, a process of its own, in turns: whatever else the machine does meanwhile costs
each the same. So the ratios count, and the rates are those of this machine. The published clients run in environments
of their own, made once as `make conformance` makes them, and do not log, which would cost them more than the call.
"""

import argparse
import json
import os
import subprocess
import sys
from collections.abc import Generator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Final, TypeAlias

import pytest

from ..conformance.installs import python_with  # noqa: TID252  test folders are no packages
from ..conformance.published_clients.clients import GENERATIONS  # noqa: TID252  likewise
from .checks import checked
from .weights import Import, weighed

FOLDER: Final = Path(__file__).parent
IN_FLIGHT: Final = (1, 32)
Rates: TypeAlias = dict[tuple[str, int], list[tuple[float, float]]]


@dataclass(frozen=True, slots=True)
class Client:
    """What is measured: its name, what `callers.py` calls it, the Python that has it, and beside what it is shown."""

    name: str
    subject: str
    python: Path
    beside: str


@dataclass(frozen=True, slots=True)
class Caller:
    """A process that makes calls when it is told to."""

    process: "subprocess.Popen[str]"

    def rates(self, in_flight: int, seconds: float) -> tuple[float, float]:
        """Calls a second, and calls for each second of the processor in this process."""
        assert self.process.stdin
        assert self.process.stdout
        self.process.stdin.write(json.dumps({"in_flight": in_flight, "seconds": seconds}) + "\n")
        self.process.stdin.flush()
        by_clock, by_processor = json.loads(self.process.stdout.readline())
        return by_clock, by_processor


def installed() -> Generator[tuple[str, Path]]:
    """The published clients that can be had here, each with its Python."""
    for name in ("0.3", "gl"):
        generation = GENERATIONS[name]
        try:
            yield name, python_with(generation.requirement, *generation.dependencies)
        except pytest.skip.Exception as reason:
            print(f"skipped: {reason}", flush=True)


def clients(published: Sequence[tuple[str, Path]]) -> list[Client]:
    """Whom to measure, each after what it is shown beside."""
    here = Path(sys.executable)
    pythons = dict(published)
    found = [
        Client("httpx.Client", "bare", here, "bare"),
        Client("BosaConnector.send", "send", here, "bare"),
        Client("BosaConnector.execute", "execute", here, "bare"),
        Client(GENERATIONS["0.3"].requirement, "execute", pythons.get("0.3", here), "bare"),
        Client(GENERATIONS["gl"].requirement, "gl", pythons.get("gl", here), "bare"),
        Client("httpx.AsyncClient", "abare", here, "abare"),
        Client("AsyncBosaConnector.send", "asend", here, "abare"),
        Client(f"{GENERATIONS['gl'].requirement}, awaited", "agl", pythons.get("gl", here), "abare"),
    ]
    missing = [generation.requirement for name, generation in GENERATIONS.items() if name not in pythons]
    return [client for client in found if not client.name.startswith(tuple(missing))]


@contextmanager
def started(python: Path, script: str, *arguments: str) -> Generator["subprocess.Popen[str]"]:
    """A program beside this one; what a published client has to say of itself goes nowhere."""
    command = [str(python), "-W", "ignore", str(FOLDER / script), *arguments]
    quiet = None if python == Path(sys.executable) else subprocess.DEVNULL
    pipe = subprocess.PIPE
    with subprocess.Popen(command, stdin=pipe, stdout=pipe, stderr=quiet, text=True, cwd=FOLDER) as process:
        yield process
        process.communicate()


@contextmanager
def loopback() -> Generator[str]:
    """The address of the server that all call."""
    with started(Path(sys.executable), "loopback.py") as server:
        assert server.stdout
        yield server.stdout.readline().strip()


def measure(clients: Sequence[Client], rounds: int, seconds: float) -> Rates:
    """The rates of each client with so many calls in flight, one for each round; a round before does not count."""
    rates: Rates = {}
    with ExitStack() as stack:
        url = stack.enter_context(loopback())
        callers = {
            client.name: Caller(stack.enter_context(started(client.python, "callers.py", client.subject, url)))
            for client in clients
        }
        for number in range(rounds + 1):
            for in_flight in IN_FLIGHT:
                for name, caller in callers.items():
                    found = caller.rates(in_flight, seconds)
                    rates.setdefault((name, in_flight), []).extend([found] if number else [])
    return rates


def ratios(ones: Sequence[tuple[float, float]], others: Sequence[tuple[float, float]]) -> tuple[float, float]:
    """How many times faster the ones were, by clock and by processor, in the round in the middle."""
    rounds = list(zip(ones, others, strict=True))
    return median(one[0] / other[0] for one, other in rounds), median(one[1] / other[1] for one, other in rounds)


def show_rates(clients: Sequence[Client], rounds: int, seconds: float) -> None:
    """A line for each client."""
    rates = measure(clients, rounds, seconds)
    names = {client.subject: client.name for client in clients}
    print(f"\n{rounds} rounds; calls/s; beside bare httpx: by the clock, and by the processor's time in the caller")
    print(" " * 46 + "".join(f"{f'{n} in flight':>28}" for n in IN_FLIGHT))
    for client in clients:
        cells = [
            f"{median(rate for rate, _ in found):>12.0f} {by_clock:>7.2f}x{by_processor:>6.2f}x"
            for n in IN_FLIGHT
            for found in [rates[client.name, n]]
            for by_clock, by_processor in [ratios(found, rates[names[client.beside], n])]
        ]
        print(f"  {client.name:<44}" + "".join(cells))
    older = GENERATIONS["0.3"].requirement
    for n in IN_FLIGHT if (older, 1) in rates else ():
        by_clock, by_processor = ratios(rates["BosaConnector.execute", n], rates[older, n])
        print(f"  execute beside {older}, {n} in flight: {by_clock:.1f}x, {by_processor:.1f}x")


def show_weights(published: Sequence[tuple[str, Path]], rounds: int) -> None:
    """What it costs to import each."""
    ours = "from bosa_connectors.connector import BosaConnector"
    statements = {"0.3": ours, "gl": "from gl_connectors_sdk import GLConnectors"}
    here = Path(sys.executable)
    imports = [Import("import httpx", here), Import(ours, here)]
    imports += [Import(statements[name], python) for name, python in published]
    names = ["httpx", "BosaConnector", *(GENERATIONS[name].requirement for name, _ in published)]
    print("\nimport: seconds of the processor over bare Python, and MB resident")
    for name, weight in zip(names, weighed(imports, rounds), strict=True):
        print(f"  {name:<44}{weight.seconds:>12.3f} {weight.megabytes:>8.0f}")


def show_transfers() -> None:
    """What 100 MB cost each way: seconds, and MB beyond what the caller asked to hold."""
    print("\n100 MB: seconds, and MB of memory beyond what is asked for")
    ways = ["bare up", "up", "awaited up", "bare down", "down", "awaited down", "held", "awaited held"]
    with loopback() as url:
        for way in ways:
            with started(Path(sys.executable), "transfers.py", way, url) as process:
                seconds, megabytes = json.loads(process.communicate()[0])
            print(f"  {way:<44}{seconds:>12.2f} {megabytes:>8.1f}", flush=True)


def show_checks() -> None:
    """What the check of a valid call costs."""
    folder = os.environ.get("BOSA_LISTINGS")
    print(f"\ncheck of a valid call, µs ({'listings in BOSA_LISTINGS' if folder else 'a schema like the real ones'})")
    for name, times in checked(Path(folder) if folder else None).items():
        print(f"  {name:<44}{median(times):>12.0f} {max(times):>8.0f} at most, {len(times)} actions")


def main() -> None:
    """Print all figures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=31)
    parser.add_argument("--seconds", type=float, default=0.15, help="how long each client calls in a round")
    wanted = parser.parse_args()
    published = list(installed())
    print(f"sdk  on {os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}")
    show_rates(clients(published), wanted.rounds, wanted.seconds)
    show_weights(published, wanted.rounds)
    show_transfers()
    show_checks()


if __name__ == "__main__":
    main()
