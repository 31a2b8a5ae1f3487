"""Run by a Python that has mcp 1.x: over streamable HTTP and SSE, lists the tools and calls one; prints what it saw."""

# runs in an environment of its own, whose packages are not installed here
# pyright: basic, reportMissingImports=false, reportAttributeAccessIssue=false, reportOptionalSubscript=false, reportCallIssue=false

import asyncio
import json
import sys

from mcp import ClientSession
from mcp.client.sse import sse_client
from mcp.client.streamable_http import streamablehttp_client


async def main(url: str) -> None:
    seen = []
    for connecting in (streamablehttp_client(f"{url}/mcp"), sse_client(f"{url}/sse")):
        async with connecting as (read, write, *_), ClientSession(read, write) as session:
            await session.initialize()
            tools = (await session.list_tools()).tools
            result = await session.call_tool("notes_create_note", {"title": "Groceries", "body": "Bread and salt"})
            seen.append({"tools": [tool.name for tool in tools], "title": result.structuredContent["data"]["title"]})
    sys.stdout.write(json.dumps(seen))


asyncio.run(main(sys.argv[1]))
