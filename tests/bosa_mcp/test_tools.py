"""What a client sees when it lists the tools."""

import json

import pytest
from mcp import Client
from starlette.responses import Response

from bosa_connectors.calls import Action, Credentials
from bosa_connectors.shapes import members
from bosa_connectors.transport import MAX_JSON_BYTES
from bosa_hub.serve import RunningHub
from bosa_mcp.tools import DESCRIPTION_LENGTH, name_tools

from .conftest import Connect, answer, logged, refusal, tools
from .opened import opened
from .scripted_api import Json, ScriptedApi, fails, says, takes
from .test_compact import LARGE, NONSENSE, bomb

FIELDS: Json = {"type": "array", "items": {"type": "string"}}
DECLARED_FIELDS: Json = {"anyOf": [FIELDS, {"type": "null"}], "default": None, "description": "Long prose. " * 99}
FILTERS: Json = {
    "anyOf": [{"type": "array", "items": {"oneOf": [{"$ref": "#/$defs/Filter"}]}}, {"type": "null"}],
    "description": "Longer prose. " * 99,
}


async def test_the_hubs_actions_are_tools(hub: RunningHub, hub_user: Credentials, connect: Connect) -> None:
    async with connect(hub.url, credentials=hub_user) as client:
        listed = await tools(client)
    assert {"notes_create_note", "notes_list_notes", "files_write_text_file", "sql_query"} <= set(listed)
    assert all(tool.description for tool in listed.values())
    assert listed["notes_create_note"].input_schema == {
        "type": "object",
        "properties": {
            "title": {
                "type": "string",
                "description": "One line that says what it is about.",
                "minLength": 1,
                "maxLength": 200,
            },
            "body": {"type": "string", "description": "The text; Markdown is welcome.", "maxLength": 500_000},
            "tags": {
                "type": "array",
                "description": "Labels to find it by.",
                "items": {"type": "string", "minLength": 1, "maxLength": 50},
                "maxItems": 20,
            },
            "response_fields": FIELDS,
        },
        "required": ["title", "body"],
        "description": "A note to keep.",
    }


async def test_tools_come_in_the_same_order_whatever_the_api_lists_first(api: ScriptedApi, connect: Connect) -> None:
    for connector, action in (("b", "z"), ("b", "a"), ("a", "y"), ("a", "b")):
        api.offer(connector, action)
    async with connect(api.url) as client:
        assert list(await tools(client)) == ["a_b", "a_y", "b_a", "b_z"]


async def test_the_server_says_who_it_is_and_how_its_tools_work(api: ScriptedApi, connect: Connect) -> None:
    async with connect(api.url) as client:
        assert client.server_info is not None
        assert client.server_info.name == "bosa"
        assert client.server_info.version
        for word in (
            "response_fields",
            "response_filters",
            "next.arguments",
            "hint",
            "bosa_read",
            "whole value",
            "data:text/csv;name=",
        ):
            assert word in (client.instructions or "")


@pytest.mark.parametrize(
    ("docstring", "description"),
    [
        (
            "Finds items.\n\n            The best come first.\n\n            Args:\n                request: it",
            "Finds items.\n\nThe best come first.",
        ),
        ("Finds items.\n    Returns:\n        the items", "Finds items."),
        ("\n\n  Finds items.  \n", "Finds items."),
        ("Args:\n    request: the request", "find of the connector shop."),
        (
            "Finds items.\n\nArgs:\n    request: it\n\n    and more of it\n\nNeeds a login.",
            "Finds items.\n\nNeeds a login.",
        ),
        ("Finds items.\n\nReturns: the items,\n  as a list\n\nNeeds a login.", "Finds items.\n\nNeeds a login."),
        ("Finds items.\n\nArgs:\nrequest: it\nother: that", "Finds items."),
        ('Finds items.\n\n"Args:\n    request: it\n\n"Best" comes first.', 'Finds items.\n\n"Best" comes first.'),
        (
            "Finds items.\n\nParameters\n----------\nx : int\n    One.\n\ny : int\n\nNotes\n-----\nThe best first.\n",
            "Finds items.\n\nNotes\nThe best first.",
        ),
        (
            "Finds items.\n\n:param x: a number\n    of things\n:type x: int\n:returns: the items\n\nNeeds a login.",
            "Finds items.\n\nNeeds a login.",
        ),
        ("Finds items.\n\n@param x: a number\n@return the items\n\nNeeds a login.", "Finds items.\n\nNeeds a login."),
        (
            "Finds items.\n\n## Parameters\n\n- x: a number\n\n## Limits\nFive a minute.\n\n**Returns:**\n  items",
            "Finds items.\n\n## Limits\nFive a minute.",
        ),
        ("Returns: the items,\n**best** first.\n\nArgs:\n    x: a number", "the items,\n**best** first."),
        ("", "find of the connector shop."),
        (None, "find of the connector shop."),
        (["no", "text"], "find of the connector shop."),
        ("x" * 10_000_000, "x" * DESCRIPTION_LENGTH),
    ],
    ids=[
        "args",
        "returns",
        "blank",
        "args alone",
        "args between",
        "one line",
        "flat",
        "a quote too many",
        "NumPy",
        "Sphinx",
        "Javadoc",
        "Markdown",
        "answer alone",
        "empty",
        "null",
        "list",
        "10 MB",
    ],
)
async def test_a_description_is_the_prose_of_the_docstring(
    api: ScriptedApi, connect: Connect, docstring: object, description: str
) -> None:
    api.offer("shop", "find", docstring=docstring)
    async with connect(api.url) as client:
        assert (await tools(client))["shop_find"].description == description


