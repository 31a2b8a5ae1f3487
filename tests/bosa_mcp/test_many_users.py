"""One server over HTTP, several people: each brings a token, and nobody meets what is another's."""

from collections.abc import Generator
from pathlib import Path

import anyio
import httpx
import pytest
from mcp import MCPError
from starlette.requests import Request
from starlette.responses import Response

from bosa_hub.serve import RunningHub

from .conftest import KEY, answer, refusal, tools
from .many_users import INITIALIZE, Person, SharedServer, message, shared_server
from .processes import run
from .scripted_api import WAIT, ScriptedApi, fails, says
from .test_users import user

HANGING = 50
LISTING = {"jsonrpc": "2.0", "id": 2, "method": "tools/list"}
GUARDED = [
    *(("/mcp", method) for method in ("GET", "POST", "DELETE")),
    ("/sse", "GET"),
    ("/messages/?session_id=00000000000000000000000000000000", "POST"),
    ("/files", "POST"),
]


@pytest.fixture(scope="module")
def server(hub: RunningHub, tmp_path_factory: pytest.TempPathFactory) -> Generator[SharedServer]:
    with shared_server(tmp_path_factory.mktemp("shared"), hub.url, hub.client_key) as server:
        yield server


@pytest.fixture
def alice(hub: RunningHub, request: pytest.FixtureRequest) -> Person:
    return Person("alice", hub.user_token(f"alice {request.node.nodeid}"))


@pytest.fixture
def bob(hub: RunningHub, request: pytest.FixtureRequest) -> Person:
    return Person("bob", hub.user_token(f"bob {request.node.nodeid}"))


@pytest.mark.parametrize(("path", "method"), GUARDED)
@pytest.mark.parametrize(
    "given",
    [
        {},
        {"authorization": "Bearer nobody"},
        {"authorization": "Bearer größe"},
        {"authorization": "Bearer"},
        {"authorization": "Basic YWxpY2U6c2VjcmV0"},
        {"x-api-key": "sk-client-a.b.c"},
    ],
    ids=str,
)
def test_whoever_brings_no_good_token_is_told_to(
    server: SharedServer, path: str, method: str, given: dict[str, str]
) -> None:
    with server.http() as http:
        encoded = [(name.encode(), value.encode("latin-1")) for name, value in given.items()]
        refused = http.request(method, path, headers=encoded, json=INITIALIZE if method == "POST" else None)
    assert refused.status_code == 401
    assert refused.headers["www-authenticate"].startswith("Bearer ")
    assert "resource_metadata" not in refused.headers["www-authenticate"]


def test_a_token_in_the_address_counts_for_nothing(server: SharedServer, alice: Person) -> None:
    with server.http() as http:
        for name in ("token", "access_token"):
            assert http.post("/mcp", json=INITIALIZE, params={name: alice.token}).status_code == 401


@pytest.mark.parametrize("path", ["/healthz", "/readyz"])
def test_a_supervisor_brings_no_token(server: SharedServer, path: str) -> None:
    with server.http() as http:
        assert http.get(path).status_code in {200, 503}


@pytest.mark.parametrize(
    "path",
    [
        f"/.well-known/{name}{of}"
        for name in ("oauth-protected-resource", "oauth-authorization-server", "openid-configuration")
        for of in ("", "/mcp")
    ],
)
def test_nothing_is_claimed_about_an_authorization_server_that_there_is_not(server: SharedServer, path: str) -> None:
    with server.http() as http:
        assert http.get(path).status_code == 404


@pytest.mark.parametrize("path", ["/mcp", "/sse"])
async def test_each_has_notes_files_and_results_of_their_own(
    server: SharedServer, era: str, path: str, alice: Person, bob: Person
) -> None:
    async with server.client(alice, era, path) as hers, server.client(bob, era, path) as his:
        large = await answer(hers, "notes_create_note", title="Hers", body="x" * 200_000)
        note = large["data"]
        file = await hers.call_tool("notes_export_notes", {})
        assert file.structured_content
        uris = {large["omitted"]["resource"], file.structured_content["data"]["uri"]}
        assert {str(each.uri) for each in (await hers.list_resources()).resources} == uris
        for uri in uris:
            assert (await hers.read_resource(f"{uri}?offset=0&length=10")).contents
            with pytest.raises(MCPError, match="There is no resource"):
                await his.read_resource(uri)
        assert (await his.list_resources()).resources == []
        assert (await refusal(his, "notes_get_note", id=note["id"]))["kind"] == "not_found"
        assert (await answer(his, "notes_list_notes"))["data"] == []


async def test_all_see_the_same_tools(server: SharedServer, era: str, alice: Person, bob: Person) -> None:
    async with server.client(alice, era) as hers, server.client(bob, era) as his:
        assert await tools(hers) == await tools(his)


@pytest.mark.parametrize("method", ["GET", "POST", "DELETE"])
def test_the_session_of_another_is_not_found_and_goes_on(
    server: SharedServer, method: str, alice: Person, bob: Person
) -> None:
    session = {"mcp-session-id": server.session(alice)}
    with server.http(bob) as http:
        http.headers.update(session)
        refused = http.request(method, "/mcp", json=LISTING if method == "POST" else None)
        assert refused.status_code == 404
        unknown = http.request(
            method, "/mcp", json=LISTING if method == "POST" else None, headers={"mcp-session-id": "0" * 32}
        )
        assert (refused.status_code, refused.text) == (unknown.status_code, unknown.text)
    with server.http() as http:
        http.headers.update(session)
        assert http.request(method, "/mcp").status_code == 401
    with server.http(alice) as http:
        http.headers.update(session)
        assert "tools" in message(http.post("/mcp", json=LISTING).text)["result"]


