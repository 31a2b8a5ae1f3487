"""The tour that `bosa-mcp demo` gives: an MCP client calls real actions, and a person reads along."""

import json
import sys
import time
from collections import Counter
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, Final, TextIO

from mcp import Client, StdioServerParameters
from mcp.client.stdio import stdio_client
from rich.console import Console, RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from bosa_connectors.shapes import is_array, is_object, items, members

ROWS: Final = 6
"""So many rows of a list are shown."""
NOTES: Final = (
    ("Kyoto", "Cherry blossom peaks in early April. Book the ryokan by January."),
    ("Sourdough", "Feed the starter at eight, bake at 240 °C."),
    ("Garden", "Prune the cherry tree after it has fruited, never in winter."),
)


class DemoFailed(Exception):
    """A step did not go as it should have."""


async def tour(console: Console, folder: Path, log: TextIO) -> None:
    """Starts the server on `folder`, its standard error going to `log`, and calls its tools. Raises DemoFailed."""
    console.print("\n[bold]bosa-mcp[/bold]: the actions of a BOSA API as MCP tools\n")
    console.print(f"[dim]$ bosa-mcp        # over stdio, embedded hub, data in {folder}[/dim]")
    started = time.perf_counter()
    command = StdioServerParameters(
        command=sys.executable, args=["-P", "-m", "bosa_mcp"], env={"BOSA_DATA_DIR": str(folder / "data")}
    )
    async with Client(stdio_client(command, errlog=log)) as client:
        guide = Guide(client, console)
        await guide.list_tools()
        console.print(f"[dim]  {time.perf_counter() - started:.1f} s from start to tools[/dim]")
        await _notes(guide)
        await _database(guide)
        await _files(guide)
        await _refusals(guide)
    seconds = time.perf_counter() - started
    console.print(
        f"\n[green bold]✓[/green bold] {guide.calls} calls, {guide.refused} of them refused on purpose, "
        f"all as they should be, in {seconds:.1f} s.\n"
        "  Next: README says how to connect Claude, VS Code or Cursor, and how to use your own BOSA API.\n"
    )


class Guide:
    """Calls tools and shows each call with its result."""

    def __init__(self, client: Client, console: Console) -> None:
        self._client = client
        self._console = console
        self.calls = 0
        self.refused = 0

    async def list_tools(self) -> None:
        """Shows what there is, by connector."""
        tools = (await self._client.list_tools()).tools
        connectors = Counter(tool.name.partition("_")[0] for tool in tools)
        self.say(f"{len(tools)} tools from {len(connectors)} connectors")
        table = Table.grid(padding=(0, 2))
        for connector in connectors:
            names = [tool.name for tool in tools if tool.name.startswith(f"{connector}_")]
            table.add_row(f"  [cyan]{connector}[/cyan]", ", ".join(names))
        self._console.print(table)

    def say(self, title: str) -> None:
        """A heading."""
        self._console.print(f"\n[bold]{title}[/bold]")

    async def call(self, tool: str, **arguments: object) -> Mapping[str, object]:
        """The result of a call that should succeed."""
        result = await self._call(tool, arguments)
        if result.is_error:
            raise DemoFailed(f"{tool} was refused: {members(result.structured_content).get('error')}")
        payload = members(result.structured_content)
        self._console.print(_indented(_shown(payload["data"])))
        if "next" in payload:
            self._console.print(_indented(_grid([("next", members(payload["next"])["arguments"])])))
        return payload

    async def refuse(self, tool: str, **arguments: object) -> None:
        """A call that should be refused."""
        result = await self._call(tool, arguments)
        error = members(members(result.structured_content).get("error"))
        if not result.is_error:
            raise DemoFailed(f"{tool} should have been refused")
        self.refused += 1
        self._console.print(_indented(_refusal(error)))

    async def _call(self, tool: str, arguments: dict[str, Any]) -> Any:  # noqa: ANN401  typed by the MCP client
        self.calls += 1
        line = Text.assemble(("  → ", "cyan"), (tool, "cyan"), " ", (json.dumps(arguments, ensure_ascii=False), "dim"))
        self._console.print(line, no_wrap=True, overflow="ellipsis")
        return await self._client.call_tool(tool, arguments)


