"""The tools are looked up when they are needed, and looked for again while something is missing."""

from contextlib import ExitStack

import anyio
import pytest
from anyio import to_thread
from mcp import Client
from mcp.shared.exceptions import MCPError
from mcp_types import INVALID_PARAMS
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from .conftest import Connect, answer, logged, tools
from .scripted_api import WAIT, Answer, ScriptedApi, address, fails, reserved_port, says, served

NAMES = "/connectors/names"


@pytest.fixture
def two(api: ScriptedApi) -> ScriptedApi:
    """An API with two connectors."""
    api.offer("shop", "find")
    api.offer("office", "find")
    api.answer("shop/find", says("found"))
    return api


def paths(api: ScriptedApi) -> list[str]:
    return [asked.path for asked in api.asked if not asked.path.endswith("/auth-schema")]


async def test_a_server_starts_while_the_api_is_down_and_finds_its_tools_later(
    connect: Connect, caplog: pytest.LogCaptureFixture
) -> None:
    api = ScriptedApi()
    api.offer("shop", "find")
    api.answer("shop/find", says("found"))
    port = reserved_port()
    async with connect(address(port)) as client:
        assert await tools(client) == {}
        with pytest.raises(MCPError, match="Some tools are missing, for the API could not be listed") as unknown:
            await client.call_tool("shop_find", {})
        assert unknown.value.code == INVALID_PARAMS
        with served(api, port):
            assert set(await tools(client)) == {"shop_find"}
            assert (await answer(client, "shop_find"))["data"] == "found"
    warnings = logged(caplog, "the API could not be listed")
    assert [entry["tools"] for entry in warnings] == ["none", "none"]
    assert "cannot be reached" in warnings[0]["reason"]


async def test_a_call_looks_for_a_tool_that_was_missing(connect: Connect) -> None:
    api = ScriptedApi()
    api.offer("shop", "find")
    api.answer("shop/find", says("found"))
    port = reserved_port()
    async with connect(address(port)) as client:
        assert await tools(client) == {}
        with served(api, port):
            assert (await answer(client, "shop_find"))["data"] == "found"


async def test_tools_stay_when_the_api_vanishes(two: ScriptedApi, connect: Connect) -> None:
    api = ScriptedApi(listing=two.listing)
    with ExitStack() as up:
        url = up.enter_context(served(api, reserved_port()))
        async with connect(url) as client:
            before = await tools(client)
            up.close()
            assert await tools(client) == before


async def test_a_list_that_is_complete_is_not_asked_for_again(two: ScriptedApi, connect: Connect) -> None:
    async with connect(two.url) as client:
        assert await tools(client) == await tools(client)
        assert (await answer(client, "shop_find"))["data"] == "found"
    assert paths(two).count(NAMES) == 1


@pytest.mark.parametrize(
    "broken",
    [
        fails(500),
        fails(404),
        Response(b"{", media_type="application/json"),
        JSONResponse([]),
        JSONResponse({}),
        JSONResponse({"office": []}),
    ],
    ids=["500", "404", "no JSON", "a list", "not in it", "no actions by name"],
)
async def test_a_connector_that_cannot_be_listed_costs_no_other_and_is_looked_for_again(
    two: ScriptedApi, connect: Connect, caplog: pytest.LogCaptureFixture, broken: Response
) -> None:
    two.odd["/connectors/?modules=office"] = broken
    async with connect(two.url) as client:
        assert set(await tools(client)) == {"shop_find"}
        assert (await answer(client, "shop_find"))["data"] == "found"
        with pytest.raises(MCPError, match="Some tools are missing, for office could not be listed"):
            await client.call_tool("office_find", {})
        del two.odd["/connectors/?modules=office"]
        assert set(await tools(client)) == {"shop_find", "office_find"}
    assert paths(two).count("/connectors/?modules=shop") == 1
    assert {entry["connector"] for entry in logged(caplog, "a connector could not be listed")} == {"office"}
    assert all(entry["reason"] for entry in logged(caplog, "a connector could not be listed"))


async def test_what_was_found_stays_while_the_rest_is_looked_for(two: ScriptedApi, connect: Connect) -> None:
    two.odd["/connectors/?modules=office"] = fails(500)
    async with connect(two.url) as client:
        assert set(await tools(client)) == {"shop_find"}
        two.odd[NAMES] = fails(500)
        assert set(await tools(client)) == {"shop_find"}
        two.odd.clear()
        assert set(await tools(client)) == {"shop_find", "office_find"}


