"""An API that means no good, or has lost its mind: nothing leaks, nothing crashes, the other tools work meanwhile."""

import gzip
import json
import sys
from collections.abc import AsyncGenerator, Generator
from pathlib import Path

import anyio
import pytest
from anyio import to_thread
from mcp import Client
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response, StreamingResponse

from bosa_mcp.invisible import INVISIBLE

from .conftest import KEY, TOKEN, Connect, answer, refusal, tools
from .processes import HANDSHAKE, Server, call, started
from .scripted_api import WAIT, Answer, ScriptedApi, fails, reserved_port, says, served, takes

HUGE = 100 * 1024 * 1024
PIECE = b"x" * (256 * 1024)
HIDDEN = "a\x00b\u202ec\u2066d\ufeffe\x1b[31m"


@pytest.fixture
def shop(api: ScriptedApi) -> ScriptedApi:
    """Its action `find` is what a test makes of it; `well` is well, and `order` writes."""
    for action in ("find", "get_well", "order"):
        api.offer("shop", action, takes("item", item={"type": "string"}))
    api.answer("shop/get_well", says("well"))
    return api


@pytest.fixture
def elsewhere() -> Generator[ScriptedApi]:
    """Another origin, which must not be asked for anything."""
    other = ScriptedApi()
    with served(other, reserved_port()) as other.url:
        yield other


async def is_well(client: Client) -> bool:
    return (await answer(client, "shop_get_well", item="x"))["data"] == "well"


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
async def test_a_redirect_to_another_origin_takes_neither_key_nor_token_nor_body_there(
    shop: ScriptedApi, elsewhere: ScriptedApi, connect: Connect, status: int
) -> None:
    there = f"{elsewhere.url}/connectors/shop/find?token={TOKEN}"
    shop.answer("shop/find", RedirectResponse(there, status))
    shop.listing["lured"] = {}
    shop.odd["/connectors/?modules=lured"] = RedirectResponse(there, status)
    async with connect(shop.url) as client:
        assert {"shop_find", "shop_get_well", "shop_order"} <= (await tools(client)).keys()
        error = await refusal(client, "shop_find", item="a secret")
        assert await is_well(client)
    assert elsewhere.asked == []
    assert TOKEN not in json.dumps(error)


async def test_an_answer_that_does_not_end_is_refused_in_bounds(shop: ScriptedApi, connect: Connect) -> None:
    shop.answer("shop/find", endless("application/json"))
    shop.answer("shop/order", endless("application/json"))
    async with connect(shop.url) as client:
        assert (await refusal(client, "shop_find", item="x"))["kind"] == "too_large"
        assert (await refusal(client, "shop_order", item="x"))["kind"] == "too_large"
        assert await is_well(client)


