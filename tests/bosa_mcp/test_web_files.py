"""Files over HTTP: left for a tool, fetched whole and in parts, by oneself or by a link."""

import hashlib
import os
import re
import socket
from collections.abc import Generator, Iterator
from urllib.parse import parse_qs, quote, unquote, urlsplit

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st
from starlette.responses import HTMLResponse

from bosa_connectors.naming import safe_name
from bosa_mcp.links import LASTING, BadLink, Links
from bosa_mcp.store import LARGEST, Kept
from bosa_mcp.web_files import Unsatisfiable, span

from .conftest import answer
from .scripted_api import WAIT, Json, ScriptedApi, Switchboard, says, takes
from .web_clients import WebServer, web_server

PAGE = "<script>1</script>"
CONTENT = os.urandom(100_000)
BINARY = {"type": "string", "format": "binary"}


@pytest.fixture(scope="module")
def shop(switchboard: Switchboard) -> ScriptedApi:
    api = switchboard.new()
    api.offer("shop", "upload", takes("file", file=BINARY))
    api.offer("shop", "get_page", takes())
    api.answer("shop/upload", says("done"))
    return api


@pytest.fixture(scope="module")
def server(shop: ScriptedApi, tmp_path_factory: pytest.TempPathFactory) -> Generator[WebServer]:
    with web_server(tmp_path_factory.mktemp("web"), shop) as server:
        yield server


@pytest.fixture(scope="module")
def web(server: WebServer) -> Generator[httpx.Client]:
    with httpx.Client(base_url=server.url, timeout=WAIT) as client:
        yield client


@pytest.fixture
def kept(web: httpx.Client) -> str:
    """The path of a file that is there."""
    left = web.post("/files", content=CONTENT, headers={"content-disposition": 'attachment; filename="a.bin"'})
    return left.headers["location"]


@pytest.mark.parametrize("size", [0, 1, 1_000_003])
@pytest.mark.parametrize("how", ["raw", "form", "in chunks"])
def test_what_is_left_is_fetched_byte_for_byte(web: httpx.Client, size: int, how: str) -> None:
    body = os.urandom(size)
    if how == "form":
        left = web.post("/files", files={"file": ("ä.txt", body, "text/csv")})
    else:
        headers = {"content-type": "text/csv", "content-disposition": f"attachment; filename*=UTF-8''{quote('ä.txt')}"}
        left = web.post("/files", content=pieces(body) if how == "in chunks" else body, headers=headers)
    said = left.json()
    digest = hashlib.sha256(body).hexdigest()
    assert left.status_code == 201
    assert said == {"uri": said["uri"], "name": "ä.txt", "mime_type": "text/csv", "size": size, "sha256": digest}
    got = web.get(left.headers["location"])
    assert (got.status_code, got.content, got.headers["etag"]) == (200, body, f'"{digest}"')
    assert said["uri"] == f"bosa://files/{left.headers['location'].rpartition('/')[2]}"


def test_a_web_page_is_a_file_too(web: httpx.Client) -> None:
    left = web.post("/files", params={"name": "a.html"}, content=b"<p>", headers={"content-type": "text/html"})
    assert (left.status_code, left.json()["name"], left.json()["mime_type"]) == (201, "a.html", "text/html")


@pytest.mark.parametrize(
    "name", ['a"; filename=b.html', "50%41.txt", ".profile", "../.b", "a\u202egnp.exe", "ä\r\nX-A: b"]
)
def test_no_name_breaks_out_of_its_header_or_misleads_whoever_saves_the_file(web: httpx.Client, name: str) -> None:
    left = web.post("/files", params={"name": name}, content=b"x")
    assert not set("/\r\n") & set(left.json()["name"])
    said = web.get(left.headers["location"]).headers
    found = re.fullmatch(
        r"attachment; filename=\"([^\"\\%]*)\"; filename\*=UTF-8''([\w.~%-]*)", said["content-disposition"]
    )
    assert found
    saved = unquote(found[2])
    assert saved == safe_name(saved)
    assert found[1].isascii()
    assert "x-a" not in said
    assert "private" in said["cache-control"]


