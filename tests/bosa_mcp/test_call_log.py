"""A tool call is one line in the log: what it was, cost and came to, with shapes and never with values."""

import json
import re
import subprocess
import sys
from collections.abc import Generator
from pathlib import Path
from typing import Any

import anyio
import pytest
from anyio import to_thread
from starlette.responses import JSONResponse, PlainTextResponse

from .conftest import KEY, TOKEN, Connect, answer, logged, refusal
from .processes import HANDSHAKE, Server, call, started
from .scripted_api import WAIT, ScriptedApi, fails, says, takes

SIGNED = "https://files.example.com/a?X-Amz-Signature=5f3b9c1d7e"
PLANTED = {
    "key": KEY,
    "token": TOKEN,
    "user secret": "sk-user-planted.secret.77aa12",
    "jwt": "eyJhbGciOiJIUzI1NiJ9.planted.Zm9vYmFy",
    "signature": "5f3b9c1d7e",
    "argument": "a-value-that-nobody-logs",
    "reply": "a-reply-that-nobody-logs",
}


@pytest.fixture
def shop(api: ScriptedApi) -> ScriptedApi:
    api.offer("shop", "find_goods", takes(name={"type": "string"}, tags={"type": "array"}, most={"type": "integer"}))
    api.offer("shop", "delete_goods", takes("id", id={"type": "string"}))
    api.answer("shop/find_goods", says([{"id": 1}]))
    return api


def only(caplog: pytest.LogCaptureFixture) -> dict[str, Any]:
    [line] = logged(caplog, "tool call")
    return line


async def test_a_call_that_succeeds(shop: ScriptedApi, connect: Connect, caplog: pytest.LogCaptureFixture) -> None:
    async with connect(shop.url) as client:
        result = await answer(client, "shop_find_goods", name="größe", tags=["a", "b"], most=3)
    line = only(caplog)
    sizes = [line.pop("api_bytes"), line.pop("result_bytes")]
    assert sizes == [len('{"data":[{"id":1}],"meta":null}'), len(json.dumps(result, separators=(",", ":")))]
    assert line.pop("milliseconds") > 0
    assert re.fullmatch("[0-9a-f]{8}", line.pop("request"))
    assert {name: line[name] for name in line if name not in {"timestamp", "level", "logger"}} == {
        "event": "tool call",
        "tool": "shop_find_goods",
        "connector": "shop",
        "action": "find_goods",
        "effect": "read",
        "arguments": {"name": "text of 5", "tags": "list of 2", "most": "number"},
        "outcome": "ok",
        "status": 200,
        "api_request_id": None,
        "attempts": 1,
        "pages": 1,
    }


async def test_a_call_that_is_repeated_and_fails(
    shop: ScriptedApi, connect: Connect, caplog: pytest.LogCaptureFixture
) -> None:
    shop.answer(
        "shop/delete_goods", fails(429, headers={"retry-after": "0"}), fails(404, headers={"x-request-id": "r7"})
    )
    async with connect(shop.url) as client:
        await refusal(client, "shop_delete_goods", id="7")
    line = only(caplog)
    told = [line[name] for name in ("effect", "outcome", "status", "attempts", "pages", "api_request_id")]
    assert told == ["delete", "not_found", 404, 2, 0, "r7"]


async def test_a_call_that_is_never_sent(shop: ScriptedApi, connect: Connect, caplog: pytest.LogCaptureFixture) -> None:
    async with connect(shop.url) as client:
        await refusal(client, "shop_find_goods", **{PLANTED["jwt"]: 1, "most": "many"})
    line = only(caplog)
    assert [line[name] for name in ("outcome", "status", "attempts", "api_bytes")] == ["invalid_arguments", None, 0, 0]
    assert line["arguments"] == {"most": "text of 4", "(unknown)": "1 more"}


