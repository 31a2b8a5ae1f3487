"""How the server over HTTP ends: calls under way are answered, streams hold up nothing, and the exit code tells why."""

import os
import re
import signal
import socket
import subprocess
from contextlib import AbstractAsyncContextManager
from pathlib import Path
from threading import Event

import anyio
import httpx
import pytest
from anyio import to_thread
from mcp import Client
from starlette.requests import Request
from starlette.responses import Response

from .conftest import answer, refusal
from .processes import COMMAND, HANDSHAKE, MODERN, call, environment, request, run, started
from .scripted_api import WAIT, ScriptedApi, says, takes
from .web_clients import WebServer, web_server

JSON_OR_STREAM = "application/json, text/event-stream"
SOON = 5
"""Seconds, less than the grace."""


@pytest.fixture
def shop(api: ScriptedApi) -> ScriptedApi:
    api.offer("shop", "order", takes())
    api.answer("shop/order", api.hang)
    return api


@pytest.mark.parametrize("kind", ["/mcp", "/mcp --json-response", "/mcp --stateless", "/sse"])
async def test_a_call_under_way_is_answered_before_the_end(
    shop: ScriptedApi, tmp_path: Path, kind: str, era: str
) -> None:
    goes_on = Event()

    async def slow(_: Request) -> Response:
        shop.reached.set()
        assert await to_thread.run_sync(goes_on.wait, WAIT)
        return says("done")

    path, *flags = kind.split()
    shop.answer("shop/order", slow)
    with web_server(tmp_path, shop, *flags) as server:
        async with anyio.create_task_group() as ordering:
            ordering.start_soon(order_and_leave, server.client(era, path))
            assert await to_thread.run_sync(shop.reached.wait, WAIT)
            server.server.signal(signal.SIGTERM)
            await to_thread.run_sync(until_nobody_is_let_in, server)
            goes_on.set()
        assert await to_thread.run_sync(server.server.wait) == 143
        assert server.server.rest() == ("", "")


async def order_and_leave(connecting: AbstractAsyncContextManager[Client]) -> None:
    async with connecting as client:
        await client.list_tools()  # else it would do so after the call, to check the result
        assert await answer(client, "shop_order") == {"data": "done", "meta": None}


def until_nobody_is_let_in(server: WebServer) -> None:
    host, _, port = server.place.rpartition(":")
    while True:
        try:
            socket.create_connection((host, int(port)), WAIT).close()
        except ConnectionResetError:  # it was let in as the door closed
            continue
        except ConnectionRefusedError:
            return


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
async def test_streams_and_sessions_do_not_hold_it_up(
    shop: ScriptedApi, tmp_path: Path, number: signal.Signals, code: int
) -> None:
    with web_server(tmp_path, shop) as server:
        host, _, port = server.place.rpartition(":")
        with socket.create_connection((host, int(port)), WAIT) as stream:
            stream.sendall(f"GET /sse HTTP/1.1\r\nHost: {server.place}\r\n\r\n".encode())
            read = b""
            while b"endpoint" not in read:
                read += stream.recv(4096)
            async with server.client("legacy") as old, server.client("auto") as new:
                await old.list_tools()
                await new.list_tools()
            server.server.signal(number)
            assert server.server.process.wait(SOON) == code
            while more := stream.recv(4096):
                read += more
            assert read.endswith(b"0\r\n\r\n")  # the stream ended as a whole one does
        assert server.server.rest() == ("", "")


@pytest.mark.parametrize("flags", ["", "--stateless"])
def test_a_client_that_leaves_amid_what_it_says_is_nobodys_failure(
    shop: ScriptedApi, tmp_path: Path, flags: str
) -> None:
    with web_server(tmp_path, shop, *flags.split()) as server:
        with socket.create_connection(address_of(server), WAIT) as stream:
            stream.sendall(f"GET /sse HTTP/1.1\r\nHost: {server.place}\r\n\r\n".encode())
            read = b""
            while not (endpoint := re.search(rb"data: (/messages/\S+)", read)):
                read += stream.recv(4096)
            for path in ("/mcp", endpoint[1].decode()):
                with socket.create_connection(address_of(server), WAIT) as client:
                    client.sendall(half_a_request(server, path))
                    assert httpx.get(f"{server.url}/healthz", timeout=WAIT).status_code == 200  # half of it is there
            server.server.signal(signal.SIGTERM)
            assert server.server.wait() == 143
        assert server.server.rest() == ("", "")


