"""What comes back from a call: data in one shape, failures in another, each with a word that says what to do."""

import gzip
import json
from collections.abc import AsyncGenerator
from contextlib import ExitStack, asynccontextmanager
from typing import cast

import anyio
import pytest
from anyio import to_thread
from anyio.abc import SocketAttribute, SocketStream
from mcp import Client
from starlette.responses import JSONResponse, Response, StreamingResponse

from bosa_connectors.aio import MAX_JSON_BYTES, AsyncBosaConnector
from bosa_connectors.calls import Call, Credentials, Reply
from bosa_hub.serve import RunningHub
from bosa_mcp.access import Caller
from bosa_mcp.calling import Parts
from bosa_mcp.execution import Execution
from bosa_mcp.files import Files
from bosa_mcp.inputs import Inputs
from bosa_mcp.refresh import Tools
from bosa_mcp.server import create_server
from bosa_mcp.store import Store

from .conftest import PLANTED, Connect, answer, logged, refusal, tools
from .scripted_api import WAIT, Answer, Json, ScriptedApi, fails, reserved_port, says, served, takes


@pytest.fixture
def shop(api: ScriptedApi) -> ScriptedApi:
    api.offer("shop", "order", takes("item", item={"type": "string"}))
    return api


async def refused(shop: ScriptedApi, connect: Connect, answer: Answer) -> Json:
    """The error for an answer that comes again and again; what may have acted is sent once."""
    shop.answer("shop/order", answer)
    async with connect(shop.url, call_budget=0.2) as client:
        error = await refusal(client, "shop_order", item="x")
    assert len(shop.sent("shop/order")) == 1 or error["status"] == 429
    return error


async def test_a_reply_is_its_data_and_meta(shop: ScriptedApi, connect: Connect) -> None:
    meta = {"total": 1, "camelCase": None}
    every = [None, "text", 0, 1.5, False, [], {}, [None], {"a": [{"größe": "\u2028 \U0001f600"}]}]
    shop.answer("shop/order", *(says(data, meta) for data in every))
    async with connect(shop.url) as client:
        for data in every:
            assert await answer(client, "shop_order", item="x") == {"data": data, "meta": meta}


@pytest.mark.parametrize(
    ("reply", "data"),
    [
        (Response(status_code=204), None),
        (Response(b"", media_type="application/json"), None),
        (JSONResponse([1, 2]), [1, 2]),
        (JSONResponse({"rows": 1}), {"rows": 1}),
        (JSONResponse({"data": 1}, 201), 1),
        (Response(b'{"data":[1e999,NaN,-Infinity]}', media_type="application/json"), [None, None, None]),
        (Response(rb'{"data":"\ud83d half"}', media_type="application/json"), "? half"),
        (Response("{'data': 1}".replace("'", '"').encode("utf-16"), media_type="application/json; charset=utf-16"), 1),
        (Response(gzip.compress(b'{"data":1}'), headers={"content-encoding": "gzip"}), 1),
    ],
    ids=["204", "empty", "bare list", "bare object", "201", "no numbers", "half a character", "utf-16", "gzip"],
)
async def test_an_unusual_reply_is_data_all_the_same(
    shop: ScriptedApi, connect: Connect, reply: Response, data: object
) -> None:
    shop.answer("shop/order", reply)
    async with connect(shop.url) as client:
        assert await answer(client, "shop_order", item="x") == {"data": data, "meta": None}


async def test_what_an_api_says_beside_its_data_is_noted(shop: ScriptedApi, connect: Connect) -> None:
    beside: Json = {"errors": [{"message": "There is no such field.\u202e"}], "warnings": [], "x": "x" * 9_000}
    shop.answer("shop/order", JSONResponse({"data": None, "meta": None, **beside}))
    async with connect(shop.url) as client:
        result = await answer(client, "shop_order", item="x")
    [note] = result["notes"]
    assert note.startswith('The API says besides: {"errors":[{"message":"There is no such field.\\u202e"}],"x":"xxx')
    assert len(note) < 600


