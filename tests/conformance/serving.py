"""Our server as its users start it: the installed command, over stdio, with settings from the environment."""

import json
import sys
from collections.abc import AsyncGenerator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from mcp import Client, StdioServerParameters
from mcp.client.stdio import stdio_client
from mcp.types import CallToolResult, TextContent

COMMAND = str(Path(sys.executable).with_name("bosa-mcp"))
REPLY_SECONDS = 60


def environment(folder: Path, settings: Mapping[str, str]) -> dict[str, str]:
    """Settings for a server that keeps all it has in this folder and finds nothing of the person who runs the tests."""
    return {"HOME": str(folder), "BOSA_DATA_DIR": str(folder / "data"), **settings}


@asynccontextmanager
async def connected(mode: str, folder: Path, settings: Mapping[str, str]) -> AsyncGenerator[Client]:
    """A client of a server of its own, whose stderr is kept in the folder; both end with the block."""
    parameters = StdioServerParameters(command=COMMAND, env=environment(folder, settings), cwd=folder)
    with (folder / "stderr").open("w") as errors:
        async with Client(stdio_client(parameters, errors), mode=mode, read_timeout_seconds=REPLY_SECONDS) as client:
            yield client


async def tool_names(client: Client) -> set[str]:
    """Every tool's name, however many pages the list has."""
    names: list[str] = []
    cursor = None
    while True:
        page = await client.list_tools(cursor=cursor)
        names += [tool.name for tool in page.tools]
        cursor = page.next_cursor
        if cursor is None:
            assert len(names) == len(set(names))
            return set(names)


async def answer(client: Client, tool: str, **arguments: object) -> dict[str, Any]:
    """What a call that succeeds returns."""
    result = await client.call_tool(tool, arguments)
    assert not result.is_error, result.content
    return content(result)


async def refusal(client: Client, tool: str, **arguments: object) -> dict[str, Any]:
    """The error that a call which fails returns."""
    result = await client.call_tool(tool, arguments)
    assert result.is_error, result.content
    return content(result)["error"]


def content(result: CallToolResult) -> dict[str, Any]:
    """The structured content, which the text repeats for models that read no other."""
    [text] = result.content
    assert isinstance(text, TextContent)
    assert result.structured_content is not None
    assert json.loads(text.text) == result.structured_content
    return result.structured_content
