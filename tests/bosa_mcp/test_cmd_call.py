"""`bosa-mcp call`: a tool call as a model's, from the command line."""

import json
import os
import pty
import re
import subprocess
from functools import partial
from pathlib import Path
from threading import Timer
from typing import Any

import pytest
from starlette.responses import Response

from .conftest import KEY, TOKEN
from .processes import COMMAND, HANDSHAKE, call, environment, in_terminal, run, started
from .scripted_api import WAIT, ScriptedApi, address, fails, reserved_port, says, takes


@pytest.fixture
def shop(api: ScriptedApi) -> ScriptedApi:
    api.offer("shop", "find_goods", takes(name={"type": "string"}, most={"type": "integer"}))
    api.offer("shop", "delete_goods", takes("id", id={"type": "string"}))
    api.answer("shop/find_goods", says([{"id": 1, "name": "größe"}], {"total": 1}))
    api.answer("shop/delete_goods", says(None))
    return api


def called(folder: Path, api: ScriptedApi, *arguments: str) -> tuple[int, Any]:
    """The exit code, and what was printed."""
    done = run(folder, "call", *arguments, "--api-base-url", api.url, BOSA_API_KEY=KEY, BOSA_USER_TOKEN=TOKEN)
    assert done.stderr == ""
    return done.returncode, json.loads(done.stdout)


def test_it_prints_what_a_model_gets(tmp_path: Path, shop: ScriptedApi) -> None:
    arguments = {"name": "x", "most": "3", "response_fields": ["name"]}
    code, content = called(tmp_path, shop, "shop_find_goods", json.dumps(arguments))
    assert [code, content] == [0, {"data": [{"name": "größe"}], "meta": {"total": 1}}]
    [sent] = shop.sent("shop/find_goods")
    assert sent.arguments == {"name": "x", "most": 3}
    assert [sent.headers["x-api-key"], sent.headers["authorization"]] == [KEY, f"Bearer {TOKEN}"]
    with started(tmp_path, "serve", "--api-base-url", shop.url) as server:
        server.send(*HANDSHAKE, call(1, "shop_find_goods", **arguments))
        assert server.reply(1)["result"]["structuredContent"] == content


def test_a_failure_is_printed_too_and_exits_with_1(tmp_path: Path, shop: ScriptedApi) -> None:
    shop.answer("shop/find_goods", fails(403, "Not you."))
    code, content = called(tmp_path, shop, "shop_find_goods")
    assert [code, content["error"]["kind"], content["error"]["message"]] == [1, "forbidden", "Not you."]
    code, content = called(tmp_path, shop, "shop_find_goods", '{"nmae": "x"}')
    assert [code, content["error"]["errors"][0]["nearest"]] == [1, "name"]
    code, content = called(tmp_path, shop, "shop_delete_goods", '{"id": "7"}', "--read-only")
    assert [code, content["error"]["kind"]] == [1, "read_only"]
    assert shop.sent("shop/delete_goods") == []


def test_arguments_come_from_standard_input(tmp_path: Path, shop: ScriptedApi) -> None:
    done = subprocess.run(
        [*COMMAND, "call", "shop_find_goods", "-", "--api-base-url", shop.url],
        input='{"name": "größe"}',
        env=environment(tmp_path),
        capture_output=True,
        encoding="utf-8",
        timeout=2 * WAIT,
        check=True,
    )
    assert json.loads(done.stdout)["meta"] == {"total": 1}
    assert shop.sent("shop/find_goods")[0].arguments == {"name": "größe"}


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["shop_find_goods", "{"], "no JSON"),
        (["shop_find_goods", "[1]"], "no object"),
        (["shop_find_good"], "Did you mean 'shop_find_goods'?"),
        (["shop_delete_goods", "{}", "--exclude", "*_delete_*"], "BOSA_EXCLUDE"),
    ],
)
def test_wrong_usage_is_one_line_and_2(tmp_path: Path, shop: ScriptedApi, arguments: list[str], said: str) -> None:
    done = run(tmp_path, "call", *arguments, "--api-base-url", shop.url)
    assert [done.returncode, done.stdout] == [2, ""]
    [line] = done.stderr.splitlines()
    assert line.startswith("bosa-mcp: ")
    assert said in line


def test_an_api_that_is_down_is_no_wrong_usage(tmp_path: Path) -> None:
    with reserved_port() as nobody:
        done = run(tmp_path, "call", "shop_find_goods", "--api-base-url", address(nobody))
    assert [done.returncode, done.stdout] == [1, ""]
    assert done.stderr.count("the API could not be listed") == 1
    assert sum(line.startswith("bosa-mcp: ") and "cannot be reached" in line for line in done.stderr.splitlines()) == 1


def test_a_tool_that_is_new_is_found_behind_the_kept_catalogue(tmp_path: Path, shop: ScriptedApi) -> None:
    called(tmp_path, shop, "shop_find_goods")
    shop.offer("shop", "get_news")
    shop.answer("shop/get_news", says("new"))
    assert called(tmp_path, shop, "shop_get_news")[1]["data"] == "new"


def test_a_dry_run_shows_the_repaired_request_without_credentials_and_sends_nothing(
    tmp_path: Path, shop: ScriptedApi
) -> None:
    code, content = called(
        tmp_path, shop, "shop_find_goods", '{"most": "3", "name": null}', "--dry-run", "--account", "work"
    )
    assert code == 0
    assert content == {
        "method": "POST",
        "url": f"{shop.url}/connectors/shop/find_goods",
        "headers": {
            "content-type": "application/json",
            "x-bosa-integration": "work",
            "x-integration": "work",
            "x-gl-error-contract": "2",
            "accept": "application/json, */*",
        },
        "left_out": ["x-api-key", "authorization"],
        "body": {"most": 3},
    }
    assert [asked.method for asked in shop.asked if asked.method != "GET"] == []