FAILURES: dict[str, tuple[Response, Json]] = {
    "400": (fails(400, "Bad state."), {"kind": "api_error", "status": 400}),
    "401": (fails(401, code="BAD_TOKEN"), {"kind": "unauthenticated", "status": 401, "code": "BAD_TOKEN"}),
    "403": (
        fails(403),  # of a connector to which no accounts are linked
        {
            "kind": "forbidden",
            "status": 403,
            "hint": "Whoever acts here may not do this: ask the person, or use another account where there is one.",
        },
    ),
    "404": (fails(404, "There is no such item."), {"kind": "not_found", "message": "There is no such item."}),
    "404 for want of an account": (fails(404, "Integration does not exist: shop"), {"kind": "not_connected"}),
    "405": (fails(405), {"kind": "api_error", "status": 405}),
    "409": (fails(409), {"kind": "conflict", "status": 409}),
    "429": (fails(429, headers={"retry-after": "7"}), {"kind": "rate_limited", "retry_after_seconds": 7}),
    "429 in the body": (
        fails(429, recovery={"retryable": True, "retry_after_seconds": 3.5}, request_id="r-1", code="SLOW"),
        {"kind": "rate_limited", "retry_after_seconds": 3.5, "request_id": "r-1", "code": "SLOW", "status": 429},
    ),
    "429 with a date": (
        fails(429, headers={"retry-after": "Thu, 01 Jan 2026 00:01:00 GMT", "date": "Thu, 01 Jan 2026 00:00:00 GMT"}),
        {"kind": "rate_limited", "retry_after_seconds": 60},
    ),
    "429 without a time": (fails(429, headers={"retry-after": "soon"}), {"kind": "rate_limited"}),
    "500": (fails(500, "Out of order.", {"x-request-id": "h-1"}), {"kind": "api_error", "request_id": "h-1"}),
    "500 in plain text": (Response("Out of order.", 500), {"kind": "api_error", "message": "Out of order."}),
    "500 as a web page": (Response("<h1>500</h1>", 500, media_type="text/html"), {"kind": "api_error"}),
    "500 without a word": (Response(b"", 500), {"kind": "api_error", "status": 500}),
    "503 at the top": (
        JSONResponse({"message": "No database."}, 503),
        {"kind": "api_error", "message": "No database."},
    ),
    "an error that is text": (JSONResponse({"error": "No."}, 500), {"kind": "api_error", "message": "No."}),
    "a redirect": (Response(status_code=302, headers={"location": "https://x.example/"}), {"kind": "api_error"}),
    "broken JSON": (Response(b'{"data": [1', media_type="application/json"), {"kind": "outcome_unknown"}),
    "broken gzip": (Response(b"no", headers={"content-encoding": "gzip"}), {"kind": "outcome_unknown"}),
    "a number of 5,000 digits": (
        Response(b'{"data":' + b"9" * 5_000 + b"}", media_type="application/json"),
        {"kind": "outcome_unknown"},
    ),
    "100,000 levels": (
        Response(b'{"data":' + b"[" * 100_000, media_type="application/json"),
        {"kind": "outcome_unknown"},
    ),
}


@pytest.mark.parametrize("failure", FAILURES)
async def test_a_failure_has_its_kind(shop: ScriptedApi, connect: Connect, failure: str) -> None:
    reply, expected = FAILURES[failure]
    error = await refused(shop, connect, reply)
    assert error | expected == error
    assert error["message"]
    assert error["hint"]
    assert ("retry_after_seconds" in error) == ("retry_after_seconds" in expected)


async def test_a_redirect_is_not_followed_and_its_target_is_named(shop: ScriptedApi, connect: Connect) -> None:
    target = "https://user:secret@elsewhere.example/collect"
    error = await refused(shop, connect, Response(status_code=307, headers={"location": target}))
    assert "https://elsewhere.example" in error["message"]
    assert "secret" not in str(error)


