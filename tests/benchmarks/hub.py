"""Requests a second and the slowest hundredth, at 1, 16 and 200 clients: `python tests/benchmarks/hub.py`.

The hub runs in a process of its own. Each client has a connection and a user of its own, and sends its next request
when the last one is answered: it reads notes, files, tables and itself, and every eighth time it writes a note.
"""

import argparse
import asyncio
import json
import subprocess
import sys
import time
from collections.abc import Generator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import cycle
from statistics import quantiles
from tempfile import TemporaryDirectory
from urllib.parse import urlsplit

_HUB = """
import json, sys
from pathlib import Path
from bosa_hub.serve import running
from bosa_hub.workers import running_workers

def main():
    data_dir, workers, users = Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3])
    with running_workers(workers, data_dir) if workers > 1 else running(data_dir) as hub:
        print(json.dumps([hub.url, [hub.user_token(str(number)) for number in range(users)]]), flush=True)
        sys.stdin.read()

main()
"""
_CALLS: Sequence[tuple[str, object]] = (
    ("/connectors/notes/create_note", {"title": "A note", "body": "Some text. " * 20, "tags": ["a"]}),
    ("/connectors/notes/list_notes", {"per_page": 10}),
    ("/connectors/files/read_text_file", {"path": "a/b.txt"}),
    ("/connectors/sql/query", {"query": "SELECT title FROM books WHERE year > :year", "variables": {"year": 1950}}),
    ("/connectors/notes/search_notes", {"query": "some text", "per_page": 5}),
    ("/connectors/files/list_files", {}),
    ("/connectors/sql/list_tables", {}),
    ("/users/me", None),
)
_FILE = ("/connectors/files/write_text_file", {"path": "a/b.txt", "text": "Some text. " * 100})


@dataclass(frozen=True, slots=True)
class Client:
    """One connection; it speaks just enough HTTP to cost little beside what is measured."""

    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter
    head: str

    async def send(self, path: str, body: object) -> int:
        """The status of the answer, which has been read to its end."""
        content = b"" if body is None else json.dumps(body).encode()
        method = "GET" if body is None else "POST"
        self.writer.write(f"{method} {path} {self.head}Content-Length: {len(content)}\r\n\r\n".encode() + content)
        lines = (await self.reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
        length = next(int(line[15:]) for line in lines if line.lower().startswith("content-length:"))
        await self.reader.readexactly(length)
        return int(lines[0].split(" ")[1])


@dataclass(frozen=True, slots=True)
class Measured:
    """What one round came to."""

    clients: int
    seconds: float
    waits: Sequence[float]
    errors: int

    def __str__(self) -> str:
        cuts = quantiles(self.waits, n=100)
        rate = len(self.waits) / self.seconds
        return (
            f"{self.clients:>4} clients  {rate:>7.0f} requests/s  p50 {cuts[49] * 1000:>7.1f} ms"
            f"  p99 {cuts[98] * 1000:>7.1f} ms  {self.errors} errors"
        )


async def measure(url: str, tokens: Sequence[str], seconds: float) -> Measured:
    """A client for each token, all at once for so long."""
    clients = [await _connect(url, token) for token in tokens]
    for call in (_FILE, *_CALLS):  # what a user finds is made at the first call
        await asyncio.gather(*(client.send(*call) for client in clients))
    begun = time.perf_counter()
    rounds = await asyncio.gather(*(_work(each, number, begun + seconds) for number, each in enumerate(clients)))
    took = time.perf_counter() - begun
    for client in clients:
        client.writer.close()
    answers = [answer for answers in rounds for answer in answers]
    return Measured(len(tokens), took, [wait for _, wait in answers], sum(status != 200 for status, _ in answers))


async def _connect(url: str, token: str) -> Client:
    place = urlsplit(url)
    reader, writer = await asyncio.open_connection(place.hostname, place.port)
    return Client(reader, writer, f"HTTP/1.1\r\nHost: {place.netloc}\r\nAuthorization: Bearer {token}\r\n")


async def _work(client: Client, offset: int, until: float) -> list[tuple[int, float]]:
    answers: list[tuple[int, float]] = []
    calls = cycle([*_CALLS[offset % len(_CALLS) :], *_CALLS[: offset % len(_CALLS)]])
    while (begun := time.perf_counter()) < until:
        status = await client.send(*next(calls))
        answers.append((status, time.perf_counter() - begun))
    return answers


@contextmanager
def _hub(workers: int, users: int) -> Generator[tuple[str, Sequence[str]]]:
    command = [sys.executable, "-c", _HUB]
    pipe = subprocess.PIPE
    with (
        TemporaryDirectory() as folder,
        subprocess.Popen([*command, folder, str(workers), str(users)], stdin=pipe, stdout=pipe, text=True) as process,
    ):
        assert process.stdout
        url, tokens = json.loads(process.stdout.readline())
        yield url, tokens
        process.communicate("")


def main() -> int:
    """Print a line for each number of clients; 1 where any request failed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=30, help="how long each round takes")
    parser.add_argument("--clients", type=int, nargs="+", default=[1, 16, 200])
    parser.add_argument("--workers", type=int, default=1, help="processes of the hub")
    wanted = parser.parse_args()
    errors = 0
    for clients in wanted.clients:
        with _hub(wanted.workers, clients) as (url, tokens):
            measured = asyncio.run(measure(url, tokens, wanted.seconds))
        print(f"hub  {measured}", flush=True)  # noqa: T201  what it is for
        errors += measured.errors
    return 1 if errors else 0


if __name__ == "__main__":
    sys.exit(main())
