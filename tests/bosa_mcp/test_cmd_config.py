"""`bosa-mcp config`: what each client's file takes, with everything but secrets."""

import json
import shlex
import sys
from pathlib import Path
from typing import Any

import pytest
from mcp import Client, StdioServerParameters

from bosa_mcp.cli import clients

from .conftest import KEY, TOKEN
from .processes import environment, run
from .scripted_api import ScriptedApi

CLIENTS = ("claude-desktop", "claude-code", "vscode", "cursor", "copilot")
FLAGS = ("--api-base-url", "https://api.example.com", "--connectors", "github, sql", "--read-only")
SECRETS = {"BOSA_API_KEY": KEY, "BOSA_USER_TOKEN": TOKEN}
SCRIPT = str(Path(sys.executable).with_name("bosa-mcp"))

OWN = """
from bosa_hub import Connector, action

class Own(Connector):
    @action(effect="read")
    async def greet(self) -> str:
        '''Says hello.'''
        return "hello"
"""


def printed(folder: Path, client: str, *flags: str, **settings: str) -> tuple[Any, str]:
    """What was printed, and what was said beside it."""
    done = run(folder, "config", "--client", client, *flags, **settings)
    assert done.returncode == 0, done.stderr
    assert not any(secret in done.stdout + done.stderr for secret in SECRETS.values())
    return json.loads(done.stdout), done.stderr


def entry(folder: Path, **more: object) -> dict[str, object]:
    """What starts the server, whatever the client."""
    env = {
        "BOSA_API_BASE_URL": "https://api.example.com",
        "BOSA_CONNECTORS": "github,sql",
        "BOSA_READ_ONLY": "true",
        "BOSA_DATA_DIR": str(folder / "data"),
    }
    return {"command": SCRIPT, "args": [], "env": env, **more}


def with_secrets(entry: dict[str, Any], key: str, token: str) -> dict[str, Any]:
    return {**entry, "env": {**entry["env"], "BOSA_API_KEY": key, "BOSA_USER_TOKEN": token}}


def test_claude_desktop(tmp_path: Path) -> None:
    content, said = printed(tmp_path, "claude-desktop", *FLAGS, **SECRETS)
    server = with_secrets(entry(tmp_path), "<your BOSA_API_KEY>", "<your BOSA_USER_TOKEN>")
    assert content == {"mcpServers": {"bosa": server}}
    assert "claude_desktop_config.json" in said
    assert "bosa-mcp.toml" in said


def test_claude_code(tmp_path: Path) -> None:
    content, said = printed(tmp_path, "claude-code", *FLAGS, **SECRETS)
    server = with_secrets(entry(tmp_path, type="stdio"), "${BOSA_API_KEY}", "${BOSA_USER_TOKEN}")
    assert content == {"mcpServers": {"bosa": server}}
    assert "This belongs into .mcp.json" in said
    [line] = [line for line in said.splitlines() if line.startswith("or run: ")]
    words = shlex.split(line.removeprefix("or run: "))
    assert words[:3] == ["claude", "mcp", "add"]
    assert words[words.index("--") :] == ["--", SCRIPT]
    assert words[-5:-2] == ["--transport", "stdio", "bosa"]
    assert words[3:-5:2] == ["--env"] * 6
    assert set(words[4:-5:2]) >= {"BOSA_CONNECTORS=github,sql", "BOSA_API_KEY=$BOSA_API_KEY"}


def test_vscode_asks_for_secrets(tmp_path: Path) -> None:
    content, said = printed(tmp_path, "vscode", *FLAGS, **SECRETS)
    asks = {"type": "promptString", "password": True}
    assert content == {
        "inputs": [
            {"id": "bosa-api-key", "description": "BOSA_API_KEY", **asks},
            {"id": "bosa-user-token", "description": "BOSA_USER_TOKEN", **asks},
        ],
        "servers": {
            "bosa": with_secrets(entry(tmp_path, type="stdio"), "${input:bosa-api-key}", "${input:bosa-user-token}")
        },
    }
    assert "mcp.json" in said


def test_cursor(tmp_path: Path) -> None:
    content, said = printed(tmp_path, "cursor", *FLAGS, **SECRETS)
    server = with_secrets(entry(tmp_path, type="stdio"), "${env:BOSA_API_KEY}", "${env:BOSA_USER_TOKEN}")
    assert content == {"mcpServers": {"bosa": server}}
    assert "cursor" in said


def test_copilot(tmp_path: Path) -> None:
    content, said = printed(tmp_path, "copilot", *FLAGS, **SECRETS)
    server = with_secrets(entry(tmp_path, type="local", tools=["*"]), "${BOSA_API_KEY}", "${BOSA_USER_TOKEN}")
    assert content == {"mcpServers": {"bosa": server}}
    assert "mcp-config.json" in said


@pytest.mark.parametrize("client", CLIENTS)
async def test_what_is_printed_starts_the_server(tmp_path: Path, api: ScriptedApi, client: str) -> None:
    api.offer("shop", "find_goods")
    api.offer("shop", "delete_goods")
    content, _ = printed(tmp_path, client, "--api-base-url", api.url, "--read-only")
    [server] = (content.get("servers") or content["mcpServers"]).values()
    env = {**environment(tmp_path), **server["env"]}
    command = StdioServerParameters(command=server["command"], args=server["args"], env=env)
    async with Client(command) as started:
        listed = [tool.name for tool in (await started.list_tools()).tools]
    assert [name for name in listed if name.startswith("shop_")] == ["shop_find_goods"]


