"""What an odd or hostile API lists costs at most the odd action; lists and calls of the others work, in time."""

import json
import time
from urllib.parse import quote

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from mcp import Client
from mcp.shared.exceptions import MCPError
from mcp_types import INVALID_PARAMS
from starlette.responses import Response

from bosa_mcp.invisible import INVISIBLE, plain
from bosa_mcp.table import PAGE_BYTES
from bosa_mcp.tools import DESCRIPTION_LENGTH

from .conftest import Connect, answer, logged, tools
from .opened import opened
from .scripted_api import WAIT, Json, ScriptedApi, says, takes
from .test_compact import bomb, nested

MEGABYTES_10 = 10_000_000
SCHEMA = "schema"

HOSTILE: dict[str, tuple[bool, Json]] = {
    "an absolute URL": (False, {"path": "https://elsewhere.example/collect"}),
    "a remote reference": (True, {SCHEMA: takes(p={"$ref": "https://elsewhere.example/schema.json"})}),
    "a reference to a file": (True, {SCHEMA: takes(p={"$ref": "file:///etc/passwd"})}),
    "a recursive schema": (
        True,
        {SCHEMA: {**takes(p={"$ref": "#/$defs/T"}), "$defs": {"T": takes(t={"$ref": "#/$defs/T"})}}},
    ),
    "a root that refers to itself": (True, {SCHEMA: {"$ref": "#"}}),
    "the type any": (True, {SCHEMA: takes(p={"type": "any"})}),
    "a root union": (True, {SCHEMA: {"anyOf": [takes(a={"type": "string"}), takes(b={"type": "string"})]}}),
    "10 MB of docstring": (True, {"docstring": "word " * (MEGABYTES_10 // 5)}),
    "10 MB of lines": (True, {"docstring": "\n" * MEGABYTES_10}),
    "10 MB in an argument": (False, {SCHEMA: takes(p={"description": "x" * MEGABYTES_10})}),
    "10 MB of choices": (False, {SCHEMA: takes(p={"enum": [f"choice {each}" for each in range(500_000)]})}),
    "a header for an argument": (True, {SCHEMA: takes(p={"type": "string", "x-mcp-header": "no such: header\r\n"})}),
    "references that multiply": (False, {SCHEMA: {**takes(p={"$ref": "#/$defs/D0"}), "$defs": dict(bomb())}}),
    "500 levels": (False, {SCHEMA: takes(p=nested(500))}),
    "half a character": (True, {"docstring": "\ud800 and the rest"}),
    "half a character in an argument": (True, {SCHEMA: takes(p={"type": "string", "description": "\udfff!"})}),
    "half a character in a choice": (True, {SCHEMA: takes(p={"enum": ["\ud800"]})}),
    "half a character in a name": (True, {SCHEMA: takes(**{"\ud800": {"type": "string"}})}),
    "what nobody sees": (True, {"docstring": "Finds\u202e.sdneS\u202c items\U000e0041\u200b."}),
    "a choice that nobody sees": (False, {SCHEMA: takes(p={"enum": ["all", "none\u200b\U000e0041"]})}),
    "a default that nobody sees": (False, {SCHEMA: takes(p={"type": "string", "default": "\x1b[8m"})}),
    "a name below that nobody sees": (False, {SCHEMA: takes(p=takes(**{"a\u202eb": {"type": "string"}}))}),
    "a name that nobody sees": (True, {SCHEMA: takes(**{"a\u202eb": {"type": "string"}})}),
    "a format that nobody sees": (False, {SCHEMA: takes(p={"type": "string", "format": "\ufeffdate"})}),
    "an emoji in a choice": (True, {SCHEMA: takes(p={"enum": ["❤️", "👩\u200d🌾"], "default": "a\n\t"})}),
    "a name that is no text": (True, {SCHEMA: {**takes(p={"type": "string"}), "title": ["no", "text"]}}),
    "größe ändern 😀": (True, {}),
    "a" * 500: (True, {}),
}


def offer(api: ScriptedApi, action: str, item: Json) -> None:
    rest = {key: value for key, value in item.items() if key != SCHEMA}
    api.offer("shop", action, item.get(SCHEMA), **{"path": f"/connectors/shop/{quote(action)}"} | rest)


def write(api: ScriptedApi) -> None:
    """Has the API list the connector as it is now."""
    written = json.dumps({"shop": api.listing["shop"]})  # in ASCII, which can say half a character
    api.odd["/connectors/?modules=shop"] = Response(written, media_type="application/json")


@pytest.mark.parametrize("action", HOSTILE, ids=[name[:30] for name in HOSTILE])
async def test_an_odd_action_costs_no_other(
    api: ScriptedApi, connect: Connect, caplog: pytest.LogCaptureFixture, action: str
) -> None:
    is_served, item = HOSTILE[action]
    api.offer("shop", "fine")
    api.answer("shop/fine", says("fine"))
    offer(api, action, item)
    write(api)
    started = time.monotonic()
    async with connect(api.url) as client:
        listed = await tools(client)
        assert (await answer(client, "shop_fine"))["data"] == "fine"
    assert time.monotonic() - started < WAIT
    assert len(listed) == 1 + is_served
    assert len(logged(caplog, "action left out")) == (not is_served)
    for tool in listed.values():
        assert len(tool.description or "") <= DESCRIPTION_LENGTH
        assert "x-mcp-header" not in str(tool.input_schema)
        assert not INVISIBLE.search(json.dumps(tool.input_schema, ensure_ascii=False).replace("\\n", ""))
        assert tool.input_schema["type"] == "object"
        assert not {"anyOf", "oneOf", "allOf", "$ref"} & tool.input_schema.keys()
    assert not any("elsewhere" in asked.path for asked in api.asked)


async def test_what_nobody_sees_is_not_handed_on(api: ScriptedApi, connect: Connect) -> None:
    hidden = "Finds\u202e\u200b items\U000e0041."
    api.offer("shop", "find", takes(p={"type": "string", "description": hidden}), docstring=hidden)
    async with connect(api.url) as client:
        tool = (await tools(client))["shop_find"]
    assert tool.description == "Finds items."
    assert tool.input_schema["properties"]["p"]["description"] == "Finds items."


@given(st.text(st.sampled_from("a❤\ufe0f\ufe0e\u200b\u200d\u202e\U000e0041\ud800葛\U000e0100"), max_size=12))
@example("a\ufe0f\u200b\ufe0f")
def test_nothing_that_nobody_sees_is_left_in_a_plain_text(text: str) -> None:
    cleaned = plain(text)
    assert not INVISIBLE.search(cleaned)
    assert plain(cleaned) == cleaned


async def test_all_at_once_cost_no_other(api: ScriptedApi, connect: Connect) -> None:
    for action, (_, item) in HOSTILE.items():
        offer(api, action, item)
    write(api)
    api.offer("office", "fine")
    async with connect(api.url) as client:
        assert len(await tools(client)) == 1 + sum(served for served, _ in HOSTILE.values())


async def pages(client: Client) -> list[list[str]]:
    """The names on each page of the list."""
    found: list[list[str]] = []
    cursor = None
    while cursor or not found:
        page = await client.list_tools(cursor=cursor)
        found.append([tool.name for tool in page.tools])
        size = sum(len(tool.model_dump_json(by_alias=True, exclude_none=True)) + 1 for tool in page.tools)
        assert size <= PAGE_BYTES
        cursor = page.next_cursor
    return found


async def test_5000_actions_come_in_few_pages_each_once_and_in_order(api: ScriptedApi, connect: Connect) -> None:
    for number in range(5_000):
        api.offer(f"c{number % 50}", f"a{number}", takes(p={"type": "string", "description": "x" * 400}))
    started = time.monotonic()
    async with connect(api.url) as client:
        found = await pages(client)
        assert time.monotonic() - started < 60
        names = [name for page in found for name in page]
        assert names == sorted(names)
        assert len(set(names)) == 5_000
        assert len(found) == 5
        with pytest.raises(MCPError) as unknown:
            await client.call_tool("c0_nothing", {})
        assert unknown.value.code == INVALID_PARAMS


async def test_a_list_that_fits_on_a_page_has_no_cursor(api: ScriptedApi, connect: Connect) -> None:
    for number in range(300):
        api.offer("shop", f"a{number}")
    async with connect(api.url) as client:
        assert [len(page) for page in await pages(client)] == [300]


@pytest.mark.parametrize("cursor", ["", "2", "shop_find", "after", "AFTER:shop_find", "\x00", "x" * 10_000])
async def test_a_malformed_cursor_is_an_invalid_parameter(api: ScriptedApi, connect: Connect, cursor: str) -> None:
    api.offer("shop", "find")
    async with connect(api.url) as client:
        with pytest.raises(MCPError, match="list the tools from the start") as odd:
            await client.list_tools(cursor=cursor)
    assert odd.value.code == INVALID_PARAMS


async def test_a_cursor_leads_on_although_the_list_has_changed_meanwhile(api: ScriptedApi, era: str) -> None:
    for number in range(100):
        api.offer("shop", f"a{number:02}", takes(p={"description": "x" * 30_000}))
    async with opened(api.url) as served, Client(served.server, mode=era, cache=None) as client:
        first = await client.list_tools()
        last = first.tools[-1].name
        api.listing["shop"].pop(last.removeprefix("shop_"))
        api.offer("shop", "a00x")
        await served.tools.refresh()
        names = [tool.name for tool in (await client.list_tools(cursor=first.next_cursor)).tools]
    assert names[0] == f"shop_a{len(first.tools):02}"
