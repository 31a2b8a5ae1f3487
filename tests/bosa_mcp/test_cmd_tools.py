"""`bosa-mcp tools`: what would be served, for people and, exactly, for programs."""

import json
import re
from pathlib import Path

import pytest

from bosa_hub.serve import RunningHub

from .processes import HANDSHAKE, request, run, started
from .scripted_api import ScriptedApi, address, fails, reserved_port, takes


@pytest.fixture
def shop(api: ScriptedApi) -> ScriptedApi:
    api.offer("shop", "find_goods", takes(name={"type": "string", "description": "Größe."}))
    api.offer("shop", "delete_goods", takes("id", id={"type": "string"}))
    api.offer("till", "get_total")
    return api


def test_json_is_what_a_client_is_told(tmp_path: Path, shop: ScriptedApi) -> None:
    done = run(tmp_path, "tools", "--json", "--api-base-url", shop.url)
    assert [done.returncode, done.stderr] == [0, ""]
    with started(tmp_path, "serve", "--api-base-url", shop.url) as server:
        server.send(*HANDSHAKE, request(1, "tools/list"))
        told = server.reply(1)["result"]
    assert json.loads(done.stdout) == {"tools": told["tools"]}
    assert {"shop_delete_goods", "shop_find_goods", "till_get_total"} <= {tool["name"] for tool in told["tools"]}


def test_people_see_connectors_and_tools_with_what_they_do_and_their_sizes(tmp_path: Path, shop: ScriptedApi) -> None:
    listed = json.loads(run(tmp_path, "tools", "--json", "--api-base-url", shop.url).stdout)["tools"]
    sizes = {tool["name"]: len(json.dumps(tool, ensure_ascii=False, separators=(",", ":")).encode()) for tool in listed}
    connectors = {name: [each for each in sizes if each.startswith(f"{name}_")] for name in ("shop", "till")}
    does = {"shop_delete_goods": "delete", "shop_find_goods": "read", "till_get_total": "read"}
    done = run(tmp_path, "tools", "--api-base-url", shop.url)
    rows = [re.sub(r"[│├└─\s]+", " ", line).strip() for line in done.stdout.splitlines()]

    def shown(*tools: str) -> str:
        size = sum(sizes[tool] for tool in tools)
        return f"{size:,} bytes {round(size / 4):,} tokens"

    assert rows[0].startswith(f"{len(sizes)} tools from ")
    assert rows[0].endswith(shown(*sizes))
    assert f"shop 2 tools {shown(*connectors['shop'])}" in rows
    assert f"till 1 tool {shown(*connectors['till'])}" in rows
    assert [f"{tool} {effect} {shown(tool)}" in rows for tool, effect in does.items()] == [True] * 3


def test_sizes_are_whole_however_narrow_the_terminal_and_long_the_names(tmp_path: Path, api: ScriptedApi) -> None:
    api.offer("shop" * 30, "find_goods" * 10)
    for columns in ("20", "80"):
        done = run(tmp_path, "tools", "--api-base-url", api.url, COLUMNS=columns)
        assert len(done.stdout.splitlines()) == 8
        assert all(line.endswith(" tokens") for line in done.stdout.splitlines())


def test_what_is_left_out_is_said(tmp_path: Path, shop: ScriptedApi) -> None:
    shop.offer("shop", "odd", path="http://elsewhere.example/")
    done = run(tmp_path, "tools", "--read-only", "--exclude", "till_*", "--api-base-url", shop.url)
    assert "shop_find_goods" in done.stdout
    assert not {"shop_delete_goods", "till_get_total"} & set(done.stdout.split())
    for said in ("left out by BOSA_READ_ONLY", "1 tool left out by BOSA_EXCLUDE", "shop_odd cannot be served: "):
        assert said in done.stdout


def test_a_name_cannot_play_with_the_terminal(tmp_path: Path, api: ScriptedApi) -> None:
    api.offer("sh\x1b[2Jop", "find_goods")
    done = run(tmp_path, "tools", "--api-base-url", api.url)
    assert done.returncode == 0
    assert "\x1b" not in done.stdout + done.stderr


def test_an_api_that_is_down_costs_the_command_unless_its_tools_are_kept(tmp_path: Path, shop: ScriptedApi) -> None:
    with reserved_port() as nobody:
        done = run(tmp_path, "tools", "--api-base-url", address(nobody))
    assert [done.returncode, done.stdout] == [1, ""]
    assert "cannot be reached" in done.stderr.splitlines()[-1]
    with started(tmp_path, "serve", "--api-base-url", shop.url) as server:
        server.send(*HANDSHAKE, request(1, "tools/list"))
        server.reply(1)
        server.end_of_input()
        assert server.wait() == 0
    shop.odd["/connectors/names"] = fails(503)
    done = run(tmp_path, "tools", "--api-base-url", shop.url)
    assert done.returncode == 0
    assert {"shop_delete_goods", "shop_find_goods", "till_get_total"} <= set(done.stdout.split())
    assert "503" in done.stderr


def test_what_is_missing_is_said_once_though_it_is_looked_for_twice(tmp_path: Path, shop: ScriptedApi) -> None:
    shop.odd["/connectors/?modules=till"] = fails(500, "Broken.")
    for _ in range(2):  # the second time the rest is there already, and till is looked for before and after it
        done = run(tmp_path, "tools", "--api-base-url", shop.url)
        assert [done.returncode, done.stderr.count("Broken.")] == [0, 1]


def test_a_newer_catalogue_is_shown_rather_than_the_kept_one(tmp_path: Path, shop: ScriptedApi) -> None:
    run(tmp_path, "tools", "--api-base-url", shop.url)
    shop.offer("till", "open_till")
    assert "till_open_till" in run(tmp_path, "tools", "--api-base-url", shop.url).stdout


def test_without_an_api_it_shows_the_hub(tmp_path: Path, hub: RunningHub) -> None:
    own = json.loads(run(tmp_path, "tools", "--json").stdout)
    assert own == json.loads(run(tmp_path, "tools", "--json", "--api-base-url", hub.url).stdout)
    assert {tool["name"].partition("_")[0] for tool in own["tools"]} >= {"files", "notes", "sql"}
