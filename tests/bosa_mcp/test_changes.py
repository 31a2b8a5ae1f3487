"""A changed catalogue takes the place of the one that is served, and every connected client is told."""

import math
import signal
from collections.abc import AsyncGenerator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path

import anyio
import mcp_types as types
import pytest
from mcp import Client
from mcp.shared.exceptions import MCPError
from mcp.shared.memory import create_client_server_memory_streams
from mcp.shared.message import SessionMessage
from starlette.responses import JSONResponse

from bosa_connectors import Catalogue
from bosa_mcp.changes import Changes, ToolsListChanged
from bosa_mcp.refresh import FIRST_BUDGET, FIRST_PAUSE, LEAD, LONGEST_BUDGET, PATIENCE, budget, longest_wait, pause
from bosa_mcp.saved_catalogue import Listed
from bosa_mcp.table import Table

from .conftest import logged, tools
from .opened import Opened, opened
from .processes import HANDSHAKE, request, started
from .scripted_api import WAIT, ScriptedApi, fails, takes

NAMES = "/connectors/names"


@pytest.fixture
def shop(api: ScriptedApi) -> ScriptedApi:
    """An API with one connector."""
    api.offer("shop", "find")
    return api


class Listener:
    """A client that counts how often it was told that the tools have changed."""

    def __init__(self) -> None:
        self.told = 0
        self._more = anyio.Event()

    def hear(self) -> None:
        self.told += 1
        self._more.set()

    async def until(self, times: int) -> None:
        with anyio.fail_after(WAIT):
            while self.told < times:
                await self._more.wait()
                self._more = anyio.Event()


@asynccontextmanager
async def listening(served: Opened, era: str) -> AsyncGenerator[tuple[Client, Listener]]:
    """A client of this era that listens."""
    listener = Listener()

    async def on_message(message: object) -> None:
        if era == "legacy" and isinstance(message, types.ToolListChangedNotification):
            listener.hear()

    async with Client(served.server, mode=era, message_handler=on_message, cache=None) as client:
        if era == "legacy":
            await client.list_tools()
            yield client, listener
            return
        async with anyio.create_task_group() as group, client.listen(tools_list_changed=True) as events:

            async def hear() -> None:
                async for _ in events:
                    listener.hear()

            group.start_soon(hear)
            yield client, listener
            group.cancel_scope.cancel()


async def test_a_client_is_told_of_a_new_tool_and_finds_it(shop: ScriptedApi, era: str) -> None:
    async with opened(shop.url) as served, served.tools.fresh(0):
        await served.tools.look()
        async with listening(served, era) as (client, listener):
            assert set(await tools(client)) == {"shop_find"}
            shop.offer("shop", "buy")
            served.tools.wake()
            await listener.until(1)
            assert set(await tools(client)) == {"shop_find", "shop_buy"}


async def test_a_client_is_told_that_it_will_be_told(shop: ScriptedApi, era: str) -> None:
    async with opened(shop.url) as served, Client(served.server, mode=era) as client:
        capabilities = client.server_capabilities
        assert capabilities is not None
        assert capabilities.tools is not None
        assert capabilities.tools.list_changed is True


@pytest.mark.parametrize(
    "change",
    [{"docstring": "Another."}, {"parameters": {"request": {"schema": takes(a={})}}}, {"x-bosa-effect": "delete"}],
    ids=["description", "arguments", "effect"],
)
async def test_a_client_is_told_of_a_tool_that_is_another_now(
    shop: ScriptedApi, era: str, change: dict[str, object]
) -> None:
    async with opened(shop.url) as served, served.tools.fresh(0):
        await served.tools.look()
        async with listening(served, era) as (client, listener):
            before = (await tools(client))["shop_find"]
            shop.listing["shop"]["find"] |= change
            served.tools.wake()
            await listener.until(1)
            assert (await tools(client))["shop_find"] != before


async def test_nobody_is_told_where_nothing_has_changed(shop: ScriptedApi, era: str) -> None:
    async with opened(shop.url) as served, served.tools.fresh(0):
        await served.tools.look()
        async with listening(served, era) as (_, listener):
            shop.listing["shop"]["find"] = dict(reversed(shop.listing["shop"]["find"].items()))
            await served.tools.refresh()
            shop.offer("shop", "buy")
            await served.tools.refresh()
            await listener.until(1)
        assert listener.told == 1


