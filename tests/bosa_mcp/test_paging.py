"""`next.arguments` asks for the following page, in the action's own way, until there is none."""

from collections.abc import Callable
from typing import Any

import pytest
from mcp import Client
from starlette.requests import Request
from starlette.responses import Response

from bosa_connectors.calls import Credentials
from bosa_connectors.fields import select
from bosa_connectors.shapes import items, members
from bosa_hub.serve import RunningHub

from .conftest import Connect, answer
from .scripted_api import Answer, Json, ScriptedApi, says, takes

ITEMS = [{"id": number, "name": f"item {number}"} for number in range(7)]
SIZE = 3
NUMBER: Json = {"anyOf": [{"type": "integer", "minimum": 1}, {"type": "null"}]}
COUNTED: Json = {"type": "integer", "minimum": 0}
TEXT: Json = {"anyOf": [{"type": "string"}, {"type": "null"}]}
SELECTED: Json = {"anyOf": [{"type": "array", "items": {"type": "string"}}, {"type": "null"}]}


async def walk(client: Client, tool: str, **arguments: Any) -> list[Json]:  # noqa: ANN401  JSON
    """The results of all pages."""
    results = [await answer(client, tool, **arguments)]
    while "next" in results[-1]:
        assert results[-1]["next"].keys() == {"arguments"}
        assert len(results) < 9, "the walk does not end"
        results.append(await answer(client, tool, **results[-1]["next"]["arguments"]))
    return results


def by_number(arguments: Json) -> tuple[object, Json]:
    page = arguments.get("page") or 1
    shown, more = ITEMS[(page - 1) * SIZE : page * SIZE], page * SIZE < len(ITEMS)
    return shown, {"page": page, "limit": SIZE, "total": 7, "total_page": 3, "has_next": more, "has_prev": page > 1}


def by_cursor(argument: str, *names: str) -> Callable[[Json], tuple[object, Json]]:
    def page(arguments: Json) -> tuple[object, Json]:
        start = int(arguments.get(argument) or 0)
        end = start + SIZE if start + SIZE < len(ITEMS) else None
        known = {"has_next": end is not None, "forwards_cursor": end and str(end), "backwards_cursor": str(start)}
        return ITEMS[start : start + SIZE], {name: known[name] for name in names}

    return page


def token_in_data(arguments: Json) -> tuple[object, object]:
    shown, meta = by_cursor("page_token", "forwards_cursor")(arguments)
    return {"messages": shown, "next_page_token": meta["forwards_cursor"] or ""}, None


def from_zero(arguments: Json) -> tuple[object, Json]:
    page = arguments.get("page") or 0
    return ITEMS[page * SIZE : (page + 1) * SIZE], {"has_next": (page + 1) * SIZE < len(ITEMS)}


def by_text(arguments: Json) -> tuple[object, Json]:
    shown, meta = by_number({"page": int(arguments.get("page") or 1)})
    return shown, {"has_next": meta["has_next"]}


def by_offset(arguments: Json) -> tuple[object, Json]:
    start = arguments.get("offset") or 0
    return ITEMS[start : start + SIZE], {"offset": start, "has_next": start + SIZE < len(ITEMS)}


def by_skip(arguments: Json) -> tuple[object, Json]:
    shown, meta = by_offset({"offset": arguments.get("skip")})
    return shown, {"hasMore": meta["has_next"]}


def in_text(arguments: Json) -> tuple[object, Json]:
    shown, meta = by_number(arguments)
    return shown, {name: str(value) for name, value in meta.items()}


def cursor_in_data(arguments: Json) -> tuple[object, object]:
    shown, meta = by_cursor("cursor", "forwards_cursor")(arguments)
    return {"messages": shown, "next_cursor": meta["forwards_cursor"]}, None


def by_number_as_cursor(arguments: Json) -> tuple[object, Json]:
    shown, meta = by_cursor("cursor", "forwards_cursor")(arguments)
    following = meta["forwards_cursor"]
    return shown, {"next_cursor": following is not None and int(following)}


def by_total(arguments: Json) -> tuple[object, Json]:
    shown, meta = by_offset(arguments)
    return shown, {"offset": meta["offset"], "limit": SIZE, "total": len(ITEMS)}


