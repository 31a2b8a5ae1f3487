"""One tool call carried out: pages put together, results that fit, arguments repaired, repetition where it is safe."""

import json
from collections.abc import Callable
from typing import Any

import mcp_types as types
import pytest
from mcp import Client
from mcp.shared.exceptions import MCPError
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from bosa_connectors.fields import select
from bosa_mcp import fit
from bosa_mcp.circuits import FAILURES

from .conftest import Connect, answer, refusal, tools
from .scripted_api import Answer, Json, ScriptedApi, fails, says, takes

ITEMS = [{"id": number, "name": f"item {number}", "text": "t" * 40} for number in range(23)]
NUMBER: Json = {"anyOf": [{"type": "integer", "minimum": 1}, {"type": "null"}]}
FIELDS: Json = {"type": "array", "items": {"type": "string"}}
TEXT: Json = {"anyOf": [{"type": "string"}, {"type": "null"}]}


def by_number(asked: Json) -> Response:
    page, size = asked.get("page") or 1, asked.get("per_page") or 10
    shown = ITEMS[(page - 1) * size : page * size]
    return says(shown, {"page": page, "limit": size, "has_next": page * size < len(ITEMS)})


def by_cursor(asked: Json) -> Response:
    start, size = int(asked.get("cursor") or 0), asked.get("per_page") or 10
    end = start + size if start + size < len(ITEMS) else None
    return says(ITEMS[start : start + size], {"has_next": end is not None, "forwards_cursor": end and str(end)})


def by_token_in_data(asked: Json) -> Response:
    start, size = int(asked.get("page_token") or 0), asked.get("max_results") or 10
    token = str(start + size) if start + size < len(ITEMS) else ""
    return says({"messages": ITEMS[start : start + size], "next_page_token": token})


def of_a_size_of_its_own(asked: Json) -> Response:
    page = asked.get("page") or 1
    return says(ITEMS[(page - 1) * 4 : page * 4], {"page": page, "has_next": page * 4 < len(ITEMS)})


STYLES: dict[str, tuple[Json, Callable[[Json], Response]]] = {
    "page": (takes(page=NUMBER, per_page=NUMBER), by_number),
    "cursor": (takes(cursor=TEXT, per_page=NUMBER), by_cursor),
    "token in data": (takes(page_token=TEXT, max_results=NUMBER), by_token_in_data),
    "a size of its own": (takes(page=NUMBER), of_a_size_of_its_own),
}


def paging(api: ScriptedApi, style: str) -> None:
    schema, give = STYLES[style]

    async def reply(request: Request) -> Response:
        return give(await request.json())

    api.offer("shop", "find_items", schema)
    api.answer("shop/find_items", reply)


def shown(result: Json) -> list[Any]:
    return result["data"]["messages"] if "messages" in result["data"] else result["data"]


@pytest.mark.parametrize("style", STYLES)
@pytest.mark.parametrize("wanted", [1, 4, 5, 10, 22, 23, 100])
async def test_pages_are_put_together_and_next_goes_on_without_loss_or_repeat(
    api: ScriptedApi, connect: Connect, style: str, wanted: int
) -> None:
    paging(api, style)
    async with connect(api.url) as client:
        results = [await answer(client, "shop_find_items", max_items=wanted)]
        while "next" in results[-1]:
            results.append(await answer(client, "shop_find_items", **results[-1]["next"]["arguments"]))
    assert [item for result in results for item in shown(result)] == ITEMS
    most = max(wanted, 4) if style == "a size of its own" else wanted
    assert all(len(shown(result)) <= most for result in results)
    if wanted >= len(ITEMS):
        assert len(results) == 1


async def test_a_page_that_fails_ends_the_walk_and_loses_nothing(api: ScriptedApi, connect: Connect) -> None:
    api.offer("shop", "find_items", takes(page=NUMBER, per_page=NUMBER))
    api.answer("shop/find_items", by_number({}), fails(500, "Out of order."))
    async with connect(api.url, call_budget=0.5) as client:
        result = await answer(client, "shop_find_items", max_items=23)
    assert shown(result) == ITEMS[:10]
    assert result["next"]["arguments"] | {"page": 2, "max_items": 23} == result["next"]["arguments"]
    assert "Out of order." in result["notes"][0]


