"""Our command as a process of its own, with bounded waits, and JSON-RPC written by hand."""

import fcntl
import json
import os
import subprocess
import sys
import termios
from collections.abc import Generator, Iterable, Mapping
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from threading import Timer
from typing import IO, Any

from mcp import StdioServerParameters

from .scripted_api import WAIT, Json

COMMAND = (sys.executable, "-m", "bosa_mcp")
HUB_READY = "the embedded hub serves"

HANDSHAKE: tuple[Json, ...] = (
    {
        "jsonrpc": "2.0",
        "id": 0,
        "method": "initialize",
        "params": {
            "protocolVersion": "2025-11-25",
            "capabilities": {},
            "clientInfo": {"name": "test", "version": "1"},
        },
    },
    {"jsonrpc": "2.0", "method": "notifications/initialized"},
)

MODERN: Json = {
    "io.modelcontextprotocol/protocolVersion": "2026-07-28",
    "io.modelcontextprotocol/clientCapabilities": {},
    "io.modelcontextprotocol/clientInfo": {"name": "test", "version": "1"},
}


def environment(folder: Path, **settings: str) -> dict[str, str]:
    """What a server finds: nothing of the person who runs the tests, and all that it keeps in this folder."""
    measured = {name: value for name, value in os.environ.items() if name.startswith("COVERAGE_")}
    return {"PATH": os.defpath, "HOME": str(folder), "BOSA_DATA_DIR": str(folder / "data"), **measured, **settings}


def parameters(folder: Path, *arguments: str, **settings: str) -> StdioServerParameters:
    """The same for the MCP client, which starts the server itself."""
    return StdioServerParameters(
        command=COMMAND[0], args=[*COMMAND[1:], *arguments], env=environment(folder, **settings), cwd=folder
    )


def request(number: int, method: str, **params: object) -> Json:
    return {"jsonrpc": "2.0", "id": number, "method": method, "params": params}


def call(number: int, tool: str, **arguments: object) -> Json:
    return request(number, "tools/call", name=tool, arguments=arguments)


@dataclass(slots=True)
class Server:
    """A running `bosa-mcp` and its pipes. A wait that lasts too long ends with the process killed."""

    process: subprocess.Popen[str]
    _replies: dict[object, Json] = field(default_factory=dict[object, Json])

    def send(self, *messages: Mapping[str, Any] | str) -> None:
        stdin = self._pipe(self.process.stdin)
        stdin.writelines((each if isinstance(each, str) else json.dumps(each)) + "\n" for each in messages)
        stdin.flush()

    def reply(self, number: int) -> Json:
        """The reply to this request; every line that comes is JSON-RPC."""
        while number not in self._replies:
            line = self._pipe(self.process.stdout).readline()
            assert line, f"no reply to {number}, and on stderr: {self._pipe(self.process.stderr).read()}"
            message = json.loads(line)
            assert message["jsonrpc"] == "2.0"
            self._replies[message.get("id")] = message
        return self._replies[number]

    def log_line(self, text: str) -> str:
        """The next line on standard error that holds this text."""
        return _next(self._pipe(self.process.stderr), text)

    def line(self, text: str) -> str:
        """The next line on standard output that holds this text."""
        return _next(self._pipe(self.process.stdout), text)

    def signal(self, number: int) -> None:
        self.process.send_signal(number)

    def end_of_input(self) -> None:
        self._pipe(self.process.stdin).close()

    def wait(self) -> int:
        """The exit code, within a bounded time."""
        return self.process.wait(WAIT)

    def close_output(self) -> None:
        """Nobody reads what it says from now on."""
        self._pipe(self.process.stdout).close()

    def rest(self) -> tuple[str, str]:
        """What is left on standard output and standard error, once the process has ended."""
        return self._pipe(self.process.stdout).read(), self.errors()

    def errors(self) -> str:
        """What is left on standard error alone."""
        return self._pipe(self.process.stderr).read()

    @staticmethod
    def _pipe(pipe: IO[str] | None) -> IO[str]:
        assert pipe is not None
        return pipe


def _next(lines: Iterable[str], text: str) -> str:
    read: list[str] = []
    for line in lines:
        read.append(line)
        if text in line:
            return line
    raise AssertionError(f"{text!r} did not come, but {read}")


def started(folder: Path, *arguments: str, **settings: str) -> AbstractContextManager[Server]:
    """`bosa-mcp` with these arguments, killed when the block ends."""
    return started_on(subprocess.PIPE, folder, *arguments, **settings)


@contextmanager
def started_on(stdin: int, folder: Path, *arguments: str, **settings: str) -> Generator[Server]:
    """The same, with something of the test's own as standard input."""
    with subprocess.Popen(
        [*COMMAND, *arguments],
        stdin=stdin,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env=environment(folder, **settings),
        cwd=folder,
        text=True,
        encoding="utf-8",
    ) as process:
        watchdog = Timer(6 * WAIT, process.kill)
        watchdog.start()
        try:
            yield Server(process)
        finally:
            watchdog.cancel()
            process.kill()


@dataclass(frozen=True, slots=True)
class Terminal:
    """`bosa-mcp` as a person has it in front of them."""

    process: "subprocess.Popen[bytes]"
    _ours: int

    def until(self, text: str) -> str:
        """What is shown, up to and including this text."""
        shown = b""
        while text.encode() not in shown:
            shown += os.read(self._ours, 1)  # what comes behind it is for whoever looks next
        return shown.decode()

    def type(self, text: str) -> None:
        os.write(self._ours, text.encode())

    def end(self) -> tuple[int, str]:
        """The exit code, and the rest of what is shown."""
        shown = b"".join(iter(self._rest, b""))
        return self.process.wait(WAIT), shown.decode()

    def _rest(self) -> bytes:
        try:
            return os.read(self._ours, 1024)
        except OSError:  # how a terminal ends
            return b""


@contextmanager
def in_terminal(folder: Path, *arguments: str, **settings: str) -> Generator[Terminal]:
    """`bosa-mcp` with these arguments in a terminal of its own, killed when the block ends."""
    ours, theirs = os.openpty()

    def take_terminal() -> None:
        fcntl.ioctl(0, termios.TIOCSCTTY, 0)

    with subprocess.Popen(
        [*COMMAND, *arguments],
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
        env=environment(folder, **{"TERM": "xterm", "COLUMNS": "100", **settings}),
        cwd=folder,
        start_new_session=True,
        preexec_fn=take_terminal,  # noqa: PLW1509  the only way to give a process a terminal
    ) as process:
        watchdog = Timer(2 * WAIT, process.kill)
        watchdog.start()
        os.close(theirs)
        try:
            yield Terminal(process, ours)
        finally:
            watchdog.cancel()
            process.kill()
            os.close(ours)


def run(folder: Path, *arguments: str, **settings: str) -> subprocess.CompletedProcess[str]:
    """`bosa-mcp` with these arguments and no input, run to its end."""
    return subprocess.run(
        [*COMMAND, *arguments],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        env=environment(folder, **settings),
        cwd=folder,
        timeout=2 * WAIT,
        check=False,
        text=True,
        encoding="utf-8",
    )
