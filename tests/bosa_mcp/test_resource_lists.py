"""A long list of what is kept comes in pages that clients take."""

from pathlib import Path
from shutil import rmtree

import mcp_types as types
import pytest
from mcp import Client, MCPError
from mcp.server import Server
from starlette.responses import Response

from bosa_connectors.calls import Credentials
from bosa_mcp.access import Caller
from bosa_mcp.resources import PAGE, handlers
from bosa_mcp.store import Store

from .opened import opened
from .scripted_api import ScriptedApi
from .test_store import chunks

LARGEST_MESSAGE = 1 << 20
"""Bytes of one that clients of this kind take."""


async def test_whoever_has_many_files_gets_all_of_them_page_after_page(era: str) -> None:
    store = Store.at("memory://")
    kept = {
        (await store.keep("me", "files", chunks(b"x"), name=f"{'n' * 100}{number}", mime_type="text/plain")).uri
        for number in range(PAGE + 5)
    }
    kept.add((await store.keep("me", "results", chunks(b"{}"), name="r", mime_type="application/json")).uri)
    server = Server("bosa", **handlers(store, lambda _: Caller("me", Credentials())))
    async with Client(server, mode=era) as client:
        first = await client.list_resources()
        second = await client.list_resources(cursor=first.next_cursor)
        with pytest.raises(MCPError, match="list from the beginning"):
            await client.list_resources(cursor="bosa://files/else")
    assert [len(first.resources), second.next_cursor] == [PAGE, None]
    assert {each.uri for each in (*first.resources, *second.resources)} == kept
    assert len(first.model_dump_json()) < LARGEST_MESSAGE / 2


async def test_of_a_store_that_fails_a_client_is_told_the_reason_and_no_place(
    api: ScriptedApi, era: str, tmp_path: Path
) -> None:
    api.offer("shop", "get_file")
    api.answer("shop/get_file", Response(b"x", media_type="text/plain"))
    folder = tmp_path / "store"
    async with opened(api.url, store=Store.at(folder)) as (server, _), Client(server, mode=era) as client:
        called = await client.call_tool("shop_get_file")
        assert called.structured_content
        uri = called.structured_content["data"]["uri"]
        [record] = folder.rglob("*.json")
        record.write_text('{"id": ')
        assert (await client.list_resources()).resources == []
        rmtree(folder)
        folder.write_text("in the way")
        with pytest.raises(MCPError) as listing:
            await client.list_resources()
        with pytest.raises(MCPError) as reading:
            await client.read_resource(uri)
    for told in (listing.value.error, reading.value.error):
        assert told.code == types.INTERNAL_ERROR
        assert told.message == "The store cannot be used: Not a directory."


async def test_what_is_read_names_no_secret_and_a_name_hides_nothing(era: str) -> None:
    store = Store.at("memory://")
    kept = await store.keep(
        "me", "files", chunks(b"key: planted-secret-1"), name="a\u202eb.txt", mime_type="text/plain"
    )
    server = Server("bosa", **handlers(store, lambda _: Caller("me", Credentials(api_key="planted-secret-1"))))
    async with Client(server, mode=era) as client:
        [listed] = (await client.list_resources()).resources
        [read] = (await client.read_resource(kept.uri)).contents
    assert listed.name == "ab.txt"
    assert isinstance(read, types.TextResourceContents)
    assert read.text == "key: [hidden]"
