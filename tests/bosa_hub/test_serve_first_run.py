"""The first start on an empty folder: by many at once, without room, and with something else in the way."""

import errno
import json
import os
import signal
import sqlite3
import stat
import subprocess
import sys
from collections.abc import Generator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest
from pydantic import BaseModel

from bosa_hub.errors import SetupError
from bosa_hub.plugin import Connector, Context, action
from bosa_hub.private import make_folder
from bosa_hub.serve import running

_PROGRAM = Path(__file__).with_name("crowd_program.py")
_CROWD = 8


@dataclass(frozen=True, slots=True)
class Hub:
    url: str
    key: str
    token: str
    master: str

    def post(self, path: str, body: object, **headers: str) -> httpx.Response:
        ours = {"X-API-Key": self.key, "Authorization": f"Bearer {self.token}", **headers}
        return httpx.post(f"{self.url}{path}", json=body, headers=ours, timeout=30)


def _environment() -> dict[str, str]:
    return {name: value for name, value in os.environ.items() if not name.startswith("COV")}


@contextmanager
def _crowd(data_dir: Path) -> Generator[list[Hub]]:
    command = [sys.executable, str(_PROGRAM), str(data_dir), str(_CROWD)]
    pipe = subprocess.PIPE
    with subprocess.Popen(command, stdin=pipe, stdout=pipe, text=True, env=_environment()) as process:
        assert process.stdout
        yield [Hub(*json.loads(process.stdout.readline())) for _ in range(_CROWD)]
        process.communicate("")
        assert process.returncode == 0


@pytest.mark.parametrize("_attempt", range(3))
def test_eight_that_start_at_once_are_one_hub(tmp_path: Path, _attempt: int) -> None:
    with _crowd(tmp_path) as hubs, ThreadPoolExecutor(_CROWD) as threads:
        assert len({hub.key for hub in hubs}) == len({hub.master for hub in hubs}) == 1

        def first_steps(hub: Hub) -> list[httpx.Response]:
            return [
                hub.post("/connectors/notes/create_note", {"title": "first", "body": ""}),
                hub.post("/connectors/sql/query", {"query": "SELECT count(*) AS books FROM books"}),
                hub.post("/connectors/files/write_text_file", {"path": "a/b", "text": "x"}),
                hub.post("/users", {"identifier": "bob"}),
                hub.post("/connectors/notes/create_note", {"title": "once", "body": ""}, **{"Idempotency-Key": "1"}),
            ]

        answers = list(threads.map(first_steps, hubs))
        statuses = [[answer.status_code for answer in each] for each in answers]
        assert [each[:3] for each in statuses] == [[200, 200, 200]] * _CROWD
        assert sorted(each[3] for each in statuses) == [200] + [409] * (_CROWD - 1)
        assert len({each[4].content for each in answers if each[4].status_code == 200}) == 1
        # a token and a note of one hub are good at every other
        crossed = [Hub(hub.url, hub.key, hubs[0].token, hub.master) for hub in hubs]
        notes = [hub.post("/connectors/notes/list_notes", {}).json()["data"] for hub in crossed]
        assert sorted(note["title"] for note in notes[0]) == ["first"] * _CROWD + ["once"]
        assert all(each == notes[0] for each in notes)
    left = [path.name for path in tmp_path.rglob("*") if path.name.startswith(".new-")]
    assert left == []
    assert all(stat.S_IMODE(path.stat().st_mode) & 0o077 == 0 for path in (tmp_path / "hub").iterdir())


def _killed_half_way(folder: Path) -> None:
    """As a hub leaves it that is killed while it makes its first key."""
    program = """
import os, signal, sys
from pathlib import Path
from bosa_hub.private import create_once
create_once(Path(sys.argv[1]), lambda new: new.write_text("half") and os.kill(os.getpid(), signal.SIGKILL))
"""
    command = [sys.executable, "-c", program, str(folder / "hash.key")]
    assert subprocess.run(command, env=_environment(), check=False).returncode == -signal.SIGKILL


def test_what_a_kill_left_half_made_is_gone_when_nobody_can_be_making_it(tmp_path: Path) -> None:
    folder = make_folder(tmp_path / "hub")
    _killed_half_way(folder)
    (left,) = folder.iterdir()
    with running(tmp_path) as hub:
        assert httpx.get(f"{hub.url}/connectors/names").status_code == 200
        assert left.exists()
    two_hours_ago = left.stat().st_mtime - 7200
    os.utime(left, (two_hours_ago, two_hours_ago))
    with running(tmp_path):
        assert not left.exists()


_TOO_LITTLE_ROOM = """
import resource, signal, sys
from pathlib import Path
from bosa_hub.serve import running

signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (4096, 4096))
with running(Path(sys.argv[1])):
    pass
"""


def test_a_folder_without_room_is_said_to_have_none_and_is_used_when_it_has(tmp_path: Path) -> None:
    command = [sys.executable, "-c", _TOO_LITTLE_ROOM, str(tmp_path)]
    failed = subprocess.run(command, capture_output=True, text=True, env=_environment(), check=False)
    said = failed.stderr.splitlines()[-1]
    assert said.startswith(f"bosa_hub.errors.SetupError: {tmp_path} cannot hold the hub's data: ")
    assert said.endswith(". Make room there and let the hub write, or use another folder.")
    with running(tmp_path) as hub:
        assert httpx.get(f"{hub.url}/connectors/names").status_code == 200


def test_a_folder_that_cannot_be_made_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(SetupError, match="file/data cannot hold the hub's data: Not a directory"):
        running(tmp_path / "file" / "data").__enter__()


@pytest.mark.skipif(not Path("/proc/self").exists(), reason="no /proc here")
def test_a_folder_that_nobody_may_write_is_named() -> None:
    with pytest.raises(SetupError, match="/proc/self cannot hold the hub's data: "):
        running(Path("/proc/self")).__enter__()


class Trouble(BaseModel):
    kind: str


class Disk(Connector):
    """Has no room."""

    @action(effect="create")
    async def write(self, request: Trouble, context: Context) -> None:
        """Write where nothing can be written."""
        path = context.root / "full.db"
        if request.kind == "file":
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), path)
        mode = "ro" if request.kind == "read-only" else "rwc"
        sqlite3.connect(path).close()
        with closing(sqlite3.connect(f"{path.as_uri()}?mode={mode}", uri=True)) as connection:
            connection.execute("PRAGMA max_page_count = 1")
            connection.execute("CREATE TABLE t (x)")


@pytest.mark.parametrize("kind", ["file", "read-only", "database"])
def test_a_disk_that_is_full_later_is_said_to_be_full(tmp_path: Path, kind: str) -> None:
    with running(tmp_path, connectors=[Disk()]) as hub:
        headers = {"Authorization": f"Bearer {hub.user_token('ada')}"}
        answer = httpx.post(f"{hub.url}/connectors/disk/write", json={"kind": kind}, headers=headers)
    error = answer.json()["error"]
    assert (answer.status_code, error["code"]) == (507, "INSUFFICIENT_STORAGE")
    assert error["message"] == "The hub's disk is full, or cannot be written. Its operator must free space."
    assert error["recovery"]["retryable"] is False
