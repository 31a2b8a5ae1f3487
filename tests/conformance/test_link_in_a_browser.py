"""Accounts linked on our page: in a real browser, and with the published server behind it."""

import json
import shutil
import subprocess
from pathlib import Path
from typing import Any

import httpx
import pytest

from .installs import python_with
from .published import PLANETS, PublishedServer
from .serving import answer, connected, refusal

SCRIPT = Path(__file__).with_name("browser_scripts") / "fill_in.py"
EXAMPLES = Path(__file__).parents[2] / "examples"
CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
RUN_SECONDS = 120


def in_browser(url: str, folder: Path, wrong: dict[str, str], right: dict[str, str]) -> dict[str, Any]:
    """What the pages look like."""
    command = [str(python_with("playwright==1.58.0")), str(SCRIPT), str(CHROMIUM), url, str(folder)]
    done = subprocess.run(
        [*command, json.dumps(wrong), json.dumps(right)],
        env={"HOME": str(folder), "PATH": ""},
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=RUN_SECONDS,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


@pytest.mark.skipif(CHROMIUM is None, reason="there is no Chromium here")
async def test_a_person_links_an_account_in_a_browser(tmp_path: Path) -> None:
    settings = {"BOSA_HUB_CONNECTORS": "todo_account_connector:Todo", "PYTHONPATH": str(EXAMPLES)}
    async with connected("auto", tmp_path, settings) as client:
        url = (await answer(client, "bosa_connect", connector="todo"))["data"]["url"]
        name, key = "Name (optional)", "Api Key"
        seen = in_browser(url, tmp_path, {name: "home", key: "a typo"}, {name: "home", key: "key-of-home"})
        items = await answer(client, "todo_list_items")
    assert seen["kinds"] == ["text", "password"]
    assert seen["styled"] == "12px"  # the policy lets the style through
    assert "The service does not know this key" in seen["refused"]
    assert seen["kept"] == ["home", ""]
    assert "todo is connected" in seen["done"]
    assert "This link has been used" in seen["again"]
    assert [line for line in seen["console"] if "status of 4" not in line] == []  # pages that refuse have such a status
    assert items["notes"] == ["Account 'home' acted, the selected one."]


@pytest.mark.parametrize("mode", ["auto", "legacy"])
async def test_a_database_of_the_published_server_is_linked_by_the_page_and_queried(
    mode: str, published_server: PublishedServer, published_user: str, tmp_path: Path
) -> None:
    assert published_user  # whose account made the table
    token = published_server.new_user()
    async with connected(mode, tmp_path, published_server.settings(token)) as client:
        query = "SELECT name, moons FROM planets ORDER BY name"
        error = await refusal(client, "sql_query", query=query)
        assert error["kind"] == "not_connected"
        url = (await answer(client, "bosa_connect", connector="sql"))["data"]["url"]
        assert url in error["hint"]
        async with httpx.AsyncClient(timeout=60) as browser:
            page = await browser.get(url)
            assert 'name="answer0"' in page.text
            done = await browser.post(url, data={"answer0": published_server.database_url})
        assert done.status_code == 200, done.text
        reply = await answer(client, "sql_query", query=query)
        accounts = (await answer(client, "bosa_accounts", connector="sql"))["data"]["sql"]
    assert reply["data"] == PLANETS
    assert len(accounts) == 1
    assert repr(accounts[0]["account"]) in reply["notes"][0]