async def test_a_page_that_comes_again_and_again_ends_the_walk(api: ScriptedApi, connect: Connect) -> None:
    api.offer("shop", "find_items", takes(cursor=TEXT))
    first, second = says([1], {"forwards_cursor": "a"}), says([2], {"forwards_cursor": "b"})
    api.answer("shop/find_items", first, second, first, second)
    async with connect(api.url) as client:
        result = await answer(client, "shop_find_items", max_items=50)
    assert result["data"] == [1, 2, 1]
    assert "was there before" in result["notes"][0]
    assert "next" not in result


async def test_a_result_that_is_too_large_keeps_whole_items_and_is_read_whole_by_its_address(
    api: ScriptedApi, connect: Connect
) -> None:
    many = [{"id": number, "text": "ä" * 50, "user": {"login": "me"}} for number in range(400)]
    api.offer("shop", "get_all")
    api.answer("shop/get_all", says(many, {"total": 400}))
    async with connect(api.url, result_bytes=8_000) as client:
        result = await answer(client, "shop_get_all")
        assert result["data"] == many[: len(result["data"])]
        assert 20 < len(result["data"]) < 400
        assert result["omitted"]["items"] == 400 - len(result["data"])
        assert len(json.dumps(result, ensure_ascii=False, separators=(",", ":")).encode()) <= 8_000
        [hint] = result["notes"]
        assert "text" in hint
        assert 'response_fields ["id"' in hint
        whole = await read(client, result["omitted"]["resource"])
        assert json.loads(whole) == {"data": many, "meta": {"total": 400}}
        selected = await answer(client, "shop_get_all", response_fields=["id"])
        assert (len(selected["data"]), "omitted" in selected) == (400, False)


async def test_a_result_that_is_too_large_keeps_its_notes_and_the_beginning_of_its_meta(
    api: ScriptedApi, connect: Connect
) -> None:
    data, meta = ["x" * 100] * 400, {"trace": "m" * 30_000}
    api.offer("shop", "get_all")
    api.answer("shop/get_all", JSONResponse({"data": data, "meta": meta, "warning": "old"}))
    async with connect(api.url, result_bytes=8_000) as client:
        result = await answer(client, "shop_get_all")
    assert fit.size(result) <= 8_000
    assert (len(result["data"]) > 40, fit.size(result["meta"]) <= 1_000) == (True, True)
    left_out = fit.size(data) + fit.size(meta) - fit.size(result["data"]) - fit.size(result["meta"])
    assert (result["omitted"]["items"], result["omitted"]["bytes"]) == (400 - len(result["data"]), left_out)
    assert result["notes"] == ['The API says besides: {"warning":"old"}', "This is the beginning."]


async def test_a_result_fits_whatever_its_fields_are_called_and_however_much_there_is_to_note(
    api: ScriptedApi, connect: Connect
) -> None:
    many = [{"id": number, "k" * 5_000: "x" * 50, **{"漢" * size: size for size in range(300)}} for number in range(9)]
    api.offer("shop", "get_all")
    api.answer("shop/get_all", says(many))
    async with connect(api.url, result_bytes=2_000) as client:
        whole = await answer(client, "shop_get_all")
        some = await answer(client, "shop_get_all", response_fields=["id", *(f"no{number}" for number in range(40))])
    for result in (whole, some):
        assert len(json.dumps(result, ensure_ascii=False, separators=(",", ":")).encode()) <= 2_000
    assert some["data"][0] == {"id": 0}


async def test_what_is_left_out_of_a_page_is_told_apart_from_the_page_after_it(
    api: ScriptedApi, connect: Connect
) -> None:
    api.offer("shop", "find_items", takes(page=NUMBER))
    api.answer("shop/find_items", says(["x" * 1_000] * 20, {"page": 1, "has_next": True}), says(["y"], {"page": 2}))
    async with connect(api.url, result_bytes=8_000) as client:
        first = await answer(client, "shop_find_items")
        second = await answer(client, "shop_find_items", **first["next"]["arguments"])
    assert first["omitted"]["items"] > 0
    assert any("after what is left out" in note for note in first["notes"])
    assert (second["data"], "notes" in second) == (["y"], False)


async def read(client: Client, uri: str) -> str:
    [content] = (await client.read_resource(uri)).contents
    assert isinstance(content, types.TextResourceContents)
    return content.text