async def test_every_tool_takes_response_fields_in_few_bytes(api: ScriptedApi, connect: Connect) -> None:
    api.offer("shop", "plain")
    api.offer("shop", "nothing", parameters={})
    api.offer("shop", "declared", takes(response_fields=DECLARED_FIELDS, response_filters=FILTERS))
    async with connect(api.url) as client:
        listed = await tools(client)
    assert listed["shop_plain"].input_schema == takes(response_fields=FIELDS)
    assert listed["shop_nothing"].input_schema == takes(response_fields=FIELDS)
    both = listed["shop_declared"].input_schema["properties"]
    assert both == {"response_fields": FIELDS, "response_filters": {"type": "array", "items": {}}}
    assert len(json.dumps(both, separators=(",", ":"))) <= 120


async def test_an_argument_that_is_called_response_fields_and_is_none_stays_the_actions(
    api: ScriptedApi, connect: Connect
) -> None:
    own: Json = {"type": "string", "enum": ["short", "long"]}
    api.offer("shop", "find", takes("response_fields", response_fields=own))
    api.answer("shop/find", says({"id": 1, "name": "x"}))
    async with connect(api.url) as client:
        schema = (await tools(client))["shop_find"].input_schema
        assert schema == takes("response_fields", response_fields=own, bosa_response_fields=FIELDS)
        data = await answer(client, "shop_find", response_fields="short", bosa_response_fields=["id"])
    assert data["data"] == {"id": 1}
    assert [asked.arguments for asked in api.sent("shop/find")] == [{"response_fields": "short"}]


async def test_what_to_do_about_too_much_is_said_with_the_arguments_own_name(
    api: ScriptedApi, connect: Connect
) -> None:
    api.offer("shop", "find", takes(response_fields={"type": "string"}))
    many = [{"id": number, "text": "t" * 50} for number in range(99)]
    api.answer("shop/find", says(many), Response(b"[" + b" " * (MAX_JSON_BYTES + 1), media_type="application/json"))
    async with connect(api.url, result_bytes=4_000) as client:
        [note] = (await answer(client, "shop_find"))["notes"]
        assert 'with bosa_response_fields ["id"]' in note
        assert "bosa_response_fields" in (await refusal(client, "shop_find"))["hint"]


@pytest.mark.parametrize("union", ["anyOf", "oneOf", "allOf"])
async def test_an_argument_in_one_of_several_parts_of_a_request_stays_the_actions(
    api: ScriptedApi, connect: Connect, union: str
) -> None:
    text = {"type": "string"}
    parts = [{**takes(response_fields=text, page={"type": "integer"}), "minProperties": 1}, takes(max_items=text)]
    api.offer("shop", "find", {union: parts})
    api.answer("shop/find", says([{"id": 1, "name": "x"}]))
    async with connect(api.url) as client:
        names = (await tools(client))["shop_find"].input_schema["properties"]
        found = await answer(client, "shop_find", response_fields="short", bosa_response_fields=["id"])
    assert names.keys() == {"response_fields", "page", "max_items", "bosa_response_fields", "bosa_max_items"}
    assert found["data"] == [{"id": 1}]
    assert [asked.arguments for asked in api.sent("shop/find")] == [{"response_fields": "short"}]


