"""Without an API the server brings its own hub, and everything in it lasts."""

import os
import signal
import stat
import sys
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
from mcp import Client
from mcp.client.stdio import stdio_client

from .conftest import answer, tools
from .processes import HANDSHAKE, HUB_READY, Server, call, parameters, run, started
from .scripted_api import WAIT


def ask(server: Server, number: int, tool: str, **arguments: object) -> Any:  # noqa: ANN401  JSON
    """The data that a tool answers with."""
    server.send(call(number, tool, **arguments))
    result = server.reply(number)["result"]
    assert not result["isError"], result
    return result["structuredContent"]["data"]


def titles(server: Server, number: int) -> set[str]:
    return {note["title"] for note in ask(server, number, "notes_list_notes")}


async def test_a_client_works_with_the_hub_that_the_server_brings(era: str, tmp_path: Path) -> None:
    with (tmp_path / "stderr").open("w+") as log:
        command = parameters(tmp_path, "serve", "--connectors", "notes, sql")
        async with Client(stdio_client(command, log), mode=era, read_timeout_seconds=WAIT) as client:
            assert {name.partition("_")[0] for name in await tools(client)} == {"notes", "sql", "bosa"}
            note = (await answer(client, "notes_create_note", title="Kyoto", body="größe"))["data"]
            found = await answer(client, "notes_search_notes", query="kyo", response_fields=["id"])
            rows = await answer(client, "sql_query", query="SELECT count(*) AS many FROM books")
        log.seek(0)
        line, *calls = log.read().splitlines()
    assert found["data"] == [{"id": note["id"]}]
    assert rows["data"][0]["many"] > 0
    assert HUB_READY in line
    assert str(tmp_path / "data") in line
    assert ["tool call" in call for call in calls] == [True] * 3


def test_two_servers_started_at_one_moment_on_an_empty_folder_share_what_they_keep(tmp_path: Path) -> None:
    with ExitStack() as all_of_them:
        servers = [all_of_them.enter_context(started(tmp_path)) for _ in range(2)]
        for number, server in enumerate(servers):
            server.send(*HANDSHAKE)
            ask(server, 1, "notes_create_note", title=str(number), body="")
        assert [titles(server, 2) for server in servers] == [{"0", "1"}] * 2
        for server in servers:
            server.end_of_input()
            assert server.wait() == 0

    with started(tmp_path) as later:
        later.send(*HANDSHAKE)
        assert titles(later, 1) == {"0", "1"}
    folders = [path for path in (tmp_path / "data").rglob("*") if path.is_dir()]
    files = [path for path in (tmp_path / "data").rglob("*") if path.is_file()]
    assert {stat.S_IMODE(path.stat().st_mode) for path in (tmp_path / "data", *folders)} == {0o700}
    assert {stat.S_IMODE(path.stat().st_mode) for path in files} == {0o600}


def test_what_was_acknowledged_survives_the_death_of_the_server(tmp_path: Path) -> None:
    with started(tmp_path) as server:
        server.send(*HANDSHAKE)
        note = ask(server, 1, "notes_create_note", title="Kept", body="x" * 100_000)
        ask(server, 2, "files_write_text_file", path="kept.txt", text="kept")
        server.signal(signal.SIGKILL)
        assert server.wait() == -signal.SIGKILL
    with started(tmp_path) as server:
        server.send(*HANDSHAKE)
        assert ask(server, 1, "notes_get_note", id=note["id"]) == note
        assert ask(server, 2, "files_read_text_file", path="kept.txt")["text"] == "kept"


def test_a_user_token_without_an_api_is_a_mistake(tmp_path: Path) -> None:
    done = run(tmp_path, BOSA_USER_TOKEN="eyJsecret")
    assert [done.returncode, done.stdout] == [2, ""]
    [line] = done.stderr.splitlines()
    assert "BOSA_API_BASE_URL" in line
    assert "eyJsecret" not in line


def test_a_data_folder_that_is_a_file_is_one_line(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    done = run(tmp_path, BOSA_DATA_DIR=str(tmp_path / "file"))
    assert [done.returncode, done.stdout] == [2, ""]
    [line] = done.stderr.splitlines()
    assert str(tmp_path / "file") in line


def nowhere(folder: Path) -> Path:
    """A folder in which nothing can be made."""
    if os.geteuid():
        folder.chmod(0o500)
        return folder / "data"
    return Path("/sys/bosa-mcp")


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="root may write everywhere but in /sys")
def test_a_data_folder_that_cannot_be_made_is_one_line_for_the_hub(tmp_path: Path) -> None:
    done = run(tmp_path, "hub", "--port", "0", BOSA_DATA_DIR=str(nowhere(tmp_path)))
    assert [done.returncode, done.stdout] == [2, ""]
    [line] = done.stderr.splitlines()
    assert str(nowhere(tmp_path)) in line


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="root may write everywhere but in /sys")
def test_a_data_folder_that_cannot_be_made_ends_the_server_in_one_line(tmp_path: Path) -> None:
    with started(tmp_path, BOSA_DATA_DIR=str(nowhere(tmp_path))) as server:
        assert server.wait() == 2
        assert len(server.rest()[1].splitlines()) == 1


@pytest.mark.parametrize(("name", "content"), [("client.key", b"no key\n"), ("identity.db", b"no database" * 99)])
def test_a_broken_data_folder_is_one_line(tmp_path: Path, name: str, content: bytes) -> None:
    (tmp_path / "data" / "hub").mkdir(parents=True)
    (tmp_path / "data" / "hub" / name).write_bytes(content)
    done = run(tmp_path, "hub", "--port", "0")
    assert done.returncode in {1, 2}
    assert len(done.stderr.splitlines()) == 1
