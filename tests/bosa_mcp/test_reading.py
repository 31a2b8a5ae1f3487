"""What is kept is read by a tool, for many clients show their models no resources."""

import json
from typing import cast

import pytest
from mcp import Client
from starlette.responses import Response

from bosa_connectors.calls import Credentials

from .conftest import KEY, PLANTED, TOKEN, answer, refusal
from .linkable import linkable
from .scripted_api import Json, ScriptedApi, says

WHO = Credentials(KEY, TOKEN)
SIZE = 80_000
"""Bytes of one result."""


def text_file(content: bytes, media_type: str = "text/plain") -> Response:
    return Response(content, media_type=media_type, headers={"content-disposition": 'attachment; filename="a.txt"'})


async def kept_file(client: Client) -> str:
    """Where the file lies that a tool answers with."""
    result = await client.call_tool("shop_get_file", {})
    return cast("Json", result.structured_content)["data"]["uri"]


async def parts_of(client: Client, uri: str) -> list[Json]:
    """All parts of what is kept, each as `next` leads to it."""
    found = [await answer(client, "bosa_read", uri=uri)]
    while following := found[-1].get("next"):
        found.append(await answer(client, "bosa_read", **following["arguments"]))
        assert len(json.dumps(found[-1], ensure_ascii=False).encode()) <= SIZE
    return found


@pytest.mark.parametrize("item", ["plain", "ä漢😀", '"\\\n', "\u200b"], ids=["plain", "wide", "quoted", "hidden"])
async def test_a_result_that_was_too_large_is_read_in_parts(api: ScriptedApi, era: str, item: str) -> None:
    many = [{"id": number, "text": item * 20} for number in range(2_000)]
    api.offer("shop", "get_all")
    api.answer("shop/get_all", says(many))
    async with linkable(api.url, WHO, era) as it:
        large = await answer(it.client, "shop_get_all")
        kept = large["omitted"]["resource"]
        parts = [part["data"] for part in await parts_of(it.client, kept)]
    assert large["notes"][0].endswith("bosa_read gives the whole resource, in parts.")
    whole = "".join(part["text"] for part in parts)
    assert json.loads(whole.replace("\\\\u200b", "\u200b") if item == "\u200b" else whole)["data"][-1]["id"] == 1_999
    assert 1 < len(parts) < 20
    assert [part["offset"] for part in parts] == sorted({part["offset"] for part in parts})


async def test_a_text_file_is_read_to_its_end_and_from_anywhere(api: ScriptedApi, era: str) -> None:
    content = "".join(f"line {number} ä\n" for number in range(9_000))
    api.offer("shop", "get_file")
    api.answer("shop/get_file", text_file(content.encode()))
    async with linkable(api.url, WHO, era) as it:
        uri = await kept_file(it.client)
        parts = await parts_of(it.client, uri)
        last = await answer(it.client, "bosa_read", uri=uri, offset=f"{len(content.encode()) - 10}")
        ended = await answer(it.client, "bosa_read", uri=uri, offset=len(content.encode()))
        beyond = await refusal(it.client, "bosa_read", uri=uri, offset=len(content.encode()) + 1)
    assert "".join(part["data"]["text"] for part in parts) == content
    assert last["data"] == {
        "name": "a.txt",
        "size": len(content.encode()),
        "offset": len(content.encode()) - 10,
        "text": content[-9:],
    }
    assert (ended["data"]["text"], "next" in ended) == ("", False)
    assert beyond["kind"] == "invalid_arguments"


@pytest.mark.parametrize(
    ("sent", "kind"),
    [
        ({"uri": "bosa://files/" + "0" * 32}, "not_found"),
        ({"uri": "file:///etc/passwd"}, "invalid_arguments"),
        ({"uri": "bosa://files/x", "offset": -1}, "invalid_arguments"),
        ({"url": "bosa://files/x"}, "invalid_arguments"),
    ],
)
async def test_what_is_kept_nowhere_is_refused(api: ScriptedApi, era: str, sent: Json, kind: str) -> None:
    api.offer("shop", "get_file")
    async with linkable(api.url, PLANTED, era) as it:
        assert (await refusal(it.client, "bosa_read", **sent))["kind"] == kind


@pytest.mark.parametrize("file", [text_file(b"\xff\xfe\x00"), text_file(b"%PDF-1.4", "application/pdf")])
async def test_what_is_no_text_is_not_read(api: ScriptedApi, era: str, file: Response) -> None:
    api.offer("shop", "get_file")
    api.answer("shop/get_file", file)
    async with linkable(api.url, PLANTED, era) as it:
        uri = await kept_file(it.client)
        error = await refusal(it.client, "bosa_read", uri=uri)
    assert (error["kind"], "address" in error["hint"]) == ("unsupported", True)
