"""What an MCP server costs at least: `python bare_server.py API TOOLS.json [PORT]`, over stdio where no port is given.

The low-level server of the mcp package, which lists tools from a file and hands over what the API answers.
"""

import asyncio
import json
import sys
from pathlib import Path
from typing import Any

import httpx2
import mcp_types as types
from loopback_api import KEY  # pyright: ignore[reportImplicitRelativeImport]  it is run as a script
from mcp.server.lowlevel import Server
from mcp.server.stdio import stdio_server


def create(client: httpx2.AsyncClient, tools: list[types.Tool]) -> Server[Any]:
    """A server that calls the action behind a tool of its name."""
    listed = types.ListToolsResult(tools=tools)
    schemas = {tool.name: tool.input_schema for tool in tools}

    async def list_tools(_: object, __: types.PaginatedRequestParams | None) -> types.ListToolsResult:
        return listed

    async def call_tool(_: object, params: types.CallToolRequestParams) -> types.CallToolResult:
        connector, _, action = params.name.partition("_")
        reply = await client.post(f"/connectors/{connector}/{action}", json=params.arguments)
        text = types.TextContent(text=reply.text)
        return types.CallToolResult(content=[text], structured_content=reply.json())

    return Server("bare", on_list_tools=list_tools, on_call_tool=call_tool, get_tool_input_schema=schemas.get)


async def main(api: str, file: str, port: str | None = None) -> None:
    tools = [types.Tool.model_validate(each) for each in json.loads(Path(file).read_text())]  # noqa: ASYNC240  nothing else runs yet
    async with httpx2.AsyncClient(base_url=api, headers={"X-API-Key": KEY}) as client:
        server = create(client, tools)
        if port:
            import uvicorn  # noqa: PLC0415  only here

            config = uvicorn.Config(server.streamable_http_app(), port=int(port), log_level="warning", ws="none")
            await uvicorn.Server(config).serve()
            return
        async with stdio_server() as (read, write):
            await server.run(read, write, server.create_initialization_options())


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
