"""Pages put together with `max_items`: no item is lost on the way, whatever the pages hold."""

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
