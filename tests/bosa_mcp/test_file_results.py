"""Files that actions answer with: kept, told of by reference, glimpsed, saved, and never half there."""

import base64
import hashlib
import json
import os
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any, cast

import mcp_types as types
import pytest
from mcp import Client
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse

from bosa_mcp import transfer
from bosa_mcp.execution import TRANSFERS
from bosa_mcp.files import IMAGE, PREVIEW

from .conftest import Connect, refusal
from .scripted_api import Answer, Json, ScriptedApi, takes

PNG = b"\x89PNG\r\n\x1a\n" + bytes(100)


@pytest.fixture
def shop(api: ScriptedApi) -> ScriptedApi:
    api.offer("shop", "get_file", takes(id={"type": "string"}))
    api.offer("shop", "create_report", takes(id={"type": "string"}))
    return api


def file(content: bytes, media_type: str = "application/pdf", name: str = "a.pdf") -> Response:
    return Response(content, media_type=media_type, headers={"content-disposition": f'attachment; filename="{name}"'})


async def got(client: Client, tool: str = "shop_get_file", **arguments: object) -> tuple[Json, list[Any]]:
    """The content of a result that is a file, and the blocks behind it."""
    result = await client.call_tool(tool, arguments)
    text, *blocks = result.content
    assert isinstance(text, types.TextContent)
    assert json.loads(text.text) == result.structured_content
    assert not result.is_error, text.text
    return cast("Json", result.structured_content), blocks


async def whole(client: Client, uri: str, size: int) -> bytes:
    """The file as a client reads it, in ranges."""
    content = b""
    while len(content) < size:
        result = await client.read_resource(f"{uri}?offset={len(content)}&length=500000")
        [part] = result.contents
        content += base64.b64decode(part.blob) if isinstance(part, types.BlobResourceContents) else part.text.encode()
    return content


@pytest.mark.parametrize("size", [0, 1, 1_000, 524_288, 3_000_001])
async def test_a_file_is_told_of_by_reference_and_read_byte_for_byte(
    shop: ScriptedApi, connect: Connect, size: int
) -> None:
    content = os.urandom(size)
    shop.answer("shop/get_file", file(content))
    async with connect(shop.url) as client:
        result, [link] = await got(client)
        data = result["data"]
        assert await whole(client, data["uri"], size) == content
        assert [each.uri for each in (await client.list_resources()).resources] == [data["uri"]]
    digest = hashlib.sha256(content).hexdigest()
    expected = {"name": "a.pdf", "mime_type": "application/pdf", "size": size, "sha256": digest}
    assert result == {"data": {"uri": data["uri"], **expected}, "meta": None}
    assert isinstance(link, types.ResourceLink)
    assert (link.uri, link.name, link.size, link.mime_type) == (data["uri"], "a.pdf", size, "application/pdf")


@pytest.mark.parametrize("text", ["", "short", "ä" * PREVIEW + "end", "\u202ehidden"])
async def test_of_a_text_the_beginning_is_shown(shop: ScriptedApi, connect: Connect, text: str) -> None:
    shop.answer("shop/get_file", file(text.encode(), "text/plain; charset=utf-8"))
    async with connect(shop.url) as client:
        _, [_, *glimpse] = await got(client)
    said = [block.text for block in glimpse]
    if not text:
        assert said == []
    elif len(text) > PREVIEW:
        assert said == ["The beginning of the file:\n" + text[:PREVIEW]]
    else:
        assert said == ["The file:\n" + text.replace("\u202e", "\\u202e")]


async def test_bytes_that_call_themselves_text_are_not_shown(shop: ScriptedApi, connect: Connect) -> None:
    shop.answer("shop/get_file", file(b"\xff\xfe\x00", "text/plain"))
    async with connect(shop.url) as client:
        _, blocks = await got(client)
    assert [block.type for block in blocks] == ["resource_link"]


async def test_a_glimpse_stays_within_the_size_of_a_result(shop: ScriptedApi, connect: Connect) -> None:
    shop.answer("shop/get_file", file("\u20ac".encode() * 10_000, "text/plain"))
    async with connect(shop.url, result_bytes=2_000) as client:
        result = await client.call_tool("shop_get_file", {})
    assert sum(len(block.text.encode()) for block in result.content if isinstance(block, types.TextContent)) <= 2_000


@pytest.mark.parametrize(
    ("content", "kind", "is_shown"),
    [
        (PNG, "image/png", True),
        (b"\xff\xd8\xff" + bytes(9), "image/jpeg", True),
        (b"GIF89a" + bytes(9), "image/gif", True),
        (b"RIFF\0\0\0\0WEBP", "image/webp", True),
        (b"<svg onload='x'/>", "image/svg+xml", False),
        (b"<html>", "image/png", False),
        (PNG + bytes(IMAGE), "image/png", False),
    ],
)
async def test_a_small_image_is_shown_where_it_is_one(
    shop: ScriptedApi, connect: Connect, content: bytes, kind: str, *, is_shown: bool
) -> None:
    shop.answer("shop/get_file", file(content, kind))
    async with connect(shop.url) as client:
        _, blocks = await got(client)
    images = [block for block in blocks if isinstance(block, types.ImageContent)]
    assert [(image.mime_type, base64.b64decode(image.data)) for image in images] == [(kind, content)] * is_shown


