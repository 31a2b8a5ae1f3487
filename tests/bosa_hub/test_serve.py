import logging
import os
import socket
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Event

import httpx
import pytest
from anyio import to_thread

from bosa_hub.errors import CannotListen
from bosa_hub.plugin import Connector, action
from bosa_hub.serve import running


class Slow(Connector):
    """Waits until it is told to go on."""

    def __init__(self) -> None:
        self.entered, self.go_on = Event(), Event()

    @action(effect="read")
    async def wait(self) -> str:
        """Wait."""
        self.entered.set()
        await to_thread.run_sync(self.go_on.wait)
        return "finished"


def test_the_hub_is_gone_at_once_even_with_open_connections(tmp_path: Path) -> None:
    with httpx.Client() as client:
        with running(tmp_path) as hub:
            assert client.get(f"{hub.url}/connectors/names").json() == ["files", "notes", "sql"]
            begun = time.monotonic()
        assert time.monotonic() - begun < 1
        with pytest.raises(httpx.TransportError):
            client.get(f"{hub.url}/connectors/names")


def test_a_request_under_way_is_finished(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    slow = Slow()

    class WhenStopping(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            if record.getMessage() == "Shutting down":
                slow.go_on.set()

    logger, handler = logging.getLogger("uvicorn.error"), WhenStopping()
    caplog.set_level(logging.INFO, logger="uvicorn.error")
    logger.addHandler(handler)
    with ThreadPoolExecutor() as threads:
        with running(tmp_path, connectors=[slow]) as hub:
            headers = {"Authorization": f"Bearer {hub.user_token('ada')}"}
            answer = threads.submit(httpx.post, f"{hub.url}/connectors/slow/wait", headers=headers, timeout=20)
            slow.entered.wait()
        assert answer.result().json()["data"] == "finished"
    logger.removeHandler(handler)


def test_a_block_that_fails_stops_the_hub_too(tmp_path: Path) -> None:
    started = running(tmp_path)
    hub = started.__enter__()
    assert not started.__exit__(LookupError, LookupError(), None)
    with pytest.raises(httpx.TransportError):
        httpx.get(hub.url)


def test_a_taken_port_is_said_to_be_taken(tmp_path: Path) -> None:
    with running(tmp_path / "one") as hub:
        port = httpx.URL(hub.url).port
        assert port
        with (
            pytest.raises(CannotListen, match=rf"port {port}: .*Choose another port") as refused,
            running(tmp_path / "two", port=port),
        ):
            pass
        assert isinstance(refused.value, OSError)
        assert refused.value.errno


def test_a_host_that_is_not_ours_is_refused(tmp_path: Path) -> None:
    with pytest.raises(CannotListen, match=r"192\.0\.2\.1"), running(tmp_path, host="192.0.2.1"):
        pass


def test_every_address_of_the_machine_that_is_listened_on_is_answered_for(tmp_path: Path) -> None:
    with running(tmp_path, host="0.0.0.0") as hub:  # noqa: S104  what is tested
        port = httpx.URL(hub.url).port
        assert httpx.get(f"http://127.0.0.2:{port}/connectors/names").status_code == 200
        assert httpx.get(f"http://127.0.0.2:{port}/connectors/names", headers={"Host": "a.test"}).status_code == 421


@pytest.mark.skipif(not socket.has_ipv6, reason="no IPv6 here")
def test_an_ipv6_address_is_bracketed(tmp_path: Path) -> None:
    try:
        with running(tmp_path, host="::1") as hub:
            assert hub.url.startswith("http://[::1]:")
            assert httpx.get(f"{hub.url}/connectors/names").status_code == 200
    except CannotListen:
        pytest.skip("no IPv6 loopback here")


def test_answers_do_not_wait_for_delayed_acknowledgements(tmp_path: Path) -> None:
    with running(tmp_path) as hub, httpx.Client() as client:
        begun = time.monotonic()
        for _ in range(20):
            client.get(f"{hub.url}/connectors/names")
        assert time.monotonic() - begun < 0.6


def test_nothing_is_printed(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    with running(tmp_path) as hub:
        httpx.get(f"{hub.url}/connectors/names")
        httpx.get(f"{hub.url}/nothing")
    assert capfd.readouterr() == ("", "")


def test_importing_the_package_imports_nothing_else() -> None:
    heavy = "{'pydantic', 'starlette', 'uvicorn', 'jwt', 'sqlite3'}"
    with _python(f"import sys, bosa_hub; print({heavy} & set(sys.modules))") as process:
        assert process.communicate()[0] == "set()\n"


_HUB = """
import json, sys
from pathlib import Path
from bosa_hub.serve import running
with running(Path(sys.argv[1])) as hub:
    print(json.dumps([hub.url, hub.client_key, hub.user_token("ada")]), flush=True)
    sys.stdin.read()
"""


def _start(data_dir: Path) -> subprocess.Popen[str]:
    return _python(_HUB, str(data_dir))


def _python(program: str, *arguments: str) -> subprocess.Popen[str]:
    # measuring coverage imports things, and cannot outlive kill -9
    environment = {name: value for name, value in os.environ.items() if not name.startswith("COV")}
    command = [sys.executable, "-c", program, *arguments]
    return subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=environment)


def _said(process: subprocess.Popen[str]) -> tuple[str, str, dict[str, str]]:
    assert process.stdout
    url, key, token = httpx.Response(200, text=process.stdout.readline()).json()
    return url, key, {"X-API-Key": key, "Authorization": f"Bearer {token}"}


@pytest.fixture
def data_dir(tmp_path: Path) -> Path:
    return tmp_path / "data"


def test_what_was_acknowledged_is_there_after_kill_9(data_dir: Path) -> None:
    for number in range(3):
        with _start(data_dir) as process:
            url, _, headers = _said(process)
            note = {"title": f"Note {number}", "body": "kept"}
            file = {"path": f"folder/{number}.txt", "text": "kept"}
            assert httpx.post(f"{url}/connectors/notes/create_note", headers=headers, json=note).status_code == 200
            assert httpx.post(f"{url}/connectors/files/write_text_file", headers=headers, json=file).status_code == 200
            process.kill()
    with running(data_dir) as hub, httpx.Client(base_url=hub.url) as client:
        client.headers = {"Authorization": f"Bearer {hub.user_token('ada')}"}
        notes = client.post("/connectors/notes/list_notes", json={}).json()["data"]
        assert [note["title"] for note in notes] == ["Note 2", "Note 1", "Note 0"]
        files = client.post("/connectors/files/list_files", json={"folder": "folder"}).json()["data"]
        assert [file["size"] for file in files] == [4, 4, 4]


def test_hubs_that_start_at_once_on_an_empty_folder_share_everything(data_dir: Path) -> None:
    processes = [_start(data_dir) for _ in range(3)]
    hubs = [_said(process) for process in processes]
    assert len({key for _, key, _ in hubs}) == 1
    users = {httpx.get(f"{url}/users/me", headers=headers).text for url, _, _ in hubs for _, _, headers in hubs}
    assert len(users) == 1

    def first_steps(hub: tuple[str, str, dict[str, str]]) -> list[int]:
        url, key, headers = hub
        note = {"title": key[-5:], "body": url}
        with httpx.Client(base_url=url, headers=headers, timeout=20) as client:
            return [
                client.post("/connectors/notes/create_note", json=note).status_code,
                client.post("/connectors/sql/query", json={"query": "SELECT count(*) FROM books"}).status_code,
                client.post("/connectors/files/write_text_file", json={"path": "a/b", "text": "x"}).status_code,
                client.post("/users", json={"identifier": "bob"}).status_code,
            ]

    with ThreadPoolExecutor() as threads:
        answers = list(threads.map(first_steps, hubs))
    assert [answer[:3] for answer in answers] == [[200, 200, 200]] * 3
    assert sorted(answer[3] for answer in answers) == [200, 409, 409]
    for url, _, headers in hubs:
        notes = httpx.post(f"{url}/connectors/notes/list_notes", headers=headers, json={}).json()["data"]
        assert {note["body"] for note in notes} == {url for url, _, _ in hubs}
    for process in processes:
        process.communicate("")
        assert process.returncode == 0