async def test_a_kept_result_over_the_size_of_a_read_is_read_in_ranges(api: ScriptedApi, connect: Connect) -> None:
    many = ["x" * 1_000] * 1_200
    api.offer("shop", "get_all")
    api.answer("shop/get_all", says(many))
    async with connect(api.url, result_bytes=8_000) as client:
        uri = (await answer(client, "shop_get_all"))["omitted"]["resource"]
        with pytest.raises(MCPError, match=r"bytes, more than one read gives.*offset=0&length=524288"):
            await client.read_resource(uri)
        parts = [await read(client, f"{uri}?offset={place}&length=524288") for place in range(0, 1_300_000, 524_288)]
        assert json.loads("".join(parts))["data"] == many
        listed = {str(each.uri) for each in (await client.list_resources()).resources}
        assert uri in listed


async def test_ranges_of_a_text_are_texts_of_whole_characters_and_a_range_ends_with_what_there_is(
    api: ScriptedApi, connect: Connect
) -> None:
    api.offer("shop", "get_all")
    api.answer("shop/get_all", says(["aé漢\U0001f600"] * 500))
    async with connect(api.url, result_bytes=2_000) as client:
        uri = (await answer(client, "shop_get_all"))["omitted"]["resource"]
        whole = await read(client, uri)
        for length in (1, 7, 1_001):
            starts = range(0, min(len(whole.encode()), 60 * length), length)
            parts = [await read(client, f"{uri}?offset={start}&length={length}") for start in starts]
            assert whole.startswith("".join(parts))
            assert len("".join(parts)) >= min(len(whole), 15 * length)
        assert await read(client, f"{uri}?offset=0&length=9000000") == whole
        assert await read(client, f"{uri}?offset={len(whole.encode())}") == ""


@pytest.mark.parametrize(
    "uri",
    [
        "bosa://results/" + "0" * 32,
        "bosa://results/x",
        "bosa://other/" + "0" * 32,
        "bosa://results/" + "0" * 32 + "?offset=-1",
        "bosa://results/" + "0" * 32 + "?length=1&length=2",
        "bosa://results/" + "0" * 32 + "?size=1",
        "file:///etc/passwd",
    ],
)
async def test_a_resource_that_there_is_not_is_a_protocol_error(api: ScriptedApi, connect: Connect, uri: str) -> None:
    async with connect(api.url) as client:
        with pytest.raises(MCPError) as unknown:
            await client.read_resource(uri)
    assert unknown.value.code == types.INVALID_PARAMS


async def test_fields_that_match_nothing_are_answered_with_the_nearest_ones(api: ScriptedApi, connect: Connect) -> None:
    api.offer("shop", "get_item")
    api.offer("shop", "create_item")
    item: Json = {"id": 1, "user": {"login": "me"}}
    for action in ("get_item", "create_item"):
        api.answer(f"shop/{action}", says([item]))
    async with connect(api.url) as client:
        error = await refusal(client, "shop_get_item", response_fields=["user.logn"])
        assert (error["kind"], error["errors"][0]["nearest"]) == ("invalid_arguments", "user.login")
        done = await answer(client, "shop_create_item", response_fields=["user.logn"])
        partly = await answer(client, "shop_get_item", response_fields=["id", "user.logn"])
    assert (done["data"], partly["data"]) == ([{"user": {}}], [{"id": 1, "user": {}}])
    assert "user.login" in done["notes"][0]
    assert "user.login" in partly["notes"][0]


WITHOUT_FIELDS: list[Any] = [
    (["a", "b"], "id", []),
    ({"tags": ["a", "b"], "total": 2}, "tags.id", {"tags": []}),
    ([["a"]], "id", [[]]),
]
EMPTY: list[Any] = [([], []), ({"user": None}, {}), ({"user": []}, {"user": []}), ([{}], [{}])]


@pytest.mark.parametrize("selects", [True, False], ids=["the API selects", "we select"])
@pytest.mark.parametrize(("whole", "path", "selected"), WITHOUT_FIELDS, ids=str)
async def test_fields_of_what_has_none_are_refused_instead_of_answered_with_nothing(  # noqa: PLR0913  a case each
    api: ScriptedApi, connect: Connect, whole: object, path: str, selected: object, *, selects: bool
) -> None:
    async def reply(request: Request) -> Response:
        return says(selected if (await request.json()).get("response_fields") else whole)

    api.offer("shop", "list_tags", takes(response_fields=FIELDS) if selects else takes())
    api.answer("shop/list_tags", reply)
    async with connect(api.url) as client:
        error = await refusal(client, "shop_list_tags", response_fields=[path])
        assert (await answer(client, "shop_list_tags"))["data"] == whole
    assert (error["kind"], error["errors"][0]["path"]) == ("invalid_arguments", "response_fields.0")