@pytest.mark.parametrize(
    "name",
    ["../../etc/passwd", "/etc/passwd", "..", "con.txt", "\u202efdp.exe", "n" * 300, "a\\..\\b.txt", ".bashrc", ""],
)
async def test_a_file_is_saved_once_more_each_time_below_one_folder_and_nowhere_else(
    shop: ScriptedApi, connect: Connect, tmp_path: Path, name: str
) -> None:
    quoted = name.encode("unicode_escape").decode().replace("\\", "\\\\")
    said = {"content-disposition": f"attachment; filename=\"{quoted}\"; filename*=UTF-8''{_percent(name)}"}
    shop.answer("shop/get_file", Response(b"content", media_type="application/pdf", headers=said))
    async with connect(shop.url, downloads=tmp_path / "downloads") as client:
        saved = [Path((await got(client))[0]["data"]["path"]) for _ in range(2)]
    assert len(set(saved)) == 2
    assert {path.read_bytes() for path in saved} == {b"content"}
    assert {path.parent for path in saved} == {tmp_path / "downloads"}
    assert set(names_below(tmp_path)) == {path.name for path in saved} | {"downloads"}
    assert not any(path.name.startswith(".") or "\u202e" in path.name for path in saved)


def names_below(folder: Path) -> list[str]:
    return [path.name for path in folder.rglob("*")]


def _percent(name: str) -> str:
    return "".join(f"%{byte:02X}" for byte in name.encode())


async def test_where_a_file_cannot_be_saved_it_is_kept_all_the_same(
    shop: ScriptedApi, connect: Connect, tmp_path: Path
) -> None:
    (tmp_path / "downloads").write_text("in the way")
    shop.answer("shop/get_file", file(b"%PDF"))
    async with connect(shop.url, downloads=tmp_path / "downloads") as client:
        result, _ = await got(client)
        assert await whole(client, result["data"]["uri"], 4) == b"%PDF"
    assert "path" not in result["data"]
    assert "could not be saved" in result["notes"][0]


async def test_fields_of_a_file_are_none(shop: ScriptedApi, connect: Connect) -> None:
    shop.answer("shop/get_file", file(b"%PDF"))
    async with connect(shop.url) as client:
        result, _ = await got(client, response_fields=["name"])
    assert result["data"]["size"] == 4
    assert "response_fields selects nothing here" in result["notes"][0]


async def cut(_: Request) -> Response:
    """A file that breaks off."""

    async def half() -> AsyncIterator[bytes]:
        yield b"half of it"

    return StreamingResponse(half(), media_type="application/pdf", headers={"content-length": "100"})


CUTS: dict[str, tuple[list[Answer], bool]] = {
    "once": ([cut, file(b"all of it")], True),
    "twice": ([cut, cut, file(b"all of it")], True),
    "always": ([cut], False),
}


@pytest.mark.parametrize("cuts", CUTS)
async def test_a_read_whose_file_breaks_off_is_repeated_and_no_half_file_is_offered(
    shop: ScriptedApi, connect: Connect, cuts: str
) -> None:
    answers, is_had = CUTS[cuts]
    shop.answer("shop/get_file", *answers)
    async with connect(shop.url) as client:
        if is_had:
            result, _ = await got(client)
            assert await whole(client, result["data"]["uri"], 9) == b"all of it"
        else:
            assert (await refusal(client, "shop_get_file"))["kind"] == "unreachable"
        assert len((await client.list_resources()).resources) == is_had
    assert len(shop.sent("shop/get_file")) == (len(answers) if is_had else TRANSFERS)


async def test_a_write_whose_file_breaks_off_was_carried_out_and_is_not_repeated(
    shop: ScriptedApi, connect: Connect
) -> None:
    shop.answer("shop/create_report", cut)
    async with connect(shop.url) as client:
        error = await refusal(client, "shop_create_report")
        assert (await client.list_resources()).resources == []
    assert error["kind"] == "bad_reply"
    assert "was carried out" in error["message"]
    assert "do not call it again" in error["hint"]
    assert len(shop.sent("shop/create_report")) == 1


@pytest.mark.parametrize("tool", ["shop_get_file", "shop_create_report"])
async def test_a_file_larger_than_any_that_is_kept_is_said_to_be(
    shop: ScriptedApi, connect: Connect, tool: str
) -> None:
    head = {"content-length": str(2 * transfer.LARGEST)}
    shop.answer(tool.replace("shop_", "shop/"), StreamingResponse(iter([b"x"]), 200, head, "application/pdf"))
    async with connect(shop.url) as client:
        error = await refusal(client, tool)
    assert error["kind"] == "too_large"
    assert f"{transfer.LARGEST:,}" in error["message"]
    assert ("was carried out" in error["message"]) == (tool == "shop_create_report")
