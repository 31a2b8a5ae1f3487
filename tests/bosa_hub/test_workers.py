"""Several processes on one data folder are one hub."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Generator, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from uuid import uuid4

import httpx
import pytest

from bosa_hub.errors import SetupError
from bosa_hub.workers import running_workers

_PROGRAM = Path(__file__).with_name("hub_program.py")


@dataclass(frozen=True, slots=True)
class Hub:
    process: subprocess.Popen[str]
    data_dir: Path
    url: str
    key: str
    token: str

    def post(self, path: str, body: object, **headers: str) -> httpx.Response:
        """One request on a connection of its own, which any of the processes may take."""
        ours = {"X-API-Key": self.key, "Authorization": f"Bearer {self.token}", **headers}
        return httpx.post(f"{self.url}{path}", json=body, headers=ours, timeout=20)

    def which(self) -> int:
        return self.post("/connectors/bench/which", {}).json()["data"]

    def all_of(self, count: int) -> set[int]:
        found: set[int] = set()
        _until(lambda: len(found.add(self.which()) or found) == count)
        return found

    def bench_folder(self) -> Path:
        user = httpx.get(f"{self.url}/users/me", headers={"Authorization": f"Bearer {self.token}"}).json()["data"]["id"]
        return self.data_dir / "hub" / "users" / user / "bench"


def _until(happens: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 20
    while not happens():
        assert time.monotonic() < deadline
        time.sleep(0.01)  # other processes: there is no event to wait for


@contextmanager
def _started(data_dir: Path, workers: int) -> Generator[Hub]:
    # measuring coverage cannot outlive kill -9
    environment = {name: value for name, value in os.environ.items() if not name.startswith("COV")}
    command = [sys.executable, str(_PROGRAM), str(data_dir), str(workers)]
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=environment, start_new_session=True
    ) as process:
        try:
            assert process.stdout
            yield Hub(process, data_dir, *json.loads(process.stdout.readline()))
        finally:
            process.terminate()


@pytest.fixture(scope="module")
def hub(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Hub]:
    with _started(tmp_path_factory.mktemp("data"), 2) as started:
        yield started


def test_each_process_answers(hub: Hub) -> None:
    assert hub.process.pid not in hub.all_of(2)


def test_what_one_process_was_told_the_other_knows(hub: Hub) -> None:
    def life_of(name: str) -> list[int]:
        user = hub.post("/users", {"identifier": name})
        secret = user.json()["data"]["secret"]
        token = hub.post("/auth/tokens", {"identifier": name, "secret": secret})
        bearer = f"Bearer {token.json()['data']['token']}"
        note = hub.post("/connectors/notes/create_note", {"title": name, "body": ""}, Authorization=bearer)
        wanted = {"id": note.json()["data"]["id"]}
        answers = [hub.post("/connectors/notes/get_note", wanted, Authorization=bearer) for _ in range(4)]
        assert {each.json()["data"]["title"] for each in answers} == {name}
        stranger = hub.post("/connectors/notes/get_note", wanted)
        return [user.status_code, token.status_code, note.status_code, stranger.status_code]

    with ThreadPoolExecutor(4) as threads:
        assert list(threads.map(life_of, (uuid4().hex for _ in range(8)))) == [[200, 200, 200, 404]] * 8


def test_a_request_that_one_process_runs_is_not_run_by_the_other(hub: Hub) -> None:
    folder, key, body = hub.bench_folder(), uuid4().hex, {"until": "told"}

    def hang() -> httpx.Response:
        return hub.post("/connectors/bench/hang", body, **{"Idempotency-Key": key})

    with ThreadPoolExecutor() as threads:
        first = threads.submit(hang)
        _until((folder / "told.begun").exists)
        early = [hang() for _ in range(12)]
        (folder / "told").touch()
        assert {(each.status_code, each.json()["error"]["code"]) for each in early} == {(409, "STILL_RUNNING")}
        answered = first.result().content
        assert {hang().content for _ in range(12)} == {answered}
    assert (folder / "told.begun").read_text().count("\n") == 1


def test_a_process_that_dies_is_replaced_and_what_it_did_is_unknown(hub: Hub) -> None:
    folder, key, before = hub.bench_folder(), uuid4().hex, hub.all_of(2)

    def hang() -> httpx.Response:
        return hub.post("/connectors/bench/hang", {"until": "never"}, **{"Idempotency-Key": key})

    with ThreadPoolExecutor() as threads:
        lost = threads.submit(hang)
        _until(lambda: (folder / "never.begun").exists() and (folder / "never.begun").read_text().endswith("\n"))
        victim = int((folder / "never.begun").read_text())
        os.kill(victim, signal.SIGKILL)
        assert isinstance(lost.exception(), httpx.TransportError)
    assert {hang().json()["error"]["code"] for _ in range(8)} == {"OUTCOME_UNKNOWN"}
    after: set[int] = set()
    _until(lambda: len(after.add(hub.which()) or after - before) == 1)
    assert victim in before
    assert after - before == hub.all_of(2) - before


@pytest.mark.parametrize(("number", "workers"), [(signal.SIGINT, 2), (signal.SIGTERM, 2), (signal.SIGTERM, 0)])
def test_all_stop_promptly_even_when_an_action_hangs(tmp_path: Path, number: signal.Signals, workers: int) -> None:
    with _started(tmp_path, workers) as hub, ThreadPoolExecutor() as threads:
        pids, folder = hub.all_of(workers or 1), hub.bench_folder()
        hanging = threads.submit(hub.post, "/connectors/bench/hang", {"until": "never"})
        _until((folder / "never.begun").exists)
        begun = time.monotonic()
        os.killpg(hub.process.pid, number)  # as a terminal and a service manager do
        assert hub.process.wait(20) == 128 + number
        assert time.monotonic() - begun < 6
        assert not any(map(_is_alive, pids))
        assert hanging.exception() or hanging.result().status_code >= 500


def test_no_process_outlives_the_first(tmp_path: Path) -> None:
    with _started(tmp_path, 2) as hub:
        pids = hub.all_of(2)
        hub.process.kill()
        _until(lambda: not any(map(_is_alive, pids)))
        with pytest.raises(httpx.TransportError):
            hub.which()


def _is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


def test_a_process_that_cannot_start_stops_the_hub(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    load = partial(sys.exit, "There is no such connector.")
    with pytest.raises(SetupError, match="failed at its start"), running_workers(2, tmp_path, connectors=load):
        pass
    assert "There is no such connector." in capfd.readouterr().err
