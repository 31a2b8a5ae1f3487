"""A tool call reaches the API as its user, and nothing secret comes back."""

import json
import logging

import anyio
import pytest
from anyio import to_thread
from mcp.shared.exceptions import MCPError
from mcp_types import INVALID_PARAMS
from starlette.responses import Response

from bosa_connectors.calls import Credentials
from bosa_hub.serve import RunningHub

from .conftest import KEY, TOKEN, Connect, answer, refusal, tools
from .scripted_api import WAIT, ScriptedApi, fails, says, takes


@pytest.fixture
def shop(api: ScriptedApi) -> ScriptedApi:
    api.offer("shop", "order", takes("item", item={"type": "string"}))
    api.answer("shop/order", says("done"))
    return api


async def test_a_call_carries_its_credentials_and_a_listing_carries_none(shop: ScriptedApi, connect: Connect) -> None:
    async with connect(shop.url, credentials=Credentials(KEY, TOKEN, "work account")) as client:
        await answer(client, "shop_order", item="x")
    *listings, call = shop.asked
    assert call.method == "POST"
    assert call.headers["x-api-key"] == KEY
    assert call.headers["authorization"] == f"Bearer {TOKEN}"
    assert call.headers["x-bosa-integration"] == call.headers["x-integration"] == "work account"
    assert call.headers["x-gl-error-contract"] == "2"
    for listing in (asked for asked in listings if not asked.path.endswith("/auth-schema")):
        assert listing.method == "GET"
        assert not {"x-api-key", "authorization", "x-integration", "cookie"} & listing.headers.keys()


async def test_without_an_account_the_selected_one_acts(shop: ScriptedApi, connect: Connect) -> None:
    async with connect(shop.url) as client:
        await answer(client, "shop_order", item="x")
    assert not {"x-bosa-integration", "x-integration"} & shop.asked[-1].headers.keys()


async def test_no_cookie_is_kept(shop: ScriptedApi, connect: Connect) -> None:
    shop.answer("shop/order", Response(b'{"data":1}', headers={"set-cookie": "session=1; Path=/"}))
    async with connect(shop.url) as client:
        await answer(client, "shop_order", item="x")
        await answer(client, "shop_order", item="y")
    assert not any("cookie" in asked.headers for asked in shop.asked)


async def test_a_value_that_no_header_can_carry_is_refused_before_sending(shop: ScriptedApi, connect: Connect) -> None:
    async with connect(shop.url, credentials=Credentials(KEY, TOKEN, "größe\r\nx: y")) as client:
        error = await refusal(client, "shop_order", item="x")
    assert "x-bosa-integration" in error["message"]
    assert not shop.sent("shop/order")


async def test_a_failure_is_not_repeated(shop: ScriptedApi, connect: Connect) -> None:
    shop.answer("shop/order", fails(503, recovery={"retryable": False}), says("done"))
    async with connect(shop.url) as client:
        await refusal(client, "shop_order", item="x")
        assert (await answer(client, "shop_order", item="x"))["data"] == "done"
    assert len(shop.sent("shop/order")) == 2


async def test_calls_do_not_wait_for_each_other(shop: ScriptedApi, connect: Connect) -> None:
    shop.answer("shop/order", shop.hang, says("done"))
    async with connect(shop.url) as client, anyio.create_task_group() as group:
        group.start_soon(client.call_tool, "shop_order", {"item": "slow"})
        assert await to_thread.run_sync(shop.reached.wait, WAIT)
        assert (await answer(client, "shop_order", item="fast"))["data"] == "done"
        group.cancel_scope.cancel()


async def test_a_tool_can_be_called_before_any_list(hub: RunningHub, hub_user: Credentials, connect: Connect) -> None:
    async with connect(hub.url, credentials=hub_user) as client:
        note = (await answer(client, "notes_create_note", title="x", body="größe"))["data"]
        assert (await answer(client, "notes_get_note", id=note["id"]))["data"] == note