def test_it_is_one_line_for_programs(tmp_path: Path) -> None:
    content, _ = printed(tmp_path, "cursor")
    done = run(tmp_path, "config", "--client", "cursor", "--json")
    assert [json.loads(line) for line in done.stdout.splitlines()] == [content]


def test_what_the_file_says_stays_there(tmp_path: Path) -> None:
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "bosa-mcp.toml").write_text(f'api_key = "{KEY}"\nuser_token = "{TOKEN}"\naccount = "work"\n')
    content, said = printed(tmp_path, "cursor")
    assert content["mcpServers"]["bosa"]["env"] == {"BOSA_DATA_DIR": str(tmp_path / "data")}
    assert "not set" not in said


def test_another_file_is_named_to_the_server(tmp_path: Path) -> None:
    (tmp_path / "other.toml").write_text(f'api_key = "{KEY}"\n')
    content, said = printed(tmp_path, "cursor", "--config", "other.toml")
    assert content["mcpServers"]["bosa"]["args"] == ["serve", "--config", str(tmp_path / "other.toml")]
    assert "BOSA_USER_TOKEN is not set" in said


def test_paths_are_absolute(tmp_path: Path) -> None:
    content, _ = printed(tmp_path, "cursor", "--data-dir", "here")
    assert content["mcpServers"]["bosa"]["env"] == {"BOSA_DATA_DIR": str(tmp_path / "here")}


def test_an_address_that_holds_a_secret_is_one(tmp_path: Path) -> None:
    content, _ = printed(tmp_path, "cursor", BOSA_STORE=f"s3://bucket/x?token={TOKEN}")
    assert content["mcpServers"]["bosa"]["env"]["BOSA_STORE"] == "${env:BOSA_STORE}"


def test_an_application_in_variables_of_its_own_is_asked_for_likewise(tmp_path: Path) -> None:
    known = {"BOSA_HUB_OAUTH__MAPS__CLIENT_ID": "planted-id", "BOSA_HUB_OAUTH__MAPS__CLIENT_SECRET": "planted-secret"}
    content, said = printed(tmp_path, "cursor", **known)
    env = content["mcpServers"]["bosa"]["env"]
    assert {name: env[name] for name in known} == {name: f"${{env:{name}}}" for name in known}
    assert "planted" not in f"{content} {said}"


async def test_connectors_of_ones_own_are_found_where_the_client_starts_the_server(tmp_path: Path) -> None:
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "own_module.py").write_text(OWN)
    content, _ = printed(tmp_path, "cursor", "--hub-connectors", "own_module:Own", PYTHONPATH="mine")
    server = content["mcpServers"]["bosa"]
    command = StdioServerParameters(command=server["command"], args=server["args"], env=server["env"], cwd="/")
    async with Client(command) as started:
        assert (await started.call_tool("own_greet", {})).structured_content == {"data": "hello", "meta": None}


def test_what_the_server_takes_from_the_shell_goes_into_it_but_no_password(tmp_path: Path) -> None:
    proxies = {
        "HTTP_PROXY": "http://proxy:3128",
        "https_proxy": "http://ada:planted@proxy:3128",
        "NO_PROXY": "10.0.0.0/8",
    }
    store = {"AWS_REGION": "eu-1", "AWS_SECRET_ACCESS_KEY": "planted"}
    own = {"XDG_DATA_HOME": str(tmp_path / "mine"), "SSL_CERT_FILE": "own.pem", "BOSA_STORE": "s3://bucket"}
    content, said = printed(tmp_path, "cursor", **proxies, **store, **own)
    asked = {name: f"${{env:{name}}}" for name in ("https_proxy", "AWS_SECRET_ACCESS_KEY")}
    placed = {"SSL_CERT_FILE": str(tmp_path / "own.pem"), "BOSA_DATA_DIR": str(tmp_path / "data")}
    assert content["mcpServers"]["bosa"]["env"] == {**proxies, **store, **own, **asked, **placed}
    assert "planted" not in f"{content} {said}"


def test_whoever_has_logged_in_is_not_told_to_set_a_token(tmp_path: Path, api: ScriptedApi) -> None:
    (tmp_path / "data").mkdir(0o700)
    login = {"api": api.url, "identifier": "ada", "token": TOKEN}
    (tmp_path / "data" / "login.json").write_text(json.dumps(login))
    _, said = printed(tmp_path, "cursor", "--api-base-url", api.url)
    assert "BOSA_API_KEY is not set" in said
    assert "BOSA_USER_TOKEN" not in said


def test_what_means_nothing_without_http_is_left_out(tmp_path: Path) -> None:
    content, _ = printed(tmp_path, "cursor", BOSA_PUBLIC_URL="https://mcp.example.com")
    assert "BOSA_PUBLIC_URL" not in content["mcpServers"]["bosa"]["env"]


def test_each_system_has_its_places() -> None:
    places = {platform: clients.CLIENTS["claude-desktop"].place(platform) for platform in ("linux", "darwin", "win32")}
    assert places == {
        "linux": "~/.config/Claude/claude_desktop_config.json",
        "darwin": "~/Library/Application Support/Claude/claude_desktop_config.json",
        "win32": r"%APPDATA%\Claude\claude_desktop_config.json",
    }


def test_a_client_that_is_not_known_is_wrong_usage(tmp_path: Path) -> None:
    done = run(tmp_path, "config", "--client", "emacs")
    assert [done.returncode, done.stdout, len(done.stderr.splitlines())] == [2, "", 1]
    assert "claude-desktop" in done.stderr