async def test_twenty_lists_at_once_ask_the_api_once(two: ScriptedApi, connect: Connect) -> None:
    listed: list[set[str]] = []

    async def list_tools(client: Client) -> None:
        listed.append(set(await tools(client)))

    async with connect(two.url) as client, anyio.create_task_group() as group:
        for _ in range(20):
            group.start_soon(list_tools, client)
    assert listed == [{"shop_find", "office_find"}] * 20
    assert sorted(paths(two)) == ["/connectors/?modules=office", "/connectors/?modules=shop", NAMES]


async def test_a_list_that_the_client_gives_up_blocks_no_other(two: ScriptedApi, connect: Connect) -> None:
    two.odd[NAMES] = two.hang
    async with connect(two.url) as client:
        async with anyio.create_task_group() as group:
            group.start_soon(client.list_tools)
            assert await to_thread.run_sync(two.reached.wait, WAIT)
            group.cancel_scope.cancel()
        assert await to_thread.run_sync(two.abandoned.wait, WAIT)
        del two.odd[NAMES]
        assert set(await tools(client)) == {"shop_find", "office_find"}


async def test_only_the_connectors_that_were_chosen_are_asked_for(two: ScriptedApi, connect: Connect) -> None:
    async with connect(two.url, "shop") as client:
        assert set(await tools(client)) == {"shop_find"}
        with pytest.raises(MCPError):
            await client.call_tool("office_find", {})
    assert paths(two) == [NAMES, "/connectors/?modules=shop"]


async def test_a_chosen_connector_that_the_api_does_not_have_is_warned_of_once_and_costs_no_further_look(
    two: ScriptedApi, connect: Connect, caplog: pytest.LogCaptureFixture
) -> None:
    async with connect(two.url, "shop", "shoop") as client:
        for _ in range(3):
            assert set(await tools(client)) == {"shop_find"}
    assert paths(two) == [NAMES, "/connectors/?modules=shop"]
    [warning] = logged(caplog, "a setting matches nothing")
    assert (warning["setting"], warning["value"], warning["nearest"]) == ("BOSA_CONNECTORS", "shoop", "shop")
    assert warning["level"] == "warning"


async def test_a_chosen_connector_that_is_the_only_one_and_not_there_is_warned_of(
    two: ScriptedApi, connect: Connect, caplog: pytest.LogCaptureFixture
) -> None:
    async with connect(two.url, "shoop") as client:
        assert await tools(client) == {}
    [warning] = logged(caplog, "a setting matches nothing")
    assert (warning["value"], warning["nearest"]) == ("shoop", "shop")


@pytest.mark.parametrize("status", [404, 405])
async def test_an_api_of_the_older_family_has_its_tools(two: ScriptedApi, connect: Connect, status: int) -> None:
    two.odd[NAMES] = fails(status)
    async with connect(two.url) as client:
        assert set(await tools(client)) == {"shop_find", "office_find"}


@pytest.mark.parametrize(
    "names",
    [fails(401), fails(500), Response(b"<html>", media_type="text/html"), JSONResponse("no list"), JSONResponse(None)],
    ids=["401", "500", "a web page", "text", "null"],
)
async def test_an_api_that_does_not_list_its_connectors_has_no_tools(
    two: ScriptedApi, connect: Connect, caplog: pytest.LogCaptureFixture, names: Answer
) -> None:
    two.odd |= {NAMES: names, "/connectors": JSONResponse([])}
    async with connect(two.url) as client:
        assert await tools(client) == {}
    [warning] = logged(caplog, "the API could not be listed")
    assert "BOSA_API" in warning["reason"]
    assert "happened" not in warning["reason"]  # nothing could: it was a question


async def test_names_that_are_no_text_are_passed_over(two: ScriptedApi, connect: Connect) -> None:
    two.odd[NAMES] = JSONResponse(["shop", 5, None, ["office"], "shop"])
    async with connect(two.url) as client:
        assert set(await tools(client)) == {"shop_find"}


async def test_an_api_of_a_thousand_actions_has_a_thousand_tools(api: ScriptedApi, connect: Connect) -> None:
    for number in range(1_000):
        api.offer(f"c{number % 50}", f"a{number}")
    async with connect(api.url) as client:
        assert len(await tools(client)) == 1_000


async def test_connectors_are_listed_side_by_side(api: ScriptedApi, connect: Connect) -> None:
    waiting = 0
    both = anyio.Event()

    async def together(request: Request) -> Response:
        nonlocal waiting, both
        waiting += 1
        if waiting == 1:
            both = anyio.Event()
            await both.wait()
        both.set()
        name = request.query_params["modules"]
        return JSONResponse({name: api.listing[name]})

    for name in ("shop", "office"):
        api.offer(name, "find")
        api.odd[f"/connectors/?modules={name}"] = together
    async with connect(api.url) as client:
        assert set(await tools(client)) == {"shop_find", "office_find"}