def test_a_file_under_way_is_fetched_to_its_end(shop: ScriptedApi, tmp_path: Path) -> None:
    size = 30_000_000  # more than lies between the two
    with web_server(tmp_path, shop) as server:
        path = httpx.post(f"{server.url}/files", content=bytes(size), timeout=WAIT).headers["location"]
        with httpx.stream("GET", server.url + path, timeout=WAIT) as got:
            pieces = got.iter_bytes()
            came = len(next(pieces))
            server.server.signal(signal.SIGTERM)
            until_nobody_is_let_in(server)
            assert came + sum(map(len, pieces)) == size
        assert server.server.wait() == 143


def test_whoever_listens_in_the_era_without_sessions_does_not_hold_it_up(shop: ScriptedApi, tmp_path: Path) -> None:
    named = {"accept": JSON_OR_STREAM, "mcp-protocol-version": "2026-07-28", "mcp-method": "subscriptions/listen"}
    asked = request(1, "subscriptions/listen", _meta=MODERN, notifications={"toolsListChanged": True})
    with (
        web_server(tmp_path, shop) as server,
        httpx.stream("POST", f"{server.url}/mcp", headers=named, json=asked, timeout=WAIT) as stream,
    ):
        heard = stream.iter_text()
        assert "acknowledged" in next(heard)
        server.server.signal(signal.SIGTERM)
        assert server.server.process.wait(SOON) == 143
        list(heard)  # it ends as a whole one does


def half_a_request(server: WebServer, path: str) -> bytes:
    head = [f"POST {path} HTTP/1.1", f"Host: {server.place}", "Content-Type: application/json"]
    head += [f"Accept: {JSON_OR_STREAM}", "Content-Length: 500", "", '{"jsonrpc": ']
    return "\r\n".join(head).encode()


@pytest.mark.parametrize("flags", ["", "--json-response", "--stateless"])
def test_what_has_not_come_whole_does_not_hold_it_up(shop: ScriptedApi, tmp_path: Path, flags: str) -> None:
    with web_server(tmp_path, shop, *flags.split()) as server:
        with socket.create_connection(address_of(server), WAIT) as client:
            client.sendall(half_a_request(server, "/mcp"))
            assert httpx.get(f"{server.url}/healthz", timeout=WAIT).status_code == 200  # half of it is there
            server.server.signal(signal.SIGTERM)
            assert server.server.process.wait(SOON) == 143
            assert client.recv(4096).startswith(b"HTTP/1.1 503 ")
        assert server.server.rest() == ("", "")


def test_a_second_signal_waits_for_nothing(shop: ScriptedApi, tmp_path: Path) -> None:
    with (
        web_server(folder(tmp_path, "web"), shop) as server,
        started(folder(tmp_path, "pipes"), BOSA_API_BASE_URL=shop.url, BOSA_LOG_LEVEL="warning") as pipes,
    ):
        pipes.send(*HANDSHAKE, call(1, "shop_order"))
        assert shop.reached.wait(WAIT)
        with socket.create_connection(address_of(server), WAIT) as client:
            client.sendall(modern_call(server))
            for each in (server.server, pipes):
                each.signal(signal.SIGINT)
            until_nobody_is_let_in(server)
            for each in (server.server, pipes):
                each.signal(signal.SIGTERM)
                assert each.process.wait(SOON) == 130
        assert shop.abandoned.wait(WAIT)


def test_a_terminal_that_closes_is_the_end_and_a_signal_that_says_so_without_one_is_none(tmp_path: Path) -> None:
    keyboard, terminal = os.openpty()
    with subprocess.Popen(
        [COMMAND[0], "-c", _IN_A_TERMINAL, *COMMAND, "serve", "--transport", "http", "--port", "0"],
        stdin=terminal,
        stderr=subprocess.PIPE,
        env=environment(tmp_path),
        start_new_session=True,
    ) as server:
        os.close(terminal)
        assert server.stderr
        log = iter(server.stderr.readline, b"")
        url = next(line for line in log if line.startswith(b"ready ")).decode().split()[1]
        server.send_signal(signal.SIGHUP)
        assert httpx.get(f"{url}/healthz", timeout=WAIT).status_code == 200
        os.close(keyboard)
        try:
            assert server.wait(WAIT) == 143
        finally:
            server.kill()
        assert server.stderr.read() == b""


