"""Run by a Python that has langchain-mcp-adapters: makes LangChain tools of ours, invokes one; prints what it saw."""

# runs in an environment of its own, whose packages are not installed here
# pyright: basic, reportMissingImports=false, reportAttributeAccessIssue=false, reportOptionalSubscript=false, reportCallIssue=false

import asyncio
import json
import sys

from langchain_mcp_adapters.client import MultiServerMCPClient


async def main(url: str) -> None:
    seen = []
    for transport, path in (("streamable_http", "/mcp"), ("sse", "/sse")):
        client = MultiServerMCPClient({"bosa": {"transport": transport, "url": url + path}})
        tools = {tool.name: tool for tool in await client.get_tools()}
        answer = await tools["notes_create_note"].ainvoke({"title": "Groceries", "body": "Bread and salt"})
        text = answer if isinstance(answer, str) else answer[0]["text"]
        seen.append({"tools": list(tools), "title": json.loads(text)["data"]["title"]})
    sys.stdout.write(json.dumps(seen))


asyncio.run(main(sys.argv[1]))
