"""What the published command line tool makes of our hub."""

import re
import sqlite3
from pathlib import Path
from typing import Any

import httpx
import pytest

from bosa_hub.serve import RunningHub

from .cli import Cli, install_cli


@pytest.fixture(scope="module")
def user(hub: RunningHub) -> dict[str, Any]:
    """A user of the hub, with the secret to log in."""
    made = httpx.post(f"{hub.url}/users", json={"identifier": "someone"}, headers={"X-API-Key": hub.client_key})
    return made.json()["data"]


@pytest.fixture(scope="module")
def cli(hub: RunningHub, user: dict[str, Any], tmp_path_factory: pytest.TempPathFactory) -> Cli:
    """Logged in."""
    cli = install_cli(tmp_path_factory.mktemp("cli"))
    cli.succeed("auth", "login", "--api-url", hub.url, hub.client_key, user["identifier"], user["secret"])
    return cli


@pytest.fixture(scope="module")
def accounts(hub: RunningHub, user: dict[str, Any]) -> list[str]:
    """Two accounts of the user's, which the tool shows but cannot make."""
    folder = hub.home.user_folder(user["id"], "sql")
    folder.mkdir(parents=True, exist_ok=True)
    return [link(hub, folder, name) for name in ("shop", "mill")]


def link(hub: RunningHub, folder: Path, name: str) -> str:
    database = sqlite3.connect(folder / f"{name}.db")
    database.execute("CREATE TABLE place (name TEXT)")
    database.close()
    linked = httpx.post(
        f"{hub.url}/connectors/sql/integrations",
        json={"auth_type": "custom", "configuration": {"name": name, "file": f"{name}.db"}},
        headers={"X-API-Key": hub.client_key, "Authorization": f"Bearer {hub.user_token('someone')}"},
    )
    return linked.json()["data"]["result"]["configuration_name"]


def test_it_says_who_is_logged_in(cli: Cli, user: dict[str, Any], hub: RunningHub) -> None:
    said = cli.succeed("auth", "status").output
    assert "Username: someone" in said
    assert f"User ID: {user['id']}" in said
    assert f"API URL: {hub.url}" in said


def test_it_forgets_on_logout(cli: Cli, hub: RunningHub, tmp_path: Path) -> None:
    made = re.search(r"sk-user-\S+", cli.succeed("users", "create", "another").output)
    assert made
    other = install_cli(tmp_path)
    login = ("auth", "login", "--api-url", hub.url, hub.client_key, "another")
    assert "do not belong together" in other.fail(*login, "wrong")
    other.succeed(*login, made[0])
    other.succeed("auth", "logout")
    assert "Not authenticated" in other.fail("integrations")


def test_it_makes_a_user_once(cli: Cli) -> None:
    assert "User created successfully" in cli.succeed("users", "create", "friend").output
    assert "exists already" in cli.fail("users", "create", "friend")


def test_it_counts_the_accounts_of_every_connector(cli: Cli, hub: RunningHub, accounts: list[str]) -> None:
    listed = cli.succeed("integrations")
    for connector in httpx.get(f"{hub.url}/connectors/names").json():
        assert listed.row(connector) == [connector, str(len(accounts) if connector == "sql" else 0)]


def test_it_shows_which_account_is_selected(cli: Cli, accounts: list[str]) -> None:
    shop, mill = accounts
    shown = cli.succeed("integrations", "show", "sql")
    assert shown.row(shop)[1].endswith("✓ Selected")
    assert shown.row(mill)[1] == "Not Selected"


def test_it_shows_what_an_account_is_linked_by(cli: Cli, accounts: list[str]) -> None:
    shown = cli.succeed("integrations", "show", "sql", accounts[1])
    assert shown.row("Connector") == ["Connector", "sql"]
    assert shown.row("File") == ["File", "mill.db"]
    assert "Integration does not exist" in cli.fail("integrations", "show", "sql", "nobody")


def test_it_sends_a_user_where_an_account_is_agreed_to(cli: Cli) -> None:
    said = cli.succeed("integrations", "add", "calendar", answer="n\n").output
    assert "https://calendar.example/authorize?" in said
    assert "are not linked by OAuth 2" in cli.fail("integrations", "add", "notes")
    assert "Connector 'nothing' not found" in cli.fail("integrations", "add", "nothing")


def test_it_removes_an_account(cli: Cli, accounts: list[str]) -> None:
    assert "Integration not found" in cli.fail("integrations", "remove", "sql", "nobody")
    cli.succeed("integrations", "remove", "sql", accounts.pop(), answer="y\n")
    assert cli.succeed("integrations").row("sql") == ["sql", "1"]
