"""An MCP client that starts the server, lists its tools, and calls a few.

    python examples/mcp_client.py

Without settings the server brings its own hub. With BOSA_API_BASE_URL, BOSA_API_KEY and BOSA_USER_TOKEN in the
environment it speaks to that API.
"""

import asyncio
import os
import sys

from mcp import Client, StdioServerParameters

SETTINGS = {name: value for name, value in os.environ.items() if name.startswith("BOSA_")}
SERVER = StdioServerParameters(command=sys.executable, args=["-m", "bosa_mcp"], env=SETTINGS)


async def main() -> None:
    """Writes a note, finds it again, and asks the sample database."""
    async with Client(SERVER) as client:
        tools = (await client.list_tools()).tools
        print(f"{len(tools)} tools:", ", ".join(tool.name for tool in tools))

        note = await client.call_tool("notes_create_note", {"title": "Hello", "body": "written through MCP"})
        print(note.structured_content)

        found = await client.call_tool("notes_search_notes", {"query": "hello", "response_fields": ["title", "body"]})
        print(found.structured_content)

        rows = await client.call_tool("sql_query", {"query": "SELECT title, year FROM books ORDER BY year LIMIT 3"})
        print(rows.structured_content)

        refused = await client.call_tool("notes_create_note", {"titel": "a typo"})
        print(refused.is_error, refused.structured_content)


if __name__ == "__main__":
    asyncio.run(main())