@pytest.mark.parametrize("selects", [True, False], ids=["the API selects", "we select"])
@pytest.mark.parametrize(("whole", "selected"), EMPTY, ids=str)
async def test_fields_of_what_is_empty_just_now_are_no_mistake(
    api: ScriptedApi, connect: Connect, whole: object, selected: object, *, selects: bool
) -> None:
    async def reply(request: Request) -> Response:
        return says(selected if (await request.json()).get("response_fields") else whole)

    api.offer("shop", "get_item", takes(response_fields=FIELDS) if selects else takes())
    api.answer("shop/get_item", reply)
    async with connect(api.url) as client:
        found = await answer(client, "shop_get_item", response_fields=["user.login"])
    assert (found["data"], "notes" in found) == (selected, False)


@pytest.mark.parametrize(
    ("data", "known"),
    [
        (["a"], "nothing, for there are no fields in the data"),
        (dict.fromkeys("abcdefghijklmnopqrst", 1), ", ".join("abcdefghijklmnopqrst")),
        (dict.fromkeys("abcdefghijklmnopqrstuvw", 1), f"{', '.join('abcdefghijklmnopqrst')} and 3 more"),
    ],
    ids=["none", "all", "some"],
)
async def test_a_field_that_matches_nothing_is_answered_with_a_few_that_match(
    api: ScriptedApi, connect: Connect, data: object, known: str
) -> None:
    api.offer("shop", "get_item")
    api.answer("shop/get_item", says(data))
    async with connect(api.url) as client:
        error = await refusal(client, "shop_get_item", response_fields=["z" * 101])
    assert error["errors"] == [
        {
            "path": "response_fields.0",
            "message": f"{'z' * 100!r} matches nothing in the data",
            "expected": f"one of {known}",
        }
    ]


@pytest.mark.parametrize("paging", [{}, {"cursor": TEXT}, {"page_token": TEXT}], ids=["", "cursor", "page_token"])
async def test_fields_that_the_api_selects_are_answered_alike(api: ScriptedApi, connect: Connect, paging: Json) -> None:
    data = {"rows": [{"id": 1, "user": {"login": "me"}}], "next_cursor": "a", "next_page_token": "b"}

    async def reply(request: Request) -> Response:
        return says(select(data, (await request.json()).get("response_fields")))

    api.offer("shop", "get_item", takes(response_fields=FIELDS, **paging))
    api.answer("shop/get_item", reply)
    async with connect(api.url) as client:
        error = await refusal(client, "shop_get_item", response_fields=["user.logn"])
        assert (await answer(client, "shop_get_item"))["data"] == data
    assert error["errors"][0]["nearest"] == "rows.user.login"


@pytest.mark.parametrize("declared", [True, False], ids=["the API selects", "we select"])
async def test_a_field_that_matches_nothing_beside_others_is_noted_whoever_selects(
    api: ScriptedApi, connect: Connect, *, declared: bool
) -> None:
    async def reply(request: Request) -> Response:
        return says(select([{"id": 1, "user": None}], (await request.json()).get("response_fields")))

    api.offer("shop", "get_item", takes(**({"response_fields": FIELDS} if declared else {})))
    api.answer("shop/get_item", reply)
    async with connect(api.url) as client:
        result = await answer(client, "shop_get_item", response_fields=["id", "nme", "user.login"])
    assert result["data"] == [{"id": 1}]
    [note] = result["notes"]
    assert note.startswith("response_fields.1: 'nme' matches nothing in the data")


async def test_a_note_on_a_field_that_matches_nothing_names_the_nearest(api: ScriptedApi, connect: Connect) -> None:
    api.offer("shop", "order_items")  # which may not be refused any more
    api.answer("shop/order_items", says({"rows": [{"id": 1}]}))
    async with connect(api.url) as client:
        result = await answer(client, "shop_order_items", response_fields=["id"])
    assert result["notes"] == ["response_fields.0: 'id' matches nothing in the data; did you mean rows.id?"]


