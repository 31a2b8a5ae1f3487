"""The demo shows what there is, leaves nothing behind, and says why when it fails."""

import signal
import subprocess
import sys
from pathlib import Path

import pytest

from .processes import COMMAND, environment, started
from .scripted_api import WAIT

BROKEN = """\
import sys
sys.executable = sys.argv.pop(1)
from bosa_mcp.cli import main
main()
"""
"""Runs the command line where the server is started with another Python."""

SERVER_OF_LITTLE_HELP = """\
#!{python}
import anyio
import mcp_types as types
from mcp.server.lowlevel import Server
from mcp.server.stdio import stdio_server

async def list_tools(context, params):
    return types.ListToolsResult(tools=[])

async def call_tool(context, params):
    refused = {{"error": {{"kind": "api_error", "message": "Not today."}}}}
    return types.CallToolResult(content=[], structured_content=refused, is_error=True)

async def serve():
    server = Server("x", on_list_tools=list_tools, on_call_tool=call_tool)
    async with stdio_server() as (read, write):
        await server.run(read, write, server.create_initialization_options())

anyio.run(serve)
"""


@pytest.fixture
def temporary(tmp_path: Path) -> Path:
    folder = tmp_path / "temporary"
    folder.mkdir()
    return folder


def demo(temporary: Path, *command: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [*(command or COMMAND), "demo"],
        env=environment(temporary, TMPDIR=str(temporary), COLUMNS="200"),
        cwd=temporary,
        capture_output=True,
        timeout=2 * WAIT,
        check=False,
        text=True,
        encoding="utf-8",
    )


def broken(temporary: Path, python: Path) -> subprocess.CompletedProcess[str]:
    return demo(temporary, sys.executable, "-c", BROKEN, str(python))


def executable(file: Path, text: str) -> Path:
    file.write_text(text, "utf-8")
    file.chmod(0o700)
    return file


def test_the_demo_shows_every_connector_pages_and_a_refusal(temporary: Path) -> None:
    done = demo(temporary)
    assert [done.returncode, done.stderr] == [0, ""]
    for shown in ("notes_create_note", "notes_search_notes", "sql_query", "files_write_text_file", "next", "refused"):
        assert shown in done.stdout
    assert "did you mean title?" in done.stdout
    assert "Traceback" not in done.stdout
    assert not list(temporary.iterdir())


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
@pytest.mark.parametrize("line", ["bosa-mcp", "tools from"])
def test_a_demo_that_is_told_to_end_leaves_nothing_behind(
    temporary: Path, line: str, number: signal.Signals, code: int
) -> None:
    with started(temporary, "demo", TMPDIR=str(temporary)) as running:
        running.line(line)
        running.signal(number)
        assert running.wait() == code
        assert running.rest()[1] == ""
    assert not list(temporary.iterdir())


def test_a_demo_whose_server_does_not_start_fails_with_what_it_said(tmp_path: Path, temporary: Path) -> None:
    python = executable(tmp_path / "python", "#!/bin/sh\necho '[warning ] a [/red] log' >&2\nexit 3\n")
    done = broken(temporary, python)
    assert done.returncode == 1
    assert "failed" in done.stdout
    assert "[warning ] a [/red] log" in done.stdout
    assert "Traceback" not in done.stdout + done.stderr
    assert not list(temporary.iterdir())


def test_a_demo_whose_calls_are_refused_fails_with_the_refusal(tmp_path: Path, temporary: Path) -> None:
    python = executable(tmp_path / "python", SERVER_OF_LITTLE_HELP.format(python=sys.executable))
    done = broken(temporary, python)
    assert done.returncode == 1
    assert "notes_create_note was refused" in done.stdout
    assert "Not today." in done.stdout
    assert "Traceback" not in done.stdout + done.stderr
    assert not list(temporary.iterdir())
