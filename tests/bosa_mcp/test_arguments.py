"""Arguments are checked before anything is sent, and everything that is wrong is said at once."""

import re
from typing import Any

import pytest

from bosa_connectors.calls import Credentials
from bosa_hub.serve import RunningHub

from .conftest import Connect, answer, refusal, tools
from .scripted_api import Json, ScriptedApi, says, takes

ADDRESS = takes("city", city={"type": "string"}, postcode={"anyOf": [{"type": "string"}, {"type": "null"}]})
ORDER = takes(
    "item",
    "count",
    item={"type": "string", "minLength": 1},
    count={"type": "integer", "minimum": 1, "maximum": 9},
    size={"anyOf": [{"enum": ["small", "large"]}, {"type": "null"}], "default": "small"},
    address={"anyOf": [ADDRESS, {"type": "null"}], "default": None},
    tags={"type": "array", "items": {"type": "string"}},
    gift={"type": "boolean"},
)
SELECTED: Json = {"type": "array", "items": {"type": "string"}}


@pytest.fixture
def shop(api: ScriptedApi) -> ScriptedApi:
    api.offer("shop", "order", ORDER)
    api.answer("shop/order", says({"id": 1, "item": "x"}))
    return api


def by_path(error: Json) -> dict[str, Json]:
    assert error["kind"] == "invalid_arguments"
    assert error["hint"]
    return {problem["path"]: problem for problem in error["errors"]}


async def test_every_failing_path_is_named_with_what_was_expected(shop: ScriptedApi, connect: Connect) -> None:
    wrong: dict[str, Any] = {
        "item": "",
        "count": 10,
        "size": "medium",
        "address": {"city": None, "postcode": 5},
        "tags": ["a", 2, "c", None],
        "gift": "yes",
    }
    async with connect(shop.url) as client:
        error = await refusal(client, "shop_order", **wrong)
    problems = by_path(error)
    assert problems.keys() == {"item", "count", "size", "address.city", "address.postcode", "tags.1", "tags.3", "gift"}
    assert problems["count"]["expected"] == "integer from 1 to 9"
    assert "small" in problems["size"]["expected"]
    assert "large" in problems["size"]["expected"]
    assert problems["tags.1"]["expected"] == "string"
    assert problems["gift"] == {"path": "gift", "message": 'Expected boolean, got "yes"', "expected": "boolean"}
    assert all(path in error["message"] for path in problems)
    assert not shop.sent("shop/order")


async def test_unknown_names_get_the_nearest_one_at_any_depth(shop: ScriptedApi, connect: Connect) -> None:
    async with connect(shop.url) as client:
        error = await refusal(client, "shop_order", itme="x", count=1, address={"city": "x", "postcod": "1"}, zzz=1)
    problems = by_path(error)
    assert problems.keys() == {"item", "itme", "address.postcod", "zzz"}
    assert problems["itme"]["nearest"] == "item"
    assert problems["address.postcod"]["nearest"] == "postcode"
    assert "nearest" not in problems["zzz"]
    assert "count" in problems["zzz"]["expected"]
    assert not shop.sent("shop/order")


async def test_a_name_that_belongs_inside_of_an_argument_is_told_where(api: ScriptedApi, connect: Connect) -> None:
    lines = {"type": "array", "items": takes(sku={"type": "string"})}
    api.offer("shop", "order", takes(address=ADDRESS, lines=lines, skus={"type": "string"}))
    async with connect(api.url) as client:
        problems = by_path(await refusal(client, "shop_order", city="Brno", sku="a", postcod="1"))
    nearest = {path: problem.get("nearest") for path, problem in problems.items()}
    assert nearest == {"city": "address.city", "sku": "lines.0.sku", "postcod": None}


async def test_required_arguments_may_be_neither_absent_nor_null(shop: ScriptedApi, connect: Connect) -> None:
    async with connect(shop.url) as client:
        error = await refusal(client, "shop_order", item=None)
        nothing = await client.call_tool("shop_order")
    problems = by_path(error)
    assert problems.keys() == {"item", "count"}
    assert problems["item"]["expected"].startswith("string")
    assert problems["count"]["expected"] == "integer from 1 to 9"
    assert nothing.is_error
    assert not shop.sent("shop/order")


