"""Connectors that page as the services behind them do: a walk gives every item once, and ends, also amid failures."""

from collections.abc import Callable
from typing import Any, Final, TypeAlias, cast

import pytest
from mcp import Client
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from bosa_connectors.shapes import is_array

from .conftest import Connect, answer
from .scripted_api import Answer, Json, ScriptedApi, fails, takes

# what each of them says of other pages also stands in the items, where it means nothing
ITEMS: Final[list[Json]] = [{"id": f"i{number}", "next": "x", "has_more": True, "page": 7} for number in range(23)]
COUNT: Final = len(ITEMS)
NUMBER: Final[Json] = {"type": "integer"}
TEXT: Final[Json] = {"type": "string"}
URL: Final = "https://service.example/items"
Page: TypeAlias = Callable[[int, int], Json]
"""What is answered from this item on, with so many of them."""


def ahead(start: int, size: int, **said: Any) -> Json:  # noqa: ANN401  JSON
    """What is said where another page follows."""
    return said if start + size < COUNT else {}


def shown(start: int, size: int) -> list[Json]:
    return ITEMS[start : start + size]


def github_search(start: int, size: int) -> Json:
    return {"total_count": COUNT, "incomplete_results": False, "items": shown(start, size)}


def slack(start: int, size: int) -> Json:
    following = str(start + size) if start + size < COUNT else ""
    return {"ok": True, "members": shown(start, size), "response_metadata": {"next_cursor": following}}


def notion(start: int, size: int) -> Json:
    more = start + size < COUNT
    return {"results": shown(start, size), "has_more": more, "next_cursor": str(start + size) if more else None}


def jira(start: int, size: int) -> Json:
    return {"startAt": start, "maxResults": size, "total": COUNT, "issues": shown(start, size)}


def salesforce(start: int, size: int) -> Json:
    following = ahead(start, size, nextRecordsUrl=f"/services/data/query/01g-{start + size}")
    return {"totalSize": COUNT, "done": not following, "records": shown(start, size), **following}


def stripe(start: int, size: int) -> Json:
    return {"object": "list", "data": shown(start, size), "has_more": start + size < COUNT}


def google(start: int, size: int) -> Json:
    return {"files": shown(start, size), **ahead(start, size, nextPageToken=str(start + size))}


def graph(start: int, size: int) -> Json:
    link = {"@odata.nextLink": f"{URL}?$top={size}&$skip={start + size}&$select=id"}
    return {"value": shown(start, size), **ahead(start, size, **link)}


def algolia(start: int, size: int) -> Json:
    return {"hits": shown(start, size), "page": start // size, "nbPages": -(-COUNT // size), "hitsPerPage": size}


def elastic(start: int, size: int) -> Json:
    return {"hits": {"total": {"value": COUNT, "relation": "eq"}, "hits": shown(start, size)}}


def hubspot(start: int, size: int) -> Json:
    return {"results": shown(start, size), **ahead(start, size, paging={"next": {"after": str(start + size)}})}


def rest_framework(start: int, size: int) -> Json:
    following = f"{URL}?page={start // size + 2}&page_size={size}" if start + size < COUNT else None
    return {"count": COUNT, "next": following, "previous": None, "results": shown(start, size)}


SERVICES: Final[dict[str, tuple[Page, str, str | None, int | None]]] = {
    "GitHub": (github_search, "page", "per_page", 1),
    "Slack": (slack, "cursor", "limit", None),
    "Notion": (notion, "start_cursor", "page_size", None),
    "Jira": (jira, "startAt", "maxResults", None),
    "Salesforce": (salesforce, "next_records_url", None, None),
    "Stripe": (stripe, "starting_after", "limit", None),
    "Google": (google, "pageToken", "pageSize", None),
    "Graph": (graph, "skip", "top", None),
    "Algolia": (algolia, "page", "hitsPerPage", 0),
    "Elastic": (elastic, "from", "size", None),
    "HubSpot": (hubspot, "after", "limit", None),
    "REST framework": (rest_framework, "page", "page_size", 1),
}
"""The page, the argument that says where it is and the one that says its size, and the number of the first one."""
COUNTED: Final = {"page", "startAt", "skip", "from"}


def serving(service: str) -> tuple[Json, Answer]:
    """The schema of a service's arguments, and what answers."""
    page, argument, size, first = SERVICES[service]

    async def served(request: Request) -> Response:
        asked = await request.json()
        each, place = asked.get(size) or 5, asked.get(argument)
        start = int(str(place).rpartition("-")[2].lstrip("i")) if place else 0
        if first is not None:
            start = (start - (first if place else 0)) * each
        return JSONResponse({"data": page(start + (argument == "starting_after" and bool(place)), each), "meta": None})

    sizes = {} if size is None else {size: {**NUMBER, "default": 5}}
    return takes(**{argument: NUMBER if argument in COUNTED else TEXT, **sizes}), served


async def ids(client: Client, **first: object) -> list[str]:
    """The items that a walk gives."""
    results = [await answer(client, "shop_list_items", **first)]
    while "next" in results[-1]:
        assert len(results) < 9, "the walk does not end"
        results.append(await answer(client, "shop_list_items", **results[-1]["next"]["arguments"]))
    assert not any("notes" in result for result in results)
    return [item["id"] for result in results for item in _listed(result["data"])]


def _listed(data: Json) -> list[Json]:
    lists = [each for each in data.values() if is_array(each)]
    return cast("list[Json]", lists[0]) if lists else _listed(data["hits"])


@pytest.mark.parametrize("first", [{}, {"max_items": 12}, {"max_items": 100}], ids=str)
@pytest.mark.parametrize("service", SERVICES)
async def test_every_item_comes_once(api: ScriptedApi, connect: Connect, service: str, first: Json) -> None:
    schema, served = serving(service)
    api.offer("shop", "list_items", schema)
    api.answer("shop/list_items", served)
    async with connect(api.url) as client:
        assert await ids(client, **first) == [item["id"] for item in ITEMS]


@pytest.mark.parametrize("first", [{}, {"max_items": 12}], ids=str)
@pytest.mark.parametrize("service", ["GitHub", "Slack", "Jira"])
async def test_failures_on_the_way_lose_no_item(api: ScriptedApi, connect: Connect, service: str, first: Json) -> None:
    schema, served = serving(service)
    busy, down, broken = (fails(status, headers={"retry-after": "0"}) for status in (429, 503, 500))
    api.offer("shop", "list_items", schema)
    api.answer("shop/list_items", *(busy, served, down, broken) * 5, served)
    async with connect(api.url) as client:
        assert await ids(client, **first) == [item["id"] for item in ITEMS]


@pytest.mark.parametrize("status", [401, 403, 404, 429, 500])
async def test_what_came_before_a_failure_is_kept_and_next_leads_to_the_page_that_failed(
    api: ScriptedApi, connect: Connect, status: int
) -> None:
    schema, served = serving("Slack")
    failing = fails(status, headers={"retry-after": "600"})
    api.offer("shop", "list_items", schema)
    api.answer("shop/list_items", served, failing, served)
    async with connect(api.url) as client:
        first = await answer(client, "shop_list_items", max_items=20, limit=5)
        assert len(_listed(first["data"])) == 5
        assert "could not be had" in first["notes"][0]
        rest = await ids(client, **first["next"]["arguments"])
    assert [item["id"] for item in _listed(first["data"])] + rest == [item["id"] for item in ITEMS]
