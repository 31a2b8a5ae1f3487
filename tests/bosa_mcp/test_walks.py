"""Pages put together with `max_items`: no item is lost on the way, whatever the pages hold."""

from collections.abc import Callable

import pytest
from starlette.requests import Request
from starlette.responses import Response

from .conftest import Connect, answer
from .scripted_api import Json, ScriptedApi, says, takes

NUMBER: Json = {"anyOf": [{"type": "integer", "minimum": 1}, {"type": "null"}]}
COUNT = 60


async def by_tens(request: Request) -> Response:
    page = (await request.json()).get("page") or 1
    text = "é\u200cx\u200d" * 12
    shown = [{"id": number, "text": text} for number in range(page * 10 - 10, page * 10)]
    return says(shown, {"page": page, "has_next": page * 10 < COUNT, "note": "m" * 300})


@pytest.mark.parametrize("budget", range(1_600, 11_000, 470))
async def test_what_is_put_together_is_written_whole_in_any_size_of_result(
    api: ScriptedApi, connect: Connect, budget: int
) -> None:
    api.offer("shop", "find_items", takes(page=NUMBER, q={"type": "string"}))
    api.answer("shop/find_items", by_tens)
    async with connect(api.url, result_bytes=budget) as client:
        results = [await answer(client, "shop_find_items", max_items=COUNT, q="q" * 300)]
        while "next" in results[-1]:
            results.append(await answer(client, "shop_find_items", **results[-1]["next"]["arguments"]))
    assert all("omitted" not in result for result in results if len(result["data"]) > 10)
    if not any("omitted" in result for result in results):
        assert [item["id"] for result in results for item in result["data"]] == list(range(COUNT))


@pytest.mark.parametrize(
    ("taken", "wanted", "size"),
    [
        ({"anyOf": [{"type": "integer", "minimum": 10, "maximum": 100}, {"type": "null"}]}, 5, 10),
        ({"type": "integer", "exclusiveMinimum": 9}, 5, 10),
        ({"type": "integer", "maximum": 30.0}, 60, 30),
        ({"type": "integer", "exclusiveMaximum": 50}, 60, 49),
        ({"oneOf": [{"type": "integer", "maximum": 30}, {"type": "null"}]}, 60, 30),
        ({"allOf": [{"type": "integer"}, {"maximum": 30}]}, 60, 30),
        ({"enum": [10, 25, 50]}, 7, 10),
        ({"enum": [10, 25, 50]}, 30, 25),
        ({"type": "integer", "maximum": 10**30}, 60, 50),
        ({"type": "integer", "multipleOf": 7}, 60, None),
        ({"type": "integer", "maximum": 0}, 60, None),
        ({"$ref": "#/$defs/Size"}, 60, None),
        ({"$ref": "#/$defs/Size"}, 15, 15),
        ({"type": "string"}, 60, None),
        ({"type": "integer"}, 60, 50),
        ({"type": "integer", "maximum": 100}, 60, 60),
        ({"type": "integer", "maximum": 100}, 7.0, 7),
    ],
)
async def test_pages_are_asked_for_in_a_size_that_the_action_takes(
    api: ScriptedApi, connect: Connect, taken: Json, wanted: float, size: int | None
) -> None:
    schema = takes(page=NUMBER, limit=taken) | {"$defs": {"Size": {"type": "integer", "maximum": 20}}}
    api.offer("shop", "find_items", schema)
    api.answer("shop/find_items", says([1]))
    async with connect(api.url) as client:
        await answer(client, "shop_find_items", max_items=wanted)
    [sent] = api.sent("shop/find_items")
    assert sent.arguments == ({} if size is None else {"limit": size})


@pytest.mark.parametrize(
    "first",
    [{"page": 1}, {"page": "1"}, {"page": 0}, {"offset": 0}, {"offset": "0"}, {"startIndex": 1}, {"cursor": ""}],
    ids=str,
)
async def test_the_first_page_has_the_size_that_makes_so_many_items_also_where_it_is_asked_for_as_such(
    api: ScriptedApi, connect: Connect, first: Json
) -> None:
    where: Json = {"startIndex": {"type": "integer"}} if "startIndex" in first else {name: {} for name in first}
    api.offer("shop", "find_items", takes(per_page=NUMBER, **where))
    api.answer("shop/find_items", says([1]))
    async with connect(api.url) as client:
        await answer(client, "shop_find_items", max_items=5, **first)
    assert api.sent("shop/find_items")[0].arguments == {**first, "per_page": 5}


@pytest.mark.parametrize(("given", "sent"), [(3, 3), (5, 5), (6, 5), ("100", "100")])
async def test_a_size_of_pages_that_was_chosen_stays_unless_so_many_items_are_not_wanted(
    api: ScriptedApi, connect: Connect, given: object, sent: object
) -> None:
    api.offer("shop", "find_items", takes(page=NUMBER, per_page=True))
    api.answer("shop/find_items", says([1]))
    async with connect(api.url) as client:
        await answer(client, "shop_find_items", max_items=5, per_page=given)
    assert api.sent("shop/find_items")[0].arguments == {"per_page": sent}