async def test_optional_nulls_and_defaults_are_not_sent(shop: ScriptedApi, connect: Connect) -> None:
    async with connect(shop.url) as client:
        await answer(client, "shop_order", item="x", count=1, size=None, address=None, tags=None, response_fields=None)
    assert [asked.arguments for asked in shop.sent("shop/order")] == [{"item": "x", "count": 1}]


async def test_a_null_that_the_schema_asks_for_is_sent(api: ScriptedApi, connect: Connect) -> None:
    api.offer("shop", "assign", takes("owner", owner={"anyOf": [{"type": "string"}, {"type": "null"}]}))
    api.answer("shop/assign", says())
    async with connect(api.url) as client:
        await answer(client, "shop_assign", owner=None)
    assert [asked.arguments for asked in api.sent("shop/assign")] == [{"owner": None}]


async def test_arguments_arrive_as_they_were_sent(shop: ScriptedApi, connect: Connect) -> None:
    order: dict[str, Any] = {"item": " größe\u2028\n", "count": 9, "address": {"city": "東京", "postcode": None}}
    async with connect(shop.url) as client:
        await answer(client, "shop_order", **order)
    [asked] = shop.sent("shop/order")
    assert asked.arguments == order
    assert asked.headers["content-type"] == "application/json"


async def test_an_action_that_takes_nothing_refuses_everything(api: ScriptedApi, connect: Connect) -> None:
    api.offer("shop", "open", parameters={})
    api.answer("shop/open", says("open"))
    async with connect(api.url) as client:
        assert by_path(await refusal(client, "shop_open", door=1)).keys() == {"door"}
        assert await answer(client, "shop_open") == {"data": "open", "meta": None}
    assert [asked.arguments for asked in api.sent("shop/open")] == [{}]


@pytest.mark.parametrize("wrong", ["id", 5, True, {"id": 1}, ["id", 5], [None], [["id"]]], ids=str)
@pytest.mark.parametrize("declared", [True, False], ids=["declared", "ours"])
async def test_response_fields_of_a_wrong_type_are_named(
    api: ScriptedApi, connect: Connect, *, declared: bool, wrong: object
) -> None:
    api.offer("shop", "find", takes(response_fields=SELECTED) if declared else takes())
    async with connect(api.url) as client:
        [path] = by_path(await refusal(client, "shop_find", response_fields=wrong))
    assert path.split(".")[0] == "response_fields"
    assert not api.sent("shop/find")


async def test_response_fields_are_selected_by_the_api_where_it_can(api: ScriptedApi, connect: Connect) -> None:
    api.offer("shop", "find", takes(response_fields=SELECTED))
    api.answer("shop/find", says({"id": 1, "name": "x"}))
    async with connect(api.url) as client:
        found = await answer(client, "shop_find", response_fields=["id"])
    assert [asked.arguments for asked in api.sent("shop/find")] == [{"response_fields": ["id"]}]
    assert found["data"] == {"id": 1, "name": "x"}


async def test_response_fields_are_selected_by_us_where_the_api_cannot(shop: ScriptedApi, connect: Connect) -> None:
    data = [{"id": 1, "user": {"login": "u", "org": {"n": "o"}}, "tags": ["x"]}, {"id": 2}, 3]
    shop.answer("shop/order", says(data, {"total": 3}))
    async with connect(shop.url) as client:
        found = await answer(client, "shop_order", item="x", count=1, response_fields=["user.login", "id", "tags.n"])
        all_of_it = await answer(client, "shop_order", item="x", count=1, response_fields=[])
    assert found["data"] == [{"user": {"login": "u"}, "id": 1, "tags": []}, {"id": 2}]
    assert found["meta"] == {"total": 3}
    assert "'tags.n' matches nothing" in found["notes"][0]
    assert all_of_it["data"] == data
    assert [asked.arguments for asked in shop.sent("shop/order")] == [{"item": "x", "count": 1}] * 2


