"""The real command over standard input and output: nothing on stdout but protocol, and an end that tells its cause."""

import json
import os
import signal
import subprocess
from pathlib import Path
from threading import Event, Thread

import pytest
from anyio import to_thread
from mcp import Client
from mcp.client.stdio import stdio_client
from starlette.requests import Request
from starlette.responses import Response

from .conftest import KEY, TOKEN, answer, names_of_the_api, refusal
from .processes import (
    COMMAND,
    HANDSHAKE,
    HUB_READY,
    MODERN,
    call,
    environment,
    parameters,
    request,
    started,
    started_on,
)
from .scripted_api import WAIT, ScriptedApi, address, fails, reserved_port, says, takes

INTERRUPTED, TERMINATED = 130, 143


@pytest.fixture
def shop(api: ScriptedApi) -> ScriptedApi:
    api.offer("shop", "order", takes("item", item={"type": "string"}))
    api.answer("shop/order", says("done"))
    return api


def settings(api: ScriptedApi) -> dict[str, str]:
    return {"BOSA_API_BASE_URL": api.url, "BOSA_API_KEY": KEY, "BOSA_USER_TOKEN": TOKEN, "BOSA_LOG_LEVEL": "warning"}


async def test_a_client_lists_and_calls_the_tools_of_an_api(shop: ScriptedApi, era: str, tmp_path: Path) -> None:
    command = parameters(tmp_path, **settings(shop))
    with (tmp_path / "stderr").open("w+") as log:
        async with Client(stdio_client(command, log), mode=era, read_timeout_seconds=WAIT) as client:
            assert await names_of_the_api(client) == {"shop_order"}
            assert await answer(client, "shop_order", item="x") == {"data": "done", "meta": None}
            assert (await refusal(client, "shop_order", itme="x"))["errors"]
        log.seek(0)
        assert log.read() == ""
    assert shop.sent("shop/order")[0].headers["authorization"] == f"Bearer {TOKEN}"
    assert not (tmp_path / "data" / "hub").exists()


def test_stdout_carries_nothing_but_protocol_and_garbage_ends_nothing(shop: ScriptedApi, tmp_path: Path) -> None:
    shop.offer("shop", "odd", {"type": "array"})
    with started(tmp_path, "serve", "--log", "json", "--log-level", "debug", **settings(shop)) as server:
        server.send("garbage", "", "{}", "[]", '{"jsonrpc": "2.0"}', "\0", "{" * 5_000, *HANDSHAKE)
        assert server.reply(0)["result"]["serverInfo"]["name"] == "bosa"
        server.send("more garbage {", request(1, "tools/list"), request(2, "no/such/method"))
        assert "shop_order" in [tool["name"] for tool in server.reply(1)["result"]["tools"]]
        server.send(call(3, "shop_order", item="x"), call(4, "shop_order", item=5), call(5, "none"))
        assert server.reply(3)["result"]["structuredContent"] == {"data": "done", "meta": None}
        assert server.reply(5)["error"]["code"] == -32602
        server.end_of_input()
        assert server.wait() == 0
        out, log = server.rest()
    assert all(json.loads(line)["jsonrpc"] == "2.0" for line in out.splitlines())
    entries = [json.loads(line) for line in log.splitlines()]
    [entry] = [entry for entry in entries if entry["event"] == "action left out"]
    assert [entry["level"], entry["tool"]] == ["warning", "shop_odd"]
    assert len([entry for entry in entries if "is no message of MCP" in entry["event"]]) == 7
    assert KEY not in log
    assert TOKEN not in log


def test_messages_of_any_size_come_and_go_whole(shop: ScriptedApi, tmp_path: Path) -> None:
    async def back(request: Request) -> Response:
        return says((await request.json())["item"])

    shop.answer("shop/order", back)
    items = ["ü" * length for length in (1, 1_000, 4_096, 33_000, 300_000, 2)]
    with started(tmp_path, BOSA_MAX_RESULT_TOKENS="1000000", **settings(shop)) as server:
        asked = [
            json.dumps(call(number, "shop_order", item=item), ensure_ascii=False)
            for number, item in enumerate(items, 1)
        ]
        server.send(*HANDSHAKE)
        server.reply(0)
        writing = Thread(target=server.send, args=asked)
        writing.start()
        came = [server.reply(number)["result"]["structuredContent"]["data"] for number in range(1, len(items) + 1)]
        writing.join()
    assert came == items


def test_pipes_that_do_not_wait_carry_messages_that_are_longer_than_they_hold(
    shop: ScriptedApi, tmp_path: Path
) -> None:
    shop.answer("shop/order", says("x" * 300_000))
    said = "".join(json.dumps(each) + "\n" for each in (*HANDSHAKE, call(1, "shop_order", item="x" * 300_000)))
    done = subprocess.run(
        [COMMAND[0], "-c", _AS_NODE_LEAVES_THEM, *COMMAND],
        input=said.encode(),
        stdout=subprocess.PIPE,
        env=environment(tmp_path, BOSA_MAX_RESULT_TOKENS="1000000", **settings(shop)),
        timeout=WAIT,
        check=True,
    )
    assert [json.loads(line)["id"] for line in done.stdout.splitlines()] == [0, 1]