def by_total_pages(arguments: Json) -> tuple[object, Json]:
    shown, meta = by_number(arguments)
    return shown, {"page": meta["page"], "total_pages": meta["total_page"]}


def numbered_from_zero(arguments: Json) -> tuple[object, Json]:
    shown, meta = by_number(arguments)
    return shown, {"page": meta["page"] - 1, "has_next": meta["has_next"]}


def by_address(arguments: Json) -> tuple[object, Json]:
    shown, meta = by_number(arguments)
    following = f"https://elsewhere.example/items?page={meta['page'] + 1}&key=secret"
    return shown, {"links": {"next": following if meta["has_next"] else None}}


def by_connection(arguments: Json) -> tuple[object, Json]:
    shown, meta = by_cursor("after", "has_next", "forwards_cursor")(arguments)
    return shown, {"pageInfo": {"hasNextPage": meta["has_next"], "endCursor": meta["forwards_cursor"]}}


STYLES: dict[str, tuple[Json, Callable[[Json], tuple[object, object]]]] = {
    "page": (takes(page=NUMBER, per_page=NUMBER), by_number),
    "cursor": (
        takes(cursor=TEXT, per_page=NUMBER, from_last={"type": "boolean"}),
        by_cursor("cursor", "has_next", "forwards_cursor", "backwards_cursor"),
    ),
    "page_token": (takes(page_token=TEXT, page_size=NUMBER), by_cursor("page_token", "has_next", "forwards_cursor")),
    "next_token": (takes(next_token=TEXT), by_cursor("next_token", "forwards_cursor")),
    "after": (takes(before=TEXT, after=TEXT), by_cursor("after", "has_next", "forwards_cursor")),
    "page from 0": (takes(page={"type": "integer", "minimum": 0, "default": 0}), from_zero),
    "page as text": (takes(page={"type": "string"}), by_text),
    "offset": (takes(offset=COUNTED, limit=NUMBER), by_offset),
    "skip": (takes(skip=COUNTED, limit=NUMBER), by_skip),
    "all in text": (takes(page=NUMBER), in_text),
    "cursor in data": (takes(cursor=TEXT), cursor_in_data),
    "cursor of numbers": (takes(cursor=TEXT), by_number_as_cursor),
    "total": (takes(offset=COUNTED, limit=NUMBER), by_total),
    "total pages": (takes(page=NUMBER, per_page=NUMBER), by_total_pages),
    "numbered from 0": (takes(page=NUMBER), numbered_from_zero),
    "address": (takes(page=NUMBER, key=TEXT), by_address),
    "connection": (takes(after=TEXT, first=NUMBER), by_connection),
    "token in data": (takes(page_token=TEXT, max_results=NUMBER), token_in_data),
}


def pages(page: Callable[[Json], tuple[object, object]]) -> Answer:
    """The page that was asked for; fields are selected as the published server does."""

    async def answer(request: Request) -> Response:
        arguments = await request.json()
        data, meta = page(arguments)
        return says(select(data, arguments.get("response_fields")), meta)

    return answer


def found(results: list[Json]) -> list[object]:
    return [item for page in results for item in _messages(page["data"])]


def _messages(data: object) -> list[object]:
    return items(data) or items(members(data).get("messages"))


@pytest.mark.parametrize("style", STYLES)
async def test_every_item_comes_once(api: ScriptedApi, connect: Connect, style: str) -> None:
    schema, page = STYLES[style]
    api.offer("shop", "list", schema)
    api.answer("shop/list", pages(page))
    async with connect(api.url) as client:
        results = await walk(client, "shop_list")
    assert found(results) == ITEMS
    assert len(results) == 3
    assert not any("notes" in result for result in results)


@pytest.mark.parametrize("style", STYLES)
async def test_every_item_comes_once_where_pages_are_put_together(
    api: ScriptedApi, connect: Connect, style: str
) -> None:
    schema, page = STYLES[style]
    api.offer("shop", "list", schema)
    api.answer("shop/list", pages(page))
    async with connect(api.url) as client:
        results = await walk(client, "shop_list", max_items=6)
    assert [len(_messages(result["data"])) for result in results] == [6, 1]
    assert found(results) == ITEMS


