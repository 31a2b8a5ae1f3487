"""What the server over HTTP lets in, and what it says of itself."""

import socket
from collections.abc import Generator
from pathlib import Path

import httpx
import pytest

from .conftest import KEY, TOKEN
from .processes import HANDSHAKE, MODERN
from .scripted_api import WAIT, ScriptedApi, Switchboard, fails
from .web_clients import WebServer, web_server

PATHS = ("/mcp", "/sse", "/messages/", "/healthz", "/readyz", "/", "/none")
LIMIT = 4 * 1024 * 1024
JSON = {"content-type": "application/json", "accept": "application/json, text/event-stream"}


@pytest.fixture(scope="module")
def server(switchboard: Switchboard, tmp_path_factory: pytest.TempPathFactory) -> Generator[WebServer]:
    api = switchboard.new()
    api.offer("shop", "order")
    with web_server(tmp_path_factory.mktemp("web"), api, "--allowed-hosts", "Mcp.Example.com") as server:
        yield server


@pytest.fixture
def http(server: WebServer) -> Generator[httpx.Client]:
    with httpx.Client(base_url=server.url, timeout=WAIT) as client:
        yield client


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize("method", ["GET", "POST", "DELETE", "OPTIONS", "HEAD"])
def test_nothing_answers_under_a_name_that_leads_here_by_deceit(http: httpx.Client, path: str, method: str) -> None:
    deceived = http.request(method, path, headers={"host": "evil.example"})
    assert deceived.status_code == 421
    assert KEY not in deceived.text


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize("method", ["GET", "POST", "DELETE", "OPTIONS", "HEAD"])
@pytest.mark.parametrize("origin", ["http://evil.example", "null", "https://localhost"])
def test_no_page_of_somebody_else_gets_an_answer(http: httpx.Client, path: str, method: str, origin: str) -> None:
    refused = http.request(method, path, headers={"origin": origin})
    assert refused.status_code == 403
    assert not [name for name in refused.headers if name.startswith("access-control")]


@pytest.mark.parametrize("more", ["Host: evil.example", "Origin: http://evil.example"])
def test_a_header_that_comes_twice_is_believed_in_neither_place(server: WebServer, more: str) -> None:
    host, _, port = server.place.rpartition(":")
    ours = [f"Host: {server.place}", f"Origin: {server.url}"]
    for lines in ([*ours, more], [more, *ours]):
        with socket.create_connection((host, int(port)), WAIT) as client:
            client.sendall("\r\n".join(["GET /healthz HTTP/1.1", *lines, "", ""]).encode())
            assert client.recv(100).split()[1] in {b"400", b"403", b"421"}


def test_our_own_pages_and_names_are_let_in(http: httpx.Client, server: WebServer) -> None:
    port = server.place.rpartition(":")[2]
    for headers in (
        {"origin": server.url},
        {"host": f"localhost:{port}", "origin": f"http://localhost:{port}"},
        {"host": "mcp.example.com", "origin": "https://mcp.example.com"},
    ):
        answer = http.get("/healthz", headers=headers)
        assert answer.status_code == 200
        assert not [name for name in answer.headers if name.startswith("access-control")]


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        *(("GET", path, 404) for path in ("/", "/none", "/mcp/x", "/messages/x", "/healthz/x")),
        *(("PUT", path, 405) for path in ("/mcp", "/sse", "/messages/", "/healthz", "/readyz")),
        *(("POST", path, 405) for path in ("/sse", "/healthz", "/readyz")),
        *(("HEAD", path, 405) for path in ("/mcp", "/sse", "/messages/")),
        *(("HEAD", path, 200) for path in ("/healthz", "/readyz")),
    ],
)
def test_what_there_is_not_is_said_to_be_so(http: httpx.Client, method: str, path: str, status: int) -> None:
    answer = http.request(method, path)
    assert answer.status_code == status
    assert ("allow" in answer.headers) is (status == 405)


@pytest.mark.parametrize("path", ["/mcp/", "/healthz/", "/messages", "/sse/"])
def test_a_slash_more_or_less_leads_nowhere_else(http: httpx.Client, path: str) -> None:
    answer = http.put(path)
    assert answer.status_code == 405


@pytest.mark.parametrize("way", ["through a proxy that takes the path away", "straight"])
def test_below_a_path_older_clients_are_told_the_whole_of_where_to_post(below: httpx.Client, way: str) -> None:
    with below.stream("GET", "/sse") as stream:
        lines = stream.iter_lines()  # it ends with the last who reads it
        told = next(line for line in lines if line.startswith("data: ")).removeprefix("data: ")
        assert told.startswith("/our%20tools/messages/?session_id=")
        path = told if way == "straight" else told.removeprefix("/our%20tools")
        assert below.post(path, json=HANDSHAKE[0]).status_code == 202


@pytest.fixture
def below(switchboard: Switchboard, tmp_path: Path) -> Generator[httpx.Client]:
    settings = {"BOSA_PUBLIC_URL": "https://mcp.example.com/our%20tools/"}
    with (
        web_server(tmp_path, switchboard.new(), **settings) as server,
        httpx.Client(base_url=server.url, timeout=WAIT) as client,
    ):
        yield client