@pytest.mark.parametrize("listed_before", [True, False])
async def test_an_unknown_tool_is_a_protocol_error_with_the_nearest_name(
    shop: ScriptedApi, connect: Connect, *, listed_before: bool
) -> None:
    async with connect(shop.url) as client:
        if listed_before:
            await tools(client)
        with pytest.raises(MCPError, match=r"'shop_oder'.*Did you mean 'shop_order'") as unknown:
            await client.call_tool("shop_oder", {"item": "x"})
    assert unknown.value.code == INVALID_PARAMS
    assert not shop.sent("shop/order")


@pytest.mark.parametrize("name", ["", "zzz", "SHOP_ORDER", "x" * 10_000, "größe\n\x1b[31m"], ids=ascii)
async def test_a_name_like_no_other_is_said_in_bounds(shop: ScriptedApi, connect: Connect, name: str) -> None:
    async with connect(shop.url) as client:
        with pytest.raises(MCPError, match=r"^Unknown tool '") as unknown:
            await client.call_tool(name, {})
    assert unknown.value.code == INVALID_PARAMS
    assert len(str(unknown.value)) < 300
    assert "\x1b" not in str(unknown.value)


async def test_no_credential_is_returned_or_logged(
    shop: ScriptedApi, connect: Connect, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    caplog.set_level(logging.DEBUG)
    shop.offer("shop", "odd", {"type": "array"})
    shop.odd["/connectors/?modules=broken"] = fails(500)
    shop.listing["broken"] = {}
    answers = [says(1), Response(b"{", 200, media_type="application/json"), shop.hang, Response(b"", 200)]
    shop.answer("shop/order", *answers, *(fails(status) for status in (400, 401, 403, 404, 409, 422, 500, 429)))
    returned: list[str] = []
    async with connect(shop.url, call_budget=0.2) as client:
        returned.append((await client.list_tools()).model_dump_json())
        returned += [
            (await client.call_tool("shop_order", arguments)).model_dump_json()
            for arguments in ({"item": 5}, *[{"item": "x"}] * 12)
        ]
    kinds = {json.loads(text)["structured_content"].get("error", {}).get("kind") for text in returned[1:]}
    assert len(kinds) == 9
    told = [*returned, caplog.text, *capfd.readouterr()]
    assert "action left out" in caplog.text
    assert not [text for text in told if KEY in text or TOKEN in text]


async def test_a_credential_that_the_api_repeats_is_not_passed_on(shop: ScriptedApi, connect: Connect) -> None:
    shop.answer("shop/order", fails(401, f"The token {TOKEN} has expired."))
    async with connect(shop.url) as client:
        error = await refusal(client, "shop_order", item="x")
    assert TOKEN not in error["message"]


async def test_a_result_holds_no_credential_and_words_that_are_short(shop: ScriptedApi, connect: Connect) -> None:
    shop.answer("shop/order", says({"sent": f"{KEY} and {TOKEN}"}), says({"sent": f"bosa and {TOKEN}"}))
    async with connect(shop.url) as client:
        assert (await answer(client, "shop_order", item="x"))["data"] == {"sent": "[hidden] and [hidden]"}
    async with connect(shop.url, credentials=Credentials("bosa", TOKEN)) as client:
        assert (await answer(client, "shop_order", item="x"))["data"] == {"sent": "bosa and [hidden]"}


async def test_a_credential_that_is_a_number_breaks_no_result(shop: ScriptedApi, connect: Connect) -> None:
    shop.answer("shop/order", says({"id": 123456789}), says({"id": "no. 12345678"}))
    async with connect(shop.url, credentials=Credentials("12345678", TOKEN)) as client:
        assert (await answer(client, "shop_order", item="x"))["data"].keys() == {"id"}
        assert "12345678" not in (await answer(client, "shop_order", item="x"))["data"]["id"]
