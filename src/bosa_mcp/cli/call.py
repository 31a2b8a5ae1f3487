"""`bosa-mcp call`."""

import json
import sys
from typing import TYPE_CHECKING, Annotated, Any, Final

import anyio
import typer

from bosa_connectors.shapes import is_object
from bosa_mcp.cli.bars import watching
from bosa_mcp.cli.failures import CommandFailed
from bosa_mcp.cli.options import API, CALLS, PLACES, Json, settled
from bosa_mcp.imports import quick
from bosa_mcp.settings import Settings, check_api

if TYPE_CHECKING:
    from bosa_mcp.access import Caller
    from bosa_mcp.calling import Parts
    from bosa_mcp.tools import Offer

EXAMPLES: Final = """\
\b
Examples:
  bosa-mcp call notes_create_note '{"title": "Hello", "body": "From the command line"}'
  bosa-mcp call notes_list_notes
  bosa-mcp call sql_query - < query.json
  bosa-mcp call notes_list_notes '{"per_page": "5"}' --dry-run

The result is printed as JSON, as a model gets it, on one line with --json or where it is no terminal; exit code 1 where
it is an error. --dry-run prints the request that would be sent, checked and repaired, without key and token.
"""
_EXPECTED: Final = 'Expected something like \'{"id": "7"}\''


@settled(*API, *CALLS, *PLACES)
def call(
    chosen: Settings,
    tool: Annotated[
        str, typer.Argument(help="The tool's name, as `bosa-mcp tools` shows it.", metavar="TOOL", show_default=False)
    ],
    arguments: Annotated[
        str, typer.Argument(help="Its arguments, an object in JSON; - reads them from standard input.", metavar="JSON")
    ] = "{}",
    *,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Print the request, and send nothing.")] = False,
    as_json: Json = False,
) -> None:
    """Call a tool just as a model does, and print the result."""
    check_api(chosen)
    sent = _object(sys.stdin.read() if arguments == "-" else arguments)
    content = anyio.run(_content, chosen, tool, sent, dry_run)
    typer.echo(json.dumps(content, ensure_ascii=False, indent=2 if sys.stdout.isatty() and not as_json else None))
    if "error" in content:
        raise typer.Exit(1)


def _object(text: str) -> dict[str, Any]:
    try:
        value: object = json.loads(text)
    except (ValueError, RecursionError) as odd:
        raise typer.BadParameter(f"the arguments are no JSON: {odd}. {_EXPECTED}") from odd
    if not is_object(value):
        raise typer.BadParameter(f"the arguments are no object. {_EXPECTED}")
    return dict(value)


async def _content(chosen: Settings, tool: str, sent: dict[str, Any], dry_run: bool) -> dict[str, Any]:  # noqa: FBT001  as anyio hands it over
    with quick():
        from bosa_mcp.calling import carry_out  # noqa: PLC0415  likewise
        from bosa_mcp.cli.api import open_parts  # noqa: PLC0415  mcp takes most of a second to import

    async with open_parts(chosen) as (parts, caller):
        offer = await _found(parts, tool)
        if dry_run:
            return await _previewed(parts, offer, sent, caller)
        with watching() as report:
            result = await carry_out(parts, tool, sent, caller, report)
        return result.structured_content or {}


async def _previewed(parts: "Parts", offer: "Offer", sent: dict[str, Any], caller: "Caller") -> dict[str, Any]:
    from bosa_connectors.errors import BosaError, InvalidArguments  # noqa: PLC0415  as above
    from bosa_mcp import arguments, results  # noqa: PLC0415  as above
    from bosa_mcp.calling import admitted  # noqa: PLC0415  as above
    from bosa_mcp.cli.preview import preview  # noqa: PLC0415  as above
    from bosa_mcp.results import Refusal  # noqa: PLC0415  as above

    try:
        async with parts.inputs.taken(offer, admitted(parts, offer, sent), caller.identity) as taken:
            return preview(offer, taken, caller, parts.execution.connector.api_base_url)
    except InvalidArguments as wrong:
        return results.failure(arguments.with_ours(offer, wrong))
    except BosaError as failure:
        return results.failure(failure)
    except Refusal as refused:
        return results.refusal(refused)


async def _found(parts: "Parts", tool: str) -> "Offer":
    """The tool, as it is known, or as it may be new. Raises BadParameter where there is none."""
    offer = await parts.tools.offer(tool)
    if offer is None and not parts.tools.table.lacks:  # else it has been looked for just now
        await parts.tools.refresh()
    table = parts.tools.table
    if offer := offer or table.offer(tool):
        return offer
    if table.lacks:
        raise CommandFailed("; ".join(table.missing[name] for name in table.lacks))
    raise typer.BadParameter(f"{table.explain(tool)} `bosa-mcp tools` lists them.")
