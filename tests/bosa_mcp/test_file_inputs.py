"""Files that a model names: kept ones, paths below a folder, and data: URIs. Nothing else, and nobody else's."""

import base64
import os
from pathlib import Path, PosixPath
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st
from mcp import Client
from starlette.datastructures import UploadFile
from starlette.requests import Request
from starlette.responses import Response

from bosa_connectors.calls import Credentials
from bosa_hub.serve import RunningHub
from bosa_mcp.inputs import DATA_MOST, FILES_MOST, open_below, path_of, written_out

from .conftest import Connect, answer, content, refusal
from .scripted_api import ScriptedApi, fails, says, takes

FILE = {"type": "string", "format": "binary"}
TEXT = {"type": "string"}


@pytest.fixture
def shop(api: ScriptedApi) -> ScriptedApi:
    """An API that says of each file what came."""
    api.offer("shop", "upload", takes("file", file=FILE, note=TEXT, count={"type": "integer"}))
    api.offer("shop", "send", takes(to=TEXT, files={"type": "array", "items": FILE}))
    api.offer("shop", "list_like", takes(file=FILE, page={"type": "integer"}))
    api.answer("shop/upload", received)
    api.answer("shop/send", received)
    return api


async def received(request: Request) -> Response:
    async with request.form(max_part_size=1 << 30) as form:
        files = [value for _, value in form.multi_items() if isinstance(value, UploadFile)]
        return says([[file.filename, file.content_type, (await file.read()).decode("latin-1")] for file in files])


@pytest.fixture
def root(tmp_path: Path) -> Path:
    folder = tmp_path / "root"
    (folder / "inner").mkdir(parents=True)
    (folder / "note.txt").write_text("a note")
    (folder / "inner" / "späť #1?.csv").write_text("1,2")
    (tmp_path / "secret.txt").write_text("secret")
    return folder


SENT: dict[str, tuple[str, list[str]]] = {
    "plain": ("data:,hello%20you", ["file.txt", "text/plain", "hello you"]),
    "base64": ("data:text/csv;base64,MSwy", ["file.csv", "text/csv", "1,2"]),
    "with a charset": ("data:text/plain;charset=utf-8;base64,aGk=", ["file.txt", "text/plain", "hi"]),
    "with a name": ("data:application/pdf;name=a%20b.pdf;base64,JVBERg==", ["a b.pdf", "application/pdf", "%PDF"]),
    "with a path for a name": (
        "data:;name=..%2F..%2Fx.txt,x;,",
        ["x.txt", "text/plain", "x;,"],
    ),
    "empty": ("data:application/octet-stream,", ["file.bin", "application/octet-stream", ""]),
    "with spaces": ("data:;base64,aGVs bG8=", ["file.txt", "text/plain", "hello"]),
    "in capitals": ("DATA:,x", ["file.txt", "text/plain", "x"]),
}


@pytest.mark.parametrize("how", SENT)
async def test_a_file_that_is_written_out_is_sent(shop: ScriptedApi, connect: Connect, how: str) -> None:
    uri, came = SENT[how]
    async with connect(shop.url) as client:
        assert (await answer(client, "shop_upload", file=uri))["data"] == [came]


@given(st.binary(max_size=2_000))
def test_whatever_is_written_out_arrives(body: bytes) -> None:
    for uri in (f"data:;base64,{base64.b64encode(body).decode()}", f"data:,{quote(body)}"):
        assert b"".join(written_out(uri).chunks()) == body


async def test_a_path_below_the_folder_is_sent(shop: ScriptedApi, connect: Connect, root: Path) -> None:
    (root / "link.txt").symlink_to(root / "note.txt")
    odd = quote(str(root / "inner" / "späť #1?.csv"))
    async with connect(shop.url, root=root) as client:
        for uri in (f"file://{root}/note.txt", f"file://localhost{root}/inner/../note.txt", f"file:{root}/link.txt"):
            [[_, kind, body]] = (await answer(client, "shop_upload", file=uri))["data"]
            assert (kind, body) == ("text/plain", "a note")
        assert (await answer(client, "shop_upload", file=f"file://{odd}"))["data"] == [
            ["späť #1?.csv", "text/csv", "1,2"]
        ]


