"""Which tools are served: by connector, by name, by what they do."""

import pytest
from mcp import Client
from mcp.shared.exceptions import MCPError
from mcp_types import INVALID_PARAMS

from bosa_mcp.filters import Filter

from .conftest import Serve, answer, logged, refusal, tools
from .scripted_api import ScriptedApi, says


@pytest.fixture
def shop(api: ScriptedApi) -> ScriptedApi:
    """An API with actions that read and that write."""
    for action in ("list_items", "get_item", "create_item", "delete_item"):
        api.offer("shop", action)
        api.answer(f"shop/{action}", says(action))
    api.offer("office", "list_desks")
    return api


def case(given: object) -> str:
    """A test's name, the same in every process: sets have no order."""
    return ",".join(sorted(map(str, given))) if isinstance(given, set) else str(given)  # pyright: ignore[reportUnknownArgumentType]


@pytest.mark.parametrize(
    ("wanted", "names"),
    [
        (Filter(), {"shop_list_items", "shop_get_item", "shop_create_item", "shop_delete_item", "office_list_desks"}),
        (Filter(include=("shop_*",)), {"shop_list_items", "shop_get_item", "shop_create_item", "shop_delete_item"}),
        (Filter(include=("*_list_*", "shop_get_item")), {"shop_list_items", "shop_get_item", "office_list_desks"}),
        (Filter(exclude=("shop_*",)), {"office_list_desks"}),
        (Filter(include=("shop_*",), exclude=("*_item",)), {"shop_list_items"}),
        (Filter(include=("shop_get_item",), exclude=("shop_get_item",)), set[str]()),
        (Filter(read_only=True), {"shop_list_items", "shop_get_item", "office_list_desks"}),
        (Filter(frozenset({"shop"}), exclude=("*delete*",), read_only=True), {"shop_list_items", "shop_get_item"}),
        (Filter(include=("SHOP_*",)), set[str]()),
        (Filter(include=("shop_?et_item", "office_[kl]ist_*")), {"shop_get_item", "office_list_desks"}),
    ],
    ids=case,
)
async def test_only_the_tools_that_are_wanted_are_served(
    shop: ScriptedApi, serve: Serve, wanted: Filter, names: set[str]
) -> None:
    async with serve(shop.url, wanted) as client:
        assert set(await tools(client)) == names


async def _fate(client: Client, tool: str) -> str:
    with pytest.raises(MCPError) as unknown:
        await client.call_tool(tool, {})
    assert unknown.value.code == INVALID_PARAMS
    return str(unknown.value)


async def test_a_call_of_a_tool_that_is_left_out_says_which_setting_does_so(shop: ScriptedApi, serve: Serve) -> None:
    wanted = Filter(frozenset({"shop"}), include=("shop_*",), exclude=("shop_delete_*",))
    async with serve(shop.url, wanted) as client:
        assert "BOSA_EXCLUDE leaves it out" in await _fate(client, "shop_delete_item")
        assert "BOSA_CONNECTORS leaves out all of office" in await _fate(client, "office_list_desks")
    async with serve(shop.url, Filter(include=("office_*",))) as client:
        assert "BOSA_INCLUDE leaves it out" in await _fate(client, "shop_get_item")
    assert not shop.sent("shop/delete_item")


async def test_a_tool_that_writes_is_refused_where_only_reading_is_allowed(shop: ScriptedApi, serve: Serve) -> None:
    async with serve(shop.url, Filter(read_only=True)) as client:
        error = await refusal(client, "shop_delete_item")
        assert (await answer(client, "shop_get_item"))["data"] == "get_item"
    assert error["kind"] == "read_only"
    assert "BOSA_READ_ONLY" in error["hint"]
    assert not shop.sent("shop/delete_item")


async def test_what_a_listing_states_counts_where_only_reading_is_allowed(api: ScriptedApi, serve: Serve) -> None:
    api.offer("shop", "list_items", None, **{"x-bosa-effect": "delete"})
    api.offer("shop", "frobnicate", None, **{"x-bosa-effect": "read"})
    api.answer("shop/list_items", says(1))
    async with serve(api.url, Filter(read_only=True)) as client:
        assert set(await tools(client)) == {"shop_frobnicate"}
        assert (await refusal(client, "shop_list_items"))["kind"] == "read_only"
    assert not api.sent("shop/list_items")


async def test_what_matches_nothing_is_warned_of_with_the_nearest_name(
    shop: ScriptedApi, serve: Serve, caplog: pytest.LogCaptureFixture
) -> None:
    wanted = Filter(include=("shop_*", "shop_lst_items*"), exclude=("shop_get_itme", "zzz"))
    async with serve(shop.url, wanted) as client:
        await tools(client)
        await tools(client)
    said = logged(caplog, "a setting matches nothing")
    warnings = [(each["setting"], each["value"], each["nearest"]) for each in said]
    assert warnings == [
        ("BOSA_INCLUDE", "shop_lst_items*", "shop_list_items"),
        ("BOSA_EXCLUDE", "shop_get_itme", "shop_get_item"),
        ("BOSA_EXCLUDE", "zzz", None),
    ]