def test_below_a_path_what_was_left_is_where_it_is_said_to_be(below: httpx.Client) -> None:
    left = below.post("/files", content=b"left").headers["location"]
    assert left.startswith("/our%20tools/files/")
    assert [below.get(path).content for path in (left, left.removeprefix("/our%20tools"))] == [b"left"] * 2


def test_a_stream_of_which_nothing_is_kept_begins_anew(http: httpx.Client) -> None:
    hello = http.post("/mcp", headers=JSON, json=HANDSHAKE[0])
    session = {"mcp-session-id": hello.headers["mcp-session-id"], "accept": "text/event-stream", "last-event-id": "5"}
    with http.stream("GET", "/mcp", headers=session) as stream:
        assert (stream.status_code, stream.headers["content-type"]) == (200, "text/event-stream")


def test_a_client_is_told_what_it_will_hear_of(http: httpx.Client) -> None:
    told = http.post(
        "/mcp",
        headers={**JSON, "mcp-protocol-version": "2026-07-28", "mcp-method": "server/discover"},
        json={"jsonrpc": "2.0", "id": 1, "method": "server/discover", "params": {"_meta": MODERN}},
    )
    said = told.json()["result"]["capabilities"]
    assert said == {"resources": {"listChanged": False, "subscribe": False}, "tools": {"listChanged": True}}


@pytest.mark.parametrize("path", ["/mcp", "/messages/?session_id=x"])
def test_a_body_that_is_too_large_is_refused_before_its_end(server: WebServer, path: str) -> None:
    with httpx.Client(timeout=WAIT) as client:
        fits = client.post(server.url + path, content=b" " * LIMIT, headers=JSON)
        assert fits.status_code == 400
    host, _, port = server.place.rpartition(":")
    with socket.create_connection((host, int(port)), WAIT) as client:
        client.sendall(f"POST {path} HTTP/1.1\r\nHost: {server.place}\r\nContent-Length: {2**40}\r\n\r\n".encode())
        assert client.recv(100).startswith(b"HTTP/1.1 413")  # nothing of the body was sent


@pytest.mark.parametrize("path", ["/mcp", "/messages/?session_id=x"])
def test_a_body_of_unknown_length_is_counted(server: WebServer, path: str) -> None:
    host, _, port = server.place.rpartition(":")
    with socket.create_connection((host, int(port)), WAIT) as client:
        client.sendall(f"POST {path} HTTP/1.1\r\nHost: {server.place}\r\nTransfer-Encoding: chunked\r\n\r\n".encode())
        client.sendall(b"10000\r\n" + b" " * 65_536 + b"\r\n")
        for _ in range(LIMIT // 65_536):
            client.sendall(b"10000\r\n" + b" " * 65_536 + b"\r\n")
        assert client.recv(100).startswith(b"HTTP/1.1 413")  # its end was not awaited


def test_a_head_without_end_is_refused_before_it_fills_memory(server: WebServer) -> None:
    host, _, port = server.place.rpartition(":")
    with socket.create_connection((host, int(port)), WAIT) as client:
        client.sendall(f"POST /mcp HTTP/1.1\r\nHost: {server.place}\r\nX-Long: ".encode())
        client.sendall(b"x" * 100_000)
        assert client.recv(100).startswith(b"HTTP/1.1 400")


def test_it_is_ready_once_there_is_a_list_of_tools(api: ScriptedApi, tmp_path: Path) -> None:
    api.offer("shop", "order")
    api.odd["/connectors/names"] = fails(503, f"Down. {KEY}")
    with web_server(tmp_path, api) as server:
        server.server.log_line("the API could not be listed")
        assert httpx.get(f"{server.url}/healthz").json() == {"status": "ok"}
        waiting = httpx.get(f"{server.url}/readyz")
        assert waiting.status_code == 503
        assert waiting.json()["missing"] == ["the API"]
        assert not {KEY, TOKEN, "Down"} & set(waiting.text.split())
        assert KEY not in waiting.text
        api.odd.clear()
        assert until_ready(server) == {"status": "ready", "missing": []}


def until_ready(server: WebServer) -> object:
    """What it says when it is ready; a client that lists the tools makes it look again."""
    asked = {"jsonrpc": "2.0", "id": 1, "method": "initialize", "params": INITIALIZE}
    with httpx.Client(base_url=server.url, timeout=WAIT, headers=JSON) as client:
        session = client.post("/mcp", json=asked).headers["mcp-session-id"]
        listing = {"jsonrpc": "2.0", "id": 2, "method": "tools/list"}
        listed = client.post("/mcp", json=listing, headers={"mcp-session-id": session})
        assert "shop_order" in listed.text
        ready = client.get("/readyz")
    assert ready.status_code == 200
    return ready.json()


INITIALIZE = {
    "protocolVersion": "2025-11-25",
    "capabilities": {},
    "clientInfo": {"name": "test", "version": "1"},
}


def test_connectors_that_are_missing_are_named_and_the_rest_is_ready(api: ScriptedApi, tmp_path: Path) -> None:
    api.offer("shop", "order")
    api.offer("bank", "pay")
    api.odd["/connectors?modules=bank"] = api.odd["/connectors/?modules=bank"] = fails(500)
    with web_server(tmp_path, api) as server:
        assert until_ready(server) == {"status": "ready", "missing": ["bank"]}