@pytest.mark.parametrize(
    ("data", "wanted", "nearest"),
    [
        ([{"id": 1, "name": "x"}], "data.id", "id"),
        ([{"id": 1, "name": "x"}], "ID", "id"),
        ({"rows": [{"id": 1}]}, "id", "rows.id"),
        ({"rows": [{"user": {"id": 1}}]}, "[].id", "rows.user.id"),
    ],
)
async def test_the_nearest_field_may_be_one_that_ends_alike(
    api: ScriptedApi, connect: Connect, data: object, wanted: str, nearest: str
) -> None:
    api.offer("shop", "get_item")
    api.answer("shop/get_item", says(data))
    async with connect(api.url) as client:
        error = await refusal(client, "shop_get_item", response_fields=[wanted])
    assert error["errors"][0]["nearest"] == nearest


async def test_values_that_arrive_as_text_are_repaired_where_that_is_what_was_meant(
    api: ScriptedApi, connect: Connect
) -> None:
    schema = takes(
        "count",
        count={"type": "integer"},
        ratio={"type": "number"},
        is_open={"type": "boolean"},
        tags={"type": "array", "items": {"type": "string"}},
        where={"type": "object", "properties": {"ids": {"type": "array", "items": {"type": "integer"}}}},
        name={"type": "string"},
    )
    api.offer("shop", "order", schema)
    api.answer("shop/order", says(1))
    async with connect(api.url) as client:
        await answer(
            client,
            "shop_order",
            count="3",
            ratio="0.5",
            is_open="True",
            tags='["a"]',
            where={"ids": "[1, 2]"},
            name="[1]",
        )
        error = await refusal(client, "shop_order", count="many", tags='["a"]')
    [sent] = api.sent("shop/order")
    expected = {"count": 3, "ratio": 0.5, "is_open": True, "tags": ["a"], "where": {"ids": [1, 2]}, "name": "[1]"}
    assert sent.arguments == expected
    assert {problem["path"] for problem in error["errors"]} == {"count"}


async def test_what_is_wrong_within_a_text_is_named_and_the_rest_is_said_of_what_was_sent(
    api: ScriptedApi, connect: Connect
) -> None:
    address = takes("city", city={"type": "string"}, zip={"type": "string"})
    ids = {"type": "array", "uniqueItems": True}
    api.offer("shop", "order", takes(address=address, tags={"type": "array"}, ids=ids))
    async with connect(api.url) as client:
        error = await refusal(client, "shop_order", address='{"ctiy": "x", "zip": 5}', tags="5", ids="[1, 1]")
        with_ours = await refusal(client, "shop_order", address='{"city": 1}', tags="[]", response_fields=5)
    problems = {problem["path"]: problem for problem in error["errors"]}
    assert problems.keys() == {"address.city", "address.ctiy", "address.zip", "tags", "ids"}
    assert problems["address.ctiy"]["nearest"] == "city"
    assert problems["tags"]["message"] == 'Expected array, got "5"'
    assert problems["ids"]["expected"] == "items that are all different"
    assert {problem["path"] for problem in with_ours["errors"]} == {"address.city", "response_fields"}
    assert not api.sent("shop/order")


@pytest.mark.parametrize(
    ("schema", "given", "meant"),
    [
        (takes(**{"a.b": {"type": "integer"}}), {"a.b": "3"}, {"a.b": 3}),
        (takes(a={"type": "array", "items": {"type": "integer"}}), {"a": '["1", 2]'}, {"a": [1, 2]}),
        (
            takes(a=takes(**{"b.c": {"type": "array", "items": takes(d={"type": "boolean"})}})),
            {"a": {"b.c": [{"d": "true"}, '{"d": "False"}']}},
            {"a": {"b.c": [{"d": True}, {"d": False}]}},
        ),
        (
            takes(a={"anyOf": [takes("id", id={"type": "integer"}), takes("name", name={"type": "string"})]}),
            {"a": '{"id": "3"}'},
            {"a": {"id": 3}},
        ),
        (
            takes(a={"type": "object", "additionalProperties": {"type": "integer"}}),
            {"a": {"0": "3", "b": 4}},
            {"a": {"0": 3, "b": 4}},
        ),
        (takes(a={"type": "array"}, **{"a.7": {"type": "integer"}}), {"a": [1], "a.7": "3"}, {"a": [1], "a.7": 3}),
    ],
    ids=["a name with a dot", "texts in a text", "both", "one of several objects", "a number as a name", "an index"],
)
async def test_values_are_repaired_wherever_they_stand(
    api: ScriptedApi, connect: Connect, schema: Json, given: Json, meant: Json
) -> None:
    api.offer("shop", "order", schema)
    api.answer("shop/order", says(1))
    async with connect(api.url) as client:
        await answer(client, "shop_order", **given)
    assert [asked.arguments for asked in api.sent("shop/order")] == [meant]


