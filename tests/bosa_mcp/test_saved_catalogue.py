"""The last good catalogue is kept on disk, and a server starts with it while the API is slow or down."""

import json
import os
import stat
import time
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path

import anyio
import pytest
from mcp import Client
from mcp.shared.exceptions import MCPError

from bosa_mcp.filters import Filter
from bosa_mcp.saved_catalogue import Shelf

from .conftest import answer, logged, refusal, tools
from .opened import opened
from .scripted_api import WAIT, ScriptedApi, address, fails, reserved_port, says, served, takes

NAMES = "/connectors/names"


@pytest.fixture
def two(api: ScriptedApi) -> ScriptedApi:
    """An API with two connectors."""
    api.offer("shop", "find", takes("query", query={"type": "string"}, page={"type": "integer"}), docstring="Größe: ü.")
    api.offer("shop", "drop", None, **{"x-bosa-effect": "delete"})
    api.offer("office", "find", parameters={})
    return api


@asynccontextmanager
async def client_of(api: str, folder: Path, era: str = "auto", *only: str) -> AsyncGenerator[Client]:
    """A client of a server that keeps what it knows of the API in this folder."""
    async with (
        opened(api, Filter(frozenset(only)), Shelf.of(folder, api)) as (server, _),
        Client(server, mode=era, read_timeout_seconds=WAIT, cache=None) as client,
    ):
        yield client


async def test_a_server_that_finds_the_api_down_serves_what_it_knew(era: str, tmp_path: Path) -> None:
    api = ScriptedApi()
    api.offer("shop", "find", takes("query", query={"type": "string"}))
    api.offer("shop", "nothing", parameters={})
    api.offer("shop", "odd", parameters={}, path="//elsewhere")
    port = reserved_port()
    with served(api, port) as url:
        async with client_of(url, tmp_path, era) as client:
            before = await tools(client)
    with reserved_port() as other:
        async with client_of(address(other), tmp_path, era) as client:
            assert await tools(client) == {}, "another API's tools are not these"
    async with client_of(url, tmp_path, era) as client:
        assert await tools(client) == before
        assert (await refusal(client, "shop_find"))["kind"] == "invalid_arguments"
        with pytest.raises(MCPError, match="cannot be served: its path"):
            await client.call_tool("shop_odd", {})


async def test_a_server_that_knows_a_catalogue_answers_at_once_while_the_api_hangs(
    two: ScriptedApi, era: str, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    async with client_of(two.url, tmp_path, era) as client:
        before = await tools(client)
    two.odd[NAMES] = two.hang
    async with (
        opened(two.url, None, Shelf.of(tmp_path, two.url)) as (server, known),
        known.fresh(0),
        Client(server, mode=era, cache=None) as client,
    ):
        with anyio.fail_after(2):
            assert await tools(client) == before
    [told] = logged(caplog, "the tools come from the last good catalogue")
    assert told["tools"] == 3
    assert 0 <= told["age_seconds"] < WAIT


async def test_a_clock_that_was_set_back_makes_no_catalogue_younger_than_now(
    two: ScriptedApi, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    async with client_of(two.url, tmp_path) as client:
        await tools(client)
    for kept in Shelf.of(tmp_path, two.url).folder.glob("*.json"):
        os.utime(kept, (time.time() + 1000, time.time() + 1000))
    async with client_of(two.url, tmp_path) as client:
        await tools(client)
    [told] = logged(caplog, "the tools come from the last good catalogue")
    assert told["age_seconds"] == 0


async def test_what_a_process_left_that_was_killed_while_it_wrote_does_not_stay(
    two: ScriptedApi, tmp_path: Path
) -> None:
    folder = Shelf.of(tmp_path, two.url).folder
    folder.mkdir(parents=True)
    old, new = folder / ".new-old", folder / ".new-new"
    for left in (old, new):
        left.write_text("{")
    os.utime(old, (time.time() - 7200, time.time() - 7200))
    async with client_of(two.url, tmp_path) as client:
        await tools(client)
    assert (old.exists(), new.exists()) == (False, True)


async def test_a_newer_catalogue_takes_the_place_of_the_kept_one(two: ScriptedApi, tmp_path: Path) -> None:
    async with client_of(two.url, tmp_path) as client:
        await tools(client)
    two.offer("shop", "buy")
    del two.listing["office"]
    async with opened(two.url, None, Shelf.of(tmp_path, two.url)) as (_, known):
        assert set((await known.look()).offers) == {"shop_find", "shop_drop", "office_find"}
        await known.refresh()
        assert set(known.table.offers) == {"shop_find", "shop_drop", "shop_buy"}
    two.odd[NAMES] = fails(500)
    async with client_of(two.url, tmp_path) as client:
        assert set(await tools(client)) == {"shop_find", "shop_drop", "shop_buy"}


async def test_a_server_for_some_connectors_keeps_what_another_has_kept(two: ScriptedApi, tmp_path: Path) -> None:
    async with client_of(two.url, tmp_path) as client:
        await tools(client)
    async with client_of(two.url, tmp_path, "auto", "shop") as client:
        assert set(await tools(client)) == {"shop_find", "shop_drop"}
    two.odd[NAMES] = fails(500)
    async with client_of(two.url, tmp_path) as client:
        assert set(await tools(client)) == {"shop_find", "shop_drop", "office_find"}


async def test_what_another_server_did_not_keep_is_looked_for_before_the_list_is_given(
    two: ScriptedApi, era: str, tmp_path: Path
) -> None:
    async with client_of(two.url, tmp_path, era, "office") as client:
        assert set(await tools(client)) == {"office_find"}
    async with client_of(two.url, tmp_path, era) as client:
        assert set(await tools(client)) == {"shop_find", "shop_drop", "office_find"}


async def test_what_is_kept_is_private_and_holds_no_secret(two: ScriptedApi, tmp_path: Path) -> None:
    async with client_of(two.url, tmp_path) as client:
        await tools(client)
    folder = Shelf.of(tmp_path, two.url).folder
    assert folder.parent == tmp_path / "catalogue"
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    files = list(folder.iterdir())
    assert len(files) == 3
    for file in files:
        assert stat.S_IMODE(file.stat().st_mode) == 0o600
        assert "planted" not in file.read_text()


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"{",
        b"\x00\xff",
        b"[]",
        b'{"format": 1}',
        b'{"format": 2, "connector": "shop", "actions": {}}',
        b'{"format": 1, "connector": "office", "actions": {}}',
        b'{"format": 1, "connector": "shop", "actions": 5}',
        b'{"format": 1, "connector": "shop", "actions": ' + b"[" * 100_000,
    ],
    ids=["empty", "cut off", "no text", "a list", "nothing in it", "another format", "another connector", "5", "deep"],
)
async def test_a_kept_file_that_makes_no_sense_is_passed_over(
    two: ScriptedApi, tmp_path: Path, caplog: pytest.LogCaptureFixture, content: bytes
) -> None:
    async with client_of(two.url, tmp_path) as client:
        before = await tools(client)
    shelf = Shelf.of(tmp_path, two.url)
    [shop] = [file for file in shelf.folder.iterdir() if '"connector":"shop"' in file.read_text()]
    shop.write_bytes(content)
    assert set(shelf.load()) == {"office"}
    [warning] = logged(caplog, "a kept catalogue is passed over")
    assert warning["file"] == str(shop)
    assert warning["reason"]
    async with opened(two.url, None, shelf) as (_, known):
        await known.look()
        await known.look()
        assert set(known.table.offers) == set(before)