async def test_the_catalogue_is_looked_at_from_time_to_time(shop: ScriptedApi, era: str) -> None:
    async with opened(shop.url) as served, served.tools.fresh(0.05), listening(served, era) as (client, listener):
        await client.list_tools()
        shop.offer("shop", "buy")
        await listener.until(1)
        del shop.listing["shop"]["buy"]
        await listener.until(2)
        assert set(await tools(client)) == {"shop_find"}


async def test_a_call_under_way_ends_as_it_began_while_the_catalogue_changes(shop: ScriptedApi, era: str) -> None:
    shop.answer("shop/find", shop.hang)
    async with opened(shop.url) as served, Client(served.server, mode=era) as client:
        await client.list_tools()
        async with anyio.create_task_group() as group:
            group.start_soon(client.call_tool, "shop_find")
            assert await anyio.to_thread.run_sync(shop.reached.wait, WAIT)
            del shop.listing["shop"]["find"]
            await served.tools.refresh()
            assert not shop.abandoned.is_set()
            group.cancel_scope.cancel()


async def test_all_clients_of_both_eras_are_told(shop: ScriptedApi) -> None:
    async with opened(shop.url) as served, served.tools.fresh(0), AsyncExitStack() as stack:
        await served.tools.look()
        clients = [await stack.enter_async_context(listening(served, era)) for era in ("auto", "legacy") * 3]
        shop.offer("shop", "buy")
        served.tools.wake()
        for _, listener in clients:
            await listener.until(1)


@asynccontextmanager
async def stuck(served: Opened) -> AsyncGenerator[None]:
    """A client that shook hands and listed the tools, and whose connection is open while nobody reads it."""
    async with anyio.create_task_group() as group, create_client_server_memory_streams() as (ours, theirs):
        group.start_soon(served.server.run, *theirs, served.server.create_initialization_options())
        read, write = ours
        for message in (*HANDSHAKE, request(1, "tools/list")):
            await write.send(SessionMessage(types.jsonrpc_message_adapter.validate_python(message)))
            if "id" in message:
                await read.receive()
        yield
        group.cancel_scope.cancel()


async def test_a_client_that_reads_no_more_holds_up_no_other(shop: ScriptedApi) -> None:
    async with opened(shop.url) as served, served.tools.fresh(0), stuck(served), listening(served, "legacy") as client:
        assert served.tools.changes.connected == 2
        shop.offer("shop", "buy")
        served.tools.wake()
        await client[1].until(1)


async def test_a_notification_that_nobody_takes_is_given_up(shop: ScriptedApi) -> None:
    async with opened(shop.url) as served:
        changes = Changes(patience=0.01)
        served.server.middleware.append(changes.remember)
        async with stuck(served), changes.telling():
            assert changes.connected == 1
            for _ in range(2):
                changes.announce(ToolsListChanged())
                with anyio.fail_after(WAIT):
                    await changes.told()


async def test_a_client_that_has_left_is_forgotten(shop: ScriptedApi) -> None:
    async with opened(shop.url) as served:
        for _ in range(3):
            async with Client(served.server, mode="legacy") as client:
                await client.list_tools()
                assert served.tools.changes.connected == 1
            assert served.tools.changes.connected == 0
        async with Client(served.server, mode="auto") as client:
            await client.list_tools()
            assert served.tools.changes.connected == 0, "this era has no connections to remember"


async def test_a_connector_that_fails_keeps_its_last_good_tools(
    shop: ScriptedApi, era: str, caplog: pytest.LogCaptureFixture
) -> None:
    shop.offer("office", "find")
    async with opened(shop.url) as served, Client(served.server, mode=era, cache=None) as client:
        assert set(await tools(client)) == {"shop_find", "office_find"}
        shop.odd["/connectors/?modules=office"] = fails(500)
        shop.offer("shop", "buy")
        await served.tools.refresh()
        assert set(await tools(client)) == {"shop_find", "office_find", "shop_buy"}
        assert set(served.tools.table.missing) == {"office"}
    [warning] = logged(caplog, "a connector could not be listed")
    assert (warning["connector"], warning["tools"]) == ("office", "as they were listed before")


