"""The loop of an agent, without a model: it chooses tools, reads what they answer, corrects itself, and says the end.

    python examples/agent_loop.py

Where `decide` asks a model instead, with `tools` and `seen`, the rest stays as it is.
"""

import asyncio
import os
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from mcp import Client, StdioServerParameters

MOST_STEPS = 10
SETTINGS = {name: value for name, value in os.environ.items() if name.startswith("BOSA_")}
SERVER = StdioServerParameters(command=sys.executable, args=["-m", "bosa_mcp"], env=SETTINGS)


@dataclass(frozen=True)
class Call:
    """A tool that the model wants called."""

    tool: str
    arguments: dict[str, Any]


@dataclass(frozen=True)
class Seen:
    """A call with what came of it."""

    call: Call
    is_error: bool
    answer: dict[str, Any]


def decide(tools: Sequence[str], seen: Sequence[Seen]) -> Call | str:
    """The next call, or the last words: by a script, which errs at first as models do."""
    if not seen:
        return Call("sql_query", {"querry": "SELECT title FROM books ORDER BY year LIMIT 1"})
    last = seen[-1]
    if last.is_error:
        wrong = {problem["path"].strip("/"): problem.get("nearest") for problem in last.answer["error"]["errors"]}
        right = {wrong.get(name) or name: value for name, value in last.call.arguments.items()}
        return Call(last.call.tool, right)
    if last.call.tool == "sql_query" and "notes_create_note" in tools:
        oldest = last.answer["data"][0]["title"]
        return Call("notes_create_note", {"title": "The oldest book", "body": oldest})
    return f"Noted: {last.answer['data']['body']}"


async def main() -> None:
    """Goes on until there are last words, but not for ever."""
    async with Client(SERVER) as client:
        tools = [tool.name for tool in (await client.list_tools()).tools]
        seen: list[Seen] = []
        for _ in range(MOST_STEPS):
            decision = decide(tools, seen)
            if isinstance(decision, str):
                print(decision)
                return
            result = await client.call_tool(decision.tool, decision.arguments)
            seen.append(Seen(decision, bool(result.is_error), result.structured_content or {}))
            print(decision.tool, decision.arguments, "->", "error" if result.is_error else "ok")
        print(f"No end after {MOST_STEPS} steps.")


if __name__ == "__main__":
    asyncio.run(main())