_AS_NODE_LEAVES_THEM = """
import os, sys
os.set_blocking(0, False)
os.set_blocking(1, False)
os.execv(sys.argv[1], sys.argv[1:])
"""


def test_what_is_printed_by_the_way_reaches_no_client(tmp_path: Path) -> None:
    (tmp_path / "chatter.py").write_text(_CHATTER)
    with started(tmp_path, PYTHONPATH=str(tmp_path), BOSA_HUB_CONNECTORS="chatter:Chatter") as server:
        server.send(*HANDSHAKE, call(1, "chatter_list_words"))
        assert server.reply(1)["result"]["structuredContent"]["data"] == ""
        server.end_of_input()
        assert server.wait() == 0
        out, log = server.rest()
    assert out == ""
    assert {"print", "child"} <= set(log.splitlines())


_CHATTER = """
import os, subprocess, sys
from bosa_hub import Connector, Context, action


class Chatter(Connector):
    @action(effect="read")
    async def list_words(self, context: Context) -> str:
        print("print", flush=True)
        subprocess.run(["echo", "child"])
        return sys.stdin.read() + os.read(0, 10).decode()
"""


def test_files_serve_as_input_and_output(shop: ScriptedApi, tmp_path: Path) -> None:
    said, told = tmp_path / "said", tmp_path / "told"
    said.write_text("".join(json.dumps(each) + "\n" for each in (*HANDSHAKE, call(1, "shop_order", item="x"))))
    with said.open() as reading, told.open("w") as writing:
        done = subprocess.run(
            COMMAND,
            stdin=reading,
            stdout=writing,
            env=environment(tmp_path, **settings(shop)),
            timeout=WAIT,
            check=False,
        )
    assert done.returncode == 0
    assert [json.loads(line)["id"] for line in told.read_text().splitlines()] == [0, 1]


def test_without_a_standard_error_it_serves_all_the_same(shop: ScriptedApi, tmp_path: Path) -> None:
    said = "".join(json.dumps(each) + "\n" for each in (*HANDSHAKE, call(1, "shop_order", item="x")))
    done = subprocess.run(
        ["sh", "-c", 'exec "$@" 2>&-', "sh", *COMMAND],
        input=said.encode(),
        stdout=subprocess.PIPE,
        env=environment(tmp_path, **settings(shop)),
        timeout=WAIT,
        check=True,
    )
    assert [json.loads(line)["id"] for line in done.stdout.splitlines()] == [0, 1]


def test_the_end_of_input_ends_it_well(shop: ScriptedApi, tmp_path: Path) -> None:
    with started(tmp_path, **settings(shop)) as server:
        server.end_of_input()
        assert server.wait() == 0
        assert server.rest() == ("", "")


@pytest.mark.parametrize("is_modern", [True, False])
def test_what_was_asked_before_the_end_of_input_is_answered(
    shop: ScriptedApi, tmp_path: Path, *, is_modern: bool
) -> None:
    envelope = {"_meta": MODERN} if is_modern else {}
    asked = [call(number, "shop_order", item="x") for number in range(1, 20)]
    with started(tmp_path, **settings(shop)) as server:
        server.send(
            *(() if is_modern else HANDSHAKE), *(each | {"params": each["params"] | envelope} for each in asked)
        )
        server.send(request(20, "subscriptions/listen", notifications={"toolsListChanged": True}, **envelope))
        server.end_of_input()
        results = [server.reply(number)["result"]["structuredContent"] for number in range(1, 20)]
        assert server.wait() == 0
        assert server.errors() == ""
    assert results == [{"data": "done", "meta": None}] * 19


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, INTERRUPTED), (signal.SIGTERM, TERMINATED)])
def test_a_signal_ends_it_with_its_number_once_calls_under_way_are_answered(
    shop: ScriptedApi, tmp_path: Path, number: signal.Signals, code: int
) -> None:
    goes_on = Event()

    async def slow(_: Request) -> Response:
        shop.reached.set()
        assert await to_thread.run_sync(goes_on.wait, WAIT)
        return says("done")

    shop.answer("shop/order", slow)
    with started(tmp_path) as idle, started(tmp_path, **settings(shop)) as busy:
        idle.log_line(HUB_READY)  # the client has said nothing yet
        idle.signal(number)
        busy.send(*HANDSHAKE, call(1, "shop_order", item="x"))
        assert shop.reached.wait(WAIT)
        busy.signal(number)
        assert idle.wait() == code
        goes_on.set()
        assert busy.reply(1)["result"]["structuredContent"] == {"data": "done", "meta": None}
        assert busy.wait() == code
        assert [idle.rest(), busy.rest()] == [("", ""), ("", "")]