async def test_a_real_action_says_what_it_takes(hub: RunningHub, hub_user: Credentials, connect: Connect) -> None:
    async with connect(hub.url, credentials=hub_user) as client:
        problems = by_path(await refusal(client, "notes_create_note", titel="x", body=42))
    assert problems.keys() == {"titel", "title", "body"}
    assert problems["titel"]["nearest"] == "title"


async def test_wrong_response_fields_are_named_beside_what_else_is_wrong(shop: ScriptedApi, connect: Connect) -> None:
    async with connect(shop.url) as client:
        error = await refusal(client, "shop_order", item="x", response_fields="id")
    assert by_path(error).keys() == {"count", "response_fields"}


async def test_a_misspelt_response_fields_gets_the_nearest_name(shop: ScriptedApi, connect: Connect) -> None:
    async with connect(shop.url) as client:
        error = await refusal(client, "shop_order", item="x", count=1, response_field=["id"])
    assert by_path(error)["response_field"]["nearest"] == "response_fields"


async def test_an_argument_whose_name_model_apis_refuse_is_called_by_another(
    api: ScriptedApi, connect: Connect
) -> None:
    size, long, page = (
        {"type": "object", "properties": {"cm": {"type": "integer"}}},
        {"type": "string"},
        {"type": "integer"},
    )
    api.offer(
        "shop", "find", takes("größe", page=page, **{"größe": size, "x" * 65: long, "x" * 66: long, "a.b-c": page})
    )
    api.answer("shop/find", says([1], {"page": 1, "has_next": True}))
    async with connect(api.url) as client:
        schema = (await tools(client))["shop_find"].input_schema
        [shown] = schema["required"]
        wrong = await refusal(client, "shop_find", **{shown: {"cm": "tall"}})
        found = await answer(client, "shop_find", **{shown: {"cm": 7}})
        again = await answer(client, "shop_find", größe={"cm": 7})
    names = list(schema["properties"])
    assert len({*names}) == 7  # ours with them
    assert "a.b-c" in names
    assert all(re.fullmatch("[a-zA-Z0-9_.-]{1,64}", name) for name in names)
    assert "'größe'" in schema["properties"][shown]["description"]
    assert list(by_path(wrong)) == [f"{shown}.cm"]
    assert found["next"] == {"arguments": {shown: {"cm": 7}, "page": 2}} == again["next"]
    assert [asked.arguments for asked in api.sent("shop/find")] == [{"größe": {"cm": 7}}] * 2


async def test_what_goes_together_is_said_in_the_tools_names(api: ScriptedApi, connect: Connect) -> None:
    name = {"type": "string"}
    either = {"oneOf": [{"required": ["ü"]}, {"required": ["c"]}]}
    known = takes(ü=name, b=name, c=name)
    api.offer("shop", "find", {**known, **either, "dependentRequired": {"ü": ["b"], "b": ["ü"]}})
    async with connect(api.url) as client:
        schema = (await tools(client))["shop_find"].input_schema
        shown = next(iter(schema["properties"]))
        neither = by_path(await refusal(client, "shop_find"))
        alone = by_path(await refusal(client, "shop_find", **{shown: "x"}))
        misspelt = by_path(await refusal(client, "shop_find", c="x", Ü="x"))
    assert schema["dependentRequired"] == {shown: ["b"], "b": [shown]}
    assert misspelt["Ü"]["nearest"] == shown
    assert schema["description"] == f"Give {shown}, or c."
    assert neither[""]["expected"] == f"an object with {shown}, or an object with c"
    assert alone["b"]["message"] == f"Field required where '{shown}' is given"


async def test_a_renamed_argument_that_begins_like_another_is_told_from_it(api: ScriptedApi, connect: Connect) -> None:
    api.offer("shop", "find", takes(**{"ü": {"type": "object"}, "ü.x": {"type": "integer"}}))
    async with connect(api.url) as client:
        properties = (await tools(client))["shop_find"].input_schema["properties"]
        [name] = [name for name, each in properties.items() if "'ü.x'" in each.get("description", "")]
        assert list(by_path(await refusal(client, "shop_find", **{name: "no number"}))) == [name]