REFUSED: dict[str, tuple[str, str]] = {
    "another scheme": ("https://example.com/a.pdf", "no address"),
    "a bare path": ("/etc/passwd", "no address"),
    "a relative path": ("note.txt", "no address"),
    "nothing": ("", "no address"),
    "base64": ("aGVsbG8=", "no address"),
    "a path outside": ("file:///etc/passwd", "does not lie below"),
    "a path outside that is not there": ("file:///etc/nothing", "does not lie below"),
    "a way out": ("file://{root}/../secret.txt", "does not lie below"),
    "a way out in percent": ("file://{root}/%2e%2e/secret.txt", "does not lie below"),
    "a link out": ("file://{root}/out.txt", "does not lie below"),
    "a folder link out": ("file://{root}/up/secret.txt", "does not lie below"),
    "a folder": ("file://{root}/inner", "a folder or a device"),
    "the folder itself": ("file://{root}", "a folder or a device"),
    "a pipe": ("file://{root}/pipe", "a folder or a device"),
    "no file": ("file://{root}/nothing.txt", "No such file"),
    "a file as a folder": ("file://{root}/note.txt/x", "Not a directory"),
    "NUL": ("file://{root}/note.txt%00.pdf", "NUL"),
    "a long name": ("file://{root}/" + "n" * 300, "File name too long"),
    "a host": ("file://example.com/a", "the whole path"),
    "no whole path": ("file://note.txt", "the whole path"),
    "half of a character": ("file://{root}/\ud800", ""),
    "a loop": ("file://{root}/loop", ""),
    "a kept file that is none": ("bosa://files/" + "0" * 32, "none at this address"),
    "a part of one": ("bosa://files/" + "0" * 32 + "?offset=1", "whole"),
    "another address": ("bosa://x/y", "expected bosa://files"),
    "data without a comma": ("data:text/plain;base64", "comma"),
    "data that is no base64": ("data:;base64,%%%", ""),
    "data that is too large": ("data:," + "x" * (DATA_MOST + 1), "at most"),
    "data that is much too large": ("data:," + "x" * (5 * DATA_MOST), "at most"),
}


@pytest.mark.parametrize("what", REFUSED)
async def test_anything_else_is_refused_and_what_would_be_taken_is_said(
    shop: ScriptedApi, connect: Connect, root: Path, what: str
) -> None:
    (root / "out.txt").symlink_to(root.parent / "secret.txt")
    (root / "up").symlink_to(root.parent)
    (root / "loop").symlink_to(root / "loop")
    os.mkfifo(root / "pipe")
    uri, why = REFUSED[what]
    async with connect(shop.url, root=root) as client:
        error = await refusal(client, "shop_upload", file=uri.replace("{root}", str(root)), count="many")
    problems = {problem["path"]: problem for problem in error["errors"]}
    assert error["kind"] == "invalid_arguments"
    assert set(problems) == {"file", "count"}
    assert why in problems["file"]["message"]
    assert all(each in problems["file"]["expected"] for each in ("bosa://files/{id}", str(root), "data:"))
    assert "secret" not in problems["file"]["message"].replace("secret.txt", "")
    assert not shop.sent("shop/upload")


async def test_a_file_that_is_not_named_by_a_text_is_refused_in_words_of_json(
    shop: ScriptedApi, connect: Connect
) -> None:
    async with connect(shop.url) as client:
        error = await refusal(client, "shop_upload", file={"uri": "bosa://files/1"})
    assert error["errors"][0]["message"].endswith("it is named by a text, not by an object of 1")


async def test_without_a_folder_no_path_is_taken(shop: ScriptedApi, connect: Connect, root: Path) -> None:
    async with connect(shop.url) as client:
        error = await refusal(client, "shop_upload", file=f"file://{root}/note.txt")
    assert "BOSA_FILES_ROOT" in error["errors"][0]["message"]
    assert "file://" not in error["errors"][0]["expected"]


async def test_several_files_are_sent_in_their_order(shop: ScriptedApi, connect: Connect) -> None:
    async with connect(shop.url) as client:
        for files in (["data:,1", "data:,2"], '["data:,1", "data:,2"]'):
            assert [each[2] for each in (await answer(client, "shop_send", files=files))["data"]] == ["1", "2"]
        assert [each[2] for each in (await answer(client, "shop_send", files="data:,1"))["data"]] == ["1"]
        assert (await answer(client, "shop_send", files=[], to="me"))["data"] == []
        error = await refusal(client, "shop_send", files=["data:,1", "x", 7, None])
        many = await refusal(client, "shop_send", files=["data:,1"] * (FILES_MOST + 1))
    assert [problem["path"] for problem in error["errors"]] == ["files.1", "files.2", "files.3"]
    assert f"at most {FILES_MOST}" in many["errors"][0]["message"]


async def test_what_one_tool_answered_another_one_sends_again_and_again(shop: ScriptedApi, connect: Connect) -> None:
    body = os.urandom(7_000)
    shop.offer("shop", "get_file")
    shop.answer(
        "shop/get_file",
        Response(body, media_type="image/x-raw", headers={"content-disposition": 'attachment; filename="b.raw"'}),
    )
    shop.answer("shop/upload", fails(503, headers={"retry-after": "0"}), fails(429), received)
    async with connect(shop.url) as client:
        result = await client.call_tool("shop_get_file", {})
        assert result.structured_content
        [[*named, _]] = (await answer(client, "shop_upload", file=result.structured_content["data"]["uri"]))["data"]
    assert named == ["b.raw", "image/x-raw"]
    assert [body in sent.body for sent in shop.sent("shop/upload")] == [True] * 3