@pytest.mark.parametrize("further", [{"offset": "token"}, {"offset": "5"}, {"cursor": "c"}, {"page": 2}], ids=str)
async def test_a_further_page_has_the_size_that_it_was_asked_for_with(
    api: ScriptedApi, connect: Connect, further: Json
) -> None:
    api.offer("shop", "find_items", takes(limit=NUMBER, offset=True, cursor=True, page=True))
    api.answer("shop/find_items", says([1]))
    async with connect(api.url) as client:
        await answer(client, "shop_find_items", max_items=5, **further)
    assert api.sent("shop/find_items")[0].arguments == further


LONG = [{"id": number, "text": "t" * (900 if number % 7 == 3 else 90)} for number in range(COUNT)]


def by_size(style: str, usual: int = 30) -> Callable[[Json], Response]:
    """Pages of `per_page` items, the usual number where nothing is said."""

    def page(asked: Json) -> Response:
        size = asked.get("per_page") or usual
        start = ((asked.get("page") or 1) - 1) * size if style == "page" else int(asked.get(style) or 0)
        end = start + size
        meta: Json = {"has_next": end < COUNT, "forwards_cursor": str(end) if end < COUNT else None}
        return says(LONG[start:end], {"has_next": end < COUNT} if style in {"page", "offset"} else meta)

    return page


@pytest.mark.parametrize("style", ["page", "offset", "cursor"])
@pytest.mark.parametrize(
    "first", [{}, {"per_page": 20}, {"max_items": COUNT}, {"max_items": COUNT, "per_page": 20}], ids=str
)
@pytest.mark.parametrize("budget", [1_800, 4_000, 9_000])
async def test_a_page_that_is_larger_than_a_result_is_asked_for_in_smaller_ones_so_that_next_leaves_nothing_out(
    api: ScriptedApi, connect: Connect, style: str, first: Json, budget: int
) -> None:
    async def pages(request: Request) -> Response:
        return by_size(style)(await request.json())

    where = {"page": NUMBER, "offset": {"type": "integer", "minimum": 0}, "cursor": {"type": "string"}}[style]
    api.offer("shop", "find_items", takes(per_page=NUMBER, **{style: where}))
    api.answer("shop/find_items", pages)
    async with connect(api.url, result_bytes=budget) as client:
        results = [await answer(client, "shop_find_items", **first)]
        while "next" in results[-1]:
            results.append(await answer(client, "shop_find_items", **results[-1]["next"]["arguments"]))
    assert [item for result in results for item in result["data"]] == LONG
    assert not any("omitted" in result for result in results[:-1])


async def test_a_page_that_is_asked_for_in_smaller_ones_says_why_it_is_short(
    api: ScriptedApi, connect: Connect
) -> None:
    async def pages(request: Request) -> Response:
        return by_size("page", 20)(await request.json())

    api.offer("shop", "find_items", takes(page=NUMBER, per_page=NUMBER))
    api.answer("shop/find_items", pages)
    async with connect(api.url, result_bytes=4_000) as client:
        result = await answer(client, "shop_find_items", page=2)
    assert result["data"] == LONG[20 : 20 + len(result["data"])]
    assert len(result["data"]) == result["next"]["arguments"]["per_page"] == 10  # more fit, but 20 are before it
    [note] = result["notes"]
    assert "Of 20 items only these fit" in note


@pytest.mark.parametrize(
    ("taken", "asked", "following"),
    [
        ({"page": {"default": 1}}, {"page": 2}, {"page": 4, "per_page": 10}),
        ({"page": {"default": 0}}, {"page": 1}, {"page": 3, "per_page": 10}),
        ({"page": {"default": 1}, "per_page": {"multipleOf": 10}}, {}, {"page": 2, "per_page": 10}),
        ({"page": {"default": 1}}, {"page": 0}, None),
    ],
)
async def test_smaller_pages_begin_where_the_page_did_and_have_a_size_that_is_taken(
    api: ScriptedApi, connect: Connect, taken: Json, asked: Json, following: Json | None
) -> None:
    first = taken["page"]["default"]
    start = max(asked.get("page", first) - first, 0) * 20

    async def pages(request: Request) -> Response:
        asked = await request.json()
        size = asked["per_page"]
        start = max(asked.get("page", first) - first, 0) * size
        return says(LONG[:37][start : start + size], {"has_next": start + size < 37})

    api.offer("shop", "find_items", takes(**{"per_page": NUMBER, **taken}))
    api.answer("shop/find_items", pages)
    async with connect(api.url, result_bytes=4_000) as client:
        result = await answer(client, "shop_find_items", max_items=COUNT, per_page=20, **asked)
    if following:
        assert (result["data"], "omitted" in result) == (LONG[start : start + 10], False)
        assert result["next"]["arguments"] == {**following, "max_items": COUNT}
    else:
        assert "omitted" in result