async def test_a_filter_that_is_no_list_stays_as_it_is(api: ScriptedApi, connect: Connect) -> None:
    api.offer("shop", "find", takes(response_filters={"type": "string"}))
    async with connect(api.url) as client:
        properties = (await tools(client))["shop_find"].input_schema["properties"]
    assert properties["response_filters"] == {"type": "string"}


async def test_arguments_are_checked_against_the_original_schema(api: ScriptedApi, connect: Connect) -> None:
    tree: Json = {"type": "object", "properties": {"name": {"type": "string"}, "child": {"$ref": "#/$defs/Tree"}}}
    api.offer("shop", "plant", {**takes("tree", tree={"$ref": "#/$defs/Tree"}), "$defs": {"Tree": tree}})
    async with connect(api.url) as client:
        error = await refusal(client, "shop_plant", tree={"child": {"child": {"name": 5}}})
    assert [problem["path"] for problem in error["errors"]] == ["tree.child.child.name"]


async def test_what_is_no_action_for_a_model_is_no_tool(api: ScriptedApi, connect: Connect) -> None:
    api.offer("shop", "find")
    api.offer("shop", "looked", method="GET")
    for plumbing in ("integrations", "integration-exists", "success-authorize-callback", "auth-schema", "admin/revoke"):
        api.offer("shop", plumbing)
    async with connect(api.url) as client:
        assert set(await tools(client)) == {"shop_find"}


ODD_ITEMS: dict[str, Json] = {
    "an absolute URL for a path": {"path": "https://elsewhere.example/collect"},
    "a path to another host": {"path": "//elsewhere.example/collect"},
    "a path that climbs": {"path": "/connectors/../users/me"},
    "no path": {"path": None},
    "parameters that are a list": {"parameters": ["request"]},
    "a request schema that is a list": {"parameters": {"request": {"schema": []}}},
    "a request schema of another type": {"parameters": {"request": {"schema": {"type": "array"}}}},
    "properties that are a list": {"parameters": {"request": {"schema": {"properties": [{"name": "p"}]}}}},
}


async def test_an_odd_action_costs_that_action_alone_and_is_logged(
    api: ScriptedApi, connect: Connect, caplog: pytest.LogCaptureFixture
) -> None:
    for name, item in ODD_ITEMS.items():
        api.offer("shop", name, **item)
    for name, schema in LARGE.items():
        api.offer("shop", name, {**takes(p=schema), "$defs": dict(bomb())})
    api.listing["shop"]["no object"] = 5
    api.offer("shop", "half a megabyte", takes(p={"enum": ["x" * 500_000]}))
    api.offer("shop", "find")
    api.offer("office", "find")
    async with connect(api.url) as client:
        assert set(await tools(client)) == {"shop_find", "office_find"}
    left_out = {entry["tool"]: entry["reason"] for entry in logged(caplog, "action left out")}
    names = [*ODD_ITEMS, *LARGE, "no object", "half a megabyte"]
    assert left_out.keys() == set(name_tools(Action("shop", name, "/", "", {}) for name in names))
    assert all(left_out.values())
    assert "too large" in left_out["shop_500_levels"]
    assert "too large for a list of tools" in left_out["shop_half_a_megabyte"]
    assert "elsewhere.example" in left_out["shop_an_absolute_URL_for_a_path"]
    assert not any("elsewhere" in asked.path for asked in api.asked)


FITTING: Json = {"array": [], "object": {}, "integer": 1}


async def test_an_odd_argument_costs_its_action_nothing(api: ScriptedApi, connect: Connect) -> None:
    for name, (schema, _) in NONSENSE.items():
        api.offer("shop", name, takes("p", p=schema))
        api.answer(f"shop/{name}", says(1))
    async with connect(api.url) as client:
        listed = await tools(client)
        for tool, name in zip(sorted(listed), sorted(NONSENSE), strict=True):
            kind = members(listed[tool].input_schema["properties"]["p"]).get("type")
            value = FITTING.get(str(kind), "x")
            assert (await answer(client, tool, p=value))["data"] == 1
            assert [asked.arguments for asked in api.sent(f"shop/{name}")] == [{"p": value}]