@pytest.mark.parametrize("declared", [True, False], ids=["the API selects", "we select"])
@pytest.mark.parametrize("style", STYLES)
async def test_the_fields_that_were_asked_for_stay(
    api: ScriptedApi, connect: Connect, *, style: str, declared: bool
) -> None:
    schema, page = STYLES[style]
    api.offer("shop", "list", takes(**schema["properties"], **({"response_fields": SELECTED} if declared else {})))
    api.answer("shop/list", pages(page))
    fields = ["messages.id" if style.endswith("in data") else "id"]
    async with connect(api.url) as client:
        results = await walk(client, "shop_list", response_fields=fields)
    assert found(results) == [{"id": item["id"]} for item in ITEMS]
    assert all(result["next"]["arguments"]["response_fields"] == fields for result in results[:-1])
    assert all(("response_fields" in asked.arguments) == declared for asked in api.sent("shop/list"))


async def test_what_else_was_asked_stays(api: ScriptedApi, connect: Connect) -> None:
    api.offer("shop", "list", takes("kind", kind={"type": "string"}, page=NUMBER))
    api.answer("shop/list", pages(by_number))
    async with connect(api.url) as client:
        first = await answer(client, "shop_list", kind="book", page=2)
    assert first["next"] == {"arguments": {"kind": "book", "page": 3}}


async def test_a_page_that_names_no_number_is_counted(api: ScriptedApi, connect: Connect) -> None:
    api.offer("shop", "list", takes(page=NUMBER))
    api.answer("shop/list", says([1], {"has_next": True}))
    async with connect(api.url) as client:
        assert (await answer(client, "shop_list"))["next"] == {"arguments": {"page": 2}}
        assert (await answer(client, "shop_list", page=5))["next"] == {"arguments": {"page": 6}}


@pytest.mark.parametrize(
    ("schema", "meta"),
    [
        (takes(cursor=TEXT), {"has_next": True, "forwards_cursor": "same"}),
        (takes(page_token=TEXT), {"next_page_token": "same"}),
        (takes(), {"has_next": True}),
    ],
    ids=["repeated cursor", "repeated token", "nowhere to go"],
)
async def test_a_page_that_leads_nowhere_is_noted(api: ScriptedApi, connect: Connect, schema: Json, meta: Json) -> None:
    api.offer("shop", "list", schema)
    api.answer("shop/list", says([1], meta))
    async with connect(api.url) as client:
        result = await answer(client, "shop_list", **dict.fromkeys(schema["properties"], "same"))
    assert result["data"] == [1]
    assert "next" not in result
    [note] = result["notes"]
    assert "page" in note


async def test_a_schema_whose_root_is_a_reference_has_pages_too(api: ScriptedApi, connect: Connect) -> None:
    api.offer("shop", "list", {"$ref": "#/$defs/List", "$defs": {"List": takes(page=NUMBER)}})
    api.answer("shop/list", pages(by_number))
    async with connect(api.url) as client:
        assert found(await walk(client, "shop_list")) == ITEMS


@pytest.mark.parametrize("meta", [None, {}, {"has_next": False}, {"has_next": False, "forwards_cursor": "x"}], ids=str)
async def test_the_last_page_has_no_next(api: ScriptedApi, connect: Connect, meta: object) -> None:
    api.offer("shop", "list", takes(page=NUMBER, cursor=TEXT))
    api.answer("shop/list", says([1], meta))
    async with connect(api.url) as client:
        assert await answer(client, "shop_list") == {"data": [1], "meta": meta}


async def test_real_pages_are_walked_to_the_end(hub: RunningHub, hub_user: Credentials, connect: Connect) -> None:
    names = [f"{number}.txt" for number in range(5)]
    async with connect(hub.url, credentials=hub_user) as client:
        for name in names:
            await answer(client, "notes_create_note", title=name, body="")
            await answer(client, "files_write_text_file", path=name, text="")
        notes = await walk(client, "notes_list_notes", per_page=2, response_fields=["title"])
        files = await walk(client, "files_list_files", per_page=2, response_fields=["path"])
    assert found(notes) == [{"title": name} for name in reversed(names)]
    assert found(files) == [{"path": name} for name in names]
    assert [len(notes), len(files)] == [3, 3]