async def test_what_stands_beside_the_items_of_a_page_takes_its_room(api: ScriptedApi, connect: Connect) -> None:
    async def pages(request: Request) -> Response:
        size = (await request.json()).get("per_page") or 20
        return says({"note": "n" * 2_000, "rows": LONG[:size]}, {"has_next": True})

    api.offer("shop", "find_items", takes(page=NUMBER, per_page=NUMBER))
    api.answer("shop/find_items", pages)
    async with connect(api.url, result_bytes=4_000) as client:
        result = await answer(client, "shop_find_items")
    assert (len(result["data"]["rows"]), result["next"]["arguments"]) == (5, {"page": 2, "per_page": 5})


async def test_a_page_of_one_item_is_not_asked_for_in_smaller_ones(api: ScriptedApi, connect: Connect) -> None:
    api.offer("shop", "find_items", takes(page=NUMBER, per_page=NUMBER))
    api.answer("shop/find_items", says([{"text": "t" * 9_000}], {"page": 1, "has_next": False}))
    async with connect(api.url, result_bytes=4_000) as client:
        assert "omitted" in await answer(client, "shop_find_items", max_items=COUNT)
    assert len(api.sent("shop/find_items")) == 1


async def test_a_page_is_cut_where_the_api_keeps_to_its_own_sizes(api: ScriptedApi, connect: Connect) -> None:
    api.offer("shop", "find_items", takes(page=NUMBER, per_page=NUMBER))
    api.answer("shop/find_items", says(LONG, {"has_next": True}))
    async with connect(api.url, result_bytes=4_000) as client:
        result = await answer(client, "shop_find_items", max_items=COUNT)
    assert result["omitted"]["items"] == COUNT - len(result["data"])
    assert result["next"]["arguments"] == {"page": 2, "max_items": COUNT, "per_page": 50}


@pytest.mark.parametrize("shorter", [[], [{"id": -1}], {"rows": LONG[:3]}], ids=["nothing", "others", "another shape"])
async def test_a_page_is_cut_where_a_smaller_one_is_not_its_beginning(
    api: ScriptedApi, connect: Connect, shorter: object
) -> None:
    more = {"has_next": True}
    api.offer("shop", "find_items", takes(page=NUMBER, per_page=NUMBER))
    api.answer("shop/find_items", says(LONG, more), says(shorter, more))
    async with connect(api.url, result_bytes=4_000) as client:
        result = await answer(client, "shop_find_items")
    assert result["data"] == LONG[: len(result["data"])]
    assert result["omitted"]["items"] == COUNT - len(result["data"])
    assert result["next"]["arguments"] == {"page": 2}


@pytest.mark.parametrize(
    ("first", "second", "asked"),
    [
        ([{"id": 1}], {"rows": [{"id": 2}]}, 2),
        ({"rows": [{"id": 1}]}, {"hits": [{"id": 2}]}, 2),
        ({"rows": [{"id": 1}]}, [{"id": 2}], 2),
        ({"rows": [{"id": 1}], "hits": [{"id": 1}]}, {"rows": [{"id": 2}], "hits": [{"id": 2}]}, 1),
        ({"id": 1}, {"id": 2}, 1),
    ],
    ids=str,
)
async def test_pages_of_which_nobody_knows_how_they_go_together_stay_apart(
    api: ScriptedApi, connect: Connect, first: object, second: object, asked: int
) -> None:
    more = {"has_next": True}
    api.offer("shop", "find_items", takes(page=NUMBER))
    api.answer("shop/find_items", says(first, more), says(second, more))
    async with connect(api.url) as client:
        result = await answer(client, "shop_find_items", max_items=5)
    assert (result["data"], result["next"]["arguments"]) == (first, {"page": 2, "max_items": 5})
    assert len(api.sent("shop/find_items")) == asked


async def test_what_pages_tell_beside_their_items_is_never_lost(api: ScriptedApi, connect: Connect) -> None:
    async def by_users(request: Request) -> Response:
        page = (await request.json()).get("page") or 1
        beside: Json = {"users": {f"u{page // 3}": page // 3}, "errors": [], "count": page}
        return says({"posts": [{"id": page}], **beside}, {"page": page, "has_next": page < 5})

    api.offer("shop", "find_posts", takes(page=NUMBER))
    api.answer("shop/find_posts", by_users)
    async with connect(api.url) as client:
        results = [await answer(client, "shop_find_posts", max_items=9)]
        while "next" in results[-1]:
            results.append(await answer(client, "shop_find_posts", **results[-1]["next"]["arguments"]))
    assert [[post["id"] for post in result["data"]["posts"]] for result in results] == [[1, 2], [3, 4, 5]]
    assert [result["data"]["users"] for result in results] == [{"u0": 0}, {"u1": 1}]
