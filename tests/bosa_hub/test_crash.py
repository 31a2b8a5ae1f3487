"""A hub that is killed at any moment has everything that it acknowledged, whole and once."""

import json
import os
import random
import signal
import subprocess
import sys
from collections.abc import Callable, Generator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from threading import Event

import httpx

_PROGRAM = Path(__file__).with_name("doomed_program.py")
_KILLS = 20
_WRITERS = 4
_TEXT = "0123456789" * 2000


@dataclass(frozen=True, slots=True)
class Hub:
    pid: int
    url: str
    key: str
    token: str

    def client(self) -> httpx.Client:
        headers = {"X-API-Key": self.key, "Authorization": f"Bearer {self.token}"}
        return httpx.Client(base_url=self.url, headers=headers, timeout=20)


@dataclass(frozen=True, slots=True)
class Promises:
    """What hubs acknowledged: titles with the answer, users with their secrets, file names. And what was begun."""

    notes: dict[str, bytes] = field(default_factory=dict[str, bytes])
    users: dict[str, str] = field(default_factory=dict[str, str])
    files: set[str] = field(default_factory=set[str])
    begun: set[str] = field(default_factory=set[str])

    def keep(self, others: "Promises") -> None:
        self.notes.update(others.notes)
        self.users.update(others.users)
        self.files.update(others.files)
        self.begun.update(others.begun)


def _write(client: httpx.Client, promises: Promises, name: str) -> None:
    promises.begun.add(name)
    note = _create_note(client, name)
    assert note.status_code == 200
    promises.notes[name] = note.content
    file = client.post("/connectors/files/write_text_file", json={"path": f"{name[:2]}/{name}", "text": _TEXT})
    assert file.status_code == 200
    promises.files.add(name)
    user = client.post("/users", json={"identifier": name})
    assert user.status_code == 200
    promises.users[name] = user.json()["data"]["secret"]


def _create_note(client: httpx.Client, name: str) -> httpx.Response:
    return client.post(
        "/connectors/notes/create_note", json={"title": name, "body": ""}, headers={"Idempotency-Key": name}
    )


def _check(hub: Hub, promises: Promises) -> None:
    with hub.client() as client:
        for name, answer in promises.notes.items():
            assert _create_note(client, name).content == answer
        for name in promises.begun - promises.notes.keys():
            again = _create_note(client, name)
            assert again.status_code == 200 or again.json()["error"]["code"] == "OUTCOME_UNKNOWN"
        for name, secret in promises.users.items():
            login = client.post("/auth/tokens", json={"identifier": name, "secret": secret})
            assert login.status_code == 200
        titles = [title for page in _pages(client) for title in page]
        assert len(titles) == len(set(titles))
        assert promises.notes.keys() <= set(titles) <= promises.begun
        found = {file["path"]: file["size"] for file in _files(client)}
        assert {f"{name[:2]}/{name}" for name in promises.files} <= found.keys()
        assert set(found.values()) <= {len(_TEXT)}


def _pages(client: httpx.Client) -> Generator[list[str]]:
    page: int | None = 1
    while page:
        body = client.post("/connectors/notes/list_notes", json={"page": page, "per_page": 100}).json()
        yield [note["title"] for note in body["data"]]
        page = page + 1 if body["meta"]["has_next"] else None


def _files(client: httpx.Client) -> Generator[dict[str, object]]:
    for folder in client.post("/connectors/files/list_files", json={"per_page": 200}).json()["data"]:
        cursor: str | None = None
        while True:
            body = {"folder": folder["path"], "per_page": 200, "cursor": cursor}
            answer = client.post("/connectors/files/list_files", json=body).json()
            yield from answer["data"]
            cursor = answer["meta"]["forwards_cursor"]
            if cursor is None:
                break


def _work_until_killed(hub: Hub, promises: Promises, prefix: str, started: Event) -> None:
    with hub.client() as client:
        try:
            for number in range(10_000):
                _write(client, promises, f"{prefix}-{number}")
                started.set()
        except httpx.TransportError:
            return


@contextmanager
def _hubs(data_dir: Path) -> Generator[Callable[[], Hub]]:
    # measuring coverage cannot outlive kill -9
    environment = {name: value for name, value in os.environ.items() if not name.startswith("COV")}
    command = [sys.executable, str(_PROGRAM), str(data_dir)]
    pipe = subprocess.PIPE
    with subprocess.Popen(command, stdin=pipe, stdout=pipe, text=True, env=environment) as process:
        stdin, stdout = process.stdin, process.stdout
        assert stdin
        assert stdout
        pids: list[int] = []

        def start() -> Hub:
            stdin.write("\n")
            stdin.flush()
            hub = Hub(*json.loads(stdout.readline()))
            pids.append(hub.pid)
            return hub

        try:
            yield start
        finally:
            with suppress(ProcessLookupError):
                os.kill(pids[-1], signal.SIGKILL)


def test_twenty_kills_under_load_lose_nothing_that_was_acknowledged(tmp_path: Path) -> None:
    chance = random.Random(20)  # noqa: S311  repeatable, not secret
    everything = Promises()
    with _hubs(tmp_path) as start, ThreadPoolExecutor(_WRITERS) as threads:
        hub = start()
        for kill in range(_KILLS):
            promises, started = Promises(), Event()
            writers = [
                threads.submit(_work_until_killed, hub, promises, f"{kill:02}-{writer}", started)
                for writer in range(_WRITERS)
            ]
            started.wait()
            Event().wait(chance.uniform(0, 0.3))
            os.kill(hub.pid, signal.SIGKILL)
            for writer in writers:
                writer.result()
            hub = start()
            everything.keep(promises)
        assert len(everything.notes) > _KILLS
        _check(hub, everything)
