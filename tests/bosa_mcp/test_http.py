"""The real command over HTTP, with clients of both eras on every path: what works over stdio works here."""

import socket
from collections.abc import Generator
from contextlib import ExitStack
from pathlib import Path

import anyio
import pytest
from mcp import MCPError
from starlette.requests import Request
from starlette.responses import Response

from .conftest import TOKEN, answer, content, names_of_the_api, refusal
from .scripted_api import WAIT, ScriptedApi, Switchboard, fails, says, takes
from .web_clients import WebServer, web_server

KINDS = (
    "/mcp",
    "/mcp --json-response",
    "/mcp --stateless",
    "/mcp --json-response --stateless",
    "/sse",
    "/sse --stateless",
)
CLIENTS = 20


class Served:
    """One server for each set of flags, all of the same API."""

    def __init__(self, api: ScriptedApi, folders: pytest.TempPathFactory, open_servers: ExitStack) -> None:
        self.api = api
        self._folders, self._open, self._known = folders, open_servers, dict[str, WebServer]()

    def by(self, *flags: str) -> WebServer:
        key = " ".join(flags)
        if key not in self._known:
            self._known[key] = self._open.enter_context(web_server(self._folders.mktemp("web"), self.api, *flags))
        return self._known[key]


@pytest.fixture(scope="module")
def served(switchboard: Switchboard, tmp_path_factory: pytest.TempPathFactory) -> Generator[Served]:
    api = switchboard.new()
    api.offer("shop", "order", takes("item", item={"type": "string"}))
    api.offer("shop", "list_orders", takes(page={"type": "integer"}, per_page={"type": "integer"}))
    api.offer("shop", "get_patience", takes())
    api.answer("shop/order", says("done"))
    api.answer("shop/list_orders", page_of_two)
    api.answer("shop/get_patience", api.hang)
    with ExitStack() as servers:
        yield Served(api, tmp_path_factory, servers)


async def page_of_two(request: Request) -> Response:
    number = (await request.json()).get("page") or 1
    return says([{"id": 2 * number - 1}, {"id": 2 * number}], {"page": number, "has_next": number < 3})


@pytest.fixture(params=KINDS)
def kind(request: pytest.FixtureRequest) -> str:
    """A path, and the flags of the server."""
    return request.param


async def test_a_client_lists_and_calls_the_tools(served: Served, kind: str, era: str) -> None:
    path, *flags = kind.split()
    async with served.by(*flags).client(era, path) as client:
        assert await names_of_the_api(client) == {"shop_order", "shop_list_orders", "shop_get_patience"}
        assert await answer(client, "shop_order", item="x") == {"data": "done", "meta": None}
        assert (await refusal(client, "shop_order", itme="x"))["kind"] == "invalid_arguments"
        with pytest.raises(MCPError, match="Unknown tool"):
            await client.call_tool("shop_vanished", {})
    assert served.api.sent("shop/order")[-1].headers["authorization"] == f"Bearer {TOKEN}"


async def test_clients_are_told_of_changes_unless_nothing_could_reach_them(served: Served, kind: str, era: str) -> None:
    path, *flags = kind.split()
    async with served.by(*flags).client(era, path) as client:
        capabilities = client.server_capabilities
    assert capabilities.tools
    assert capabilities.tools.list_changed is not (path == "/mcp" and "--stateless" in flags and era == "legacy")


@pytest.mark.parametrize("kind", [kind for kind in KINDS if "--json-response" not in kind], indirect=True)
async def test_a_client_hears_how_far_a_call_is(served: Served, kind: str, era: str) -> None:
    path, *flags = kind.split()
    heard: list[tuple[float, float | None, str | None]] = []

    async def hear(progress: float, total: float | None, message: str | None) -> None:
        await anyio.lowlevel.checkpoint()
        heard.append((progress, total, message))

    async with served.by(*flags).client(era, path) as client:
        result = await client.call_tool("shop_list_orders", {"max_items": 6}, progress_callback=hear)
    assert content(result, is_error=False)["data"] == [{"id": number} for number in range(1, 7)]
    assert heard


async def test_a_call_that_is_given_up_is_given_up_at_the_api_too(served: Served, kind: str, era: str) -> None:
    path, *flags = kind.split()
    served.api.reached.clear()
    served.api.abandoned.clear()
    async with served.by(*flags).client(era, path) as client:
        async with anyio.create_task_group() as calling:
            calling.start_soon(client.call_tool, "shop_get_patience")
            assert await anyio.to_thread.run_sync(served.api.reached.wait, WAIT)
            calling.cancel_scope.cancel()
        if "--stateless" not in flags or era == "auto":  # else nothing but leaving tells the server
            assert await anyio.to_thread.run_sync(served.api.abandoned.wait, WAIT)
        assert await answer(client, "shop_order", item="x")
    assert await anyio.to_thread.run_sync(served.api.abandoned.wait, WAIT)


async def test_many_clients_are_served_at_once_and_one_that_hangs_holds_up_none(served: Served, era: str) -> None:
    server = served.by()
    answers: list[object] = []

    async def order(number: int) -> None:
        async with server.client(era, "/sse" if number % 2 else "/mcp") as client:
            answers.append(await answer(client, "shop_order", item=f"{number}"))

    with half_a_request(server, "POST /mcp"), half_a_request(server, "GET /sse", whole=True):
        async with server.client(era) as patient, anyio.create_task_group() as hanging:
            hanging.start_soon(patient.call_tool, "shop_get_patience")
            with anyio.fail_after(WAIT):
                async with anyio.create_task_group() as ordering:
                    for number in range(CLIENTS):
                        ordering.start_soon(order, number)
            hanging.cancel_scope.cancel()
    assert answers == [{"data": "done", "meta": None}] * CLIENTS


def half_a_request(server: WebServer, line: str, *, whole: bool = False) -> socket.socket:
    """A client that says no more, and reads nothing."""
    host, _, port = server.place.rpartition(":")
    client = socket.create_connection((host, int(port)), WAIT)
    client.sendall(f"{line} HTTP/1.1\r\nHost: {server.place}\r\nContent-Length: 10\r\n".encode())
    if whole:
        client.sendall(b"\r\n" + b" " * 10)
    return client


async def test_a_call_without_a_session_has_no_tools_listed(switchboard: Switchboard, tmp_path: Path) -> None:
    api = switchboard.new()
    api.offer("shop", "order", takes(item={"type": "string"}))
    api.answer("shop/order", says("done"))
    api.offer("office", "print", takes())
    api.odd["/connectors/?modules=office"] = fails(500)  # each list looks for it again

    def looks() -> int:
        return sum(asked.path == "/connectors/?modules=office" for asked in api.asked)

    with web_server(tmp_path, api, "--refresh", "0") as server:
        async with server.client("auto") as client:
            await client.list_tools()
            listed = looks()
            await client.list_tools()
            again = looks()
            for _ in range(3):
                assert (await answer(client, "shop_order", item="tea"))["data"] == "done"
            assert [again > listed, looks()] == [True, again]