async def test_a_look_that_takes_too_long_serves_what_has_come(shop: ScriptedApi) -> None:
    shop.offer("office", "find")
    shop.odd["/connectors/?modules=office"] = shop.hang
    async with opened(shop.url) as served:
        await served.tools.refresh(budget=0.5)
        assert set(served.tools.table.offers) == {"shop_find"}
        assert "took longer than 0.5 s" in served.tools.table.missing["office"]
        shop.odd[NAMES] = shop.hang
        await served.tools.refresh(budget=0.5)
        assert set(served.tools.table.offers) == {"shop_find"}
        assert set(served.tools.table.missing) == {"office", "*"}


async def test_a_list_waits_for_a_hanging_connector_no_longer_than_a_client_does(shop: ScriptedApi, era: str) -> None:
    shop.offer("office", "find")
    shop.odd["/connectors/?modules=office"] = fails(500)
    async with opened(shop.url) as served, Client(served.server, mode=era) as client:
        assert set(await tools(client)) == {"shop_find"}
        shop.odd["/connectors/?modules=office"] = shop.hang
        with anyio.fail_after(5):
            assert set(await tools(client)) == {"shop_find"}


async def test_a_vanished_tool_says_what_became_of_it(shop: ScriptedApi, era: str) -> None:
    shop.offer("shop", "buy")
    shop.offer("office", "find")
    async with opened(shop.url, clock=lambda: 1_790_000_000.0) as served, Client(served.server, mode=era) as client:
        await client.list_tools()
        del shop.listing["shop"]["buy"], shop.listing["office"]
        await served.tools.refresh()
        with pytest.raises(MCPError, match="until 2026-09-21 14:13 UTC: the connector shop no longer lists it") as gone:
            await client.call_tool("shop_buy", {})
        assert gone.value.code == types.INVALID_PARAMS
        with pytest.raises(MCPError, match="the API no longer has the connector office"):
            await client.call_tool("office_find", {})
        shop.offer("shop", "buy")
        shop.answer("shop/buy", JSONResponse({"data": 1, "meta": None}))
        await served.tools.refresh()
        assert not (await client.call_tool("shop_buy", {})).is_error


async def test_an_action_that_makes_no_sense_any_more_says_so(shop: ScriptedApi, era: str) -> None:
    async with opened(shop.url) as served, Client(served.server, mode=era) as client:
        await client.list_tools()
        shop.listing["shop"]["find"]["path"] = "https://elsewhere.example/collect"
        await served.tools.refresh()
        with pytest.raises(MCPError, match="cannot be served: its path"):
            await client.call_tool("shop_find", {})


def test_sighup_has_the_catalogue_looked_at_and_the_client_told(shop: ScriptedApi, tmp_path: Path) -> None:
    with started(tmp_path, BOSA_API_BASE_URL=shop.url, BOSA_REFRESH="0", BOSA_EXCLUDE="bosa_*") as server:
        server.send(*HANDSHAKE, request(1, "tools/list"))
        listed = server.reply(1)["result"]["tools"]
        assert [tool["name"] for tool in listed] == ["shop_find"]
        shop.offer("shop", "buy")
        server.signal(signal.SIGHUP)
        assert "notifications/tools/list_changed" in server.line("list_changed")
        server.send(request(2, "tools/list"))
        assert len(server.reply(2)["result"]["tools"]) == 2
        server.end_of_input()
        assert server.wait() == 0


def test_a_list_waits_for_what_is_missing_no_longer_than_for_the_first_look() -> None:
    known = Listed(Catalogue("shop", {}, {}), "digest", 0)
    assert longest_wait(None) == math.inf  # the look itself has a budget
    assert longest_wait(Table(missing={"*": "down"})) == FIRST_BUDGET + LEAD
    assert longest_wait(Table(listed={"shop": known}, missing={"bank": "down"})) == PATIENCE


def test_looks_that_find_something_missing_come_sooner_and_take_longer() -> None:
    assert [budget(failures) for failures in range(5)] == [FIRST_BUDGET, 20, 40, LONGEST_BUDGET, LONGEST_BUDGET]
    assert [pause(300, failures) for failures in (0, 1, 2, 3)] == [300, FIRST_PAUSE, 10, 20]
    assert pause(300, 1_000_000) == 300
    assert pause(3, 1) == 3
    assert budget(1_000_000) == LONGEST_BUDGET
    assert pause(0, 5) == math.inf