@pytest.mark.parametrize("kind", [b"text/\xe9", b"text/" + b"x" * 10_000])
def test_a_type_that_makes_no_sense_does_not_come_back(web: httpx.Client, kind: bytes) -> None:
    left = web.post("/files", params={"name": "a.csv"}, content=b"x", headers=[(b"content-type", kind)])
    assert left.status_code == 201
    for said in (left.json()["mime_type"], web.get(left.headers["location"]).headers["content-type"]):
        assert said.isascii()
        assert len(said) <= 200


def pieces(body: bytes) -> Iterator[bytes]:
    yield from (body[start : start + 1_000] for start in range(0, len(body), 1_000))


def leave(web: httpx.Client, name: str, content: bytes) -> Json:
    return web.post("/files", params={"name": name}, content=content).json()


async def test_a_tool_sends_what_was_left(web: httpx.Client, server: WebServer, shop: ScriptedApi, era: str) -> None:
    left = leave(web, "note.txt", b"left here")
    async with server.client(era) as client:
        assert (await answer(client, "shop_upload", file=left["uri"]))["data"] == "done"
    body = shop.sent("shop/upload")[-1].body
    assert b'filename="note.txt"' in body
    assert b"\r\n\r\nleft here\r\n" in body


async def test_a_tool_names_a_link_that_a_browser_can_follow(
    web: httpx.Client, server: WebServer, shop: ScriptedApi, era: str
) -> None:
    named = {"content-disposition": 'attachment; filename="x.html"'}
    shop.answer("shop/get_page", HTMLResponse(PAGE, headers=named))
    async with server.client(era) as client:
        said = (await client.call_tool("shop_get_page", {})).structured_content
    assert said
    assert "path" not in said["data"]
    check_link(web, server.url, said["notes"][0].split()[-1])


def check_link(web: httpx.Client, url: str, link: str) -> None:
    """It gives the page, as a file to be saved, as long as nothing in it is changed."""
    assert link.startswith(url)
    got = web.get(link)
    assert got.text == PAGE
    assert got.headers["content-disposition"].startswith("attachment;")
    assert got.headers["x-content-type-options"] == "nosniff"
    assert "sandbox" in got.headers["content-security-policy"]
    for each in (
        link + "0",
        link.replace("until=", "until=9"),
        link.replace("of=", "of=0"),
        link.split("&seal", maxsplit=1)[0],
    ):
        refused = web.get(each)
        assert (refused.status_code, refused.json()["error"]["kind"]) == (403, "forbidden")
        assert PAGE not in refused.text


PARTS = {
    "bytes=0-0": (206, 0, 1),
    "bytes=10-19": (206, 10, 20),
    "bytes=99990-": (206, 99_990, 100_000),
    "bytes=-5": (206, 99_995, 100_000),
    "bytes=0-999999": (206, 0, 100_000),
    "bytes=-999999": (206, 0, 100_000),
    "bytes=5-4": (200, 0, 100_000),
    "bytes=0-1,5-6": (200, 0, 100_000),
    "lines=0-1": (200, 0, 100_000),
    "bytes=100000-": (416, 0, 0),
    "bytes=-0": (416, 0, 0),
}


@pytest.mark.parametrize("wanted", PARTS)
def test_a_part_is_fetched_as_http_says(web: httpx.Client, kept: str, wanted: str) -> None:
    status, start, end = PARTS[wanted]
    got = web.get(kept, headers={"range": wanted})
    assert (got.status_code, got.content) == (status, CONTENT[start:end])
    if status == 206:
        assert got.headers["content-range"] == f"bytes {start}-{end - 1}/100000"
    if status == 416:
        assert got.headers["content-range"] == "bytes */100000"


def test_a_part_of_a_file_that_is_another_now_is_the_whole(web: httpx.Client, kept: str) -> None:
    mine = web.head(kept)
    assert (mine.content, mine.headers["content-length"]) == (b"", "100000")
    same = {"range": "bytes=0-9", "if-range": mine.headers["etag"]}
    assert web.get(kept, headers=same).status_code == 206
    assert web.get(kept, headers=same | {"if-range": '"other"'}).content == CONTENT
    assert web.get(kept, headers={"if-none-match": mine.headers["etag"]}).status_code == 304