async def test_a_kept_result_is_a_file_too(shop: ScriptedApi, connect: Connect) -> None:
    shop.offer("shop", "get_much")
    shop.answer("shop/get_much", says(["x" * 100] * 1_000))
    async with connect(shop.url, result_bytes=2_000) as client:
        kept = (await answer(client, "shop_get_much"))["omitted"]["resource"]
        await answer(client, "shop_upload", file=kept)
    assert b'{"data":["xxx' in shop.sent("shop/upload")[0].body


async def test_the_next_page_names_the_same_file(shop: ScriptedApi, connect: Connect) -> None:
    shop.answer("shop/list_like", says([1], {"page": 1, "has_next": True}), says([2], {"page": 2, "has_next": False}))
    async with connect(shop.url) as client:
        first = await answer(client, "shop_list_like", file="data:,x")
        assert first["next"]["arguments"] == {"file": "data:,x", "page": 2}
        assert (await answer(client, "shop_list_like", **first["next"]["arguments"]))["data"] == [2]


async def test_the_hubs_files_go_from_one_connector_to_another(
    hub: RunningHub, hub_user: Credentials, connect: Connect
) -> None:
    async with connect(hub.url, "files", "notes", credentials=hub_user) as client:
        for number in range(3):
            await answer(client, "notes_create_note", title=f"Note {number}", body="A note.")
        exported = (await client.call_tool("notes_export_notes", {})).structured_content
        assert exported
        await answer(client, "files_upload_file", file=exported["data"]["uri"], path="notes.md")
        text = (await answer(client, "files_read_text_file", path="notes.md"))["data"]["text"]
        assert "Note 0" in text
        again = await client.call_tool("files_download_file", {"path": "notes.md"})
    assert again.structured_content
    assert again.structured_content["data"]["sha256"] == exported["data"]["sha256"]


async def test_a_file_that_shrinks_while_it_is_sent_is_said_and_may_be_sent_again(
    shop: ScriptedApi, connect: Connect, root: Path
) -> None:
    (root / "large").write_bytes(bytes(1_000))

    async def shrinking(_: Request) -> Response:
        os.truncate(root / "large", 10)
        return fails(503, headers={"retry-after": "0"})

    shop.answer("shop/upload", shrinking)
    async with connect(shop.url, root=root) as client:
        error = await broken(client, f"file://{root}/large")
    assert "changed while it was sent" in error["message"]
    assert "may be called again" in error["hint"]


async def broken(client: Client, uri: str) -> dict[str, str]:
    result = await client.call_tool("shop_upload", {"file": uri})
    return content(result, is_error=True)["error"]


class Swapped(PosixPath):
    """A path whose folder becomes a link right after it was looked at."""

    def resolve(self, strict: bool = False) -> Path:  # noqa: FBT001, FBT002  as inherited
        found = Path(self).resolve(strict)
        found.parent.rename(found.parent.with_name("aside"))
        found.parent.symlink_to(found.parent.parent.parent / "outside")
        return found


@pytest.mark.parametrize("name", ["hub/master.key", "login.json", "../link/hub/master.key"])
def test_what_is_the_servers_own_is_refused_even_below_the_folder(root: Path, name: str) -> None:
    data = root / "data"
    for each in ("hub", "downloads"):
        (data / each).mkdir(parents=True)
        (data / each / "master.key").write_text("a key")
    (data / "login.json").write_text("{}")
    (root / "link").symlink_to(data)
    with pytest.raises(ValueError, match="belongs to the server"):
        open_below(root, data / name, data)
    open_below(root, data / "downloads" / "master.key", data).close()


def test_a_folder_that_becomes_a_link_meanwhile_leads_nowhere_else(root: Path) -> None:
    for folder in (root / "mine", root.parent / "outside"):
        folder.mkdir()
        (folder / "note.txt").write_text(folder.name)
    with open_below(root, root / "mine" / "note.txt") as file:
        assert file.read() == b"mine"
    with pytest.raises(OSError, match=r"Not a directory|symbolic links"):
        open_below(root, Swapped(root / "mine" / "note.txt"))


@given(st.text(max_size=50))
def test_a_path_is_whole_or_refused(text: str) -> None:
    try:
        path = path_of(f"file://{text}")
    except ValueError:
        return
    assert path.is_absolute()
    assert "\0" not in str(path)