async def test_a_kept_action_is_checked_again(two: ScriptedApi, tmp_path: Path) -> None:
    async with client_of(two.url, tmp_path) as client:
        await tools(client)
    shelf = Shelf.of(tmp_path, two.url)
    for file in shelf.folder.glob("*.json"):
        content = json.loads(file.read_text())
        content["actions"]["find"]["path"] = "https://elsewhere.example/collect"
        file.write_text(json.dumps(content))
    assert {name: set(each.catalogue) for name, each in shelf.load().items()} == {"shop": {"drop"}, "office": set()}


async def test_a_folder_that_cannot_be_written_costs_a_line_in_the_log(
    two: ScriptedApi, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "catalogue").write_text("in the way")
    async with client_of(two.url, tmp_path) as client:
        assert set(await tools(client)) == {"shop_find", "shop_drop", "office_find"}
    [warning] = logged(caplog, "the catalogue cannot be kept")
    assert "catalogue" in warning["folder"]


async def test_a_connector_that_could_not_be_kept_is_known_to_be_missing(
    two: ScriptedApi, era: str, tmp_path: Path
) -> None:
    async with client_of(two.url, tmp_path / "elsewhere", era, "shop") as client:
        await tools(client)
    [elsewhere] = Shelf.of(tmp_path / "elsewhere", two.url).folder.glob("*.json")
    shop = two.listing.pop("shop")
    async with client_of(two.url, tmp_path, era) as client:
        assert set(await tools(client)) == {"office_find"}
    (Shelf.of(tmp_path, two.url).folder / elsewhere.name).mkdir()  # in the way
    two.listing["shop"] = shop
    async with opened(two.url, None, Shelf.of(tmp_path, two.url)) as (_, known):
        await known.refresh()
        assert set(known.table.offers) == {"shop_find", "shop_drop", "office_find"}
    two.odd[NAMES] = fails(500)
    async with client_of(two.url, tmp_path, era) as client:
        with pytest.raises(MCPError, match=r"Some tools are missing, for .*shop.* could not be listed"):
            await client.call_tool("shop_find", {"query": "x"})


async def test_nothing_unfinished_stays_and_what_has_not_changed_is_not_written_again(
    two: ScriptedApi, tmp_path: Path
) -> None:
    seconds = iter(range(1_000_000, 2_000_000, 100))
    shelf = Shelf.of(tmp_path, two.url)
    async with opened(two.url, None, shelf, lambda: next(seconds)) as (_, known):
        await known.look()
        first = {file.name: file.stat() for file in shelf.folder.glob("*.json")}
        await known.refresh()
        second = {file.name: file.stat() for file in shelf.folder.glob("*.json")}
    assert {name: each.st_ino for name, each in first.items()} == {name: each.st_ino for name, each in second.items()}
    assert all(second[name].st_mtime > each.st_mtime for name, each in first.items())
    assert all(name.endswith(".json") for name in second)


async def test_a_connector_whose_name_is_a_path_stays_in_the_folder(api: ScriptedApi, tmp_path: Path) -> None:
    api.offer("../../escape", "find", path="/connectors/escape/find")
    async with client_of(api.url, tmp_path / "data") as client:
        assert await tools(client)
    written = {path.parent.parent for path in tmp_path.rglob("*.json")}  # noqa: ASYNC240  nobody else waits
    assert written == {tmp_path / "data" / "catalogue"}


async def test_what_comes_from_disk_can_be_called(two: ScriptedApi, era: str, tmp_path: Path) -> None:
    two.answer("shop/find", says("found"))
    for _ in range(2):
        async with client_of(two.url, tmp_path, era) as client:
            assert (await answer(client, "shop_find", query="x"))["data"] == "found"
    assert [asked.arguments for asked in two.sent("shop/find")] == [{"query": "x"}] * 2