async def test_a_call_that_is_given_up(shop: ScriptedApi, connect: Connect, caplog: pytest.LogCaptureFixture) -> None:
    shop.answer("shop/delete_goods", shop.hang)
    async with connect(shop.url) as client, anyio.create_task_group() as calling:
        calling.start_soon(client.call_tool, "shop_delete_goods", {"id": "7"})
        assert await to_thread.run_sync(shop.reached.wait, WAIT)
        calling.cancel_scope.cancel()
    assert [only(caplog)[name] for name in ("outcome", "attempts", "pages")] == ["cancelled", 1, 0]


async def test_a_walk_through_pages_counts_them(
    api: ScriptedApi, connect: Connect, caplog: pytest.LogCaptureFixture
) -> None:
    api.offer("shop", "list_goods", takes(page={"type": "integer"}))
    api.answer("shop/list_goods", says([1], {"page": 1, "has_next": True}), says([2], {"page": 2, "has_next": False}))
    async with connect(api.url) as client:
        assert (await answer(client, "shop_list_goods", max_items=5))["data"] == [1, 2]
    assert [only(caplog)[name] for name in ("attempts", "pages")] == [2, 2]


def provoke(server: Server) -> None:
    """Calls that bring planted secrets in arguments, replies, addresses and exceptions."""
    values = [*PLANTED.values(), SIGNED]
    for number, value in enumerate(values):
        server.send(
            call(10 * number + 1, "shop_find_goods", name=value, most=value, **{value: value}),
            call(10 * number + 2, "shop_find_goods", name=value),
            call(10 * number + 3, "shop_delete_goods", id=value),
            call(10 * number + 4, value, name=value),
        )
    for number in range(len(values)):
        for each in range(1, 5):
            server.reply(10 * number + each)


@pytest.fixture(params=["json", "pretty"])
def told(request: pytest.FixtureRequest, tmp_path: Path, shop: ScriptedApi) -> Generator[list[str]]:
    """What a server says on standard error that sees every planted secret, at the level that says most."""
    said = " ".join([*PLANTED.values(), SIGNED])
    shop.answer(
        "shop/find_goods",
        says({"x": said}),
        fails(403, said, code=said, request_id=PLANTED["jwt"]),
        JSONResponse({"error": said}, 502, {"location": SIGNED, "set-cookie": f"a={TOKEN}"}),
        PlainTextResponse(said, 500),
        JSONResponse({}, 302, {"location": SIGNED}),
    )
    shop.answer("shop/delete_goods", PlainTextResponse(said, 200, media_type="application/json"))
    shop.offer("shop", "odd", path=SIGNED)
    shop.offer("odd", said)
    settings = {"BOSA_API_KEY": KEY, "BOSA_USER_TOKEN": TOKEN, "BOSA_CALL_BUDGET": "0.3"}
    flags = ("--api-base-url", shop.url, "--log", request.param, "--log-level", "debug")
    with started(tmp_path, "serve", *flags, **settings) as server:
        server.send(*HANDSHAKE)
        provoke(server)
        server.end_of_input()
        assert server.wait() == 0
        yield server.errors().splitlines()


def test_no_secret_and_no_value_reaches_standard_error(told: list[str]) -> None:
    assert sum("tool call" in line for line in told) == 3 * (len(PLANTED) + 1)
    leaked = {name: line for name, secret in PLANTED.items() for line in told if secret in line}
    assert leaked == {}


_FOREIGN = """
import logging
from bosa_mcp import logs

logs.configure("pretty", "info")
said = "planted\\x1b]0;title\\x07"  # newer tracebacks quote the line that raises
for name in ("mcp.server.sse", "bosa_mcp"):
    try:
        raise ValueError(said)
    except ValueError:
        logging.getLogger(name).exception("of %s\\x1b[2J", name)
"""


def test_a_message_that_cannot_be_read_is_not_quoted_and_no_line_steers_a_terminal() -> None:
    done = subprocess.run([sys.executable, "-c", _FOREIGN], capture_output=True, text=True, check=True)
    assert done.stderr.count("planted") == 1
    assert "of mcp.server.sse" in done.stderr
    assert "\n" in done.stderr.strip()
    assert not {"\x1b", "\x07"} & set(done.stderr)