def endless(media_type: str) -> Answer:
    async def answered(_: Request) -> Response:
        async def body() -> AsyncGenerator[bytes]:
            yield b'{"data": "'
            for _ in range(HUGE // len(PIECE)):
                yield PIECE
            yield b'"}'

        return StreamingResponse(body(), media_type=media_type)

    return answered


@pytest.mark.skipif(sys.platform != "linux", reason="what a process took at most is read in /proc")
@pytest.mark.parametrize(("media_type", "most"), [("application/json", 160), ("application/pdf", 80)])
def test_a_hundred_megabytes_cost_a_bounded_part_of_memory(
    shop: ScriptedApi, tmp_path: Path, media_type: str, most: int
) -> None:
    shop.answer("shop/find", endless(media_type))
    with started(tmp_path, BOSA_API_BASE_URL=shop.url, BOSA_API_KEY=KEY, BOSA_USER_TOKEN=TOKEN) as server:
        server.send(*HANDSHAKE, call(1, "shop_get_well", item="x"))
        assert server.reply(1)["result"]["structuredContent"]["data"] == "well"
        before = most_memory(server)
        server.send(call(2, "shop_find", item="x"))
        assert server.reply(2)["result"]["structuredContent"]
        assert most_memory(server) - before < most


def most_memory(server: Server) -> float:
    """The megabytes that the process had at most so far."""
    status = Path(f"/proc/{server.process.pid}/status").read_text()
    return next(int(line.split()[1]) for line in status.splitlines() if line.startswith("VmHWM")) / 1024


async def test_a_small_answer_that_unpacks_to_a_large_one_is_refused(shop: ScriptedApi, connect: Connect) -> None:
    bomb = gzip.compress(b'{"data": "' + b"0" * HUGE + b'"}', 1)
    packed = {"content-encoding": "gzip", "content-type": "application/json"}
    shop.answer("shop/find", Response(bomb, headers=packed))
    async with connect(shop.url) as client:
        assert (await refusal(client, "shop_find", item="x"))["kind"] == "too_large"
        assert await is_well(client)


async def test_an_answer_that_does_not_come_costs_the_budget_and_no_other_call(
    shop: ScriptedApi, connect: Connect
) -> None:
    shop.answer("shop/find", shop.hang)
    shop.answer("shop/order", shop.hang)
    async with connect(shop.url, call_budget=0.5) as client:
        kinds: dict[str, str] = {}

        async def ask(tool: str) -> None:
            kinds[tool] = (await refusal(client, tool, item="x"))["kind"]

        async with anyio.create_task_group() as waiting:
            waiting.start_soon(ask, "shop_find")
            waiting.start_soon(ask, "shop_order")
            assert await to_thread.run_sync(shop.reached.wait, WAIT)
            assert await is_well(client)
    assert kinds == {"shop_find": "timeout", "shop_order": "outcome_unknown"}
    assert await to_thread.run_sync(shop.abandoned.wait, WAIT)


async def test_an_answer_that_comes_a_little_at_a_time_is_waited_for_beside_others(
    shop: ScriptedApi, connect: Connect
) -> None:
    goes_on = anyio.Event()

    async def trickle(_: Request) -> Response:
        async def body() -> AsyncGenerator[bytes]:
            for byte in b'{"data": "slow", "meta": null}':
                yield bytes([byte])
                await anyio.sleep(0.02)

        shop.reached.set()
        return StreamingResponse(body(), media_type="application/json")

    shop.answer("shop/find", trickle)
    async with connect(shop.url, call_budget=0.3) as client:

        async def ask() -> None:
            assert (await answer(client, "shop_find", item="x"))["data"] == "slow"
            goes_on.set()

        async with anyio.create_task_group() as asking:
            asking.start_soon(ask)
            assert await to_thread.run_sync(shop.reached.wait, WAIT)
            assert await is_well(client)
            assert not goes_on.is_set()


ODD: dict[str, Response] = {
    "html": Response(b'{"data": 1}', media_type="text/html"),
    "no json": Response(b"<html>", media_type="application/json"),
    "none": Response(b'{"data": 1}', headers={"content-type": ""}),
    "utf-16": Response('{"data": "ö"}'.encode("utf-16"), media_type="application/json; charset=utf-16"),
    "no charset": Response(b"\xff\xfe\xfd", media_type="application/json; charset=nonsense"),
    "hidden": Response(b'{"data": 1}', media_type="application/json\x00; \x1b[31m"),
    "empty": Response(b"", media_type="application/json"),
    "deep": Response(b"[" * 100_000, media_type="application/json"),
    "nan": Response(b'{"data": NaN}', media_type="application/json"),
    "long number": Response(b'{"data": 1' + b"0" * 10_000 + b"}", media_type="application/json"),
    "half a character": Response(b'{"data": "\\ud800"}', media_type="application/json"),
    "zero": Response(b"\x00", 500, media_type="application/octet-stream"),
    "long text": Response(b"x" * 100_000, 418, media_type="text/plain"),
}


@pytest.mark.parametrize("said", ODD.values(), ids=list(ODD))
async def test_an_answer_of_an_odd_kind_is_a_result_in_bounds(
    shop: ScriptedApi, connect: Connect, said: Response
) -> None:
    shop.answer("shop/find", said)
    async with connect(shop.url, call_budget=0.5) as client:
        result = await client.call_tool("shop_find", {"item": "x"})
        text = result.model_dump_json()
        assert await is_well(client)
    assert (result.structured_content or {}).keys() & {"data", "error"}
    assert "internal_error" not in text
    assert len(text) < 60_000
    assert not INVISIBLE.search(text)


@pytest.mark.parametrize("is_error", [True, False])
async def test_what_nobody_sees_is_written_out_wherever_it_stands(
    shop: ScriptedApi, connect: Connect, *, is_error: bool
) -> None:
    nested = {HIDDEN: [{HIDDEN: HIDDEN}]}
    details = [{"loc": ["body", HIDDEN], "msg": HIDDEN}]
    failure = fails(422, HIDDEN, code=HIDDEN, request_id=HIDDEN, details=details)
    shop.answer("shop/find", failure if is_error else says(nested, nested))
    async with connect(shop.url) as client:
        result = await client.call_tool("shop_find", {"item": "x"})
        assert await is_well(client)
    assert result.is_error is is_error
    said = json.dumps(result.model_dump(mode="json"), ensure_ascii=False)
    assert "u202e" in said
    assert not INVISIBLE.search(said)


async def test_no_cookie_of_a_listing_or_an_answer_comes_back(shop: ScriptedApi, connect: Connect) -> None:
    cookie = {"set-cookie": "session=1; Path=/; Max-Age=9999"}
    shop.odd["/connectors/names"] = Response(b'["shop"]', media_type="application/json", headers=cookie)
    shop.answer("shop/find", Response(b'{"data": 1}', media_type="application/json", headers=cookie))
    async with connect(shop.url) as client:
        for _ in range(2):
            await answer(client, "shop_find", item="x")
            await tools(client)
    assert not any("cookie" in asked.headers for asked in shop.asked)
