"""Clients that we did not write, over HTTP."""

import json
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from .inspector import Inspector
from .installs import python_with
from .web_server import web_server

SCRIPTS = Path(__file__).with_name("web_scripts")
RUN_SECONDS = 120


@pytest.fixture(scope="module")
def url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with web_server(tmp_path_factory.mktemp("server")) as url:
        yield url


@pytest.mark.parametrize(
    ("requirement", "script"),
    [("mcp==1.30.0", "older.py"), ("fastmcp>=4,<4.1.6", "fast.py"), ("langchain-mcp-adapters", "langchain.py")],
)
def test_a_client_lists_the_tools_and_calls_one_on_both_paths(
    url: str, requirement: str, script: str, tmp_path: Path
) -> None:
    done = subprocess.run(
        [str(python_with(requirement)), str(SCRIPTS / script), url],
        env={"HOME": str(tmp_path), "PATH": ""},
        cwd=tmp_path,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=RUN_SECONDS,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    streamable, sse = json.loads(done.stdout)
    assert streamable == sse
    assert "sql_query" in streamable["tools"]
    assert streamable["title"] == "Groceries"


@pytest.mark.parametrize("era", ["legacy", "modern"])
def test_the_inspector_finds_nothing_to_object_to(url: str, inspector: Inspector, era: str, tmp_path: Path) -> None:
    listed = inspector.run_at(f"{url}/mcp", era, tmp_path, "--method", "tools/list", "--strict")
    assert "notes_create_note" in {tool["name"] for tool in listed["tools"]}
    arguments = '{"title": "Groceries", "body": "Bread and salt"}'
    call = ("--method", "tools/call", "--tool-name", "notes_create_note", "--tool-args-json", arguments)
    assert inspector.run_at(f"{url}/mcp", era, tmp_path, *call)["structuredContent"]["data"]["title"] == "Groceries"