async def test_what_the_api_finds_wrong_with_arguments_is_said_like_what_we_find(
    shop: ScriptedApi, connect: Connect
) -> None:
    detail: list[object] = [
        {"type": "value_error", "loc": ["body", "lines", 0, "item"], "msg": "Sold out", "input": "x"},
        {"type": "value_error", "loc": ["query", "item"], "msg": "Too short", "input": "x"},
        {"type": "value_error", "loc": ["body"], "msg": "Nothing fits", "input": {}},
        "no object",
    ]
    error = await refused(shop, connect, JSONResponse({"detail": detail, "message": "Not valid."}, 422))
    assert [error["kind"], error["status"], error["message"]] == ["invalid_arguments", 422, "Not valid."]
    told = {problem["path"]: problem["message"] for problem in error["errors"]}
    assert told == {"lines.0.item": "Sold out", "query.item": "Too short", "": "Nothing fits"}
    assert error["hint"]


async def test_the_hub_refuses_with_kinds(hub: RunningHub, hub_user: Credentials, connect: Connect) -> None:
    async with connect(hub.url, credentials=hub_user) as client:
        missing = await refusal(client, "notes_get_note", id="none")
        forbidden = await refusal(client, "sql_query", query="DROP TABLE books")
    async with connect(hub.url) as client:
        stranger = await refusal(client, "notes_list_notes")
    assert [missing["kind"], forbidden["kind"], stranger["kind"]] == ["not_found", "forbidden", "unauthenticated"]
    assert all(error["request_id"] for error in (missing, forbidden, stranger))


async def test_a_long_message_and_many_problems_are_cut(shop: ScriptedApi, connect: Connect) -> None:
    detail = [{"loc": ["body", str(number)], "msg": "x" * 9_000} for number in range(500)]
    error = await refused(shop, connect, JSONResponse({"detail": detail, "message": "y" * 9_000}, 422))
    assert len(json.dumps(error)) < 100_000


async def test_an_api_that_is_gone_is_unreachable_and_nothing_was_sent(connect: Connect) -> None:
    api = ScriptedApi()
    api.offer("shop", "order")
    with ExitStack() as up:
        url = up.enter_context(served(api, reserved_port()))
        async with connect(url, call_budget=0.3) as client:
            await tools(client)
            up.close()
            error = await refusal(client, "shop_order")
    assert error["kind"] == "unreachable"
    assert url in error["message"]
    assert "Nothing was done" in error["hint"]
    assert not api.sent("shop/order")


async def test_a_call_that_outlasts_its_budget_may_have_acted_and_leaves_the_api(
    shop: ScriptedApi, connect: Connect
) -> None:
    shop.answer("shop/order", shop.hang)
    async with connect(shop.url, call_budget=0.2) as client:
        error = await refusal(client, "shop_order", item="x")
        assert await to_thread.run_sync(shop.abandoned.wait, WAIT)
        shop.answer("shop/order", says("done"))
        assert (await answer(client, "shop_order", item="x"))["data"] == "done"
    assert error["kind"] == "outcome_unknown"
    assert "may have happened" in error["hint"]


async def test_a_body_that_does_not_end_may_have_acted_too(shop: ScriptedApi, connect: Connect) -> None:
    async def stuck() -> AsyncGenerator[bytes]:
        yield b'{"data":"'
        await anyio.sleep_forever()

    shop.answer("shop/order", StreamingResponse(stuck(), media_type="application/json"))
    async with connect(shop.url, call_budget=0.2) as client:
        assert (await refusal(client, "shop_order", item="x"))["kind"] == "outcome_unknown"


async def test_a_call_that_the_client_gives_up_leaves_the_api(shop: ScriptedApi, connect: Connect) -> None:
    shop.answer("shop/order", shop.hang)
    async with connect(shop.url) as client:
        async with anyio.create_task_group() as group:
            group.start_soon(client.call_tool, "shop_order", {"item": "x"})
            assert await to_thread.run_sync(shop.reached.wait, WAIT)
            group.cancel_scope.cancel()
        assert await to_thread.run_sync(shop.abandoned.wait, WAIT)


