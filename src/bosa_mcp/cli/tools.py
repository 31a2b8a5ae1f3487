"""`bosa-mcp tools`."""

import time
from collections.abc import Iterable, Mapping
from itertools import groupby
from typing import TYPE_CHECKING, Final

import anyio
import typer

from bosa_mcp.cli.failures import CommandFailed
from bosa_mcp.cli.options import API, PLACES, Json, settled
from bosa_mcp.imports import quick
from bosa_mcp.settings import Settings, check_api

if TYPE_CHECKING:
    from rich.tree import Tree

    from bosa_mcp.refresh import Tools
    from bosa_mcp.table import Table
    from bosa_mcp.tools import Offer

EXAMPLES: Final = """\
\b
Examples:
  bosa-mcp tools
  bosa-mcp tools --connectors github --read-only
  bosa-mcp tools --json > tools.json

A token is estimated at 4 bytes.
"""
_BYTES_A_TOKEN: Final = 4
_WIDEST: Final = 200
"""Columns that the longest names and their sizes take: a tree is cut at the width that it is given."""


@settled(*API, *PLACES)
def tools(chosen: Settings, *, json: Json = False) -> None:
    """Show which tools would be served, with what they do and how large their definitions are."""
    check_api(chosen)
    table = anyio.run(_table, chosen)
    if not table.listed and table.missing:
        raise CommandFailed("; ".join(table.missing.values()))
    if json:
        typer.echo(wire_form(table))
        return
    from rich.console import Console  # noqa: PLC0415  only what prints needs it

    console = Console(highlight=False, soft_wrap=True, width=_WIDEST)
    console.print(_tree(table))
    for line in _left_out(table):
        console.print(line, markup=False, style="dim")


async def _table(chosen: Settings) -> "Table":
    with quick():
        from bosa_mcp.cli.api import open_parts  # noqa: PLC0415  mcp takes most of a second to import

    async with open_parts(chosen) as (parts, _):
        return await newest(parts.tools)


async def newest(tools: "Tools") -> "Table":
    """The table as the API lists it now; where it does not answer, as it listed it before."""
    began = time.time()
    table = await tools.look()
    if any(each.at < began for each in table.listed.values()):
        await tools.refresh()
    return tools.table


def wire_form(table: "Table") -> str:
    """What `tools/list` answers with, in one page."""
    listed = (each.tool.model_dump_json(by_alias=True, exclude_none=True) for each in table.offers.values())
    return f'{{"tools":[{",".join(listed)}]}}'


def _tree(table: "Table") -> "Tree":
    from rich.text import Text  # noqa: PLC0415  as above
    from rich.tree import Tree  # noqa: PLC0415  as above

    offers = table.offers.values()
    width = max((len(name) for name in table.offers), default=0) + 5
    by_connector = groupby(sorted(offers, key=_connector), _connector)
    groups = {connector: list(group) for connector, group in by_connector}
    total = f"{_many(len(offers), 'tool')} from {_many(len(groups), 'connector')}"
    tree = Tree(Text(f"{total:<{width + 12}}{_sizes(offers)}", style="bold"))
    for connector, group in groups.items():
        label = f"{_shown(connector):<{width}}{_many(len(group), 'tool'):<8}{_sizes(group)}"
        branch = tree.add(Text(label, style="cyan"))
        for each in group:
            branch.add(Text(f"{each.tool.name:<{width - 4}}{_does(each):<8}{_sizes([each])}"))
    return tree


def _connector(offer: "Offer") -> str:
    return offer.action.connector


def _shown(text: str) -> str:
    from bosa_mcp.invisible import plain  # noqa: PLC0415  as above

    return plain(text)[:60]


def _does(offer: "Offer") -> str:
    from bosa_connectors.effects import effect  # noqa: PLC0415  as above

    return effect(offer.action)


def _sizes(offers: Iterable["Offer"]) -> str:
    size = sum(each.size for each in offers)
    return f"{size:>9,} bytes {round(size / _BYTES_A_TOKEN):>8,} tokens"


def _many(number: int, what: str) -> str:
    return f"{number} {what}{'' if number == 1 else 's'}"


def _left_out(table: "Table") -> Iterable[str]:
    by_setting: Mapping[str, int] = {
        "BOSA_READ_ONLY": len(table.barred),
        **{name: list(table.filtered.values()).count(name) for name in set(table.filtered.values())},
    }
    for setting, number in by_setting.items():
        if number:
            yield f"{_many(number, 'tool')} left out by {setting}"
    for tool, reason in table.odd.items():
        yield f"{tool} cannot be served: {_shown(reason)}"