async def _notes(guide: Guide) -> None:
    guide.say("Notes: write, find, change")
    for title, body in NOTES:
        await guide.call("notes_create_note", title=title, body=body, response_fields=["id"])
    found = await guide.call("notes_search_notes", query="cherry", response_fields=["id", "title", "tags"])
    first = str(members(items(found["data"])[0])["id"])
    await guide.call("notes_update_note", id=first, tags=["spring"], response_fields=["title", "tags", "updated_at"])

    guide.say("Pages: the result says how to ask for the next one")
    page = await guide.call("notes_list_notes", per_page=2, response_fields=["title"])
    following = members(members(page["next"])["arguments"])
    rest = await guide.call("notes_list_notes", **following)
    titles = [members(note).get("title") for note in (*items(page["data"]), *items(rest["data"]))]
    if "next" in rest or titles != [title for title, _ in reversed(NOTES)]:
        raise DemoFailed(f"two pages of notes should hold each note once, not {titles}")


async def _database(guide: Guide) -> None:
    guide.say("A database: look around, then ask")
    await guide.call("sql_list_tables")
    await guide.call("sql_describe_table", table="books", response_fields=["name", "columns.name", "columns.type"])
    await guide.call(
        "sql_query",
        query="SELECT a.name, count(*) AS books FROM books b JOIN authors a ON a.id = b.author_id "
        "GROUP BY a.name ORDER BY books DESC, a.name LIMIT :most",
        variables={"most": 4},
    )


async def _files(guide: Guide) -> None:
    guide.say("Files: write and read")
    text = "# Packing\n\n- passport\n- adapter\n- the good umbrella\n"
    await guide.call("files_write_text_file", path="travel/packing.md", text=text)
    read = await guide.call("files_read_text_file", path="travel/packing.md")
    if members(read["data"]).get("text") != text:
        raise DemoFailed("the file should hold what was written")


async def _refusals(guide: Guide) -> None:
    guide.say("Refusals: what was wrong, what was expected, what is nearest")
    await guide.refuse("notes_create_note", titel="Typo", body=42)
    await guide.refuse("sql_query", query="DROP TABLE books")
    await guide.refuse("files_read_text_file", path="../../etc/passwd")


def _shown(data: object) -> RenderableType:
    """Data as a person likes to read it: rows as a table, an object as its fields."""
    rows = [members(row) for row in items(data)]
    if rows and all(rows):
        table = Table(box=None, pad_edge=False, header_style="dim")
        for column in rows[0]:
            table.add_column(column)
        for row in rows[:ROWS]:
            table.add_row(*(Text(_cell(value)) for value in row.values()))
        return table
    if is_object(data):
        return _grid(data.items())
    return Text(_cell(data))


def _refusal(error: Mapping[str, object]) -> RenderableType:
    told = [("refused", error.get("kind"))]
    for problem in map(members, items(error.get("errors"))):
        near = f", did you mean {problem['nearest']}?" if "nearest" in problem else ""
        told.append((f"  {problem['path']}", f"{problem['message']}{near}"))
    return _grid(told if len(told) > 1 else [*told, ("message", error.get("message"))], style="red")


def _grid(rows: Iterable[tuple[str, object]], style: str = "dim") -> RenderableType:
    grid = Table.grid(padding=(0, 2))
    for name, value in rows:
        grid.add_row(Text(name, style=style), Text(_cell(value)))
    return grid


def _cell(value: object) -> str:
    if is_array(value) and all(members(each) for each in value):
        return ", ".join(" ".join(map(str, members(each).values())) for each in value)
    return json.dumps(value, ensure_ascii=False) if is_object(value) or is_array(value) else str(value)


def _indented(shown: RenderableType) -> RenderableType:
    return Padding(shown, (0, 0, 0, 4))