@pytest.mark.parametrize("path", ["/files/" + "0" * 32, "/files/..", "/files/x", "/files/%2e%2e%2fx", "/files/a%00b"])
def test_what_is_not_there_is_not_found(web: httpx.Client, path: str) -> None:
    assert web.get(path).status_code == 404


def test_what_cannot_be_kept_is_refused_and_said(web: httpx.Client) -> None:
    empty = web.post("/files", data={"a": "b"}, files={})
    no_file = web.post("/files", content=b"--x--\r\n", headers={"content-type": "multipart/form-data; boundary=x"})
    odd = web.post("/files", content=b"x", headers={"content-type": "multipart/form-data"})
    two = web.post("/files", files=[("a", b"1"), ("b", b"2")])
    many = web.post("/files", data={f"{number}": "" for number in range(11)}, files={"a": b"1"})
    assert empty.status_code == 201
    assert [each.status_code for each in (no_file, odd, two, many)] == [400, 400, 400, 400]
    assert all("one file" in each.json()["error"]["message"] for each in (no_file, odd, two, many))
    assert web.put("/files").status_code == 405
    assert web.get("/files").status_code == 405


def test_a_file_that_is_too_large_is_refused_before_it_has_come(server: WebServer) -> None:
    said = post(server, 2 * LARGEST, b"")
    assert said.startswith(b"HTTP/1.1 413 ")
    assert f"{LARGEST:,}".encode() in said


async def test_a_file_that_stops_half_way_is_not_there(server: WebServer) -> None:
    async with server.client("auto") as client:
        before = await client.list_resources()
        assert not post(server, 9_000_000, b"x" * 6_000_000)
        assert await client.list_resources() == before


def post(server: WebServer, length: int, body: bytes) -> bytes:
    """The answer to so much of a body that is said to have this length."""
    host, _, port = server.place.rpartition(":")
    with socket.create_connection((host, int(port)), WAIT) as client:
        client.sendall(f"POST /files HTTP/1.1\r\nHost: {server.place}\r\nContent-Length: {length}\r\n\r\n".encode())
        client.sendall(body)
        if body:
            client.shutdown(socket.SHUT_WR)
        return b"".join(iter(lambda: client.recv(65_536), b""))


ODD = st.text(alphabet="0123456789-,= bytes", max_size=20) | st.from_regex(r"bytes=[0-9]{0,4}-[0-9]{0,4}")


@given(
    st.integers(0, 1_000),
    st.text(alphabet="0123456789-,= bytes", max_size=20) | st.from_regex(r"bytes=\d{0,4}-\d{0,4}"),
)
def test_a_span_lies_within_the_file(size: int, header: str) -> None:
    try:
        found = span(header, size)
    except Unsatisfiable:
        return
    if found:
        assert 0 <= found[0] < found[1] <= size


LINKS = Links("https://mcp.example.com", b"k" * 32)
FILE = Kept("files", "a" * 32, "x", "text/plain", 1, "0", 0.0, f"files/{'b' * 32}/{'a' * 32}")


def test_a_link_is_good_for_some_minutes_for_its_file_alone() -> None:
    link = urlsplit(LINKS.link(FILE, 1_000.0))
    query = {name: value for name, [value] in parse_qs(link.query).items()}
    assert LINKS.drawer(FILE.id, query, 1_000.0 + LASTING) == FILE.drawer
    for identifier, asked, now, why in (
        (FILE.id, query, 1_002.0 + LASTING, "expired"),
        ("c" * 32, query, 1_000.0, "changed"),
        (FILE.id, query | {"of": "c" * 32}, 1_000.0, "changed"),
        (FILE.id, query | {"until": "9" * 12}, 1_000.0, "changed"),
        (FILE.id, {}, 1_000.0, "changed"),
        (FILE.id, query | {"seal": "\u00e4"}, 1_000.0, "changed"),
    ):
        with pytest.raises(BadLink, match=why):
            LINKS.drawer(identifier, asked, now)
    with pytest.raises(BadLink, match="changed"):
        Links(LINKS.url, b"another" * 5).drawer(FILE.id, query, 1_000.0)
    assert "k" * 32 not in repr(LINKS)