@pytest.mark.parametrize(
    "limited",
    [
        {"maxLength": 3},
        {"pattern": "^a"},
        {"anyOf": [{"type": "string"}, {"type": "integer"}], "maxLength": 3},
        {"anyOf": [{"type": "string", "maxLength": 3}, {"type": "integer"}]},
        {"$ref": "#/$defs/Id", "maxLength": 3},
    ],
    ids=str,
)
async def test_a_text_that_breaks_a_limit_for_texts_is_not_taken_for_a_number(
    api: ScriptedApi, connect: Connect, limited: Json
) -> None:
    anything = {"Id": {"anyOf": [{"type": "string"}, {"type": "integer"}]}}
    api.offer("shop", "order", {**takes(id=limited), "$defs": anything})
    async with connect(api.url) as client:
        error = await refusal(client, "shop_order", id="1234567")
    assert [problem["expected"].split()[0] for problem in error["errors"]] == ["string"]
    assert not api.sent("shop/order")


@pytest.mark.parametrize(
    "wrong", [0, -1, 1.5, "many", [], True, "NaN", "Infinity", "1e999", "[" * 100_000], ids=lambda wrong: str(wrong)[:9]
)
async def test_a_number_of_items_that_is_none_is_refused(api: ScriptedApi, connect: Connect, wrong: object) -> None:
    paging(api, "page")
    async with connect(api.url) as client:
        error = await refusal(client, "shop_find_items", max_items=wrong)
    assert [problem["path"] for problem in error["errors"]] == ["max_items"]
    assert not api.sent("shop/find_items")


async def test_only_tools_that_page_take_a_number_of_items(api: ScriptedApi, connect: Connect) -> None:
    paging(api, "page")
    api.offer("shop", "get_item")
    api.offer("shop", "list_own", takes(page=NUMBER, max_items={"type": "string"}))
    async with connect(api.url) as client:
        listed = await tools(client)
    takers = {
        name: [each for each in tool.input_schema["properties"] if "max_items" in each] for name, tool in listed.items()
    }
    assert takers == {
        "shop_find_items": ["max_items"],
        "shop_get_item": [],
        "shop_list_own": ["max_items", "bosa_max_items"],
    }


async def test_characters_that_hide_what_a_text_says_are_written_out(api: ScriptedApi, connect: Connect) -> None:
    text = "a\x1b[31mb\u202ec\u200bd\U000e0041\x00\n\té"
    api.offer("shop", "get_item")
    api.answer("shop/get_item", says({"text": text, f"{text}": 1}))
    async with connect(api.url) as client:
        data = (await answer(client, "shop_get_item"))["data"]
    seen = r"a\u001b[31mb\u202ec\u200bd\ue0041\u0000" + "\n\té"
    assert data == {"text": seen, seen: 1}


async def test_a_lost_write_says_what_was_sent_and_which_tool_can_tell(api: ScriptedApi, connect: Connect) -> None:
    for action in ("create_order", "get_order", "list_orders", "list_customers"):
        api.offer("shop", action)
    api.answer("shop/create_order", api.hang)
    async with connect(api.url, call_budget=0.2) as client:
        await tools(client)
        error = await refusal(client, "shop_create_order")
    assert error["kind"] == "outcome_unknown"
    assert "shop_create_order: {}" in error["message"]
    assert "shop_get_order or shop_list_orders can tell" in error["hint"]