async def test_the_stream_of_another_takes_no_messages(server: SharedServer, alice: Person, bob: Person) -> None:
    async with (
        httpx.AsyncClient(base_url=server.url, timeout=WAIT, headers=alice.headers) as hers,
        hers.stream("GET", "/sse") as stream,
    ):
        lines = stream.aiter_lines()
        while not (endpoint := await anext(lines)).startswith("data: "):
            pass
        endpoint = endpoint.removeprefix("data: ")
        async with httpx.AsyncClient(base_url=server.url, timeout=WAIT) as http:
            assert (await http.post(endpoint, json=INITIALIZE, headers=bob.headers)).status_code == 404
            assert (await http.post(endpoint, json=INITIALIZE)).status_code == 401
            assert (await http.post(endpoint, json=INITIALIZE, headers=alice.headers)).status_code == 202


def test_a_new_token_of_the_same_person_goes_on_with_the_session(
    server: SharedServer, hub: RunningHub, alice: Person, request: pytest.FixtureRequest
) -> None:
    session = server.session(alice)
    again = Person("alice", hub.user_token(f"alice {request.node.nodeid}"))
    assert again.token != alice.token
    with server.http(again) as http:
        assert http.post("/mcp", json=LISTING, headers={"mcp-session-id": session}).status_code == 200


@pytest.fixture
def shop(api: ScriptedApi) -> ScriptedApi:
    async def whoever_asks(request: Request) -> Response:
        return user(request.headers["authorization"].removeprefix("Bearer "))

    api.odd["/users/me"] = whoever_asks
    api.offer("shop", "get_price")
    api.answer("shop/get_price", says(7))
    return api


def test_an_api_that_is_down_is_no_reason_to_doubt_a_token(shop: ScriptedApi, tmp_path: Path) -> None:
    shop.odd["/users/me"] = fails(500, "planted detail")
    with shared_server(tmp_path, shop.url, KEY) as server, server.http(Person("alice", "token-of-alice")) as http:
        refused = http.post("/mcp", json=INITIALIZE)
        assert http.get("/healthz", headers={"authorization": ""}).status_code == 200
    assert refused.status_code == 503
    assert int(refused.headers["retry-after"]) > 0
    assert not [secret for secret in ("planted detail", shop.url, KEY) if secret in refused.text]
    assert "token-of-alice" not in "".join(server.log)


async def test_the_hanging_calls_of_one_hold_up_nobody_else(shop: ScriptedApi, tmp_path: Path, era: str) -> None:
    async def price(request: Request) -> Response:
        is_hers = request.headers["authorization"] == "Bearer token-of-alice"
        return await shop.hang(request) if is_hers else says(7)

    shop.answer("shop/get_price", price)
    alice, bob = Person("alice", "token-of-alice"), Person("bob", "token-of-bob")
    with shared_server(tmp_path, shop.url, KEY) as server:
        async with server.client(alice, era) as hers, anyio.create_task_group() as hanging:
            for _ in range(HANGING):
                hanging.start_soon(hers.call_tool, "shop_get_price")
            assert await anyio.to_thread.run_sync(shop.reached.wait, WAIT)
            with anyio.fail_after(WAIT):
                async with server.client(bob, era) as his:
                    for _ in range(10):
                        assert await answer(his, "shop_get_price") == {"data": 7, "meta": None}
            hanging.cancel_scope.cancel()
    keys = {asked.headers["x-api-key"] for asked in shop.sent("shop/get_price")}
    assert keys == {KEY}


@pytest.mark.parametrize(
    ("flags", "settings", "named"),
    [
        ("--host 0.0.0.0", {}, "BOSA_PUBLIC_URL"),
        ("--host ::", {}, "BOSA_ALLOWED_HOSTS"),
        ("", {"BOSA_USER_TOKEN": "eyJplanted"}, "BOSA_USER_TOKEN"),
        ("", {"BOSA_ACCOUNT": "home"}, "BOSA_ACCOUNT"),
    ],
)
def test_what_makes_no_sense_for_several_people_is_refused_in_one_line(
    tmp_path: Path, flags: str, settings: dict[str, str], named: str
) -> None:
    known = {"BOSA_API_BASE_URL": "http://127.0.0.1:9", "BOSA_API_KEY": KEY}
    done = run(tmp_path, "serve", "--transport", "http", "--auth", "user-token", *flags.split(), **known, **settings)
    assert [done.returncode, done.stdout] == [2, ""]
    [line] = done.stderr.splitlines()
    assert named in line
    assert "planted" not in line


def test_with_a_name_it_may_listen_everywhere(shop: ScriptedApi, tmp_path: Path) -> None:
    alice = Person("alice", "token-of-alice")
    flags = ("--host", "0.0.0.0", "--public-url", "https://mcp.example.com")  # noqa: S104  that is the point
    with shared_server(tmp_path, shop.url, KEY, *flags) as server:
        port = server.url.rpartition(":")[2]
        here = SharedServer(f"http://127.0.0.1:{port}", server.data)
        with here.http(alice) as http:
            for host, status in {"mcp.example.com": 200, "evil.example": 421}.items():
                assert http.post("/mcp", json=INITIALIZE, headers={"host": host}).status_code == status
