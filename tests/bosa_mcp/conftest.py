"""What the tests of the MCP server share: a scripted API, a real hub, and a client of our server in each era."""

import json
import signal
from collections.abc import AsyncGenerator, Generator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path
from typing import Any, Protocol, cast

import mcp_types as types
import pytest
from mcp import Client

from bosa_connectors.aio import AsyncBosaConnector
from bosa_connectors.calls import Credentials
from bosa_hub.serve import RunningHub, running
from bosa_mcp import logs
from bosa_mcp.access import Caller
from bosa_mcp.calling import Parts
from bosa_mcp.execution import Execution
from bosa_mcp.files import Files
from bosa_mcp.filters import Filter
from bosa_mcp.inputs import Inputs
from bosa_mcp.refresh import Tools
from bosa_mcp.server import create_server
from bosa_mcp.store import Store

from .opened import opened
from .scripted_api import WAIT, Json, ScriptedApi, Switchboard, reserved_port, served

KEY, TOKEN = "sk-client-planted.key.3f9a2c", "eyJplanted.token.8d71be"
PLANTED = Credentials(KEY, TOKEN)

SAID_BY_THE_API = {"status", "code", "request_id", "retry_after_seconds"}


class Connect(Protocol):
    """A client of our server, which speaks to the API at this address."""

    def __call__(  # noqa: PLR0913  what a test may choose
        self,
        url: str,
        *only: str,
        credentials: Credentials = PLANTED,
        call_budget: float = WAIT,
        result_bytes: int = 80_000,
        root: Path | None = None,
        downloads: Path | None = None,
    ) -> AbstractAsyncContextManager[Client]: ...


@pytest.fixture(scope="session")
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture(scope="package", autouse=True)
def _surroundings(  # pyright: ignore[reportUnusedFunction]  pytest uses it
    tmp_path_factory: pytest.TempPathFactory,
) -> Generator[None]:
    """The log as the command sets it up, and no certificates: on loopback nobody needs the time to read them."""
    logs.configure("pretty", "debug")
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:  # as shells start what runs in the background
        signal.signal(signal.SIGINT, signal.default_int_handler)
    with pytest.MonkeyPatch.context() as environment:
        environment.delenv("SSL_CERT_FILE", raising=False)
        environment.setenv("SSL_CERT_DIR", str(tmp_path_factory.mktemp("certificates")))
        yield


@pytest.fixture(scope="session")
def switchboard() -> Generator[Switchboard]:
    board = Switchboard()
    with served(board, reserved_port()) as board.url:
        yield board


@pytest.fixture
def api(switchboard: Switchboard) -> ScriptedApi:
    """A BOSA API of this test alone."""
    return switchboard.new()


@pytest.fixture(scope="session")
def hub(tmp_path_factory: pytest.TempPathFactory) -> Generator[RunningHub]:
    """The real thing."""
    with running(tmp_path_factory.mktemp("hub")) as hub:
        yield hub


@pytest.fixture
def hub_user(hub: RunningHub, request: pytest.FixtureRequest) -> Credentials:
    """A user of the hub who has nothing yet."""
    return Credentials(hub.client_key, hub.user_token(request.node.nodeid))


@pytest.fixture(params=["auto", "legacy"])
def era(request: pytest.FixtureRequest) -> str:
    """How the client speaks: without a handshake (2026-07-28 and later), or with one."""
    return request.param


@pytest.fixture
def connect(era: str) -> Connect:
    @asynccontextmanager
    async def connect(  # noqa: PLR0913  as above
        url: str,
        *only: str,
        credentials: Credentials = PLANTED,
        call_budget: float = WAIT,
        result_bytes: int = 80_000,
        root: Path | None = None,
        downloads: Path | None = None,
    ) -> AsyncGenerator[Client]:
        async with AsyncBosaConnector(url, error_contract=2) as connector:
            store = Store.at("memory://")
            execution = Execution(connector, store, call_budget, result_bytes)
            caller = Caller("local", credentials)
            server = create_server(
                Parts(
                    Tools(connector, Filter(frozenset(only))),
                    execution,
                    store,
                    lambda _: caller,
                    result_bytes,
                    Inputs(store, root),
                    Files(store, downloads),
                )
            )
            async with Client(server, mode=era, read_timeout_seconds=WAIT) as client:
                yield client

    return connect


class Serve(Protocol):
    """A client of our server, which serves what is wanted of the API at this address."""

    def __call__(self, url: str, wanted: Filter) -> AbstractAsyncContextManager[Client]: ...


@pytest.fixture
def serve(era: str) -> Serve:
    @asynccontextmanager
    async def serve(url: str, wanted: Filter) -> AsyncGenerator[Client]:
        async with (
            opened(url, wanted) as (server, _),
            Client(server, mode=era, read_timeout_seconds=WAIT) as client,
        ):
            yield client

    return serve


async def tools(client: Client) -> dict[str, types.Tool]:
    """The tools by name."""
    listed = (await client.list_tools()).tools
    assert len({tool.name for tool in listed}) == len(listed)
    return {tool.name: tool for tool in listed}


async def names_of_the_api(client: Client) -> set[str]:
    """The names of the tools that are actions, without the server's own."""
    return {name for name in await tools(client) if not name.startswith("bosa_")}


async def answer(client: Client, tool: str, **arguments: object) -> Json:
    """What a call that succeeds returns."""
    answered = content(await client.call_tool(tool, arguments), is_error=False)
    assert {"data", "meta"} <= answered.keys() <= {"data", "meta", "next", "omitted", "notes"}
    return answered


async def refusal(client: Client, tool: str, **arguments: object) -> Json:
    """The error that a call which fails returns."""
    refused = content(await client.call_tool(tool, arguments), is_error=True)
    assert refused.keys() == {"error"}
    error = refused["error"]
    assert {"kind", "message"} <= error.keys() <= {"kind", "message", "hint", "errors", *SAID_BY_THE_API}
    assert "Traceback" not in error["message"]
    return error


def content(result: types.CallToolResult, *, is_error: bool) -> Json:
    """The structured content, which the text repeats as compact JSON for models that read no other."""
    [text] = result.content
    assert isinstance(text, types.TextContent)
    assert json.loads(text.text, parse_constant=_no_json) == result.structured_content
    assert text.text == json.dumps(result.structured_content, ensure_ascii=False, separators=(",", ":"))
    assert result.is_error is is_error, text.text
    return cast("Json", result.structured_content)


def _no_json(constant: str) -> Any:  # noqa: ANN401  it returns nothing
    raise AssertionError(f"{constant} is no JSON")


def logged(caplog: pytest.LogCaptureFixture, event: str) -> list[Json]:
    """What our server logged of this event."""
    entries = [cast("Json", record.msg) for record in caplog.records if isinstance(record.msg, dict)]
    return [entry for entry in entries if entry["event"] == event]
