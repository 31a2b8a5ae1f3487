"""A disk that is full, or may not be written: what happened all the same is said, and nothing half is there."""

import resource
import sys
from pathlib import Path

import httpx
import pytest
from starlette.responses import Response

from .conftest import KEY, TOKEN
from .processes import HANDSHAKE, Server, call, request, run, started
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
    assert done.returncode == 1
    [line] = done.stderr.splitlines()
    assert place in line
    assert "Not a directory" in line
