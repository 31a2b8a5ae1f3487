"""How fast the MCP server is, beside a bare server of the mcp package and fastmcp: `python mcp_server.py`.

All three serve the same actions of one API, which answers at once, in a process of its own. They take turns, and what
is printed are medians, and ratios of these. fastmcp is installed into an environment of its own; where that cannot be
done, it is left out.
"""

import argparse
import asyncio
import json
import os
import socket
import subprocess
import sys
import time
from collections.abc import Generator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory, mkdtemp
from typing import Final

HERE: Final = Path(__file__).parent
sys.path.append(str(HERE.parent / "conformance"))  # where environments of foreign software are made

import installs  # noqa: E402  as above  # pyright: ignore[reportMissingImports]
from loopback_api import ARGUMENTS, KEY, openapi  # noqa: E402  likewise  # pyright: ignore[reportImplicitRelativeImport]
from speaking import ERAS, Json, Pipes, Web  # noqa: E402  likewise  # pyright: ignore[reportImplicitRelativeImport]

OURS: Final = "bosa-mcp"
FIRST: Final = "bosa-mcp, first start"
BARE: Final = "bare mcp"
FAST: Final = "fastmcp"
_FAST: Final = "fastmcp>=4,<4.1.6"
_TOOL: Final = "bench0_list_items_0"
_START_SECONDS: Final = 120
_SLICES_OF_A_PROCESS: Final = 3


@dataclass(frozen=True, slots=True)
class Bench:
    """The API, and the servers that are measured against it."""

    api: str
    folder: Path
    fast: Path | None
    """A Python that has fastmcp."""

    def names(self) -> list[str]:
        return [OURS, FIRST, BARE, *([FAST] if self.fast else [])]

    def command(self, name: str, port: int | None = None) -> list[str]:
        """How a server is started, over stdio where there is no port."""
        if name in {OURS, FIRST}:
            over_http = ["--transport", "http", "--port", str(port)] if port else []
            return [str(Path(sys.executable).with_name("bosa-mcp")), "serve", *over_http]
        python = self.fast if name == FAST else sys.executable
        script, file = ("fast_server.py", "openapi.json") if name == FAST else ("bare_server.py", "tools.json")
        words = [python, HERE / script, self.api, self.folder / file, *([port] if port else [])]
        return [str(word) for word in words]

    def variables(self, name: str) -> dict[str, str]:
        data = mkdtemp(dir=self.folder) if name == FIRST else str(self.folder / "data")
        settings = {"BOSA_API_BASE_URL": self.api, "BOSA_API_KEY": KEY, "BOSA_DATA_DIR": data}
        return {"PATH": os.defpath, "HOME": str(self.folder), **settings}

    @contextmanager
    def started(self, name: str, port: int | None = None) -> Generator[subprocess.Popen[bytes]]:
        """A server, ended with the block."""
        pipe = None if port else subprocess.PIPE
        with (
            (self.folder / "stderr").open("ab") as errors,
            subprocess.Popen(
                self.command(name, port), stdin=pipe, stdout=pipe, stderr=errors, env=self.variables(name)
            ) as process,
        ):
            try:
                yield process
            finally:
                process.terminate()


@dataclass(slots=True)
class Measured:
    """What came of the rounds, by what was measured and by server."""

    values: dict[str, dict[str, list[float]]] = field(default_factory=dict[str, dict[str, list[float]]])

    def add(self, what: str, server: str, value: float) -> None:
        self.values.setdefault(what, {}).setdefault(server, []).append(value)

    def lines(self) -> Generator[str]:
        """One for each thing measured: the medians, and ours as a ratio of the others'."""
        for what, by_server in self.values.items():
            middle = {server: median(values) for server, values in by_server.items()}
            shown = ", ".join(f"{server} {value:,.{_digits(value)}f}" for server, value in middle.items())
            ratios = [f"{middle[OURS] / middle[other]:.2f} of {other}" for other in (BARE, FAST) if other in middle]
            if FIRST in middle:
                ratios += [
                    f"{middle[FIRST] / middle[other]:.2f} of {other} at the first start" for other in ratios_of(middle)
                ]
            yield f"{what:<44} {shown}  →  {', '.join(ratios)}"


def ratios_of(middle: Mapping[str, float]) -> list[str]:
    """The servers that ours is compared to."""
    return [other for other in (BARE, FAST) if other in middle]


def _digits(value: float) -> int:
    return 0 if value >= 50 else 2  # of three figures the third says little


def measure_start(bench: Bench, number: int, rounds: int, measured: Measured) -> None:
    """Seconds from spawning a server until it has listed all tools, and its memory then."""
    for _ in range(rounds):
        for name in bench.names():
            begun = time.perf_counter()
            with bench.started(name) as process:
                client = Pipes(process)
                client.begin()
                tools = client.tools()
                took = time.perf_counter() - begun
                listed = [tool for tool in tools if not tool["name"].startswith("bosa_")]  # those are the server's own
                assert len(listed) == number, f"{name} lists {len(listed)} of {number} tools"
                measured.add(f"{number} tools: s to the whole list", name, took)
                measured.add(f"{number} tools: MB of memory", name, _memory(process.pid))