@pytest.mark.parametrize(
    ("failure", "kind"),
    [
        (fails(500, "Out of order."), "api_error"),
        (fails(503), "api_error"),
        (Response("<h1>Bad gateway</h1>", 502, media_type="text/html"), "outcome_unknown"),
        (fails(504), "outcome_unknown"),
        (fails(409, code="OUTCOME_UNKNOWN", recovery={"retryable": False}), "outcome_unknown"),
        (Response(b'{"data":' + b"[" * 300 + b"]" * 300 + b"}", media_type="application/json"), "bad_reply"),
    ],
    ids=["failed", "unavailable", "bad gateway", "gateway timeout", "nobody knows", "not to be told"],
)
async def test_what_may_have_acted_although_it_failed_is_looked_for_before_it_is_repeated_and_a_question_is_not(
    api: ScriptedApi, connect: Connect, failure: Response, kind: str
) -> None:
    for action in ("create_order", "get_order"):
        api.offer("shop", action)
        api.answer(f"shop/{action}", failure)
    async with connect(api.url) as client:
        await tools(client)
        error = await refusal(client, "shop_create_order")
    async with connect(api.url, call_budget=0.2) as client:
        question = await refusal(client, "shop_get_order")
    assert error["kind"] == kind
    assert error["hint"].endswith("look before you repeat it. shop_get_order can tell.")
    assert ("Sent to shop_create_order: {}" in error["message"]) == (kind == "outcome_unknown")
    assert "may have happened" not in question["hint"]


@pytest.mark.parametrize(
    "refused",
    [
        fails(400),
        fails(503, headers={"retry-after": "99"}),
        fails(500, recovery={"retryable": True, "retry_after_seconds": 99}),
    ],
    ids=["refused", "put off", "said to be repeatable"],
)
async def test_what_provably_did_nothing_is_not_said_to_have_happened(
    api: ScriptedApi, connect: Connect, refused: Response
) -> None:
    api.offer("shop", "create_order")
    api.answer("shop/create_order", refused)
    async with connect(api.url) as client:
        error = await refusal(client, "shop_create_order")
    assert error["kind"] == "api_error"
    assert "may have happened" not in error["hint"]


@pytest.mark.parametrize(
    "trouble",
    [fails(503), fails(429, headers={"retry-after": "0"}), Response(b'{"data', media_type="application/json")],
)
async def test_a_read_recovers_and_the_client_is_told_of_each_attempt(
    api: ScriptedApi, connect: Connect, trouble: Answer
) -> None:
    api.offer("shop", "get_item")
    api.answer("shop/get_item", trouble, says(1))
    told: list[str | None] = []

    async def tell(progress: float, total: float | None, message: str | None) -> None:
        del progress, total
        told.append(message)

    async with connect(api.url) as client:
        result = await client.call_tool("shop_get_item", {}, progress_callback=tell)
    assert result.structured_content == {"data": 1, "meta": None}
    assert len(api.sent("shop/get_item")) == 2
    assert [message for message in told if message and message.startswith("Attempt 1 failed")]


async def test_what_a_client_is_told_of_an_attempt_hides_nothing(api: ScriptedApi, connect: Connect) -> None:
    api.offer("shop", "get_item")
    api.answer("shop/get_item", fails(503, "bu\u202es\u200by\x1b"), says(1))
    told: list[str] = []

    async def tell(progress: float, total: float | None, message: str | None) -> None:
        del progress, total
        told.append(message or "")

    async with connect(api.url) as client:
        await client.call_tool("shop_get_item", {}, progress_callback=tell)
    assert "busy" in "".join(told)
    assert "".join(told).isprintable()


async def test_a_write_that_may_have_happened_is_sent_once(api: ScriptedApi, connect: Connect) -> None:
    api.offer("shop", "create_order")
    api.answer("shop/create_order", Response(b'{"data', media_type="application/json"), says(1))
    async with connect(api.url) as client:
        assert (await refusal(client, "shop_create_order"))["kind"] == "outcome_unknown"
    assert len(api.sent("shop/create_order")) == 1


async def test_a_connector_that_is_down_is_left_alone_for_a_while_and_the_others_are_not(
    api: ScriptedApi, connect: Connect
) -> None:
    api.offer("shop", "create_order")
    api.offer("bank", "create_order")
    api.answer("shop/create_order", fails(502))
    api.answer("bank/create_order", says(1))
    async with connect(api.url) as client:
        for _ in range(FAILURES):
            assert (await refusal(client, "shop_create_order"))["status"] == 502
        error = await refusal(client, "shop_create_order")
        await answer(client, "bank_create_order")
    assert (error["kind"], len(api.sent("shop/create_order"))) == ("unreachable", FAILURES)
    assert error["retry_after_seconds"] > 0
