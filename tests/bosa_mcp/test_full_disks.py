"""A disk that is full, or may not be written: what happened all the same is said, and nothing half is there."""

import json
import os
import resource
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import httpx
import pytest
from starlette.responses import Response

from bosa_hub.serve import RunningHub

from .conftest import KEY, TOKEN
from .processes import COMMAND, HANDSHAKE, Server, call, environment, request, run, started
from .scripted_api import WAIT, Json, ScriptedApi, takes

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="a limit is set on a process that runs")
ROOM = 100_000


@pytest.fixture
def shop(api: ScriptedApi) -> ScriptedApi:
    """An API whose files are larger than there is room for."""
    for action in ("get_report", "create_report"):
        api.offer("shop", action, takes())
        api.answer(f"shop/{action}", Response(bytes(3 * ROOM), media_type="application/pdf"))
    return api


def known(api: ScriptedApi) -> dict[str, str]:
    return {"BOSA_API_BASE_URL": api.url, "BOSA_API_KEY": KEY, "BOSA_USER_TOKEN": TOKEN}


def fill_up(server: Server) -> None:
    """From now on no file of the process can have more bytes than there is room for."""
    resource.prlimit(server.process.pid, resource.RLIMIT_FSIZE, (ROOM, ROOM))


def error(server: Server, number: int, tool: str) -> Json:
    server.send(call(number, tool))
    return server.reply(number)["result"]["structuredContent"]["error"]


def test_a_file_for_which_there_is_no_room_is_not_there_and_what_was_done_is_said(
    shop: ScriptedApi, tmp_path: Path
) -> None:
    with started(tmp_path, **known(shop)) as server:
        server.send(*HANDSHAKE, request(1, "tools/list"))
        server.reply(1)
        fill_up(server)
        read, written = error(server, 2, "shop_get_report"), error(server, 3, "shop_create_report")
        server.send(request(4, "resources/list"))
        assert server.reply(4)["result"]["resources"] == []
        server.end_of_input()
        assert server.wait() == 0
    assert (read["kind"], written["kind"]) == ("internal_error", "internal_error")
    assert "File too large" in read["message"]
    assert "File too large" in written["message"]
    assert "was carried out" in written["message"]
    assert "do not call it again" in written["hint"]
    assert not [path for path in (tmp_path / "data" / "files").rglob("*") if path.is_file()]


def test_what_is_left_over_http_and_has_no_room_is_refused(shop: ScriptedApi, tmp_path: Path) -> None:
    with started(tmp_path, "serve", "--transport", "http", "--port", "0", **known(shop)) as server:
        url = server.log_line("ready ").split()[1]
        fill_up(server)
        refused = httpx.post(f"{url}/files", content=bytes(3 * ROOM), timeout=WAIT)
    assert refused.status_code == 507
    assert "File too large" in refused.json()["error"]["message"]


def test_a_data_folder_that_cannot_be_is_said_in_a_line(shop: ScriptedApi, tmp_path: Path) -> None:
    (tmp_path / "in the way").write_text("")
    place = str(tmp_path / "in the way" / "files")
    done = run(tmp_path, "serve", "--store", f"file://{place}", **known(shop))
    assert done.returncode == 2
    [line] = done.stderr.splitlines()
    assert place in line
    assert "Not a directory" in line


def as_others(folder: Path, *arguments: str, **settings: str) -> subprocess.CompletedProcess[str]:
    """`bosa-mcp`, run to its end as somebody to whom the modes of folders apply."""
    bound: list[str] = []
    if os.geteuid() == 0:
        setpriv = shutil.which("setpriv") or pytest.skip("root may write everywhere, and setpriv is not here")
        bound = [setpriv, "--bounding-set=-dac_override,-dac_read_search"]
    return subprocess.run(
        [*bound, *COMMAND, *arguments],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        env=environment(folder, **settings),
        cwd=folder,
        timeout=2 * WAIT,
        check=False,
        text=True,
        encoding="utf-8",
    )


def read_only(folder: Path) -> Path:
    folder.mkdir(0o500, parents=True)
    return folder


def printed(done: subprocess.CompletedProcess[str]) -> Any:  # noqa: ANN401  JSON
    return json.loads(done.stdout)


def test_a_file_that_may_not_be_saved_is_kept_all_the_same(tmp_path: Path) -> None:
    downloads = read_only(tmp_path / "data" / "downloads")
    answered = printed(as_others(tmp_path, "call", "notes_export_notes"))
    assert answered["data"].keys() == {"uri", "name", "mime_type", "size", "sha256"}
    [note] = answered["notes"]
    assert note == f"It could not be saved below {downloads}: Permission denied. It can be read as a resource."


def test_a_store_that_may_only_be_read_says_so(tmp_path: Path) -> None:
    store = read_only(tmp_path / "store")
    done = as_others(tmp_path, "call", "notes_export_notes", "--store", f"file://{store}")
    error = printed(done)["error"]
    assert (done.returncode, error["kind"]) == (1, "internal_error")
    assert "The store cannot be used: Permission denied" in error["message"]


@pytest.mark.parametrize("command", ["serve", "hub --port 0", "call notes_list_notes"])
def test_a_data_folder_that_may_only_be_read_is_said_in_a_line(tmp_path: Path, command: str) -> None:
    place = str(read_only(tmp_path / "read-only"))
    done = as_others(tmp_path, *command.split(), "--data-dir", place)
    assert done.returncode == 2
    [line] = done.stderr.splitlines()
    assert place in line
    assert "Permission denied" in line


def test_a_login_that_may_not_be_kept_says_so_and_shows_the_secret_that_was_made(
    hub: RunningHub, tmp_path: Path
) -> None:
    place = str(read_only(tmp_path / "read-only"))
    known = {"BOSA_API_BASE_URL": hub.url, "BOSA_API_KEY": hub.client_key, "BOSA_DATA_DIR": place}
    done = as_others(tmp_path, "login", "--new", tmp_path.name, **known)
    assert (done.returncode, done.stdout) == (1, "")
    assert "sk-user-" in done.stderr
    assert "Permission denied" in done.stderr.splitlines()[-1]
    (Path(place) / "login.json").write_text("")
    forgotten = as_others(tmp_path, "login", "--forget", **known)
    assert (forgotten.returncode, len(forgotten.stderr.splitlines())) == (1, 1)
    assert "Permission denied" in forgotten.stderr