def test_a_dry_run_names_the_account_that_would_act(tmp_path: Path) -> None:
    done = run(tmp_path, "call", "sql_query", '{"query": "SELECT 1", "account": "work"}', "--dry-run", "--account", "x")
    content = json.loads(done.stdout)
    assert [content["headers"]["x-bosa-integration"], content["body"]] == ["work", {"query": "SELECT 1"}]


def test_a_dry_run_of_a_write_says_that_its_key_is_new_each_time(tmp_path: Path, shop: ScriptedApi) -> None:
    _, content = called(tmp_path, shop, "shop_delete_goods", '{"id": "7"}', "--dry-run")
    assert content["headers"]["idempotency-key"] == "(another one for each call)"
    assert shop.sent("shop/delete_goods") == []


def test_a_dry_run_refuses_as_the_call_would(tmp_path: Path, shop: ScriptedApi) -> None:
    code, content = called(tmp_path, shop, "shop_delete_goods", '{"idd": "7"}', "--dry-run")
    assert [code, {each["path"] for each in content["error"]["errors"]}] == [1, {"idd", "id"}]
    code, content = called(tmp_path, shop, "shop_delete_goods", '{"id": "7"}', "--dry-run", "--read-only")
    assert [code, content["error"]["kind"]] == [1, "read_only"]


def test_a_dry_run_shows_a_form_as_it_is_sent(tmp_path: Path, shop: ScriptedApi) -> None:
    shop.offer("shop", "add_picture", takes(title={"type": "string"}, file={"type": "string", "format": "binary"}))
    _, content = called(tmp_path, shop, "shop_add_picture", '{"title": "a b"}', "--dry-run")
    assert content["headers"]["content-type"] == "application/x-www-form-urlencoded"
    assert content["body"] == "title=a+b"
    arguments = {"title": "a", "file": "data:text/plain,hello"}
    _, content = called(tmp_path, shop, "shop_add_picture", json.dumps(arguments), "--dry-run")
    assert content["headers"]["content-type"].startswith("multipart/form-data")
    assert re.search(r"\(\S+, text/plain, 5 bytes\)", content["body"])
    assert "hello" not in content["body"]
    assert shop.sent("shop/add_picture") == []


def seen_beside(folder: Path, *arguments: str, **settings: str) -> tuple[Any, str]:
    """What was printed, and what a person saw on standard error."""
    ours, theirs = pty.openpty()
    with subprocess.Popen(
        [*COMMAND, "call", *arguments],
        env=environment(folder, TERM="xterm", COLUMNS="100", **settings),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=theirs,
    ) as process:
        os.close(theirs)
        watchdog = Timer(2 * WAIT, process.kill)
        watchdog.start()
        shown = b"".join(iter(partial(_read, ours), b"")).decode()
        os.close(ours)
        printed, _ = process.communicate()
        watchdog.cancel()
    return json.loads(printed), shown


def _read(terminal: int) -> bytes:
    try:
        return os.read(terminal, 4096)
    except OSError:  # how a terminal ends
        return b""


def test_a_result_is_one_line_for_programs(tmp_path: Path, shop: ScriptedApi) -> None:
    for flags, is_one in (["--json"], True), ([], False):
        command = ("call", "shop_find_goods", "--dry-run", *flags, "--api-base-url", shop.url)
        with in_terminal(tmp_path, *command) as terminal:
            _, shown = terminal.end()
        assert json.loads(shown)["body"] == {}
        assert (len(shown.splitlines()) == 1) is is_one


def test_a_terminal_shows_what_a_call_waits_for(tmp_path: Path, shop: ScriptedApi) -> None:
    shop.answer("shop/find_goods", fails(429, "Later.", {"retry-after": "0"}), says([]))
    printed, shown = seen_beside(tmp_path, "shop_find_goods", "--api-base-url", shop.url)
    assert printed == {"data": [], "meta": None}
    assert "Attempt 1 failed" in shown
    assert "Later." in shown


def test_a_terminal_shows_how_far_files_have_come_and_gone(tmp_path: Path) -> None:
    (tmp_path / "large.bin").write_bytes(bytes(3_500_000))
    up = json.dumps({"file": f"file://{tmp_path}/large.bin", "path": "kept.bin"})
    sent, went = seen_beside(tmp_path, "files_upload_file", up, BOSA_FILES_ROOT=str(tmp_path))
    got, came = seen_beside(tmp_path, "files_download_file", '{"path": "kept.bin"}')
    assert [sent["data"]["size"], got["data"]["size"]] == [3_500_000] * 2
    assert "large.bin to the API" in went
    assert "kept.bin from the API" in came
    assert all("3.5/3.5 MB" in shown for shown in (went, came))


def test_nothing_that_an_api_says_steers_the_terminal(tmp_path: Path, shop: ScriptedApi) -> None:
    turned, steering = "\u202e", "\x1b[2J"
    named = {"content-disposition": "attachment; filename*=UTF-8''la%E2%80%AErge"}
    large = Response(bytes(1_500_000), headers=named, media_type="application/octet-stream")
    shop.answer("shop/find_goods", fails(429, f"La{turned}{steering}ter.", {"retry-after": "0"}), large)
    _, shown = seen_beside(tmp_path, "shop_find_goods", "--api-base-url", shop.url)
    assert "La[2Jter." in shown
    assert "large from the API" in shown
    assert not [each for each in (turned, steering) if each in shown]
