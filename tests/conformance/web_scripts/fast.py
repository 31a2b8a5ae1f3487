"""Run by a Python that has fastmcp: lists the tools and calls one; prints what it saw."""

# runs in an environment of its own, whose packages are not installed here
# pyright: basic, reportMissingImports=false, reportAttributeAccessIssue=false, reportOptionalSubscript=false, reportCallIssue=false

import asyncio
import json
import sys

from fastmcp import Client


async def main(url: str) -> None:
    seen = []
    for path in ("/mcp", "/sse"):
        async with Client(url + path) as client:
            tools = await client.list_tools()
            result = await client.call_tool("notes_create_note", {"title": "Groceries", "body": "Bread and salt"})
            content = result.structured_content
            seen.append({"tools": [tool.name for tool in tools], "title": content["data"]["title"]})
    sys.stdout.write(json.dumps(seen))


asyncio.run(main(sys.argv[1]))
