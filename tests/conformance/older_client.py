"""Run by a Python that has mcp 1.x: lists the tools of the command's server, calls one, prints both as JSON."""

import asyncio
import json
import os
import sys
from importlib.metadata import version

from mcp import ClientSession, StdioServerParameters
from mcp.client.stdio import stdio_client


async def main(command: str) -> None:
    server = StdioServerParameters(command=command, env=dict(os.environ))
    async with stdio_client(server) as (read, write), ClientSession(read, write) as session:
        await session.initialize()
        tools = await session.list_tools()
        result = await session.call_tool("notes_create_note", {"title": "Groceries", "body": "Bread and salt"})
    names = [tool.name for tool in tools.tools]
    seen = {"version": version("mcp"), "tools": names, "result": result.model_dump(mode="json", by_alias=True)}
    sys.stdout.write(json.dumps(seen))


asyncio.run(main(sys.argv[1]))