@asynccontextmanager
async def hanging_up(listing: Json, last_words: bytes, calls: list[bytes]) -> AsyncGenerator[str]:
    """An API that lists its actions, reads each call, which is one of `calls` then, says something and hangs up."""

    async def serve(stream: SocketStream) -> None:
        async with stream:
            head = await stream.receive()
            if head.startswith(b"GET /connectors/names"):
                await stream.send(_http(list(listing)))
            elif head.startswith(b"GET"):
                await stream.send(_http(listing))
            else:
                calls.append(head)
                await stream.send(last_words)

    listener = await anyio.create_tcp_listener(local_host="127.0.0.1")
    port = listener.extra(SocketAttribute.local_port)  # noqa: S610  anyio's attributes, not a query
    async with listener, anyio.create_task_group() as group:
        group.start_soon(listener.serve, serve)
        yield f"http://127.0.0.1:{port}"
        group.cancel_scope.cancel()


def _http(body: object) -> bytes:
    content = json.dumps(body).encode()
    return b"HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-length: %d\r\n\r\n%s" % (len(content), content)


@pytest.mark.parametrize(
    "last_words",
    [b"", b"HTTP/1.1 200 OK\r\n", b'HTTP/1.1 200 OK\r\ncontent-length: 99\r\n\r\n{"data":', b"SSH-2.0-x\r\n"],
    ids=["nothing", "half a head", "half a body", "something else"],
)
async def test_a_connection_that_breaks_leaves_the_outcome_unknown(connect: Connect, last_words: bytes) -> None:
    api = ScriptedApi()
    api.offer("shop", "order")
    calls: list[bytes] = []
    async with hanging_up(api.listing, last_words, calls) as url, connect(url) as client:
        error = await refusal(client, "shop_order")
    assert error["kind"] == "outcome_unknown"
    assert len(calls) == 1
    assert "may have happened" in error["hint"]


async def test_a_question_that_is_lost_was_asked_and_may_be_asked_again(shop: ScriptedApi, connect: Connect) -> None:
    api = ScriptedApi()
    api.offer("shop", "get_order")
    shop.offer("shop", "get_order")
    shop.answer("shop/get_order", shop.hang)
    calls: list[bytes] = []
    async with hanging_up(api.listing, b"", calls) as url, connect(url, call_budget=0.5) as client:
        broken = await refusal(client, "shop_get_order")
    async with connect(shop.url, call_budget=0.2) as client:
        late = await refusal(client, "shop_get_order")
    assert [broken["kind"], late["kind"]] == ["unreachable", "timeout"]
    assert calls
    assert "Nothing was done" in broken["hint"]
    assert "may be called again" in late["hint"]


