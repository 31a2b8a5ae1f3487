"""A connector written as README says, word for word, by somebody who has nothing but a folder."""

import json
import os
import re
import subprocess
import sys
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest
from mcp import Client, StdioServerParameters

from bosa_hub.loading import load
from bosa_mcp.settings import load as load_settings

_SECTION = (Path(__file__).parent.parent / "README.md").read_text("utf-8").split("### A connector of your own")[1]
_COMMAND = (sys.executable, "-m", "bosa_mcp")


def _shown(language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", _SECTION, re.DOTALL)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    weather, files, *_ = _shown("python")
    (tmp_path / "my_module.py").write_text(weather + files, "utf-8")
    return tmp_path


def _environment(folder: Path, **settings: str) -> dict[str, str]:
    measured = {name: value for name, value in os.environ.items() if name.startswith("COVERAGE_")}
    return {"PATH": os.defpath, "HOME": str(folder / "home"), **measured, **settings}


@contextmanager
def _hub(folder: Path, *arguments: str) -> Generator[tuple[str, Path]]:
    """The hub as the folder's owner starts it: its address, and where its client key is."""
    with subprocess.Popen(
        [*_COMMAND, *arguments, "--port", "0"], cwd=folder, env=_environment(folder), stderr=subprocess.PIPE, text=True
    ) as process:
        try:
            assert process.stderr
            url, key = (process.stderr.readline().split()[-1] for _ in range(2))
            yield url, Path(key)
        finally:
            process.terminate()


def test_the_hub_offers_it(folder: Path) -> None:
    command = _shown("sh")[0].partition("#")[0].split()[1:]
    with (
        _hub(folder, *command[:-1], f"{command[-1]},my_module:Shouting") as (url, key),
        httpx.Client(base_url=url, headers={"X-API-Key": key.read_text().strip()}, timeout=20) as client,
    ):
        user = client.post("/users", json={"identifier": "me"}).json()["data"]
        login = client.post("/auth/tokens", json={"identifier": "me", "secret": user["secret"]})
        client.headers["Authorization"] = f"Bearer {login.json()['data']['token']}"
        forecast = client.post("/connectors/weather/forecast", json={"city": "Oslo"})
        assert forecast.json() == {"data": {"city": "Oslo", "celsius": 27.5}, "meta": None}
        loud = client.post("/connectors/shouting/shout", files={"file": ("a.txt", b"quiet")})
        assert (loud.content, loud.headers["Content-Disposition"]) == (b"QUIET", 'attachment; filename="loud.txt"')
        assert "Forecasts." in client.get("/docs").text


def test_one_with_oauth2_can_be_offered(tmp_path: Path) -> None:
    _, _, agreeing, *_ = _shown("python")
    (tmp_path / "agreeing_module.py").write_text(agreeing, "utf-8")
    loaded = load(["agreeing_module:Photos"], folder=tmp_path)
    assert [(each.name, loaded.failures) for each in loaded.connectors] == [("photos", [])]
    settings = tmp_path / "bosa-mcp.toml"
    settings.write_text(_shown("toml")[0], "utf-8")
    assert load_settings({}, settings).hub_oauth["photos"].client_id == "…"


async def test_it_is_a_tool_of_the_server(folder: Path) -> None:
    settings = json.loads("{" + _shown("json")[0] + "}")["env"] | {"PYTHONPATH": str(folder)}
    server = StdioServerParameters(
        command=_COMMAND[0], args=[*_COMMAND[1:], "serve"], env=_environment(folder, **settings)
    )
    async with Client(server) as client:
        tools = {tool.name: tool for tool in (await client.list_tools()).tools}
        assert tools["weather_forecast"].description == "The forecast for a city."
        answer = await client.call_tool("weather_forecast", {"city": "Oslo"})
    assert answer.structured_content == {"data": {"city": "Oslo", "celsius": 27.5}, "meta": None}