@pytest.mark.parametrize(
    ("effect", "hints"),
    [
        ("read", {"readOnlyHint": True, "idempotentHint": True, "openWorldHint": True}),
        ("create", {"readOnlyHint": False, "destructiveHint": False, "idempotentHint": False, "openWorldHint": True}),
        ("update", {"readOnlyHint": False, "destructiveHint": True, "idempotentHint": False, "openWorldHint": True}),
        ("delete", {"readOnlyHint": False, "destructiveHint": True, "idempotentHint": False, "openWorldHint": True}),
        ("send", {"readOnlyHint": False, "destructiveHint": True, "idempotentHint": False, "openWorldHint": True}),
    ],
)
async def test_annotations_say_what_the_action_does(
    api: ScriptedApi, connect: Connect, effect: str, hints: dict[str, bool]
) -> None:
    api.offer("shop", "frobnicate", None, **{"x-bosa-effect": effect})
    async with connect(api.url) as client:
        annotations = (await tools(client))["shop_frobnicate"].annotations
    assert annotations is not None
    assert annotations.model_dump(by_alias=True, exclude_none=True) == hints


@pytest.mark.parametrize(
    ("action", "title"),
    [
        ("list_pull_requests", "List pull requests (shop)"),
        ("get-users", "Get users (shop)"),
        ("getUserByID", "Get User By ID (shop)"),
        ("ändern", "Ändern (shop)"),
        ("a" * 300, "A" + "a" * 99),
    ],
)
async def test_a_title_is_the_name_as_people_read_it(
    api: ScriptedApi, connect: Connect, action: str, title: str
) -> None:
    api.offer("shop", action)
    async with connect(api.url) as client:
        assert [tool.title for tool in (await tools(client)).values()] == [title]


BINARY: dict[str, tuple[Json, str]] = {
    "bytes": ({"type": "bytes"}, "string"),
    "binary": ({"type": "string", "format": "binary"}, "string"),
    "nullable": ({"anyOf": [{"type": "string", "format": "binary"}, {"type": "null"}]}, "string"),
    "several": ({"type": "array", "items": {"type": "string", "format": "binary"}}, "array"),
}


@pytest.mark.parametrize(("schema", "kind"), BINARY.values(), ids=BINARY)
async def test_a_file_is_listed_as_text_that_says_what_may_be_given(
    api: ScriptedApi, connect: Connect, schema: Json, kind: str
) -> None:
    api.offer("shop", "upload", takes(file={**schema, "description": "What to keep."}, name={"type": "string"}))
    api.answer("shop/upload", says("kept"))
    async with connect(api.url) as client:
        field = (await tools(client))["shop_upload"].input_schema["properties"]["file"]
        assert field["type"] == kind
        assert field.get("items", {"type": "string"}) == {"type": "string"}
        assert field["description"].startswith("What to keep. (")
        assert "bosa://files/{id}" in field["description"]
        assert (await answer(client, "shop_upload", name="x"))["data"] == "kept"
        await answer(client, "shop_upload", file="data:,x" if kind == "string" else ["data:,x", "data:,y"])
    assert b"\r\n\r\nx\r\n" in api.sent("shop/upload")[-1].body


async def test_no_output_schema_is_promised_that_a_selected_result_would_break(
    api: ScriptedApi, connect: Connect
) -> None:
    whole = takes("data", "meta", data=takes("id", "name", id={"type": "integer"}, name={"type": "string"}), meta={})
    api.offer("shop", "find", response=whole)
    api.answer("shop/find", says({"id": 1, "name": "x"}), says([1, 2]), says(None))
    async with connect(api.url) as client:
        assert (await tools(client))["shop_find"].output_schema is None
        # this client validates what it gets against an output schema
        assert (await answer(client, "shop_find", response_fields=["id"]))["data"] == {"id": 1}
        assert [(await answer(client, "shop_find"))["data"] for _ in range(2)] == [[1, 2], None]


async def test_a_name_of_ours_that_the_action_has_in_both_forms_is_another_still(
    api: ScriptedApi, connect: Connect
) -> None:
    text: Json = {"type": "string"}
    api.offer("shop", "find", takes(response_fields=text, bosa_response_fields=text))
    async with connect(api.url) as client:
        properties = (await tools(client))["shop_find"].input_schema["properties"]
    assert properties == {"response_fields": text, "bosa_response_fields": text, "bosa_bosa_response_fields": FIELDS}


async def test_a_list_may_be_kept_a_while_where_nothing_is_missing_from_it(api: ScriptedApi) -> None:
    api.offer("shop", "find")
    api.offer("office", "find")
    api.odd["/connectors/?modules=office"] = fails(500)
    async with opened(api.url) as (server, _), Client(server, cache=None) as client:
        incomplete = await client.list_tools()
        api.odd.clear()
        complete = await client.list_tools()
    assert (incomplete.ttl_ms, complete.ttl_ms) == (0, 60_000)
    assert (incomplete.cache_scope, complete.cache_scope) == ("private", "private")