def test_a_log_that_nobody_reads_holds_up_no_call(shop: ScriptedApi, tmp_path: Path) -> None:
    fields = {f"{number}_{'x' * 40}": {"type": "string"} for number in range(40)}
    shop.offer("shop", "fill", takes(**fields))
    shop.answer("shop/fill", says("done"))
    given = dict.fromkeys(fields, "y")  # of each the log tells the shape: some kilobytes a line, more than a pipe holds
    with started(tmp_path, **settings(shop) | {"BOSA_LOG_LEVEL": "info"}) as server:
        server.send(*HANDSHAKE)
        for number in range(1, 301):
            server.send(call(number, "shop_fill", **given))
            assert server.reply(number)["result"]["structuredContent"]["data"] == "done"
        server.end_of_input()
        assert server.errors().count("tool call") == 300
        assert server.wait() == 0


def test_a_person_at_a_terminal_is_told_what_is_awaited(tmp_path: Path) -> None:
    keyboard, terminal = os.openpty()
    try:
        with started_on(terminal, tmp_path) as server:
            assert server.log_line("MCP client")
            server.log_line(HUB_READY)
            server.signal(signal.SIGINT)
            assert server.wait() == INTERRUPTED
    finally:
        os.close(keyboard)
        os.close(terminal)


def test_a_client_that_reads_no_more_ends_it(shop: ScriptedApi, tmp_path: Path) -> None:
    with started(tmp_path, **settings(shop)) as server:
        server.send(*HANDSHAKE)
        server.reply(0)
        server.close_output()
        server.send(request(1, "tools/list"))
        assert server.process.wait(4) == 1
        assert len(server.errors().splitlines()) <= 1


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, INTERRUPTED), (signal.SIGTERM, TERMINATED)])
def test_a_client_that_reads_no_more_and_closes_its_side_leaves_a_server_that_a_signal_ends(
    shop: ScriptedApi, tmp_path: Path, number: signal.Signals, code: int
) -> None:
    shop.answer("shop/order", says("x" * 60_000))  # it stands there twice: more than a pipe holds
    with started(tmp_path, **settings(shop) | {"BOSA_LOG_LEVEL": "info"}) as server:
        server.send(*HANDSHAKE, call(1, "shop_order", item="x"))
        server.log_line("tool call")
        server.end_of_input()
        server.signal(number)
        assert server.process.wait(6) == code


def test_a_client_that_dies_leaves_no_traceback(shop: ScriptedApi, tmp_path: Path) -> None:
    with started(tmp_path, **settings(shop)) as server:
        server.send(*HANDSHAKE)
        server.reply(0)
        server.send(*(request(number, "tools/list") for number in range(1, 50)))
        server.close_output()
        server.end_of_input()
        assert server.wait() in {0, 1}
        assert len(server.errors().splitlines()) <= 1


def test_an_api_that_fails_is_one_line_of_the_log_that_says_what_to_do(shop: ScriptedApi, tmp_path: Path) -> None:
    broken: list[tuple[Response, str]] = [
        (fails(401, "Unknown key."), "401: Unknown key."),
        (fails(401), "BOSA_API_KEY"),
        (fails(404), "BOSA_API_BASE_URL"),
        (Response("Traceback (most recent call last):\n  File x\nBoom \x1b[31m", 500), "500: Traceback"),
        (fails(503), "503"),
        (Response(b"{", media_type="application/json"), "JSON"),
    ]
    with (
        reserved_port() as port,
        started(tmp_path, **settings(shop)) as server,
        started(tmp_path, BOSA_API_BASE_URL=address(port)) as lonely,
    ):
        server.send(*HANDSHAKE)
        for number, (names, said) in enumerate(broken, start=1):
            shop.odd |= {"/connectors/names": names, "/connectors": names}
            server.send(request(number, "tools/list"))
            assert all(tool["name"].startswith("bosa_") for tool in server.reply(number)["result"]["tools"])
            assert "the API could not be listed" in server.log_line(said)
        lonely.send(*HANDSHAKE, request(1, "tools/list"))
        assert all(tool["name"].startswith("bosa_") for tool in lonely.reply(1)["result"]["tools"])
        assert f"{address(port)} cannot be reached" in lonely.log_line("the API could not be listed")
        for each in (server, lonely):
            each.end_of_input()
            assert each.wait() == 0
            out, log = each.rest()
            assert out == ""
            assert all("the API could not be listed" in line for line in log.splitlines())  # it looks again and again


def test_a_file_more_is_told_where_there_is_one_person_alone(tmp_path: Path) -> None:
    with started(tmp_path) as server:
        server.send(*HANDSHAKE, call(1, "notes_export_notes"))
        told = [json.loads(server.line('"jsonrpc"')) for _ in range(3)]
        server.end_of_input()
        assert server.wait() == 0
    assert told[0]["result"]["capabilities"]["resources"]["listChanged"] is True
    assert {each.get("method") for each in told[1:]} == {None, "notifications/resources/list_changed"}