async def test_a_reply_that_is_too_large_is_not_taken(shop: ScriptedApi, connect: Connect) -> None:
    async def endless() -> AsyncGenerator[bytes]:
        yield b'{"data":"'
        for _ in range(2 * MAX_JSON_BYTES // len(megabyte)):
            yield megabyte

    megabyte = b"x" * (1 << 20)
    error = await refused(shop, connect, StreamingResponse(endless(), media_type="application/json"))
    assert error["kind"] == "too_large"
    assert "64 MB" in error["message"]
    assert error["hint"]


class Broken:
    """A connector in which something happens that nobody thought of."""

    def stream(self, call: Call) -> Reply:
        raise ZeroDivisionError(f"division of {call.action.name} by zero")


async def test_a_fault_of_ours_is_an_internal_error_whose_cause_is_only_logged(
    shop: ScriptedApi, era: str, caplog: pytest.LogCaptureFixture
) -> None:
    async with AsyncBosaConnector(shop.url) as connector:
        store, me = Store.at("memory://"), Caller("me", PLANTED)
        execution = Execution(cast("AsyncBosaConnector", Broken()), store, WAIT, 80_000)
        server = create_server(
            Parts(Tools(connector), execution, store, lambda _: me, 80_000, Inputs(store), Files(store))
        )
        async with Client(server, mode=era) as client:
            error = await refusal(client, "shop_order", item="x")
    assert error["kind"] == "internal_error"
    assert "division" not in str(error)
    assert error["hint"]
    [entry] = logged(caplog, "a tool call failed")
    assert entry["tool"] == "shop_order"


async def test_a_meta_of_many_levels_is_answered(shop: ScriptedApi, connect: Connect) -> None:
    shop.answer("shop/order", Response(b'{"data":1,"meta":' + b"[" * 300 + b"]" * 300 + b"}"))
    async with connect(shop.url) as client:
        await client.call_tool("shop_order", {"item": "x"})


@pytest.mark.parametrize("levels", [300, 700])
@pytest.mark.parametrize("more", [{}, {"response_fields": ["a.b"]}], ids=["whole", "fields"])
async def test_a_reply_of_many_levels_is_answered(
    shop: ScriptedApi, connect: Connect, levels: int, more: dict[str, list[str]]
) -> None:
    deep = b'{"data":' + b"[" * levels + b"]" * levels + b"}"
    shop.answer("shop/order", Response(deep, media_type="application/json"))
    async with connect(shop.url) as client:
        assert (await refusal(client, "shop_order", item="x", **more))["kind"] in {"bad_reply", "outcome_unknown"}


@pytest.mark.parametrize(
    "reply",
    [
        fails(429, headers={"retry-after": "9" * 400}),
        fails(429, recovery={"retryable": True, "retry_after_seconds": 10**400}),
    ],
    ids=["header", "body"],
)
async def test_a_wait_without_end_is_rate_limited_all_the_same(
    shop: ScriptedApi, connect: Connect, reply: Response
) -> None:
    assert (await refused(shop, connect, reply))["kind"] == "rate_limited"


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("\u06a9\u062a\u0627\u0628\u200c\u0647\u0627", None),
        ("\U0001f468\u200d\U0001f469\u200d\U0001f467", None),
        ("\u2764\ufe0f", None),
        ("\u845b\U000e0100", None),
        ("a\ufe01b", r"a\ufe01b"),
        ("\u2764\ufe0f\ufe0f", "\u2764\ufe0f" + r"\ufe0f"),
        ("a\U000e0141", r"a\ue0141"),
        ("a\u3164b", r"a\u3164b"),
    ],
    ids=[
        "Persian",
        "a family",
        "a red heart",
        "a name in Japan",
        "a selector",
        "two selectors",
        "a message",
        "a filler",
    ],
)
async def test_what_only_hides_is_written_out_and_what_texts_are_written_with_stays(
    shop: ScriptedApi, connect: Connect, text: str, shown: str | None
) -> None:
    shop.answer("shop/order", says(text))
    async with connect(shop.url) as client:
        assert (await answer(client, "shop_order", item="x"))["data"] == (text if shown is None else shown)


async def test_the_arguments_of_the_next_page_stay_as_they_are(api: ScriptedApi, connect: Connect) -> None:
    cursor = "a\u200bb\x01\u202e"
    api.offer("shop", "list", takes(query={"type": "string"}, cursor={"type": "string"}))
    api.answer("shop/list", JSONResponse({"data": [cursor], "meta": {"has_next": True, "next_cursor": cursor}}))
    async with connect(api.url) as client:
        page = await answer(client, "shop_list", query=cursor)
    assert page["next"]["arguments"] == {"query": cursor, "cursor": cursor}
    assert page["data"] == [r"a\u200bb\u0001\u202e"]


async def test_a_failure_is_told_in_few_words_whatever_was_sent(shop: ScriptedApi, connect: Connect) -> None:
    shop.offer("shop", "many", takes(numbers={"type": "array", "items": {"type": "integer"}}))
    shop.answer("shop/many", says([{"id": 1}]))
    async with connect(shop.url) as client:
        for wrong in ({"numbers": ["x" * 9_000] * 20_000}, {f"x{number}": 1 for number in range(5_000)}):
            with anyio.fail_after(WAIT):
                error = await refusal(client, "shop_many", **wrong)
            assert error["kind"] == "invalid_arguments"
            assert len(error["errors"]) == 50
            assert len(json.dumps(error)) < 40_000
        told = await answer(client, "shop_many", response_fields=["id", *(f"x{number}" for number in range(5_000))])
        assert told["data"] == [{"id": 1}]
        assert len(told["notes"]) == 51
        assert len(json.dumps(told)) < 40_000