_IN_A_TERMINAL = """
import fcntl, os, signal, sys, termios
signal.signal(signal.SIGHUP, signal.SIG_DFL)  # nohup may run the tests, and has it ignored
fcntl.ioctl(0, termios.TIOCSCTTY, 0)
os.execv(sys.argv[1], sys.argv[1:])
"""


async def test_a_call_that_does_not_end_is_given_up_after_a_grace_and_its_client_is_told(
    shop: ScriptedApi, tmp_path: Path
) -> None:
    shop.offer("shop", "get_order", takes())
    shop.answer("shop/get_order", shop.hang)
    ways = [("/mcp", "auto"), ("/mcp", "legacy"), ("/sse", "legacy")]
    with (
        web_server(folder(tmp_path, "web"), shop) as server,
        started(folder(tmp_path, "pipes"), BOSA_API_BASE_URL=shop.url, BOSA_LOG_LEVEL="warning") as pipes,
    ):
        pipes.send(*HANDSHAKE, call(1, "shop_order"), call(2, "shop_get_order"))
        async with anyio.create_task_group() as ordering:
            for path, era in ways:
                ordering.start_soon(order_in_vain, server.client(era, path))
            while len(shop.sent("shop/order") + shop.sent("shop/get_order")) < len(ways) + 2:  # noqa: ASYNC110  the API tells nobody
                await anyio.sleep(0.01)
            pipes.end_of_input()
            server.server.signal(signal.SIGTERM)
        told = [pipes.reply(number)["result"]["structuredContent"]["error"] for number in (1, 2)]
        assert [await to_thread.run_sync(each.wait) for each in (pipes, server.server)] == [0, 143]
        assert [pipes.rest()[1], server.server.rest()] == ["", ("", "")]
    assert [error["kind"] for error in told] == ["outcome_unknown", "cancelled"]


async def order_in_vain(connecting: AbstractAsyncContextManager[Client]) -> None:
    async with connecting as client:
        await client.list_tools()
        error = await refusal(client, "shop_order")
    assert error["kind"] == "outcome_unknown"
    assert "look before you repeat it" in error["hint"]


def test_an_address_that_is_taken_is_one_line_and_1(shop: ScriptedApi, tmp_path: Path) -> None:
    with web_server(tmp_path, shop) as server:
        port = server.place.rpartition(":")[2]
        done = run(tmp_path, "serve", "--transport", "sse", "--port", port, BOSA_API_BASE_URL=shop.url)
    assert [done.returncode, done.stdout] == [1, ""]
    [line] = done.stderr.splitlines()
    assert line.startswith(f"bosa-mcp: Cannot listen on 127.0.0.1 port {port}")
    assert "--port" in line


@pytest.mark.parametrize(
    ("flags", "named"),
    {
        "--transport http --host 0.0.0.0": "127.0.0.1",
        "--transport http --host ::": "BOSA_AUTH",
        "--transport sse --host example.com": "BOSA_AUTH",
        "--transport http --public-url mcp.example.com": "--public-url: ",
        "--transport http --allowed-hosts https://a.example": "--allowed-hosts: ",
        "--port 8081": "--transport http",
        "--stateless": "--transport http",
    }.items(),
)
def test_what_others_could_misuse_is_refused_in_one_line(tmp_path: Path, flags: str, named: str) -> None:
    done = run(tmp_path, "serve", *flags.split())
    assert [done.returncode, done.stdout] == [2, ""]
    [line] = done.stderr.splitlines()
    assert named in line


def folder(parent: Path, name: str) -> Path:
    (parent / name).mkdir()
    return parent / name


def address_of(server: WebServer) -> tuple[str, int]:
    host, _, port = server.place.rpartition(":")
    return host, int(port)


def modern_call(server: WebServer) -> bytes:
    """A call in the era without sessions, as bytes on the wire."""
    body = (
        '{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"shop_order","arguments":{},"_meta":'
        '{"io.modelcontextprotocol/protocolVersion":"2026-07-28","io.modelcontextprotocol/clientCapabilities":{},'
        '"io.modelcontextprotocol/clientInfo":{"name":"test","version":"1"}}}}'
    )
    headers = {
        "Host": server.place,
        "Content-Type": "application/json",
        "Accept": JSON_OR_STREAM,
        "MCP-Protocol-Version": "2026-07-28",
        "Mcp-Method": "tools/call",
        "Mcp-Name": "shop_order",
        "Content-Length": str(len(body)),
    }
    lines = ["POST /mcp HTTP/1.1", *(f"{name}: {value}" for name, value in headers.items()), "", body]
    return "\r\n".join(lines).encode()