def _memory(pid: int) -> float:
    """Resident megabytes."""
    done = subprocess.run(["ps", "-o", "rss=", "-p", str(pid)], capture_output=True, text=True, check=True)
    return int(done.stdout) / 1024


def measure_calls(bench: Bench, slices: int, seconds: float, measured: Measured) -> None:
    """Calls a second, over both transports; the servers run side by side and take turns, a slice of a second each.

    They are started anew every few slices: of one server, one process is faster than the next by up to a fifth.
    """
    names = [name for name in bench.names() if name != FIRST]
    for _ in range(0, slices, _SLICES_OF_A_PROCESS):
        _measure_pipes(bench, names, seconds, measured)
        asyncio.run(_measure_web(bench, names, seconds, measured))


def _measure_pipes(bench: Bench, names: Sequence[str], seconds: float, measured: Measured) -> None:
    with ExitStack() as stack:
        clients = [(name, Pipes(stack.enter_context(bench.started(name)), era)) for era in ERAS for name in names]
        for _, client in clients:
            client.begin()
            client.rate(_TOOL, ARGUMENTS, 1, seconds)
        for at_once in (1, 32) * _SLICES_OF_A_PROCESS:
            for name, client in clients:
                rate = client.rate(_TOOL, ARGUMENTS, at_once, seconds)
                measured.add(_calls("stdio", client.era, at_once), name, rate)


async def _measure_web(bench: Bench, names: Sequence[str], seconds: float, measured: Measured) -> None:
    with ExitStack() as stack:
        urls = [(name, await _url(bench, name, stack)) for name in names]
        clients = [(name, Web(url, era)) for era in ERAS for name, url in urls]
        for _, client in clients:
            await client.begin()
            await client.rate(_TOOL, ARGUMENTS, 1, seconds)
        for at_once in (1, 32) * _SLICES_OF_A_PROCESS:
            for name, client in clients:
                rate = await client.rate(_TOOL, ARGUMENTS, at_once, seconds)
                measured.add(_calls("HTTP", client.era, at_once), name, rate)


def _calls(transport: str, era: str, at_once: int) -> str:
    return f"{transport}, {era}, {at_once} under way: calls/s"


async def _url(bench: Bench, name: str, stack: ExitStack) -> str:
    """Where a server listens that has just been started."""
    with socket.create_server(("127.0.0.1", 0)) as held:
        port = held.getsockname()[1]
    stack.enter_context(bench.started(name, port))
    await _listening(port)
    return f"http://127.0.0.1:{port}/mcp"


async def _listening(port: int) -> None:
    for _ in range(_START_SECONDS * 20):
        try:
            _, writer = await asyncio.open_connection("127.0.0.1", port)
        except OSError:
            await asyncio.sleep(0.05)
        else:
            writer.close()
            return
    raise TimeoutError("The server does not listen.")


@contextmanager
def bench_of(number: int, fast: Path | None) -> Generator[Bench]:
    """An API of so many actions, and what the servers need to serve it."""
    pipe = subprocess.PIPE
    command = [sys.executable, str(HERE / "loopback_api.py"), str(number)]
    with TemporaryDirectory() as folder, subprocess.Popen(command, stdin=pipe, stdout=pipe, text=True) as process:
        assert process.stdout
        bench = Bench(process.stdout.readline().strip(), Path(folder), fast)
        (bench.folder / "openapi.json").write_text(json.dumps(openapi(number, bench.api)))
        with bench.started(OURS) as ours:  # it keeps the catalogue, and lists what the bare server lists too
            client = Pipes(ours)
            client.begin()
            tools: Sequence[Json] = client.tools()
        (bench.folder / "tools.json").write_text(json.dumps(tools))
        yield bench
        process.communicate("")


def _fastmcp() -> Path | None:
    try:
        return Path(str(installs.python_with(_FAST)))  # pyright: ignore[reportUnknownMemberType, reportUnknownArgumentType]
    except BaseException as skipped:  # noqa: BLE001  pytest's way to skip is no Exception
        print(f"without fastmcp: {skipped}")  # noqa: T201  what it is for
        return None


def main() -> None:
    """Prints a line for everything that is measured."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=0.5, help="how long each slice of calls takes")
    parser.add_argument("--rounds", type=int, default=5, help="how often the servers take turns")
    parser.add_argument("--slices", type=int, default=15, help="how many slices of calls there are")
    parser.add_argument("--actions", type=int, nargs="*", default=[10, 500, 5_000])
    parser.add_argument("--calls", action=argparse.BooleanOptionalAction, default=True, help="measure calls too")
    parser.add_argument("--fastmcp", action=argparse.BooleanOptionalAction, default=True, help="with fastmcp")
    wanted = parser.parse_args()
    fast = _fastmcp() if wanted.fastmcp else None
    for number in wanted.actions:
        measured = Measured()
        with bench_of(number, fast) as bench:
            measure_start(bench, number, wanted.rounds, measured)
        print(*measured.lines(), sep="\n", flush=True)  # noqa: T201  what it is for
    if wanted.calls:
        measured = Measured()
        with bench_of(10, fast) as bench:
            measure_calls(bench, wanted.slices, wanted.seconds, measured)
        print(*measured.lines(), sep="\n", flush=True)  # noqa: T201  what it is for


if __name__ == "__main__":
    main()
